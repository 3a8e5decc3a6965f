"""How many the first few are, and how they are spread over countries: pure, for forms, services and tests."""

import math
import re
from collections.abc import Mapping

from django.utils.translation import gettext as _

from laaffic_console.kit.words.figures import number as grouped

LARGEST = 100_000  # messages, each kept by its id until the decision
_WRITTEN = re.compile(r"^\s*(?P<number>[0-9]{1,7})\s*(?P<share>%?)\s*$")


class InvalidSize(ValueError):
    """The sentence says what to write."""


def read(text: str) -> tuple[int, bool]:
    """(number, whether it is a share in percent) of “100” or “5%”."""
    found = _WRITTEN.match(text)
    if found is None:
        raise InvalidSize(
            _("“%(text)s” is not a size. Write how many, like 100, or a share, like 5%%.") % {"text": text}
        )
    number, is_share = int(found["number"]), bool(found["share"])
    if not number or (is_share and number > 99):
        raise InvalidSize(_("Write at least 1, and as a share at most 99%. Leave it empty to send to all at once."))
    if number > LARGEST:
        raise InvalidSize(_("At most %(n)s can go first. Write fewer, or a share.") % {"n": grouped(LARGEST)})
    return number, is_share


def size(text: str, recipients: int) -> int:
    """How many of so many recipients go first; it can be all of them."""
    number, is_share = read(text)
    wanted = math.ceil(recipients * number / 100) if is_share else number
    return min(wanted, recipients, LARGEST)


def spread(wanted: int, by_country: Mapping[str, int]) -> dict[str, int]:
    """{country: how many} in proportion, by the largest remainder; exactly `wanted`, or everybody."""
    total = sum(by_country.values())
    if wanted >= total:
        return dict(by_country)
    found = {country: wanted * n // total for country, n in by_country.items()}
    left = wanted - sum(found.values())
    # Of equal remainders the larger country's first, so that the same audience always gives the same.
    order = sorted(
        by_country, key=lambda country: (-(wanted * by_country[country] % total), -by_country[country], country)
    )
    for country in order[:left]:
        found[country] += 1
    return {country: n for country, n in found.items() if n}
