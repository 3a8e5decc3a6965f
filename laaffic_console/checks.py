"""System checks: settings with which the console would lose, repeat or leak something, each with an id.

Errors stop every command and the web process; warnings are printed and stand on the health page. Those that only matter
on a real installation come with `check --deploy` and on that page.
"""

import ipaddress
import string
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register, run_checks  # noqa: A004
from django.core.exceptions import ImproperlyConfigured

from laaffic_console.laaffic import Family

TAG = "laaffic"
SHORTEST_TOKEN = 16
LONGEST_PREFIX = 12
LEAST_BUSY_TIMEOUT = 5  # seconds
URL_SAFE = set(string.ascii_letters + string.digits + "-_~.")
LOCAL = ("127.0.0.1", "localhost", "::1")

# django-q2's settings (measured: with others its tasks are lost, run twice or for ever). Name, value, id, what happens.
QUEUE = (
    ("ack_failures", True, "E102", "a task that fails runs again for ever"),
    ("max_attempts", 1, "E103", "a task that fails is tried again beside the sweeper"),
    ("save_limit", -1, "E104", "each finished task locks all that are kept, and the queue is 4 to 11 times slower"),
    ("queue_limit", 1, "E105", "tasks that were fetched ahead are lost or run twice when a worker dies"),
    ("bulk", 1, "E106", "tasks that were fetched ahead are lost or run twice when a worker dies"),
    ("sync", False, "E107", "jobs run inside the web request"),
)


