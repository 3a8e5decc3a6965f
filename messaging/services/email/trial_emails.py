"""A draft as one mail to oneself: sendEmail with the campaign's template, sender and subject."""

from typing import NamedTuple

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.gateway.services.client import code_words
from laaffic_console.gateway.services.client.account import NotConfigured, laaffic_client
from laaffic_console.gateway.services.ledger import ledger, lost_requests, open_acts, single_requests
from laaffic_console.gateway.services.work import workers
from laaffic_console.kit.forms import typed_json
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.laaffic import AdFlag, LaafficError, OutcomeUnknown, Refused, SendEmailResult, SubmissionState
from messaging.models import EmailCampaign
from messaging.services import steps
from messaging.services.email import drafts as email_drafts
from messaging.services.email.states import ABOUT

INTERFACE = "email/sendEmail"


class TestFailed(Exception):
    """No mail went out; the sentence says why and what to do."""

    __test__ = False  # not a test of pytest's


class TestUnknown(TestFailed):
    """Nobody knows whether the mail went out."""


def requests(campaign_id: int) -> QuerySet[LedgerEntry]:
    """The newest first."""
    return ledger.requests_about(ABOUT, campaign_id).filter(interface=INTERFACE)


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
    verdict = _verdict(result, address)
    ledger.settle_answered(entry.pk, verdict.state, why=verdict.detail)
    said = _worded(verdict, address)
    steps.note(campaign, said, by)
    match verdict.state:
        case EntryState.REFUSED:
            raise TestFailed(said)
        case EntryState.UNKNOWN:
            raise TestUnknown(said)
    return said


def _checked(campaign: EmailCampaign, address: str, template_data: str) -> dict[str, str]:
    if not email_drafts.is_address(address):
        raise ValidationError({"address": _("Write the email address that the test goes to.")})
    email_drafts.check_content(campaign)
    if not template_data.strip():
        return {}
    try:
        values = typed_json.read(template_data)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise ValidationError({"template_data": _('Write the template\'s variables as JSON: {"code": "1234"}.')})
    return {str(name): str(value) for name, value in values.items()}


class _Verdict(NamedTuple):
    state: EntryState  # ACCEPTED, REFUSED or UNKNOWN
    detail: str  # the mail's id where it was submitted, else the gateway's words; "" where it said none


def _verdict(result: SendEmailResult, address: str) -> _Verdict:
    """What an answer that begins with success says of the one address that it was asked to send to.

    Its row says most; without one, or where its word is one that nobody knows, the counts do. What neither says is
    unknown (laws#unknown-stays).
    """
    told = next((mail for mail in result.emails if mail.to_address.lower() in ("", address.lower())), None)
    if told is not None and told.state is SubmissionState.SUBMITTED:
        return _Verdict(EntryState.ACCEPTED, told.email_id)
    remark = (told.remark or told.raw_state) if told else ""
    if (told is not None and told.state is SubmissionState.FAILED) or result.success == 0:
        return _Verdict(EntryState.REFUSED, remark)
    if result.success == 1 and not result.fail:
        return _Verdict(EntryState.ACCEPTED, told.email_id if told else "")
    if result.fail == 1 and result.success is None and told is None:
        return _Verdict(EntryState.REFUSED, "")
    return _Verdict(EntryState.UNKNOWN, remark)


def _worded(verdict: _Verdict, address: str) -> str:
    values = {"address": address, "id": verdict.detail, "why": verdict.detail}
    match verdict.state, verdict.detail:
        case EntryState.ACCEPTED, "":
            return _("The test to %(address)s was submitted; Laaffic's answer names no email") % values
        case EntryState.ACCEPTED, _id:
            return _("The test to %(address)s was submitted as email %(id)s") % values
        case EntryState.REFUSED, "":
            why = _("the answer leaves the address out")
            return _("The test to %(address)s was not submitted: %(why)s") % {"address": address, "why": why}
        case EntryState.REFUSED, _why:
            return _("The test to %(address)s was not submitted: %(why)s") % values
        case _state, "":
            return _(
                "The answer does not say whether the test to %(address)s was submitted. Look into the mailbox before "
                "you send another."
            ) % {"address": address}
    return _(
        "The answer says “%(why)s” of the test to %(address)s, which may mean that it was submitted. Look into the "
        "mailbox before you send another."
    ) % {"address": address, "why": verdict.detail}


def _said(error: LaafficError) -> str:
    match error:
        case single_requests.HeldBack():
            return error.message
        case OutcomeUnknown():
            return _("Laaffic's answer was lost (%(why)s). Look into the mailbox before you send another.") % {
                "why": error.message
            }
        case Refused():
            return code_words.refused(error)
    return _("The test was not sent: %(why)s.") % {"why": error.message}


def sweep() -> None:
    """Tests whose process died: no answer is to come any more."""
    lost_requests.give_up(LedgerEntry.objects.filter(about_kind=ABOUT, interface=INTERFACE))
