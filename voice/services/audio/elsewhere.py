"""Audio files that Laaffic has and that were uploaded elsewhere (voice/fileQuery): taken over by their id.

Laaffic gives no content back: callees can hear such a file, but it can neither be played here nor sent with a task.
"""

import hashlib
import itertools
from collections.abc import Collection, Iterator

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.gateway.services.client.account import NotConfigured, laaffic_client
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.laaffic import LaafficError, UploadedAudio
from voice.models import AudioFile, AudioType
from voice.services import syncing
from voice.services.audio import uploads

AT_MOST = 1000  # files of the list, on a page


def listed() -> list[UploadedAudio]:
    """Laaffic's files that the library does not have; ValidationError if the list cannot be read."""
    ours = set(AudioFile.objects.exclude(file_id="").values_list("file_id", flat=True))
    mine = set(AudioFile.objects.filter(file_id="").values_list("name", flat=True))
    first = itertools.islice(_read(), AT_MOST)
    return [file for file in first if file.file_id not in ours and not _may_be_ours(file, mine)]


def take(file_id: str, *, by: User | None = None) -> AudioFile:
    """The library's row for the file; an existing one stays as it is."""
    if known := AudioFile.objects.filter(file_id=file_id).exclude(file_id="").first():
        return known
    found = next((file for file in _read() if file.file_id and file.file_id == file_id), None)
    if found is None:
        raise ValidationError(
            {"file_id": _("Laaffic's list does not have this file any more. Look at the list again.")}
        )
    suffix = found.name.rpartition(".")[2].lower()
    if suffix not in AudioType.values or len(found.name) > 32 or not found.name.isprintable():
        raise ValidationError(
            _("“%(name)s” is not a name of an audio file: at most 32 characters, with .mp3, .m4a or .wav at its end.")
            % {"name": found.name[:80]}
        )
    uploads.check_free(found.name)
    try:
        with transaction.atomic():
            made = AudioFile.objects.create(
                name=found.name,
                audio_type=suffix,
                content=b"",
                size=0,
                digest=hashlib.sha256(f"elsewhere:{file_id}".encode()).hexdigest(),  # not of content: one row per id
                seconds=found.seconds or 0,
                file_id=file_id[:120],
                uploaded_at=found.uploaded_at or timezone.now(),
                created_by=by,
            )
            record(Act.ADDED, made)
            return made
    except IntegrityError:  # somebody else took it over at the same moment
        if known := AudioFile.objects.filter(file_id=file_id).first():
            return known
        uploads.check_free(found.name)
        raise


def _read() -> Iterator[UploadedAudio]:
    try:
        yield from laaffic_client().voice.every_audio_file()
    except (LaafficError, NotConfigured) as problem:
        raise NotNow(syncing.said_at_once(problem)) from problem


def _may_be_ours(file: UploadedAudio, mine: Collection[str]) -> bool:
    """Whether it may be our upload whose answer was lost, which Upload settles; also if it has no id to play it by."""
    return not file.file_id or file.name in mine
