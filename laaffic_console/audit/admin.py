"""Who did what, for administrators: looked at, never changed."""

import datetime as dt
import re
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import display

from laaffic_console.audit.models import AuditEntry
from laaffic_console.audit.services.writing import NAME
from laaffic_console.kit.admin.read_only import ExactSearch, ReadOnlyAdmin
from laaffic_console.kit.audit.acts import Act
from laaffic_console.kit.forms import edits
from laaffic_console.kit.masking import masks
from laaffic_console.kit.pages import page_of
from laaffic_console.kit.words import role_words
from laaffic_console.kit.words.figures import number
from laaffic_console.kit.words.planned_years import check_year
from laaffic_console.kit.words.stored_words import in_words

COLOURS = {
    **dict.fromkeys(Act, "default"),
    Act.SIGN_IN_FAILED: "warning",
    Act.LOCKED_OUT: "danger",
    Act.DELETED: "danger",
    Act.EXPORTED: "info",
    Act.REVEALED: "info",
    Act.STEPPED: "success",
    Act.APPROVAL: "success",
}
PEOPLE_OFFERED = 200  # who is not among them is found by the search
# Details in words, in the order in which they are shown (jsonb keeps none); others by their own names after them.
NAMES = {
    "event": gettext_lazy("what happened"),
    "what": gettext_lazy("of what"),
    "rows": gettext_lazy("rows"),
    "format": gettext_lazy("format"),
    "invalid": gettext_lazy("invalid"),
    "note": gettext_lazy("note"),
    "campaign": gettext_lazy("campaign"),
    "filters": gettext_lazy("filters of the page"),
    "interface": gettext_lazy("interface"),
    "ledger": gettext_lazy("ledger entry"),
    "channel": gettext_lazy("channel"),
    "reason": gettext_lazy("reason"),
    "why": gettext_lazy("why"),
    "numbers": gettext_lazy("how many numbers"),
    "contacts": gettext_lazy("how many contacts"),
    "entries": gettext_lazy("how many entries"),
    "factor": gettext_lazy("second factor"),
    "role": gettext_lazy("role"),
    "older_than_days": gettext_lazy("older than this many days"),
}
NOT_IN_SHORT = ("ledger", "filters")  # an id, and what an address said: the entry's own page has them
CLEAR_ALONE = ("event", "what", "format", "reason", "why", "note", "channel", "factor", "role")  # without their names

# Details that are kept as codes, worded when they are read.
CODED = ("factor", "why", "role")
CODES = {
    "totp": gettext_lazy("authenticator app"),
    "webauthn": gettext_lazy("passkey"),
    "recovery_codes": gettext_lazy("recovery codes"),
    "no_role": gettext_lazy("none of their groups has a role"),
    "taken": gettext_lazy("an account of that name or address is not linked to the provider"),
    "superuser": gettext_lazy("a superuser who is not an administrator at the provider"),
    "closed": gettext_lazy("the account is disabled"),
    **role_words.ROLES,
}


