"""A person's page: contact, consent, groups and everything that was ever sent, said and called, newest first."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from laaffic_console.gateway.models.channels import choices_of
from laaffic_console.kit.files import exports
from laaffic_console.kit.files.exporting import require_export
from laaffic_console.kit.masking import masks
from laaffic_console.kit.pages import add_problems, page, require
from laaffic_console.kit.words.people import signed_in
from laaffic_console.kit.words.said import gettext as _
from messaging import msisdn
from messaging.models import ConsentState, Contact, Conversation, SuppressionEntry
from messaging.people import person_timeline
from messaging.people.person_links import person_page
from messaging.registered import person_acts
from messaging.services.contacts import consents, people
from messaging.services.replies import opt_in_questions
from messaging.subscribers import subscriber

MAY_SEE = "messaging.view_contact"
MAY_ERASE = "messaging.erase_person"
MAY_SAY = "messaging.change_consent"


class EraseForm(forms.Form):
    why = forms.CharField(
        max_length=200,
        label=gettext_lazy("Why"),
        help_text=gettext_lazy("It is kept with your name and the number, as proof that it was done."),
        widget=UnfoldAdminTextInputWidget,
    )


class ConsentForm(forms.Form):
    channel = forms.ChoiceField(
        choices=lambda: choices_of(consents.CHANNELS),
        label=gettext_lazy("Channel"),
        widget=UnfoldAdminSelectWidget,
    )
    state = forms.ChoiceField(
        choices=ConsentState.choices, label=gettext_lazy("Consent"), widget=UnfoldAdminSelectWidget
    )
    why = forms.CharField(
        max_length=200,
        label=gettext_lazy("How you know"),
        help_text=gettext_lazy("Such as “signed the form in the shop on 3 May”. It is kept with your name."),
        widget=UnfoldAdminTextInputWidget,
    )


def urls(model_admin: "ModelAdmin[Any]") -> list[URLPattern]:
    wrap = model_admin.admin_site.admin_view
    return [
        path("person/<str:number>/", wrap(partial(person_view, model_admin)), name="messaging_person"),
        path("person/<str:number>/consent/", wrap(partial(consent_view, model_admin)), name="messaging_person_consent"),
        path("person/<str:number>/erase/", wrap(partial(erase_view, model_admin)), name="messaging_person_erase"),
        path(
            "person/<str:number>/export/<slug:kind>/",
            wrap(partial(export_view, model_admin)),
            name="messaging_person_export",
        ),
    ]


def person_view(model_admin: "ModelAdmin[Any]", request: HttpRequest, number: str) -> HttpResponse:
    require(request, MAY_SEE, masks.SEE)
    known = people.of(_checked(number))
    sources = person_timeline.sources_for(request.user)
    shown, following = person_timeline.page(known.person, sources, request.GET.get("before", ""))
    not_asked = opt_in_questions.not_made(number)
    sees_consent = request.user.has_perm("messaging.view_suppressionentry")
    entries = SuppressionEntry.objects.filter(number__in=known.person.numbers).select_related("created_by")
    return page(
        model_admin,
        request,
        "messaging/people/person.html",
        known.contacts[0].name or number if known.contacts else number,
        number=number,
        others=known.person.numbers[1:],
        contacts=known.contacts,
        person_acts=person_acts.offered(request.user, number, known.contacts[0] if known.contacts else None),
        groups=[
            group for contact in known.contacts[:1] for group in contact.groups.filter(is_ad_hoc=False).order_by("name")
        ],
        entries=entries if sees_consent else None,
        consents=consents.of_person(number) if request.user.has_perm("messaging.view_consent") else None,
        not_asked=not_asked,
        asked_perhaps=not_asked is not None and opt_in_questions.may_have_been_made(not_asked),
        may_say=request.user.has_perm(MAY_SAY),
        shown=shown,
        following=following,
        is_first="before" not in request.GET,
        conversation=Conversation.objects.filter(subscriber=subscriber(number)).first()
        if request.user.has_perm("messaging.view_conversation")
        else None,
        may_export=request.user.has_perms([MAY_SEE, "messaging.export_contact"]),
        may_erase=request.user.has_perm(MAY_ERASE),
        kinds=exports.KINDS,
    )


def erase_view(model_admin: "ModelAdmin[Any]", request: HttpRequest, number: str) -> HttpResponse:
    require(request, MAY_SEE, masks.SEE, MAY_ERASE)
    known = people.of(_checked(number))
    form = EraseForm(request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            done = people.erase(number, why=form.cleaned_data["why"], by=signed_in(request))
        except ValidationError as problem:
            add_problems(form, problem)
        else:
            said = _(
                "Erased: the contact, what was merged into messages (%(messages)d), texts of replies (%(replies)d)."
            )
            messages.success(request, said % {"messages": done.messages, "replies": done.replies})
            return HttpResponseRedirect(person_page(number))
    return page(
        model_admin,
        request,
        "messaging/people/person_erase.html",
        _("Erase a person"),
        form=form,
        number=number,
        contacts=known.contacts,
    )


def consent_view(model_admin: "ModelAdmin[Any]", request: HttpRequest, number: str) -> HttpResponse:
    """What somebody has told us by letter or on the telephone. Nothing is overwritten: all that was said is kept."""
    require(request, MAY_SEE, masks.SEE, MAY_SAY)
    known = people.of(_checked(number))
    form = ConsentForm(request.POST or None)
    seen = consents.last_said(number)
    if form.is_bound and request.POST.get("seen") != str(seen):
        said = _("Consent has been changed in the meantime: look at the person’s history, then note yours again.")
        form.add_error(None, said)
    if form.is_bound and form.is_valid():
        try:
            consents.set_by_hand(number, **form.cleaned_data, by=signed_in(request))
        except ValidationError as problem:
            add_problems(form, problem)
        else:
            messages.success(request, _("Consent is noted."))
            return HttpResponseRedirect(person_page(number))
    return page(
        model_admin,
        request,
        "messaging/people/person_consent.html",
        _("Note consent"),
        form=form,
        seen=seen,
        number=number,
        contacts=known.contacts,
    )


def export_view(
    model_admin: "ModelAdmin[Any]", request: HttpRequest, number: str, kind: str
) -> StreamingHttpResponse | HttpResponse:
    """The whole timeline, as far as the reader may see it."""
    require_export(request, Contact)
    require(request, masks.SEE)
    known = people.of(_checked(number))
    if kind not in exports.KINDS:
        raise Http404
    sources = person_timeline.sources_for(request.user)
    return exports.answer(_rows(known, sources), kind, f"person-{number}", _("Person"))


def _rows(known: people.Known, sources: list[person_timeline.Source]) -> exports.Rows:
    yield ["at", "kind", "what", "text"]
    for contact in known.contacts:
        facts = {"name": contact.name, "email": contact.email, "language": contact.language, **contact.attributes}
        for name, value in {"number": contact.number, **facts}.items():
            if value:
                yield [None, "contact", name, value]
    for shown in person_timeline.everything(known.person, sources):
        yield [shown.entry.at, str(shown.source.label), shown.entry.title, shown.entry.text]


def _checked(number: str) -> str:
    """The key of a person: digits with country code, as addresses of ours have it."""
    if not (number.isascii() and number.isdecimal()) or len(number) > msisdn.MAX_DIGITS:
        raise Http404
    return number
