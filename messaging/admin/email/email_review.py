"""Before an email campaign is launched, one page: the one of every kind of draft, with what is an email's own."""

from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from laaffic_console.gateway.again_form import AgainForm
from laaffic_console.gateway.services.account import balance_history
from laaffic_console.gateway.services.ledger.open_acts import FIELD, StillOpen
from laaffic_console.kit.words.people import signed_in
from messaging.admin.composing.before_launch import check_words
from messaging.admin.email.email_beside import NO_PRICE, people_of
from messaging.admin.email.email_form import address_words, say
from messaging.admin.pages import page, require
from messaging.admin.rules import approvals
from messaging.admin.shared import undo_field
from messaging.admin.shared.clocks import at_its_moment
from messaging.models import EmailCampaign
from messaging.services.email import checks as email_checks
from messaging.services.email import drafts as email_drafts
from messaging.services.email import hours as email_hours
from messaging.services.email import starting as email_starting
from messaging.services.email.checks import Planned
from messaging.services.launching import checks, seals
from messaging.services.launching.checks import NotSeen
from messaging.services.refusals import NotAllowed


class TestForm(AgainForm):
    address = forms.CharField(label=gettext_lazy("Send a test to"), max_length=254, required=False)
    template_data = forms.CharField(
        label=gettext_lazy("The template's variables, as JSON"),
        required=False,
        widget=forms.Textarea({"rows": 2, "placeholder": '{"name": "Ann"}'}),
    )

    __test__ = False  # not a test of pytest's


def launch_view(admin: "ModelAdmin[Any]", request: HttpRequest, campaign: EmailCampaign) -> HttpResponse:
    if request.method != "POST":
        return review_page(admin, request, campaign)
    require(request, "messaging.launch_emailcampaign")
    if asked := approvals.ask_again(request, campaign):
        return asked
    try:
        _launch(request, campaign)
    except StillOpen as problem:
        return review_page(admin, request, campaign, repeated=problem.sentence)
    except NotSeen as problem:
        return review_page(admin, request, campaign, missing=problem.sentences)
    except (ValidationError, NotAllowed) as problem:
        say(request, problem)
        campaign = EmailCampaign.objects.select_related("application").get(pk=campaign.pk)
        return review_page(admin, request, campaign)
    return HttpResponseRedirect(own_page(campaign, "change"))


def _launch(request: HttpRequest, campaign: EmailCampaign) -> None:
    seen, sentences = seals.read(campaign, request.POST.get("shown", ""))
    email_drafts.require_as_shown(campaign, seen)
    planned = email_checks.planned(campaign)
    checks.require(planned.checks, ticked=set(request.POST.getlist("seen")), sentences=sentences)
    email_starting.launch(
        campaign.pk,
        by=signed_in(request),
        seen=seen,
        again=request.POST.get(FIELD, ""),
        undo_seconds=undo_field.seconds_of(request),
    )


def review_page(
    admin: "ModelAdmin[Any]",
    request: HttpRequest,
    campaign: EmailCampaign,
    *,
    test_form: TestForm | None = None,
    missing: list[str] | None = None,
    repeated: str = "",
) -> HttpResponse:
    """What Laaffic gets, what cannot be checked, and a button that says what it does."""
    planned = email_checks.planned(campaign)
    _seen, sentences = seals.read(campaign, request.POST.get("shown", ""))
    begins = max(campaign.scheduled_at or timezone.now(), timezone.now())
    starts_at = email_hours.opens_at(campaign, begins) or begins
    digest = email_drafts.shown_digest(campaign)
    return page(
        admin,
        request,
        "messaging/email/email_review.html",
        campaign.name,
        draft=campaign,
        campaign=campaign,
        is_shown=True,
        missing=missing or [],
        repeated=repeated,
        people=people_of(campaign.receiver_id, planned.chosen),
        chosen_template=planned.template,
        cost=planned.cost,
        cost_says=NO_PRICE,
        balance=balance_history.latest(),
        checks=[check_words(request, check, sentences) for check in planned.checks],
        is_stopped=checks.is_stopped(planned.checks),
        approval=approvals.shown(request, campaign),
        starts_at=starts_at,
        server_clock=timezone.localtime(starts_at),
        is_later=starts_at > timezone.now(),
        clocks_say=_(
            "Laaffic sends to the whole list at once. Where its people are is not known here, so their clocks are not."
        ),
        button=at_its_moment(send_words(campaign, planned), campaign.scheduled_at),
        shown_token=seals.token(campaign, digest, checks.sentences_of(planned.checks)),
        test_form=test_form or TestForm(initial={"address": signed_in(request).email}),
        can_undo=not campaign.scheduled_at,
        may_launch=request.user.has_perm("messaging.launch_emailcampaign"),
        not_yours=_("You may write campaigns, but not launch them. Ask somebody who may."),
        may_edit=admin.has_change_permission(request, campaign),
        edit_address=own_page(campaign, "change"),
        review_address=own_page(campaign, "review"),  # a test that failed shows this page at its own address
        **undo_field.context(request),
    )


def send_words(campaign: EmailCampaign, planned: Planned) -> str:
    """What the button does, in figures where they are known."""
    n = planned.recipients
    whom = address_words(n) if n is not None else _("list %(id)s") % {"id": campaign.receiver_id}
    return _("Send to %(whom)s") % {"whom": whom}


def own_page(campaign: EmailCampaign, what: str) -> str:
    return reverse(f"admin:messaging_emailcampaign_{what}", args=[campaign.pk])
