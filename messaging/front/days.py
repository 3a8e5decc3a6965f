"""Today beside yesterday, from counters that are kept as things happen (laws#history-costs-nothing)."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.kit.words.figures import number
from laaffic_console.kit.words.stored_words import reason_in_words
from messaging.models import ActivityTally, MessageState
from messaging.services.figures import insights
from messaging.services.reports import delivery_times
from messaging.services.tallies import hour_tallies

DAY = dt.timedelta(days=1)


def figures_card(request: HttpRequest) -> dict[str, Any]:
    return {"today": figures(_midnight(), timezone.localtime())}


def spent_card(request: HttpRequest) -> dict[str, Any] | None:
    found = spend(_midnight())
    return {"spend": found} if found else None


def chart_card(request: HttpRequest) -> dict[str, Any]:
    return {"chart": json.dumps(deliveries_chart(timezone.localtime()))}


def countries_card(request: HttpRequest) -> dict[str, Any] | None:
    found = hour_tallies.countries(_a_day_ago())
    return {"countries": found} if found else None


def reasons_card(request: HttpRequest) -> dict[str, Any] | None:
    """Why messages failed, with what to do about each reason."""
    found = hour_tallies.reasons(_a_day_ago())
    if not found:
        return None
    none = _("no reason given")
    return {"reasons": [(reason_in_words(reason) or none, n, insights.advice_for(reason)) for reason, n in found]}


def times_card(request: HttpRequest) -> dict[str, Any] | None:
    found = delivery_times.since(_a_day_ago())
    return {"times": found} if found else None


def _midnight() -> dt.datetime:
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def _a_day_ago() -> dt.datetime:
    return hour_tallies.hour_of(timezone.localtime() - DAY)


def figures(midnight: dt.datetime, now: dt.datetime) -> list[dict[str, Any]]:
    """What happened today, and yesterday up to the same minute; of unknown messages how many there were and are."""
    today = _happened(midnight, now)
    before = _happened(midnight - DAY, now - DAY)
    shown = [
        (_("Accepted"), [MessageState.ACCEPTED], "moving", "accepted_today"),
        (_("Delivered"), [MessageState.DELIVERED], "good", "delivered_today"),
        (_("Failed"), hour_tallies.FAILED, "bad", "failed_today"),
    ]
    return [
        *(
            {
                "name": name,
                "tone": tone,
                "key": key,
                "today": _sum(today, states),
                "then": _("%(n)s by this time yesterday") % {"n": number(_sum(before, states))},
            }
            for name, states, tone, key in shown
        ),
        {
            "name": _("Unknown"),
            "tone": "warn",
            "key": "unknown_now",
            "today": hour_tallies.unknown_now(),
            "then": _("%(n)s by this time yesterday")
            % {"n": number(hour_tallies.unknown_until(hour_tallies.hour_of(now - DAY) + hour_tallies.HOUR))},
        },
    ]


def _sum(happened: Mapping[int, int], states: Sequence[int]) -> int:
    """A late report takes a failure back on the day on which it comes: less than nothing is not shown."""
    return max(sum(happened.get(state, 0) for state in states), 0)


def _happened(start: dt.datetime, end: dt.datetime) -> dict[int, int]:
    happened = ActivityTally.objects.filter(minute__gte=start, minute__lte=end)
    return dict(happened.values_list("state").annotate(total=Sum("messages")).order_by())


def spend(midnight: dt.datetime) -> list[dict[str, Any]]:
    """One dict for each currency: what reports said was charged today, and on the whole of yesterday."""
    today = hour_tallies.spent(midnight)
    yesterday = hour_tallies.spent(midnight - DAY, midnight)
    return [
        {"currency": currency, "today": today.get(currency, 0), "yesterday": yesterday.get(currency, 0)}
        for currency in sorted(today.keys() | yesterday.keys())
    ]


def deliveries_chart(now: dt.datetime) -> dict[str, Any]:
    """Hours of the last day, delivered and failed: the hour that clocks repeat in autumn is two."""
    this_hour = _hour_of(now)
    shown = [this_hour - dt.timedelta(hours=back) for back in range(23, -1, -1)]
    names = [
        (_("Delivered"), MessageState.DELIVERED, "#16a34a"),
        (_("Undelivered"), MessageState.UNDELIVERED, "#dc2626"),
    ]
    found: dict[tuple[dt.datetime, int], int] = {}
    rows = ActivityTally.objects.filter(minute__gte=shown[0], state__in=[state for _name, state, _colour in names])
    for minute, state, total in rows.values_list("minute", "state").annotate(n=Sum("messages")).order_by():
        hour = _hour_of(timezone.localtime(minute))
        found[hour, state] = found.get((hour, state), 0) + total
    return {
        "labels": [timezone.localtime(hour).strftime("%H:%M") for hour in shown],
        "datasets": [
            # A late report takes its failure back in the hour in which it comes: less than nothing is not drawn.
            {"label": name, "data": [max(found.get((hour, state), 0), 0) for hour in shown], "backgroundColor": colour}
            for name, state, colour in names
        ],
    }


def _hour_of(at: dt.datetime) -> dt.datetime:
    """The beginning of its hour by the clock on the wall, in UTC: there no two are alike."""
    return hour_tallies.hour_of(at).astimezone(dt.UTC)
