"""Markdown as our own texts use it, read and drawn by markdown-it; headings have the anchors that GitHub gives them."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import cast

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
_renderer = cast(RendererHTML, _markdown.renderer)
# Between Chinese characters the end of a line is not a blank.
_HAN = "\u3000-\u303f\u3400-\u9fff\uff01-\uff5e"
_BREAK_IN_CHINESE = re.compile(rf"([{_HAN}]\**)\n *(?=[*\[“]*[{_HAN}])")
# What is wider than a telephone is scrolled by itself, by keyboard too.
_WIDE = {"table_open": '<div class="c-help-wide" tabindex="0"><table>', "table_close": "</table></div>"}


def read(text: str, anchors: Sequence[str] = ()) -> list[Token]:
    """The text's tokens; the headings get the `anchors` one after the other, or those made from their words."""
    tokens = _markdown.parse(_BREAK_IN_CHINESE.sub(r"\1", text))
    given, seen = iter(anchors), Counter[str]()
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            slug = anchor_of(inline.content)
            token.attrSet("id", next(given, f"{slug}-{seen[slug]}" if seen[slug] else slug))
            seen[slug] += 1
    _without_empty_headers(tokens)
    return tokens


def _without_empty_headers(tokens: list[Token]) -> None:
    """Markdown's tables have a head in any case; an empty cell of it is not a header."""
    for opening, inline, closing in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opening.type == "th_open" and not inline.content:
            opening.tag = closing.tag = "td"


def anchor_of(heading: str) -> str:
    """The heading's anchor as GitHub makes it: `The way of a push` is the-way-of-a-push."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def relink(tokens: list[Token], address: Callable[[str], str]) -> None:
    """Each link and picture leads where `address` says; one that leads nowhere becomes plain text."""
    for token in tokens:
        children = token.children or []
        is_kept: list[bool] = []  # for each open link: links do not nest in Markdown, images in them may
        for child in children:
            if child.type == "link_open":
                href = address(str(child.attrs["href"]))
                is_kept.append(bool(href))
                child.attrSet("href", href)
                if href.startswith("http"):
                    child.attrSet("rel", "noopener")
            elif child.type == "image":
                child.attrSet("src", address(str(child.attrs["src"])))
                child.attrSet("loading", "lazy")
            if child.type in ("link_open", "link_close"):
                child.hidden = not is_kept[-1]
            if child.type == "link_close":
                is_kept.pop()
        token.children = [child for child in children if not child.hidden] if token.children is not None else None


def render(tokens: list[Token]) -> str:
    return "".join(_pieces(tokens))


def _pieces(tokens: list[Token]) -> Iterator[str]:
    for at, token in enumerate(tokens):
        if token.type in _WIDE:
            yield _WIDE[token.type]
        elif token.type in ("code_block", "fence"):
            yield _renderer.render([token], _markdown.options, {}).replace("<pre>", '<pre tabindex="0">')
        elif token.type == "inline":
            yield _renderer.render([token], _markdown.options, {})
        else:
            yield _renderer.renderToken(tokens, at, _markdown.options, {})


def text_of(inline: Token) -> str:
    """The words of the text, without the marks around them."""
    said = {"softbreak": " ", "hardbreak": " "}
    return "".join(said.get(child.type, child.content) for child in inline.children or [])


def headings(tokens: list[Token]) -> list[tuple[str, str, str]]:
    """[(h2, anchor, text)]."""
    return [
        (token.tag, str(token.attrs["id"]), text_of(inline))
        for token, inline in pairwise(tokens)
        if token.type == "heading_open"
    ]


def passages(tokens: list[Token]) -> Iterator[tuple[str, str, str]]:
    """(heading, its anchor, text) of each paragraph, listing and row of a table; the title is not a heading."""
    heading, anchor, is_heading = "", "", False
    row: list[str] | None = None
    for token in tokens:
        if token.type == "heading_open":
            is_heading, anchor = True, "" if token.tag == "h1" else str(token.attrs["id"])
        elif token.type == "inline" and is_heading:
            heading, is_heading = text_of(token) if anchor else "", False
        elif token.type == "tr_open":
            row = []
        elif token.type == "tr_close" and row is not None:
            yield heading, anchor, " · ".join(filter(None, row))
            row = None
        elif token.type == "inline" and row is not None:
            row.append(text_of(token))
        elif token.type == "inline":
            yield heading, anchor, text_of(token)
        elif token.type in ("code_block", "fence"):
            yield heading, anchor, " ".join(token.content.split())


def listed(inline: Token) -> tuple[str, list[tuple[str, str]]]:
    """A paragraph that lists links behind a colon, as (its text before the colon, [(address, text)])."""
    links: list[tuple[str, str]] = []
    href = ""
    for child in inline.children or []:
        if child.type == "link_open":
            href = str(child.attrs["href"])
        elif child.type == "link_close":
            href = ""
        elif href:
            links.append((href, child.content))
    return re.split("[:\N{FULLWIDTH COLON}]", text_of(inline), maxsplit=1)[0], links
