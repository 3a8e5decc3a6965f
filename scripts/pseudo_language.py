"""A language for tests: every text accented and two fifths longer, which shows texts that are untranslated or too wide.
scripts/pseudo_language.py FOLDER writes the catalogue en_XA."""

import re
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE = Path(__file__).resolve().parent.parent / "laaffic_console" / "locale"
KEPT = re.compile(r"(%\(\w+\)[sdf]|%%|%[sd]|\{\{?\w+\}?\}|</?\w+[^>]*>|&\w+;|\n)")
ACCENTED = str.maketrans("aceiouynACEIOUYN", "åçéîöûýñÅÇÉÎÖÛÝÑ")
LONGER = 0.4


def said(text: str) -> str:
    if not text.strip():
        return text
    accented = "".join(part if KEPT.fullmatch(part) else part.translate(ACCENTED) for part in KEPT.split(text))
    if "," in text and " " not in text:
        return accented  # "on,off" of a filter: keeps its number of words
    return accented + padding(max(1, round(len(text) * LONGER)))


def padding(length: int) -> str:
    """Text of this length, in words of a usual length, between which a line can break."""
    return ("~~~~~~ " * (length // 7 + 1))[:length].rstrip()


def catalogue(source: Path) -> Catalog:
    with source.open("rb") as file:
        texts = read_po(file)
    made = Catalog(locale="en")
    for message in texts:
        if message.id:
            forms = message.id if isinstance(message.id, str) else tuple(message.id)
            made.add(forms, said(forms) if isinstance(forms, str) else tuple(map(said, forms)), context=message.context)
    return made


def write(folder: Path) -> Path:
    """Write the catalogue; its folder, for LOCALE_PATHS."""
    target = folder / "en_XA" / "LC_MESSAGES" / "django.mo"
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        write_mo(file, catalogue(LOCALE / "zh_Hans" / "LC_MESSAGES" / "django.po"))
    return folder


if __name__ == "__main__":
    print(write(Path(sys.argv[1])))
