"""The text of a condition: what it is read into (`parse`), and how that is written again (`write`)."""

import dataclasses
import datetime as dt
import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from laaffic_console.kit.words import countries
from laaffic_console.kit.words.planned_years import check_year
from messaging.conditions.conditions import (
    ADDED,
    ATTRIBUTE,
    COLUMNS,
    DEEPEST,
    IMPORTED,
    LAST,
    LONGEST,
    MOST_HOURS,
    UNITS,
    Condition,
    ConditionError,
    Contains,
    Contrary,
    Either,
    Every,
    Happened,
    InCampaign,
    InGroup,
    IsSet,
    Never,
    OneOf,
    Replied,
    one_of,
)


@dataclasses.dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # "word", "text", "number", "day", "sign", "end"
    said: str
    at: int


_TOKENS = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|“[^”]*”)|(?P<day>\d{4}-\d{2}-\d{2}\b)|(?P<number>\d+\b)"""
    r"""|(?P<word>\w[\w-]*)|(?P<sign><=|>=|!=|==|[()=<>,.])|(?P<space>\s+)"""
)


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while at < len(text):
        match = _TOKENS.match(text, at)
        if match is None:
            if text[at] in "\"'“":
                raise ConditionError(_("This quotation mark is never closed."), at)
            said = _('“%(sign)s” is not expected here. Put texts in quotation marks: "…".')
            raise ConditionError(said % {"sign": text[at]}, at)
        kind = match.lastgroup or ""
        if kind == "text":
            inside = match[0][1:-1]
            found.append(_Token(kind, re.sub(r"\\(.)", r"\1", inside) if match[0][0] != "“" else inside, at))
        elif match[0] == "==":
            found.append(_Token(kind, "=", at))
        elif kind != "space":
            found.append(_Token(kind, match[0], at))
        at = match.end()
    return [*found, _Token("end", "", len(text))]


def parse(text: str) -> Condition:
    """ConditionError says where it cannot be read, and what could be there."""
    if len(text) > LONGEST:
        said = _("A condition has at most %(n)d characters. Make groups of its parts, or several audiences.")
        raise ConditionError(said % {"n": LONGEST}, LONGEST)
    return _Parser(_tokens(text)).whole()


class _Parser:
    """A recursive-descent parser: or, and, not, test."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens, self.place, self.depth = tokens, 0, 0

    @property
    def next(self) -> _Token:
        return self.tokens[self.place]

    def take(self) -> _Token:
        token = self.next
        self.place += token.kind != "end"
        return token

    def has(self, *words: str) -> bool:
        """Whether these follow, which are taken then; words in any case, and never a text in quotation marks."""
        following = self.tokens[self.place : self.place + len(words)]
        if [token.said.lower() for token in following if token.kind in ("word", "sign")] != list(words):
            return False
        self.place += len(words)
        return True

    def wrong(self, says: str, token: _Token | None = None) -> ConditionError:
        token = token or self.next
        found = _("found “%(said)s”") % {"said": token.said} if token.kind != "end" else _("the condition ends")
        return ConditionError(f"{says} ({found})", token.at)

    def whole(self) -> Condition:
        if self.next.kind == "end":
            raise ConditionError(_('Say who: for example country = IN, or group "Customers".'), 0)
        condition = self.either()
        if self.next.kind != "end":
            raise self.wrong(_("“and” or “or” belongs between two conditions"))
        return condition

    def either(self) -> Condition:
        parts = [self.every()]
        while self.has("or"):
            parts.append(self.every())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def every(self) -> Condition:
        parts = [self.contrary()]
        while self.has("and"):
            parts.append(self.contrary())
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def contrary(self) -> Condition:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.wrong(_("There are too many brackets in one another"))
        condition = self.bracket_or_test()
        self.depth -= 1
        return condition

    def bracket_or_test(self) -> Condition:
        opened = self.next
        if self.has("not", "in"):
            return Contrary(self.inside())
        if self.has("not"):
            return Contrary(self.contrary())
        if self.has("("):
            condition = self.either()
            if not self.has(")"):
                raise self.wrong(_("The bracket at character %(at)d is not closed") % {"at": opened.at + 1})
            return condition
        return self.inside() if self.has("in") else self.test()

    def inside(self) -> Condition:
        """After in: a group or a campaign."""
        if self.next.kind == "word" and self.next.said.lower() in ("group", "campaign"):
            return self.test()
        raise self.wrong(_('After “in” comes group "NAME" or campaign NUMBER'))

    def test(self) -> Condition:
        token = self.take()
        name = token.said.lower() if token.kind == "word" else ""
        if name in COLUMNS:
            return self.of_field(name)
        if name == "attribute":
            return self.of_field(ATTRIBUTE + self.attribute_name())
        if name == "group":
            return self.group()
        if name == "campaign":
            return InCampaign(self.campaign())
        if name == "replied":
            return self.replied()
        if name in (ADDED, IMPORTED, *LAST):
            return self.when(name, token)
        known = ", ".join([*COLUMNS, "attribute.NAME", "group", "campaign", "replied", IMPORTED, ADDED, *LAST])
        raise self.wrong(_("A condition begins with one of: %(known)s") % {"known": known}, token)

    def attribute_name(self) -> str:
        if not self.has("."):
            raise self.wrong(_('Write the attribute behind a dot: attribute.city, or attribute."shoe size"'))
        token = self.take()
        if token.kind not in ("word", "text", "number") or not token.said or set(token.said) & {'"', "\\"}:
            raise self.wrong(_("The name of an attribute belongs here"), token)
        return token.said

    def of_field(self, field: str) -> Condition:
        if self.has("is", "not", "set"):
            return Contrary(IsSet(field))
        if self.has("is", "set"):
            return IsSet(field)
        if self.has("="):
            return OneOf(field, (self.value(field),))
        if self.has("!="):
            return Contrary(OneOf(field, (self.value(field),)))
        if self.has("not", "in"):
            return Contrary(OneOf(field, self.values(field)))
        if self.has("in"):
            return OneOf(field, self.values(field))
        if field.startswith(ATTRIBUTE) and self.has("contains"):
            return Contains(field, self.value(field))
        more = ", contains" if field.startswith(ATTRIBUTE) else ""
        raise self.wrong(
            _("Compare it with one of: =, !=, in (…), not in (…), is set, is not set%(more)s") % {"more": more}
        )

    def values(self, field: str) -> tuple[str, ...]:
        if not self.has("("):
            raise self.wrong(_("After “in” come the values in brackets: in (IN, BD)"))
        values = [self.value(field)]
        while self.has(","):
            values.append(self.value(field))
        if not self.has(")"):
            raise self.wrong(_("A comma or a closing bracket belongs here"))
        return tuple(dict.fromkeys(values))

    def value(self, field: str) -> str:
        token = self.take()
        if token.kind in ("end", "sign"):
            raise self.wrong(_("A value belongs here; one with spaces or signs in quotation marks"), token)
        if not token.said:
            raise self.wrong(_("An empty text is not a value. Write “is not set” for contacts who have none"), token)
        if field == "country":
            return _country(token)
        return token.said.lower() if field == "language" else token.said

    def group(self) -> Condition:
        if self.has("in"):
            names = self.values("group")
            return one_of(tuple(InGroup(name) for name in names))
        if self.next.kind not in ("word", "text", "number") or not self.next.said:
            raise self.wrong(_('The group\'s name belongs here: group "Customers"'))
        return InGroup(self.take().said)

    def replied(self) -> Condition:
        if not self.has("to", "campaign"):
            raise self.wrong(_("After “replied” comes “to campaign” and its number: replied to campaign 12"))
        return Replied(self.campaign())

    def campaign(self) -> int:
        if self.next.kind != "number" or len(self.next.said) > 15:
            raise self.wrong(_("The campaign's number belongs here: campaign 12"))
        return int(self.take().said)

    def when(self, what: str, name: _Token) -> Condition:
        if self.has("never"):
            if what == ADDED:
                raise self.wrong(_("Every contact was added some time: write since, or before"), name)
            return Never(what)
        for words, before, following in _COMPARED:
            if self.has(*words):
                return self.moment(what, before=before, following=following)
        raise self.wrong(_("Say when: since DAY, before DAY, < 30 days ago, > 30 days ago, or never"))

    def moment(self, what: str, *, before: bool, following: bool) -> Condition:
        token = self.take()
        if token.kind == "day":
            try:
                day = dt.date.fromisoformat(token.said)
                check_year(day)
                day += dt.timedelta(days=following)
                check_year(day)
            except ValueError as problem:
                raise self.wrong(_("There is no such day; write it as 2026-03-31"), token) from problem
            except ValidationError as problem:
                raise self.wrong(" ".join(problem.messages).rstrip("."), token) from problem
            return Happened(what, before, day=day.isoformat())
        if token.kind == "number" and self.next.kind == "word":
            unit = self.take().said.lower().removesuffix("s")
            if unit in UNITS and self.has("ago"):
                hours = int(token.said[:9]) * UNITS[unit]
                if hours > MOST_HOURS:
                    raise self.wrong(_("That is too long ago: at most 50 years"), token)
                return Happened(what, before, hours_ago=hours)
        raise self.wrong(_("A day as 2026-03-31 belongs here, or 30 days ago (hours, days, weeks)"), token)


