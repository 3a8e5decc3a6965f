"""The gateway over HTTP: the interfaces, the faults that strike them, and the doors for tests and people."""

import asyncio
import contextlib
import json
import random
import socket
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from laaffic_console.sandbox import protocol
from laaffic_console.sandbox.act_log import ActLog
from laaffic_console.sandbox.call_log import CallLog
from laaffic_console.sandbox.courier import Courier
from laaffic_console.sandbox.email import EmailInterfaces
from laaffic_console.sandbox.families import Door, FamilyOfInterfaces, Gateway, Route, number_of
from laaffic_console.sandbox.group_calls import GroupCallInterfaces
from laaffic_console.sandbox.mms import MmsInterfaces
from laaffic_console.sandbox.numbers import NumberInterfaces
from laaffic_console.sandbox.options import KINDS, Faults, Options
from laaffic_console.sandbox.protocol import Refusal
from laaffic_console.sandbox.pusher import Pusher
from laaffic_console.sandbox.replies import ReplyInterfaces
from laaffic_console.sandbox.sms import SmsInterfaces
from laaffic_console.sandbox.store import Store
from laaffic_console.sandbox.voice import VoiceInterfaces

PAGE = Path(__file__).parent / "static" / "sandbox"
# The thirteen interfaces of the short document; an account has the others only if its gateway is newer.
DOCUMENTED = {
    ("GET", "/sendSms"),
    ("POST", "/sendSms"),
    ("GET", "/getReport"),
    ("GET", "/getSentRcd"),
    ("POST", "/voice/sendSip"),
    ("POST", "/voice/sipQuery"),
    ("POST", "/voice/sendCode"),
    ("POST", "/voice/group/call/send"),
    ("POST", "/voice/fileUpload"),
    ("GET", "/email/batchSendEmail"),
    ("POST", "/email/batchSendEmail"),
    ("POST", "/mmsUpload"),
    ("POST", "/number/pns/queryBindPage"),
    ("POST", "/number/editNumberPool"),
}
MAX_BODY = 32 * 1024 * 1024

# Each family is a module of its own; this is all that joins them.
FAMILIES: list[type[FamilyOfInterfaces]] = [
    SmsInterfaces,
    MmsInterfaces,
    ReplyInterfaces,
    EmailInterfaces,
    NumberInterfaces,
    VoiceInterfaces,
    GroupCallInterfaces,
]


