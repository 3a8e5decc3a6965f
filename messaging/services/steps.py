"""The steps that every kind of campaign takes on its way: its lock, the state it must be in, the note of what happened.

An email campaign is one request about a list that Laaffic keeps: it has no pause, no audience, no batches. So its
modules in `email/` share these steps with those in `campaigns/`, and nothing more of its life.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from django.contrib.auth.models import User

from laaffic_console.gateway.models import AccountHold
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.kit.audit import row_changes
from laaffic_console.kit.audit.acts import Act, actor, record, record_event
from laaffic_console.kit.sql.constant_sql import Given, Insert, Select
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.said import gettext as _
from messaging.models import (
    Campaign,
    CampaignEvent,
    CampaignState,
    EmailCampaign,
    EmailCampaignEvent,
    EmailCampaignState,
    HoldKind,
)
from messaging.models.campaign_bases import Launched

# Written where a restore replaces the tables, and replaced when it has marked what may have left. Never translated.
UNFINISHED_RESTORE = "A restore has not finished. Run it again with its file."


def goes_on_by_itself(stop: AccountHold) -> str:
    """Why nothing leaves, and that it goes on by itself: the sentence of lost answers says so already."""
    if stop.code == account_hold.LOST:
        return stop.sentence
    return _("%(reason)s The campaign goes on by itself as soon as Laaffic accepts.") % {"reason": stop.sentence}


Kind = TypeVar("Kind", Campaign, EmailCampaign)


def locked(kind: type[Kind], campaign_id: int) -> Kind:
    """The campaign, its row locked without joins: a joined row could predate the lock (docs/mechanisms/locks.md)."""
    found: Kind | None = _locked[kind].first(kind, pk=campaign_id)
    if found is None:
        raise kind.DoesNotExist
    return found


def _locking(kind: type[Campaign] | type[EmailCampaign]) -> Select:
    return Select(lambda: kind._default_manager.select_for_update(no_key=True).filter(pk=Given("pk")).order_by())


_locked = {kind: _locking(kind) for kind in (Campaign, EmailCampaign)}


def require(campaign: Campaign | EmailCampaign, states: Sequence[str], verb: str) -> None:
    """NotNow where it is in another state: it cannot be `verb`, such as "paused"."""
    if campaign.state in states:
        return
    said = _("“%(name)s” is %(state)s: it cannot be %(verb)s.")
    if campaign.state in (CampaignState.DRAFT, EmailCampaignState.DRAFT):
        said = _("“%(name)s” is a draft: it cannot be %(verb)s.")
    raise NotNow(said % {"name": campaign.name, "state": campaign.get_state_display().lower(), "verb": verb})


def is_restore_unfinished(held: Launched) -> bool:
    return held.is_held_as(HoldKind.RESTORE_UNFINISHED, UNFINISHED_RESTORE)


def require_restored(campaign: Campaign | EmailCampaign) -> None:
    """NotNow while a restore has not said yet which of its messages may have left (laws#unknown-stays)."""
    if is_restore_unfinished(campaign):
        raise NotNow(_("A restore has not finished. Run it again with its file."))


def note(campaign: Campaign | EmailCampaign, text: str, by: User | None, kind: Act = Act.STEPPED) -> None:
    """Write a step into the campaign's own history and into the audit log."""
    note_together(campaign, [(text, kind)], by)


def note_together(campaign: Campaign | EmailCampaign, noted: Sequence[tuple[str, Act]], by: User | None) -> None:
    """Several that happen at once, in their order, by one statement."""
    event: type[Any] = campaign.events.model
    _keep[event]([event(campaign=campaign, text=text, actor=by) for text, _kind in noted])
    for text, kind in noted:
        record_event(campaign, text, by, kind)


_keep = {kind: Insert(kind, keys=True) for kind in (CampaignEvent, EmailCampaignEvent)}


def kept(campaign: Campaign | EmailCampaign, by: User | None, *, is_new: bool, is_noted: bool = True) -> None:
    """A draft was written or edited by somebody, who cannot approve it then.

    Not `is_noted`: the code that launches it in this transaction notes that with the launch.
    """
    if by is not None:
        _add_author(campaign, by, is_new=is_new)
    if is_noted:
        text, kind = created() if is_new else (_("Edited"), Act.CHANGED)
        note(campaign, text, by, kind)


def is_edited(stored: Any, draft: Any, columns: Iterable[str]) -> bool:
    """Whether any of the columns differs: who only presses the button has edited nothing, and may still approve."""
    return any(getattr(stored, column) != getattr(draft, column) for column in columns)


def tell(draft: Campaign | EmailCampaign, before: row_changes.Before | None = None) -> None:
    """Record in the audit log that somebody wrote a draft, or edited one that said `before`. Edits from the shell are
    recorded by the note in its history instead (acts.record_event)."""
    who = actor()
    if who is None or who.is_shell:
        return
    if before is None:
        record(Act.ADDED, draft)
    else:
        row_changes.record(draft, before)


def created() -> tuple[str, Act]:
    """How a history begins, for `note_together`."""
    return _("Created"), Act.ADDED


def _add_author(campaign: Campaign | EmailCampaign, by: User, *, is_new: bool) -> None:
    """A new draft has no author yet that this could be."""
    if is_new and isinstance(campaign, Campaign):
        _first_author([Author(campaign_id=campaign.pk, user_id=by.pk)])
    else:
        campaign.authors.add(by)


Author: type[Any] = Campaign.authors.through
_first_author = Insert(Author, keys=True)
