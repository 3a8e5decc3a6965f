"""A person's word on a request whose answer was lost, and that neither its list nor a page of its own settles."""

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.gateway.services.ledger import known_by, ledger
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.plain_text import is_blank

# What else is unknown has a page that asks: a campaign's, a call's, a task's.
INTERFACES = (
    *("bind", "unbind", "createNumberPool", "editNumberPool"),
    *("email/sendEmail", "mmsUpload", "voice/fileUpload", "voice/group/call/cancel"),
    *("voice/sipAdd", "voice/sipReset", "number/edit"),
)


def may_settle(entry: LedgerEntry) -> bool:
    return entry.state in (EntryState.UNKNOWN, EntryState.LAPSED) and entry.interface in INTERFACES


def settle(entry_id: int, *, was_done: bool, why: str, by: User) -> None:
    """ValidationError without a reason, and where its outcome is known by now. A late answer still knows better."""
    entry = LedgerEntry.objects.get(pk=entry_id)
    if is_blank(why):
        raise ValidationError(_("Say how you know it: it is kept with the request."))
    state = EntryState.ACCEPTED if was_done else EntryState.NOT_SENT
    said = "says that it was done" if was_done else "says that it was not done"
    evidence = known_by.person(f"{by.get_username()} {said}: {why.strip()}")
    open_states = (EntryState.UNKNOWN, EntryState.LAPSED)
    if not may_settle(entry) or not ledger.settle_by_evidence(entry_id, state, evidence=evidence, provided=open_states):
        raise NotNow(_("What happened to this request is known by now. Look at it again."))
    record(Act.SETTLED, entry, event=evidence.words)
