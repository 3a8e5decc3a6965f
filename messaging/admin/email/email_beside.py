"""What is beside the form of an email campaign: its row in an inbox, how many get it, and when."""

from typing import Any

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from laaffic_console.gateway.models import Application, Channel
from laaffic_console.gateway.services.account import balance_history
from laaffic_console.identity.models import profile_of
from laaffic_console.kit.words.plain_text import whole_number
from messaging.admin.email.email_form import EmailCampaignForm
from messaging.admin.shared.clocks import moment_in
from messaging.models import EmailCampaign, EmailChoice, EmailLookup
from messaging.services.email import choices as email_choices
from messaging.services.email import drafts as email_drafts
from messaging.services.email import launch_checks as email_checks

NO_PRICE = gettext_lazy("Laaffic names no price for emails, neither before nor in its reports.")
WRITTEN = ("from_address", "receiver_id", "template_id", "subject")


def estimate_view(request: HttpRequest) -> HttpResponse:
    """The form as it stands, stored nowhere."""
    if not (
        request.user.has_perm("messaging.add_emailcampaign") or request.user.has_perm("messaging.change_emailcampaign")
    ):
        raise PermissionDenied
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    form = EmailCampaignForm(request.POST, reader_zone=profile_of(request.user).time_zone)
    return TemplateResponse(request, "messaging/compose/email_live.html", beside(form))


def beside(form: EmailCampaignForm) -> dict[str, Any]:
    """What is shown beside the form while it is filled in, even if it has mistakes."""
    written = {name: str(form[name].value() or "").strip() for name in WRITTEN}
    sketch = EmailCampaign(application=_application(form), **written)
    is_chosen = sketch.application_id is not None
    chosen = email_choices.known(sketch.application, EmailLookup.Kind.LIST, sketch.receiver_id) if is_chosen else None
    zone = form.reader_zone or str(timezone.get_current_timezone())
    starts_at = _starts_at(form)
    return {
        "sketch": sketch,
        "chosen_template": _template(sketch) if is_chosen else None,
        "problems": _problems(sketch) if is_chosen else [],
        "people": people_of(sketch.receiver_id, chosen),
        "cost": email_drafts.cost_of(sketch),
        "cost_says": NO_PRICE,
        "balance": balance_history.latest(),
        "starts_at": starts_at and moment_in(zone, starts_at),
        "zone": zone,
    }


def people_of(receiver_id: str, chosen: EmailChoice | None) -> dict[str, Any]:
    """The figure of a recipient list, as of the last look-up."""
    source = f"{chosen.name} ({receiver_id})" if chosen else receiver_id
    if chosen and chosen.lookup.answered_at:
        looked = _("looked up %(when)s") % {"when": naturaltime(chosen.lookup.answered_at)}
        source = f"{source} · {looked}"
    count = chosen.detail.get("count") if chosen else None
    return {"name": _("Recipient list"), "n": count, "unit": _("addresses"), "source": source}


def _application(form: EmailCampaignForm) -> Application | None:
    chosen = whole_number(str(form["application"].value() or ""))
    offered = Application.objects.filter(channel=Channel.EMAIL, is_active=True)
    return None if chosen is None else offered.filter(pk=chosen).first()


def _template(sketch: EmailCampaign) -> EmailChoice | None:
    return email_choices.known(sketch.application, EmailLookup.Kind.TEMPLATE, sketch.template_id)


def _problems(sketch: EmailCampaign) -> list[str]:
    """What is wrong with the fields that are filled in; an empty field is not a mistake yet."""
    found = [email_drafts.problem_with_subject(sketch.subject)] if sketch.subject else []
    lacking = {"template": not sketch.template_id, "list": not sketch.receiver_id}
    found += [check.sentence for check in email_checks.of_choices(sketch) if not lacking[check.key]]
    return [sentence for sentence in found if sentence]


def _starts_at(form: EmailCampaignForm) -> Any:
    if not form.is_bound:
        return form.instance.scheduled_at
    form.is_valid()  # once: what a service refused afterwards stays with it
    return form.cleaned_data.get("scheduled_at")
