"""A version before this one runs the campaign, and in its middle `upgrade` brings the installation to this one.

The rehearsal is the service manager: the commands that stop and start write a file and wait until it has been done.
"""

import io
import re
import subprocess
import sys
import tarfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Self

from laaffic_console.conf import HOME_DIR
from laaffic_console.rehearsal.installations.installation import CommandFailed, Installation

AT_SHARE = 0.4
LASTS = 40  # seconds that a campaign takes, so that there is a middle
PATIENCE = 300.0
PAGES_MAY_BE_AWAY = 10.0
PAGE = "/admin/login/"
DUTIES = ("ready-web", "stop-workers", "stop-web", "start-web", "start-workers")
BESIDE = "web-beside"  # the new web process while the old one runs
REFUSED = "Another restore or upgrade is running"


def tree(named: str, folder: Path) -> Path:
    """`named` is the folder of a checkout, or what git calls a version; ValueError with a sentence."""
    if Path(named, "manage.py").is_file():
        return Path(named).resolve()
    packed = subprocess.run(["git", "archive", named], cwd=HOME_DIR, capture_output=True, check=False)  # noqa: S603, S607
    if packed.returncode:
        raise ValueError(f"--upgrade-from: “{named}” is neither the folder of a checkout nor a version that git knows.")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as files:
        files.extractall(folder / "before", filter="data")
    return folder / "before"


class Watch:
    """Asks for a page all the time: the longest that none came is how long pages were away."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.longest = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *whatever: object) -> None:
        self._ended.set()
        self._thread.join(10)

    def _watch(self) -> None:
        came = time.monotonic()
        while not self._ended.is_set():
            there = self._comes()
            now = time.monotonic()
            self.longest = max(self.longest, now - came)
            came = now if there else came
            self._ended.wait(0.05)

    def _comes(self) -> bool:
        try:
            with urllib.request.urlopen(self.address, timeout=5) as answer:  # noqa: S310 - our own
                return bool(answer.status == 200)
        except OSError:
            return False


class UpgradeInTheMiddle:
    """`begin` before the console is started, then `play` once; what it found is in the fields."""

    def __init__(self, console: Installation, before: Path) -> None:
        self.console, self.before = console, before
        self.was_played = False
        self.failures: list[str] = []
        self.said = ""

    def begin(self) -> None:
        self.console.run_from(self.before)

    def play(self, accepted: int, of: int) -> None:
        """Upgrade now that the gateway has accepted so many."""
        self.was_played = True
        console = self.console
        console.tell(f"upgrade at {accepted:,} accepted")
        with Watch(f"http://127.0.0.1:{console.web_port}{PAGE}") as watch:
            self._upgrade()
        console.struck["upgrade in the middle"] += 1
        console.seconds["pages away at the upgrade"] = round(watch.longest, 1)
        if watch.longest > PAGES_MAY_BE_AWAY:
            self.failures.append(f"pages were away for {watch.longest:.1f} s at the upgrade")
        if accepted >= of:
            self.failures.append("the campaign was over before the upgrade: rehearse with more --recipients")

    def _upgrade(self) -> None:
        first, second = self._begun("upgrade"), None
        give_up_at = time.monotonic() + PATIENCE
        does = (self._ready_web, self._stop_workers, self._stop_web, self._start_web, self.console.start_workers)
        while first.poll() is None:
            if time.monotonic() > give_up_at:
                first.kill()
                raise TimeoutError(f"the upgrade did not end within {PATIENCE:.0f} s")
            for name, do in zip(DUTIES, does, strict=True):
                if self._file("asked", name).exists() and not self._file("done", name).exists():
                    if second is None:  # the first has the lock for certain
                        second = self._begun("second-upgrade")
                        self._must_be_refused(second)
                    do()
                    self._file("done", name).touch()
            if not self._file("asked", "stop-workers").exists():
                self.console.processes.look_after()
            time.sleep(0.02)
        self.said = self._log("upgrade").read_text()
        if first.returncode:
            raise CommandFailed(f"the upgrade ended with {first.returncode}: {self.said[-1500:]}")
        self.console.tell(self.said.strip().splitlines()[-1])

    def _must_be_refused(self, second: "subprocess.Popen[bytes]") -> None:
        try:
            code = second.wait(60)
        except subprocess.TimeoutExpired:
            second.kill()
            code = 0
        if code != 1 or REFUSED not in self._log("second-upgrade").read_text():
            self.failures.append(f"a second upgrade at the same time ended with {code}, and was not refused")

    def _begun(self, name: str) -> "subprocess.Popen[bytes]":
        options = [word for duty in DUTIES for word in (f"--{duty}", self._wait_for(duty))]
        with self._log(name).open("wb") as log:
            return subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "laaffic_console", "upgrade", *options],
                cwd=HOME_DIR,
                env=self.console.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _wait_for(self, duty: str) -> str:
        asked, done = self._file("asked", duty), self._file("done", duty)
        return f"touch '{asked}'; while ! test -e '{done}'; do sleep 0.02; done"

    def _file(self, what: str, duty: str) -> Path:
        return self.console.wanted.folder / f"{what}-{duty}"

    def _log(self, name: str) -> Path:
        return self.console.wanted.folder / f"{name}.log"

    def _stop_workers(self) -> None:
        self.console.processes.stop([name for name in self.console.processes.running if name.startswith("worker")])

    def _ready_web(self) -> None:
        self.console.run_from(None)
        self.console.start_web(BESIDE)

    def _stop_web(self) -> None:
        self.console.processes.stop(["web"])

    def _start_web(self) -> None:
        """Take over the web process that runs already, under the name of the one whose place it takes."""
        self.console.processes.rename(BESIDE, "web")

    def setting(self) -> dict[str, str | int]:
        migrations = re.search(r"Upgraded: ([\d,]+) migrations", self.said)
        return {"upgraded in the middle, migrations": migrations[1] if migrations else "none"}


def of(console: Installation, before: Path | None) -> UpgradeInTheMiddle | None:
    return UpgradeInTheMiddle(console, before) if before else None
