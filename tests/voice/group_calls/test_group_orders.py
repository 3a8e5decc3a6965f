"""Any order of answers, lists, crashes and words about a group call: nobody is called twice unless a person has it so,
task and ledger say the same, and a budget counts what arrived or may have.
"""

import contextlib
import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.ledger import ledger, open_acts
from laaffic_console.laaffic import Family, LaafficError, NotSent, OutcomeUnknown, Refused, TaskStatus, codes
from laaffic_console.laaffic import GroupTask as WireTask
from messaging.models import BudgetCounter
from messaging.services.budgets import budgets, shares
from tests.voice.group_calls.group_samples import listed as gathered
from tests.voice.group_calls.group_samples import written
from voice.models import GroupTask, TaskState
from voice.models.group_tasks import OPEN, OVER
from voice.services.asking import group_calls as group_sync
from voice.services.group_calls import answers as group_answers
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import launching as group_launching
from voice.services.group_calls import proving as task_proving
from voice.services.group_calls import states as group_state
from voice.services.group_calls import tasks as group_tasks
from voice.services.group_calls import waiting as group_waiting

pytestmark = pytest.mark.django_db

SEND = "voice/group/call/send"
NUMBERS = 7


class Killed(BaseException):
    """The process."""


class Play:
    """One task; what leaves, what arrives, and what is said of it, in any order."""

    def __init__(self, seed: int, application: Application, person: User, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dice, self.person, self.steps = random.Random(seed), person, 0
        budgets.put(application, per="day", limit=1000)  # type: ignore[arg-type]
        self.task = written(application, count=NUMBERS)
        self.has: dict[str, int] = {}  # name: the request that brought it there
        self.in_air: list[tuple[GroupTask, LedgerEntry, LaafficError | str]] = []
        client = SimpleNamespace(group_calls=self)
        for module in (group_tasks, group_answers, group_state):
            monkeypatch.setattr(module, "laaffic_client", lambda: client)

    # Laaffic

    def send(self, asked: Any) -> str:
        entry = self.entries().latest("pk")
        task = self.fresh()
        fate = self.dice.choice(["away", "lost", "lost", "late", "late", "killed", "refused"])
        if fate == "away":
            raise NotSent("away", interface=SEND)
        answer: LaafficError | str = f"key {entry.pk}"
        if asked.task_name in self.has:
            answer = refusal("-20")
        elif fate == "refused":
            answer = refusal("-10")
        elif self.dice.random() < 0.5:
            self.has[asked.task_name] = entry.pk
        else:
            answer = self.dice.choice([OutcomeUnknown("it broke", interface=SEND), refusal("-10")])
        if fate == "late":
            self.in_air.append((task, entry, answer))
            raise Killed
        if fate == "killed":
            raise Killed
        if fate == "lost":
            raise OutcomeUnknown("lost", interface=SEND)
        if isinstance(answer, LaafficError):
            raise answer
        return answer

    def find(self, name: str, **given: Any) -> WireTask | None:
        if self.dice.random() < 0.8:
            raise OutcomeUnknown("no list", interface="voice/group/call/query")
        return listed(name, self.has[name]) if name in self.has and self.dice.random() < 0.8 else None

    # What may come

    def goes_on(self) -> bool:
        """Until it is at Laaffic, and no answer is under way."""
        self.steps += 1
        return self.steps < 40 and bool(self.in_air or self.fresh().state not in (*OPEN, *OVER))

    def once(self) -> None:
        act = self.dice.choice(self.may_come())
        with contextlib.suppress(ValidationError, LaafficError, Killed):
            act()
        self.holds()

    def may_come(self) -> list[Callable[[], Any]]:
        state = self.fresh().state
        by_state: dict[str, list[Callable[[], Any]]] = {
            TaskState.DRAFT: [self.launches, self.launches, self.launches, self.launches_later, self.edits],
            TaskState.LAUNCHED: [self.starts, self.starts, self.takes_back],
            TaskState.HELD: [self.resumes, self.takes_back],
            TaskState.UNKNOWN: [self.looks, self.says_not_there, self.says_not_there, self.says_over],
            TaskState.SENDING: [self.gives_up],
        }
        acts = by_state.get(state, [self.looks])
        return [*acts, *([self.is_answered] if self.in_air else []), *([shares.sweep] if self.steps % 2 else [])]

    def launches(self) -> None:
        group_tasks.launch(self.task.pk, again="play")

    def launches_later(self) -> None:
        group_tasks.launch(self.task.pk, again="play", undo_seconds=30)

    def starts(self) -> None:
        GroupTask.objects.filter(pk=self.task.pk).update(starts_at=timezone.now())
        group_waiting.start(self.task.pk)

    def takes_back(self) -> None:
        group_waiting.take_back(self.task.pk)

    def resumes(self) -> None:
        group_waiting.resume(self.task.pk)

    def edits(self) -> None:
        task = self.fresh()
        task.text += "!"
        group_tasks.save(task)

    def looks(self) -> None:
        group_state.look(self.fresh())

    def says_not_there(self) -> None:
        """The list was read once, and had not got it yet."""
        GroupTask.objects.update(looks=1)
        group_tasks.not_there(self.task.pk, why="play", by=self.person)

    def says_over(self) -> None:
        group_tasks.say_over(self.task.pk, why="play", by=self.person)

    def gives_up(self) -> None:
        """Whoever waited for the answer is dead, or stands still."""
        ledger.take_back(self.entries(), "its process ended")
        ledger.lose(self.entries(), "its process ended")
        GroupTask.objects.update(look_at=timezone.now() - open_acts.WITHIN)
        group_sync.recover()

    def is_answered(self) -> None:
        task, entry, answer = self.in_air.pop(self.dice.randrange(len(self.in_air)))
        numbers = group_callees.of(task)  # nobody edits these
        if isinstance(answer, str):
            group_answers._accepted(task, entry, numbers, answer)
            return
        ledger.settle_error(entry.pk, answer)
        if isinstance(answer, Refused) and answer.says_duplicate:
            group_answers.arrived_before(task, entry, numbers)
            group_answers._look_for(task, entry, numbers)
        elif isinstance(answer, OutcomeUnknown):
            group_answers._look_for(task, entry, numbers)
        else:
            group_answers._did_not_leave(task, entry)

    # What must hold

    def holds(self) -> None:
        task = self.fresh()
        accepted = self.entries().filter(state=EntryState.ACCEPTED)
        if task.state in (*OPEN, *OVER) and task.state != TaskState.CANCELLED:
            assert task.entry is not None
            assert task.entry.state == EntryState.ACCEPTED
            asked = group_launching.digest_of(task, group_callees.of(task))
            assert task.ended_because or asked == task.entry.digest, "it shows what Laaffic has not got"
        if task.state == TaskState.UNKNOWN:
            of_name = group_state.launches_of(task, task.task_name)
            assert of_name.exclude(state__in=[EntryState.REFUSED, EntryState.NOT_SENT]).exists(), (
                "surely not, and unknown"
            )
        names = [entry.summary["task"] for entry in accepted]
        assert len(names) == len(set(names)), "two requests brought one task there"
        if not task.ended_because:
            assert set(names) <= set(self.has), "accepted, and not there"
        if names and task.task_name in names:
            assert task.state != TaskState.DRAFT, "it has arrived, and is a draft"
        assert task_proving.prove(task)["disagreements"] == []

    def end(self) -> None:
        if self.fresh().state == TaskState.SENDING:
            self.gives_up()
        self.holds()
        shares.sweep()
        counted = self.entries().filter(state__in=[EntryState.ACCEPTED, EntryState.UNKNOWN, EntryState.IN_FLIGHT])
        [counter] = BudgetCounter.objects.all()
        assert counter.used == shares.derived(counter) == NUMBERS * counted.count()

    def entries(self) -> Any:
        return LedgerEntry.objects.filter(interface=SEND).order_by("pk")

    def fresh(self) -> GroupTask:
        return group_launching.fresh(self.task.pk)


def refusal(code: str) -> Refused:
    return Refused(interface=SEND, entry=codes.lookup(Family.VOICE, code), reason="no", http_status=200)


def listed(name: str, key: int) -> WireTask:
    nothing_said = dict.fromkeys(["total", "called", "succeeded", "failed", "sms_sent", "created_at", "send_at"])
    calling: dict[str, Any] = {"status": TaskStatus.CALLING, "raw_status": "1", "cost": None}
    return WireTask(key=f"key {key}", name=name, **calling, **nothing_said)


@pytest.mark.parametrize("seed", [80, 264])
def test_any_order_ends_the_same(
    seed: int, application: Application, admin_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    play = Play(seed, application, admin_user, monkeypatch)
    while play.goes_on():
        play.once()
    play.end()


class TurnsOutTests:
    """Requests that ended, and turn out otherwise; each by itself, as they were found."""

    @pytest.fixture
    def play(self, application: Application, admin_user: User, monkeypatch: pytest.MonkeyPatch) -> Play:
        play = Play(0, application, admin_user, monkeypatch)
        monkeypatch.setattr(play, "find", lambda name, **given: None)
        return play

    def lost(self, play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
        def send(asked: Any) -> str:
            raise OutcomeUnknown("lost", interface=SEND)

        monkeypatch.setattr(play, "send", send)
        play.launches()

    def taken(self, play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
        def send(asked: Any) -> str:
            raise refusal("-20")

        monkeypatch.setattr(play, "send", send)
        play.launches()

    def states(self, play: Play) -> list[str]:
        return list(play.entries().values_list("state", flat=True))

    def used(self) -> int:
        return BudgetCounter.objects.get().used

    def test_what_was_given_back_counts_again_when_it_is_believed(
        self, play: Play, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.lost(play, monkeypatch)
        play.says_not_there()
        shares.sweep()
        assert self.used() == 0

        self.taken(play, monkeypatch)
        assert self.states(play) == [EntryState.ACCEPTED, EntryState.REFUSED]
        shares.sweep()

        assert self.used() == NUMBERS

    def test_a_name_that_no_earlier_request_took_was_taken_by_this_one(
        self, play: Play, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.taken(play, monkeypatch)
        GroupTask.objects.update(looks=1)

        play.says_over()

        assert (play.fresh().state, self.states(play)) == (TaskState.FINISHED, [EntryState.ACCEPTED])
        assert task_proving.prove(play.fresh())["disagreements"] == []
        shares.sweep()
        assert self.used() == NUMBERS

    def test_a_process_that_dies_behind_a_taken_name_leaves_no_draft(
        self, play: Play, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Edited and launched under another name it would call everybody a second time."""

        def dies(*_given: Any) -> None:
            raise Killed

        with monkeypatch.context() as patched:
            patched.setattr(group_answers, "arrived_before", dies)
            with contextlib.suppress(Killed):
                self.taken(play, patched)
        assert (play.fresh().state, self.states(play)) == (TaskState.SENDING, [EntryState.REFUSED])

        play.gives_up()

        assert (play.fresh().state, self.states(play)) == (TaskState.UNKNOWN, [EntryState.ACCEPTED])

    def test_nobody_says_of_what_has_arrived_that_it_has_not(self, play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
        self.taken(play, monkeypatch)
        assert play.fresh().state == TaskState.UNKNOWN

        with pytest.raises(ValidationError, match="known by now"):
            play.says_not_there()

    def edited_since(self, play: Play, monkeypatch: pytest.MonkeyPatch) -> tuple[GroupTask, LedgerEntry, list[str]]:
        """Its answer was lost, somebody said that it is not there, and has edited it; as it left, and to whom."""
        self.lost(play, monkeypatch)
        left = play.fresh()
        numbers = group_callees.of(left)
        play.says_not_there()
        draft = play.fresh()
        draft.text = "Other words"
        group_tasks.save(draft, audience=gathered(3), by=play.person)
        assert left.entry is not None
        return left, left.entry, numbers

    def shows_what_left(self, play: Play, numbers: list[str], state: TaskState) -> None:
        task = play.fresh()
        assert (task.state, task.text, task.number_count) == (state, "Hello", NUMBERS)
        assert group_callees.of(task) == numbers
        assert self.states(play) == [EntryState.ACCEPTED]
        assert task_proving.prove(task)["disagreements"] == []
        edit = GroupTask.objects.exclude(pk=task.pk).get()
        assert (edit.state, edit.text, edit.task_name) == (TaskState.DRAFT, "Other words", "")
        assert (edit.number_count, len(group_callees.of(edit))) == (3, 3)
        assert [*edit.authors.all()] == [play.person]
        assert f"draft {edit.pk}" in task.events.latest("pk").text

    @pytest.mark.parametrize("is_launched", [False, True], ids=["edited", "launched"])
    def test_a_late_answer_shows_what_left_and_an_edit_is_kept_apart(
        self, play: Play, monkeypatch: pytest.MonkeyPatch, is_launched: bool
    ) -> None:
        """Numbers and words of the edit would be told as Laaffic's; launched, it would call everybody again."""
        left, entry, numbers = self.edited_since(play, monkeypatch)
        if is_launched:
            group_tasks.launch(play.task.pk, again="play", undo_seconds=30)

        group_answers._accepted(left, entry, numbers, "key 1")

        self.shows_what_left(play, numbers, TaskState.SUBMITTING)

    def test_so_does_a_name_that_was_taken(self, play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
        left, entry, numbers = self.edited_since(play, monkeypatch)

        ledger.settle_error(entry.pk, refusal("-20"))
        group_answers.arrived_before(left, entry, numbers)

        self.shows_what_left(play, numbers, TaskState.UNKNOWN)

    def test_so_does_a_list_that_has_it(self, play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
        left, entry, numbers = self.edited_since(play, monkeypatch)
        monkeypatch.setattr(play, "find", lambda name, **given: listed(name, 1))

        group_answers._look_for(left, entry, numbers)

        self.shows_what_left(play, numbers, TaskState.SUBMITTING)

    @pytest.mark.parametrize("is_over", [False, True], ids=["unknown", "over by a word"])
    def test_a_late_no_ends_what_was_given_up(self, play: Play, monkeypatch: pytest.MonkeyPatch, is_over: bool) -> None:
        self.lost(play, monkeypatch)
        left = play.fresh()
        assert left.entry is not None
        if is_over:
            GroupTask.objects.update(looks=1)
            play.says_over()
            shares.sweep()

        ledger.settle_error(left.entry.pk, refusal("-10"))
        group_answers._did_not_leave(left, left.entry)

        task = play.fresh()
        assert (task.state, task.finished_at, self.states(play)) == (TaskState.DRAFT, None, [EntryState.REFUSED])
        assert "Nobody was called" in group_tasks.advice(task)
        shares.sweep()
        assert self.used() == 0

    def test_a_late_no_to_what_a_worker_had_started_holds_it(self, play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lost(play, monkeypatch)
        GroupTask.objects.update(starts_at=timezone.now())
        left = play.fresh()
        assert left.entry is not None

        ledger.settle_error(left.entry.pk, refusal("-10"))
        group_answers._did_not_leave(left, left.entry)

        task = play.fresh()
        assert (task.state, task.starts_at) == (TaskState.HELD, None)
        assert "Nobody was called" in task.hold_reason
