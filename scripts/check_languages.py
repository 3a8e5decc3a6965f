"""`make check`: every text is marked, gathered and translated, and no translation has lost a part of its text.

Needs no gettext. Catalogues are read with babel, which the console uses anyway; texts are found in the sources.
"""

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from gettext import GNUTranslations
from html.parser import HTMLParser
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ["messaging", "voice", "numbers", "laaffic_console"]
LOCALE = ROOT / "laaffic_console" / "locale"
# A gateway for developers, which is in English only.
NOT_FOR_OPERATORS = ("laaffic_console/sandbox/", "laaffic_console/rehearsal/")

READ_ALOUD = {"title", "alt", "placeholder", "aria-label", "aria-description", "label"}
BLOCK = re.compile(r"{%\s*blocktrans(?:late)?\b(.*?)%}(.*?){%\s*endblocktrans\w*\s*%}", re.DOTALL)
COMMENT = re.compile(r"{%\s*comment.*?{%\s*endcomment\s*%}|{#.*?#}", re.DOTALL)
TAG = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
ICON = re.compile(r'<span class="[^"]*material-symbols-outlined[^"]*"[^>]*>.*?</span>', re.DOTALL)
# Attributes that hold no text for people, also in a template that is a part of a tag (console/live.html).
ASKING = re.compile(r'\bhx-[\w-]+="[^"]*"|\bdata-[\w-]+="\s*"|\bdata-quiet\b')
WORD = re.compile(r"[A-Za-z]{2,}")
# Names and units that are the same in every language.
SAME_EVERYWHERE = {
    "GSM",
    "UCS",
    "MB",
    "KB",
    "SMS",
    "MMS",
    "AXB",
    "CSV",
    "XLSX",
    "ms",
    "Laaffic",
    "UTC",
    "MP3",
    "WAV",
    "Ctrl",
    "Enter",
}
SAME_EVERYWHERE |= {"bindId", "SHA"}

SENTENCE = re.compile(r"""["'`]([A-Z][a-z]+(?: [a-z“”’'{}]+)+[^"'`]*)["'`]""")
HOLDS_DEFAULTS = re.compile(r"\bdata(?:set|-\w+)?\b.*\|\|")

PLACES = re.compile(r"%\(\w+\)[sdf]|%[sd]|{{?\w+}?}|</?\w+[^>]*>")
MARKERS = {
    "gettext": (0,),
    "gettext_lazy": (0,),
    "gettext_noop": (0,),
    "_": (0,),
    "ngettext": (0, 1),
    "ngettext_lazy": (0, 1),
    "pgettext": (1,),
    "pgettext_lazy": (1,),
}


def main() -> int:
    found = list(problems())
    for problem in found:
        print(problem)
    return 1 if found else 0


def problems() -> Iterator[str]:
    for path in templates():
        yield from (f"{_name(path)}: not marked: {text}" for text in unmarked(path.read_text()))
    for path in scripts():
        yield from (f"{_name(path)}: not marked: {text}" for text in unmarked_in_script(path.read_text()))
    for path in sources():
        tree = ast.parse(path.read_text())
        yield from (f"{_name(path)}:{line}: cannot be gathered inside an f-string" for line in hidden(tree))
    for catalogue in sorted(LOCALE.rglob("*.po")):
        yield from (f"{_name(catalogue)}: {problem}" for problem in problems_of(read(catalogue)))
        if catalogue.parent.parent.parent == LOCALE:
            changed = sorted(gathered() ^ ids_of(read(catalogue)))
            yield from (f"{_name(catalogue)}: run make messages: {text}" for text in changed)
        if not is_compiled(catalogue):
            yield f"{_name(catalogue)}: run make messages: its .mo is another"


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _files(ending: str) -> list[Path]:
    found = (path for folder in FOLDERS for path in (ROOT / folder).rglob(f"*{ending}"))
    return sorted(path for path in found if not _name(path).startswith(NOT_FOR_OPERATORS))


def templates() -> list[Path]:
    return _files(".html")


def scripts() -> list[Path]:
    return [path for path in _files(".js") if "vendor" not in path.parts]


def sources() -> list[Path]:
    return [path for path in _files(".py") if "migrations" not in path.parts]


# Texts that are not marked