class Sandbox:
    def __init__(self, options: Options, faults: Faults | None = None) -> None:
        self.options = options
        self.faults = faults or Faults()
        self.random = random.Random(options.seed)  # noqa: S311 - repeatable on purpose
        self.store = Store(options)
        self.courier = Courier(options)
        self.pusher = Pusher(self.store, options)
        self.store.listeners.append(self.pusher.schedule)
        self.act_log = ActLog()
        self.calls = CallLog(options, self.faults, self.courier)
        gateway = Gateway(options, self.faults, self.store, self.courier, self.calls)
        self.families = [family(gateway) for family in FAMILIES]
        self.site: web.BaseSite | None = None
        self.address: tuple[str, int] = ("", 0)
        self.down_until = 0.0

    def application(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY)
        for family in self.families:
            for route in family.routes():
                if self.options.only_documented and (route.method, route.path) not in DOCUMENTED:
                    continue
                for prefix in ("/v3", ""):
                    app.router.add_route(route.method, prefix + route.path, self._handler(family, route))
        app.router.add_get("/", self._page)
        app.router.add_static("/static", PAGE)
        for method, path, door in self._doors():
            app.router.add_route(method, "/sandbox" + path, door_handler(door))
        app.router.add_get("/sandbox/log", self._log)
        app.router.add_post("/sandbox/down", self._down)
        app.router.add_post("/sandbox/cut", self._cut)
        app.cleanup_ctx.append(self._pushing)
        return app

    def _doors(self) -> list[tuple[str, str, Door]]:
        """(method, path, function) for each control; the families add theirs."""
        own: list[tuple[str, str, Door]] = [
            ("GET", "/stats", lambda given: self.store.stats(time.time())),
            ("GET", "/progress", lambda given: {"accepted": len(self.store.messages), "calls": len(self.calls.calls)}),
            ("GET", "/messages", self._messages),
            ("GET", "/received", self._received),
            ("POST", "/reset", self._reset),
            ("GET", "/acts", lambda given: {"acts": self.act_log.acts}),
            ("GET", "/faults", lambda given: as_dict(self.faults)),
            ("POST", "/faults", self._set_faults),
            ("DELETE", "/faults", lambda given: self._set_faults(as_dict(Faults()))),
            ("POST", "/clock", self._shift_clock),
        ]
        return own + [door for family in self.families for door in family.doors()]

    def _handler(self, family: FamilyOfInterfaces, route: Route) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._answer(family, route, request)

        return handle

    async def _answer(self, family: FamilyOfInterfaces, route: Route, request: web.Request) -> web.StreamResponse:
        self.store.calls[route.path] += 1
        raw = await request.read()
        fault = self._next_fault() if self.faults.strikes(route.path, route.acts) else ""
        if fault == "reset_before" or time.time() < self.down_until:
            return cut(request)
        if fault == "bad_gateway_before":
            return bad_gateway()
        if self.faults.http_calls > 0 and self.faults.http_status and self.faults.strikes(route.path, route.acts):
            self.faults.http_calls -= 1
            return proxy_answer(self.faults)
        if fault in ("busy", "failure_before"):
            return self._json(self._failure(Refusal(family.fault_codes[fault]), family, route.path))
        await self._latency()
        body = self._body(family, route, request, raw)
        if fault:
            return await self._spoil(fault, request, body, family)
        return self._json(body)

    def _body(self, family: FamilyOfInterfaces, route: Route, request: web.Request, raw: bytes) -> dict[str, Any]:
        now = time.time() + self.options.clock_offset
        try:
            protocol.check_signature(request.headers, self.options, now, family.expired)
            if self.faults.status_calls > 0 and self.faults.status and self.faults.strikes(route.path, True):
                self.faults.status_calls -= 1
                raise Refusal(self.faults.status)
            given = parameters(request, raw) | dict(request.match_info)
            body = route.answer(given, now)
        except Refusal as refusal:
            return self._failure(refusal, family, route.path)
        if route.acts:
            self.act_log.note(route.path, given, body)
        return body

    def _failure(self, refusal: Refusal, family: FamilyOfInterfaces, path: str) -> dict[str, Any]:
        in_code = self.options.task_envelope and "/voice/group/call/" in path
        return protocol.failure(refusal, self.options, family.reasons, in_code=in_code)

    def _next_fault(self) -> str:
        if self.faults.next_calls > 0 and self.faults.next_fault:
            self.faults.next_calls -= 1
            return self.faults.next_fault
        for kind in KINDS:
            if self.random.random() < getattr(self.faults, kind):
                return kind
        return ""

    async def _latency(self) -> None:
        jitter = self.random.uniform(0, self.faults.latency_jitter_ms)
        if self.faults.latency_ms + jitter > 0:
            await asyncio.sleep((self.faults.latency_ms + jitter) / 1000)

    async def _spoil(
        self, fault: str, request: web.Request, body: dict[str, Any], family: FamilyOfInterfaces
    ) -> web.StreamResponse:
        """Spoil the answer of a call that has been accepted."""
        match fault:
            case "bad_gateway_after":
                return bad_gateway()
            case "failure_after":
                return self._json(self._failure(Refusal(family.fault_codes[fault]), family, request.path))
            case "html":
                return web.Response(
                    text="<html><body>Service temporarily unavailable</body></html>", content_type="text/html"
                )
            case "half_json":
                text = json.dumps(body)
                return web.Response(text=text[: len(text) // 2], content_type="application/json")
            case "hang":
                await asyncio.sleep(3600)
        return cut(request)

    def _json(self, body: dict[str, Any]) -> web.Response:
        date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + self.options.clock_offset))
        text = json.dumps(body, separators=(",", ":"))
        is_success = str(body.get("status", body.get("code"))) == "0"
        http_status = 200 if is_success else self.options.refusal_http_status
        return web.Response(text=text, status=http_status, content_type="application/json", headers={"Date": date})

    async def _pushing(self, app: web.Application) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self.pusher.run()), asyncio.create_task(self.courier.run())]
        yield
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(PAGE / "phones.html")

    def _messages(self, given: dict[str, Any]) -> dict[str, Any]:
        """Messages, the newest first; `number` and `order_prefix` select, `limit` (at most 1,000) and `offset` page."""
        number, prefix = str(given.get("number", "")), str(given.get("order_prefix", ""))
        try:
            limit, offset = min(int(given.get("limit", 100)), 1000), int(given.get("offset", 0))
        except (TypeError, ValueError):
            raise ValueError("limit and offset are numbers") from None
        found = [
            accepted
            for accepted in reversed(self.store.messages)
            if number in accepted.number and accepted.order_id.startswith(prefix)
        ]
        now = time.time()
        page = [self.store.as_json(accepted, now) for accepted in found[offset : offset + limit]]
        return {"total": len(found), "messages": page}

    def _received(self, given: dict[str, Any]) -> dict[str, Any]:
        """Everything that the families received and hold, by title, and what happened to their callbacks."""
        now = time.time() + self.options.clock_offset
        tables: dict[str, Any] = {}
        for family in self.families:
            tables |= family.received(now)
        return {"tables": tables, "callbacks": {kind: dict(told) for kind, told in self.courier.counts.items()}}

    async def _log(self, request: web.Request) -> web.StreamResponse:
        """Everything that was accepted, one JSON object per line, the oldest first."""
        answer = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await answer.prepare(request)
        now = time.time()
        for start in range(0, len(self.store.messages), 1000):
            lines = [json.dumps(self.store.as_json(m, now)) for m in self.store.messages[start : start + 1000]]
            await answer.write(("\n".join(lines) + "\n").encode())
        await answer.write_eof()
        return answer

    def _reset(self, given: dict[str, Any]) -> dict[str, Any]:
        self.pusher.forget()
        self.courier.forget()
        self.store.forget()
        self.act_log.forget()
        for family in self.families:
            family.forget()
        return {"reset": True}

    def _set_faults(self, given: dict[str, Any]) -> dict[str, Any]:
        if not given:
            raise ValueError("name at least one fault")
        self.faults.update(given)
        return as_dict(self.faults)

    def _shift_clock(self, given: dict[str, Any]) -> dict[str, Any]:
        """Make everything that expires older by so many seconds; signatures are not affected."""
        self.options.clock_shift = number_of(given, "seconds", 0, -1e9, 1e9)
        return {"seconds": self.options.clock_shift}

    async def _down(self, request: web.Request) -> web.Response:
        """Refuse connections for a while, as a gateway that is down."""
        try:
            seconds = number_of(door_parameters(request, await request.read()), "seconds", 5, 0, 3600)
        except ValueError as problem:
            return bad_request(problem)
        self.down_until = time.time() + seconds
        asyncio.get_running_loop().call_soon(lambda: asyncio.ensure_future(self._stay_down(seconds)))
        return web.json_response({"down_for": seconds}, headers={"Connection": "close"})

    async def _cut(self, request: web.Request) -> web.Response:
        """Cut every other connection, whatever is under way on it: calls that were accepted stay accepted."""
        assert self.site is not None
        server = self.site._runner.server
        transports = [connection.transport for connection in server.connections] if server else []
        others = [transport for transport in transports if transport not in (None, request.transport)]
        for transport in others:
            transport.abort()
        return web.json_response({"cut": len(others)})

    async def _stay_down(self, seconds: float) -> None:
        assert self.site is not None
        runner, address = self.site._runner, self.address
        await self.site.stop()
        await asyncio.sleep(seconds)
        self.site = web.TCPSite(runner, *address, reuse_address=True)
        await self.site.start()

    async def start(self, listener: socket.socket) -> web.AppRunner:
        """Serve on a listening socket; `self.port` is its port."""
        runner = web.AppRunner(self.application(), access_log=None, handle_signals=False)
        await runner.setup()
        self.address = listener.getsockname()[:2]
        self.site = web.SockSite(runner, listener)
        await self.site.start()
        return runner

    @property
    def port(self) -> int:
        return self.address[1]


