"""Email campaigns: composing, the review before launch, the page while it runs, its mails."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from laaffic_console.exporting import delivery, kinds
from laaffic_console.gateway import shown_requests
from laaffic_console.gateway.models import EvidenceKind
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.identity.models import profile_of
from laaffic_console.kit.admin.console_admin import ModelAdmin
from laaffic_console.kit.lists.changelists import changelist_of
from laaffic_console.kit.masking import masks
from laaffic_console.kit.masking.refusals_said import say_why
from laaffic_console.kit.pages import add_problems, own_page, page, page_of, require
from laaffic_console.kit.words import state_colours
from laaffic_console.kit.words.people import signed_in
from laaffic_console.kit.words.plain_text import whole_number
from messaging.admin.campaigns import resuming_several
from messaging.admin.campaigns.composed_campaigns import launched_meanwhile
from messaging.admin.email import email_beside
from messaging.admin.email.email_form import (
    LOOKED_UP,
    STEPS,
    EmailCampaignForm,
    choice_words,
    lookup_words,
    refresh_and_say,
)
from messaging.admin.email.email_review import EmailLaunch, TestForm
from messaging.admin.rules import approvals, budgets, calendars
from messaging.admin.shared import buttons, proof_panel, resuming
from messaging.admin.shared.clocks import starts_at
from messaging.models import EmailCampaign, EmailCampaignState, EmailLookup
from messaging.registered import export_kinds
from messaging.services.email import campaigns as email_campaigns
from messaging.services.email import choices as email_choices
from messaging.services.email import counting as email_counting
from messaging.services.email import drafts as email_drafts
from messaging.services.email import starting as email_starting
from messaging.services.email import states as email_states
from messaging.services.email import trial_emails
from messaging.services.email.states import ABOUT
from messaging.services.email.trial_emails import TestFailed

State = EmailCampaignState
Kind = EmailLookup.Kind
STATE_COLOURS = state_colours.of(State)
MAY_PUT_ASIDE = ("messaging.view_emailcampaign", "messaging.approve_emailcampaign")
# verb: (its words, what is asked first, the service)
BUTTONS: dict[str, tuple[Any, Any, Callable[..., EmailCampaign]]] = {
    buttons.RESUME: (gettext_lazy("Try again"), "", email_starting.resume),
    "edit": (gettext_lazy("Edit"), "", email_starting.edit_again),
    buttons.TAKE_BACK: (gettext_lazy("Back to draft"), "", email_starting.take_back),
    "cancel": (
        gettext_lazy("Cancel"),
        gettext_lazy("Cancel this campaign? It will never be sent."),
        email_campaigns.cancel,
    ),
}
BUTTONS_OF = {
    State.SCHEDULED: [buttons.TAKE_BACK, "cancel"],
    State.SENDING: ["cancel"],
    State.HELD: [buttons.RESUME, buttons.TAKE_BACK, "edit", "cancel"],
}
WORDS = {"send_again": email_campaigns.send_again, "write_off": email_campaigns.write_off}


@admin.register(EmailCampaign)
class EmailCampaignAdmin(approvals.GoesWithApprovals, ModelAdmin):
    when_empty = gettext_lazy("Choose a recipient list and an approved template, both kept at Laaffic, and send them.")
    list_display = ["shown_name", "shown_state", "from_address", "shown_list", "bar", "created_at", "created_by"]
    list_filter = ["state", "application"]
    list_filter_sheet = False
    list_select_related = ["application", "created_by"]
    search_fields = ["name", "subject"]
    list_per_page = 50
    actions = ["resume_chosen"]

    # The list

    def has_launch_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("messaging.launch_emailcampaign")

    @admin.action(description=gettext_lazy("Resume …"), permissions=["launch"])
    def resume_chosen(self, request: HttpRequest, queryset: QuerySet[EmailCampaign]) -> HttpResponse | None:
        return resuming_several.ask(self, request, queryset, email_starting.resume, most=resuming_several.MOST_EMAILS)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        response = super().changelist_view(request, extra_context)
        if changelist := changelist_of(response):
            shown = list(changelist.result_list)
            found = email_counting.progress_of_many(shown)
            for campaign in shown:
                campaign.progress = found[campaign.pk]
            changelist.result_list = shown
        return response

    @display(description=gettext_lazy("campaign"), header=True, ordering="name")
    def shown_name(self, campaign: EmailCampaign) -> list[str]:
        said = masks.in_text(campaign.hold_reason or campaign.wait_reason)
        return [campaign.name, said or starts_at(campaign) or campaign.subject]

    @display(description=gettext_lazy("state"), label=STATE_COLOURS, ordering="state")
    def shown_state(self, campaign: EmailCampaign) -> tuple[str, str]:
        return campaign.state, campaign.get_state_display()

    @display(description=gettext_lazy("recipient list"))
    def shown_list(self, campaign: EmailCampaign) -> str:
        return campaign.receiver_name or campaign.receiver_id

    @display(description=gettext_lazy("progress"))
    def bar(self, campaign: EmailCampaign) -> str:
        progress = getattr(campaign, "progress", None) or email_counting.progress(campaign)
        shown = render_to_string("console/progress_bar.html", {"parts": progress["parts"]})
        return format_html('<div class="c-bar-box">{}</div>', shown)

    # Who may what

    def has_change_permission(self, request: HttpRequest, obj: EmailCampaign | None = None) -> bool:
        """Only a draft can be edited: what was launched stays what it was."""
        return (obj is None or obj.state == State.DRAFT) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: EmailCampaign | None = None) -> bool:
        """A campaign that has a request in the ledger cannot be deleted."""
        is_untouched = obj is not None and email_drafts.is_untouched(obj)
        return is_untouched and super().has_delete_permission(request, obj)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("estimate/", wrap(email_beside.estimate_view), name="messaging_emailcampaign_estimate"),
            path("<int:pk>/recipients/<slug:kind>/", wrap(self.export_view), name="messaging_emailcampaign_recipients"),
            path("<int:pk>/review/", wrap(self.review_view), name="messaging_emailcampaign_review"),
            path("<int:pk>/approval/<slug:verb>/", wrap(self.approval_view), name="messaging_emailcampaign_approval"),
            path("<int:pk>/test/", wrap(self.test_view), name="messaging_emailcampaign_test"),
            path("<int:pk>/unknown/", wrap(self.unknown_view), name="messaging_emailcampaign_unknown"),
            path("<int:pk>/dossier/", wrap(self.dossier_view), name="messaging_emailcampaign_dossier"),
            path("<int:pk>/prove/", wrap(self.prove_view), name="messaging_emailcampaign_prove"),
            path(
                "<int:pk>/outside-hours/", wrap(self.outside_hours_view), name="messaging_emailcampaign_outside_hours"
            ),
            path("<int:pk>/do/<slug:verb>/", wrap(self.verb_view), name="messaging_emailcampaign_do"),
            *super().get_urls(),
        ]

    def export_view(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        """Each mail with what happened to it."""
        back = page_of(EmailCampaign, pk)
        parameters, file_name = {"campaign": pk}, f"email-campaign-{pk}-recipients"
        answer: HttpResponse = delivery.deliver(
            request, export_kinds.EMAIL_RECIPIENTS, parameters, kind, file_name=file_name, back=back
        )
        return answer

    # Composing

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._compose(request, EmailCampaign())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        campaign = self.get_object(request, object_id)
        if campaign is None:
            raise Http404
        if self.has_change_permission(request, campaign):
            return self._compose(request, campaign)
        if not self.has_view_permission(request, campaign):
            raise PermissionDenied
        if campaign.state == State.DRAFT:
            return HttpResponseRedirect(own_page(campaign, "review"))
        if answer := launched_meanwhile(request):
            return answer
        return self._campaign_page(request, campaign)

    def _compose(self, request: HttpRequest, campaign: EmailCampaign) -> HttpResponse:
        zone = profile_of(request.user).time_zone
        if request.method == "POST" and "_refresh" in request.POST:
            refresh_and_say(request)
            asked = {*EmailCampaignForm.Meta.fields, "clock"}
            typed = {name: value for name, value in request.POST.items() if name in asked}
            form = EmailCampaignForm(initial=typed, instance=campaign, reader_zone=zone)
            return self._compose_page(request, campaign, form)
        form = EmailCampaignForm(request.POST or None, instance=campaign, reader_zone=zone)
        if request.method == "POST" and (saved := self._save(request, form)):
            return HttpResponseRedirect(own_page(saved, "review"))
        return self._compose_page(request, campaign, form)

    @transaction.atomic
    def _save(self, request: HttpRequest, form: EmailCampaignForm) -> EmailCampaign | None:
        """Compared and saved under one lock."""
        if not form.is_valid():
            return None
        try:
            return email_drafts.save(form.instance, columns=form.own_columns(), by=signed_in(request))
        except ValidationError as problem:
            add_problems(form, problem)
            return None

    def _compose_page(self, request: HttpRequest, campaign: EmailCampaign, form: EmailCampaignForm) -> HttpResponse:
        told = lookup_words()
        return page(
            self,
            request,
            "messaging/email/email_compose.html",
            _("Edit “%(name)s”") % {"name": campaign.name} if campaign.pk else _("New email campaign"),
            form=form,
            beside_form="campaign_form",
            original=campaign if campaign.pk else None,
            steps={step: [(form[name], told.get(name)) for name in names] for step, names in STEPS.items()},
            choices=[
                (name, [(choice.value, choice_words(choice)) for choice in email_choices.offered(kind)])
                for name, kind in LOOKED_UP.items()
            ],
            has_delete_permission=campaign.pk is not None and self.has_delete_permission(request, campaign),
            **email_beside.beside(form),
        )

    # Before launch

    def review_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        require(request, "messaging.view_emailcampaign")
        campaign = self._get(pk)
        if campaign.state != State.DRAFT:
            return HttpResponseRedirect(own_page(campaign))
        return EmailLaunch(self, request, campaign).answer()

    def approval_view(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        return approvals.act(request, self._get(pk), verb)

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        require(request, "messaging.view_emailcampaign", "messaging.launch_emailcampaign")
        campaign = self._get(pk)
        if request.method != "POST" or campaign.state != State.DRAFT:
            raise Http404
        form = TestForm(request.POST)
        if form.is_valid():
            given = form.cleaned_data
            try:
                said = trial_emails.send_test(campaign, **given, by=signed_in(request))
            except ValidationError as problem:
                add_problems(form, problem)
            except TestFailed as problem:
                messages.error(request, masks.in_text(problem))
            else:
                messages.success(request, said)
                return HttpResponseRedirect(own_page(campaign, "review"))
        shown = EmailLaunch(self, request, campaign)
        shown.test_form = form
        return shown.show()

    # While it runs

    def _campaign_page(self, request: HttpRequest, campaign: EmailCampaign) -> HttpResponse:
        may_act = request.user.has_perm("messaging.launch_emailcampaign")
        may_put_aside = campaign.waits_for_hours and request.user.has_perms(MAY_PUT_ASIDE)
        verbs = BUTTONS_OF.get(State(campaign.state), []) if may_act and not campaign.undo_until else []
        if campaign.waits_for_hours and may_act:
            verbs = [buttons.TAKE_BACK, *verbs]
        verbs = [verb for verb in verbs if verb not in self._not_offered(request, campaign)]
        proved = proof_panel.context(campaign)
        return page(
            self,
            request,
            "messaging/email/email_campaign.html",
            campaign.name,
            campaign=campaign,
            zone=settings.TIME_ZONE,
            is_restored=campaign.entry is not None and campaign.entry.evidence_kind == EvidenceKind.RESTORE,
            progress=email_counting.progress(campaign),
            waits_for=email_campaigns.waits_for(campaign) if campaign.state == State.RUNNING else "",
            reasons=email_counting.reasons(campaign),
            shown_end=resuming.shown(campaign),
            end_passed=resuming.end_passed(campaign),
            says_it_goes_on=_says_it_goes_on(campaign),
            **budgets.about(request, campaign),
            asks_why=buttons.RESUME in verbs and email_starting.needs_reason(campaign),
            buttons=[(verb, *BUTTONS[verb][:2]) for verb in verbs],
            **shown_requests.about(ABOUT, campaign.pk, request.user),
            events=campaign.events.select_related("actor")[:20],
            may_put_hours_aside=may_put_aside,
            may_resolve=request.user.has_perm("messaging.resolve_emailcampaign"),
            may_export=request.user.has_perms(kinds.named(export_kinds.EMAIL_RECIPIENTS).rights),
            may_make_dossier=request.user.has_perms(kinds.named(export_kinds.EMAIL_DOSSIER).rights),
            **proved,
            is_over=campaign.state in email_counting.OVER and not proved["is_being_proved"],
        )

    def _not_offered(self, request: HttpRequest, campaign: EmailCampaign) -> set[str]:
        """The buttons that are left out. A mail that may have arrived stays as it was sent."""
        if email_states.may_have_arrived(campaign):
            return {buttons.TAKE_BACK, "edit"}
        return set() if request.user.has_perm("messaging.change_emailcampaign") else {"edit"}

    def dossier_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return proof_panel.dossier_view(request, export_kinds.EMAIL_DOSSIER, EmailCampaign, pk)

    def prove_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return proof_panel.prove_view(self, request, self._get(pk))

    def verb_view(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        require(request, "messaging.view_emailcampaign", "messaging.launch_emailcampaign")
        if request.method != "POST" or verb not in BUTTONS:
            raise Http404
        if verb == "edit":
            require(request, "messaging.change_emailcampaign")
        return buttons.act(request, self._get(pk), verb, BUTTONS[verb][2], may_repeat=True)

    def outside_hours_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        act, campaign = email_starting.send_outside_hours, self._get(pk)
        return calendars.outside_hours_view(self, request, campaign, act=act, rights=MAY_PUT_ASIDE)

    def unknown_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A person's word on a lost answer."""
        require(request, "messaging.view_emailcampaign", "messaging.resolve_emailcampaign")
        campaign = self._get(pk)
        if request.method != "POST" or request.POST.get("word") not in WORDS:
            raise Http404
        try:
            reason, seen = request.POST.get("reason", "")[:200], whole_number(request.POST.get("seen", ""))
            WORDS[request.POST["word"]](pk, reason=reason, by=signed_in(request), seen=seen or 0)
        except ValidationError as problem:
            say_why(request, problem)
        return HttpResponseRedirect(own_page(campaign))

    def _get(self, pk: int) -> EmailCampaign:
        return get_object_or_404(EmailCampaign.objects.select_related("application"), pk=pk)


def _says_it_goes_on(campaign: EmailCampaign) -> bool:
    """Whether the page must say that it goes on by itself: an account hold whose sentence does not say so."""
    if not campaign.is_held_by_account:
        return False
    stop = account_hold.stop_for(campaign.application_id)
    return stop is None or stop.code != account_hold.LOST
