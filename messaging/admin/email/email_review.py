"""What the page before a launch shows only for an email campaign."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from laaffic_console.gateway.again_form import AgainForm
from laaffic_console.kit.pages import own_page
from laaffic_console.kit.words.people import signed_in
from messaging.admin.composing.launch_page import Facts, LaunchPage
from messaging.admin.email.email_beside import NO_PRICE, people_of
from messaging.admin.email.email_form import address_words
from messaging.admin.rules import approvals
from messaging.admin.shared import undo_field
from messaging.admin.shared.clocks import at_its_moment
from messaging.models import EmailCampaign
from messaging.services.email import drafts as email_drafts
from messaging.services.email import hours as email_hours
from messaging.services.email import launch_checks as email_checks
from messaging.services.email import starting as email_starting
from messaging.services.email.launch_checks import Planned
from messaging.services.launching import checks


class TestForm(AgainForm):
    address = forms.CharField(label=gettext_lazy("Send a test to"), max_length=254, required=False)
    template_data = forms.CharField(
        label=gettext_lazy("The template's variables, as JSON"),
        required=False,
        widget=forms.Textarea({"rows": 2, "placeholder": '{"name": "Ann"}'}),
    )

    __test__ = False  # not a test of pytest's


class EmailLaunch(LaunchPage[EmailCampaign]):
    template = "messaging/email/email_review.html"
    right = "messaging.launch_emailcampaign"
    not_yours = gettext_lazy("You may write campaigns, but not launch them. Ask somebody who may.")

    test_form: TestForm | None = None  # as it was sent and refused

    def launch(self, seen: Any, sentences: dict[str, str]) -> None:
        campaign, posted = self.draft, self.request.POST
        email_drafts.require_as_shown(campaign, seen)
        planned = email_checks.planned(campaign)
        ticked = set(posted.getlist("seen"))
        checks.require(planned.checks, ticked=ticked, reasons=self.reasons(), sentences=sentences)
        email_starting.launch(
            campaign.pk,
            by=signed_in(self.request),
            seen=seen,
            again=self.again(),
            undo_seconds=undo_field.seconds_of(self.request),
        )

    def facts(self) -> Facts:
        """What Laaffic gets, what cannot be checked, and a button that says what it does."""
        campaign = self.draft
        planned = email_checks.planned(campaign)
        begins = max(campaign.scheduled_at or timezone.now(), timezone.now())
        starts_at = email_hours.opens_at(campaign, begins) or begins
        return Facts(
            checks=planned.checks,
            seal=email_drafts.shown_digest(campaign),
            starts_at=starts_at,
            is_later=starts_at > timezone.now(),
            button=at_its_moment(send_words(campaign, planned), campaign.scheduled_at),
            approval=approvals.shown(self.request, campaign),
            more={
                "campaign": campaign,
                "people": people_of(campaign.receiver_id, planned.chosen),
                "chosen_template": planned.template,
                "cost": planned.cost,
                "cost_says": NO_PRICE,
                "clocks_say": _(
                    "Laaffic sends to the whole list at once. "
                    "Where its people are is not known here, so their clocks are not."
                ),
                "test_form": self.test_form or TestForm(initial={"address": signed_in(self.request).email}),
                # A test that failed shows this page at its own address.
                "review_address": own_page(campaign, "review"),
            },
        )

    def fresh(self) -> EmailCampaign:
        return EmailCampaign.objects.select_related("application").get(pk=self.draft.pk)

    def address(self) -> str:
        return own_page(self.draft)

    def can_undo(self) -> bool:
        return not self.draft.scheduled_at


def send_words(campaign: EmailCampaign, planned: Planned) -> str:
    """What the button does, in figures where they are known."""
    n = planned.recipients
    whom = address_words(n) if n is not None else _("list %(id)s") % {"id": campaign.receiver_id}
    return _("Send to %(whom)s") % {"whom": whom}
