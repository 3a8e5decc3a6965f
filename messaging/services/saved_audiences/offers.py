"""What a row of an audience may be compared with: what there is in this console, as (value, what people call it)."""

from collections import Counter
from collections.abc import Callable, Iterable

from django.db.models import QuerySet

from laaffic_console.kit.masking import masks
from laaffic_console.kit.words import countries
from laaffic_console.kit.words.plain_text import whole_number
from messaging.models import Campaign, Contact, ContactGroup
from messaging.services.saved_audiences import audiences

Offer = tuple[str, str]
MOST = 20
MOST_DISTINCT = 300


def of_countries(_asked: str = "", _name: str = "") -> list[Offer]:
    return sorted(((code, countries.name_of(code)) for code in _distinct("country")), key=lambda one: one[1].casefold())


def of_languages(_asked: str = "", _name: str = "") -> list[Offer]:
    """The frequent languages of the newest contacts, because no index has all languages."""
    newest = Contact.objects.order_by("-pk").values_list("language", flat=True)[:5000]
    return _frequent(language.lower() for language in newest)


def of_attributes(_asked: str = "", _name: str = "") -> list[Offer]:
    return _frequent(name for attributes in audiences.recent_attributes() for name in attributes)


def of_values(_asked: str, name: str) -> list[Offer]:
    """Whole numbers and addresses are not offered to people who see them masked: a masked one compares with nothing."""
    values = _frequent(str(attributes.get(name, "")) for attributes in audiences.recent_attributes())
    return [(value, label) for value, label in values if masks.in_text(value) == value]


def of_groups(asked: str, _name: str = "") -> list[Offer]:
    found = ContactGroup.objects.filter(is_ad_hoc=False, name__icontains=asked).order_by("name")
    return [(name, name) for name in found.values_list("name", flat=True)[:MOST]]


def of_campaigns(asked: str, _name: str = "") -> list[Offer]:
    """Campaigns found by name or number, the newest first."""
    found: QuerySet[Campaign] = Campaign.objects.filter(name__icontains=asked)
    if (pk := whole_number(asked)) is not None:
        found |= Campaign.objects.filter(pk=pk)
    return [(str(one), f"{name} ({one})") for one, name in found.order_by("-pk").values_list("pk", "name")[:MOST]]


def called(numbers: Iterable[str]) -> dict[str, str]:
    """Campaigns by their numbers, as `of_campaigns` calls them."""
    ids = [pk for number in numbers if (pk := whole_number(number)) is not None]
    return {str(pk): f"{name} ({pk})" for pk, name in Campaign.objects.filter(pk__in=ids).values_list("pk", "name")}


OFFERS: dict[str, Callable[[str, str], list[Offer]]] = {
    "country": of_countries,
    "language": of_languages,
    "attribute": of_attributes,
    "value": of_values,
    "group": of_groups,
    "campaign": of_campaigns,
}


def _distinct(column: str) -> list[str]:
    """The distinct values of a column, each found by one search in its index, however many contacts have it."""
    found: list[str] = []
    last = ""
    while len(found) < MOST_DISTINCT:
        after = Contact.objects.filter(**{f"{column}__gt": last}).order_by(column).values_list(column, flat=True)
        following = after.first()
        if following is None:
            break
        found.append(last := following)
    return found


def _frequent(texts: Iterable[str]) -> list[Offer]:
    counted = Counter(text for text in texts if text)
    return [(text, text) for text, _n in counted.most_common(MOST)]
