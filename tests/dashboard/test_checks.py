"""Each system check: quiet with what the console ships, loud with what would lose, repeat or leak something."""

import inspect
import os
import re
import subprocess
import sys
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.checks import CheckMessage, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError

from laaffic_console.checks import console, gateway, queue_and_database, saying, serving
from laaffic_console.conf import BASE_DIR
from laaffic_console.gateway.services.database import durability

GOOD = {
    "LAAFFIC_API_KEY": "key",
    "LAAFFIC_API_SECRET": "secret",
    "LAAFFIC_PUSH_TOKENS": ["a-token-that-nobody-guesses"],
    "LAAFFIC_BASE_URL": "https://api.laaffic.com/v3",
    "CONSOLE_URL": "https://console.example.com",
    "ALLOWED_HOSTS": ["console.example.com"],
    "SECRET_KEY_IS_OWN": False,
    "SECRET_KEY": "a-key-of-fifty-random-characters-that-nobody-knows",
    "TRUSTED_PROXIES": [],
    "SECURE_PROXY_SSL_HEADER": None,
    "REDIS_URL": "",
    "DATABASES": {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    },
}

WRONG: list[tuple[str, Any, str]] = [
    ("LAAFFIC_API_KEY", "", "W121"),
    ("LAAFFIC_API_SECRET", "", "W121"),
    ("LAAFFIC_API_KEY", "key\u200b", "E126"),
    ("LAAFFIC_API_SECRET", "sécret", "E126"),
    ("LAAFFIC_BASE_URL", "https://api.laaffic.com/v3\u200b", "E126"),
    ("LAAFFIC_PATHS", {"sms": "/sms\u00ad"}, "E126"),
    ("LAAFFIC_BASE_URL", "api.laaffic.com/v3", "E122"),
    ("LAAFFIC_BASE_URL", "ftp://api.laaffic.com", "E122"),
    ("LAAFFIC_BASE_URL", "https://", "E122"),
    ("LAAFFIC_PATHS", {"smss": "/sms"}, "E123"),
    ("LAAFFIC_PATHS", {"sms": "sms"}, "E130"),
    ("LAAFFIC_PATHS", {"sms": "https:/api"}, "E130"),
    ("LAAFFIC_TIME_ZONE", "China", "E124"),
    ("LAAFFIC_TIME_ZONE", "", "E124"),
    ("LAAFFIC_TIMEOUTS", (0.0, 30.0), "E125"),
    ("LAAFFIC_TIMEOUTS", (10.0, 110.0), "E108"),
    ("LAAFFIC_PUSH_TOKENS", [], "W131"),
    ("LAAFFIC_PUSH_TOKENS", ["a-token-that-nobody-guesses", "short"], "E132"),
    ("LAAFFIC_PUSH_TOKENS", ["a/token/with/slashes"], "E133"),
    ("LAAFFIC_PUSH_SOURCES", ["203.0.113.7", "laaffic.com"], "E134"),
    ("TRUSTED_PROXIES", ["10.0.0.0/33"], "E135"),
    ("PUSH_MAX_BYTES", 1000, "E136"),
    ("LAAFFIC_ORDER_PREFIX", "", "E141"),
    ("LAAFFIC_ORDER_PREFIX", "a,b", "E141"),
    ("LAAFFIC_ORDER_PREFIX", "thirteenchars", "E141"),
    ("LAAFFIC_ORDER_PREFIX", "café", "E141"),
    ("CONSOLE_URL", "console.example.com", "E142"),
    ("CONSOLE_URL", "http://console.example.com:notaport", "E142"),
    ("REDIS_URL", "localhost:6379", "E151"),
    ("REDIS_URL", "redis://", "E151"),
    ("REDIS_URL", "redis://127.0.0.1:6379/one", "E151"),
    ("REDIS_URL", "redis://127.0.0.1:6379/0/1", "E151"),
    ("REDIS_URL", "redis://redis.internal:6379/0", "W153"),
    ("REDIS_URL", "redis://10.0.0.7:6379/0", "W153"),
    ("REDIS_URL", "redis://user@redis.internal/0", "W153"),
    ("LAAFFIC_BALANCE_ALERT", Decimal(-1), "E152"),
    ("LAAFFIC_BALANCE_MINUTES", 0, "E152"),
    ("EMAIL_IS_SET", True, "E154"),
    ("EMAIL_HOST_USER", "wörd", "E164"),
    ("EMAIL_HOST_PASSWORD", "wörd", "E164"),
    ("OIDC_CLIENT_ID", "console\u200b", "E164"),
    ("OIDC_CLIENT_SECRET", "wörd", "E164"),
    ("OIDC_ISSUER", "id.example.com", "E155"),
    ("OIDC_ISSUER", "http://id.example.com", "E156"),
    ("OIDC_ISSUER", "https://id.example.com", "E157"),
    ("OIDC_ISSUER", "https://id.example.com", "W158"),
    ("SAML_METADATA", "/nowhere/provider.xml", "E159"),
    ("SAML_METADATA", "id.example.com/metadata", "E159"),
    ("SAML_METADATA", "http://id.example.com/metadata", "E160"),
    ("SAML_METADATA", "https://id.example.com/metadata", "W162"),
    ("SECRET_KEY_IS_OWN", True, "W171"),
    ("SECRET_KEY", "secret", "W177"),
    ("SECRET_KEY", "abc" * 20, "W177"),
    ("LAAFFIC_BASE_URL", "http://api.laaffic.com/v3", "W172"),
    ("CONSOLE_URL", "http://127.0.0.1:8000", "W173"),
    ("CONSOLE_URL", "http://console.example.com", "W174"),
    ("ALLOWED_HOSTS", ["localhost"], "W176"),
    ("ALLOWED_HOSTS", ["https://console.example.com"], "W176"),
    ("CONSOLE_URL", "https://other.example.com:8443", "W176"),
    ("REDIS_URL", "redis://127.0.0.1:1/0", "W161"),
    ("SECOND_FACTOR_ROLES", ["Administrator", "operator"], "E163"),
    ("OIDC_ROLES", {"admins": "Admin"}, "E163"),
    ("SECURE_PROXY_SSL_HEADER", ("HTTP_X_FORWARDED_PROTO", "https"), "W175"),
]

