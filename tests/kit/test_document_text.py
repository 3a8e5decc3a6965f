"""What commands print without --json is read by people: no brackets and no words of Python."""

import re
from typing import Any

import pytest
from django.utils import translation

from laaffic_console.conf import BASE_DIR
from laaffic_console.kit.process import document_text
from laaffic_console.kit.words import figures
from messaging.management.commands import campaign

APPS = ("laaffic_console", "messaging", "voice", "numbers")
FORECAST = {
    "country": "IN",
    "expected": {"recipients": 3, "segments_each": 1.5, "price": "0.0080", "currency": "USD", "cost": None},
    "actual": {"ended": 2, "charged": 0, "cost": "0"},
}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"a": 0, "b": None, "c": True, "d": ""}, ["a: 0", "b: –", "c: yes", "d: "]),
        ({"counts": {"queued": 2, "failed": 0}, "stopped": {}}, ["counts: queued 2", "stopped: none"]),
        ({"wrong": []}, ["wrong: none"]),
        ({"wrong": ["one sentence"]}, ["wrong: 1", "  one sentence"]),
        ({"versions": [{"n": 1, "numbers": ["1", "2"]}]}, ["versions: 1", "  n 1; numbers 1, 2"]),
        ({"difference": {"added": ["1"], "renamed": False}}, ["difference: added 1; renamed no"]),
    ],
)
def test_a_document_is_lines(document: dict[str, Any], said: list[str]) -> None:
    assert list(document_text.lines(document)) == said


def test_a_report_is_readable() -> None:
    waiting = {"n": 4, "until": None, "why": "paused"}
    said = campaign.as_text({"id": 1, "cost": {"USD": "0.1"}, "waiting": [waiting], "forecast": [FORECAST]})

    assert "  IN expected recipients 3, segments_each 1.5, price 0.0080, currency USD; actual ended 2, cost 0" in said
    assert "  4: paused" in said
    assert not re.search(r"[{}\[\]']|None", said)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_share_is_written_in_one_way(language: str) -> None:
    with translation.override(language):
        assert [figures.in_percent(share) for share in (94.9, "94.90", 92.0, 0.0)] == [
            "94.9%",
            "94.9%",
            "92.0%",
            "0.0%",
        ]
        assert [figures.in_percent(share) for share in (0, 85, 100)] == ["0%", "85%", "100%"], "set, or how far it is"
        assert figures.in_percent(99.99) == "99.9%", "100 is shown only when it is true"


def test_what_is_slow_has_a_pace() -> None:
    assert [figures.pace(one) for one in (1250.4, 10, 4.46, 0.0167)] == ["1,250", "10", "4.5", "0.02"]


def test_no_page_and_no_sentence_writes_the_sign_itself() -> None:
    """figures.in_percent does: some languages put a space before it, and some do not."""
    by_hand = re.compile(r"\}\} %[^}]|\)[ds] %%|\} %[^a-z(}]")
    pages = [path for app in APPS for path in (BASE_DIR / app).rglob("templates/**/*.html")]
    sentences = [path for app in APPS for path in (BASE_DIR / app).rglob("*.py")]
    found = [f"{path}: {hit[0]}" for path in (*pages, *sentences) for hit in by_hand.finditer(path.read_text())]

    assert found == []
