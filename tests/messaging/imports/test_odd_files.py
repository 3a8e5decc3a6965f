"""Files and names as phones and people make them: HEIC, lying pictures, MP3 of varying bit rate, marks nobody sees."""

import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from PIL import ExifTags, Image

from laaffic_console.kit.words.plain_text import without_marks
from messaging.files import contact_headers, contact_rows
from messaging.media import attachment_content, mp3_length
from messaging.media.attachment_content import UnfitFile, inspect
from messaging.models import Campaign, Contact, ContactGroup
from voice.services.audio import content as audio_content
from voice.services.audio import uploads


def boxed(brand: bytes, *others: bytes, size: int = 4000) -> bytes:
    brands = brand + b"\0\0\0\0" + b"".join(others)
    return (8 + len(brands)).to_bytes(4, "big") + b"ftyp" + brands + b"\0" * size


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (boxed(b"heic", b"mif1", b"heic"), "HEIC picture"),
        (boxed(b"mif1", b"miaf", b"heic"), "HEIC picture"),
        (boxed(b"heix", size=3_000_000), "HEIC picture"),
        (boxed(b"avif", b"mif1"), "AVIF picture"),
        (boxed(b"qt  "), "film"),
        (boxed(b"isom", b"mp42"), "film"),
    ],
)
@pytest.mark.parametrize("name", ["IMG_1.HEIC", "IMG_1.jpg"])
def test_what_phones_make_is_named_with_what_to_do(data: bytes, said: str, name: str) -> None:
    with pytest.raises(UnfitFile, match=said) as caught:
        inspect(data, name)

    assert "and add that" in str(caught.value)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_lying_picture_has_the_size_that_is_seen(orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    out = io.BytesIO()
    Image.new("RGB", (40, 20), "red").save(out, "JPEG", exif=exif)

    found = inspect(out.getvalue(), "a.jpg")

    assert (found.width, found.height) == ((20, 40) if orientation >= 5 else (40, 20))
    with Image.open(io.BytesIO(found.thumbnail)) as small:
        assert small.size == (found.width, found.height)


def frame(kbits_at: int) -> bytes:
    """MPEG 1 layer III of 44.1 kHz."""
    size = 144 * mp3_length.KBITS[True][kbits_at] * 1000 // 44100
    return bytes([0xFF, 0xFB, kbits_at << 4, 0x00]).ljust(size, b"\0")


VARYING = [frame(9)] * 5 + [frame(1)] * 300 + [frame(5)] * 40
LASTS = len(VARYING) * 1152 / 44100


def with_header(count: int) -> bytes:
    """A first frame that says how many follow."""
    head = bytearray(frame(9))
    head[36:48] = b"Xing" + (1).to_bytes(4, "big") + count.to_bytes(4, "big")
    return bytes(head)


@pytest.mark.parametrize(
    "start", [b"", b"ID3\x04\0\0\0\0\x01\0" + b"\0" * 128, with_header(len(VARYING)), with_header(10 * len(VARYING))]
)
def test_an_mp3_of_varying_bit_rate_lasts_as_long_as_it_plays(start: bytes) -> None:
    data = start + b"".join(VARYING)

    assert inspect(data, "a.mp3").seconds == pytest.approx(LASTS, abs=0.1)
    assert audio_content.inspect(data).seconds == pytest.approx(LASTS, abs=0.1)


def test_what_stands_behind_the_sound_does_not_count() -> None:
    data = b"".join(VARYING) + b"TAG" + b"x" * 125

    assert attachment_content.inspect(data, "a.mp3").seconds == pytest.approx(LASTS, abs=0.1)


MARKED = "\u202egpj\u202c.\u200bAnn\ufeff\u2066 Lee\u2069"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (MARKED, "gpj.Ann Lee"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष", "क्\u200dष"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("An\u200dn\u200c", "Ann"),
        ("Ünï", "Ünï"),
    ],
)
def test_marks_that_nobody_sees_go_and_joiners_stay_where_they_join(text: str, kept: str) -> None:
    assert without_marks(text) == kept


@pytest.mark.django_db
class NameTests:
    def test_of_a_contact_and_a_group_and_a_campaign(self, admin_client: Client, application: Any) -> None:
        contact = {"number": "+919876543210", "name": MARKED, "email": "", "language": "", "attributes": ""}
        admin_client.post(reverse("admin:messaging_contact_add"), contact)
        admin_client.post(reverse("admin:messaging_contactgroup_add"), {"name": MARKED, "description": ""})
        draft = {"name": MARKED, "application": application.pk, "text": "Hello"}
        admin_client.post(reverse("admin:messaging_campaign_add"), draft)

        assert Contact.objects.get().name == "gpj.Ann Lee"
        assert ContactGroup.objects.get().name == "gpj.Ann Lee"
        assert Campaign.objects.get().name == "gpj.Ann Lee"

    def test_of_an_imported_contact(self) -> None:
        headers = ["phone", "name"]
        cleaner = contact_rows.RowCleaner(headers, contact_headers.guess_mapping(headers), "", contact_rows.NO_OPTIONS)

        assert cleaner.clean(["919876543210", MARKED]).name == "gpj.Ann Lee"

    def test_of_a_file(self) -> None:
        assert uploads.suggested_name("C:\\music\\\u202egpj.mp3") == "gpj.mp3"
