"""Audiences by condition: the list, and a page on which one is written (audience_builder)."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from laaffic_console.kit.admin.console_admin import ModelAdmin
from laaffic_console.kit.forms.shared_rows import SharedRowAdmin
from laaffic_console.kit.generics import AnyModelForm
from laaffic_console.kit.masking import masks
from laaffic_console.kit.masking.masked_admin import MaskedTexts
from laaffic_console.kit.pages import add_problems, may_see_contacts
from laaffic_console.kit.words.people import signed_in
from messaging.admin.audience import audience_builder
from messaging.models import Audience
from messaging.models.kept_while_used import sending_to
from messaging.services.saved_audiences import audiences

HELP = gettext_lazy(
    "country, language, attribute.NAME, group, in campaign, replied to campaign, imported, added, last_delivered, "
    "last_failed, last_replied, last_opted_out; with and, or, not and brackets. For example: country in (IN, BD) and "
    "attribute.city = “Pune” and not group “Staff” and in campaign 12 and not replied to campaign 12"
)


class AudienceForm(AnyModelForm):
    class Meta:
        model = Audience
        fields = ["name", "condition"]
        widgets = {"condition": audience_builder.ConditionInput(attrs={"rows": 5})}
        help_texts = {"condition": HELP}
        error_messages = {"condition": {"required": gettext_lazy("Fill in at least one condition.")}}

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if cleaned and cleaned.get("condition") and "condition" in self.changed_data:
            try:
                audiences.read(cleaned["condition"])
            except ValidationError as problem:
                add_problems(self, problem)
        return cleaned


def _is_masked(audience: Audience) -> bool:
    """Whether it names numbers or addresses, and the viewer sees them masked."""
    return masks.in_text(audience.condition) != audience.condition


@admin.register(Audience)
class AudienceAdmin(MaskedTexts, SharedRowAdmin, ModelAdmin):
    when_empty = gettext_lazy(
        "Describe by a condition who is meant: by country, attributes, groups, and what they were sent."
    )
    form = AudienceForm
    typed = ("condition",)
    list_display = ["name", "shown_condition", "updated_at", "created_by"]
    list_select_related = ["created_by"]
    search_fields = ["name"]
    list_per_page = 50
    fieldsets = [(None, {"fields": ["name", "condition"]})]

    @display(description=gettext_lazy("condition"))
    def shown_condition(self, audience: Audience) -> str:
        shown = masks.in_text(audience.condition)
        return shown if len(shown) <= 120 else f"{shown[:119]}…"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A form would show the numbers that a condition names, or take the masked ones for it."""
        return super().has_change_permission(request, obj) and not (obj and _is_masked(obj))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fieldsets(request, obj) if obj and _is_masked(obj) else self.fieldsets

    def save_model(self, request: HttpRequest, obj: Audience, form: Any, change: bool) -> None:
        audiences.save(obj, by=signed_in(request))

    def get_deleted_objects(self, objs: Sequence[Audience] | QuerySet[Audience], request: HttpRequest) -> Any:
        """The audiences to delete, and the campaigns that use them and so prevent it."""
        kept_by = [
            _("campaign “%(name)s” (%(state)s)") % {"name": campaign, "state": campaign.get_state_display()}
            for campaign in sending_to(objs)[:20]
        ]
        shown = [str(audience) for audience in objs]
        return shown, {str(self.opts.verbose_name_plural): len(shown)}, set(), kept_by

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        response: Any = super().render_change_form(request, context, *args, **kwargs)
        form = context["adminform"].form
        if "condition" in form.fields and may_see_contacts(request):  # else it is only looked at, or written as text
            response.template_name = "messaging/audiences/page.html"
            response.context_data |= {"form": form, "beside_form": "audience_form"}
            response.context_data |= audience_builder.context(
                str(form["condition"].value() or ""), request.POST.get("by_clicks", "")
            )
        return response

    def get_urls(self) -> list[URLPattern]:
        asked = {
            "look": audience_builder.look_view,
            "convert": audience_builder.convert_view,
            "offers": audience_builder.offers_view,
        }
        return [
            *(
                path(f"{name}/", self.admin_site.admin_view(view), name=f"messaging_audience_{name}")
                for name, view in asked.items()
            ),
            *super().get_urls(),
        ]
