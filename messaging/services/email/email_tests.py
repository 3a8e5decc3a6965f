"""A draft as one mail to oneself: sendEmail with the campaign's template, sender and subject."""

import json

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from laaffic_console.gateway.models import LedgerEntry
from laaffic_console.gateway.services import (
    code_words,
    ledger,
    lost_requests,
    open_acts,
    single_requests,
    workers,
)
from laaffic_console.gateway.services.account import NotConfigured, laaffic_client
from laaffic_console.kit.said import gettext as _
from laaffic_console.laaffic import (
    AdFlag,
    LaafficError,
    OutcomeUnknown,
    Refused,
    SendEmailResult,
    SubmissionState,
)
from messaging.models import EmailCampaign
from messaging.services import steps
from messaging.services.email import email_drafts
from messaging.services.email.email_states import ABOUT

INTERFACE = "email/sendEmail"


class TestFailed(Exception):
    """No mail went out; the sentence says why and what to do."""

    __test__ = False  # not a test of pytest's


class TestUnknown(TestFailed):
    """Nobody knows whether the mail went out."""


def send_test(
    campaign: EmailCampaign, address: str, template_data: str = "", *, again: str = "", by: User | None = None
) -> str:
    """Send one mail and say what came of it; ValidationError for bad input, TestFailed for what went wrong.

    `again`: why it is sent although the same may have arrived (StillOpen without it).
    """
    values = _checked(campaign, address, template_data)
    try:
        client = laaffic_client()
    except NotConfigured as problem:
        raise TestFailed(str(problem)) from problem
    digest = ledger.digest_of(
        INTERFACE, address.lower(), campaign.from_address, campaign.template_id, campaign.subject, template_data
    )
    with transaction.atomic():
        why = open_acts.require(digest, campaign.application, again=again)
        entry = ledger.prepare(
            interface=INTERFACE,
            application=campaign.application,
            about_kind=ABOUT,
            about_id=campaign.pk,
            summary={"test to": address, "template": campaign.template_id, "recipients": 1, **why},
            digest=digest,
            worker=workers.worker_name(),
            requested_by=by,
        )
    try:
        result = single_requests.send(
            entry,
            lambda: client.email.send(
                app_id=campaign.application.app_id,
                from_address=campaign.from_address,
                to_addresses=[address],
                subject=campaign.subject,
                template_id=campaign.template_id,
                template_data=values,
                language=campaign.language,
                ad_flag=None if campaign.ad_flag is None else AdFlag(campaign.ad_flag),
                unsubscribe=campaign.unsubscribe,
            ),
        )
    except OutcomeUnknown as problem:
        raise TestUnknown(_said(problem)) from problem
    except LaafficError as problem:
        raise TestFailed(_said(problem)) from problem
    said = _outcome(result, address)
    ledger.settle_accepted(entry.pk, evidence=f"the answer: {said}"[:300])
    steps.note(campaign, said, by)
    return said


def _checked(campaign: EmailCampaign, address: str, template_data: str) -> dict[str, str]:
    try:
        validate_email(address)
    except ValidationError as problem:
        raise ValidationError({"address": _("Write the email address that the test goes to.")}) from problem
    email_drafts.check_content(campaign)
    if not template_data.strip():
        return {}
    try:
        values = json.loads(template_data)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise ValidationError({"template_data": _('Write the template\'s variables as JSON: {"code": "1234"}.')})
    return {str(name): str(value) for name, value in values.items()}


def _outcome(result: SendEmailResult, address: str) -> str:
    told = result.emails[0] if result.emails else None
    if told is None or told.state is SubmissionState.FAILED:
        why = told.remark if told else _("the answer leaves the address out")
        return _("The test to %(address)s was not submitted: %(why)s") % {"address": address, "why": why}
    return _("The test to %(address)s was submitted as mail %(id)s") % {"address": address, "id": told.email_id}


def _said(error: LaafficError) -> str:
    match error:
        case single_requests.HeldBack():
            return error.message
        case OutcomeUnknown():
            return _("The answer was lost (%(why)s). Look into the mailbox before you send another.") % {
                "why": error.message
            }
        case Refused():
            return code_words.refused(error)
    return _("The test was not sent: %(why)s.") % {"why": error.message}


def sweep() -> None:
    """Tests whose process died: no answer is to come any more."""
    lost_requests.give_up(LedgerEntry.objects.filter(about_kind=ABOUT, interface=INTERFACE))
