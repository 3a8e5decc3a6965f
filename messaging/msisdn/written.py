"""The digits of a number as people, lead forms and spreadsheets write it."""

import re
import unicodedata
from typing import NamedTuple

from laaffic_console.kit.words.said import gettext as _
from messaging.msisdn.number import InvalidNumber
from messaging.msisdn.second_numbers import TWO_NUMBERS, refuse_a_second_number

_separators = re.compile(r"[\s\-‐‑‒–—−./()\[\]·'’`\u200b-\u200f\u202a-\u202e\u2060\ufeff]+")

usual_separators = str.maketrans("", "", " -()")

_scheme = re.compile(r"^(tel|sms|whatsapp|p):", re.IGNORECASE)  # p: as lead forms write it

# 8, the second dialling tone, 10: out of Russia; 0~0 of Ukraine.
_second_tone = re.compile(r"^\s*([08])\s*[~∼～〜]\s*(10|0)")
_scientific = re.compile(r"^[+]?\d+([.,]\d+)?\s*[eE]\s*[+]?\d+$")

_whole_float = re.compile(r"^[+]?\d{7,15}[.,]0+$")

_broken_float = re.compile(r"^[+]?\d{8,}[.,]\d{1,2}$")


class Written(NamedTuple):
    text: str  # for people
    digits: str
    mark: str  # "+" or "00", which are not among the digits, or ""

    @property
    def is_international(self) -> bool:
        return bool(self.mark)

    @classmethod
    def read(cls, text: str, region: str | None) -> "Written":
        digits = text.translate(usual_separators)
        mark = _mark(digits)
        if mark:
            digits = digits[len(mark) :]
        if digits.isdecimal() and digits.isascii():
            if not text[-3:].isdecimal() or len(digits) >= TWO_NUMBERS:
                refuse_a_second_number(text, text, region)
            return cls(text, digits, mark)
        return cls._cleaned(text, region)

    @classmethod
    def _cleaned(cls, text: str, region: str | None) -> "Written":
        plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
        plain = _scheme.sub("", plain.strip().strip("'\"").strip())
        if not _separators.sub("", plain):
            raise InvalidNumber(_("The number is missing."))
        shown = text.strip()[:40]
        plain = from_spreadsheet(plain, shown)
        if any(map(str.isdecimal, plain)):  # or it is a word, such as n/d
            refuse_a_second_number(plain, shown, region)
        compact = _separators.sub("", _second_tone.sub(r"\1\2", plain))
        if not compact.isascii():
            compact = "".join(str(int(character)) if character.isdecimal() else character for character in compact)
        mark = _mark(compact)
        digits = compact[len(mark) :]
        if not (digits.isdecimal() and digits.isascii()):
            said = _("“%(text)s” is not a phone number: use digits, with + or 00 before the country code.")
            raise InvalidNumber(said % {"text": shown})
        return cls(shown, digits, mark)


def _mark(digits: str) -> str:
    return "+" if digits.startswith("+") else "00" if digits.startswith("00") else ""


def from_spreadsheet(plain: str, shown: str) -> str:
    """The number as it was before a spreadsheet made a figure of it: without “.0”; InvalidNumber if digits are lost.

    `shown` is how the refusal quotes it. Text that no spreadsheet has made a figure of is returned unchanged.
    """
    if _whole_float.match(plain):
        return re.split("[.,]", plain)[0]
    if _scientific.match(plain):
        raise InvalidNumber(
            _(
                "A spreadsheet has shortened this number and its digits are lost. "
                "Format the column as text and export it again."
            )
        )
    if _broken_float.match(plain):
        said = _("“%(text)s” is a decimal number. Format the column as text and export it again.")
        raise InvalidNumber(said % {"text": shown})
    return plain
