"""The command `sandbox`: how the gateway on this machine behaves."""

import argparse
import asyncio
import contextlib
import ipaddress
import signal
import socket
from os import environ
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from laaffic_console import environment
from laaffic_console.kit.process.commands import ConsoleCommand, NotWritten
from laaffic_console.sandbox.options import Faults, Options
from laaffic_console.sandbox.server import Sandbox


class Command(ConsoleCommand):
    help = "A Laaffic gateway on this machine: nothing that it accepts reaches a phone."
    runs_half_restored = True
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8090)
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--fd", type=int, metavar="N", help="a listening socket that was handed over, not a port")
        parser.add_argument("--allow-remote", action="store_true", help="listen on an address others can reach")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--api-key", default=settings.LAAFFIC_API_KEY or "sandbox-key")
        parser.add_argument("--api-secret", default=settings.LAAFFIC_API_SECRET or "sandbox-secret")
        parser.add_argument(
            "--app",
            action="append",
            default=[],
            metavar="APPID:PRODUCT",
            help="an application this gateway knows, of sms, mms, email, voice or number; without any it knows all",
        )
        parser.add_argument("--dialect", choices=["both", "vendor", "seed"], default="both", help="shape of answers")
        parser.add_argument("--statuses", choices=["strings", "numbers"], default="strings", help='"0" or 0')
        parser.add_argument("--failed-record", choices=["1", "2"], default="2", help="what getSentRcd calls a failure")
        parser.add_argument(
            "--record-time",
            choices=["sent", "delivered"],
            default="sent",
            help="receiveTime of reports that are asked for",
        )
        parser.add_argument("--tolerance", type=natural, default=1800, metavar="SECONDS", help="of a timestamp")
        parser.add_argument("--only-documented", action="store_true", help="the thirteen interfaces and no other")
        parser.add_argument("--record-prices", action="store_true", help="pricedetail in reports that are asked for")
        parser.add_argument("--records-of-pending", action="store_true", help="getSentRcd lists them, as -1")
        parser.add_argument("--seed-errors", action="store_true", help='an unknown application is "1", not -32')
        parser.add_argument("--task-envelope", action="store_true", help="group-call tasks refuse in code and msg")
        parser.add_argument("--dedupe", action="store_true", help="an orderId that came before is not sent again")
        parser.add_argument("--refusal-http-status", type=http_status, default=200, metavar="CODE")
        parser.add_argument("--audio-megabytes", type=positive, default=5, metavar="N", help="the largest audio file")
        parser.add_argument(
            "--record-page", type=positive, default=50_000, metavar="N", help="rows of a page of getSentRcd"
        )
        parser.add_argument("--balance", type=float, help="runs down with each message; without it, it never does")
        parser.add_argument("--clock-offset", type=float, default=0.0, help="seconds this gateway's clock is ahead")
        pushes = parser.add_argument_group("delivery reports, and how all callbacks are posted")
        pushes.add_argument(
            "--callback",
            default=environ.get("SANDBOX_CALLBACK", ""),
            metavar="URL",
            help="where delivery reports are posted; better in SANDBOX_CALLBACK, as everybody sees arguments (ps)",
        )
        pushes.add_argument(
            "--delivery-delay", default="0.3,2.5", metavar="MIN,MAX", help="seconds until delivered or failed"
        )
        pushes.add_argument(
            "--delivery-rate", type=probability, metavar="P", help="share delivered, not each country's own"
        )
        pushes.add_argument(
            "--push-mode", choices=["single", "array", "wrapped"], default="single", help="shape of a callback"
        )
        pushes.add_argument("--push-batch", type=positive, default=200, metavar="N", help="reports in one array")
        pushes.add_argument(
            "--push-repeat", type=probability, default=0.0, metavar="P", help="share of callbacks that come twice"
        )
        pushes.add_argument("--push-retries", type=natural, default=5, metavar="N", help="until one is answered 200")
        pushes.add_argument("--push-loss", type=probability, default=0.0, metavar="P", help="share never pushed")
        pushes.add_argument("--push-shuffle", action="store_true", help="callbacks come out of order")
        pushes.add_argument("--push-delay", type=seconds, default=0.0, metavar="SECONDS", help="callbacks come so late")
        pushes.add_argument("--spaced-order-key", action="store_true", help='"orderId " as one vendor page has it')
        pushes.add_argument("--no-order-id", action="store_true", help="leave orderId out of pushes")
        email = parser.add_argument_group("email")
        email.add_argument("--email-list-size", type=natural, default=20, metavar="N", help="addresses in list 1000")
        email.add_argument("--email-words", choices=["en", "zh"], default="en", help="language of emailState")
        email.add_argument(
            "--email-duplicate-window",
            type=seconds,
            default=60.0,
            metavar="SECONDS",
            help="the same batch again within it is -2, a duplicate",
        )
        numbers = parser.add_argument_group("numbers and MMS")
        numbers.add_argument("--bindings", type=natural, default=0, metavar="N", help="AXB bindings from the start")
        numbers.add_argument("--expire-time", choices=["datetime", "epoch"], default="datetime", help="of bindings")
        numbers.add_argument("--strict-pools", action="store_true", help="editNumberPool requires oldPoolNumber")
        numbers.add_argument("--owned-numbers", type=natural, default=12, metavar="N", help="rented numbers")
        numbers.add_argument("--strict-mms-size", action="store_true", help="50 KB is of the Base64 text")
        numbers.add_argument(
            "--clock-shift",
            type=float,
            default=0.0,
            metavar="SECONDS",
            help="attachments, bindings and rented numbers are so much older; signatures are not",
        )
        replies = parser.add_argument_group("replies")
        replies.add_argument(
            "--reply-rate", type=probability, default=0.0, metavar="P", help="share of phones that answer"
        )
        replies.add_argument(
            "--reply-callback",
            default=environ.get("SANDBOX_REPLY_CALLBACK", ""),
            metavar="URL",
            help="where replies are posted",
        )
        replies.add_argument("--reply-words", default="", metavar="WORD,WORD", help="what they say, STOP for one")
        replies.add_argument("--reply-delay", type=seconds, default=1.0, metavar="SECONDS", help="after delivery")
        replies.add_argument("--misspelt-mnc", action="store_true", help='"mcn" as one vendor sample has it')
        voice = parser.add_argument_group("voice")
        voice.add_argument(
            "--voice-callback",
            default=environ.get("SANDBOX_VOICE_CALLBACK", ""),
            metavar="URL",
            help="where ended calls are pushed",
        )
        voice.add_argument(
            "--ringing-callback",
            default=environ.get("SANDBOX_RINGING_CALLBACK", ""),
            metavar="URL",
            help="where phones that ring are pushed",
        )
        voice.add_argument("--sip-phones", type=int, default=5, metavar="N")
        voice.add_argument("--busy-phone", action="append", default=[], metavar="ACCOUNT", help="never idle (-68)")
        voice.add_argument("--answer-rate", type=float, metavar="P", help="share of calls that are answered")
        voice.add_argument("--ring-seconds", default="0.5,3", metavar="MIN,MAX")
        voice.add_argument("--talk-seconds", default="1,8", metavar="MIN,MAX")
        voice.add_argument("--answered-code", choices=["0", "200"], default="0")
        voice.add_argument("--no-call-status", action="store_true", help="leave callStatus out, as older records do")
        voice.add_argument("--group-calls-per-second", type=float, default=200.0, metavar="N")
        faults = parser.add_argument_group("faults (probabilities from 0 to 1)")
        faults.add_argument("--latency", type=seconds, default=0.0, metavar="MS")
        faults.add_argument("--latency-jitter", type=seconds, default=0.0, metavar="MS", help="up to so much more")
        for kind in (
            "reset-before",
            "reset-after",
            "bad-gateway-before",
            "bad-gateway-after",
            "html",
            "half-json",
            "hang",
            "busy",
            "failure-before",
            "failure-after",
        ):
            faults.add_argument(f"--{kind}", type=probability, default=0.0, metavar="P")
        faults.add_argument(
            "--fault-path",
            action="append",
            default=[],
            metavar="PATH",
            help="strike calls whose path begins so, reads too, instead of all that act",
        )
        faults.add_argument(
            "--leave-out",
            action="append",
            default=[],
            metavar="NUMBER",
            help="a number or email address that answers and callbacks leave out",
        )
        faults.add_argument("--abnormal", action="append", default=[], metavar="NUMBER")

    def handle(self, *args: Any, **given: Any) -> None:
        if not given["allow_remote"] and not is_loopback(given["host"]):
            raise CommandError(f"{given['host']} can be reached from elsewhere; add --allow-remote if that is meant.")
        sandbox = Sandbox(options_of(given), faults_of(given))
        listener = listening(given["host"], given["port"]) if given["fd"] is None else handed_over(given["fd"])
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(self.serve(sandbox, listener))

    async def serve(self, sandbox: Sandbox, listener: socket.socket) -> None:
        runner = await sandbox.start(listener)
        host = listener.getsockname()[0]
        with contextlib.suppress(NotWritten):  # the one who started it may know the port without reading this
            self.stdout.write(said_at_start(f"http://{host}:{sandbox.port}", sandbox.options))
        ended = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        await ended.wait()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(runner.cleanup(), 3)


