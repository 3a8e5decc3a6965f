"""What a row of a contact file means: one set of rules for the preview, import-export and the fast route."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from django.conf.locale import LANG_INFO
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from laaffic_console.kit.files.exports import unescaped
from laaffic_console.kit.words.plain_text import composed, one_line
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import joined
from messaging import msisdn
from messaging.files.contact_headers import FIXED_FIELDS, IGNORED, attribute_name

LENGTHS = {"name": 120, "first_name": 60, "last_name": 59, "email": 254, "language": 16}
MAX_ATTRIBUTE = 500
# Addresses that Django's validator takes, in a tenth of its time; any other is asked of it.
_email = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@(?:[A-Za-z0-9]{1,63}\.)+[A-Za-z]{2,63}")
_wrapped = re.compile(r'="(.*)"', re.DOTALL)
_several = re.compile(r"\s*:::\s*")  # Google's mark between two values in a cell

# What programs write for nothing, and what a sheet shows where a formula has gone wrong.
_NULLS = (
    "null (null) <null> [null] nan -nan <na> nat none (none) nil undefined (undefined) (blank) n/a n/d #n/a #na #nv "
    "#n/v #ref! #value! #name? #div/0! #num! #null! #error! #spill! #calc! #field! #connect! #blocked! #unknown! "
    "#getting_data #wert! #bezug! #zahl! #valeur! #nom? #¡ref! #¡valor! #valor! #¿nombre?"
)
NULL_WORDS = frozenset(
    form
    for word in _NULLS.split()
    for form in (word, word.upper(), word.capitalize(), word.title(), word.replace("nan", "NaN"), "\\N")
)


def more_cells(width: int) -> str:
    said = _(
        "This row has more cells than the header's %(n)d. Put quotation marks around a cell that holds the character "
        "that divides columns."
    )
    return said % {"n": width}


class CleanRow(NamedTuple):
    """A contact as it will be stored; "" says nothing and erases nothing."""

    number: str
    validity: str
    name: str
    email: str
    country: str
    time_zones: str
    language: str
    attributes: dict[str, str]

    def ready(self) -> "ReadyRow":
        return (*self[:-1], as_json(self.attributes))

    @classmethod
    def of(cls, row: "ReadyRow") -> "CleanRow":
        return cls(*row[:-1], json.loads(row[-1]))


# The same as its columns hold it, attributes as JSON: what is compared, sent from process to process and written.
ReadyRow = tuple[str, str, str, str, str, str, str, str]
as_json = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class RowOptions:
    """What a person says about a file, because its rows cannot."""

    foreign_without_plus: bool = False  # numbers of other countries than the file's are there without +
    allow_unknown_ranges: bool = False  # numbers that no operator is known to have given out
    keep_null_words: bool = False  # somebody is really called Null


NO_OPTIONS = RowOptions()


class RowError(ValueError):
    """Why a row is not a contact: column, value and reason."""

    def __init__(self, column: str, value: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.value = value
        self.reason = reason

    @property
    def quoted(self) -> str:
        """The value, where the reason does not quote it already."""
        return "" if not self.value or f"“{self.value}”" in self.reason else self.value

    def __reduce__(self) -> tuple[type["RowError"], tuple[str, str, str]]:
        return RowError, (self.column, self.value, self.reason)


class RowCleaner:
    """The rules, bound to one file's columns."""

    def __init__(
        self,
        headers: Sequence[str],
        mapping: Mapping[str, str],
        region: str | None,
        options: RowOptions = NO_OPTIONS,
    ) -> None:
        self.options = options
        self.foreign_without_plus = options.foreign_without_plus
        self.headers = list(headers)
        self.width = len(self.headers)
        self.region = region or ""  # an import can be told one
        wanted = [(index, mapping.get(header, IGNORED)) for index, header in enumerate(self.headers)]
        self.fixed = {field: index for index, field in wanted if field in FIXED_FIELDS}
        self.limits = {field: (index, LENGTHS[field]) for field, index in self.fixed.items() if field in LENGTHS}
        self.name_parts = [field for field in ("first_name", "last_name") if field in self.fixed]
        self.numbers = [self.fixed.get("number", 0), *(index for index, field in wanted if field == "other_number")]
        self.attributes = [
            (field.removeprefix("attributes."), index) for index, field in wanted if field.startswith("attributes.")
        ]
        taken = {name for name, _ in self.attributes}
        others = [(attribute_name(self.headers[index], index), index) for index in self.numbers[1:]]
        self.attributes += [(name, index) for name, index in others if name not in taken]
        self.unknown_languages: Counter[str] = Counter()  # values that were left out
        if "number" not in self.fixed:
            raise RowError("", "", _("No column holds the phone number. Say which one it is."))
        counted = Counter(field for _, field in wanted if field not in (IGNORED, "other_number"))
        if twice := [field for field, count in counted.items() if count > 1]:
            said = _("Two columns are both “%(field)s”. Leave one of them out.") % {"field": twice[0]}
            raise RowError("", "", said)

    def clean(self, cells: Sequence[str]) -> CleanRow:
        cells = self._fitted(cells)
        number, country, time_zones, is_valid = self._number(cells)
        return CleanRow(
            number,
            "valid" if is_valid else "possible",
            self._name(cells),
            self._email(cells),
            country,
            ",".join(time_zones),
            self._language(cells),
            self._attributes(cells),
        )

    def _number(self, cells: Sequence[str]) -> msisdn.Msisdn:
        index = self.numbers[0]
        if not (text := cells[index]):
            index = self._index_of_number(cells)
            text = cells[index]
        if ":::" in text:
            text = _several.split(text)[0]
        try:
            parsed = msisdn.parse(text, self.region, foreign_without_plus=self.foreign_without_plus)
        except msisdn.InvalidNumber as problem:
            raise self._error(index, cells, str(problem)) from None
        if not parsed.is_valid and not self.options.allow_unknown_ranges:
            said = _(
                "+%(number)s is in no known range: it is not known to be in use. Correct its digits, or choose to "
                "take numbers in no known range."
            )
            said %= {"number": parsed.number}
            if not self.region and not text.lstrip().startswith(("+", "00")):  # 13800138000 is read as +1 380 …
                said = joined([said, _("If it is a national number, choose its country.")])
            raise self._error(index, cells, said)
        return parsed

    def _index_of_number(self, cells: Sequence[str]) -> int:
        """The column of the number that stands in where the usual one is empty."""
        return next((index for index in self.numbers[1:] if cells[index]), self.numbers[0])

    def _fitted(self, cells: Sequence[str]) -> list[str]:
        """The row's cells, stripped, as many as the header has; RowError if a cell beyond these is filled."""
        if len(cells) > self.width and (extra := [cell for cell in cells[self.width :] if cell.strip()]):
            raise RowError("", ", ".join(extra)[:80], more_cells(self.width))
        together = "".join(cells)
        if not together.isascii():
            cells = [composed(cell) for cell in cells]
        if together.isprintable() and "'" not in together and "=" not in together:
            plain = [cell.strip() for cell in cells[: self.width]]  # as most rows are
        else:
            plain = [_plain_cell(cell.strip()) for cell in cells[: self.width]]
        if not self.options.keep_null_words and not NULL_WORDS.isdisjoint(plain):
            plain = ["" if cell in NULL_WORDS else cell for cell in plain]
        return plain if len(plain) == self.width else plain + [""] * (self.width - len(plain))

    def _error(self, index: int, cells: Sequence[str], reason: str) -> RowError:
        return RowError(self.headers[index], cells[index][:80], reason)

    def _text(self, field: str, cells: Sequence[str]) -> str:
        if field not in self.limits:
            return ""
        index, limit = self.limits[field]
        if len(cell := cells[index]) > limit:
            raise self._error(index, cells, _too_long(cell, limit))
        return cell

    def _name(self, cells: Sequence[str]) -> str:
        if whole := self._text("name", cells):
            return whole
        if not self.name_parts:
            return ""
        parts = [self._text(field, cells) for field in self.name_parts]
        return " ".join(part for part in parts if part)

    def _email(self, cells: Sequence[str]) -> str:
        value = self._text("email", cells)
        if ":::" in value:
            value = _several.split(value)[0]
        if value and not _email.fullmatch(value):
            try:
                validate_email(value)
            except ValidationError:
                said = _("This is not an email address. Correct it or leave it empty.")
                raise self._error(self.fixed["email"], cells, said) from None
        return value

    def _language(self, cells: Sequence[str]) -> str:
        """A language costs no contact: one that nobody knows is left out, and counted."""
        index = self.fixed.get("language")
        if index is None or not cells[index]:
            return ""
        said = cells[index]
        code = _language_code(said) or (said if len(said) <= LENGTHS["language"] else "")
        if not code:
            self.unknown_languages[said[:80]] += 1
        return code

    def _attributes(self, cells: Sequence[str]) -> dict[str, str]:
        found = {}
        for name, index in self.attributes:
            if cell := cells[index]:
                if len(cell) > MAX_ATTRIBUTE:
                    raise self._error(index, cells, _too_long(cell, MAX_ATTRIBUTE))
                found[name] = cell
        if first := self._first_name(cells):
            found["first_name"] = first
        return found

    def _first_name(self, cells: Sequence[str]) -> str:
        """A first name of its own column, where it is more than the first word of the name."""
        index = self.fixed.get("first_name")
        if index is None or not cells[index]:
            return ""
        words = self._name(cells).split(maxsplit=1)
        return cells[index] if cells[index] != words[0] else ""


