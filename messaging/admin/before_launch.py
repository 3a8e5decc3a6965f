"""Before launch, one page: who gets it, what it looks like there, what it costs, when it is where, what the
checks find, and a button that says what it does."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.gateway.services import balance_history
from laaffic_console.kit.people import signed_in
from messaging import segments
from messaging.admin import approvals, channel_pages, undo_field
from messaging.admin.clocks import at_its_moment
from messaging.admin.pages import may_see_contacts, page, require
from messaging.models import Campaign, CampaignState
from messaging.services.approvals import shown
from messaging.services.approvals.shown import Shown
from messaging.services.audience import audience_counts, recipient_clocks, rules
from messaging.services.campaigns import drafts, launch_checks, previews, starting
from messaging.services.forecast import balance_forecast, forecast
from messaging.services.forecast.forecast import Forecast
from messaging.services.gates import sending_hours
from messaging.services.launching import checks
from messaging.services.launching.checks import Check, NotSeen
from messaging.services.refusals import NotAllowed


def view(admin: "ModelAdmin[Any]", request: HttpRequest, campaign: Campaign) -> HttpResponse:
    require(request, "messaging.view_campaign")
    if campaign.state != CampaignState.DRAFT:
        return HttpResponseRedirect(reverse("admin:messaging_campaign_change", args=[campaign.pk]))
    if request.method == "POST":
        return _launch(admin, request, campaign)
    return _page(admin, request, campaign)


def _launch(admin: "ModelAdmin[Any]", request: HttpRequest, campaign: Campaign) -> HttpResponse:
    require(request, "messaging.launch_campaign")
    if asked := approvals.ask_again(request, campaign):
        return asked
    seen, sentences = shown.read(campaign, request.POST.get("shown", ""))
    try:
        audience_counts.renew(campaign)
        _require_as_shown(campaign, seen)
        reasons = launch_checks.require(
            campaign,
            ticked=set(request.POST.getlist("seen")),
            reasons={key.removeprefix("reason:"): request.POST.get(key, "") for key in request.POST},
            sentences=sentences,
        )
        undo = undo_field.seconds_of(request)
        starting.launch(campaign.pk, by=signed_in(request), undo_seconds=undo, reasons=reasons, seen=seen)
    except NotSeen as problem:
        return _page(admin, request, campaign, missing=problem.sentences)
    except (ValidationError, NotAllowed) as problem:
        for said in problem.messages if isinstance(problem, ValidationError) else [str(problem)]:
            messages.error(request, said)
        return _page(admin, request, campaign)
    return HttpResponseRedirect(reverse("admin:messaging_campaign_change", args=[campaign.pk]))


def _require_as_shown(campaign: Campaign, seen: Shown | None) -> None:
    """NotSeen with each change, before and after; the page that is shown then is the one that counts."""
    if seen is None:
        raise NotSeen([_("Look at what it does now, and launch it again.")])
    planned = forecast.of(campaign)
    if planned.counted.is_done and (changed := shown.changes(seen, shown.of(campaign, planned))):
        said = _("It has changed since it was shown: %(changes)s.") % {"changes": "; ".join(changed)}
        raise NotSeen([said, _("Look at what it does now, and launch it again.")])


def _page(
    admin: "ModelAdmin[Any]", request: HttpRequest, campaign: Campaign, *, missing: list[str] | None = None
) -> HttpResponse:
    problem = " ".join(drafts.problems_of(campaign))
    pages = channel_pages.of(campaign)
    facts = {} if problem else {**_preview(request, campaign), **_planned(request, campaign)}
    return page(
        admin,
        request,
        "messaging/before_launch/page.html",
        campaign.name,
        campaign=campaign,
        draft=campaign,
        is_shown=bool(facts),
        rules=rules.kept(campaign),
        pages=pages,
        problems=[problem] if problem else [],
        missing=missing or [],
        may_launch=request.user.has_perm("messaging.launch_campaign"),
        may_edit=admin.has_change_permission(request, campaign),
        edit_address=reverse("admin:messaging_campaign_change", args=[campaign.pk]),
        not_yours=_("You may write campaigns, but not launch them. Ask somebody who may."),
        can_undo=not campaign.local_time and not campaign.scheduled_at,
        **undo_field.context(request),
        beside=pages.beside(previews.as_read(campaign, facts.get("sample"))),
        **facts,
    )


def _preview(request: HttpRequest, campaign: Campaign) -> dict[str, Any]:
    """The text as one contact reads it; who may not see contacts sees the text as it was written."""
    asked, may_see = request.GET.get("contact", "").strip(), may_see_contacts(request)
    if asked and not may_see:
        raise PermissionDenied
    if not may_see:
        preview = previews.unfilled(campaign)
    else:
        preview = previews.asked_for(campaign, asked) if asked else previews.first(campaign)
    return {
        "sample": preview.contact,
        "preview": preview.shown,
        "preview_says": preview.says,
        "preview_others": preview.others,
        "may_see_contacts": may_see,
        "preview_count": segments.count(preview.text),
    }


def _planned(request: HttpRequest, campaign: Campaign) -> dict[str, Any]:
    if request.method == "GET":
        audience_counts.renew(campaign, to_look=True)
    planned = forecast.of(campaign)
    found = launch_checks.of(campaign, planned)
    _seen, sentences = shown.read(campaign, request.POST.get("shown", ""))
    starts_at = _starts_at(campaign, planned)
    return {
        "forecast": planned,
        "shown_token": shown.token(campaign, shown.of(campaign, planned), checks.sentences_of(found)),
        "counted": planned.counted,
        "approval": approvals.shown(request, campaign, planned),
        "checks": [check_words(request, check, sentences) for check in found],
        "is_stopped": checks.is_stopped(found) or not planned.counted.is_done,
        "after": balance_forecast.of(planned.cost),
        "balance": balance_history.latest(),
        "starts_at": starts_at,
        "is_later": bool(campaign.scheduled_at) or (bool(campaign.local_time) and starts_at > timezone.now()),
        "server_clock": timezone.localtime(starts_at),
        "clocks": recipient_clocks.at(starts_at, planned.counted)[: recipient_clocks.COUNTRIES],
        "button": _button(campaign, planned),
    }


def check_words(request: HttpRequest, check: Check, sentences: dict[str, str]) -> dict[str, Any]:
    """A check with what somebody has said to it already, a tick only to the same sentence."""
    posted = request.POST
    same = check.moves or sentences.get(check.key) == check.sentence
    return {
        "key": check.key,
        "level": check.level.value,
        "sentence": check.sentence,
        "about": "" if check.moves else check.sentence,  # an answer to it counts for no other sentence (live.js)
        "ticked": same and check.key in posted.getlist("seen"),
        "reason": posted.get(f"reason:{check.key}", ""),
    }


def _starts_at(campaign: Campaign, planned: Forecast) -> dt.datetime:
    """At its recipients' own time it starts when the first of their clocks shows it."""
    wall = sending_hours.wall_time(campaign.local_time)
    if wall is None:
        return forecast.starts_at(campaign)
    return max(recipient_clocks.first_moment(wall, planned.counted), timezone.now())


def _button(campaign: Campaign, planned: Forecast) -> str:
    """What it does, in figures, and when it is not at once."""
    does = channel_pages.of(campaign).button(planned.recipients)
    if campaign.local_time:
        return _("%(does)s at %(when)s by their own clocks") % {"does": does, "when": campaign.local_time}
    return at_its_moment(does, campaign.scheduled_at)