def parameters(request: web.Request, raw: bytes) -> dict[str, Any]:
    if request.method == "GET":
        return dict(request.query)
    try:
        given = json.loads(raw)
    except (ValueError, RecursionError):
        raise Refusal("-22", "the body is not JSON") from None
    if not isinstance(given, dict):
        raise Refusal("-22", "the body is not an object")
    return given


def door_handler(door: Door) -> Callable[[web.Request], Any]:
    """The HTTP handler of a control; an error in its input is answered with 400."""

    async def handle(request: web.Request) -> web.Response:
        try:
            return web.json_response(door(door_parameters(request, await request.read())))
        except ValueError as problem:
            return bad_request(problem)

    return handle


def door_parameters(request: web.Request, raw: bytes) -> dict[str, Any]:
    if request.method == "GET":
        return dict(request.query)
    try:
        given = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        raise ValueError("the body is not JSON") from None
    if not isinstance(given, dict):
        raise ValueError("the body is not an object")
    return given


def bad_request(problem: ValueError) -> web.Response:
    return web.json_response({"error": str(problem)}, status=400)


def cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def proxy_answer(faults: Faults) -> web.Response:
    """An answer in the gateway's place, as something on the way writes it."""
    headers = {"Retry-After": faults.retry_after} if faults.retry_after else {}
    said = {"code": faults.http_status, "message": "answered on the way"}
    return web.json_response(said, status=faults.http_status, headers=headers)


def bad_gateway() -> web.Response:
    return web.Response(status=502, text="<html><h1>502 Bad Gateway</h1></html>", content_type="text/html")


def as_dict(faults: Faults) -> dict[str, Any]:
    return {name: getattr(faults, name) for name in Faults.__slots__}
