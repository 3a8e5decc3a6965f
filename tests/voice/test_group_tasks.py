"""Group-call tasks against the sandbox over real HTTP: launched once, known by their name, never sent twice."""

import datetime as dt
import time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from laaffic_console.gateway.models import AccountHold, Application, CallState, GatewayCall
from laaffic_console.laaffic import Source, parse_voice_reports
from laaffic_console.sandbox.group_calls import GroupCallInterfaces
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import ContactGroup, SuppressionEntry
from tests.messaging.attachment_samples import mpeg
from tests.messaging.conftest import add_contacts
from voice.models import Announcement, CallRecord, Door, GroupTask, TaskState, VoiceSync
from voice.services import (
    audio,
    group_copies,
    group_figures,
    group_numbers,
    group_sync,
    group_tasks,
    records,
    records_pulls,
    scheduling,
)
from voice.services.syncing import SyncFailed

pytestmark = pytest.mark.django_db(transaction=True)

FIRST = 919876500000


def written(application: Application, count: int = 12, **changed: Any) -> GroupTask:
    given = {"name": "Spring", "application": application, "text": "Hello", "language": "EN"} | changed
    return group_tasks.save(GroupTask(**given), audience=listed(count))


def listed(count: int, first: int = FIRST) -> group_numbers.Audience:
    return group_numbers.gather(pasted="\n".join(f"+{first + n}" for n in range(count)))


def at_sandbox(sandbox: RunningSandbox) -> list[Any]:
    family = next(family for family in sandbox.sandbox.families if isinstance(family, GroupCallInterfaces))
    return list(family.tasks.values())


def seen_through(task: GroupTask) -> GroupTask:
    for _ in range(100):
        group_sync.sync()
        task.refresh_from_db()
        if task.is_over:
            return task
        time.sleep(0.05)
    raise AssertionError(f"not over: {task.state}")


def problems_of(task: GroupTask) -> list[str]:
    with pytest.raises(ValidationError) as problem:
        group_tasks.save(task, audience=listed(1))
    return sorted(problem.value.error_dict)


@pytest.fixture
def sms_application(db: None) -> Application:
    return Application.objects.create(app_id="smsApp", channel="sms", sender_id="SHOP")


@pytest.fixture(autouse=True)
def quick(sandbox: RunningSandbox) -> None:
    sandbox.sandbox.options.group_calls_per_second = 2000.0


class CheckTests:
    @pytest.mark.parametrize(
        ("field", "given"),
        [
            ("speaking_rate", {"speaking_rate": 0.1}),
            ("max_ringing_time", {"max_ringing_time": 10}),
            ("max_talk", {"max_talk": 1000}),
            ("loop_count", {"loop_count": 10}),
            ("delay_play", {"delay_play": 1000}),
            ("display_number", {"display_number": "1" * 21}),
            ("text", {"text": " "}),
            ("text", {"text": "x" * 1001}),
            ("audio", {"source": 1}),
            ("audio", {"source": 2}),
            ("windows", {"windows": [["09:00", "10:00"]] * 4}),
            ("windows", {"windows": [["12:00", "09:00"]]}),
            ("windows", {"windows": [["9 o'clock", "10:00"]]}),
            ("send_at", {"send_at": timezone.now() - dt.timedelta(hours=1)}),
            ("agent_group", {"to_agent": True}),
            ("callout_rate", {"to_agent": True, "agent_group": 7, "callout_rate": 0}),
        ],
    )
    def test_bad_input_is_said_at_its_field(
        self, sandbox: RunningSandbox, application: Application, field: str, given: dict[str, Any]
    ) -> None:
        task = GroupTask(**{"name": "Spring", "application": application, "text": "Hello"} | given)

        assert problems_of(task) == [field]
        assert not GroupTask.objects.exists()

    def test_an_sms_needs_all_its_parts(self, application: Application) -> None:
        task = GroupTask(name="Spring", application=application, text="Hello", hang_up_sms=True)

        assert problems_of(task) == ["sms_application", "sms_on_answer", "sms_text"]

    def test_what_is_switched_off_is_not_looked_at(self, application: Application) -> None:
        task = GroupTask(name="Spring", application=application, text="Hello", sms_key=12, callout_rate=0)

        assert group_tasks.save(task, audience=listed(1)).pk

    def test_every_problem_is_told_at_once(self, application: Application) -> None:
        task = GroupTask(name="", application=application, text="", max_talk=0, speaking_rate=9)

        assert problems_of(task) == ["max_talk", "name", "speaking_rate", "text"]

    def test_an_application_of_another_channel(self, sms_application: Application) -> None:
        assert problems_of(GroupTask(name="Spring", application=sms_application, text="Hello")) == ["application"]


