"""The queue, its Redis and the database: with other settings work is lost, or runs twice."""

import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, register
from django.db import Error as DatabaseTrouble
from django.db import connection
from django.utils.translation import gettext_lazy as _

from laaffic_console.checks.saying import TAG, error, is_loopback, warning
from laaffic_console.gateway.services.database import durability
from laaffic_console.kit.sql import database_troubles

LEAST_BUSY_TIMEOUT = 5  # seconds

# django-q2's settings (measured: with others its tasks are lost, run twice or forever). Name, value, id, what happens.
QUEUE = (
    ("ack_failures", True, "E102", _("a task that fails runs again forever")),
    ("max_attempts", 1, "E103", _("a task that fails is tried again beside the sweeper")),
    ("save_limit", -1, "E104", _("each finished task locks all that are kept, and the queue is 4 to 11 times slower")),
    ("queue_limit", 1, "E105", _("tasks that were fetched ahead are lost or run twice when a worker dies")),
    ("bulk", 1, "E106", _("tasks that were fetched ahead are lost or run twice when a worker dies")),
    ("sync", False, "E107", _("jobs run inside the web request")),
)


@register(TAG)
def check_queue(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """FACTS of django-q2: what is fetched ahead runs twice, and `retry` counts from the fetch."""
    queue = settings.Q_CLUSTER
    found: list[CheckMessage] = [
        error(
            _("Q_CLUSTER['%(name)s'] is %(value)r: %(consequence)s.")
            % {"name": name, "value": queue.get(name), "consequence": consequence},
            hint=_("Set it to %(wanted)r, in the web process and in every worker.") % {"wanted": wanted},
            id=f"laaffic.{number}",
        )
        for name, wanted, number, consequence in QUEUE
        if queue.get(name, False if name == "sync" else None) != wanted
    ]
    timeout, retry = queue.get("timeout"), queue.get("retry")
    if not timeout or not retry or retry < 10 * timeout:
        found.append(
            error(
                _(
                    "Q_CLUSTER['retry'] is %(retry)s and its 'timeout' %(timeout)s: a task that waits in a worker "
                    "runs twice."
                )
                % {"retry": retry, "timeout": timeout},
                hint=_("Let retry be at least 10 times timeout."),
                id="laaffic.E101",
            )
        )
    longest = sum(settings.LAAFFIC_TIMEOUTS)
    if timeout and longest + 30 > timeout:
        found.append(
            error(
                _("A request may take %(longest)g s, and a job is killed after %(timeout)s s: answers would be lost.")
                % {"longest": longest, "timeout": timeout},
                hint=_("Lower LAAFFIC_CONNECT_TIMEOUT and LAAFFIC_READ_TIMEOUT."),
                id="laaffic.E108",
            )
        )
    return found


@register(TAG)
def check_database(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Check its transactions: on SQLite a deferred one that has read cannot wait for a lock, and requests fail."""
    database = settings.DATABASES["default"]
    found: list[CheckMessage] = []
    if database.get("ATOMIC_REQUESTS"):
        found.append(
            error(
                _("ATOMIC_REQUESTS is on: requests to the gateway would run inside a transaction."),
                hint=_("Take it out of DATABASES."),
                id="laaffic.E115",
            )
        )
    if database["ENGINE"] != "django.db.backends.sqlite3":
        return found
    options = database.get("OPTIONS", {})
    if options.get("transaction_mode") != "IMMEDIATE":
        found.append(
            error(
                _("SQLite's transaction_mode is not IMMEDIATE: writers meet “database is locked”."),
                hint=_("Set DATABASES['default']['OPTIONS']['transaction_mode'] to 'IMMEDIATE'."),
                id="laaffic.E111",
            )
        )
    if options.get("timeout", LEAST_BUSY_TIMEOUT - 1) < LEAST_BUSY_TIMEOUT:
        found.append(
            error(
                _("SQLite waits too short a time for its lock."),
                hint=_("Set DATABASES['default']['OPTIONS']['timeout'] to 20 seconds."),
                id="laaffic.E112",
            )
        )
    if "journal_mode=wal" not in options.get("init_command", "").replace(" ", "").lower():
        found.append(
            error(
                _("SQLite is not in WAL mode: readers wait for writers."),
                hint=_("Let DATABASES['default']['OPTIONS']['init_command'] begin with PRAGMA journal_mode=WAL;"),
                id="laaffic.E113",
            )
        )
    return found


@register(TAG, deploy=True)
def check_database_answers(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    try:
        connection.ensure_connection()
    except DatabaseTrouble as problem:
        return [
            warning(
                database_troubles.sentence(problem) or str(problem),
                hint=_("Check DATABASE_URL, and that the server runs."),
                id="laaffic.W117",
            )
        ]
    return []


@register(TAG, deploy=True)
def check_commits(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Whether a power cut can take back that a request has left: it would leave once more (laws#record-send-settle)."""
    try:
        off = durability.off()
    except DatabaseTrouble:
        return []  # said by the check that needs it
    if not off:
        return []
    return [
        warning(
            _("PostgreSQL does not wait for the disk (%(settings)s): after a power cut messages may be sent twice.")
            % {"settings": ", ".join(f"{name} = off" for name in off)},
            hint=_("Set it to on, for the server or for the console's database: ALTER DATABASE … SET …"),
            id="laaffic.W116",
        )
    ]


@register(TAG)
def check_redis_address(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    address = urlsplit(settings.REDIS_URL)
    if not settings.REDIS_URL:
        return []
    # The client takes 0 for a database whose number cannot be read, and that may be another program's.
    if address.scheme in ("redis", "rediss") and address.hostname and re.fullmatch(r"/?|/\d+", address.path):
        return []
    if address.scheme == "unix" and address.path:
        return []
    return [
        error(
            _("REDIS_URL is not an address of a Redis server."),
            hint=_("For example redis://127.0.0.1:6379/0; leave it empty to keep the queue in the database."),
            id="laaffic.E151",
        )
    ]


@register(TAG)
def check_redis_is_closed(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Jobs wait there: who can write to it can stop them, repeat them and read whom they are about."""
    address = urlsplit(settings.REDIS_URL)
    if not settings.REDIS_URL or address.scheme == "unix" or address.password or is_loopback(address.hostname):
        return []
    return [
        warning(
            _("REDIS_URL names a server on the network and no password: who reaches it can stop and repeat jobs."),
            hint=_(
                "Give Redis a password (requirepass) and write rediss://:PASSWORD@host:6379/0, or use a socket "
                "(unix:///run/redis/redis.sock) or an address of this machine."
            ),
            id="laaffic.W153",
        )
    ]


@register(TAG, deploy=True)
def check_redis_answers(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    if not settings.REDIS_URL or check_redis_address():
        return []
    import redis

    try:
        with redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2) as server:
            server.ping()
    except (redis.RedisError, OSError) as problem:
        return [
            warning(
                _("Redis does not answer (%(problem)s): jobs wait until it does.")
                % {"problem": type(problem).__name__},
                hint=_("Check REDIS_URL, and that the server runs."),
                id="laaffic.W161",
            )
        ]
    return []
