"""Nothing inside is reached, however its address is written."""

import socket
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from laaffic_console.events import addresses
from laaffic_console.events.addresses import NotReachable


@pytest.fixture(autouse=True)
def _nothing_is_allowed(_may_reach_this_machine: None, settings: Any) -> None:
    settings.WEBHOOKS_MAY_REACH = []


INSIDE = [
    *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "017700000001", "0", "0.0.0.0", "localhost"),
    *("10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255"),
    *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[::7f00:1]", "[64:ff9b::10.0.0.1]"),
    *("[64:ff9b:1::1]", "[fe80::1]", "[fc00::1]", "[fec0::1]", "[ff02::1]", "[2002:7f00:1::]", "[2001:0:1::1]"),
]


@pytest.mark.parametrize("host", INSIDE)
def test_what_lies_inside_is_refused(host: str) -> None:
    with pytest.raises(NotReachable) as refused:
        addresses.resolve(addresses.parse(f"https://{host}/hooks"))
    assert refused.value.code == "address"


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"])
def test_the_internet_is_reached_by_tls_alone(address: str) -> None:
    addresses.judge(address)
    with pytest.raises(NotReachable) as refused:
        addresses.judge(address, is_https=False)
    assert refused.value.code == "plain"


def _resolving(*found: str) -> Any:
    return lambda *_args, **_more: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in found]


def test_a_name_with_one_address_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _resolving("93.184.216.34", "10.0.0.7"))
    with pytest.raises(NotReachable, match=r"10\.0\.0\.7"):
        addresses.resolve(addresses.parse("https://rebinding.example/"))


def test_networks_that_are_named_are_reached(settings: Any) -> None:
    settings.WEBHOOKS_MAY_REACH = ["10.0.0.0/8", "::1"]
    for allowed in ("10.9.8.7", "::ffff:10.9.8.7", "::1"):
        addresses.judge(allowed, is_https=False)
    for other in ("11.0.0.1", "127.0.0.1"):
        with pytest.raises(NotReachable):
            addresses.judge(other, is_https=False)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com",
        "https://",
        "https://a:b@example.com/",
        "https://exam ple.com",
        "https://x/\r\nHost: y",
        "x",
        "https://x:0/",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        addresses.parse(url)
