"""What a file for an MMS is, by its content: its name proves nothing (laaffic-api#mmsupload).

The gateway takes thirteen types and at most 50 KB of each. What a browser might run is refused, or never shown as
itself: pictures are read by Pillow, audio by mutagen, SVG by defusedxml, and a text must be nothing but text.
"""

import io
import math
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from defusedxml import DefusedXmlException
from defusedxml import ElementTree as SafeXml
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from mutagen.mp3 import MP3, BitrateMode
from mutagen.wave import WAVE
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from laaffic_console.kit.words.plain_text import is_blank
from laaffic_console.laaffic.mms import MAX_FILE, SURELY_SMALL
from messaging.media import mp3_length

MAX_BYTES = MAX_FILE
MAX_PIXELS = 16_000_000  # 50 KB can unfold into gigabytes
THUMBNAIL_SIDE = 320
LYING = (5, 6, 7, 8)  # orientations of a picture that was stored on its side

# The vendor's fileType → what it is to a person.
FILE_TYPES = {
    "png": gettext_lazy("PNG picture"),
    "jpg": gettext_lazy("JPEG picture"),
    "jpeg": gettext_lazy("JPEG picture"),
    "bmp": gettext_lazy("BMP picture"),
    "gif": gettext_lazy("GIF picture"),
    "webp": gettext_lazy("WebP picture"),
    "psd": gettext_lazy("Photoshop picture"),
    "svg": gettext_lazy("SVG drawing"),
    "tiff": gettext_lazy("TIFF picture"),
    "mp3": gettext_lazy("MP3 audio"),
    "wav": gettext_lazy("WAV audio"),
    "txt": gettext_lazy("text"),
    "vcf": gettext_lazy("vCard"),
}
# How the bytes may be served; None: never as themselves (a browser runs SVG, and cannot show PSD and TIFF).
MEDIA_TYPES: dict[str, str | None] = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "bmp": "image/bmp",
    "gif": "image/gif",
    "webp": "image/webp",
    "psd": None,
    "svg": None,
    "tiff": None,
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "txt": None,
    "vcf": None,
}
PICTURES = ("png", "jpg", "jpeg", "bmp", "gif", "webp", "psd", "tiff")
AUDIO = ("mp3", "wav")
SHOWN_AS_TEXT = ("txt", "vcf", "svg")

_PILLOW = {"PNG": "png", "JPEG": "jpg", "BMP": "bmp", "GIF": "gif", "WEBP": "webp", "PSD": "psd", "TIFF": "tiff"}
# Suffixes that mean the same as one of the thirteen.
_ALSO = {"jpe": "jpg", "jfif": "jpg", "tif": "tiff", "vcard": "vcf", "wave": "wav", "text": "txt"}

# What people take for a picture or a text by mistake, named so that the error helps.
_FOREIGN = (
    (b"MZ", gettext_lazy("a Windows program")),
    (b"\x7fELF", gettext_lazy("a program")),
    (b"\xca\xfe\xba\xbe", gettext_lazy("a program")),
    (b"PK\x03\x04", gettext_lazy("a ZIP archive or an Office document")),
    (b"%PDF-", gettext_lazy("a PDF document")),
    (b"\x1f\x8b", gettext_lazy("a compressed file")),
    (b"Rar!", gettext_lazy("a RAR archive")),
    (b"OggS", gettext_lazy("Ogg audio")),
    (b"fLaC", gettext_lazy("FLAC audio")),
    (b"#!", gettext_lazy("a script")),
)


_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_AVIF = {b"avif", b"avis"}


class UnfitFile(ValueError):
    """The file cannot be an MMS attachment; the sentence says what it is and what to do."""


@dataclass(frozen=True, slots=True)
class Inspected:
    file_type: str  # one of FILE_TYPES
    width: int | None = None  # pixels
    height: int | None = None
    seconds: float | None = None  # of audio
    thumbnail: bytes = b""  # a PNG made again, never bytes of the upload
    note: str = ""  # what the operator should know although the file is fit


def inspect(data: bytes, name: str, *, size: int | None = None) -> Inspected:
    """What `data` is; UnfitFile unless it is one of the thirteen types, complete and small enough.

    `size`: bytes of the whole file, if only its beginning was read.
    """
    if not data:
        raise UnfitFile(_("The file is empty."))
    _refuse_camera_formats(data)
    if len(data) > MAX_BYTES:
        raise UnfitFile(
            _("The file has %(size)s KB; an attachment has at most 50 KB. Make it smaller and add it again.")
            % {"size": f"{math.ceil((size or len(data)) / 102.4) / 10:,.1f}"}  # never what may be attached
        )
    suffix = PurePosixPath(name.lower()).suffix.lstrip(".")
    _refuse_foreign(data)
    found = _picture(data, suffix) or _audio(data) or _text(data, suffix)
    claimed = _ALSO.get(suffix, suffix)
    if found.file_type != claimed and {found.file_type, claimed} != {"jpg", "jpeg"} and not found.note:
        return _renamed(found, suffix)
    return found


