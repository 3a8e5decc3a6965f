"""What a row of a contact file means: one set of rules for the preview, import-export and the fast route."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from messaging import msisdn
from messaging.merge_fields import BUILT_IN

# Field → the header spellings people use: lower case, without accents and separators.
SPELLINGS = {
    field: frozenset(words.split())
    for field, words in {
        "number": (
            "number phone phonenumber phoneno phonenr phone1 phonemobile mobile mobilenumber mobilephone mobileno "
            "msisdn tel telno telephone telephonenumber telefon telefonnummer telefono telefone telefoon "
            "numerodetelephone cell cellphone cellnumber cellular celular handy handynummer mobil mobilnummer "
            "mobiltelefon rufnummer portable numero gsm movil whatsapp whatsappnumber contactnumber contactno "
            "recipient destination to 手机 手机号 手机号码 移动电话 "
            "电话 电话号 电话号码 联系电话 号码 手機 手機號碼 "
            "電話 携帯電話 電話番号 전화번호 телефон"
        ),
        "name": (
            "name fullname contact contactname customer customername displayname nombrecompleto nomcomplet "
            "姓名 名字 名称 氏名 имя фио"
        ),
        "first_name": "firstname first givenname forename vorname prenom nombre nome 名",
        "last_name": "lastname last surname familyname nachname apellido apellidos nom sobrenome 姓",
        "email": "email mail emailaddress emailadresse correo correoelectronico courriel 邮箱 电子邮件 邮件 邮箱地址",
        "language": "language lang locale sprache idioma langue 语言 言語",
    }.items()
}
# What the console itself works out and writes into its exports; read again, it is nobody's attribute.
EXPORTED_ONLY = frozenset({"country", "validity", "time_zones", "source", "created_at", "attributes", "groups"})
FIXED_FIELDS = ("number", "name", "first_name", "last_name", "email", "language")
LENGTHS = {"name": 120, "first_name": 60, "last_name": 59, "email": 254, "language": 16}
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
    ours = set(headers) >= EXPORTED_ONLY
    mapping: dict[str, str] = {}
    for index, header in enumerate(headers):
        field = _field_named(header)
        if field is None or field in mapping.values():
            slug = attribute_name(header, index)
            field = f"attributes.{slug}" if f"attributes.{slug}" not in mapping.values() else IGNORED
        mapping[header] = IGNORED if ours and header in EXPORTED_ONLY else field
    return _with_a_whole_name(mapping)


def _with_a_whole_name(mapping: dict[str, str]) -> dict[str, str]:
    """A lone `nombre` or `nom` is the whole name."""
    parts = [header for header, field in mapping.items() if field in ("first_name", "last_name")]
    if len(parts) == 1 and "name" not in mapping.values():
        mapping[parts[0]] = "name"
    return mapping


def _field_named(header: str) -> str | None:
    plain = re.sub(r"[\s_\-./#:()*]+", "", _without_accents(header)).lower()
    return next((field for field, spellings in SPELLINGS.items() if plain in spellings), None)


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFKD", text)
    plain = "".join(character for character in apart if not unicodedata.combining(character))
    return unicodedata.normalize("NFKC", plain)


def attribute_name(header: str, index: int) -> str:
    """A name that can stand in a merge field; a header without a Latin letter is known by its place."""
    plain = _without_accents(header).strip().lower().replace("ß", "ss")
    slug = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:38] or f"column_{index + 1}"
    if slug in BUILT_IN:
        return f"{slug}_2"  # {{country}} is the number's own
    return f"_{slug}" if slug[0].isdigit() else slug


class RowCleaner:
    """The rules, bound to one file's columns."""

    def __init__(self, headers: Sequence[str], mapping: Mapping[str, str], region: str | None) -> None:
        self.headers = list(headers)
        self.width = len(self.headers)
        self.region = region or None
        wanted = [(index, mapping.get(header, IGNORED)) for index, header in enumerate(self.headers)]
        self.fixed = {field: index for index, field in wanted if field in FIXED_FIELDS}
        self.attributes = [
            (field.removeprefix("attributes."), index) for index, field in wanted if field.startswith("attributes.")
        ]
        if "number" not in self.fixed:
            raise RowError("", "", _("No column holds the phone number. Say which one it is."))
        if twice := [field for field, count in Counter(field for _, field in wanted if field).items() if count > 1]:
            said = _("Two columns are both “%(field)s”. Leave one of them out.") % {"field": twice[0]}
            raise RowError("", "", said)

    def clean(self, cells: Sequence[str]) -> CleanRow:
        cells = self._fitted(cells)
        try:
            parsed = msisdn.parse(cells[self.fixed["number"]], self.region)
        except msisdn.InvalidNumber as problem:
            raise self._error("number", cells, str(problem)) from None
        return CleanRow(
            number=parsed.number,
            validity="valid" if parsed.is_valid else "possible",
            country=parsed.country,
            time_zones=",".join(parsed.time_zones),
            name=self._name(cells),
            email=self._email(cells),
            language=self._text("language", cells),
            attributes=self._attributes(cells),
        )

    def _fitted(self, cells: Sequence[str]) -> list[str]:
        """As many cells as the header has, each without what surrounds its text."""
        if len(cells) > self.width and (extra := [cell for cell in cells[self.width :] if cell.strip()]):
            said = _(
                "This row has more cells than the header's %(n)d. Put quotation marks around a cell that holds the "
                "character that divides columns."
            )
            raise RowError("", ", ".join(extra)[:80], said % {"n": self.width})
        plain = [_unescaped(cell.strip()) if cell[:1] == "'" else cell.strip() for cell in cells[: self.width]]
        return plain if len(plain) == self.width else plain + [""] * (self.width - len(plain))

    def _error(self, field: str, cells: Sequence[str], reason: str) -> RowError:
        index = self.fixed[field]
        return RowError(self.headers[index], cells[index][:80], reason)

    def _text(self, field: str, cells: Sequence[str]) -> str:
        index = self.fixed.get(field)
        if index is None:
            return ""
        if len(cells[index]) > LENGTHS[field]:
            raise self._error(field, cells, _too_long(cells[index], LENGTHS[field]))
        return cells[index]

    def _name(self, cells: Sequence[str]) -> str:
        if whole := self._text("name", cells):
            return whole
        parts = [self._text(field, cells) for field in ("first_name", "last_name") if field in self.fixed]
        return " ".join(part for part in parts if part)

    def _email(self, cells: Sequence[str]) -> str:
        value = self._text("email", cells)
        if value and not _email.fullmatch(value):
            raise self._error("email", cells, _("This is no email address. Correct it or leave it empty."))
        return value

    def _attributes(self, cells: Sequence[str]) -> dict[str, str]:
        found = {name: cells[index] for name, index in self.attributes if cells[index]}
        for name, index in self.attributes:
            if len(cells[index]) > MAX_ATTRIBUTE:
                reason = _too_long(found[name], MAX_ATTRIBUTE)
                raise RowError(self.headers[index], cells[index][:80], reason)
        return found


def _too_long(text: str, limit: int) -> str:
    return _("%(n)d characters; at most %(limit)d are kept. Shorten it.") % {"n": len(text), "limit": limit}


_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def escape_formula(text: str) -> str:
    """A cell that a spreadsheet would run begins with a quotation mark instead."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _unescaped(text: str) -> str:
    """The cell as it was before it was escaped: an export that is read again changes nothing."""
    return text[1:] if text[1:].startswith(_FORMULA) else text
