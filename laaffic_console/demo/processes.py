"""`make demo`, or `laaffic-console demo`: console, worker and sandbox under one command, with contacts and campaigns.

Nothing is faked: what the pages show went through job, HTTP, sandbox and pushes. Ctrl-C ends all of it. Several demos
can run at once: each has a folder, ports and a key to its sandbox that no other has.
"""

import argparse
import contextlib
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from laaffic_console.demo import named_stores
from laaffic_console.demo.commands import CONSOLE, ROOT, DemoFailed, say
from laaffic_console.demo.filling import USER, fill, prepare
from laaffic_console.demo.place import Demo
from laaffic_console.gateway.cluster_guard import Guard

START_PATIENCE = 60.0


def main(given: Sequence[str] | None = None) -> int:
    argparse.ArgumentParser(
        prog="laaffic-console demo",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="DEMO_VAR_DIR names the demo's folder; DATABASE_URL and REDIS_URL servers for it, empty or its own.",
    ).parse_args(given)
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell that starts it with & has SIGINT ignored
        signal.signal(number, interrupt)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # its terminal is closed, and it is not to go on (nohup)
        signal.signal(signal.SIGHUP, interrupt)
    with contextlib.ExitStack() as running:
        try:
            return run(running)
        except KeyboardInterrupt:
            print("\nStopping …", flush=True)
        except DemoFailed as problem:
            print(f"The demo has ended: {problem}", file=sys.stderr)
            return 1
    return 0


def run(running: contextlib.ExitStack) -> int:
    if importlib.util.find_spec("aiohttp") is None:
        raise DemoFailed("its gateway needs more than a server does: pip install 'laaffic-console[sandbox]'")
    demo = Demo.begun(running)
    named = named_stores.named()
    os.environ.update(demo.environment())
    demo.write_env_file()
    try:
        named_stores.take(named, demo)
        prepare(demo)
        start_all(running, demo)
        fill(demo)
        announce(demo)
        watch()
    except DemoFailed as problem:
        raise DemoFailed(f"{problem}\nLogs are in {demo.folder}/*.log") from problem
    return 0


def start_all(running: contextlib.ExitStack, demo: Demo) -> None:
    """Sandbox and console take over their listening sockets: no other program can answer in their place."""
    say("Starting sandbox, console and worker")
    os.environ.update(sandbox_callbacks(f"{demo.console_url}/hooks/{demo.secrets['token']}"))
    sandbox = ["sandbox", "--fd", str(demo.sandbox.fileno()), *SANDBOX_OPTIONS]
    start(running, demo, "sandbox", [*CONSOLE, *sandbox], demo.sandbox)
    gunicorn = ["laaffic_console.wsgi", "--bind", f"fd://{demo.console.fileno()}", "--workers", "2", "--threads", "4"]
    gunicorn += ["--no-control-socket", "--timeout", "120"]
    start(running, demo, "console", [sys.executable, "-m", "gunicorn", *gunicorn], demo.console)
    start(running, demo, "worker", [*CONSOLE, "worker"])
    wait_for(f"{demo.sandbox_url}/sandbox/stats", "the sandbox")
    wait_for(f"{demo.console_url}/healthz", "the console")
    wait_for(f"{demo.console_url}/readyz", "the worker")


# People who answer, phones that ring, numbers that are bound: something to see on every page.
SANDBOX_OPTIONS = [
    *["--push-mode", "array", "--reply-rate", "0.003", "--sip-phones", "4"],
    *["--bindings", "250", "--owned-numbers", "12", "--email-list-size", "200", "--balance", "100000"],
]


def sandbox_callbacks(hooks: str) -> dict[str, str]:
    """The addresses as environment variables: their token is a secret, and everybody on the machine sees arguments."""
    return {
        "SANDBOX_CALLBACK": f"{hooks}/sms-report/",
        "SANDBOX_REPLY_CALLBACK": f"{hooks}/sms-reply/",
        "SANDBOX_VOICE_CALLBACK": f"{hooks}/voice-report/",
    }


def start(
    running: contextlib.ExitStack, demo: Demo, name: str, command: list[str], listener: socket.socket | None = None
) -> None:
    log = running.enter_context((demo.folder / f"{name}.log").open("ab"))
    handed = [listener.fileno()] if listener else []
    # A group of its own: Ctrl-C reaches this process first, which ends the others in order.
    process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True, pass_fds=handed)
    guard = Guard()  # whatever ends this process, the others end too
    guard.watch(process.pid)
    running.callback(guard.end)
    running.callback(stop, process)
    started[name] = process
    if listener:
        listener.close()  # while only the child holds it, its end is everybody's: nothing waits for an answer in vain


started: dict[str, "subprocess.Popen[bytes]"] = {}


def stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def announce(demo: Demo) -> None:
    print(
        f"\n  Console   {demo.console_url}/\n  User      {USER}\n  Password  {demo.secrets['password']}\n"
        f"  Phones    {demo.sandbox_url}/ (what the sandbox received)\n"
        f"  Commands  CONSOLE_ENV_FILE={from_here(demo.env_file)} {from_here(sys.executable)} -m laaffic_console "
        "campaign list\n\n  Ctrl-C ends all of it.\n",
        flush=True,
    )


def from_here(path: str | Path) -> str:
    """The path as somebody would type it in this folder: relative where that is shorter."""
    return min(str(path), os.path.relpath(path), key=len)


def watch() -> None:
    while True:
        for name, process in started.items():
            if process.poll() is not None:
                raise DemoFailed(f"the {name} ended with code {process.returncode}")
        time.sleep(1)


def wait_for(url: str, what: str) -> None:
    deadline = time.monotonic() + START_PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
            if answer.status == 200:
                return
        time.sleep(0.2)
    raise DemoFailed(f"{what} did not answer at {url}")


def interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
