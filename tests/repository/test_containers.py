"""The container file and compose.yaml name what is there. Their steps were run in a bare Debian root (deploy/)."""

import logging
import re
from typing import Any

import pytest
import yaml
from django.core.management import get_commands
from django.urls import reverse

from laaffic_console.conf import BASE_DIR
from laaffic_console.kit.masking.log_masks import MaskPushTokens

DEPLOY = BASE_DIR / "deploy"


@pytest.fixture
def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    return found


def test_what_the_image_is_made_of_is_in_the_checkout() -> None:
    said = (DEPLOY / "Containerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", said, re.MULTILINE)

    assert copied == ["pyproject.toml requirements.lock", "."]
    assert all((BASE_DIR / name).exists() for name in copied[0].split())
    assert "--require-hashes" in said
    assert said.index("USER console") < said.index("ENTRYPOINT")


def test_each_command_of_the_console_is_one(services: dict[str, dict[str, Any]]) -> None:
    commands = [services[name]["command"][0] for name in ("web", "worker", "setup")]

    assert commands == ["web", "worker", "migrate"]
    assert set(commands) <= set(get_commands())


def test_the_console_writes_nowhere_but_in_its_volume(services: dict[str, dict[str, Any]]) -> None:
    for name in ("setup", "web", "worker"):
        assert services[name]["read_only"], name
        assert services[name]["cap_drop"] == ["ALL"], name
        assert services[name]["environment"]["CONSOLE_VAR_DIR"] == "/var/lib/console", name


def test_only_the_proxy_can_be_reached_from_outside(services: dict[str, dict[str, Any]]) -> None:
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]


def test_what_is_asked_how_it_is_and_what_watches_itself(services: dict[str, dict[str, Any]]) -> None:
    assert {name for name, service in services.items() if "healthcheck" not in service} == {"setup", "worker"}


def test_the_database_counts_as_ready_only_when_others_reach_it(services: dict[str, dict[str, Any]]) -> None:
    """While it is made, its server answers at the socket alone: migrating would begin too early, and fail."""
    assert "-h" in services["postgresql"]["healthcheck"]["test"]


def test_no_password_is_part_of_an_address(services: dict[str, dict[str, Any]]) -> None:
    """Where a / or an @ of it would end the address."""
    environment = services["web"]["environment"]

    assert environment["PGPASSWORD"].startswith("${POSTGRES_PASSWORD:")
    assert "POSTGRES_PASSWORD" not in environment["DATABASE_URL"]


def test_secrets_are_no_part_of_the_image() -> None:
    assert {".env", "var", ".git"} <= set((BASE_DIR / ".dockerignore").read_text().split())


def test_the_image_can_back_up_and_restore() -> None:
    """By pg_dump and pg_restore."""
    assert "postgresql-client" in (DEPLOY / "Containerfile").read_text().split("COPY --from=build")[0]


def test_what_stops_a_process_waits_longer_than_the_longest_request() -> None:
    longest = 95  # environment.patience_of_a_request with the longest time limits that the check laaffic.E108 lets pass
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    patience = {name: int(services[name]["stop_grace_period"].removesuffix("s")) for name in ("web", "worker")}
    for name, waits in patience.items():
        [seconds] = re.findall(
            r"^TimeoutStopSec=(\d+)$", (DEPLOY / f"console-{name}.service").read_text(), re.MULTILINE
        )
        assert min(int(seconds), waits) > longest


@pytest.mark.parametrize("proxy", ["nginx.conf", "proxy.conf"])
@pytest.mark.parametrize(
    "address",
    [
        "/admin/messaging/contactimport/add/",
        "/admin/messaging/mmsattachment/add/",
        "/admin/messaging/suppressionentry/add/",
        "/admin/voice/audiofile/add/",
        "/admin/voice/grouptask/make/",
        "/admin/numbers/ownednumber/1/edit/",
        "/api/v1/imports",
        "/api/v1/attachments",
        "/api/v1/audio-files",
    ],
)
def test_the_proxies_let_files_through(proxy: str, address: str) -> None:
    [pattern] = re.findall(r"location ~ (\S+) \{\s+client_max_body_size 510m", (DEPLOY / proxy).read_text())

    assert re.match(pattern, address)
    assert not re.match(pattern, "/push/sms")


@pytest.mark.parametrize("proxy", ["nginx.conf", "proxy.conf"])
@pytest.mark.parametrize(
    ("peer", "client", "said", "scheme"),
    [
        ("192.0.2.7", "192.0.2.7", "https", "$scheme"),  # a stranger's word
        ("192.0.2.7", "192.0.2.77", "https", "https"),  # of a proxy named there: the client is another
        ("192.0.2.7", "2001:db8::1", "http", "$scheme"),
        ("192.0.2.7", "192.0.2.77", "", "$scheme"),
    ],
)
def test_only_a_named_proxy_says_that_it_was_https(proxy: str, peer: str, client: str, said: str, scheme: str) -> None:
    written = (DEPLOY / proxy).read_text()
    rules = re.findall(r'^    "~(.+)" +(\S+);$', written.partition("$client_scheme {")[2], re.MULTILINE)

    found = next((then for rule, then in rules if re.search(rule, f"{peer} {client} {said}")), "$scheme")

    assert found == scheme
    assert "X-Forwarded-Proto $scheme;" not in written
    assert "X-Forwarded-Proto $client_scheme;" in written


@pytest.mark.parametrize("proxy", ["nginx.conf", "proxy.conf"])
def test_no_proxy_is_believed_that_nobody_named(proxy: str) -> None:
    written = (DEPLOY / proxy).read_text()

    assert "\n# set_real_ip_from " in written
    assert "\nset_real_ip_from " not in written


SECRET = "s3cret-of-an-address"
ADDRESSES = [
    ("hooks:push", {"token": SECRET, "kind": "sms-report"}, ""),
    ("read_report", {"pk": 1}, f"?token={SECRET}"),
    ("invitation", {"uidb64": "MQ", "token": SECRET}, ""),
]


@pytest.mark.parametrize("file", ["nginx.conf", "proxy.conf"])
@pytest.mark.parametrize(("name", "given", "query"), ADDRESSES)
def test_no_proxy_writes_the_secret_of_an_address_into_its_log(
    file: str, name: str, given: dict[str, Any], query: str
) -> None:
    address = reverse(name, kwargs=given) + query
    said = (DEPLOY / file).read_text()
    ways = re.search(r"map \$request_uri \$console_uri \{(.*?)\n\}", said, re.DOTALL)
    assert ways is not None
    rules = re.findall(r"^ +~(\S+) +(\S+);$", ways[1], re.MULTILINE)
    logged = next((shown for asked, shown in rules if re.search(asked.replace("(?<", "(?P<"), address)), address)

    assert SECRET not in logged
    assert "***" in logged
    record = logging.LogRecord("", logging.INFO, "", 0, "Not Found: %s", (address,), None)
    MaskPushTokens().filter(record)
    assert SECRET not in record.getMessage()


@pytest.mark.parametrize("file", ["nginx.conf", "proxy.conf"])
@pytest.mark.parametrize(("name", "given", "query"), ADDRESSES)
def test_nor_into_its_error_log(file: str, name: str, given: dict[str, Any], query: str) -> None:
    """nginx writes the whole address there whenever it refuses a request or the console does not answer."""
    places = re.findall(r"location ~ (\S+) \{(.*?)\}", (DEPLOY / file).read_text(), re.DOTALL)
    told = next((said for asked, said in places if re.search(asked, reverse(name, kwargs=given))), "")

    assert "error_log /var/log/nginx/error.log emerg;" in told
