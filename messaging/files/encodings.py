"""How a text file is encoded. Where its bytes mean different words in different code pages, a person has to say.

charset-normalizer names the code pages that the bytes fit. It ranks them by how much text it sees, and a list of names
is too little: so encodings that nobody writes names in are dropped here, and what is left is never guessed between.
"""

import codecs
import functools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from messaging.files.unreadable import UnreadableFile

_LATIN_WEST = "àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿßšžœ"
_LATIN_CENTRAL = "áâăäąčćçďđéęëěíîĺľłńňóôőöŕřšśşșťţțúůűüýžźżß"
_LATIN_TURKISH = "çğıiöşüâîûäßé\u0307"
_LATIN_BALTIC = "āčēģīķļņōŗšūžąęėįųõäöüß"

# Python's name → (ours, the languages, letters of those languages where the page is Latin)
PAGES = {
    "cp1252": ("windows-1252", gettext_lazy("Western Europe"), _LATIN_WEST),
    "cp1250": ("windows-1250", gettext_lazy("Central Europe"), _LATIN_CENTRAL),
    "cp1251": ("windows-1251", gettext_lazy("Cyrillic"), ""),
    "cp1253": ("windows-1253", gettext_lazy("Greek"), ""),
    "cp1254": ("windows-1254", gettext_lazy("Turkish"), _LATIN_TURKISH),
    "cp1255": ("windows-1255", gettext_lazy("Hebrew"), ""),
    "cp1256": ("windows-1256", gettext_lazy("Arabic"), ""),
    "cp1257": ("windows-1257", gettext_lazy("Baltic"), _LATIN_BALTIC),
    "cp1258": ("windows-1258", gettext_lazy("Vietnamese"), "âăđêôơưàáèéìíòóùúãõýỳ"),
    "cp874": ("cp874", gettext_lazy("Thai"), ""),
    "gb18030": ("gb18030", gettext_lazy("Chinese, simplified"), ""),
    "big5": ("big5", gettext_lazy("Chinese, traditional"), ""),
    "cp932": ("shift_jis", gettext_lazy("Japanese"), ""),
    "euc_jp": ("euc-jp", gettext_lazy("Japanese, Unix"), ""),
    "cp949": ("euc-kr", gettext_lazy("Korean"), ""),
    "mac_roman": ("mac-roman", gettext_lazy("Western Europe, Macintosh"), _LATIN_WEST),
    "mac_latin2": ("mac-latin2", gettext_lazy("Central Europe, Macintosh"), _LATIN_CENTRAL),
    "mac_cyrillic": ("mac-cyrillic", gettext_lazy("Cyrillic, Macintosh"), ""),
    "mac_turkish": ("mac-turkish", gettext_lazy("Turkish, Macintosh"), _LATIN_TURKISH),
    "mac_greek": ("mac-greek", gettext_lazy("Greek, Macintosh"), ""),
    "koi8_r": ("koi8-r", gettext_lazy("Russian, Unix"), ""),
    "koi8_u": ("koi8-u", gettext_lazy("Ukrainian, Unix"), ""),
    "iso8859_15": ("iso-8859-15", gettext_lazy("Western Europe, ISO"), _LATIN_WEST),
    "iso8859_2": ("iso-8859-2", gettext_lazy("Central Europe, ISO"), _LATIN_CENTRAL),
    "iso8859_5": ("iso-8859-5", gettext_lazy("Cyrillic, ISO"), ""),
    "iso8859_6": ("iso-8859-6", gettext_lazy("Arabic, ISO"), ""),
    "iso8859_7": ("iso-8859-7", gettext_lazy("Greek, ISO"), ""),
    "iso8859_8": ("iso-8859-8", gettext_lazy("Hebrew, ISO"), ""),
    "iso8859_9": ("iso-8859-9", gettext_lazy("Turkish, ISO"), _LATIN_TURKISH),
    "iso8859_13": ("iso-8859-13", gettext_lazy("Baltic, ISO"), _LATIN_BALTIC),
    "iso8859_16": ("iso-8859-16", gettext_lazy("Romanian, ISO"), "ăâîșțéöüáőűß"),
}
SAMPLE_LINES = 200
WORDS_SHOWN = 4
MOST_ODD = 0.15  # of the letters: people write about prices, too
CHUNK = 1 << 20

_control = re.compile("[\0-\x06\x0e-\x1a\x1c-\x1f]")
_ascii = bytes(range(128))
_between_cells = re.compile(r"[\n\r,;\t|\"]+")


@dataclass(frozen=True, slots=True)
class Reading:
    """An encoding that a file's bytes fit, and the first words that it alone, or it and others, make of them."""

    encoding: str
    languages: str
    words: list[str]


