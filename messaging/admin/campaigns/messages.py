"""The list of messages, and one message with all that is known of it."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from unfold.decorators import display

from laaffic_console.exporting.exported_list import ExportedList
from laaffic_console.kit.admin.read_only import ExactSearch, ReadOnlyAdmin
from laaffic_console.kit.lists.choice_filters import ChoiceFilter
from laaffic_console.kit.masking.masked_admin import MaskedNumbers, number_cell
from laaffic_console.kit.masking.masks import in_text, masked
from laaffic_console.kit.masking.refusals_said import say_why
from laaffic_console.kit.pages import own_page, page, posted_row, require
from laaffic_console.kit.registers import meanings
from laaffic_console.kit.registers.search_kinds import Query
from laaffic_console.kit.words.people import signed_in
from laaffic_console.kit.words.plain_text import whole_number
from laaffic_console.kit.words.stored_words import reason_in_words
from messaging.models import (
    EXCEPTIONAL,
    IS_EXCEPTIONAL_MESSAGE,
    IS_OPEN_BATCH,
    Batch,
    BatchState,
    Campaign,
    Message,
    MessageState,
)
from messaging.people.person_links import PersonColumn
from messaging.registered import findable
from messaging.services.batches import answers, waiting
from messaging.services.figures import expected, timeline
from messaging.services.reports import amount_words
from messaging.wire.order_ids import order_id

STATE_COLOURS = {
    state.key: colour
    for state, colour in {
        MessageState.QUEUED: "default",
        MessageState.CLAIMED: "info",
        MessageState.SUPPRESSED: "default",
        MessageState.CANCELLED: "default",
        MessageState.UNKNOWN: "warning",
        MessageState.REJECTED: "danger",
        MessageState.ACCEPTED: "info",
        MessageState.EXPIRED: "danger",
        MessageState.UNDELIVERED: "danger",
        MessageState.DELIVERED: "success",
    }.items()
}


class StateFilter(ChoiceFilter):
    """The states (ledger#message-states). Claimed is what a queued message is while its batch is claimed."""

    title = gettext_lazy("state")
    parameter_name = "in"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(state.key, state.label) for state in MessageState]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        word = self.value()
        if not word:
            return queryset
        state = MessageState[word.upper()]
        return queryset.filter(_in_state(state))


class DriftFilter(ChoiceFilter):
    """Messages that were billed differently from what their launch expected. Only one campaign knows what that was."""

    title = pgettext_lazy("segments", "billed")
    parameter_name = "drifted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        self.campaign = whole_number(request.GET.get("campaign__id__exact", "")) or 0
        found = [
            ("segments", gettext_lazy("other segments than counted")),
            ("price", gettext_lazy("another price than expected")),
        ]
        return found if self.campaign else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        if not self.campaign or self.value() not in ("segments", "price"):
            return queryset
        if self.value() == "segments":
            return queryset.filter(billed_segments__isnull=False).exclude(billed_segments=F("segments"))
        forecast = Campaign.objects.filter(pk=self.campaign).values_list("forecast", flat=True).first()
        return queryset.filter(expected.priced_otherwise(forecast))


def _in_state(state: MessageState) -> Q:
    """The column says it, or it says `queued` and the batch says the rest; of open batches there are only a few."""
    if state is MessageState.ACCEPTED:
        return Q(state=state) | answers.accepted_but_unwritten()
    if state in EXCEPTIONAL:
        return Q(IS_EXCEPTIONAL_MESSAGE.implied, state=state)
    if state not in (MessageState.QUEUED, MessageState.CLAIMED):
        return Q(state=state)
    queued = Q(state=MessageState.QUEUED)
    in_hand = answers.within(Batch.objects.filter(IS_OPEN_BATCH.implied, state=BatchState.CLAIMED))
    if state is MessageState.CLAIMED:
        return queued & in_hand
    return queued & answers.in_open_span() & ~in_hand & ~answers.accepted_but_unwritten()


MAY_DECIDE = "messaging.resolve_campaign"  # who speaks where evidence is silent


@admin.register(Message)
class MessageAdmin(MaskedNumbers, PersonColumn, ExportedList, ExactSearch, ReadOnlyAdmin):
    when_empty = gettext_lazy("Launch a campaign: each message is listed here with what happened to it.")
    export_name = "messages"
    masked = ("number",)
    list_display = [
        "shown_number",
        "shown_state",
        "shown_campaign",
        "shown_reason",
        "shown_segments",
        "cost",
        "settled_at",
        "reported_at",
    ]
    list_filter = [StateFilter, DriftFilter]
    lookups_beside_filters = ("campaign__id__exact", "country__exact", "reason__exact")
    parents = {"campaign__id__exact": ("campaign", "state")}
    list_select_related = ["campaign", "batch"]
    search_fields = ["number"]
    search_help_text = gettext_lazy("A number or its last digits, a gateway id or order id")
    exact_search = ("number", "gateway_id")

    def search_condition(self, term: str) -> Q:
        return findable.message_condition(Query.read(term))

    @display(description=gettext_lazy("number"), ordering="number")
    def shown_number(self, message: Message) -> str:
        return str(number_cell(message.number))

    @display(description=gettext_lazy("state"), label=STATE_COLOURS)
    def shown_state(self, message: Message) -> tuple[str, Any]:
        standing = answers.standing(message)
        return standing.key, meanings.inline("message", standing.key, standing.label)

    @display(description=gettext_lazy("campaign"), ordering="campaign")
    def shown_campaign(self, message: Message) -> Campaign:
        return message.campaign

    @display(description=gettext_lazy("reason"))
    def shown_reason(self, message: Message) -> str:
        return in_text(reason_in_words(message.reason)) or "–"

    @display(description=gettext_lazy("segments"), ordering="segments")
    def shown_segments(self, message: Message) -> int:
        return timeline.segments_of(message)

    @display(description=gettext_lazy("cost"))
    def cost(self, message: Message) -> str:
        return timeline.cost_of(message)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.amount_view)
        return [path("<int:pk>/amount/", view, name="messaging_message_amount"), *super().get_urls()]

    def amount_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Whether an amount that cannot be right is counted anyway."""
        require(request, "messaging.view_message", MAY_DECIDE)
        message = posted_row(request, Message.objects.all(), pk)
        try:
            amount_words.decide(
                message.pk,
                whole_number(request.POST.get("event", "")) or 0,
                take=request.POST.get("word") == "take",
                why=request.POST.get("why", ""),
                by=signed_in(request),
            )
            messages.success(request, _("Recorded, with your reason."))
        except ValidationError as problem:
            say_why(request, problem)
        return HttpResponseRedirect(own_page(message))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        message = self.get_object(request, object_id)
        if message is None or not self.has_view_permission(request, message):
            return super().change_view(request, object_id, form_url, extra_context)
        answers.write_one(message.batch_id)
        message.refresh_from_db()
        return page(
            self,
            request,
            "messaging/campaign/message.html",
            _("Message to %(number)s") % {"number": masked(message.number)},
            message=message,
            state=answers.standing(message),
            waits=waiting.of_batch(message.batch) if message.state == MessageState.QUEUED else None,
            zone=settings.TIME_ZONE,
            text=timeline.text_of(message),
            segments=timeline.segments_of(message),
            cost=self.cost(message),
            order_id=order_id(settings.LAAFFIC_ORDER_PREFIX, message.pk, message.attempt),
            entries=timeline.of(message),
            doubts=amount_words.open_for(message),
            may_decide=request.user.has_perm(MAY_DECIDE),
        )
