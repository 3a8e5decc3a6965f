"""Calls and group-call tasks, and the guard against doing again what has no known outcome."""

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.ledger import known_by, ledger, lost_requests, open_acts
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.laaffic import Family, OutcomeUnknown, Refused, TaskStatus, codes
from laaffic_console.laaffic import GroupTask as WireTask
from messaging.models import BudgetCounter
from messaging.services.budgets import budgets, shares, whole_requests
from messaging.services.reports.prices import Cost
from tests.interleaving import Ending, Scene, Stage, interleave
from tests.interleavings import rows
from tests.interleavings.test_campaigns import only
from voice.models import CallRecord, GroupTask, SipCall, SipPhone, TaskState, VoiceSync
from voice.models.group_tasks import OPEN
from voice.services.asking import group_calls as group_sync
from voice.services.calls import matching as call_matching
from voice.services.calls import sip_calls as calls
from voice.services.group_calls import answers as group_answers
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import copies as group_copies
from voice.services.group_calls import launching as group_launching
from voice.services.group_calls import proving as task_proving
from voice.services.group_calls import states as group_state
from voice.services.group_calls import tasks as group_tasks
from voice.services.phones import changes as phone_changes
from voice.services.phones import sip_phones as phones


class Laaffic:
    """Takes calls, and lists the tasks that it `has`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.has: dict[str, WireTask] = {}
        self.cancelled: list[str] = []
        client = lambda: SimpleNamespace(voice=self, group_calls=self)  # noqa: E731
        for module in (calls, group_tasks, group_answers, group_state, phone_changes):
            monkeypatch.setattr(module, "laaffic_client", client)

    def call(self, *, callee: str, **given: Any) -> str:
        self.asked.append(callee)
        return f"voice-{rows.name()}"

    def add_phones(self, *, name: str, **given: Any) -> None:
        self.asked.append(name)
        raise OutcomeUnknown("no answer", interface="voice/sipAdd")

    def send(self, asked: Any) -> str:
        self.asked.append(asked.task_name)
        if asked.task_name in self.has:
            taken = codes.lookup(Family.VOICE, "-20")
            raise Refused(interface="voice/group/call/send", entry=taken, reason="name taken", http_status=200)
        return "1"

    def update(self, key: str, asked: Any) -> None:
        self.asked.append(asked.task_name)

    def find(self, name: str, **given: Any) -> WireTask | None:
        return self.has.get(name)

    def cancel(self, keys: list[str]) -> None:
        self.cancelled.extend(keys)


@pytest.fixture
def laaffic(monkeypatch: pytest.MonkeyPatch) -> Laaffic:
    return Laaffic(monkeypatch)


def test_the_same_act_twice_at_once(on: Stage) -> None:
    def make() -> Scene:
        app = rows.application("voice")
        digest = ledger.digest_of(rows.name())

        @transaction.atomic
        def act() -> LedgerEntry:
            why = open_acts.require(digest, app)
            return ledger.prepare(
                interface="x", application=app, about_kind="play", about_id=None, summary=why, digest=digest
            )

        def check(one: Ending, other: Ending) -> None:
            only(one, open_acts.StillOpen)
            only(other, open_acts.StillOpen)
            assert one.passed != other.passed
            assert LedgerEntry.objects.filter(digest=digest).count() == 1

        return Scene(act, act, check)

    interleave(on, make)


def test_phones_of_one_name_are_asked_for_once(on: Stage, laaffic: Laaffic) -> None:
    def make() -> Scene:
        app, name = rows.application("voice"), f"desk {rows.name()}"[:32]
        VoiceSync.objects.create(name=phones.name_of(app), succeeded_at=timezone.now())

        def act() -> LedgerEntry:
            return phone_changes.add(application=app, group="sales", name=name)

        def check(one: Ending, other: Ending) -> None:
            only(one, ValidationError)
            only(other, ValidationError)
            assert one.passed != other.passed
            assert laaffic.asked.count(name) == 1

        return Scene(act, act, check)

    interleave(on, make)


class SipCallTests:
    def lost(self, app: Application) -> SipCall:
        """A call whose answer was lost, and of which a person said that it did not ring."""
        entry = ledger.prepare(
            interface="voice/sendSip", application=app, about_kind=call_matching.ABOUT, about_id=None, summary={}
        )
        mark = f"lc-call-{entry.pk:08x}"
        SipPhone.objects.get_or_create(application=app, account="a", defaults={"last_seen_at": timezone.now()})
        asked = SipCall.objects.create(
            application=app, account="a", callee=rows.number(), called_info=mark, entry=entry, look_at=timezone.now()
        )
        said = known_by.person("it did not ring").columns()
        LedgerEntry.objects.filter(pk=entry.pk).update(about_id=asked.pk, state=EntryState.NOT_SENT, **said)
        return SipCall.objects.get(pk=asked.pk)

    def test_a_record_says_that_it_rang(self, on: Stage, laaffic: Laaffic) -> None:
        def make() -> Scene:
            asked = self.lost(rows.application("voice"))
            record = CallRecord.objects.create(
                voice_id=rows.name(),
                called_info=asked.called_info,
                callee=asked.callee,
                at=timezone.now(),
                first_seen_at=timezone.now(),
            )

            def again() -> SipCall:
                return calls.try_again(asked.pk)

            @transaction.atomic
            def arrives() -> None:
                call_matching.settle_by_records([record])

            def check(tried: Ending, told: Ending) -> None:
                only(tried, ValidationError)
                only(told)
                now = SipCall.objects.get(pk=asked.pk)
                first = LedgerEntry.objects.get(pk=asked.entry_id)
                assert first.state == EntryState.ACCEPTED
                assert tried.passed == (laaffic.asked.count(asked.callee) == 1)
                assert tried.passed == (now.entry_id != asked.entry_id)
                assert tried.passed or now.record_id == record.pk

            return Scene(again, arrives, check)

        interleave(on, make)

    def test_its_record_comes_with_its_answer(self, on: Stage, laaffic: Laaffic) -> None:
        def make() -> Scene:
            asked = self.lost(rows.application("voice"))
            record = CallRecord.objects.create(
                voice_id=rows.name(),
                called_info=f"{asked.called_info}-2",
                callee=asked.callee,
                at=timezone.now(),
                first_seen_at=timezone.now(),
            )

            @transaction.atomic
            def arrives() -> None:
                call_matching.settle_by_records([record])

            def check(tried: Ending, told: Ending) -> None:
                only(tried)
                only(told)
                arrives()
                now = SipCall.objects.select_related("entry").get(pk=asked.pk)
                assert now.entry is not None
                assert (now.entry.state, now.record_id) == (EntryState.ACCEPTED, record.pk)

            return Scene(lambda: calls.try_again(asked.pk), arrives, check)

        interleave(on, make)

    def test_its_late_answer_says_that_it_rang(self, on: Stage, laaffic: Laaffic) -> None:
        """What is joined to a locked row is as old as the statement that waited for the lock."""

        def make() -> Scene:
            asked = self.lost(rows.application("voice"))
            entry = asked.entry
            assert entry is not None

            @transaction.atomic
            def answered() -> bool:
                """Whether it was still the last attempt, under the lock."""
                was_last = SipCall.objects.filter(pk=asked.pk, entry=entry, record=None).update(voice_id=rows.name())
                ledger.settle_accepted(entry.pk)
                return bool(was_last)

            def check(tried: Ending, told: Ending) -> None:
                only(tried, ValidationError)
                only(told)
                assert tried.passed != told.value
                assert call_matching.attempts(asked).count() == (2 if tried.passed else 1)

            return Scene(lambda: calls.try_again(asked.pk), answered, check)

        interleave(on, make)


class GroupTaskTests:
    def written(self) -> GroupTask:
        task = GroupTask(name="Spring", application=rows.application("voice"), text="Hello", language="EN")
        return group_tasks.save(
            task, audience=group_callees.gather(pasted="\n".join(f"+{rows.number()}" for _ in "ab"))
        )

    def test_an_edit(self, on: Stage, laaffic: Laaffic) -> None:
        def make() -> Scene:
            task = self.written()
            seen = group_tasks.shown_digest(task, group_callees.of(task))
            edited = GroupTask.objects.get(pk=task.pk)
            edited.text = "Something else"

            def check(launched: Ending, saved: Ending) -> None:
                only(launched, ValidationError)
                only(saved, ValidationError)
                now = GroupTask.objects.get(pk=task.pk)
                if launched.passed:
                    assert (now.text, now.state) == ("Hello", TaskState.SUBMITTING)
                else:
                    assert now.state == TaskState.DRAFT
                assert launched.passed or saved.passed
                assert saved.passed == (now.text == "Something else")

            return Scene(
                lambda: group_tasks.launch(task.pk, seen=seen), lambda: group_tasks.save(edited, by=None), check
            )

        interleave(on, make)

    def test_a_second_launch(self, on: Stage, laaffic: Laaffic) -> None:
        def make() -> Scene:
            task = self.written()

            def check(one: Ending, other: Ending) -> None:
                only(one, ValidationError)
                only(other, ValidationError)
                assert one.passed != other.passed
                assert LedgerEntry.objects.filter(about_kind="group task", about_id=task.pk).count() == 1

            return Scene(lambda: group_tasks.launch(task.pk), lambda: group_tasks.launch(task.pk), check)

        interleave(on, make)

    def test_two_of_them_reach_one_person_and_the_cap_is_one(
        self, on: Stage, laaffic: Laaffic, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(configured, "LAAFFIC_FREQUENCY_CAP_DAY", 1)

        def make() -> Scene:
            shared = rows.number()
            tasks = [self.called(shared, rows.number()) for _ in "ab"]

            def check(one: Ending, other: Ending) -> None:
                only(one, ValidationError)
                only(other, ValidationError)
                assert one.passed
                assert other.passed
                kept = [group_callees.of(task) for task in tasks]
                assert sum(shared in numbers for numbers in kept) == 1
                assert sorted(map(len, kept)) == [1, 2]

            return Scene(lambda: group_tasks.launch(tasks[0].pk), lambda: group_tasks.launch(tasks[1].pk), check)

        interleave(on, make)

    def test_of_two_changes_of_one_task_one_leaves(self, on: Stage, laaffic: Laaffic) -> None:
        def make() -> Scene:
            task = self.written()
            GroupTask.objects.filter(pk=task.pk).update(state=TaskState.WAITING, key=rows.name(), number_count=2)
            changes = []
            for _ in "ab":
                changes.append(group_copies.update_of(GroupTask.objects.get(pk=task.pk)))
                GroupTask.objects.filter(pk=changes[-1].pk).update(name=rows.name(), text=rows.name(), state="held")
            GroupTask.objects.filter(parent=task).update(state=TaskState.DRAFT)
            laaffic.asked.clear()

            def check(one: Ending, other: Ending) -> None:
                only(one, NotNow)
                only(other, NotNow)
                assert one.passed != other.passed
                assert len(laaffic.asked) == 1
                states = [GroupTask.objects.get(pk=change.pk).state for change in changes]
                assert sorted(states) == [TaskState.DRAFT, TaskState.SUBMITTING]

            return Scene(lambda: group_tasks.launch(changes[0].pk), lambda: group_tasks.launch(changes[1].pk), check)

        interleave(on, make)

    def called(self, *numbers: str) -> GroupTask:
        task = GroupTask(name="Capped", application=rows.application("voice"), text="Hello", language="EN")
        audience = group_callees.gather(pasted="\n".join(f"+{number}" for number in numbers))
        return group_tasks.save(task, audience=audience)

    def test_what_it_has_cost_is_told_while_the_sweep_puts_the_counter_right(self, on: Stage) -> None:
        def make() -> Scene:
            task = self.written()
            budgets.put(task.application, per="day", limit=Decimal(100), currency="USD")
            entry = self.taken(task)

            def check(told: Ending, swept: Ending) -> None:
                only(told)
                only(swept)
                counter = BudgetCounter.objects.get(budget__application=task.application)
                assert (counter.used, shares.derived(counter)) == (700_000, 700_000)

            return Scene(
                lambda: shares.correct_requests([entry.pk], lambda _budget, _held: 700_000),
                lambda: shares.follow_slowly(BudgetCounter.objects.get(budget__application=task.application).pk),
                check,
            )

        interleave(on, make)

    @transaction.atomic
    def taken(self, task: GroupTask) -> LedgerEntry:
        """Its request, which was expected to cost 2 USD."""
        taken = whole_requests.Taken(task.application, 2, Cost([], {"USD": Decimal(2)}, 0))
        assert taken.stop() == ""
        entry = ledger.prepare(
            interface="x", application=task.application, about_kind="group task", about_id=task.pk, summary={}
        )
        taken.count(entry)
        LedgerEntry.objects.filter(pk=entry.pk).update(state=EntryState.ACCEPTED)
        return entry

    def test_it_is_given_back_as_if_its_process_had_died(
        self, on: Stage, laaffic: Laaffic, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lost_requests, "LOST_AFTER", -dt.timedelta(hours=1))

        def make() -> Scene:
            task = self.written()
            sent = len(laaffic.asked)

            def check(launched: Ending, recovered: Ending) -> None:
                only(launched, ValidationError)
                only(recovered)
                now = GroupTask.objects.get(pk=task.pk)
                calls_out = LedgerEntry.objects.filter(about_kind="group task", about_id=task.pk)
                assert len(laaffic.asked) - sent <= 1
                if len(laaffic.asked) > sent:
                    assert now.state not in (TaskState.DRAFT, TaskState.SENDING)
                else:
                    assert now.state == TaskState.DRAFT
                    assert not calls_out.exclude(state=EntryState.NOT_SENT).exists()

            def recover() -> None:
                calls.recover()
                group_sync.recover()

            return Scene(lambda: group_tasks.launch(task.pk), recover, check)

        interleave(on, make)


class LostLaunchTests:
    """A person says of a launch whose answer was lost that it did not arrive, while something else tells what became
    of it. Whoever is first is believed: task and entry say the same, and nothing is cancelled or launched half.
    """

    @pytest.fixture
    def person(self, on: Stage) -> User:
        return User.objects.create_superuser(rows.name()[:30])

    def lost(self) -> tuple[GroupTask, LedgerEntry]:
        task = GroupTask(name="Spring", application=rows.application("voice"), text="Hello", language="EN")
        numbers = "\n".join(f"+{rows.number()}" for _ in "ab")
        task = group_tasks.save(task, audience=group_callees.gather(pasted=numbers))
        name = rows.name()
        entry = ledger.prepare(
            interface="voice/group/call/send",
            application=task.application,
            about_kind=group_state.ABOUT,
            about_id=task.pk,
            summary={"task": name},
            digest=group_launching.digest_of(task, group_callees.of(task)),
        )
        ledger.depart(entry.pk)
        ledger.lose(ledger.only(entry.pk), "no answer came")
        lost = {"state": TaskState.UNKNOWN, "task_name": name, "launched_at": timezone.now(), "looks": 1}
        GroupTask.objects.filter(pk=task.pk).update(entry=entry, **lost)
        return group_launching.fresh(task.pk), entry

    def listed(self, task: GroupTask) -> WireTask:
        nothing_said = dict.fromkeys(["total", "called", "succeeded", "failed", "sms_sent", "created_at", "send_at"])
        calling = {"status": TaskStatus.CALLING, "raw_status": "1", "cost": None}
        return WireTask(key=f"key {task.pk}", name=task.task_name, **calling, **nothing_said)  # type: ignore[arg-type]

    def said_of(self, task: GroupTask) -> tuple[str, EntryState, str]:
        """The task's state, its entry's and its key at Laaffic."""
        now = group_launching.fresh(task.pk)
        assert now.entry is not None
        return now.state, EntryState(now.entry.state), now.key

    def test_a_list_has_it(self, on: Stage, laaffic: Laaffic, person: User) -> None:
        def make() -> Scene:
            task, _entry = self.lost()
            laaffic.has[task.task_name] = self.listed(task)

            def check(said: Ending, synced: Ending) -> None:
                only(said, ValidationError)
                only(synced)
                if said.passed:
                    assert self.said_of(task) == (TaskState.DRAFT, EntryState.NOT_SENT, "")
                else:
                    assert self.said_of(task) == (TaskState.CALLING, EntryState.ACCEPTED, f"key {task.pk}")

            return Scene(
                lambda: group_tasks.not_there(task.pk, why="play", by=person), lambda: group_state.look(task), check
            )

        interleave(on, make)

    def test_a_list_has_it_and_it_is_cancelled(self, on: Stage, laaffic: Laaffic, person: User) -> None:
        def make() -> Scene:
            task, _entry = self.lost()
            laaffic.has[task.task_name] = self.listed(task)

            def cancelled() -> None:
                group_state.look(task)
                group_tasks.cancel(task.pk)

            def check(said: Ending, ended: Ending) -> None:
                only(said, ValidationError)
                only(ended, ValidationError)
                assert said.passed != ended.passed
                assert (f"key {task.pk}" in laaffic.cancelled) == ended.passed
                if said.passed:
                    assert self.said_of(task) == (TaskState.DRAFT, EntryState.NOT_SENT, "")
                else:
                    assert self.said_of(task) == (TaskState.CALLING, EntryState.ACCEPTED, f"key {task.pk}")

            return Scene(lambda: group_tasks.not_there(task.pk, why="play", by=person), cancelled, check)

        interleave(on, make)

    def test_a_list_does_not_have_it(self, on: Stage, laaffic: Laaffic, person: User) -> None:
        """What was looked for in vain does not put back what a person has settled."""

        def make() -> Scene:
            task, _entry = self.lost()

            def check(said: Ending, synced: Ending) -> None:
                only(said)
                only(synced)
                assert self.said_of(task) == (TaskState.DRAFT, EntryState.NOT_SENT, "")
                assert group_launching.fresh(task.pk).look_at is None

            return Scene(
                lambda: group_tasks.not_there(task.pk, why="play", by=person), lambda: group_state.look(task), check
            )

        interleave(on, make)

    def test_its_answer_comes_late(self, on: Stage, laaffic: Laaffic, person: User) -> None:
        """An answer knows better than a person, whichever comes first."""

        def make() -> Scene:
            task, entry = self.lost()

            def check(said: Ending, told: Ending) -> None:
                only(said, ValidationError)
                only(told)
                assert self.said_of(task) == (TaskState.SUBMITTING, EntryState.ACCEPTED, "late")

            return Scene(
                lambda: group_tasks.not_there(task.pk, why="play", by=person),
                lambda: group_answers._accepted(task, entry, group_callees.of(task), "late"),
                check,
            )

        interleave(on, make)

    def test_its_answer_comes_late_while_the_same_is_launched_again(
        self, on: Stage, laaffic: Laaffic, person: User
    ) -> None:
        """Its name is taken then: whichever comes first, the task is the first request's, and no other arrived."""

        def make() -> Scene:
            task, entry = self.lost()
            group_tasks.not_there(task.pk, why="play", by=person)
            laaffic.has[task.task_name] = self.listed(task)

            def check(launched: Ending, told: Ending) -> None:
                only(launched, ValidationError)
                only(told)
                now = group_launching.fresh(task.pk)
                assert (now.entry, now.task_name) == (entry, task.task_name)
                assert self.said_of(task)[1] == EntryState.ACCEPTED
                assert now.state in OPEN
                assert group_state.requests_of(now).filter(state=EntryState.ACCEPTED).count() == 1
                assert task_proving.prove(now)["disagreements"] == []

            return Scene(
                lambda: group_tasks.launch(task.pk, again="play"),
                lambda: group_answers._accepted(task, entry, group_callees.of(task), f"key {task.pk}"),
                check,
            )

        interleave(on, make)

    def test_another_says_that_it_is_over(self, on: Stage, laaffic: Laaffic, person: User) -> None:
        def make() -> Scene:
            task, _entry = self.lost()

            def check(said: Ending, over: Ending) -> None:
                only(said, ValidationError)
                only(over, ValidationError)
                assert said.passed != over.passed
                if said.passed:
                    assert self.said_of(task) == (TaskState.DRAFT, EntryState.NOT_SENT, "")
                else:
                    assert self.said_of(task) == (TaskState.FINISHED, EntryState.ACCEPTED, "")

            return Scene(
                lambda: group_tasks.not_there(task.pk, why="play", by=person),
                lambda: group_tasks.say_over(task.pk, why="play", by=person),
                check,
            )

        interleave(on, make)