def unmarked(template: str) -> list[str]:
    plain = ASKING.sub(" ", TAG.sub(" ", ICON.sub(" ", BLOCK.sub(" ", COMMENT.sub(" ", template)))))
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
            yield value.strip()


def unmarked_in_script(script: str) -> list[str]:
    """Sentences that no page replaces: a text after `dataset.x ||` is only a default."""
    said = (
        line for line in script.splitlines() if not line.lstrip().startswith("//") and not HOLDS_DEFAULTS.search(line)
    )
    return [text for line in said for text in SENTENCE.findall(line)]


# Texts that are not gathered


def gathered() -> set[str]:
    """The texts that the sources mark."""
    in_python = (text for path in sources() for text in marked(ast.parse(path.read_text())))
    in_templates = (text for path in templates() for text in marked_in_template(path.read_text()))
    return {*in_python, *in_templates}


def marked(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (places := MARKERS.get(_called(node))):
            for place in places:
                argument = node.args[place] if len(node.args) > place else None
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and argument.value:
                    yield argument.value


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


TRANSLATED = re.compile(r"""{%\s*trans(?:late)?\s+(?:"([^"]*)"|'([^']*)')""")
WITHIN = re.compile(r"""_\((?:"([^"]*)"|'([^']*)')\)""")
PLURAL = re.compile(r"{%\s*plural\s*%}")
PLACE = re.compile(r"{{\s*(\w+)\s*}}")


def marked_in_template(template: str) -> Iterator[str]:
    template = COMMENT.sub(" ", template)
    for double, single in TRANSLATED.findall(template) + WITHIN.findall(template):
        yield double or single
    for options, inside in BLOCK.findall(template):
        for text in PLURAL.split(inside):
            lines = [line.strip() for line in text.splitlines()]
            said = " ".join(line for line in lines if line) if "trimmed" in options else text
            yield PLACE.sub(r"%(\1)s", said.replace("%", "%%"))


def hidden(tree: ast.AST) -> Iterator[int]:
    """Lines of texts inside f-strings, where xgettext does not look."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield from (node.lineno for _text in marked(node))


# Texts that are not translated


def read(catalogue: Path) -> Catalog:
    with catalogue.open("rb") as file:
        return read_po(file)


def ids_of(catalogue: Catalog) -> set[str]:
    return {text for message in catalogue if message.id for text in _ids(message)}


def is_compiled(catalogue: Path) -> bool:
    """Whether the compiled catalogue, which the console reads, has the translator's texts."""
    with catalogue.with_suffix(".mo").open("rb") as file:
        compiled = GNUTranslations(file)
    return all(_compiled(compiled, message) == _first(message) for message in read(catalogue) if message.id)


def _compiled(compiled: GNUTranslations, message: Message) -> str:
    one, *many = _ids(message)
    if message.context:
        return compiled.npgettext(message.context, one, many[0], 2) if many else compiled.pgettext(message.context, one)
    return compiled.ngettext(one, many[0], 2) if many else compiled.gettext(one)


def _first(message: Message) -> str:
    """The form of a message that a language with a single form uses."""
    return _said(message)[-1]


def problems_of(catalogue: Catalog) -> Iterator[str]:
    for message in catalogue:
        if not message.id:
            continue
        said = _said(message)
        first = _ids(message)[0]
        if not all(said):
            yield f"not translated: {first}"
        elif message.fuzzy:
            yield f"fuzzy: {first}"
        else:
            yield from (
                f"lost or invented {', '.join(lost)}: {first}" for each in said if (lost := _lost(message, each))
            )


def _ids(message: Message) -> list[str]:
    return _all(message.id)


def _said(message: Message) -> list[str]:
    return _all(message.string)


def _all(forms: str | Sequence[str] | None) -> list[str]:
    return [forms] if isinstance(forms, str) else list(forms or [])


def _lost(message: Message, said: str) -> list[str]:
    """Placeholders and tags that only one of the two texts has; a plural may leave out its number."""
    wanted = [set(PLACES.findall(text)) for text in _ids(message)]
    have = set(PLACES.findall(said))
    return sorted(set.intersection(*wanted) - have | have - set.union(*wanted))


if __name__ == "__main__":
    sys.exit(main())
