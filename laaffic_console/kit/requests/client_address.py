"""Which address a request comes from, and whether that is in one of the networks that settings list."""

import ipaddress
from collections.abc import Sequence

from django.conf import settings
from django.http import HttpRequest

CAN_BE_A_FILE = ("unix:", "fd://")  # what systemd hands over is of either kind; a peer by TCP has an address


def client_address(request: HttpRequest) -> str:
    """The address of the client: the peer's, or the one that the nearest of our own proxies names; "" for none.

    What a stranger writes into the header counts for nothing: it is believed from a trusted proxy alone, and read from
    the right, past further trusted proxies. A peer at a Unix socket has no address and is such a proxy: nobody else can
    open its file.
    """
    address = request.META.get("REMOTE_ADDR", "")
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    if hops and as_address(address) is None and settings.CONSOLE_BIND.startswith(CAN_BE_A_FILE):
        address = hops.pop()
    while hops and is_among(address, settings.TRUSTED_PROXIES):
        address = hops.pop()
    return address if as_address(address) else ""


def is_among(address: str, networks: Sequence[str]) -> bool:
    source = as_address(address)
    return source is not None and any(source in ipaddress.ip_network(network, strict=False) for network in networks)


def as_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """None for what is not an address; an IPv4 address that came by an IPv6 socket is the IPv4 address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
