"""What is looked at before a launch: what stops it, what needs a reason, what needs a tick.

A person's launch is checked again when the button is pressed, so that nothing is launched that was not seen. A launch
from the shell or at its time obeys only what `campaigns.launch` itself refuses.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from laaffic_console.gateway.services import account_hold, workers
from laaffic_console.kit.figures import money
from messaging import canary_sizes
from messaging.models import Campaign
from messaging.services.approvals import approval_rules
from messaging.services.audience import recipient_clocks, repeats
from messaging.services.budgets import budgets
from messaging.services.campaigns import drafts
from messaging.services.forecast import balance_forecast, forecast
from messaging.services.forecast.forecast import Forecast
from messaging.services.gates import sending_hours


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


Look = Callable[[Campaign, Forecast], Iterator[Check]]


class NotSeen(Exception):
    """What stands against the launch, one sentence each: blockers, ticks and reasons that are missing."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences


def of(campaign: Campaign, planned: Forecast) -> list[Check]:
    """In the order in which they are shown: what stops it first."""
    found = [check for look in LOOKS for check in look(campaign, planned)]
    return sorted(found, key=lambda check: list(Level).index(check.level))


def require(
    campaign: Campaign, *, ticked: set[str], reasons: Mapping[str, str], sentences: Mapping[str, str] | None = None
) -> dict[str, str]:
    """{key: reason} as given; NotSeen where something is missing. A check that has come up since needs its tick too.

    `sentences`: {key: as it was shown}. A tick or reason counts only for the sentence that it was given to.
    """
    planned = forecast.of(campaign)
    if not planned.counted.is_done:
        raise NotSeen([_("The recipients are still being counted. Launch it when all are known.")])
    missing: list[str] = []
    given: dict[str, str] = {}
    for check in of(campaign, planned):
        if sentences is not None and not check.moves and sentences.get(check.key) != check.sentence:
            ticked, reasons = ticked - {check.key}, {**reasons, check.key: ""}
        if check.level == Level.STOP or (check.level == Level.TICK and check.key not in ticked):
            missing.append(check.sentence)
        elif check.level == Level.REASON and not (given.setdefault(check.key, reasons.get(check.key, "").strip())):
            missing.append(_("%(sentence)s Say why it is sent all the same.") % {"sentence": check.sentence})
    if missing:
        raise NotSeen(missing)
    return given


def _grouped(number: int) -> str:
    return number_format(number, force_grouping=True)


