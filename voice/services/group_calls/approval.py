"""What the rules of approval need to know about a group-call task."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext_lazy

from laaffic_console.kit.audit.acts import Act
from laaffic_console.kit.words.said import gettext as _
from messaging.services.approvals import shown
from messaging.services.approvals.approvable import Approvable, Plan
from messaging.services.approvals.shown import Shown
from messaging.services.reports.prices import Cost
from voice.models import GroupTask, TaskState
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import care as group_care
from voice.services.group_calls import costs as group_costs
from voice.services.group_calls import launching as group_launching
from voice.services.group_calls import requesting as group_requests

# {part: (its name in a sentence, the task's fields in it)}: an edit of any of them voids an approval.
PARTS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "announcement": (
        gettext_lazy("what is played"),
        ("source", "audio_id", "text", "language", "accent", "gender", "speaking_rate", "loop_count", "delay_play"),
    ),
    "call": (
        gettext_lazy("how they are called"),
        ("max_talk", "max_ringing_time", "delay_hangup"),
    ),
    "display number": (gettext_lazy("the display number"), ("display_number",)),
    "application": (gettext_lazy("the application"), ("application_id",)),
    "schedule": (gettext_lazy("the schedule"), ("send_at", "windows")),
    "hours": (gettext_lazy("the hours"), ("calendar_id", "latest_end")),
    "purpose": (gettext_lazy("the purpose"), ("purpose",)),
    "SMS": (
        gettext_lazy("the SMS after the call"),
        (
            *("hang_up_sms", "sms_application_id", "sms_sender_id", "sms_text", "sms_on_answer", "sms_answer_seconds"),
            *("sms_on_key", "sms_key", "sms_on_failure", "sms_on_ringing"),
        ),
    ),
    "agent": (
        gettext_lazy("the transfer to an agent"),
        ("to_agent", "agent_group", "agent_on_key", "agent_key", "outbound_control", "callout_rate"),
    ),
    "kind": (gettext_lazy("which task it repeats or changes"), ("kind", "parent_id", "is_template")),
}


class GroupTaskDrafts(Approvable):
    model = GroupTask
    draft = "group_task"
    names = {**{part: name for part, (name, _fields) in PARTS.items()}, "numbers": gettext_lazy("the numbers")}
    moved = ("hours",)

    def prepare(self, pk: int, *, within_request: bool, is_on: bool) -> None:
        """Nothing to prepare: the task's numbers are stored with it."""

    def locked(self, pk: int) -> GroupTask:
        GroupTask.objects.select_for_update().get(pk=pk)
        # Read after the lock: joined rows are as old as the statement that reads them (docs/mechanisms/locks.md).
        tasks = GroupTask.objects.select_related("application", "audio", "sms_application")
        return tasks.defer("audio__content").get(pk=pk)

    def check_ready(self, draft: GroupTask) -> None:
        group_requests.check(draft)

    def plan(self, draft: GroupTask, known: Sequence[str] | None = None) -> Plan:
        """`known`: the numbers that the launch has looked up already."""
        called = group_care.called_now(draft).numbers if known is None else known
        kept = shown.digest(group_callees.of(draft))
        at = timezone.now().isoformat()
        seen = Shown(self._parts(draft, kept), kept, shown.digest(list(called)), len(called), {}, 0, at)
        learned = group_costs.expected(group_costs.learned(draft), len(called))
        return Plan(seen, cost=learned.by_currency, has_prices=False)

    def parts(self, draft: GroupTask) -> dict[str, str]:
        return self._parts(draft, shown.digest(group_callees.of(draft)))

    def _parts(self, draft: GroupTask, kept: str) -> dict[str, str]:
        own: dict[str, Any] = {
            part: [getattr(draft, field) for field in fields] for part, (_name, fields) in PARTS.items()
        }
        if draft.hang_up_sms and draft.sms_application and not draft.sms_sender_id:
            own["SMS"].append(draft.sms_application.sender_id)  # the sender that is used then
        if not any(own["hours"]):
            del own["hours"]  # an approval from before there were hours stays valid
        if not draft.purpose:
            del own["purpose"]  # the same for the purpose
        return {**{part: shown.digest(value) for part, value in own.items()}, "numbers": kept}

    def note(self, draft: GroupTask, text: str, by: User | None) -> None:
        group_launching.note(draft, text, by, Act.APPROVAL)

    def is_launched(self, draft: GroupTask) -> bool:
        """Whether it is launched; a launch at once counts only later, as the task is a draft again if it fails."""
        return super().is_launched(draft) and (draft.starts_at is not None or draft.state == TaskState.HELD)

    def changes(self, draft: GroupTask, before: Shown, now: Shown, learned: Cost | None = None) -> list[str]:
        """Numbers are compared one by one: a launch that was refused has dropped the suppressed ones by then."""
        same = {part: before.parts[part] for part in ("numbers",) if part in before.parts}
        return super().changes(draft, before, replace(now, parts={**now.parts, **same}), learned)

    def people_words(self, before: Shown, now: Shown) -> str:
        if before.recipients == now.recipients:
            return _("the numbers")
        return _("the numbers it calls: %(before)s before, %(now)s now") % shown.counts(before, now)
