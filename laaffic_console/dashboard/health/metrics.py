"""What Prometheus reads at /metrics: a fixed number of questions to the database, none of which counts what is over.

Everything is read when it is asked for, so web processes and workers share nothing and agree.
"""

import datetime as dt
import secrets
from collections.abc import Iterator

from django.conf import settings
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from laaffic_console.gateway import queue
from laaffic_console.gateway.models import IS_OPEN_ENTRY, EntryState, Lease, LedgerEntry
from laaffic_console.gateway.services.account import account_hold, balance_history
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.inbox import inbox
from laaffic_console.gateway.services.work import bell, workers
from laaffic_console.kit.registers import gauges
from laaffic_console.kit.requests.client_address import client_address, is_among

TYPE = "text/plain; version=0.0.4; charset=utf-8"
RECENT_REQUESTS = 200  # of which the answers' times are told
COUNTED = 10_000  # beyond this the inbox is long, and counting it would take long
OPEN_REQUESTS = (EntryState.PREPARED, EntryState.IN_FLIGHT, EntryState.UNKNOWN)


@require_GET
def view(request: HttpRequest) -> HttpResponse:
    """404 where it is off; 403 to anyone who has neither the token nor an address of the list."""
    if not settings.LAAFFIC_METRICS_TOKEN and not settings.LAAFFIC_METRICS_SOURCES:
        raise Http404
    if not _has_token(request) and not is_among(client_address(request), settings.LAAFFIC_METRICS_SOURCES):
        return HttpResponse("Send Authorization: Bearer with LAAFFIC_METRICS_TOKEN.\n", TYPE, status=403)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures())
    return HttpResponse(generate_latest(registry), content_type=TYPE)


def _has_token(request: HttpRequest) -> bool:
    wanted = settings.LAAFFIC_METRICS_TOKEN
    kind, _space, given = request.headers.get("Authorization", "").partition(" ")
    return bool(wanted) and kind.lower() == "bearer" and secrets.compare_digest(given.encode(), wanted.encode())


class Figures(Collector):
    def describe(self) -> list[GaugeMetricFamily]:
        return []  # else it would be asked once when it is registered

    def collect(self) -> Iterator[GaugeMetricFamily]:
        now = database_clock.now()
        yield from _queue_and_workers(now)
        for gauge in gauges.of_apps(now):
            yield _by(gauge.name, gauge.means, gauge.labels, gauge.rows)
        yield from _requests()
        yield from _inbox(now)
        yield from _account(now)


def _one(name: str, help_: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"laaffic_{name}", help_, value=value)


def _by(name: str, help_: str, labels: list[str], rows: dict[tuple[str, ...], float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"laaffic_{name}", help_, labels=labels)
    for values, n in sorted(rows.items()):
        family.add_metric(values, n)
    return family


def _queue() -> Iterator[GaugeMetricFamily]:
    """How many bells wait is unknown while Redis is away; every other figure is asked for all the same."""
    try:
        waiting = queue.ask()
    except bell.away():
        yield _one("queue_up", "Whether the queue answers that wakes the workers", 0)
        return
    yield _one("queue_up", "Whether the queue answers that wakes the workers", 1)
    yield _one("queue_length", "Bells that wait for a worker", waiting)


def _queue_and_workers(now: dt.datetime) -> Iterator[GaugeMetricFamily]:
    yield from _queue()
    living = list(workers.living().values_list("restarts", flat=True))
    yield _one("workers_alive", "Workers with a fresh heartbeat", len(living))
    yield _one("worker_restarts", "Restarts of the clusters of living workers", sum(living))
    held = Lease.objects.exclude(token="").filter(until__gte=now).count()
    yield _one("leases_held", "Pieces of work that somebody does right now", held)
    swept_at = workers.last_sweep()
    if swept_at is not None:
        yield _one("sweep_age_seconds", "Since the last sweep ended", (now - swept_at).total_seconds())


def _requests() -> Iterator[GaugeMetricFamily]:
    """Requests that act: those that are open, and how long the gateway took for the newest."""
    counts = LedgerEntry.objects.filter(IS_OPEN_ENTRY).order_by().values_list("state").annotate(Count("pk"))
    found = dict(counts)
    rows: dict[tuple[str, ...], float] = {(state.value,): found.get(state.value, 0) for state in OPEN_REQUESTS}
    yield _by("requests_open", "Requests of the ledger that are not settled", ["state"], rows)
    newest = LedgerEntry.objects.order_by("-pk").values_list("state", "left_at", "settled_at")[:RECENT_REQUESTS]
    answered = (EntryState.ACCEPTED, EntryState.REFUSED)
    took = sorted(
        (settled - left).total_seconds() for state, left, settled in newest if state in answered and left and settled
    )
    if took:
        rows = {("0.5",): took[len(took) // 2], ("0.95",): took[int(len(took) * 0.95)]}
        said = f"From leaving to the answer, of the newest {RECENT_REQUESTS} requests"
        yield _by("request_seconds", said, ["quantile"], rows)


def _inbox(now: dt.datetime) -> Iterator[GaugeMetricFamily]:
    count, oldest = inbox.waiting(COUNTED)
    yield _one("inbox_waiting", f"Pushed bodies that are not applied, at most {COUNTED:,}", count)
    lag = (now - oldest).total_seconds() if oldest else 0.0
    yield _one("inbox_lag_seconds", "How long the oldest of them has waited", max(0.0, lag))


def _account(now: dt.datetime) -> Iterator[GaugeMetricFamily]:
    holds = account_hold.wide_ones().count()
    yield _one("account_holds", "Holds of the account or of an application that have not ended", holds)
    reading = balance_history.latest()
    if reading is not None:
        yield _by("balance", "The newest balance", ["currency"], {(reading.currency,): float(reading.balance)})
        age = timezone.now() - reading.at
        yield _one("balance_age_seconds", "Since it was read", age.total_seconds())
        late = max(0.0, (age - balance_history.every()).total_seconds())
        yield _one("balance_overdue_seconds", "Since it was to be read again (LAAFFIC_BALANCE_MINUTES)", late)
