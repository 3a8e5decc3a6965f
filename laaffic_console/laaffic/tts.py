"""Text to speech: what sendCode says of how a text is spoken, and the languages as data (laaffic-api#sendcode)."""

from dataclasses import dataclass
from typing import Any

from laaffic_console.laaffic.errors import InvalidRequest
from laaffic_console.laaffic.interfaces import check_range, check_words

MAX_TEXT = 1000  # Unicode code points
SLOWEST, FASTEST = 0.25, 4.0
MALE, FEMALE = 1, 2


@dataclass(frozen=True, slots=True)
class Language:
    """`accents` are calling codes, the default first; empty where the vendor does not name one."""

    code: str
    name: str
    accents: tuple[str, ...] = ()
    female_only: bool = False


def _(words: str) -> str:
    """Marks words for the console's catalogues, as in codes.py."""
    return words


# The vendor has two lists, and no page says which one an account has: Hindi is IN in the old and HI in the new, Arabic
# ARB and AR. So a code that is in neither is sent as it is given.
LANGUAGES = (
    Language("EN", _("English"), ("1", "91", "44", "61")),
    Language("ES", _("Spanish")),
    Language("PT", _("Portuguese")),
    Language("DE", _("German")),
    Language("IT", _("Italian")),
    Language("RU", _("Russian")),
    Language("NL", _("Dutch"), ("31", "32")),
    Language("DA", _("Danish"), ("45",)),
    Language("FI", _("Finnish"), ("358",)),
    Language("CS", _("Czech"), ("420",), female_only=True),
    Language("BG", _("Bulgarian"), ("359",), female_only=True),
    Language("CA", _("Catalan"), ("34",), female_only=True),
    Language("GL", _("Galician"), ("34",), female_only=True),
    Language("BAS", _("Basque"), ("34",), female_only=True),
    Language("AR", _("Arabic")),
    Language("ARB", _("Arabic (older code)")),
    Language("HI", _("Hindi"), ("91",)),
    Language("IN", _("Hindi (older code)")),
    Language("BN", _("Bengali"), ("91",)),
    Language("BD", _("Bengali (older code)")),
    Language("GU", _("Gujarati"), ("91",)),
    Language("KN", _("Kannada"), ("91",)),
    Language("ML", _("Malayalam"), ("91",)),
    Language("MR", _("Marathi"), ("91",)),
    Language("PA", _("Punjabi"), ("91",)),
    Language("TA", _("Tamil"), ("91",)),
    Language("VN", _("Vietnamese")),
    Language("IDN", _("Indonesian")),
    Language("TL", _("Filipino"), ("63",)),
    Language("TH", _("Thai")),
    Language("JP", _("Japanese")),
    Language("KR", _("Korean")),
)
BY_CODE = {language.code: language for language in LANGUAGES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """How one text is spoken and how its call behaves. Times are seconds but for `recall_interval`, in minutes.

    `accent` "" is the language's own; with `recall_count` above 0 only the last call's result is pushed.
    """

    text: str
    language: str = "EN"
    accent: str = ""
    gender: int | None = None  # MALE or FEMALE; None is the vendor's choice
    speaking_rate: float = 1.0
    loop_count: int = 1
    recall_count: int = 0
    recall_interval: int = 5
    max_duration: int | None = None
    max_ringing_time: int = 60
    delay_play: int | None = None
    delay_hangup: int | None = None

    def fields(self) -> dict[str, Any]:
        """The fields in the documented order. InvalidRequest names the parameter whose limit is broken."""
        check_words("text", self.text, MAX_TEXT)
        check_language("language", self.language)
        if self.accent and not (self.accent.isascii() and self.accent.isdecimal() and len(self.accent) <= 4):
            raise InvalidRequest("accent", f"{self.accent!r} is not a calling code such as 91")
        if self.gender not in (None, MALE, FEMALE):
            raise InvalidRequest("ssmlGender", f"{self.gender} is neither 1, male, nor 2, female")
        check_rate(self.speaking_rate)
        check_range("loopCount", self.loop_count, 1, 9)
        check_range("recallCount", self.recall_count, 0, 9)
        if self.recall_count:
            check_range("recallInterval", self.recall_interval, 1, 999)
        if self.max_duration is not None:
            check_range("maxDuration", self.max_duration, 1, 120)
        check_range("maxRingingTime", self.max_ringing_time, 20, 120)
        fields: dict[str, Any] = {
            "language": self.language,
            "accent": self.accent or default_accent(self.language),
        }
        if self.gender is not None:
            fields["ssmlGender"] = self.gender
        fields |= {
            "speakingRate": as_number(self.speaking_rate),
            "text": self.text,
            "loopCount": self.loop_count,
            "recallCount": self.recall_count,
            "recallInterval": self.recall_interval if self.recall_count else 0,
        }
        if self.max_duration is not None:
            fields["maxDuration"] = self.max_duration
        return fields | {"maxRingingTime": self.max_ringing_time} | delays(self.delay_play, self.delay_hangup)


def default_accent(code: str) -> str:
    """The accent is required on one page and optional on another: it is always sent (laaffic-api#sendcode)."""
    language = BY_CODE.get(code)
    return language.accents[0] if language and language.accents else ""


def check_language(field: str, code: str) -> None:
    if not (code.isascii() and code.isalpha() and 2 <= len(code) <= 5):
        raise InvalidRequest(field, f"{code!r} is not a language code such as EN")


def check_rate(rate: float) -> None:
    if not SLOWEST <= rate <= FASTEST:
        raise InvalidRequest("speakingRate", f"{rate:g} is not between {SLOWEST:g} and {FASTEST:g}")


def as_number(rate: float) -> float | int:
    """1, not 1.0, as the vendor's samples have it."""
    return int(rate) if rate == int(rate) else rate


def delays(before_play: int | None, before_hangup: int | None) -> dict[str, int]:
    fields = {}
    for name, seconds in (("delayPlay", before_play), ("delayHangup", before_hangup)):
        if seconds is not None:
            check_range(name, seconds, 0, 999)
            fields[name] = seconds
    return fields
