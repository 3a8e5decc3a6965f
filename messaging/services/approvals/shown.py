"""What somebody was shown before they decided on a draft, and how what is true now differs from it (laws#as-shown).

It holds who gets what (a digest over each member's id, number and merge values), how many, what it costs, and the
draft's own fields. A page posts it back, signed; an approval and a launch keep it; a start by the clock compares it.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy

from laaffic_console.kit.words.figures import money
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import lasting
from messaging.models import Campaign, ConsentEvent, ConsentState, SuppressionRelease
from messaging.services.audience import rules
from messaging.services.forecast.forecast import Forecast
from messaging.services.reports.prices import Cost

MANY_BACK = 10_000  # more numbers than these are not looked at one by one
AT_ONCE = 1000
PRICE_MOVES = Decimal("0.01")  # of what was shown: reports that come in move learned prices by less

# {part: (its name in a sentence, the campaign's fields in it)}: an edit of any of them voids an approval.
PARTS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "text": (gettext_lazy("the text"), ("text",)),
    "sender ID": (gettext_lazy("the sender ID"), ("sender_id",)),
    "application": (gettext_lazy("the application"), ("application_id",)),
    "content": (gettext_lazy("what goes with the text"), ("channel", "channel_options", "kind")),
    "numbers": (gettext_lazy("the numbers"), ("extra_numbers", "paste_id")),
    "purpose": (gettext_lazy("the purpose"), ("purpose",)),
    "schedule": (gettext_lazy("the schedule"), ("scheduled_at", "latest_start_minutes")),
    "calendar": (gettext_lazy("the hours"), ("calendar_id", "local_time", "latest_end")),
    "canary": (gettext_lazy("the few first"), ("canary", "canary_wait", "canary_reports", "canary_least")),
    "limits": (gettext_lazy("rate and limits"), ("rate_per_second", "error_limit")),
    "groups": (gettext_lazy("the groups"), ()),
    "audiences": (gettext_lazy("the audiences, or a condition of theirs"), ()),
}
# What happens to a campaign, or only names it.
NOT_BOUND = {
    *("id", "name", "template_version_id", "created_by_id", "created_at", "launched_by_id", "launched_at"),
    *("first_sent_at", "finished_at", "undo_until"),
    *("state", "hold_reason", "hold_kind", "account_hold_id", "wait_reason", "errors", "shown", "retry_of_id"),
    "outside_hours",
    *("forecast", "drift"),
    *("audience", "audience_cursor", "audience_end", "member_end", "rules", "frozen_by", "paste_cursor", "total"),
    *("dropped_suppressed", "dropped_excluded", "dropped_capped", "dropped_consent", "dropped_invalid"),
}


MOVED_SINCE_LAUNCH = ("schedule", "calendar", "limits")  # its time has come, another pace was set, its end was lifted
UNPRICED_IN = "unpriced_in"  # the field of Shown, which is kept among its parts
NAMES = {part: name for part, (name, _fields) in PARTS.items()}


@dataclass(frozen=True, slots=True)
class Shown:
    """`people`: digest of all members who are not excluded; `reached`: of those who are not suppressed either."""

    parts: dict[str, str]
    people: str
    reached: str
    recipients: int | None  # None: nobody can tell
    cost: dict[str, str]  # {currency: amount}
    unpriced: int  # recipients in countries without a price
    at: str  # when it was counted
    unpriced_in: Sequence[str] = field(default_factory=list)  # the countries without a price

    @property
    def digest(self) -> str:
        return digest(asdict(self))


def of(campaign: Campaign, planned: Forecast) -> Shown:
    """What is shown of the campaign as it is now; `planned` must be counted to its end."""
    counted = planned.counted
    return Shown(
        parts=parts_of(campaign),
        people=counted.people,
        reached=counted.reached_people,
        recipients=counted.recipients,
        cost={currency: str(amount) for currency, amount in planned.cost.by_currency.items()},
        unpriced=planned.cost.without_price,
        at=counted.started_at.isoformat(),
        unpriced_in=planned.cost.countries_without_price,
    )


def parts_of(campaign: Campaign) -> dict[str, str]:
    """{part: digest} of the draft's own fields: what can be compared without looking at anybody."""
    parts: dict[str, Any] = {
        part: [getattr(campaign, field) for field in fields] for part, (_name, fields) in PARTS.items() if fields
    }
    if campaign.local_time:
        parts["schedule"][0] = None  # the launch sets it, from that time and who is in the audience
    if not any(parts["calendar"]):
        del parts["calendar"]  # so that approvals from before there were calendars still match
    if not campaign.canary:
        del parts["canary"]  # for the same reason; its other columns mean nothing then
    parts["groups"] = [
        sorted(groups.values_list("pk", flat=True)) for groups in (campaign.groups, campaign.excluded_groups)
    ]
    parts["audiences"] = [[rule["audience"], rule["tree"]] for rule in rules.kept(campaign)]
    if not campaign.purpose:
        del parts["purpose"]  # so that what was shown before there were purposes is still the same
    return {part: digest(value) for part, value in parts.items()}


