"""What queued messages wait for, until when, and when that is to be looked at again."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, Max, Min, OuterRef, Q, QuerySet, Sum

from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.work import bell, moments
from laaffic_console.kit.sql.constant_sql import Given, Select
from laaffic_console.kit.words.said import gettext as _
from messaging import job_names
from messaging.models import IS_OPEN_BATCH, ApplicationCalendar, Batch, BatchState, Calendar, Campaign, CampaignState
from messaging.services.gates import canary, gates, sending_hours

AT_ONCE = 200  # batches a transaction
MOST_SHOWN = 100
NEVER = f":{sending_hours.NEVER}"
CLAIMS_LAST = dt.timedelta(seconds=5)  # a claim that had read the calendar before its change has ended by then
JOB = "messaging.jobs.follow_calendars"


class Waiting(NamedTuple):
    why: str  # a sentence
    until: dt.datetime | None  # None: what it waits for tells no moment
    n: int


def of(campaign: Campaign) -> list[Waiting]:
    """The parts of the campaign that wait for a moment to come, the next first; [] for a campaign that is over."""
    if campaign.state in (CampaignState.FINISHED, CampaignState.CANCELLED):
        return []
    queued = Batch.objects.filter(
        IS_OPEN_BATCH.implied, campaign=campaign, state=BatchState.QUEUED, not_before__gt=database_clock.now()
    )
    sums = queued.order_by().values("waits_for", "not_before").annotate(n=Sum("queued"))
    found: dict[tuple[dt.datetime | None, str], int] = {}
    for row in sums:
        until = row["not_before"] if gates.tells_when(row["waits_for"]) else None
        found[until, row["waits_for"]] = found.get((until, row["waits_for"]), 0) + row["n"]
    ordered = sorted(found, key=lambda key: (key[0] is None, key[0].timestamp() if key[0] else 0.0, key[1]))
    return [Waiting(in_words(why), until, found[until, why]) for until, why in ordered[:MOST_SHOWN]]


def may_be_put_aside(campaign: Campaign) -> bool:
    """Whether a person may put its hours aside: it runs, is paused or is held, and nobody has put them aside yet."""
    is_going = campaign.state in (CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.HELD)
    return is_going and not campaign.outside_hours


def last_due(campaign_ids: Sequence[int]) -> dict[int, dt.datetime]:
    """{campaign id: when the last of its waiting batches may leave}, without campaigns where nothing waits."""
    queued = Batch.objects.filter(IS_OPEN_BATCH.implied, campaign__in=campaign_ids, state=BatchState.QUEUED)
    queued = queued.filter(not_before__isnull=False).exclude(waits_for__startswith=canary.WHY)
    return dict(queued.order_by().values_list("campaign").annotate(due=Max("not_before")))


def sentence(campaign_id: int, due: dt.datetime) -> str:
    """The sentence for a campaign of which nothing leaves before the moment `due`."""
    queued = Batch.objects.filter(IS_OPEN_BATCH.implied, campaign=campaign_id, state=BatchState.QUEUED)
    why = queued.filter(not_before=due).values_list("waits_for", flat=True).first() or ""
    if why.endswith(NEVER) and (opens := _opens(queued)):  # those whom some moment suits say when
        due = opens
    elif why and not gates.tells_when(why):
        return in_words(why)
    said = _("Nothing of it may leave before %(when)s (%(zone)s).")
    return said % {"when": due, "zone": settings.TIME_ZONE}


def _opens(queued: "QuerySet[Batch]") -> dt.datetime | None:
    by_hours = queued.filter(waits_for__startswith=f"{sending_hours.NAME}:").exclude(waits_for__endswith=NEVER)
    first: dt.datetime | None = by_hours.aggregate(first=Min("not_before"))["first"]
    return first


def as_documents(campaign: Campaign) -> list[dict[str, Any]]:
    """What waits, as documents for `campaign report --json` (commands#documents)."""
    return [{"why": why, "until": until and until.isoformat(), "n": n} for why, until, n in of(campaign)]


def of_batch(batch: Batch) -> Waiting | None:
    """Why this message's batch waits, and until when; None if it does not wait."""
    if batch.state != BatchState.QUEUED or batch.not_before is None or batch.not_before <= database_clock.now():
        return None
    until = batch.not_before if gates.tells_when(batch.waits_for) else None
    return Waiting(in_words(batch.waits_for), until, batch.queued)


def in_words(why: str) -> str:
    return gates.in_words(why) if why else _("Another try, after Laaffic did not take it.")


def next_due(campaign_id: int) -> dt.datetime | None:
    """When the first of what is queued may leave; None where nothing waits for a moment."""
    for (due,) in _next_due.rows(campaign=campaign_id):
        return cast(dt.datetime, due)
    return None


@Select
def _next_due() -> "QuerySet[Batch, Any]":
    queued = Batch.objects.filter(campaign=Given("campaign"), state=BatchState.QUEUED, not_before__isnull=False)
    return queued.order_by("not_before").values_list("not_before")[:1]


def moments_due(by: dt.datetime) -> list[tuple[int, dt.datetime]]:
    """(campaign, the first moment that comes by then from which on something of it may leave), for moments."""
    ahead = Batch.objects.filter(moments.just_before("not_before", by), state=BatchState.QUEUED)
    running = ahead.filter(campaign__state=CampaignState.RUNNING).order_by()
    return list(running.values_list("campaign_id").annotate(first=Min("not_before")))


def asleep(campaigns: QuerySet[Campaign]) -> QuerySet[Campaign]:
    """The campaigns with nothing to do for some time: frozen, nothing claimed, and all that is queued waits."""
    of_it = Batch.objects.filter(IS_OPEN_BATCH.implied, campaign=OuterRef("pk"))
    soon = database_clock.now() + moments.AHEAD  # a sender waits for no more than that
    waits = of_it.filter(state=BatchState.QUEUED, not_before__gt=soon)
    to_do = of_it.filter(
        Q(state=BatchState.QUEUED) & (Q(not_before=None) | Q(not_before__lte=soon)) | Q(state=BatchState.CLAIMED)
    )
    return campaigns.filter(Exists(waits), ~Exists(to_do), audience=Campaign.Audience.FROZEN)


def look_again(campaign_ids: Sequence[int]) -> None:
    """Make what waits for hours claimable again: the claim then waits by the hours that hold now."""
    for campaign_id in campaign_ids:
        after: int | None = 0
        while after is not None:
            after = _look_at_some(campaign_id, after)
        bell.ring(job_names.SEND_CAMPAIGN, campaign_id)


@transaction.atomic
def _look_at_some(campaign_id: int, after: int) -> int | None:
    waits = Batch.objects.filter(
        IS_OPEN_BATCH.implied,
        campaign_id=campaign_id,
        state=BatchState.QUEUED,
        not_before__isnull=False,
        waits_for__startswith=f"{sending_hours.NAME}:",
        pk__gt=after,
    )
    ids = list(waits.select_for_update().order_by("id").values_list("pk", flat=True)[:AT_ONCE])
    Batch.objects.filter(pk__in=ids).update(not_before=None)
    return ids[-1] if ids else None


def follow_calendars() -> None:
    """Look again at what waits by a calendar that was changed. Repeated, it changes nothing.

    The machine that saved it may have dated the change by a wrong clock, so here it gets the database's moment.
    """
    running = Campaign.objects.filter(state__in=[CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.HELD])
    for kind in (Calendar, ApplicationCalendar):
        is_new = Q(looked_at=None) | Q(looked_at__lt=F("changed_at") + CLAIMS_LAST)
        for row in kind._default_manager.filter(is_new):
            began = database_clock.now()
            if isinstance(row, Calendar):
                by_it = Q(calendar=row) | Q(calendar=None, application__sending_hours__calendar=row)
            else:
                by_it = Q(calendar=None, application=row.application_id)
            look_again(list(running.filter(by_it).values_list("pk", flat=True)))
            is_misdated = row.looked_at is None or row.changed_at > began
            as_read = kind._default_manager.filter(pk=row.pk, changed_at=row.changed_at)
            as_read.update(looked_at=began, changed_at=began if is_misdated else row.changed_at)
