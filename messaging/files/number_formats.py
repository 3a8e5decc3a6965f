"""A cell of a workbook as the sheet shows it: 42 under the format `00000` is 00042, 0.15 under `0%` is 15%.

The libraries that do this for Python are dead ports of a JavaScript one, so the usual formats are rendered here.
What a format asks and this cannot do is shown with fifteen significant digits, which is all that a spreadsheet keeps.
Decimal points and thousands are those of the file; which ones a screen shows is up to its owner's settings.
"""

import datetime as dt
import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from django.utils import dates, translation

Value = int | float | bool | str | dt.datetime | dt.date | dt.time | dt.timedelta

# Formats whose look the reader's own settings decide, and what programs write where nobody chose: the ISO form.
_NOBODY_CHOSE = frozenset(
    {"general", "", "mm-dd-yy", "m/d/yy h:mm", "m/d/yyyy", "m/d/yyyy h:mm", "yyyy-mm-dd h:mm:ss", "yyyy-mm-dd hh:mm:ss"}
)
_LANGUAGES = {  # of month and day names, by the low byte of Windows' number for them
    0x07: "de", 0x0A: "es", 0x0B: "fi", 0x0C: "fr", 0x0E: "hu", 0x10: "it", 0x13: "nl", 0x14: "nb", 0x15: "pl",
    0x16: "pt", 0x18: "ro", 0x19: "ru", 0x1A: "hr", 0x1B: "sk", 0x1D: "sv", 0x1F: "tr", 0x21: "id", 0x22: "uk",
    0x05: "cs", 0x06: "da", 0x08: "el", 0x11: "ja", 0x12: "ko", 0x04: "zh-hans", 0x2A: "vi", 0x1E: "th",
}  # fmt: skip
_PHONE_DIGITS = range(7, 16)

_part = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_(?P<width>.)|\*(?P<fill>.)|\[(?P<bracket>[^\]]*)\]'
    r"|(?P<general>General)|(?P<ampm>AM/PM|A/P)|(?P<exponent>[Ee][+-])|(?P<digits>[0#?]+)|(?P<fraction>\.0+(?=[^0#?]|$))"
    r"|(?P<letters>y+|m+|d+|h+|s+|b+|e+|g+)|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_condition = re.compile(r"(<=|>=|<>|<|>|=)(-?[\d.]+)$")
