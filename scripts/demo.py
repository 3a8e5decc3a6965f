"""`make demo`: console, worker and sandbox under one command, with contacts and campaigns run to their end.

Nothing is faked: what the pages show went through job, HTTP, sandbox and pushes. Ctrl-C ends all of it.
"""

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("DEMO_VAR_DIR", ROOT / "var" / "demo"))
APP_ID = "4luaKsL2"
EMAIL_APP, VOICE_APP, NUMBER_APP = "fKFtblIy", "iaAJ6COV", "DemoNumbers"
OTHER_APPLICATIONS = [
    (EMAIL_APP, "email", "Demo email"),
    (VOICE_APP, "voice", "Demo voice"),
    (NUMBER_APP, "number", "Demo numbers"),
]
GROUP = "Sample contacts"
USER = "demo"
START_PATIENCE = 60.0
CAMPAIGN_PATIENCE = 180.0


class DemoFailed(Exception):
    """A sentence for whoever typed `make demo`."""


def main() -> int:
    VAR.mkdir(parents=True, exist_ok=True)
    ports = {"console": free_port(8000), "sandbox": free_port(8090)}
    kept = kept_secrets()
    os.environ.update(environment(ports, kept))
    signal.signal(signal.SIGTERM, interrupt)
    with contextlib.ExitStack() as running:
        try:
            prepare(kept["password"])
            start_all(running, ports, kept["token"])
            fill()
            announce(ports, kept["password"])
            watch(running)
        except KeyboardInterrupt:
            print("\nStopping …", flush=True)
        except DemoFailed as problem:
            print(f"make demo: {problem}\nLogs are in {VAR}/*.log", file=sys.stderr)
            return 1
    return 0


def kept_secrets() -> dict[str, str]:
    """Password and push token of this demo, the same at the next start."""
    path = VAR / "demo.json"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(json.dumps({"password": secrets.token_urlsafe(9), "token": secrets.token_urlsafe(24)}))
    kept: dict[str, str] = json.loads(path.read_text())
    return kept


def environment(ports: dict[str, int], kept: dict[str, str]) -> dict[str, str]:
    """Everything that could lead to the real gateway is set here, whatever `.env` says."""
    return {
        "CONSOLE_VAR_DIR": str(VAR),
        "DATABASE_URL": os.environ.get("DATABASE_URL") or f"sqlite:///{VAR / 'console.sqlite3'}",
        "CONSOLE_URL": f"http://127.0.0.1:{ports['console']}",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "LAAFFIC_BASE_URL": f"http://127.0.0.1:{ports['sandbox']}/v3",
        "LAAFFIC_PATHS": "",
        "LAAFFIC_API_KEY": "sandbox-key",
        "LAAFFIC_API_SECRET": "sandbox-secret",
        "LAAFFIC_PUSH_TOKENS": kept["token"],
        "DJANGO_SUPERUSER_PASSWORD": kept["password"],
        "SECRET_KEY": "",
        "DEBUG": "",
        "PYTHONUNBUFFERED": "1",
    }


def prepare(password: str) -> None:
    say("Preparing the database")
    manage("migrate", "--verbosity", "0")
    manage("collectstatic", "--no-input", "--verbosity", "0")
    manage("ensure_superuser", USER)
    manage("register_app", APP_ID, "--channel", "sms", "--name", "Demo SMS", "--sender-id", "LAAFFIC")
    for app_id, channel, name in OTHER_APPLICATIONS:
        manage("register_app", app_id, "--channel", channel, "--name", name)


def start_all(running: contextlib.ExitStack, ports: dict[str, int], token: str) -> None:
    console = f"http://127.0.0.1:{ports['console']}"
    python = sys.executable
    sandbox = ["sandbox", "--port", str(ports["sandbox"]), *sandbox_options(f"{console}/hooks/{token}")]
    start(running, "sandbox", [python, "manage.py", *sandbox])
    gunicorn = ["laaffic_console.wsgi", "--bind", f"127.0.0.1:{ports['console']}", "--workers", "2", "--threads", "4"]
    start(running, "console", [python, "-m", "gunicorn", *gunicorn, "--no-control-socket", "--timeout", "120"])
    start(running, "worker", [python, "manage.py", "worker"])
    wait_for(f"http://127.0.0.1:{ports['sandbox']}/sandbox/stats", "the sandbox")
    wait_for(f"{console}/healthz", "the console")
    wait_for(f"{console}/readyz", "the worker")


