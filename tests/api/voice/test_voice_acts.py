"""Calls settled, SIP phones added, audio files taken over: by scripts, against the sandbox over real HTTP."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group, Permission, User
from django.utils import timezone

from laaffic_console.api.models import RepeatableRequest
from laaffic_console.audit.models import AuditEntry
from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.kit.words.people import OPERATOR
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import MmsAttachment
from tests.api.conftest import Api
from tests.api.files import sent
from tests.messaging.conftest import point_at
from tests.messaging.mms import attachment_samples as samples
from tests.voice.conftest import application, phone, quick, sandbox
from tests.voice.test_audio_elsewhere import there
from tests.voice.test_phone_changes import at_sandbox, everything_stored, password_of
from voice.models import AudioFile, CallRecord, GroupTask, SipCall, SipPhone, VoiceSync
from voice.services.phones import sip_phones as phones

__all__ = ["application", "phone", "quick", "sandbox"]
pytestmark = pytest.mark.django_db(transaction=True)

CALL = {"account": "test_001", "number": "+91 98765 00000"}


@pytest.fixture
def api(api: Api, sandbox: RunningSandbox, settings: LazySettings) -> Api:
    point_at(settings, sandbox)
    return api


def with_rights(name: str, api_with: Callable[..., Api], *rights: str) -> Api:
    user = User.objects.create_user(name)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return api_with(user=user)


class CallTests:
    @pytest.fixture
    def lost(self, api: Api, sandbox: RunningSandbox, phone: SipPhone) -> int:
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        made = api("POST", "calls", CALL).json()
        assert made["state"] == "unknown"
        return int(made["id"])

    def test_what_did_not_ring_is_made_again_once_for_a_key(self, api: Api, lost: int) -> None:
        assert api("POST", f"calls/{lost}/again", {}).status_code == 409
        shown = api("GET", f"calls/{lost}/unknown").json()
        assert [one["state"] for one in shown["requests"]] == ["unknown"]
        word = {"word": "did_not_ring", "reason": "nobody heard it", "seen": shown["seen"]}
        assert api("POST", f"calls/{lost}/unknown", word | {"seen": 0}).status_code == 409
        said = [api("POST", f"calls/{lost}/unknown", word) for _time in range(2)]
        assert [answer.json()["state"] for answer in said] == ["not_sent", "not_sent"], said[0].content

        again = [api("POST", f"calls/{lost}/again", {}, Idempotency_Key="a") for _time in range(2)]

        assert [answer.status_code for answer in again] == [202, 202], again[0].content
        assert [answer.json()["state"] for answer in again] == ["accepted", "accepted"]
        assert (SipCall.objects.count(), LedgerEntry.objects.count()) == (1, 2)
        assert api("POST", f"calls/{lost}/again", {}).status_code == 409

    def test_one_that_rang_is_not_made_again(self, api: Api, lost: int) -> None:
        seen = api("GET", f"calls/{lost}/unknown").json()["seen"]
        assert api("POST", f"calls/{lost}/unknown", {"word": "rang", "reason": " ", "seen": seen}).status_code == 400

        said = api("POST", f"calls/{lost}/unknown", {"word": "rang", "reason": "I heard it", "seen": seen})

        assert said.json()["state"] == "accepted"
        assert api("POST", f"calls/{lost}/again", {}).status_code == 409
        assert LedgerEntry.objects.count() == 1

    def test_laaffic_is_asked_for_its_record(self, api: Api, phone: SipPhone) -> None:
        pk = api("POST", "calls", CALL).json()["id"]
        for _time in range(100):
            asked = api("POST", f"calls/{pk}/ask")
            if asked.status_code == 200:
                break
        assert (asked.status_code, asked.json()["record"] is not None) == (200, True), asked.content
        again = api("POST", f"call-records/{asked.json()['record']}/ask")
        assert (again.status_code, again.json()["number"]) == (200, "919876500000"), again.content

    def test_who_may_only_look(self, api: Api, api_with: Callable[..., Api], lost: int) -> None:
        clerk = with_rights("clerk", api_with, "view_sipcall", "view_callrecord")

        assert clerk("GET", f"calls/{lost}/unknown").status_code == 200
        for verb in ("again", "ask", "unknown"):
            assert clerk("POST", f"calls/{lost}/{verb}", {}).status_code == 403, verb
        assert LedgerEntry.objects.get().state == EntryState.UNKNOWN


class CostTests:
    @pytest.fixture
    def doubted(self, db: None) -> CallRecord:
        now = timezone.now()
        return CallRecord.objects.create(
            voice_id="v1",
            callee="919876500000",
            at=now,
            outcome="answered",
            source="push",
            first_seen_at=now,
            doubtful_cost=Decimal(5000),
            doubtful_currency="EUR",
        )

    @pytest.mark.parametrize(("take", "cost"), [(True, "5000.000000"), (False, None)])
    def test_decided_once_with_a_reason(self, api: Api, doubted: CallRecord, take: bool, cost: str | None) -> None:
        shown = api("GET", f"call-records/{doubted.pk}").json()
        assert (shown["doubtful_cost"], shown["cost"]) == ("5000.000000", None)
        assert api("POST", f"call-records/{doubted.pk}/cost", {"take": take}).status_code == 400

        word = {"take": take, "reason": "the invoice says so"}
        decided = [api("POST", f"call-records/{doubted.pk}/cost", word, Idempotency_Key="a") for _time in range(2)]

        assert [answer.json()["cost"] for answer in decided] == [cost, cost], decided[0].content
        assert "the invoice says so" in decided[0].json()["cost_word"]
        repeated = api("POST", f"call-records/{doubted.pk}/cost", word)
        assert (repeated.status_code, repeated.json()) == (200, decided[0].json())
        assert AuditEntry.objects.filter(kind="settled").count() == 1
        for other in ({"take": not take}, {"reason": "another"}):
            assert api("POST", f"call-records/{doubted.pk}/cost", word | other).status_code == 409

    def test_an_operator_does_not_decide(self, api: Api, api_with: Callable[..., Api], doubted: CallRecord) -> None:
        operator = User.objects.create_user("bob")
        operator.groups.add(Group.objects.get(name=OPERATOR))

        answer = api_with(user=operator)("POST", f"call-records/{doubted.pk}/cost", {"take": True, "reason": "x"})

        assert answer.status_code == 403


def test_records_of_one_group_call(api: Api, application: Application) -> None:
    now = timezone.now()
    common = {"callee": "919876500000", "at": now, "outcome": "busy", "source": "push", "first_seen_at": now}
    CallRecord.objects.create(voice_id="v1", task_id="K1", **common)
    CallRecord.objects.create(voice_id="v2", **common)
    tasks = [GroupTask.objects.create(name="x", application=application, key=key) for key in ("K1", "")]

    found = [api("GET", f"call-records?group_call={task.pk}").json()["items"] for task in tasks]

    assert [[one["voice_id"] for one in items] for items in found] == [["v1"], []]
    assert api("GET", "call-records?group_call=4711").status_code == 404


class PhoneTests:
    NEW = {"application": "voiceApp", "group": "counter", "name": "desk", "quantity": 2}

    def test_added_once_for_a_key(self, api: Api, sandbox: RunningSandbox, phone: SipPhone) -> None:
        before = len(at_sandbox(sandbox))

        added = [api("POST", "sip-phones", self.NEW, Idempotency_Key="a") for _time in range(2)]

        assert [answer.status_code for answer in added] == [202, 202], added[0].content
        expected = {"id": LedgerEntry.objects.get().pk, "application": "voiceApp", "name": "desk", "quantity": 2}
        assert added[0].json() == added[1].json() == expected | {"state": "accepted"}
        assert len(at_sandbox(sandbox)) == before + 2

    def test_repeated_without_a_key_they_are_added_once(
        self, api: Api, sandbox: RunningSandbox, phone: SipPhone
    ) -> None:
        before = len(at_sandbox(sandbox))
        first = api("POST", "sip-phones", self.NEW)
        early = api("POST", "sip-phones", self.NEW)
        phones.sync(phone.application)
        late = api("POST", "sip-phones", self.NEW)

        assert first.json() == early.json() == late.json(), (early.content, late.content)
        assert len(at_sandbox(sandbox)) == before + 2
        other = api("POST", "sip-phones", self.NEW | {"quantity": 1})
        assert other.json()["errors"][0]["field"] == "name"

    def test_a_lost_answer_is_not_asked_for_again(self, api: Api, sandbox: RunningSandbox, phone: SipPhone) -> None:
        sandbox.set_faults(next_fault="bad_gateway_after", next_calls=1)

        asked = [api("POST", "sip-phones", self.NEW, Idempotency_Key="a") for _time in range(2)]

        assert [answer.json()["state"] for answer in asked] == ["unknown", "unknown"]
        assert api("POST", "sip-phones", self.NEW).json()["errors"][0]["field"] == "name"
        assert LedgerEntry.objects.count() == 1

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"group": "abc"}, "group"),
            ({"name": "sip-1"}, "name"),
            ({"quantity": 51}, "quantity"),
            ({"quantity": 2**70}, "quantity"),
            ({"display_number": "12"}, "display_number"),
        ],
    )
    def test_bad_input_adds_nothing(self, api: Api, phone: SipPhone, changed: dict[str, Any], field: str) -> None:
        answer = api("POST", "sip-phones", self.NEW | changed)

        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field), answer.content
        assert not LedgerEntry.objects.exists()

    def test_a_password_is_told_once_and_kept_nowhere(self, api: Api, sandbox: RunningSandbox, phone: SipPhone) -> None:
        told = [api("POST", f"sip-phones/{phone.pk}/password", Idempotency_Key="a") for _time in range(2)]

        password = password_of(sandbox, phone.account)
        assert told[0].json() == {"id": phone.pk, "account": "test_001", "password": password}
        assert (told[1].status_code, LedgerEntry.objects.count()) == (409, 1)
        assert password not in told[1].content.decode()
        assert told[0]["Cache-Control"] == "no-store"
        assert password not in everything_stored()
        assert password not in str([vars(one) for one in (*RepeatableRequest.objects.all(), *AuditEntry.objects.all())])
        other = api("POST", f"sip-phones/{phone.pk}/password", Idempotency_Key="b")
        assert other.json()["password"] == password_of(sandbox, phone.account) != password

    def test_a_password_that_was_lost_is_asked_for_again(
        self, api: Api, sandbox: RunningSandbox, phone: SipPhone
    ) -> None:
        sandbox.set_faults(next_fault="bad_gateway_after", next_calls=1)
        lost = api("POST", f"sip-phones/{phone.pk}/password", Idempotency_Key="a")
        assert (lost.status_code, lost["Retry-After"]) == (503, "60")

        told = api("POST", f"sip-phones/{phone.pk}/password", Idempotency_Key="a")

        assert (told.status_code, told.json()["password"]) == (200, password_of(sandbox, phone.account))

    def test_one_that_is_gone_has_none(self, api: Api, phone: SipPhone) -> None:
        SipPhone.objects.update(gone_at=timezone.now())

        assert api("POST", f"sip-phones/{phone.pk}/password").status_code == 409
        assert api("POST", f"sip-phones/{2**70}/password").status_code == 404

    def test_it_wants_the_right_to_provision(self, api_with: Callable[..., Api], phone: SipPhone) -> None:
        clerk = with_rights("clerk", api_with, "view_sipphone", "add_sipcall")

        assert clerk("POST", "sip-phones", self.NEW).status_code == 403
        assert clerk("POST", f"sip-phones/{phone.pk}/password").status_code == 403


class AudioTests:
    @pytest.fixture
    def kept(self, api: Api) -> int:
        return int(sent(api, "audio-files", "hello.wav", samples.tone()).json()["id"])

    def test_renamed_and_archived(self, api: Api, kept: int) -> None:
        changed = api("PATCH", f"audio-files/{kept}", {"name": "spring.wav", "is_archived": True})
        assert (changed.json()["name"], changed.json()["is_archived"]) == ("spring.wav", True), changed.content
        assert api("PATCH", f"audio-files/{kept}", {"is_archived": False}).json()["name"] == "spring.wav"

        api("POST", f"audio-files/{kept}/upload")
        late = api("PATCH", f"audio-files/{kept}", {"name": "summer.wav"})
        assert (late.status_code, late.json()["errors"][0]["field"]) == (409, "name")
        assert api("PATCH", f"audio-files/{kept}", {"name": "spring.wav"}).status_code == 200
        assert api("PATCH", f"audio-files/{kept}", {"name": "spring"}).status_code == 200  # the same again

    @pytest.mark.parametrize("asked", [{}, {"name": "x" * 40}, {"name": "spring.mp3"}, {"is_archived": "perhaps"}])
    def test_bad_input_changes_nothing(self, api: Api, kept: int, asked: dict[str, Any]) -> None:
        assert api("PATCH", f"audio-files/{kept}", asked).status_code == 400
        assert AudioFile.objects.get().name == "hello.wav"

    def test_deleted_unless_laaffic_has_it(self, api: Api, kept: int) -> None:
        api("POST", f"audio-files/{kept}/upload")
        assert api("DELETE", f"audio-files/{kept}").status_code == 409
        AudioFile.objects.update(file_id="")
        LedgerEntry.objects.all().delete()

        gone = [api("DELETE", f"audio-files/{kept}", Idempotency_Key=key) for key in ("a", "a", "b")]

        assert [answer.status_code for answer in gone] == [204, 204, 404]
        assert AuditEntry.objects.filter(kind="deleted").count() == 1

    def test_one_that_a_group_call_plays_stays(self, api: Api, kept: int, application: Application) -> None:
        GroupTask.objects.create(name="x", application=application, audio_id=kept)

        assert api("DELETE", f"audio-files/{kept}").status_code == 409
        assert AudioFile.objects.exists()

    def test_a_name_that_is_taken_is_told_at_the_id_that_was_sent(self, api: Api, sandbox: RunningSandbox) -> None:
        file_id = there(sandbox)
        AudioFile.objects.create(name="other.mp3", audio_type="mp3", content=b"x", size=1, digest="x", seconds=1)

        refused = api("POST", "audio-files/elsewhere", {"file_id": file_id})

        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "file_id"), refused.content

    def test_taken_over_from_elsewhere_once(self, api: Api, sandbox: RunningSandbox) -> None:
        file_id = there(sandbox)
        [listed] = api("GET", "audio-files/elsewhere").json()["files"]
        assert (listed["file_id"], listed["name"]) == (file_id, "other.mp3")

        taken = [api("POST", "audio-files/elsewhere", {"file_id": file_id}) for _time in range(2)]

        assert [answer.status_code for answer in taken] == [201, 201], taken[0].content
        assert taken[0].json()["id"] == taken[1].json()["id"] == AudioFile.objects.get().pk
        assert api("GET", "audio-files/elsewhere").json() == {"files": []}
        assert api("POST", "audio-files/elsewhere", {"file_id": "nothing"}).status_code == 400


class AttachmentTests:
    def test_archived_offered_again_and_deleted(self, api: Api) -> None:
        pk = sent(api, "attachments", "beach.png", samples.picture()).json()["id"]
        changed = [api("PATCH", f"attachments/{pk}", {"is_archived": one}).json() for one in (True, False)]
        assert [one["is_archived"] for one in changed] == [True, False]
        assert api("PATCH", f"attachments/{pk}", {}).status_code == 400
        MmsAttachment.objects.update(used_at=timezone.now())
        assert api("DELETE", f"attachments/{pk}").status_code == 409

        MmsAttachment.objects.update(used_at=None)
        assert [api("DELETE", f"attachments/{pk}").status_code for _time in range(2)] == [204, 404]
        assert AuditEntry.objects.filter(kind="deleted").count() == 1


class SyncTests:
    LISTS = {"sip-phones": ["phones voiceApp"], "call-records": ["group records", "sip records"]}
    LISTS |= {"group-calls": ["group tasks"]}

    @pytest.mark.parametrize("name", LISTS)
    def test_a_worker_is_asked_to_read_it(self, api: Api, application: Application, name: str) -> None:
        asked = api("POST", f"{name}/sync", Idempotency_Key="a")

        assert asked.status_code == 202, asked.content
        assert [one["name"] for one in asked.json()["lists"]] == self.LISTS[name]
        assert all(one["is_running"] for one in api("GET", f"{name}/sync").json()["lists"])
        assert VoiceSync.objects.exclude(requested_at=None).count() == len(self.LISTS[name])

    @pytest.mark.parametrize("name", LISTS)
    def test_nothing_is_read_where_nobody_uses_it(self, api: Api, api_with: Callable[..., Api], name: str) -> None:
        assert api("POST", f"{name}/sync").status_code == 409
        looking = ("view_sipphone", "view_callrecord", "view_grouptask")
        clerk = with_rights("clerk", api_with, *looking)
        assert clerk("GET", f"{name}/sync").json() == {"lists": []}
        assert clerk("POST", f"{name}/sync").status_code == 403
        assert not VoiceSync.objects.exists()
