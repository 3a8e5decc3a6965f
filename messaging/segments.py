"""How many segments a text costs (GSM 03.38; the vendor bills segments, wire §5 row 28)."""

import re
from dataclasses import dataclass
from enum import StrEnum

LIMIT_CHARACTERS = 1024  # Unicode code points that sendSms takes

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = "^{}\\[~]|€\f"  # two septets each

# What forces UCS-2 without need: what word processors make of plain characters.
REPLACEMENTS = {
    "‘": "'",
    "’": "'",
    "‚": "'",
    "“": '"',
    "”": '"',
    "„": '"',
    "«": '"',
    "»": '"',
    "–": "-",
    "—": "-",
    "‑": "-",
    "…": "...",
    "\u00a0": " ",
    "\u2009": " ",
    "\u202f": " ",
    "\u200b": "",
    "\ufeff": "",
    "\t": " ",
    "•": "-",
    "ç": "c",
    "á": "a",
    "í": "i",
    "ó": "o",
    "ú": "u",
    "â": "a",
    "ê": "e",
    "î": "i",
    "ô": "o",
    "û": "u",
    "ë": "e",
    "ï": "i",
    "ã": "a",
    "õ": "o",
}

_not_gsm = re.compile(f"[^{re.escape(BASIC + EXTENSION)}]")
_extension = re.compile(f"[{re.escape(EXTENSION)}]")
_astral = re.compile("[\U00010000-\U0010ffff]")


class Encoding(StrEnum):
    GSM_7 = "GSM-7"
    UCS_2 = "UCS-2"


CAPACITY = {Encoding.GSM_7: (160, 153), Encoding.UCS_2: (70, 67)}  # alone, and each of several


@dataclass(frozen=True, slots=True)
class SegmentCount:
    encoding: Encoding
    segments: int
    units: int  # septets, or UTF-16 units
    units_left: int  # in the last segment
    characters: int  # code points
    forcing: tuple[tuple[int, str], ...]  # (position, character) that force UCS-2


def count(text: str) -> SegmentCount:
    forcing = tuple((match.start(), match.group()) for match in _not_gsm.finditer(text))
    encoding = Encoding.UCS_2 if forcing else Encoding.GSM_7
    wide = _astral if forcing else _extension
    units = len(text) + len(wide.findall(text))
    single, joined = CAPACITY[encoding]
    if units <= single:
        return SegmentCount(encoding, 1, units, single - units, len(text), forcing)
    segments, left = _pack(text, wide, joined)
    return SegmentCount(encoding, segments, units, left, len(text), forcing)


def _pack(text: str, wide: re.Pattern[str], joined: int) -> tuple[int, int]:
    """Fill segments one after the other; a character of two units is never split over two of them."""
    segments, start = 1, 0
    while True:
        end = _fits(text, wide, start, joined)
        if end == len(text):
            used = end - start + len(wide.findall(text, start, end))
            return segments, joined - used
        segments, start = segments + 1, end


def _fits(text: str, wide: re.Pattern[str], start: int, room: int) -> int:
    end = min(start + room, len(text))
    while end - start + len(wide.findall(text, start, end)) > room:
        over = end - start + len(wide.findall(text, start, end)) - room
        end -= max(1, over // 2)
    return end


def replacement_for(character: str) -> str | None:
    """What a GSM-7 text can say instead; None when there is nothing fitting."""
    return REPLACEMENTS.get(character)


def replace_forcing(text: str) -> str:
    return text.translate({ord(character): plain for character, plain in REPLACEMENTS.items()})
