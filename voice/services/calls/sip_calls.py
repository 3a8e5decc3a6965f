"""Calls from a SIP phone (voice/sendSip, laaffic-api#sendsip): it rings first, then the callee's phone.

`calledInfo` is our mark, one for each attempt. Records and pushes bring it back, so they settle a call whose answer was
lost; it is never made again automatically, and not even by a person once a record says that it rang.
"""

import datetime as dt
import secrets

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Min, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.gateway.models import Channel, EntryState, EvidenceKind, LedgerEntry
from laaffic_console.gateway.services.client import code_words
from laaffic_console.gateway.services.client.account import laaffic_client
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.ledger import known_by, ledger, lost_requests, open_acts, single_requests
from laaffic_console.gateway.services.work import due, workers
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.laaffic import Code, Family, LaafficError, OutcomeUnknown
from messaging import msisdn
from messaging.models import Contact, SuppressionEntry
from messaging.subscribers import subscriber
from voice.models import CallRecord, Ringing, SipCall, SipPhone
from voice.services.calls import matching as call_matching
from voice.services.phones import evidence as phone_evidence
from voice.services.phones import sip_phones as phones

LAST_LOOK = dt.timedelta(hours=24)  # no record is looked for after that; one that comes still counts
SUPPRESSED_ON = [Channel.VOICE, Channel.ALL]
LONGEST_RINGING = dt.timedelta(seconds=120)  # maxRingingTime's limit (laaffic-api#limits)


def number_of(written: str) -> str:
    """The number, 7 to 15 digits with the country code; ValidationError at `callee`."""
    try:
        number = msisdn.parse(written).number
    except msisdn.InvalidNumber as problem:
        raise ValidationError({"callee": str(problem)}) from problem
    if not 7 <= len(number) <= 15:
        raise ValidationError({"callee": _("A number has 7 to 15 digits with its country code.")})
    return number


def check_display_number(written: str) -> str:
    number = "".join(written.split()).lstrip("+").replace("-", "")
    if number and not (number.isascii() and number.isdecimal() and 7 <= len(number) <= 15):
        raise ValidationError({"display_number": _("A display number has 7 to 15 digits, or none is given.")})
    return number


def place(
    *,
    phone: SipPhone,
    callee: str,
    display_number: str = "",
    contact: Contact | None = None,
    again: str = "",
    by: User | None = None,
) -> SipCall:
    """Record the call and make it; ValidationError at the field that forbids it. The outcome is on its row.

    `again`: why it is made although an earlier one to this number may have rung (StillOpen without it).
    """
    number = number_of(callee)
    shown = check_display_number(display_number)
    _check_wanted(number)
    if phone.gone_at is not None:
        raise NotNow({"phone": _("Laaffic does not list this phone any more. Choose another.")})
    if not phone.application.is_active:
        raise NotNow({"phone": _("This application is switched off. Choose another.")})
    with transaction.atomic():
        made = SipCall.objects.create(
            application=phone.application,
            account=phone.account,
            callee=number,
            display_number=shown,
            contact=contact or Contact.objects.filter(number=number).first(),
            called_info=f"{settings.LAAFFIC_ORDER_PREFIX}-call-{secrets.token_hex(8)}",
            requested_by=by,
        )
        asked, entry = _prepare(made.pk, again, by)
    return _make(asked, entry)


def try_again(call_id: int, *, again: str = "", by: User | None = None) -> SipCall:
    """Try a call again that surely rang nowhere, when a person asks; ValidationError for any other.

    Each attempt has its own mark, so that a late record counts for its own attempt.
    """
    _check_wanted(SipCall.objects.values_list("callee", flat=True).get(pk=call_id))
    asked, entry = _prepare(call_id, again, by)
    return _make(asked, entry)


def did_not_ring(call_id: int, *, why: str, by: User, seen: int | None = None) -> None:
    """Take a person's word that a call whose answer was lost did not ring: it can be tried again after that.

    `seen`: the entry of the attempt that this person was shown; ValidationError if another was made since.
    """
    said = f"{by.get_username()} says that it did not ring: {why}"
    _settle_by_word(call_id, EntryState.NOT_SENT, said, seen)