def _content(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    for sentence in drafts.problems_of(campaign, drafts.check_ready):
        yield Check("content", Level.STOP, sentence)


def _nobody(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    if planned.counted.is_done and not planned.recipients:
        yield Check("nobody", Level.STOP, _("Nobody would get it: everybody chosen is suppressed or left out."))


def _approval(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    if planned.counted.is_done and (missing := approval_rules.missing(campaign, planned)):
        yield Check("approval", Level.STOP, missing)


def _same_text(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    like = list(repeats.campaigns_like(campaign)[:3])
    names = ", ".join(f"“{other.name}”" for other in like)
    if n := planned.counted.repeated:
        sentence = ngettext(
            "%(n)s of these recipients got the same text within the last 24 hours, by %(campaigns)s.",
            "%(n)s of these recipients got the same text within the last 24 hours, by %(campaigns)s.",
            n,
        )
        yield Check("same_text", Level.REASON, sentence % {"n": _grouped(n), "campaigns": names})
    elif opened := repeats.still_open(campaign):
        yield Check(
            "same_text",
            Level.REASON,
            _("%(campaigns)s sends the same text to a group that is chosen here too.")
            % {"campaigns": ", ".join(f"“{other.name}”" for other in opened)},
        )


def _account(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    if stopped_by := account_hold.stop_for(campaign.application_id):
        yield Check(
            "account",
            Level.NOTE,
            _("%(reason)s It will be held, and goes on by itself when Laaffic accepts again.")
            % {"reason": stopped_by.sentence},
        )


def _balance(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    after = balance_forecast.of(planned.cost)
    if after is not None and not after.is_enough:
        yield Check(
            "balance",
            Level.TICK,
            _("The balance of %(balance)s does not cover the expected %(cost)s. It would be held when the money ends.")
            % {
                "balance": money(after.before),
                "cost": money(after.cost),
            },
            moves=True,
        )


def _budgets(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    """Beforehand, of what is left now; who sends first takes it."""
    for standing in budgets.standings(campaign.application):
        budget = standing.budget
        needs = planned.cost.by_currency.get(budget.currency, Decimal()) if budget.currency else planned.recipients
        words = {
            "limit": budgets.in_words(budget, budget.limit),
            "left": budgets.in_words(budget, standing.left),
            "per": budget.get_per_display().lower(),
        }
        if standing.counter.lifted_at is None and needs > standing.left:
            said = _(
                "Of the budget of %(limit)s for each %(per)s %(left)s are left. What fits leaves, then it is held."
            )
            yield Check(f"budget:{budget.pk}", Level.TICK, said % words, moves=True)
        if budget.currency and (countries := planned.cost.countries_without_price):
            said = _(
                "The budget of %(limit)s for each %(per)s cannot be looked at beforehand for %(countries)s: no price."
            )
            words["countries"] = ", ".join(filter(None, countries[:10])) or "–"
            yield Check(f"budget_price:{budget.pk}", Level.NOTE, said % words)


def _too_long(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    if n := planned.counted.too_long:
        sentence = ngettext(
            "%(n)s recipient gets nothing: the text is too long with the fields filled in.",
            "%(n)s recipients get nothing: the text is too long with the fields filled in.",
            n,
        )
        yield Check("too_long", Level.TICK, sentence % {"n": _grouped(n)})


def _lacking_fields(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    for field, n in planned.lacking_fields.items():
        yield Check(
            f"field:{field}",
            Level.TICK,
            _("%(n)s of the first contacts have no %(field)s. Give the field something to say instead: %(example)s")
            % {"n": _grouped(n), "field": field, "example": "{{" + field + "|…}}"},
        )


def _invalid(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    if n := planned.counted.invalid:
        sentence = ngettext(
            "%(n)s of the given numbers is invalid or there twice, and is left out.",
            "%(n)s of the given numbers are invalid or there twice, and are left out.",
            n,
        )
        yield Check("invalid", Level.TICK, sentence % {"n": _grouped(n)})


def _night(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    if campaign.local_time or sending_hours.rules_of(campaign) is not None:
        return  # nobody is reached at a time that was not chosen for them
    clocks = recipient_clocks.at(forecast.starts_at(campaign), planned.counted)
    if sentence := recipient_clocks.at_night(clocks):
        yield Check("night", Level.TICK, sentence, moves=True)


def _hours(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    """Where no moment suits every clock of a country, its messages would never leave by themselves."""
    if (rules := sending_hours.rules_of(campaign)) is None:
        return
    if never := recipient_clocks.never_open(rules, planned.counted, forecast.starts_at(campaign)):
        said = _("No hour suits all time zones of %(where)s: these wait. Give them hours of their own in the calendar.")
        yield Check("hours", Level.TICK, said % {"where": ", ".join(never)})


def _own_time(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    wall = sending_hours.wall_time(campaign.local_time)
    if wall and (gone := recipient_clocks.passed(wall, planned.counted, timezone.now())):
        said = _("It is later than %(time)s already in %(where)s: there it leaves at once.")
        yield Check("own_time", Level.TICK, said % {"time": campaign.local_time, "where": ", ".join(gone)}, moves=True)


def _late(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    if campaign.scheduled_at and campaign.scheduled_at <= timezone.now() and not campaign.local_time:
        yield Check("late", Level.TICK, _("Its time has passed: it starts at once."))


def _few_first(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    if not campaign.canary or not planned.counted.is_done or not planned.recipients:
        return
    try:
        size = canary_sizes.size(campaign.canary, planned.recipients)
    except canary_sizes.InvalidSize:
        return  # said of its content
    if size >= planned.recipients:
        said = _("The few first are not fewer than its %(n)s recipients: all of it leaves at once, nothing waits.")
        yield Check("canary", Level.TICK, said % {"n": _grouped(planned.recipients)})


def _workers(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    if not workers.alive():
        yield Check("workers", Level.NOTE, _("No worker is alive: nothing leaves before one is started."))


LOOKS: list[Look] = [
    *(_content, _nobody, _approval, _same_text, _account, _balance, _budgets),
    *(_too_long, _lacking_fields, _invalid, _night, _hours, _own_time, _late, _few_first, _workers),
]