def is_doubtful(size: int) -> bool:
    """Small enough by itself, and over 50 KB as Base64."""
    return size > SURELY_SMALL


def text_of(data: bytes) -> str:
    """A text attachment for showing, escaped by the code that shows it."""
    return data.decode("utf-8-sig")


def _renamed(found: Inspected, suffix: str) -> Inspected:
    note = _("By its content this is a %(kind)s although its name ends in “.%(suffix)s”; it is sent as %(type)s.") % {
        "kind": FILE_TYPES[found.file_type],
        "suffix": suffix[:20],
        "type": found.file_type,
    }
    return Inspected(found.file_type, found.width, found.height, found.seconds, found.thumbnail, note)


def _refuse_foreign(data: bytes) -> None:
    for start, what in _FOREIGN:
        if data.startswith(start):
            raise UnfitFile(
                _("By its content the file is %(what)s, whatever its name says. Attach one of: %(types)s.")
                % {"what": what, "types": ", ".join(FILE_TYPES)}
            )


def _refuse_camera_formats(data: bytes) -> None:
    """Before its size is spoken of: making it smaller would help nobody."""
    if data[4:8] != b"ftyp":
        return
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, min(int.from_bytes(data[:4]), 128), 4))}
    if brands & _HEIC:
        raise UnfitFile(
            _(
                "The file is a HEIC picture, as iPhones take them, and an MMS cannot carry it. Save it as JPEG and add "
                "that; on the phone, Settings › Camera › Formats › Most Compatible makes every new picture a JPEG."
            )
        )
    if brands & _AVIF:
        raise UnfitFile(_("The file is an AVIF picture, and an MMS cannot carry it. Save it as JPEG and add that."))
    raise UnfitFile(
        _("The file is a film or MPEG-4 audio, and an MMS cannot carry it. Save its sound as MP3 and add that.")
    )


def _picture(data: bytes, suffix: str) -> Inspected | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Pillow doubts about is decided by the limits below
            return _read_picture(data, suffix)
    except UnidentifiedImageError:
        return None
    except UnfitFile:
        raise
    except Exception as problem:  # decoders of broken pictures raise all there is
        raise UnfitFile(_("The picture is damaged and cannot be read whole. Save it again and add that.")) from problem


def _read_picture(data: bytes, suffix: str) -> Inspected:
    with Image.open(io.BytesIO(data), formats=list(_PILLOW)) as picture:
        width, height = picture.size
        if width * height > MAX_PIXELS:
            raise UnfitFile(
                _("The picture has %(width)d × %(height)d pixels, too many for a phone. Make it smaller.")
                % {"width": width, "height": height}
            )
        file_type = _PILLOW[str(picture.format)]
        picture.load()
        if picture.getexif().get(ExifTags.Base.Orientation) in LYING:
            width, height = height, width
        thumbnail = _thumbnail(picture)
    return Inspected("jpeg" if file_type == "jpg" == _jpeg(suffix) else file_type, width, height, None, thumbnail)


def _jpeg(suffix: str) -> str:
    """The vendor takes both names of one type; the file keeps its own."""
    return "jpg" if suffix == "jpeg" else ""


def _thumbnail(picture: Image.Image) -> bytes:
    small = ImageOps.exif_transpose(picture).convert("RGBA")
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    out = io.BytesIO()
    small.save(out, "PNG", optimize=True)
    return out.getvalue()


def _audio(data: bytes) -> Inspected | None:
    for file_type, kind, looks_so in (("wav", WAVE, _is_wave), ("mp3", MP3, _is_mpeg)):
        if looks_so(data):
            return Inspected(file_type, seconds=_seconds(kind, io.BytesIO(data)))
    return None


def _is_wave(data: bytes) -> bool:
    return data[:4] == b"RIFF" and data[8:12] == b"WAVE"


def _is_mpeg(data: bytes) -> bool:
    """An ID3 tag, or the sync bits of a layer III frame."""
    return data.startswith(b"ID3") or (len(data) > 2 and data[0] == 0xFF and data[1] & 0xE6 == 0xE2)


def _seconds(kind: type[MP3] | type[WAVE], stream: BinaryIO) -> float:
    damaged = _("The audio is damaged, or of a kind that phones do not play. Save it as MP3 or WAV and add that.")
    try:
        info = kind(stream).info
    except Exception as problem:  # readers of broken audio raise all there is
        raise UnfitFile(damaged) from problem
    if info is None or getattr(info, "sketchy", False) or getattr(info, "layer", 3) != 3:
        raise UnfitFile(damaged)
    return float(info.length) if kind is WAVE else length_of_mp3(info, stream)


def length_of_mp3(info: Any, stream: BinaryIO) -> float:
    """Seconds: what the header says if the file has one and is complete, else counted from its frames."""
    stream.seek(0)
    counted = mp3_length.seconds(stream.read())
    has_header = info.bitrate_mode != BitrateMode.UNKNOWN
    is_whole = counted > 0.9 * info.length
    return float(info.length) if not counted or (has_header and is_whole) else counted