def said_at_start(address: str, options: Options) -> str:
    """The settings of a console that is to use it. The key is shown only if it is the one that everybody knows."""
    usual = Options()
    key, secret = ("as this was given", "as this was given")
    if (options.api_key, options.api_secret) == (usual.api_key, usual.api_secret):
        key, secret = usual.api_key, usual.api_secret
    lines = [f"sandbox at {address}/", "In the .env of the console that is to use it:"]
    lines += [f"  LAAFFIC_BASE_URL={address}/v3", f"  LAAFFIC_API_KEY={key}", f"  LAAFFIC_API_SECRET={secret}"]
    known = ", ".join(f"{one} ({product})" for one, product in options.applications.items())
    appid = next(iter(options.applications), "sandbox1")
    lines.append(f"It knows {known or 'every appId'}. In the console: register_app {appid} --channel sms")
    if not options.callback:
        lines += [
            "It pushes no delivery reports; the console asks for them. To have them pushed, start it with",
            "  SANDBOX_CALLBACK=http://127.0.0.1:8000/hooks/TOKEN/sms-report/",
            "where TOKEN is one of the console's LAAFFIC_PUSH_TOKENS; an application's page shows the whole address.",
        ]
    return "\n".join(lines)


def listening(host: str, port: int) -> socket.socket:
    if not 0 <= port <= environment.MOST_PORT:
        raise CommandError(f"--port is {port}. Give a whole number from 0 to {environment.MOST_PORT}.")
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as problem:
        raise CommandError(f"Cannot listen on {host}:{port}: {problem.strerror}. Choose another --port.") from problem


