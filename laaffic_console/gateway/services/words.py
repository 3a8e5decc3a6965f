"""A person's word on a request whose answer was lost, and that neither its list nor a page of its own settles."""

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from laaffic_console.gateway.models import CallState, GatewayCall
from laaffic_console.gateway.services import ledger

# What else is unknown has a page that asks: a campaign's, a call's, a task's.
INTERFACES = (
    *("bind", "unbind", "createNumberPool", "editNumberPool"),
    *("email/sendEmail", "mmsUpload", "voice/fileUpload", "voice/group/call/cancel"),
    *("voice/sipAdd", "voice/sipReset", "number/edit"),
)


def may_settle(call: GatewayCall) -> bool:
    return call.state in (CallState.UNKNOWN, CallState.LAPSED) and call.interface in INTERFACES


def settle(call_id: int, *, was_done: bool, why: str, by: User) -> None:
    """ValidationError without a reason, and where its outcome is known by now. A late answer still knows better."""
    call = GatewayCall.objects.get(pk=call_id)
    if not why.strip():
        raise ValidationError(_("Say how you know it: it is kept with the request."))
    state = CallState.ACCEPTED if was_done else CallState.NOT_SENT
    said = "says that it was done" if was_done else "says that it was not done"
    evidence = f"{by.get_username()} {said}: {why.strip()}"
    open_states = (CallState.UNKNOWN, CallState.LAPSED)
    if not may_settle(call) or not ledger.settle_by_evidence(call_id, state, evidence=evidence, provided=open_states):
        raise ValidationError(_("What became of this request is known by now. Look at it again."))
