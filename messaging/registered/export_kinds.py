"""What messaging gives away as files, registered with the app that makes them."""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import User

from laaffic_console.exporting import columns, kinds, lists
from laaffic_console.exporting.kinds import Kind, NotExportable, NotExportableNow, Parameters, may_see_contacts
from laaffic_console.kit.files.exporting import rights
from laaffic_console.kit.masking import masks
from laaffic_console.kit.words.said import gettext as _
from messaging.exports import (
    campaign_dossiers,
    contact_exports,
    email_dossiers,
    email_exports,
    message_exports,
    recipient_exports,
    reply_exports,
)
from messaging.models import Campaign, Consent, Contact, EmailCampaign, EmailMessage, Message, Reply, SuppressionEntry

RECIPIENTS = "campaign recipients"
EMAIL_RECIPIENTS = "email campaign recipients"
DOSSIER = "campaign dossier"
EMAIL_DOSSIER = "email campaign dossier"
SUPPRESSED = {name: name for name in ("number", "channel", "reason")}
SUPPRESSED |= {masks.Typed(name): name for name in ("note", "source")}
CONSENTS = {name: name for name in ("number", "channel", "state")}
CONSENTS |= {masks.Typed(name): name for name in ("source", "words")} | {"since": "at"}
SUPPRESSED |= {"by": "created_by__username", "since": "created_at"}


def register_all() -> None:
    kinds.register(
        Kind(
            name=RECIPIENTS,
            rights=("messaging.view_campaign", *rights(Message)),
            title=lambda parameters: _("Recipients of %(name)s") % {"name": campaign_of(parameters).name},
            rows=_recipients,
            count=lambda parameters, user, most: min(campaign_of(parameters).total, most),
            expected=lambda parameters: campaign_of(parameters).total,
        )
    )
    kinds.register(
        Kind(
            name=DOSSIER,
            rights=("messaging.view_campaign", *rights(Message), "gateway.view_ledgerentry", masks.SEE),
            title=lambda parameters: _("Dossier of %(name)s") % {"name": launched(parameters).name},
            rows=lambda parameters, user: _recipients({"campaign": launched(parameters).pk}, user),
            count=lambda parameters, user, most: min(launched(parameters).total, most),
            expected=lambda parameters: launched(parameters).total,
            write=lambda parameters, user, file, rows: campaign_dossiers.write(launched(parameters), user, file, rows),
        )
    )
    kinds.register(
        Kind(
            name=EMAIL_RECIPIENTS,
            rights=("messaging.view_emailcampaign", *rights(EmailMessage)),
            title=lambda parameters: _("Recipients of %(name)s") % {"name": email_campaign_of(parameters).name},
            rows=lambda parameters, user: email_exports.rows(email_campaign_of(parameters).mails.all()),
            count=lambda parameters, user, most: email_campaign_of(parameters).mails.order_by()[:most].count(),
        )
    )
    kinds.register(
        Kind(
            name=EMAIL_DOSSIER,
            rights=("messaging.view_emailcampaign", *rights(EmailMessage), "gateway.view_ledgerentry", masks.SEE),
            title=lambda parameters: _("Dossier of %(name)s") % {"name": launched_email(parameters).name},
            rows=lambda parameters, user: email_exports.rows(launched_email(parameters).mails.all()),
            count=lambda parameters, user, most: launched_email(parameters).mails.order_by()[:most].count(),
            write=lambda parameters, user, file, rows: email_dossiers.write(
                launched_email(parameters), user, file, rows
            ),
        )
    )
    kinds.register(
        lists.kind_of(Message, lambda shown, user: message_exports.rows(shown, with_names=may_see_contacts(user)))
    )
    kinds.register(lists.kind_of(SuppressionEntry, lambda shown, user: columns.rows(shown, SUPPRESSED)))
    kinds.register(lists.kind_of(Consent, lambda shown, user: columns.rows(shown, CONSENTS)))
    kinds.register(lists.kind_of(Contact, lambda shown, user: contact_exports.rows(shown)))
    kinds.register(lists.kind_of(EmailMessage, lambda shown, user: email_exports.rows(shown)))
    kinds.register(
        lists.kind_of(Reply, lambda shown, user: reply_exports.rows(shown, with_names=may_see_contacts(user)))
    )


def _recipients(parameters: Parameters, user: User | None) -> Iterator[list[Any]]:
    return recipient_exports.rows(campaign_of(parameters), with_names=may_see_contacts(user))


def campaign_of(parameters: Parameters) -> Campaign:
    found = Campaign.objects.filter(pk=parameters["campaign"]).first()
    if found is None:
        raise NotExportable(_("There is no campaign %(id)s.") % {"id": parameters["campaign"]})
    return found


def launched(parameters: Parameters) -> Campaign:
    """NotExportable for a draft as well: nobody has got anything, and it may still become something else."""
    found = campaign_of(parameters)
    _require_launched(found)
    return found


def _require_launched(campaign: Campaign | EmailCampaign) -> None:
    if campaign.state == campaign.State.DRAFT:
        raise NotExportableNow(
            _("“%(name)s” is a draft: there is nothing to prove yet. Launch it first.") % {"name": campaign.name}
        )


def email_campaign_of(parameters: Parameters) -> EmailCampaign:
    found = EmailCampaign.objects.filter(pk=parameters["campaign"]).first()
    if found is None:
        raise NotExportable(_("There is no email campaign %(id)s.") % {"id": parameters["campaign"]})
    return found


def launched_email(parameters: Parameters) -> EmailCampaign:
    found = email_campaign_of(parameters)
    _require_launched(found)
    return found
