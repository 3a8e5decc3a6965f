"""AXB bindings, number pools and owned numbers."""

import base64
import datetime as dt
import ipaddress
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from typing import Any

from laaffic_console.laaffic import pages, times
from laaffic_console.laaffic.codes import Family
from laaffic_console.laaffic.errors import InvalidRequest
from laaffic_console.laaffic.interfaces import Interfaces, check_app_id, check_digits, check_length, check_range, joined
from laaffic_console.laaffic.pages import LARGEST_PAGE, MalformedRecord, Page
from laaffic_console.laaffic.reports import code, count, digits, text

LONGEST_BINDING = 259_200  # seconds: three days
MAX_WHITELIST = 200  # characters, commas included
MAX_CONCURRENCY = 9999
MAX_POOL_NUMBER = 20
MAX_VOICEMAIL_SECONDS = 999
MAX_VOICEMAIL = 5 * 1024 * 1024  # bytes
VOICEMAIL_TYPES = ("mp3", "wav", "m4a")


class BindingKind(IntEnum):
    AXB = 1  # one middle number: A and B see the same
    AXXB = 2  # two: A and B each see their own


@dataclass(frozen=True, slots=True)
class Binding:
    """A and B, each of whom reaches the other by a middle number. Ids are text; numbers are digits."""

    bind_id: str
    phone_a: str
    phone_b: str
    pns_number_a: str  # the middle number that A sees
    pns_number_b: str
    expires_at: dt.datetime | None  # aware, UTC; None where `expire_time` could not be read
    expire_time: str  # as it came


@dataclass(frozen=True, slots=True)
class NewBinding:
    """What bind answers. `bind_id` is "" where the gateway gave none: the binding exists; look it up by its numbers."""

    bind_id: str
    pns_number_a: str
    pns_number_b: str


@dataclass(frozen=True, slots=True)
class NumberPool:
    pool_number: str  # the virtual calling number by which the pool is known
    whitelist: list[str]  # addresses
    max_concurrency: int  # calls at once
    numbers: list[str]


class NumberState(IntEnum):
    IN_USE = 3
    EXPIRED = 4
    STOPPED = 5


@dataclass(frozen=True, slots=True)
class OwnedNumber:
    number: str
    calling_code: str
    country: str
    due_on: dt.date | None
    state: NumberState | None  # None for a state the vendor does not document
    raw_state: str
    kind: str  # MOBILE or FIXED
    auto_renew: bool | None
    app_id: str
    remark: str
    inbound_prefix: str
    out_ip: str
    in_ip: str
    has_voicemail: bool | None
    voicemail_file_id: str
    voicemail_file_name: str
    voicemail_max_hangup: int | None  # seconds
    unread: frozenset[str] = frozenset()  # fields about which the row says nothing that can be read


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberSettings:
    """What can be changed of an owned number. None: not known, and left out."""

    out_ip: str | None = None
    in_ip: str | None = None
    inbound_prefix: str | None = None
    remark: str | None = None
    app_id: str | None = None
    voicemail: bool | None = None
    voicemail_seconds: int | None = None

    def texts(self) -> list[tuple[str, str, int]]:
        """Name, value and longest of each that is known."""
        every = [
            ("outIp", self.out_ip, 50),
            ("inIp", self.in_ip, 50),
            ("inboundPrefix", self.inbound_prefix, 32),
            ("remark", self.remark, 50),
            ("appId", self.app_id, 64),
        ]
        return [(name, value, longest) for name, value, longest in every if value is not None]


