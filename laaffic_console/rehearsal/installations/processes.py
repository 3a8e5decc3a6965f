"""The processes of an installation of its own: started, found, struck and started again."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from laaffic_console.conf import HOME_DIR
from laaffic_console.rehearsal.plan import Blow, Kind

GATEWAY = "sandbox"  # stands for the vendor: its connections are struck, and it is never killed
WHOLE_CLUSTER = 5  # sentinel, two workers, pusher and monitor
PAUSE_SECONDS = (2.0, 14.0)  # from well under a lease to well over it
STILL_SECONDS = (9.0, 16.0)  # a lease and more
STOP_PATIENCE = 105.0  # as deploy/console-worker.service has it


class Processes:
    """Sandbox, web process and workers, each under a name, each a group of its own with a log file."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.home = HOME_DIR
        self.commands: dict[str, tuple[list[str], dict[str, str]]] = {}
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.stopped: list[tuple[float, list[psutil.Process]]] = []  # when they go on

    def start(self, name: str, command: Sequence[str], more: Mapping[str, str] | None = None) -> None:
        """`more`: what its environment has instead of the installation's."""
        self.commands[name] = list(command), dict(more or {})
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(  # noqa: S603
                [sys.executable, *command],
                cwd=self.home,
                env={**self.environment, **(more or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def can_be_struck(self, blow: Blow) -> bool:
        """Whether what it strikes is there: a cluster that is starting has no processes yet."""
        if blow.kind in (Kind.CHILD, Kind.CLUSTER, Kind.PAUSE, Kind.FREEZE, Kind.STILL):
            return len(self._cluster_children(self._worker(blow))) >= WHOLE_CLUSTER
        return blow.kind is not Kind.WEB_CHILD or bool(self._children("web"))

    def _worker(self, blow: Blow) -> str:
        workers = sorted(name for name in self.running if name.startswith("worker"))
        return workers[blow.pick(len(workers))]

    def strike(self, blow: Blow) -> str:
        """Do what the blow says to the processes as they are now; one line that says what that was."""
        match blow.kind:
            case Kind.WEB:
                return self._kill_and_restart("web", self._family("web"))
            case Kind.WEB_CHILD:
                return self._kill_one("web", self._children("web"), blow)
            case Kind.WEB_STILL:
                return self._stop("web", self._family("web"), blow.length(*STILL_SECONDS))
        name = self._worker(blow)
        match blow.kind:
            case Kind.SUPERVISOR:
                return self._kill_and_restart(name, [psutil.Process(self.running[name].pid)])
            case Kind.WORKER:
                return self._kill_and_restart(name, self._family(name))
            case Kind.CLUSTER:
                return self._kill_one(name, self._clusters(name), blow)
            case Kind.CHILD:
                return self._kill_one(name, self._cluster_children(name), blow)
            case Kind.FREEZE:
                return self._stop(name, self._clusters_whole(name), None)
            case Kind.PAUSE:
                return self._stop(name, self._clusters_whole(name), blow.length(*PAUSE_SECONDS))
            case Kind.STILL:
                return self._stop(name, self._family(name), blow.length(*STILL_SECONDS))
        raise ValueError(f"{blow.kind} strikes no process")

    def look_after(self) -> list[str]:
        """Start again what has ended, as a service manager does, and let go on what was stopped for a while."""
        now = time.monotonic()
        for due, stopped in self.stopped:
            if due <= now:
                _signal(stopped, signal.SIGCONT)
        self.stopped = [(due, stopped) for due, stopped in self.stopped if due > now]
        ended = [name for name, process in self.running.items() if process.poll() is not None]
        if GATEWAY in ended:
            raise RuntimeError("the sandbox ended, and what it had accepted is gone with it: see its log")
        for name in ended:
            self.start(name, *self.commands[name])
        return ended

    def rename(self, before: str, name: str) -> None:
        self.commands[name], self.running[name] = self.commands.pop(before), self.running.pop(before)

    def stop(self, names: Sequence[str]) -> None:
        """Stop processes as a service manager does: ask, wait, and start nothing again."""
        self.let_go_on()
        stopping = [self.running.pop(name) for name in names]
        for process in stopping:
            process.send_signal(signal.SIGTERM)
        for process in stopping:
            process.wait(STOP_PATIENCE)

    def end(self) -> None:
        """Ask all to end, wait a little, and kill whatever has this installation's folder in its environment."""
        self.let_go_on()
        for process in reversed(self.running.values()):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        give_up_at = time.monotonic() + 5
        for process in self.running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, give_up_at - time.monotonic()))
        for process in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()
        for orphan in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if orphan.pid != os.getpid() and orphan.environ().get("CONSOLE_VAR_DIR") == str(self.folder):
                    orphan.kill()

    @contextlib.contextmanager
    def standing_still(self, name: str) -> Iterator[None]:
        victims = self._family(name)
        _signal(victims, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal(victims, signal.SIGCONT)

    def let_go_on(self) -> None:
        for _, stopped in self.stopped:
            _signal(stopped, signal.SIGCONT)
        self.stopped = []

    def _kill_and_restart(self, name: str, victims: list[psutil.Process]) -> str:
        _signal(victims, signal.SIGKILL)
        self.running[name].wait()
        self.start(name, *self.commands[name])
        return f"{name}: {len(victims)} processes killed"

    def _kill_one(self, name: str, victims: list[psutil.Process], blow: Blow) -> str:
        if not victims:
            return f"{name}: nothing there to kill"
        victim = victims[blow.pick(len(victims))]
        _signal([victim], signal.SIGKILL)
        return f"{name}: process {victim.pid} killed"

    def _stop(self, name: str, victims: list[psutil.Process], seconds: float | None) -> str:
        _signal(victims, signal.SIGSTOP)
        if seconds is None:
            return f"{name}: {len(victims)} processes stopped"
        self.stopped.append((time.monotonic() + seconds, victims))
        return f"{name}: {len(victims)} processes stopped for {seconds:.1f} s"

    def _family(self, name: str) -> list[psutil.Process]:
        return [psutil.Process(self.running[name].pid), *self._children(name)]

    def _children(self, name: str) -> list[psutil.Process]:
        try:
            return _below(psutil.Process(self.running[name].pid))
        except psutil.NoSuchProcess:
            return []

    def _clusters(self, name: str) -> list[psutil.Process]:
        """The process that the worker started, not those below it; their command lines are the same."""
        found = []
        with contextlib.suppress(psutil.Error):
            for child in psutil.Process(self.running[name].pid).children():
                if "qcluster" in child.cmdline():
                    found.append(child)
        return found

    def _clusters_whole(self, name: str) -> list[psutil.Process]:
        return [process for cluster in self._clusters(name) for process in (cluster, *_below(cluster))]

    def _cluster_children(self, name: str) -> list[psutil.Process]:
        return [process for cluster in self._clusters(name) for process in _below(cluster)]


def _below(process: psutil.Process) -> list[psutil.Process]:
    try:
        return sorted(process.children(recursive=True), key=lambda child: child.pid)
    except psutil.NoSuchProcess:
        return []


def _signal(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    """psutil looks whether the number still means the same process."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(is_so: Callable[[], bool], what: str, seconds: float, every: float = 0.2) -> None:
    give_up_at = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"{what} did not come within {seconds:.0f} seconds")
        time.sleep(every)
