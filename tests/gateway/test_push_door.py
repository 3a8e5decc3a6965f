"""Where the gateway pushes to: the path is the secret, the body is stored first and answered at once."""

import json
import logging
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import LazySettings, settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from laaffic_console.gateway.models import PushedBody
from laaffic_console.gateway.push_door import PushView
from laaffic_console.kit.masking.log_masks import MaskPushTokens

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

    def test_a_mark_in_the_address_comes_back_with_the_body(self) -> None:
        assert push(REPORT, kind="email-report/c0ffee42").status_code == 200
        assert PushedBody.objects.get().mark == "c0ffee42"

    @pytest.mark.parametrize("mark", ["C0FFEE", "a" * 41, "a/b", "%00", "é"])
    def test_what_cannot_be_a_mark_of_ours_is_no_address(self, mark: str) -> None:
        assert push(REPORT, kind=f"email-report/{mark}").status_code == 404

    def test_a_marked_address_needs_the_token_too(self) -> None:
        assert push(REPORT, kind="email-report/c0ffee42", token="wrong").status_code == 404

    def test_repeats_are_each_stored(self) -> None:
        push(REPORT)
        push(REPORT)

        assert PushedBody.objects.count() == 2

    def test_a_content_type_may_name_its_charset(self) -> None:
        assert push(REPORT, content_type="application/json;charset=UTF-8").status_code == 200

    def test_a_byte_order_mark_is_no_obstacle(self) -> None:
        push(b"\xef\xbb\xbf" + json.dumps(REPORT).encode())

        assert json.loads(PushedBody.objects.get().body) == REPORT

    @pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded"])
    def test_a_letter_in_another_encoding_costs_nothing_else(self, content_type: str) -> None:
        answer = push(b'{"content": "STOP \xe9", "from": "919876543210"}', content_type=content_type)

        assert answer.status_code == 200
        assert json.loads(PushedBody.objects.get().body) == {"content": "STOP \ufffd", "from": "919876543210"}

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

    @pytest.mark.parametrize(
        "content_type",
        [
            "text/plain",
            "text/plain;charset=UTF-8",
            "application/x-www-form-urlencoded",
            "application/x-www-form-urlencoded; charset=utf-8",
            "text/json",
            "application/problem+json",
            "application/octet-stream",
            "",
        ],
    )
    def test_json_under_another_name_is_taken_as_it_came(self, content_type: str) -> None:
        body = json.dumps({**REPORT, "reason": "100% + a=b&c"})

        answer = push(body, content_type=content_type)

        assert answer.status_code == 200
        assert PushedBody.objects.get().body == body

    @pytest.mark.parametrize("form", [{"data": json.dumps(REPORT)}, {json.dumps(REPORT): ""}])
    def test_json_in_a_form_is_taken_out_of_it(self, form: dict[str, str]) -> None:
        answer = push(urlencode(form), content_type="application/x-www-form-urlencoded")

        assert answer.status_code == 200
        assert json.loads(PushedBody.objects.get().body) == REPORT

    @pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
    @pytest.mark.parametrize("body", ["", "a=1&b=2", "msgid=1", "data=5", "data=%7B", "%zz", "&" * 1000, "hello"])
    def test_what_is_no_json_is_refused_under_any_name(self, content_type: str, body: str) -> None:
        assert push(body, content_type=content_type).status_code == 400
        assert not PushedBody.objects.exists()

    def test_an_empty_form_is_refused(self) -> None:
        """The test client names no content type beside an empty body, unless it is told to."""
        form = {"CONTENT_TYPE": "application/x-www-form-urlencoded"}

        answer = Client(raise_request_exception=False).generic("POST", f"/hooks/{TOKEN}/sms-report/", **form)

        assert answer.status_code == 400

    @pytest.mark.parametrize("mark", ["", "/mark1"])
    def test_a_callback_address_without_its_last_slash_is_the_same(self, mark: str) -> None:
        client = Client(enforce_csrf_checks=True)

        answer = client.post(f"/hooks/{TOKEN}/sms-report{mark}", json.dumps(REPORT), content_type="application/json")

        assert answer.status_code == 200
        assert PushedBody.objects.get().mark == mark.strip("/")

    @pytest.mark.parametrize("path", ["/hooks/wrong/sms-report", f"/hooks/{TOKEN}/nonsense", f"/hooks/{TOKEN}"])
    def test_without_its_slash_a_wrong_address_is_unknown_all_the_same(self, path: str) -> None:
        answer = Client().post(path, json.dumps(REPORT), content_type="application/json")

        assert answer.status_code in (301, 404)
        assert not PushedBody.objects.exists()

    @pytest.mark.parametrize("content_type", ["text/html", "multipart/form-data; boundary=x", "application/xml"])
    def test_another_content_type_is_refused(self, content_type: str) -> None:
        answer = push(json.dumps(REPORT), content_type=content_type)

        assert answer.status_code == 415
        assert not PushedBody.objects.exists()

    def test_a_body_too_large_is_refused(self, settings: LazySettings) -> None:
        settings.PUSH_MAX_BYTES = 1000

        assert push([REPORT] * 100).status_code == 413
        assert push(REPORT).status_code == 200
        assert PushedBody.objects.count() == 1

    def test_a_body_of_exactly_the_cap_is_taken(self, settings: LazySettings) -> None:
        body = json.dumps([REPORT])
        settings.PUSH_MAX_BYTES = len(body)

        assert push(body).status_code == 200
        settings.PUSH_MAX_BYTES = len(body) - 1
        assert push(body).status_code == 413

    def test_a_length_over_the_cap_is_not_read_at_all(self, settings: LazySettings) -> None:
        settings.PUSH_MAX_BYTES = 1000
        body = CountingBody(json.dumps([REPORT] * 100).encode())

        answer = push_stream(body, CONTENT_LENGTH="10800")

        assert (answer.status_code, body.given) == (413, 0)

    @pytest.mark.parametrize("length", ["", "abc", "-1", "９", "9" * 5000])
    def test_a_length_that_is_none_is_no_failure_of_ours(self, length: str) -> None:
        assert push_stream(CountingBody(b"{}"), CONTENT_LENGTH=length).status_code < 500


