"""The gateway over HTTP: the interfaces, the faults that strike them, and the doors for tests and people."""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from laaffic_console.sandbox import protocol
from laaffic_console.sandbox.options import KINDS, Faults, Options
from laaffic_console.sandbox.protocol import Refusal
from laaffic_console.sandbox.pusher import Pusher
from laaffic_console.sandbox.sms import SmsInterfaces
from laaffic_console.sandbox.store import Store

PAGE = Path(__file__).parent / "static" / "sandbox"
MAX_BODY = 32 * 1024 * 1024

Interface = Callable[[dict[str, Any], float], dict[str, Any]]


class Sandbox:
    def __init__(self, options: Options, faults: Faults | None = None) -> None:
        self.options = options
        self.faults = faults or Faults()
        self.random = random.Random(options.seed)  # noqa: S311 - repeatable on purpose
        self.store = Store(options)
        self.sms = SmsInterfaces(self.store, options, self.faults)
        self.pusher = Pusher(self.store, options)
        self.site: web.TCPSite | None = None
        self.down_until = 0.0

    def interfaces(self) -> list[tuple[str, str, Interface]]:
        """Method, path and what answers; further families add theirs here."""
        sms = self.sms
        return [
            ("POST", "/sendSms", lambda given, now: sms.send(given, now, 1000)),
            ("GET", "/sendSms", lambda given, now: sms.send(given, now, 100)),
            ("POST", "/sendSms/batch", sms.send_batch),
            ("GET", "/getReport", sms.get_report),
            ("GET", "/getSentRcd", sms.get_sent_records),
            ("GET", "/getBalance", sms.get_balance),
        ]

    def application(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY)
        for method, path, interface in self.interfaces():
            for prefix in ("/v3", ""):
                app.router.add_route(method, prefix + path, self._handler(path, interface))
        app.router.add_get("/", self._page)
        app.router.add_static("/static", PAGE)
        app.router.add_get("/sandbox/stats", self._stats)
        app.router.add_get("/sandbox/messages", self._messages)
        app.router.add_get("/sandbox/log", self._log)
        app.router.add_post("/sandbox/reset", self._reset)
        app.router.add_post("/sandbox/down", self._down)
        app.router.add_route("*", "/sandbox/faults", self._faults)
        app.cleanup_ctx.append(self._pushing)
        return app

    def _handler(self, path: str, interface: Interface) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._answer(path, interface, request)

        return handle

    async def _answer(self, path: str, interface: Interface, request: web.Request) -> web.StreamResponse:
        self.store.calls[path] += 1
        raw = await request.read()
        fault = self._next_fault() if request.path.removeprefix("/v3").startswith("/sendSms") else ""
        if fault == "reset_before" or time.time() < self.down_until:
            return cut(request)
        if fault == "bad_gateway_before":
            return bad_gateway()
        await self._latency()
        body = self._body(interface, request, raw)
        self.pusher.schedule(self.sms.accepted_now)
        self.sms.accepted_now = []
        if fault:
            return await self._spoil(fault, request, body)
        return self._json(body)

    def _body(self, interface: Interface, request: web.Request, raw: bytes) -> dict[str, Any]:
        now = time.time() + self.options.clock_offset
        try:
            protocol.check_signature(request.headers, self.options, now)
            if self.faults.status_calls > 0 and self.faults.status:
                self.faults.status_calls -= 1
                raise Refusal(self.faults.status)
            return interface(parameters(request, raw), now)
        except Refusal as refusal:
            return protocol.failure(refusal, self.options)

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

    async def _spoil(self, fault: str, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        """The call has been accepted; its answer does not arrive as it should."""
        match fault:
            case "bad_gateway_after":
                return bad_gateway()
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
        return web.Response(text=text, content_type="application/json", headers={"Date": date})

    async def _pushing(self, app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(self.pusher.run())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(PAGE / "phones.html")

    async def _stats(self, request: web.Request) -> web.Response:
        return web.json_response(self.store.stats(time.time()))

    async def _messages(self, request: web.Request) -> web.Response:
        """The newest first; `number` and `order_prefix` choose, `limit` (at most 1,000) and `offset` page."""
        number, prefix = request.query.get("number", ""), request.query.get("order_prefix", "")
        try:
            limit, offset = min(int(request.query.get("limit", 100)), 1000), int(request.query.get("offset", 0))
        except ValueError:
            return web.json_response({"error": "limit and offset are numbers"}, status=400)
        found = [
            accepted
            for accepted in reversed(self.store.messages)
            if number in accepted.number and accepted.order_id.startswith(prefix)
        ]
        now = time.time()
        page = [self.store.as_json(accepted, now) for accepted in found[offset : offset + limit]]
        return web.json_response({"total": len(found), "messages": page})

    async def _log(self, request: web.Request) -> web.StreamResponse:
        """Everything that was accepted, one JSON object a line, oldest first."""
        answer = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await answer.prepare(request)
        now = time.time()
        for start in range(0, len(self.store.messages), 1000):
            lines = [json.dumps(self.store.as_json(m, now)) for m in self.store.messages[start : start + 1000]]
            await answer.write(("\n".join(lines) + "\n").encode())
        await answer.write_eof()
        return answer

    async def _reset(self, request: web.Request) -> web.Response:
        self.pusher.forget()
        fresh = Store(self.options)
        for name in ("messages", "by_id", "calls", "pushes", "spent"):
            setattr(self.store, name, getattr(fresh, name))
        return web.json_response({"reset": True})

    async def _faults(self, request: web.Request) -> web.Response:
        if request.method == "DELETE":
            self.faults.update(as_dict(Faults()))
        elif request.method == "POST":
            try:
                self.faults.update(await request.json())
            except (ValueError, AttributeError) as problem:
                return web.json_response({"error": str(problem)}, status=400)
        return web.json_response(as_dict(self.faults))

    async def _down(self, request: web.Request) -> web.Response:
        """Refuse connections for a while, as a gateway that is down does."""
        seconds = float((await request.json()).get("seconds", 5))
        self.down_until = time.time() + seconds
        asyncio.get_running_loop().call_soon(lambda: asyncio.ensure_future(self._stay_down(seconds)))
        return web.json_response({"down_for": seconds}, headers={"Connection": "close"})

    async def _stay_down(self, seconds: float) -> None:
        assert self.site is not None
        runner, host, port = self.site._runner, self.site._host, self.port
        await self.site.stop()
        await asyncio.sleep(seconds)
        self.site = web.TCPSite(runner, host, port, reuse_address=True)
        await self.site.start()

    async def start(self, host: str, port: int) -> web.AppRunner:
        """Listen; `self.port` is the port, also where 0 asked for a free one."""
        runner = web.AppRunner(self.application(), access_log=None, handle_signals=False)
        await runner.setup()
        self.site = web.TCPSite(runner, host, port)
        await self.site.start()
        self.port = runner.addresses[0][1]
        return runner


def parameters(request: web.Request, raw: bytes) -> dict[str, Any]:
    if request.method == "GET":
        return dict(request.query)
    try:
        given = json.loads(raw)
    except ValueError:
        raise Refusal("-22", "the body is not JSON") from None
    if not isinstance(given, dict):
        raise Refusal("-22", "the body is no object")
    return given


def cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def bad_gateway() -> web.Response:
    return web.Response(status=502, text="<html><h1>502 Bad Gateway</h1></html>", content_type="text/html")


def as_dict(faults: Faults) -> dict[str, Any]:
    return {name: getattr(faults, name) for name in Faults.__slots__}  # type: ignore[attr-defined]
