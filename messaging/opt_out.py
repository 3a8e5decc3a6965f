"""Whether a reply asks us to stop: the whole of it is one of the words that the settings list by language."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple

LAST_LATIN = "\u024f"
MAX_LENGTH = 60  # characters; who writes more than that says something


class OptOut(NamedTuple):
    word: str  # as the settings have it
    language: str


def opt_out_in(content: str, words: Mapping[str, Sequence[str]]) -> OptOut | None:
    """“Stop.”, “ STOP STOP ” and “ｓｔｏｐ！” are STOP; “don't stop” is not."""
    if len(content) > MAX_LENGTH:
        return None
    said = _plain(content)
    if not said:
        return None
    for language, known in words.items():
        for word in known:
            if said in (plain := _plain(word), f"{plain} {plain}"):
                return OptOut(word, language)
    return None


def _plain(text: str) -> str:
    """Letters and digits in one case with single spaces between; the accents of Latin letters are left out."""
    kept, base = [], " "
    for character in unicodedata.normalize("NFKD", text).casefold():
        if unicodedata.category(character) in ("Mn", "Mc"):
            # In scripts that spell with marks they are letters.
            kept.append("" if base < LAST_LATIN else character)
            continue
        base = character
        kept.append(character if character.isalnum() else " ")
    return " ".join("".join(kept).split())
