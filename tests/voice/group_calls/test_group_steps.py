"""Group-call tasks that run: followed, changed, cancelled, repeated, added up."""

import datetime as dt
import time
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone

from laaffic_console.gateway.models import AccountHold, Application, EntryState, LedgerEntry, Trouble
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.laaffic import Source, parse_voice_reports
from laaffic_console.laaffic.call_records import from_row
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import SuppressionEntry
from tests.voice.group_calls.group_samples import FIRST, at_sandbox, listed, seen_through, written
from voice.models import CallRecord, GroupTask, GroupTaskEvent, TaskKind, TaskState, VoiceSync
from voice.services.asking import group_calls as group_sync
from voice.services.asking import records_pulls, scheduling
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import copies as group_copies
from voice.services.group_calls import ends as group_ends
from voice.services.group_calls import figures as group_figures
from voice.services.group_calls import proving as task_proving
from voice.services.group_calls import records as group_records
from voice.services.group_calls import states as group_state
from voice.services.group_calls import tasks as group_tasks
from voice.services.records import call_records, cost_words
from voice.services.syncing import SyncFailed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick")]


QUERY = "/voice/group/call/query"


class SyncTests:
    def test_one_task_that_laaffic_will_not_tell_of_does_not_hide_the_others(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        first, second = (group_tasks.launch(written(application).pk) for _ in range(2))
        GroupTask.objects.filter(pk=first.pk).update(look_at=timezone.now() - dt.timedelta(hours=1))
        sandbox.set_faults(status="-25", status_calls=1)

        with pytest.raises(SyncFailed):
            group_sync.sync()

        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.looked_at, second.looked_at is not None) == (None, True)
        assert first.look_at is not None
        assert first.look_at > timezone.now()

    def test_once_three_cannot_be_asked_for_the_others_are_left_for_later(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        for _ in range(5):
            group_tasks.launch(written(application).pk)
        asked = sandbox.stats()["calls"].get(QUERY, 0)
        sandbox.set_faults(status="-25", status_calls=99)

        with pytest.raises(SyncFailed):
            group_sync.sync()

        assert sandbox.stats()["calls"][QUERY] - asked == group_sync.GIVE_UP_AFTER
        assert not GroupTask.objects.exclude(looked_at=None).exists()

    def test_a_failure_of_our_own_is_shown_and_skips_that_task_alone(
        self, sandbox: RunningSandbox, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, second = (group_tasks.launch(written(application).pk) for _ in range(2))
        GroupTask.objects.filter(pk=first.pk).update(look_at=timezone.now() - dt.timedelta(hours=1))
        adopt = group_records.adopt

        def broken_for_the_first(task: GroupTask) -> int:
            if task.pk == first.pk:
                raise KeyError("a figure that nobody expected")
            return adopt(task)

        monkeypatch.setattr(group_records, "adopt", broken_for_the_first)

        assert group_sync.sync() == 2

        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.looked_at, second.looked_at is not None) == (None, True)
        assert first.look_at is not None
        assert first.look_at > timezone.now() + dt.timedelta(minutes=5)
        assert Trouble.objects.filter(name=f"group call {first.pk}").exists()

    def test_a_job_asks_for_what_is_due_and_for_nothing_else(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        due, later = (group_tasks.launch(written(application).pk) for _ in range(2))
        VoiceSync.objects.update(requested_at=None, started_at=timezone.now())
        GroupTask.objects.filter(pk=later.pk).update(look_at=timezone.now() + dt.timedelta(minutes=5))
        GroupTask.objects.filter(pk=due.pk).update(look_at=timezone.now())

        scheduling.run(group_sync.NAME)

        assert list(GroupTask.objects.exclude(looked_at=None)) == [due]

    def test_while_nothing_is_due_laaffic_is_not_asked(self, sandbox: RunningSandbox, application: Application) -> None:
        group_sync.sync()
        before = sandbox.stats()["calls"]

        group_sync.sync_due()

        assert sandbox.stats()["calls"] == before


class SteeringTests:
    def waiting(self, application: Application, **changed: Any) -> GroupTask:
        task = written(application, send_at=timezone.now() + dt.timedelta(hours=2), **changed)
        task = group_tasks.launch(task.pk)
        group_sync.sync()
        task.refresh_from_db()
        assert task.state == TaskState.WAITING
        return task

    def test_a_waiting_task_is_updated_and_its_predecessor_replaced(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        task = self.waiting(application)
        draft = group_copies.update_of(task)
        assert group_copies.update_of(task) == draft
        draft.max_talk = 30
        group_tasks.save(draft, audience=listed(2))

        changed = group_tasks.launch(draft.pk)
        group_sync.sync()

        task.refresh_from_db()
        changed.refresh_from_db()
        (there,) = at_sandbox(sandbox)
        assert (there.given["maxCalls"], len(there.given["numberList"])) == (30, 2)
        assert (task.state, changed.state, changed.key) == (TaskState.REPLACED, TaskState.WAITING, task.key)

    def test_a_change_keeps_its_time_and_its_latest_end(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        task = self.waiting(application, latest_end=timezone.now() + dt.timedelta(hours=5))

        draft = group_copies.update_of(task)
        draft.refresh_from_db()

        assert (draft.send_at, draft.latest_end) == (task.send_at, task.latest_end)

    def test_a_lost_answer_to_an_update(self, sandbox: RunningSandbox, application: Application) -> None:
        task = self.waiting(application)
        draft = group_copies.update_of(task)
        sandbox.set_faults(next_fault="reset_after", next_calls=1)

        changed = group_tasks.launch(draft.pk)

        task.refresh_from_db()
        assert (changed.state, changed.key, task.state) == (TaskState.WAITING, task.key, TaskState.REPLACED)

    def test_what_has_begun_is_not_updated(self, sandbox: RunningSandbox, application: Application) -> None:
        task = self.waiting(application)
        draft = group_copies.update_of(task)
        GroupTask.objects.filter(pk=task.pk).update(state=TaskState.CALLING)

        with pytest.raises(ValidationError, match="begun"):
            group_tasks.launch(draft.pk)
        task.refresh_from_db()
        with pytest.raises(ValidationError, match="begun"):
            group_copies.update_of(task)

    def test_it_is_cancelled(self, sandbox: RunningSandbox, application: Application) -> None:
        task = group_tasks.cancel(self.waiting(application).pk)

        assert task.state == TaskState.CANCELLED
        assert LedgerEntry.objects.get(interface="voice/group/call/cancel").state == EntryState.ACCEPTED
        with pytest.raises(ValidationError):
            group_tasks.cancel(task.pk)

    def test_cancelled_where_nobody_can_be_asked_after_it_is_asked_for_later(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        task = self.waiting(application)
        VoiceSync.objects.update(requested_at=None)
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1, paths=[QUERY])

        group_tasks.cancel(task.pk)

        assert VoiceSync.objects.get(name=group_sync.NAME).requested_at is not None
        assert LedgerEntry.objects.get(interface="voice/group/call/cancel").state == EntryState.ACCEPTED
        group_sync.sync()
        task.refresh_from_db()
        assert task.state == TaskState.CANCELLED

    def test_who_says_that_it_is_over_ends_the_wait_for_a_cancelling_too(
        self, sandbox: RunningSandbox, application: Application, admin_user: User
    ) -> None:
        """Whether that one arrived nobody will ever know; what launched the task did."""
        task = self.waiting(application)
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        with pytest.raises(ValidationError, match="was lost"):
            group_tasks.cancel(task.pk)
        GroupTask.objects.update(looks=3)

        group_tasks.say_over(task.pk, why="Laaffic has deleted it", by=admin_user)

        task.refresh_from_db()
        assert task.state == TaskState.FINISHED
        assert list(group_state.requests_of(task).order_by("pk").values_list("state", flat=True)) == [
            EntryState.ACCEPTED,
            EntryState.LAPSED,
        ]
        assert task_proving.prove(task)["disagreements"] == []

    def test_a_held_account_cancels_nothing_and_its_end_is_asked_for_once(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        task = self.waiting(application)
        AccountHold.objects.create(scope="account", sentence="No funds.", placed_at=timezone.now(), probe_wait=15)
        with pytest.raises(ValidationError, match=r"It was not cancelled: .*No funds"):
            group_tasks.cancel(task.pk)
        GroupTask.objects.update(latest_end=timezone.now() - dt.timedelta(minutes=1))

        group_ends.end_due()
        group_ends.end_due()

        assert LedgerEntry.objects.filter(interface="voice/group/call/cancel").count() == 2  # a person's, and the end's
        assert GroupTaskEvent.objects.filter(text__contains="not cancelled for certain").count() == 1

    def test_nobody_speaks_for_what_is_known(
        self, sandbox: RunningSandbox, application: Application, admin_user: User
    ) -> None:
        task = self.waiting(application)
        with pytest.raises(ValidationError, match="known by now"):
            group_tasks.not_there(task.pk, why="x", by=admin_user)
        GroupTask.objects.update(looks=0)
        with pytest.raises(ValidationError, match="Laaffic's list has it"):
            group_tasks.say_over(task.pk, why="x", by=admin_user)
        GroupTask.objects.update(state=TaskState.FINISHED)
        with pytest.raises(ValidationError, match="over already"):
            group_tasks.say_over(task.pk, why="x", by=admin_user)
        with pytest.raises(ValidationError, match="not over can be cancelled"):
            group_tasks.cancel(task.pk)

    def test_a_lost_answer_to_a_cancelling(self, sandbox: RunningSandbox, application: Application) -> None:
        task = self.waiting(application)
        sandbox.set_faults(next_fault="reset_after", next_calls=1)
        with pytest.raises(ValidationError, match="was lost"):
            group_tasks.cancel(task.pk)

        group_sync.sync()

        task.refresh_from_db()
        assert task.state == TaskState.CANCELLED
        assert LedgerEntry.objects.get(interface="voice/group/call/cancel").state == EntryState.ACCEPTED

    def test_cancelling_again_after_a_lost_answer_says_that_it_is_cancelled(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        task = self.waiting(application)
        sandbox.set_faults(next_fault="reset_after", next_calls=1)
        with pytest.raises(ValidationError, match="was lost"):
            group_tasks.cancel(task.pk)

        assert group_tasks.cancel(task.pk).state == TaskState.CANCELLED

    def test_it_is_repeated_to_all_and_to_the_failed(self, sandbox: RunningSandbox, application: Application) -> None:
        task = seen_through(group_tasks.launch(written(application, count=40).pk))
        with pytest.raises(ValidationError, match="have not come"):
            group_copies.again(task, failed_only=True)
        records_pulls.sync(records_pulls.GROUP)
        group_sync.sync()
        task.refresh_from_db()
        assert task.recorded == 40

        failed = group_tasks.launch(group_copies.again(task, failed_only=True).pk)
        everybody = group_tasks.launch(group_copies.again(task, failed_only=False).pk)

        assert (failed.kind, failed.number_count) == (TaskKind.RESEND_FAILED, task.failed)
        assert [len(there.calls) for there in at_sandbox(sandbox)] == [40, task.failed, 40]
        assert (seen_through(everybody).total, len({t.task_name for t in (task, failed, everybody)})) == (40, 3)

    def finished(self, application: Application, count: int = 40) -> GroupTask:
        task = seen_through(group_tasks.launch(written(application, count=count).pk))
        return self.with_records(task)

    def with_records(self, task: GroupTask) -> GroupTask:
        records_pulls.sync(records_pulls.GROUP)
        group_sync.sync()
        task.refresh_from_db()
        return task

    def repetitions(self, task: GroupTask) -> tuple[GroupTask, GroupTask]:
        """Two drafts, the second as from before there was only one."""
        first = group_copies.again(task, failed_only=True)
        given = {name: getattr(first, name) for name in ("name", "application", "kind", "parent", "text", "language")}
        other = GroupTask.objects.create(**given)
        group_callees.keep(other, group_callees.Audience(group_callees.of(first)))
        other.save()
        return first, other

    def test_a_repetition_that_is_asked_for_in_two_tabs_is_one_draft(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        task = self.finished(application)

        for failed_only in (True, False):
            first, second = (group_copies.again(task, failed_only=failed_only) for _ in range(2))
            assert first == second

    def test_who_was_reached_by_a_repetition_is_not_called_by_the_next_one(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        task = self.finished(application)
        first, other = self.repetitions(task)
        repeated = seen_through(group_tasks.launch(first.pk))
        GroupTask.objects.filter(pk=repeated.pk).update(recorded=repeated.called)
        reached = group_callees.of(first)[0]
        now = timezone.now()
        CallRecord.objects.create(
            voice_id="r1", task_id=repeated.key, callee=reached, outcome="answered", at=now, first_seen_at=now
        )

        with pytest.raises(ValidationError, match="1 of its numbers was reached by another repetition since"):
            group_tasks.launch(other.pk)
        with pytest.raises(ValidationError, match="New task of those not reached"):
            group_copies.again(task, failed_only=True)

        rest = group_copies.new_from(task, unreached_only=True)
        assert set(group_callees.of(first)) - set(group_callees.of(rest)) == {reached}
        assert len(at_sandbox(sandbox)) == 2

    def test_records_that_never_come_refuse_a_repetition_for_a_day_and_are_named_in_it(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        task = self.finished(application)
        first, other = self.repetitions(task)
        repeated = seen_through(group_tasks.launch(first.pk))
        assert repeated.called
        with pytest.raises(ValidationError, match="If they do not come by"):
            group_copies.again(task, failed_only=True)
        with pytest.raises(ValidationError, match="or until a day after its end"):
            group_tasks.launch(other.pk)

        GroupTask.objects.filter(pk=repeated.pk).update(finished_at=timezone.now() - dt.timedelta(hours=25))

        drafts = [group_copies.again(task, failed_only=True), group_copies.new_from(task, unreached_only=True)]
        assert drafts[0] == other  # the same people, as it was open already
        assert f"without a call record ({repeated.called})" in GroupTask.objects.get(pk=other.pk).numbers_from
        assert f"without a call record ({repeated.called})" in drafts[1].numbers_from
        assert group_tasks.launch(other.pk).launched_at

    @pytest.mark.parametrize(("called", "recorded"), [(2, 2), (None, 2), (0, 1), (2, 1)])
    def test_who_was_reached_by_a_repetition_that_failed_on_its_way_is_not_called_again(
        self, sandbox: RunningSandbox, application: Application, called: int | None, recorded: int
    ) -> None:
        task = self.finished(application)
        first, _other = self.repetitions(task)
        repeated = group_tasks.launch(first.pk)
        long_ago = timezone.now() - dt.timedelta(hours=25)
        GroupTask.objects.filter(pk=repeated.pk).update(
            state=TaskState.FAILED, called=called, recorded=recorded, finished_at=long_ago
        )
        reached = group_callees.of(first)[0]
        CallRecord.objects.create(
            voice_id="r1", task_id=repeated.key, callee=reached, outcome="answered", at=long_ago, first_seen_at=long_ago
        )

        rest = group_copies.new_from(task, unreached_only=True)

        assert set(group_callees.of(first)) - set(group_callees.of(rest)) == {reached}

    @pytest.mark.parametrize("state", [TaskState.FINISHED, TaskState.CANCELLED])
    def test_where_laaffic_does_not_say_how_many_were_called_records_of_all_are_awaited(
        self, sandbox: RunningSandbox, application: Application, state: str
    ) -> None:
        task = group_tasks.launch(written(application, count=3).pk)
        GroupTask.objects.update(state=state, key="k", called=None, recorded=1, finished_at=timezone.now())
        task.refresh_from_db()
        with pytest.raises(NotNow, match="2 call records have not come yet"):
            group_copies.new_from(task, unreached_only=True)

        GroupTask.objects.update(finished_at=timezone.now() - dt.timedelta(hours=25))

        task.refresh_from_db()
        rest = group_copies.new_from(task, unreached_only=True)
        assert "without a call record (2)" in rest.numbers_from

    def test_nobody_is_called_as_not_reached_where_nobody_can_know_who_was(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        task = group_tasks.launch(written(application, count=3).pk)
        long_ago = timezone.now() - dt.timedelta(days=9)
        GroupTask.objects.update(state=TaskState.FINISHED, key="", called=None, recorded=0, finished_at=long_ago)
        task.refresh_from_db()

        with pytest.raises(NotNow, match="Nobody knows whom “Spring” reached"):
            group_copies.new_from(task, unreached_only=True)

        assert group_copies.new_from(task).number_count == 3

    def test_a_repetition_is_refused_where_nobody_can_know_whom_another_reached(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        task = self.finished(application)
        first, other = self.repetitions(task)
        repeated = group_tasks.launch(first.pk)
        said_over = {"state": TaskState.FINISHED, "key": "", "called": None, "recorded": 0}
        long_ago = timezone.now() - dt.timedelta(days=9)
        GroupTask.objects.filter(pk=repeated.pk).update(**said_over, finished_at=long_ago)

        with pytest.raises(NotNow, match="nobody knows whom that reached"):
            group_tasks.launch(other.pk)

    @pytest.mark.parametrize("called", [0, None])
    def test_a_repetition_that_failed_before_it_called_anybody_keeps_nobody_waiting(
        self, sandbox: RunningSandbox, application: Application, called: int | None
    ) -> None:
        task = self.finished(application)
        first, _other = self.repetitions(task)
        repeated = group_tasks.launch(first.pk)
        failed = {"state": TaskState.FAILED, "called": called, "recorded": 0, "finished_at": timezone.now()}
        GroupTask.objects.filter(pk=repeated.pk).update(**failed)

        rest = group_copies.new_from(task, unreached_only=True)

        assert group_callees.of(rest) == group_callees.of(first)

    def test_while_a_repetition_calls_no_other_one_is_launched(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        task = self.finished(application)
        first, other = self.repetitions(task)
        group_tasks.launch(first.pk)

        with pytest.raises(ValidationError, match="They are called again already, by “Spring”"):
            group_tasks.launch(other.pk)
        with pytest.raises(ValidationError, match="“Spring” is still calling"):
            group_copies.again(task, failed_only=True)
        assert len(at_sandbox(sandbox)) == 2

    def test_nobody_is_called_again_where_everybody_was_reached(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        task = seen_through(group_tasks.launch(written(application, count=3).pk))
        records_pulls.sync(records_pulls.GROUP)
        CallRecord.objects.update(outcome="answered")
        group_sync.sync()
        task.refresh_from_db()

        with pytest.raises(ValidationError, match="Everybody was reached"):
            group_copies.again(task, failed_only=True)
        with pytest.raises(ValidationError, match="Everybody was reached"):
            group_copies.new_from(task, unreached_only=True)
        assert len(at_sandbox(sandbox)) == 1

    def test_what_may_be_calling_is_neither_copied_nor_repeated(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        task = group_tasks.launch(written(application).pk)
        assert task.state == TaskState.UNKNOWN

        with pytest.raises(ValidationError, match="It is not yet known whether this task is calling"):
            group_copies.new_from(task)
        with pytest.raises(ValidationError, match="Only a finished task"):
            group_copies.again(task, failed_only=False)

        assert GroupTask.objects.count() == 1

    def test_no_repetition_to_who_opted_out(self, sandbox: RunningSandbox, application: Application) -> None:
        task = seen_through(group_tasks.launch(written(application, count=3).pk))
        draft = group_copies.again(task, failed_only=False)
        SuppressionEntry.objects.create(number=str(FIRST), channel="voice")

        with pytest.raises(ValidationError, match="new task"):
            group_tasks.launch(draft.pk)

        assert len(at_sandbox(sandbox)) == 1
        assert group_callees.of(group_copies.new_from(task)) == [str(FIRST + 1), str(FIRST + 2)]

    def test_templates(self, sandbox: RunningSandbox, application: Application) -> None:
        task = written(application, max_talk=33, windows=[["09:00", "12:00"]])

        template = group_copies.template(task)
        made = group_copies.new_from(template)

        assert (template.is_template, template.number_count) == (True, 0)
        assert (made.is_template, made.max_talk, made.windows) == (False, 33, [["09:00", "12:00"]])
        with pytest.raises(ValidationError):
            group_tasks.launch(template.pk)
        with pytest.raises(ValidationError) as problem:
            group_tasks.save(made)
        assert list(problem.value.message_dict) == ["numbers"]


class FigureTests:
    def pushed(self, task: GroupTask, count: int, **changed: Any) -> None:
        rows = [
            {"voiceId": f"v{n}", "type": 1, "callee": str(FIRST + n), "callTime": int(time.time() * 1000)}
            | {"taskId": task.key, "terminationCode": "0", "callStatus": 50, "callDuration": 10, "cost": "0.02"}
            | {"currency": "USD", "feedbackValue": str(n % 2)}
            | changed
            for n in range(count)
        ]
        call_records.take(parse_voice_reports(rows).calls, Source.VOICE_PUSH)

    def test_pushed_records_are_added_up(self, sandbox: RunningSandbox, application: Application) -> None:
        task = seen_through(group_tasks.launch(written(application, count=4).pk))
        self.pushed(task, 4)
        GroupTask.objects.update(look_at=timezone.now())

        group_sync.sync()

        task.refresh_from_db()
        assert (task.recorded, task.talk_seconds, task.keys_pressed) == (4, 40, {"0": 2, "1": 2})
        assert (task.money, task.look_at) == ("0.08 USD", None)

    def test_costs_that_are_known_later_are_added_up_all_the_same(
        self, sandbox: RunningSandbox, application: Application, admin_user: User
    ) -> None:
        task = seen_through(group_tasks.launch(written(application, count=4).pk))
        self.pushed(task, 4, cost="50")
        GroupTask.objects.update(look_at=timezone.now())
        group_sync.sync()
        GroupTask.objects.update(look_at=None)  # its records are complete
        first, *others = CallRecord.objects.order_by("pk")

        cost_words.decide(first.pk, take=True, why="by the invoice", by=admin_user)
        group_sync.sync()

        task.refresh_from_db()
        assert (task.cost, task.look_at) == (Decimal(50), None)
        assert task_proving.prove(task)["disagreements"] == []

        rows = [{"voiceId": record.voice_id, "type": 1, "callee": record.callee, "cost": "0.02"} for record in others]
        found = [from_row(row | {"currency": "USD", "terminationCode": "0"}) for row in rows]
        call_records.take_each(found, Source.VOICE_RECORD)
        group_sync.sync()

        task.refresh_from_db()
        assert task.cost == Decimal("50.06")
        assert task_proving.prove(task)["disagreements"] == []

    def test_costs_of_a_task_that_laaffic_lists_no_more_are_added_up_too(
        self, sandbox: RunningSandbox, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        task = seen_through(group_tasks.launch(written(application, count=4).pk))
        monkeypatch.setattr(group_state, "find", lambda task: None)
        GroupTask.objects.update(look_at=None)

        self.pushed(task, 4)
        group_sync.sync()

        task.refresh_from_db()
        assert (task.recorded, task.money, task.look_at) == (4, "0.08 USD", None)

    def test_a_record_that_comes_while_they_are_added_up_is_not_missed(
        self, sandbox: RunningSandbox, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        task = seen_through(group_tasks.launch(written(application, count=4).pk))
        added_up, found = group_figures.of, group_state.find(task)
        assert found is not None

        def one_comes(key: str) -> dict[str, Any]:
            figures = added_up(key)
            self.pushed(task, 4)
            return figures

        GroupTask.objects.update(look_at=timezone.now())
        with monkeypatch.context() as patched:
            patched.setattr(group_figures, "of", one_comes)
            group_state.take(task.pk, found, began=timezone.now())
        task.refresh_from_db()
        assert task.recorded == 0
        assert task.look_at is not None
        assert task.look_at <= timezone.now()  # not only as records are missing

        group_state.take(task.pk, found, began=timezone.now())

        task.refresh_from_db()
        assert (task.recorded, task.look_at) == (4, None)

    def test_records_that_are_read_are_given_to_the_task_that_alone_can_have_made_them(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        first = group_tasks.launch(written(application, count=20).pk)
        second_draft = GroupTask(name="Second", application=application, text="Hi")
        second = group_tasks.launch(group_tasks.save(second_draft, audience=listed(20, FIRST + 10)).pk)
        first, second = seen_through(first), seen_through(second)
        records_pulls.sync(records_pulls.GROUP)

        group_sync.sync()
        group_sync.sync()

        first.refresh_from_db()
        second.refresh_from_db()
        assert CallRecord.objects.count() == 40
        assert CallRecord.objects.filter(task_id="").count() == 20
        assert (first.recorded, second.recorded) == (10, 10)

    def test_totals(self, sandbox: RunningSandbox, application: Application) -> None:
        written(application)
        tasks = [seen_through(group_tasks.launch(written(application, count=n).pk)) for n in (10, 20)]

        totals = group_figures.totals(GroupTask.objects.all())

        assert (totals["tasks"], totals["total"], totals["called"]) == (2, 30, 30)
        assert totals["connected"] == sum(task.connected or 0 for task in tasks)
        assert totals["rate"] == round(100 * totals["connected"] / 30, 1)
