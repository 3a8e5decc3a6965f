"""What a campaign's page tells beside its counts: pace, countries, reasons with what to do. All from tallies."""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from laaffic_console.gateway.services.work import workers
from laaffic_console.kit.words import dates, durations
from laaffic_console.kit.words.figures import money, number
from laaffic_console.kit.words.stored_words import reason_in_words
from laaffic_console.laaffic import Family, lookup
from messaging.models import ActivityTally, Campaign, CampaignEvent, CampaignState, MessageState, OutcomeTally
from messaging.services.batches import waiting as waiting_batches
from messaging.services.tallies import counting

PACE_MINUTES = 2
CHART_MINUTES = 120
AT_LIMIT = 0.8  # of its rate: what is less, something else makes slow
RESUMED = "Resumed"  # the words of its event (services/campaigns)
ANSWERED = (MessageState.ACCEPTED, MessageState.REJECTED)  # both take their turn of a rate

# What the carriers' words mean for an operator (they are nowhere documented; these are the usual ones).
ADVICE = {
    "absent": gettext_lazy("The phone was off or out of reach. Trying again later may help."),
    "unknown subscriber": gettext_lazy("The number is not in use. Remove it from your lists."),
    "spam": gettext_lazy("A carrier's filter stopped it. Reword the text or ask about the sender ID."),
    "handset": gettext_lazy("The phone could not take it. Trying again later may help."),
    "not accepted by the provider": gettext_lazy(
        "The gateway left the number out without a reason. Check that it is a mobile."
    ),
}


@dataclass(frozen=True, slots=True)
class Pace:
    per_second: float  # while it moved: what it stood still is not counted
    limit: int | None
    seconds_left: float | None
    is_at_limit: bool = False

    @property
    def left(self) -> str:
        return durations.in_words(self.seconds_left)


def pace(campaign: Campaign) -> Pace | None:
    """Recipients a second over the last minutes, and how long the rest takes at that."""
    return paces([campaign], counting.counts_of_many([campaign.pk])).get(campaign.pk)


def paces(campaigns: Sequence[Campaign], counts: dict[int, dict[str, int]]) -> dict[int, Pace]:
    """The paces of those that run, in a fixed number of queries."""
    began = {c.pk: c.first_sent_at for c in campaigns if c.state == CampaignState.RUNNING and c.first_sent_at}
    if not began:
        return {}
    now = timezone.now()
    sent = _sent_by_minute(began, now)
    events = CampaignEvent.objects.filter(campaign__in=began, at__gte=_since(now)).order_by("at")
    still = _still(events, _since(now))
    due = waiting_batches.last_due(list(began))
    sleeping = waiting_batches.asleep(Campaign.objects.filter(pk__in=due)) if due else Campaign.objects.none()
    asleep = set(sleeping.values_list("pk", flat=True))
    found = {}
    for campaign in campaigns:
        if campaign.pk not in began:
            continue
        by_minute = sent.get(campaign.pk, {})
        per_second = 0.0
        if campaign.pk not in asleep:
            seconds = _seconds_moved(by_minute, began[campaign.pk], still.get(campaign.pk, []), now)
            per_second = sum(by_minute.values()) / max(seconds, 1.0)
        waiting = counts[campaign.pk]["queued"] + counts[campaign.pk]["claimed"]
        rates = [rate for rate in (campaign.rate_per_second, campaign.application.rate_per_second) if rate]
        limit = min(rates) if rates else None
        left = waiting / per_second if per_second and waiting else None
        if waiting and campaign.pk in due:  # the last of it leaves then, whatever the pace
            left = max(left or 0.0, (due[campaign.pk] - now).total_seconds())
        found[campaign.pk] = Pace(per_second, limit, left, bool(limit and per_second >= AT_LIMIT * limit))
    return found


def _since(now: dt.datetime) -> dt.datetime:
    return (now - dt.timedelta(minutes=PACE_MINUTES)).replace(second=0, microsecond=0)


def _sent_by_minute(ids: Iterable[int], now: dt.datetime) -> dict[int, dict[dt.datetime, int]]:
    rows = ActivityTally.objects.filter(campaign__in=ids, minute__gte=_since(now), state__in=ANSWERED)
    found: dict[int, dict[dt.datetime, int]] = {}
    for pk, minute, n in rows.order_by().values_list("campaign_id", "minute").annotate(n=Sum("messages")):
        if n > 0:
            found.setdefault(pk, {})[minute] = n
    return found


Span = tuple[dt.datetime, dt.datetime]


def _still(events: Iterable[CampaignEvent], since: dt.datetime) -> dict[int, list[Span]]:
    """{campaign: when it stood still}: from the event that stopped it, the one before, until it was resumed."""
    found: dict[int, list[Span]] = {}
    stopped: dict[int, dt.datetime] = {}
    for event in events:
        if getattr(event.text, "words", "") == RESUMED:
            found.setdefault(event.campaign_id, []).append((stopped.get(event.campaign_id, since), event.at))
        stopped[event.campaign_id] = event.at
    return found


def _seconds_moved(
    by_minute: dict[dt.datetime, int], began: dt.datetime, still: Sequence[Span], now: dt.datetime
) -> float:
    """How long it moved in the minutes in which anything was answered: a minute without is one that it stood still."""
    moved = 0.0
    for minute in by_minute:
        start, end = max(minute, began), min(minute + dt.timedelta(minutes=1), now)
        rested = sum(_seconds(max(start, stopped), min(end, resumed)) for stopped, resumed in still)
        moved += max(0.0, _seconds(start, end) - rested)
    return moved


