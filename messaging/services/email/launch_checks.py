"""What is looked at before an email campaign is launched, as far as Laaffic tells it."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.gateway.services.client.account import is_sandbox
from laaffic_console.kit.words import dates
from messaging.models import EmailCampaign, EmailChoice, EmailLookup
from messaging.services.approvals import approval_rules
from messaging.services.email import care as email_care
from messaging.services.email import choices as email_choices
from messaging.services.email import hours as email_hours
from messaging.services.email import starting as email_starting
from messaging.services.launching import checks, restored_drafts
from messaging.services.launching.checks import Check, Level
from messaging.services.reports.prices import Cost

Kind = EmailLookup.Kind


@dataclass(frozen=True, slots=True)
class Planned:
    """What a launch would do, as things stand."""

    chosen: EmailChoice | None  # the recipient list, and the template, as of the last look-up
    template: EmailChoice | None
    recipients: int | None
    cost: Cost
    checks: list[Check]


def planned(campaign: EmailCampaign) -> Planned:
    chosen = email_choices.known(campaign.application, Kind.LIST, campaign.receiver_id)
    template = email_choices.known(campaign.application, Kind.TEMPLATE, campaign.template_id)
    count = chosen.detail.get("count") if chosen else None
    cost = Cost([], {}, count or 0)  # neither answers nor callbacks name a price
    begins = max(campaign.scheduled_at or timezone.now(), timezone.now())
    looks = (_content(campaign), _approval(campaign), _template(campaign, template), _list(campaign, chosen))
    found = [check for look in looks for check in look]
    found += [
        *_hours(campaign),
        *_care(campaign),
        *_callbacks(),
        *_late(campaign),
        *checks.budget(campaign.application, count, cost, is_whole=True, leaves=email_hours.opens_at(campaign, begins)),
        *restored_drafts.check(campaign),
        *checks.account(campaign.application_id),
        *checks.no_worker(),
    ]
    return Planned(chosen, template, count, cost, checks.in_order(found))


def of_choices(campaign: EmailCampaign) -> list[Check]:
    """Checks of its list and template against the last look-up, also while it is being written."""
    template = email_choices.known(campaign.application, Kind.TEMPLATE, campaign.template_id)
    chosen = email_choices.known(campaign.application, Kind.LIST, campaign.receiver_id)
    return [*_template(campaign, template), *_list(campaign, chosen)]


def _content(campaign: EmailCampaign) -> Iterator[Check]:
    try:
        email_starting.check_ready(campaign)
    except ValidationError as problem:
        for sentence in problem.messages:
            yield Check("content", Level.STOP, sentence)


def _approval(campaign: EmailCampaign) -> Iterator[Check]:
    if missing := approval_rules.missing(campaign):
        yield Check("approval", Level.STOP, missing)


def _template(campaign: EmailCampaign, template: EmailChoice | None) -> Iterator[Check]:
    lookup = email_choices.lookup_of(campaign.application, Kind.TEMPLATE)
    if template is None and lookup and lookup.answered_at:
        said = _("The account has no template %(id)s, as of the last look-up.") % {"id": campaign.template_id}
        yield Check("template", Level.TICK, said)
    if template is not None and template.detail.get("status") not in ("", "1"):
        said = _("The template is not approved yet, as of the last look-up: Laaffic will refuse it.")
        yield Check("template", Level.TICK, said)


def _list(campaign: EmailCampaign, chosen: EmailChoice | None) -> Iterator[Check]:
    lookup = email_choices.lookup_of(campaign.application, Kind.LIST)
    if chosen is None and lookup and lookup.answered_at:
        said = _("The account has no recipient list %(id)s, as of the last look-up.") % {"id": campaign.receiver_id}
        yield Check("list", Level.TICK, said)
    if chosen is not None and chosen.detail.get("count") == 0:
        yield Check("list", Level.TICK, _("The recipient list is empty, as of the last look-up."))


def _hours(campaign: EmailCampaign) -> Iterator[Check]:
    begins = max(campaign.scheduled_at or timezone.now(), timezone.now())
    opens = email_hours.opens_at(campaign, begins)
    if too_late := email_hours.begins_too_late(campaign):
        yield Check("end", Level.STOP, too_late)
    if opens is None:
        yield Check("hours", Level.STOP, email_hours.never())
    elif opens > begins:
        said = _("It begins outside the hours of its calendar: it waits, and leaves by itself at %(when)s.")
        yield Check("hours", Level.NOTE, said % {"when": dates.planned(opens)})


def _care(campaign: EmailCampaign) -> Iterator[Check]:
    begins = max(campaign.scheduled_at or timezone.now(), timezone.now())
    if lacking := email_care.no_consent(campaign):
        yield Check("consent", Level.STOP, lacking)
    if enough := email_care.had_enough(campaign, begins):
        yield Check("frequency", Level.STOP, enough, moves=True)


def _callbacks() -> Iterator[Check]:
    if not is_sandbox() and any(host in settings.CONSOLE_URL for host in ("//127.0.0.1", "//localhost", "//[::1]")):
        said = _("CONSOLE_URL is this machine only: Laaffic cannot report to the console what happened to the emails.")
        yield Check("callbacks", Level.TICK, said)


def _late(campaign: EmailCampaign) -> Iterator[Check]:
    if campaign.scheduled_at and campaign.scheduled_at <= timezone.now():
        yield Check("late", Level.TICK, _("Its time has passed: it starts at once."))
