"""What nobody sees in a text, and what is to happen to it: in names that are stored, and in terms that are pasted."""

import re
import unicodedata

BESIDE_DIGITS = "+-‐‑‒–().·/"  # what people write between the digits of a number

# Marks of direction (one of them turns "gpj.exe" around), spaces of no width, soft hyphens, byte order marks and tags.
_MARKS = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_BREAKS = re.compile(r"[ \t]*[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+[ \t]*")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")
# Joiners are letters' business in Indic scripts, Arabic and emoji; elsewhere they only hide a difference.
_JOINERS = re.compile("[\u200c\u200d]")
# Letters and signs that fonts leave blank, selectors of variants, and marks that join or begin Khmer vowels.
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0").union(
    map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)
_UNSEEN = ("Cc", "Cf", "Zs", "Zl", "Zp")
_JOINED_FROM = 0x0590  # Hebrew, Arabic and what is behind them


def keepable(text: str) -> str:
    """The text without NUL and halves of characters, which no database keeps: JSON can write both, file names one."""
    return text.replace("\0", "").encode(errors="ignore").decode()


def without_marks(text: str) -> str:
    """The text without marks that nobody sees; joiners stay between letters and emoji that they join."""
    if text.isascii():
        return text
    text = _MARKS.sub("", text)
    return _JOINERS.sub(_joiner, text) if _JOINERS.search(text) else text


def composed(text: str) -> str:
    """The text with each accent and its letter as one: Mac files hold both apart, and GSM-7 has é, but no accent."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def sendable(text: str) -> str:
    """A text that will be sent. Browsers and files end a line with two characters; a counter, and a phone, know one."""
    return composed(text).replace("\r\n", "\n")


def one_line(text: str) -> str:
    """A line break in a field of one line is a space: a form would glue the words together. Marks that nobody sees go:
    one of them turns a name around.
    """
    text = composed(text)
    if text.isprintable():
        return text
    return _CONTROLS.sub("", _BREAKS.sub(" ", without_marks(text)).replace("\t", " ")).strip()


def is_blank(text: str) -> bool:
    """Whether the text is empty, or holds only spaces and what nobody sees."""
    return not text or all(one in _BLANKS or unicodedata.category(one) in _UNSEEN for one in text)


def _joiner(found: re.Match[str]) -> str:
    before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
    is_joining = before and after and ord(before) >= _JOINED_FROM and ord(after) >= _JOINED_FROM
    return found[0] if is_joining else ""


def plain(typed: str) -> str:
    """A pasted term without marks that nobody sees, its accents as keyboards write them, and single spaces."""
    spaced = composed(without_marks(typed))
    return " ".join("".join(" " if _is_space(one) else one for one in spaced).split())


def _is_space(one: str) -> bool:
    return unicodedata.category(one) in ("Cc", "Zs", "Zl", "Zp")


def capitals(code: str) -> str:
    """A code of a country, a currency or a language: of other letters “ß” would become SS, South Sudan, and “ı” I."""
    return code.upper() if code.isascii() else code


def digits_of(term: str) -> str:
    """The digits of what looks like a number, in any script, without + or 00; "" for anything else."""
    digits = "".join(one for one in plain(term) if one not in BESIDE_DIGITS and not one.isspace())
    if not digits.isdecimal():
        return ""
    return "".join(str(int(one)) for one in digits).removeprefix("00")


def whole_number(text: str, at_most: int = 2**63 - 1) -> int | None:
    """The number that the digits of an address say, if a column could hold it."""
    if not (text.isascii() and text.isdecimal()) or len(text) > 19:
        return None
    return number if (number := int(text)) <= at_most else None
