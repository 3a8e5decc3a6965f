"""Where a call breaks decides between "not sent" and "unknown", over real sockets."""

import contextlib
import datetime as dt
import gzip
import json
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any
from urllib.parse import quote

import pytest

from laaffic_console.laaffic import (
    Family,
    LaafficClient,
    LaafficError,
    NotSent,
    OutcomeUnknown,
    Refused,
    Remedy,
    Transport,
    answer_limits,
    transport,
)
from laaffic_console.laaffic.transport import LONGEST_RETRY_AFTER
from tests.laaffic.conftest import KEY, NOW, SECRET, TIMEOUTS, Act, ScriptedGateway, answer, close, hang, raw, reset

SIGN = "05d7a50893e22a5c4bb3216ae3396c7c"
NUMBER, TEXT = "91856321412", "a very private text"
GOOD = {"status": "0", "reason": "success", "success": "1", "fail": "0", "array": [{"msgId": "m1", "orderId": "o1"}]}
HTML = b"<html><h1>Bad Gateway</h1></html>"


def send(client: LaafficClient) -> list[str | None]:
    return client.send_sms(app_id="4luaKsL2", numbers=[NUMBER], content=TEXT, order_ids=["o1"]).msg_ids


def elsewhere(base_url: str, timeouts: tuple[float, float] = TIMEOUTS) -> LaafficClient:
    return LaafficClient(api_key=KEY, api_secret=SECRET, base_url=base_url, timeouts=timeouts)


def partial(connection: socket.socket) -> bool:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")
    return False


def chunked(*, whole: bool) -> Act:
    def act(connection: socket.socket) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b'e\r\n{"status":"0"}\r\n' + (b"0\r\n\r\n" if whole else b""))
        return whole

    return act


def slow_body(connection: socket.socket) -> bool:
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"status":"0",')
    return hang(connection)


BROKEN = [
    pytest.param(reset, id="reset after the body"),
    pytest.param(close, id="closed after the body"),
    pytest.param(hang, id="no answer"),
    pytest.param(partial, id="half of the head"),
    pytest.param(slow_body, id="hanging in the body"),
    pytest.param(chunked(whole=False), id="chunks that stop"),
    pytest.param(raw(HTML, status="502 Bad Gateway", content_type="text/html"), id="502 with a page"),
    pytest.param(answer(GOOD, status="502 Bad Gateway"), id="502 with JSON of success"),
    pytest.param(answer({"status": "-10", "reason": ""}, status="500 Oops"), id="500 with JSON of a refusal"),
    pytest.param(answer({"message": "no"}, status="503 Service Unavailable"), id="503 with JSON of a proxy"),
    pytest.param(raw(HTML, content_type="text/html"), id="200 with a page"),
    pytest.param(raw(HTML, status="404 Not Found"), id="404 with a page"),
    pytest.param(answer(GOOD, status="404 Not Found"), id="success under a 404"),
    pytest.param(raw(b'{"status":"0","reason":"succ', length=100), id="half JSON of a length not kept"),
    pytest.param(raw(b'{"status":"0","reason":"succ'), id="half JSON"),
    pytest.param(raw(b""), id="an empty body"),
    pytest.param(raw(b"", status="204 No Content"), id="no content"),
    pytest.param(raw(b"\xff\xfe\x00"), id="no text"),
    pytest.param(raw(b"[" * 100_000), id="endless brackets"),
    pytest.param(raw(b'{"status":' + b"9" * 5000 + b"}"), id="an endless number"),
    pytest.param(raw(gzip.compress(b"{}")[:9], **{"Content-Encoding": "gzip"}), id="half of an archive"),
    pytest.param(raw(b"not gzip", **{"Content-Encoding": "gzip"}), id="no archive"),
    pytest.param(raw(b"", status="302 Found", Location="/v3/elsewhere"), id="a redirect"),
    pytest.param(raw(b"", status="307 Temporary Redirect", Location="/v3/sendSms"), id="a redirect that keeps POST"),
    pytest.param(answer(GOOD, status="308 Permanent Redirect", Location="/v3/sendSms"), id="a redirect with JSON"),
    pytest.param(answer({"status": "-12", "reason": "platform"}), id="-12"),
    pytest.param(answer({"status": "-18", "reason": "system"}), id="-18"),
]


