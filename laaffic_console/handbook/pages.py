"""The repository's own texts as pages of the console: which there are, what they are called, what they say.

A wheel has them packed below `texts/` (setup.py); in a checkout they are where they are read. A page's name is its path
without `docs/` and `.md`, a README's that of its folder: `launching`, `mechanisms/ledger`, `decisions`; the index,
docs/README.md, has none, and what lies beside docs/ is written small: `readme`, `changelog`.

A translation lies in a folder of docs/ that is called as its catalogue is in locale/: `docs/zh_Hans/contacts.md`; that
of a text beside docs/ in its folder `root`: `docs/zh_Hans/root/README.md`. It has the name, the address and the anchors
of its English, which stands in for it where there is none.
"""

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.urls import reverse
from django.utils.translation import get_language, to_locale
from markdown_it.token import Token

from laaffic_console.handbook import markdown

HERE = Path(__file__).resolve().parent
PACKED = HERE / "texts"
TEXTS = PACKED if PACKED.is_dir() else HERE.parents[1]
INDEX = ""
ENGLISH = "en"
ROOT = "root/"  # below a language's folder, for what lies beside docs/
# What a translation says at its top: of which English it is one (scripts/docs_digests.py).
MADE_FROM = re.compile(r"\A<!--.*?-->\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Passage:
    """What a search finds: one paragraph, row or listing below a heading."""

    page: str
    language: str  # as HTML names it
    title: str  # the page's
    heading: str  # "" above the first
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Group:
    """A line of the index: whom it is for, and the (name, title) of its pages."""

    title: str
    pages: list[tuple[str, str]]


def spoken() -> str:
    """The reader's language, as its catalogue is named."""
    return to_locale(get_language() or ENGLISH)


@cache
def languages() -> frozenset[str]:
    """The languages that have at least one translated text."""
    return frozenset(path.name for path in (HERE.parent / "locale").iterdir() if (TEXTS / "docs" / path.name).is_dir())


@cache
def names() -> dict[str, str]:
    """{name: path below TEXTS} of the English."""
    files = [*TEXTS.glob("*.md"), *(TEXTS / "docs").rglob("*.md")]
    parts = [path.relative_to(TEXTS) for path in files]
    return {
        _name_of(path.as_posix()): path.as_posix() for path in sorted(parts) if not languages() & {*path.parts[1:2]}
    }


@cache
def translations(language: str) -> dict[str, str]:
    """{name: path below TEXTS} of the pages that there are in it."""
    folder = TEXTS / "docs" / language
    paths = sorted(folder.rglob("*.md")) if language in languages() else []
    return {_name_of(english_of(at.relative_to(folder).as_posix())): at.relative_to(TEXTS).as_posix() for at in paths}


def english_of(path: str) -> str:
    """The path below TEXTS of the English text, from its translation's path below the language's folder."""
    return path.removeprefix(ROOT) if path.startswith(ROOT) else f"docs/{path}"


def is_missing(name: str, language: str) -> bool:
    """Whether a reader of a language that has texts gets the English of this one."""
    return language in languages() and name not in translations(language)


def html_language(name: str, language: str) -> str:
    return language.replace("_", "-") if name in translations(language) else ENGLISH


def _name_of(path: str) -> str:
    if not path.startswith("docs/"):
        return path.removesuffix(".md").removesuffix("/README").lower()
    return re.sub(r"(^|/)README$", "", path.removeprefix("docs/").removesuffix(".md"))


@cache
def pictures() -> dict[str, Path]:
    """{name: file} of the pictures that pages show."""
    return {path.name: path for path in (TEXTS / "docs" / "screenshots").glob("*.png")}


@cache
def _read(name: str, language: str = ENGLISH) -> list[Token]:
    path = translations(language).get(name)
    if path is None:
        return _from(names()[name]) if language == ENGLISH else _read(name)
    # Whatever links to a heading names it in English: it is the one in the same place.
    return _from(path, [at for _level, at, _text in markdown.headings(_read(name))])


def _from(path: str, anchors: Sequence[str] = ()) -> list[Token]:
    tokens = markdown.read(MADE_FROM.sub("", (TEXTS / path).read_text(encoding="utf-8")), anchors)
    markdown.relink(tokens, lambda href: address_from(path, href))
    return tokens


@cache
def title(name: str, language: str = ENGLISH) -> str:
    tokens = _read(name, language)
    return markdown.text_of(tokens[1]) if tokens and tokens[0].tag == "h1" else name


@cache
def html(name: str, language: str = ENGLISH) -> str:
    """The page without its title. The files are our own and bring no HTML; what looks like it is escaped."""
    tokens = _read(name, language)
    return markdown.render(tokens[3:] if tokens and tokens[0].tag == "h1" else tokens)


@cache
def headings(name: str, language: str = ENGLISH) -> list[tuple[str, str]]:
    """[(anchor, heading)] of the sections; the title of the page is none."""
    return [(at, text) for level, at, text in markdown.headings(_read(name, language)) if level == "h2"]


@cache
def anchors(name: str, language: str = ENGLISH) -> frozenset[str]:
    return frozenset(at for _level, at, _text in markdown.headings(_read(name, language)))


@cache
def top_anchor(name: str) -> str:
    """The title is drawn by the page around the text, and links may still lead to it."""
    return next((at for level, at, _text in markdown.headings(_read(name)) if level == "h1"), "")


@cache
def passages(name: str, language: str = ENGLISH) -> list[Passage]:
    of = (name, html_language(name, language), title(name, language))
    return [Passage(*of, *found) for found in markdown.passages(_read(name, language))]


@cache
def groups(language: str = ENGLISH) -> list[Group]:
    """The pages as docs/README.md lists them, for the contents beside each page."""
    found = [markdown.listed(token) for token in _read(INDEX, language) if token.type == "inline"]
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
    """Where a link in the file `path` leads inside the console; "" where the console does not serve its target."""
    if re.match(r"https?://|mailto:", href):
        return href
    to, _hash, anchor = href.partition("#")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), to)) if to else path
    if posixpath.basename(target) in pictures():
        return reverse("help_picture", args=[posixpath.basename(target)])
    for there in (target, f"{target}/README.md"):
        if there in _by_path():
            return address(_by_path()[there], anchor)
    return ""


@cache
def _by_path() -> dict[str, str]:
    """{path below TEXTS: name}; a translation has the name of its English."""
    pairs = [*names().items(), *(pair for language in languages() for pair in translations(language).items())]
    return {path: name for name, path in pairs}
