"""The audio library: files checked by content, kept here, and given to Laaffic once (laaffic-api#fileupload).

A name is unique in the whole account, so it marks the upload: after a lost answer Laaffic's list shows whether the file
arrived, and −20 on another try says the same. A name that was taken before our first try is somebody else's.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError, Q, QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.gateway.services.client import code_words
from laaffic_console.gateway.services.client.account import NotConfigured, laaffic_client
from laaffic_console.gateway.services.ledger import known_by, ledger, single_requests
from laaffic_console.gateway.services.ledger.known_by import Evidence
from laaffic_console.gateway.services.work import leases, workers
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.plain_text import keepable, without_marks
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.laaffic import LaafficError, NotSent, OutcomeUnknown, Refused, UploadedAudio
from voice.models import AudioFile, AudioType
from voice.services.audio import content as audio_content

ABOUT = "audio file"
UPLOAD_SECONDS = 120  # longer than the longest answer
MAY_HAVE_ARRIVED = (EntryState.UNKNOWN, EntryState.IN_FLIGHT, EntryState.ACCEPTED)
MAY_ARRIVE = (EntryState.PREPARED, *MAY_HAVE_ARRIVED)


class UploadFailed(Exception):
    """Laaffic does not have the file, or its id is not known; the sentence says why and what to do."""


class UploadUnknown(UploadFailed):
    """The answer was lost. Uploading the file again is safe: Laaffic takes a name once."""


def read(upload: "UploadedFile[Any]") -> bytes:
    """The content of a chosen file; one that is too large is not read: ValidationError at `file` says its size."""
    if problem := audio_content.problem_with_size(upload.size or 0):
        raise ValidationError({"file": problem})
    data: bytes = upload.read()
    return data


def add(data: bytes, name: str, *, by: User | None = None) -> tuple[AudioFile, bool]:
    """The library's row for this content, and whether it is new; ValidationError at `file` or `name` if unfit."""
    found = audio_content.inspect(data)
    digest = hashlib.sha256(data).hexdigest()
    if known := AudioFile.objects.filter(digest=digest).first():
        archive(known.pk, is_archived=False)
        return known, False
    name = audio_content.with_suffix(name.strip(), found.audio_type)
    audio_content.check_name(name, found.audio_type)
    check_free(name)
    try:
        with transaction.atomic():
            made = AudioFile.objects.create(
                name=name,
                audio_type=found.audio_type,
                content=data,
                size=len(data),
                digest=digest,
                seconds=found.seconds,
                created_by=by,
            )
            record(Act.ADDED, made)
    except IntegrityError:  # somebody added the same at the same moment
        if known := AudioFile.objects.filter(digest=digest).first():
            archive(known.pk, is_archived=False)
            return known, False
        check_free(name)
        raise
    return made, True


def check_free(name: str, *, other_than: int | None = None) -> None:
    others = AudioFile.objects.filter(name__iexact=name)
    if (others if other_than is None else others.exclude(pk=other_than)).exists():
        raise ValidationError(
            {"name": _("The library has another file “%(name)s”. Choose another name.") % {"name": name}}
        )


def suggested_name(given: str) -> str:
    """The name of the chosen file, without its folders."""
    return PurePosixPath(keepable(without_marks(given)).replace("\\", "/")).name.strip()


def rename(audio: AudioFile, name: str) -> None:
    """Rename a file that Laaffic cannot have yet; ValidationError at `name`."""
    name = audio_content.with_suffix(name.strip(), AudioType(audio.audio_type))
    if name == audio.name:
        return
    audio_content.check_name(name, AudioType(audio.audio_type))
    check_free(name, other_than=audio.pk)
    with transaction.atomic():
        # Locked: an upload at the same moment is recorded before, or finds the file renamed.
        kept = AudioFile.objects.select_for_update().defer("content").get(pk=audio.pk)
        if kept.is_at_laaffic or tries(kept).filter(state__in=MAY_ARRIVE).exists():
            raise NotNow({"name": _("Laaffic may know the file by this name: it keeps it.")})
        changes = [[AudioFile._meta.get_field("name").verbose_name, kept.name, name]]
        kept.name = audio.name = name
        kept.save(update_fields=["name"])
        record(Act.CHANGED, kept, changes=changes)


def archive(audio_id: int, *, is_archived: bool) -> None:
    """Set whether the file is no longer offered."""
    others = AudioFile.objects.defer("content").filter(pk=audio_id, is_archived=not is_archived)
    with transaction.atomic():
        if (audio := others.first()) and others.update(is_archived=is_archived):
            record(Act.CHANGED, audio, event=_("archived") if is_archived else _("offered again"))


def is_removable(audio: AudioFile) -> bool:
    """Whether it can be deleted: a file that Laaffic has, or may have, stays, as tasks name it by its id."""
    return not (audio.is_at_laaffic or tries(audio).exists())


@contextmanager
def while_not_uploaded(audio_id: int) -> Iterator[None]:
    """Hold the lease of the file's upload; NotNow while somebody uploads it."""
    with leases.lease(f"audio-upload:{audio_id}", UPLOAD_SECONDS) as lease:
        if lease is None:
            raise NotNow(_("This file is being uploaded right now; look again in a minute."))
        yield


def discard(audio_id: int) -> None:
    """Delete a file that Laaffic surely does not have."""
    with while_not_uploaded(audio_id):
        audio = AudioFile.objects.defer("content").get(pk=audio_id)
        if not is_removable(audio):
            raise NotNow(_("Laaffic has this file, or may have it: it stays. Archive it instead."))
        try:
            with transaction.atomic():
                record(Act.DELETED, audio)
                audio.delete()
        except ProtectedError as problem:
            raise NotNow(_("A group call plays this file: it stays. Archive it instead.")) from problem


