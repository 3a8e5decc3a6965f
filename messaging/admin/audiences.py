"""Audiences by condition: the list, and a form that counts while a condition is written."""

import json
from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.urls import URLPattern, path, reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from laaffic_console.kit.console_admin import ModelAdmin
from laaffic_console.kit.figures import number as grouped
from laaffic_console.kit.generics import AnyModelForm
from laaffic_console.kit.masks import masked
from laaffic_console.kit.people import signed_in
from laaffic_console.kit.plain_text import whole_number
from laaffic_console.kit.shared_rows import SharedRowAdmin
from messaging.admin.pages import add_problems, may_see_contacts, require
from messaging.models import Audience, Contact
from messaging.models.kept_while_used import sending_to
from messaging.services.contacts import audiences

HELP = gettext_lazy(
    "country, language, attribute.NAME, group, campaign, imported, added, last_delivered, last_failed, last_replied, "
    "last_opted_out; with and, or, not and brackets. For example: country in (IN, BD) and attribute.city = “Pune” and "
    "not group “Staff” and last_delivered < 30 days ago and not in campaign 12"
)


class ConditionWidget(UnfoldAdminTextareaWidget):
    """Tells below it how many meet what is written, and who the first of them are."""

    class Media:
        js = ["console/live_counts.js"]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        labels = {"wait": _("Counting …"), "failed": _("It could not be counted. Save it, or write on to try again.")}
        address = str(reverse_lazy("admin:messaging_audience_count"))
        given = {"rows": 5, **(attrs or {}), "data-counts-condition": address, "data-labels": json.dumps(labels)}
        return super().get_context(name, value, given)


class AudienceForm(AnyModelForm):
    class Meta:
        model = Audience
        fields = ["name", "condition"]
        widgets = {"condition": ConditionWidget}
        help_texts = {"condition": HELP}

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if cleaned and cleaned.get("condition"):
            try:
                audiences.read(cleaned["condition"])
            except ValidationError as problem:
                add_problems(self, problem)
        return cleaned


@admin.register(Audience)
class AudienceAdmin(SharedRowAdmin, ModelAdmin):
    when_empty = gettext_lazy(
        "Say by a condition who is meant: by country, attributes, groups, and what they were sent."
    )
    form = AudienceForm
    list_display = ["name", "shown_condition", "updated_at", "created_by"]
    list_select_related = ["created_by"]
    search_fields = ["name"]
    list_per_page = 50
    fieldsets = [(None, {"fields": ["name", "condition"]})]

    @display(description=gettext_lazy("condition"))
    def shown_condition(self, audience: Audience) -> str:
        return audience.condition if len(audience.condition) <= 120 else f"{audience.condition[:119]}…"

    def save_model(self, request: HttpRequest, obj: Audience, form: Any, change: bool) -> None:
        audiences.save(obj, by=signed_in(request))

    def get_deleted_objects(self, objs: Sequence[Audience] | QuerySet[Audience], request: HttpRequest) -> Any:
        """What keeps it is named."""
        kept_by = [
            _("campaign “%(name)s” (%(state)s)") % {"name": campaign, "state": campaign.get_state_display()}
            for campaign in sending_to(objs)[:20]
        ]
        shown = [str(audience) for audience in objs]
        return shown, {str(self.opts.verbose_name_plural): len(shown)}, set(), kept_by

    def get_urls(self) -> list[URLPattern]:
        counts = path("count/", self.admin_site.admin_view(self.count_view), name="messaging_audience_count")
        return [counts, *super().get_urls()]

    def count_view(self, request: HttpRequest) -> HttpResponse:
        """As many as can be counted in a moment; the page asks on behind the last contact that was looked at."""
        require(request, "messaging.view_audience")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            meant = audiences.rules([audiences.read(request.POST.get("condition", ""))])
        except ValidationError as problem:
            return JsonResponse({"problem": " ".join(problem.messages)})
        after, before = (whole_number(request.POST.get(name, "")) or 0 for name in ("after", "contacts"))
        counted = audiences.count(meant, after=after)
        contacts = before + counted.contacts
        people = audiences.first(meant) if after == 0 and may_see_contacts(request) else []
        return JsonResponse(
            {
                "contacts": contacts,
                "after": counted.after,
                "is_done": counted.is_done,
                "says": _says(contacts, counted),
                "people": [_of(contact) for contact in people],
            }
        )


def _says(contacts: int, counted: audiences.Counted) -> str:
    if counted.is_done:
        return _("%(n)s contacts meet this now.") % {"n": grouped(contacts)}
    share = 100 * counted.after // counted.end
    return _("%(n)s contacts so far; %(share)d %% are looked at …") % {"n": grouped(contacts), "share": share}


def _of(contact: Contact) -> str:
    about = ", ".join(said for said in (contact.country, contact.language) if said)
    return f"{masked(contact.number)} {contact.name} {f'({about})' if about else ''}".strip()
