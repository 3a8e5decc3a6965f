"""The addresses that may call through a pool: IPv4, separated by commas, 200 characters in all."""

import ipaddress
import re
from collections.abc import Collection
from typing import NamedTuple

from django.utils.translation import gettext as _

MAX_WHITELIST = 200

_between = re.compile(r"[,;\s，；]+")


class Addresses(NamedTuple):
    addresses: tuple[str, ...]
    duplicates: tuple[str, ...]  # left out, once for each repetition


class InvalidAddresses(ValueError):
    """The text is not a list of addresses; one sentence for each part that is not an address."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


def read(text: str, *, held: Collection[str] | None = None) -> Addresses:
    """Read addresses as people write them; InvalidAddresses names each part that is not an address.

    A part that Laaffic holds already, such as a host name, stays as it is; `held` is None if Laaffic has no such pool.
    """
    found = [part for part in _between.split(text) if part]
    kept = frozenset(held or ())
    if not found and held is not None and not kept:
        return Addresses((), ())
    if not found:
        raise InvalidAddresses([_("There is no address. Give at least one that may call through this pool.")])
    problems = [why for part in dict.fromkeys(found) if part not in kept and (why := _why_none(part))]
    if problems:
        raise InvalidAddresses(problems)
    unique = tuple(dict.fromkeys(found))
    length = len(",".join(unique))
    if length > MAX_WHITELIST and not kept.issuperset(unique):
        raise InvalidAddresses(
            [
                _("%(length)d characters with their commas; Laaffic takes %(most)d. Remove some addresses.")
                % {"length": length, "most": MAX_WHITELIST}
            ]
        )
    again = list(found)
    for address in unique:
        again.remove(address)
    return Addresses(unique, tuple(again))


def _why_none(part: str) -> str:
    shown = {"address": part[:60]}
    try:
        ipaddress.IPv4Address(part)
    except ValueError:
        pass
    else:
        return ""
    if "/" in part or "-" in part:
        return _("“%(address)s” is a range. Laaffic takes single addresses: write each of them.") % shown
    if ":" in part:
        return _("“%(address)s” is not an IPv4 address, and Laaffic takes no other.") % shown
    if re.fullmatch(r"[\d.]+", part):
        return (
            _("“%(address)s” is not an address: four numbers from 0 to 255 without leading zeros, like 10.0.0.30.")
            % shown
        )
    return _("“%(address)s” is not an address. Write its numbers, like 10.0.0.30.") % shown
