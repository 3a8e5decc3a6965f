"""Search over all paragraphs of the help: an index a language in memory, made when somebody first asks.

Chinese has no blanks between its words: a run of its characters is taken as its pairs, so that 退订 is found wherever
it stands, and one character begins a pair.
"""

import itertools
import math
import re
import threading
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from laaffic_console.handbook import pages
from laaffic_console.handbook.pages import Passage

MOST = 30
LONGEST = 100  # characters of what is asked for
AROUND = 90  # characters of a snippet on each side of the first word that was found
_HAN = "\u3400-\u9fff"
_LETTER = rf"[^\W{_HAN}]"  # in scripts that separate their words
WORD = re.compile(rf"[{_HAN}]+|{_LETTER}+")
NEAR = 20  # characters within which a snippet looks for a blank to end at
# What a question is made of, and says nothing of what it is about.
ASKING = re.compile(
    r"(a|an|and|are|at|be|by|can|do|does|for|from|how|i|if|in|is|it|me|my|of|on|or|the|that|there|this|to|was|we)"
    r"|(what|when|where|which|who|why|will|with|you|your)"
)
ASKING_IN_CHINESE = re.compile("怎么样|怎么|怎样|如何|为什么|什么|哪里|哪个|可以|能否|是否|吗|呢|我|的")
# What a word counts for where it stands, beside how rare it is.
IN_TITLE, IN_HEADING, WHOLE = 3.0, 4.0, 2.0
# Operators come first: how it is built is for those who look for nothing else.
LESS = {"decisions": 0.5, "mechanisms": 0.6, "changelog": 0.4, "contributing": 0.4, "laaffic-api": 0.7, "numbers": 0.4}


@dataclass(frozen=True, slots=True)
class Hit:
    title: str
    heading: str
    address: str
    language: str
    snippet: SafeString  # the words that were looked for are in <mark>
    plain: str  # the same without


@dataclass(frozen=True, slots=True)
class _Entry:
    passage: Passage
    title: frozenset[str]
    heading: frozenset[str]
    text: Counter[str]


_indexes: dict[str, list[_Entry]] = {}
_begun: set[str] = set()  # languages whose index a thread makes


def find(asked: str, language: str = pages.ENGLISH) -> list[Hit]:
    """Passages in which every word stands, or begins one, best first; of a section the best passage alone."""
    words = _asked_about(asked[:LONGEST].casefold())
    wanted = [[_stem(part) for part in _asked_for(word)] for word in words]
    if not wanted:
        return []
    index = _index(language)
    scored = [(score, at) for at, entry in enumerate(index) if (score := _score(entry, wanted, language))]
    best: dict[tuple[str, str], Passage] = {}
    for _score_of, at in sorted(scored, key=lambda found: (-found[0], found[1])):
        passage = index[at].passage
        best.setdefault((passage.page, passage.anchor), passage)
    marked = [
        *map(_stem, words),
        *itertools.chain.from_iterable(wanted),
    ]  # a run of Chinese as a whole, before its pairs
    return [_hit(passage, marked) for passage in list(best.values())[:MOST]]


def _asked_about(asked: str) -> list[str]:
    """Its words without those of a question, unless there are no others: *how do I undo an import* is undo, import."""
    words = WORD.findall(asked)
    telling = [word for word in WORD.findall(ASKING_IN_CHINESE.sub(" ", asked)) if not ASKING.fullmatch(word)]
    return telling or words


def is_quick(language: str) -> bool:
    """Whether its index is there; where not, it is made in the meantime, which takes a second or two."""
    if language not in _indexes and language not in _begun:
        _begun.add(language)
        threading.Thread(target=_index, args=[language], daemon=True).start()
    return language in _indexes


def _index(language: str) -> list[_Entry]:
    if language not in _indexes:
        _indexes[language] = _made(language)
    return _indexes[language]


