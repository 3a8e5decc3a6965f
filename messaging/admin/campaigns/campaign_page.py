"""What the page of a campaign that was launched shows, beside its buttons."""

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from laaffic_console.exporting import kinds
from laaffic_console.gateway import shown_requests
from messaging.admin.conversations.replies import with_contacts
from messaging.admin.rules import budgets, calendars
from messaging.admin.shared import channel_pages, proof_panel
from messaging.models import Campaign
from messaging.registered import export_kinds
from messaging.services.audience import rules
from messaging.services.batches import waiting
from messaging.services.campaigns import canaries, templates
from messaging.services.figures import batch_squares, campaign_report, expected, insights
from messaging.services.reports import delivery_times
from messaging.services.tallies import counting, gate_tallies

COUNTRIES = 12


def context(request: HttpRequest, campaign: Campaign, progress: dict[str, Any]) -> dict[str, Any]:
    counts = progress["counts"]
    pages = channel_pages.of(campaign)
    proved = proof_panel.context(campaign)
    channel_pages.name_states(campaign, progress["parts"])
    pace = insights.paces([campaign], {campaign.pk: counts}).get(campaign.pk)
    rows = expected.rows(campaign)
    countries = insights.countries(campaign)
    chart = insights.activity_chart(campaign)
    return {
        "campaign": campaign,
        **budgets.about(request, campaign),
        "rules": rules.kept(campaign),
        "text_from": templates.said_of(campaign.template_version, campaign.text),
        "pages": pages,
        "beside": pages.beside(campaign),
        "progress": progress,
        "progress_words": counting.done_in_words(campaign, progress),
        "says": insights.spoken(campaign, progress, pace),
        "waits": insights.why_waiting(campaign, counts, pace),
        "left_out": campaign_report.left_out(campaign),
        "stopped": gate_tallies.in_words(campaign),
        "waiting": waiting.of(campaign),
        "few_first": canaries.shown(campaign, counts),
        "zone": settings.TIME_ZONE,
        "may_put_hours_aside": request.user.has_perm(calendars.MAY_PUT_ASIDE) and waiting.may_be_put_aside(campaign),
        "spending": insights.spending(campaign, counts),
        "price_not_told": counting.price_not_told(campaign),
        "segments": counting.segments_sent(campaign),
        "pace": pace,
        "times": delivery_times.of_campaign(campaign),
        "squares": batch_squares.of(campaign),
        "reasons": insights.failure_reasons(campaign),
        "countries": countries[:COUNTRIES],
        "more_countries": len(countries[COUNTRIES:]),
        "expected": rows[:COUNTRIES],
        "more_expected": len(rows[COUNTRIES:]),
        "was_forecast": expected.was_forecast(rows),
        "chart": json.dumps(chart) if chart else "",
        # A line of one minute would be three points.
        "chart_kind": "line" if chart and len(chart["labels"]) > 1 else "bar",
        "replies": with_contacts(request, campaign.replies.order_by("-pk")[:5])
        if pages.has_replies and request.user.has_perm("messaging.view_reply")
        else None,
        "all_replies": f"{reverse('admin:messaging_reply_changelist')}?campaign__id__exact={campaign.pk}",
        **shown_requests.about("campaign", campaign.pk, request.user),
        "events": campaign.events.select_related("actor")[:20],
        "may_export": request.user.has_perms(kinds.named(export_kinds.RECIPIENTS).rights),
        "may_make_dossier": request.user.has_perms(kinds.named(export_kinds.DOSSIER).rights),
        **proved,
        "is_over": not counting.is_moving(campaign, counts) and not proved["is_being_proved"],
    }
