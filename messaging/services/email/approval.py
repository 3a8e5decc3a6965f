"""What the rules of approval have to know of an email campaign."""

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy

from laaffic_console.kit.audit.acts import Act
from laaffic_console.kit.words.said import gettext as _
from messaging.models import EmailCampaign, EmailChoice, EmailLookup
from messaging.services import steps
from messaging.services.approvals import shown
from messaging.services.approvals.approvable import Approvable, Plan
from messaging.services.approvals.shown import Shown
from messaging.services.email import choices as email_choices
from messaging.services.email import starting as email_starting
from messaging.services.email import states as email_states

Kind = EmailLookup.Kind


class EmailDrafts(Approvable):
    """Approval of emails. Only Laaffic knows who is on a list: it is bound to the list and the number it told."""

    model = EmailCampaign
    draft = "email_campaign"
    names = {
        "from": gettext_lazy("the sender address"),
        "list": gettext_lazy("the recipient list"),
        "template": gettext_lazy("the template"),
        "subject": gettext_lazy("the subject"),
        "options": gettext_lazy("language, marks and trigger"),
        "application": gettext_lazy("the application"),
        "schedule": gettext_lazy("the schedule"),
        "end": gettext_lazy("the latest end"),
        "calendar": gettext_lazy("the hours"),
        "purpose": gettext_lazy("the purpose"),
    }
    moved = ("end",)

    def prepare(self, pk: int, *, within_request: bool, is_on: bool) -> None:
        """Ask Laaffic how many are on the list now: it is changed there, and nobody tells the console."""
        if not is_on:
            return
        campaign = EmailCampaign.objects.select_related("application").get(pk=pk)
        try:
            email_choices.refresh(campaign.application, kinds=(Kind.LIST, Kind.TEMPLATE))
        except ValidationError:
            return  # nobody can be asked: what was told last counts

    def locked(self, pk: int) -> EmailCampaign:
        return steps.locked(EmailCampaign, pk)

    def check_ready(self, draft: EmailCampaign) -> None:
        email_starting.check_ready(draft)

    def plan(self, draft: EmailCampaign, known: Any = None) -> Plan:
        chosen = email_choices.known(draft.application, Kind.LIST, draft.receiver_id)
        count = chosen.detail.get("count") if chosen else None
        people = shown.digest(count)
        at = timezone.now().isoformat()
        return Plan(Shown(self.parts(draft), people, people, count, {}, 0, at), cost={}, has_prices=False)

    def parts(self, draft: EmailCampaign) -> dict[str, str]:
        template = email_choices.known(draft.application, Kind.TEMPLATE, draft.template_id)
        values = {
            "from": draft.from_address,
            "list": draft.receiver_id,
            "template": [draft.template_id, *_told_of(template)],
            "subject": draft.subject,
            "options": [draft.language, draft.ad_flag, draft.trigger_id, draft.unsubscribe],
            "application": draft.application_id,
            "schedule": draft.scheduled_at,
        }
        if draft.latest_end:  # so that what was approved before there was one is as it was
            values["end"] = draft.latest_end
        if draft.calendar_id:
            values["calendar"] = draft.calendar_id
        if draft.purpose or draft.consent_known_by:
            values["purpose"] = [draft.purpose, draft.consent_known_by]
        return {part: shown.digest(value) for part, value in values.items()}

    def note(self, draft: EmailCampaign, text: str, by: User | None) -> None:
        steps.note(draft, text, by, Act.APPROVAL)

    def how_to_approve(self, draft: EmailCampaign) -> str:
        """A sentence: what to do. A campaign of which something may have left cannot become a draft again."""
        if email_states.may_have_arrived(draft):
            return _("It cannot be made a draft again, as its first request may have arrived. Write a new campaign.")
        return super().how_to_approve(draft)

    def people_words(self, before: Shown, now: Shown) -> str:
        return _("how many are on the list: %(before)s before, %(now)s now") % shown.counts(before, now)


def _told_of(template: EmailChoice | None) -> list[Any]:
    """What Laaffic tells of the mail's content. The template's approval there is left out: it changes no content."""
    if template is None:
        return []
    return [template.name, template.detail.get("subject", ""), template.detail.get("language", "")]
