"""The brake on lost answers: a gateway that hangs must not make thousands of people unknown.

After so many lost answers in a row the campaign is held; when several campaigns see it, so is the account. The hold
asks for the balance, which harms nobody, and what it stopped goes on when that is answered. What was in flight when it
was placed stays unknown, as after any lost answer.
"""

import operator

from django.conf import settings
from django.db.models import Q

from laaffic_console.gateway.models import AccountHold, EntryState, LedgerEntry
from laaffic_console.gateway.services import account_hold
from laaffic_console.kit.said import gettext as _

WAITING = (EntryState.PREPARED, EntryState.IN_FLIGHT, EntryState.NOT_SENT)  # these say nothing about the gateway
NEWEST = 500  # requests that are looked at: more than were ever under way at once
WELL = 20  # requests; most of them answered before the lost ones, and it is not the last hold's trouble again


def brake(campaign_id: int) -> AccountHold | None:
    """After a lost answer: the hold that it led to, on the campaign or on the account."""
    in_a_row = settings.LAAFFIC_LOST_ANSWERS
    if not in_a_row:
        return None
    newest = _settled(campaign_id)[: in_a_row + WELL]
    lost, before = newest[:in_a_row], newest[in_a_row:]
    if len(lost) < in_a_row or set(lost) != {EntryState.UNKNOWN}:
        return None
    shown = {"n": in_a_row}
    said = _("The last %(n)d answers of Laaffic were lost. It is asked now and then, and sending goes on by itself.")
    is_new = _mostly_answered(before)
    hold = account_hold.place_for_lost_answers(said % shown, campaign_id=campaign_id, is_new_trouble=is_new)
    campaigns = _campaigns_held()
    if settings.LAAFFIC_LOST_ANSWERS_CAMPAIGNS and campaigns >= settings.LAAFFIC_LOST_ANSWERS_CAMPAIGNS:
        said = _("Laaffic's answers to %(n)d campaigns were lost. It is asked now and then, and all goes on by itself.")
        return account_hold.place_for_lost_answers(said % {"n": campaigns}, is_new_trouble=is_new)
    return hold


def _settled(campaign_id: int) -> list[str]:
    """The states of requests since the last brake was let go, newest first; one whose worker died says nothing (it has
    no reason).

    Of the newest requests alone: a campaign may have a million, and whoever waits for this is who sends them.
    """
    settled = LedgerEntry.objects.filter(about_kind="campaign", about_id=campaign_id).exclude(state__in=WAITING)
    settled = settled.exclude(Q(state=EntryState.UNKNOWN, reason=""))
    let_go = account_hold.lost_last_ended(["account", account_hold.of_campaign(campaign_id)])
    if let_go is not None:
        settled = settled.filter(left_at__gt=let_go)
    newest = settled.filter(settled_at__isnull=False).order_by("-id").values_list("settled_at", "state")
    seen = list(newest[: max(NEWEST, settings.LAAFFIC_LOST_ANSWERS + WELL)])
    return [
        state for _at, state in sorted(seen, key=operator.itemgetter(0), reverse=True)
    ]  # at one moment: newest first


def _mostly_answered(states: list[str]) -> bool:
    return len(states) == WELL and states.count(EntryState.UNKNOWN) <= WELL // 2


def _campaigns_held() -> int:
    return AccountHold.objects.filter(
        scope__startswith=account_hold.CAMPAIGN, code=account_hold.LOST, released_at=None
    ).count()
