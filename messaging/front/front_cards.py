"""Cards of the front page: what runs, what is held and why, what asks for somebody.

Single messages, which scripts send by the thousand, are left out, or come last where somebody is asked to act.
"""

from typing import Any

from django.http import HttpRequest

from laaffic_console.gateway.models import AccountHold
from laaffic_console.kit.words.people import signed_in
from messaging.models import IS_CAMPAIGN, Campaign, CampaignState, EmailCampaign
from messaging.services.approvals import approval_rules, approvals
from messaging.services.budgets import budgets
from messaging.services.email import counting as email_counting
from messaging.services.figures import insights
from messaging.services.replies import conversations
from messaging.services.tallies import counting

SHOWN = 8
LATELY = 4
UNREAD_AT_MOST = 100

Values = dict[str, Any] | None


def held_by_account(request: HttpRequest, hold: AccountHold) -> Values:
    waiting = Campaign.objects.filter(state=CampaignState.HELD, account_hold=hold).count()
    return {"held_by_account": waiting} if waiting else None


def approvals_to_give(request: HttpRequest) -> Values:
    waiting = list(approvals.waiting_for(request.user)[:SHOWN])
    return {"to_approve": waiting} if waiting else None


def held(request: HttpRequest) -> Values:
    """Held campaigns, without those that an account hold stopped: these are shown with that hold."""
    campaigns = _in([CampaignState.HELD], account_hold=None)
    if (room := SHOWN - len(campaigns)) > 0:
        held_too = Campaign.objects.filter(state=CampaignState.HELD, account_hold=None)
        campaigns += held_too.exclude(pk__in=[campaign.pk for campaign in campaigns]).order_by("-id")[:room]
    return {"held": campaigns} if campaigns else None


def budgets_nearly_used(request: HttpRequest) -> Values:
    found = [(one, budgets.in_words(one.budget, one.budget.limit)) for one in budgets.nearly_used()]
    return {"budgets": found} if found else None


def asking_emails(request: HttpRequest) -> Values:
    state = EmailCampaign.State
    asking = EmailCampaign.objects.filter(state__in=[state.HELD, state.UNKNOWN], is_held_by_account=False)
    found = list(asking[:SHOWN])
    return {"asking_emails": found} if found else None


def running(request: HttpRequest) -> Values:
    campaigns = _in([CampaignState.RUNNING, CampaignState.PAUSED])
    return {"running": _rows(campaigns)} if campaigns else None


def emails(request: HttpRequest) -> Values:
    """Email campaigns under way."""
    state = EmailCampaign.State
    under_way = list(EmailCampaign.objects.filter(state__in=[state.SCHEDULED, state.SENDING, state.RUNNING])[:SHOWN])
    if not under_way:
        return None
    progress = email_counting.progress_of_many(under_way)
    return {"emails": [{"campaign": campaign, "progress": progress[campaign.pk]} for campaign in under_way]}


def recent(request: HttpRequest) -> Values:
    campaigns = _in([CampaignState.FINISHED])[:LATELY]
    return {"recent": _rows(campaigns)} if campaigns else None


def _in(states: list[CampaignState], **also: Any) -> list[Campaign]:
    """Each state by itself: it is a range of an index, whose end is the newest."""
    found: list[Campaign] = []
    for state in states:
        of_state = Campaign.objects.filter(IS_CAMPAIGN, state=state, **also).select_related("application")
        found += of_state.order_by("-id")[:SHOWN]
    return sorted(found, key=lambda campaign: -campaign.pk)[:SHOWN]


def _rows(campaigns: list[Campaign]) -> list[dict[str, Any]]:
    progress = counting.progress_of_many(campaigns)
    paces = insights.paces(campaigns, {pk: found["counts"] for pk, found in progress.items()})
    return [
        {"campaign": campaign, "progress": progress[campaign.pk], "pace": paces.get(campaign.pk)}
        for campaign in campaigns
    ]


def approvals_waiting(request: HttpRequest) -> int:
    """How many wait for this person; no question to the database where approvals are off."""
    return approvals.waiting_for(request.user).count() if approval_rules.is_on() else 0


def conversations_unread(request: HttpRequest) -> int:
    """With something new for this person, at most a hundred: every page shows it, from an index of what is unread."""
    return conversations.unread_for(signed_in(request), UNREAD_AT_MOST)
