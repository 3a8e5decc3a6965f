"""A file is what its content says, whatever it is called."""

import contextlib
import io

import pytest
from PIL import Image

from messaging.media import attachment_content
from messaging.media.attachment_content import FILE_TYPES, MAX_BYTES, UnfitFile, inspect, is_doubtful
from tests.messaging.mms import attachment_samples as samples

FIT = {
    "png": samples.picture("PNG"),
    "jpg": samples.picture("JPEG"),
    "jpeg": samples.picture("JPEG"),
    "bmp": samples.picture("BMP"),
    "gif": samples.picture("GIF"),
    "webp": samples.picture("WEBP"),
    "psd": samples.photoshop(),
    "svg": samples.DRAWING,
    "tiff": samples.picture("TIFF"),
    "mp3": samples.mpeg(),
    "wav": samples.tone(),
    "txt": "Grüße, 你好\n".encode(),
    "vcf": samples.CARD,
}


class FitTests:
    def test_all_thirteen_types_are_here(self) -> None:
        assert set(FIT) == set(FILE_TYPES)

    @pytest.mark.parametrize("file_type", FIT)
    def test_each_is_known_by_its_content(self, file_type: str) -> None:
        found = inspect(FIT[file_type], f"holiday.{file_type}")

        assert (found.file_type, found.note) == (file_type, "")

    def test_a_picture_has_its_size_and_a_thumbnail_made_anew(self) -> None:
        found = inspect(samples.picture("JPEG", (640, 400)), "a.jpg")

        assert (found.width, found.height) == (640, 400)
        assert Image.open(io.BytesIO(found.thumbnail)).size == (320, 200)

    def test_audio_has_its_length(self) -> None:
        assert inspect(samples.tone(), "a.wav").seconds == pytest.approx(1.0)
        assert inspect(samples.mpeg(), "a.mp3").seconds == pytest.approx(0.52, abs=0.05)

    def test_another_name_is_told_and_the_content_counts(self) -> None:
        found = inspect(samples.picture("JPEG"), "a.png")

        assert found.file_type == "jpg"
        assert "JPEG picture although its name ends in “.png”" in found.note

    def test_50_kb_are_taken_and_the_doubt_begins_at_three_quarters(self) -> None:
        assert inspect(samples.noise(MAX_BYTES), "a.png").file_type == "png"
        assert [is_doubtful(size) for size in (38_400, 38_401, MAX_BYTES)] == [False, True, True]

    def test_one_byte_too_many_is_not_told_as_what_is_allowed(self) -> None:
        with pytest.raises(UnfitFile, match=r"The file has 50\.1 KB; an attachment has at most 50 KB"):
            inspect(samples.noise(MAX_BYTES + 1), "a.png")


def drawing(inside: str, attributes: str = "") -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}>{inside}</svg>'.encode()


UNFIT = {
    "51 KB": ("a.png", samples.noise(51 * 1024), "at most 50 KB"),
    "empty": ("a.png", b"", "empty"),
    "a program called a picture": ("a.png", b"MZ\x90\0" + bytes(400), "Windows program"),
    "a program called a text": ("a.txt", b"\x7fELF" + bytes(400), "a program"),
    "a script called a text": ("a.txt", b"#!/bin/sh\nrm -rf /\n", "a script"),
    "a page called a picture": ("a.png", b"<html><script>alert(1)</script></html>", "a text"),
    "a page": ("a.html", b"<html></html>", "Call it .txt"),
    "a PDF": ("a.pdf", b"%PDF-1.7\n", "PDF document"),
    "a picture cut short": ("a.png", samples.picture("PNG", (300, 300))[:-60], "damaged"),
    "a picture of too many pixels": ("a.png", samples.huge(), "too many"),
    "an icon": ("a.ico", b"\0\0\1\0" + bytes(60), "none of the types"),
    "audio that is none": ("a.mp3", b"ID3\x04\0\0\0\0\0\0" + bytes(400), "damaged"),
    "noise called a text": ("a.txt", bytes(range(256)), "none of the types"),
    "Latin-1": ("a.txt", "Grüße".encode("latin-1"), "UTF-8"),
    "blanks": ("a.txt", b"  \n ", "none of the types"),
    "a text called a card": ("a.vcf", b"Ann Lee", "BEGIN:VCARD"),
    "half a card": ("a.vcf", samples.CARD[:-12], "cut short"),
    "a card of nobody": ("a.vcf", b"BEGIN:VCARD\nVERSION:3.0\nEND:VCARD", "no name"),
    "a text called a drawing": ("a.svg", b"hello", "cannot be read"),
    "other XML called a drawing": ("a.svg", b"<html/>", "another kind of XML"),
    "SVG with a script": ("a.svg", drawing("<script>alert(1)</script>"), "can run or load"),
    "SVG with a script, called a text": ("a.txt", drawing("<script>alert(1)</script>"), "can run or load"),
    "SVG with a handler": ("a.svg", drawing("", 'onload="alert(1)"'), "onload"),
    "SVG with a handler in capitals": ("a.svg", drawing("", 'ONLOAD="alert(1)"'), "onload"),
    "SVG with a page in it": ("a.svg", drawing("<foreignObject><p>x</p></foreignObject>"), "foreignobject"),
    "SVG with a link": ("a.svg", drawing('<a href="java&#10;script:alert(1)"/>'), "a link to elsewhere"),
    "SVG with a picture from elsewhere": ("a.svg", drawing('<image href="//evil.example/a.png"/>'), "evil.example"),
    "SVG in SVG": ("a.svg", drawing('<image href="data:image/svg+xml;base64,AAAA"/>'), "a link to elsewhere"),
    "SVG with a style from elsewhere": ("a.svg", drawing("<style>@im/**/port 'x'</style>"), "loads from elsewhere"),
    "SVG with a fill from elsewhere": ("a.svg", drawing('<rect fill="url(http://x/#a)"/>'), "loads from elsewhere"),
    "SVG that hides a load": ("a.svg", drawing("<style>a{fill:\\75rl(x)}</style>"), "loads from elsewhere"),
    "SVG that animates a link": ("a.svg", drawing('<set attributeName="href" to="#a"/>'), "animation of a link"),
    "SVG with entities": ("a.svg", b'<!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>', "entities"),
    "SVG with a style sheet": ("a.svg", b'<?xml-stylesheet href="x"?><svg/>', "style sheet"),
}


class UnfitTests:
    @pytest.mark.parametrize("what", UNFIT)
    def test_it_is_refused_in_words(self, what: str) -> None:
        name, data, said = UNFIT[what]

        with pytest.raises(UnfitFile, match=said):
            inspect(data, name)

    def test_whatever_its_reader_makes_of_broken_audio(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def nested_too_deeply(stream: object) -> None:
            raise RecursionError

        monkeypatch.setattr(attachment_content, "MP3", nested_too_deeply)

        with pytest.raises(UnfitFile, match="damaged"):
            inspect(samples.mpeg(), "a.mp3")

    @pytest.mark.timeout(30)
    @pytest.mark.parametrize(
        "unit", [b"<!---->", b"/*", b"BEGIN:VCARD\n", b"<svg>", b"\xff\xfb\x50", b"ID3", b"BM", b"8BPS"]
    )
    def test_repetition_costs_no_time(self, unit: bytes) -> None:
        for name in ("a.svg", "a.txt", "a.png"):
            with contextlib.suppress(UnfitFile):
                inspect((unit * MAX_BYTES)[:MAX_BYTES], name)
