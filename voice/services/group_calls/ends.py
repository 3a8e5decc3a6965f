"""The latest end of group calls: tasks that Laaffic still calls then are cancelled there, once.

The ledger says whether Laaffic was asked. A request that did not leave, as its process died or Laaffic was not reached,
has asked nothing, and another is made. The same holds for one that was refused for a reason that passes (too many
requests, an account on hold, a proxy in between), and for one with a lost answer if a later list says that it still
calls.
"""

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.gateway.services.database import database_clock, isolation
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import joined
from laaffic_console.laaffic import Family, Remedy
from laaffic_console.laaffic.codes import FOREIGN, every_table
from voice.models import GroupTask
from voice.models.group_tasks import OPEN
from voice.services.group_calls import launching as group_launching
from voice.services.group_calls import states as group_state
from voice.services.group_calls import tasks as group_tasks

SOONEST, LATEST = 3 * group_state.SOON, group_state.SELDOM  # the wait after a request that has asked nothing
PASSES = (Remedy.RETRY, *account_hold.HOLDING)
ASKED_NOTHING = (
    Q(state=EntryState.NOT_SENT)
    | ledger.denied_by_evidence()
    | (
        Q(state=EntryState.REFUSED)
        & (
            Q(code__in=[code for code, said in every_table()[Family.VOICE].items() if said.remedy in PASSES])
            | Q(code__startswith=FOREIGN)
        )
    )
)


def end_due() -> None:
    """Cancel tasks at Laaffic that still call at their latest end; people not called yet are not called any more."""
    now = database_clock.now()
    late = _not_asked().order_by("pk")
    isolation.each([task.pk for task in late if _is_time(task, now)], end, "end of group-call task {}".format)


def _not_asked() -> QuerySet[GroupTask]:
    """Tasks whose end has come, and which Laaffic has not been, and may not have been, asked to cancel for that."""
    has_asked = LedgerEntry.objects.filter(
        about_kind=group_state.ABOUT,
        about_id=OuterRef("pk"),
        interface=group_state.CANCEL,
        prepared_at__gte=OuterRef("end_asked_at"),
    ).exclude(ASKED_NOTHING)
    late = GroupTask.objects.filter(state__in=OPEN, latest_end__lte=database_clock.now()).exclude(key="")
    return late.filter(Q(end_asked_at=None) | ~Exists(has_asked))


def _is_time(task: GroupTask, now: dt.datetime) -> bool:
    """Ask at once, and after a request that asked nothing less and less often; never while the account is on hold."""
    if task.end_asked_at is None or task.latest_end is None:
        return True
    wait = min(max((task.end_asked_at - task.latest_end) / 2, SOONEST), LATEST)
    is_held = account_hold.open_holds(task.application_id).exists()
    return not is_held and not now - wait < task.end_asked_at <= now


def end(task_id: int) -> None:
    with transaction.atomic():
        GroupTask.objects.select_for_update().get(pk=task_id)
        if not _not_asked().filter(pk=task_id).exists():  # a new statement, which sees what the lock waited for
            return
        task = group_launching.fresh(task_id)
        entry = group_tasks.prepare_cancelling(task, by=None)
        is_first = task.end_asked_at is None
        GroupTask.objects.filter(pk=task_id).update(end_asked_at=entry.prepared_at)
    said = _("Its latest end has come: Laaffic was asked to cancel it")
    try:
        group_tasks.ask_to_cancel(task, entry)
    except ValidationError as problem:
        said = joined([_("Its latest end has come, and it is not cancelled for certain."), *problem.messages])
        if LedgerEntry.objects.filter(ASKED_NOTHING, pk=entry.pk).exists():
            if not is_first:
                return
            said = joined([said, _("It is asked again by itself.")])
    group_launching.note(GroupTask.objects.get(pk=task_id), said, None)