def _made(language: str) -> list[_Entry]:
    return [
        _Entry(
            passage, frozenset(_words(passage.title)), frozenset(_words(passage.heading)), Counter(_words(passage.text))
        )
        for name in pages.names()
        for passage in pages.passages(name, language)
    ]


def _words(text: str) -> list[str]:
    return [part for word in WORD.findall(text.casefold()) for part in _pairs(word)]


def _pairs(word: str) -> list[str]:
    """A run of Chinese as pairs: each character with the next, and the last one alone. Any other word is itself."""
    return [word[at : at + 2] for at in range(len(word))] if _is_chinese(word) else [word]


def _asked_for(word: str) -> list[str]:
    pairs = _pairs(word)
    return pairs[:-1] if len(pairs) > 1 else pairs


def _is_chinese(word: str) -> bool:
    return re.match(f"[{_HAN}]", word) is not None


def _stem(word: str) -> str:
    """`campaigns` finds `campaign`: what is asked for is compared with how words begin."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


@lru_cache(maxsize=2000)  # people type what they like
def _rarity(word: str, language: str) -> float:
    index = _index(language)
    held = sum(1 for entry in index if any(said.startswith(word) for said in entry.text))
    return math.log(1 + len(index) / (1 + held))


def _score(entry: _Entry, wanted: list[list[str]], language: str) -> float:
    """0 where a word is missing."""
    total = 0.0
    for parts in wanted:
        found = _found_of(entry, parts)
        if not found:
            return 0.0
        total += sum(times * _rarity(part, language) for times, part in zip(found, parts, strict=True) if times)
    return total * LESS.get(entry.passage.page.partition("/")[0], 1.0)


def _found_of(entry: _Entry, parts: list[str]) -> list[float]:
    """Each character has to be in a pair that is found, else nothing is: 撤销导入 is there where 撤销 and 导入 are."""
    found = [0.0]
    for part in parts:
        found.append(_found(entry, part))
        if not found[-1] and not found[-2]:
            return []
    return found[1:] if found[-1] else []


def _found(entry: _Entry, part: str) -> float:
    found = sum(WHOLE if _stem(said) == part else 1.0 for said in entry.text if said.startswith(part))
    found += IN_TITLE * any(said.startswith(part) for said in entry.title)
    return found + IN_HEADING * any(said.startswith(part) for said in entry.heading)


def _hit(passage: Passage, wanted: list[str]) -> Hit:
    address = pages.address(passage.page, passage.anchor)
    begins = re.compile("|".join(map(_begun_by, wanted)), re.IGNORECASE)
    cut = _cut(passage.text, begins)
    return Hit(passage.title, passage.heading, address, passage.language, _marked(cut, begins), cut)


def _begun_by(word: str) -> str:
    """A pattern for words that begin with `word`; Chinese may stand anywhere."""
    return re.escape(word) if _is_chinese(word) else rf"(?<!{_LETTER}){re.escape(word)}{_LETTER}*"


def _cut(text: str, begins: re.Pattern[str]) -> str:
    """The text around the first word that was looked for."""
    first = begins.search(text)
    start = max(0, (first.start() if first else 0) - AROUND)
    start = text.rfind(" ", max(0, start - NEAR), start) + 1 or start
    end = min(start + 2 * AROUND + 60, len(text))
    blank = text.rfind(" ", end - NEAR, end)
    end = blank if end < len(text) and blank > start else end
    return f"{'… ' if start else ''}{text[start:end]}{' …' if end < len(text) else ''}"


def _marked(cut: str, begins: re.Pattern[str]) -> SafeString:
    pieces: list[str] = []
    at = 0
    for found in begins.finditer(cut):
        pieces += [conditional_escape(cut[at : found.start()]), format_html("<mark>{}</mark>", found[0])]
        at = found.end()
    pieces.append(conditional_escape(cut[at:]))
    return mark_safe("".join(pieces))  # noqa: S308 - each piece is escaped
