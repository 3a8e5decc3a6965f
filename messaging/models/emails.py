"""Email campaigns. One request carries them whole: the recipients are a list at Laaffic, the text an approved template.

What happened to each mail is told by callbacks (*submitted*) and asked for (*delivered*): two things in two columns.
"""

import secrets

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.kit.masking.masks import masked
from laaffic_console.kit.words.planned_years import PlannedMomentField
from laaffic_console.kit.words.said import SaidField
from laaffic_console.kit.words.visible_names import VisiblyNamed
from messaging.models.campaign_bases import Happened, Launched
from messaging.models.care_fields import calendar_field, latest_end_field, purpose_field


class EmailCampaignState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    SCHEDULED = "scheduled", _("Scheduled")
    SENDING = "sending", _("Sending")  # its request waits or is under way
    UNKNOWN = "unknown", _("Unknown")  # the answer was lost; a callback or a person settles it
    RUNNING = "running", _("Running")  # Laaffic has it; reports come in
    HELD = "held", _("Held")  # refused; always with one sentence why
    FINISHED = "finished", _("Finished")
    CANCELLED = "cancelled", _("Cancelled")


def new_mark() -> str:
    return secrets.token_hex(16)


class EmailCampaign(VisiblyNamed, Launched):
    State = EmailCampaignState

    class AdFlag(models.IntegerChoices):
        NONE = 0, _("no mark")
        BEFORE = 1, _("before the subject")
        AFTER = 2, _("after the subject")

    name = models.CharField(_("name"), max_length=120)
    application = models.ForeignKey(
        Application, models.PROTECT, related_name="email_campaigns", verbose_name=_("application")
    )
    from_address = models.CharField(
        _("from"), max_length=254, help_text=_("An address that is configured and verified at Laaffic.")
    )
    receiver_id = models.CharField(_("recipient list"), max_length=64, help_text=_("The list's id at Laaffic."))
    subject = models.CharField(_("subject"), max_length=400, help_text=_("1 to 100 characters."))
    template_id = models.CharField(_("template"), max_length=64, help_text=_("The id of an approved template."))
    language = models.CharField(
        _("language"), max_length=16, blank=True, help_text=_("For example en or zh; empty: the template's own.")
    )
    ad_flag = models.PositiveSmallIntegerField(
        _("advertisement mark"), choices=AdFlag, null=True, blank=True, help_text=_("Some countries ask for one.")
    )
    trigger_id = models.PositiveBigIntegerField(
        _("trigger"), null=True, blank=True, help_text=_("Of an automation at Laaffic; empty for none.")
    )
    unsubscribe = models.BooleanField(
        _("link to unsubscribe"), null=True, blank=True, help_text=_("Laaffic adds it and keeps who unsubscribed.")
    )
    scheduled_at = PlannedMomentField(_("send at"), null=True, blank=True)
    latest_end = latest_end_field(_("What has not left by then is held and asks."))
    calendar = calendar_field(
        "email_campaigns", _("When it may leave, by the console's own clock. Empty: the application's calendar.")
    )
    purpose = purpose_field(
        _(
            "Marketing: where the console asks for consent, it leaves only when somebody has said how that of its list "
            "is known. Transactional: what somebody waits for. No frequency cap stops it."
        ),
        db_default="",
    )
    consent_known_by = models.CharField(
        _("how their consent is known"),
        max_length=200,
        db_default="",
        blank=True,
        help_text=_("For marketing: why everybody on the list is known to have agreed. It is kept and shown."),
    )

    # As the account told them at launch; empty where a look-up was not to be had.
    receiver_name = models.CharField(max_length=200, blank=True, editable=False)
    receiver_count = models.PositiveIntegerField(null=True, editable=False)
    template_name = models.CharField(max_length=200, blank=True, editable=False)

    state = models.CharField(
        _("state"), max_length=10, choices=EmailCampaignState, default=EmailCampaignState.DRAFT, editable=False
    )
    is_held_by_account = models.BooleanField(default=False, editable=False)  # goes on by itself when that ends
    wait_reason = SaidField(_("why it waits"), blank=True, editable=False)
    not_before = models.DateTimeField(null=True, editable=False)
    waits_for_hours = models.BooleanField(default=False, editable=False)  # until then, as its calendar says
    attempt = models.PositiveSmallIntegerField(default=0, editable=False)
    entry = models.ForeignKey(LedgerEntry, models.PROTECT, null=True, editable=False, related_name="+")

    # At the end of the callback's address: leads back here although the answer with the taskId was lost.
    mark = models.CharField(max_length=40, unique=True, default=new_mark, editable=False)
    task_id = models.CharField(_("task id"), max_length=64, blank=True, editable=False, db_index=True)

    last_report_at = models.DateTimeField(null=True, editable=False)
    next_check_at = models.DateTimeField(null=True, editable=False)  # when getSendEmailRcd asks next
    checks = models.PositiveSmallIntegerField(default=0, editable=False)
    asked_to = models.BigIntegerField(default=0, db_default=0, editable=False)  # the last mail asked for; 0: restart

    sent_at = models.DateTimeField(_("sent"), null=True, editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)

    class Meta:
        verbose_name = _("email campaign")
        verbose_name_plural = _("email campaigns")
        ordering = ["-id"]
        permissions = [
            ("launch_emailcampaign", _("Can launch, resume and cancel email campaigns")),
            ("resolve_emailcampaign", _("Can send unknown email campaigns again or write them off")),
            ("approve_emailcampaign", _("Can approve email campaigns that another person asks to launch")),
        ]
        indexes = [
            models.Index(fields=["state", "not_before"], name="email_state"),
            models.Index(fields=["next_check_at"], name="email_check", condition=models.Q(next_check_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name


class EmailCampaignEvent(Happened):
    campaign = models.ForeignKey(EmailCampaign, models.CASCADE, related_name="events")

    class Meta(Happened.Meta):
        verbose_name = _("email campaign event")


class Submission(models.IntegerChoices):
    """What the callback said, ordered by how much is known: reports only move a mail up (laws#best-report-wins)."""

    UNSAID = 0, _("Unclear")  # a word that is in no language we know
    FAILED = 10, _("Not submitted")
    SUBMITTED = 20, _("Submitted")


class Delivery(models.IntegerChoices):
    """What getSendEmailRcd said, ordered in the same way."""

    NONE = 0, _("–")  # there is nothing to ask about
    PENDING = 10, _("On its way")
    EXPIRED = 20, _("Never reported")
    UNDELIVERED = 30, _("Undelivered")
    DELIVERED = 40, _("Delivered")


class EmailMessage(models.Model):
    """One mail of a campaign. Rows come with the callbacks: nobody else tells who is on the list."""

    Submission = Submission
    Delivery = Delivery

    campaign = models.ForeignKey(
        EmailCampaign, models.CASCADE, related_name="mails", db_index=False, verbose_name=_("campaign")
    )
    key = models.CharField(max_length=260)  # the emailId, else "@" and the address
    email_id = models.CharField(_("email id"), max_length=64, blank=True)
    task_id = models.CharField(_("task id"), max_length=64, blank=True)
    address = models.CharField(_("address"), max_length=254, blank=True)
    submission = models.PositiveSmallIntegerField(_("submission"), choices=Submission, default=Submission.UNSAID)
    raw_state = models.CharField(_("Laaffic's own word"), max_length=40, blank=True)
    remark = models.CharField(_("remark"), max_length=200, blank=True)
    told_at = models.DateTimeField(_("first reported"))  # when the first callback about it came
    delivery = models.PositiveSmallIntegerField(_("delivery"), choices=Delivery, default=Delivery.NONE)
    delivered_at = models.DateTimeField(_("delivery reported"), null=True)  # as the gateway says

    class Meta:
        verbose_name = _("email")
        verbose_name_plural = _("emails")
        permissions = [("export_emailmessage", _("Can export emails"))]
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["campaign", "key"], name="email_once")]
        indexes = [
            models.Index(fields=["campaign", "submission", "id"], name="email_submission"),
            models.Index(fields=["campaign", "delivery", "id"], name="email_delivery"),
            # For the list of all campaigns: what is rare would be looked for in every mail.
            models.Index(fields=["submission", "id"], name="email_by_submission"),
            models.Index(fields=["delivery", "id"], name="email_by_delivery"),
            models.Index(fields=["address"], name="email_address"),
            models.Index(fields=["email_id"], name="email_gateway_id"),
        ]

    def __str__(self) -> str:
        return masked(self.address) or self.email_id


class EmailTally(models.Model):
    """How a campaign's mails stand; moved in the transaction that moves them."""

    campaign = models.ForeignKey(EmailCampaign, models.CASCADE, related_name="tallies", db_index=False)
    submission = models.PositiveSmallIntegerField(choices=Submission)
    delivery = models.PositiveSmallIntegerField(choices=Delivery)
    reason = models.CharField(max_length=120, blank=True)  # of those that were not submitted
    messages = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "submission", "delivery", "reason"], name="email_tally_once")
        ]

    def __str__(self) -> str:
        return f"{self.get_submission_display()} {self.get_delivery_display()}"


