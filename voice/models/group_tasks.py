"""Group-call tasks, their numbers, and what happened to each."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, RegexValidator
from django.db import models
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext_lazy as _

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.kit.words.figures import money, number, share
from laaffic_console.kit.words.planned_years import PlannedMomentField
from laaffic_console.kit.words.said import SaidField, SaidLine
from laaffic_console.kit.words.visible_names import VisiblyNamed
from messaging.models.campaign_bases import Happened, Launched
from messaging.models.care_fields import calendar_field, latest_end_field, purpose_field
from voice.models.audio import AudioFile


@deconstructible
class Between:
    """A range that the interface allows, with an error message that people understand."""

    CODE = "between"

    def __init__(self, lowest: float, highest: float, unit: str = "") -> None:
        self.lowest, self.highest, self.unit = lowest, highest, unit

    def __call__(self, value: float) -> None:
        if not self.lowest <= value <= self.highest:
            shown = {"lowest": number(self.lowest), "highest": number(self.highest), "unit": self.unit}
            said = _("From %(lowest)s to %(highest)s %(unit)s.") if self.unit else _("From %(lowest)s to %(highest)s.")
            raise ValidationError(said % shown, code=self.CODE)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Between) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self.lowest, self.highest, self.unit))


class TaskState(models.TextChoices):
    """States of a task: ours until Laaffic has it, then Laaffic's own (laaffic-api#group-call-tasks)."""

    DRAFT = "draft", _("Draft")
    LAUNCHED = "launched", _("Launched")  # its request is not made yet: it can be taken back, or waits for its hours
    HELD = "held", _("Held")  # launched, but stopped by something when its time came; shows why and asks
    SENDING = "sending", _("Being sent")  # its request may be under way
    UNKNOWN = "unknown", _("Unknown")  # the answer was lost; Laaffic's list is searched for its name
    SUBMITTING = "submitting", _("Being submitted")
    WAITING = "waiting", _("Waiting")
    CALLING = "calling", _("Calling")
    PAUSED = "paused", _("Paused at Laaffic")
    FINISHED = "finished", _("Finished")
    FAILED = "failed", _("Submission failed")
    CANCELLED = "cancelled", _("Cancelled")
    REPLACED = "replaced", _("Replaced by an update")


NOT_LEFT = (TaskState.DRAFT, TaskState.LAUNCHED, TaskState.HELD)  # no request of this launch was made
OPEN = (TaskState.SUBMITTING, TaskState.WAITING, TaskState.CALLING, TaskState.PAUSED)  # Laaffic has it; it goes on
OVER = (TaskState.FINISHED, TaskState.FAILED, TaskState.CANCELLED, TaskState.REPLACED)
CALLS_NOBODY = (*NOT_LEFT, TaskState.REPLACED)  # whatever was called was called by another task
ENDED_EARLY = (TaskState.CANCELLED, TaskState.FAILED)  # of its numbers some, or all, are never called


def certainly_called_nobody() -> models.Q:
    """Tasks that are a call to nobody: if one ended early, Laaffic says so and no record says otherwise."""
    return models.Q(state__in=CALLS_NOBODY) | models.Q(state__in=ENDED_EARLY, called=0, recorded=0)


class Announcement(models.IntegerChoices):
    """Values of `source` in the interface."""

    LIBRARY = 1, _("An audio file that Laaffic has")
    IN_REQUEST = 2, _("An audio file that travels with the task")
    TEXT = 3, _("A text, spoken")


class TaskKind(models.TextChoices):
    """The interface that takes the task."""

    SEND = "send", _("new")
    UPDATE = "update", _("update")
    RESEND = "resend", _("again to all")
    RESEND_FAILED = "resend_failed", _("again to those not reached")