class PersonFilter(admin.SimpleListFilter):
    title = gettext_lazy("who")
    parameter_name = "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = User.objects.order_by("username").values_list("username", flat=True)[:PEOPLE_OFFERED]
        return [(name, name) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(person=self.value()) if self.value() else queryset


class ObjectFilter(admin.SimpleListFilter):
    title = gettext_lazy("kind of object")
    parameter_name = "about"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        kinds = [model._meta for model in model_admin.admin_site._registry if model is not AuditEntry]
        return sorted(((one.label_lower, str(capfirst(one.verbose_name))) for one in kinds), key=lambda one: one[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(object_kind=self.value()) if self.value() else queryset


class DaysFilter(RangeDateFilter):
    """Days of the console's clock, both included; what is not a date asks for nothing."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        if first := _day(self.used_parameters.get("at_from")):
            queryset = queryset.filter(at__gte=first)
        if last := _day(self.used_parameters.get("at_to")):
            queryset = queryset.filter(at__lt=last + dt.timedelta(days=1))
        return queryset


def _day(typed: Any) -> dt.datetime | None:
    """The first moment of the day; None for what is not a date."""
    try:
        day = parse_date(str(typed or ""))
        check_year(day or dt.date.min)
    except (ValueError, ValidationError):
        return None
    return timezone.make_aware(dt.datetime.combine(day, dt.time.min)) if day else None


@admin.register(AuditEntry)
class AuditEntryAdmin(ExactSearch, ReadOnlyAdmin):
    when_empty = gettext_lazy("Sign-ins, edits, launches and everything else that people do is listed here.")
    is_named_as_a_whole = True
    list_display = ["at", "who", "shown_kind", "shown_object", "in_short", "address"]
    list_filter = ["kind", PersonFilter, ObjectFilter, ("at", DaysFilter)]
    list_filter_submit = True
    lookups_beside_filters = ("object_id", "object_kind")
    search_fields = ["person"]
    search_help_text = gettext_lazy("A whole user name, name of an object or its id")
    exact_search = ("person", "object_label", "object_id")
    fields = ["at", "who", "kind", "address", "linked_object", "details", "changes", "position", "shown_digest"]

    @display(description=gettext_lazy("who"), ordering="person")
    def who(self, entry: AuditEntry) -> str:
        return in_words(entry.person) or _("not signed in")

    @display(description=gettext_lazy("what"), label=COLOURS)
    def shown_kind(self, entry: AuditEntry) -> tuple[str, str]:
        return entry.kind, entry.get_kind_display()

    @display(description=gettext_lazy("object"))
    def shown_object(self, entry: AuditEntry) -> str:
        label = entry.details.get(NAME) or (entry.object_label if entry.object_id else _of_list(entry.object_label))
        return " ".join(part for part in (kind_in_words(entry), masks.in_text(label)) if part) or "–"

    @display(description=gettext_lazy("details"))
    def in_short(self, entry: AuditEntry) -> str:
        changed = ", ".join(field for field, _before, _after in changes_of(entry))
        told = [(name, value) for name, value in other_details(entry) if name not in NOT_IN_SHORT]
        return "; ".join([changed] * bool(changed) + [_in_short(name, value) for name, value in told])[:120] or "–"

    @display(description=gettext_lazy("object"))
    def linked_object(self, entry: AuditEntry) -> str:
        shown = self.shown_object(entry)
        if not entry.object_id:
            return shown
        same = f"{reverse('admin:audit_auditentry_changelist')}?object_kind={entry.object_kind}"
        links = [(f"{same}&object_id={entry.object_id}", _("everything about it"))]
        try:
            page = reverse(f"admin:{entry.object_kind.replace('.', '_')}_change", args=[entry.object_id])
            links.insert(0, (page, _("its page")))
        except NoReverseMatch:
            pass  # it has none, or is of an app that is gone
        ways = format_html_join(" · ", '<a class="c-link" href="{}">{}</a>', links)
        return format_html('<span class="c-wrap">{} · {}</span>', shown, ways)

    @display(description=gettext_lazy("details"))
    def details(self, entry: AuditEntry) -> str:
        rows = [(capfirst(NAMES.get(name, name)), _shown(name, value)) for name, value in other_details(entry)]
        return format_html_join("", "<p>{}: {}</p>", rows) or "–"

    @display(description=gettext_lazy("before and after"))
    def changes(self, entry: AuditEntry) -> str:
        rows = format_html_join("", "<tr><th>{}</th><td>{}</td><td>{}</td></tr>", changes_of(entry))
        if not rows:
            return "–"
        head = format_html("<tr><th>{}</th><th>{}</th><th>{}</th></tr>", _("Field"), _("Before"), _("After"))
        return format_html('<table class="c-table c-anywhere">{}{}</table>', head, rows)

    @display(description=gettext_lazy("digest"))
    def shown_digest(self, entry: AuditEntry) -> str:
        return format_html('<span class="c-mono c-anywhere">{}</span>', entry.digest or "–")


def other_details(entry: AuditEntry) -> list[tuple[str, Any]]:
    known = [name for name in NAMES if name in entry.details]
    others = sorted(name for name in entry.details if name not in ("changes", NAME, *NAMES))
    kept = [(name, entry.details[name]) for name in (*known, *others)]
    return [(name, CODES.get(value, value) if name in CODED else value) for name, value in kept]


def changes_of(entry: AuditEntry) -> list[edits.Change]:
    """Each field's change once: a form may ask in its own words for what it writes into a field of the same name."""
    told: dict[str, edits.Change] = {}
    for field, before, after in entry.details.get("changes", ()):
        name = str(capfirst(_(str(field))))
        told.setdefault(name.casefold(), (name, masks.in_text(before), masks.in_text(after)))
    return list(told.values())


def _in_short(name: str, value: Any) -> str:
    shown = str(_shown(name, value))
    return shown if name in CLEAR_ALONE else f"{NAMES.get(name, name)}: {shown}"


def _shown(name: str, value: Any) -> Any:
    if name == "ledger":
        page = page_of(apps.get_model("gateway", "LedgerEntry"), value)
        return format_html('<a class="c-link" href="{}">{}</a>', page, value)
    if isinstance(value, int) and not isinstance(value, bool):
        return number(value)
    return masks.in_text(in_words(value) if isinstance(value, str) else value)


def _of_list(label: str) -> str:
    """The label of a whole list (its English name), or of what a request was about, with its id: "group task 1"."""
    words, one = re.fullmatch(r"(.*?)( \d+)?", label, re.DOTALL).groups("")  # type: ignore[union-attr]
    return f"{in_words(words)}{one}"


def kind_in_words(entry: AuditEntry) -> str:
    try:
        return str(capfirst(apps.get_model(entry.object_kind)._meta.verbose_name)) if entry.object_id else ""
    except (LookupError, ValueError):
        return entry.object_kind
