"""Editing an owned number at Laaffic (number/edit, laaffic-api#owned-numbers): checked, recorded, sent, settled.

The vendor does not document what happens to a field that is left out, so all known values are sent with the changes.
"""

import datetime as dt
import hashlib
import ipaddress
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.gateway.services.client import refused_values
from laaffic_console.gateway.services.client.account import laaffic_client
from laaffic_console.gateway.services.ledger import ledger, single_requests
from laaffic_console.gateway.services.ledger.late_evidence import accepted
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.plain_text import keepable
from laaffic_console.laaffic import (
    Code,
    InvalidRequest,
    LaafficError,
    NumberSettings,
    OutcomeUnknown,
    VoicemailFile,
)
from laaffic_console.laaffic.numbers import MAX_VOICEMAIL
from phone_numbers.models import OwnedNumber
from phone_numbers.services import owned_evidence, owned_sync, syncing
from phone_numbers.services.refusals import Overtaken

TEXTS = {"out_addresses": 50, "in_addresses": 50, "inbound_prefix": 32, "remark": 50, "app_id": 64}
PARAMETERS = {  # parameters of the interface → fields
    "outIp": "out_addresses",
    "inIp": "in_addresses",
    "inboundPrefix": "inbound_prefix",
    "remark": "remark",
    "appId": "app_id",
    "voicemailMaxHangup": "voicemail_seconds",
    "voicemailFile": "voicemail_file",
    "voicemailFileName": "voicemail_file",
}
FIELDS = (*TEXTS, "voicemail", "voicemail_seconds")
SECONDS = (1, 999)
OPEN = (EntryState.PREPARED, EntryState.IN_FLIGHT, EntryState.UNKNOWN)
REPEATED_WITHIN = dt.timedelta(minutes=10)


def shown_digest(number: OwnedNumber) -> str:
    """A digest of all that the editor has looked at."""
    return ledger.digest_of(number.number, *(str(getattr(number, name)) for name in (*FIELDS, "voicemail_file")))


def edit(
    number: OwnedNumber,
    given: Mapping[str, Any],
    *,
    file: VoicemailFile | None = None,
    seen: str | None = None,
    by: User | None = None,
) -> LedgerEntry:
    """Send the changes; ValidationError, by field, if nothing was changed. The row says `unknown` if the answer was
    lost: the list settles it. `seen` is `shown_digest` of what was looked at. The same announcement within some minutes
    is not sent again: the row is then the first one's."""
    if file is not None:
        file = replace(file, name=keepable(file.name))
    with transaction.atomic():
        locked = OwnedNumber.objects.select_for_update().get(pk=number.pk)
        changed = _changed(locked, given)
        if file is not None and (given_just_now := _given_just_now(locked, changed, file)):
            return given_just_now
        _check(locked, changed, file, seen)
        digest = _digest(locked, changed, file)
        summary: dict[str, Any] = {"number": locked.number, "changed": changed}
        if file is not None:
            changed["voicemail_file"] = file.name
            summary["file before"] = [locked.voicemail_file, locked.voicemail_file_id]
        entry = ledger.prepare(
            interface="number/edit",
            application=None,
            about_kind=owned_evidence.ABOUT,
            about_id=locked.pk,
            summary=summary,
            digest=digest,
            attempt=owned_evidence.requests(locked).count() + 1,
            requested_by=by,
        )
    untold = set(locked.untold.split(","))  # sent empty, they would empty what Laaffic has
    wanted = {name: getattr(locked, name) for name in FIELDS if name not in untold} | changed
    try:
        single_requests.send(entry, lambda: _send(locked, wanted, file))
    except OutcomeUnknown:
        pass
    except LaafficError as problem:
        raise _explained(problem) from problem
    else:
        with transaction.atomic():
            accepted(entry.pk)
            has = changed if file is None else changed | {"voicemail_file_id": ""}  # the next list names it
            still_untold = ",".join(sorted(untold - set(changed)))
            OwnedNumber.objects.filter(pk=locked.pk).update(**has, untold=still_untold)
    syncing.COPIES.request(owned_sync.NAME)
    entry.refresh_from_db()
    return entry


def _digest(number: OwnedNumber, changed: Mapping[str, Any], file: VoicemailFile | None) -> str:
    parts = ["number/edit", number.number, repr(sorted(changed.items()))]
    if file is not None:
        parts += [file.name, hashlib.sha256(file.data).hexdigest()]
    return ledger.digest_of(*parts)


