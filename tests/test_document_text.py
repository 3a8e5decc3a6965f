"""What commands print without --json is read by people: no brackets and no words of Python."""

import re
from typing import Any

import pytest

from laaffic_console.kit import document_text
from messaging.management.commands import campaign

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
