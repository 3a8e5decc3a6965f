"""What group calls have taken from a period for which a budget is set."""

from collections.abc import Iterator

from django.db.models import QuerySet

from laaffic_console.gateway.models import LedgerEntry
from messaging.services.budgets import earlier_requests
from messaging.services.budgets.earlier_requests import Earlier
from voice.models import GroupTask
from voice.services.group_calls import costs as group_costs
from voice.services.group_calls import launching as group_launching
from voice.services.group_calls import states as group_state


def register() -> None:
    earlier_requests.told_by(group_state.ABOUT, _earlier)


def _earlier(entries: "QuerySet[LedgerEntry]", application_id: int) -> Iterator[Earlier]:
    """The launches among these requests, with what they really took, or with what they are expected to take."""
    launches = list(entries.filter(interface__in=set(group_launching.INTERFACES.values())))
    tasks = GroupTask.objects.select_related("application", "sms_application")
    found = tasks.in_bulk([entry.about_id for entry in launches])
    for entry in launches:
        if task := found.get(entry.about_id or 0):
            yield from _of(task, entry, application_id)


def _of(task: GroupTask, entry: LedgerEntry, application_id: int) -> Iterator[Earlier]:
    n_numbers = int(entry.summary.get("numbers", 0))
    if entry.application_id == application_id:
        expected = group_costs.expected(group_costs.learned(task), n_numbers)
        calls, cost = group_costs.real_calls(task, entry), group_costs.real(task, entry)
        yield Earlier(entry, n_numbers if calls is None else calls, cost or expected)
    for part in group_costs.sms_after(task, n_numbers):
        if part.application.pk == application_id:
            sent = group_costs.real_sms(task, entry)
            yield Earlier(entry, (part.recipients or 0) if sent is None else sent, part.cost)
