"""Whether a reply says one of the words that the settings list by language, STOP, START or yes, and nothing else.

How often it says it, its punctuation, emoji, invisible characters and the spelling variants of a script do not matter,
and neither does a signature that the phone or the person puts below.
"""

import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

MAX_LENGTH = 60  # characters as folded; who writes more than that says something
MAX_READ = 2000  # characters of a reply that are looked at
LONGEST_PHRASE = 4  # words of one entry of the settings


class ReplyWord(NamedTuple):
    word: str  # as the settings have it
    language: str


def reply_word_in(content: str, words: Mapping[str, Sequence[str]]) -> ReplyWord | None:
    """“Stop.”, “STOP STOP STOP”, “ｓｔｏｐ ✖️” and “Stop”, signed below, are STOP; “don't stop” is not."""
    said = fold(_without_signature(content[:MAX_READ]))
    if not said or len(said) > MAX_LENGTH:
        return None
    return _only_words_of(_by_folded(words), _together(said.split()))


def _by_folded(words: Mapping[str, Sequence[str]]) -> dict[str, ReplyWord]:
    """The first language that lists a word has it."""
    entries = [ReplyWord(word, language) for language, listed in words.items() for word in listed]
    return {fold(entry.word): entry for entry in reversed(entries)}


def _only_words_of(known: Mapping[str, ReplyWord], said: Sequence[str]) -> ReplyWord | None:
    """The first of them, if nothing else was said."""
    first, position = None, 0
    while position < len(said):
        for length in range(LONGEST_PHRASE, 0, -1):
            found = _entry(known, said[position : position + length])
            if found is not None and position + length <= len(said):
                first, position = first or found, position + length
                break
        else:
            return None
    return first


def _entry(known: Mapping[str, ReplyWord], phrase: Sequence[str]) -> ReplyWord | None:
    """An entry that is these words, or one word again and again without spaces (退订退订), or drawn out (stooop)."""
    written = " ".join(phrase)
    if written in known:
        return known[written]
    if len(phrase) != 1:
        return None
    once = _repeated.sub(r"\1", written)
    return known.get(once) or known.get(_drawn_out.sub(r"\1", written))


_repeated = re.compile(r"^(.{2,}?)\1+$")
_drawn_out = re.compile(r"(.)\1{2,}")


def _together(said: list[str]) -> list[str]:
    """“S T O P” is one word."""
    return ["".join(said)] if len(said) > 1 and all(len(part) == 1 and part.isascii() for part in said) else said


# --- the letters ---------------------------------------------------------------------------------------------------

# Scripts that can be read without their marks: accents, ё, Arabic harakat and hamza, niqqud. In others they are vowels.
_MARKS_ARE_OPTIONAL = ("LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW")
_ALWAYS_OPTIONAL = frozenset("\u093c\u09bc\u0a3c\u0abc\u0b3c\u0cbc")  # nukta: a dot that many do not type
_SAME_LETTER = str.maketrans(
    {
        **dict(zip("ıłđøħŧ", "ildoht", strict=True)),
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "ð": "d",
        **dict.fromkeys("ٱٲٳ", "ا"),  # the hamza and madda of the other forms of alef are marks by now
        **dict.fromkeys("ىیېےۍ", "ي"),
        **dict.fromkeys("ةھہەۀۃ", "ه"),
        "ک": "ك",
        "ڪ": "ك",
        "ۆ": "و",
        "ۋ": "و",
        "ء": None,
        "ـ": None,  # hamza alone, tatweel
        **dict(zip("ךםןףץ", "כמנפצ", strict=True)),
        "ґ": "г",
    }
)


@functools.lru_cache(maxsize=2048)
def fold(text: str) -> str:
    """Letters and digits in one case and one spelling, with single spaces between."""
    # Case is folded between two decompositions: İ becomes i with a dot only by its case.
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return " ".join("".join(_letters(decomposed)).translate(_SAME_LETTER).split())


def _letters(text: str) -> Iterable[str]:
    optional = True
    for character in text:
        category = unicodedata.category(character)
        if category in ("Cf", "Me") or _is_selector(character):
            continue  # zero width, bidirectional, keycap, variation selector: not seen, or no letter
        if category in ("Mn", "Mc"):
            if not optional and character not in _ALWAYS_OPTIONAL:
                yield character
            continue
        optional = _can_be_read_without_marks(character)
        yield _as_ascii_digit(character) if character.isalnum() else " "


def _is_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef" or character == "\u034f"


def _can_be_read_without_marks(character: str) -> bool:
    return not character.isalpha() or unicodedata.name(character, "").startswith(_MARKS_ARE_OPTIONAL)


def _as_ascii_digit(character: str) -> str:
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


