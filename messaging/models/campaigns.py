"""Campaigns of messages, and what happened to each."""

from dataclasses import dataclass
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from laaffic_console.gateway.models import AccountHold, Application
from laaffic_console.gateway.models.channels import CAMPAIGN_CHANNELS, Channel, choices_of
from laaffic_console.kit.sql.partial_indexes import WordForWord
from laaffic_console.kit.words.planned_years import PlannedMomentField
from laaffic_console.kit.words.said import SaidField
from laaffic_console.kit.words.visible_names import VisiblyNamed
from messaging.models.campaign_bases import Happened, Launched
from messaging.models.care_fields import Purpose, calendar_field, latest_end_field, purpose_field
from messaging.models.contacts import ContactGroup
from messaging.models.pastes import Paste
from messaging.models.templates import TemplateVersion


class CampaignState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    SCHEDULED = "scheduled", _("Scheduled")
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")  # by a person
    HELD = "held", _("Held")  # by the system, always with one sentence why
    FINISHED = "finished", _("Finished")
    CANCELLED = "cancelled", _("Cancelled")


_IS_CAMPAIGN = models.Q(kind="campaign")
IS_CAMPAIGN = WordForWord(_IS_CAMPAIGN)  # no single message, answer or test, of which a script sends thousands


@dataclass(frozen=True, slots=True)
class Addressed:
    """To whom a draft goes that is not stored."""

    groups: models.QuerySet[ContactGroup]
    excluded_groups: models.QuerySet[ContactGroup]
    audiences: models.QuerySet[Any]


