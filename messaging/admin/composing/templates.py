"""Templates of texts: the list, and a page with every version and what changed in it."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Max, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from laaffic_console.kit.admin.console_admin import ModelAdmin
from laaffic_console.kit.forms.form_fields import needed_by_service
from laaffic_console.kit.forms.shared_rows import SeenForm, SharedRowAdmin
from laaffic_console.kit.generics import AnyModelForm
from laaffic_console.kit.words.people import signed_in
from laaffic_console.kit.words.plain_text import is_blank, sendable, whole_number
from messaging.admin.shared.text_widget import TextWidget
from messaging.models import MessageTemplate, TemplateVersion
from messaging.models.kept_while_used import drafts_from
from messaging.services.campaigns import templates

NOTE = "note"


class TemplateForm(AnyModelForm):
    note = forms.CharField(
        label=gettext_lazy("What changed"),
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Kept with the new version, beside your name. It may stay empty."),
    )

    class Meta:
        model = MessageTemplate
        fields = ["name", "text"]
        widgets = {"text": TextWidget}

    def clean_text(self) -> str:
        text = sendable(self.cleaned_data["text"])
        try:
            templates.check_text(text)
        except ValidationError as problem:
            raise ValidationError(problem.messages) from problem
        return text


@admin.register(MessageTemplate)
class MessageTemplateAdmin(SharedRowAdmin, ModelAdmin):
    when_empty = gettext_lazy("Save a text that is sent again and again: a campaign takes it by its name.")
    form = TemplateForm
    list_display = ["name", "shown_text", "shown_version", "changed_at", "created_by", "use"]
    list_select_related = ["created_by"]
    search_fields = ["name", "text"]
    list_per_page = 50
    readonly_fields = ["versions"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[MessageTemplate]:
        return super().get_queryset(request).annotate(version=Max("versions__number"))

    def get_fieldsets(self, request: HttpRequest, obj: MessageTemplate | None = None) -> Any:
        if obj is None:
            return [(None, {"fields": ["name", "text"]})]
        typed = ["name", "text", NOTE] if self.has_change_permission(request, obj) else ["name", "text"]
        return [(None, {"fields": typed}), (gettext_lazy("Versions"), {"fields": ["versions"]})]

    @display(description=gettext_lazy("text"))
    def shown_text(self, template: MessageTemplate) -> str:
        return template.text if len(template.text) <= 120 else f"{template.text[:119]}…"

    @display(description=gettext_lazy("version"))
    def shown_version(self, template: MessageTemplate) -> int:
        return int(getattr(template, "version", None) or 0)

    @display(description="")
    def use(self, template: MessageTemplate) -> str:
        address = f"{reverse('admin:messaging_campaign_add')}?template={template.pk}"
        return format_html('<a class="c-button" href="{}">{}</a>', address, _("Use in a campaign"))

    @display(description="")  # the heading above it says so
    def versions(self, template: MessageTemplate) -> str:
        return render_to_string(
            "messaging/template_versions.html",
            {"compared": [(one, _marked(one)) for one in templates.history(template)]},
        )

    def save_model(self, request: HttpRequest, obj: MessageTemplate, form: Any, change: bool) -> None:
        columns = form.own_columns() if isinstance(form, SeenForm) else ["name", "text"]
        templates.save(obj, columns=columns, note=form.cleaned_data.get(NOTE, ""), by=signed_in(request))

    def get_deleted_objects(
        self, objs: Sequence[MessageTemplate] | QuerySet[MessageTemplate], request: HttpRequest
    ) -> Any:
        """What keeps it is named."""
        kept_by = [_("draft “%(name)s”") % {"name": draft} for draft in drafts_from(objs)[:20]]
        shown = [str(template) for template in objs]
        return shown, {str(self.opts.verbose_name_plural): len(shown)}, set(), kept_by


MARKS = {templates.SAME: "{}", templates.ADDED: "<ins>{}</ins>", templates.REMOVED: "<del>{}</del>"}


def _marked(one: templates.Compared) -> SafeString:
    """Built here: in a page's source each line break would be one of the text."""
    return mark_safe("".join(format_html(MARKS[kind], words) for kind, words in one.parts))  # noqa: S308 - each escaped


class FromTemplate(AnyModelForm):
    """For the form of a campaign: the template that its text comes from. An empty text is filled from it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields.get("template_version")
        if not isinstance(field, forms.ModelChoiceField):
            return
        field.queryset = offered(self.instance.template_version_id)
        field.required = False
        field.label, field.help_text = _("From template"), _("Leave the text empty to take the template's as it is.")
        if "text" in self.fields:
            needed_by_service(self, "text")

    def filled(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        version = cleaned.get("template_version")
        if version is not None and is_blank(cleaned.get("text") or ""):
            cleaned["text"] = self.instance.text = version.text
        return cleaned


def offered(kept: int | None = None) -> QuerySet[TemplateVersion]:
    """The latest version of each template, and the one that a draft has kept."""
    newest = MessageTemplate.objects.annotate(newest=Max("versions__pk")).values_list("newest", flat=True)
    return TemplateVersion.objects.filter(pk__in=[*newest, *([kept] if kept else [])]).order_by("name", "-number")


def initial(template: str) -> dict[str, Any]:
    """What a new campaign's form begins with when a template's page has sent somebody there."""
    pk = whole_number(template)
    version = pk and TemplateVersion.objects.filter(template=pk).order_by("-number").first()
    return {} if not version else {"template_version": version.pk, "text": version.text}