def readings(path: Path, head: bytes) -> list[Reading]:
    """One, or several whose words differ, the likelier first; UnreadableFile where there is none.

    Byte order marks, UTF-16 and UTF-32 by their zeros, and what is UTF-8 to its end leave no doubt.
    """
    if marked := _marked(head) or _by_zeros(head):
        return [Reading(_checked(path, marked), "", [])]
    if b"\x1b$" in head:
        return [Reading(_checked(path, "iso2022_jp"), "", [])]
    if decodes(path, "utf-8"):
        return [Reading("utf-8", "", [])]
    if found := [reading for reading in _code_pages(path) if decodes(path, reading.encoding, is_guess=True)]:
        return found
    raise UnreadableFile(
        _("The file's characters cannot be read. If it is a list of contacts, save it as “CSV UTF-8” and try again.")
    )


def chosen(path: Path, name: str) -> str:
    """An encoding that a person named, if the file can be read in it; UnreadableFile says why not."""
    try:
        codec = codecs.lookup(name.strip())
        is_text = bool(getattr(codec, "_is_text_encoding", True))
        b"a".decode(codec.name, errors="ignore")  # idna and the like are for names, not for files
    except (LookupError, ValueError):
        is_text = False
    if not is_text:
        said = _("There is no encoding “%(name)s”. Choose one such as utf-8, windows-1250 or shift_jis.")
        raise UnreadableFile(said % {"name": name})
    if not decodes(path, name, is_guess=True):
        said = _("The file cannot be read as %(name)s. Choose another encoding, or save the list as “CSV UTF-8”.")
        raise UnreadableFile(said % {"name": name})
    return "utf-8-sig" if codec.name == "utf-8" else codec.name if len(name) > 20 else name


def _marked(head: bytes) -> str:
    marks = {
        codecs.BOM_UTF8: "utf-8-sig",
        codecs.BOM_UTF32_LE: "utf-32",
        codecs.BOM_UTF32_BE: "utf-32",
        codecs.BOM_UTF16_LE: "utf-16",
        codecs.BOM_UTF16_BE: "utf-16",
    }
    return next((name for mark, name in marks.items() if head.startswith(mark)), "")


def _by_zeros(head: bytes) -> str:
    zeros = [head[at::4].count(0) / max(1, len(head[at::4])) for at in range(4)]
    if min(zeros[1:]) > 0.9 and zeros[0] < 0.1:
        return "utf-32-le"
    if min(zeros[:3]) > 0.9 and zeros[3] < 0.1:
        return "utf-32-be"
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) > len(head) // 8 and min(even, odd) < max(even, odd) // 8:
        return "utf-16-le" if odd > even else "utf-16-be"
    return ""


def _checked(path: Path, encoding: str) -> str:
    if decodes(path, encoding):
        return encoding
    said = _("The file is damaged: it is not %(encoding)s to its end. Save it as “CSV UTF-8” again.")
    raise UnreadableFile(said % {"encoding": encoding.upper()})


