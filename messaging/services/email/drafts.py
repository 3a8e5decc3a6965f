"""What an email campaign says, and to whom: checked, kept, and known again by its digest."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from laaffic_console.gateway.models import Channel
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.kit.audit import row_changes
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.plain_text import is_blank
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import ngettext
from laaffic_console.laaffic import InvalidRequest
from laaffic_console.laaffic.email import MAX_SUBJECT, check_address
from messaging.models import EmailCampaign, EmailCampaignState, EmailChoice, EmailLookup
from messaging.services import steps
from messaging.services.approvals import approvals
from messaging.services.reports.prices import Cost
from messaging.text import merge_fields


def create(*, by: User | None = None, **fields: Any) -> EmailCampaign:
    """A draft; ValidationError names the field that is wrong."""
    return save(EmailCampaign(**fields), by=by)


def save(campaign: EmailCampaign, *, columns: Iterable[str] = (), by: User | None = None) -> EmailCampaign:
    """Keep a new draft, or the `columns` of one that was edited; ValidationError names the field that is wrong.

    NotNow where it is no longer a draft.
    """
    check_content(campaign)  # first: the model says less of the same
    campaign.full_clean(exclude=["created_by", "mark"])
    edited = set(columns)
    with transaction.atomic():
        before, is_edited = None, True
        is_new = campaign.pk is None
        if is_new:
            campaign.created_by = by
            campaign.save()
        else:
            stored = steps.locked(EmailCampaign, campaign.pk)
            steps.require(stored, [EmailCampaignState.DRAFT], _("edited"))
            before, is_edited = row_changes.kept(stored, only=edited), steps.is_edited(stored, campaign, edited)
            campaign.save(update_fields=edited)
        if is_edited:
            steps.kept(campaign, by, is_new=is_new)
        steps.tell(campaign, before)
        approvals.void_if_changed(campaign, by=by)
    return campaign


def edit(
    campaign_id: int, changes: Mapping[str, Any], *, seen: str | None = None, by: User | None = None
) -> EmailCampaign:
    """Keep these fields of a draft, and leave the others; what is so already changes nothing.

    `seen`: `content_digest` of what its author looked at.
    """
    with transaction.atomic():
        campaign = steps.locked(EmailCampaign, campaign_id)
        changes = {name: value for name, value in changes.items() if getattr(campaign, name) != value}
        if not changes:
            return campaign
        steps.require(campaign, [EmailCampaignState.DRAFT], _("edited"))
        if seen is not None and seen != content_digest(campaign):
            raise NotNow(_("Somebody else has changed it since you looked. Look again, then change it."))
        for name, value in changes.items():
            setattr(campaign, name, value)
        return save(campaign, columns=changes, by=by)


def discard(campaign_id: int) -> None:
    """Delete a draft. What has a request in the ledger stays."""
    with transaction.atomic():
        campaign = steps.locked(EmailCampaign, campaign_id)
        if not is_untouched(campaign):
            raise NotNow(_("Only a draft of which nothing was ever sent can be deleted."))
        record(Act.DELETED, campaign)
        campaign.delete()


def is_untouched(campaign: EmailCampaign) -> bool:
    return campaign.state == EmailCampaignState.DRAFT and campaign.entry_id is None


def check_content(campaign: EmailCampaign) -> None:
    """ValidationError for what Laaffic would refuse, each sentence at its field."""
    found = {
        "application": _problem_with_application(campaign),
        "from_address": _problem_with_address(campaign.from_address),
        "subject": problem_with_subject(campaign.subject),
        "receiver_id": _problem_with_id(campaign.receiver_id, _("Choose a recipient list, or write its id.")),
        "template_id": _problem_with_id(campaign.template_id, _("Choose a template, or write its id.")),
        "latest_end": _problem_with_end(campaign),
    }
    if problems := {field: sentence for field, sentence in found.items() if sentence}:
        raise ValidationError(problems)


def problem_with_subject(subject: str) -> str:
    if is_blank(subject):
        return _("Write a subject: it is empty.")
    if any(not character.isprintable() for character in subject):
        return _("A subject is one line without control characters.")
    if problem := merge_fields.problem_where_none_are_filled_in(subject):
        return problem
    over = len(subject) - MAX_SUBJECT
    if over <= 0:
        return ""
    return ngettext(
        "The subject has %(n)d characters; at most %(limit)d are possible. Shorten it by one character.",
        "The subject has %(n)d characters; at most %(limit)d are possible. Shorten it by %(over)d characters.",
        over,
    ) % {"n": len(subject), "limit": MAX_SUBJECT, "over": over}


def _problem_with_application(campaign: EmailCampaign) -> str | NotNow:
    application = campaign.application
    if application.channel != Channel.EMAIL:
        return _("%(app)s is an application for %(channel)s. Choose one for email.") % {
            "app": application,
            "channel": application.get_channel_display(),
        }
    return "" if application.is_active else NotNow(_("This application is switched off."))


def _problem_with_end(campaign: EmailCampaign) -> str:
    if campaign.latest_end and campaign.scheduled_at and campaign.latest_end <= campaign.scheduled_at:
        return _("It would end before it starts. Choose a later moment, or leave it empty.")
    return ""


def _problem_with_address(address: str) -> str:
    if not address:
        return _("Choose the address that the emails come from.")
    if not is_address(address):
        return _("“%(address)s” is not an email address.") % {"address": address[:80]}
    return ""


def is_address(address: str) -> bool:
    """One that Laaffic takes as well: no quoted part with a comma."""
    try:
        validate_email(address)
        check_address("fromEmailAddress", address)
    except (ValidationError, InvalidRequest):
        return False
    return True


def _problem_with_id(given: str, lacking: str) -> str:
    if is_blank(given):
        return lacking
    return _("An id holds no spaces.") if any(c.isspace() for c in given) else ""


# What a page before the launch shows, and the launch sends.
CONTENT = (
    *("application_id", "from_address", "receiver_id", "template_id", "subject", "language", "ad_flag", "trigger_id"),
    *("unsubscribe", "scheduled_at", "latest_end", "calendar_id", "purpose", "consent_known_by"),
)


def cost_of(campaign: EmailCampaign) -> Cost:
    """Its cost, without any amount: neither Laaffic's answers nor its callbacks name a price."""
    return Cost([], {}, campaign.receiver_count or 0)


