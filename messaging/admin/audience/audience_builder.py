"""The page on which an audience is clicked together, and what it asks while somebody writes.

The form sends text, however it was written: rows are made text, and text rows, by `convert_view`.
"""

import dataclasses
import json
from typing import Any

from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget

from laaffic_console.kit.masking.masks import masked
from laaffic_console.kit.pages import may_see_contacts
from laaffic_console.kit.words import countries
from messaging.conditions import condition_texts
from messaging.conditions.condition_rows import CAMPAIGN, COMPARES, GROUP, MOST, Row, Rows, joined, rows_of
from messaging.conditions.conditions import Condition, ConditionError
from messaging.models import Contact
from messaging.services.saved_audiences import audiences
from messaging.services.saved_audiences import looks as audience_looks
from messaging.services.saved_audiences import offers as audience_offers
from messaging.services.saved_audiences.looks import Look

SALT = "what a look at an audience has found"
MOST_COUNTRIES = 8
WORDS: dict[str, Any] = {
    "country": gettext_lazy("Country"),
    "language": gettext_lazy("Language"),
    "attribute": gettext_lazy("Attribute"),
    "group": gettext_lazy("Group"),
    "campaign": gettext_lazy("Campaign"),
    "imported": gettext_lazy("Imported"),
    "added": pgettext_lazy("moment", "Added"),
    "last_delivered": gettext_lazy("Last delivered"),
    "last_failed": gettext_lazy("Last failed"),
    "last_replied": gettext_lazy("Last replied"),
    "last_opted_out": gettext_lazy("Last opted out"),
    "one_of": gettext_lazy("is one of"),
    "contains": gettext_lazy("contains"),
    "set": gettext_lazy("is set"),
    "within": gettext_lazy("less ago than"),
    "longer": gettext_lazy("longer ago than"),
    "since": gettext_lazy("on or after"),
    "before": gettext_lazy("before"),
    "never": gettext_lazy("never"),
}
# What else a comparison is called, by what it is about.
OWN_WORDS: dict[tuple[str, str], Any] = {
    (GROUP, "one_of"): gettext_lazy("in one of"),
    (CAMPAIGN, "one_of"): gettext_lazy("got one of"),
    (CAMPAIGN, "replied"): gettext_lazy("replied to one of"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """What a page asks about: its condition, or why there is none, for the whole of it or by rows."""

    condition: Condition | None = None
    problem: str = ""
    problems: dict[int, str] = dataclasses.field(default_factory=dict)


def context(condition: str, by_clicks: str = "") -> dict[str, Any]:
    """`by_clicks`: rows that were sent and say no condition yet."""
    fields = [
        {
            "name": name,
            "label": WORDS[name],
            "compares": [[key, str(OWN_WORDS.get((name, key)) or WORDS[key])] for key in compares],
        }
        for name, compares in COMPARES.items()
    ]
    rows = None if condition.strip() else _read_rows(by_clicks)
    shown = _shown(condition) if rows is None else _drawn(rows)
    return {"fields": fields, "shown_rows": shown, "most_rows": MOST}


def _shown(text: str) -> dict[str, Any]:
    """The text's rows and what their values are called; without rows, and with the reason, where it must stay text."""
    if not text.strip():
        return {"rows": [], "is_any": False, "called": {}}
    try:
        found = rows_of(condition_texts.parse(text))
    except ConditionError as problem:
        return {"problem": str(problem)}
    if found is None:
        return {"problem": _("This condition has brackets that rows cannot say. It stays as text.")}
    return _drawn(found)


def _drawn(found: Rows) -> dict[str, Any]:
    known = dataclasses.replace(found, rows=tuple(row for row in found.rows if row.field in COMPARES))
    return {**known.as_json(), "called": _called(known)}


def _called(found: Rows) -> dict[str, dict[str, str]]:
    campaigns = [value for row in found.rows if row.field == CAMPAIGN for value in row.values]
    named = {value: countries.name_of(value) for row in found.rows if row.field == "country" for value in row.values}
    return {"campaign": audience_offers.called(campaigns), "country": named}


def require_builder(request: HttpRequest) -> None:
    """Anyone who may write audiences and see contacts: the answers are about contacts."""
    may_write = request.user.has_perm("messaging.add_audience") or request.user.has_perm("messaging.change_audience")
    if not may_write or not may_see_contacts(request):
        raise PermissionDenied


def _rows(request: HttpRequest) -> Rows | None:
    return _read_rows(request.POST.get("by_clicks", ""))


def _read_rows(said: str) -> Rows | None:
    """None where the page shows text. Anything but a list of rows becomes one empty row, which the page points out."""
    if not said:
        return None
    try:
        given = json.loads(said)
    except (ValueError, RecursionError):
        given = {}
    listed = given.get("rows") if isinstance(given, dict) else None
    rows = tuple(Row.from_json(row) for row in listed) if isinstance(listed, list) else (Row("", ""),)
    return Rows(rows, isinstance(given, dict) and given.get("is_any") is True)


def _asked(request: HttpRequest) -> Asked:
    rows, text = _rows(request), request.POST.get("condition", "")
    if not (rows.rows if rows else text.strip()):
        return Asked()
    if rows is not None and len(rows.rows) > MOST:
        return Asked(problem=_("At most %(n)d rows. Make groups of its parts, or several audiences.") % {"n": MOST})
    try:
        if rows is None:
            return Asked(audiences.read(text))
        found, problems = audiences.read_rows(rows)
    except ValidationError as problem:
        return Asked(problem=" ".join(problem.messages))
    return Asked(found, problems=problems)


# What the page asks


def look_view(request: HttpRequest) -> HttpResponse:
    """Count as many people as a moment allows. While the count is not complete, the answer makes the page ask again."""
    require_builder(request)
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    asked = _asked(request)
    shown: dict[str, Any] = {"asked": asked, "problems": asked.problems, "problems_json": json.dumps(asked.problems)}
    if asked.condition is not None:
        look = audience_looks.go_on(asked.condition, _told(request))
        listed = look.countries[:MOST_COUNTRIES]
        shown |= {
            "look": look,
            "told": signing.dumps(look.as_json(), salt=SALT, compress=True),
            "countries": [(countries.row_of(country), n) for country, n in listed],
            "others": len(look.countries) - len(listed),
            "people": [_person(contact) for contact in look.first()],
        }
    return TemplateResponse(request, "messaging/audiences/beside.html", shown)


def _told(request: HttpRequest) -> Look | None:
    try:
        return Look.from_json(signing.loads(request.POST.get("_told", ""), salt=SALT))
    except signing.BadSignature:
        return None


def _person(contact: Contact) -> dict[str, str]:
    return {
        "number": str(masked(contact.number)),
        "name": contact.shown_name,
        "country": contact.country,
        "language": contact.language,
    }


def convert_view(request: HttpRequest) -> HttpResponse:
    """Rows as text, or the text as rows; nobody is looked up, so what is not there yet can be written too.

    A text that says the same as the rows stays as it was written.
    """
    require_builder(request)
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    rows, text = _rows(request), request.POST.get("condition", "")
    return JsonResponse(_shown(text) if rows is None else _as_text(rows, text))


class ConditionInput(UnfoldAdminTextareaWidget):
    """The text, or the rows where they came without it: the page was turned away before it could make them text."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        text = super().value_from_datadict(data, files, name)
        rows = None if (text or "").strip() else _read_rows(data.get("by_clicks", ""))
        return text if rows is None else _as_text(rows, "").get("text", "")


def _as_text(rows: Rows, before: str) -> dict[str, Any]:
    if all(row.is_untouched for row in rows.rows):
        return {"text": ""}
    found, problems = [], {}
    for place, row in enumerate(rows.rows[: MOST + 1]):
        try:
            found.append(row.condition())
        except ConditionError as problem:
            problems[place] = problem.says
    if problems:
        return {"problems": problems}
    if len(found) > MOST:
        return {"problem": _("At most %(n)d rows. Make groups of its parts, or several audiences.") % {"n": MOST}}
    meant = joined(tuple(found), is_any=rows.is_any)
    return {"text": before if _says(before, meant) else condition_texts.write(meant)}


def _says(text: str, meant: Condition) -> bool:
    try:
        return condition_texts.parse(text) == meant
    except ConditionError:
        return False


def offers_view(request: HttpRequest) -> HttpResponse:
    """What there is to choose from: of groups and campaigns those whose name has what was typed."""
    require_builder(request)
    offered = audience_offers.OFFERS.get(request.GET.get("about", ""))
    asked, name = (request.GET.get(part, "").strip()[:120] for part in ("q", "name"))
    return JsonResponse({"offers": offered(asked, name) if offered else []})
