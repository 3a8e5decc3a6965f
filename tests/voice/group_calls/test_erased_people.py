"""A person who is erased is in no group call any more that has not left."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.sandbox.group_calls import numbers_of
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Contact, Erasure
from messaging.services.approvals import approvals
from messaging.services.contacts import people
from tests.voice.group_calls.group_samples import FIRST, at_sandbox, written
from voice.models import GroupTask, TaskKind, TaskState
from voice.models.group_tasks import OPEN
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import copies as group_copies
from voice.services.group_calls import tasks as group_tasks

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick")]

NUMBER = str(FIRST + 1)


def erase() -> None:
    who, _is_new = User.objects.get_or_create(username="eve")
    people.erase(NUMBER, why="asked for it", by=who)


@pytest.mark.parametrize("state", [TaskState.DRAFT, TaskState.LAUNCHED, TaskState.HELD])
def test_what_has_not_left_loses_them(application: Application, state: TaskState) -> None:
    task, other = written(application, 3), written(application, 1)
    GroupTask.objects.filter(pk=task.pk).update(state=state)

    erase()

    task.refresh_from_db()
    assert (group_callees.of(task), task.number_count) == ([str(FIRST), str(FIRST + 2)], 2)
    assert (task.state, group_callees.of(other)) == (state, [str(FIRST)])


def test_a_draft_is_launched_without_them(sandbox: RunningSandbox, application: Application) -> None:
    task = written(application, 3)
    erase()

    group_tasks.launch(task.pk)

    (there,) = at_sandbox(sandbox)
    assert numbers_of(there.given) == [str(FIRST), str(FIRST + 2)]


def test_one_to_them_alone_cannot_be_launched(sandbox: RunningSandbox, application: Application) -> None:
    task = written(application, 2)
    people.erase(str(FIRST), why="asked for it", by=None)
    erase()

    with pytest.raises(ValidationError, match="its numbers were erased"):
        group_tasks.launch(task.pk)

    assert at_sandbox(sandbox) == []


def test_not_while_laaffic_is_to_repeat_a_call_to_them(application: Application) -> None:
    """Nobody can be left out of that."""
    task = written(application, 3)
    GroupTask.objects.update(kind=TaskKind.RESEND)

    with pytest.raises(ValidationError, match="leaves nobody out"):
        erase()

    assert len(group_callees.of(task)) == 3


@pytest.mark.parametrize("state", [TaskState.SENDING, TaskState.UNKNOWN])
def test_not_while_a_group_call_is_on_its_way(application: Application, state: TaskState) -> None:
    """It may be a draft again, with all its numbers."""
    task = written(application, 3)
    GroupTask.objects.update(state=state)

    with pytest.raises(ValidationError, match="“Spring”"):
        erase()

    assert (Erasure.objects.count(), len(group_callees.of(task))) == (0, 3)


@pytest.mark.parametrize("state", OPEN)
def test_not_while_laaffic_may_still_call_them(application: Application, state: TaskState) -> None:
    """It has their number; cancelled or changed, it calls them no more."""
    written(application, 3)
    GroupTask.objects.update(state=state)

    with pytest.raises(ValidationError, match="not over: “Spring”"):
        erase()

    assert not Erasure.objects.exists()


@pytest.fixture
def over(sandbox: RunningSandbox, application: Application) -> GroupTask:
    """Finished; one of its people was erased since."""
    task = group_tasks.launch(written(application, 3).pk)
    GroupTask.objects.update(state=TaskState.FINISHED, finished_at=timezone.now())
    erase()
    return GroupTask.objects.get(pk=task.pk)


def test_what_left_keeps_them_and_hands_them_on_to_none(over: GroupTask) -> None:
    made = group_copies.new_from(over)

    assert NUMBER in group_callees.of(over)
    assert group_callees.of(made) == [str(FIRST), str(FIRST + 2)]
    assert made.numbers_from == "the numbers of “Spring”; without 1 person who was erased since"


def test_who_is_a_contact_again_is_called_again(over: GroupTask) -> None:
    Contact.objects.create(number=NUMBER)

    assert NUMBER in group_callees.of(group_copies.new_from(over))


def test_who_was_given_after_the_erasing_stays(sandbox: RunningSandbox, application: Application) -> None:
    erase()
    task = group_tasks.launch(written(application, 3).pk)
    GroupTask.objects.update(state=TaskState.FINISHED, finished_at=timezone.now())

    assert NUMBER in group_callees.of(group_copies.new_from(GroupTask.objects.get(pk=task.pk)))


def test_laaffic_does_not_repeat_a_call_to_them(sandbox: RunningSandbox, over: GroupTask) -> None:
    GroupTask.objects.update(key="77")
    again = group_copies.again(GroupTask.objects.get(pk=over.pk), failed_only=False)

    with pytest.raises(ValidationError, match="1 of its people was erased since"):
        group_tasks.launch(again.pk)

    assert len(at_sandbox(sandbox)) == 1


def test_an_approval_counts_for_who_is_left(
    sandbox: RunningSandbox, application: Application, settings: Any, admin_user: User
) -> None:
    settings.LAAFFIC_APPROVAL_RECIPIENTS = 1
    task = written(application, 3)
    approvals.ask(task.pk, by=admin_user, model=GroupTask)
    approvals.decide(task.pk, by=User.objects.create_superuser("bob"), approve=True, model=GroupTask)

    erase()

    assert group_tasks.launch(task.pk).is_at_laaffic
