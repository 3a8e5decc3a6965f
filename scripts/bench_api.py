"""How long POST /messages takes at a steady rate, on gunicorn as deployed, while a campaign is running.

.venv/bin/python scripts/bench_api.py [--database sqlite|postgres://user@host:port/] [--rate 100] [--seconds 30]

The load is open: each request leaves at its own moment, whether the earlier ones were answered or not, and its time
counts from that moment. The cost in the web processes is measured as processor time, which a busy machine affects less
than clock time.
"""

import argparse
import http.client
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil

from laaffic_console.rehearsal.installations import stores
from laaffic_console.rehearsal.installations.processes import GATEWAY, Processes, free_port, wait_until

RUNNING_RATE = 200  # messages per second of the campaign that is running
CLIENTS = 64
APPLICATION = "benchApp"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", default="sqlite")
    parser.add_argument("--rate", type=int, default=100, help="requests a second")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, stores.database(given.database, Path(name), keep=False) as address:
        found = measured(Path(name), address, given.rate, given.seconds)
    print(json.dumps(found) if given.json else "  ".join(f"{key}: {value}" for key, value in found.items()))


def measured(folder: Path, database: str, rate: int, seconds: int) -> dict[str, Any]:
    web_port, gateway_port = free_port(), free_port()
    environment = {
        **os.environ,
        "CONSOLE_VAR_DIR": str(folder),
        "DATABASE_URL": database,
        "REDIS_URL": "",
        "CONSOLE_URL": f"http://127.0.0.1:{web_port}",
        "CONSOLE_BIND": f"127.0.0.1:{web_port}",
        "ALLOWED_HOSTS": "127.0.0.1",
        "DEBUG": "",
        "LOG_LEVEL": "WARNING",
        "LAAFFIC_BASE_URL": f"http://127.0.0.1:{gateway_port}/v3",
        "LAAFFIC_PATHS": "",
        "LAAFFIC_API_KEY": "bench-key",
        "LAAFFIC_API_SECRET": "bench-secret",
        "LAAFFIC_PUSH_TOKENS": "a-token-of-the-bench",
        "REPLY_PULL_MINUTES": "1000000",
    }
    command(environment, "migrate", "--verbosity", "0")
    command(environment, "register_app", APPLICATION, "--channel", "sms", "--sender-id", "SHOP")
    command({**environment, "DJANGO_SUPERUSER_PASSWORD": secrets.token_urlsafe(16)}, "createsuperuser", *SUPERUSER)
    token = json.loads(command(environment, "api_token", "create", "bench", *TOKEN))["token"]
    processes = Processes(folder, environment)
    try:
        told = ["--port", str(gateway_port), "--api-key", "bench-key", "--api-secret", "bench-secret"]
        processes.start(GATEWAY, ["-m", "laaffic_console", "sandbox", *told])
        processes.start("web", ["-m", "laaffic_console", "web"])
        processes.start("worker-1", ["-m", "laaffic_console", "worker"])
        client = Client(web_port, token)
        wait_until(client.is_ready, "a web process and a worker that are ready", 60)
        begin_campaign(folder, environment, count=RUNNING_RATE * (seconds + 30))
        client.load(20, 3)  # fill the caches that only first requests miss
        before = spent(web_port)
        times = client.load(rate, seconds)
        used = spent(web_port) - before
    finally:
        processes.end()
    return {
        "database": database.partition(":")[0],
        "requests": len(times),
        "refused": dict(client.refused),
        **{f"p{share}_ms": percentile(times, share) for share in (50, 95, 99)},
        "processor_ms_a_request": round(1000 * used / len(times), 1),
    }


SUPERUSER = ["--no-input", "--username", "bench", "--email", "bench@example.com"]
TOKEN = ["--user", "bench", "--rate", "1000000", "--json"]


def command(environment: dict[str, str], *words: str) -> str:
    asked = [sys.executable, "-m", "laaffic_console", *words]
    done = subprocess.run(asked, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def begin_campaign(folder: Path, environment: dict[str, str], *, count: int) -> None:
    """Start a campaign that is still running at the end."""
    file = folder / "people.txt"
    file.write_text("\n".join(["number", *(str(919800000000 + n) for n in range(count))]))
    command(environment, "contacts", "import", str(file), "--group", "bench")
    made = command(
        environment,
        *("campaign", "create", "--name", "beside", "--app", APPLICATION, "--sender-id", "SHOP", "--text", "Hello"),
        *("--group", "bench", "--rate", str(RUNNING_RATE), "--json"),
    )
    command(environment, "campaign", "launch", str(json.loads(made)["id"]))


def spent(port: int) -> float:
    """Processor seconds of gunicorn's processes."""
    ours = f"127.0.0.1:{port}"
    web = [one for one in psutil.process_iter(["environ"]) if (one.info["environ"] or {}).get("CONSOLE_BIND") == ours]
    times = [one.cpu_times() for one in web if "worker" not in one.cmdline() and "sandbox" not in one.cmdline()]
    return float(sum(one.user + one.system for one in times))


class Client:
    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token
        self.refused: Counter[int] = Counter()  # by status; 0 if the connection broke
        self.local = threading.local()

    def is_ready(self) -> bool:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False

    def load(self, rate: int, seconds: int) -> list[float]:
        """Milliseconds of each request, from the moment at which it was due to leave."""
        begun, run = time.monotonic() + 0.1, f"{time.time_ns()}"
        with ThreadPoolExecutor(CLIENTS) as pool:
            asked = [pool.submit(self.one, begun + n / rate, f"{run}-{n}", n) for n in range(rate * seconds)]
        return [one.result() for one in asked]

    def one(self, at: float, key: str, number: int) -> float:
        time.sleep(max(0.0, at - time.monotonic()))
        body = json.dumps(
            {"application": APPLICATION, "text": f"Your code is {number}", "to": [f"+9198765{number:05}"]}
        )
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Idempotency-Key": key,
            "Content-Type": "application/json",
        }
        try:
            connection = self.connection()
            connection.request("POST", "/api/v1/messages", body, headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 202:
                self.refused[answer.status] += 1
        except (OSError, http.client.HTTPException):
            self.local.connection = None
            self.refused[0] += 1
        return 1000 * (time.monotonic() - at)

    def connection(self) -> http.client.HTTPConnection:
        """The thread's own connection, kept open as a script's would be."""
        if getattr(self.local, "connection", None) is None:
            self.local.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        kept: http.client.HTTPConnection = self.local.connection
        return kept


def percentile(times: list[float], share: int) -> float:
    return round(statistics.quantiles(times, n=100)[share - 1], 1)


if __name__ == "__main__":
    main()
