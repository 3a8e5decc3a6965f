"""Webhooks and the log of their deliveries; each secret is on one page and never again."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from laaffic_console.events import outcomes
from laaffic_console.events.kinds import CHOICES
from laaffic_console.events.models import Delivery, Webhook
from laaffic_console.events.services import webhooks
from laaffic_console.kit.admin.page_links import PageLink
from laaffic_console.kit.admin.read_only import ReadOnlyAdmin
from laaffic_console.kit.forms import asking_again
from laaffic_console.kit.forms.kept_forms import asks
from laaffic_console.kit.masking import masks
from laaffic_console.kit.pages import add_problems, own_page, page, posted_row, require
from laaffic_console.kit.words import dates
from laaffic_console.kit.words.figures import number
from laaffic_console.kit.words.people import signed_in

ADD, CHANGE, DELETE = "events.add_webhook", "events.change_webhook", "events.delete_webhook"
REDELIVER = "events.change_delivery"
LIST = "admin:events_webhook_changelist"
COLOURS = {Webhook.State.ACTIVE: "success", Webhook.State.PAUSED: "warning", Webhook.State.DISABLED: "danger"}
LOG_COLOURS = {Delivery.State.WAITING: "info", Delivery.State.DELIVERED: "success", Delivery.State.FAILED: "danger"}


class WebhookForm(forms.Form):
    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Such as https://example.com/hooks. Events are posted there as JSON, signed."),
    )
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Events"),
        choices=CHOICES,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one event.")},
    )


class KindsForm(forms.Form):
    kinds = WebhookForm.base_fields["kinds"]


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin):
    when_empty = gettext_lazy("A webhook informs another system of what happens here, as soon as it happens.")
    add_page = PageLink("admin:events_webhook_make", gettext_lazy("New webhook"), ADD, (masks.SEE,))
    list_display = ["url", "shown_state", "shown_kinds", "last_ok_at", "failing_since", "made_at"]
    search_fields = ["url"]
    list_links = (PageLink("admin:events_delivery_changelist", gettext_lazy("Deliveries"), "events.view_delivery"),)
    change_form_outer_after_template = "events/webhook_acts.html"
    fields = [
        *("url", "shown_kinds", "shown_state", "shown_problem", "last_ok_at", "failing_since"),
        *("disabled_at", "made_at", "made_by"),
    ]

    @display(description=gettext_lazy("events"))
    def shown_kinds(self, webhook: Webhook) -> str:
        return ", ".join(webhook.kinds)

    @display(description=gettext_lazy("state"), label=COLOURS, ordering="state")
    def shown_state(self, webhook: Webhook) -> tuple[str, str]:
        return webhook.state, webhook.get_state_display()

    @display(description=gettext_lazy("last problem"))
    def shown_problem(self, webhook: Webhook) -> str:
        return masks.in_text(outcomes.in_words(webhook.problem, webhook.detail)) or "–"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        acts = ("pause", "resume", "test", "delete")
        return [
            path("make/", wrap(never_cache(self.make_view)), name="events_webhook_make"),
            path("<int:pk>/rotate/", wrap(never_cache(self.rotate_view)), name="events_webhook_rotate"),
            path("<int:pk>/events/", wrap(self.kinds_view), name="events_webhook_kinds"),
            *(
                path(f"<int:pk>/{act}-it/", wrap(getattr(self, f"{act}_webhook")), name=f"events_webhook_{act}_it")
                for act in acts
            ),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        require(request, ADD)
        return HttpResponseRedirect(reverse("admin:events_webhook_make"))

    @asks(WebhookForm, ADD, masks.SEE)
    @asking_again.asked_first
    def make_view(self, request: HttpRequest) -> HttpResponse:
        """Events hold whole numbers and texts, and their address belongs to the person who makes it."""
        require(request, ADD, masks.SEE)
        form = WebhookForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                made = webhooks.create(form.cleaned_data["url"], form.cleaned_data["kinds"], by=signed_in(request))
            except ValidationError as problem:
                add_problems(form, problem)
            else:
                return self._shown_once(request, *made)
        return page(self, request, "console/make.html", _("New webhook"), form=form, back=reverse(LIST))

    @asks(KindsForm, CHANGE, masks.SEE)
    @asking_again.asked_first
    def kinds_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        require(request, CHANGE, masks.SEE)
        webhook = _webhook(pk)
        form = KindsForm(request.POST or None, initial={"kinds": webhook.kinds})
        if request.method == "POST" and form.is_valid():
            webhooks.change_kinds(webhook, form.cleaned_data["kinds"])
            return _to(webhook)
        back = own_page(webhook)
        return page(self, request, "console/make.html", webhook.url, form=form, back=back)

    @asking_again.asked_first
    def rotate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        webhook = _posted(request, pk, CHANGE)
        return self._shown_once(request, webhook, webhooks.rotate(webhook))

    def pause_webhook(self, request: HttpRequest, pk: int) -> HttpResponse:
        webhook = _posted(request, pk, CHANGE)
        if webhooks.pause(webhook):
            messages.success(request, _("It is paused: its events wait."))
        return _to(webhook)

    def resume_webhook(self, request: HttpRequest, pk: int) -> HttpResponse:
        webhook = _posted(request, pk, CHANGE)
        if webhooks.resume(webhook):
            messages.success(request, _("It is active again: what waits for it leaves now."))
        return _to(webhook)

    def test_webhook(self, request: HttpRequest, pk: int) -> HttpResponse:
        webhook = _posted(request, pk, CHANGE)
        delivery = webhooks.test(webhook)
        said = _("The test is written down. %(when)s This page says what came of it.")
        messages.info(request, said % {"when": webhooks.when_it_leaves(webhook)})
        return HttpResponseRedirect(own_page(delivery))

    def delete_webhook(self, request: HttpRequest, pk: int) -> HttpResponse:
        webhooks.delete(_posted(request, pk, DELETE))
        messages.success(request, _("It is deleted, and so is the log of its deliveries."))
        return HttpResponseRedirect(reverse(LIST))

    def _shown_once(self, request: HttpRequest, webhook: Webhook, secret: str) -> HttpResponse:
        request.made_at = own_page(webhook)  # type: ignore[attr-defined]  # for sent_once.py
        answer = page(self, request, "events/shown_once.html", webhook.url, webhook=webhook, secret=secret)
        answer["Referrer-Policy"] = "no-referrer"
        return answer


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    when_empty = gettext_lazy("What was sent to webhooks, and what they answered, is kept here for some days.")
    list_display = [
        *("event_id_", "shown_kind", "webhook", "shown_state", "shown_problem", "status", "took", "attempts"),
        *("tried_at", "next"),
    ]
    list_select_related = ["event", "webhook"]
    list_filter = ["state", "webhook", "event__kind"]
    change_form_outer_after_template = "events/redeliver.html"
    fields = [
        *("event_id_", "shown_kind", "about", "webhook", "shown_state", "shown_problem", "status", "took", "attempts"),
        *("happened", "tried_at", "next", "body"),
    ]

    @display(description="webhook-id")
    def event_id_(self, delivery: Delivery) -> str:
        return delivery.event.webhook_id

    @display(description=gettext_lazy("event"))
    def shown_kind(self, delivery: Delivery) -> str:
        return delivery.event.kind

    @display(description=gettext_lazy("about"))
    def about(self, delivery: Delivery) -> str:
        return masks.in_text(delivery.event.about)

    @display(description=gettext_lazy("happened"))
    def happened(self, delivery: Delivery) -> str:
        return dates.exact(delivery.event.at)

    @display(description=gettext_lazy("took"), ordering="ms")
    def took(self, delivery: Delivery) -> str:
        return "–" if delivery.ms is None else _("%(n)s ms") % {"n": number(delivery.ms)}

    @display(description=gettext_lazy("body"))
    def body(self, delivery: Delivery) -> str:
        return masks.in_text(delivery.event.body)

    @display(description=gettext_lazy("state"), label=LOG_COLOURS)
    def shown_state(self, delivery: Delivery) -> tuple[str, str]:
        return delivery.state, delivery.get_state_display()

    @display(description=gettext_lazy("problem"))
    def shown_problem(self, delivery: Delivery) -> str:
        return masks.in_text(delivery.why) or "–"

    @display(description=gettext_lazy("next try"))
    def next(self, delivery: Any) -> str:
        if delivery.state != Delivery.State.WAITING:
            return "–"
        if delivery.webhook.state == Webhook.State.PAUSED:
            return _("when the webhook is resumed")
        if delivery.is_behind:
            return _("after the one before it")
        return dates.exact(max(delivery.next_at, delivery.webhook.rests_until or delivery.next_at))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        """With whether each waits for an earlier event about the same thing."""
        before = Delivery.objects.filter(
            webhook=OuterRef("webhook"), state=Delivery.State.WAITING, order_key=OuterRef("order_key")
        )
        shown = super().get_queryset(request).select_related("event", "webhook")
        return shown.annotate(is_behind=Exists(before.filter(pk__lt=OuterRef("pk"))))

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/redeliver/", wrap(self.redeliver_view), name="events_delivery_redeliver"),
            *super().get_urls(),
        ]

    def redeliver_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        require(request, REDELIVER)
        delivery = posted_row(request, Delivery.objects.select_related("webhook", "event"), pk)
        if not webhooks.redeliver(delivery):
            messages.info(request, _("It is already waiting to be delivered."))
        elif delivery.webhook.state != Webhook.State.ACTIVE:
            messages.warning(request, webhooks.when_it_leaves(delivery.webhook))
        return HttpResponseRedirect(own_page(delivery))


def _posted(request: HttpRequest, pk: int, permission: str) -> Webhook:
    require(request, permission)
    return posted_row(request, Webhook.objects.all(), pk)


def _webhook(pk: int) -> Webhook:
    return get_object_or_404(Webhook, pk=pk)


def _to(webhook: Webhook) -> HttpResponse:
    return HttpResponseRedirect(own_page(webhook))
