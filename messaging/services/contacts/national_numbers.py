"""Whether a file's numbers could be of one country, written without its code: read otherwise they are somebody else's.

13512345678 is a mobile number of China, and with 1 for a country code one of Massachusetts.
"""

import itertools
from collections.abc import Iterable, Mapping

from django.utils.translation import get_language

from messaging import msisdn
from messaging.files.unreadable import UnreadableFile
from messaging.files.workbook_limits import LOOK_SECONDS
from messaging.models import ContactImport
from messaging.msisdn import InvalidNumber, Msisdn
from messaging.services.contacts import reading
from messaging.services.contacts.recent_countries import recent_countries

LOOKED_AT, LEAST, SHARE = 100, 5, 0.8
OF_LANGUAGES = {"zh": "CN"}  # anyone who reads it has numbers of that country at hand


def country_meant(job: ContactImport, mapping: Mapping[str, str]) -> str:
    """The country that most of the first numbers can be of although nobody has chosen it; "" where there is none."""
    if job.region or "number" not in mapping.values():
        return ""
    place = next(index for index, header in enumerate(job.headers) if mapping.get(header) == "number")
    try:
        rows = list(itertools.islice(reading.file(job, LOOK_SECONDS), LOOKED_AT))
    except (UnreadableFile, FileNotFoundError):
        return ""
    written = [row.cells[place] for row in rows if len(row.cells) > place and row.cells[place].strip()]
    found = ((_read_otherwise(written, country), country) for country in _candidates())
    otherwise, country = max(found, default=(0, ""))
    return country if otherwise >= max(LEAST, SHARE * len(written)) else ""


def _candidates() -> Iterable[str]:
    """Countries to try: those of the newest contacts, then the one of the reader's language."""
    spoken = OF_LANGUAGES.get((get_language() or "").partition("-")[0])
    return dict.fromkeys([*recent_countries(), *([spoken] if spoken else [])])


def _read_otherwise(written: Iterable[str], country: str) -> int:
    """How many are valid as numbers of the country, and read as another number, or none, where nothing is chosen."""
    pairs = ((_parsed(text, country), _parsed(text)) for text in written)
    return sum(theirs is not None and theirs.country == country and theirs != plain for theirs, plain in pairs)


def _parsed(text: str, region: str | None = None) -> Msisdn | None:
    try:
        return msisdn.parse(text, region)
    except InvalidNumber:
        return None
