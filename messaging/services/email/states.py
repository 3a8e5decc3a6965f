"""The states of an email campaign: how it changes them, and what its requests say of it."""

import datetime as dt
from collections.abc import Iterator

from django.contrib.auth.models import User
from django.db.models import QuerySet

from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.gateway.services.ledger import restored
from laaffic_console.kit.words.people import username
from laaffic_console.kit.words.said import gettext as _
from messaging.models import EmailCampaign, EmailCampaignState, HoldKind
from messaging.services import events, steps
from messaging.services.budgets import whole_requests
from messaging.services.budgets.earlier_requests import Earlier
from messaging.services.email import care as email_care
from messaging.services.email import counting as email_counting
from messaging.services.email import drafts as email_drafts

ABOUT, INTERFACE = email_care.ABOUT, email_care.INTERFACE

SURELY_NOT = (EntryState.PREPARED, EntryState.REFUSED, EntryState.NOT_SENT)


def requests_of(campaign: EmailCampaign) -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(about_kind=ABOUT, about_id=campaign.pk, interface=INTERFACE)


def may_have_arrived(campaign: EmailCampaign) -> bool:
    """Whether one of its requests left without a certain no: a repeat that is refused says nothing about the first."""
    return requests_of(campaign).exclude(state__in=SURELY_NOT).exists()


def has_a_double(campaign: EmailCampaign) -> bool:
    """Whether a request of another campaign may have brought mails to the same list."""
    others = EmailCampaign.objects.filter(application=campaign.application_id, receiver_id=campaign.receiver_id)
    requests = LedgerEntry.objects.filter(about_kind=ABOUT, interface=INTERFACE).exclude(state__in=SURELY_NOT)
    return requests.filter(about_id__in=list(others.exclude(pk=campaign.pk).values_list("pk", flat=True))).exists()


def earlier(entries: "QuerySet[LedgerEntry]", application_id: int) -> Iterator[Earlier]:
    """What these requests have already taken, if they sent to a list: a budget that is set now starts with it."""
    sending = list(entries.filter(interface=INTERFACE, application=application_id))
    campaigns = EmailCampaign.objects.in_bulk([entry.about_id for entry in sending])
    for entry in sending:
        if campaign := campaigns.get(entry.about_id or 0):
            yield Earlier(entry, _size_of(campaign), email_drafts.cost_of(campaign))


def _size_of(campaign: EmailCampaign) -> int:
    """Of the list of one that was sent; where it is not known, as many as were reported."""
    told = campaign.receiver_count
    return email_counting.counts(campaign)["total"] if told is None else told


def budgets_of(campaign: EmailCampaign) -> whole_requests.Taken:
    """What its request would take of the application's budgets, checked under their counters' locks."""
    return whole_requests.Taken(campaign.application, campaign.receiver_count, email_drafts.cost_of(campaign))


def note_missing(campaign: EmailCampaign, since: dt.datetime, until: dt.datetime) -> None:
    """Its request between these moments, which the ledger lacks as it was restored from a backup: unknown until a
    callback or a person says more. Under the campaign's lock.
    """
    entry = LedgerEntry(
        interface=INTERFACE,
        application=campaign.application,
        about_kind=ABOUT,
        about_id=campaign.pk,
        summary=email_drafts.summary_of(campaign),
        digest=email_drafts.digest_of(campaign),
        attempt=campaign.attempt + 1,
    )
    restored.note_all([entry], since, until)
    budgets_of(campaign).count(entry)
    campaign.entry, campaign.attempt = entry, entry.attempt
    campaign.save(update_fields=["entry", "attempt"])


def hold(campaign: EmailCampaign, reason: str, kind: HoldKind = HoldKind.OTHER) -> None:
    """The system's own stop, always with one sentence why; under the campaign's lock."""
    event = _("Held: %(reason)s") % {"reason": reason}
    move(campaign, EmailCampaignState.HELD, event, None, hold_reason=reason, hold_kind=kind)
    if kind == HoldKind.ACCOUNT:
        campaign.is_held_by_account = True
        campaign.save(update_fields=["is_held_by_account"])


def move(
    campaign: EmailCampaign,
    state: EmailCampaignState,
    event: str,
    by: User | None,
    hold_reason: str = "",
    *,
    hold_kind: HoldKind | None = None,
) -> None:
    was, campaign.state = campaign.state, state
    campaign.hold_reason, campaign.hold_kind, campaign.wait_reason = hold_reason, hold_kind or "", ""
    campaign.is_held_by_account, campaign.undo_until, campaign.waits_for_hours = False, None, False
    columns = ["state", "hold_reason", "hold_kind", "wait_reason"]
    columns += ["is_held_by_account", "undo_until", "waits_for_hours"]
    if state == EmailCampaignState.DRAFT:  # an approver's word was on the launch that is taken back
        campaign.outside_hours = False
        columns.append("outside_hours")
    campaign.save(update_fields=columns)
    steps.note(campaign, event, by)
    events.campaign_moved(campaign, was, by=username(by))