class Campaign(VisiblyNamed, Launched):
    """One text to one audience. Quick messages, tests and retries are campaigns too: there is one door out."""

    State = CampaignState
    Purpose = Purpose

    class Kind(models.TextChoices):
        CAMPAIGN = "campaign", _("Campaign")
        QUICK = "quick", _("Quick message")
        TEST = "test", _("Test message")

    class Audience(models.TextChoices):
        OPEN = "open", _("Not frozen yet")
        FREEZING = "freezing", _("Being frozen")
        FROZEN = "frozen", _("Frozen")

    addressed: Addressed | None = None  # of one that is not stored: what its groups and audiences would be

    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.CAMPAIGN)
    purpose = purpose_field(
        _(
            "Marketing: where the console asks for consent, it goes only to people who have given theirs. "
            "Transactional: what somebody waits for, such as a code or a parcel. No frequency cap stops it."
        )
    )
    channel = models.CharField(
        _("channel"), max_length=8, choices=choices_of(CAMPAIGN_CHANNELS), default=Channel.SMS, editable=False
    )
    application = models.ForeignKey(
        Application, models.PROTECT, related_name="campaigns", verbose_name=_("application")
    )
    sender_id = models.CharField(_("sender ID"), max_length=32, blank=True)
    # What its channel alone needs, by name: an MMS's title and attachments …
    channel_options = models.JSONField(default=dict, blank=True, editable=False)
    text = models.TextField(_("text"))
    # Where the text was taken from; what is sent is the text above, whatever happened to the template.
    template_version = models.ForeignKey(
        TemplateVersion, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("template")
    )
    groups = models.ManyToManyField(
        ContactGroup, related_name="campaigns", blank=True, verbose_name=_("send to groups")
    )
    excluded_groups = models.ManyToManyField(
        ContactGroup, related_name="+", blank=True, verbose_name=_("but not to groups")
    )
    audiences = models.ManyToManyField(
        "messaging.Audience", related_name="campaigns", blank=True, verbose_name=_("send to audiences")
    )
    # Their conditions as of the launch: [{"audience": id, "name", "condition", "tree"}]. An edit changes no launch.
    rules = models.JSONField(default=list, editable=False)
    # By which cap and consent its audience was chosen (gates/as_frozen); {}: a claim looks at everybody again.
    frozen_by = models.JSONField(default=dict, editable=False)
    # Numbers given one by one, for a test or from a script; at most a thousand.
    extra_numbers = models.JSONField(_("numbers"), default=list, blank=True)
    # More of them, pasted or read from a file.
    paste = models.ForeignKey(Paste, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    paste_cursor = models.BigIntegerField(default=0, editable=False)  # the last of them that has been frozen
    # The campaign whose failed recipients this one is for: who has got it since is left out when it is frozen.
    retry_of = models.ForeignKey("self", models.SET_NULL, null=True, editable=False, related_name="retries")
    rate_per_second = models.PositiveIntegerField(
        _("rate"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Recipients a second; empty means as fast as the application allows."),
    )
    scheduled_at = PlannedMomentField(_("send at"), null=True, blank=True)
    latest_start_minutes = models.PositiveIntegerField(
        _("at the latest"),
        null=True,
        blank=True,
        help_text=_("Minutes after its time. Later than that it is held and asks. Empty: the console's own limit."),
    )
    # Nothing of it is claimed outside (services/gates/sending_hours.py).
    calendar = calendar_field(
        "campaigns", _("When it may reach people, by their own clocks. Empty: the application's calendar.")
    )
    local_time = models.CharField(
        _("or at each recipient's own time"),
        max_length=16,
        blank=True,
        help_text=_("Like 2026-11-27 09:00, by the clock where each recipient is. Then leave “send at” empty."),
    )
    latest_end = latest_end_field(_("By the console's clock. What has not left by then is held and asks."))
    # The few first (canary_sizes.py, services/gates/canary.py). Empty: everybody at once.
    canary = models.CharField(
        _("a few first"),
        max_length=8,
        blank=True,
        default="",
        db_default="",
        help_text=_("How many, like 100, or a share, like 5%, spread over the countries. Empty: everybody at once."),
    )
    canary_wait = models.PositiveIntegerField(
        _("wait for their reports"),
        default=15,
        db_default=15,
        validators=[MaxValueValidator(7 * 24 * 60)],
        help_text=_("Minutes after the last of the few has left; less when all of them have a report."),
    )
    canary_reports = models.PositiveSmallIntegerField(
        _("decide on reports of at least"),
        default=50,
        db_default=50,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("Percent of the few. With fewer reports nothing is decided: it waits for more."),
    )
    canary_least = models.PositiveSmallIntegerField(
        _("go on with at least"),
        default=80,
        db_default=80,
        validators=[MaxValueValidator(100)],
        help_text=_("Percent of those reports that say delivered. With less it is held and asks."),
    )
    error_limit = models.PositiveIntegerField(
        _("error limit"),
        null=True,
        blank=True,
        help_text=_("Hold the campaign after this many rejected recipients; 0: never. Empty: the console's own limit."),
    )
    errors = models.PositiveIntegerField(default=0, editable=False)  # rejected since it was last resumed

    state = models.CharField(_("state"), max_length=10, choices=CampaignState, default=CampaignState.DRAFT)
    # Set while the account's hold is what stops it: exactly these go on by themselves when that ends.
    account_hold = models.ForeignKey(AccountHold, models.SET_NULL, null=True, editable=False, related_name="+")
    # Why messages wait although the campaign runs: the gateway cannot be reached, asks for patience …
    wait_reason = SaidField(_("why it waits"), blank=True)

    audience = models.CharField(_("audience"), max_length=10, choices=Audience, default=Audience.OPEN)
    audience_cursor = models.BigIntegerField(default=0)  # the last contact id that has been looked at
    audience_end = models.BigIntegerField(default=0)  # the highest contact id at launch
    member_end = models.BigIntegerField(null=True, editable=False)  # the last membership that counts; null: all do
    # What the launch was decided on (services.shown); it starts only while that is true.
    shown = models.JSONField(null=True, editable=False)
    # What was expected then, by country, and where what came differs from it (services/batches: expected, drift).
    forecast = models.JSONField(null=True, editable=False)
    drift = models.JSONField(null=True, editable=False)
    total = models.PositiveIntegerField(_("recipients"), default=0)
    dropped_suppressed = models.PositiveIntegerField(_("left out: suppressed"), default=0)
    dropped_excluded = models.PositiveIntegerField(_("left out: in an excluded group"), default=0)
    dropped_capped = models.PositiveIntegerField(_("left out: has had enough messages"), default=0, db_default=0)
    dropped_consent = models.PositiveIntegerField(_("left out: no consent"), default=0, db_default=0)
    dropped_invalid = models.PositiveIntegerField(_("left out: invalid or twice"), default=0)

    first_sent_at = models.DateTimeField(_("first message left"), null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ["-id"]
        permissions = [
            ("launch_campaign", _("Can launch, pause, resume and cancel campaigns")),
            ("resolve_campaign", _("Can send unknown messages again or write them off")),
            ("approve_campaign", _("Can approve campaigns that another person asks to launch")),
        ]
        indexes = [
            models.Index(fields=["state", "scheduled_at"], name="campaign_state"),
            models.Index(fields=["channel", "state", "finished_at"], name="campaign_finished"),  # past all of before
            models.Index(fields=["state", "id"], name="campaign_state_id"),  # the API pages by id
            models.Index(fields=["kind", "state", "id"], name="campaign_not_single", condition=_IS_CAMPAIGN),
            models.Index(fields=["application", "sender_id", "id"], name="campaign_senders"),  # figures/used_senders
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def to_groups(self) -> models.QuerySet[ContactGroup]:
        return self.addressed.groups if self.addressed else self.groups.all()

    @property
    def not_to_groups(self) -> models.QuerySet[ContactGroup]:
        return self.addressed.excluded_groups if self.addressed else self.excluded_groups.all()

    @property
    def to_audiences(self) -> models.QuerySet[Any]:
        return self.addressed.audiences if self.addressed else self.audiences.all()

    @property
    def total_left_out(self) -> int:
        dropped = (self.dropped_suppressed, self.dropped_excluded, self.dropped_capped, self.dropped_consent)
        return sum(dropped) + self.dropped_invalid


class CampaignEvent(Happened):
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="events")

    class Meta(Happened.Meta):
        verbose_name = _("campaign event")
