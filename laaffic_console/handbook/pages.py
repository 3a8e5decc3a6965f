"""The repository's own texts as pages of the console: which there are, what they are called, what they say.

A wheel has them packed below `texts/` (setup.py); in a checkout they are where they are read. A page's name is its path
without `docs/` and `.md`, a README's that of its folder: `launching`, `mechanisms/ledger`, `decisions`; the index,
docs/README.md, has none, and what lies beside docs/ is written small: `readme`, `changelog`.
"""

import posixpath
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.urls import reverse
from markdown_it.token import Token

from laaffic_console.handbook import markdown

HERE = Path(__file__).resolve().parent
PACKED = HERE / "texts"
TEXTS = PACKED if PACKED.is_dir() else HERE.parents[1]
INDEX = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """What a search finds: one paragraph, row or listing below a heading."""

    page: str
    title: str  # of the page
    heading: str  # "" above the first
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Group:
    """A line of the index: whom it is for, and the (name, title) of its pages."""

    title: str
    pages: list[tuple[str, str]]


@cache
def names() -> dict[str, str]:
    """{name: path below TEXTS}."""
    files = [*TEXTS.glob("*.md"), *(TEXTS / "docs").rglob("*.md")]
    paths = [path.relative_to(TEXTS).as_posix() for path in files]
    return {_name_of(path): path for path in sorted(paths)}


def _name_of(path: str) -> str:
    if not path.startswith("docs/"):
        return path.removesuffix(".md").removesuffix("/README").lower()
    return re.sub(r"(^|/)README$", "", path.removeprefix("docs/").removesuffix(".md"))


@cache
def pictures() -> dict[str, Path]:
    """{name: file} of the pictures that pages show."""
    return {path.name: path for path in (TEXTS / "docs" / "screenshots").glob("*.png")}


@cache
def _read(name: str) -> list[Token]:
    path = names()[name]
    tokens = markdown.read((TEXTS / path).read_text(encoding="utf-8"))
    markdown.relink(tokens, lambda href: address_from(path, href))
    return tokens


@cache
def title(name: str) -> str:
    tokens = _read(name)
    return markdown.text_of(tokens[1]) if tokens and tokens[0].tag == "h1" else name


@cache
def html(name: str) -> str:
    """What stands below the page's title. Our own files: they bring no HTML of theirs, and what looks so is escaped."""
    tokens = _read(name)
    return markdown.render(tokens[3:] if tokens and tokens[0].tag == "h1" else tokens)


@cache
def headings(name: str) -> list[tuple[str, str]]:
    """[(anchor, heading)] of the sections; the title of the page is none."""
    return [(at, text) for level, at, text in markdown.headings(_read(name)) if level == "h2"]


@cache
def anchors(name: str) -> frozenset[str]:
    return frozenset(at for _level, at, _text in markdown.headings(_read(name)))


@cache
def top_anchor(name: str) -> str:
    """The title is drawn by the page around the text, and links may still lead to it."""
    return next((at for level, at, _text in markdown.headings(_read(name)) if level == "h1"), "")


@cache
def passages(name: str) -> list[Passage]:
    return [Passage(name, title(name), *found) for found in markdown.passages(_read(name))]


@cache
def groups() -> list[Group]:
    """As docs/README.md lists its pages, for the contents beside each page."""
    found = [markdown.listed(token) for token in _read(INDEX) if token.type == "inline"]
    by_address = {address(name): name for name in names()}
    return [
        Group(said, [(by_address[href], text) for href, text in links if href in by_address])
        for said, links in found
        if links
    ]


def address(name: str, anchor: str = "") -> str:
    page = reverse("help_page", args=[name]) if name else reverse("help")
    return f"{page}#{anchor}" if anchor else page


def address_from(path: str, href: str) -> str:
    """Where a link in the file `path` leads inside the console; "" where it leads to what is not served."""
    if re.match(r"https?://|mailto:", href):
        return href
    to, _hash, anchor = href.partition("#")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), to)) if to else path
    if posixpath.basename(target) in pictures():
        return reverse("help_picture", args=[posixpath.basename(target)])
    by_path = {there: name for name, there in names().items()}
    for there in (target, f"{target}/README.md"):
        if there in by_path:
            return address(by_path[there], anchor)
    return ""