# (words, whether it was before, whether a day is meant as it ends)
_COMPARED = (
    (("since",), False, False),
    ((">=",), False, False),
    (("after",), False, True),
    ((">",), False, True),
    (("before",), True, False),
    (("<",), True, False),
    (("<=",), True, True),
)


def _country(token: _Token) -> str:
    try:
        return countries.read(token.said)
    except ValidationError as problem:
        raise ConditionError(problem.messages[0], token.at) from problem


# Writing


_BARE = re.compile(r"[^\W\d][\w-]*")


def write(condition: Condition) -> str:
    """The text that is read into this condition again, with no bracket that is not needed."""
    match condition:
        case Every():
            return " and ".join(_within(part) for part in condition.parts)
        case Either():
            return _groups(condition) or " or ".join(_within(part, but=Every) for part in condition.parts)
        case Contrary():
            return _contrary(condition.part)
        case OneOf():
            return _of_values(condition, "=", "in")
        case Contains():
            return f"{_field(condition.field)} contains {_quoted(condition.value)}"
        case IsSet():
            return f"{_field(condition.field)} is set"
        case InGroup():
            return f"group {_quoted(condition.name)}"
        case InCampaign():
            return f"in campaign {condition.campaign}"
        case Replied():
            return f"replied to campaign {condition.campaign}"
        case Never():
            return f"{condition.what} never"
        case Happened():
            return f"{condition.what} {_when(condition)}"


