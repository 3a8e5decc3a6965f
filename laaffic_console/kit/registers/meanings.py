"""What the words on the pages mean: each app registers its states, figures and codes when it is made ready.

A meaning is one sentence and the heading of docs/ that says more. `inline` draws the word as a button that shows it, by
mouse, keyboard or finger (static/console/meanings.js).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True)
class Meaning:
    says: Any  # translated when it is shown
    more: str  # a page of docs/ and a heading in it: "states#messages"

    @property
    def address(self) -> str:
        page, _hash, heading = self.more.partition("#")
        return f"{reverse('help_page', args=[page])}#{heading}"


_meanings: dict[str, dict[str, Meaning]] = {}


def register(kind: str, says: Mapping[str, Any], more: str) -> None:
    """`kind` is what the words are about: "message", "ledger", "figure" …"""
    _meanings.setdefault(kind, {}).update({str(word): Meaning(sentence, more) for word, sentence in says.items()})


def of(kind: str, word: object) -> Meaning | None:
    return _meanings.get(kind, {}).get(str(word))


def everything() -> dict[str, dict[str, Meaning]]:
    return {kind: dict(words) for kind, words in _meanings.items()}


def inline(kind: str, word: object, shown: Any) -> SafeString:
    """`shown`, and its meaning for the reader; a word that nobody explains stays plain. Not to be in a link."""
    meaning = of(kind, word)
    return conditional_escape(shown) if meaning is None else _button(meaning, shown)


def beside(kind: str, word: object, named: Any) -> SafeString | str:
    """A question mark behind a word that is a link itself."""
    meaning = of(kind, word)
    if meaning is None:
        return ""
    name = _("What “%(word)s” means") % {"word": named}
    return _button(meaning, format_html('<span aria-hidden="true">?</span><span class="c-hidden">{}</span>', name))


def _button(meaning: Meaning, shown: Any) -> SafeString:
    return format_html(
        '<button type="button" class="c-means" aria-expanded="false" data-means="{}" data-more="{}">{}</button>',
        meaning.says,
        meaning.address,
        shown,
    )
