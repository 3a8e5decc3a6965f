"""Contacts: the list with what can be done to many at once, and a page for each."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ORDER_VAR
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from laaffic_console.exporting import delivery, lists
from laaffic_console.exporting.exported_list import ExportedList
from laaffic_console.gateway.models import Application, Channel
from laaffic_console.kit.admin.console_admin import ModelAdmin
from laaffic_console.kit.admin.page_links import PageLink
from laaffic_console.kit.forms.shared_rows import SharedRowAdmin
from laaffic_console.kit.lists.paginator import BigTablePaginator
from laaffic_console.kit.masking.masked_admin import MaskedNumbers, number_cell
from laaffic_console.kit.pages import own_page, require
from laaffic_console.kit.registers.search_kinds import Query
from laaffic_console.kit.words.figures import number
from laaffic_console.kit.words.people import signed_in
from messaging import msisdn
from messaging.admin.composing.quick_message import QuickMessageForm, send_quick_message
from messaging.admin.contacts import people
from messaging.admin.contacts.contact_filters import CountryFilter, GroupFilter, ImportFilter, in_order_of_members
from messaging.admin.contacts.contact_form import ContactForm
from messaging.admin.contacts.suppression import SuppressForm, outcome_words
from messaging.admin.shared import bulk_actions
from messaging.models import Contact, ContactGroup, Message, Reply, SuppressionEntry, SuppressionRelease
from messaging.people import contact_actions
from messaging.registered import person_acts
from messaging.services.contacts import consents, contacts, erasures, people_search, suppression
from messaging.subscribers import spellings

VALIDITY_COLOURS = {Contact.Validity.VALID: "success", Contact.Validity.POSSIBLE: "warning"}


class GroupForm(forms.Form):
    group = forms.ModelChoiceField(
        ContactGroup.objects.filter(is_ad_hoc=False),
        empty_label=gettext_lazy("Select value"),
        label=gettext_lazy("Group"),
        widget=UnfoldAdminSelectWidget,
    )


@admin.register(Contact)
class ContactAdmin(MaskedNumbers, ExportedList, SharedRowAdmin, ModelAdmin):
    when_empty = gettext_lazy("Import a list, CSV or XLSX, or add a contact by hand.")
    when_empty_link = PageLink(
        "admin:messaging_contactimport_add", gettext_lazy("Import contacts"), "messaging.add_contactimport"
    )
    form = ContactForm
    masked = ("number", "email")
    typed = ("name", "attributes")
    export_name = "contacts"
    list_display = ["shown_number", "name", "country", "shown_validity", "language", "in_groups", "created_at"]
    list_filter = [GroupFilter, CountryFilter, "validity", ImportFilter]
    list_filter_submit = True  # the group is typed
    read_for_columns = {"in_groups": "groups"}
    search_fields = ["number"]
    search_help_text = gettext_lazy("Any part of a number or of a name, or the beginning of an email address")
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
    list_links = (when_empty_link,)
    change_form_outer_before_template = "messaging/people/contact_acts.html"
    change_form_outer_after_template = "messaging/people/contact_facts.html"
    fieldsets = [
        (None, {"fields": [("number", "name"), ("email", "language"), "member_of", "attributes"]}),
    ]

    def arranged(self, found: QuerySet[Contact]) -> QuerySet[Contact]:
        return in_order_of_members(found)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Contact], search_term: str
    ) -> tuple[QuerySet[Contact], bool]:
        """Search contacts with the same rules as the search of the whole console."""
        query = Query.read(search_term)
        if not query.text:
            return queryset, False
        found = people_search.narrow(queryset, query)
        return found.order_by(*queryset.query.order_by) if ORDER_VAR in request.GET else found, False

    @display(description=gettext_lazy("number"), ordering="number")
    def shown_number(self, contact: Contact) -> str:
        return str(number_cell(contact.number))

    @display(description=gettext_lazy("validity"), label=VALIDITY_COLOURS)
    def shown_validity(self, contact: Contact) -> tuple[str, str]:
        return contact.validity, contact.get_validity_display()

    @display(description=gettext_lazy("groups"))
    def in_groups(self, contact: Contact) -> str:
        return ", ".join(group.name for group in contact.groups.all() if not group.is_ad_hoc)

    def get_urls(self) -> list[URLPattern]:
        send = self.admin_site.admin_view(self.send_view)
        return [
            *people.urls(self),
            path("<int:pk>/send-sms/", send, name="messaging_contact_send"),
            *super().get_urls(),
        ]

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
        may_see_suppression = request.user.has_perm("messaging.view_suppressionentry")
        numbers = spellings(contact.number)
        received = Message.objects.filter(number=contact.number).select_related("campaign").order_by("-pk")
        return {
            "contact": contact,
            "person_acts": person_acts.offered(request.user, contact.number, contact),
            "time_zones": contact.time_zones.split(",")[:6] if contact.time_zones else [],
            "replies": Reply.objects.filter(number__in=numbers).select_related("campaign")[:20]
            if request.user.has_perm("messaging.view_reply")
            else None,
            "received": received[:20] if may_see_messages else None,
            "entries": SuppressionEntry.objects.filter(number__in=numbers).select_related("created_by")
            if may_see_suppression
            else None,
            "consents": consents.of_person(contact.number) if request.user.has_perm("messaging.view_consent") else None,
            "may_say": request.user.has_perm("messaging.change_consent"),
            "releases": SuppressionRelease.objects.filter(number__in=numbers).select_related("released_by")[:20]
            if may_see_suppression
            else None,
        }

    def save_model(self, request: HttpRequest, obj: Contact, form: Any, change: bool) -> None:
        """A number that is new here may be that of a person who was erased: only a person knows if that is meant."""
        super().save_model(request, obj, form, change)
        if "number" in form.changed_data and erasures.is_of_erased(obj.number):
            said = _("This person was erased before, and is known again. Erase them again if that was not meant.")
            messages.warning(request, said)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        contacts.set_groups(form.instance, form.cleaned_data["member_of"])

    # Bulk actions: each asks in a form of its own, and works on the selection as a set

    @admin.action(description=gettext_lazy("Add to a group …"), permissions=["change"])
    def add_to_group(self, request: HttpRequest, queryset: QuerySet[Contact]) -> HttpResponse | None:
        def act(form: forms.Form, chosen: QuerySet[Contact]) -> str:
            n = contacts.add_to_group(chosen, form.cleaned_data["group"])
            return ngettext("%(n)s contact is in the group.", "%(n)s contacts are in the group.", n) % {"n": number(n)}

        return self._ask(request, queryset, "add_to_group", _("Add to a group"), GroupForm, act)

    @admin.action(description=gettext_lazy("Remove from a group …"), permissions=["change"])
    def remove_from_group(self, request: HttpRequest, queryset: QuerySet[Contact]) -> HttpResponse | None:
        def act(form: forms.Form, chosen: QuerySet[Contact]) -> str:
            n = contacts.remove_from_group(chosen, form.cleaned_data["group"])
            return ngettext("%(n)s contact was removed.", "%(n)s contacts were removed.", n) % {"n": number(n)}

        return self._ask(request, queryset, "remove_from_group", _("Remove from a group"), GroupForm, act)

    @admin.action(description=gettext_lazy("Suppress …"), permissions=["suppress"])
    def suppress(self, request: HttpRequest, queryset: QuerySet[Contact]) -> HttpResponse | None:
        def act(form: forms.Form, chosen: QuerySet[Contact]) -> str:
            return outcome_words(suppression.suppress_contacts(chosen, by=signed_in(request), **form.cleaned_data))

        return self._ask(request, queryset, "suppress", _("Suppress"), SuppressForm, act)

    @admin.action(description=gettext_lazy("Send SMS …"), permissions=["send"])
    def send_sms(self, request: HttpRequest, queryset: QuerySet[Contact]) -> HttpResponse | None:
        return self._send(request, queryset)

    def send_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Write an SMS to one contact, from the button on their page."""
        require(request, "messaging.view_contact", "messaging.add_campaign")
        contact = get_object_or_404(Contact, pk=pk)
        page = own_page(contact)
        return self._send(request, Contact.objects.filter(pk=contact.pk), address=request.path, back=page)

    def _send(self, request: HttpRequest, queryset: QuerySet[Contact], **around: str) -> HttpResponse:
        form = QuickMessageForm(request.POST if "_confirmed" in request.POST else None)
        if form.is_bound and form.is_valid():
            campaign = send_quick_message(form, queryset, request)
            if campaign is not None:
                return HttpResponseRedirect(own_page(campaign, "review"))
        return bulk_actions.form_page(
            self, request, queryset, action="send_sms", title=_("Send SMS"), form=form, button=_("Review"), **around
        )

    @admin.action(description=gettext_lazy("Delete …"), permissions=["delete"])
    def delete_chosen(self, request: HttpRequest, queryset: QuerySet[Contact]) -> HttpResponse | None:
        def act(form: forms.Form, chosen: QuerySet[Contact]) -> str:
            n = contacts.delete(chosen)
            return ngettext("%(n)s contact was deleted.", "%(n)s contacts were deleted.", n) % {"n": number(n)}

        return bulk_actions.ask(
            self,
            request,
            queryset,
            action="delete_chosen",
            title=_("Delete contacts"),
            form_class=bulk_actions.NoQuestion,
            act=act,
            explanation=_("Their messages stay, and suppressed people stay suppressed. This cannot be undone."),
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
        act: bulk_actions.Act,
    ) -> HttpResponse | None:
        return bulk_actions.ask(self, request, queryset, action=name, title=title, form_class=form_class, act=act)

    # Import and export

    @admin.action(description=gettext_lazy("Export as CSV"), permissions=["export"])
    def export_chosen_csv(self, request: HttpRequest, queryset: QuerySet[Contact]) -> Any:
        return self._export_chosen(request, queryset, "csv")

    @admin.action(description=gettext_lazy("Export as XLSX"), permissions=["export"])
    def export_chosen_xlsx(self, request: HttpRequest, queryset: QuerySet[Contact]) -> Any:
        return self._export_chosen(request, queryset, "xlsx")

    def _export_chosen(self, request: HttpRequest, queryset: QuerySet[Contact], kind: str) -> Any:
        """Export the ticked rows, or the whole list as it is filtered if "select all" was used."""
        if request.POST.get("select_across") == "1":
            return self.export_list(request, kind)
        parameters = {"ids": sorted(queryset.order_by().values_list("pk", flat=True)[: lists.CHOSEN])}
        return delivery.deliver(request, lists.name_of(Contact), parameters, kind, file_name=self.export_name, back=".")


def sms_form(number: str, contact: Contact | None) -> str:
    """Where an SMS to one person is written: to a contact, or to a number without one; "" where none can be sent."""
    if not Application.objects.filter(channel=Channel.SMS, is_active=True).exists():
        return ""
    if not msisdn.is_valid(f"+{number}"):
        return ""
    if contact is not None:
        return own_page(contact, "send")
    return f"{reverse('admin:messaging_campaign_add')}?{urlencode({'numbers': f'+{number}'})}"
