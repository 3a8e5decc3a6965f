"""What is done to email campaigns by scripts beside launching them: edited, tried, approved, taken back, settled."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.utils import timezone

from laaffic_console.audit.models import AuditEntry
from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.kit.words.people import APPROVER, OPERATOR
from laaffic_console.kit.words.said import read
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Approval, Calendar, EmailCampaign
from messaging.services.email import states as email_states
from tests.api.conftest import Api
from tests.messaging.conftest import point_at

pytestmark = pytest.mark.django_db(transaction=True)

MAIL = {
    "application": "fKFtblIy",
    "from_address": "test@mailpush.laaffic.cn",
    "receiver_id": "1001",
    "template_id": "1",
    "subject": "hello world",
}


@pytest.fixture(autouse=True)
def mail_app(db: None, settings: LazySettings) -> Application:
    settings.LAAFFIC_PUSH_TOKENS = ["a-token-that-nobody-guesses"]
    settings.CONSOLE_URL = "http://127.0.0.1:9"
    cache.clear()
    return Application.objects.create(app_id="fKFtblIy", channel="email")


@pytest.fixture
def at_laaffic(sandbox: RunningSandbox, api: Api, settings: LazySettings) -> RunningSandbox:
    point_at(settings, sandbox)
    return sandbox


def drafted(api: Api, **changed: Any) -> int:
    made = api("POST", "email-campaigns", MAIL | changed)
    assert made.status_code == 201, made.content
    return int(made.json()["id"])


def changed(api: Api, pk: int, asked: dict[str, Any], **headers: str) -> Any:
    seen = api("GET", f"email-campaigns/{pk}").json()["seen"]
    return api("PATCH", f"email-campaigns/{pk}", {"seen": seen} | asked, **headers)


@pytest.mark.parametrize("step", ["cancel", "take-back"])
def test_a_step_that_two_take_at_once_is_taken_once(api: Api, beside: Callable[..., list[Any]], step: str) -> None:
    pk = drafted(api)
    api("POST", f"email-campaigns/{pk}/launch", {"undo_seconds": 60})

    first, second = beside("POST", f"email-campaigns/{pk}/{step}", None)

    assert (first.status_code, second.status_code) == (200, 200), second.content
    assert first.json() == second.json()


def told(*texts: str) -> int:
    """How often its history says one of these."""
    return sum(str(event.text) in texts for event in EmailCampaign.objects.get().events.all())


def one_of(role: str, name: str, api_with: Callable[..., Api]) -> Api:
    user = User.objects.create_user(name)
    user.groups.add(Group.objects.get(name=role))
    return api_with(user=user)


class DraftTests:
    def test_what_is_not_said_stays(self, api: Api) -> None:
        pk = drafted(api, ad_flag=1, consent_known_by="a form")
        Calendar.objects.create(name="Days", hours="mon-sun 00:00-24:00")
        asked = {"subject": "Other", "ad_flag": None, "calendar": "Days", "purpose": "marketing"}

        seen = api("GET", f"email-campaigns/{pk}").json()["seen"]

        body = {"seen": seen} | asked
        answers = [api("PATCH", f"email-campaigns/{pk}", body, Idempotency_Key="a") for _time in range(2)]

        assert [answer.status_code for answer in answers] == [200, 200], answers[0].content
        now = api("GET", f"email-campaigns/{pk}").json()
        assert answers[0].json() == now
        assert {name: now[name] for name in asked} == asked
        assert (now["receiver_id"], now["consent_known_by"]) == ("1001", "a form")
        assert told("Edited") == 1

    def test_what_was_written_and_edited_is_recorded(self, api: Api) -> None:
        pk = drafted(api)
        changed(api, pk, {"subject": "Other"})

        entries = AuditEntry.objects.filter(object_kind="messaging.emailcampaign", object_id=str(pk)).order_by("pk")
        assert [entry.kind for entry in entries] == ["added", "changed"]
        [[field, *values]] = entries[1].summary["changes"]
        assert (read(field), values) == ("subject", ["hello world", "Other"])

    def test_repeated_or_as_it_is_already_nothing_changes(self, api: Api) -> None:
        pk = drafted(api)
        asked = {"seen": api("GET", f"email-campaigns/{pk}").json()["seen"], "subject": "another"}

        assert [api("PATCH", f"email-campaigns/{pk}", asked).status_code for _time in range(2)] == [200, 200]
        assert told("Edited") == 1

    def test_seen_is_the_same_for_who_made_it(self, api: Api, settings: LazySettings) -> None:
        settings.TIME_ZONE = "Asia/Kolkata"
        at = (timezone.now() + dt.timedelta(days=2)).isoformat()
        made = api("POST", "email-campaigns", MAIL | {"scheduled_at": at}).json()

        assert made["seen"] == api("GET", f"email-campaigns/{made['id']}").json()["seen"]

    def test_only_as_it_was_seen(self, api: Api) -> None:
        pk = drafted(api)
        seen = api("GET", f"email-campaigns/{pk}").json()["seen"]
        assert api("PATCH", f"email-campaigns/{pk}", {"subject": "Mine", "seen": seen}).status_code == 200

        late = api("PATCH", f"email-campaigns/{pk}", {"subject": "Theirs", "seen": seen})

        assert (late.status_code, EmailCampaign.objects.get().subject) == (409, "Mine")
        assert "changed it since you looked" in late.json()["detail"]

    @pytest.mark.parametrize(
        ("asked", "field"),
        [
            ({"from_address": "nobody"}, "from_address"),
            ({"subject": "a\nb"}, "subject"),
            ({"subject": None}, "subject"),
            ({"not_after": "2030-01-01T00:00:00Z", "scheduled_at": "2030-01-02T00:00:00Z"}, "not_after"),
            ({"trigger_id": 2**70}, "trigger_id"),
            ({}, ""),
            ({"seen": None}, "seen"),
        ],
    )
    def test_bad_input_changes_nothing(self, api: Api, asked: dict[str, Any], field: str) -> None:
        pk = drafted(api)
        before = api("GET", f"email-campaigns/{pk}").json()

        answer = changed(api, pk, asked)

        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field), answer.content
        assert api("GET", f"email-campaigns/{pk}").json() == before

    def test_what_was_launched_is_neither_edited_nor_deleted(self, api: Api) -> None:
        pk = drafted(api)
        api("POST", f"email-campaigns/{pk}/launch", {})

        answers = [changed(api, pk, {"subject": "x"}), api("DELETE", f"email-campaigns/{pk}")]

        assert [answer.status_code for answer in answers] == [409, 409]
        assert EmailCampaign.objects.get().subject == MAIL["subject"]

    def test_deleted_once_and_noted(self, api: Api) -> None:
        pk = drafted(api)

        gone = [api("DELETE", f"email-campaigns/{pk}", Idempotency_Key=key) for key in ("a", "a", "b")]

        assert [answer.status_code for answer in gone] == [204, 204, 404]
        assert not EmailCampaign.objects.exists()
        assert AuditEntry.objects.filter(kind="deleted", object_id=str(pk)).count() == 1

    def test_an_approver_of_no_drafts_changes_none(self, api: Api, api_with: Callable[..., Api]) -> None:
        pk, approver = drafted(api), one_of(APPROVER, "eve", api_with)

        assert approver("PATCH", f"email-campaigns/{pk}", {"subject": "x"}).status_code == 403
        assert approver("DELETE", f"email-campaigns/{pk}").status_code == 403


class TryingTests:
    TO = {"address": "ann@example.com", "values": {"name": "Ann"}}

    def test_one_mail_for_a_key(self, api: Api, at_laaffic: RunningSandbox) -> None:
        pk = drafted(api)

        sent = [api("POST", f"email-campaigns/{pk}/test", self.TO, Idempotency_Key="a") for _time in range(2)]

        assert [answer.status_code for answer in sent] == [202, 202], sent[0].content
        assert sent[0].json() == sent[1].json() == {"id": pk, "state": "accepted"}
        assert list(LedgerEntry.objects.values_list("interface", flat=True)) == ["email/sendEmail"]

    def test_a_lost_answer_wants_a_reason_for_another(self, api: Api, at_laaffic: RunningSandbox) -> None:
        pk = drafted(api)
        at_laaffic.set_faults(next_fault="bad_gateway_after", next_calls=1)

        lost = [api("POST", f"email-campaigns/{pk}/test", self.TO, Idempotency_Key="a") for _time in range(2)]
        assert [answer.json()["state"] for answer in lost] == ["unknown", "unknown"]
        assert api("POST", f"email-campaigns/{pk}/test", self.TO).status_code == 409
        assert LedgerEntry.objects.count() == 1
        assert api("POST", f"email-campaigns/{pk}/test", {**self.TO, "again": "nothing came"}).status_code == 202

    @pytest.mark.parametrize(
        ("changed", "field"), [({"address": "nobody"}, "address"), ({"values": ["x"]}, "values"), ({"to": "x"}, "to")]
    )
    def test_bad_input_sends_nothing(
        self, api: Api, at_laaffic: RunningSandbox, changed: dict[str, Any], field: str
    ) -> None:
        answer = api("POST", f"email-campaigns/{drafted(api)}/test", self.TO | changed)

        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
        assert not LedgerEntry.objects.exists()

    def test_a_draft_that_is_wrong_is_not_tried_checked_or_launched(self, api: Api) -> None:
        pk = drafted(api)
        Application.objects.update(is_active=False)

        for method, verb, body in (("POST", "test", self.TO), ("GET", "check", None), ("POST", "launch", {})):
            refused = api(method, f"email-campaigns/{pk}/{verb}", body)
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "application")

    def test_only_a_draft_is_tried(self, api: Api, at_laaffic: RunningSandbox) -> None:
        pk = drafted(api)
        EmailCampaign.objects.update(state="running")

        assert api("POST", f"email-campaigns/{pk}/test", self.TO).status_code == 409
        assert not LedgerEntry.objects.exists()


class LookUpTests:
    def test_what_can_be_chosen_is_asked_for(self, api: Api, at_laaffic: RunningSandbox) -> None:
        assert api("GET", "email-choices?kind=list").json()["items"] == []

        found = api("POST", "email-choices/look-up", {"application": "fKFtblIy"}).json()["lookups"]

        assert {one["kind"]: one["problem"] for one in found} == {"template": "", "list": "", "sender": ""}
        lists = api("GET", "email-choices?kind=list").json()["items"]
        assert next(one["choices"] for one in found if one["kind"] == "list") == len(lists) > 0
        assert len(api("POST", "email-choices/look-up", {}).json()["lookups"]) == 3
        assert api("POST", "email-choices/look-up", {"application": "nobody"}).status_code == 400

    def test_it_wants_the_right_to_write_drafts(self, api_with: Callable[..., Api]) -> None:
        assert one_of(APPROVER, "eve", api_with)("POST", "email-choices/look-up", {}).status_code == 403


class ApprovalTests:
    @pytest.fixture(autouse=True)
    def _limits(self, settings: LazySettings, at_laaffic: RunningSandbox) -> None:
        settings.LAAFFIC_APPROVAL_RECIPIENTS = 2  # three are on the list

    def test_asked_for_approved_and_launched(self, api: Api, api_with: Callable[..., Api]) -> None:
        pk, approver = drafted(api), one_of(APPROVER, "eve", api_with)
        assert api("POST", f"email-campaigns/{pk}/launch", {}).status_code == 409
        needs = api("GET", f"email-campaigns/{pk}/approval").json()
        assert (needs["approval"], bool(needs["needed"]), bool(needs["missing"])) == (None, True, True)

        asked = [api("POST", f"email-campaigns/{pk}/approval/ask", {"note": "spring"}) for _time in range(2)]
        assert [answer.json()["outcome"] for answer in asked] == ["asked", "asked"], asked[0].content
        assert Approval.objects.count() == 1
        shown = approver("GET", f"email-campaigns/{pk}/approval").json()["approval"]
        assert (shown["asked_by"], shown["asked_note"], shown["recipients"]) == ("shop", "spring", 3)

        decision = {"seen": shown["seen"], "note": "fine"}
        given = [approver("POST", f"email-campaigns/{pk}/approval/approve", decision) for _time in range(2)]
        assert [answer.json()["outcome"] for answer in given] == ["approved", "approved"], given[0].content
        assert api("GET", f"email-campaigns/{pk}/approval").json()["missing"] == ""
        assert api("POST", f"email-campaigns/{pk}/launch", {}).json()["state"] == "sending"

    def test_nobody_approves_their_own(self, api: Api, api_with: Callable[..., Api]) -> None:
        pk = drafted(api)
        seen = api("POST", f"email-campaigns/{pk}/approval/ask", {}).json()["seen"]

        own = api("POST", f"email-campaigns/{pk}/approval/approve", {"seen": seen})

        assert (own.status_code, Approval.objects.get().outcome) == (409, "asked")
        operator = one_of(OPERATOR, "bob", api_with)
        assert operator("POST", f"email-campaigns/{pk}/approval/approve", {"seen": seen}).status_code == 403

    def test_only_what_was_seen_is_approved(self, api: Api, api_with: Callable[..., Api]) -> None:
        pk, approver = drafted(api), one_of(APPROVER, "eve", api_with)
        seen = api("POST", f"email-campaigns/{pk}/approval/ask", {}).json()["seen"]
        changed(api, pk, {"subject": "Other"})
        assert Approval.objects.get().outcome == "void"
        api("POST", f"email-campaigns/{pk}/approval/ask", {})

        late = approver("POST", f"email-campaigns/{pk}/approval/approve", {"seen": seen})

        assert (late.status_code, Approval.objects.latest("pk").outcome) == (409, "asked")
        assert approver("POST", f"email-campaigns/{pk}/approval/approve", {"seen": "x"}).status_code == 409

    def test_a_refusal_says_why(self, api: Api, api_with: Callable[..., Api]) -> None:
        pk, approver = drafted(api), one_of(APPROVER, "eve", api_with)
        seen = api("POST", f"email-campaigns/{pk}/approval/ask", {}).json()["seen"]
        assert approver("POST", f"email-campaigns/{pk}/approval/refuse", {"seen": seen}).status_code == 400

        refused = approver("POST", f"email-campaigns/{pk}/approval/refuse", {"seen": seen, "note": "too soon"})

        assert (refused.json()["outcome"], refused.json()["decided_by"]) == ("refused", "eve")
        assert "too soon" in api("POST", f"email-campaigns/{pk}/launch", {}).json()["detail"]


class SteeringTests:
    DAY = timezone.now() + dt.timedelta(days=60)

    @pytest.mark.parametrize("verb", ["take-back", "edit"])
    def test_what_waits_for_its_time_is_a_draft_again(self, api: Api, verb: str) -> None:
        pk = drafted(api, scheduled_at=self.DAY.isoformat())
        assert api("POST", f"email-campaigns/{pk}/launch", {}).json()["state"] == "scheduled"

        back = [api("POST", f"email-campaigns/{pk}/{verb}") for _time in range(2)]

        assert [answer.json() for answer in back] == [{"id": pk, "state": "draft"}] * 2
        assert told("Back to a draft", "Taken back before anything left") == 1

    def test_a_launch_can_be_taken_back_for_so_long(self, api: Api) -> None:
        pk = drafted(api)
        assert api("POST", f"email-campaigns/{pk}/launch", {"undo_seconds": 61}).status_code == 400
        assert api("POST", f"email-campaigns/{pk}/launch", {"undo_seconds": 60}).json()["state"] == "scheduled"

        assert api("POST", f"email-campaigns/{pk}/take-back").json()["state"] == "draft"
        assert not LedgerEntry.objects.exists()

    def test_what_may_have_left_is_not_taken_back(self, api: Api) -> None:
        pk = drafted(api)
        EmailCampaign.objects.update(state="running")

        assert [api("POST", f"email-campaigns/{pk}/{verb}").status_code for verb in ("take-back", "edit")] == [409, 409]

    def test_an_approver_lets_it_leave_outside_its_hours(self, api: Api, api_with: Callable[..., Api]) -> None:
        pk, approver = drafted(api), one_of(APPROVER, "eve", api_with)
        EmailCampaign.objects.update(state="sending", waits_for_hours=True, not_before=self.DAY)
        operator = one_of(OPERATOR, "bob", api_with)
        assert operator("POST", f"email-campaigns/{pk}/outside-hours", {"reason": "x"}).status_code == 403
        assert approver("POST", f"email-campaigns/{pk}/outside-hours", {}).status_code == 400

        let_go = [approver("POST", f"email-campaigns/{pk}/outside-hours", {"reason": "a recall"}) for _time in range(2)]

        assert [answer.status_code for answer in let_go] == [200, 200], let_go[0].content
        campaign = EmailCampaign.objects.get()
        assert (campaign.outside_hours, campaign.not_before) == (True, None)
        assert told("Sent outside its hours: a recall") == 1


class LostAnswerTests:
    @pytest.fixture
    def lost(self, api: Api, mail_app: Application) -> int:
        pk = drafted(api)
        campaign = EmailCampaign.objects.get()
        entry = ledger.prepare(
            interface=email_states.INTERFACE,
            application=mail_app,
            about_kind=email_states.ABOUT,
            about_id=pk,
            summary={},
        )
        LedgerEntry.objects.update(state=EntryState.UNKNOWN, left_at=timezone.now())
        EmailCampaign.objects.update(state="unknown", entry=entry)
        return campaign.pk

    def test_its_evidence(self, api: Api, lost: int) -> None:
        shown = api("GET", f"email-campaigns/{lost}/unknown").json()

        [entry] = LedgerEntry.objects.all()
        assert (shown["state"], shown["seen"], shown["may_have_arrived"]) == ("unknown", entry.pk, True)
        assert [(one["id"], one["state"]) for one in shown["requests"]] == [(entry.pk, "unknown")]

    @pytest.mark.parametrize(("word", "state"), [("send_again", "sending"), ("write_off", "cancelled")])
    def test_settled_by_a_word_once(self, api: Api, lost: int, word: str, state: str) -> None:
        seen = api("GET", f"email-campaigns/{lost}/unknown").json()["seen"]
        asked = {"word": word, "reason": "I asked Laaffic", "seen": seen}
        late = api("POST", f"email-campaigns/{lost}/unknown", asked | {"seen": seen + 1})
        assert (late.status_code, EmailCampaign.objects.get().state) == (409, "unknown")

        settled = [api("POST", f"email-campaigns/{lost}/unknown", asked) for _time in range(2)]

        assert [answer.json() for answer in settled] == [{"id": lost, "state": state}] * 2
        assert told("Sent again after a lost answer: I asked Laaffic", "Written off: I asked Laaffic") == 1

    def test_a_word_wants_a_reason_and_the_right(self, api: Api, api_with: Callable[..., Api], lost: int) -> None:
        asked = {"word": "send_again", "reason": " ", "seen": 0}
        assert api("POST", f"email-campaigns/{lost}/unknown", asked).status_code == 400
        operator = one_of(OPERATOR, "bob", api_with)
        assert operator("POST", f"email-campaigns/{lost}/unknown", asked).status_code == 403
        assert EmailCampaign.objects.get().state == "unknown"
