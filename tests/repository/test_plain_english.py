"""Pages, documents, docstrings and comments are in plain, modern English: the words below are not used here.

A word is on the list where a native reader stumbles over it, or where it was used for five different things. `instead`
says what to write. What has to stay, such as a right's name that databases and migrations hold, is in KEPT.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ["laaffic_console", "messaging", "voice", "numbers", "scripts", "deploy", "docs"]
NOT_OURS = {"migrations", "locale", "zh_Hans", "screenshots"}
SUFFIXES = {".py", ".md", ".html", ".txt", ".js", ".css", ".yaml"}
KEPT = [
    'STEPPED = "steered"',  # a kind of act, by its name in databases
    "Can say what became of a request whose answer was lost",  # a right, by its name in databases
]


class Rule(NamedTuple):
    parts: str  # plain pieces with | between: a text without any of them is not looked through
    pattern: str  # a space in it may be a line break
    instead: str
    wrong: str  # what it finds
    right: str  # what it lets be


PLACE = "in|on|at|beside|behind|below|under|there|here|among|with|elsewhere|outside|within|around|above"
RULES = [
    # Old-fashioned words.
    Rule("anew", r"\banew\b", "again, or a verb with re-", "it is read anew", "it is read again"),
    Rule("whoever", r"\bwhoever\b", "anyone who, the person who, code that", "whoever edits it", "anyone who edits it"),
    Rule("upon", r"\bupon\b", "on", "decided upon", "decided on"),
    Rule("besides", r"\bbesides\b", "also, as well", "it is read besides", "it is also read"),
    Rule("likewise", r"\blikewise\b", "in the same way, the same", "calls likewise", "calls in the same way"),
    Rule("for ever", r"\bfor ever\b", "forever", "waits for ever", "for everybody"),
    Rule("half-way|midway", r"\b(?:half-way|midway)\b", "halfway", "ends half-way", "ends halfway"),
    Rule("time-out", r"\btime-out\b", "timeout", "a time-out", "a timeout"),
    Rule("mend", r"\bmend(?:s|ed|ing)?\b", "fix", "a fault is mended", "amended"),
    Rule("reckon", r"\breckon(?:s|ed|ing)?\b", "count, calculate, expect", "reckoned from today", "counted from today"),
    Rule("want of", r"\bfor want of\b", "for lack of", "for want of money", "for lack of money"),
    Rule("seldom", r"\bever more seldom\b", "less and less often", "asked ever more seldom", "asked less often"),
    Rule(
        "thereby|therein|thereof|thereupon|hereby|herein|hitherto|hence |whither | lest |whilst|amongst",
        r"\b(?:there(?:by|in|of|upon)|here(?:in|by)|wherein|hitherto|whence|thence|whither|lest|whilst|amongst)\b",
        "a word that people say",
        "whence it came",
        "where it came from",
    ),
    Rule(
        "steer", r"\bsteer(?:s|ed|ing)?\b", "the step: pause, resume, take back …", "campaigns steered", "a steep price"
    ),
    Rule("in clear", r"\bin clear\b", "unencrypted", "sent in clear", "in a clear way"),
    # Plain words in a meaning that they no longer have.
    Rule(
        "told",
        r"\b(?:told no|never told|price not told)\b",
        "reported, named, gave",
        "it told no id",
        "told about it",
    ),
    Rule("became|become", r"\bbec(?:ame|ome|omes) of\b", "happened to", "what became of it", "it became final"),
    Rule("meanwhile", r"(?<=\w) meanwhile\b", "in the meantime, since then", "deleted meanwhile", "Meanwhile it waits"),
    Rule("this moment", r"\b(?:in|at) this moment\b", "right now, just", "read at this moment", "at the same moment"),
    Rule(
        "stand|stood",
        rf"\bst(?:ands?|ood) (?:{PLACE})\b(?! for\b| once\b| where\b)",
        "is, are, is shown",
        "it stands in the list",
        "it stands in for it",
    ),
    Rule("against", r"\bstands? against\b", "what the checks find", "what stands against it", "it stands out"),
    Rule(
        "is said|are said",
        r"\b(?:is|are) said (?:at|in|on|by|beside|below|there|once|only|where)\b",
        "is shown, is worded, says so",
        "it is said on the page",
        "what is said",
    ),
    Rule(
        "is no |are no ",
        r"(?<=[\w,]\x20)(?<!here\x20)\b(?:is|are) no (?!longer\b|more\b|slower\b|louder\b|need\b|use\b)(?=\w)",
        "is not a, invalid",
        "what is no number",
        "there is no number",
    ),
    Rule(
        "want",
        r"\bwants? (?:an? (?:reason|tick|key|token|index|sign-in|second person)\b|`)",
        "needs, requires",
        "it wants a tick",
        "who wants to see it",
    ),
    Rule(
        "for who |to who |by who |from who ",
        r"\b(?:for|to|by|from) who (?:may|has|have|sees|asks|looks|reads|waits|listens)\b",
        "for anyone who, for people who",
        "shown to who may see it",
        "it shows who may see it",
    ),
    Rule("names none", r"\bnames none\b", "does not name one", "it names none", "none of them"),
    Rule(
        "concern",
        r"\bconcerns? (?:that|those|these|this|none|very|the attempt)\b",
        "applies to, is about",
        "it concerns those rows",
        "what concerns you",
    ),
    Rule("put right", r"\b(?:is|are|be) put right\b", "is corrected, is fixed", "it is put right", "put it right here"),
]
FOUND_BY = [
    (rule.parts.split("|"), re.compile(rule.pattern.replace(" ", r"\s+(?:(?:#|//|\*) )?")), rule) for rule in RULES
]


def texts() -> Iterator[Path]:
    for part in PARTS:
        for path in sorted((ROOT / part).rglob("*")):
            if path.suffix in SUFFIXES and not NOT_OURS & set(path.relative_to(ROOT).parts):
                yield path
    yield from sorted(ROOT.glob("*.md"))


def found_in(text: str) -> Iterator[tuple[int, str]]:
    """Each line that has one, and what it has instead of what."""
    text = text.lower()
    for kept in KEPT:
        text = text.replace(kept.lower(), "")
    for parts, pattern, rule in FOUND_BY:
        if any(part in text for part in parts):
            for hit in pattern.finditer(text):
                yield text.count("\n", 0, hit.start()) + 1, f"“{' '.join(hit[0].split())}”: {rule.instead}"


def test_what_is_written_here_is_plain_english() -> None:
    read = [(path.relative_to(ROOT), path.read_text(encoding="utf-8")) for path in texts()]
    found = [f"{name}:{line}: {said}" for name, text in read for line, said in sorted(found_in(text))]

    assert len(read) > 500
    assert found == [], "\n".join(["reword:", *found])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.wrong)
def test_each_rule_finds_what_it_is_for(rule: Rule) -> None:
    assert [line for line, _said in found_in(f"One line.\n{rule.wrong}.")] == [2]
    assert list(found_in(rule.right)) == []


def test_a_line_break_hides_nothing() -> None:
    assert [line for line, _said in found_in("# It is read when it stands\n    # in the list.")] == [1]
