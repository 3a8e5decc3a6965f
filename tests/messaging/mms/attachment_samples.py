"""Small files of every kind that an MMS can carry, made here so that no binary lies about."""

import io
import wave

from PIL import Image

CARD = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ann Lee\r\nTEL:+919876543210\r\nEND:VCARD\r\n"
DRAWING = (
    b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 10 10">'
    b'<defs><linearGradient id="g"/></defs><style>.a { fill: url(#g) }</style>'
    b'<rect width="10" height="10" fill="url(#g)"/><use xlink:href="#g"/></svg>'
)


def picture(kind: str = "PNG", side: tuple[int, int] = (64, 48), colour: str = "teal") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", side, colour).save(out, kind)
    return out.getvalue()


def huge() -> bytes:
    """Twenty-five million pixels in a few KB."""
    out = io.BytesIO()
    Image.new("1", (5000, 5000)).save(out, "PNG", optimize=True)
    return out.getvalue()


def noise(size: int) -> bytes:
    """A PNG of exactly so many bytes: what follows the end of a picture is not a part of it."""
    made = picture()
    return made + bytes(size - len(made))


def photoshop() -> bytes:
    """The smallest PSD: a header, three empty sections, and one raw RGB pixel."""
    header = b"8BPS" + b"\0\1" + bytes(6) + b"\0\3" + b"\0\0\0\1" + b"\0\0\0\1" + b"\0\x08" + b"\0\3"
    return header + bytes(4) + bytes(4) + bytes(4) + b"\0\0" + b"\x10\x20\x30"


def tone() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(8000)
        sound.writeframes(bytes(8000))
    return out.getvalue()


def mpeg() -> bytes:
    """Twenty silent frames of MPEG-1 layer III, 64 kbit/s at 44.1 kHz."""
    frame = b"\xff\xfb\x50\xc4" + bytes(208 - 4)
    return frame * 20