def sandbox_options(hooks: str) -> list[str]:
    """People who answer, phones that ring, numbers that are bound: something to see on every page."""
    return [
        *["--callback", f"{hooks}/sms-report/", "--push-mode", "array"],
        *["--reply-callback", f"{hooks}/sms-reply/", "--reply-rate", "0.003"],
        *["--voice-callback", f"{hooks}/voice-report/", "--sip-phones", "4"],
        *["--bindings", "250", "--owned-numbers", "12", "--email-list-size", "200"],
    ]


def start(running: contextlib.ExitStack, name: str, command: list[str]) -> None:
    log = running.enter_context((VAR / f"{name}.log").open("ab"))
    # A group of its own: Ctrl-C reaches this process first, which ends the others in order.
    process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
    running.callback(stop, process)
    started[name] = process


started: dict[str, "subprocess.Popen[bytes]"] = {}


def stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def fill() -> None:
    """Sample contacts, finished campaigns, and what Laaffic keeps, once."""
    if "finished" in manage("campaign", "list", "--json"):
        return
    sample = VAR / "sample-contacts.csv"
    say("Importing 10,000 sample contacts")
    manage("sample_contacts", str(sample), "--rows", "10000")
    imported = json.loads(manage("contacts", "import", str(sample), "--group", GROUP, "--json"))
    say(f"  {imported['added']:,} added, {imported['invalid']:,} rows are bad, as in life")
    say("Running a campaign through the sandbox")
    text = "Hello {{first_name|there}}, your table is ready. Reply STOP to opt out."
    made = ["create", "--name", "Welcome", "--app", APP_ID, "--text", text, "--group", GROUP, "--json"]
    campaign = str(json.loads(manage("campaign", *made))["id"])
    manage("campaign", "launch", campaign, "--json")
    wait_for_campaign(campaign)
    fill_other_channels()


def fill_other_channels() -> None:
    say("Reading bindings, owned numbers and SIP phones; sending a newsletter to 200 addresses")
    manage("numbers", "sync")
    manage("voice", "sync")
    manage("email", "lookup", EMAIL_APP)
    mail = ["--from", "test@mailpush.laaffic.cn", "--list", "1000", "--template", "1", "--subject", "What is new"]
    manage("email", "send", "--app", EMAIL_APP, *mail, "--json")
    say("Calling 200 of the contacts with a spoken reminder")
    callees = VAR / "callees.csv"
    callees.write_text("".join((VAR / "sample-contacts.csv").open(encoding="utf-8-sig").readlines()[:201]))
    task = ["--name", "Table reminder", "--app", VOICE_APP, "--text", "Your table is ready at seven."]
    manage("voice", "group", "create", *task, "--file", str(callees), "--skip-invalid", "--launch", "--json")


def wait_for_campaign(campaign: str) -> None:
    """Until it has finished and nearly every report is in."""
    deadline = time.monotonic() + CAMPAIGN_PATIENCE
    while time.monotonic() < deadline:
        report = json.loads(manage("campaign", "report", campaign, "--json"))
        if report["state"] == "held":
            raise DemoFailed("the campaign was held; its page says why")
        if report["state"] == "finished" and not report["counts"]["accepted"]:
            counts = report["counts"]
            say(f"  {counts['delivered']:,} delivered, {counts['undelivered']:,} undelivered")
            return
        time.sleep(1)
    raise DemoFailed("the campaign did not finish in time")


def announce(ports: dict[str, int], password: str) -> None:
    console, sandbox = f"http://127.0.0.1:{ports['console']}/", f"http://127.0.0.1:{ports['sandbox']}/"
    print(
        f"\n  Console   {console}\n  User      {USER}\n  Password  {password}\n"
        f"  Phones    {sandbox} (what the sandbox received)\n\n  Ctrl-C ends all of it.\n",
        flush=True,
    )


def watch(running: contextlib.ExitStack) -> None:
    while True:
        for name, process in started.items():
            if process.poll() is not None:
                raise DemoFailed(f"the {name} ended with code {process.returncode}")
        time.sleep(1)


def manage(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise DemoFailed(f"manage.py {arguments[0]} failed: {done.stderr.strip()[-500:]}")
    return done.stdout


def wait_for(url: str, what: str) -> None:
    deadline = time.monotonic() + START_PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
            if answer.status == 200:
                return
        time.sleep(0.2)
    raise DemoFailed(f"{what} did not answer at {url}")


def free_port(wanted: int) -> int:
    """The usual port, or the next one that nobody uses."""
    for port in range(wanted, wanted + 50):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise DemoFailed(f"no free port from {wanted} on")


def interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