class EmailLookup(models.Model):
    """The last look-up of an account's templates, lists or sender addresses: when it was, and what came of it."""

    class Kind(models.TextChoices):
        TEMPLATE = "template", _("Templates")
        LIST = "list", _("Recipient lists")
        SENDER = "sender", _("Sender addresses")

    application = models.ForeignKey(Application, models.CASCADE, related_name="+", verbose_name=_("application"))
    kind = models.CharField(_("what"), max_length=8, choices=Kind)
    asked_at = models.DateTimeField(_("asked"))
    answered_at = models.DateTimeField(pgettext_lazy("moment", "answered"), null=True)  # the choices are as old as this
    problem = SaidField(_("problem"), blank=True)

    class Meta:
        verbose_name = _("email look-up")
        constraints = [models.UniqueConstraint(fields=["application", "kind"], name="email_lookup_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.application}"


class EmailChoice(models.Model):
    """A template, a recipient list or a sender address, as the account told it at the last look-up."""

    lookup = models.ForeignKey(EmailLookup, models.CASCADE, related_name="choices")
    value = models.CharField(_("id"), max_length=254)
    name = models.CharField(_("name"), max_length=200, blank=True)
    detail = models.JSONField(default=dict)  # {"subject", "language", "status"} or {"count", "description"}

    class Meta:
        verbose_name = _("email choice")
        ordering = ["name", "value"]
        constraints = [models.UniqueConstraint(fields=["lookup", "value"], name="email_choice_once")]

    def __str__(self) -> str:
        return self.name or self.value