def content_digest(campaign: EmailCampaign) -> str:
    """A digest of the fields that a person can edit."""
    return ledger.digest_of(json.dumps([getattr(campaign, name) for name in ("name", *CONTENT)], default=str))


def shown_digest(campaign: EmailCampaign) -> str:
    """A digest of what is sent to whom, with what is known here of the list and the template at Laaffic."""
    chosen = EmailChoice.objects.filter(
        lookup__application=campaign.application_id,
        lookup__kind__in=[EmailLookup.Kind.LIST, EmailLookup.Kind.TEMPLATE],
        value__in=[campaign.receiver_id, campaign.template_id],
    )
    known = list(chosen.order_by("lookup__kind", "value", "pk").values_list("lookup__kind", "value", "name", "detail"))
    return ledger.digest_of(json.dumps([[getattr(campaign, name) for name in CONTENT], known], default=str))


def digest_of(campaign: EmailCampaign) -> str:
    """A digest of what reaches whom: a mail that differs only in its mark for advertisements is the same mail."""
    return ledger.digest_of(
        "email", campaign.from_address, campaign.receiver_id, campaign.template_id, campaign.subject
    )


def summary_of(campaign: EmailCampaign) -> dict[str, Any]:
    """What the ledger keeps of its request; without the callback's address, which holds a secret."""
    return {
        "from": campaign.from_address,
        "recipient list": campaign.receiver_id,
        "template": campaign.template_id,
        "subject": campaign.subject[:100],
    }


def require_as_shown(campaign: EmailCampaign, seen: str) -> None:
    if seen != shown_digest(campaign):
        raise NotNow(_("It was changed since you looked. Look at what it sends now, and launch it again."))
