"""Before an SMS, MMS or spoken campaign is launched: who gets it, what it looks like there, what it costs, when it is
where, and what the checks find."""

import datetime as dt
from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from laaffic_console.kit.pages import may_see_contacts, own_page, require
from laaffic_console.kit.words import dates
from laaffic_console.kit.words.people import signed_in
from messaging.admin.composing.launch_page import Facts, LaunchPage
from messaging.admin.rules import approvals
from messaging.admin.shared import channel_pages, undo_field
from messaging.admin.shared.clocks import at_its_moment
from messaging.models import Campaign, CampaignState
from messaging.services.approvals import shown
from messaging.services.approvals.shown import Shown
from messaging.services.audience import audience_counts, recipient_clocks, rules
from messaging.services.campaigns import drafts, launch_checks, previews, starting
from messaging.services.forecast import balance_forecast, forecast
from messaging.services.forecast.forecast import Forecast
from messaging.services.gates import sending_hours
from messaging.services.launching.checks import NotSeen
from messaging.text import segments


class CampaignLaunch(LaunchPage[Campaign]):
    template = "messaging/before_launch/page.html"
    right = "messaging.launch_campaign"
    not_yours = gettext_lazy("You may write campaigns, but not launch them. Ask somebody who may.")

    def launch(self, seen: Any, sentences: dict[str, str]) -> None:
        campaign, posted = self.draft, self.request.POST
        as_shown = shown.from_json(seen)
        audience_counts.renew(campaign)
        _require_as_shown(campaign, as_shown)
        reasons = launch_checks.require(
            campaign,
            ticked=set(posted.getlist("seen")),
            reasons=self.reasons(),
            sentences=sentences,
        )
        undo = undo_field.seconds_of(self.request)
        starting.launch(campaign.pk, by=signed_in(self.request), undo_seconds=undo, reasons=reasons, seen=as_shown)

    def problems(self) -> list[str]:
        problem = " ".join(drafts.problems_of(self.draft))
        return [problem] if problem else []

    def facts(self) -> Facts | None:
        campaign, pages = self.draft, channel_pages.of(self.draft)
        if self.problems():
            return None
        preview = _preview(self.request, campaign)
        if self.request.method == "GET":
            audience_counts.renew(campaign, to_look=True)
        planned = forecast.of(campaign)
        starts_at = _starts_at(campaign, planned)
        return Facts(
            checks=launch_checks.of(campaign, planned),
            seal=shown.as_json(shown.of(campaign, planned)),
            starts_at=starts_at,
            is_later=bool(campaign.scheduled_at) or (bool(campaign.local_time) and starts_at > timezone.now()),
            button=_button(campaign, planned),
            approval=approvals.shown(self.request, campaign, planned),
            is_counted=planned.counted.is_done,
            more={
                "pages": pages,
                "forecast": planned,
                "counted": planned.counted,
                "after": balance_forecast.of(planned.cost),
                "clocks": recipient_clocks.at(starts_at, planned.counted)[: recipient_clocks.COUNTRIES],
                "beside": pages.beside(previews.as_read(campaign, preview["sample"])),
                "rules": rules.kept(campaign),
                **preview,
            },
        )

    def fresh(self) -> Campaign:
        return Campaign.objects.select_related("application").get(pk=self.draft.pk)

    def address(self) -> str:
        return own_page(self.draft)

    def can_undo(self) -> bool:
        return not self.draft.local_time and not self.draft.scheduled_at


def view(admin: "ModelAdmin[Any]", request: HttpRequest, campaign: Campaign) -> HttpResponse:
    require(request, "messaging.view_campaign")
    launch = CampaignLaunch(admin, request, campaign)
    return launch.answer() if campaign.state == CampaignState.DRAFT else HttpResponseRedirect(launch.address())


def _require_as_shown(campaign: Campaign, seen: Shown | None) -> None:
    """NotSeen with each change, before and after; the page that is shown then is the one that counts."""
    if seen is None:
        raise NotSeen([_("Look at what it does now, and launch it again.")])
    planned = forecast.of(campaign)
    if planned.counted.is_done and (changed := shown.changes(seen, shown.of(campaign, planned))):
        said = _("It has changed since it was shown: %(changes)s.") % {"changes": "; ".join(changed)}
        raise NotSeen([said, _("Look at what it does now, and launch it again.")])


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
        "why_otherwise": previews.why_otherwise(campaign.text, preview.text) if preview.contact else "",
        "is_plain": previews.is_plain(campaign.text),
    }


def _starts_at(campaign: Campaign, planned: Forecast) -> dt.datetime:
    """When it would start; at recipients' own time, when the first of their clocks shows that time."""
    wall = sending_hours.wall_time(campaign.local_time)
    if wall is None:
        return forecast.starts_at(campaign)
    return max(recipient_clocks.first_moment(wall, planned.counted), timezone.now())


def _button(campaign: Campaign, planned: Forecast) -> str:
    """The button's words: how many messages it sends, and when, unless that is at once."""
    does = channel_pages.of(campaign).button(planned.recipients)
    if wall := sending_hours.wall_time(campaign.local_time):
        return _("%(does)s at %(when)s by their own clocks") % {"does": does, "when": dates.wall(wall)}
    return at_its_moment(does, campaign.scheduled_at)
