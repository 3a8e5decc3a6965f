"""What an audience was looked at for when it was frozen, so that a claim looks again only at what may differ since.

Consent and the frequency cap are asked of everybody at the freezing. A claim must see what has changed after that, and
that is little: asking again for a thousand numbers takes longer than everything else of their claim. So the launch
notes by what it looked (`begin`), each chunk that it still holds (`confirm`), and a claim asks everything again
where it does not, or where the note is missing.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from laaffic_console.kit.sql.constant_sql import Given, Select
from messaging.models import IS_OPEN_BATCH, ActivityTally, Batch, BatchState, Campaign, CampaignState

SKEW = dt.timedelta(minutes=5)  # between the clocks of two workers
MINUTE = dt.timedelta(minutes=1)  # what a tally counts together
UNDER_WAY = (CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.HELD)
MANY = 50  # campaigns that ended just before a launch; with more of them everything is asked again


@dataclass(frozen=True, slots=True)
class Frozen:
    """The cap, consent and moment by which a campaign's audience was chosen."""

    since: dt.datetime  # what was written after it may not have been seen
    cap: tuple[int, int]  # in a day, in a week; 0: none
    consent: bool  # asked of everybody
    ended: dict[int, str]  # campaigns that had sent everything by then, and when they had: their messages were counted


def noted(channel: str, launched_at: dt.datetime, cap: tuple[int, int], consent: bool) -> dict[str, Any]:
    """What a launch keeps with its campaign, before anybody of it is frozen."""
    if not (any(cap) or consent):
        return {}
    ended = _ended_lately(channel, launched_at) if any(cap) else {}
    return {} if ended is None else {"cap": list(cap), "consent": consent, "ended": ended}


def confirm(campaign: Campaign, cap: tuple[int, int], consent: bool) -> None:
    """Drop the note for good if cap or consent setting has changed since; called in each chunk's transaction."""
    note = campaign.frozen_by
    if note and (note["cap"], note["consent"]) != (list(cap), consent):
        Campaign.objects.filter(pk=campaign.pk).update(frozen_by={})
        campaign.frozen_by = {}


def of(campaign: Campaign) -> Frozen | None:
    """What is noted of it now, for a claim that has its batches; None if everything must be asked again."""
    for note, launched_at in _note.rows(campaign=campaign.pk):
        if note and launched_at is not None:
            ended = {int(pk): at for pk, at in note["ended"].items()}
            return Frozen(launched_at - SKEW, (note["cap"][0], note["cap"][1]), note["consent"], ended)
    return None


@Select
def _note() -> "QuerySet[Campaign, Any]":
    return Campaign.objects.filter(pk=Given("campaign")).values_list("frozen_by", "launched_at")


def others_sent(campaign: Campaign, frozen: Frozen) -> bool:
    """Whether anything of another campaign on the channel may have left since."""
    rows = _sending_since.rows(
        channel=campaign.channel, campaign=campaign.pk, since=frozen.since, minute=frozen.since - MINUTE
    )
    return any(
        state != CampaignState.FINISHED or frozen.ended.get(pk) != _said(finished_at) for pk, state, finished_at in rows
    )


@Select
def _sending_since() -> "QuerySet[Campaign, Any]":
    """(id, state, when it was finished), in two parts: an index leads past all that finished before, which "or" does
    not use."""
    asked = _sent_since().values_list("pk", "state", "finished_at")
    open_ones = asked.filter(state__in=[*UNDER_WAY, CampaignState.CANCELLED])
    return open_ones.union(asked.filter(state=CampaignState.FINISHED, finished_at__gte=Given("since")), all=True)


def _sent_since() -> QuerySet[Campaign]:
    """Other campaigns on the channel whose messages were claimed or answered since then."""
    in_hands = Batch.objects.filter(
        IS_OPEN_BATCH.implied,
        campaign=OuterRef("pk"),
        state__in=[BatchState.CLAIMED, BatchState.UNKNOWN],
        claimed_at__gte=Given("since"),
    )
    active = ActivityTally.objects.filter(campaign=OuterRef("pk"), minute__gte=Given("minute"))
    of_channel = Campaign.objects.filter(channel=Given("channel")).exclude(pk=Given("campaign"))
    counted = of_channel.exclude(kind=Campaign.Kind.TEST).exclude(purpose=Campaign.Purpose.TRANSACTIONAL)
    return counted.filter(Exists(in_hands) | Exists(active)).order_by()


def _ended_lately(channel: str, launched_at: dt.datetime) -> dict[str, str] | None:
    """{campaign id: when it finished} of those that a claim could take for ones that sent since; None: too many."""
    finished = Campaign.objects.filter(
        channel=channel, state=CampaignState.FINISHED, finished_at__gte=launched_at - SKEW
    )
    rows = list(finished.order_by().values_list("pk", "finished_at")[: MANY + 1])
    return None if len(rows) > MANY else {str(pk): _said(at) for pk, at in rows}


def _said(at: dt.datetime | None) -> str:
    return at.isoformat() if at else ""
