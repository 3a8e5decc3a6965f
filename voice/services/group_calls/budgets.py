"""What group calls have taken from a period for which a budget is set."""

from collections.abc import Iterator

from django.db.models import QuerySet

from laaffic_console.gateway.models import LedgerEntry
from messaging.services.budgets import earlier_requests
from messaging.services.budgets.earlier_requests import Earlier
from voice.models import GroupTask, TaskState
from voice.services.group_calls import costs as group_costs
from voice.services.group_calls import launching as group_launching
from voice.services.group_calls import states as group_state


def register() -> None:
    earlier_requests.told_by(group_state.ABOUT, _earlier)


def _earlier(entries: "QuerySet[LedgerEntry]", application_id: int) -> Iterator[Earlier]:
    """The launches among these requests, with what they really took, or with what they are expected to take."""
    launches = list(entries.filter(interface__in=set(group_launching.INTERFACES.values())))
    tasks = GroupTask.objects.select_related("application", "sms_application", "parent__entry")
    found = tasks.exclude(state=TaskState.REPLACED).in_bulk([entry.about_id for entry in launches])
    counted = {task.entry_id for task in found.values()} & {entry.pk for entry in launches}
    for entry in launches:
        if task := found.get(entry.about_id or 0):
            is_added = task.parent is not None and task.parent.entry_id in counted
            yield from _of(task, entry, application_id, is_added=is_added)


def _of(task: GroupTask, entry: LedgerEntry, application_id: int, *, is_added: bool) -> Iterator[Earlier]:
    """`is_added`: the task that it would replace counts too, and so only what it adds."""
    n_numbers = int(entry.summary.get("numbers", 0))
    if entry.application_id == application_id:
        added = group_costs.calls_added(task, n_numbers) if is_added else n_numbers
        expected = group_costs.expected(group_costs.learned(task), added)
        calls, cost = group_costs.real_calls(task, entry), group_costs.real(task, entry)
        yield Earlier(entry, added if calls is None else calls, cost or expected)
    for part in group_costs.sms_after(task, n_numbers, is_added=is_added):
        if part.application.pk == application_id:
            sent = group_costs.real_sms(task, entry)
            yield Earlier(entry, (part.recipients or 0) if sent is None else sent, part.cost)
