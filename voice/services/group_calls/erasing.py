"""Erasing people: they are taken out of the group calls that have not left (see docs/searching.md)."""

from django.utils.translation import gettext as _

from laaffic_console.kit.words.not_now import NotNow
from messaging.services.approvals import approvals
from messaging.subscribers import spellings, subscriber
from voice.models import GroupTask, TaskNumbers, TaskState
from voice.models.group_tasks import NOT_LEFT, OPEN
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import care as group_care

MAY_BE_A_DRAFT_AGAIN = (TaskState.SENDING, TaskState.UNKNOWN)  # then again with all its numbers
HELD_BACK = (*NOT_LEFT, *MAY_BE_A_DRAFT_AGAIN, *OPEN)  # states in which it may still call somebody
NAMED = 3  # tasks named in a sentence


def take_out(number: str) -> None:
    """Take a number out of waiting tasks, in the transaction of erasing; ValidationError if it may still be called."""
    staying: list[GroupTask] = []
    for pk in group_callees.with_any(spellings(number), HELD_BACK):
        task = GroupTask.objects.select_for_update().filter(pk=pk).first()
        if task is None or task.state not in HELD_BACK:
            continue
        kept = group_callees.of(task)
        left = [one for one in kept if subscriber(one) != subscriber(number)]
        if len(left) == len(kept):  # taken out in the meantime
            continue
        if task.state not in NOT_LEFT or task.kind in group_care.AGAIN:
            staying.append(task)
        else:
            _keep(task, left)
    _refuse(staying)


def _keep(task: GroupTask, numbers: list[str]) -> None:
    TaskNumbers.objects.filter(task=task).update(lines="\n".join(numbers))
    task.number_count = len(numbers)
    task.save(update_fields=["number_count"])
    approvals.without_dropped(task)


def _refuse(staying: list[GroupTask]) -> None:
    at_laaffic = [task.name for task in staying if task.state in OPEN]
    others = [task.name for task in staying if task.state not in OPEN]
    said = []
    if others:
        sentence = _(
            "A group call to this person is being sent, its answer is unknown, or it is a repetition, in which Laaffic "
            "leaves nobody out: %(names)s. Settle it first; take a repetition back and delete it."
        )
        said.append(sentence % {"names": _quoted(others)})
    if at_laaffic:
        sentence = _(
            "Laaffic has a group call to this person that is not over: %(names)s. Wait for its end or cancel it. While "
            "it waits, you can also suppress the person and change it, which leaves them out. If Laaffic does not list "
            "it any more, say on its page that it is over."
        )
        said.append(sentence % {"names": _quoted(at_laaffic)})
    if said:
        raise NotNow(said)


def _quoted(names: list[str]) -> str:
    return ", ".join(f"“{name}”" for name in names[:NAMED])
