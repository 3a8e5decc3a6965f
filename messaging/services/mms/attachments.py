"""The MMS library: files checked by content and kept here, uploaded to Laaffic, and again before their ids lapse.

An upload costs nothing and rings no phone. After a lost answer it may be asked for again: at worst an unused copy of
the file lies at Laaffic for three days. Each is a row of the ledger anyway.
"""

import datetime as dt
import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.gateway.services.client import code_words
from laaffic_console.gateway.services.client.account import NotConfigured, laaffic_client
from laaffic_console.gateway.services.ledger import known_by, ledger, lost_requests, single_requests
from laaffic_console.gateway.services.work import leases, workers
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.plain_text import keepable, without_marks
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.laaffic import LaafficError, NotSent, OutcomeUnknown, Refused
from laaffic_console.laaffic.mms import ATTACHMENT_LASTS
from messaging.media import attachment_content
from messaging.media.attachment_content import UnfitFile
from messaging.models import MmsAttachment

ABOUT = "MMS attachment"
RENEW_BEFORE = dt.timedelta(hours=6)  # a campaign uploads again what would lapse within this time
JUST_UPLOADED = dt.timedelta(minutes=10)  # an id that Laaffic does not know by then it will not know of a new upload
UPLOAD_SECONDS = 90  # longer than the longest answer
WAIT_FOR_OTHER = 45.0
TRIES = 3  # after a lost answer it is asked again by itself: a second copy does no harm


class UploadFailed(Exception):
    """The file has no id that can be sent; the sentence says why and what to do."""


class BeingUploaded(UploadFailed):
    """Another process is at it, and will have its id."""

    def __init__(self) -> None:
        super().__init__(_("This file is being uploaded right now; look again in a minute."))


class UploadUnknown(UploadFailed):
    """The answer was lost each time. To upload it again is safe."""


class UploadedWithoutId(UploadFailed):
    """Laaffic has the file, and said no id: nothing is lost, and it cannot be sent yet."""


def add(data: bytes, name: str, *, size: int | None = None, by: User | None = None) -> tuple[MmsAttachment, bool]:
    """The library's row for this content, and whether it is new; ValidationError at `file` for what is unfit.

    `size`: of the whole file, where only its beginning was read.
    """
    try:
        found = attachment_content.inspect(data, name, size=size)
    except UnfitFile as problem:
        raise ValidationError({"file": str(problem)}) from problem
    with transaction.atomic():
        attachment, is_new = MmsAttachment.objects.get_or_create(
            digest=hashlib.sha256(data).hexdigest(),
            defaults={
                "name": PurePosixPath(keepable(without_marks(name)).replace("\\", "/")).name[:120] or found.file_type,
                "file_type": found.file_type,
                "content": data,
                "size": len(data),
                "width": found.width,
                "height": found.height,
                "seconds": found.seconds,
                "thumbnail": found.thumbnail,
                "note": found.note[:200],
                "created_by": by,
            },
        )
        if is_new:
            record(Act.ADDED, attachment)
        else:
            archive(attachment.pk, is_archived=False)
    return attachment, is_new


def archive(attachment_id: int, *, is_archived: bool) -> None:
    """Whether it is no longer offered."""
    others = MmsAttachment.objects.defer("content").filter(pk=attachment_id, is_archived=not is_archived)
    with transaction.atomic():
        if (attachment := others.first()) and others.update(is_archived=is_archived):
            record(Act.CHANGED, attachment, event=_("archived") if is_archived else _("offered again"))


@contextmanager
def while_not_uploaded(attachment_id: int) -> Iterator[None]:
    """Under its upload's lease; NotNow while somebody uploads it."""
    with leases.lease(f"mms-upload:{attachment_id}", UPLOAD_SECONDS) as lease:
        if lease is None:
            raise NotNow(_("This file is being uploaded right now; look again in a minute."))
        yield


