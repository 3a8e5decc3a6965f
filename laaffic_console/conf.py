"""Settings read from the environment or from `.env`, refused early when they make no sense."""

import ipaddress
import os
import re
import secrets
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.conf.locale import LANG_INFO
from django.core.exceptions import ImproperlyConfigured

from laaffic_console import environment
from laaffic_console.kit.files import private_files
from laaffic_console.kit.forms import typed_json
from laaffic_console.kit.words import limits as money_limits
from laaffic_console.reply_words import OPT_IN_CONFIRM_WORDS, OPT_IN_WORDS, OPT_OUT_WORDS

PACKAGE_DIR = Path(__file__).resolve().parent
BASE_DIR = PACKAGE_DIR.parent
# Where `.env` and var/ lie: in a checkout, or where an installed package is started.
HOME_DIR = BASE_DIR if (BASE_DIR / "manage.py").exists() else Path.cwd()
# First: it may name the folder below. A demo beside a console names an empty file, and is none of its workers.
environment.read_file(environment.file_named("CONSOLE_ENV_FILE", HOME_DIR / ".env"))
VAR_DIR = Path(environment.text("CONSOLE_VAR_DIR", str(HOME_DIR / "var")))
try:
    private_files.make_private(VAR_DIR)
except private_files.NotItsOwn as foreign:
    what = f"a folder of the console's own: it holds {foreign}. Name one that holds nothing else, such as {VAR_DIR}/var"
    raise environment.refused("CONSOLE_VAR_DIR", str(VAR_DIR), what) from None
except OSError as trouble:
    what = f"a folder that can be written ({trouble.strerror})"
    raise environment.refused("CONSOLE_VAR_DIR", str(VAR_DIR), what) from None


def secret_key() -> str:
    """The key of this installation: from the environment, else one made at the first start and kept."""
    return environment.exact("SECRET_KEY") or kept_secret("secret_key", lambda: secrets.token_urlsafe(50))


def dossier_key() -> str:
    """The private key that dossiers are signed with, 64 hexadecimal digits: given, or made once and kept."""
    given = environment.text("DOSSIER_KEY")
    if given and not re.fullmatch(r"[0-9a-fA-F]{64}", given):
        raise ImproperlyConfigured("DOSSIER_KEY is not a key of 64 hexadecimal digits: openssl rand -hex 32 makes one.")
    return given or kept_secret("dossier_key", lambda: secrets.token_hex(32))


def kept_secret(name: str, make: Callable[[], str]) -> str:
    """A secret made at the first start and kept in a file that nobody else on the machine may read."""
    kept = VAR_DIR / name
    if kept.exists() and not os.access(kept, os.R_OK):
        raise ImproperlyConfigured(
            f"{kept} is another user's. Run every command as the user that web and worker run as, and give "
            f"{VAR_DIR} to that user: chown -R USER {VAR_DIR}"
        )
    if not kept.exists():
        fresh = VAR_DIR / f"{name}.{os.getpid()}"
        fresh.touch(mode=0o600)
        fresh.write_text(make())
        try:
            os.link(fresh, kept)  # the first of several starting processes wins; all read the same key
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return kept.read_text()


def session_cookie(console_url: str) -> str:
    """A cookie belongs to a host, whatever the port: two consoles of one host would sign each other's people out."""
    port = urlsplit(console_url).port
    return f"sessionid_{port}" if port else "sessionid"


def sqlite_megabytes() -> int:
    """How much of the file each connection keeps in memory; a web server has a connection in each of its threads."""
    return environment.whole(
        "CONSOLE_SQLITE_MEGABYTES", 4 if environment.text("CONSOLE_IN_THREADS") else 8, least=1, most=65_536
    )


def has_pooler() -> bool:
    """Whether the next transaction may run on another of PostgreSQL's connections."""
    return environment.switch("CONSOLE_DATABASE_POOLER")


LOCK_SECONDS = 20  # that a lock of the database is waited for, where a person waits


def lock_seconds() -> int:
    """For PostgreSQL's locks; 0: as long as it takes, as in a worker, whose work waits for nobody."""
    return LOCK_SECONDS if environment.text("CONSOLE_IN_THREADS") else 0