@register(TAG)
def check_queue(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """FACTS of django-q2: what is fetched ahead runs twice, and `retry` counts from the fetch."""
    queue = settings.Q_CLUSTER
    found: list[CheckMessage] = [
        Error(
            f"Q_CLUSTER['{name}'] is {queue.get(name)!r}: {consequence}.",
            hint=f"Set it to {wanted!r}, in the web process and in every worker.",
            id=f"laaffic.{number}",
        )
        for name, wanted, number, consequence in QUEUE
        if queue.get(name, False if name == "sync" else None) != wanted
    ]
    timeout, retry = queue.get("timeout"), queue.get("retry")
    if not timeout or not retry or retry < 10 * timeout:
        found.append(
            Error(
                f"Q_CLUSTER['retry'] is {retry} and its 'timeout' {timeout}: a task that waits in a worker runs twice.",
                hint="Let retry be at least 10 times timeout.",
                id="laaffic.E101",
            )
        )
    longest = sum(settings.LAAFFIC_TIMEOUTS)
    if timeout and longest + 30 > timeout:
        found.append(
            Error(
                f"A request may take {longest:g} s, and a job is killed after {timeout} s: answers would be lost.",
                hint="Lower LAAFFIC_CONNECT_TIMEOUT and LAAFFIC_READ_TIMEOUT.",
                id="laaffic.E108",
            )
        )
    return found


@register(TAG)
def check_database(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """On SQLite a deferred transaction that has read cannot wait for a lock: one web request in five would fail."""
    database = settings.DATABASES["default"]
    found: list[CheckMessage] = []
    if database.get("ATOMIC_REQUESTS"):
        found.append(
            Error(
                "ATOMIC_REQUESTS is on: requests to the gateway would run inside a transaction.",
                hint="Take it out of DATABASES.",
                id="laaffic.E115",
            )
        )
    if database["ENGINE"] != "django.db.backends.sqlite3":
        return found
    options = database.get("OPTIONS", {})
    if options.get("transaction_mode") != "IMMEDIATE":
        found.append(
            Error(
                "SQLite's transaction_mode is not IMMEDIATE: writers meet “database is locked”.",
                hint="Set DATABASES['default']['OPTIONS']['transaction_mode'] to 'IMMEDIATE'.",
                id="laaffic.E111",
            )
        )
    if options.get("timeout", LEAST_BUSY_TIMEOUT - 1) < LEAST_BUSY_TIMEOUT:
        found.append(
            Error(
                "SQLite waits too short a time for its lock.",
                hint="Set DATABASES['default']['OPTIONS']['timeout'] to 20 seconds.",
                id="laaffic.E112",
            )
        )
    if "journal_mode=wal" not in options.get("init_command", "").replace(" ", "").lower():
        found.append(
            Error(
                "SQLite is not in WAL mode: whoever reads waits for whoever writes.",
                hint="Let DATABASES['default']['OPTIONS']['init_command'] begin with PRAGMA journal_mode=WAL;",
                id="laaffic.E113",
            )
        )
    return found


@register(TAG)
def check_credentials(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    if settings.LAAFFIC_API_KEY and settings.LAAFFIC_API_SECRET:
        return []
    return [
        Warning(
            "LAAFFIC_API_KEY and LAAFFIC_API_SECRET are not both set: nothing can be sent.",
            hint="Copy them from the developer options at Laaffic into the environment or .env.",
            id="laaffic.W121",
        )
    ]


@register(TAG)
def check_gateway_address(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not is_web_address(settings.LAAFFIC_BASE_URL):
        found.append(
            Error(
                f"LAAFFIC_BASE_URL is “{settings.LAAFFIC_BASE_URL}”, which is no web address.",
                hint="For example https://api.laaffic.com/v3",
                id="laaffic.E122",
            )
        )
    if unknown := set(settings.LAAFFIC_PATHS) - {family.value for family in Family}:
        found.append(
            Error(
                f"LAAFFIC_PATHS names {', '.join(sorted(unknown))}, which is no family of interfaces.",
                hint=f"There are: {', '.join(family.value for family in Family)}.",
                id="laaffic.E123",
            )
        )
    try:
        ZoneInfo(settings.LAAFFIC_TIME_ZONE)
    except (KeyError, ValueError, OSError):
        found.append(
            Error(
                f"LAAFFIC_TIME_ZONE is “{settings.LAAFFIC_TIME_ZONE}”, which is no time zone.",
                hint="For example Asia/Shanghai, which is Laaffic's own.",
                id="laaffic.E124",
            )
        )
    if any(seconds <= 0 for seconds in settings.LAAFFIC_TIMEOUTS):
        found.append(
            Error(
                "LAAFFIC_CONNECT_TIMEOUT and LAAFFIC_READ_TIMEOUT must be more than 0 seconds.",
                hint="10 and 30 are usual.",
                id="laaffic.E125",
            )
        )
    return found


@register(TAG)
def check_pushes(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """The token in a callback's address is all that keeps strangers out (wire §0.9)."""
    found: list[CheckMessage] = []
    tokens = settings.LAAFFIC_PUSH_TOKENS
    make_one = "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(24))'"
    if not tokens:
        found.append(
            Warning(
                "LAAFFIC_PUSH_TOKENS is not set: delivery reports and replies are not taken.",
                hint=make_one,
                id="laaffic.W131",
            )
        )
    if any(len(token) < SHORTEST_TOKEN for token in tokens):
        said = f"LAAFFIC_PUSH_TOKENS holds a token shorter than {SHORTEST_TOKEN} characters: it can be guessed."
        found.append(Error(said, hint=make_one, id="laaffic.E132"))
    if any(set(token) - URL_SAFE for token in tokens):
        said = "LAAFFIC_PUSH_TOKENS holds a token with characters that an address cannot carry."
        found.append(Error(said, hint=make_one, id="laaffic.E133"))
    for name, number in (("LAAFFIC_PUSH_SOURCES", "E134"), ("TRUSTED_PROXIES", "E135")):
        if wrong := [source for source in getattr(settings, name) if not is_network(source)]:
            found.append(
                Error(
                    f"{name} holds {', '.join(wrong)}, which is neither an address nor a network.",
                    hint="For example 203.0.113.7 or 198.51.100.0/28",
                    id=f"laaffic.{number}",
                )
            )
    if settings.PUSH_MAX_BYTES < 64 * 1024:
        found.append(
            Error(
                "LAAFFIC_PUSH_MAX_BYTES is under 64 KB: reports that come many at a time would be refused.",
                hint="The default is 5 MB.",
                id="laaffic.E136",
            )
        )
    return found


@register(TAG)
def check_order_prefix(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """It leads a pushed report back to its message, so it must survive the way there and back."""
    prefix = settings.LAAFFIC_ORDER_PREFIX
    if prefix.isalnum() and prefix.isascii() and len(prefix) <= LONGEST_PREFIX:
        return []
    return [
        Error(
            f"LAAFFIC_ORDER_PREFIX is “{prefix}”; it must be 1 to {LONGEST_PREFIX} letters and digits.",
            hint="For example shop1; another one for each console that uses the same account.",
            id="laaffic.E141",
        )
    ]


@register(TAG)
def check_console_address(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    if is_web_address(settings.CONSOLE_URL):
        return []
    return [
        Error(
            f"CONSOLE_URL is “{settings.CONSOLE_URL}”, which is no web address.",
            hint="The address under which people and Laaffic reach this console, such as https://console.example.com",
            id="laaffic.E142",
        )
    ]


@register(TAG)
def check_redis_address(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    address = urlsplit(settings.REDIS_URL)
    if not settings.REDIS_URL or (address.scheme in ("redis", "rediss") and address.hostname):
        return []
    if address.scheme == "unix" and address.path:
        return []
    return [
        Error(
            "REDIS_URL is no address of a Redis server.",
            hint="For example redis://127.0.0.1:6379/0; leave it empty to keep the queue in the database.",
            id="laaffic.E151",
        )
    ]


@register(TAG)
def check_balance(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    if settings.LAAFFIC_BALANCE_ALERT >= 0 and settings.LAAFFIC_BALANCE_MINUTES >= 1:
        return []
    return [
        Error(
            "LAAFFIC_BALANCE_ALERT must not be negative, and LAAFFIC_BALANCE_MINUTES at least 1.",
            hint="An alert of 0 never warns.",
            id="laaffic.E152",
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
            Warning(
                f"Redis does not answer ({type(problem).__name__}): jobs wait until it does.",
                hint="Check REDIS_URL, and that the server runs.",
                id="laaffic.W161",
            )
        ]
    return []


@register(TAG, Tags.security, deploy=True)
def check_installation(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """What is right on a desk and wrong where real messages leave."""
    found: list[CheckMessage] = []
    if settings.SECRET_KEY_IS_OWN:
        found.append(
            Warning(
                "SECRET_KEY is not set, so this machine made one of its own: another machine would not accept its "
                "sessions and its jobs.",
                hint="Put the same SECRET_KEY of 50 random characters into every machine's environment.",
                id="laaffic.W171",
            )
        )
    gateway, console = urlsplit(settings.LAAFFIC_BASE_URL), urlsplit(settings.CONSOLE_URL)
    if gateway.hostname in LOCAL:
        return found
    if gateway.scheme != "https":
        found.append(
            Warning(
                "LAAFFIC_BASE_URL is not https: numbers, contents and a signature that stays good for half an hour "
                "cross the network in clear.",
                hint="Use https://api.laaffic.com/v3",
                id="laaffic.W172",
            )
        )
    if console.hostname in LOCAL:
        found.append(
            Warning(
                "CONSOLE_URL is an address of this machine only: Laaffic cannot push reports to it.",
                hint="Set it to the address under which this console is reached from outside.",
                id="laaffic.W173",
            )
        )
    elif console.scheme != "https":
        found.append(
            Warning(
                "CONSOLE_URL is not https: passwords and callback addresses cross the network in clear.",
                hint="Put a proxy with a certificate in front, and set CONSOLE_URL and BEHIND_TLS_PROXY.",
                id="laaffic.W174",
            )
        )
    return found


def refuse_to_serve() -> None:
    """What stops every command stops the web process too: it runs no checks by itself."""
    errors = [message for message in run_checks(tags=[TAG]) if message.is_serious() and not message.is_silenced()]
    if errors:
        raise ImproperlyConfigured("\n".join(["The settings do not do:", *(str(message) for message in errors)]))


def is_web_address(text: str) -> bool:
    try:
        address = urlsplit(text)
        return address.scheme in ("http", "https") and bool(address.hostname) and (address.port or 1) > 0
    except ValueError:
        return False


def is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