def it_rang(call_id: int, *, why: str, by: User, seen: int | None = None) -> None:
    """Take a person's word that the call rang: its record is no longer awaited, and still counts when it comes.

    `seen`: as `did_not_ring`.
    """
    _settle_by_word(call_id, EntryState.ACCEPTED, f"{by.get_username()} says that it rang: {why}", seen)


@transaction.atomic
def _settle_by_word(call_id: int, state: EntryState, said: str, seen: int | None) -> None:
    asked = SipCall.objects.select_for_update().get(pk=call_id)
    if seen is not None and (asked.entry_id or 0) != seen:
        raise NotNow(
            _("Another attempt has been made since you looked, and you decided about the one before: look again.")
        )
    if asked.entry is None or not ledger.settle_by_evidence(
        asked.entry.pk, state, evidence=known_by.person(said), provided=call_matching.UNSETTLED
    ):
        raise NotNow(_("What happened to this call is known by now. Look at it again."))
    SipCall.objects.filter(pk=asked.pk).update(look_at=None)


def _check_wanted(number: str) -> None:
    if SuppressionEntry.objects.of_subscribers([number]).stopping(SUPPRESSED_ON).exists():
        raise NotNow({"callee": _("The number is on the suppression list: it is not called.")})


def _check_phone(asked: SipCall) -> None:
    """Check the phone as for a new call: it may be switched off or gone since."""
    if not asked.application.is_active:
        raise NotNow(_("The phone's application is switched off: it does not call. Make a new call."))
    if not phones.usable().filter(application=asked.application_id, account=asked.account).exists():
        said = _("Laaffic does not list the SIP phone %(account)s any more. Make a new call from another.")
        raise NotNow(said % {"account": asked.account})


def digest_of(callee: str) -> str:
    """Identifies the callee only: their phone rings again also from another phone or with another display number."""
    return ledger.digest_of("voice/sendSip", subscriber(callee))


def open_like(asked: SipCall) -> LedgerEntry | None:
    """A call to the same person that may have rung, from a phone of any application."""
    return open_acts.like(digest_of(asked.callee), asked.application, anywhere=True)


@transaction.atomic
def _prepare(call_id: int, again: str, by: User | None) -> tuple[SipCall, LedgerEntry]:
    asked = SipCall.objects.select_for_update().get(pk=call_id)
    if asked.record_id is not None:
        raise NotNow(_("A call record says that it rang: it is not made again. Make a new call."))
    if call_matching.attempts(asked).exclude(state__in=call_matching.MAY_TRY_AGAIN).exists():
        raise NotNow(_("This call was made, or may have been: it is not made again."))
    _check_phone(asked)
    digest = digest_of(asked.callee)
    why = open_acts.require(digest, asked.application, again=again, anywhere=True)
    _check_wanted(asked.callee)  # an opt-out that was applied while it waited for its lock counts
    entry = asked.entry = ledger.prepare(
        interface="voice/sendSip",
        application=asked.application,
        about_kind=call_matching.ABOUT,
        about_id=asked.pk,
        summary={"account": asked.account, "callee": asked.callee, "display number": asked.display_number, **why},
        digest=digest,
        attempt=call_matching.attempts(asked).count() + 1,
        worker=workers.worker_name(),
        requested_by=by,
    )
    asked.look_at, asked.ringing_at = database_clock.now() + call_matching.FIRST_LOOK, None
    asked.save(update_fields=["entry", "look_at", "ringing_at"])
    return asked, entry


