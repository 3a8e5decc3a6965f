from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

import phonenumbers
from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.forms import AutocompleteDropdownForm
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from laaffic_console.exporting import delivery, lists
from laaffic_console.kit import plain_text
from laaffic_console.kit.console_admin import EmptyLink, ModelAdmin
from laaffic_console.kit.exporting import Exporting
from laaffic_console.kit.figures import number
from laaffic_console.kit.generics import AnyModelForm
from laaffic_console.kit.masked_admin import MaskedNumbers, number_cell
from laaffic_console.kit.paginator import BigTablePaginator
from laaffic_console.kit.people import signed_in
from laaffic_console.kit.plain_text import whole_number
from laaffic_console.kit.shared_rows import SharedRowAdmin
from messaging import contact_actions, msisdn, search_indexes
from messaging.admin import bulk_actions, people
from messaging.admin.attribute_lines import as_lines, from_lines
from messaging.admin.quick_message import QuickMessageForm, send_quick_message
from messaging.admin.suppression import SuppressForm, outcome_words
from messaging.contact_rows import one_line
from messaging.models import (
    Contact,
    ContactGroup,
    ContactImport,
    GroupMembership,
    ImportedChange,
    Message,
    Reply,
    SuppressionEntry,
    SuppressionRelease,
)
from messaging.models.campaigns import using
from messaging.services.contacts import consents, contacts, suppression
from messaging.subscribers import spellings

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    class Members(TypedDict):
        n: int

    CountedGroup = WithAnnotations[ContactGroup, Members]

VALIDITY_COLOURS = {Contact.Validity.VALID: "success", Contact.Validity.POSSIBLE: "warning"}


class GroupForm(forms.Form):
    group = forms.ModelChoiceField(
        ContactGroup.objects.filter(is_ad_hoc=False), label=gettext_lazy("Group"), widget=UnfoldAdminSelectWidget
    )


class NoQuestion(forms.Form):
    """Only the button asks."""


class ContactForm(AnyModelForm):
    attributes = forms.CharField(
        required=False,
        label=gettext_lazy("Attributes"),
        help_text=gettext_lazy("One a line, for example “city: Pune”. A text says it with {{city}}."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 5}),
    )
    member_of = forms.ModelMultipleChoiceField(
        ContactGroup.objects.filter(is_ad_hoc=False),
        required=False,
        label=gettext_lazy("Groups"),
        widget=UnfoldAdminSelect2MultipleWidget,
    )

    class Meta:
        model = Contact
        fields = ["number", "name", "email", "language"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial.update(
                {name: one_line(self.initial[name]) for name in ("name", "email", "language") if name in self.initial}
            )
            self.initial["attributes"] = as_lines(self.instance.attributes)
            self.initial["member_of"] = list(self.instance.groups.filter(is_ad_hoc=False))

    def clean_name(self) -> str:
        """A browser takes a line break out of a field of one line, and a paste can bring one."""
        return one_line(self.cleaned_data["name"])

    def clean_attributes(self) -> dict[str, str]:
        return from_lines(self.cleaned_data["attributes"], self.instance.attributes)

    def clean_number(self) -> str:
        """As people write it; what the number tells about itself is filled in."""
        try:
            self.parsed = msisdn.parse(self.cleaned_data["number"])
        except msisdn.InvalidNumber as problem:
            raise ValidationError(str(problem)) from problem
        return self.parsed.number

    def save(self, commit: bool = True) -> Contact:
        self.instance.country = self.parsed.country
        self.instance.time_zones = ",".join(self.parsed.time_zones)
        self.instance.attributes = self._attributes()
        self.instance.validity = "valid" if self.parsed.is_valid else "possible"
        return super().save(commit)

    def _attributes(self) -> dict[str, str]:
        """A first name of its own goes with the name that it belonged to, unless it was changed too."""
        attributes: dict[str, str] = self.cleaned_data["attributes"]
        first = attributes.get("first_name", "")
        is_of_the_name = self.cleaned_data["name"].startswith(first) or "attributes" in self.changed_data
        return attributes if is_of_the_name else {k: v for k, v in attributes.items() if k != "first_name"}


class GroupFilter(admin.SimpleListFilter):
    title = gettext_lazy("group")
    parameter_name = "group"

    template = "unfold/filters/filters_field.html"
    form_class = AutocompleteDropdownForm  # unfold loads its scripts

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        self.request, self.model_admin = request, model_admin
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return []

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: Any) -> Any:
        """A field that completes a group's name, however many groups there are."""
        chosen = self.value() or ""
        yield {
            "form": self.form_class(
                request=self.request,
                name=self.parameter_name,
                label=self.title,
                choices=(),
                field=Contact._meta.get_field("groups"),
                model_admin=self.model_admin,
                initial={self.parameter_name: chosen} if whole_number(chosen) else {},
            )
        }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Contact]) -> QuerySet[Contact]:
        value = self.value()
        if not value:
            return queryset
        group = whole_number(value)
        return queryset.none() if group is None else queryset.filter(groups=group)


