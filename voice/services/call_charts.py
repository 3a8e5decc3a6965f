"""Charts of calls by day, from the tallies: no page counts the records."""

import datetime as dt
from typing import Any

from django.db.models import Sum
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from laaffic_console.kit.words.figures import share
from laaffic_console.laaffic import CallOutcome
from voice.models import CallTally

DAYS = 30
CONNECTED = (CallOutcome.ANSWERED.value, CallOutcome.VOICEMAIL.value)


def charts() -> dict[str, Any]:
    """{"rate": Chart.js data, "duration": Chart.js data, "calls", "days" …} for the last thirty days (UTC)."""
    today = timezone.now().astimezone(dt.UTC).date()
    days = [today - dt.timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    recent = CallTally.objects.filter(day__gte=days[0])
    calls = dict.fromkeys(days, 0)
    connected, seconds = dict(calls), dict(calls)
    for day, outcome, n, talked in recent.values_list("day", "outcome").annotate(n=Sum("calls"), s=Sum("seconds")):
        if day not in calls:
            continue
        calls[day] += n
        if outcome in CONNECTED:
            connected[day] += n
            seconds[day] += talked
    costs = recent.exclude(currency="").values_list("currency").annotate(total=Sum("cost_micros")).order_by("currency")
    return {
        "calls": sum(calls.values()),
        "days": sum(1 for n in calls.values() if n),
        "connected": sum(connected.values()),
        "rate_now": rate(sum(connected.values()), sum(calls.values())),
        "seconds": round(sum(seconds.values()) / sum(connected.values())) if any(connected.values()) else None,
        "costs": [(currency, total / 1_000_000) for currency, total in costs if total],
        "rate": _chart(days, _("Connected, %"), [rate(connected[day], calls[day]) for day in days], "#16a34a"),
        "duration": _chart(
            days,
            _("Seconds a connected call"),
            [round(seconds[day] / connected[day], 1) if connected[day] else None for day in days],
            "#2563eb",
        ),
    }


def rate(part: int, whole: int) -> float | None:
    return share(part, whole) if whole else None


def _chart(days: list[dt.date], label: str, data: list[float | None], colour: str) -> dict[str, Any]:
    drawn = {"label": label, "data": data, "borderColor": colour, "backgroundColor": colour}
    labels = [date_format(day, "MONTH_DAY_FORMAT") for day in days]
    return {"labels": labels, "datasets": [drawn | {"pointRadius": 3, "spanGaps": True}]}
