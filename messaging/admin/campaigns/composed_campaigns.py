"""A list of campaigns and the form in which they are composed: the same for SMS, MMS and spoken messages."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from laaffic_console.gateway.models import Application, Channel
from laaffic_console.gateway.services.ledger.open_acts import FIELD, StillOpen
from laaffic_console.identity.models import profile_of
from laaffic_console.kit.forms import kept_forms
from laaffic_console.kit.forms.shared_rows import SeenForm, SharedRowAdmin
from laaffic_console.kit.masking import masks
from laaffic_console.kit.masking.refusals_said import say_why
from laaffic_console.kit.pages import own_page, require
from laaffic_console.kit.words.people import signed_in
from messaging.admin.campaigns import campaign_comparison, campaign_list, resuming_several
from messaging.admin.campaigns.campaign_list import CampaignListAdmin
from messaging.admin.composing import compose, pasted_numbers, templates
from messaging.admin.composing.compose_form import ComposeForm
from messaging.admin.rules import approvals
from messaging.models import Campaign, CampaignState
from messaging.services.campaigns import campaigns, drafts, editing, starting
from messaging.services.figures import comparing

TEST_TO_ME = "_test"


class ComposedCampaignAdmin(approvals.GoesWithApprovals, SharedRowAdmin, CampaignListAdmin):
    """The list, the form, and the way of a saved draft to its review; for Campaign and its proxies."""

    when_empty = gettext_lazy(
        "Write the first one. Nothing is sent before its page has shown the recipients and the cost, and asked you."
    )
    form: Any = ComposeForm
    change_list_template = "messaging/campaign/campaign_list.html"
    list_display = [*campaign_list.COLUMNS]
    list_filter = ["state", "application", campaign_list.KindFilter]
    list_select_related = ["application", "created_by"]
    search_fields = ["name"]
    list_per_page = 50
    actions = ["compare", "resume_chosen"]
    autocomplete_fields = ["groups", "excluded_groups", "audiences"]
    application_channel = Channel.SMS
    fieldsets = [
        (None, {"fields": ["name", ("application", "sender_id")]}),
        (gettext_lazy("Text"), {"fields": ["template_version", "text"]}),
        (gettext_lazy("To"), {"fields": ["groups", "audiences", *pasted_numbers.FIELDS, "excluded_groups"]}),
        (
            gettext_lazy("When and how fast"),
            {
                "fields": [
                    *("scheduled_at", "local_time", "latest_start_minutes", "latest_end", "calendar"),
                    *("rate_per_second", "error_limit", "purpose"),
                ]
            },
        ),
        (
            gettext_lazy("A few first"),
            {"fields": [("canary", "canary_wait"), ("canary_reports", "canary_least")]},
        ),
    ]

    @admin.action(description=gettext_lazy("Compare"), permissions=["view"])
    def compare(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> HttpResponse:
        ticked = queryset.order_by("pk").values_list("pk", flat=True)[: comparing.MOST + 1]
        return HttpResponseRedirect(campaign_comparison.address(list(ticked)))

    def has_launch_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("messaging.launch_campaign")

    @admin.action(description=gettext_lazy("Resume …"), permissions=["launch"])
    def resume_chosen(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> HttpResponse | None:
        return resuming_several.ask(self, request, queryset, campaigns.resume, most=resuming_several.MOST)

    # Composing

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        given: dict[str, Any] = super().get_changeform_initial_data(request)
        if lone := compose.lone(self.applications()):
            given.setdefault("application", lone.pk)
        return {**given, **templates.initial(request.GET.get("template", ""))}

    def applications(self) -> QuerySet[Application]:
        return Application.objects.filter(channel=self.application_channel, is_active=True)

    def get_form(self, request: HttpRequest, obj: Campaign | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if not issubclass(form, ComposeForm):
            return form
        return type(form.__name__, (form,), {"reader_zone": profile_of(request.user).time_zone})

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        response: Any = super().render_change_form(request, context, *args, **kwargs)
        form = context["adminform"].form
        if isinstance(form, ComposeForm) and "text" in form.fields:  # else it is only looked at
            response.template_name = "messaging/compose/page.html"
            response.context_data.update(compose.context(self, request, form))
        return response

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_estimate"
        return [path("estimate/", self.admin_site.admin_view(self.estimate_view), name=name), *super().get_urls()]

    def estimate_view(self, request: HttpRequest) -> HttpResponse:
        return compose.estimate_view(self, request)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "application":
            kwargs["queryset"] = self.applications()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Campaign, form: "forms.ModelForm[Any]", change: bool) -> None:
        groups = {name: form.cleaned_data[name] for name in ("groups", "excluded_groups", "audiences")}
        obj.paste = form.paste if isinstance(form, pasted_numbers.PastedNumbersForm) else obj.paste
        columns = form.own_columns() if isinstance(form, SeenForm) else ()
        drafts.save(obj, **groups, columns=columns, by=signed_in(request), is_told=False)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The service has saved the groups with the draft."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show again what was typed if the form was valid but the service refused it."""
        try:
            response: HttpResponse = super().changeform_view(request, object_id, form_url, extra_context)
        except ValidationError as problem:
            why = " ".join(problem.messages)
            return kept_forms.not_stored(request, why, request.path)
        return response

    def response_add(self, request: HttpRequest, obj: Campaign, post_url_continue: str | None = None) -> HttpResponse:
        return self._to_review(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Campaign) -> HttpResponse:
        return self._to_review(request, obj) or super().response_change(request, obj)

    def _to_review(self, request: HttpRequest, campaign: Campaign) -> HttpResponse | None:
        if {"_continue", "_addanother"} & set(request.POST):
            return None
        if TEST_TO_ME in request.POST:
            return self._test_to_me(request, campaign)
        return HttpResponseRedirect(own_page(campaign, "review"))

    def has_change_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        """Only a draft can be edited: what was launched stays what it was."""
        return (obj is None or obj.state == CampaignState.DRAFT) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return obj is not None and obj.state == CampaignState.DRAFT and super().has_delete_permission(request, obj)

    def delete_model(self, request: HttpRequest, obj: Campaign) -> None:
        editing.delete(obj.pk)

    def _test_to_me(self, request: HttpRequest, draft: Campaign) -> HttpResponse:
        """Send a test of the draft, which is saved, to the number of the person who pressed the button."""
        require(request, "messaging.launch_campaign", "messaging.view_contact")
        if not (number := profile_of(request.user).number):
            messages.warning(request, _("The campaign is saved. Write your own number here: its test goes there."))
            return HttpResponseRedirect(reverse("own_profile", query={"next": own_page(draft)}))
        return self._send_test(request, draft, number, back=own_page(draft))

    def _send_test(self, request: HttpRequest, draft: Campaign, number: str, *, back: str) -> HttpResponse:
        try:
            test = starting.launch_test(draft, number, again=request.POST.get(FIELD, ""), by=signed_in(request))
        except StillOpen as problem:
            messages.error(request, masks.in_text(problem.sentence))
            return HttpResponseRedirect(f"{own_page(draft, 'review')}?again=yes")
        except ValidationError as problem:
            say_why(request, problem)
            return HttpResponseRedirect(back)
        link = format_html('<a href="{}">{}</a>', own_page(test), _("Watch it"))
        messages.success(request, format_html("{} {}", _("The test is on its way."), link))
        return HttpResponseRedirect(back)


def launched_meanwhile(request: HttpRequest) -> HttpResponse | None:
    """Show again what was typed into the form of a draft that has been launched since then."""
    if request.method != "POST":
        return None
    why = _("It has been launched in the meantime and can no longer be changed. This is what you had typed.")
    return kept_forms.not_stored(request, why, request.path)