def _make(asked: SipCall, entry: LedgerEntry) -> SipCall:
    try:
        voice_id = single_requests.send(
            entry,
            lambda: laaffic_client().voice.call(
                app_id=asked.application.app_id,
                account=asked.account,
                callee=asked.callee,
                display_number=asked.display_number,
                called_info=call_matching.mark(asked, entry.attempt),
            ),
        )
    except OutcomeUnknown:
        pass
    except LaafficError:
        SipCall.objects.filter(pk=asked.pk, entry=entry).update(look_at=None)
    else:
        with transaction.atomic():
            row = SipCall.objects.select_for_update().get(pk=asked.pk)  # before the ledger's row, as records do
            ledger.settle_accepted(entry.pk, evidence=known_by.answer(voice_id))
            if row.entry_id != entry.pk and call_matching.is_of(row, entry):
                row.save(update_fields=["entry"])
            SipCall.objects.filter(pk=asked.pk, entry=entry, record=None).update(voice_id=voice_id[:64])
            # Pushes that came before the answer was settled may not carry our mark.
            call_matching.settle_by_ringing(Ringing.objects.filter(call_id=voice_id))
            if known := CallRecord.objects.filter(voice_id=voice_id).first():
                call_matching.settle_by_records([known])
    return SipCall.objects.select_related("entry", "record").get(pk=asked.pk)


def rings(asked: SipCall) -> bool:
    """Whether a phone may be ringing for it now, as far as is known."""
    return asked.ringing_at is not None and asked.record_id is None and is_now(asked.ringing_at)


def is_now(rang_at: dt.datetime) -> bool:
    """Whether a phone that began to ring then may be ringing still; a moment far ahead is of a wrong clock or zone."""
    return abs(timezone.now() - rang_at) < LONGEST_RINGING


def looked(now: dt.datetime) -> None:
    """Plan the next look for records that this reading did not have: less and less often, and at last never."""
    awaited = SipCall.objects.filter(_is_due(now), record=None).select_related("entry")
    for asked in awaited.order_by("pk")[:500]:
        age = now - (asked.entry.prepared_at if asked.entry else asked.created_at)
        later = now + max(call_matching.FIRST_LOOK, age / 2) if age < LAST_LOOK else None
        given_up = SipCall.objects.filter(pk=asked.pk, record=None).update(look_at=later) and later is None
        if given_up and asked.entry_id:
            hours = LAST_LOOK.total_seconds() // 3600
            ledger.lapse(asked.entry_id, evidence=known_by.time(f"no record came within {hours:.0f} hours"))


def oldest_waiting() -> dt.datetime | None:
    """When the oldest call that awaits its record was tried last: long calls are recorded long after they began."""
    waiting = SipCall.objects.filter(look_at__isnull=False, record=None)
    oldest: dt.datetime | None = waiting.aggregate(oldest=Min("entry__prepared_at"))["oldest"]
    return oldest


def anything_to_look_for() -> bool:
    return SipCall.objects.filter(_is_due(database_clock.now())).exists()


def _is_due(now: dt.datetime) -> Q:
    tried = due.by_age("entry__prepared_at", now, part=0.5, oldest=LAST_LOOK, at_least=call_matching.FIRST_LOOK)
    return due.come("look_at", tried, now)


def recover() -> None:
    """Settle voice requests whose process died; one that may have left is unknown until evidence comes."""
    lost_requests.give_up(
        LedgerEntry.objects.filter(
            about_kind__in=[call_matching.ABOUT, "audio file", "group task", *phone_evidence.ABOUT]
        )
    )


def advice(asked: SipCall) -> str:
    """The outcome of the last attempt in plain words, with what to do; "" if it was accepted."""
    entry = asked.entry
    if entry is None or entry.state == EntryState.ACCEPTED:
        return ""
    if entry.state == EntryState.REFUSED:
        if entry.code == Code.PHONE_NOT_IDLE:
            return _(
                "The SIP phone %(account)s is not idle: it is in another call or not signed in. Hang up or sign in, "
                "then call again."
            ) % {"account": asked.account}
        if entry.evidence_kind == EvidenceKind.ANSWER:
            return code_words.refused_before(Family.VOICE, entry.code, entry.reason)
        return entry.evidence or entry.reason
    if entry.state == EntryState.NOT_SENT:
        return _("The call was not made: %(why)s") % {"why": entry.reason or entry.evidence}
    if entry.state == EntryState.UNKNOWN:
        return _(
            "Laaffic's answer was lost, so the phones may have rung. It is not made again by itself: the record of the "
            "call will show it, mostly within minutes."
        )
    if entry.state == EntryState.LAPSED:
        return _(
            "Laaffic's answer was lost and no record came, so it is not known whether the phones rang. Say what you "
            "know, or make a new call."
        )
    return _("The request is under way.")