def discard(attachment_id: int) -> None:
    """Delete what no campaign refers to."""
    with while_not_uploaded(attachment_id), transaction.atomic():
        # Locked: a draft that takes it at the same moment comes before, or finds it gone.
        attachment = MmsAttachment.objects.select_for_update().defer("content", "thumbnail").get(pk=attachment_id)
        if attachment.used_at is not None:
            raise NotNow(_("A campaign refers to this file: it stays. Archive it instead."))
        record(Act.DELETED, attachment)
        attachment.delete()


def upload(attachment_id: int, *, by: User | None = None) -> MmsAttachment:
    """Give Laaffic the file and keep the id; UploadFailed says what came of it instead."""
    with leases.lease(f"mms-upload:{attachment_id}", UPLOAD_SECONDS) as lease:
        if lease is None:
            raise BeingUploaded
        return _upload(MmsAttachment.objects.get(pk=attachment_id), lease, by)


def live_ids(attachment_ids: Sequence[int]) -> list[str]:
    """Ids that last for the next hours, in this order; what would lapse is uploaded again, or UploadFailed."""
    return [_outliving(pk, timezone.now() + RENEW_BEFORE).gateway_id for pk in attachment_ids]


def forget_ids(attachment_ids: Sequence[int], had: Sequence[str], left_at: dt.datetime) -> bool:
    """Laaffic does not know one of the ids that a request had which left then, and says not which. Whether another try
    has others: those of another upload since, or all of them lapse now, except what was uploaded just before it.
    """
    files = MmsAttachment.objects.filter(pk__in=attachment_ids)
    if files.exclude(gateway_id__in=had).exists():
        return True
    known_then = files.filter(uploaded_at__lt=left_at - JUST_UPLOADED, lapses_at__gt=timezone.now())
    forgotten = known_then.update(lapses_at=timezone.now())
    return bool(forgotten) or files.filter(lapses_at__lte=timezone.now()).exists()


def _outliving(attachment_id: int, moment: dt.datetime) -> MmsAttachment:
    """Uploaded again unless its id outlives the moment; if another worker is at it, wait for its answer."""
    give_up_at = time.monotonic() + WAIT_FOR_OTHER
    while True:
        attachment = MmsAttachment.objects.filter(pk=attachment_id).first()
        if attachment is None:
            raise UploadFailed(_("An attachment of this campaign is not in the library any more."))
        if attachment.gateway_id and attachment.lapses_at and attachment.lapses_at > moment:
            return attachment
        with leases.lease(f"mms-upload:{attachment_id}", UPLOAD_SECONDS) as lease:
            if lease is not None:
                attachment.refresh_from_db()
                is_fresh = attachment.gateway_id and attachment.lapses_at and attachment.lapses_at > moment
                return attachment if is_fresh else _upload(attachment, lease, None)
        if time.monotonic() > give_up_at:
            raise BeingUploaded
        time.sleep(0.2)


def _upload(attachment: MmsAttachment, lease: leases.HeldLease, by: User | None) -> MmsAttachment:
    """Until an answer comes, at most a few times; the last UploadUnknown where none does."""
    for left in reversed(range(TRIES)):
        try:
            return _upload_once(attachment, by)
        except UploadUnknown:
            if not left:
                raise
            if not lease.renew():
                raise BeingUploaded from None
    raise AssertionError  # the last try returns or raises


def _upload_once(attachment: MmsAttachment, by: User | None) -> MmsAttachment:
    """Record, send, settle, under this file's lease."""
    try:
        client = laaffic_client()
    except NotConfigured as problem:
        raise UploadFailed(str(problem)) from problem
    earlier = LedgerEntry.objects.filter(about_kind=ABOUT, about_id=attachment.pk)
    with transaction.atomic():
        entry = ledger.prepare(
            interface="mmsUpload",
            application=None,
            about_kind=ABOUT,
            about_id=attachment.pk,
            summary={"name": attachment.name, "type": attachment.file_type, "bytes": attachment.size},
            digest=ledger.digest_of(attachment.file_type, attachment.digest),
            attempt=earlier.count() + 1,
            worker=workers.worker_name(),
            requested_by=by,
        )
    try:
        gateway_id = single_requests.send(
            entry, lambda: client.mms.upload(file_type=attachment.file_type, data=bytes(attachment.content))
        )
    except OutcomeUnknown as error:
        raise UploadUnknown(_said(attachment, error)) from error
    except LaafficError as error:
        raise UploadFailed(_said(attachment, error)) from error
    _settle(attachment, entry, gateway_id)
    if not gateway_id:
        raise UploadedWithoutId(
            _(
                "Laaffic took “%(name)s” and answered without an id, and only an id can be sent. The file is there for "
                "three days: ask Laaffic's support for its id, then enter it with "
                "manage.py mms keep-id %(pk)d GATEWAY_ID. Uploading it again is safe and may bring one."
            )
            % {"name": attachment.name, "pk": attachment.pk}
        )
    return attachment


