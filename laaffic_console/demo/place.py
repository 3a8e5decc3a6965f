"""What belongs to one demo alone while it runs: its folder, its ports, its secrets, and the servers that were named."""

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

from laaffic_console.demo.commands import ROOT, DemoFailed


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that has begun."""

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
        """The settings' file for a shell: with CONSOLE_ENV_FILE naming it, commands are about this demo."""
        return self.folder / "demo.env"

    def write_env_file(self) -> None:
        write_private(self.env_file, "".join(f"{name}={value}\n" for name, value in self.settings().items()))

    def environment(self) -> dict[str, str]:
        """The environment of this demo's processes. `.env` is another console's, and not read."""
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
    """Whether this process got the lock; it holds it until it ends, however it ends."""
    lock = path.open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return False
    running.callback(lock.close)
    return True


def own_port(wanted: int) -> socket.socket:
    """A socket that listens on the usual port or the next free one: from here on nobody else can have it."""
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
