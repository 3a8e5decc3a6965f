"""The front page: what runs, what is held and why, today beside yesterday. Every figure comes from tallies."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from laaffic_console.dashboard import days, first_steps, health, health_page
from laaffic_console.gateway.models import AccountHold
from laaffic_console.gateway.services import balance_history, workers
from laaffic_console.kit.people import signed_in
from messaging.models import Campaign, CampaignState, EmailCampaign
from messaging.services.approvals import approval_rules, approvals
from messaging.services.batches import counting
from messaging.services.budgets import budgets
from messaging.services.email import email_counting
from messaging.services.figures import insights
from messaging.services.replies import conversations
from voice.models import GroupTask, TaskState
from voice.models.group_tasks import OPEN

SHOWN = 8
UNREAD_AT_MOST = 100


def context(request: HttpRequest, given: dict[str, Any]) -> dict[str, Any]:
    if not request.user.has_perm("messaging.view_campaign"):
        return given
    return {
        **given,
        "title": _("Today"),
        "running": cards(open_campaigns([CampaignState.RUNNING, CampaignState.PAUSED])),
        # What the account's hold stopped is said once, with the hold.
        "held": [campaign for campaign in open_campaigns([CampaignState.HELD]) if not campaign.account_hold_id],
        "budgets": [(one, budgets.in_words(one.budget, one.budget.limit)) for one in budgets.nearly_used()],
        "to_approve": approvals.waiting_for(request.user)[:SHOWN],
        "scheduled": open_campaigns([CampaignState.SCHEDULED]),
        **emails(request),
        **group_calls(request),
        "recent": cards(open_campaigns([CampaignState.FINISHED])[:4]),
        **days.context(),
        "health": health.parts(),
        "account_holds": AccountHold.objects.filter(released_at=None),
        "held_by_account": Campaign.objects.filter(state=CampaignState.HELD, account_hold__isnull=False).count(),
        "skewed": [health_page.skew_sentence(worker.host, worker.clock_skew or 0.0) for worker in workers.skewed()],
        "clock": health_page.clock_sign(),
        "balance": balance(request),
        "last_push": health.last_push_at(),
        "steps": first_steps.of(signed_in(request)),
    }


def approvals_waiting(request: HttpRequest) -> int:
    """How many wait for this person; no question to the database where approvals are off."""
    return approvals.waiting_for(request.user).count() if approval_rules.is_on() else 0


def conversations_unread(request: HttpRequest) -> int:
    """With something new for this person, at most a hundred: every page shows it, from an index of what is unread."""
    return conversations.unread_for(signed_in(request), UNREAD_AT_MOST)


def open_campaigns(states: list[CampaignState]) -> list[Campaign]:
    return list(Campaign.objects.filter(state__in=states).select_related("application").order_by("-id")[:SHOWN])


def emails(request: HttpRequest) -> dict[str, Any]:
    """Email campaigns under way, and those that ask for somebody."""
    if not request.user.has_perm("messaging.view_emailcampaign"):
        return {}
    state = EmailCampaign.State
    asking = EmailCampaign.objects.filter(state__in=[state.HELD, state.UNKNOWN], is_held_by_account=False)
    under_way = list(EmailCampaign.objects.filter(state__in=[state.SCHEDULED, state.SENDING, state.RUNNING])[:SHOWN])
    progress = email_counting.progress_of_many(under_way)
    return {
        "asking_emails": asking[:SHOWN],
        "emails": [{"campaign": campaign, "progress": progress[campaign.pk]} for campaign in under_way],
    }


def group_calls(request: HttpRequest) -> dict[str, Any]:
    """Group-call tasks under way, and launches that ask for somebody."""
    if not request.user.has_perm("voice.view_grouptask"):
        return {}
    tasks = GroupTask.objects.filter(is_template=False)
    return {
        "asking_tasks": tasks.filter(state=TaskState.UNKNOWN)[:SHOWN],
        "group_calls": tasks.filter(state__in=OPEN)[:SHOWN],
    }


def cards(campaigns: list[Campaign]) -> list[dict[str, Any]]:
    progress = counting.progress_of_many(campaigns)
    paces = insights.paces(campaigns, {pk: found["counts"] for pk, found in progress.items()})
    return [
        {"campaign": campaign, "progress": progress[campaign.pk], "pace": paces.get(campaign.pk)}
        for campaign in campaigns
    ]


def balance(request: HttpRequest) -> dict[str, Any] | None:
    """The latest reading with its age; None for who may not see it, or before there is one."""
    reading = balance_history.latest()
    if reading is None or not request.user.has_perm("gateway.view_balancereading"):
        return None
    return {
        "reading": reading,
        "age": health_page.age(reading.at),
        "is_low": balance_history.is_low(reading),
        "is_old": balance_history.is_old(reading),
        "alert": settings.LAAFFIC_BALANCE_ALERT,
    }
