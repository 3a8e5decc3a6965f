"""The spellings of one subscriber: numbers that reach the same phone, all of them met in lists, answers and reports.

Only numbering plans whose mapping is certain are here; docs/replies.md names them, and why others are not. Another
spelling reaches the same person or nobody, so what holds for one holds for all. Nothing is rewritten: a text is sent
to the number as it was given.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import chain, cycle

_Rewriting = tuple[str, str]  # a pattern for the whole number, and what it becomes
_Compiled = tuple[re.Pattern[str], list[str | int]]  # text and groups by turns: `Match.expand` takes ten times as long


class _Plan:
    """How a country's numbers are written: the usual way, and the others."""

    def __init__(self, to_usual: Sequence[_Rewriting], to_others: Sequence[_Rewriting]) -> None:
        self.to_usual = _compiled(to_usual)
        self.to_others = _compiled(to_others)


def _compiled(rewritings: Sequence[_Rewriting]) -> list[_Compiled]:
    return [(re.compile(pattern), _parts(template)) for pattern, template in rewritings]


def _parts(template: str) -> list[str | int]:
    split = re.split(r"\\(?:g<)?(\d)>?", template)
    return [int(part) if is_group else part for is_group, part in zip(cycle((False, True)), split, strict=False)]


def subscriber(number: str) -> str:
    """The MSISDN (digits only) as its plan writes it today: one for all spellings; any other number as it is."""
    plan = _plan(number)
    return next(_rewritten(number, plan.to_usual), number) if plan else number


def spellings(number: str) -> tuple[str, ...]:
    """Every number that this subscriber is known by, `number` itself first. A microsecond where there is one only."""
    plan = _plan(number)
    if plan is None:
        return (number,)
    usual = subscriber(number)
    return tuple(dict.fromkeys((number, usual, *_rewritten(usual, plan.to_others))))


def has_spellings(number: str) -> bool:
    """Whether its country spells numbers in several ways."""
    return _plan(number) is not None


def every_spelling(numbers: Sequence[str]) -> list[str]:
    return list(chain.from_iterable(map(spellings, numbers)))


def _plan(number: str) -> _Plan | None:
    return _PLANS.get(number[:2]) or _PLANS.get(number[:3])


def _rewritten(number: str, rewritings: Sequence[_Compiled]) -> Iterator[str]:
    for pattern, parts in rewritings:
        if matched := pattern.fullmatch(number):
            yield "".join([matched[part] if isinstance(part, int) else part for part in parts])


# Mexico: until 2019 a mobile number had a 1 behind the country code; carriers still write it.
_MEXICO = _Plan([(r"521(\d{10})", r"52\1")], [(r"52(\d{10})", r"521\1")])

# Argentina: a mobile number has a 9 from abroad, and at home a 15 behind its area code of two to four digits.
_ARGENTINA_AREAS = ((r"(11)", r"(\d{8})"), (r"([23]\d\d)", r"(\d{7})"), (r"([23]\d{3})", r"(\d{6})"))
_ARGENTINA = _Plan(
    [
        (r"54([123]\d{9})", r"549\1"),
        *((rf"549?{area}15{rest}", r"549\1\2") for area, rest in _ARGENTINA_AREAS),
    ],
    [
        (r"549([123]\d{9})", r"54\1"),
        *((rf"549{area}{rest}", rf"{lead}\g<1>15\2") for area, rest in _ARGENTINA_AREAS for lead in ("54", "549")),
    ],
)

# Brazil: a 9 before mobile numbers, which had eight digits from 6 on. With 2 to 5 eight digits are a landline.
_BRAZIL = _Plan(
    [(r"55([1-9]\d)([6-9]\d{7})", r"55\g<1>9\2")],
    [(r"55([1-9]\d)9([6-9]\d{7})", r"55\1\2")],
)

# Vietnam, 2018: mobile numbers of eleven digits lost one.
_VIETNAM_2018 = {
    "120": "70",
    "121": "79",
    "122": "77",
    "126": "76",
    "128": "78",
    "123": "83",
    "124": "84",
    "125": "85",
    "127": "81",
    "129": "82",
    **{f"16{n}": f"3{n}" for n in range(2, 10)},
    "186": "56",
    "188": "58",
    "199": "59",
}
_VIETNAM = _Plan(
    [(rf"84{old}(\d{{7}})", rf"84{new}\g<1>") for old, new in _VIETNAM_2018.items()],
    [(rf"84{new}(\d{{7}})", rf"84{old}\g<1>") for old, new in _VIETNAM_2018.items()],
)

# Côte d'Ivoire, 2021: the operator, which the second digit of a mobile number told, was put before it.
_IVORY_COAST_2021 = (("01", r"([04-9][0-3]\d{6})"), ("05", r"([04-9][4-6]\d{6})"), ("07", r"([04-9][7-9]\d{6})"))
_IVORY_COAST = _Plan(
    [(rf"225{old}", rf"225{operator}\1") for operator, old in _IVORY_COAST_2021],
    [(rf"225{operator}{old}", r"225\1") for operator, old in _IVORY_COAST_2021],
)

# Benin, 2024: 01 before every number. Cameroon, 2014: 6 before every mobile number.
_BENIN = _Plan([(r"229([2-9]\d{7})", r"22901\1")], [(r"22901([2-9]\d{7})", r"229\1")])
_CAMEROON = _Plan([(r"237([5-9]\d{7})", r"2376\1")], [(r"2376([5-9]\d{7})", r"237\1")])

# Gabon, 2019: another digit before mobile numbers, which were written with their zero or without it.
_GABON_2019 = (("2", "62"), ("4", "74"), ("5", "65"), ("6", "66"), ("7", "77"))
_GABON = _Plan(
    [(rf"2410?{old}(\d{{6}})", rf"241{new}\g<1>") for old, new in _GABON_2019],
    [(rf"241{new}(\d{{6}})", rf"241{zero}{old}\g<1>") for old, new in _GABON_2019 for zero in ("0", "")],
)

# Palestinian mobile numbers are reached by both country codes.
_PALESTINE = _Plan([(r"972(5[69]\d{7})", r"970\1")], [(r"970(5[69]\d{7})", r"972\1")])

_PLANS = {
    "52": _MEXICO,
    "54": _ARGENTINA,
    "55": _BRAZIL,
    "84": _VIETNAM,
    "225": _IVORY_COAST,
    "229": _BENIN,
    "237": _CAMEROON,
    "241": _GABON,
    "970": _PALESTINE,
    "972": _PALESTINE,
}
PREFIXES = tuple(_PLANS)  # where a number has other spellings at all
