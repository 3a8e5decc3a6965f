"""Where the gateway pushes to: the path is the secret, the body is stored first and answered at once."""

import json
from typing import Any

import pytest
from django.conf import LazySettings
from django.http import HttpResponse
from django.test import Client

from laaffic_console.gateway.models import PushedBody

pytestmark = pytest.mark.django_db

TOKEN = "a-token-that-nobody-guesses"
REPORT = {"msgid": "2512111030001", "mobile": "919876543210", "status": "0", "orderId": "lc-1"}


@pytest.fixture(autouse=True)
def _tokens(settings: LazySettings) -> None:
    settings.LAAFFIC_PUSH_TOKENS = [TOKEN]
    settings.LAAFFIC_PUSH_SOURCES = []


def push(body: Any, *, token: str = TOKEN, kind: str = "sms-report", **extra: Any) -> HttpResponse:
    data = body if isinstance(body, str | bytes) else json.dumps(body)
    given = {"content_type": "application/json", **extra}
    return Client(enforce_csrf_checks=True).post(f"/hooks/{token}/{kind}/", data, **given)


class StoreTests:
    @pytest.mark.parametrize("body", [REPORT, [REPORT, REPORT], {"array": [REPORT]}, [], {}])
    def test_a_body_is_stored_as_it_came_and_answered(self, body: Any) -> None:
        answer = push(body)

        assert answer.status_code == 200
        assert answer.json() == {"status": "0", "reason": "success"}
        kept = PushedBody.objects.get()
        assert json.loads(kept.body) == body
        assert (kept.kind, kept.source, kept.applied_at) == ("sms-report", "127.0.0.1", None)

    def test_what_is_no_report_is_stored_too(self) -> None:
        """A push that was answered with an error comes again and again; what it lacks is said in the inbox."""
        assert push({"hello": "world"}).status_code == 200
        assert PushedBody.objects.count() == 1

    @pytest.mark.parametrize("kind", ["sms-reply", "voice-report", "email-report"])
    def test_each_kind_has_its_address(self, kind: str) -> None:
        assert push(REPORT, kind=kind).status_code == 200
        assert PushedBody.objects.get().kind == kind

    def test_repeats_are_each_stored(self) -> None:
        push(REPORT)
        push(REPORT)

        assert PushedBody.objects.count() == 2

    def test_a_content_type_may_name_its_charset(self) -> None:
        assert push(REPORT, content_type="application/json;charset=UTF-8").status_code == 200

    def test_a_byte_order_mark_is_no_obstacle(self) -> None:
        push(b"\xef\xbb\xbf" + json.dumps(REPORT).encode())

        assert json.loads(PushedBody.objects.get().body) == REPORT

    def test_the_gateway_has_no_csrf_token(self) -> None:
        assert push(REPORT).status_code == 200


class RefusalTests:
    @pytest.mark.parametrize("token", ["wrong", TOKEN[:-1], TOKEN + "x", "ümlaut", "%00"])
    def test_a_wrong_token_finds_nothing(self, token: str) -> None:
        assert push(REPORT, token=token).status_code == 404
        assert not PushedBody.objects.exists()

    def test_an_unknown_kind_finds_nothing(self) -> None:
        assert push(REPORT, kind="fax-report").status_code == 404

    def test_without_tokens_nothing_is_taken(self, settings: LazySettings) -> None:
        settings.LAAFFIC_PUSH_TOKENS = []

        assert push(REPORT).status_code == 404

    @pytest.mark.parametrize("method", ["get", "put", "delete", "patch", "head", "options"])
    def test_only_post_is_allowed(self, method: str) -> None:
        answer = getattr(Client(), method)(f"/hooks/{TOKEN}/sms-report/")

        assert answer.status_code == 405

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_a_wrong_token_is_not_told_what_is_allowed(self, method: str) -> None:
        assert getattr(Client(), method)("/hooks/wrong/sms-report/").status_code == 404

    @pytest.mark.parametrize(
        "body",
        [
            " ",
            "not json",
            '{"msgid": ',
            '"text"',
            "7",
            "null",
            b"\xff\xfe{",
            b'{"msgid": "1\x00"}',
            "[" * 100_000,
            '{"a": ' + "9" * 5000 + "}",
        ],
    )
    def test_what_is_no_json_object_or_list_is_refused(self, body: str | bytes) -> None:
        answer = push(body)

        assert answer.status_code == 400
        assert answer.json() == {"status": "-400", "reason": "not JSON"}
        assert not PushedBody.objects.exists()

    @pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "text/json", ""])
    def test_another_content_type_is_refused(self, content_type: str) -> None:
        answer = push(json.dumps(REPORT), content_type=content_type)

        assert answer.status_code == 415
        assert not PushedBody.objects.exists()

    def test_a_body_too_large_is_refused(self, settings: LazySettings) -> None:
        settings.PUSH_MAX_BYTES = 1000

        assert push([REPORT] * 100).status_code == 413
        assert push(REPORT).status_code == 200
        assert PushedBody.objects.count() == 1


class SourceTests:
    @pytest.mark.parametrize(
        ("address", "status"),
        [("203.0.113.7", 200), ("198.51.100.9", 200), ("198.51.100.200", 404), ("2001:db8::1", 404), ("", 404)],
    )
    def test_only_listed_addresses_may_push(self, settings: LazySettings, address: str, status: int) -> None:
        settings.LAAFFIC_PUSH_SOURCES = ["203.0.113.7", "198.51.100.0/28"]

        assert push(REPORT, REMOTE_ADDR=address).status_code == status
        assert PushedBody.objects.count() == (status == 200)

    def test_a_forwarding_header_proves_nothing(self, settings: LazySettings) -> None:
        settings.LAAFFIC_PUSH_SOURCES = ["203.0.113.7"]

        assert push(REPORT, REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR="203.0.113.7").status_code == 404

    def test_the_source_is_kept(self) -> None:
        push(REPORT, REMOTE_ADDR="2001:db8::1")

        assert PushedBody.objects.get().source == "2001:db8::1"


class RotationTests:
    def test_several_tokens_are_good_at_a_time(self, settings: LazySettings) -> None:
        settings.LAAFFIC_PUSH_TOKENS = ["the-new-token-of-today", TOKEN]

        assert push(REPORT).status_code == 200
        assert push(REPORT, token="the-new-token-of-today").status_code == 200

        settings.LAAFFIC_PUSH_TOKENS = ["the-new-token-of-today"]
        assert push(REPORT).status_code == 404