def _within(part: Condition, *, but: type[Condition] | None = None) -> str:
    """A part of a longer condition: what binds less closely is put in brackets."""
    said = write(part)
    is_bare = not isinstance(part, Every | Either) or (but is not None and isinstance(part, but))
    return said if is_bare or _groups(part) else f"({said})"


def _groups(condition: Condition) -> str:
    """`group in (…)` for an Either that only names groups, each once; "" for any other condition."""
    parts = condition.parts if isinstance(condition, Either) else ()
    names = [part.name for part in parts if isinstance(part, InGroup)]
    if not names or len(names) < len(parts) or len(set(names)) < len(names):
        return ""
    return f"group in ({', '.join(map(_quoted, names))})"


def _contrary(part: Condition) -> str:
    if isinstance(part, OneOf):
        return _of_values(part, "!=", "not in")
    if isinstance(part, IsSet):
        return f"{_field(part.field)} is not set"
    return f"not {_within(part)}"


def _of_values(test: OneOf, one: str, several: str) -> str:
    values = [_value(test.field, value) for value in test.values]
    end = f"{one} {values[0]}" if len(values) == 1 else f"{several} ({', '.join(values)})"
    return f"{_field(test.field)} {end}"


def _value(field: str, value: str) -> str:
    return value if field in COLUMNS and _BARE.fullmatch(value) else _quoted(value)


def _field(field: str) -> str:
    if not field.startswith(ATTRIBUTE):
        return field
    name = field.removeprefix(ATTRIBUTE)
    return ATTRIBUTE + (name if _BARE.fullmatch(name) else _quoted(name))


def _quoted(text: str) -> str:
    return '"{}"'.format(re.sub(r'(["\\])', r"\\\1", text))


def _when(test: Happened) -> str:
    if test.day:
        return f"{'before' if test.before else 'since'} {test.day}"
    many, unit = in_units(test.hours_ago)
    return f"{'<' if test.before else '>'} {many} {unit}{'' if many == 1 else 's'} ago"


def in_units(hours: int) -> tuple[int, str]:
    """(number, unit) as people say it: days if the hours are whole days, else hours."""
    return (hours, "hour") if hours % UNITS["day"] else (hours // UNITS["day"], "day")