def _given_just_now(number: OwnedNumber, changed: Mapping[str, Any], file: VoicemailFile) -> LedgerEntry | None:
    """The last request about this number, if it gave the same file: a caller who repeats it has lost the answer.

    Only the name of a number's file is known, so another file of the same name would not look like a change.
    """
    last = owned_evidence.requests(number).first()
    if last is None or last.state != EntryState.ACCEPTED or last.digest != _digest(number, changed, file):
        return None
    return last if last.prepared_at > timezone.now() - REPEATED_WITHIN else None


def _send(number: OwnedNumber, wanted: Mapping[str, Any], file: VoicemailFile | None) -> None:
    laaffic_client().numbers.edit_number(
        number=number.number,
        settings=NumberSettings(
            out_ip=wanted.get("out_addresses"),
            in_ip=wanted.get("in_addresses"),
            inbound_prefix=wanted.get("inbound_prefix"),
            remark=wanted.get("remark"),
            app_id=wanted.get("app_id"),
            voicemail=wanted["voicemail"],
            voicemail_seconds=wanted["voicemail_seconds"],
        ),
        voicemail_file=file,
        held=[getattr(number, name) for name in TEXTS],
    )


def _changed(number: OwnedNumber, given: Mapping[str, Any]) -> dict[str, Any]:
    """The given values that differ; fields not given, and None, stay as they are."""
    tidy = {name: value.strip() if isinstance(value, str) else value for name, value in given.items()}
    return {
        name: tidy[name]
        for name in FIELDS
        if name in tidy and tidy[name] is not None and tidy[name] != getattr(number, name)
    }


def _check(number: OwnedNumber, changed: Mapping[str, Any], file: VoicemailFile | None, seen: str | None) -> None:
    if number.gone_at is not None:
        raise NotNow(_("The account does not own this number any more: nothing can be changed of it."))
    if owned_evidence.requests(number).filter(state__in=OPEN).exists():
        raise NotNow(
            _(
                "A change of this number is under way, and its outcome is not known yet. The next synchronisation "
                "will show it."
            )
        )
    if seen is not None and seen != shown_digest(number):
        raise Overtaken(_("The number has been changed in the meantime. Look at what it has now, and send it again."))
    problems = {field: problem for field, value in changed.items() if (problem := _problem(field, value))}
    if file is not None and (unfit := _problem_with_file(file)):
        problems["voicemail_file"] = unfit
    if problems:
        raise ValidationError(problems)
    if not changed and file is None:
        raise NotNow(_("Nothing is different from what Laaffic has: nothing was sent."))


def _problem(field: str, value: Any) -> str:
    if field in TEXTS and len(value) > TEXTS[field]:
        return _("At most %(n)d characters.") % {"n": TEXTS[field]}
    if field in TEXTS and not value.isprintable():
        return _("One line, without line breaks and control characters.")
    if field in ("in_addresses", "out_addresses"):
        return next((problem for address in value.split(",") if value and (problem := _no_address(address))), "")
    if field == "voicemail_seconds" and not SECONDS[0] <= value <= SECONDS[1]:
        return _("From 1 to 999 seconds.")
    return ""


def _problem_with_file(file: VoicemailFile) -> str:
    if not file.data:
        return _("The file is empty (0 bytes). Save the recording again and choose that.")
    if len(file.data) > MAX_VOICEMAIL:
        return _("The file is larger than 5 MB. Shorten it, or save it as MP3 of 64 kbit/s.")
    try:
        file.fields()
    except InvalidRequest as problem:
        return _("An mp3, wav or m4a file of at most 5 MB: %(why)s.") % {"why": problem.message}
    return (
        ""
        if _begins_as_sound(file.data)
        else _("By its content the file is not an mp3, wav or m4a. Choose a recording.")
    )


def _begins_as_sound(data: bytes) -> bool:
    """Whether the file begins like sound: callers would hear a renamed document."""
    is_mpeg = data.startswith(b"ID3") or (data[:1] == b"\xff" and data[1:2] >= b"\xe0")
    return is_mpeg or data.startswith(b"RIFF") or data[4:8] == b"ftyp"


def _no_address(address: str) -> str:
    try:
        ipaddress.ip_address(address.strip())
    except ValueError:
        said = _("“%(it)s” is not an IP address. Write addresses with commas between them.")
        return said % {"it": address.strip()[:50]}
    return ""


def _explained(problem: LaafficError) -> ValidationError:
    if problem.code == Code.DOES_NOT_EXIST:
        return NotNow(_("Laaffic does not know this number as the account's (−24). Synchronise, and look again."))
    return refused_values.error_of(problem, PARAMETERS)
