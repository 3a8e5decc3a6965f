"""New SIP phones and new passwords (voice/sipAdd and voice/sipReset): recorded, requested, settled.

Only Laaffic's answer has a password: it is handed on once and kept nowhere. After a lost answer the list shows whether
phones were added; nothing shows a password, and another reset makes another one.
"""

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.gateway.models import Application, Channel, EntryState, LedgerEntry
from laaffic_console.gateway.services.client import code_words, refused_values
from laaffic_console.gateway.services.client.account import laaffic_client
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.ledger import known_by, late_evidence, ledger, single_requests
from laaffic_console.gateway.services.ledger.open_acts import WITHIN
from laaffic_console.gateway.services.work import due, leases, patience, workers
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.laaffic import Code, LaafficError, OutcomeUnknown
from voice.models import SipPhone, VoiceSync
from voice.services import syncing
from voice.services.phones import sip_phones as phones
from voice.services.phones.evidence import ADDED, RESET, named, requests

OPEN = (EntryState.PREPARED, EntryState.IN_FLIGHT, EntryState.UNKNOWN)
NAME, QUANTITY = (4, 32), (1, 50)
# Parameters of the interface → fields.
PARAMETERS = {"groupName": "group", "phoneName": "name", "quantity": "quantity", "displayNum": "display_number"}


class ResetUnknown(NotNow):
    """The password may have been reset, and the new one is lost."""


@dataclass(frozen=True, slots=True)
class NewPassword:
    account: str
    password: str

    def __repr__(self) -> str:
        return f"NewPassword({self.account!r})"


def add(
    *,
    application: Application,
    group: str,
    name: str,
    quantity: int = 1,
    display_number: str = "",
    by: User | None = None,
) -> LedgerEntry:
    """Ask Laaffic for phones; ValidationError by field if something is wrong or refused. The row says `unknown` if the
    answer was lost: the list settles it. The same request within a day is not made again."""
    group, name = group.strip(), name.strip()
    shown = "".join(display_number.split()).lstrip("+").replace("-", "")
    _know_the_list(application)
    entry = _asked(application, group, name, quantity, shown, by)
    if entry.state == EntryState.ACCEPTED:
        return entry
    try:
        single_requests.send(
            entry,
            lambda: laaffic_client().voice.add_phones(
                app_id=application.app_id, group=group, name=name, quantity=quantity, display_number=shown
            ),
        )
    except OutcomeUnknown:
        pass
    except LaafficError as problem:
        raise _not_added(problem, name) from problem
    else:
        late_evidence.accepted(entry.pk)
    syncing.COPIES.request(phones.name_of(application))
    entry.refresh_from_db()
    return entry


@transaction.atomic
def _asked(
    application: Application, group: str, name: str, quantity: int, display_number: str, by: User | None
) -> LedgerEntry:
    """The request, prepared or found, under the application's lock: of two at once the second finds the first one's, so
    does a caller who repeats it because the answer was lost."""
    Application.objects.select_for_update(no_key=True).get(pk=application.pk)
    digest = ledger.digest_of("sipAdd", application.app_id, group, name, str(quantity), display_number)
    added = _added(application, name)
    if added is not None and added.digest == digest:
        return added
    _check(application, group, name, quantity, display_number, is_added=added is not None)
    return ledger.prepare(
        interface="voice/sipAdd",
        application=application,
        about_kind=ADDED,
        about_id=application.pk,
        summary={
            "group": group,
            "name": name,
            "quantity": quantity,
            "display number": display_number,
            "before": named(application, name).count(),
        },
        digest=digest,
        worker=workers.worker_name(),
        requested_by=by,
    )


def _added(application: Application, name: str) -> LedgerEntry | None:
    """The request that added phones of this name within a day, unless a list that was read since does not have them."""
    done = requests(ADDED, application.pk).filter(state=EntryState.ACCEPTED, summary__name=name)
    last = done.filter(prepared_at__gte=timezone.now() - WITHIN).order_by("-pk").first()
    if last is None or named(application, name).exists():
        return last
    lists = VoiceSync.objects.filter(name=phones.name_of(application), succeeded_at__gte=F("started_at"))
    since = lists.filter(started_at__gt=last.settled_at or last.prepared_at)
    come = database_clock.in_statement() + due.CLOCKS_DIFFER_BY  # a wrong clock dated what lies ahead
    return None if since.filter(started_at__lte=come).exists() else last