def database() -> dict[str, Any]:
    """SQLite needs WAL and IMMEDIATE: a deferred transaction that has read cannot wait for a lock to write."""
    config = _database_config(environment.text("DATABASE_URL", f"sqlite:///{VAR_DIR / 'console.sqlite3'}"))
    # Behind a pooler the next statement may reach another server process, which keeps others.
    keeps_statements = not has_pooler()
    if config["ENGINE"] == "django.db.backends.sqlite3":
        for ending in ("", "-wal", "-shm"):
            private_files.close(Path(f"{config['NAME']}{ending}"), private_files.FILE)
        config["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": LOCK_SECONDS,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
            f"PRAGMA cache_size=-{1024 * sqlite_megabytes()};",
        }
        # Opening it takes longer than most queries: its functions are made, its tables are read again.
        return {**config, "CONN_MAX_AGE": 60}
    if keeps_statements:
        config["OPTIONS"] = {**config.get("OPTIONS", {}), "prepare_threshold": 0}
    engine = "laaffic_console.kit.sql.postgresql"
    return {**config, "ENGINE": engine, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}


SCHEMES = ("sqlite", "postgres", "postgresql", "psql", "pgsql")


def _database_config(url: str) -> dict[str, Any]:
    """The address may hold a password: neither the sentence nor a warning of the library quotes it."""
    try:
        if url.partition("://")[0] in SCHEMES and urlsplit(url).port != 0:
            return dict(environ.Env.db_url_config(url))
    except ValueError:
        pass
    raise environment.refused("DATABASE_URL", "", "sqlite:///path/to/file or postgres://user@host/name")


def job_queue(redis_url: str) -> dict[str, Any]:
    """django-q2 only rings bells here: the work itself is in our own tables (laws#queue-only-rings).

    No result is saved (saving one locks all that are kept), nothing is fetched ahead (what is fetched ahead runs
    twice after a kill), and a task is tried once: the sweeper rings again for what was forgotten.
    """
    common = {
        "name": "laaffic-console",
        "broker_class": "laaffic_console.gateway.queue.of_cluster",
        "label": "Jobs",
        "workers": environment.whole("LAAFFIC_WORKERS", 2, least=1, most=1000),
        "save_limit": -1,
        "max_attempts": 1,
        "ack_failures": True,
        "queue_limit": 1,
        "bulk": 1,
        "timeout": 120,
        "retry": 1200,
        "poll": 0.2,
        "catch_up": False,
        "error_reporter": {},
    }
    return {**common, "redis": redis_url} if redis_url else {**common, "orm": "default"}


def push_tokens() -> list[str]:
    return environment.listed("LAAFFIC_PUSH_TOKENS")


SHORTEST_TOKEN = 16


def token(setting: str) -> str:
    """A secret that a program sends; "" where it is not set. It is not quoted."""
    given = environment.text(setting)
    if given and (len(given) < SHORTEST_TOKEN or not given.isascii()):
        raise ImproperlyConfigured(
            f"{setting} is shorter than {SHORTEST_TOKEN} characters or holds some that are not ASCII. "
            "openssl rand -hex 32 makes a good one."
        )
    return given


def oidc_provider(name: str, issuer: str, client_id: str, secret: str, scopes: list[str]) -> dict[str, Any]:
    """The provider as allauth reads it; {} where none is set."""
    if not issuer:
        return {}
    app = {"provider_id": "oidc", "name": name, "client_id": client_id, "secret": secret}
    return {
        "openid_connect": {
            "OAUTH_PKCE_ENABLED": True,
            "APPS": [{**app, "settings": {"server_url": issuer, "scope": scopes}}],
        }
    }


# Under which names providers send them, where the settings name none.
SAML_USERNAMES = [
    *("username", "uid", "urn:oid:0.9.2342.19200300.100.1.1"),
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
]
SAML_EMAILS = [
    *("email", "mail", "urn:oid:0.9.2342.19200300.100.1.3", "urn:oid:1.2.840.113549.1.9.1"),
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
]


def saml_provider(name: str, uid: str, username: str, email: str) -> dict[str, Any]:
    """The provider as allauth reads it; without `uid`, the attribute of their id, people are known by their NameID."""
    mapping = {
        "uid": [uid] if uid else [],
        "username": [username] if username else SAML_USERNAMES,
        "email": [email] if email else SAML_EMAILS,
    }
    app = {"provider_id": "saml", "name": name, "client_id": "saml", "settings": {"attribute_mapping": mapping}}
    return {"saml": {"APPS": [app]}}


def saml_metadata() -> str:
    """SAML is an extra: anyone who asks for it without that is told what to install."""
    given = environment.text("SAML_METADATA")
    if given and not find_spec("onelogin"):
        raise ImproperlyConfigured(
            "SAML_METADATA is set, and what speaks SAML is not installed. "
            "Run .venv/bin/pip install 'laaffic-console[saml]' (in a checkout: pip install -e '.[saml]')."
        )
    return given


