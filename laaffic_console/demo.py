"""`make demo`, or `laaffic-console demo`: console, worker and sandbox under one command, with contacts and campaigns.

Nothing is faked: what the pages show went through job, HTTP, sandbox and pushes. Ctrl-C ends all of it. Several demos
can run at once: each has a folder, ports and a key to its sandbox that no other has.
"""

import argparse
import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from laaffic_console.gateway.cluster_guard import Guard

CHECKOUT = Path(__file__).resolve().parent.parent
# Where var/ lies, by the rule of conf.py, which this process must not read: it would take up `.env`.
ROOT = CHECKOUT if (CHECKOUT / "manage.py").is_file() else Path.cwd()
CONSOLE = [sys.executable, "-m", "laaffic_console"]
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
BEGAN = time.monotonic()
CAMPAIGN_PATIENCE = 180.0


class DemoFailed(Exception):
    """A sentence for anyone who started it."""


def main(given: Sequence[str] | None = None) -> int:
    argparse.ArgumentParser(
        prog="laaffic-console demo",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="DEMO_VAR_DIR names the folder of the demo; DATABASE_URL and REDIS_URL the servers that it is to use.",
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
    os.environ.update(demo.environment())
    demo.write_env_file()
    try:
        prepare(demo)
        start_all(running, demo)
        fill(demo)
        announce(demo)
        watch()
    except DemoFailed as problem:
        raise DemoFailed(f"{problem}\nLogs are in {demo.folder}/*.log") from problem
    return 0


@dataclass(frozen=True, slots=True)
class Demo:
    """What belongs to this demo alone while it runs."""

    folder: Path
    console: socket.socket
    console_url: str
    sandbox: socket.socket
    sandbox_url: str
    secrets: dict[str, str]

    @classmethod
    def begun(cls, running: contextlib.ExitStack) -> "Demo":
        folder = own_folder(running)
        own_stores(running)
        console, sandbox = own_port(8000), own_port(8090)
        for listener in (console, sandbox):
            running.callback(listener.close)
        return cls(folder, console, url_of(console), sandbox, url_of(sandbox), kept_secrets(folder))

    @property
    def env_file(self) -> Path:
        """For a shell: CONSOLE_ENV_FILE names it, and commands are about this demo."""
        return self.folder / "demo.env"

    def write_env_file(self) -> None:
        write_private(self.env_file, "".join(f"{name}={value}\n" for name, value in self.settings().items()))

    def environment(self) -> dict[str, str]:
        """`.env` is another console's, and not read."""
        return {
            "CONSOLE_ENV_FILE": os.devnull,
            **self.settings(),
            "DJANGO_SUPERUSER_PASSWORD": self.secrets["password"],
            "PYTHONUNBUFFERED": "1",
        }

    def settings(self) -> dict[str, str]:
        """Everything that could lead to the real gateway is set here."""
        return {
            "CONSOLE_VAR_DIR": str(self.folder),
            "DATABASE_URL": os.environ.get("DATABASE_URL") or f"sqlite:///{self.folder / 'console.sqlite3'}",
            "REDIS_URL": os.environ.get("REDIS_URL", ""),
            "CONSOLE_URL": self.console_url,
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "LAAFFIC_BASE_URL": f"{self.sandbox_url}/v3",
            "LAAFFIC_PATHS": "",
            "LAAFFIC_API_KEY": self.secrets["key"],
            "LAAFFIC_API_SECRET": self.secrets["secret"],
            "LAAFFIC_PUSH_TOKENS": self.secrets["token"],
            "LAAFFIC_BALANCE_CURRENCY": "EUR",  # what its sandbox bills the sample contacts in
            "SECRET_KEY": "",
            "DEBUG": "",
        }


def own_folder(running: contextlib.ExitStack) -> Path:
    """var/demo, or the first beside it in which no other demo runs; DEMO_VAR_DIR names one."""
    if named := os.environ.get("DEMO_VAR_DIR"):
        folder = Path(named)
        folder.mkdir(parents=True, exist_ok=True)
        if not is_ours(running, folder / "demo.lock"):
            raise DemoFailed(f"another demo runs in {folder}")
        return folder
    for folder in (ROOT / "var" / name for name in ("demo", *(f"demo-{number}" for number in range(2, 50)))):
        folder.mkdir(parents=True, exist_ok=True)
        if is_ours(running, folder / "demo.lock"):
            return folder
    raise DemoFailed("49 demos run already; end one of them")


def own_stores(running: contextlib.ExitStack) -> None:
    """A server that was named in the environment serves one demo: two workers would take each other's work."""
    for setting in ("DATABASE_URL", "REDIS_URL"):
        if url := os.environ.get(setting):
            digest = hashlib.sha256(url.encode()).hexdigest()[:16]
            if not is_ours(running, Path(tempfile.gettempdir()) / f"laaffic-demo-{os.getuid()}-{digest}.lock"):
                raise DemoFailed(f"another demo uses the server of {setting}; end it, or name another")


def is_ours(running: contextlib.ExitStack, path: Path) -> bool:
    """Held until this process ends, however it ends."""
    lock = path.open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return False
    running.callback(lock.close)
    return True


def own_port(wanted: int) -> socket.socket:
    """Listening on the usual port, or the next that nobody uses: from here on nobody else can have it."""
    for port in range(wanted, wanted + 50):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(512)
        except OSError:
            listener.close()
        else:
            return listener
    raise DemoFailed(f"no free port from {wanted} to {wanted + 49}")


def url_of(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def kept_secrets(folder: Path) -> dict[str, str]:
    """Password, push token and the sandbox's key of this demo, the same at the next start."""
    path = folder / "demo.json"
    try:
        kept: dict[str, str] = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):  # the first start, or one that was killed while it wrote
        kept = {}
    lengths = {"password": 9, "token": 24, "key": 12, "secret": 24}
    kept = {name: secrets.token_urlsafe(length) for name, length in lengths.items()} | kept
    write_private(path, json.dumps(kept))
    return kept


def write_private(path: Path, text: str) -> None:
    fresh = path.with_suffix(".part")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.replace(path)


def prepare(demo: Demo) -> None:
    say(
        "Starting a console, a worker and a sandbox on this machine. The first start also imports 10,000 contacts and "
        "runs campaigns: some minutes. Later starts skip that."
    )
    say(f"Preparing the database in {demo.folder}")
    manage("migrate", "--verbosity", "0")
    manage("ensure_superuser", USER)
    manage("register_app", APP_ID, "--channel", "sms", "--name", "Demo SMS", "--sender-id", "LAAFFIC")
    for app_id, channel, name in OTHER_APPLICATIONS:
        manage("register_app", app_id, "--channel", channel, "--name", name)


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
    """By environment: the token in these addresses is a secret, and everybody on the machine sees arguments."""
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


def fill(demo: Demo) -> None:
    """Sample contacts, finished campaigns, and what Laaffic keeps, once."""
    if "finished" in manage("campaign", "list", "--json"):
        return
    who = f"user {USER}, password {demo.secrets['password']}"
    say(f"The console answers at {demo.console_url}/ ({who}); now it is filled")
    sample = demo.folder / "sample-contacts.csv"
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
    plan_with_care(campaign)
    fill_other_channels(demo.folder, sample)


def plan_with_care(before: str) -> None:
    """Hours, a budget, an audience by condition, and a draft that keeps to them."""
    say("Setting sending hours and a budget, and drafting a campaign to an audience")
    manage("calendar", "create", "Daytime", "--hours", "mon-fri 09:00-20:00", "--hours", "sat 10:00-14:00")
    manage("budget", "set", "--app", APP_ID, "--per", "month", "--messages", "100000")
    manage("audience", "create", "Reached in Germany", "--where", f"country = DE and in campaign {before}")
    text = "Good news, {{first_name|there}}: your usual table is free on Friday."
    made = ["create", "--name", "Friday tables", "--app", APP_ID, "--text", text, "--calendar", "Daytime"]
    manage("campaign", *made, "--audience", "Reached in Germany")


def fill_other_channels(folder: Path, sample: Path) -> None:
    say("Reading bindings, owned numbers and SIP phones; sending a newsletter to 200 addresses")
    manage("numbers", "sync")
    manage("voice", "sync")
    manage("email", "lookup", EMAIL_APP)
    mail = ["--from", "test@mailpush.laaffic.cn", "--list", "1000", "--template", "1", "--subject", "What is new"]
    manage("email", "send", "--app", EMAIL_APP, *mail, "--json")
    say("Calling 200 of the contacts with a spoken reminder")
    callees = folder / "callees.csv"
    callees.write_text("".join(sample.open(encoding="utf-8-sig").readlines()[:201]))
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


def announce(demo: Demo) -> None:
    print(
        f"\n  Console   {demo.console_url}/\n  User      {USER}\n  Password  {demo.secrets['password']}\n"
        f"  Phones    {demo.sandbox_url}/ (what the sandbox received)\n"
        f"  Commands  CONSOLE_ENV_FILE={from_here(demo.env_file)} {from_here(sys.executable)} -m laaffic_console "
        "campaign list\n\n  Ctrl-C ends all of it.\n",
        flush=True,
    )


def from_here(path: str | Path) -> str:
    """As somebody types it in this folder."""
    return min(str(path), os.path.relpath(path), key=len)


def watch() -> None:
    while True:
        for name, process in started.items():
            if process.poll() is not None:
                raise DemoFailed(f"the {name} ended with code {process.returncode}")
        time.sleep(1)


def manage(*arguments: str) -> str:
    done = subprocess.run([*CONSOLE, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        # What was killed, as when memory is short, has said nothing.
        why = done.stderr.strip()[-500:] or f"it said nothing and ended with code {done.returncode}"
        raise DemoFailed(f"{' '.join(arguments[:2])} failed: {why}")
    return done.stdout


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


def say(text: str) -> None:
    """With the seconds since the start, so that a slow machine is told from one that hangs."""
    print(f"{time.monotonic() - BEGAN:4.0f} s  {text}", flush=True)