class NumberTests:
    def test_from_everywhere_each_once_less_the_suppressed(self, group: ContactGroup) -> None:
        add_contacts(group, 5)
        SuppressionEntry.objects.create(number=str(FIRST), channel="voice")
        SuppressionEntry.objects.create(number=str(FIRST + 1), channel="all")
        SuppressionEntry.objects.create(number=str(FIRST + 2), channel="sms")
        file = SimpleUploadedFile("more.csv", f"name,phone\nAnn,+{FIRST + 7}\nBob,+{FIRST + 3}\n".encode())

        audience = group_numbers.gather(groups=[group], pasted=f"+{FIRST + 5}, +{FIRST + 5}", upload=file)

        assert audience.numbers == [str(FIRST + n) for n in (2, 3, 4, 5, 7)]
        assert (audience.twice, audience.suppressed, audience.invalid) == (2, 2, 0)
        assert audience.sources == ["customers", "a pasted list", "more.csv"]

    def test_who_wants_no_sms_is_not_called_with_one(self) -> None:
        SuppressionEntry.objects.create(number=str(FIRST), channel="sms")

        assert group_numbers.gather(pasted=f"{FIRST}\n{FIRST + 1}", with_sms=True).numbers == [str(FIRST + 1)]

    @pytest.mark.parametrize("bad", ["123456", "1" * 16, "hello"])
    def test_what_is_no_number_is_said_with_its_row_or_left_out(self, bad: str) -> None:
        with pytest.raises(ValidationError) as problem:
            group_numbers.gather(pasted=f"{FIRST}\n{bad}")
        assert "Row 2" in problem.value.message_dict["numbers"][0]

        audience = group_numbers.gather(pasted=f"{FIRST}\n{bad}", skip_invalid=True)

        assert (audience.numbers, audience.invalid) == ([str(FIRST)], 1)

    def test_too_many_and_none_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(group_numbers, "MAX_NUMBERS", 3)
        for pasted in ("\n".join(str(FIRST + n) for n in range(4)), ";"):
            with pytest.raises(ValidationError) as problem:
                group_numbers.gather(pasted=pasted)
            assert list(problem.value.message_dict) == ["numbers"]
        SuppressionEntry.objects.create(number=str(FIRST), channel="voice")
        with pytest.raises(ValidationError, match="suppression list"):
            group_numbers.gather(pasted=str(FIRST))


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
        assert (task.state, task.call.state) == (TaskState.SUBMITTING, CallState.ACCEPTED)
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
        with pytest.raises(ValidationError, match="launched meanwhile"):
            group_tasks.save(task)

        assert len(at_sandbox(sandbox)) == 1

    @pytest.mark.parametrize("fault", ["reset_after", "bad_gateway_after", "half_json", "html", "failure_after"])
    def test_a_lost_answer_is_settled_by_the_name(
        self, sandbox: RunningSandbox, application: Application, fault: str
    ) -> None:
        task = written(application)
        sandbox.set_faults(next_fault=fault, next_calls=1)

        task = group_tasks.launch(task.pk)

        assert task.state in (TaskState.WAITING, TaskState.CALLING, TaskState.FINISHED)
        assert task.call.state == CallState.ACCEPTED
        assert task.task_name in task.call.evidence
        assert len(at_sandbox(sandbox)) == 1

    def test_what_never_arrived_stays_unknown_until_a_person_speaks(
        self, sandbox: RunningSandbox, application: Application, admin_user: Any
    ) -> None:
        task = written(application)
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        task = group_tasks.launch(task.pk)
        assert (task.state, task.call.state) == (TaskState.UNKNOWN, CallState.UNKNOWN)
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
        states = GatewayCall.objects.filter(about_kind="group task").order_by("pk").values_list("state", flat=True)
        assert list(states) == [CallState.NOT_SENT, CallState.ACCEPTED]

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

    def test_a_refusal_leaves_a_draft_that_says_why(self, sandbox: RunningSandbox, application: Application) -> None:
        task = written(application)
        sandbox.set_faults(status="-77", status_calls=1)

        task = group_tasks.launch(task.pk)

        assert (task.state, task.call.code) == (TaskState.DRAFT, "-77")
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
        kept, _new = audio.add(mpeg(), "hello.mp3")
        if source == Announcement.LIBRARY:
            kept = audio.upload(kept.pk)
        group_tasks.launch(written(application, source=source, audio=kept).pk)

        given = at_sandbox(sandbox)[0].given
        assert given["source"] == source
        assert (given.get("voiceFileId") == kept.file_id) == (source == Announcement.LIBRARY)
        assert (given.get("uploadName") == "hello.mp3") == (source == Announcement.IN_REQUEST)

    @pytest.mark.parametrize(
        ("left", "becomes"), [(CallState.PREPARED, TaskState.DRAFT), (CallState.IN_FLIGHT, TaskState.UNKNOWN)]
    )
    def test_a_dead_process(
        self, sandbox: RunningSandbox, application: Application, left: CallState, becomes: TaskState
    ) -> None:
        task = group_tasks.launch(written(application).pk)
        long_ago = timezone.now() - dt.timedelta(minutes=10)
        GatewayCall.objects.update(state=left, left_at=long_ago, prepared_at=long_ago)
        GroupTask.objects.update(state=TaskState.SENDING, look_at=long_ago, key="")

        scheduling.sweep()

        task.refresh_from_db()
        assert task.state == becomes