def reset(phone: SipPhone, *, by: User | None = None) -> NewPassword:
    """The new password, only for the person who asked; ValidationError says why there is none.

    One reset at a time: of two at once, the later answer need not have the password that counts.
    """
    with leases.lease(f"sip-password:{phone.pk}", patience.LEASE_SECONDS) as lease:
        if lease is None:
            raise NotNow(_("Its password is being reset right now. Look again in a minute."))
        return _reset(phone, by)


def _reset(phone: SipPhone, by: User | None) -> NewPassword:
    if phone.gone_at is not None or not phone.application.is_active:
        raise NotNow(_("Laaffic does not list this phone any more: it has no password."))
    entry = ledger.prepare(
        interface="voice/sipReset",
        application=phone.application,
        about_kind=RESET,
        about_id=phone.pk,
        summary={"account": phone.account},
        digest=ledger.digest_of("sipReset", phone.application.app_id, phone.account),
        attempt=requests(RESET, phone.pk).count() + 1,
        worker=workers.worker_name(),
        requested_by=by,
    )
    try:
        password = single_requests.send(
            entry,
            lambda: laaffic_client().voice.reset_password(app_id=phone.application.app_id, account=phone.account),
        )
    except OutcomeUnknown as problem:
        raise ResetUnknown(
            _(
                "Laaffic's answer was lost, and the new password with it: the old one may no longer work. Reset it "
                "again when Laaffic answers."
            )
        ) from problem
    except LaafficError as problem:
        raise NotNow(code_words.nothing_was_sent(problem)) from problem
    ledger.settle_accepted(entry.pk)
    for earlier in requests(RESET, phone.pk).filter(state=EntryState.UNKNOWN, pk__lt=entry.pk):
        ledger.settle_by_evidence(
            earlier.pk, EntryState.ACCEPTED, evidence=known_by.request(f"request {entry.pk} has reset it again since")
        )
    return NewPassword(phone.account, password)


def _know_the_list(application: Application) -> None:
    """Read the list if it was never read: what a later list proves depends on what was there before."""
    name = phones.name_of(application)
    if VoiceSync.objects.filter(name=name).exclude(succeeded_at=None).exists() or application.channel != Channel.VOICE:
        return
    try:
        phones.sync(application)
    except syncing.SyncFailed as problem:
        raise NotNow(syncing.said_at_once(problem)) from problem


def _check(
    application: Application, group: str, name: str, quantity: int, display_number: str, *, is_added: bool
) -> None:
    problems: dict[str, str | ValidationError] = {}
    if application.channel != Channel.VOICE:
        problems["application"] = _("Choose an application of the channel Voice.")
    elif not application.is_active:
        problems["application"] = NotNow(_("This application is switched off. Choose another."))
    for field, value in (("group", group), ("name", name)):
        if not NAME[0] <= len(value) <= NAME[1] or "\0" in value:
            problems[field] = _("It has 4 to 32 characters.")
    if not QUANTITY[0] <= quantity <= QUANTITY[1]:
        problems["quantity"] = _("From 1 to 50 phones at a time.")
    is_number = display_number.isascii() and display_number.isdecimal() and 7 <= len(display_number) <= 13
    if display_number and not is_number:
        problems["display_number"] = _("A display number has 7 to 13 digits, or none is given.")
    same = Q(summary__name=name, state__in=OPEN)
    listed = SipPhone.objects.filter(application=application, gone_at=None, name=name)
    if "name" not in problems and (is_added or listed.exists()):
        problems["name"] = _("The application has a phone of this name. Choose another.")
    elif "name" not in problems and requests(ADDED, application.pk).filter(same).exists():
        said = _("Phones of this name are being added, and the outcome is not known yet: the list will show it.")
        problems["name"] = NotNow(said)
    if problems:
        raise ValidationError(problems)


def _not_added(problem: LaafficError, name: str) -> ValidationError:
    if problem.code == Code.EXISTS_ALREADY:
        return ValidationError(
            {"name": _("Laaffic has a phone called %(name)s already (−20). Choose another name.") % {"name": name}}
        )
    if problem.code == Code.DATA_CAP:
        said = _("Laaffic gives this application no more phones (−23). Ask Laaffic for a higher limit.")
        return ValidationError({"quantity": said})
    return refused_values.error_of(problem, PARAMETERS)
