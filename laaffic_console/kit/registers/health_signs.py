"""Signs of health: each app registers its own when it is made ready, the health page shows them among the console's."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True)
class Sign:
    """One line: what it is about, how it stands (good, warn, bad or ""), what it says, and where to go."""

    name: str
    tone: str
    says: str
    link: str = ""


_signs: list[Callable[[], Sign]] = []
_counted: dict[str, type[Model]] = {}
_due: list[Callable[[dt.datetime], Iterable[tuple[str, dt.datetime | None]]]] = []


def register(sign: Callable[[], Sign]) -> None:
    if sign not in _signs:
        _signs.append(sign)


def signs() -> list[Sign]:
    return [sign() for sign in _signs]


def due_with(waiting: Callable[[dt.datetime], Iterable[tuple[str, dt.datetime | None]]]) -> None:
    """`waiting` is told the time and says of each kind of work that falls due since when the oldest has waited."""
    if waiting not in _due:
        _due.append(waiting)


def waiting(now: dt.datetime) -> Iterable[tuple[str, dt.datetime | None]]:
    for of_app in _due:
        yield from of_app(now)


def count_by_state(name: str, model: type[Model]) -> None:
    """A model whose rows have a `state`: the support bundle says how many are in each, under this name."""
    _counted[name] = model


def counted() -> dict[str, type[Model]]:
    return dict(_counted)


def age(moment: dt.datetime | None) -> str:
    """One unit is enough: "12 s", "5 min", "3 h", "2 days"."""
    if moment is None:
        return _("an unknown time")
    seconds = max(0, int((timezone.now() - moment).total_seconds()))
    if seconds < 120:
        return _("%(n)d s") % {"n": seconds}
    if seconds < 7200:
        return _("%(n)d min") % {"n": seconds // 60}
    if seconds < 172_800:
        return _("%(n)d h") % {"n": seconds // 3600}
    return _("%(n)d days") % {"n": seconds // 86_400}
