"""Ringing for work that was forgotten: bells that were lost, senders that died, times that have come."""

import datetime as dt

from laaffic_console.gateway.services.database import database_clock, isolation
from laaffic_console.gateway.services.work import bell, leases
from messaging import job_names
from messaging.models import IS_OPEN_BATCH, Batch, BatchState, Campaign, CampaignState
from messaging.services.batches import unanswered, waiting
from messaging.services.campaigns import campaigns, starting
from messaging.services.launching import undo


def sweep(now: dt.datetime | None = None) -> None:
    now = now or database_clock.now()
    scheduled = Campaign.objects.filter(undo.comes(now), state=CampaignState.SCHEDULED).values_list("pk", flat=True)
    isolation.each(scheduled, starting.start_scheduled, "start of campaign {}".format)
    running = Campaign.objects.filter(state=CampaignState.RUNNING)
    over = running.filter(latest_end__lte=now).values_list("pk", flat=True)
    isolation.each(over, campaigns.hold_after_end, "end of campaign {}".format)
    asleep = set(waiting.asleep(running).values_list("pk", flat=True))
    for campaign_id, frozen in running.values_list("pk", "audience"):
        if campaign_id not in asleep and not leases.is_held(f"send:{campaign_id}"):
            bell.ring(job_names.SEND_CAMPAIGN, campaign_id)
        if frozen == Campaign.Audience.FREEZING and not leases.is_held(f"freeze:{campaign_id}"):
            bell.ring(job_names.FREEZE_AUDIENCE, campaign_id)
    claimed = Batch.objects.filter(IS_OPEN_BATCH.implied, state=BatchState.CLAIMED)
    of_claimed = claimed.order_by().values_list("campaign_id", flat=True).distinct()
    isolation.each(of_claimed, _recover_stale, "lost requests of campaign {}".format)
    cancelled = Batch.objects.filter(
        IS_OPEN_BATCH.implied, state=BatchState.QUEUED, campaign__state=CampaignState.CANCELLED
    )
    of_cancelled = cancelled.order_by().values_list("campaign_id", flat=True).distinct()
    isolation.each(of_cancelled, campaigns.cancel_all_waiting, "cancelling of campaign {}".format)


def _recover_stale(campaign_id: int) -> None:
    unanswered.recover_stale(campaign_id, leases.holder(f"send:{campaign_id}"))
