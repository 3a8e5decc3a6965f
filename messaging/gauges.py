"""What /metrics tells of campaigns and messages."""

import datetime as dt
from collections.abc import Iterator

from django.db.models import Count, Sum

from laaffic_console.kit.gauges import Gauge
from messaging.models import IS_OPEN_BATCH, ActivityTally, Batch, Campaign, CampaignState, HourTally, MessageState

MINUTES = 5


def campaigns_and_messages(now: dt.datetime) -> Iterator[Gauge]:
    states = dict(Campaign.objects.order_by().values_list("state").annotate(Count("pk")))
    rows: dict[tuple[str, ...], float] = {(state.value,): states.get(state.value, 0) for state in CampaignState}
    yield Gauge("campaigns", "Campaigns by state", ["state"], rows)

    open_batches = Batch.objects.filter(IS_OPEN_BATCH).order_by().values_list("campaign__channel")
    rows = {}
    for channel, queued, unknown in open_batches.annotate(Sum("queued"), Sum("unknown")):
        rows |= {(channel, "queued"): queued, (channel, "unknown"): unknown}
    yield Gauge("messages_open", "Messages that wait, and those whose answer was lost", ["channel", "state"], rows)

    day = now - dt.timedelta(days=1)
    ended = HourTally.objects.filter(hour__gte=day, state__in=MessageState.values).order_by()
    by_outcome = ended.values_list("application__channel", "state").annotate(Sum("messages"))
    rows = {(channel, MessageState(state).key): n for channel, state, n in by_outcome}
    yield Gauge("messages_last_day", "Messages by outcome, in the last 24 hours", ["channel", "outcome"], rows)

    lately = ActivityTally.objects.filter(minute__gte=now - dt.timedelta(minutes=MINUTES)).order_by()
    rows = {(MessageState(state).key,): n for state, n in lately.values_list("state").annotate(Sum("messages"))}
    yield Gauge("messages_last_minutes", f"What happened to messages in the last {MINUTES} minutes", ["state"], rows)
