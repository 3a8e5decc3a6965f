"""Events about group-call tasks, for listeners outside the console (laaffic_console/events)."""

from laaffic_console.events.kinds import Kind
from laaffic_console.events.services import outbox
from laaffic_console.gateway.models import Channel
from voice.models import GroupTask


def task_moved(task: GroupTask, was: str, *, step: str = "", by: str = "") -> None:
    """Record that a task's state changed, in the transaction that changed it; nothing if it is still in `was`."""
    if task.state == was:
        return
    said = {
        "kind": "group_task",
        "id": task.pk,
        "name": task.name,
        "channel": Channel.VOICE.value,
        "was": was,
        "state": task.state,
        "step": step or task.state,
        "reason": task.hold_reason or task.ended_because,
        "hold_kind": task.hold_kind,
        "by": by,
    }
    outbox.record(Kind.CAMPAIGN_STATE, f"group_task:{task.pk}", said)
