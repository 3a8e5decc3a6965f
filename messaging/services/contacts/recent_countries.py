"""The countries that matter to this console: those of the newest contacts."""

from collections import Counter

from messaging.models import Contact

RECENT, MOST = 500, 8


def recent_countries() -> list[str]:
    """The most first."""
    last = Contact.objects.order_by("-pk").values_list("country", flat=True)[:RECENT]
    return [country for country, _n in Counter(last).most_common(MOST) if country]
