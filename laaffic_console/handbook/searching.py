"""Search over all paragraphs of the help: an index in memory, made when somebody first asks."""

import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache

from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from laaffic_console.handbook import pages
from laaffic_console.handbook.pages import Passage

MOST = 30
LONGEST = 100  # characters of what is asked for
AROUND = 90  # characters of a snippet on each side of the first word that was found
WORD = re.compile(r"\w+")
# What a word counts for where it stands, beside how rare it is.
IN_TITLE, IN_HEADING, WHOLE = 3.0, 4.0, 2.0
# Operators come first: how it is built is for those who look for nothing else.
LESS = {"decisions": 0.5, "mechanisms": 0.6, "changelog": 0.4, "contributing": 0.4, "laaffic-api": 0.7, "numbers": 0.4}


@dataclass(frozen=True, slots=True)
class Hit:
    title: str
    heading: str
    address: str
    snippet: SafeString  # the words that were looked for are in <mark>


@dataclass(frozen=True, slots=True)
class _Entry:
    passage: Passage
    title: frozenset[str]
    heading: frozenset[str]
    text: Counter[str]


def find(asked: str) -> list[Hit]:
    """Passages in which every word stands, or begins one, best first; of a section the best passage alone."""
    wanted = [_stem(word) for word in WORD.findall(asked[:LONGEST].casefold())]
    if not wanted:
        return []
    scored = [(score, at) for at, entry in enumerate(_index()) if (score := _score(entry, wanted))]
    best: dict[tuple[str, str], Passage] = {}
    for _score_of, at in sorted(scored, key=lambda found: (-found[0], found[1])):
        passage = _index()[at].passage
        best.setdefault((passage.page, passage.anchor), passage)
    return [_hit(passage, wanted) for passage in list(best.values())[:MOST]]


@cache
def _index() -> list[_Entry]:
    return [
        _Entry(passage, _words(passage.title), _words(passage.heading), Counter(WORD.findall(passage.text.casefold())))
        for name in pages.names()
        for passage in pages.passages(name)
    ]


def _words(text: str) -> frozenset[str]:
    return frozenset(WORD.findall(text.casefold()))


def _stem(word: str) -> str:
    """`campaigns` finds `campaign`: what is asked for is compared with how words begin."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


@cache
def _rarity(word: str) -> float:
    held = sum(1 for entry in _index() if any(said.startswith(word) for said in entry.text))
    return math.log(1 + len(_index()) / (1 + held))


def _score(entry: _Entry, wanted: list[str]) -> float:
    """0 where a word is missing."""
    total = 0.0
    for word in wanted:
        found = sum(WHOLE if _stem(said) == word else 1.0 for said in entry.text if said.startswith(word))
        found += IN_TITLE * any(said.startswith(word) for said in entry.title)
        found += IN_HEADING * any(said.startswith(word) for said in entry.heading)
        if not found:
            return 0.0
        total += found * _rarity(word)
    return total * LESS.get(entry.passage.page.partition("/")[0], 1.0)


def _hit(passage: Passage, wanted: list[str]) -> Hit:
    address = pages.address(passage.page, passage.anchor)
    return Hit(passage.title, passage.heading, address, _snippet(passage.text, wanted))


def _snippet(text: str, wanted: list[str]) -> SafeString:
    begins = re.compile(rf"\b(?:{'|'.join(map(re.escape, wanted))})\w*", re.IGNORECASE)
    first = begins.search(text)
    start = max(0, (first.start() if first else 0) - AROUND)
    start = text.rfind(" ", 0, start) + 1 if start else 0
    end = start + 2 * AROUND + 60
    end = text.rfind(" ", start, end) if end < len(text) else len(text)
    cut = text[start:end]
    pieces = [conditional_escape("… " if start else "")]
    at = 0
    for found in begins.finditer(cut):
        pieces += [conditional_escape(cut[at : found.start()]), format_html("<mark>{}</mark>", found[0])]
        at = found.end()
    pieces += [conditional_escape(cut[at:]), conditional_escape(" …" if end < len(text) else "")]
    return mark_safe("".join(pieces))  # noqa: S308 - each piece is escaped
