"""Countries as their reader calls them."""

from collections.abc import Collection, Iterable

import phonenumbers
from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from laaffic_console.kit.words.figures import locale_of
from laaffic_console.kit.words.plain_text import capitals

CODES = phonenumbers.SUPPORTED_REGIONS


def read(written: str) -> str:
    """The code of a country as somebody wrote it; ValidationError for what no number is in, such as UK.

    Numbers name their country by the same codes, so a rule or a price for any other would never apply.
    """
    code = capitals(written.strip())
    if code not in CODES:
        said = _("“%(said)s” is not a country. Give two letters, such as IN or GB.")
        raise ValidationError(said % {"said": written.strip()[:40]})
    return code


def name_of(code: str) -> str:
    """India (IN); a code that nobody knows is shown as it is."""
    called = locale_of(get_language() or "en").territories.get(code)
    return f"{called} ({code})" if called and len(code) == 2 else code


def row_of(code: str) -> str:
    """The name of a row that counts one country; some rows count what has no country."""
    return name_of(code) or _("no country")


def rows_of(codes: Iterable[str]) -> str:
    return ", ".join(map(row_of, codes))


def number_regions() -> list[tuple[str, str]]:
    """Which country the numbers without a country code may be of."""
    return [("", _("none: every number has one")), *choices(phonenumbers.SUPPORTED_REGIONS)]


def choices(among: Collection[str] | None = None) -> list[tuple[str, str]]:
    """(code, name) of each country, or of each among these codes, by name."""
    if among is not None:
        return sorted(((code, name_of(code)) for code in among), key=lambda entry: entry[1].casefold())
    found = locale_of(get_language() or "en").territories
    named = [(code, f"{called} ({code})") for code, called in found.items() if len(code) == 2 and code.isalpha()]
    return sorted(named, key=lambda entry: entry[1].casefold())
