"""The counter in the browser: the same tables, the same counts, and what an operator sees while typing."""

import functools
import http.server
import importlib.util
import json
import random
import shutil
import subprocess
import threading
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser

from messaging.admin.shared import text_widget
from messaging.text import merge_fields, segments
from tests.messaging.text.test_segments import replace_forcing

ROOT = Path(__file__).resolve().parents[3]
STATIC = ROOT / "messaging" / "static" / "messaging"
TABLES, COUNTER = STATIC / "segment_tables.js", STATIC / "segment_counter.js"

ALPHABETS = [
    segments.BASIC,
    segments.BASIC + segments.EXTENSION,
    segments.EXTENSION + "a",
    "aé€^ш’ç\u00a0😀",
    "😀a",
    "ш\n𝒳",
    "Aen\u0301\u0303\u030a\u212b",
    "".join(segments.REPLACEMENTS) + "ab",
]
ANSWER = """
const answer = (text) => ({
  count: SegmentCounter.count(text),
  replaced: SegmentCounter.replaceForcing(text),
  replacements: [...text].map(SegmentCounter.replacementFor),
  measured: SegmentCounter.measure(text),
});
const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(asked.map((text) => EXPRESSION)));
"""


def script() -> Any:
    spec = importlib.util.spec_from_file_location("make_segment_tables", ROOT / "scripts" / "make_segment_tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def in_javascript(texts: list[str], expression: str = "answer(text)") -> list[Any]:
    if not (node := shutil.which("node")):
        pytest.skip("node is not installed: it runs the browser's counter beside Python's")
    program = TABLES.read_text() + COUNTER.read_text() + ANSWER.replace("EXPRESSION", expression)
    done = subprocess.run(
        [node, "--eval", program], input=json.dumps(texts), capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(done.stdout)


def random_texts(number: int) -> list[str]:
    dice = random.Random(20260101)
    lengths = [0, 1, 2, 35, 66, 67, 68, 69, 70, 71, 134, 135, 152, 153, 154, 159, 160, 161, 306, 307, 700, 1024]
    return ["".join(dice.choices(dice.choice(ALPHABETS), k=dice.choice(lengths))) for _ in range(number)]


class TablesTests:
    def test_the_file_is_what_the_script_writes(self) -> None:
        made = script()

        assert made.TARGET == TABLES
        assert TABLES.read_text() == made.tables(), "run scripts/make_segment_tables.py"


class EqualTests:
    def test_both_count_alike(self) -> None:
        texts = random_texts(500)

        answers = in_javascript(texts)

        for text, answer in zip(texts, answers, strict=True):
            python = segments.count(text)
            assert answer["count"] == {
                "encoding": python.encoding,
                "segments": python.segments,
                "units": python.units,
                "unitsPerSegment": python.units_per_segment,
                "unitsLeft": python.units_left,
                "characters": python.characters,
                "forcing": [list(place) for place in python.forcing],
            }
            assert answer["replaced"] == replace_forcing(text)
            assert answer["replacements"] == [segments.REPLACEMENTS.get(character) for character in text]

    def test_names_of_objects_are_no_replacements(self) -> None:
        [answer] = in_javascript(["constructor toString __proto__"])

        assert answer["count"]["forcing"] == []

    def test_both_find_the_same_fields(self) -> None:
        dice = random.Random(20260102)
        pieces = ["{{name}}", "{{ city }}", "{{city|x y}}", "{{", "}}", "{", "}", "{{a b}}", "{{1}}", "é", " "]
        texts = ["".join(dice.choices(pieces, k=dice.randint(0, 6))) for _ in range(500)]

        answers = in_javascript(texts)

        for text, answer in zip(texts, answers, strict=True):
            try:
                varies = bool(merge_fields.fields(text))
            except merge_fields.MergeError:
                continue
            assert answer["measured"]["varies"] == varies

    def test_what_varies_costs_no_less_than_it_says(self) -> None:
        dice = random.Random(20260103)
        fields = ["{{name}}", "{{city|Pune}}", "{{code|’}}", "word ", "€ ", "ш"]
        texts = ["".join(dice.choices(fields, weights=[2, 2, 1, 40, 1, 0.2], k=60)) for _ in range(200)]
        values = [{}, {"name": "Al", "city": "X", "code": "1"}, {"name": "😀" * 9, "city": "ш" * 40}]

        answers = in_javascript(texts)

        for text, answer in zip(texts, answers, strict=True):
            template = merge_fields.parse(text)
            costs = [segments.count(merge_fields.render(template, contact)).segments for contact in values]
            assert answer["measured"]["segments"] <= min(costs)
            assert answer["measured"]["characters"] == len(text)


class FieldNamesTests:
    @pytest.mark.parametrize(
        ("text", "forcing"),
        [
            ("Hi {{城市}}", []),
            ("😀 {{城市}} é ш", [[0, "😀"], [11, "ш"]]),
            ("{{城市|城}}", [[5, "城"]]),
            ("{{ 城 | ’城 }}!", [[7, "’"], [8, "城"]]),
            ("城 {{城", [[0, "城"], [4, "城"]]),  # no field yet
        ],
    )
    def test_a_name_forces_nothing_and_its_fallback_does(self, text: str, forcing: list[Any]) -> None:
        [answer] = in_javascript([text])

        assert answer["measured"]["forcing"] == forcing


class EstimateTests:
    """Over the shortest, typical and longest values: the browser's figures are those of the texts that Python makes."""

    FIELDS: ClassVar = {"name": ["", "xxxx", "x" * 60], "city": ["x", "ш" * 5, "ш" * 40]}

    def estimated(self, texts: list[str]) -> list[Any]:
        return in_javascript(texts, f"SegmentCounter.estimate(text, {json.dumps(self.FIELDS)})")

    def test_it_agrees_with_python(self) -> None:
        dice = random.Random(20260104)
        pieces = ["{{name}}", "{{city|Pune}}", "{{ name | friend }}", "word ", "€ ", "x" * 50]
        texts = ["".join(dice.choices(pieces, k=dice.randint(1, 9))) for _ in range(300)]

        for text, answer in zip(texts, self.estimated(texts), strict=True):
            template = merge_fields.parse(text)
            filled = [
                merge_fields.render(template, {name: values[size] for name, values in self.FIELDS.items()})
                for size in range(3)
            ]
            costs = [segments.count(one).segments for one in filled]
            assert answer == {
                "least": min(costs),
                "typical": costs[1],
                "most": max(costs),
                "longest": max(len(one) for one in filled),
            }

    def test_of_an_unknown_field_nothing_is_said(self) -> None:
        assert self.estimated(["Hi {{nickname}}", "Hi {{constructor}}"]) == [None, None]


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Pages as strict as a browser can be about scripts and styles."""

    def end_headers(self) -> None:
        self.send_header(
            "Content-Security-Policy", "default-src 'self'; img-src data:; require-trusted-types-for 'script'"
        )
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    for path in STATIC.glob("segment_*"):
        shutil.copy(path, tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield tmp_path, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


STEPS = """
"use strict";
const area = document.querySelector("textarea"), target = document.getElementById("counter");
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const seen = [];
const troubles = [];
addEventListener("securitypolicyviolation", (event) => troubles.push(event.violatedDirective));
addEventListener("error", (event) => troubles.push(event.message));
const look = () => seen.push({
  lines: [...target.querySelectorAll("span, li.segment-counter-others")].map((node) => node.textContent),
  buttons: [...target.querySelectorAll("button")].map((node) => node.textContent),
  red: getComputedStyle(target.querySelector(".segment-counter-characters")).color,
  value: area.value,
  caret: area.selectionStart,
  marks: [...target.querySelectorAll("mark")].map((node) => node.textContent),
  marked: target.querySelector(".segment-counter-marked")?.textContent ?? null,
  warning: target.querySelector("p.segment-counter-over")?.textContent ?? null,
  role: `${target.getAttribute("role")} ${target.getAttribute("aria-live")}`,
});
const type = (text) => { area.value = text; area.dispatchEvent(new Event("input")); };
const settle = () => pause(300);
const press = (label) => [...target.querySelectorAll("button")].find((node) => node.textContent === label).click();
addEventListener("load", async () => {
  STEPS
  const out = document.createElement("pre");
  out.id = "seen";
  out.textContent = encodeURIComponent(JSON.stringify({ seen, troubles }));
  document.body.append(out);
});
"""


def watch(
    site: tuple[Path, str],
    chromium: Browser,
    steps: str,
    text: str = "",
    labels: dict[str, str] | None = None,
    html: str = "",
    fields: str = "",
) -> Any:
    """What the counter shows at each `look()`."""
    folder, address = site
    said = json.dumps({**text_widget.labels(), **(labels or {})})
    (folder / "steps.js").write_text(STEPS.replace("STEPS", steps))
    (folder / "index.html").write_text(
        f'<!doctype html><html lang="en" {html}><head><meta charset="utf-8"><link rel="icon" href="data:,">'
        '<link rel="stylesheet" href="segment_counter.css"></head><body>'
        f'<textarea data-segment-counter="counter" data-labels="{escape(said)}" data-fields="{escape(fields)}">'
        f"{escape(text)}</textarea>"
        '<div id="counter"></div><script src="segment_tables.js"></script><script src="segment_counter.js"></script>'
        '<script src="steps.js"></script></body></html>'
    )
    page = chromium.new_page()
    page.goto(address)
    found = json.loads(unquote(page.locator("#seen").text_content() or ""))
    page.close()
    assert found["troubles"] == []
    return found["seen"]


@pytest.mark.browser
class BrowserTests:
    def test_it_speaks_once_typing_pauses(self, site: tuple[Path, str], chromium: Browser) -> None:
        steps = "look(); type('H'); type('Hello'); look(); await settle(); look();"

        first, at_once, later = watch(site, chromium, steps)

        assert first["lines"] == ["0 of 1,024 characters", "GSM-7", "1 segment", "160 left in this segment"]
        assert at_once["lines"] == first["lines"]
        assert later["lines"] == ["5 of 1,024 characters", "GSM-7", "1 segment", "155 left in this segment"]
        assert later["role"] == "status polite"

    def test_it_names_what_forces_ucs_2_and_replaces_it(self, site: tuple[Path, str], chromium: Browser) -> None:
        steps = "area.setSelectionRange(6, 6); look(); press('Replace with “\\'”'); look();"

        before, after = watch(site, chromium, steps, text="😀 It’s ’ours’ and ’theirs’ to\u00a0keep")

        assert before["lines"][1:] == [
            "UCS-2",
            "1 segment",
            "35 left in this segment",
            "“😀” at 1 forces UCS-2",
            "“’” at 5, 8, 13 and 2 more force UCS-2",
            "An invisible character (U+00A0) at 30 forces UCS-2",
        ]
        assert before["buttons"] == ["Replace with “'”", "Replace with a space"]
        assert after["value"] == "😀 It's 'ours' and 'theirs' to\u00a0keep"
        assert after["caret"] == 6

    def test_all_is_replaced_at_once_where_that_makes_it_gsm_7(self, site: tuple[Path, str], chromium: Browser) -> None:
        before, after = watch(
            site,
            chromium,
            "area.setSelectionRange(6, 6); look(); press('Replace all'); look();",
            text="“Wait…” – ça\u200b va",
        )

        assert before["buttons"][-2:] == ["Remove", "Replace all"]
        assert after["value"] == '"Wait..." - ca va'
        assert after["caret"] == len('"Wait...')
        assert after["lines"][1] == "GSM-7"
        assert after["buttons"] == []

    def test_a_long_text_is_red_and_says_so(self, site: tuple[Path, str], chromium: Browser) -> None:
        steps = f"look(); type('{'a' * 1024}'); await settle(); look(); type('{'a' * 1026}'); await settle(); look();"

        short, full, over = watch(site, chromium, steps)

        assert full["lines"][0] == "1,024 of 1,024 characters"
        assert full["red"] == short["red"]
        assert over["lines"][0] == "1,026 of 1,024 characters, too long by 2 characters"
        assert over["red"] == "rgb(185, 28, 28)"

    def test_dark_has_colours_of_its_own(self, site: tuple[Path, str], chromium: Browser) -> None:
        [over] = watch(site, chromium, "look();", text="a" * 1025, html='class="dark"')

        assert over["red"] == "rgb(248, 113, 113)"

    def test_fields_vary(self, site: tuple[Path, str], chromium: Browser) -> None:
        one, two = watch(
            site,
            chromium,
            "look(); type(`{{name|friend}}${'a'.repeat(160)}`); await settle(); look();",
            text="Hi {{name}}",
        )

        assert one["lines"] == ["11 of 1,024 characters", "GSM-7", "fields vary: at least 1 segment"]
        assert two["lines"][-1] == "fields vary: at least 2 segments"

    def test_known_fields_give_a_range_and_can_be_put_in(self, site: tuple[Path, str], chromium: Browser) -> None:
        fields = json.dumps({"name": ["", "xxxx", "x" * 60]})
        steps = "look(); document.querySelector('.segment-counter-field').click(); look();"

        before, after = watch(site, chromium, steps, text="a" * 140, fields=fields)

        assert before["lines"][2] == "1 segment"
        assert after["value"].count("{{name}}") == 1
        assert after["lines"][2] == "1 to 2 segments, typically 1"

    def test_what_can_grow_too_long_is_said(self, site: tuple[Path, str], chromium: Browser) -> None:
        fields = json.dumps({"name": ["", "xxxx", "x" * 60]})

        [seen] = watch(site, chromium, "look();", text="a" * 1000 + "{{name}}", fields=fields)

        assert seen["warning"] == (
            "Too long for some: with the longest values 1,060 characters, and those are not sent"
        )

    def test_what_forces_ucs_2_is_marked(self, site: tuple[Path, str], chromium: Browser) -> None:
        seen, other = watch(site, chromium, f"look(); type('{'ш' * 41}'); await settle(); look();", text="a’b <i>")

        assert (seen["marks"], seen["marked"]) == (["’", "␣"], "a’b␣<i>")
        assert other["marked"] is None

    def test_words_come_from_the_page(self, site: tuple[Path, str], chromium: Browser) -> None:
        labels = {"characters": "{n} de {limit} <b>caractères</b>", "segments_other": "{n} parties"}

        [seen] = watch(site, chromium, "look();", text="a" * 161, labels=labels)

        assert seen["lines"][0] == "161 de 1,024 <b>caractères</b>"
        assert seen["lines"][2] == "2 parties"

    def test_a_text_is_never_markup(self, site: tuple[Path, str], chromium: Browser) -> None:
        [seen] = watch(site, chromium, "look();", text="<img src=x onerror=alert(1)>ш<script>")

        assert "“ш” at 29 forces UCS-2" in seen["lines"]

    def test_many_kinds_are_counted_not_named(self, site: tuple[Path, str], chromium: Browser) -> None:
        [seen] = watch(site, chromium, "look();", text="абвгдежзик")

        assert seen["lines"][-1] == "2 other characters force UCS-2"
