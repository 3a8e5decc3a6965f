"""Folding the campaigns' outcomes into hours, and what the hours say.

Code that settles messages moves a campaign's OutcomeTally and nothing else. Each row remembers how much of it has been
folded; the rest is added to the current hour and remembered in the same transaction, so a fold that dies has done
nothing and one that runs twice finds nothing.
"""

import datetime as dt
from collections import Counter
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet, Sum
from django.utils import timezone

from laaffic_console.gateway.services.work import leases
from laaffic_console.kit.words.figures import share
from messaging.models import IS_OPEN_BATCH, Batch, Campaign, HourTally, MessageState, OutcomeTally
from messaging.services.tallies.counting import amount
from messaging.services.tallies.tally_writes import upsert_tallies

AT_ONCE = 1000
HOUR = dt.timedelta(hours=1)
WITH_A_REASON = [MessageState.REJECTED, MessageState.UNDELIVERED]
FAILED = [*WITH_A_REASON, MessageState.EXPIRED]

Where = tuple[int, str, int, str, str]  # application, country, state, reason, currency


def fold(now: dt.datetime | None = None) -> int:
    """Take what has moved since the last fold into the current hour; how many tallies that were."""
    hour = hour_of(now or timezone.now())
    folded = 0
    with leases.lease("hours") as lease:
        if lease is None:
            return 0
        while taken := _fold_some(hour):
            folded += taken
            if taken < AT_ONCE or not lease.renew():
                break
        _fold_unknown(hour)
    return folded


def hour_of(moment: dt.datetime) -> dt.datetime:
    """The console's own hour: in India it begins at half past of UTC, and so does the day."""
    return timezone.localtime(moment).replace(minute=0, second=0, microsecond=0)


@transaction.atomic
def _fold_some(hour: dt.datetime) -> int:
    """Rows that a writer holds are passed over: the next fold finds them, and neither waits for the other."""
    unfolded = OutcomeTally.objects.filter(OutcomeTally.UNFOLDED).order_by("pk").select_for_update(skip_locked=True)
    rows = list(unfolded[:AT_ONCE])
    if not rows:
        return 0
    campaigns = Campaign.objects.filter(pk__in={row.campaign_id for row in rows}).only("application_id", "channel")
    of = {campaign.pk: campaign for campaign in campaigns}
    messages: Counter[Where] = Counter()
    paid: Counter[Where] = Counter()
    for row in rows:
        where = (of[row.campaign_id].application_id, row.country, row.state, row.reason, row.currency)
        messages[where] += row.messages - row.folded_messages
        paid[where] += row.pay_micros - row.folded_micros
    _add(hour, {where: (n, paid[where]) for where, n in messages.items()})
    OutcomeTally.objects.filter(pk__in=[row.pk for row in rows]).update(
        folded_messages=F("messages"), folded_micros=F("pay_micros")
    )
    _note_charged({row.pk: of[row.campaign_id].channel for row in rows if row.currency and not row.charged_channel})
    return len(rows)


def _note_charged(channels: dict[int, str]) -> None:
    """{tally: its campaign's channel} of those of which reports named a price: by it prices are learned."""
    for channel in sorted(set(channels.values())):
        charged = [pk for pk, of_it in channels.items() if of_it == channel]
        OutcomeTally.objects.filter(pk__in=charged).update(charged_channel=channel)


@transaction.atomic
def _fold_unknown(hour: dt.datetime) -> None:
    """Unknown is not an outcome but a standing, which the batches tell: an hour gets by how much it has changed."""
    standing = Counter(dict(_lost().values_list("campaign__application_id").annotate(n=Sum("unknown"))))
    kept = HourTally.objects.filter(state=MessageState.UNKNOWN).order_by()
    standing.subtract(dict(kept.values_list("application_id").annotate(n=Sum("messages"))))
    _add(hour, {(application, "", int(MessageState.UNKNOWN), "", ""): (n, 0) for application, n in standing.items()})


def _add(hour: dt.datetime, changes: dict[Where, tuple[int, int]]) -> None:
    upsert_tallies(
        HourTally._meta.db_table,
        ["hour", "application_id", "country", "state", "reason", "currency"],
        ["messages", "pay_micros"],
        [(hour, *where, *change) for where, change in changes.items() if any(change)],
    )


def _lost() -> "QuerySet[Batch]":
    """Batches with unknown messages."""
    return Batch.objects.filter(IS_OPEN_BATCH, unknown__gt=0).order_by()


def unknown_now() -> int:
    return int(_lost().aggregate(n=Sum("unknown"))["n"] or 0)


def unknown_until(end: dt.datetime) -> int:
    """How many messages were unknown at the end of an hour."""
    changes = HourTally.objects.filter(state=MessageState.UNKNOWN, hour__lt=end)
    return int(changes.aggregate(n=Sum("messages"))["n"] or 0)


def _unfolded() -> "QuerySet[OutcomeTally]":
    """What has moved since the last fold: added to the hours, it makes all figures of the same moment. Read after the
    hours: a fold in between then leaves something out for a moment, but counts nothing twice."""
    return OutcomeTally.objects.filter(OutcomeTally.UNFOLDED).order_by()


def spent(start: dt.datetime, end: dt.datetime | None = None) -> dict[str, Decimal]:
    """{currency: what reports said was charged in these hours}; without an end, up to this moment."""
    rows = HourTally.objects.filter(hour__gte=start).exclude(currency="").order_by()
    if end is not None:
        rows = rows.filter(hour__lt=end)
    found = Counter(dict(rows.values_list("currency").annotate(total=Sum("pay_micros"))))
    if end is None:
        since = _unfolded().exclude(currency="").values_list("currency")
        found.update(dict(since.annotate(total=Sum(F("pay_micros") - F("folded_micros")))))
    return {currency: amount(total) for currency, total in sorted(found.items()) if total}


def reasons(start: dt.datetime, at_most: int = 6) -> list[tuple[str, int]]:
    """Why messages failed, the most frequent first; nobody gives a reason for reports that never came."""
    failed = HourTally.objects.filter(hour__gte=start, state__in=WITH_A_REASON).order_by()
    found = Counter(dict(failed.values_list("reason").annotate(n=Sum("messages"))))
    since = _unfolded().filter(state__in=WITH_A_REASON).values_list("reason")
    found.update(dict(since.annotate(n=Sum(F("messages") - F("folded_messages")))))
    ordered = sorted(((reason, n) for reason, n in found.items() if n > 0), key=lambda one: (-one[1], one[0]))
    return ordered[:at_most]


def countries(start: dt.datetime, at_most: int = 8) -> list[dict[str, Any]]:
    """{country, delivered, failed, rate}, those with most messages first; rate is of those whose end is known."""
    rows = HourTally.objects.filter(hour__gte=start, state__in=[*FAILED, MessageState.DELIVERED]).order_by()
    delivered: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    since = _unfolded().filter(state__in=[*FAILED, MessageState.DELIVERED]).values_list("country", "state")
    for country, state, n in (
        *rows.values_list("country", "state").annotate(n=Sum("messages")),
        *since.annotate(n=Sum(F("messages") - F("folded_messages"))),
    ):
        (delivered if state == MessageState.DELIVERED else failed)[country] += n
    ends = {country: max(delivered[country], 0) + max(failed[country], 0) for country in delivered | failed}
    ordered = sorted((country for country, n in ends.items() if n), key=lambda country: (-ends[country], country))
    return [
        {
            "country": country,
            "delivered": delivered[country],
            "failed": max(failed[country], 0),
            "rate": share(max(delivered[country], 0), ends[country]),
        }
        for country in ordered[:at_most]
    ]
