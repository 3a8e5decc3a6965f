"""The type of an audio file, by its content: its name proves nothing. The gateway takes mp3, m4a and wav."""

import io
import math
from dataclasses import dataclass
from pathlib import PurePosixPath

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4
from mutagen.wave import WAVE

from laaffic_console.laaffic import InvalidRequest
from laaffic_console.laaffic.voice import check_audio_name
from messaging.media.attachment_content import length_of_mp3
from voice.models import AudioType

SHORTEST_NAME, LONGEST_NAME = 5, 32  # characters, with the suffix

# Types that people take for audio by mistake, named so that the error helps.
FOREIGN = (
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"%PDF-", "PDF"),
    (b"PK\x03\x04", "ZIP"),
    (b"OggS", "Ogg"),
    (b"fLaC", "FLAC"),
    (b"FORM", "AIFF"),
    (b"#!AMR", "AMR"),
    (b"MZ", "EXE"),
    (b"\x7fELF", "ELF"),
    (b"<", "HTML / XML"),
)


@dataclass(frozen=True, slots=True)
class Inspected:
    audio_type: AudioType
    seconds: float


def inspect(data: bytes) -> Inspected:
    """The type and length of `data`; ValidationError at `file` unless it is whole audio of one of the three types."""
    if not data:
        raise _unfit(_("The file is empty (0 bytes). Save the recording again and choose that."))
    if problem := problem_with_size(len(data)):
        raise _unfit(problem)
    for audio_type, kind, looks_so in KINDS:
        if looks_so(data):
            return Inspected(audio_type, _seconds(kind, data))
    what = next((name for start, name in FOREIGN if data.startswith(start)), _("something else"))
    raise _unfit(
        _("By its content the file is %(what)s, whatever its name says. Choose audio: mp3, m4a or wav.")
        % {"what": what}
    )


def problem_with_size(size: int) -> str:
    """Why a file of so many bytes is too large; "" if it is small enough."""
    if size <= settings.AUDIO_MAX_BYTES:
        return ""
    return _("The file has %(size)s MB; at most %(most)s MB are taken. Shorten it, or save it as MP3 of 64 kbit/s.") % {
        "size": f"{math.ceil(size / 1048576 * 10) / 10:.1f}",  # rounded up: never shown as a size that is allowed
        "most": f"{settings.AUDIO_MAX_BYTES / 1048576:g}",
    }


def with_suffix(name: str, audio_type: AudioType) -> str:
    """The name, with the suffix of its content if it has none; a wrong suffix is refused by `check_name`."""
    return f"{name}.{audio_type.value}" if name and "." not in name else name


def check_name(name: str, audio_type: AudioType) -> None:
    """Raise ValidationError at `name` unless Laaffic takes this name for audio of this type."""
    try:
        check_audio_name(name)
    except InvalidRequest as problem:
        if SHORTEST_NAME <= len(name) <= LONGEST_NAME:
            said = _("End the name with .%(type)s, which the content is.") % {"type": audio_type.value}
        else:
            said = _("A name has %(least)d to %(most)d characters with its suffix; this one has %(n)d.") % {
                "least": SHORTEST_NAME,
                "most": LONGEST_NAME,
                "n": len(name),
            }
        raise ValidationError({"name": said}) from problem
    if not name.isprintable() or any(character in name for character in '/\\"<>|:*?'):
        raise ValidationError({"name": _("Use letters, digits, spaces, - and _ in the name.")})
    suffix = PurePosixPath(name).suffix.lstrip(".").lower()
    if suffix != audio_type:
        raise ValidationError(
            {
                "name": _("By its content the file is %(type)s: call it “%(stem)s.%(type)s”.")
                % {"type": audio_type.value, "stem": PurePosixPath(name).stem}
            }
        )


def _unfit(said: str) -> ValidationError:
    return ValidationError({"file": said})


def _is_wave(data: bytes) -> bool:
    return data[:4] == b"RIFF" and data[8:12] == b"WAVE"


def _is_mpeg4(data: bytes) -> bool:
    return data[4:8] == b"ftyp"


def _is_mpeg(data: bytes) -> bool:
    """Whether it begins with an ID3 tag, or with the sync bits of a layer III frame."""
    return data.startswith(b"ID3") or (len(data) > 2 and data[0] == 0xFF and data[1] & 0xE6 == 0xE2)


def _seconds(kind: type[MP3] | type[MP4] | type[WAVE], data: bytes) -> float:
    damaged = _unfit(_("The audio is damaged, or of a kind that phones do not play. Save it again as MP3 or WAV."))
    try:
        info = kind(io.BytesIO(data)).info
    except Exception as problem:  # readers of broken audio raise anything
        raise damaged from problem
    if info is None or getattr(info, "sketchy", False) or getattr(info, "layer", 3) != 3:
        raise damaged
    if kind is MP4 and not getattr(info, "codec", "").startswith(("mp4a", "alac")):
        raise _unfit(_("The file is a film or holds no sound that phones play. Save its sound as MP3 and choose that."))
    if not info.length > 0:
        raise _unfit(_("The audio is empty: it lasts 0 seconds. Record it again."))
    return length_of_mp3(info, io.BytesIO(data)) if kind is MP3 else float(info.length)


KINDS = ((AudioType.WAV, WAVE, _is_wave), (AudioType.M4A, MP4, _is_mpeg4), (AudioType.MP3, MP3, _is_mpeg))