def decodes(path: Path, encoding: str, *, is_guess: bool = False) -> bool:
    """To the end, and as text: what holds control characters is something else, or read in the wrong encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while chunk := file.read(CHUNK):
                text = decoder.decode(chunk)
                if _control.search(text):
                    if is_guess:
                        return False
                    _refuse_control_characters(text)
            decoder.decode(b"", final=True)
        except UnicodeError:  # one of UTF-16 without its mark is not always told as a UnicodeDecodeError
            return False
    return True


def _refuse_control_characters(text: str) -> None:
    if found := _control.search(text):
        said = _(
            "The file holds a character that no text has (code %(code)d): it is damaged or no list of contacts. "
            "Export the list again as CSV or XLSX."
        )
        raise UnreadableFile(said % {"code": ord(found.group())})


def _code_pages(path: Path) -> list[Reading]:
    from charset_normalizer import from_bytes  # only files that are not UTF-8 need it

    sample = b"\n".join(_telling_lines(path))
    matches = from_bytes(
        sample, cp_isolation=list(PAGES), threshold=1.0, preemptive_behaviour=False, enable_fallback=False
    )
    fits = [(page, match.chaos) for match in matches for page in match.could_be_from_charset if page in PAGES]
    ranked = []
    for page, chaos in fits:
        text = _decoded(sample, page)
        odd = _oddness(text, PAGES[page][2]) if text and _is_common(sample, page) else 1.0
        if odd <= MOST_ODD:
            east_asian = 0.2 * (page in _COMMON)  # bytes that make everyday characters there are seldom chance
            ranked.append((round(odd + chaos - east_asian, 1), list(PAGES).index(page), page, text))
    by_words = {text: page for _odd, _index, page, text in sorted(ranked, reverse=True)}
    return [Reading(PAGES[page][0], str(PAGES[page][1]), _words(text)) for text, page in reversed(by_words.items())]


def _telling_lines(path: Path) -> Iterator[bytes]:
    """The first lines beyond ASCII, and each with a byte that none before had."""
    seen: set[int] = set()
    count = 0
    with path.open("rb") as file:
        for chunk in iter(functools.partial(file.readlines, CHUNK), []):
            if count >= SAMPLE_LINES and seen.issuperset(b"".join(chunk).translate(None, _ascii)):
                continue
            for line in chunk:
                beyond = line.translate(None, _ascii)
                if beyond and (count < SAMPLE_LINES or not seen.issuperset(beyond)):
                    seen.update(beyond)
                    count += 1
                    yield line[:2000].rstrip(b"\r\n") if len(line) < 2000 else _beyond_ascii(line)


def _beyond_ascii(line: bytes) -> bytes:
    """The words of a very long line that have bytes beyond ASCII, which show the encoding; 200 at most."""
    return b" ".join(re.findall(rb"[A-Za-z\x80-\xff' -]*[\x80-\xff]+[A-Za-z\x80-\xff' -]*", line)[:200])


def _decoded(sample: bytes, page: str) -> str:
    try:
        return sample.decode(page)
    except UnicodeDecodeError:
        return ""


def _words(text: str) -> list[str]:
    cells = (cell.strip() for cell in _between_cells.split(text))
    return list(dict.fromkeys(cell[:40] for cell in cells if not cell.isascii()))[:WORDS_SHOWN]


def _oddness(text: str, letters: str) -> float:
    """How unlike names this is, 1 for what can be none: unassigned characters, symbols in words, mixed ALPHABETS,
    cAPITALS inside, letters of other languages than those of the code page."""
    if any(_kind(character) == "impossible" for character in text):
        return 1.0
    beyond = [at for at, character in enumerate(text) if not character.isascii()]
    wrong = sum(_is_wrong(text[at - 1 : at], text[at], text[at + 1 : at + 2]) for at in beyond)
    latin = [text[at].lower() for at in beyond if letters and _kind(text[at]) == "LATIN"]
    foreign = sum(letter not in letters for letter in latin)
    return wrong / max(1, len(beyond)) + foreign / max(1, len(latin))


def _is_wrong(before: str, character: str, after: str) -> bool:
    kind = _kind(character)
    if kind == "symbol":
        return before.isalpha() or after.isalpha()
    if kind == "mark":
        return (
            before.isalpha() and after.isalpha() and not (character in "’‘ʼ‐‑–" or (character == "·" and _joins(after)))
        )
    if kind == "combining":
        name = unicodedata.name(character, "").split()[0]
        return name not in (
            "COMBINING",
            "ZERO",
            "RIGHT-TO-LEFT",
            "LEFT-TO-RIGHT",
            _kind(before or " "),
            _script_of_mark(before),
        )
    return _clash(before, character) or _clash(character, after)


@functools.lru_cache(maxsize=50_000)
def _kind(character: str) -> str:
    """Its alphabet, or what else it is."""
    category = unicodedata.category(character)
    if category in ("Cn", "Co", "Cs") or (category == "Cc" and character not in "\t\r\n\v\f"):
        return "impossible"
    if category[0] == "M" or character in "\u200c\u200d\u200e\u200f":
        return "combining"
    if category[0] in "ZP":
        return "mark"
    if category[0] != "L" or unicodedata.decomposition(character).startswith(("<compat>", "<super>")):
        return "symbol"
    return _alphabet(unicodedata.name(character, "").split()[0])


def _joins(letter: str) -> bool:
    """A middle dot occurs in foreign names in Chinese, and between two l of Catalan."""
    return letter in "lL" or _kind(letter) == "CJK"


def _script_of_mark(mark: str) -> str:
    """One mark can be on another."""
    return unicodedata.name(mark, " ").split(" ")[0] if mark and _kind(mark) == "combining" else ""


def _alphabet(word: str) -> str:
    return "CJK" if word in ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA") else word


@functools.lru_cache(maxsize=100_000)
def _clash(before: str, character: str) -> bool:
    """Two neighbours that are in no word: of two alphabets, or a capital behind a small letter."""
    if not (before.isalpha() and character.isalpha()):
        return False
    return _kind(before) != _kind(character) or (before.islower() and character.isupper())


# Where each East Asian page keeps the characters of everyday use: ranges of the first of two bytes.
_COMMON = {
    "gb18030": ((0xA1, 0xA3), (0xB0, 0xD7)),
    "big5": ((0xA1, 0xA3), (0xA4, 0xC6)),
    "cp932": ((0x81, 0x83), (0x88, 0x97)),
    "euc_jp": ((0xA1, 0xA5), (0xB0, 0xCF)),
    "cp949": ((0xA1, 0xA3), (0xB0, 0xC8)),
}


def _is_common(sample: bytes, page: str) -> bool:
    """Nearly any two bytes are a character there; a list of names holds few that nobody knows."""
    if page not in _COMMON:
        return True
    text = sample.decode(page)
    if page == "euc_jp" and not any(unicodedata.name(c, "").startswith(("HIRAGANA", "KATAKANA")) for c in text):
        return False  # nearly all Chinese and Korean would fit
    characters = [character.encode(page) for character in text if not character.isascii()]
    ranges = _COMMON[page]
    common = sum(len(c) == 2 and any(low <= c[0] <= high for low, high in ranges) for c in characters)
    halfwidth = sum(len(c) == 1 for c in characters)
    return common + halfwidth >= 0.7 * len(characters)
