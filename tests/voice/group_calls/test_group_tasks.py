"""Group-call tasks against the sandbox over real HTTP: launched once, known by their name, never sent twice."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone, translation

from laaffic_console.gateway.models import AccountHold, Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.kit.words.said import gettext as said_later
from laaffic_console.laaffic.group_calls import GroupTask as WireTask
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import SuppressionEntry
from tests.messaging.mms.attachment_samples import mpeg
from tests.voice.group_calls.group_samples import FIRST, at_sandbox, listed, seen_through, written
from voice.models import Announcement, GroupTask, TaskState, VoiceSync
from voice.services import syncing
from voice.services.asking import group_calls as group_sync
from voice.services.asking import scheduling
from voice.services.audio import uploads
from voice.services.group_calls import answers as group_answers
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import ends as group_ends
from voice.services.group_calls import launching as group_launching
from voice.services.group_calls import proving as task_proving
from voice.services.group_calls import states as group_state
from voice.services.group_calls import tasks as group_tasks
from voice.services.group_calls import unread_list

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick")]


class LaunchTests:
    def test_a_task_is_seen_through_and_its_figures_are_the_sandbox_s(
        self, sandbox: RunningSandbox, application: Application, sms_application: Application
    ) -> None:
        task = written(
            application,
            count=60,
            windows=[["00:00", "23:59"]],
            hang_up_sms=True,
            sms_application=sms_application,
            sms_text="Thank you",
            sms_on_failure=True,
            sms_on_ringing=True,
        )

        task = group_tasks.launch(task.pk)
        assert (task.state, task.entry.state) == (TaskState.SUBMITTING, EntryState.ACCEPTED)
        task = seen_through(task)

        (there,) = at_sandbox(sandbox)
        assert (task.state, task.key, task.total, task.called) == (TaskState.FINISHED, str(there.key), 60, 60)
        assert (task.connected, task.failed) == (there.ends["answered"], there.ends["failed"])
        assert (task.sms_sent, task.percent) == (60, 100)
        assert {m["content"] for m in sandbox.messages(limit=60)} == {"Thank you"}
        assert there.given["senderId"] == "SHOP"

    def test_it_is_launched_once(self, sandbox: RunningSandbox, application: Application) -> None:
        task = written(application)
        group_tasks.launch(task.pk)

        with pytest.raises(ValidationError, match="not launched twice"):
            group_tasks.launch(task.pk)
        with pytest.raises(ValidationError, match="launched in the meantime"):
            group_tasks.save(task)

        assert len(at_sandbox(sandbox)) == 1

    @pytest.mark.parametrize("change", ["text", "numbers"])
    def test_what_is_not_as_the_page_showed_it_stays_a_draft(
        self, sandbox: RunningSandbox, application: Application, change: str
    ) -> None:
        task = written(application)
        seen = group_tasks.shown_digest(task, group_callees.of(task))
        if change == "text":
            task.text = "Other words"
        group_tasks.save(task, audience=listed(3) if change == "numbers" else None)

        with pytest.raises(group_tasks.NotAsShown, match="changed since you looked"):
            group_tasks.launch(task.pk, seen=seen)

        task.refresh_from_db()
        assert (task.state, at_sandbox(sandbox), LedgerEntry.objects.count()) == (TaskState.DRAFT, [], 0)

    @pytest.mark.parametrize("fault", ["reset_after", "bad_gateway_after", "half_json", "html", "failure_after"])
    def test_a_lost_answer_is_settled_by_the_name(
        self, sandbox: RunningSandbox, application: Application, fault: str
    ) -> None:
        task = written(application)
        sandbox.set_faults(next_fault=fault, next_calls=1)

        task = group_tasks.launch(task.pk)

        assert task.state in (TaskState.WAITING, TaskState.CALLING, TaskState.FINISHED)
        assert task.entry.state == EntryState.ACCEPTED
        assert task.task_name in task.entry.evidence
        assert len(at_sandbox(sandbox)) == 1

    def test_what_never_arrived_stays_unknown_until_a_person_speaks(
        self, sandbox: RunningSandbox, application: Application, admin_user: Any
    ) -> None:
        task = written(application)
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        task = group_tasks.launch(task.pk)
        assert (task.state, task.entry.state) == (TaskState.UNKNOWN, EntryState.UNKNOWN)
        assert "not sent again" in group_tasks.advice(task)
        with pytest.raises(ValidationError):
            group_tasks.launch(task.pk)
        with pytest.raises(ValidationError, match="was not read"):
            group_tasks.not_there(task.pk, why="I looked", by=admin_user)
        group_sync.sync()
        task.refresh_from_db()
        assert (task.state, task.looks) == (TaskState.UNKNOWN, 1)

        group_tasks.not_there(task.pk, why="Laaffic's console does not have it", by=admin_user)
        again = group_tasks.launch(task.pk)

        assert again.task_name == task.task_name
        assert len(at_sandbox(sandbox)) == 1
        states = LedgerEntry.objects.filter(about_kind="group task").order_by("pk").values_list("state", flat=True)
        assert list(states) == [EntryState.NOT_SENT, EntryState.ACCEPTED]

    def test_where_the_list_cannot_be_read_a_persons_word_is_taken_without_it(
        self, sandbox: RunningSandbox, application: Application, admin_client: Client, admin_user: Any
    ) -> None:
        """A gateway may lack voice/group/call/query. Minutes later nobody has read the list: somebody may say it."""
        task = written(application)
        sandbox.set_faults(next_fault="html", next_calls=9, paths=["/voice/group/call/"])
        task = group_tasks.launch(task.pk)
        long_ago = timezone.now() - 2 * unread_list.LONG_ENOUGH
        GroupTask.objects.update(launched_at=long_ago, look_at=long_ago)
        with pytest.raises(syncing.SyncFailed):
            group_sync.sync()
        task.refresh_from_db()
        assert (task.state, task.looks) == (TaskState.UNKNOWN, 0)
        page = admin_client.get(f"/admin/voice/grouptask/{task.pk}/change/").content.decode()
        assert 'id="unread"' in page
        assert 'value="over"' in page

        group_tasks.say_over(task.pk, why="everybody was called", by=admin_user)

        task.refresh_from_db()
        assert task.state == TaskState.FINISHED

    def test_a_list_that_was_read_for_this_task_can_be_read(self, application: Application) -> None:
        """Another task's look may have failed since, and with it the whole copy."""
        task = written(application)
        launched_at = timezone.now() - 2 * unread_list.LONG_ENOUGH
        GroupTask.objects.update(state=TaskState.CALLING, launched_at=launched_at, looked_at=timezone.now())
        VoiceSync.objects.create(name="group tasks", started_at=timezone.now(), problem="no answer")

        task.refresh_from_db()
        assert unread_list.why_unread(task) == ""
        GroupTask.objects.update(looked_at=None)
        task.refresh_from_db()
        assert unread_list.why_unread(task) == "no answer"

    def test_an_approvers_word_on_hours_is_over_with_the_launch_that_it_was_on(
        self, application: Application, admin_user: Any
    ) -> None:
        task = written(application)
        GroupTask.objects.update(state=TaskState.UNKNOWN, looks=1, outside_hours=True)

        group_tasks.not_there(task.pk, why="Laaffic's console does not have it", by=admin_user)

        task.refresh_from_db()
        assert (task.state, task.outside_hours) == (TaskState.DRAFT, False)

    def test_a_wrong_word_of_a_person_rings_nobody_twice(
        self, sandbox: RunningSandbox, application: Application, admin_user: Any
    ) -> None:
        task = written(application)
        sandbox.set_faults(next_fault="reset_after", next_calls=2, paths=["/voice/group/call/"])
        task = group_tasks.launch(task.pk)
        assert task.state == TaskState.UNKNOWN
        GroupTask.objects.update(looks=1)
        group_tasks.not_there(task.pk, why="in a hurry", by=admin_user)

        task = group_tasks.launch(task.pk)

        assert len(at_sandbox(sandbox)) == 1
        assert task.key == str(at_sandbox(sandbox)[0].key)
        assert task.is_at_laaffic

    def test_a_name_that_is_taken_tells_that_the_launch_before_arrived(
        self, sandbox: RunningSandbox, application: Application, admin_user: Any
    ) -> None:
        """So its people count for a frequency cap, and `prove` finds the request that brought it there."""
        task = written(application)
        sandbox.set_faults(next_fault="reset_after", next_calls=2, paths=["/voice/group/call/"])
        task = group_tasks.launch(task.pk)
        GroupTask.objects.update(looks=1)
        group_tasks.not_there(task.pk, why="in a hurry", by=admin_user)

        task = group_tasks.launch(task.pk)

        assert len(at_sandbox(sandbox)) == 1
        states = group_state.requests_of(task).order_by("pk").values_list("state", flat=True)
        assert list(states) == [EntryState.ACCEPTED, EntryState.REFUSED]
        assert task.entry.state == EntryState.ACCEPTED
        task.refresh_from_db()
        assert task.launched_at == task.entry.prepared_at
        assert task_proving.prove(task)["disagreements"] == []

    def test_a_late_answer_of_an_earlier_launch_leaves_the_edited_one_alone(
        self, sandbox: RunningSandbox, application: Application, admin_user: Any
    ) -> None:
        """Two tasks of two names are at Laaffic then: the row is the last one's, and the ledger says that both are."""
        sandbox.set_faults(next_fault="reset_after", next_calls=2, paths=["/voice/group/call/"])
        first = group_tasks.launch(written(application).pk)
        sent = group_callees.of(first)
        GroupTask.objects.update(looks=1)
        group_tasks.not_there(first.pk, why="in a hurry", by=admin_user)
        draft = GroupTask.objects.get(pk=first.pk)
        draft.text = "Other words"
        group_tasks.save(draft)
        second = group_tasks.launch(draft.pk)
        assert second.entry.state == EntryState.ACCEPTED

        group_answers._accepted(first, first.entry, sent, str(at_sandbox(sandbox)[0].key))

        task = group_launching.fresh(first.pk)
        assert (task.key, task.task_name, task.entry) == (second.key, second.task_name, second.entry)
        assert set(group_state.requests_of(task).values_list("state", flat=True)) == {EntryState.ACCEPTED}

    def test_calls_since_a_launch_that_was_refused_are_not_its_own(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        """Refused on Monday and launched on Saturday, it has called nobody on Wednesday."""
        sandbox.set_faults(status="-22", status_calls=1)
        task = group_tasks.launch(written(application).pk)
        assert task.state == TaskState.DRAFT
        long_ago = timezone.now() - dt.timedelta(days=5)
        LedgerEntry.objects.update(prepared_at=long_ago, left_at=long_ago)
        GroupTask.objects.update(launched_at=long_ago)

        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        task = group_tasks.launch(task.pk)
        group_state.look(task)

        task.refresh_from_db()
        assert task.entry is not None
        assert task.launched_at == task.entry.prepared_at
        assert task.look_at is not None
        assert task.look_at < timezone.now() + dt.timedelta(minutes=1)

    @pytest.mark.parametrize("edit", [{"text": "Other words"}, {"max_talk": 30}, {"numbers": 3}, {"name": "Autumn"}])
    def test_an_edited_draft_is_launched_under_another_name(
        self, sandbox: RunningSandbox, application: Application, admin_user: Any, edit: dict[str, Any]
    ) -> None:
        task = written(application)
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        task = group_tasks.launch(task.pk)
        GroupTask.objects.update(looks=1)
        group_tasks.not_there(task.pk, why="it is not there", by=admin_user)
        draft, first = GroupTask.objects.get(pk=task.pk), task.task_name
        audience = listed(edit["numbers"]) if "numbers" in edit else None
        for field, value in edit.items():
            setattr(draft, field, value)
        group_tasks.save(draft, audience=audience)

        again = group_tasks.launch(task.pk)

        assert (again.task_name == first) == (edit == {"name": "Autumn"})

    def test_who_gives_no_numbers_writes_nothing_of_those_that_another_has_given(
        self, application: Application
    ) -> None:
        task, theirs = written(application), listed(3, FIRST + 100)
        read_before = GroupTask.objects.get(pk=task.pk)
        group_tasks.save(task, audience=theirs)

        read_before.name = "Autumn"
        group_tasks.save(read_before)

        task.refresh_from_db()
        assert (task.name, task.number_count, group_callees.of(task)) == ("Autumn", 3, theirs.numbers)
        assert task.numbers_digest == ledger.digest_of("\n".join(theirs.numbers))

    def test_a_refusal_leaves_a_draft_that_says_why(self, sandbox: RunningSandbox, application: Application) -> None:
        task = written(application)
        sandbox.set_faults(status="-77", status_calls=1)

        task = group_tasks.launch(task.pk)

        assert (task.state, task.entry.code) == (TaskState.DRAFT, "-77")
        assert "minimum rate" in group_tasks.advice(task)
        assert group_tasks.launch(task.pk).state == TaskState.SUBMITTING

    def test_nothing_leaves_while_the_account_is_held(self, sandbox: RunningSandbox, application: Application) -> None:
        AccountHold.objects.create(scope="account", sentence="No funds.", placed_at=timezone.now(), probe_wait=15)

        task = group_tasks.launch(written(application).pk)

        assert (task.state, at_sandbox(sandbox)) == (TaskState.DRAFT, [])
        assert "No funds." in group_tasks.advice(task)

    def test_who_opted_out_since_is_not_called(self, sandbox: RunningSandbox, application: Application) -> None:
        task = written(application, count=3)
        SuppressionEntry.objects.create(number=str(FIRST), channel="voice")

        task = group_tasks.launch(task.pk)

        assert at_sandbox(sandbox)[0].given["numberList"] == [str(FIRST + 1), str(FIRST + 2)]
        assert (task.number_count, task.left_suppressed) == (2, 1)

    def test_nobody_left_is_a_draft_again(self, sandbox: RunningSandbox, application: Application) -> None:
        task = written(application, count=1)
        SuppressionEntry.objects.create(number=str(FIRST), channel="voice")

        with pytest.raises(ValidationError, match="Nobody is left"):
            group_tasks.launch(task.pk)

        task.refresh_from_db()
        assert (task.state, at_sandbox(sandbox)) == (TaskState.DRAFT, [])

    def test_an_answer_without_a_key(self, sandbox: RunningSandbox, application: Application) -> None:
        sandbox.sandbox.options.dialect = "seed"
        task = group_tasks.launch(written(application).pk)
        assert task.key == ""

        assert seen_through(task).key == str(at_sandbox(sandbox)[0].key)

    @pytest.mark.parametrize("source", [Announcement.LIBRARY, Announcement.IN_REQUEST])
    def test_audio_of_the_library(self, sandbox: RunningSandbox, application: Application, source: int) -> None:
        kept, _new = uploads.add(mpeg(), "hello.mp3")
        if source == Announcement.LIBRARY:
            kept = uploads.upload(kept.pk)
        group_tasks.launch(written(application, source=source, audio=kept).pk)

        given = at_sandbox(sandbox)[0].given
        assert given["source"] == source
        assert (given.get("voiceFileId") == kept.file_id) == (source == Announcement.LIBRARY)
        assert (given.get("uploadName") == "hello.mp3") == (source == Announcement.IN_REQUEST)

    @pytest.mark.parametrize(
        ("left", "becomes"), [(EntryState.PREPARED, TaskState.DRAFT), (EntryState.IN_FLIGHT, TaskState.UNKNOWN)]
    )
    def test_a_dead_process(
        self, sandbox: RunningSandbox, application: Application, left: EntryState, becomes: TaskState
    ) -> None:
        task = group_tasks.launch(written(application).pk)
        long_ago = timezone.now() - dt.timedelta(minutes=10)
        LedgerEntry.objects.update(state=left, left_at=long_ago, prepared_at=long_ago)
        GroupTask.objects.update(state=TaskState.SENDING, look_at=long_ago, key="")

        scheduling.sweep()

        task.refresh_from_db()
        assert task.state == becomes


class SleeperTests:
    """A launcher that stood still, wherever, while its task was given back and launched by another: 20 were called
    twice."""

    @pytest.mark.parametrize("where", ["_called", "prepare"])
    def test_who_wakes_after_the_task_was_given_back_sends_nothing(
        self, sandbox: RunningSandbox, application: Application, monkeypatch: pytest.MonkeyPatch, where: str
    ) -> None:
        task = written(application, count=20)
        meanwhile(monkeypatch, group_launching, where, lambda: launched_by_another(task))

        with pytest.raises(ValidationError, match="timed out"):
            group_tasks.launch(task.pk)

        task.refresh_from_db()
        assert len(at_sandbox(sandbox)) == 1
        assert task.state == TaskState.SUBMITTING
        assert GroupTask.objects.get(pk=task.pk).entry is not None

    def test_who_wakes_after_its_call_was_taken_back_leaves_the_other_launch_alone(
        self, sandbox: RunningSandbox, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        task = written(application, count=20)

        def another_is_sending() -> None:
            LedgerEntry.objects.update(state=EntryState.NOT_SENT)
            GroupTask.objects.filter(pk=task.pk).update(state=TaskState.SENDING, launch_token="another", entry=None)

        meanwhile(monkeypatch, group_answers, "leave", another_is_sending)

        group_tasks.launch(task.pk)

        task.refresh_from_db()
        assert (task.state, task.launch_token) == (TaskState.SENDING, "another")
        assert at_sandbox(sandbox) == []

    def test_who_stands_still_between_the_ledger_and_the_wire_sends_nothing(
        self, sandbox: RunningSandbox, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ledger, "LEAVES_WITHIN", dt.timedelta(seconds=-1))
        task = written(application, count=20)

        task = group_tasks.launch(task.pk)

        assert (task.state, task.entry.state) == (TaskState.DRAFT, EntryState.NOT_SENT)
        assert at_sandbox(sandbox) == []

    def test_a_recovery_that_read_an_earlier_launch_leaves_this_one_alone(self, application: Application) -> None:
        task = written(application, count=20)
        GroupTask.objects.filter(pk=task.pk).update(state=TaskState.SENDING, launch_token="one")
        seen = GroupTask.objects.get(pk=task.pk)
        GroupTask.objects.filter(pk=task.pk).update(launch_token="two")

        assert group_sync._as_seen(seen).update(state=TaskState.DRAFT) == 0


def meanwhile(monkeypatch: pytest.MonkeyPatch, module: ModuleType, where: str, happens: Callable[[], object]) -> None:
    """Just before this step, once."""
    step, did = getattr(module, where), []

    def late(*given: Any) -> Any:
        if not did:
            did.append(True)
            happens()
        return step(*given)

    monkeypatch.setattr(module, where, late)


def launched_by_another(task: GroupTask) -> None:
    long_ago = timezone.now() - dt.timedelta(minutes=10)
    GroupTask.objects.filter(pk=task.pk).update(look_at=long_ago)
    group_sync.recover()
    group_tasks.launch(task.pk)


class SaidOfATaskTests:
    def listed_as(self, **said: Any) -> WireTask:
        told = {"key": "7", "name": "Spring", "status": None, "raw_status": "9", "cost": None}
        figures = dict.fromkeys(["total", "called", "succeeded", "failed", "sms_sent", "created_at", "send_at"])
        return WireTask(**(told | figures | said))

    @pytest.mark.parametrize("state", [TaskState.DRAFT, TaskState.HELD, TaskState.REPLACED])
    def test_what_has_not_left_is_not_moved_by_a_list(self, application: Application, state: TaskState) -> None:
        task = written(application)
        GroupTask.objects.update(state=state)

        group_state.take(task.pk, self.listed_as(called=3), began=timezone.now())

        task.refresh_from_db()
        assert (task.state, task.called) == (state, None)

    def test_what_a_list_leaves_out_stays_as_it_was(self, application: Application) -> None:
        task = written(application)
        GroupTask.objects.update(state=TaskState.CALLING, connected=2)

        group_state.take(task.pk, self.listed_as(called=3, cost=Decimal("0.5")), began=timezone.now())

        task.refresh_from_db()
        assert (task.called, task.connected, task.cost) == (3, 2, Decimal("0.5"))

    def test_where_its_numbers_come_from_is_said_in_its_readers_language(self, application: Application) -> None:
        def given() -> group_callees.Audience:
            source = said_later("the numbers of “%(task)s”") % {"task": "A"}
            return group_callees.Audience([str(FIRST)], sources=[source, "B"])

        task = written(application)
        group_callees.keep(task, given())
        task.save()

        with translation.override("zh-hans"):
            kept = GroupTask.objects.get()
            assert kept.numbers_from == "“A”的号码; B"
            assert group_callees.is_kept(kept, given())

    @pytest.mark.parametrize(("said", "shown"), [("2", "Finished (2)"), ("9", "9"), ("", "")])
    def test_a_status_that_is_known_is_in_words(self, said: str, shown: str) -> None:
        assert group_state.at_laaffic(GroupTask(vendor_status=said)) == shown

    def test_a_request_that_is_under_way_is_said_to_be(self, application: Application) -> None:
        assert group_tasks.advice(GroupTask(application=application, state=TaskState.SENDING)).startswith("The request")

    def test_a_latest_end_is_acted_upon_once(self, sandbox: RunningSandbox, application: Application) -> None:
        task = group_tasks.launch(written(application).pk)
        GroupTask.objects.update(latest_end=timezone.now())
        for _time in range(2):
            group_ends.end(task.pk)

        assert task.events.filter(text__contains="latest end has come").count() == 1


class NotListedTests:
    def test_a_task_that_laaffic_lists_no_more_is_asked_for_ever_more_seldom_and_then_no_more(
        self, application: Application
    ) -> None:
        now = timezone.now()
        task = GroupTask(application=application, state=TaskState.CALLING)

        waits = []
        for looks in range(1, group_state.MISSED_AT_MOST + 1):
            task.looks = looks
            following = group_state.next_look(task, now)
            assert following is not None
            waits.append(following - now)

        assert waits == sorted(waits)
        assert waits[-1] == dt.timedelta(hours=1)
        task.looks += 1
        assert group_state.next_look(task, now) is None

    def test_one_that_is_listed_is_asked_for_often(self, application: Application) -> None:
        now = timezone.now()
        task = GroupTask(application=application, state=TaskState.CALLING, looks=0)

        assert group_state.next_look(task, now) == now + group_state.SOON
