"""Reports that are kept under a name, and what was sent of them."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from laaffic_console.kit.sql.partial_indexes import WordForWord
from laaffic_console.kit.words import dates
from laaffic_console.kit.words.said import SaidLine
from laaffic_console.kit.words.visible_names import VisiblyNamed


class Report(VisiblyNamed):
    """What somebody asks again and again, kept under a name; its period stays relative where a word names it."""

    class Schedule(models.TextChoices):
        NONE = "none", _("Not sent")
        WEEKLY = "weekly", _("Every week")
        MONTHLY = "monthly", _("Every month")

    class Weekday(models.IntegerChoices):
        MONDAY = 0, _("Monday")
        TUESDAY = 1, _("Tuesday")
        WEDNESDAY = 2, _("Wednesday")
        THURSDAY = 3, _("Thursday")
        FRIDAY = 4, _("Friday")
        SATURDAY = 5, _("Saturday")
        SUNDAY = 6, _("Sunday")

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "XLSX"

    name = models.CharField(_("name"), max_length=100)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", editable=False, verbose_name=_("owner")
    )
    is_shared = models.BooleanField(
        _("shared"), default=False, help_text=_("Everybody who may see reports sees it. Only you change it.")
    )
    query = models.CharField(_("what it asks"), max_length=4000)  # asking.py
    made_at = models.DateTimeField(_("made"), auto_now_add=True)

    schedule = models.CharField(_("sent by email"), max_length=10, choices=Schedule, default=Schedule.NONE)
    weekday = models.PositiveSmallIntegerField(
        _("on"), choices=Weekday, default=Weekday.MONDAY, help_text=_("For a report that is sent every week.")
    )
    month_day = models.PositiveSmallIntegerField(
        _("on day"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(28)],
        help_text=_("1 to 28, for a report that is sent every month."),
    )
    hour = models.PositiveSmallIntegerField(
        _("at hour"),
        default=7,
        validators=[MaxValueValidator(23)],
        help_text=_("0 to 23, by the console's clock."),
    )
    format = models.CharField(_("attached as"), max_length=4, choices=Format, default=Format.XLSX)
    users = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        blank=True,
        related_name="+",
        verbose_name=_("people"),
        help_text=_("At the address in their account; they must be allowed to see reports."),
    )
    addresses = models.TextField(
        _("other addresses"), blank=True, help_text=_("One a line, for people without an account here.")
    )
    next_at = models.DateTimeField(_("sent next"), null=True, editable=False)  # NULL: it is not sent by itself

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("saved reports")
        ordering = ["name", "pk"]
        permissions = [
            ("export_report", _("Can export reports")),
            ("link_report", _("Can make links by which a spreadsheet reads a report")),
            ("address_report", _("Can have reports sent to any email address")),
        ]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="report_name_once")]
        indexes = [
            models.Index(fields=["next_at"], name="report_due", condition=models.Q(next_at__isnull=False)),
            models.Index(fields=["is_shared", "name"], name="report_shared"),
        ]

    def __str__(self) -> str:
        return self.name


_IS_OPEN = models.Q(state__in=["queued", "sending"])
IS_OPEN_SENDING = WordForWord(_IS_OPEN)


class Sending(models.Model):
    """A report that is sent by email once. It says so before the first mail leaves, so that none is repeated."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        PARTLY = "partly", _("Sent to some")
        FAILED = "failed", _("Failed")
        BROKEN_OFF = "broken_off", _("Broken off")

    BAD = (State.PARTLY, State.FAILED, State.BROKEN_OFF)

    report = models.ForeignKey(Report, models.CASCADE, related_name="sendings")
    due_at = models.DateTimeField(pgettext_lazy("sending", "due"))
    is_by_hand = models.BooleanField(default=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.QUEUED)
    made_at = models.DateTimeField(default=timezone.now)
    began_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    recipients = models.PositiveSmallIntegerField(_("sent to"), default=0)
    problem = SaidLine(_("problem"), max_length=1000, blank=True)

    class Meta:
        verbose_name = _("sending of a report")
        verbose_name_plural = _("sendings of reports")
        ordering = ["-id"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["report", "due_at"], name="report_sending_once")]
        indexes = [
            models.Index(fields=["id"], name="report_sending_open", condition=_IS_OPEN),
        ]

    def __str__(self) -> str:
        return f"{self.report} {dates.moment(self.due_at)}"


class ReportLink(models.Model):
    """How a spreadsheet reads a report. The token is shown once; here is only its digest."""

    report = models.OneToOneField(Report, models.CASCADE, related_name="link")
    digest = models.CharField(max_length=64)
    made_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(_("valid until"))
    last_used_at = models.DateTimeField(_("last read"), null=True)
    uses = models.PositiveBigIntegerField(_("times read"), default=0)

    class Meta:
        verbose_name = _("link to a report")
        verbose_name_plural = _("links to reports")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.report)
