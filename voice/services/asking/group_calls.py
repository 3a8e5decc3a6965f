"""Asking Laaffic for the state of our group-call tasks: the open ones, and those whose call records still arrive."""

from django.db.models import Q, QuerySet

from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.gateway.services.database import database_clock, isolation
from laaffic_console.gateway.services.ledger import lost_requests
from laaffic_console.gateway.services.work import bell
from laaffic_console.gateway.services.work.patience import Patience
from laaffic_console.laaffic import Family, LaafficError, Refused, Remedy, codes
from voice.models import GroupTask, TaskState, VoiceSync
from voice.models.group_tasks import NOT_LEFT, OPEN, OVER
from voice.services.asking import records_pulls
from voice.services.group_calls import answers as group_answers
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import launching as group_launching
from voice.services.group_calls import records as group_records
from voice.services.group_calls import states as group_state
from voice.services.syncing import COPIES, Copied, Reading

NAME = group_answers.SYNC
AT_ONCE = 500
GIVE_UP_AFTER = 3  # failures in a row: then the fault is not a single task's


def names() -> list[str]:
    """The names of the copied lists; none if nobody uses the channel."""
    return [NAME] if COPIES.applications() else []


def sync(*, only_due: bool = False) -> int:
    """Ask for each open task, or only for those that are due; how many. SyncFailed says why not."""
    return COPIES.run(NAME, lambda reading: _read(reading, only_due)).rows


def sync_due() -> None:
    """Ask for the tasks that are due, when no person asked; for missing ones less and less often."""
    if is_anything_due() or COPIES.is_due(NAME):
        sync(only_due=True)


def _read(reading: Reading[VoiceSync], only_due: bool) -> Copied:
    wanted = group_state.is_due()
    if not only_due:
        wanted |= Q(state__in=[*OPEN, TaskState.UNKNOWN])
    tasks = GroupTask.objects.filter(wanted).exclude(task_name="").select_related("parent__parent", "entry")
    last: LaafficError | None = None
    in_a_row = 0
    looked_at = 0
    asking = Patience()
    for task in tasks.exclude(state__in=[*NOT_LEFT, TaskState.SENDING]).order_by("look_at", "pk")[:AT_ONCE]:
        reading.go_on()
        with isolation.guarded(f"group call {task.pk}", but=Refused):
            problem = _look_apart(task)
            last, in_a_row = problem or last, in_a_row + 1 if problem else 0
        looked_at += 1
        if in_a_row == GIVE_UP_AFTER or asking.is_over():  # the others come first next time
            break
    if last is not None:
        raise last
    return Copied(looked_at)


def _look_apart(task: GroupTask) -> LaafficError | None:
    """Look at one task; return an error that affects only this task, so that the others are still looked at."""
    try:
        look(task)
    except LaafficError as problem:
        if not isinstance(problem, Refused) or problem.calls_for is Remedy.FATAL:
            _later(task)
            return problem
        raise
    except Exception:
        _later(task)
        raise
    return None


def _later(task: GroupTask) -> None:
    GroupTask.objects.filter(pk=task.pk).update(look_at=database_clock.in_statement() + group_state.SELDOM)


def look(task: GroupTask) -> None:
    """Ask for one task now; LaafficError if Laaffic cannot be asked."""
    was_over = task.state in OVER
    group_records.adopt(task)
    if group_state.look(task).state in OVER and not was_over:
        COPIES.request(records_pulls.GROUP)  # the records of its calls are worth reading now


def is_anything_due() -> bool:
    return GroupTask.objects.filter(group_state.is_due()).exclude(state=TaskState.SENDING).exists()


def ring_if_due() -> None:
    if is_anything_due():
        bell.ring(COPIES.job, NAME)


def recover() -> None:
    """Settle launches whose process died: those that never left are drafts again, the others are looked for by name."""
    now = database_clock.now()
    # `look_at` is when the launch began; if it lies ahead, the clock was wrong then.
    long_ago = Q(look_at__lte=now - lost_requests.LOST_AFTER) | Q(look_at__gt=now + lost_requests.LOST_AFTER)
    stuck = GroupTask.objects.filter(long_ago, state=TaskState.SENDING)
    for task in stuck.select_related("entry").order_by("pk")[:AT_ONCE]:
        if task.entry is not None and _says_taken(task.entry):
            group_answers.arrived_before(task, task.entry, group_callees.of(task))
            _as_seen(task).update(state=TaskState.UNKNOWN, looks=0, look_at=now)
        elif task.entry is None or task.entry.state in (EntryState.NOT_SENT, EntryState.REFUSED):
            group_launching.give_back(task, _as_seen(task))
        elif task.entry.state in (EntryState.UNKNOWN, EntryState.ACCEPTED):
            _as_seen(task).update(state=TaskState.UNKNOWN, looks=0, look_at=now)


def _says_taken(entry: LedgerEntry) -> bool:
    """Whether it was refused because its name exists; its process died before it wrote down whose the name is."""
    return entry.state == EntryState.REFUSED and codes.lookup(Family.VOICE, entry.code).says_duplicate


def _as_seen(task: GroupTask) -> QuerySet[GroupTask]:
    """The task if it is still the same launch with the same request: another may have begun since it was read."""
    same = GroupTask.objects.filter(pk=task.pk, state=TaskState.SENDING, launch_token=task.launch_token)
    return same.filter(entry=task.entry)
