"""What the headers of a contact file mean: which column is the number, which a name, which an attribute."""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext_lazy

from messaging.text.merge_fields import BUILT_IN, HAN, is_name

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
            "電話 携帯電話 電話番号 전화번호 телефон phonevalue mobilephonenumber cellphonenumber telephoneno "
            "phonenum mobilenum contactphone phonecell phonehome phonework phonemain celphone celularmovil "
            "telefonomovil telefonocelular telemovel numerodecelular 携帯 휴대폰 мобильный мобильныйтелефон"
        ),
        "name": (
            "name fullname contact contactname customer customername displayname nombrecompleto nomcomplet "
            "姓名 名字 名称 氏名 имя фио"
        ),
        "first_name": "firstname first fname givenname forename vorname prenom nombre nome 名",
        "last_name": "lastname last lname surname familyname nachname apellido apellidos nom sobrenome 姓",
        "email": (
            "email mail emailaddress emailadresse emailvalue correo correoelectronico courriel "
            "邮箱 电子邮件 邮件 邮箱地址"
        ),
        "language": "language lang locale sprache idioma langue 语言 言語",
    }.items()
}
# What the console itself works out and writes into its exports; read again, it is nobody's attribute.
EXPORTED_ONLY = frozenset({"country", "validity", "time_zones", "source", "created_at", "groups"})
EXPORTED_ONCE = EXPORTED_ONLY | {"attributes"}  # all of them in one cell, up to version 0.9
# Behind the columns of a file whose invalid rows are given back, in the language of the person who takes it.
BAD_ROW_COLUMNS = (gettext_lazy("row"), gettext_lazy("reason"))
FIXED_FIELDS = ("number", "other_number", "name", "first_name", "last_name", "email", "language")
IGNORED = ""

# The least likely to be a mobile last; what stands before, as in “Your phone” or “Business Phone 2”.
_MOBILE = re.compile(r"mob|cel|handy|gsm|portable|movil|msisdn|whatsapp|sms|手机|手機|携帯|휴대폰|мобил")
_LESS_LIKELY = ("home", "private", "other", "work", "business", "office", "company", "main", "address")
_before_any = r"whatsyour|whatisyour|your|user|customer|contact|billing|lead|buyer|attendee"
_before_field = {
    "number": re.compile(rf"^(?:{_before_any}|primary|default|shipping|sms|personal|{'|'.join(_LESS_LIKELY)})+"),
    "email": re.compile(rf"^(?:{_before_any}|primary|personal|{'|'.join(_LESS_LIKELY)})+"),
    "name": re.compile(rf"^(?:{_before_any})+"),
    "first_name": re.compile(rf"^(?:{_before_any})+"),
    "last_name": re.compile(rf"^(?:{_before_any})+"),
}
_OF_WHOLE_NAMES = frozenset({"nombre", "nome", "nom", "名", "姓"})  # alone, they are the whole name
_invisible = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe0f\ufeff]")


def guess_mapping(headers: Sequence[str]) -> dict[str, str]:
    """Header → field; an unknown field becomes an attribute, and each field is taken once.

    Of several columns of phone numbers the mobile counts; the others are used in rows where its cell is empty.
    """
    ours = EXPORTED_ONCE if set(headers) >= EXPORTED_ONLY else frozenset()
    if is_of_bad_rows(headers):
        ours |= set(headers[-2:])
    fields = {header: None if header in ours else _field_named(header) for header in headers}
    number = min((h for h, field in fields.items() if field == "number"), key=_likelihood, default=None)
    mapping: dict[str, str] = {}
    for index, header in enumerate(headers):
        field = fields[header]
        if header in ours:
            mapping[header] = IGNORED
        elif field == "number":
            mapping[header] = "number" if header == number else "other_number"
        elif field is not None and (field not in mapping.values() or field.startswith("attributes.")):
            mapping[header] = field
        else:
            slug = attribute_name(header, index)
            mapping[header] = f"attributes.{slug}" if f"attributes.{slug}" not in mapping.values() else IGNORED
    return _with_a_whole_name(mapping)


def is_of_bad_rows(headers: Sequence[str]) -> bool:
    """Whether these are the columns of a file of invalid rows: its last two are the console's own."""
    if len(headers) <= 2:
        return False
    last = [re.sub(r" \d+$", "", header) for header in headers[-2:]]
    return any(last == [*names] for names in _bad_row_columns())


@cache
def _bad_row_columns() -> list[tuple[str, ...]]:
    """In every language: anyone who imports the file again need not read that of the person who took it."""
    found = []
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            found.append(tuple(str(name) for name in BAD_ROW_COLUMNS))
    return found


def _with_a_whole_name(mapping: dict[str, str]) -> dict[str, str]:
    """A lone `nombre` or `nom` is the whole name."""
    parts = [header for header, field in mapping.items() if field in ("first_name", "last_name")]
    if len(parts) == 1 and "name" not in mapping.values() and _plain(parts[0]) in _OF_WHOLE_NAMES:
        mapping[parts[0]] = "name"
    return mapping


def _field_named(header: str) -> str | None:
    if header.startswith("attributes.") and is_name(header.removeprefix("attributes.")):
        return header
    plain = _plain(header)
    for words in (plain, re.sub(r"\d+(value)?$", r"\1", plain)):
        for field, spellings in SPELLINGS.items():
            before = _before_field.get(field)
            if words in spellings or (before is not None and before.sub("", words) in spellings):
                return field
    return None


def _plain(header: str) -> str:
    return re.sub(r"[\s_\-./#:()*?'’,]+", "", _without_accents(header)).lower()


def _likelihood(header: str) -> tuple[bool, bool]:
    """A sort key for columns of numbers: the column whose numbers most likely get the messages sorts first."""
    plain = _plain(header)
    return not _MOBILE.search(plain), any(word in plain for word in _LESS_LIKELY)


def attribute_header(name: str) -> str:
    """The column of an attribute in an export, which is read again as that attribute."""
    plain = name in ("first_name",) or (
        attribute_name(name, 0) == name and _field_named(name) is None and name not in EXPORTED_ONCE
    )
    return name if plain else f"attributes.{name}"


def visible(header: str) -> str:
    """A header without what nobody sees: marks of byte order and direction, line breaks, spaces of no width."""
    return " ".join(_invisible.sub("", header).split())


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFKD", text)
    plain = "".join(character for character in apart if not unicodedata.combining(character))
    return unicodedata.normalize("NFKC", plain)


_not_in_a_name = re.compile(f"[^a-z0-9{HAN}]+")


def attribute_name(header: str, index: int) -> str:
    """A name that can be in a merge field; a header without a letter for one is known by its place."""
    plain = _without_accents(header).strip().lower().replace("ß", "ss")
    slug = _not_in_a_name.sub("_", plain).strip("_")[:38] or f"column_{index + 1}"
    if slug in BUILT_IN:
        return f"{slug}_2"  # {{country}} is the number's own
    return f"_{slug}" if slug[0].isdigit() else slug
