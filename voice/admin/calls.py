"""Calls from a SIP phone: asked for in a form or from a contact, followed to their record."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from unfold.decorators import display

from laaffic_console.exporting.exported_list import ExportedList
from laaffic_console.gateway import shown_requests
from laaffic_console.gateway.again_form import AgainForm
from laaffic_console.gateway.models import EntryState
from laaffic_console.gateway.services.ledger import open_acts
from laaffic_console.kit.admin.read_only import ReadOnlyAdmin
from laaffic_console.kit.forms.form_fields import field_of
from laaffic_console.kit.lists.list_order import unsorted_where_many
from laaffic_console.kit.masking.masked_admin import MaskedNumbers
from laaffic_console.kit.masking.masks import masked, may_see
from laaffic_console.kit.masking.refusals_said import say_why
from laaffic_console.kit.pages import add_problems, may_see_contacts, own_page, page, posted_row, require
from laaffic_console.kit.registers import meanings
from laaffic_console.kit.registers.search_kinds import beginning_with
from laaffic_console.kit.words import plain_text
from laaffic_console.kit.words.people import signed_in
from messaging import msisdn
from messaging.models import Contact
from messaging.people.person_links import PersonColumn
from voice.admin.records import COLOURS, MAY_ASK, say_answer
from voice.models import SipCall, SipPhone
from voice.services.asking import lookups
from voice.services.calls import matching as call_matching
from voice.services.calls import sip_calls as calls
from voice.services.phones import sip_phones as phones

STATE_COLOURS = COLOURS | {
    EntryState.ACCEPTED: "info",
    EntryState.REFUSED: "danger",
    EntryState.NOT_SENT: "default",
    EntryState.UNKNOWN: "warning",
    EntryState.IN_FLIGHT: "info",
    EntryState.PREPARED: "default",
    "ringing": "info",
    EntryState.LAPSED: "default",
}

# Outcomes → the states whose colours they have on all pages.
TONES = {"answered": "delivered", "voicemail": "accepted", "no such number": "failed"}
TONES["ringing"] = "running"
TONES |= dict.fromkeys(["busy", "no answer", "declined"], "held")


class CallForm(AgainForm):
    phone = forms.ModelChoiceField(
        SipPhone.objects.none(),
        empty_label=gettext_lazy("Select value"),
        label=pgettext_lazy("phone", "From"),
        help_text=gettext_lazy("This SIP phone rings first."),
    )
    callee = forms.CharField(
        label=gettext_lazy("Number"),
        max_length=40,
        help_text=gettext_lazy("With its country code, like +91 98765 43210."),
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    display_number = forms.CharField(
        label=gettext_lazy("Display number"),
        required=False,
        max_length=40,
        help_text=gettext_lazy("What the callee sees, 7 to 15 digits. Left empty: the phone's own."),
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        usable = phones.usable()
        field_of(self, "phone", forms.ModelChoiceField).queryset = usable
        if "phone" not in self.initial and len(only := usable[:2]) == 1:
            self.initial["phone"] = only[0].pk


@admin.register(SipCall)
class SipCallAdmin(MaskedNumbers, PersonColumn, ExportedList, ReadOnlyAdmin):
    when_empty = gettext_lazy("Call a contact from a SIP phone: Laaffic rings the phone first, then the contact.")
    export_name = "sip-calls"
    number_column = "callee"
    masked = ("callee",)
    list_display = ["callee", "contact", "account", "state", "talked", "created_at", "requested_by"]
    list_filter = [("entry__state", admin.ChoicesFieldListFilter)]
    list_select_related = ["contact", "entry", "record", "requested_by"]
    search_fields = ["callee"]
    search_help_text = gettext_lazy("The beginning of a number")

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        shown = list(super().get_list_display(request))
        return shown if may_see_contacts(request) else [column for column in shown if column != "contact"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("voice.add_sipcall"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[SipCall], search_term: str
    ) -> tuple[QuerySet[SipCall], bool]:
        digits = plain_text.digits_of(search_term) or search_term.strip()
        if not digits:
            return queryset, False
        return unsorted_where_many(request, queryset.filter(beginning_with("callee", digits)), "callee", "-pk"), False

    @display(description=gettext_lazy("state"), label=STATE_COLOURS)
    def state(self, asked: SipCall) -> tuple[str, str]:
        state, words = state_of(asked)
        return state, meanings.inline("call", state, words)

    @display(description=gettext_lazy("talked"))
    def talked(self, asked: SipCall) -> str:
        said = asked.record.duration if asked.record else None
        return "–" if said is None else _("%(n)d s") % {"n": said}

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/again/", wrap(self.again_view), name="voice_sipcall_again"),
            path("<int:pk>/ask/", wrap(self.ask_view), name="voice_sipcall_ask"),
            path("<int:pk>/resolve/", wrap(self.resolve_view), name="voice_sipcall_resolve"),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        require(request, "voice.add_sipcall")
        form = CallForm(request.POST or None, initial=self._initial(request))
        if form.is_bound and form.is_valid():
            try:
                asked = calls.place(**form.cleaned_data, by=signed_in(request))
            except ValidationError as problem:
                add_problems(form, problem)
            else:
                say(request, asked)
                return HttpResponseRedirect(own_page(asked))
        return page(self, request, "voice/call_form.html", _("Call from a SIP phone"), form=form)

    def _initial(self, request: HttpRequest) -> dict[str, Any]:
        """The phone and the number of the link's query; a contact's number only for users who may see contacts."""
        given: dict[str, Any] = {}
        if chosen := plain_text.whole_number(request.GET.get("phone", "")):
            given["phone"] = chosen
        digits = plain_text.digits_of(request.GET.get("callee", ""))
        if 0 < len(digits) <= msisdn.MAX_DIGITS:
            given["callee"] = f"+{digits}"
        contact = plain_text.whole_number(request.GET.get("contact", ""))
        if contact is not None and may_see_contacts(request) and may_see():
            given["callee"] = Contact.objects.filter(pk=contact).values_list("number", flat=True).first() or ""
        return given

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        asked = self.get_object(request, object_id)
        if asked is None:
            raise Http404
        if not self.has_view_permission(request, asked):
            raise PermissionDenied
        may_add = self.has_add_permission(request)
        state = asked.entry.state if asked.entry else None
        may_try = may_add and (state is None or state in call_matching.MAY_TRY_AGAIN)
        return page(
            self,
            request,
            "voice/call.html",
            masked(asked.callee),
            asked=asked,
            contact=asked.contact if may_see_contacts(request) else None,
            state=state_of(asked),
            tone=TONES.get(state_of(asked)[0], state_of(asked)[0]),
            advice=calls.advice(asked),
            is_waiting=asked.look_at is not None and asked.record_id is None,
            **shown_requests.about(call_matching.ABOUT, asked.pk, request.user),
            may_ask=state is not None and request.user.has_perm(MAY_ASK),
            may_try=may_try,
            asks_why=may_try and calls.open_like(asked) is not None,
            may_resolve=may_add and state in call_matching.UNSETTLED,
        )

    def again_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        require(request, "voice.view_sipcall", "voice.add_sipcall")
        asked = self._posted(request, pk)
        try:
            say(request, calls.try_again(asked.pk, again=request.POST.get(open_acts.FIELD, ""), by=signed_in(request)))
        except ValidationError as problem:
            say_why(request, problem)
        return HttpResponseRedirect(own_page(asked))

    def resolve_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        require(request, "voice.view_sipcall", "voice.add_sipcall")
        asked = self._posted(request, pk)
        why = request.POST.get("why", "").strip()
        if not why:
            messages.error(request, _("Say how you know it: it is kept with the request."))
            return HttpResponseRedirect(own_page(asked))
        settle = calls.it_rang if request.POST.get("word") == "rang" else calls.did_not_ring
        try:
            seen = plain_text.whole_number(request.POST.get("seen", "")) or 0
            settle(asked.pk, why=why[:150], by=signed_in(request), seen=seen)
        except ValidationError as problem:
            say_why(request, problem)
        return HttpResponseRedirect(own_page(asked))

    def ask_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        require(request, "voice.view_sipcall", MAY_ASK)
        asked = self._posted(request, pk)
        say_answer(request, lambda: lookups.about_call(asked))
        return HttpResponseRedirect(own_page(asked))

    def _posted(self, request: HttpRequest, pk: int) -> SipCall:
        return posted_row(request, self.get_queryset(request), pk)


def call_contact(model_admin: Any, request: HttpRequest, chosen: QuerySet[Contact]) -> HttpResponse | None:
    """The contacts' action “call”: one contact at a time, as a person has to pick up the SIP phone."""
    require(request, "voice.add_sipcall", "messaging.view_contact")
    found = list(chosen.values_list("pk", flat=True)[:2])
    if len(found) != 1:
        messages.error(request, _("Choose one contact: a SIP phone makes one call at a time."))
        return None
    return HttpResponseRedirect(f"{reverse('admin:voice_sipcall_add')}?contact={found[0]}")


