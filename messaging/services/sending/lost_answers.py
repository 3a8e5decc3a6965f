"""The brake on lost answers: a gateway that hangs must not make thousands of people unknown.

After so many lost answers in a row the campaign is held; when several campaigns see it, so is the account. The hold
asks for the balance, which harms nobody, and what it stopped goes on when that is answered. What was in flight when it
was placed stays unknown, as after any lost answer.
"""

import datetime as dt
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from laaffic_console.gateway.models import AccountHold, EntryState, LedgerEntry
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.kit.words.said import gettext as _

WAITING = (EntryState.PREPARED, EntryState.IN_FLIGHT, EntryState.NOT_SENT)  # these say nothing about the gateway
# A request may be settled behind so many that were made after it. By the moment of settling nothing finds the last ones
# among all of a campaign: a spoken message is a request of its own.
OVERTAKEN_BY = 300
WELL = 20  # requests; most of them answered before the lost ones, and it is not the last hold's trouble again


def brake(campaign_id: int) -> AccountHold | None:
    """After a lost answer: the hold that it led to, on the campaign or on the account."""
    in_a_row = settings.LAAFFIC_LOST_ANSWERS
    if not in_a_row:
        return None
    newest = _last_settled(campaign_id, in_a_row + WELL)
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


def _last_settled(campaign_id: int, n: int) -> list[str]:
    """The states of at most n requests since the last brake was let go, the last settled first; one whose worker died
    says nothing (it has no reason)."""
    let_go = account_hold.lost_last_ended(["account", account_hold.of_campaign(campaign_id)])
    speaking: list[tuple[dt.datetime, str]] = [
        (settled_at, state)
        for state, reason, left_at, settled_at in _newest(campaign_id)[: n + OVERTAKEN_BY]
        if (state != EntryState.UNKNOWN or reason) and (let_go is None or (left_at is not None and left_at > let_go))
    ]
    speaking.sort(key=lambda one: one[0], reverse=True)
    return [state for _settled_at, state in speaking[:n]]


def _newest(campaign_id: int) -> "QuerySet[LedgerEntry, Any]":
    """The newest answers in the index's order. The caller skips useless ones: a filter would scan older rows."""
    of_campaign = LedgerEntry.objects.filter(about_kind="campaign", about_id=campaign_id, settled_at__isnull=False)
    newest = of_campaign.exclude(state__in=WAITING).order_by("-id")
    return newest.values_list("state", "reason", "left_at", "settled_at")


def _mostly_answered(states: list[str]) -> bool:
    return len(states) == WELL and states.count(EntryState.UNKNOWN) <= WELL // 2


def _campaigns_held() -> int:
    return AccountHold.objects.filter(
        scope__startswith=account_hold.CAMPAIGN, code=account_hold.LOST, released_at=None
    ).count()
