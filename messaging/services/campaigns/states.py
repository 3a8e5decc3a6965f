"""The states of a campaign: how it changes them, and how it is held."""

import datetime as dt
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from laaffic_console.gateway.models import AccountHold
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.kit.audit.acts import Act
from laaffic_console.kit.sql.constant_sql import Given, Update, kept
from laaffic_console.kit.words.people import username
from laaffic_console.kit.words.said import gettext as _
from messaging.models import Campaign, CampaignState, HoldKind
from messaging.services import events, steps


def hold(campaign_id: int, reason: str, kind: HoldKind = HoldKind.OTHER) -> None:
    """The system's own pause, always with one sentence why; `kind` says it to whatever decides by it."""
    with transaction.atomic():
        campaign = steps.locked(Campaign, campaign_id)
        if campaign.state in (CampaignState.RUNNING, CampaignState.SCHEDULED):
            hold_locked(campaign, reason, kind)


def hold_locked(campaign: Campaign, reason: str, kind: HoldKind = HoldKind.OTHER) -> None:
    """As `hold`, for a campaign that the caller has locked, whatever its state."""
    _hold(campaign, reason, kind, None)


def _hold(campaign: Campaign, reason: str, kind: HoldKind, by: User | None) -> None:
    event = _("Held: %(reason)s") % {"reason": reason}
    move(campaign, CampaignState.HELD, event, by, hold_reason=reason, hold_kind=kind)


def stopped_by(campaign: Campaign) -> AccountHold | None:
    """The hold of the account, of its application, or of this campaign alone."""
    return account_hold.stop_for(campaign.application_id) or account_hold.open_hold_of_campaign(campaign.pk)


def hold_for(campaign: Campaign, stopped_by: AccountHold, by: User | None) -> None:
    """The seconds in which a launch can be taken back are kept: it goes on by itself, and not before they end."""
    undo_until = campaign.undo_until
    _hold(campaign, stopped_by.sentence, HoldKind.ACCOUNT, by)
    campaign.account_hold, campaign.undo_until = stopped_by, undo_until
    campaign.save(update_fields=["account_hold", "undo_until"])


def wait_again(campaign: Campaign) -> None:
    """Put it back to waiting for its moment, because what held it is over."""
    undo_until = campaign.undo_until
    move(campaign, CampaignState.SCHEDULED, _("Resumed: it waits for its time"), None)
    campaign.undo_until = undo_until
    campaign.save(update_fields=["undo_until"])


def move(
    campaign: Campaign,
    state: CampaignState,
    event: str,
    by: User | None,
    hold_reason: str = "",
    *,
    hold_kind: HoldKind | None = None,
    finished_at: dt.datetime | None = None,
) -> None:
    was = _take(campaign, state, hold_reason, hold_kind)
    also: dict[str, Any] = {} if finished_at is None else {"finished_at": finished_at}
    if state == CampaignState.DRAFT:  # an approver's word was on the launch that is taken back
        campaign.outside_hours = also["outside_hours"] = False
    held = {"hold_reason": campaign.hold_reason, "hold_kind": campaign.hold_kind}
    _moved(*also, campaign=campaign.pk, state=state, **held, **also)
    steps.note(campaign, event, by)
    events.campaign_moved(campaign, was, by=username(by))


def move_new(campaign: Campaign, state: CampaignState, event: str, by: User | None) -> None:
    """As a move, for a campaign made in this transaction: the caller writes its row, with the fields in `MOVED`."""
    was = _take(campaign, state)
    campaign.wait_reason = ""
    steps.note_together(campaign, [steps.created(), (event, Act.STEPPED)], by)
    events.campaign_moved(campaign, was, by=username(by))


MOVED = ("state", "hold_reason", "hold_kind", "wait_reason", "account_hold", "undo_until")


def _take(campaign: Campaign, state: CampaignState, hold_reason: str = "", hold_kind: HoldKind | None = None) -> str:
    """Set the state on the object only; return the state that it was in."""
    was, campaign.state = campaign.state, state
    campaign.hold_reason, campaign.hold_kind = hold_reason, hold_kind or ""
    campaign.account_hold = campaign.undo_until = None
    return was


@Update
def _moved(*also: str) -> tuple[QuerySet[Campaign], dict[str, Any]]:
    to = kept(Campaign, "state", "hold_reason", "hold_kind", *also)
    return Campaign.objects.filter(pk=Given("campaign")), {
        **to,
        "wait_reason": "",
        "account_hold": None,
        "undo_until": None,
    }
