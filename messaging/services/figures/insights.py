"""What a campaign's page tells beside its counts: pace, countries, reasons with what to do. All from tallies."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from laaffic_console.gateway.services.work import workers
from laaffic_console.kit.words import dates, durations
from laaffic_console.kit.words.figures import in_percent, money, number
from laaffic_console.kit.words.stored_words import in_words
from laaffic_console.laaffic import Family, lookup
from messaging.models import ActivityTally, Campaign, CampaignState, MessageState, OutcomeTally
from messaging.services.batches import waiting as waiting_batches
from messaging.services.tallies import counting

PACE_MINUTES = 2
CHART_MINUTES = 120

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
    per_second: float
    limit: int | None
    seconds_left: float | None

    @property
    def left(self) -> str:
        return durations.in_words(self.seconds_left)


def pace(campaign: Campaign) -> Pace | None:
    """Recipients a second over the last minutes, and how long the rest takes at that."""
    return paces([campaign], counting.counts_of_many([campaign.pk])).get(campaign.pk)


def paces(campaigns: Sequence[Campaign], counts: dict[int, dict[str, int]]) -> dict[int, Pace]:
    """The paces of those that run, in one query."""
    began = {c.pk: c.first_sent_at for c in campaigns if c.state == CampaignState.RUNNING and c.first_sent_at}
    now = timezone.now()
    since = (now - dt.timedelta(minutes=PACE_MINUTES)).replace(second=0, microsecond=0)
    accepted = ActivityTally.objects.filter(campaign__in=began, minute__gte=since, state=MessageState.ACCEPTED)
    sent = dict(accepted.order_by().values_list("campaign_id").annotate(n=Sum("messages")))
    found = {}
    due = waiting_batches.last_due(list(began))
    for campaign in campaigns:
        if campaign.pk not in began:
            continue
        seconds = (now - max(began[campaign.pk], since)).total_seconds()
        per_second = sent.get(campaign.pk, 0) / max(seconds, 1.0)
        waiting = counts[campaign.pk]["queued"] + counts[campaign.pk]["claimed"]
        rates = [rate for rate in (campaign.rate_per_second, campaign.application.rate_per_second) if rate]
        left = waiting / per_second if per_second and waiting else None
        if waiting and campaign.pk in due:  # the last of it leaves then, whatever the pace
            left = max(left or 0.0, (due[campaign.pk] - now).total_seconds())
        found[campaign.pk] = Pace(per_second, min(rates) if rates else None, left)
    return found


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
        "percent": in_percent(progress["percent"]),
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
    if pace and pace.limit and counts["queued"]:
        return _("Its rate of %(n)s a second sets the pace.") % {"n": number(pace.limit)}
    return ""


def spending(campaign: Campaign, counts: dict[str, int]) -> list[dict[str, Any]]:
    """By currency: charged so far, and about how much at the end if the rest costs what these did."""
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
    return [(in_words(reason) or _("no reason given"), n, advice_for(reason)) for n, reason in ordered[:8]]


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