def keep_id(attachment_id: int, gateway_id: str) -> MmsAttachment:
    """The id of an upload that was answered without one, as somebody learnt it; ValidationError where there is none."""
    gateway_id = gateway_id.strip()
    if not gateway_id or len(gateway_id) > 120 or "," in gateway_id or not gateway_id.isprintable():
        raise ValidationError(_("An id has 1 to 120 characters, and no comma, such as 57_3_1727059993381.txt."))
    taken = LedgerEntry.objects.filter(about_kind=ABOUT, about_id=attachment_id, state=EntryState.ACCEPTED)
    entry = taken.order_by("-pk").first()
    attachment = MmsAttachment.objects.filter(pk=attachment_id).first()
    if attachment is None:
        raise ValidationError(_("There is no attachment %(id)s.") % {"id": attachment_id})
    if entry is None:
        raise ValidationError(_("Laaffic took no upload of this attachment. Upload it first."))
    _settle(attachment, entry, gateway_id)
    return attachment


@transaction.atomic
def _settle(attachment: MmsAttachment, entry: LedgerEntry, gateway_id: str) -> None:
    ledger.settle_accepted(
        entry.pk, evidence=known_by.answer(gateway_id) if gateway_id else known_by.answer_without("an id")
    )
    if gateway_id and entry.left_at:
        # From when it left: the vendor's clock cannot have started earlier.
        attachment.gateway_id, attachment.uploaded_at = gateway_id, entry.left_at
        attachment.lapses_at = entry.left_at + ATTACHMENT_LASTS
        attachment.save(update_fields=["gateway_id", "uploaded_at", "lapses_at"])
        for earlier in _lost().filter(about_id=attachment.pk):
            ledger.lapse(earlier.pk, evidence=known_by.request("uploaded again since"))


def _lost() -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(about_kind=ABOUT, state=EntryState.UNKNOWN)


def _said(attachment: MmsAttachment, error: LaafficError) -> str:
    name = {"name": attachment.name}
    match error:
        case single_requests.HeldBack():
            return error.message
        case NotSent():
            return _("“%(name)s” was not uploaded: the gateway cannot be reached (%(why)s). Try again later.") % {
                **name,
                "why": error.message,
            }
        case Refused():
            return _("“%(name)s” was not uploaded: %(why)s") % {**name, "why": code_words.refused(error)}
        case OutcomeUnknown():
            return _(
                "The answer to the upload of “%(name)s” was lost %(n)d times (%(why)s). Upload it again later: "
                "at worst an unused copy lies at Laaffic for three days."
            ) % {**name, "n": TRIES, "why": error.message}
    return str(error)


def mark_used(attachment_ids: Sequence[int]) -> None:
    """Mark files that a campaign uses: they stay in the library for good."""
    MmsAttachment.objects.filter(pk__in=attachment_ids).update(used_at=timezone.now())


def sweep() -> None:
    """Calls whose worker died: none of them has an answer to come any more."""
    lost_requests.give_up(LedgerEntry.objects.filter(about_kind=ABOUT))
    for entry in _lost().filter(left_at__lt=timezone.now() - ATTACHMENT_LASTS)[:500]:
        ledger.lapse(entry.pk, evidence=known_by.time("by now the upload would have lapsed"))
