"""The launch checks, for every kind of draft: what stops it, what needs a reason, what needs a tick.

What is looked at is each kind's own (`campaigns/launch_checks.py`, `email/launch_checks.py`, voice's
`group_calls/starting.py`); what is looked at alike is here. A person's launch is checked again when the button is
pressed.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.gateway.services.work import workers
from laaffic_console.kit.words.countries import rows_of
from laaffic_console.kit.words.figures import money, number
from laaffic_console.kit.words.plain_text import is_blank
from messaging.services.audience import recipient_clocks
from messaging.services.audience.recipient_clocks import Clock
from messaging.services.budgets import budgets
from messaging.services.forecast import balance_forecast
from messaging.services.reports.prices import Cost


class Level(StrEnum):
    STOP = "stop"  # cannot be launched
    REASON = "reason"  # can be, when somebody says why; the reason is kept with the campaign
    TICK = "tick"  # can be, when somebody ticks that they have seen it
    NOTE = "note"  # nothing goes wrong by it


@dataclass(frozen=True, slots=True)
class Check:
    key: str
    level: Level
    sentence: str
    moves: bool = False  # its sentence changes with the clock or with each reading: a tick is about the check itself


class NotSeen(Exception):
    """What the launch checks find, one sentence each: blockers, ticks and reasons that are missing."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences


def in_order(found: Iterable[Check]) -> list[Check]:
    """The checks in the order in which they are shown: those that stop the launch come first."""
    return sorted(found, key=lambda check: list(Level).index(check.level))


def is_stopped(found: Iterable[Check]) -> bool:
    return any(check.level == Level.STOP for check in found)


def sentences_of(found: Iterable[Check]) -> dict[str, str]:
    """{check: sentence}, which a tick is about."""
    return {check.key: check.sentence for check in found if not check.moves}


def require(
    found: Iterable[Check],
    *,
    ticked: set[str],
    reasons: Mapping[str, str] | None = None,
    sentences: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """{key: reason} as given; NotSeen where something is missing. A check that has come up since needs its tick too.

    `sentences`: {key: as it was shown}. A tick or reason counts only for the sentence that it was given to.
    """
    missing: list[str] = []
    given: dict[str, str] = {}
    said = dict(reasons or {})
    for check in found:
        if sentences is not None and not check.moves and sentences.get(check.key) != check.sentence:
            ticked, said = ticked - {check.key}, {**said, check.key: ""}
        if check.level == Level.STOP or (check.level == Level.TICK and check.key not in ticked):
            missing.append(check.sentence)
        elif check.level == Level.REASON and is_blank(given.setdefault(check.key, said.get(check.key, "").strip())):
            missing.append(_("%(sentence)s Say why it is sent anyway.") % {"sentence": check.sentence})
    if missing:
        raise NotSeen(missing)
    return given


def account(application_id: int) -> Iterator[Check]:
    if stopped_by := account_hold.stop_for(application_id):
        said = _("%(reason)s It will be held, and goes on by itself when Laaffic accepts again.")
        if stopped_by.code == account_hold.LOST:  # its own sentence says the rest
            said = _("%(reason)s It will be held until then.")
        yield Check("account", Level.NOTE, said % {"reason": stopped_by.sentence})


def no_country(n: int) -> Iterator[Check]:
    """Digits without a country code can be taken for a possible number of another country: 138 0013 8000 begins +1."""
    if n:
        said = ngettext(
            "%(n)s number is of no country. If its country code is missing, it reaches nobody: write it with +.",
            "%(n)s numbers are of no country. If their country code is missing, they reach nobody: write them with +.",
            n,
        )
        yield Check("no_country", Level.NOTE, said % {"n": number(n)})


def balance(cost: Cost) -> Iterator[Check]:
    after = balance_forecast.of(cost)
    if after is not None and not after.is_enough:
        said = _(
            "The balance of %(balance)s does not cover the expected %(cost)s. It would be held when the money ends."
        )
        if not after.is_named:
            said = _(
                "If the balance of %(balance)s, which names no currency, is in %(currency)s, it does not cover the "
                "expected %(cost)s: it would be held when the money ends."
            )
        words = {"balance": money(after.before), "cost": money(after.cost), "currency": after.currency}
        yield Check("balance", Level.TICK, said % words, moves=True)


def budget(
    application: Application,
    recipients: int | None,
    cost: Cost,
    *,
    is_whole: bool = False,
    leaves: dt.datetime | None = None,
) -> Iterator[Check]:
    """Beforehand, of what is left by now; who sends first takes it. `is_whole`: one request, which fits or waits.

    `leaves`: when it begins, where that is later: a period that begins before then has a budget of its own.
    """
    for standing in budgets.standings(application, budgets.day_of(leaves) if leaves else None):
        one = standing.budget
        needs = cost.by_currency.get(one.currency, Decimal()) if one.currency else recipients or 0
        words = {
            "limit": budgets.in_words(one, one.limit),
            "left": budgets.in_words(one, standing.left),
            "per": one.get_per_display().lower(),
        }
        if standing.counter.lifted_at is None and not one.currency and recipients is None and is_whole:
            yield Check(f"budget:{one.pk}", Level.TICK, budgets.size_not_known(one), moves=True)
        elif standing.counter.lifted_at is None and needs > standing.left:
            said = _(
                "Of the budget of %(limit)s for each %(per)s %(left)s are left. What fits leaves, then it is held."
            )
            if is_whole:
                said = _("Of the budget of %(limit)s for each %(per)s %(left)s are left: it will be held, whole.")
            yield Check(f"budget:{one.pk}", Level.TICK, said % words, moves=True)
        if one.currency and (countries := cost.countries_without_price):
            said = _(
                "The budget of %(limit)s for each %(per)s cannot be looked at beforehand for %(countries)s: no price."
            )
            words["countries"] = rows_of(countries[:10])
            yield Check(f"budget_price:{one.pk}", Level.NOTE, said % words)
        elif one.currency and is_whole and one.currency not in cost.by_currency:
            said = _("The budget of %(limit)s for each %(per)s cannot be looked at beforehand: its price is not known.")
            yield Check(f"budget_price:{one.pk}", Level.NOTE, said % words)


def night(clocks: Sequence[Clock]) -> Iterator[Check]:
    if sentence := recipient_clocks.at_night(clocks):
        yield Check("night", Level.TICK, sentence, moves=True)


def no_worker() -> Iterator[Check]:
    if not workers.alive():
        yield Check("workers", Level.NOTE, _("No worker is alive: nothing leaves before one is started."))
