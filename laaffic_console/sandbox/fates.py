"""What happens to a message, decided by the seed and the number: the same rehearsal always ends the same."""

import hashlib
from dataclasses import dataclass
from decimal import Decimal

GSM7 = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_EXTENDED = set("^{}\\[~]|€\f")


@dataclass(frozen=True, slots=True)
class Country:
    prefix: str
    rate: float  # share of messages that is delivered
    price: Decimal  # of each segment
    currency: str
    mcc: str


COUNTRIES = [
    Country("1", 0.97, Decimal("0.0079"), "USD", "310"),
    Country("31", 0.98, Decimal("0.0750"), "EUR", "204"),
    Country("33", 0.98, Decimal("0.0620"), "EUR", "208"),
    Country("34", 0.97, Decimal("0.0410"), "EUR", "214"),
    Country("39", 0.97, Decimal("0.0630"), "EUR", "222"),
    Country("44", 0.98, Decimal("0.0350"), "GBP", "234"),
    Country("49", 0.98, Decimal("0.0720"), "EUR", "262"),
    Country("52", 0.93, Decimal("0.0210"), "USD", "334"),
    Country("55", 0.94, Decimal("0.0110"), "USD", "724"),
    Country("62", 0.91, Decimal("0.0210"), "USD", "510"),
    Country("63", 0.92, Decimal("0.0140"), "USD", "515"),
    Country("66", 0.95, Decimal("0.0120"), "USD", "520"),
    Country("81", 0.98, Decimal("0.0680"), "USD", "440"),
    Country("84", 0.93, Decimal("0.0290"), "USD", "452"),
    Country("86", 0.94, Decimal("0.0080"), "USD", "460"),
    Country("91", 0.92, Decimal("0.0100"), "EUR", "404"),
    Country("234", 0.88, Decimal("0.0190"), "USD", "621"),
    Country("254", 0.90, Decimal("0.0160"), "USD", "639"),
]
ELSEWHERE = Country("", 0.90, Decimal("0.0450"), "USD", "901")
_BY_PREFIX = {country.prefix: country for country in COUNTRIES}

REASONS = [  # with their share of the failures
    (0.45, "Absent subscriber"),
    (0.75, "Unknown subscriber"),
    (0.90, "Spam blocked"),
    (1.00, "Handset error"),
]


@dataclass(frozen=True, slots=True)
class Fate:
    delivered: bool
    reason: str  # "0" if it is delivered, as in the vendor's samples
    delay: float  # 0 to 1: its place in the range of delays


def country_of(number: str) -> Country:
    for length in (3, 2, 1):
        if country := _BY_PREFIX.get(number[:length]):
            return country
    return ELSEWHERE


def fate_of(seed: int, number: str, rate: float | None = None) -> Fate:
    digest = hashlib.blake2b(f"{seed}:{number}".encode(), digest_size=6).digest()
    luck, why, delay = (int.from_bytes(digest[index : index + 2]) / 65536 for index in (0, 2, 4))
    if luck < (country_of(number).rate if rate is None else rate):
        return Fate(True, "0", delay)
    return Fate(False, next(reason for share, reason in REASONS if why < share), delay)


def segments_of(content: str) -> int:
    """The segments, as the sandbox counts them: 160/153 septets, or 70/67 UTF-16 units."""
    if all(character in GSM7 or character in GSM7_EXTENDED for character in content):
        return _parts([2 if character in GSM7_EXTENDED else 1 for character in content], 160, 153)
    return _parts([len(character.encode("utf-16-le")) // 2 for character in content], 70, 67)


def _parts(widths: list[int], single: int, joined: int) -> int:
    if sum(widths) <= single:
        return 1
    parts, room = 1, joined
    for width in widths:
        if width > room:
            parts, room = parts + 1, joined
        room -= width
    return parts
