"""What is wrong in a request is 400 at its field, what only its moment forbids 409: whoever says so, Laaffic too."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from laaffic_console.gateway.models import Application, Channel
from laaffic_console.sandbox.testing import RunningSandbox
from phone_numbers.models import NumberPool, OwnedNumber
from phone_numbers.services import owned_sync, pool_sync
from tests.api.conftest import Api
from tests.messaging.conftest import point_at
from voice.models import SipPhone, VoiceSync

pytestmark = pytest.mark.django_db

NUMBER = "+919876500000"
BIND = {"application": "NumApp1", "a": "+919876543210", "b": "+919876543211", "pool": "918885"}
MAIL = {"from_address": "test@mailpush.laaffic.cn", "receiver_id": "1000", "template_id": "1", "subject": "News"}
SPOKEN = {"application": "Voice1", "name": "Reminder", "text": "Hello", "language": "EN", "to": [NUMBER]}
PHONES = {"application": "Voice1", "group": "shop", "name": "till"}
POOL = {"pool": "777", "whitelist": ["10.0.0.9"], "concurrency": 5}


@pytest.fixture
def applications(db: None) -> None:
    for channel, app_id in ((Channel.NUMBER, "NumApp1"), (Channel.EMAIL, "Mail1"), (Channel.VOICE, "Voice1")):
        Application.objects.create(app_id=app_id, name=app_id, channel=channel)


def told(answer: Any) -> tuple[int, list[str]]:
    return answer.status_code, [one["field"] for one in answer.json().get("errors", [])]


@pytest.mark.parametrize(
    ("address", "field", "body"),
    [
        ("groups", "name", {}),
        ("audiences", "name", {"condition": "country = IN"}),
        ("templates", "name", {"text": "Hello"}),
        ("calendars", "name", {"hours": ["mon 09:00-10:00"]}),
        ("saved-answers", "title", {"text": "Hello"}),
        ("reports", "name", {"query": ""}),
    ],
)
def test_a_name_that_is_taken_is_wrong_at_its_field(api: Api, address: str, field: str, body: dict[str, Any]) -> None:
    assert api("POST", address, {field: "Diwali", **body}).status_code == 201
    other = api("POST", address, {field: "Holi", **body}).json()["id"]

    taken = [api("POST", address, {field: "Diwali", **body}), api("PATCH", f"{address}/{other}", {field: "Diwali"})]

    assert [told(answer) for answer in taken] == [(400, [field])] * 2, taken[0].content
    assert all(f"another {field}" in answer.json()["detail"] for answer in taken)


def test_a_number_that_another_contact_has(api: Api) -> None:
    api("POST", "contacts", {"number": NUMBER})
    other = api("POST", "contacts", {"number": "+919876500001"}).json()["id"]

    taken = api("PATCH", f"contacts/{other}", {"number": NUMBER})

    assert told(taken) == (400, ["number"])
    assert taken.json()["detail"].startswith("Another contact has this number.")


def test_a_name_that_nothing_has_is_told_at_its_field(api: Api, application: Application) -> None:
    draft = {"application": application.app_id, "name": "Diwali", "text": "Hello"}
    asked: dict[str, tuple[str, Any]] = {
        "application": ("campaigns", {**draft, "application": "x"}),
        "groups": ("campaigns", {**draft, "groups": ["x"]}),
        "excluded_groups": ("campaigns", {**draft, "excluded_groups": ["x"]}),
        "audiences": ("campaigns", {**draft, "audiences": ["x"]}),
        "calendar": ("campaigns", {**draft, "calendar": "x"}),
        "to": ("campaigns", {**draft, "to": [NUMBER, "x"]}),
        "group": ("contacts", {"number": NUMBER, "group": "x"}),
        "number": ("contacts", {"number": "x"}),
        "attributes": ("contacts", {"number": NUMBER, "attributes": {"country": "IN"}}),
        "region": ("suppression", {"to": [NUMBER], "region": "UK"}),
        "account": ("calls", {"account": "x", "number": NUMBER}),
        "format": ("exports", {"kind": "contacts", "format": "zip"}),
        "query": ("exports", {"kind": "contacts", "query": "country=nowhere"}),
        "template": ("messages", {"application": application.app_id, "template": "x" * 5000, "to": [NUMBER]}),
    }

    assert {field: told(api("POST", *request)) for field, request in asked.items()} == {
        field: (400, [field]) for field in asked
    }


def test_a_filter_that_fits_nothing_does_not_list_everything(api: Api) -> None:
    asked = ("bindings?is_live=", "owned-numbers?is_gone=", "account-holds?open=", "group-calls?is_template=")

    assert {api("GET", address).status_code for address in asked} == {400}
    assert api("GET", "messages?campaign=404").status_code == 404
    assert told(api("POST", "reports", {"name": "Sent", "query": "chanel=sms"})) == (400, ["query"])
    assert told(api("GET", "report?first=2026-01-01&last=2026-01-31&channel=fax")) == (400, ["channel"])


def test_what_would_fit_is_said(api: Api) -> None:
    asked = {
        "Choose from: sms, email, mms, voice, all.": api("POST", "suppression", {"to": [NUMBER], "channel": "fax"}),
        "not JSON from line 1, column 12": api("POST", "contacts", '{"number": '),
        "not UTF-8 from byte 13": api("POST", "contacts", b'{"number": "\xff"}'),
        "Content-Type: application/json": post_as(api, "text/plain"),
        "Give a JSON object": api("POST", "contacts", []),
        "three letters, such as USD": api(
            "POST", "prices", {"prices": [{"country": "IN", "price": 1, "currency": "x"}]}
        ),
    }

    assert {said: said in answer.json()["detail"] for said, answer in asked.items()} == dict.fromkeys(asked, True)


def post_as(api: Api, content_type: str) -> Any:
    return Client().generic(
        "POST", "/api/v1/contacts", "{}", content_type=content_type, HTTP_AUTHORIZATION=f"Bearer {api.secret}"
    )


class SwitchedOffTests:
    @pytest.mark.parametrize(
        ("address", "body"),
        [
            ("bindings", BIND),
            ("email-campaigns", {**MAIL, "application": "Mail1"}),
            ("group-calls", SPOKEN),
            ("sip-phones", PHONES),
        ],
    )
    def test_an_application_that_is_off_is_a_state(
        self, api: Api, applications: None, address: str, body: dict[str, Any]
    ) -> None:
        Application.objects.update(is_active=False)
        VoiceSync.objects.create(name="phones Voice1", succeeded_at="2026-01-01T00:00Z")

        assert told(api("POST", address, body)) == (409, ["application"])

    def test_beside_a_wrong_value_the_request_is_wrong(self, api: Api, applications: None) -> None:
        Application.objects.update(is_active=False)

        refused = api("POST", "email-campaigns", {**MAIL, "application": "Mail1", "template_id": "a b"})

        assert told(refused) == (400, ["application", "template_id"])


class LaafficTests:
    pytestmark = pytest.mark.django_db(transaction=True)

    @pytest.fixture
    def ask(
        self, api: Api, sandbox: RunningSandbox, settings: LazySettings, applications: None
    ) -> Callable[[str, str], list[Any]]:
        """What each request is answered where Laaffic refuses it so."""
        point_at(settings, sandbox)
        pool_sync.sync()
        owned_sync.sync()
        pool, number = NumberPool.objects.get(pool_number="918885"), OwnedNumber.objects.order_by("pk")[0]
        VoiceSync.objects.create(name="phones Voice1", succeeded_at="2026-01-01T00:00Z")

        def asked(code: str) -> list[Any]:
            seen = {
                name: api("GET", name).json()["seen"] for name in (f"pools/{pool.pk}", f"owned-numbers/{number.pk}")
            }
            requests = [("bindings", BIND), ("pools", POOL), ("sip-phones", PHONES)]
            requests += [(f"pools/{pool.pk}", {"concurrency": 7}), (f"owned-numbers/{number.pk}", {"remark": code})]
            answers = []
            for address, body in requests:
                sandbox.set_faults(status=code, status_calls=1)
                with_seen = {**body, "seen": seen[address]} if address in seen else body
                answers.append(api("POST", address, with_seen))
            return answers

        return asked

    def test_a_wrong_call(self, api: Api, sandbox: RunningSandbox, settings: LazySettings, applications: None) -> None:
        point_at(settings, sandbox)
        voice = Application.objects.get(app_id="Voice1")
        SipPhone.objects.create(application=voice, account="till", last_seen_at=timezone.now())
        sandbox.set_faults(status="-22", status_calls=1)

        refused = api("POST", "calls", {"account": "till", "number": NUMBER})

        assert (refused.status_code, "errors" in refused.json()) == (400, False)  # nobody knows which field
        assert "Check the number" in refused.json()["detail"]

    def test_a_wrong_value_is_400_and_a_state_409(self, ask: Callable[[str], list[Any]]) -> None:
        assert {answer.status_code for answer in ask("-22")} == {400}
        assert {answer.status_code for answer in ask("-37")} == {409}
