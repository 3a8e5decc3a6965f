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
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.commands import CHECKS
from laaffic_console.laaffic import Family

TAG = CHECKS
SHORTEST_TOKEN = 16
LONGEST_PREFIX = 12
LEAST_BUSY_TIMEOUT = 5  # seconds
URL_SAFE = set(string.ascii_letters + string.digits + "-_~.")
LOCAL = ("127.0.0.1", "localhost", "::1")

# django-q2's settings (measured: with others its tasks are lost, run twice or for ever). Name, value, id, what happens.
QUEUE = (
    ("ack_failures", True, "E102", _("a task that fails runs again for ever")),
    ("max_attempts", 1, "E103", _("a task that fails is tried again beside the sweeper")),
    ("save_limit", -1, "E104", _("each finished task locks all that are kept, and the queue is 4 to 11 times slower")),
    ("queue_limit", 1, "E105", _("tasks that were fetched ahead are lost or run twice when a worker dies")),
    ("bulk", 1, "E106", _("tasks that were fetched ahead are lost or run twice when a worker dies")),
    ("sync", False, "E107", _("jobs run inside the web request")),
)


def error(said: str | Promise, *, hint: str | Promise, id: str) -> Error:  # noqa: A002 - Django's own name
    """With lazy texts too: a check runs when its sentence is wanted."""
    return Error(str(said), hint=str(hint), id=id)


def warning(said: str | Promise, *, hint: str | Promise, id: str) -> Warning:  # noqa: A002
    return Warning(str(said), hint=str(hint), id=id)


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
    """On SQLite a deferred transaction that has read cannot wait for a lock: one web request in five would fail."""
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
                _("SQLite is not in WAL mode: whoever reads waits for whoever writes."),
                hint=_("Let DATABASES['default']['OPTIONS']['init_command'] begin with PRAGMA journal_mode=WAL;"),
                id="laaffic.E113",
            )
        )
    return found