def changed_parts(
    before: Mapping[str, str | None], now: Mapping[str, str], names: Mapping[str, Any] = NAMES
) -> list[str]:
    """Their names, which are read in each reader's language; a part that is new counts as changed."""
    return [_(str(lasting(name))) for part, name in names.items() if now.get(part) != before.get(part)]


def people_words(before: Shown, now: Shown) -> str:
    if before.recipients == now.recipients:
        return _("who is in the groups, their numbers or the fields of the text")
    said = _("who is in the groups or suppressed; recipients: %(before)s before, %(now)s now")
    return said % counts(before, now)


def counts(before: Shown, now: Shown) -> dict[str, str]:
    return {"before": _grouped(before.recipients), "now": _grouped(now.recipients)}


def changes(
    before: Shown,
    now: Shown,
    *,
    fewer_is_fine: bool = False,
    moved: Sequence[str] = (),
    names: Mapping[str, Any] = NAMES,
    people: Callable[[Shown, Shown], str] = people_words,
    names_any: Callable[[Sequence[str]], bool] = bool,
    learned: Cost | None = None,
) -> list[str]:
    """What differs, each before and after; [] where what was shown is what would happen.

    `fewer_is_fine`: that some of the same people were suppressed since does not count, nor what they would have cost.
    `moved`: parts that its own steps may have changed since its launch.
    `names_any`: whether the draft names any of some numbers; where nobody can tell, each counts as named.
    `learned`: what `now` costs by country, where that a price has become known since does not count.
    """
    found = changed_parts({**before.parts, **{part: now.parts.get(part) for part in moved}}, now.parts, names)
    are_fewer = fewer_is_fine and _are_fewer(before, now, names_any)
    if before.reached != now.reached and not are_fewer:
        found.append(people(before, now))
    alike = without_learned(before, now, learned) if learned else now
    if not (are_fewer and _costs_no_more(before, alike)) and _costs_otherwise(before, alike):
        found.append(cost_words(before, now))
    return found


def _are_fewer(before: Shown, now: Shown, names_any: Callable[[Sequence[str]], bool]) -> bool:
    """Whether the members are the same, some are suppressed or withdrew consent since, and nobody came back."""
    if before.people != now.people or before.recipients is None or now.recipients is None:
        return False
    if now.recipients >= before.recipients:
        return False
    back = _back_since(dt.datetime.fromisoformat(before.at), now)
    return len(back) <= MANY_BACK and not any(names_any(back[n : n + AT_ONCE]) for n in range(0, len(back), AT_ONCE))


def _back_since(since: dt.datetime, now: Shown) -> list[str]:
    """The numbers of those who may be sent to again; more than MANY_BACK where they are too many."""
    released = SuppressionRelease.objects.filter(released_at__gte=since).order_by()
    found = set(released.values_list("number", flat=True)[: MANY_BACK + 1])
    if settings.LAAFFIC_MARKETING_NEEDS_CONSENT and now.parts.get("purpose") == digest([Campaign.Purpose.MARKETING]):
        agreed = ConsentEvent.objects.filter(state=ConsentState.GIVEN, recorded_at__gte=since).order_by()
        found.update(agreed.values_list("subscriber", flat=True)[: MANY_BACK + 1])
    return sorted(found)