@dataclass(frozen=True, slots=True)
class VoicemailFile:
    """What callers hear: mp3, wav or m4a, at most 5 MB."""

    name: str
    data: bytes = field(repr=False)

    def fields(self) -> dict[str, str]:
        check_length("voicemailFileName", self.name, 5, 64)
        if self.name.rpartition(".")[2].lower() not in VOICEMAIL_TYPES:
            raise InvalidRequest("voicemailFileName", f"{self.name!r} ends with none of .{', .'.join(VOICEMAIL_TYPES)}")
        if not 0 < len(self.data) <= MAX_VOICEMAIL:
            raise InvalidRequest("voicemailFile", f"{len(self.data):,} bytes; it has 1 to {MAX_VOICEMAIL:,}")
        return {"voicemailFile": base64.b64encode(self.data).decode(), "voicemailFileName": self.name}


class NumbersApi(Interfaces):
    family = Family.NUMBER

    def bind(
        self,
        *,
        app_id: str,
        phone_a: str,
        phone_b: str,
        pool_number: str,
        expires_in: int,
        kind: BindingKind = BindingKind.AXB,
    ) -> NewBinding:
        """POST /number/pns/bind, for `expires_in` seconds: 1 to 259,200.

        Refused with −35 where A or B is bound already, with −41 where the pool has no middle number free.
        """
        check_app_id(app_id)
        check_digits("phoneA", phone_a, 1, 20)
        check_digits("phoneB", phone_b, 4, 20)
        check_length("poolNumber", pool_number, 1, MAX_POOL_NUMBER)
        check_range("expireS", expires_in, 1, LONGEST_BINDING)
        body = {
            "appId": app_id,
            "phoneA": phone_a,
            "phoneB": phone_b,
            "poolNumber": pool_number,
            "expireS": expires_in,
            "bizType": int(kind),
        }
        data = self._post("/number/pns/bind", body).body.get("data")
        told = data if isinstance(data, dict) else {}
        middle_numbers = (digits(told.get(name)) for name in ("pnsNumberA", "pnsNumberB"))
        return NewBinding(text(told.get("bindId")), *middle_numbers)

    def unbind(self, *, app_id: str, bind_id: str) -> None:
        """POST /number/pns/unbind. Refused with −24 where the binding is gone already."""
        check_app_id(app_id)
        check_length("bindId", bind_id, 1, 64)
        self._post("/number/pns/unbind", {"bindId": bind_id, "appId": app_id})

    def query_bindings(self, *, app_id: str = "", current: int = 1, size: int = LARGEST_PAGE) -> Page[Binding]:
        """POST /number/pns/queryBindPage: one page of at most 100; without an appId, of all."""
        params = {"appId": app_id} if app_id else {}
        envelope = self._post("/number/pns/queryBindPage", pages.request(current, size, params))
        return pages.read_page(envelope, current, "number/pns/queryBindPage", self._binding)

    def create_pool(
        self, *, pool_number: str, whitelist: Sequence[str], max_concurrency: int, numbers: Sequence[str]
    ) -> None:
        """POST /number/createNumberPool. Refused with −20 where the pool exists."""
        fields = _pool_fields(pool_number, whitelist, max_concurrency)
        self._post("/number/createNumberPool", fields | {"numberList": _pool_numbers(numbers)})

    def edit_pool(
        self,
        *,
        old_pool_number: str,
        pool_number: str,
        whitelist: Sequence[str],
        max_concurrency: int,
        numbers: Sequence[str] | None,
        held: Collection[str] = (),
    ) -> None:
        """POST /number/editNumberPool. `numbers` None leaves them as they are.

        `held`: addresses and numbers that the gateway has given us for this pool. It takes them back as they are, in
        whatever form: a host name, a short number.

        Sending the same once more changes nothing, so it may be repeated after OutcomeUnknown. Refused with −24 where
        there is no pool `old_pool_number`, with −20 where the new number is another pool's.
        """
        check_length("oldPoolNumber", old_pool_number, 1, MAX_POOL_NUMBER)
        body: dict[str, Any] = {"oldPoolNumber": old_pool_number}
        body |= _pool_fields(pool_number, whitelist, max_concurrency, held)
        if numbers is not None:
            body["numberList"] = _pool_numbers(numbers, held)
        self._post("/number/editNumberPool", body)

    def query_pools(self, *, current: int = 1, size: int = LARGEST_PAGE) -> Page[NumberPool]:
        """POST /number/queryNumberPool: one page of at most 100."""
        envelope = self._post("/number/queryNumberPool", pages.request(current, size, {}))
        return pages.read_page(envelope, current, "number/queryNumberPool", _pool)

    def query_owned_numbers(self, *, current: int = 1, size: int = LARGEST_PAGE) -> Page[OwnedNumber]:
        """POST /number/queryPage: one page of at most 100 of the numbers that the account rents."""
        envelope = self._post("/number/queryPage", pages.request(current, size, {}))
        return pages.read_page(envelope, current, "number/queryPage", _owned)

    def edit_number(
        self, *, number: str, settings: NumberSettings, voicemail_file: VoicemailFile | None = None, held: Any = ()
    ) -> None:
        """POST /number/edit. No page says what a field that is missing does: all that is known is sent.

        `held`: values that the gateway has given us for this number; it takes them back as they are.
        Sending the same once more changes nothing. Refused with −24 where the number is not the account's.
        """
        check_digits("number", number, 3, 20)
        body: dict[str, Any] = {"number": number}
        for name, value, longest in settings.texts():
            if value not in held:
                check_length(name, value, 0, longest)
            body[name] = value
        if settings.voicemail is not None:
            body["enableVoicemail"] = settings.voicemail
        if settings.voicemail_seconds is not None:
            check_range("voicemailMaxHangup", settings.voicemail_seconds, 1, MAX_VOICEMAIL_SECONDS)
            body["voicemailMaxHangup"] = settings.voicemail_seconds
        if voicemail_file is not None:
            body |= voicemail_file.fields()
        self._post("/number/edit", body)

    def _binding(self, row: dict[str, Any]) -> Binding:
        if not (bind_id := text(row.get("bindId"))):
            raise MalformedRecord("a binding without bindId")
        raw = text(row.get("expireTime"))
        return Binding(
            bind_id=bind_id,
            phone_a=digits(row.get("phoneA")),
            phone_b=digits(row.get("phoneB")),
            pns_number_a=digits(row.get("pnsNumberA")),
            pns_number_b=digits(row.get("pnsNumberB")),
            expires_at=times.from_text(raw, self._zone),
            expire_time=raw,
        )


