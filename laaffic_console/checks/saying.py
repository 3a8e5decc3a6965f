"""How a check says what is wrong, and what several of them ask of an address."""

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from django.core.checks import Error, Warning  # noqa: A004
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.process.commands import CHECKS

TAG = CHECKS

LOCAL = ("127.0.0.1", "localhost", "::1")


def error(said: str | Promise, *, hint: str | Promise, id: str) -> Error:  # noqa: A002 - Django's own name
    """An Error whose texts may be lazy: a check runs when its sentence is wanted."""
    return Error(str(said), hint=str(hint), id=id)


def warning(said: str | Promise, *, hint: str | Promise, id: str) -> Warning:  # noqa: A002
    return Warning(str(said), hint=str(hint), id=id)


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


def unsendable(setting: str, *values: str, id: str) -> list[Error]:  # noqa: A002
    """Errors for values that go into a header or an address as they stand. None is quoted: it may be a secret."""
    if all(value.isascii() and value.isprintable() for value in values):
        return []
    said = _("%(setting)s holds a character that cannot be sent, and that may be invisible.") % {"setting": setting}
    return [error(said, hint=_("Only ASCII letters, digits and signs can. Copy it again, or type it."), id=id)]


def is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
