from typing import Any

import phonenumbers
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from laaffic_console.dashboard.paginator import BigTablePaginator
from messaging import exports, msisdn
from messaging.admin.pages import page, require
from messaging.admin.quick_message import QuickMessageForm, send_quick_message
from messaging.models import Contact, ContactGroup, SuppressionEntry
from messaging.services import contacts

VALIDITY_COLOURS = {Contact.Validity.VALID: "success", Contact.Validity.POSSIBLE: "warning"}


class GroupForm(forms.Form):
    group = forms.ModelChoiceField(
        ContactGroup.objects.filter(is_ad_hoc=False), label=gettext_lazy("Group"), widget=UnfoldAdminSelectWidget
    )


class SuppressForm(forms.Form):
    channel = forms.ChoiceField(
        choices=SuppressionEntry.Channel.choices,
        initial="all",
        label=gettext_lazy("Channel"),
        widget=UnfoldAdminSelectWidget,
    )
    reason = forms.ChoiceField(
        choices=SuppressionEntry.Reason.choices,
        initial="manual",
        label=gettext_lazy("Reason"),
        widget=UnfoldAdminSelectWidget,
    )
    note = forms.CharField(
        max_length=200, required=False, label=gettext_lazy("Note"), widget=UnfoldAdminTextInputWidget
    )


class ContactForm(forms.ModelForm):
    class Meta:
        model = Contact
        fields = ["number", "name", "email", "language", "attributes"]

    def clean_number(self) -> str:
        """As people write it; what the number tells about itself is filled in."""
        try:
            self.parsed = msisdn.parse(self.cleaned_data["number"])
        except msisdn.InvalidNumber as problem:
            raise ValidationError(str(problem)) from problem
        return self.parsed.number

    def save(self, commit: bool = True) -> Contact:
        self.instance.country = self.parsed.country
        self.instance.time_zones = ",".join(self.parsed.time_zones)[:300]
        self.instance.validity = "valid" if self.parsed.is_valid else "possible"
        return super().save(commit)


class GroupFilter(admin.SimpleListFilter):
    title = gettext_lazy("group")
    parameter_name = "group"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            (str(pk), name) for pk, name in ContactGroup.objects.filter(is_ad_hoc=False).values_list("pk", "name")[:200]
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Contact]) -> QuerySet[Contact]:
        value = self.value() or ""
        return queryset.filter(groups=int(value)) if value.isdigit() else queryset


class CountryFilter(admin.SimpleListFilter):
    """All countries there could be: asking the table which there are would read all of it."""

    title = gettext_lazy("country")
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(region, region) for region in sorted(phonenumbers.SUPPORTED_REGIONS)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Contact]) -> QuerySet[Contact]:
        return queryset.filter(country=self.value()) if self.value() else queryset