# --- what is below ---------------------------------------------------------------------------------------------

# “Sent from my iPhone” as phones and mail programs say it. Folded like the text; looked for at a word's beginning.
_SENT = tuple(
    fold(phrase)
    for phrase in (
        *("sent from my", "sent from", "sent via", "sent with", "sent using", "get outlook for", "from my iphone"),
        *("von meinem", "gesendet von", "gesendet mit", "gesendet über", "diese nachricht wurde von"),
        *("envoyé de mon", "envoyé depuis", "envoyé à partir de", "envoyé via", "télécharger outlook"),
        *(
            "enviado desde",
            "enviado do",
            "enviado de",
            "enviado a partir",
            "enviado via",
            "enviado pelo",
            "obtener outlook",
        ),
        *("inviato da", "inviato dal", "verzonden vanaf", "verstuurd vanaf", "skickat från", "sendt fra", "lähetetty"),
        *("wysłane z", "wysłano z", "odesláno z", "odoslané z", "trimis de pe", "küldve", "poslano s"),
        *("отправлено с", "отправлено из", "надіслано з", "στάλθηκε από", "εστάλη από"),
        *("iphone'umdan gönderildi", "ipad'imden gönderildi", "android'den gönderildi", "gönderildi"),
        *("أرسلت من", "أُرسل من", "مرسل من", "تم الإرسال من", "ارسال شده از", "فرستاده شده از", "נשלח מה"),
        *(
            "发自我的",
            "發自我的",
            "从我的",
            "從我的",
            "來自我的",
            "iphoneから送信",
            "ipadから送信",
            "나의 iphone에서",
            "내 iphone에서",
        ),
        *("dikirim dari", "dihantar dari", "được gửi từ", "đã gửi từ", "gửi từ", "ส่งจาก", "मेरे iphone", "आइफ़ोन से"),
    )
)
_CLOSINGS = frozenset(
    fold(word)
    for word in (
        *("thanks", "thank you", "thx", "regards", "best", "best regards", "kind regards", "cheers", "sincerely", "br"),
        *("danke", "gruß", "grüße", "viele grüße", "liebe grüße", "mit freundlichen grüßen", "mfg", "lg", "vg"),
        *("merci", "cordialement", "bien cordialement", "gracias", "saludos", "un saludo", "obrigado", "obrigada"),
        *(
            "grazie",
            "saluti",
            "cordiali saluti",
            "bedankt",
            "groeten",
            "спасибо",
            "с уважением",
            "дякую",
            "teşekkürler",
        ),
        *("شكرا", "مع تحياتي", "谢谢", "謝謝", "धन्यवाद", "ধন্যবাদ", "terima kasih", "cảm ơn", "ขอบคุณ", "תודה"),
    )
)
_rule = re.compile(r"^\s*(?:--|__|==|\*\*|~~|—|––|_)[\s\-_=*~—–]*$")  # “-- ”, as mail has it, and its relatives
_quoted = re.compile(r"^\s*(?:>|\|)")
_name = re.compile(r"^[^\W\d_][\w.'’-]*$")
_signed = re.compile(r"^\s*(?:[-~*/]|[–—]){1,3}\s*(?=\w)")  # as in “- Max”
FULL_NAME, SIGNED_NAME = range(2, 5), range(1, 5)  # words


def _without_signature(content: str) -> str:
    """What the person wrote: the lines before a signature, or before what is quoted from the text that is answered.

    A second line that is none of these goes on with the sentence: “Stop”, “by the shop tomorrow” is not a STOP.
    """
    lines = content.strip().splitlines()
    said: list[str] = []
    for position, line in enumerate(lines):
        if position and _begins_signature(line):
            break
        said.append(line)
    return _before_sent_from("\n".join(said))


def _begins_signature(line: str) -> bool:
    plain = fold(line)
    closing = plain in _CLOSINGS or fold(line.split(",")[0]) in _CLOSINGS
    return bool(_rule.match(line) or _quoted.match(line) or closing or plain.startswith(_SENT) or _is_name(line))


def _is_name(line: str) -> bool:
    """“Max Mustermann” or “- Max”: words that all begin with a capital. One alone may go on with the sentence."""
    signed = _signed.match(line)
    words = (line[signed.end() :] if signed else line).split()
    return len(words) in (SIGNED_NAME if signed else FULL_NAME) and all(
        _name.match(word) and word[0].isupper() for word in words
    )


def _before_sent_from(said: str) -> str:
    """The text before a signature that a gateway has put on the same line: “STOP - Sent from my iPhone”."""
    plain = fold(said)
    for phrase in _SENT:
        at = plain.find(f" {phrase}")
        if at > 0:
            return plain[:at]
    return said