WRONG_QUEUE: list[tuple[str, Any, str]] = [
    ("retry", 60, "E101"),
    ("retry", 1199, "E101"),
    ("timeout", None, "E101"),
    ("ack_failures", False, "E102"),
    ("max_attempts", 0, "E103"),
    ("save_limit", 250, "E104"),
    ("queue_limit", 4, "E105"),
    ("bulk", 10, "E106"),
    ("sync", True, "E107"),
]

WRONG_DATABASE: list[tuple[str, Any, str]] = [
    ("transaction_mode", "DEFERRED", "E111"),
    ("transaction_mode", None, "E111"),
    ("timeout", 0.2, "E112"),
    ("init_command", "PRAGMA synchronous=NORMAL;", "E113"),
    ("init_command", "", "E113"),
]

pytestmark = pytest.mark.django_db  # one of them reads the names of the roles

MODULES = (console, gateway, queue_and_database)


@pytest.fixture(autouse=True)
def _good(settings: LazySettings) -> None:
    for name, value in deepcopy(GOOD).items():
        if name == "DATABASES":
            continue  # Django watches this setting; it is replaced where it is looked at
        setattr(settings, name, value)


@pytest.fixture
def databases(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    databases = deepcopy(GOOD["DATABASES"])
    shown = SettingsWith(DATABASES=databases)
    for module in MODULES:
        monkeypatch.setattr(module, "settings", shown)
    return databases["default"]


class SettingsWith:
    """The settings, but for what is given."""

    def __init__(self, **given: Any) -> None:
        self.__dict__.update(given)

    def __getattr__(self, name: str) -> Any:
        from django.conf import settings

        return getattr(settings, name)


def ids(found: list[CheckMessage]) -> set[str]:
    return {str(message.id).removeprefix("laaffic.") for message in found}


def ours() -> list[CheckMessage]:
    return run_checks(tags=[saying.TAG], include_deployment_checks=True)


class SettingTests:
    @pytest.mark.usefixtures("waits_for_the_disk")
    def test_what_is_right_is_quiet(self, databases: dict[str, Any]) -> None:
        assert ours() == []

    @pytest.mark.parametrize(("name", "value", "number"), WRONG)
    def test_what_is_wrong_has_its_id(self, settings: LazySettings, name: str, value: Any, number: str) -> None:
        setattr(settings, name, value)

        assert number in ids(ours())

    def test_a_proxy_at_a_unix_socket_need_not_be_named(self, settings: LazySettings) -> None:
        settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
        settings.CONSOLE_BIND = "unix:/run/console.sock"

        assert "W175" not in ids(ours())

    @pytest.mark.parametrize(
        "address", ["redis://10.0.0.7:6379/0", "redis://cache", "rediss://user:pw@cache/1", "unix:///run/redis.sock"]
    )
    def test_an_address_of_redis_is_fine(self, settings: LazySettings, address: str) -> None:
        settings.REDIS_URL = address

        assert not queue_and_database.check_redis_address()

    @pytest.mark.parametrize(
        ("address", "hosts"),
        [
            ("https://console.example.com:8443", [".example.com"]),
            ("https://Console.example.com", ["console.example.com"]),
            ("http://[::1]:8000", ["[::1]"]),
            ("https://console.example.com", ["*"]),
        ],
    )
    def test_a_host_that_pages_are_answered_under(self, settings: LazySettings, address: str, hosts: list[str]) -> None:
        settings.CONSOLE_URL, settings.ALLOWED_HOSTS = address, hosts

        assert "W176" not in ids(console.check_addresses())

    def test_a_host_that_lacks_is_named_as_it_is_to_be_written(self, settings: LazySettings) -> None:
        settings.CONSOLE_URL, settings.ALLOWED_HOSTS = "https://[2001:db8::1]:8443", ["localhost"]

        hints = [str(message.hint) for message in console.check_addresses() if message.id == "laaffic.W176"]
        assert "ALLOWED_HOSTS=[2001:db8::1],localhost" in hints[0]

    def test_a_desk_with_the_sandbox_needs_no_certificate(self, settings: LazySettings) -> None:
        settings.LAAFFIC_BASE_URL = "http://127.0.0.1:8090/v3"
        settings.CONSOLE_URL = "http://127.0.0.1:8000"

        assert not ids(ours()) & {"W172", "W173", "W174"}

    def test_no_secret_is_in_what_is_said(self, settings: LazySettings) -> None:
        settings.LAAFFIC_PUSH_TOKENS = ["sh0rt/secret"]
        settings.REDIS_URL = "redis://:pa55word@"

        said = " ".join(str(message) for message in ours())

        assert "sh0rt" not in said
        assert "pa55word" not in said

    def test_each_says_what_to_do(self, settings: LazySettings) -> None:
        for name, value, _number in WRONG:
            setattr(settings, name, value)

        assert all(message.hint for message in ours())


class QueueTests:
    @pytest.mark.parametrize(("name", "value", "number"), WRONG_QUEUE)
    def test_what_is_wrong_has_its_id(self, settings: LazySettings, name: str, value: Any, number: str) -> None:
        settings.Q_CLUSTER = {**settings.Q_CLUSTER, name: value}

        assert number in ids(ours())

    @pytest.mark.parametrize("name", ["retry", "ack_failures", "max_attempts", "save_limit", "queue_limit", "bulk"])
    def test_what_is_left_out_counts_as_wrong(self, settings: LazySettings, name: str) -> None:
        settings.Q_CLUSTER = {key: value for key, value in settings.Q_CLUSTER.items() if key != name}

        assert ids(ours()) & {"E101", "E102", "E103", "E104", "E105", "E106"}


class DatabaseTests:
    @pytest.mark.parametrize(("name", "value", "number"), WRONG_DATABASE)
    def test_what_is_wrong_has_its_id(self, databases: dict[str, Any], name: str, value: Any, number: str) -> None:
        databases["OPTIONS"][name] = value

        assert ids(queue_and_database.check_database()) == {number}

    def test_requests_in_transactions(self, databases: dict[str, Any]) -> None:
        databases["ATOMIC_REQUESTS"] = True

        assert ids(queue_and_database.check_database()) == {"E115"}

    def test_postgresql_needs_none_of_it(self, databases: dict[str, Any]) -> None:
        databases.update(ENGINE="django.db.backends.postgresql", OPTIONS={})

        assert queue_and_database.check_database() == []

    @pytest.mark.parametrize(("off", "number"), [(["fsync", "synchronous_commit"], {"W116"}), ([], set())])
    def test_commits_that_do_not_wait_for_the_disk(
        self, monkeypatch: pytest.MonkeyPatch, off: list[str], number: set[str]
    ) -> None:
        monkeypatch.setattr(durability, "off", lambda: off)

        assert ids(found := queue_and_database.check_commits()) == number
        assert all("fsync = off, synchronous_commit = off" in str(message) for message in found)

    def test_a_database_that_is_away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def away() -> None:
            raise OperationalError("unable to open database file")

        monkeypatch.setattr(queue_and_database.connection, "ensure_connection", away)

        assert ids(found := queue_and_database.check_database_answers()) == {"W117"}
        assert "does not answer: unable to open database file" in str(found)

    def test_a_database_that_is_away_is_told_by_others(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def away() -> list[str]:
            raise OperationalError("connection refused")

        monkeypatch.setattr(durability, "off", away)

        assert queue_and_database.check_commits() == []


class ServingTests:
    def test_the_web_process_does_not_start_with_an_error(self, settings: LazySettings) -> None:
        settings.LAAFFIC_PUSH_TOKENS = ["short"]

        with pytest.raises(ImproperlyConfigured, match=r"laaffic\.E132"):
            serving.refuse_to_serve()

    def test_it_starts_with_warnings(self, settings: LazySettings) -> None:
        settings.LAAFFIC_API_KEY = ""

        serving.refuse_to_serve()

    def test_every_id_has_a_case_here(self) -> None:
        written = set(re.findall(r"\b[EW]1\d\d\b", "".join(map(inspect.getsource, MODULES))))

        assert written == {entry[2] for entry in (*WRONG, *WRONG_QUEUE, *WRONG_DATABASE)} | {
            "E115",
            "W116",
            "W117",
            "E178",
        }

    @pytest.mark.parametrize(
        ("name", "value"), [("CONSOLE_BIND", "8000"), ("WEB_CONCURRENCY", "0"), ("CONSOLE_THREADS", "many")]
    )
    def test_what_only_the_web_process_reads_is_looked_at_too(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str
    ) -> None:
        monkeypatch.setenv(name, value)

        assert [(found.id, f"{name} is “{value}”. Give" in found.msg) for found in console.check_web_server()] == [
            ("laaffic.E178", True)
        ]

    def test_what_is_no_address_is_not_called_unencrypted(self, settings: LazySettings) -> None:
        settings.LAAFFIC_BASE_URL, settings.CONSOLE_URL = "api.laaffic.com", "console.example.com"

        assert {"E122", "E142"} <= ids(ours())
        assert not ids(ours()) & {"W172", "W174"}

    @pytest.mark.parametrize("start", [["manage.py", "check"], ["-c", "import laaffic_console.wsgi"]])
    def test_a_wrong_setting_stops_command_and_web_process(self, tmp_path: Any, start: list[str]) -> None:
        wrong = {"CONSOLE_VAR_DIR": str(tmp_path), "DATABASE_URL": "", "LAAFFIC_ORDER_PREFIX": "a,b"}

        ended = subprocess.run(
            [sys.executable, *start],
            check=False,
            env={**os.environ, **wrong},
            cwd=BASE_DIR,
            capture_output=True,
            text=True,
        )

        assert ended.returncode != 0
        assert "laaffic.E141" in ended.stderr
