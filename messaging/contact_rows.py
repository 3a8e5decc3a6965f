"""What a row of a contact file means: one set of rules for the preview, import-export and the fast route."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from messaging import msisdn

# Field → the header spellings people use, lower case and without separators.
SPELLINGS = {
    field: frozenset(words.split())
    for field, words in {
        "number": (
            "number phone phonenumber phoneno phone1 mobile mobilenumber mobilephone mobileno msisdn tel telephone "
            "telefon telefono teléfono cell cellphone handy handynummer numero número telefone celular rufnummer "
            "手机 手机号 手机号码 电话 电话号码 号码 whatsapp contactnumber to recipient"
        ),
        "name": "name fullname contact contactname customer customername 姓名 名字 名称 nombre nom",
        "first_name": "firstname givenname forename vorname prénom prenom",
        "last_name": "lastname surname familyname nachname apellido",
        "email": "email mail emailaddress emailadresse correo 邮箱 电子邮件 邮件",
        "language": "language lang locale sprache idioma langue 语言",
    }.items()
}
FIXED_FIELDS = ("number", "name", "first_name", "last_name", "email", "language")
LENGTHS = {"name": 120, "email": 254, "language": 16}
MAX_ATTRIBUTE = 500
IGNORED = ""

_email = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


@dataclass(frozen=True, slots=True)
class CleanRow:
    """A contact as it will be stored; "" says nothing and erases nothing."""

    number: str
    validity: str
    country: str
    time_zones: str
    name: str
    email: str
    language: str
    attributes: dict[str, str]


class RowError(ValueError):
    """Why a row is not a contact: column, value and reason."""

    def __init__(self, column: str, value: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.value = value
        self.reason = reason


def guess_mapping(headers: Sequence[str]) -> dict[str, str]:
    """Header → field; what is no known field becomes an attribute, and each field is taken once."""
    mapping: dict[str, str] = {}
    for header in headers:
        field = _field_named(header)
        if field is None or field in mapping.values():
            slug = attribute_name(header)
            field = f"attributes.{slug}" if slug and f"attributes.{slug}" not in mapping.values() else IGNORED
        mapping[header] = field
    return mapping


def _field_named(header: str) -> str | None:
    plain = re.sub(r"[\s_\-./#:()]+", "", header).lower()
    return next((field for field, spellings in SPELLINGS.items() if plain in spellings), None)


def attribute_name(header: str) -> str:
    """A name that can stand in a merge field."""
    slug = re.sub(r"[^a-z0-9]+", "_", header.strip().lower()).strip("_")[:40]
    return f"_{slug}"[:40] if slug[:1].isdigit() else slug


class RowCleaner:
    """The rules, bound to one file's columns."""

    def __init__(self, headers: Sequence[str], mapping: Mapping[str, str], region: str | None) -> None:
        self.headers = list(headers)
        self.region = region or None
        wanted = [(index, mapping.get(header, IGNORED)) for index, header in enumerate(self.headers)]
        self.fixed = {field: index for index, field in wanted if field in FIXED_FIELDS}
        self.attributes = [
            (field.removeprefix("attributes."), index) for index, field in wanted if field.startswith("attributes.")
        ]
        if "number" not in self.fixed:
            raise RowError("", "", "No column holds the phone number. Say which one it is.")

    def clean(self, cells: Sequence[str]) -> CleanRow:
        if len(cells) > len(self.headers):
            extra = ", ".join(cells[len(self.headers) :])[:80]
            raise RowError("", extra, f"This row has {len(cells)} cells under {len(self.headers)} columns.")
        try:
            parsed = msisdn.parse(self._cell(cells, "number"), self.region)
        except msisdn.InvalidNumber as problem:
            raise RowError(self._header("number"), self._cell(cells, "number"), str(problem)) from None
        return CleanRow(
            number=parsed.number,
            validity="valid" if parsed.is_valid else "possible",
            country=parsed.country,
            time_zones=",".join(parsed.time_zones)[:300],
            name=self._text(cells, "name", self._name(cells)),
            email=self._email(cells),
            language=self._text(cells, "language", self._cell(cells, "language")),
            attributes=self._attributes(cells),
        )

    def _cell(self, cells: Sequence[str], field: str) -> str:
        index = self.fixed.get(field)
        return cells[index].strip() if index is not None and index < len(cells) else ""

    def _header(self, field: str) -> str:
        index = self.fixed.get(field)
        return self.headers[index] if index is not None else field

    def _name(self, cells: Sequence[str]) -> str:
        whole = self._cell(cells, "name")
        return whole or f"{self._cell(cells, 'first_name')} {self._cell(cells, 'last_name')}".strip()

    def _text(self, cells: Sequence[str], field: str, value: str) -> str:
        if len(value) > LENGTHS[field]:
            raise RowError(
                self._header(field), value[:80], f"{len(value)} characters; at most {LENGTHS[field]} are kept."
            )
        return value

    def _email(self, cells: Sequence[str]) -> str:
        value = self._text(cells, "email", self._cell(cells, "email"))
        if value and not _email.fullmatch(value):
            raise RowError(self._header("email"), value, "This is no email address. Correct it or leave it empty.")
        return value

    def _attributes(self, cells: Sequence[str]) -> dict[str, str]:
        found = {}
        for name, index in self.attributes:
            value = cells[index].strip() if index < len(cells) else ""
            if len(value) > MAX_ATTRIBUTE:
                raise RowError(
                    self.headers[index], value[:80], f"{len(value)} characters; at most {MAX_ATTRIBUTE} are kept."
                )
            if value:
                found[name] = value
        return found


def escape_formula(text: str) -> str:
    """A cell that a spreadsheet would run begins with a quotation mark instead."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