class ImportFilter(admin.SimpleListFilter):
    """Whom one import has added, or updated: an import's page leads here, and the filter shows while it holds."""

    title = gettext_lazy("import")
    parameter_name = "import"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        what, pk = self._asked(request.GET.get(self.parameter_name, ""))
        job = ContactImport.objects.filter(pk=pk).first() if pk else None
        if job is None:
            return []
        words = {"added": _("added by %(import)s"), "updated": _("updated by %(import)s")}
        return [(f"{what}-{job.pk}", words[what] % {"import": job})]

    def has_output(self) -> bool:
        return bool(self.value())  # also where it says nonsense: that is nobody

    @staticmethod
    def _asked(value: str) -> tuple[str, int | None]:
        what, _dash, pk = value.partition("-")
        return what, whole_number(pk) if what in ("added", "updated") else None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Contact]) -> QuerySet[Contact]:
        value = self.value()
        if not value:
            return queryset
        what, pk = self._asked(value)
        if pk is None:
            return queryset.none()
        if what == "added":
            return queryset.filter(imported_by=pk)
        return queryset.filter(pk__in=ImportedChange.objects.filter(contact_import=pk).values("contact"))


class CountryFilter(admin.SimpleListFilter):
    """All countries there could be: asking the table which there are would read all of it."""

    title = gettext_lazy("country")
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(region, region) for region in sorted(phonenumbers.SUPPORTED_REGIONS)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Contact]) -> QuerySet[Contact]:
        return queryset.filter(country=self.value()) if self.value() else queryset