def check_whitelist(addresses: Sequence[str], held: Collection[str] = ()) -> str:
    """The addresses as one text of at most 200 letters, digits, commas and points (laaffic-api#editnumberpool).

    Each must be an IPv4 address: the documented characters leave no other. What the gateway holds is taken as it is.
    """
    if not addresses and "" in held:
        return ""
    if not addresses:
        raise InvalidRequest("customerWhitelist", "it names at least one address")
    for address in addresses:
        if address in held:
            continue
        try:
            ipaddress.IPv4Address(address)
        except ValueError:
            raise InvalidRequest("customerWhitelist", f"{address!r} is not an IPv4 address") from None
    whitelist = joined("customerWhitelist", addresses)
    if len(whitelist) > MAX_WHITELIST and not set(addresses) <= set(held):
        raise InvalidRequest(
            "customerWhitelist", f"{len(whitelist)} characters with its commas; at most {MAX_WHITELIST}"
        )
    return whitelist


def _pool_fields(
    pool_number: str, whitelist: Sequence[str], max_concurrency: int, held: Collection[str] = ()
) -> dict[str, Any]:
    check_length("poolNumber", pool_number, 1, MAX_POOL_NUMBER)
    check_range("maxConcurrency", max_concurrency, 0, MAX_CONCURRENCY)
    return {
        "poolNumber": pool_number,
        "customerWhitelist": check_whitelist(whitelist, held),
        "maxConcurrency": max_concurrency,
    }