def _seconds(start: dt.datetime, end: dt.datetime) -> float:
    return max(0.0, (end - start).total_seconds())


def spoken(campaign: Campaign, progress: dict[str, Any], pace: Pace | None) -> str:
    """One sentence for screen readers."""
    if not progress["is_counted"]:
        return str(campaign.get_state_display())
    said = ngettext(
        "%(state)s, %(percent)s of %(total)s recipient, %(delivered)s delivered.",
        "%(state)s, %(percent)s of %(total)s recipients, %(delivered)s delivered.",
        progress["total"],
    ) % {
        "state": campaign.get_state_display(),
        "percent": counting.done_in_words(campaign, progress),
        "total": number(progress["total"]),
        "delivered": number(progress["counts"]["delivered"]),
    }
    about = _("About %(left)s left.")
    return f"{said} {about % {'left': pace.left}}" if pace and pace.left else said


def why_waiting(campaign: Campaign, counts: dict[str, int], pace: Pace | None) -> str:
    """What the queued messages wait for, where no hold and no gateway's answer has said it; "" if nothing waits."""
    if campaign.hold_reason or campaign.wait_reason:
        return ""
    if campaign.state == CampaignState.SCHEDULED and campaign.scheduled_at:
        return _("It starts by itself at %(when)s.") % {"when": dates.planned(campaign.scheduled_at)}
    if campaign.state == CampaignState.PAUSED:
        return _("It was paused. Resume sends the rest.")
    if campaign.state != CampaignState.RUNNING:
        return ""
    if not workers.alive():
        return _("No worker is alive. Start one with manage.py worker; nothing is lost in the meantime.")
    if campaign.audience != Campaign.Audience.FROZEN:
        return _("Its recipients are still being counted; those already counted are sent to in the meantime.")
    if pace and pace.limit and pace.per_second and counts["queued"]:
        if pace.is_at_limit:
            return _("Its rate of %(n)s a second sets the pace.") % {"n": number(pace.limit)}
        slower = _(
            "It is slower than its rate of %(n)s a second allows: other campaigns or the gateway's answers take time."
        )
        return slower % {"n": number(pace.limit)}
    return ""


def spending(campaign: Campaign, counts: dict[str, int]) -> list[dict[str, Any]]:
    """For each currency: what was charged so far, and about how much at the end if the rest costs the same."""
    rows = OutcomeTally.objects.filter(campaign=campaign).exclude(currency="").order_by("currency")
    sums = list(rows.values_list("currency").annotate(paid=Sum("pay_micros"), n=Sum("messages")))
    pending = sum(counts[state] for state in ("queued", "claimed", "accepted", "unknown"))
    found = []
    for currency, paid, n in sums:
        about = paid + paid * pending // n if len(sums) == 1 and n > 0 and pending else None
        found.append(
            {
                "currency": currency,
                "paid": money(paid / counting.MICROS),
                "charged": n,
                "about": None if about is None else money(about / counting.MICROS),
            }
        )
    return found


def failure_reasons(campaign: Campaign) -> list[tuple[str, int, str]]:
    """(reason, messages, what to do), the most frequent first."""
    by_reason = counting.outcomes_by(campaign, "reason")
    failed = {reason: states.get("undelivered", 0) + states.get("rejected", 0) for reason, states in by_reason.items()}
    ordered = sorted(((n, reason) for reason, n in failed.items() if n), reverse=True)
    return [(reason_in_words(reason) or _("no reason given"), n, advice_for(reason)) for n, reason in ordered[:8]]


def advice_for(reason: str) -> str:
    if code := re.match(r"(-\d+)\b", reason):
        return _(lookup(Family.SMS, code.group(1)).advice)
    return next((str(advice) for words, advice in ADVICE.items() if words in reason.lower()), "")


def countries(campaign: Campaign) -> list[tuple[str, dict[str, int]]]:
    """All of them, the largest first."""
    by_country = counting.outcomes_by(campaign, "country")
    return sorted(by_country.items(), key=lambda entry: -sum(entry[1].values()))


def activity_chart(campaign: Campaign) -> dict[str, Any] | None:
    """Accepted, delivered and undelivered by the minute, the last two hours of activity; None before any of it."""
    names = [
        (MessageState.ACCEPTED, _("Accepted"), "#2563eb"),
        (MessageState.DELIVERED, _("Delivered"), "#16a34a"),
        (MessageState.UNDELIVERED, _("Undelivered"), "#dc2626"),
    ]
    rows = ActivityTally.objects.filter(campaign=campaign, state__in=[state for state, _name, _colour in names])
    minutes = sorted(set(rows.order_by("-minute").values_list("minute", flat=True).distinct()[:CHART_MINUTES]))
    found = {(row.minute, row.state): row.messages for row in rows.filter(minute__in=minutes)}
    if not minutes:
        return None
    return {
        "labels": [timezone.localtime(minute).strftime("%H:%M") for minute in minutes],
        "datasets": [
            {
                "label": name,
                "data": [found.get((minute, state), 0) for minute in minutes],
                "backgroundColor": colour,
                "borderColor": colour,
            }
            for state, name, colour in names
        ],
    }