class GroupTask(VisiblyNamed, Launched):
    """One announcement to many numbers. Its 28 parameters are kept here, its numbers in `TaskNumbers`.

    A task sent again or changed is a row of its own, with its own name at Laaffic: after a lost answer only this
    name shows whether the request arrived.
    """

    name = models.CharField(_("name"), max_length=80)
    task_name = models.CharField(_("name at Laaffic"), max_length=64, blank=True)  # made by us, used once
    application = models.ForeignKey(Application, models.PROTECT, related_name="+", verbose_name=_("application"))
    kind = models.CharField(_("kind"), max_length=14, choices=TaskKind, default=TaskKind.SEND)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children", verbose_name=_("made from"))
    is_template = models.BooleanField(_("template"), default=False)

    source = models.PositiveSmallIntegerField(_("what is played"), choices=Announcement, default=Announcement.TEXT)
    audio = models.ForeignKey(
        AudioFile, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("audio file")
    )
    text = models.TextField(_("text"), blank=True, validators=[MaxLengthValidator(1000)])
    language = models.CharField(_("language"), max_length=5, blank=True, default="EN")
    accent = models.CharField(
        _("accent"),
        max_length=4,
        blank=True,
        validators=[RegexValidator(r"^[0-9]{0,4}\Z", _("A calling code such as 91, digits only."))],
    )
    gender = models.PositiveSmallIntegerField(
        _("voice"), choices=[(1, _("male")), (2, _("female"))], null=True, blank=True
    )
    speaking_rate = models.FloatField(_("speed"), default=1.0, validators=[Between(0.25, 4)])

    loop_count = models.PositiveSmallIntegerField(_("times played"), default=1, validators=[Between(1, 9)])
    max_talk = models.PositiveSmallIntegerField(
        _("seconds of talk, at most"), default=60, validators=[Between(1, 999, "seconds")]
    )  # maxCalls (laaffic-api#ambiguities 11)
    max_ringing_time = models.PositiveSmallIntegerField(
        _("seconds of ringing, at most"), default=60, validators=[Between(20, 120, "seconds")]
    )
    delay_play = models.PositiveSmallIntegerField(
        _("seconds before it is played"), null=True, blank=True, validators=[Between(0, 999, "seconds")]
    )
    delay_hangup = models.PositiveSmallIntegerField(
        _("seconds before hanging up"), null=True, blank=True, validators=[Between(0, 999, "seconds")]
    )
    display_number = models.CharField(
        _("display number"),
        max_length=20,
        blank=True,
        validators=[RegexValidator(r"^[0-9]{0,20}\Z", _("At most 20 digits, without + and spaces."))],
    )
    send_at = PlannedMomentField(_("start at"), null=True, blank=True)
    latest_end = latest_end_field(
        _("What has not begun by then is held and asks; what Laaffic still calls is cancelled there.")
    )
    calendar = calendar_field(
        "group_tasks", _("When it may call people, by their own clocks. Empty: the application's calendar.")
    )
    purpose = purpose_field(
        _(
            "Marketing: where the console asks for consent, only people who have given theirs are called. "
            "Transactional: what somebody waits for. No frequency cap stops it."
        ),
        db_default="",
    )
    windows = models.JSONField(_("allowed times of day"), default=list, blank=True)  # [["09:00", "12:00"], …]

    hang_up_sms = models.BooleanField(_("send an SMS after the call"), default=False)
    sms_application = models.ForeignKey(
        Application, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("SMS application")
    )
    sms_sender_id = models.CharField(_("sender ID"), max_length=32, blank=True)
    sms_text = models.TextField(_("text of the SMS"), blank=True, validators=[MaxLengthValidator(1000)])
    sms_on_answer = models.BooleanField(_("when it was answered"), default=False)
    sms_answer_seconds = models.PositiveSmallIntegerField(
        _("after this many seconds"), default=10, validators=[Between(0, 9999, "seconds")]
    )
    sms_on_key = models.BooleanField(_("when a key was pressed"), default=False)
    sms_key = models.PositiveSmallIntegerField(_("this key"), default=1, validators=[Between(0, 9)])
    sms_on_failure = models.BooleanField(_("when the call failed"), default=False)
    sms_on_ringing = models.BooleanField(_("when it rang"), default=False)

    to_agent = models.BooleanField(_("transfer to an agent"), default=False)
    agent_group = models.PositiveIntegerField(
        _("agent group"), null=True, blank=True, validators=[Between(1, 2**31 - 1)]
    )
    agent_on_key = models.BooleanField(_("only on a key"), default=True)  # toSeatType 2, else 1
    agent_key = models.PositiveSmallIntegerField(_("key"), default=0, validators=[Between(0, 9)])
    outbound_control = models.BooleanField(_("call in proportion to free agents"), default=True)
    callout_rate = models.PositiveSmallIntegerField(_("calls a free agent"), default=1, validators=[Between(1, 100)])

    number_count = models.PositiveIntegerField(_("numbers"), default=0)
    numbers_from = SaidLine(_("where they come from"), max_length=300, blank=True)
    # Of the numbers as they were last given; `number_count` shows if a launch or an erasure has taken some out.
    numbers_digest = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)
    # The newest entry of the suppression list at the launch: Laaffic does not know of later ones.
    suppression_seen = models.BigIntegerField(default=0)
    left_twice = models.PositiveIntegerField(default=0)
    left_suppressed = models.PositiveIntegerField(default=0)
    left_invalid = models.PositiveIntegerField(default=0)
    left_capped = models.PositiveIntegerField(default=0, db_default=0)  # had as many calls as the cap allows
    left_no_consent = models.PositiveIntegerField(default=0, db_default=0)

    state = models.CharField(_("state"), max_length=10, choices=TaskState, default=TaskState.DRAFT)
    # A launch whose request is made later: when it starts …
    starts_at = models.DateTimeField(null=True, editable=False)
    waits_since = models.DateTimeField(null=True, editable=False)  # for its hours, by its calendar at that time
    end_asked_at = models.DateTimeField(null=True, editable=False)  # when its latest end came while Laaffic called
    # … and the reason given for launching it although the outcome of one like it is not known.
    again_reason = models.CharField(max_length=200, blank=True, editable=False)
    # The request that gave it to Laaffic, or tried to; the ledger has all of them.
    entry = models.ForeignKey(LedgerEntry, models.PROTECT, null=True, related_name="+", verbose_name=_("ledger row"))
    key = models.CharField(_("Laaffic's key"), max_length=40, blank=True)
    look_at = models.DateTimeField(null=True)  # when Laaffic is asked for it next
    looks = models.PositiveIntegerField(default=0)  # how often a list that was read to its end did not have it
    looked_at = models.DateTimeField(_("last asked for"), null=True)
    # Names the launch that works on it: a launch that slept, and whose task was given back since, has another token.
    launch_token = models.CharField(max_length=36, blank=True, editable=False)
    # Whether `CalledNumber` has its numbers: from when its request is recorded until no frequency cap counts them.
    is_counted = models.BooleanField(default=False, db_default=False, editable=False)
    finished_at = models.DateTimeField(_("over since"), null=True)
    ended_because = SaidField(_("ended because"), blank=True)  # a person's word

    # What Laaffic says about it …
    vendor_status = models.CharField(_("Laaffic's status"), max_length=16, blank=True)
    total = models.PositiveIntegerField(_("total"), null=True)
    called = models.PositiveIntegerField(_("called"), null=True)
    connected = models.PositiveIntegerField(_("connected"), null=True)
    failed = models.PositiveIntegerField(_("not connected"), null=True)
    sms_sent = models.PositiveIntegerField(_("SMS sent"), null=True)
    # … and what its call records add up to.
    counted_at = models.DateTimeField(null=True)
    recorded = models.PositiveIntegerField(_("call records"), default=0)
    talk_seconds = models.BigIntegerField(_("seconds talked"), default=0)
    keys_pressed = models.JSONField(_("keys pressed"), default=dict)  # {"1": 20}
    cost = models.DecimalField(_("cost"), max_digits=18, decimal_places=6, null=True)
    currency = models.CharField(_("currency"), max_length=8, blank=True)

    class Meta:
        verbose_name = _("group-call task")
        verbose_name_plural = _("group-call tasks")
        ordering = ["-id"]
        permissions = [
            ("launch_grouptask", _("Can launch, update, repeat and cancel group-call tasks")),
            ("export_grouptask", _("Can export group-call tasks and their numbers")),
            ("approve_grouptask", _("Can approve group-call tasks that another person asks to launch")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["task_name"], name="task_name_once", condition=~models.Q(task_name=""))
        ]
        indexes = [
            models.Index(fields=["key"], name="group_task_key", condition=~models.Q(key="")),
            models.Index(fields=["look_at"], name="group_task_due", condition=models.Q(look_at__isnull=False)),
            models.Index(fields=["state", "-id"], name="group_task_state"),
            models.Index(fields=["starts_at"], name="group_task_start", condition=models.Q(starts_at__isnull=False)),
            models.Index(fields=["finished_at"], name="group_task_counted", condition=models.Q(is_counted=True)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def is_over(self) -> bool:
        return self.state in OVER

    @property
    def is_at_laaffic(self) -> bool:
        return self.is_open or self.is_over

    @property
    def has_called_nobody(self) -> bool:
        """It ended early, and neither Laaffic nor a record says that it called somebody: a record may come later."""
        if self.state not in ENDED_EARLY or self.recorded or self.called:
            return False
        return bool(self.state == TaskState.FAILED or self.called is not None)

    @property
    def percent(self) -> int:
        """Share of its calls that were made; 100 only if all were made and the task is over."""
        percent = 100 * (self.called or 0) // self.total if self.total else 0
        return percent if self.is_over else min(percent, 99)

    @property
    def connect_rate(self) -> float | None:
        return connect_rate(self.connected, self.failed)

    @property
    def money(self) -> str:
        return "" if self.cost is None else money(self.cost, self.currency)


class GroupTaskEvent(Happened):
    """What people did to a draft before it left; everything later is in the ledger."""

    task = models.ForeignKey(GroupTask, models.CASCADE, related_name="events")

    class Meta(Happened.Meta):
        verbose_name = _("group-call task event")


class TaskNumbers(models.Model):
    """The numbers that a task calls: up to 200,000, each once, one a line. A table apart: lists do not load them."""

    task = models.OneToOneField(GroupTask, models.CASCADE, related_name="kept_numbers")
    lines = models.TextField()

    class Meta:
        verbose_name = _("numbers of a task")

    def __str__(self) -> str:
        return f"numbers of {self.task_id}"


class CalledNumber(models.Model):
    """A number that a group call has, or may have, called: frequency caps look it up by the number.

    It repeats the task's numbers for as long as they count. No constraint, which saves two hundred thousand checks.
    """

    task = models.ForeignKey(GroupTask, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    number = models.CharField(max_length=20)

    class Meta:
        default_permissions = ()
        verbose_name = _("called number")
        constraints = [models.UniqueConstraint(fields=["number", "task"], name="called_number_once")]
        indexes = [models.Index(fields=["task"], name="called_number_task")]

    def __str__(self) -> str:
        return f"a number of {self.task_id}"


def connect_rate(connected: int | None, failed: int | None) -> float | None:
    """Share of the connected among the calls that have ended; None if none have."""
    ended = (connected or 0) + (failed or 0)
    return share(connected or 0, ended) if ended else None


# Fields that a copy takes over: the announcement and how it is played, without numbers, schedule and outcome.
PARAMETERS = (
    "application",
    "source",
    "audio",
    "text",
    "language",
    "accent",
    "gender",
    "speaking_rate",
    "loop_count",
    "max_talk",
    "max_ringing_time",
    "delay_play",
    "delay_hangup",
    "display_number",
    "calendar",
    "purpose",
    "windows",
    "hang_up_sms",
    "sms_application",
    "sms_sender_id",
    "sms_text",
    "sms_on_answer",
    "sms_answer_seconds",
    "sms_on_key",
    "sms_key",
    "sms_on_failure",
    "sms_on_ringing",
    "to_agent",
    "agent_group",
    "agent_on_key",
    "agent_key",
    "outbound_control",
    "callout_rate",
)


def copied(task: GroupTask) -> dict[str, Any]:
    return {name: getattr(task, name) for name in PARAMETERS}