@admin.register(Contact)
class ContactAdmin(MaskedNumbers, Exporting, SharedRowAdmin, ModelAdmin):
    when_empty = gettext_lazy("Import a list, CSV or XLSX, or add a contact by hand.")
    when_empty_link = EmptyLink(
        "admin:messaging_contactimport_add", gettext_lazy("Import contacts"), "messaging.add_contactimport"
    )
    form = ContactForm
    masked = ("number", "email")
    list_display = ["shown_number", "name", "country", "shown_validity", "language", "in_groups", "created_at"]
    list_filter = [GroupFilter, CountryFilter, "validity", ImportFilter]
    list_filter_submit = True  # the group is typed
    read_for_columns = {"in_groups": "groups"}
    search_fields = ["number"]
    search_help_text = gettext_lazy("The beginning of a number or of a name, or an email address")
    paginator = BigTablePaginator
    show_full_result_count = False
    list_per_page = 50
    ordering = ["-id"]
    actions = [
        "add_to_group",
        "remove_from_group",
        "suppress",
        "send_sms",
        "export_chosen_csv",
        "export_chosen_xlsx",
        "delete_chosen",
    ]
    actions_list = ["import_file", "export_csv", "export_xlsx"]
    change_form_outer_after_template = "messaging/contact_facts.html"
    fieldsets = [
        (None, {"fields": [("number", "name"), ("email", "language"), "member_of", "attributes"]}),
    ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Contact], search_term: str
    ) -> tuple[QuerySet[Contact], bool]:
        """By ranges that an index answers: the beginning of a number or name."""
        term = plain_text.plain(search_term)
        digits = plain_text.digits_of(term)
        if not term:
            return queryset, False
        if digits:
            found, order = queryset.filter(search_indexes.numbers_from(digits)), ("number",)
        else:
            column = "email" if "@" in term else "name"
            found, order = queryset.filter(search_indexes.starts(column, term)), search_indexes.order_by_start(column)
        return found if ORDER_VAR in request.GET else found.order_by(*order), False

    @display(description=gettext_lazy("number"), ordering="number")
    def shown_number(self, contact: Contact) -> str:
        return str(number_cell(contact.number))

    @display(description=gettext_lazy("number is"), label=VALIDITY_COLOURS)
    def shown_validity(self, contact: Contact) -> tuple[str, str]:
        return contact.validity, contact.get_validity_display()

    @display(description=gettext_lazy("groups"))
    def in_groups(self, contact: Contact) -> str:
        return ", ".join(group.name for group in contact.groups.all() if not group.is_ad_hoc)

    def get_urls(self) -> list[URLPattern]:
        return [*people.urls(self), *super().get_urls()]

    # The page of one contact

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        contact = self.get_object(request, object_id)
        facts = {} if contact is None else self._facts(request, contact)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **facts})

    def _facts(self, request: HttpRequest, contact: Contact) -> dict[str, Any]:
        """What is known of the number beside the contact itself."""
        may_see_messages = request.user.has_perm("messaging.view_message")
        numbers = spellings(contact.number)
        received = Message.objects.filter(number=contact.number).select_related("campaign").order_by("-pk")
        return {
            "contact": contact,
            "time_zones": contact.time_zones.split(",")[:6] if contact.time_zones else [],
            "replies": Reply.objects.filter(number__in=numbers).select_related("campaign")[:20]
            if request.user.has_perm("messaging.view_reply")
            else None,
            "received": received[:20] if may_see_messages else None,
            "entries": SuppressionEntry.objects.filter(number__in=numbers).select_related("created_by"),
            "consents": consents.of_person(contact.number) if request.user.has_perm("messaging.view_consent") else None,
            "may_say": request.user.has_perm("messaging.change_consent"),
            "releases": SuppressionRelease.objects.filter(number__in=numbers).select_related("released_by")[:20],
        }

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        contacts.set_groups(form.instance, form.cleaned_data["member_of"])

    # Bulk actions: each asks in a form of its own, and works on the selection as a set

    @admin.action(description=gettext_lazy("Add to a group …"), permissions=["change"])
    def add_to_group(self, request: HttpRequest, queryset: QuerySet[Contact]) -> HttpResponse | None:
        def act(form: forms.Form) -> str:
            n = contacts.add_to_group(queryset, form.cleaned_data["group"])
            return ngettext("%(n)s contact is in the group.", "%(n)s contacts are in the group.", n) % {"n": number(n)}

        return self._ask(request, queryset, "add_to_group", _("Add to a group"), GroupForm, act)

    @admin.action(description=gettext_lazy("Remove from a group …"), permissions=["change"])
    def remove_from_group(self, request: HttpRequest, queryset: QuerySet[Contact]) -> HttpResponse | None:
        def act(form: forms.Form) -> str:
            n = contacts.remove_from_group(queryset, form.cleaned_data["group"])
            return ngettext("%(n)s contact was removed.", "%(n)s contacts were removed.", n) % {"n": number(n)}

        return self._ask(request, queryset, "remove_from_group", _("Remove from a group"), GroupForm, act)

    @admin.action(description=gettext_lazy("Suppress …"), permissions=["suppress"])
    def suppress(self, request: HttpRequest, queryset: QuerySet[Contact]) -> HttpResponse | None:
        def act(form: forms.Form) -> str:
            return outcome_words(suppression.suppress_contacts(queryset, by=signed_in(request), **form.cleaned_data))

        return self._ask(request, queryset, "suppress", _("Suppress"), SuppressForm, act)

    @admin.action(description=gettext_lazy("Send SMS …"), permissions=["send"])
    def send_sms(self, request: HttpRequest, queryset: QuerySet[Contact]) -> HttpResponse | None:
        form = QuickMessageForm(request.POST if "_confirmed" in request.POST else None)
        if form.is_bound and form.is_valid():
            campaign = send_quick_message(form, queryset, request)
            if campaign is not None:
                return HttpResponseRedirect(reverse("admin:messaging_campaign_review", args=[campaign.pk]))
        return bulk_actions.form_page(
            self, request, queryset, action="send_sms", title=_("Send SMS"), form=form, button=_("Review")
        )

    @admin.action(description=gettext_lazy("Delete …"), permissions=["delete"])
    def delete_chosen(self, request: HttpRequest, queryset: QuerySet[Contact]) -> HttpResponse | None:
        def act(form: forms.Form) -> str:
            n = contacts.delete(queryset)
            return ngettext("%(n)s contact was deleted.", "%(n)s contacts were deleted.", n) % {"n": number(n)}

        return bulk_actions.ask(
            self,
            request,
            queryset,
            action="delete_chosen",
            title=_("Delete contacts"),
            form_class=NoQuestion,
            act=act,
            explanation=_("Their messages stay, and who is suppressed stays suppressed. There is no way back."),
            is_danger=True,
        )

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Without the admin's own deletion, which would load every contact to list it."""
        offered: dict[str, Any] = super().get_actions(request)
        offered.pop("delete_selected", None)
        for brought in contact_actions.registered():
            if request.user.has_perm(brought.permission):
                offered[brought.name] = (import_string(brought.run), brought.name, brought.words)
        return offered

    def has_suppress_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("messaging.add_suppressionentry")

    def has_send_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("messaging.add_campaign")

    def _ask(
        self,
        request: HttpRequest,
        queryset: QuerySet[Contact],
        name: str,
        title: str,
        form_class: type[forms.Form],
        act: Callable[[forms.Form], str],
    ) -> HttpResponse | None:
        return bulk_actions.ask(self, request, queryset, action=name, title=title, form_class=form_class, act=act)

    # Import and export

    @action(description=gettext_lazy("Import a file"), url_path="import-file", permissions=["import_contacts"])
    def import_file(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:messaging_contactimport_add"))

    def has_import_contacts_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("messaging.add_contactimport")

    @action(description=gettext_lazy("Export CSV"), url_path="export-csv", permissions=["export"])
    def export_csv(self, request: HttpRequest) -> Any:
        return self._export_list(request, "csv")

    @action(description=gettext_lazy("Export XLSX"), url_path="export-xlsx", permissions=["export"])
    def export_xlsx(self, request: HttpRequest) -> Any:
        return self._export_list(request, "xlsx")

    @admin.action(description=gettext_lazy("Export as CSV"), permissions=["export"])
    def export_chosen_csv(self, request: HttpRequest, queryset: QuerySet[Contact]) -> Any:
        return self._export_chosen(request, queryset, "csv")

    @admin.action(description=gettext_lazy("Export as XLSX"), permissions=["export"])
    def export_chosen_xlsx(self, request: HttpRequest, queryset: QuerySet[Contact]) -> Any:
        return self._export_chosen(request, queryset, "xlsx")

    def _export_chosen(self, request: HttpRequest, queryset: QuerySet[Contact], kind: str) -> Any:
        """Those that are ticked; with all pages chosen, what the list shows."""
        if request.POST.get("select_across") == "1":
            return self._export_list(request, kind)
        parameters = {"ids": sorted(queryset.order_by().values_list("pk", flat=True)[: lists.CHOSEN])}
        return delivery.deliver(request, lists.name_of(Contact), parameters, kind, file_name="contacts", back=".")

    def _export_list(self, request: HttpRequest, kind: str) -> Any:
        """What the list shows with this search and these filters, and nothing else."""
        return delivery.deliver_list(request, self, kind, file_name="contacts")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The buttons above the list act on the list as it is filtered."""
        response = super().changelist_view(request, extra_context)
        query = request.GET.urlencode()
        context = getattr(response, "context_data", None) or {}
        if query and "actions_list" in context:
            context["actions_list"] = [
                {**button, "path": f"{button['path']}?{query}"} if button.get("path") else button
                for button in context["actions_list"]
            ]
        return response


@admin.register(ContactGroup)
class ContactGroupAdmin(SharedRowAdmin, ModelAdmin):
    when_empty = gettext_lazy(
        "A campaign goes to groups. Import a list into a new group, or make one and fill it from the contacts."
    )
    list_display = ["name", "members", "description", "created_at"]
    search_fields = ["name"]
    fields = ["name", "description"]
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[ContactGroup]:
        # Each group's own stretch of the index is counted: a join would sort everybody's memberships.
        members = GroupMembership.objects.filter(group=OuterRef("pk")).order_by().values("group").annotate(n=Count("*"))
        groups = super().get_queryset(request).filter(is_ad_hoc=False)
        return groups.annotate(n=Coalesce(Subquery(members.values("n")), 0))

    @display(description=gettext_lazy("contacts"))
    def members(self, group: "CountedGroup") -> str:
        return number(group.n)

    def get_deleted_objects(self, objs: "Sequence[CountedGroup] | QuerySet[CountedGroup]", request: HttpRequest) -> Any:
        """Counted, not listed: a group may have a million members."""
        shown = [f"{group} ({_memberships(group.n)})" for group in objs]
        kept_by = [
            _("campaign “%(name)s” (%(state)s)") % {"name": campaign, "state": campaign.get_state_display()}
            for campaign in using(objs)[:20]
        ]
        kept_by += [str(group) for group in objs if not kept_by and group.campaigns.exists()]
        return shown, {str(self.opts.verbose_name_plural): len(shown)}, set(), kept_by

    def delete_model(self, request: HttpRequest, obj: ContactGroup) -> None:
        contacts.delete_group(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ContactGroup]) -> None:
        for group in list(queryset):
            contacts.delete_group(group)


def _memberships(n: int) -> str:
    return ngettext("%(n)s membership", "%(n)s memberships", n) % {"n": number(n)}
