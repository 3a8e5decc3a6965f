"""Sentences that a worker writes down and people read: kept as words with their values, said in the reader's language.

`gettext` and `ngettext` of this module give a text like Django's, which remembers its words, and what `%` has put into
them. A SaidField keeps both, as JSON behind a mark, and says them again whenever a row is read. What is added otherwise
(`+`, an f-string) forgets the words, and is kept as it reads; so is what carries no words, such as a person's reason.
Whole numbers are in it as its reader writes them, unless they name something.

Evidence, codes and whatever scripts tally stay English in their columns: kit/words/stored_words.py.
"""

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from django.db import models
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.functional import Promise

from laaffic_console.kit.words.figures import number

if TYPE_CHECKING:
    Text = models.TextField[str, str]
    Line = models.CharField[str, str]
else:
    Text = models.TextField
    Line = models.CharField

MARK = "\x1e"  # in no text: the admin's forms refuse it, and a plain text loses it when it is kept
_figures = re.compile(r"\d+")
_LIMITS = frozenset(("least", "most", "limit"))  # values that are the same whatever was written
_NAMING = frozenset(("id", "pk", "code", "version", "row", "line", "task", "campaign", "detail"))  # though of digits
Plain: TypeAlias = "dict[str, Any]"


class Said(str):
    """The text in the language of now; behind it the words and the values."""

    words: str
    values: dict[str, Any] | None
    plural: str
    n: int

    def __new__(cls, words: str, values: dict[str, Any] | None = None, plural: str = "", n: int = 0) -> Self:
        said = translation.ngettext(words, plural, n) if plural else translation.gettext(words) if words else ""
        if values is not None:
            shown = {name: _shown(name, value) for name, value in values.items()}
            said = _fitting(said, shown) % shown
        made = super().__new__(cls, said)
        made.words, made.values, made.plural, made.n = words, values, plural, n
        return made

    def __getnewargs__(self) -> tuple[Any, ...]:
        """The arguments by which a copy, or what is unpickled, is worded again."""
        return self.words, self.values, self.plural, self.n

    def __str__(self) -> str:
        """Itself, so that an exception that carries it still does."""
        return self

    def __mod__(self, values: Any) -> str:
        if not isinstance(values, dict):
            return str.__mod__(self, values)
        return Said(self.words, {name: lasting(value) for name, value in values.items()}, self.plural, self.n)

    def plainly(self) -> Plain:
        found: Plain = {"says": self.words}
        if self.values is not None:
            found["with"] = {name: _plain(value) for name, value in self.values.items()}
        if self.plural:
            found |= {"plural": self.plural, "n": self.n}
        return found

    def without_figures(self) -> "Said":
        """The same sentence whatever its figures were: "… digits; a number has 7 to 15"."""
        values = (self.values or {}).items()
        blank = {name: value if name in _LIMITS else _without_figures(value) for name, value in values}
        return Said(self.words, blank if self.values is not None else None, self.plural)


def gettext(words: str) -> str:
    return Said(words)


def ngettext(one: str, many: str, n: int) -> str:
    return Said(one, plural=many, n=n)


def joined(parts: Iterable[str], between: str = " ") -> Said:
    """Sentences that follow each other, each with its own words."""
    named = {f"part{i}": lasting(part) for i, part in enumerate(parts)}
    return Said(between.join(f"%({name})s" for name in named), named)


def parts_of(text: str) -> "list[Said]":
    """The sentences that `joined` has put together; one that stands alone is its own part."""
    if not isinstance(text, Said):
        return []
    return [text, *(value for value in (text.values or {}).values() if isinstance(value, Said))]


def shaped(shape: str, **values: Any) -> Said:
    """A name made of parts, some of them words: "9198… (Email)". The shape itself is the same in every language."""
    return Said(shape, {name: lasting(value) for name, value in values.items()})


def with_words(codes: Sequence[str], labels: Mapping[str, Any]) -> Said:
    """Codes that scripts know them by, each with what it means: "read (Read), send (Send messages)"."""
    words = {f"{n}": labels[code] for n, code in enumerate(codes) if code in labels}
    parts = (f"{code} (%({n})s)" if f"{n}" in words else code.replace("%", "%%") for n, code in enumerate(codes))
    return shaped(", ".join(parts), **words)


def kept(text: str) -> str:
    """The text as a column or a file keeps it."""
    if isinstance(text, Said):
        return MARK + json.dumps(text.plainly(), ensure_ascii=False)
    return text.replace(MARK, "")


def read(held: str) -> str:
    """The text that `kept` wrote, in the current language."""
    return _read(json.loads(held[1:])) if held.startswith(MARK) else held


def read_all(held: Any) -> Any:
    """The texts in what JSON holds, each as `read` gives it."""
    if isinstance(held, dict):
        return {name: read_all(part) for name, part in held.items()}
    if isinstance(held, list):
        return [read_all(part) for part in held]
    return read(held) if isinstance(held, str) else held


def in_english(text: str) -> str:
    """The text in English, for what compares or tallies it, in whatever language it was written."""
    if not isinstance(text, Said):
        return text
    with translation.override("en"):
        return str.__str__(read(kept(text)))


class SaidField(Text):
    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs

    def get_prep_value(self, value: Any) -> Any:
        return kept(value) if isinstance(value, str) else super().get_prep_value(value)

    def from_db_value(self, value: Any, *_about: Any) -> Any:
        return read(value) if isinstance(value, str) else value


class SaidLine(Line):
    """A name of at most so many characters: one whose words do not fit is kept as it reads."""

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

    def get_prep_value(self, value: Any) -> Any:
        if not isinstance(value, str):
            return super().get_prep_value(value)
        held = kept(value)
        return held if len(held) <= (self.max_length or 0) else str.__str__(value).replace(MARK, "")[: self.max_length]

    def from_db_value(self, value: Any, *_about: Any) -> Any:
        return read(value) if isinstance(value, str) else value


def _read(plain: Plain) -> Said:
    values = plain.get("with")
    back = None if values is None else {name: _back(value) for name, value in values.items()}
    return Said(plain["says"], back, plain.get("plural", ""), plain.get("n", 0))


def lasting(value: Any) -> Any:
    """A lazy text, such as the label of a choice or a field, as its English words; any other value as it is."""
    if not isinstance(value, Promise):
        return value
    with translation.override("en"):
        words = str(value)
    return Said(words)


def _without_figures(value: Any) -> str:
    return value.without_figures() if isinstance(value, Said) else _figures.sub("…", str(value))


def _fitting(said: str, values: dict[str, Any]) -> str:
    """The words with %s for each %d in whose place no number is to be."""
    for name, value in values.items():
        if isinstance(value, str):
            said = said.replace(f"%({name})d", f"%({name})s")
    return said


def _shown(name: str, value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool) and name not in _NAMING:
        return number(value)
    if isinstance(value, dt.datetime):
        return date_format(timezone.localtime(value), "DATETIME_FORMAT")
    if isinstance(value, dt.date):
        return date_format(value, "DATE_FORMAT")
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Said):
        return value.plainly()
    if isinstance(value, dt.datetime):
        return {"at": value.isoformat()}
    if isinstance(value, dt.date):
        return {"on": value.isoformat()}
    return value if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _back(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if "on" in value:
        return dt.date.fromisoformat(value["on"])
    return dt.datetime.fromisoformat(value["at"]) if "at" in value else _read(value)
