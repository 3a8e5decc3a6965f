"""What a group-call task asks for: every problem at its field, every number once, all parameters."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import LazySettings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone, translation

from laaffic_console.gateway.models import Application
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Contact, ContactGroup, GroupMembership, SuppressionEntry
from tests.messaging.conftest import add_contacts
from tests.messaging.mms import attachment_samples as samples
from tests.voice.group_calls.group_samples import FIRST, at_sandbox, listed, written
from voice.models import Announcement, AudioFile, CallRecord, GroupTask, TaskNumbers, TaskState
from voice.services.call_charts import CONNECTED
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import care as group_care
from voice.services.group_calls import copies as group_copies
from voice.services.group_calls import figures as group_figures
from voice.services.group_calls import requesting as group_requests
from voice.services.group_calls import tasks as group_tasks

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick")]


def problems_of(task: GroupTask) -> list[str]:
    with pytest.raises(ValidationError) as problem:
        group_tasks.save(task, audience=listed(1))
    return sorted(problem.value.error_dict)


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
            ("display_number", {"display_number": "123\n"}),
            ("accent", {"accent": "91\n"}),
            ("text", {"text": " "}),
            ("text", {"text": "x" * 1001}),
            ("audio", {"source": 1}),
            ("audio", {"source": 2}),
            ("language", {"language": ""}),
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

    def test_a_file_in_the_request_may_be_as_large_as_the_setting_says(
        self, sandbox: RunningSandbox, application: Application, settings: LazySettings
    ) -> None:
        settings.AUDIO_MAX_BYTES = 6 * 1024 * 1024
        large = samples.tone() + bytes(5 * 1024 * 1024)
        kept = AudioFile.objects.create(name="large.wav", audio_type="wav", content=large, size=len(large), seconds=1)
        task = GroupTask(name="Spring", application=application, source=2, audio=kept)

        assert group_tasks.save(task, audience=listed(1)).pk
        assert group_tasks.launch(task.pk).state != TaskState.DRAFT

        settings.AUDIO_MAX_BYTES = 1024 * 1024
        with pytest.raises(ValidationError, match="at most 1 MB are taken"):
            group_requests.check(task)

    def test_an_sms_needs_all_its_parts(self, application: Application) -> None:
        task = GroupTask(name="Spring", application=application, text="Hello", hang_up_sms=True)

        assert problems_of(task) == ["sms_application", "sms_on_answer", "sms_text"]

    def test_what_is_switched_off_is_not_looked_at(self, application: Application) -> None:
        task = GroupTask(name="Spring", application=application, text="Hello", sms_key=12, callout_rate=0)

        assert group_tasks.save(task, audience=listed(1)).pk

    def test_every_problem_is_told_at_once(self, application: Application) -> None:
        task = GroupTask(name="", application=application, text="", max_talk=0, speaking_rate=9)

        assert problems_of(task) == ["max_talk", "name", "speaking_rate", "text"]

    def test_an_application_that_is_switched_off(self, application: Application) -> None:
        application.is_active = False

        assert problems_of(GroupTask(name="Spring", application=application, text="Hello")) == ["application"]

    def test_the_sms_goes_by_an_application_of_sms(self, application: Application) -> None:
        sms = {"hang_up_sms": True, "sms_text": "Bye", "sms_on_ringing": True, "sms_application": application}

        assert "sms_application" in problems_of(GroupTask(name="Spring", application=application, text="Hello", **sms))

    def test_the_sms_does_not_go_by_an_application_that_is_switched_off(
        self, application: Application, sms_application: Application
    ) -> None:
        sms = {"hang_up_sms": True, "sms_text": "Bye", "sms_on_ringing": True, "sms_application": sms_application}
        sms_application.is_active = False

        assert problems_of(GroupTask(name="A", application=application, text="Hello", **sms)) == ["sms_application"]

    def test_a_file_that_only_laaffic_has_does_not_travel_with_the_task(self, application: Application) -> None:
        audio = AudioFile.objects.create(name="spring.mp3", file_id="f1", size=0, seconds=3)
        task = GroupTask(name="Spring", application=application, source=Announcement.IN_REQUEST, audio=audio)

        with pytest.raises(ValidationError, match="Only Laaffic has this file"):
            group_tasks.save(task, audience=listed(1))

    def test_an_application_of_another_channel(self, sms_application: Application) -> None:
        assert problems_of(GroupTask(name="Spring", application=sms_application, text="Hello")) == ["application"]


class NumberTests:
    def test_from_everywhere_each_once_less_the_suppressed(self, group: ContactGroup) -> None:
        add_contacts(group, 5)
        SuppressionEntry.objects.create(number=str(FIRST), channel="voice")
        SuppressionEntry.objects.create(number=str(FIRST + 1), channel="all")
        SuppressionEntry.objects.create(number=str(FIRST + 2), channel="sms")
        file = SimpleUploadedFile("more.csv", f"name,phone\nAnn,+{FIRST + 7}\nBob,+{FIRST + 3}\n".encode())

        audience = group_callees.gather(groups=[group], pasted=f"+{FIRST + 5}, +{FIRST + 5}", upload=file)

        assert audience.numbers == [str(FIRST + n) for n in (2, 3, 4, 5, 7)]
        assert (audience.twice, audience.suppressed, audience.invalid) == (2, 2, 0)
        assert audience.sources == ["customers", "a pasted list", "more.csv"]

    def test_two_spellings_of_one_number_are_called_once(self, group: ContactGroup) -> None:
        for number in ("5215512345678", "5491123456789"):
            GroupMembership.objects.create(group=group, contact=Contact.objects.create(number=number))
        upload = SimpleUploadedFile("more.csv", b"phone\n+541123456789\n+525587654321\n")

        audience = group_callees.gather(
            groups=[group], pasted="+525512345678, +5215587654321, +525587654321", upload=upload
        )

        assert audience.numbers == ["5215512345678", "5491123456789", "5215587654321"]
        assert audience.twice == 4

    def test_a_draft_from_before_and_its_copies_call_once_too(self, application: Application) -> None:
        task = written(application, count=1)
        TaskNumbers.objects.filter(task=task).update(lines="525512345678\n5215512345678")

        assert group_care.called_now(task) == group_care.Called(["525512345678"], twice=1)
        copy = group_copies.new_from(task)
        assert (group_callees.of(copy), copy.left_twice) == (["525512345678"], 1)

    def test_who_was_reached_by_another_spelling_is_not_called_again(self, application: Application) -> None:
        task = written(application, count=1)
        task.key, task.called, task.recorded = "77", 1, 1
        reached = {"task_id": "77", "callee": "5215512345678", "outcome": CONNECTED[0]}
        CallRecord.objects.create(voice_id="v1", at=timezone.now(), first_seen_at=timezone.now(), **reached)

        assert group_figures.unreached(task, ["525512345678", "525587654321"]) == ["525587654321"]

    def test_who_wants_no_sms_is_not_called_with_one(self) -> None:
        SuppressionEntry.objects.create(number=str(FIRST), channel="sms")

        assert group_callees.gather(pasted=f"{FIRST}\n{FIRST + 1}", with_sms=True).numbers == [str(FIRST + 1)]

    def test_what_is_wrong_is_quoted_once(self) -> None:
        with pytest.raises(ValidationError) as quoted, translation.override("en"):
            group_callees.gather(pasted="hello\n12")

        first, second, *_rest = quoted.value.messages
        assert first.startswith("Row 1: “hello” is not a phone number")
        assert second.startswith("Row 2: “12”. 2 digits")

    @pytest.mark.parametrize("bad", ["123456", "1" * 16, "hello"])
    def test_what_is_no_number_is_said_with_its_row_or_left_out(self, bad: str) -> None:
        with pytest.raises(ValidationError) as problem:
            group_callees.gather(pasted=f"{FIRST}\n{bad}")
        assert "Row 2" in problem.value.message_dict["numbers"][0]

        audience = group_callees.gather(pasted=f"{FIRST}\n{bad}", skip_invalid=True)

        assert (audience.numbers, audience.invalid) == ([str(FIRST)], 1)

    def test_of_many_that_are_none_the_first_are_named_and_the_rest_counted(self) -> None:
        with pytest.raises(ValidationError) as problem:
            group_callees.gather(pasted="\n".join(["hello"] * (group_callees.INVALID_SHOWN + 2)))

        assert "And 2 more invalid numbers." in problem.value.message_dict["numbers"]

    def test_too_many_and_none_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(group_callees, "MAX_NUMBERS", 3)
        for pasted in ("\n".join(str(FIRST + n) for n in range(4)), ";"):
            with pytest.raises(ValidationError) as problem:
                group_callees.gather(pasted=pasted)
            assert list(problem.value.message_dict) == ["numbers"]
        SuppressionEntry.objects.create(number=str(FIRST), channel="voice")
        with pytest.raises(ValidationError, match="suppression list"):
            group_callees.gather(pasted=str(FIRST))


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
