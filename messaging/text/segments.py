"""How many segments a text costs: the vendor bills segments and limits characters.

A phone writes GSM-7 (GSM 03.38) as long as every character is in its two tables. One character outside them turns the
whole text into UCS-2, where a segment holds fewer than half as many.
"""

import re
import unicodedata
from enum import StrEnum
from typing import NamedTuple

LIMIT_CHARACTERS = 1024  # Unicode code points that sendSms takes

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = "^{}\\[~]|€\f"  # two septets each: an escape and a character
GSM_7_CHARACTERS = frozenset(BASIC + EXTENSION)

_extension = re.compile(f"[{re.escape(EXTENSION)}]")
_astral = re.compile("[\U00010000-\U0010ffff]")


class Encoding(StrEnum):
    GSM_7 = "GSM-7"
    UCS_2 = "UCS-2"


CAPACITY = {Encoding.GSM_7: (160, 153), Encoding.UCS_2: (70, 67)}  # alone, and each of several


class SegmentCount(NamedTuple):
    encoding: Encoding
    segments: int
    units: int  # septets, or UTF-16 units
    units_per_segment: int
    units_left: int  # in the last segment
    characters: int  # code points
    forcing: tuple[tuple[int, str], ...]  # (position from 0, character) that force UCS-2


def count(text: str) -> SegmentCount:
    """An empty text is one segment: a message without words is a message."""
    if GSM_7_CHARACTERS.issuperset(text):
        return _counted(text, Encoding.GSM_7, _extension, ())
    forcing = tuple([place for place in enumerate(text) if place[1] not in GSM_7_CHARACTERS])
    return _counted(text, Encoding.UCS_2, _astral, forcing)


def _counted(
    text: str, encoding: Encoding, wide: re.Pattern[str], forcing: tuple[tuple[int, str], ...]
) -> SegmentCount:
    characters = len(text)
    units = characters + len(wide.findall(text))
    single, joined = CAPACITY[encoding]
    if units <= single:
        return SegmentCount(encoding, 1, units, single, single - units, characters, forcing)
    segments, left = _pack(text, wide, joined) if units > characters else _cut(units, joined)
    return SegmentCount(encoding, segments, units, joined, left, characters, forcing)


def _cut(units: int, joined: int) -> tuple[int, int]:
    """Segments and what is left in the last, where every character is one unit."""
    segments = -(-units // joined)
    return segments, segments * joined - units


def _pack(text: str, wide: re.Pattern[str], joined: int) -> tuple[int, int]:
    """As `_cut`, where some characters are two units: segments are filled in order and never split a character."""
    segments, start = 1, 0
    while True:
        end, used = _fill(text, wide, start, joined)
        if end == len(text):
            return segments, joined - used
        segments, start = segments + 1, end


def _fill(text: str, wide: re.Pattern[str], start: int, room: int) -> tuple[int, int]:
    """Where the segment that begins at `start` ends, and the units in it."""
    end = min(start + room, len(text))
    while (used := end - start + len(wide.findall(text, start, end))) > room:
        end -= max(1, (used - room) // 2)  # a character holds two units at most: never a step too far
    return end, used


def _without_accents() -> dict[str, str]:
    """Latin letters (European, Turkish, Vietnamese) that GSM-7 lacks, as the nearest one it has."""
    letters = map(chr, [*range(0xC0, 0x250), *range(0x1E00, 0x1F00)])
    bases = {letter: unicodedata.normalize("NFD", letter)[0] for letter in letters if letter not in GSM_7_CHARACTERS}
    return {letter: base for letter, base in bases.items() if base.isascii()}


# What forces UCS-2 without need: what word processors make of plain characters, and accents that can be left out.
REPLACEMENTS = _without_accents() | {
    **dict.fromkeys("‘’‚‛′´`ʼ‹›", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―−•", "-"),
    **dict.fromkeys("\t\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "),
    **dict.fromkeys("\u00ad\u200b\u200e\u200f\u2060\ufeff", ""),  # nobody sees them
    **dict.fromkeys("\u2028\u2029", "\n"),
    "…": "...",
    "·": ".",
    "×": "x",
    "¢": "c",
    "©": "(c)",
    "®": "(R)",
    "™": "TM",
    "№": "No.",
    "¼": "1/4",
    "½": "1/2",
    "¾": "3/4",
    "¹": "1",
    "²": "2",
    "³": "3",
    "ª": "a",
    "º": "o",
    "ı": "i",
    "ł": "l",
    "Ł": "L",
    "đ": "d",
    "Đ": "D",
    "ð": "d",
    "Ð": "D",
    "þ": "th",
    "Þ": "Th",
    "œ": "oe",
    "Œ": "OE",
    "ẞ": "ß",
}