def trickling(*, head: int = 0, every: float = 0.02) -> Act:
    """A good answer, one byte at a time from this byte of it on."""
    body = json.dumps(GOOD).encode()
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    def act(connection: socket.socket) -> bool:
        connection.sendall(whole[:head])
        for at in range(head, len(whole)):
            time.sleep(every)
            connection.sendall(whole[at : at + 1])
        return True

    return act


class LimitTests:
    """Each piece comes in time, and the whole never ends."""

    @pytest.mark.parametrize("head", [0, 50], ids=["head", "body"])
    @pytest.mark.parametrize("method", ["POST", "GET"])
    def test_an_answer_that_trickles_is_not_waited_for(self, gateway: ScriptedGateway, method: str, head: int) -> None:
        gateway.will(trickling(head=head), answer(GOOD))
        client = gateway.client(timeouts=(0.05, 0.1))
        act = client.send_sms if method == "POST" else client.send_sms_get
        began = time.monotonic()

        with pytest.raises(OutcomeUnknown, match="no answer within the time limit"):
            act(app_id="4luaKsL2", numbers=[NUMBER], content=TEXT, order_ids=["o1"])

        assert time.monotonic() - began < 1.5  # of 3 seconds
        assert send(gateway.client()) == ["m1"]
        assert len(gateway.received) == 2

    def test_a_slow_list_that_goes_on_is_read(self, gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch) -> None:
        def slow(connection: socket.socket) -> bool:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n")
            for byte in b'{"status":"0","array":[]}':
                time.sleep(0.02)
                connection.sendall(bytes([byte]))
            return True

        monkeypatch.setattr(transport, "LONG_LISTS_LAST", 1000)
        gateway.will(slow)
        start = dt.datetime(2021, 2, 1, tzinfo=dt.UTC)
        client = gateway.client(timeouts=(0.05, 0.3))

        assert client.get_sent_records(app_id="4luaKsL2", start=start, end=start + dt.timedelta(hours=1)) == []

    @pytest.mark.parametrize("is_packed", [False, True])
    def test_an_endless_answer_is_left(
        self, gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch, is_packed: bool
    ) -> None:
        monkeypatch.setattr(answer_limits, "LARGEST", 200_000)
        body = b'{"status":"0","reason":"' + b"x" * 3_000_000 + b'"}'
        packed = {"Content-Encoding": "gzip"} if is_packed else {}
        gateway.will(raw(gzip.compress(body) if is_packed else body, **packed), answer(GOOD))
        client = gateway.client()

        with pytest.raises(OutcomeUnknown, match="more than"):
            send(client)

        assert send(client) == ["m1"]
        assert gateway.connections == 2 or is_packed  # which came whole


