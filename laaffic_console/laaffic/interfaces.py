"""What the families of interfaces have in common: how they call, and how their limits are checked."""

import json
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from laaffic_console.laaffic import times
from laaffic_console.laaffic.codes import Family
from laaffic_console.laaffic.envelope import Envelope
from laaffic_console.laaffic.errors import InvalidRequest
from laaffic_console.laaffic.transport import Transport


class Interfaces:
    """The interfaces of one family, over the transport that all families share.

    Every method raises InvalidRequest before any call, and NotSent, Refused or OutcomeUnknown after it.
    """

    family: Family

    def __init__(self, transport: Transport, zone: ZoneInfo = times.DEFAULT_ZONE) -> None:
        self._transport = transport
        self._zone = zone  # for times that are written without one (laaffic-api#times)

    def _post(self, path: str, body: object) -> Envelope:
        return self._transport.post(self.family, path, as_json(body))

    def _get(self, path: str, params: Mapping[str, str]) -> Envelope:
        return self._transport.get(self.family, path, params)


def as_json(body: object) -> bytes:
    """UTF-8 as it is read, without escapes: the vendor counts characters."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def check_app_id(app_id: str) -> None:
    if not app_id or len(app_id) > 64:
        raise InvalidRequest("appId", "an appId has 1 to 64 characters")


def check_length(field: str, value: str, shortest: int, longest: int) -> None:
    if not shortest <= len(value) <= longest:
        raise InvalidRequest(field, f"{len(value)} characters; it has {shortest} to {longest}")


def check_words(field: str, value: str, longest: int) -> None:
    """Something to read or to say: spaces are refused as nothing is (-4)."""
    check_length(field, value, 1, longest)
    if not value.strip():
        raise InvalidRequest(field, "it is nothing but spaces")


def check_range(field: str, value: int, lowest: int, highest: int) -> None:
    if not lowest <= value <= highest:
        raise InvalidRequest(field, f"{value} is not between {lowest} and {highest}")


def check_count(field: str, count: int, most: int, of_what: str) -> None:
    if not 0 < count <= most:
        raise InvalidRequest(field, f"{count} {of_what}; a call carries 1 to {most:,}")


def check_digits(field: str, number: str, shortest: int = 7, longest: int = 15) -> None:
    """Country code and number: digits alone, without + or spaces."""
    if not (number.isascii() and number.isdecimal() and shortest <= len(number) <= longest):
        raise InvalidRequest(field, f"{number!r} is not {shortest} to {longest} digits without + or spaces")


def joined(field: str, values: Sequence[str]) -> str:
    """A comma-separated list, whose entries are neither empty nor hold a comma."""
    if not all(value.strip() and "," not in value for value in values):
        raise InvalidRequest(field, "an entry is empty or holds a comma")
    return ",".join(values)
