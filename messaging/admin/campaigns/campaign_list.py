"""The list of campaigns: figures of each, and what can be done with it now. It refreshes itself while one moves."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from laaffic_console.kit.admin.console_admin import ModelAdmin
from laaffic_console.kit.lists.changelists import changelist_of
from laaffic_console.kit.lists.choice_filters import ChoiceFilter
from laaffic_console.kit.masking import masks
from laaffic_console.kit.words import state_colours
from laaffic_console.kit.words.figures import in_percent, money, number, pace
from messaging.admin.shared import channel_pages, resuming
from messaging.admin.shared.clocks import starts_at
from messaging.models import Campaign, CampaignState, MessageState
from messaging.services.figures import list_figures
from messaging.services.figures.list_figures import ListFigures
from messaging.services.tallies import counting

EVERY_KIND = "all"
MOVING = (CampaignState.SCHEDULED, CampaignState.RUNNING)
COLUMNS = [
    *("shown_name", "shown_state", "shown_progress", "shown_delivered", "shown_failed", "shown_cost", "shown_replies"),
    *("created_at", "created_by", "shown_act"),
]
STATE_COLOURS = state_colours.of(CampaignState)
# What one press does from a row. Cancelling asks first, so it is on the campaign's own page.
ROW_ACTS = {
    CampaignState.RUNNING: ("pause", gettext_lazy("Pause"), "pause"),
    CampaignState.PAUSED: ("resume", gettext_lazy("Resume"), "play_arrow"),
    CampaignState.HELD: ("resume", gettext_lazy("Resume"), "play_arrow"),
    CampaignState.SCHEDULED: ("take-back", gettext_lazy("Back to draft"), "undo"),
}


class KindFilter(ChoiceFilter):
    """Tests are many and soon forgotten: they are shown on request."""

    title = gettext_lazy("kind")
    parameter_name = "kind__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(EVERY_KIND, gettext_lazy("With tests")), *Campaign.Kind.choices]

    def choices(self, changelist: Any) -> Any:
        without, *others = super().choices(changelist)
        return [{**without, "display": gettext_lazy("Without tests")}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> QuerySet[Campaign]:
        if self.value() == EVERY_KIND:
            return queryset
        if self.value() in Campaign.Kind.values:
            return queryset.filter(kind=self.value())
        return queryset.exclude(kind=Campaign.Kind.TEST)


def is_moving(campaign: Campaign, counts: dict[str, int]) -> bool:
    """Whether its row may change by itself while somebody looks; a paused one's queue does not."""
    if campaign.state in MOVING or campaign.account_hold_id:
        return True
    waiting = campaign.state == CampaignState.CANCELLED and counts["queued"]
    return bool(waiting or counts["claimed"] or counts["unknown"] or counts["accepted"])


class CampaignListAdmin(ModelAdmin):
    """The columns, for an admin of campaigns; `list_figures` are read once for a page of them."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        return super().get_queryset(request).defer("text", "extra_numbers")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        response = super().changelist_view(request, extra_context)
        if changelist := changelist_of(response):
            shown = list(changelist.result_list)
            figures = list_figures.of_many(shown)
            back = request.get_full_path() if request.user.has_perm("messaging.launch_campaign") else ""
            for campaign in shown:
                campaign.list_figures, campaign.back = figures[campaign.pk], back
                channel_pages.name_states(campaign, figures[campaign.pk].progress["parts"])
            changelist.result_list = shown
            response.context_data["is_moving"] = any(
                is_moving(campaign, figures[campaign.pk].progress["counts"]) for campaign in shown
            )
        return response

    @display(description=gettext_lazy("campaign"), header=True, ordering="name")
    def shown_name(self, campaign: Campaign) -> list[str]:
        beside = masks.in_text(campaign.hold_reason or campaign.wait_reason) or starts_at(campaign)
        return [campaign.name, beside or f"{campaign.get_channel_display()} · {campaign.application}"]

    @display(description=gettext_lazy("state"), ordering="state")
    def shown_state(self, campaign: Campaign) -> str:
        tone = STATE_COLOURS[campaign.state]
        shown = render_to_string("messaging/campaign/campaign_state.html", {"campaign": campaign, "tone": tone})
        return _live(campaign, "state", shown)

    @display(description=gettext_lazy("progress"), ordering="total")
    def shown_progress(self, campaign: Campaign) -> str:
        figures = _of(campaign)
        bar = render_to_string("console/progress_bar.html", {"parts": figures.progress["parts"]})
        return _live(campaign, "progress", format_html("{}<span>{}</span>", bar, _in_short(campaign, figures)))

    @display(description=gettext_lazy("delivered"), ordering=list_figures.summed(MessageState.DELIVERED))
    def shown_delivered(self, campaign: Campaign) -> str:
        share = _of(campaign).delivered_share
        return _live(campaign, "delivered", "–" if share is None else in_percent(share))

    @display(description=gettext_lazy("failed"), ordering=list_figures.summed(*list_figures.FAILED))
    def shown_failed(self, campaign: Campaign) -> str:
        figures = _of(campaign)
        known = figures.progress["is_counted"]
        return _live(campaign, "failed", number(figures.failed) if known else "–")

    @display(description=gettext_lazy("cost"))
    def shown_cost(self, campaign: Campaign) -> str:
        amounts = [(money(amount, currency),) for currency, amount in _of(campaign).costs.items()]
        return _live(campaign, "cost", format_html_join("", "<span>{}</span>", amounts) or "–")

    @display(description=gettext_lazy("replies"), ordering=list_figures.replied())
    def shown_replies(self, campaign: Campaign) -> str:
        if not channel_pages.of(campaign).has_replies:
            return "–"
        return _live(campaign, "replies", number(_of(campaign).replies))

    @display(description="")
    def shown_act(self, campaign: Campaign) -> str:
        """Nothing for anyone who may not; a page that is a little old is corrected by the service."""
        act = ROW_ACTS.get(CampaignState(campaign.state))
        back = getattr(campaign, "back", "")
        if act is None or not back:
            return _live(campaign, "act", "")
        verb, words, icon = act
        query = {"next": back}
        if shown := resuming.shown_in_row(campaign):
            query[shown] = "yes"
        address = reverse("admin:messaging_campaign_do", args=[campaign.pk, verb], query=query)
        given = {"address": address, "words": words, "icon": icon, "campaign": campaign}
        return _live(campaign, "act", render_to_string("messaging/campaign/campaign_row_act.html", given))


def _of(campaign: Campaign) -> ListFigures:
    kept: ListFigures | None = getattr(campaign, "list_figures", None)
    return kept or list_figures.of_many([campaign])[campaign.pk]


def _in_short(campaign: Campaign, figures: ListFigures) -> str:
    """12,480 · 43 % · 812 a second"""
    if not figures.progress["is_counted"]:
        return ""
    parts = [number(campaign.total)]
    if campaign.state not in (*counting.OVER, CampaignState.DRAFT):
        parts.append(counting.done_in_words(campaign, figures.progress))
    if figures.pace and figures.pace.per_second >= 1:
        parts.append(_("%(n)s a second") % {"n": pace(figures.pace.per_second)})
    return " · ".join(parts)


def _live(campaign: Campaign, what: str, shown: str | SafeString) -> str:
    """A cell that live.js puts in place again by its id."""
    return format_html('<span id="campaign-{}-{}" class="c-live c-live-{}">{}</span>', campaign.pk, what, what, shown)