class BrokenAnswerTests:
    @pytest.mark.parametrize("act", BROKEN)
    def test_a_send_is_unknown_and_never_sent_twice(
        self, gateway: ScriptedGateway, client: LaafficClient, act: Act
    ) -> None:
        gateway.will(act)

        with pytest.raises(OutcomeUnknown):
            send(client)

        assert [request.target for request in gateway.received] == ["/v3/sendSms"]
        assert gateway.connections == 1

    @pytest.mark.parametrize("act", BROKEN)
    def test_the_next_send_goes_through(self, gateway: ScriptedGateway, client: LaafficClient, act: Act) -> None:
        gateway.will(act, answer(GOOD))
        with pytest.raises(OutcomeUnknown):
            send(client)

        assert send(client) == ["m1"]
        assert len(gateway.received) == 2

    @pytest.mark.parametrize("act", [reset, close, hang, partial])
    def test_a_send_by_get_is_not_sent_twice_either(
        self, gateway: ScriptedGateway, client: LaafficClient, act: Act
    ) -> None:
        gateway.will(act)

        with pytest.raises(OutcomeUnknown):
            client.send_sms_get(app_id="4luaKsL2", numbers=[NUMBER], content=TEXT, order_ids=["o1"])

        assert len(gateway.received) == gateway.connections == 1

    def test_chunks_that_end_are_an_answer(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(chunked(whole=True))

        assert send(client) == [None]

    @pytest.mark.parametrize("act", [reset, close, partial])
    def test_a_reused_connection_that_breaks_is_no_reason_to_send_twice(
        self, gateway: ScriptedGateway, client: LaafficClient, act: Act
    ) -> None:
        gateway.will(answer(GOOD), act)
        send(client)

        with pytest.raises(OutcomeUnknown):
            send(client)

        assert len(gateway.received) == 2
        assert gateway.connections == 1

    def test_a_page_is_quoted(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(raw(HTML + b"x" * 1000, status="502 Bad Gateway"))

        with pytest.raises(OutcomeUnknown) as caught:
            send(client)

        assert caught.value.http_status == 502
        assert "HTTP 502" in str(caught.value)
        assert "<h1>Bad Gateway" in str(caught.value)
        assert len(caught.value.excerpt) == 200

    @pytest.mark.parametrize("code", ["-12", "-18"])
    def test_the_code_of_a_failure_on_their_side_is_kept(
        self, gateway: ScriptedGateway, client: LaafficClient, code: str
    ) -> None:
        gateway.will(answer({"status": code, "reason": "said so"}))

        with pytest.raises(OutcomeUnknown) as caught:
            send(client)

        assert caught.value.code == code
        assert "said so" in str(caught.value)

    def test_a_limit_of_time_is_named(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(hang)

        with pytest.raises(OutcomeUnknown, match="no answer within the time limit"):
            send(client)


class NotSentTests:
    def test_a_refused_port(self) -> None:
        with socket.socket() as held:  # bound, so that nobody else gets the port, and nobody listens
            held.bind(("127.0.0.1", 0))
            port = held.getsockname()[1]
            with pytest.raises(NotSent, match="the connection was refused"):
                send(elsewhere(f"http://127.0.0.1:{port}/v3"))

    def test_a_name_that_cannot_be_resolved(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def nobody(*args: object, **kwargs: object) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", nobody)

        with pytest.raises(NotSent, match="name cannot be resolved"):
            send(elsewhere("http://gateway.invalid/v3"))

    def test_tls_to_a_port_without_it(self) -> None:
        with plain_port() as port, pytest.raises(NotSent, match="TLS handshake failed"):
            send(elsewhere(f"https://127.0.0.1:{port}/v3"))

    def test_no_connection_in_time(self) -> None:
        with full_port() as port, pytest.raises(NotSent, match="no connection within the time limit"):
            send(elsewhere(f"http://127.0.0.1:{port}/v3", (0.5, 0.5)))

    @pytest.mark.parametrize("base_url", ["api.laaffic.com/v3", "ftp://127.0.0.1/v3", "http:///v3", "http://"])
    def test_what_is_no_address(self, base_url: str) -> None:
        with pytest.raises(NotSent, match="is not an address"):
            send(elsewhere(base_url))

    def test_a_key_that_no_header_can_hold(self, gateway: ScriptedGateway) -> None:
        client = LaafficClient(api_key="key\n", api_secret=SECRET, base_url=gateway.base_url)

        with pytest.raises(NotSent):
            send(client)
        assert gateway.received == []

    @pytest.mark.parametrize(("key", "secret"), [("key\u200b", SECRET), ("клич", SECRET), (KEY, "s\udce9cret")])
    def test_what_cannot_be_written_into_a_header(self, gateway: ScriptedGateway, key: str, secret: str) -> None:
        client = LaafficClient(api_key=key, api_secret=secret, base_url=gateway.base_url)

        with pytest.raises(NotSent, match="holds what no header can"):
            send(client)
        with pytest.raises(NotSent, match="holds what no header can"):
            client.get_balance()
        assert gateway.received == []

    def test_the_next_send_goes_through(self, gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch) -> None:
        def nobody(*args: object, **kwargs: object) -> None:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

        client = gateway.client()
        gateway.will(answer(GOOD))
        with monkeypatch.context() as patch:
            patch.setattr(socket, "getaddrinfo", nobody)
            with pytest.raises(NotSent):
                send(client)

        assert send(client) == ["m1"]


@contextlib.contextmanager
def plain_port() -> Iterator[int]:
    """A server that answers a TLS hello in plain HTTP."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(5)


@contextlib.contextmanager
def full_port() -> Iterator[int]:
    """A listener whose queue is full: the kernel drops further greetings."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(8):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0.2)
            try:
                waiting.connect(address)
            except TimeoutError:
                break
        else:
            pytest.skip("this kernel's queue of connections does not fill")
        yield address[1]


class ConnectionTests:
    def test_calls_share_a_connection(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        for _ in range(3):
            send(client)

        assert (len(gateway.received), gateway.connections) == (3, 1)

    def test_one_that_was_closed_while_idle_is_not_used_for_a_send(
        self, gateway: ScriptedGateway, client: LaafficClient
    ) -> None:
        gateway.always = answer(GOOD)
        send(client)

        for expected in (2, 3):
            gateway.close_connections()
            assert send(client) == ["m1"]
            assert len(gateway.received) == gateway.connections == expected

    def test_no_proxy_of_the_machines_comes_between(
        self, gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        gateway.will(answer(GOOD))

        assert send(gateway.client()) == ["m1"]

    def test_the_path_of_a_family_is_a_setting(self, gateway: ScriptedGateway) -> None:
        other = f"http://127.0.0.1:{gateway.port}/other"
        client = gateway.client(
            base_url=f"http://127.0.0.1:{gateway.port}/", paths={"sms": "/sms/", "account": f"{other}/"}
        )
        gateway.will(answer(GOOD), answer({"status": "0", "balance": "1"}))

        send(client)
        client.get_balance()

        assert [request.target for request in gateway.received] == ["/sms/sendSms", "/other/getBalance"]

    def test_every_family_has_a_path_of_its_own(self, gateway: ScriptedGateway) -> None:
        client = gateway.client(paths={"email": "/mail", "number": "/num", "sms": "/sms"})
        gateway.always = answer({"status": "0", "data": {"total": 0, "records": []}})

        client.email.sender_addresses(app_id="4luaKsL2")
        client.numbers.query_pools()
        client.mms.upload(file_type="txt", data=b"x")

        assert [request.target for request in gateway.received] == [
            "/v3/mail/email/getListEmailAddress",
            "/v3/num/number/queryNumberPool",
            "/v3/sms/mmsUpload",
        ]


def expired(date: str | None, code: str = "-16") -> Act:
    headers = {"Date": date} if date else {}
    return answer({"status": code, "reason": "Timestamp expires"}, **headers)


class ClockTests:
    @pytest.mark.parametrize("skew", [7200, -7200])
    def test_it_is_corrected_once_and_remembered(self, gateway: ScriptedGateway, skew: int) -> None:
        client = gateway.client()
        gateway.will(expired(formatdate(NOW + skew, usegmt=True)), answer(GOOD), answer(GOOD))

        assert send(client) == ["m1"]
        assert send(client) == ["m1"]

        stamps = [int(request.headers["Timestamp"]) for request in gateway.received]
        assert stamps == [NOW, NOW + skew, NOW + skew]
        assert client.clock_skew == skew
        signs = [request.headers["Sign"] for request in gateway.received]
        assert signs[0] == SIGN
        assert signs[0] != signs[1] == signs[2]
        assert len({request.body for request in gateway.received}) == 1

    def test_a_second_refusal_is_the_end(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.always = expired(formatdate(NOW + 7200, usegmt=True))

        with pytest.raises(Refused) as caught:
            send(client)

        assert (caught.value.code, caught.value.calls_for) == ("-16", Remedy.RESIGN)
        assert len(gateway.received) == 2

    def test_a_refusal_that_came_late_is_the_end_and_corrects_what_follows(
        self, gateway: ScriptedGateway, client: LaafficClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gateway.will(expired(formatdate(NOW + 7200, usegmt=True)), answer(GOOD))
        monkeypatch.setattr(transport, "SIGNS_AGAIN_WITHIN", 0.0)

        with pytest.raises(Refused):
            send(client)

        assert len(gateway.received) == 1
        assert send(client) == ["m1"]
        assert int(gateway.received[1].headers["Timestamp"]) == NOW + 7200

    @pytest.mark.parametrize("date", [None, "the day before yesterday"])
    def test_without_a_date_there_is_nothing_to_correct(
        self, gateway: ScriptedGateway, client: LaafficClient, date: str | None
    ) -> None:
        gateway.always = expired(date)

        with pytest.raises(Refused):
            send(client)

        assert (len(gateway.received), client.clock_skew) == (1, 0)

    def test_a_correction_whose_answer_is_lost_is_unknown(
        self, gateway: ScriptedGateway, client: LaafficClient
    ) -> None:
        gateway.will(expired(formatdate(NOW + 7200, usegmt=True)), reset)

        with pytest.raises(OutcomeUnknown):
            send(client)

        assert len(gateway.received) == 2

    def test_a_date_without_a_complaint_changes_nothing(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(answer(GOOD, Date=formatdate(NOW + 7200, usegmt=True)))

        send(client)

        assert client.clock_skew == 0

    @pytest.mark.parametrize(("family", "code", "calls"), [("email", "-6", 2), ("email", "-16", 1), ("sms", "-6", 1)])
    def test_each_family_has_its_own_code_for_it(
        self, gateway: ScriptedGateway, family: str, code: str, calls: int
    ) -> None:
        transport = Transport(api_key=KEY, api_secret=SECRET, base_url=gateway.base_url, clock=lambda: NOW)
        gateway.always = expired(formatdate(NOW + 7200, usegmt=True), code)

        with pytest.raises(Refused):
            transport.post(Family(family), "/any", b"{}")

        assert len(gateway.received) == calls


class SecrecyTests:
    @pytest.fixture(
        params=[
            *BROKEN,
            pytest.param(answer({"status": "-1", "reason": "Authentication error"}), id="-1"),
            pytest.param(None, id="refused port"),
        ]
    )
    def problem(self, gateway: ScriptedGateway, request: pytest.FixtureRequest) -> LaafficError:
        client = gateway.client()
        if request.param is None:
            client = gateway.client(base_url="http://127.0.0.1:1/v3")
        else:
            gateway.always = request.param
        with pytest.raises(LaafficError) as caught:
            client.send_sms_get(app_id="4luaKsL2", numbers=[NUMBER], content=TEXT, order_ids=["o1"])
        return caught.value

    def test_no_error_shows_the_secret_the_key_or_the_text(self, problem: LaafficError) -> None:
        printed = "".join(traceback.format_exception(problem)) + repr(problem) + str(problem) + repr(vars(problem))

        for private in (KEY, SECRET, SIGN, NUMBER, TEXT, quote(TEXT)):
            assert private not in printed

    def test_no_repr_shows_the_secret_or_the_key(self) -> None:
        transport = Transport(api_key=KEY, api_secret=SECRET)
        client = LaafficClient(api_key=KEY, api_secret=SECRET)

        for printed in (repr(transport), str(transport), repr(client), str(client)):
            assert KEY not in printed
            assert SECRET not in printed


class TurnedAwayTests:
    """An HTTP error with JSON that Laaffic did not write: the request never reached it, or may have."""

    @pytest.mark.parametrize(
        "body",
        [
            {"code": 429},
            {"status": 429, "error": "Too Many Requests"},
            {"message": "API rate limit exceeded"},
            {"status": "error", "code": 429},
        ],
    )
    def test_too_many_requests_is_for_later(self, gateway: ScriptedGateway, client: LaafficClient, body: Any) -> None:
        gateway.will(answer(body, status="429 Too Many Requests"))

        with pytest.raises(Refused) as caught:
            send(client)

        assert (caught.value.calls_for, caught.value.code, caught.value.is_foreign) == (Remedy.RETRY, "HTTP 429", True)

    @pytest.mark.parametrize("body", [HTML, b"", b"{", b"[]"])
    def test_too_many_requests_needs_no_json(
        self, gateway: ScriptedGateway, client: LaafficClient, body: bytes
    ) -> None:
        gateway.will(raw(body, status="429 Too Many Requests"))

        with pytest.raises(Refused, match="HTTP 429"):
            send(client)

    @pytest.mark.parametrize(
        ("said", "seconds"),
        [
            ("7", 7),
            (" 7 ", 7),
            ("0", 0),
            ("999999999999999999999", LONGEST_RETRY_AFTER),
            ("-5", 0),
            ("1e9", 0),
            ("soon", 0),
            ("", 0),
            ("Wed, 01 Sep 2021 04:01:00 GMT", 60),
            ("Tue, 31 Aug 2021 00:00:00 GMT", 0),
            ("Wed, 01 Sep 2031 00:00:00 GMT", LONGEST_RETRY_AFTER),
        ],
    )
    def test_retry_after_in_seconds_or_as_a_date_is_bounded(
        self, gateway: ScriptedGateway, client: LaafficClient, said: str, seconds: float
    ) -> None:
        gateway.will(answer({"code": 429}, status="429 Too Many Requests", **{"Retry-After": said}))

        with pytest.raises(Refused) as caught:
            send(client)

        assert caught.value.retry_after == seconds

    @pytest.mark.parametrize(
        "status", ["400 x", "401 x", "403 x", "404 x", "405 x", "406 x", "410 x", "415 x", "451 x"]
    )
    @pytest.mark.parametrize("body", [{"code": 404}, {"message": "no Route matched"}, {"code": "404", "msg": "no"}, {}])
    def test_another_address_is_for_a_person(
        self, gateway: ScriptedGateway, client: LaafficClient, status: str, body: Any
    ) -> None:
        gateway.will(answer(body, status=status))

        with pytest.raises(Refused) as caught:
            send(client)

        assert caught.value.calls_for is Remedy.FIX_ADDRESS
        assert "LAAFFIC_BASE_URL" in caught.value.advice

    @pytest.mark.parametrize("status", ["408 x", "409 x", "499 x", "500 x", "502 x", "503 x", "504 x", "520 x"])
    def test_what_may_have_gone_on_to_laaffic_is_unknown(
        self, gateway: ScriptedGateway, client: LaafficClient, status: str
    ) -> None:
        gateway.will(answer({"code": int(status[:3])}, status=status, **{"Retry-After": "5"}))

        with pytest.raises(OutcomeUnknown):
            send(client)

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"status": "-9", "reason": "abnormal"}, "-9"),
            ({"code": -10, "msg": "no funds"}, "-10"),
            ({"status": "1", "reason": "Invalid appId"}, "1"),
        ],
    )
    @pytest.mark.parametrize("status", ["400 x", "404 x", "429 x"])
    def test_laaffics_own_refusal_keeps_its_meaning(
        self, gateway: ScriptedGateway, client: LaafficClient, body: Any, code: str, status: str
    ) -> None:
        gateway.will(answer(body, status=status))

        with pytest.raises(Refused) as caught:
            send(client)

        assert caught.value.code == code