def _plain_cell(cell: str) -> str:
    """Without line breaks, and as it was before it was made safe, with ', or wrapped, with =, for a spreadsheet."""
    if "'" in cell and (bare := unescaped(cell)) != cell:
        return bare[0] + one_line(bare[1:])
    if not cell.isprintable():
        cell = one_line(cell)
    if cell[:2] == '="' and (wrapped := _wrapped.fullmatch(cell)):
        return wrapped[1].replace('""', '"').strip()
    return cell


def language(said: str) -> str:
    """The language code to store: `en` for “English”, so that conditions find it; unknown words stay unchanged."""
    return _language_code(said) or said


@lru_cache(maxsize=1000)
def _language_code(said: str) -> str:
    """`pt-br` for “Portuguese (Brazil)”, `Brazilian Portuguese` and `pt_BR`; "" for what nobody calls a language."""
    plain = said.strip().lower().replace("_", "-")
    if plain in LANG_INFO:
        return said if len(said) <= LENGTHS["language"] else plain
    return _language_names().get(re.sub(r"[\s()\-]+", " ", plain).strip(), "")


@lru_cache(maxsize=1)
def _language_names() -> dict[str, str]:
    named = {
        name.lower(): code
        for code, known in LANG_INFO.items()
        if "name" in known
        for name in (str(known["name"]), str(known["name_local"]))
    }
    return named | {
        "portuguese brazil": "pt-br", "português brasil": "pt-br", "português do brasil": "pt-br",
        "portuguese portugal": "pt", "portuguese": "pt", "english us": "en", "english united states": "en",
        "english united kingdom": "en-gb", "english uk": "en-gb", "english gb": "en-gb", "english australia": "en-au",
        "spanish mexico": "es-mx", "spanish argentina": "es-ar", "spanish colombia": "es-co", "spanish spain": "es",
        "spanish latin america": "es-mx", "chinese": "zh-hans", "chinese simplified": "zh-hans",
        "chinese traditional": "zh-hant", "mandarin": "zh-hans", "french france": "fr", "french canada": "fr",
        "german germany": "de", "norwegian": "nb", "serbian": "sr", "farsi": "fa",
    }  # fmt: skip


def _too_long(text: str, limit: int) -> str:
    return _("%(n)d characters; at most %(limit)d are kept. Shorten it.") % {"n": len(text), "limit": limit}