def certificate(setting: str) -> str:
    """The certificate in the PEM file that the setting names; "" where it is not set."""
    given = environment.text(setting)
    if not given:
        return ""
    try:
        return x509.load_pem_x509_certificate(Path(given).read_bytes()).public_bytes(Encoding.PEM).decode()
    except (OSError, ValueError):
        raise ImproperlyConfigured(
            f"{setting} is “{given}”, which is not a readable certificate file. "
            "Name one that begins with -----BEGIN CERTIFICATE-----."
        ) from None


def is_this_machine(address: str) -> bool:
    return urlsplit(address).hostname in ("localhost", "127.0.0.1", "::1")


def networks(setting: str) -> list[str]:
    given = environment.listed(setting)
    for network in given:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError:
            raise ImproperlyConfigured(
                f"{setting} holds “{network}”. Give addresses or networks, comma between: 10.0.0.5, 192.168.0.0/24."
            ) from None
    return given


def amount(setting: str) -> Decimal:
    """An amount of money; 0 where it is not set, which stands for never."""
    given = environment.text(setting, "0")
    try:
        found = Decimal(given)
    except InvalidOperation:
        found = Decimal(-1)
    if not found.is_finite() or found < 0:
        raise ImproperlyConfigured(f"{setting} is “{given}”. Give an amount such as 50 or 12.5; 0 for never.")
    return found


def limits(setting: str) -> Decimal | dict[str, Decimal]:
    """One amount for every currency, or each with its own: {"USD": 1000, "EUR": 900}; 0 where it is not set."""
    given = environment.text(setting)
    try:
        return money_limits.read(given)
    except ValueError as problem:
        raise ImproperlyConfigured(
            f"{setting} is “{given}”. Give an amount such as 50, or one for each currency: USD 1000, EUR 900."
        ) from problem


def email_server() -> dict[str, Any]:
    """Django's EMAIL_… settings; nothing where reports are not sent. The address holds a password: it is not quoted."""
    given = environment.text("EMAIL_URL")
    if not given:
        return {}
    try:
        found = dict(environ.Env.email_url_config(given))
        is_right = bool(found.get("EMAIL_HOST")) or not found["EMAIL_BACKEND"].endswith("smtp.EmailBackend")
    except (ImproperlyConfigured, ValueError):
        is_right = False
    if not is_right:
        raise ImproperlyConfigured(
            "EMAIL_URL is not the address of a mail server. Write smtp+tls://USER:PASSWORD@mail.example.com:587, or "
            "smtp+ssl:// with port 465; in user and password write %40 for @, %2F for / and %3A for a colon."
        )
    return found


def opt_out_words() -> dict[str, list[str]]:
    """The words of each language; OPT_OUT_WORDS is JSON like {"en": ["STOP"]} and replaces those that it names."""
    return _words("OPT_OUT_WORDS", OPT_OUT_WORDS, '{"en": ["STOP", "END"], "de": ["STOPP"]}')


def opt_in_words() -> dict[str, list[str]]:
    """Like `opt_out_words`, with OPT_IN_WORDS."""
    return _words("OPT_IN_WORDS", OPT_IN_WORDS, '{"en": ["START"], "de": ["ANMELDEN"]}')


def opt_in_confirm_words() -> dict[str, list[str]]:
    """Like `opt_out_words`, with OPT_IN_CONFIRM_WORDS."""
    return _words("OPT_IN_CONFIRM_WORDS", OPT_IN_CONFIRM_WORDS, '{"en": ["YES"], "de": ["JA"]}')


def _words(setting: str, usual: dict[str, list[str]], example: str) -> dict[str, list[str]]:
    try:
        given = typed_json.read(environment.text(setting, "{}"))
    except ValueError:
        given = None
    is_right = isinstance(given, dict) and all(
        isinstance(words, list) and all(isinstance(word, str) and word.strip() for word in words)
        for words in given.values()
    )
    if not is_right:
        raise ImproperlyConfigured(f"{setting} is JSON like {example}.")
    return {**usual, **given}


def languages(catalogues: Path) -> list[tuple[str, str]]:
    """(code, what its speakers call it) of English and of each language whose catalogue is there."""
    there = sorted(path.parent.parent.name for path in catalogues.glob("*/LC_MESSAGES/django.mo"))
    codes = ["en", *(name.replace("_", "-").lower() for name in there)]
    return [(code, str(LANG_INFO.get(code, {}).get("name_local", code))) for code in codes]


def language_code(languages: Iterable[tuple[str, str]]) -> str:
    given = environment.text("LANGUAGE_CODE", "en").lower()
    known = [code for code, _name in languages]
    if given not in known:
        raise ImproperlyConfigured(f"LANGUAGE_CODE is “{given}”. Give one of {', '.join(known)}.")
    return given