class ParameterTests:
    def test_all_of_them_reach_the_gateway(
        self, sandbox: RunningSandbox, application: Application, sms_application: Application
    ) -> None:
        send_at = timezone.now().replace(microsecond=0) + dt.timedelta(days=1)
        task = written(
            application,
            count=1,
            accent="91",
            gender=2,
            speaking_rate=1.5,
            loop_count=2,
            max_talk=40,
            max_ringing_time=45,
            delay_play=3,
            delay_hangup=4,
            display_number="1008122211",
            send_at=send_at,
            windows=[["18:28", "19:28"]],
            hang_up_sms=True,
            sms_application=sms_application,
            sms_sender_id="123",
            sms_text="Bye",
            sms_on_key=True,
            sms_key=5,
            sms_on_answer=True,
            sms_answer_seconds=7,
            sms_on_ringing=True,
            to_agent=True,
            agent_group=1000019,
            agent_key=9,
            callout_rate=3,
        )
        task = group_tasks.launch(task.pk)

        expected = {
            "appId": "voiceApp",
            "taskName": task.task_name,
            "source": 3,
            "loopCount": 2,
            "maxCalls": 40,
            "hangUpSms": 1,
            "toSeat": 1,
            "sipGroupId": 1000019,
            "outboundControl": 1,
            "calloutRate": 3,
            "toSeatKey": 9,
            "toSeatType": 2,
            "numberList": [str(FIRST)],
            "sendTime": send_at.astimezone(ZoneInfo("Asia/Shanghai")).strftime("%Y-%m-%d %H:%M:%S"),
            "text": "Hello",
            "smsAppId": "smsApp",
            "senderId": "123",
            "smsContent": "Bye",
            "feedbackValue": 5,
            "successPushTime": 7,
            "feedbackPush": 1,
            "successPush": 1,
            "failedPush": 0,
            "ringPush": 1,
            "lan": "EN",
            "displayNum": "1008122211",
            "maxRingingTime": 45,
            "allowSendTime": [{"strTime": "18:28", "endTime": "19:28"}],
        }
        assert len(expected) == 28
        more = {"accent": "91", "ssmlGender": 2, "speakingRate": 1.5, "delayPlay": 3, "delayHangup": 4}
        assert at_sandbox(sandbox)[0].given == expected | more


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

    def test_a_job_asks_for_what_is_due_and_for_nothing_else(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        due, later = (group_tasks.launch(written(application).pk) for _ in range(2))
        VoiceSync.objects.update(requested_at=None, started_at=timezone.now())
        GroupTask.objects.filter(pk=later.pk).update(look_at=timezone.now() + dt.timedelta(hours=1))
        GroupTask.objects.filter(pk=due.pk).update(look_at=timezone.now())

        scheduling.run(group_sync.NAME)

        assert list(GroupTask.objects.exclude(looked_at=None)) == [due]


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
        assert GatewayCall.objects.get(interface="voice/group/call/cancel").state == CallState.ACCEPTED
        with pytest.raises(ValidationError):
            group_tasks.cancel(task.pk)

    def test_a_lost_answer_to_a_cancelling(self, sandbox: RunningSandbox, application: Application) -> None:
        task = self.waiting(application)
        sandbox.set_faults(next_fault="reset_after", next_calls=1)
        with pytest.raises(ValidationError, match="was lost"):
            group_tasks.cancel(task.pk)

        group_sync.sync()

        task.refresh_from_db()
        assert task.state == TaskState.CANCELLED
        assert GatewayCall.objects.get(interface="voice/group/call/cancel").state == CallState.ACCEPTED

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

        assert (failed.door, failed.number_count) == (Door.RESEND_FAILED, task.failed)
        assert [len(there.calls) for there in at_sandbox(sandbox)] == [40, task.failed, 40]
        assert (seen_through(everybody).total, len({t.task_name for t in (task, failed, everybody)})) == (40, 3)

    def test_no_repetition_to_who_opted_out(self, sandbox: RunningSandbox, application: Application) -> None:
        task = seen_through(group_tasks.launch(written(application, count=3).pk))
        draft = group_copies.again(task, failed_only=False)
        SuppressionEntry.objects.create(number=str(FIRST), channel="voice")

        with pytest.raises(ValidationError, match="new task"):
            group_tasks.launch(draft.pk)

        assert len(at_sandbox(sandbox)) == 1
        assert group_numbers.of(group_copies.new_from(task)) == [str(FIRST + 1), str(FIRST + 2)]

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
        records.take(parse_voice_reports(rows).calls, Source.VOICE_PUSH)

    def test_pushed_records_are_added_up(self, sandbox: RunningSandbox, application: Application) -> None:
        task = seen_through(group_tasks.launch(written(application, count=4).pk))
        self.pushed(task, 4)
        GroupTask.objects.update(look_at=timezone.now())

        group_sync.sync()

        task.refresh_from_db()
        assert (task.recorded, task.talk_seconds, task.keys_pressed) == (4, 40, {"0": 2, "1": 2})
        assert (task.money, task.look_at) == ("0.08 USD", None)

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
