"""The front page: what runs, what is held and why, today beside yesterday. Every figure comes from tallies."""

import datetime as dt
import json
from typing import Any

from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.dashboard import health, health_page
from laaffic_console.gateway.models import AccountHold, Application
from laaffic_console.gateway.services import balance_history, workers
from messaging.models import ActivityTally, Campaign, CampaignState, Contact, EmailCampaign, MessageState, OutcomeTally
from messaging.services import counting, email_counting

SHOWN = 8


def context(request: HttpRequest, given: dict[str, Any]) -> dict[str, Any]:
    if not request.user.has_perm("messaging.view_campaign"):
        return given
    return {
        **given,
        "title": _("Today"),
        "running": cards(open_campaigns([CampaignState.RUNNING, CampaignState.PAUSED])),
        # What the account's hold stopped is said once, with the hold.
        "held": [campaign for campaign in open_campaigns([CampaignState.HELD]) if not campaign.account_hold_id],
        "scheduled": open_campaigns([CampaignState.SCHEDULED]),
        **emails(request),
        "recent": cards(open_campaigns([CampaignState.FINISHED])[:4]),
        "today": day_figures(),
        "spend": spend(),
        "reasons": top_reasons(),
        "chart": json.dumps(deliveries_chart()),
        "health": health.parts(),
        "account_holds": AccountHold.objects.filter(released_at=None),
        "held_by_account": Campaign.objects.filter(state=CampaignState.HELD, account_hold__isnull=False).count(),
        "skewed": [health_page.skew_sentence(worker.host, worker.clock_skew or 0.0) for worker in workers.skewed()],
        "balance": balance(request),
        "last_push_age": health.last_push_age(),
        "steps": first_steps(),
    }


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


def cards(campaigns: list[Campaign]) -> list[dict[str, Any]]:
    progress = counting.progress_of_many(campaigns)
    return [{"campaign": campaign, "progress": progress[campaign.pk]} for campaign in campaigns]


def day_figures() -> list[dict[str, Any]]:
    """Today beside yesterday at the same time."""
    now = timezone.localtime()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    today = _figures(midnight, now)
    before = _figures(midnight - dt.timedelta(days=1), now - dt.timedelta(days=1))
    shown = [
        (_("Accepted"), [MessageState.ACCEPTED], "moving"),
        (_("Delivered"), [MessageState.DELIVERED], "good"),
        (_("Failed"), [MessageState.UNDELIVERED, MessageState.REJECTED, MessageState.EXPIRED], "bad"),
        (_("Unknown"), [MessageState.UNKNOWN], "warn"),
    ]
    return [
        {
            "name": name,
            "tone": tone,
            "today": sum(today.get(state, 0) for state in states),
            "yesterday": sum(before.get(state, 0) for state in states),
        }
        for name, states, tone in shown
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


def _figures(start: dt.datetime, end: dt.datetime) -> dict[int, int]:
    happened = ActivityTally.objects.filter(minute__gte=start, minute__lte=end)
    return dict(happened.values_list("state").annotate(total=Sum("messages")).order_by())


def spend() -> list[tuple[str, Any]]:
    """What was charged for the campaigns of the last day."""
    since = timezone.now() - dt.timedelta(days=1)
    rows = OutcomeTally.objects.filter(campaign__launched_at__gte=since).exclude(currency="").values_list("currency")
    return [(currency, counting.amount(total)) for currency, total in rows.annotate(total=Sum("pay_micros")).order_by()]


def top_reasons() -> list[tuple[str, int]]:
    since = timezone.now() - dt.timedelta(days=1)
    failed = [MessageState.UNDELIVERED, MessageState.REJECTED]
    rows = OutcomeTally.objects.filter(campaign__launched_at__gte=since, state__in=failed).values_list("reason")
    return [
        (reason or _("no reason given"), n) for reason, n in rows.annotate(n=Sum("messages")).order_by("-n")[:5] if n
    ]


def deliveries_chart() -> dict[str, Any]:
    """Hours of the last day, delivered and failed."""
    now = timezone.localtime().replace(minute=0, second=0, microsecond=0)
    hours = [now - dt.timedelta(hours=back) for back in range(23, -1, -1)]
    states = [MessageState.DELIVERED, MessageState.UNDELIVERED]
    found: dict[tuple[dt.datetime, int], int] = {}
    rows = ActivityTally.objects.filter(minute__gte=hours[0], state__in=states)
    for minute, state, total in rows.values_list("minute", "state").annotate(n=Sum("messages")).order_by():
        hour = timezone.localtime(minute).replace(minute=0, second=0, microsecond=0)
        found[hour, state] = found.get((hour, state), 0) + total
    names = [
        (_("Delivered"), MessageState.DELIVERED, "#16a34a"),
        (_("Undelivered"), MessageState.UNDELIVERED, "#dc2626"),
    ]
    return {
        "labels": [hour.strftime("%H:%M") for hour in hours],
        "datasets": [
            {"label": name, "data": [found.get((hour, state), 0) for hour in hours], "backgroundColor": colour}
            for name, state, colour in names
        ],
    }


def first_steps() -> list[dict[str, Any]]:
    """What to do next on a console where nothing has been done yet; [] once a campaign has run."""
    if Campaign.objects.exclude(state=CampaignState.DRAFT).exists():
        return []
    return [
        {
            "done": Application.objects.exists(),
            "page": "admin:gateway_application_add",
            "says": _("Register an application"),
        },
        {
            "done": Contact.objects.exists(),
            "page": "admin:messaging_contactimport_add",
            "says": _("Import your contacts"),
        },
        {"done": False, "page": "admin:messaging_campaign_add", "says": _("Write and launch a campaign")},
    ]