def call_form(number: str, contact: Contact | None) -> str:
    """Address of the form that calls this person, with the number filled in; "" if no call can be made."""
    if not may_see() or not phones.usable().exists():
        return ""
    try:
        calls.number_of(f"+{number}")
    except ValidationError:
        return ""
    return f"{reverse('admin:voice_sipcall_add')}?{urlencode({'callee': f'+{number}'})}"


def state_of(asked: SipCall) -> tuple[str, str]:
    """(state, words): the record's outcome if there is a record, else the state of the request."""
    if asked.record is not None:
        return asked.record.outcome, asked.record.get_outcome_display()
    if asked.entry is None:
        return EntryState.PREPARED, _("not made yet")
    if calls.rings(asked):
        return "ringing", _("ringing")
    if asked.entry.state == EntryState.ACCEPTED and asked.ringing_at is not None:
        return EntryState.ACCEPTED, _("rang, in progress") if asked.look_at else _("rang, no record")
    if asked.entry.state == EntryState.ACCEPTED:
        return EntryState.ACCEPTED, _("taken, in progress") if asked.look_at else _("taken, no record")
    return asked.entry.state, asked.entry.get_state_display()


def say(request: HttpRequest, asked: SipCall) -> None:
    if asked.entry is not None and asked.entry.state == EntryState.ACCEPTED:
        messages.success(request, _("The SIP phone %(account)s is ringing: answer it.") % {"account": asked.account})
