"""What is done to group calls by scripts beside launching them, against the sandbox over real HTTP."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group, Permission, User
from django.utils import timezone

from laaffic_console.audit.models import AuditEntry
from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.kit.words.people import APPROVER, OPERATOR
from laaffic_console.kit.words.said import read
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import ApplicationCalendar, Approval, Calendar, ContactGroup
from messaging.services.gates import sending_hours
from tests.api.conftest import Api
from tests.messaging.conftest import add_contacts, point_at
from tests.voice.conftest import application, quick, sandbox
from tests.voice.group_calls.group_samples import seen_through
from voice.models import AudioFile, CallRecord, GroupTask
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import waiting

__all__ = ["application", "quick", "sandbox"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("application")]

ASKED = {"name": "Notice", "application": "voiceApp", "text": "Hello", "to": ["919876500000", "919876500001"]}


@pytest.fixture
def api(api: Api, sandbox: RunningSandbox, settings: LazySettings) -> Api:
    point_at(settings, sandbox)
    return api


def drafted(api: Api, **changed: Any) -> int:
    made = api("POST", "group-calls", ASKED | changed)
    assert made.status_code == 201, made.content
    return int(made.json()["id"])


def finished(api: Api) -> int:
    pk = drafted(api)
    api("POST", f"group-calls/{pk}/launch", {})
    seen_through(GroupTask.objects.get(pk=pk))
    return pk


def one_of(role: str, name: str, api_with: Callable[..., Api]) -> Api:
    user = User.objects.create_user(name)
    user.groups.add(Group.objects.get(name=role))
    return api_with(user=user)


def changed(api: Api, pk: int, asked: dict[str, Any], **headers: str) -> Any:
    seen = api("GET", f"group-calls/{pk}").json()["seen"]
    return api("PATCH", f"group-calls/{pk}", {"seen": seen} | asked, **headers)


def acts(pk: int) -> list[str]:
    """Who did what, of this task."""
    rows = AuditEntry.objects.filter(object_kind="voice.grouptask", object_id=str(pk)).order_by("pk")
    return list(rows.values_list("kind", flat=True))


def told(*texts: str) -> int:
    """How often its history says one of these."""
    return sum(str(event.text) in texts for event in GroupTask.objects.get().events.all())


class DraftTests:
    def test_what_is_not_said_stays(self, api: Api) -> None:
        Application.objects.create(app_id="smsApp", channel="sms")
        pk = drafted(api, speed=2.0, gender="female")
        before = api("GET", f"group-calls/{pk}").json()
        sms = {"application": "smsApp", "text": "Thank you", "on_key": 3}
        asked = {"text": "Other", "purpose": "transactional", "longest_seconds": 30, "silence_before": 2, "sms": sms}

        seen = api("GET", f"group-calls/{pk}").json()["seen"]

        answers = [api("PATCH", f"group-calls/{pk}", {"seen": seen} | asked, Idempotency_Key="a") for _time in range(2)]

        assert [answer.status_code for answer in answers] == [200, 200], answers[0].content
        now = api("GET", f"group-calls/{pk}").json()
        assert answers[0].json() == now
        expected = asked | {"sms": now["sms"], "seen": now["seen"]}
        assert now == before | expected
        assert (now["sms"]["on_key"], now["sms"]["on_answer_seconds"], now["speed"]) == (3, None, 2.0)
        assert changed(api, pk, {"sms": None}).json()["sms"] is None

    def test_other_numbers_take_the_place_of_all(self, api: Api, group: ContactGroup) -> None:
        add_contacts(group, 3)
        pk = drafted(api, to=["919876522222"])

        answer = changed(api, pk, {"groups": ["customers"], "to": ["919876511111"]}).json()

        assert answer["numbers"] == 4
        assert "919876522222" not in group_callees.of(GroupTask.objects.get())

    def test_as_many_other_numbers_are_seen_as_a_change(self, api: Api) -> None:
        pk = drafted(api)
        seen = api("GET", f"group-calls/{pk}").json()["seen"]
        assert changed(api, pk, {"to": ["919876511111", "919876522222"]}).status_code == 200

        assert api("PATCH", f"group-calls/{pk}", {"text": "Other", "seen": seen}).status_code == 409
        assert GroupTask.objects.get().text == "Hello"
        assert acts(pk) == ["added", "changed"]

    @pytest.mark.parametrize("whom", [{"to": [*ASKED["to"], ASKED["to"][0]]}, {"groups": ["customers"]}], ids=repr)
    def test_the_same_numbers_again_change_nothing(self, api: Api, group: ContactGroup, whom: dict[str, Any]) -> None:
        add_contacts(group, 3)
        pk = drafted(api, to=["919876511111"])
        asked = {"seen": api("GET", f"group-calls/{pk}").json()["seen"], "text": "Other"} | whom

        answers = [api("PATCH", f"group-calls/{pk}", asked) for _time in range(2)]

        assert [answer.status_code for answer in answers] == [200, 200], answers[1].content
        assert answers[0].json() == answers[1].json()
        assert acts(pk) == ["added", "changed"]

    def test_who_may_not_see_groups_gives_numbers(self, api: Api, api_with: Callable[..., Api]) -> None:
        clerk = User.objects.create_user("clerk")
        clerk.user_permissions.set(Permission.objects.filter(codename__in=["view_grouptask", "add_grouptask"]))
        theirs = api_with(user=clerk)
        pk = drafted(theirs)

        assert changed(theirs, pk, {"text": "Other"}).status_code == 200
        assert changed(theirs, pk, {"to": ["919876511111"]}).json()["numbers"] == 1
        assert changed(theirs, pk, {"groups": ["customers"]}).status_code == 403
        assert theirs("POST", "group-calls", ASKED | {"groups": ["customers"]}).status_code == 403

    def test_another_file_travels_as_the_one_before(self, api: Api) -> None:
        for name in ("first.mp3", "other.mp3"):
            file = {"content": b"x", "size": 1, "digest": name, "seconds": 1}
            AudioFile.objects.create(name=name, audio_type="mp3", **file)
        without = {name: value for name, value in ASKED.items() if name != "text"}
        made = api("POST", "group-calls", without | {"audio": "first.mp3", "in_request": True})
        pk = made.json()["id"]

        assert changed(api, pk, {"audio": "other.mp3"}).json()["in_request"], made.content
        assert GroupTask.objects.get().audio.name == "other.mp3"
        assert changed(api, pk, {"text": "Hello"}).json()["audio"] is None

    def test_what_was_written_and_edited_is_recorded(self, api: Api) -> None:
        pk = drafted(api)
        changed(api, pk, {"text": "Other", "to": ["919876511111"]})

        assert acts(pk) == ["added", "changed"]
        [edited] = AuditEntry.objects.filter(kind="changed", object_id=str(pk))
        said = [[read(field), *values] for field, *values in edited.summary["changes"]]
        assert said == [["text", "Hello", "Other"], ["numbers", "2", "1"]]
        assert "919876511111" not in str(edited.summary)

    def test_only_as_it_was_seen(self, api: Api) -> None:
        pk = drafted(api)
        seen = api("GET", f"group-calls/{pk}").json()["seen"]
        assert api("PATCH", f"group-calls/{pk}", {"text": "Mine", "seen": seen}).status_code == 200

        late = api("PATCH", f"group-calls/{pk}", {"text": "Theirs", "seen": seen})

        assert (late.status_code, GroupTask.objects.get().text) == (409, "Mine")

    @pytest.mark.parametrize(
        ("asked", "field"),
        [
            ({"text": " "}, "text"),
            ({"text": "x", "audio": "y.mp3"}, ""),
            ({"to": ["12"]}, "to"),
            ({"groups": []}, "groups"),
            ({"in_request": True}, "in_request"),
            ({"windows": [["25:00", "26:00"]]}, "windows"),
            ({"transfer": {"agent_group": 0}}, "transfer.agent_group"),
            ({"accent": "en"}, "accent"),
            ({"speed": None}, "speed"),
            ({}, ""),
        ],
    )
    def test_bad_input_changes_nothing(self, api: Api, asked: dict[str, Any], field: str) -> None:
        pk = drafted(api)
        before = api("GET", f"group-calls/{pk}").json()

        answer = changed(api, pk, asked)

        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field), answer.content
        assert api("GET", f"group-calls/{pk}").json() == before

    def test_deleted_once_and_noted(self, api: Api) -> None:
        pk = drafted(api)

        gone = [api("DELETE", f"group-calls/{pk}", Idempotency_Key=key) for key in ("a", "a", "b")]

        assert [answer.status_code for answer in gone] == [204, 204, 404]
        assert not GroupTask.objects.exists()
        assert AuditEntry.objects.filter(kind="deleted", object_id=str(pk)).count() == 1

    def test_what_was_launched_stays_as_it_is(self, api: Api, api_with: Callable[..., Api], quick: None) -> None:
        pk = finished(api)

        answers = [changed(api, pk, {"text": "x"}), api("DELETE", f"group-calls/{pk}")]

        assert [answer.status_code for answer in answers] == [409, 409]
        assert GroupTask.objects.get().text == "Hello"
        approver = one_of(APPROVER, "eve", api_with)
        assert approver("PATCH", f"group-calls/{pk}", {"text": "x"}).status_code == 403
        assert approver("DELETE", f"group-calls/{pk}").status_code == 403


class MadeTests:
    def test_a_template_and_a_draft_from_it(self, api: Api) -> None:
        kept = api("POST", f"group-calls/{drafted(api)}/template", Idempotency_Key="a")
        assert (kept.status_code, kept.json()["is_template"], kept.json()["numbers"]) == (201, True, 0), kept.content
        pk = kept.json()["id"]

        listed = [api("GET", f"group-calls{query}").json()["items"] for query in ("", "?is_template=true")]
        assert [[one["id"] == pk for one in items] for items in listed] == [[False], [True]]
        assert api("GET", f"group-calls/{pk}/check").status_code == 404
        assert api("POST", f"group-calls/{pk}/launch", {}).status_code == 404
        assert changed(api, pk, {"to": ASKED["to"]}).status_code == 400
        made = api("POST", f"group-calls/{pk}/copy", {})
        assert (made.status_code, made.json()["text"], made.json()["numbers"]) == (201, "Hello", 0)
        assert acts(pk) == acts(made.json()["id"]) == ["added"]
        assert changed(api, made.json()["id"], {"to": ASKED["to"]}).json()["numbers"] == 2

    @pytest.mark.parametrize("name", ["scheduled_at", "not_after"])
    def test_a_template_takes_no_time(self, api: Api, name: str) -> None:
        pk = api("POST", f"group-calls/{drafted(api)}/template").json()["id"]

        refused = changed(api, pk, {name: "2099-01-01T00:00:00Z"})

        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, name), refused.content
        assert changed(api, pk, {name: None, "text": "Other"}).status_code == 200

    def test_a_finished_one_is_copied_and_repeated_once_for_a_key(self, api: Api, quick: None) -> None:
        pk = finished(api)
        copied = [api("POST", f"group-calls/{pk}/copy", {}, Idempotency_Key="a") for _time in range(2)]
        assert copied[0].json()["id"] == copied[1].json()["id"], copied[0].content
        assert [copied[0].json()[name] for name in ("kind", "numbers", "made_from")] == ["send", 2, None]

        again = api("POST", f"group-calls/{pk}/again", {})
        assert (again.status_code, again.json()["kind"], again.json()["made_from"]) == (201, "resend", pk)
        assert changed(api, again.json()["id"], {"to": ["919876511111"]}).status_code == 400
        assert GroupTask.objects.count() == 3
        assert LedgerEntry.objects.count() == 1  # nothing is launched by it

    def test_one_that_waits_is_updated_by_one_draft(self, api: Api) -> None:
        pk = drafted(api, scheduled_at=(timezone.now() + dt.timedelta(days=2)).isoformat())
        assert api("POST", f"group-calls/{pk}/update").status_code == 409
        api("POST", f"group-calls/{pk}/launch", {})
        assert api("POST", f"group-calls/{pk}/ask").json()["state"] == "waiting"

        made = [api("POST", f"group-calls/{pk}/update") for _time in range(2)]

        assert [answer.status_code for answer in made] == [201, 201], made[0].content
        assert made[0].json()["id"] == made[1].json()["id"]
        assert (made[0].json()["kind"], made[0].json()["made_from"]) == ("update", pk)

    def test_a_draft_is_not_repeated(self, api: Api) -> None:
        refused = api("POST", f"group-calls/{drafted(api)}/again", {})

        assert (refused.status_code, GroupTask.objects.count()) == (409, 1)
        assert "Only a finished task" in refused.json()["detail"]


class NumbersTests:
    @pytest.mark.parametrize("odd", ["number", "Phone, Name", "", "+919876543210;+919876543211"])
    def test_each_entry_is_one_number(self, api: Api, odd: str) -> None:
        asked = ASKED | {"to": [odd, "+919876543213"]}

        refused = api("POST", "group-calls", asked)
        made = api("POST", "group-calls", asked | {"skip_invalid": True})

        assert (refused.status_code, refused.json()["detail"][:6]) == (400, "Row 1:")
        assert (made.status_code, made.json()["numbers"], made.json()["invalid"]) == (201, 1, 1)


class SteeringTests:
    def test_a_launch_is_taken_back(self, api: Api) -> None:
        pk = drafted(api)
        assert api("POST", f"group-calls/{pk}/launch", {"undo_seconds": 60}).json()["state"] == "launched"

        back = [api("POST", f"group-calls/{pk}/take-back") for _time in range(2)]

        assert [answer.json() for answer in back] == [{"id": pk, "state": "draft"}] * 2
        assert told("Taken back before anything left") == 1
        assert not LedgerEntry.objects.exists()

    def test_a_launch_whose_request_died_is_not_made_again_after_that(
        self, api: Api, dies: Callable[..., None], person: User
    ) -> None:
        pk = drafted(api)
        dies("POST", f"group-calls/{pk}/launch", {"undo_seconds": 60})
        waiting.take_back(pk, by=person)

        answer = api("POST", f"group-calls/{pk}/launch", {"undo_seconds": 60}, idempotency_key="k")

        assert (answer.status_code, answer.json()["state"]) == (200, "draft")

    def test_what_has_left_is_not_taken_back(self, api: Api, quick: None) -> None:
        assert api("POST", f"group-calls/{finished(api)}/take-back").status_code == 409

    def test_what_is_held_is_tried_again_once(self, api: Api, quick: None) -> None:
        pk = drafted(api)
        GroupTask.objects.update(state="held", hold_reason="too late", launched_at=timezone.now())

        tried = [api("POST", f"group-calls/{pk}/resume", {}) for _time in range(2)]

        assert [answer.status_code for answer in tried] == [200, 200], tried[0].content
        assert LedgerEntry.objects.filter(interface="voice/group/call/send").count() == 1
        assert told("Resumed") == 1

    @pytest.mark.parametrize(("step", "state"), [("resume", "held"), ("take-back", "launched")])
    def test_a_step_that_two_take_at_once_is_taken_once(
        self, api: Api, beside: Callable[..., list[Any]], quick: None, step: str, state: str
    ) -> None:
        pk = drafted(api)
        if state == "launched":
            api("POST", f"group-calls/{pk}/launch", {"undo_seconds": 60})
        else:
            GroupTask.objects.update(state=state, hold_reason="too late", launched_at=timezone.now())

        first, second = beside("POST", f"group-calls/{pk}/{step}", {} if step == "resume" else None)

        assert (first.status_code, second.status_code) == (200, 200), second.content
        assert first.json()["id"] == second.json()["id"] == pk

    def test_a_draft_is_not_resumed(self, api: Api) -> None:
        assert api("POST", f"group-calls/{drafted(api)}/resume", {}).status_code == 409

    def test_a_latest_end_that_has_come_is_lifted_only_by_name(self, api: Api, quick: None) -> None:
        pk = drafted(api)
        end = timezone.now() - dt.timedelta(seconds=1)
        GroupTask.objects.update(state="held", latest_end=end, hold_reason=sending_hours.after_its_end(end))

        refused = api("POST", f"group-calls/{pk}/resume", {})

        assert refused.status_code == 409
        assert "“past_end”: true" in refused.json()["detail"]
        assert api("POST", f"group-calls/{pk}/resume", {"past_end": True}).status_code == 200

    def test_an_approver_lets_it_leave_outside_its_hours(
        self, api: Api, api_with: Callable[..., Api], application: Application, quick: None
    ) -> None:
        day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][(timezone.now() + dt.timedelta(days=3)).weekday()]
        calendar = Calendar.objects.create(name="Calls", hours=f"{day} 09:00-17:00")
        ApplicationCalendar.objects.create(application=application, calendar=calendar)
        pk, approver = drafted(api), one_of(APPROVER, "eve", api_with)
        assert api("POST", f"group-calls/{pk}/launch", {}).json()["state"] == "launched"
        operator = one_of(OPERATOR, "bob", api_with)
        assert operator("POST", f"group-calls/{pk}/outside-hours", {"reason": "x"}).status_code == 403

        let_go = [approver("POST", f"group-calls/{pk}/outside-hours", {"reason": "a recall"}) for _time in range(2)]

        assert [answer.status_code for answer in let_go] == [200, 200], let_go[0].content
        assert LedgerEntry.objects.filter(interface="voice/group/call/send").count() == 1
        assert told("Sent outside its hours: a recall") == 1

    def test_approved_by_a_second_person(
        self, api: Api, api_with: Callable[..., Api], settings: LazySettings, quick: None
    ) -> None:
        settings.LAAFFIC_APPROVAL_RECIPIENTS = 1
        pk, approver = drafted(api), one_of(APPROVER, "eve", api_with)
        assert api("POST", f"group-calls/{pk}/launch", {}).status_code == 409
        seen = api("POST", f"group-calls/{pk}/approval/ask", {}).json()["seen"]
        assert api("POST", f"group-calls/{pk}/approval/approve", {"seen": seen}).status_code == 409

        given = approver("POST", f"group-calls/{pk}/approval/approve", {"seen": seen})

        assert (given.json()["outcome"], Approval.objects.get().decided_by is not None) == ("approved", True)
        assert api("POST", f"group-calls/{pk}/launch", {}).status_code == 200


class KnownTests:
    def test_laaffic_is_asked_and_its_word_kept(self, api: Api, api_with: Callable[..., Api], quick: None) -> None:
        pk = drafted(api)
        assert api("POST", f"group-calls/{pk}/ask").status_code == 409
        api("POST", f"group-calls/{pk}/launch", {})
        GroupTask.objects.update(state="submitting", total=None)

        asked = api("POST", f"group-calls/{pk}/ask")

        assert (asked.status_code, asked.json()["state"] != "submitting") == (200, True), asked.content

    @pytest.fixture
    def lost(self, api: Api, sandbox: RunningSandbox) -> int:
        pk = drafted(api)
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        assert api("POST", f"group-calls/{pk}/launch", {}).json()["state"] == "unknown"
        GroupTask.objects.update(looks=3)
        return pk

    @pytest.mark.parametrize(("word", "state"), [("not_there", "draft"), ("over", "finished")])
    def test_settled_by_a_word_once(self, api: Api, lost: int, word: str, state: str) -> None:
        shown = api("GET", f"group-calls/{lost}/unknown").json()
        assert (shown["state"], shown["looks"], shown["requests"][0]["state"]) == ("unknown", 3, "unknown")
        asked = {"word": word, "reason": "I asked Laaffic", "seen": shown["seen"]}
        late = api("POST", f"group-calls/{lost}/unknown", asked | {"seen": shown["seen"] + 1})
        assert (late.status_code, GroupTask.objects.get().state) == (409, "unknown")

        settled = [api("POST", f"group-calls/{lost}/unknown", asked) for _time in range(2)]

        assert [answer.json() for answer in settled] == [{"id": lost, "state": state}] * 2
        assert LedgerEntry.objects.get().state in (EntryState.NOT_SENT, EntryState.ACCEPTED)
        assert AuditEntry.objects.filter(kind="settled").count() == 1

    def test_each_number_with_its_calls(self, api: Api, api_with: Callable[..., Api]) -> None:
        pk, now = drafted(api), timezone.now()
        GroupTask.objects.update(key="K1")
        record = {"callee": "919876500001", "at": now, "source": "push", "first_seen_at": now, "task_id": "K1"}
        CallRecord.objects.create(voice_id="v1", outcome="busy", **record)
        CallRecord.objects.create(voice_id="v2", outcome="answered", **record)

        first = api("GET", f"group-calls/{pk}/recipients?limit=1").json()
        second = api("GET", f"group-calls/{pk}/recipients?limit=1&cursor={first['next']}").json()

        assert first["items"] == [{"position": 0, "number": "919876500000", "calls": []}]
        assert [one["outcome"] for one in second["items"][0]["calls"]] == ["busy", "answered"]
        assert (second["items"][0]["position"], second["next"]) == (1, None)
        assert one_of("Viewer", "vic", api_with)("GET", f"group-calls/{pk}/recipients").status_code == 403
        clerk = User.objects.create_user("clerk")
        clerk.user_permissions.set(Permission.objects.exclude(codename="see_numbers"))
        [masked, _other] = api_with(user=clerk)("GET", f"group-calls/{pk}/recipients").json()["items"]
        assert masked["number"] == "9198•••••000"