def tries(audio: AudioFile) -> QuerySet[LedgerEntry]:
    """Uploads of this content under this name, also for an earlier row of the library."""
    of_content = Q(digest=_digest(audio))
    return LedgerEntry.objects.filter(of_content | Q(about_id=audio.pk), about_kind=ABOUT)


def _digest(audio: AudioFile) -> str:
    return ledger.digest_of(audio.name, audio.digest)


def upload(audio_id: int, *, by: User | None = None) -> AudioFile:
    """Give Laaffic the file and keep its id; UploadFailed says why there is none."""
    with leases.lease(f"audio-upload:{audio_id}", UPLOAD_SECONDS) as lease:
        if lease is None:
            raise UploadFailed(_("This file is being uploaded right now; look again in a minute."))
        audio = AudioFile.objects.get(pk=audio_id)
        if audio.is_at_laaffic:
            return audio
        return _upload(audio, lease, by)


def _upload(audio: AudioFile, lease: leases.HeldLease, by: User | None) -> AudioFile:
    ours = tries(audio).filter(state__in=MAY_HAVE_ARRIVED).exists()
    there = _look_up(audio)
    if there is not None:
        if not ours:
            raise UploadFailed(_taken(audio))
        return _arrived(audio, there)
    with transaction.atomic():
        as_read = AudioFile.objects.select_for_update().filter(pk=audio.pk, name=audio.name)
        if not lease.renew() or not as_read.exists():
            raise UploadFailed(
                _("“%(name)s” was renamed, deleted or uploaded by somebody else in the meantime: look at it again.")
                % {"name": audio.name}
            )
        entry = ledger.prepare(
            interface="voice/fileUpload",
            application=None,
            about_kind=ABOUT,
            about_id=audio.pk,
            summary={"name": audio.name, "type": audio.audio_type, "bytes": audio.size},
            digest=_digest(audio),
            attempt=tries(audio).count() + 1,
            worker=workers.worker_name(),
            requested_by=by,
        )
    try:
        file_id = single_requests.send(
            entry,
            lambda: laaffic_client().voice.upload_audio(
                file_name=audio.name, data=bytes(audio.content), at_most=settings.AUDIO_MAX_BYTES
            ),
        )
    except Refused as refusal:
        if not refusal.entry.says_duplicate:
            raise UploadFailed(
                _("“%(name)s” was not uploaded: %(why)s") % {"name": audio.name, "why": code_words.refused(refusal)}
            ) from refusal
        if not ours:
            raise UploadFailed(_taken(audio)) from refusal
        _end_lost_tries(audio, known_by.request(f"request {entry.pk} was refused as its duplicate"))
        if there := _look_up(audio):
            return _arrived(audio, there)
        raise UploadFailed(_is_there(audio)) from refusal
    except OutcomeUnknown as problem:
        if there := _look_up(audio):
            return _arrived(audio, there)
        raise UploadUnknown(
            _(
                "The answer to the upload of “%(name)s” was lost, and Laaffic's list does not have it yet. Upload it "
                "again in a minute: the name is unique there, so it cannot arrive twice."
            )
            % {"name": audio.name}
        ) from problem
    except NotSent as problem:
        raise UploadFailed(
            _("“%(name)s” was not uploaded: %(why)s") % {"name": audio.name, "why": problem.message}
        ) from problem
    ledger.settle_accepted(entry.pk, evidence=known_by.answer(file_id) if file_id else known_by.answer_without("an id"))
    if not file_id:
        found = _look_up(audio)
        if found is None or not found.file_id:
            raise UploadFailed(
                _("Laaffic took “%(name)s” and gave no id. Ask for it again with Upload in a minute.")
                % {"name": audio.name}
            )
        file_id = found.file_id
    return _keep(audio, file_id)


def _look_up(audio: AudioFile) -> UploadedAudio | None:
    """The file of this name in Laaffic's list; None also when the list cannot be read."""
    try:
        listed = laaffic_client().voice.every_audio_file()
        return next((entry for entry in listed if entry.name == audio.name), None)
    except (LaafficError, NotConfigured):
        return None


def _arrived(audio: AudioFile, there: UploadedAudio) -> AudioFile:
    """Settle an earlier upload that did arrive: its ledger rows end with what the list says."""
    _end_lost_tries(audio, known_by.listing(f"fileQuery lists {there.name}: {there.file_id}"))
    if not there.file_id:
        raise UploadFailed(_("Laaffic lists “%(name)s” without an id. Ask Laaffic's support.") % {"name": audio.name})
    return _keep(audio, there.file_id)


def _end_lost_tries(audio: AudioFile, evidence: Evidence) -> None:
    lost = (EntryState.UNKNOWN, EntryState.IN_FLIGHT)
    for entry in tries(audio).filter(state__in=lost):
        ledger.settle_by_evidence(entry.pk, EntryState.ACCEPTED, evidence=evidence, provided=lost)


def _keep(audio: AudioFile, file_id: str) -> AudioFile:
    audio.file_id, audio.uploaded_at = file_id[:120], timezone.now()
    audio.save(update_fields=["file_id", "uploaded_at"])
    return audio


def _is_there(audio: AudioFile) -> str:
    return _(
        "Laaffic has “%(name)s” from an earlier upload of yours whose answer was lost, and its list does not show the "
        "id yet. Upload it again in a minute, under this name: that asks for the id, and nothing arrives twice."
    ) % {"name": audio.name}


def _taken(audio: AudioFile) -> str:
    return _(
        "Laaffic has another file called “%(name)s”, which was not uploaded from here. Give this one another name and "
        "upload it again."
    ) % {"name": audio.name}
