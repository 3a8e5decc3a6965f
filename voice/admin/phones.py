"""SIP phones: the list, adding phones, new passwords."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from unfold.decorators import display

from laaffic_console.gateway.copied_lists import CopiedListAdmin
from laaffic_console.gateway.models import Application, Channel, EntryState
from laaffic_console.kit.forms.form_fields import field_of
from laaffic_console.kit.masking.refusals_said import say_why
from laaffic_console.kit.pages import add_problems, own_page, page, require
from laaffic_console.kit.words.people import signed_in
from voice.models import SipPhone
from voice.services import syncing
from voice.services.phones import changes as phone_changes
from voice.services.phones import evidence as phone_evidence
from voice.services.phones import sip_phones as phones

LIST = "admin:voice_sipphone_changelist"
MAY_CHANGE = "voice.provision_sipphone"


class AddPhonesForm(forms.Form):
    application = forms.ModelChoiceField(
        Application.objects.none(), empty_label=gettext_lazy("Select value"), label=gettext_lazy("Application")
    )
    group = forms.CharField(label=gettext_lazy("Group"), max_length=32, help_text=gettext_lazy("4 to 32 characters."))
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=32,
        help_text=gettext_lazy("4 to 32 characters, in this application not used yet."),
    )
    quantity = forms.IntegerField(
        label=gettext_lazy("How many"), initial=1, min_value=1, max_value=50, help_text=gettext_lazy("1 to 50.")
    )
    display_number = forms.CharField(
        label=gettext_lazy("Display number"),
        required=False,
        max_length=40,
        help_text=gettext_lazy("What callees see, 7 to 13 digits."),
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ours = Application.objects.filter(channel=Channel.VOICE, is_active=True)
        field_of(self, "application", forms.ModelChoiceField).queryset = ours
        if len(only := ours[:2]) == 1:
            self.initial["application"] = only[0].pk


@admin.register(SipPhone)
class SipPhoneAdmin(CopiedListAdmin):
    """Phones as Laaffic lists them, without their passwords."""

    when_empty = gettext_lazy("Synchronise to read your phones from Laaffic, or add some.")

    list_display = [
        "account",
        "name",
        "group_name",
        "display_number",
        "application",
        "state",
        "new_password",
        "call_from_it",
    ]
    list_filter = [("application", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["application"]
    search_fields = ["account", "name"]
    change_form_outer_before_template = "voice/phone_acts.html"
    copies = syncing.COPIES
    sync_permission = "voice.add_sipcall"

    def sync_names(self) -> list[str]:
        return phones.names()

    @display(description=gettext_lazy("state"), label={"listed": "success", "gone": "default"})
    def state(self, phone: SipPhone) -> tuple[str, str]:
        return ("listed", _("Listed")) if phone.gone_at is None else ("gone", _("Gone"))

    @display(description="")
    def call_from_it(self, phone: SipPhone) -> SafeString | str:
        if phone.gone_at is not None:
            return ""
        address = f"{reverse('admin:voice_sipcall_add')}?phone={phone.pk}"
        return format_html('<a class="c-link" href="{}">{}</a>', address, _("Call"))

    @display(description="")
    def new_password(self, phone: SipPhone) -> SafeString | str:
        if phone.gone_at is not None:
            return ""
        address = own_page(phone, "password")
        return format_html('<a class="c-link" href="{}">{}</a>', address, _("Reset password"))

    def get_list_display(self, request: HttpRequest) -> Any:
        needs = {"call_from_it": "voice.add_sipcall", "new_password": MAY_CHANGE}
        shown = [str(column) for column in super().get_list_display(request)]
        return [column for column in shown if column not in needs or request.user.has_perm(needs[column])]

    # Adding, and new passwords

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(never_cache(self.password_view))
        return [path("<int:pk>/password/", view, name="voice_sipphone_password"), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(MAY_CHANGE))

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        require(request, MAY_CHANGE)
        form = AddPhonesForm(request.POST or None)
        if form.is_bound and form.is_valid():
            try:
                entry = phone_changes.add(**form.cleaned_data, by=signed_in(request))
            except ValidationError as problem:
                add_problems(form, problem)
            else:
                say_added(request, entry.state == EntryState.ACCEPTED)
                return HttpResponseRedirect(reverse(LIST))
        ours = [application.pk for application in syncing.COPIES.applications()]
        requests = phone_evidence.latest(phone_evidence.ADDED, ours)
        return page(self, request, "voice/phones_add.html", _("Add SIP phones"), form=form, requests=requests)

    def password_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """GET asks for confirmation; the answer to POST is the only page that ever shows the password."""
        require(request, "voice.view_sipphone", MAY_CHANGE)
        phone = get_object_or_404(SipPhone.objects.select_related("application"), pk=pk)
        made = None
        if request.method == "POST":
            try:
                made = phone_changes.reset(phone, by=signed_in(request))
            except ValidationError as problem:
                say_why(request, problem)
                return HttpResponseRedirect(reverse("admin:voice_sipphone_password", args=[pk]))
            request.made_at = reverse("admin:voice_sipphone_password", args=[pk])  # type: ignore[attr-defined]  # for sent_once.py
        requests = phone_evidence.latest(phone_evidence.RESET, [pk])
        return page(
            self, request, "voice/phone_password.html", phone.account, phone=phone, made=made, requests=requests
        )


def say_added(request: HttpRequest, is_accepted: bool) -> None:
    if is_accepted:
        messages.success(request, _("Laaffic has added them. The list shows their accounts when it has been read."))
    else:
        lost = _(
            "Laaffic's answer was lost: whether they were added is not known. Not asked again; the list will show them."
        )
        messages.warning(request, lost)
