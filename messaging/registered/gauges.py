"""What /metrics tells of campaigns and messages."""

import datetime as dt
from collections.abc import Iterator

from django.db.models import Count, Sum

from laaffic_console.kit.registers.gauges import Gauge
from messaging.models import (
    IS_OPEN_BATCH,
    ActivityTally,
    Batch,
    Campaign,
    CampaignState,
    EmailCampaign,
    EmailCampaignState,
    HourTally,
    MessageState,
)

MINUTES = 5
# Campaigns that are over are not counted: there is one for each message that a script has sent.
NOT_OVER = [state for state in CampaignState if state not in (CampaignState.FINISHED, CampaignState.CANCELLED)]
EMAILS_NOT_OVER = [
    state for state in EmailCampaignState if state not in (EmailCampaignState.FINISHED, EmailCampaignState.CANCELLED)
]
ENDS = [state for state in MessageState if state != MessageState.UNKNOWN]


def campaigns_and_messages(now: dt.datetime) -> Iterator[Gauge]:
    found = Campaign.objects.filter(state__in=NOT_OVER).order_by()
    states = dict(found.values_list("state").annotate(Count("pk")))
    rows: dict[tuple[str, ...], float] = {(state.value,): states.get(state.value, 0) for state in NOT_OVER}
    yield Gauge("campaigns", "Campaigns that are not over, by state", ["state"], rows)

    emails = EmailCampaign.objects.filter(state__in=EMAILS_NOT_OVER).order_by()
    states = dict(emails.values_list("state").annotate(Count("pk")))
    rows = {(state.value,): states.get(state.value, 0) for state in EMAILS_NOT_OVER}
    yield Gauge("email_campaigns", "Email campaigns that are not over, by state", ["state"], rows)

    open_batches = Batch.objects.filter(IS_OPEN_BATCH).order_by().values_list("campaign__channel")
    rows = {}
    for channel, queued, unknown in open_batches.annotate(Sum("queued"), Sum("unknown")):
        rows |= {(channel, "queued"): queued, (channel, "unknown"): unknown}
    yield Gauge("messages_open", "Messages that wait, and those whose answer was lost", ["channel", "state"], rows)

    day = now - dt.timedelta(days=1)
    ended = HourTally.objects.filter(hour__gte=day, state__in=ENDS).order_by()
    by_outcome = ended.values_list("application__channel", "state").annotate(Sum("messages"))
    # A late report takes a failure back: less than nothing is not told.
    rows = {(channel, MessageState(state).key): max(n, 0) for channel, state, n in by_outcome}
    yield Gauge("messages_last_day", "Messages by outcome, in the last 24 hours", ["channel", "outcome"], rows)

    lately = ActivityTally.objects.filter(minute__gte=now - dt.timedelta(minutes=MINUTES)).order_by()
    rows = {(MessageState(state).key,): max(n, 0) for state, n in lately.values_list("state").annotate(Sum("messages"))}
    yield Gauge("messages_last_minutes", f"What happened to messages in the last {MINUTES} minutes", ["state"], rows)
