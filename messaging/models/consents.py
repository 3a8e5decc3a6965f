"""Whether a person has agreed to get messages on a channel: what holds now, and everything that was ever said."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from laaffic_console.gateway.models.channels import CAMPAIGN_CHANNELS, Channel, choices_of
from laaffic_console.kit.masking.masks import masked
from laaffic_console.kit.words.said import SaidField, SaidLine, shaped
from messaging.models.campaigns import Campaign


class ConsentState(models.TextChoices):
    GIVEN = "given", _("Given")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    UNKNOWN = "unknown", pgettext_lazy("consent", "Unknown")


class Consent(models.Model):
    """The consent that holds now. There is a row for each spelling of the number, so that any is found at once."""

    State = ConsentState

    number = models.CharField(_("number"), max_length=15)
    channel = models.CharField(
        _("channel"), max_length=8, choices=choices_of(CAMPAIGN_CHANNELS), default=Channel.SMS.value
    )
    state = models.CharField(_("consent"), max_length=9, choices=ConsentState)
    source = models.CharField(_("source"), max_length=120, blank=True)  # "reply", "by hand", a form, a file
    words = models.CharField(_("words"), max_length=300, blank=True)
    at = models.DateTimeField(_("since"))

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        permissions = [("export_consent", _("Can export consents"))]
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["number", "channel"], name="consent_once")]
        indexes = [
            models.Index(fields=["state", "id"], name="consent_state"),
            models.Index(fields=["channel", "id"], name="consent_channel"),
        ]

    def __str__(self) -> str:
        return shaped("%(number)s (%(channel)s)", number=masked(self.number), channel=Channel(self.channel).label)


class ConsentEvent(models.Model):
    """What was said once, and when; a row is never changed, but its words go when the person is erased."""

    subscriber = models.CharField(_("number"), max_length=15)  # in its usual spelling
    channel = models.CharField(_("channel"), max_length=8, choices=choices_of(CAMPAIGN_CHANNELS))
    state = models.CharField(_("consent"), max_length=9, choices=ConsentState)
    source = models.CharField(_("source"), max_length=120, blank=True)
    words = models.CharField(_("words"), max_length=300, blank=True)
    at = models.DateTimeField(_("when"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by"))
    recorded_at = models.DateTimeField(_("recorded"), auto_now_add=True)

    class Meta:
        default_permissions = ()  # shown with the person
        verbose_name = _("said about consent")
        verbose_name_plural = _("said about consent")
        ordering = ["-id"]
        constraints = [
            # A file that is imported twice says nothing new.
            models.UniqueConstraint(fields=["subscriber", "channel", "at", "state", "source"], name="consent_said_once")
        ]
        indexes = [
            models.Index(fields=["recorded_at"], name="consent_recorded"),
            models.Index(  # few: a claim asks who is not to get it any more (consents.withdrawn_since)
                fields=["channel", "recorded_at"],
                name="consent_not_given",
                condition=models.Q(state__in=["withdrawn", "unknown"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{masked(self.subscriber)} ({self.get_channel_display()}): {self.get_state_display()}"


class ConsentImport(models.Model):
    """A file of consents that were given elsewhere: how it is read, how far that is, and what came of it."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        FINISHED = "finished", _("Finished")
        FAILED = "failed", _("Failed")

    file = models.FileField(_("file"), upload_to="consents/", max_length=500)
    file_name = models.CharField(_("file name"), max_length=200)
    options = models.JSONField(default=dict)  # consent_files.Options: what holds for rows that do not say it
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.QUEUED)
    explanation = SaidField(_("explanation"), blank=True)

    line = models.PositiveIntegerField(default=0)  # the last that is committed, as a spreadsheet numbers it
    rows = models.PositiveIntegerField(_("rows"), default=0)
    kept = models.PositiveIntegerField(_("kept"), default=0)
    known = models.PositiveIntegerField(_("known already"), default=0, db_default=0)  # of those kept
    invalid = models.PositiveIntegerField(_("invalid"), default=0)
    errors = models.JSONField(default=list)  # the first invalid rows: {row, column, value, reason as `said.kept`}

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        default_permissions = ()  # those of consents
        verbose_name = _("import of consents")
        verbose_name_plural = _("imports of consents")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.file_name

    @property
    def new(self) -> int:
        """Consents that nobody had told before."""
        return self.kept - self.known


class OptInQuestion(models.Model):
    """The question that confirms a START: whether a person is to be asked, was asked, and may still say yes."""

    subscriber = models.CharField(max_length=15, unique=True)
    number = models.CharField(max_length=15)  # as they wrote from
    channel = models.CharField(max_length=8, choices=choices_of(CAMPAIGN_CHANNELS))
    wanted_at = models.DateTimeField()  # when they wrote START
    is_to_ask = models.BooleanField(default=False)
    is_open = models.BooleanField(default=False)  # a yes counts
    asked_at = models.DateTimeField(null=True)
    campaign = models.ForeignKey(Campaign, models.SET_NULL, null=True, related_name="+", db_index=False)  # that asks
    problem = SaidLine(max_length=300, blank=True)  # why they could not be asked

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["id"], name="opt_in_to_ask", condition=models.Q(is_to_ask=True))]

    def __str__(self) -> str:
        return f"question {self.pk}"