def without_learned(before: Shown, now: Shown, cost: Cost) -> Shown:
    """`now` as it would be if the countries that had no price before still had none: one delivered test is enough to
    learn a price, and nothing about the launch is different for it.
    """
    sums, unpriced = dict[str, Decimal](), now.unpriced
    for part in cost.by_country:
        if part.price is None or part.cost is None:
            continue
        if part.country in before.unpriced_in:
            unpriced += part.recipients
        else:
            sums[part.price.currency] = sums.get(part.price.currency, Decimal(0)) + part.cost
    return replace(now, cost={currency: str(amount) for currency, amount in sums.items()}, unpriced=unpriced)


@dataclass(frozen=True, slots=True)
class Agreed:
    """The new cost that somebody has agreed to; of so many recipients it is not known."""

    cost: Mapping[str, Decimal]
    unpriced: int = 0

    def covers(self, now: Shown) -> bool:
        """Whether it costs no more now than was shown, apart from the little by which prices move by themselves."""
        most = {currency: amount * (1 + PRICE_MOVES) for currency, amount in self.cost.items()}
        is_within = all(Decimal(amount) <= most.get(currency, Decimal(0)) for currency, amount in now.cost.items())
        return is_within and now.unpriced <= self.unpriced


def at_cost_of(before: Shown, now: Shown) -> Shown:
    return replace(before, cost=now.cost, unpriced=now.unpriced, unpriced_in=now.unpriced_in)


def cost_words(before: Shown, now: Shown) -> str:
    return _("expected cost: %(before)s before, %(now)s now") % {"before": _cost(before), "now": _cost(now)}


def _costs_otherwise(before: Shown, now: Shown) -> bool:
    if before.cost.keys() != now.cost.keys() or before.unpriced != now.unpriced:
        return True
    return any(
        abs(_moved(before, now, currency)) > PRICE_MOVES * Decimal(before.cost[currency]) for currency in now.cost
    )


def _costs_no_more(before: Shown, now: Shown) -> bool:
    is_known = now.cost.keys() <= before.cost.keys() and now.unpriced <= before.unpriced
    return is_known and all(_moved(before, now, currency) <= 0 for currency in now.cost)


def _moved(before: Shown, now: Shown, currency: str) -> Decimal:
    return Decimal(now.cost[currency]) - Decimal(before.cost[currency])


def _cost(shown: Shown) -> str:
    said = [money(Decimal(amount), currency) for currency, amount in shown.cost.items()]
    if shown.unpriced:
        said.append(_("unknown for %(n)s") % {"n": _grouped(shown.unpriced)})
    return " + ".join(said) or money(Decimal(0))


def _grouped(number: int | None) -> str:
    return _("not known") if number is None else number_format(number, force_grouping=True)


def as_json(shown: Shown) -> dict[str, Any]:
    """JSON with only the keys that the version before this one reads: during an upgrade it would take no others, and
    compare nothing.
    """
    kept = asdict(shown)
    if countries := kept.pop(UNPRICED_IN):
        kept["parts"] = {**kept["parts"], UNPRICED_IN: ",".join(countries)}
    return kept


def from_json(kept: dict[str, Any] | None) -> Shown | None:
    """None for nothing, and for what cannot be read: it counts as not shown."""
    try:
        return _read(**kept) if kept else None
    except (TypeError, ValueError, AttributeError):
        return None


def _read(*, parts: Mapping[str, str], **rest: Any) -> Shown:
    own = dict(parts)
    countries = own.pop(UNPRICED_IN, "")
    return Shown(parts=own, **{UNPRICED_IN: countries.split(",") if countries else [], **rest})


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, default=_plain, sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> str:
    """A moment in one zone, wherever it was read from."""
    if isinstance(value, dt.datetime):
        return (value if timezone.is_aware(value) else timezone.make_aware(value)).astimezone(dt.UTC).isoformat()
    return str(value)
