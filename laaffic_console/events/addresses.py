"""Where a webhook may lead: to the internet, and to those of our own networks that WEBHOOKS_MAY_REACH names.

A name is resolved once, each of its addresses is judged, and the connection is made to what was judged. So neither a
name that points inwards, nor one that points elsewhere a moment later, reaches what lies behind the firewall.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from laaffic_console.events import host_names, outcomes

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# IPv6 that stands for IPv4, and leads to what it stands for: IPv4-compatible, NAT64.
_EMBEDDING = [ipaddress.ip_network(network) for network in ("::/96", "64:ff9b::/96")]
_LOCAL_NAT64 = ipaddress.ip_network("64:ff9b:1::/48")


class NotReachable(Exception):
    """A code of `outcomes`, and what belongs to it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(outcomes.in_words(code, detail))
        self.code, self.detail = code, detail


@dataclass(frozen=True, slots=True)
class Target:
    is_https: bool
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == (443 if self.is_https else 80) else f"{name}:{self.port}"


def parse(url: str) -> Target:
    """ValidationError says what is wrong with it."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        name = host if ":" in host else host.encode("idna").decode()
    except (ValueError, UnicodeError) as problem:
        raise ValidationError(
            {"url": _("This is not an address. Give one like https://example.com/hooks.")}
        ) from problem
    is_odd = any(character <= " " or character == "\x7f" for character in url) or not url.isascii()
    if parts.scheme not in ("https", "http") or not name or is_odd:
        raise ValidationError({"url": _("Give an address that begins with https:// and has no blanks.")})
    if "@" in parts.netloc:
        raise ValidationError({"url": _("Give it without a user name: what signs each request is its secret.")})
    if port == 0:
        raise ValidationError({"url": _("Nothing can be reached on port 0. Give another one, or none.")})
    is_https = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(is_https, name, port or (443 if is_https else 80), path)


def resolve(target: Target, is_given_up: Callable[[], bool] = lambda: False) -> list[str]:
    """The addresses to connect to; NotReachable where one of them may not be reached."""
    try:
        given = host_names.addresses_of(target.host, target.port, is_given_up)
    except host_names.TooSlow as problem:
        raise NotReachable("lookup", target.host[:100]) from problem
    except (OSError, UnicodeError) as problem:
        raise NotReachable("name", target.host[:100]) from problem
    for text in given:
        judge(text, is_https=target.is_https)
    return given


def judge(text: str, *, is_https: bool = True) -> None:
    address = ipaddress.ip_address(text.partition("%")[0])
    if _is_allowed(address):
        return
    if not _is_public(address):
        raise NotReachable("address", text)
    if not is_https:
        raise NotReachable("plain", text)


def _is_allowed(address: Address) -> bool:
    networks = [ipaddress.ip_network(network, strict=False) for network in settings.WEBHOOKS_MAY_REACH]
    meant = _meant(address)
    return any(meant in network for network in networks)


def _is_public(address: Address) -> bool:
    meant = _meant(address)
    if isinstance(meant, ipaddress.IPv6Address) and (
        meant in _LOCAL_NAT64 or meant.is_site_local or meant.sixtofour or meant.teredo
    ):
        return False
    return meant.is_global and not (meant.is_multicast or meant.is_reserved or meant.is_unspecified)


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 one only wraps."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if any(address in network for network in _EMBEDDING) and address != ipaddress.ip_address("::1"):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