def _text(data: bytes, suffix: str) -> Inspected:
    """Text, vCard or SVG. Text has no signature, so here the name must say the same as the content."""
    try:
        text = text_of(data)
    except UnicodeDecodeError:
        text = ""
    if is_blank(text) or re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text):
        raise UnfitFile(
            _("The content is none of the types that an MMS can carry, or not text in UTF-8. Attach one of: %(types)s.")
            % {"types": ", ".join(FILE_TYPES)}
        )
    claimed = _ALSO.get(suffix, suffix)
    if claimed == "svg" or (text.lstrip().startswith("<") and "<svg" in text.lower()):
        _check_drawing(data)
        return Inspected("svg")
    if text.lstrip().upper().startswith("BEGIN:VCARD"):
        _check_card(text)
        return Inspected("vcf")
    if claimed == "txt":
        return Inspected("txt")
    if claimed == "vcf":
        raise UnfitFile(_("The file is called a vCard, and does not begin with BEGIN:VCARD. Export the contact again."))
    raise UnfitFile(
        _("By its content the file is a text, and its name ends in “.%(suffix)s”. Call it .txt if a text is meant.")
        % {"suffix": suffix[:20]}
    )


def _check_card(text: str) -> None:
    lines = [line.strip().upper() for line in text.splitlines() if line.strip()]
    if lines[-1] != "END:VCARD" or lines.count("BEGIN:VCARD") != lines.count("END:VCARD"):
        raise UnfitFile(_("The vCard is cut short: it does not end with END:VCARD. Export the contact again."))
    if not any(line.startswith(("FN:", "FN;", "N:", "N;")) for line in lines):
        raise UnfitFile(_("The vCard holds no name (FN or N). Export the contact again."))


# Elements that run, load or embed; `set` and the animations can point a harmless link elsewhere later.
_ACTIVE = {"script", "foreignobject", "iframe", "embed", "object", "audio", "video", "handler", "listener"}
_ANIMATIONS = {"animate", "set", "animatetransform", "animatemotion"}


def _check_drawing(data: bytes) -> None:
    try:
        root = SafeXml.fromstring(data, forbid_dtd=True)
    except DefusedXmlException as problem:
        raise UnfitFile(
            _("The SVG declares a document type or entities. Save it as plain SVG and add that.")
        ) from problem
    except SafeXml.ParseError as problem:
        raise UnfitFile(_("The SVG cannot be read: %(why)s. Save it again.") % {"why": problem}) from problem
    if _local(root.tag) != "svg":
        raise UnfitFile(_("The file is called an SVG drawing, and is another kind of XML."))
    if b"<?xml-stylesheet" in data:
        raise UnfitFile(_("The SVG loads a style sheet from elsewhere. Save it as plain SVG and add that."))
    for what in _dangers(root):
        raise UnfitFile(_("The SVG holds %(what)s. Save it without, or attach it as PNG.") % {"what": what})


def _dangers(root: Any) -> Iterator[str]:
    for element in root.iter():
        tag = _local(element.tag)
        if tag in _ACTIVE:
            yield _("an element that can run or load something (%(tag)s)") % {"tag": tag}
        for name, value in element.attrib.items():
            yield from _danger_of(tag, _local(name), value)
        if tag == "style":
            yield from _danger_of_style(element.text or "")


def _danger_of(tag: str, name: str, value: str) -> Iterator[str]:
    plain = re.sub(r"\s", "", value).lower()
    if name.startswith("on"):
        yield _("a script (%(name)s)") % {"name": name}
    if name in ("href", "src") and not (
        plain.startswith("#") or re.match(r"data:image/(png|jpeg|gif|webp);base64,", plain)
    ):
        yield _("a link to elsewhere (%(value)s)") % {"value": value[:60]}
    if tag in _ANIMATIONS and name == "attributename" and (plain.endswith("href") or plain.startswith("on")):
        yield _("an animation of a link")
    if "javascript:" in plain:
        yield _("a script (%(name)s)") % {"name": name}
    yield from _danger_of_style(value)


def _danger_of_style(text: str) -> Iterator[str]:
    """What CSS may load: only parts of the drawing itself. An escape could hide anything, so it is one."""
    plain = re.sub(r"\s", "", _without_comments(text)).lower()
    outside = re.search(r"url\((?!['\"]?#)", plain)
    if outside or "@import" in plain or "expression(" in plain or re.search(r"\\[0-9a-f]", plain):
        yield _("a style that loads from elsewhere")


def _without_comments(text: str) -> str:
    kept, rest = "", text
    while "/*" in rest:
        before, _start, rest = rest.partition("/*")
        _comment, _end, rest = rest.partition("*/")
        kept += before
    return kept + rest


def _local(name: object) -> str:
    """Without its namespace; "" for comments and instructions."""
    return name.rpartition("}")[2].lower() if isinstance(name, str) else ""