class ChunkedTests:
    """No Content-Length: the server hands over the chunks' contents and says where they end."""

    CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}

    def test_up_to_the_cap_it_is_taken(self) -> None:
        body = json.dumps([REPORT] * 100)

        assert push_stream(CountingBody(body.encode()), **self.CHUNKED).status_code == 200
        assert json.loads(PushedBody.objects.get().body) == [REPORT] * 100

    def test_over_the_cap_it_is_refused_and_not_read_whole(self, settings: LazySettings) -> None:
        settings.PUSH_MAX_BYTES = 1000
        body = CountingBody(b" " * 1_000_000)

        answer = push_stream(body, **self.CHUNKED)

        assert (answer.status_code, body.given) == (413, 1001)
        assert not PushedBody.objects.exists()

    def test_where_the_server_leaves_the_chunks_in_nothing_is_read(self) -> None:
        body = CountingBody(b"2\r\n{}\r\n0\r\n\r\n")

        answer = push_stream(body, HTTP_TRANSFER_ENCODING="chunked", CONTENT_LENGTH="")

        assert (answer.status_code, body.given) == (400, 0)


class CountingBody:
    """A request's body that knows how much of it was asked for; it comes in pieces, as from a socket."""

    def __init__(self, content: bytes) -> None:
        self.content, self.given = content, 0

    def read(self, size: int = -1) -> bytes:
        piece = self.content[self.given :][: 4096 if size < 0 else min(size, 4096)]
        self.given += len(piece)
        return piece

    readline = read


def push_stream(body: CountingBody, **environ: Any) -> HttpResponse:
    given = RequestFactory().post(f"/hooks/{TOKEN}/sms-report/").META
    request = WSGIRequest({**given, "CONTENT_TYPE": "application/json", "wsgi.input": body, **environ})
    return PushView.as_view()(request, token=TOKEN, kind="sms-report")


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

    @pytest.mark.parametrize(
        ("forwarded", "kept"),
        [
            ("203.0.113.7", "203.0.113.7"),
            ("203.0.113.99, 203.0.113.7", "203.0.113.7"),  # the first is what a stranger wrote
            ("203.0.113.7, 10.0.0.2", "203.0.113.7"),  # past a second proxy of ours
            ("203.0.113.99, 192.0.2.50", None),
            ("nonsense", None),
            ("", None),
        ],
    )
    def test_a_trusted_proxy_says_who_pushes(self, settings: LazySettings, forwarded: str, kept: str | None) -> None:
        settings.TRUSTED_PROXIES = ["10.0.0.0/24"]
        settings.LAAFFIC_PUSH_SOURCES = ["203.0.113.7"]

        answer = push(REPORT, REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)

        assert answer.status_code == (200 if kept else 404)
        assert list(PushedBody.objects.values_list("source", flat=True)) == ([kept] if kept else [])

    def test_an_address_that_came_by_an_ipv6_socket_is_itself(self, settings: LazySettings) -> None:
        settings.LAAFFIC_PUSH_SOURCES = ["203.0.113.7"]

        assert push(REPORT, REMOTE_ADDR="::ffff:203.0.113.7").status_code == 200

    def test_the_source_is_kept(self) -> None:
        push(REPORT, REMOTE_ADDR="2001:db8::1")

        assert PushedBody.objects.get().source == "2001:db8::1"


class LogTests:
    @pytest.mark.parametrize("said", ["Bad Request: %s", '"POST %s HTTP/1.1" 413 2'])
    def test_the_address_of_a_push_is_in_no_log(self, said: str) -> None:
        record = logging.LogRecord("django.request", 30, "", 0, said, (f"/hooks/{TOKEN}/sms-report/",), None)

        MaskPushTokens().filter(record)

        assert TOKEN not in record.getMessage()
        assert "/hooks/…/sms-report/" in record.getMessage()

    def test_every_handler_masks_it(self) -> None:
        handlers = settings.LOGGING["handlers"].values()

        assert all("push tokens" in handler["filters"] for handler in handlers)
        assert settings.LOGGING["loggers"]["django.server"]["handlers"] == ["stderr"]


class RotationTests:
    def test_several_tokens_are_good_at_a_time(self, settings: LazySettings) -> None:
        settings.LAAFFIC_PUSH_TOKENS = ["the-new-token-of-today", TOKEN]

        assert push(REPORT).status_code == 200
        assert push(REPORT, token="the-new-token-of-today").status_code == 200

        settings.LAAFFIC_PUSH_TOKENS = ["the-new-token-of-today"]
        assert push(REPORT).status_code == 404