def handed_over(number: int) -> socket.socket:
    try:
        return socket.socket(fileno=number)
    except OSError as problem:
        raise CommandError(f"--fd {number} is not a socket: {problem.strerror}.") from problem


def probability(said: str) -> float:
    value = float(said)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{said} is not between 0 and 1")
    return value


def seconds(said: str) -> float:
    value = float(said)
    if not 0 <= value < 1e9:
        raise argparse.ArgumentTypeError(f"{said} is less than 0 or too much")
    return value


def natural(said: str) -> int:
    value = int(said)
    if not 0 <= value <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{said} is not between 0 and 1,000,000")
    return value


def http_status(said: str) -> int:
    if not 200 <= int(said) <= 599:
        raise argparse.ArgumentTypeError(f"{said} is not between 200 and 599")
    return int(said)


def positive(said: str) -> int:
    if not natural(said):
        raise argparse.ArgumentTypeError("at least 1")
    return int(said)


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def span(said: str) -> tuple[float, float]:
    low, high = (float(part) for part in said.split(","))
    return low, high


def options_of(given: dict[str, Any]) -> Options:
    try:
        low, high = span(given["delivery_delay"])
        ring_seconds, talk_seconds = span(given["ring_seconds"]), span(given["talk_seconds"])
        applications = dict(entry.split(":", 1) for entry in given["app"])
    except ValueError as problem:
        raise CommandError(
            "--delivery-delay, --ring-seconds and --talk-seconds are MIN,MAX in seconds and --app is APPID:PRODUCT"
        ) from problem
    words = [word.strip() for word in given["reply_words"].split(",") if word.strip()]
    options = Options(
        api_key=given["api_key"],
        api_secret=given["api_secret"],
        seed=given["seed"],
        clock_offset=given["clock_offset"],
        tolerance=given["tolerance"],
        seed_errors=given["seed_errors"],
        task_envelope=given["task_envelope"],
        dedupe=given["dedupe"],
        refusal_http_status=given["refusal_http_status"],
        audio_bytes=given["audio_megabytes"] * 1024 * 1024,
        push_retries=given["push_retries"],
        dialect=given["dialect"],
        numeric_status=given["statuses"] == "numbers",
        failed_record=given["failed_record"],
        record_page=given["record_page"],
        record_prices=given["record_prices"],
        records_of_pending=given["records_of_pending"],
        only_documented=given["only_documented"],
        record_time=given["record_time"],
        applications=applications,
        balance=given["balance"],
        delivery_delay=(low, high),
        delivery_rate=given["delivery_rate"],
        callback=given["callback"],
        push_mode=given["push_mode"],
        push_batch=given["push_batch"],
        push_repeat=given["push_repeat"],
        push_loss=given["push_loss"],
        push_shuffle=given["push_shuffle"],
        push_delay=given["push_delay"],
        spaced_order_key=given["spaced_order_key"],
        push_order_id=not given["no_order_id"],
        email_list_size=given["email_list_size"],
        email_words=given["email_words"],
        email_duplicate_window=given["email_duplicate_window"],
        bindings=given["bindings"],
        expire_time=given["expire_time"],
        strict_pools=given["strict_pools"],
        owned_numbers=given["owned_numbers"],
        strict_mms_size=given["strict_mms_size"],
        clock_shift=given["clock_shift"],
        sip_phones=given["sip_phones"],
        busy_phones=given["busy_phone"],
        answer_rate=given["answer_rate"],
        ring_seconds=ring_seconds,
        talk_seconds=talk_seconds,
        answered_code=given["answered_code"],
        call_status=not given["no_call_status"],
        group_calls_per_second=given["group_calls_per_second"],
        voice_callback=given["voice_callback"],
        ringing_callback=given["ringing_callback"],
        reply_rate=given["reply_rate"],
        reply_callback=given["reply_callback"],
        reply_delay=given["reply_delay"],
        misspelt_mnc=given["misspelt_mnc"],
    )
    if words:
        options.reply_words = words
    return options


def faults_of(given: dict[str, Any]) -> Faults:
    return Faults(
        latency_ms=given["latency"],
        latency_jitter_ms=given["latency_jitter"],
        reset_before=given["reset_before"],
        reset_after=given["reset_after"],
        bad_gateway_before=given["bad_gateway_before"],
        bad_gateway_after=given["bad_gateway_after"],
        html=given["html"],
        half_json=given["half_json"],
        hang=given["hang"],
        busy=given["busy"],
        failure_before=given["failure_before"],
        failure_after=given["failure_after"],
        paths=given["fault_path"],
        leave_out=given["leave_out"],
        abnormal=given["abnormal"],
    )