@register(TAG)
def check_credentials(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    if settings.LAAFFIC_API_KEY and settings.LAAFFIC_API_SECRET:
        return []
    return [
        warning(
            _("LAAFFIC_API_KEY and LAAFFIC_API_SECRET are not both set: nothing can be sent."),
            hint=_("Copy them from the developer options at Laaffic into the environment or .env."),
            id="laaffic.W121",
        )
    ]


@register(TAG)
def check_gateway_address(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not is_web_address(settings.LAAFFIC_BASE_URL):
        found.append(
            error(
                _("%(setting)s is “%(value)s”, which is not a web address.")
                % {"setting": "LAAFFIC_BASE_URL", "value": settings.LAAFFIC_BASE_URL},
                hint=example("https://api.laaffic.com/v3"),
                id="laaffic.E122",
            )
        )
    if unknown := set(settings.LAAFFIC_PATHS) - {family.value for family in Family}:
        found.append(
            error(
                _("LAAFFIC_PATHS names %(families)s, which is not a family of interfaces.")
                % {"families": ", ".join(sorted(unknown))},
                hint=_("There are: %(families)s.") % {"families": ", ".join(family.value for family in Family)},
                id="laaffic.E123",
            )
        )
    try:
        ZoneInfo(settings.LAAFFIC_TIME_ZONE)
    except (KeyError, ValueError, OSError):
        found.append(
            error(
                _("LAAFFIC_TIME_ZONE is “%(value)s”, which is not a time zone.")
                % {"value": settings.LAAFFIC_TIME_ZONE},
                hint=_("For example Asia/Shanghai, which is Laaffic's own."),
                id="laaffic.E124",
            )
        )
    if any(seconds <= 0 for seconds in settings.LAAFFIC_TIMEOUTS):
        found.append(
            error(
                _("LAAFFIC_CONNECT_TIMEOUT and LAAFFIC_READ_TIMEOUT must be more than 0 seconds."),
                hint=_("10 and 30 are usual."),
                id="laaffic.E125",
            )
        )
    return found


@register(TAG)
def check_pushes(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """The token in a callback's address is all that keeps strangers out (laaffic-api#pushes)."""
    found: list[CheckMessage] = []
    tokens = settings.LAAFFIC_PUSH_TOKENS
    make_one = _("Make one with: %(command)s") % {
        "command": "python -c 'import secrets; print(secrets.token_urlsafe(24))'"
    }
    if not tokens:
        found.append(
            warning(
                _("LAAFFIC_PUSH_TOKENS is not set: delivery reports and replies are not taken."),
                hint=make_one,
                id="laaffic.W131",
            )
        )
    if any(len(token) < SHORTEST_TOKEN for token in tokens):
        said = _("LAAFFIC_PUSH_TOKENS holds a token shorter than %(n)d characters: it can be guessed.")
        found.append(error(said % {"n": SHORTEST_TOKEN}, hint=make_one, id="laaffic.E132"))
    if any(set(token) - URL_SAFE for token in tokens):
        said = _("LAAFFIC_PUSH_TOKENS holds a token with characters that an address cannot carry.")
        found.append(error(said, hint=make_one, id="laaffic.E133"))
    for name, number in (("LAAFFIC_PUSH_SOURCES", "E134"), ("TRUSTED_PROXIES", "E135")):
        if wrong := [source for source in getattr(settings, name) if not is_network(source)]:
            found.append(
                error(
                    _("%(setting)s holds %(sources)s, which is neither an address nor a network.")
                    % {"setting": name, "sources": ", ".join(wrong)},
                    hint=example("203.0.113.7, 198.51.100.0/28"),
                    id=f"laaffic.{number}",
                )
            )
    if settings.PUSH_MAX_BYTES < 64 * 1024:
        found.append(
            error(
                _("LAAFFIC_PUSH_MAX_BYTES is under 64 KB: reports that come many at a time would be refused."),
                hint=_("The default is 5 MB."),
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
        error(
            _("LAAFFIC_ORDER_PREFIX is “%(value)s”; it must be 1 to %(n)d letters and digits.")
            % {"value": prefix, "n": LONGEST_PREFIX},
            hint=_("For example shop1; another one for each console that uses the same account."),
            id="laaffic.E141",
        )
    ]


@register(TAG)
def check_console_address(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    if is_web_address(settings.CONSOLE_URL):
        return []
    return [
        error(
            _("%(setting)s is “%(value)s”, which is not a web address.")
            % {"setting": "CONSOLE_URL", "value": settings.CONSOLE_URL},
            hint=_(
                "The address under which people and Laaffic reach this console, such as https://console.example.com"
            ),
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


@register(TAG)
def check_balance(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    if settings.LAAFFIC_BALANCE_ALERT >= 0 and settings.LAAFFIC_BALANCE_MINUTES >= 1:
        return []
    return [
        error(
            _("LAAFFIC_BALANCE_ALERT must not be negative, and LAAFFIC_BALANCE_MINUTES at least 1."),
            hint=_("An alert of 0 never warns."),
            id="laaffic.E152",
        )
    ]


@register(TAG)
def check_email(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    if not settings.EMAIL_IS_SET or "@" in settings.DEFAULT_FROM_EMAIL:
        return []
    return [
        error(
            _("EMAIL_URL is set and EMAIL_FROM is not an email address: no report can be sent."),
            hint=example("EMAIL_FROM=console@example.com"),
            id="laaffic.E154",
        )
    ]


@register(TAG)
def check_provider(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    if not settings.OIDC_ISSUER:
        return []
    found: list[CheckMessage] = []
    if not is_web_address(settings.OIDC_ISSUER):
        found.append(
            error(
                _("OIDC_ISSUER is not a web address: nobody can sign in by the provider."),
                hint=example("OIDC_ISSUER=https://id.example.com/realms/staff"),
                id="laaffic.E155",
            )
        )
    elif urlsplit(settings.OIDC_ISSUER).scheme != "https" and not is_loopback(urlsplit(settings.OIDC_ISSUER).hostname):
        found.append(
            error(
                _("OIDC_ISSUER is not https: anybody on the way could sign in as an administrator."),
                hint=_("Use the provider's address with https."),
                id="laaffic.E156",
            )
        )
    if not settings.OIDC_CLIENT_ID or not settings.OIDC_CLIENT_SECRET:
        found.append(
            error(
                _("OIDC_ISSUER is set, and OIDC_CLIENT_ID or OIDC_CLIENT_SECRET is not."),
                hint=_("The provider shows both where this console is registered."),
                id="laaffic.E157",
            )
        )
    if not settings.OIDC_ROLES:
        found.append(
            warning(
                _("OIDC_ROLES is not set: no group gives a role, so nobody gets in by the provider."),
                hint=example("OIDC_ROLES=console-admins=Administrator, support=Operator"),
                id="laaffic.W158",
            )
        )
    return found


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


@register(TAG, Tags.security, deploy=True)
def check_installation(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """What is right on a desk and wrong where real messages leave."""
    found: list[CheckMessage] = []
    if settings.SECRET_KEY_IS_OWN:
        found.append(
            warning(
                _(
                    "SECRET_KEY is not set, so this machine made one of its own: another machine would not accept its "
                    "sessions and its jobs."
                ),
                hint=_("Put the same SECRET_KEY of 50 random characters into every machine's environment."),
                id="laaffic.W171",
            )
        )
    if settings.SECURE_PROXY_SSL_HEADER and not settings.TRUSTED_PROXIES:
        found.append(
            warning(
                _("BEHIND_TLS_PROXY is on and TRUSTED_PROXIES is not set: everybody signs in from one address."),
                hint=_(
                    "Set TRUSTED_PROXIES to the proxy's address, such as 127.0.0.1; else one stranger locks out all."
                ),
                id="laaffic.W175",
            )
        )
    gateway, console = urlsplit(settings.LAAFFIC_BASE_URL), urlsplit(settings.CONSOLE_URL)
    if gateway.hostname in LOCAL:
        return found
    if gateway.scheme != "https":
        found.append(
            warning(
                _(
                    "LAAFFIC_BASE_URL is not https: numbers, contents and a signature that stays good for half an hour "
                    "cross the network in clear."
                ),
                hint=_("Use %(address)s") % {"address": "https://api.laaffic.com/v3"},
                id="laaffic.W172",
            )
        )
    if console.hostname in LOCAL:
        found.append(
            warning(
                _("CONSOLE_URL is an address of this machine only: Laaffic cannot push reports to it."),
                hint=_("Set it to the address under which this console is reached from outside."),
                id="laaffic.W173",
            )
        )
    elif console.scheme != "https":
        found.append(
            warning(
                _("CONSOLE_URL is not https: passwords and callback addresses cross the network in clear."),
                hint=_("Put a proxy with a certificate in front, and set CONSOLE_URL and BEHIND_TLS_PROXY."),
                id="laaffic.W174",
            )
        )
    return found


def refuse_to_serve() -> None:
    """What stops every command stops the web process too: it runs no checks by itself."""
    errors = [message for message in run_checks(tags=[TAG]) if message.is_serious() and not message.is_silenced()]
    if errors:
        raise ImproperlyConfigured(
            "\n".join([str(_("The settings do not do:")), *(str(message) for message in errors)])
        )


def example(value: str) -> Any:
    return _("For example %(value)s") % {"value": value}


def is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


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