_elapsed = re.compile(r"(h+|m+|s+)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Part:
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class _Section:
    parts: tuple[_Part, ...]
    condition: str
    language: str
    is_date: bool

    def has(self, kind: str) -> bool:
        return any(part.kind == kind for part in self.parts)


def shown(value: Value | None, number_format: str) -> str:
    """The text that a sheet shows for a cell; a number of a telephone's length keeps all its digits."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if number_format.lower() in _NOBODY_CHOSE:
        return plain(value)
    try:
        return _renderer(number_format)(value)
    except (ValueError, ArithmeticError, IndexError, TypeError):
        return plain(value)


def plain(value: Value) -> str:
    """Without a format: at most fifteen significant digits, days and times in their ISO form."""
    if isinstance(value, int | float):
        return _digits(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else _seconds(value).isoformat(" ")
    return str(value)


def _seconds(moment: dt.datetime) -> dt.datetime:
    """A spreadsheet's moment is a fraction of a day: what it is off by microseconds is rounding."""
    return (moment + dt.timedelta(microseconds=500_000)).replace(microsecond=0)


def _digits(value: float) -> str:
    if isinstance(value, int) and abs(value) < 10**15:
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = f"{value:.15g}"
    return format(Decimal(text), "f") if 1e-9 < abs(value) < 1e15 else text


@functools.lru_cache(maxsize=1000)
def _renderer(number_format: str) -> Callable[[Value], str]:
    sections = [_section(text) for text in _split(number_format)]

    def render(value: Value) -> str:
        if isinstance(value, str):
            return _text(value, sections)
        if isinstance(value, int | float):
            return _number(value, sections)
        if "[$-f" in number_format.lower():  # the reader's own long date, or time
            return plain(value)
        return _moment(value, sections[0]) if sections[0].is_date else plain(value)

    return render


_inside = re.compile(r'"[^"]*"?|\\.|\[[^\]]*\]', re.DOTALL)


def _split(number_format: str) -> list[str]:
    """Its up to four sections; a semicolon in quotation marks or brackets is text."""
    plain_text = _inside.sub(lambda found: "x" * len(found[0]), number_format)
    ends = [index for index, character in enumerate(plain_text) if character == ";"]
    starts = [0, *(end + 1 for end in ends)]
    return [number_format[start:end] for start, end in zip(starts, [*ends, len(number_format)], strict=True)][:4]


def _section(text: str) -> _Section:
    parts, condition, language, is_date = [], "", "en", False
    for found in _part.finditer(text):
        kind = found.lastgroup or ""
        said = found[kind] if kind else ""
        if kind == "bracket":
            if _condition.match(said):
                condition = said
            elif said.startswith("$"):
                money, _, code = said[1:].partition("-")
                parts.append(_Part("literal", money))
                language = _language(code) or language
            elif _elapsed.match(said):
                parts.append(_Part("elapsed", said.lower()))
                is_date = True
        else:
            parts.append(_Part(*_meaning(kind, said)))
            is_date = is_date or parts[-1].kind in ("letters", "ampm")
    return _Section(tuple(parts), condition, language, is_date)


def _meaning(kind: str, said: str) -> tuple[str, str]:
    if kind in ("quoted", "escaped"):
        return "literal", said
    if kind == "width":
        return "literal", " "
    if kind == "fill":
        return "literal", ""
    if kind == "letters":
        return kind, said.lower()
    if kind == "other" and said not in ".,%/@":
        return "literal", said
    return (said if kind == "other" else kind), said


def _language(code: str) -> str:
    try:
        return _LANGUAGES.get(int(code, 16) & 0xFF, "") if code else ""
    except ValueError:
        return ""


def _text(value: str, sections: list[_Section]) -> str:
    section = sections[3] if len(sections) == 4 else next((s for s in sections if s.has("@")), None)
    if section is None:
        return value
    return "".join(value if part.kind == "@" else part.text for part in section.parts if part.kind in ("@", "literal"))


def _number(value: float, sections: list[_Section]) -> str:
    exact = Decimal(f"{value:.15g}") if isinstance(value, float) else Decimal(value)
    section, takes_sign = _section_for(exact, sections)
    if section.has("exponent") and exact == exact.to_integral() and len(_digits(value).lstrip("-")) in _PHONE_DIGITS:
        return _digits(value)
    if section.has("@") or section.is_date:
        return plain(value)
    text = _filled(abs(exact), section, plain(abs(value)))
    is_zero = not re.search("[1-9]", text)
    return f"-{text}" if exact < 0 and takes_sign and not is_zero else text


def _section_for(value: Decimal, sections: list[_Section]) -> tuple[_Section, bool]:
    """The section for a number, and whether a negative one still needs its sign there."""
    if any(section.condition for section in sections):
        for index, section in enumerate(sections[:3]):
            if not section.condition or _holds(value, section.condition):
                return section, not (index and value < 0 and not section.condition.startswith(">"))
    if value < 0 and len(sections) > 1:
        return sections[1], False
    return sections[2 if value == 0 and len(sections) > 2 else 0], True


def _holds(value: Decimal, condition: str) -> bool:
    sign, limit = _condition.match(condition).groups()  # type: ignore[union-attr]
    against = Decimal(limit)
    return {
        "<": value < against, "<=": value <= against, ">": value > against,
        ">=": value >= against, "=": value == against, "<>": value != against,
    }[sign]  # fmt: skip


def _filled(value: Decimal, section: _Section, general: str) -> str:
    """The digits of a number that is not negative, put in the places of the format."""
    if section.has("exponent"):
        return _scientific(value, section)
    if section.has("/") and sum(part.kind == "digits" for part in section.parts) > 1:
        return _as_fraction(value, section)
    places = [index for index, part in enumerate(section.parts) if part.kind in ("digits", "fraction")]
    value = value.scaleb(2 * sum(part.kind == "%" for part in section.parts))
    if not places:
        return "".join(general if part.kind == "general" else part.text for part in section.parts if part.kind != ",")
    return _in_places(value, section, places)


def _in_places(value: Decimal, section: _Section, places: list[int]) -> str:
    parts = section.parts
    point = next((i for i, part in enumerate(parts) if part.kind in (".", "fraction")), len(parts))
    before = [i for i in places if i < point]
    last = before[-1] if before else -1
    scale = sum(_run_of_commas(parts, index + 1) for index in {last, places[-1]} if index >= 0)
    is_grouped = any(part.kind == "," for i, part in enumerate(parts) if before and before[0] < i < last)
    decimals = "".join(parts[i].text.lstrip(".") for i in places if i >= point)
    rounded = value.scaleb(-3 * scale).quantize(Decimal(1).scaleb(-len(decimals)), ROUND_HALF_UP)
    whole, _, rest = f"{rounded:f}".partition(".")
    out = _whole_in_places(parts[: last + 1], "" if whole == "0" else whole, is_grouped) if before else []
    if not before and whole != "0":
        out.append(whole)
    return "".join(out) + _behind(parts[last + 1 :], rest, decimals)


def _run_of_commas(parts: tuple[_Part, ...], start: int) -> int:
    """Each comma behind the last digit shows the number in thousands."""
    count = 0
    while start + count < len(parts) and parts[start + count].kind == ",":
        count += 1
    return count


def _whole_in_places(parts: tuple[_Part, ...], digits: str, is_grouped: bool) -> list[str]:
    """From the right: each place takes a digit, the first place what is left over; literals stay between them."""
    out: list[str] = []
    left = list(digits)
    first = next(i for i, part in enumerate(parts) if part.kind == "digits")
    taken = 0
    for index in range(len(parts) - 1, -1, -1):
        part = parts[index]
        if part.kind == "digits":
            wanted = list(reversed(part.text))
            surplus = max(0, len(left) - len(wanted)) if index == first else 0
            for place in [*wanted, *("#" * surplus)]:
                digit = left.pop() if left else {"0": "0", "?": " ", "#": ""}[place]
                if digit and is_grouped and taken and taken % 3 == 0 and digit != " ":
                    out.append(",")
                taken += bool(digit)
                out.append(digit)
        elif part.kind not in (",", "general"):
            out.append(part.text)
    return out[::-1]


def _behind(parts: tuple[_Part, ...], rest: str, wanted: str) -> str:
    """The decimals and what is behind the number."""
    keep = len(wanted)
    while keep and wanted[keep - 1] == "#" and rest[keep - 1 : keep] == "0":
        keep -= 1
    rest = rest[:keep]
    out, position = [], 0
    for part in parts:
        if part.kind == "fraction":
            out.append(f".{rest[: len(part.text) - 1]}")
            position += len(part.text) - 1
        elif part.kind == "digits":
            out.append(rest[position : position + len(part.text)])
            position += len(part.text)
        elif part.kind != ",":
            out.append(part.text)
    return "".join(out)


def _scientific(value: Decimal, section: _Section) -> str:
    at = next(i for i, part in enumerate(section.parts) if part.kind == "exponent")
    decimals = sum(len(part.text.lstrip(".")) for part in _decimals(section.parts[:at]))
    mantissa, _, power = f"{value:.{decimals}e}".partition("e")
    width = next((len(part.text) for part in section.parts[at:] if part.kind == "digits"), 1)
    sign = "-" if int(power) < 0 else "+" if section.parts[at].text[1] == "+" else ""
    return f"{mantissa}E{sign}{abs(int(power)):0{width}d}"


def _decimals(parts: tuple[_Part, ...]) -> list[_Part]:
    point = next((i for i, part in enumerate(parts) if part.kind in (".", "fraction")), len(parts))
    return [part for part in parts[point:] if part.kind in ("digits", "fraction")]


def _as_fraction(value: Decimal, section: _Section) -> str:
    places = [part.text for part in section.parts if part.kind == "digits"]
    whole = int(value) if len(places) > 2 else 0
    near = Fraction(value - whole).limit_denominator(10 ** len(places[-1]) - 1)
    if near == 1 and len(places) > 2:
        whole, near = whole + 1, Fraction(0)
    if not near:
        return str(whole)
    return f"{whole} {near}" if whole else f"{near.numerator}/{near.denominator}"


def _moment(value: Value, section: _Section) -> str:
    if isinstance(value, dt.timedelta):
        day, seconds = dt.date(1899, 12, 31), value.total_seconds()
    elif isinstance(value, dt.time):
        day, seconds = dt.date(1899, 12, 31), _of_day(value)
    elif isinstance(value, dt.datetime):
        day, seconds = value.date(), _of_day(value.time())
    elif isinstance(value, dt.date):
        day, seconds = value, 0.0
    else:
        raise TypeError(value)
    return _Clock(day, seconds, section).text()


def _of_day(time: dt.time) -> float:
    return time.hour * 3600 + time.minute * 60 + time.second + time.microsecond / 1e6


class _Clock:
    """A day and seconds of it, in the places of a format."""

    def __init__(self, day: dt.date, seconds: float, section: _Section) -> None:
        self.section = section
        fractions = [len(part.text) - 1 for part in section.parts if part.kind == "fraction"]
        self.total = round(seconds, fractions[0] if fractions else 0)
        if self.total >= 86400 and not section.has("elapsed"):
            day, self.total = day + dt.timedelta(days=1), 0
        self.day = day

    def text(self) -> str:
        parts = self.section.parts
        return "".join(self._part(index, part) for index, part in enumerate(parts))

    def _part(self, index: int, part: _Part) -> str:
        if part.kind == "letters":
            is_minute = part.text in ("m", "mm") and self._stands_with_time(index)
            return self._letters(part.text, is_minute)
        if part.kind == "elapsed":
            unit = {"h": 3600, "m": 60, "s": 1}[part.text[0]]
            return f"{int(self.total // unit):0{len(part.text)}d}"
        if part.kind == "ampm":
            words = part.text.split("/")
            return words[int(self.total // 3600 % 24 >= 12)]
        if part.kind == "fraction":
            return f"{self.total % 1:.{len(part.text) - 1}f}"[1:]
        return "" if part.kind in ("@", "general") else part.text

    def _stands_with_time(self, index: int) -> bool:
        """m is minutes behind hours and before seconds, else the month."""
        units = [(i, p.text[0]) for i, p in enumerate(self.section.parts) if p.kind in ("letters", "elapsed")]
        at = next(n for n, (i, _) in enumerate(units) if i == index)
        return (at > 0 and units[at - 1][1] == "h") or (at + 1 < len(units) and units[at + 1][1] == "s")

    def _letters(self, letters: str, is_minute: bool) -> str:
        unit, width = letters[0], len(letters)
        if unit == "y":
            return f"{self.day.year:04d}" if width > 2 else f"{self.day.year % 100:02d}"
        if unit in "md" and not is_minute and width > 2:
            return self._name(unit, width)
        amount = {
            "m": self.total // 60 % 60 if is_minute else self.day.month,
            "d": self.day.day,
            "h": self._hour(),
            "s": self.total % 60,
            "e": self.day.year,
        }[unit]
        return f"{int(amount):0{min(width, 2)}d}"

    def _hour(self) -> float:
        hour = self.total // 3600 % 24
        return (hour % 12 or 12) if self.section.has("ampm") else hour

    def _name(self, unit: str, width: int) -> str:
        with translation.override(self.section.language):
            if unit == "d":
                names = dates.WEEKDAYS_ABBR if width == 3 else dates.WEEKDAYS
                return str(names[self.day.weekday()])
            if width == 3 and self.section.language == "en":
                return f"{self.day:%b}"
            name = str(dates.MONTHS[self.day.month])
            return name[0] if width == 5 else name[:3] if width == 3 else name