def _pool_numbers(numbers: Sequence[str], held: Collection[str] = ()) -> list[str]:
    for number in numbers:
        if number not in held:
            check_digits("numberList", number)
    if len(set(numbers)) != len(numbers):
        twice = next(number for index, number in enumerate(numbers) if number in numbers[:index])
        raise InvalidRequest("numberList", f"{twice} is there twice")
    return list(numbers)


def _pool(row: dict[str, Any]) -> NumberPool:
    if not (pool_number := _named(row, "poolNumber")):
        raise MalformedRecord("a pool without poolNumber")
    concurrency = count(row.get("maxConcurrency"))
    if concurrency is None:
        raise MalformedRecord(f"pool {pool_number[:40]} without a maxConcurrency that can be read")
    for name in ("customerWhitelist", "numberList"):
        if isinstance(row.get(name, {}), dict):
            raise MalformedRecord(f"pool {pool_number[:40]} without {name}")
    return NumberPool(
        pool_number=pool_number,
        whitelist=_listed(row.get("customerWhitelist")),
        max_concurrency=concurrency,
        numbers=list(map(digits, _listed(row.get("numberList")))),
    )


_OWNED_FIELDS = {
    "ccode": "calling_code",
    "country": "country",
    "dueDate": "due_on",
    "state": "state",
    "type": "kind",
    "autoRenew": "auto_renew",
    "appId": "app_id",
    "remark": "remark",
    "inboundPrefix": "inbound_prefix",
    "outIp": "out_ip",
    "inIp": "in_ip",
    "enableVoicemail": "has_voicemail",
    "voicemailFileId": "voicemail_file_id",
    "voicemailFileName": "voicemail_file_name",
    "voicemailMaxHangup": "voicemail_max_hangup",
}


def _owned(row: dict[str, Any]) -> OwnedNumber:
    known = partial(_named, row)
    if not (number := digits(row.get("number"))):
        raise MalformedRecord("an owned number without number")
    raw_state = code(known("state"))
    due_on, auto_renew = _day(known("dueDate")), _switch(row.get("autoRenew"))
    has_voicemail, voicemail_max_hangup = _switch(row.get("enableVoicemail")), count(row.get("voicemailMaxHangup"))
    read = {
        "dueDate": due_on,
        "autoRenew": auto_renew,
        "enableVoicemail": has_voicemail,
        "voicemailMaxHangup": voicemail_max_hangup,
    }
    garbled = {_OWNED_FIELDS[name] for name, value in read.items() if value is None and known(name)}
    return OwnedNumber(
        number=number,
        calling_code=known("ccode"),
        country=known("country"),
        due_on=due_on,
        state=NumberState(int(raw_state)) if raw_state in ("3", "4", "5") else None,
        raw_state=raw_state,
        kind=known("type").upper(),
        auto_renew=auto_renew,
        app_id=known("appId"),
        remark=known("remark"),
        inbound_prefix=known("inboundPrefix"),
        out_ip=known("outIp"),
        in_ip=known("inIp"),
        has_voicemail=has_voicemail,
        voicemail_file_id=known("voicemailFileId"),
        voicemail_file_name=known("voicemailFileName"),
        voicemail_max_hangup=voicemail_max_hangup,
        unread=pages.unread(row, _OWNED_FIELDS) | garbled,
    )


def _named(row: dict[str, Any], name: str) -> str:
    return text(row.get(name))


def _listed(value: object) -> list[str]:
    """A list, or the same as one text with commas."""
    entries = value if isinstance(value, list) else text(value).split(",")
    return [entry for entry in map(text, entries) if entry]


def _day(value: str) -> dt.date | None:
    """`2024-04-11`, with or without a time after it."""
    try:
        return dt.date.fromisoformat(value[:10])
    except ValueError:
        return None


def _switch(value: object) -> bool | None:
    """true/false, 1/0, or the same as text."""
    return {"true": True, "1": True, "false": False, "0": False}.get(text(value).lower())