@admin.register(Contact)
class ContactAdmin(ModelAdmin):
    form = ContactForm
    list_display = ["shown_number", "name", "country", "shown_validity", "language", "in_groups", "created_at"]
    list_filter = [GroupFilter, CountryFilter, "validity"]
    list_filter_submit = False
    search_fields = ["number"]
    search_help_text = gettext_lazy("The beginning of a number or of a name, or a whole email address")
    paginator = BigTablePaginator
    show_full_result_count = False
    list_per_page = 50
    ordering = ["-id"]
    actions = ["add_to_group", "remove_from_group", "suppress", "send_sms"]
    actions_list = ["import_file", "export_csv"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        return super().get_queryset(request).prefetch_related("groups")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Contact], search_term: str
    ) -> tuple[QuerySet[Contact], bool]:
        """By ranges that an index answers: the beginning of a number or name."""
        term = search_term.strip()
        digits = term.strip("+").replace(" ", "")
        if not term:
            return queryset, False
        if digits.isdecimal():
            return queryset.filter(number__gte=digits, number__lt=digits + "~"), False
        return queryset.filter(Q(name__istartswith=term) | Q(email__iexact=term)), False

    @display(description=gettext_lazy("number"), ordering="number")
    def shown_number(self, contact: Contact) -> str:
        return contact.number

    @display(description=gettext_lazy("number is"), label=VALIDITY_COLOURS)
    def shown_validity(self, contact: Contact) -> tuple[str, str]:
        return contact.validity, contact.get_validity_display()

    @display(description=gettext_lazy("groups"))
    def in_groups(self, contact: Contact) -> str:
        return ", ".join(group.name for group in contact.groups.all() if not group.is_ad_hoc)

    # Bulk actions: each asks in a form of its own, and works on the selection as a set

    @admin.action(description=gettext_lazy("Add to a group …"), permissions=["change"])
    def add_to_group(self, request: HttpRequest, queryset: QuerySet[Contact]) -> HttpResponse | None:
        def act(form: forms.Form) -> str:
            n = contacts.add_to_group(queryset, form.cleaned_data["group"])
            return ngettext("%(n)s contact is in the group.", "%(n)s contacts are in the group.", n) % {"n": f"{n:,}"}

        return self._ask(request, queryset, "add_to_group", _("Add to a group"), GroupForm, act)

    @admin.action(description=gettext_lazy("Remove from a group …"), permissions=["change"])
    def remove_from_group(self, request: HttpRequest, queryset: QuerySet[Contact]) -> HttpResponse | None:
        def act(form: forms.Form) -> str:
            n = contacts.remove_from_group(queryset, form.cleaned_data["group"])
            return ngettext("%(n)s contact was removed.", "%(n)s contacts were removed.", n) % {"n": f"{n:,}"}

        return self._ask(request, queryset, "remove_from_group", _("Remove from a group"), GroupForm, act)

    @admin.action(description=gettext_lazy("Suppress …"), permissions=["suppress"])
    def suppress(self, request: HttpRequest, queryset: QuerySet[Contact]) -> HttpResponse | None:
        def act(form: forms.Form) -> str:
            n = contacts.suppress(queryset, by=request.user, **form.cleaned_data)
            return ngettext("%(n)s number is suppressed.", "%(n)s numbers are suppressed.", n) % {"n": f"{n:,}"}

        return self._ask(request, queryset, "suppress", _("Suppress"), SuppressForm, act)

    @admin.action(description=gettext_lazy("Send SMS …"), permissions=["send"])
    def send_sms(self, request: HttpRequest, queryset: QuerySet[Contact]) -> HttpResponse | None:
        form = QuickMessageForm(request.POST if "_confirmed" in request.POST else None)
        if form.is_bound and form.is_valid():
            campaign = send_quick_message(form, queryset, request)
            if campaign is not None:
                return HttpResponseRedirect(reverse("admin:messaging_campaign_review", args=[campaign.pk]))
        return self._form_page(request, queryset, "send_sms", _("Send SMS"), form)

    def has_suppress_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("messaging.add_suppressionentry")

    def has_send_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("messaging.add_campaign")

    def _ask(
        self, request: HttpRequest, queryset: QuerySet[Contact], name: str, title: str, form_class: Any, act: Any
    ) -> HttpResponse | None:
        form = form_class(request.POST if "_confirmed" in request.POST else None)
        if form.is_bound and form.is_valid():
            messages.success(request, act(form))
            return None
        return self._form_page(request, queryset, name, title, form)

    def _form_page(
        self, request: HttpRequest, queryset: QuerySet[Contact], name: str, title: str, form: forms.Form
    ) -> HttpResponse:
        return page(
            self,
            request,
            "messaging/bulk_action.html",
            title,
            form=form,
            action=name,
            selected=request.POST.getlist("_selected_action"),
            across=request.POST.get("select_across", "0"),
            how_many=queryset.count(),
            media=self.media + form.media,
        )

    # Import and export

    @action(description=gettext_lazy("Import a file"), url_path="import-file", permissions=["import_contacts"])
    def import_file(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:messaging_contactimport_add"))

    def has_import_contacts_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("messaging.add_contactimport")

    @action(description=gettext_lazy("Export CSV"), url_path="export-csv", permissions=["view"])
    def export_csv(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(f"{reverse('admin:messaging_contact_export')}?{request.GET.urlencode()}")

    def get_urls(self) -> list[URLPattern]:
        export = self.admin_site.admin_view(self.export_view)
        return [path("export/", export, name="messaging_contact_export"), *super().get_urls()]

    def export_view(self, request: HttpRequest) -> StreamingHttpResponse:
        """Streamed row by row: a million contacts take no more memory than one."""
        require(request, "messaging.view_contact")
        found = Contact.objects.all()
        if group := request.GET.get("group", ""):
            found = found.filter(groups=int(group)) if group.isdigit() else found.none()
        if country := request.GET.get("country", ""):
            found = found.filter(country=country)
        answer = StreamingHttpResponse(exports.csv_lines(found), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="contacts.csv"'
        return answer


@admin.register(ContactGroup)
class ContactGroupAdmin(ModelAdmin):
    list_display = ["name", "members", "description", "created_at"]
    search_fields = ["name"]
    fields = ["name", "description"]
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[ContactGroup]:
        return super().get_queryset(request).filter(is_ad_hoc=False).annotate(n=Count("contacts"))

    @display(description=gettext_lazy("contacts"))
    def members(self, group: ContactGroup) -> str:
        return f"{group.n:,}"

    def has_delete_permission(self, request: HttpRequest, obj: ContactGroup | None = None) -> bool:
        used = obj is not None and obj.campaigns.exists()
        return not used and super().has_delete_permission(request, obj)


class SuppressionForm(forms.ModelForm):
    numbers = forms.CharField(
        label=gettext_lazy("Numbers"),
        help_text=gettext_lazy("One a line, with their country code."),
        widget=UnfoldAdminTextareaWidget,
    )

    class Meta:
        model = SuppressionEntry
        fields = ["channel", "reason", "note"]

    def clean_numbers(self) -> list[str]:
        good, bad = contacts.read_numbers(self.cleaned_data["numbers"])
        if bad:
            raise ValidationError(bad[:10])
        return good


@admin.register(SuppressionEntry)
class SuppressionEntryAdmin(ModelAdmin):
    list_display = ["number", "channel", "reason", "note", "created_by", "created_at"]
    list_filter = ["channel", "reason"]
    search_fields = ["=number"]
    list_select_related = ["created_by"]
    paginator = BigTablePaginator
    show_full_result_count = False
    list_per_page = 50

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = SuppressionForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["numbers" if obj is None else "number", "channel", "reason", "note"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [] if obj is None else ["number", "channel"]

    def save_model(self, request: HttpRequest, obj: SuppressionEntry, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        given = form.cleaned_data
        contacts.suppress_numbers(
            given["numbers"], channel=given["channel"], reason=given["reason"], note=given["note"], by=request.user
        )
        stored = SuppressionEntry.objects.get(number=given["numbers"][0], channel=given["channel"])
        obj.pk, obj.number = stored.pk, stored.number
