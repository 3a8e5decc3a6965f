"""Which acts the page of a group call offers: by its state, and by what a person may do."""

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.utils import timezone

from voice.admin import group_rights
from voice.models import GroupTask, TaskState

KNOWN = "ask copy keep_template"  # once Laaffic has it, in any state
CALLING = f"{KNOWN} cancel end"
EXPECTED = {
    TaskState.DRAFT: "edit keep_template review",
    TaskState.LAUNCHED: "keep_template put_hours_aside take_back",
    TaskState.HELD: "keep_template put_hours_aside resume take_back",
    TaskState.SENDING: "ask keep_template",
    TaskState.UNKNOWN: "ask end keep_template resolve",
    TaskState.SUBMITTING: CALLING,
    TaskState.WAITING: f"{CALLING} update",
    TaskState.CALLING: CALLING,
    TaskState.PAUSED: CALLING,
    TaskState.FINISHED: f"{KNOWN} call_rest repeat",
    TaskState.FAILED: KNOWN,
    TaskState.CANCELLED: f"{KNOWN} call_rest",
    TaskState.REPLACED: KNOWN,
}
ALWAYS = {"export_recipients", "make_dossier"}  # for anyone with their rights


def offered(task: GroupTask, user: User | AnonymousUser) -> set[str]:
    return {act.removeprefix("may_") for act, may in group_rights.acts(task, user, is_unread=False).items() if may}


def task_in(state: TaskState) -> GroupTask:
    return GroupTask(state=state, key="k", task_name="n", looks=1, waits_since=timezone.now())


@pytest.mark.parametrize("state", TaskState)
def test_a_state_offers_its_acts_and_no_others(state: TaskState) -> None:
    boss = User(is_superuser=True, is_active=True)

    assert offered(task_in(state), boss) - ALWAYS == set(EXPECTED[state].split())


@pytest.mark.parametrize("state", [state for state in TaskState if state != TaskState.DRAFT])
def test_without_a_right_nothing_is_offered(state: TaskState) -> None:
    assert offered(task_in(state), AnonymousUser()) == set()


@pytest.mark.parametrize(("called", "recorded", "is_offered"), [(2, 0, True), (None, 1, True), (0, 0, False)])
def test_one_that_failed_after_it_called_somebody_offers_those_not_reached(
    called: int | None, recorded: int, is_offered: bool
) -> None:
    task = task_in(TaskState.FAILED)
    task.called, task.recorded = called, recorded

    assert ("call_rest" in offered(task, User(is_superuser=True, is_active=True))) == is_offered
