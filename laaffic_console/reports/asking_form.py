"""What the page of reports offers to choose from."""

from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from laaffic_console.gateway.models import Application, Channel
from laaffic_console.kit.words import countries
from laaffic_console.reports import report_keys, reporting
from laaffic_console.reports.asking import FILTERS, MOST_BY, NONE, PERIODS, Asked
from laaffic_console.reports.reporting import COLUMNS, DIMENSIONS
from laaffic_console.reports.tables import NONE_OF

OFFERED = 200


def context(asked: Asked) -> dict[str, Any]:
    """Lists of (value, words, whether it is chosen)."""
    by = [*asked.by, *[""] * MOST_BY][: max(MOST_BY, len(asked.by))]
    named = [(name, str(label)) for name, label in DIMENSIONS.items()]
    return {
        "periods": [(word, label, word == asked.period) for word, label in PERIODS.items()],
        "groupings": [[(name, label, name == chosen) for name, label in [("", "–"), *named]] for chosen in by],
        "offered_columns": [(name, column.label, name in asked.columns) for name, column in COLUMNS.items()],
        "filters": [_filter(name, asked.only.get(name, ())) for name in FILTERS],
        "is_limited": bool(asked.only),
    }


def _filter(name: str, chosen: tuple[str, ...]) -> dict[str, Any]:
    offered = dict(_choices(name))
    offered |= {key: key for key in chosen if key and key not in offered}
    named = [(NONE, NONE_OF.get(name, _("(none)"))), *offered.items()]
    return {
        "name": name,
        "label": DIMENSIONS[name],
        "is_many": len(chosen) > 1,
        "options": [(key, label, ("" if key == NONE else key) in chosen) for key, label in named],
        "is_any": not chosen,
    }


def _choices(name: str) -> list[tuple[str, str]]:
    if name == "channel":
        return [(channel.value, str(channel.label)) for channel in map(Channel, report_keys.CHANNELS)]
    if name == "application":
        columns = Application.objects.order_by("name", "app_id").values_list("app_id", "name")
        return [(app_id, called or app_id) for app_id, called in columns[:OFFERED]]
    if name == "country":
        return countries.choices(countries.CODES)
    if name == "person":
        people = User.objects.filter(is_staff=True).order_by("username").values_list("username", flat=True)
        return [(who, who) for who in people[:OFFERED]]
    return reporting.choices(name, OFFERED)
