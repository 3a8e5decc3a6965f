"""What stands in a template and is not marked for translation."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDERS = ["messaging", "voice", "numbers", "laaffic_console"]
READ_ALOUD = {"title", "alt", "placeholder", "aria-label", "aria-description", "label"}
MARKED = re.compile(r"{%\s*blocktrans.*?%}.*?{%\s*endblocktrans\w*\s*%}", re.DOTALL)
COMMENT = re.compile(r"{%\s*comment.*?{%\s*endcomment\s*%}|{#.*?#}", re.DOTALL)
TAG = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
WORD = re.compile(r"[A-Za-z]{2,}")
# Names and units that are the same in every language.
SAME_EVERYWHERE = {"GSM", "UCS", "MB", "KB", "SMS", "MMS", "AXB", "CSV", "XLSX", "ms", "Laaffic", "UTC", "MP3", "WAV"}


def templates() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.html"))


def unmarked(template: str) -> list[str]:
    plain = TAG.sub(" ", MARKED.sub(" ", COMMENT.sub(" ", template)))
    reader = _Texts()
    reader.feed(plain)
    return [text for text in reader.found if set(WORD.findall(text)) - SAME_EVERYWHERE]


class _Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag if tag in ("script", "style") else ""
        self.found += _of_attributes(attrs)

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if not self.inside and data.strip():
            self.found.append(" ".join(data.split()))


def _of_attributes(attrs: list[tuple[str, str | None]]) -> Iterator[str]:
    for name, value in attrs:
        if name in READ_ALOUD and value and value.strip():
            yield f"{name}={value.strip()}"
