"""Conversations: the list of who has written, one conversation with its answer box, and saved answers."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from laaffic_console.gateway.services.ledger import open_acts
from laaffic_console.kit.admin.console_admin import ModelAdmin
from laaffic_console.kit.admin.read_only import ReadOnlyAdmin
from laaffic_console.kit.forms.shared_rows import SharedRowAdmin
from laaffic_console.kit.masking import masks
from laaffic_console.kit.masking.masked_admin import MaskedNumbers, reveal_link
from laaffic_console.kit.masking.masks import masked
from laaffic_console.kit.masking.refusals_said import say_why
from laaffic_console.kit.pages import add_problems, may_see_contacts, own_page, page, page_of, require
from laaffic_console.kit.words import dates
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.people import signed_in
from laaffic_console.kit.words.plain_text import whole_number
from messaging.admin.composing.quick_message import QuickMessageForm
from messaging.admin.shared.text_widget import TextWidget
from messaging.models import Contact, Conversation, SavedAnswer
from messaging.people import person_timeline
from messaging.services.campaigns import answering, saved_answers
from messaging.services.contacts import people
from messaging.services.figures import thread
from messaging.services.replies import conversation_lists, conversations
from messaging.services.replies.replies import contacts_of

MAY_SEE, MAY_ANSWER, MAY_ASSIGN = thread.SEE, conversations.ANSWER, "messaging.assign_conversation"
SHOWN = 50
BADGE = 100
SAVED = 50  # answers beside the box
VIEWS = {
    "open": pgettext_lazy("state", "Open"),
    "mine": gettext_lazy("Mine"),
    "unassigned": gettext_lazy("Unassigned"),
    "unread": gettext_lazy("Unread"),
    "done": gettext_lazy("Done"),
}


class AnswerWidget(TextWidget):
    """Lower, as it is at the foot of a phone's page."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, value, {"rows": 3, **(attrs or {})})


class AnswerForm(QuickMessageForm):
    text = forms.CharField(
        label=gettext_lazy("Answer"), widget=AnswerWidget(attrs={"placeholder": gettext_lazy("Write an answer")})
    )
    again = forms.CharField(
        required=False,
        max_length=open_acts.LONGEST_REASON,
        label=gettext_lazy("Why it is sent anyway"),
        widget=UnfoldAdminTextInputWidget,
    )


class NoteForm(forms.Form):
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=conversations.LONGEST_NOTE,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=gettext_lazy("For us alone: it is never sent."),
    )

    def clean_note(self) -> str:
        return conversations.checked_note(self.cleaned_data["note"])


class AssignForm(forms.Form):
    to = forms.ModelChoiceField(
        User.objects.none(),
        required=False,
        label=gettext_lazy("Assigned to"),
        empty_label=gettext_lazy("Nobody"),
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = conversations.who_may_answer()  # type: ignore[attr-defined]  # a ModelChoiceField


@admin.register(Conversation)
class ConversationAdmin(MaskedNumbers, ReadOnlyAdmin):
    when_empty = gettext_lazy("Nobody has written yet. Everyone who answers a message has a conversation here.")
    masked = ("number",)
    list_display = ["number", "last_said", "state", "unread", "last_at"]
    search_fields = ["number"]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/answer/", wrap(self.answer_view), name="messaging_conversation_answer"),
            path("<int:pk>/note/", wrap(self.note_view), name="messaging_conversation_note"),
            path("<int:pk>/assign/", wrap(self.assign_view), name="messaging_conversation_assign"),
            path("<int:pk>/do/<slug:verb>/", wrap(self.do_view), name="messaging_conversation_do"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        require(request, MAY_SEE)
        view = request.GET.get("show", "")
        view = view if view in VIEWS else conversation_lists.USUAL
        asked = request.GET.get("q", "").strip()[:100]
        found = conversation_lists.of(signed_in(request), view, asked, by_contact=may_see_contacts(request))
        shown, following = conversation_lists.page(found, request.GET.get("before", ""), SHOWN)
        known = contacts_of(shown) if may_see_contacts(request) else {}
        unread = conversations.unread_for(signed_in(request), BADGE)
        return page(
            self,
            request,
            "messaging/conversations/conversations.html",
            _("Conversations"),
            rows=[(one, _name_of(one, known.get(one.number))) for one in shown],
            following=following,
            view=view,
            views=VIEWS.items(),
            asked=asked,
            is_first="before" not in request.GET,
            when_empty=self.when_empty,
            says=ngettext("%(n)d unread conversation", "%(n)d unread conversations", unread) % {"n": unread},
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        require(request, MAY_SEE)
        return self._thread(request, _found(object_id))

    def _thread(
        self,
        request: HttpRequest,
        conversation: Conversation,
        answer: AnswerForm | None = None,
        note: NoteForm | None = None,
    ) -> HttpResponse:
        may_answer = request.user.has_perm(MAY_ANSWER)
        known = people.of(conversation.number)
        sources = [source for source in thread.SOURCES if request.user.has_perm(source.right)]
        before = request.GET.get("before", "")
        shown, following = person_timeline.page(known.person, sources, before, thread.PAGE)
        contact = known.contacts[0] if known.contacts and may_see_contacts(request) else None
        stopped = answering.suppressed(conversation)
        return page(
            self,
            request,
            "messaging/conversations/conversation.html",
            _name_of(conversation, contact),
            conversation=conversation,
            number=masked(conversation.number),
            reveal=reveal_link(request, conversation),
            contact=contact,
            may_see_person=contact is not None and masks.may_see(),
            shown=shown[::-1],
            # A refused answer shows this page at an address that takes no GET.
            address=own_page(conversation),
            following=following,
            is_newest=not before,
            stopped=stopped,
            answer=(answer or _answer_form(conversation)) if may_answer and not stopped and not before else None,
            note=(note or NoteForm()) if may_answer else None,
            assign=AssignForm(initial={"to": conversation.assigned_to_id})
            if request.user.has_perm(MAY_ASSIGN)
            else None,
            may_answer=may_answer,
            saved=SavedAnswer.objects.all()[:SAVED] if may_answer and not stopped else [],
            says=_("Last reply %(when)s: %(text)s")
            % {"when": f"{localtime(conversation.last_at):%H:%M:%S}", "text": conversation.last_said},
        )

    def answer_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        require(request, MAY_SEE, MAY_ANSWER)
        conversation = _posted(request, pk)
        form = AnswerForm(request.POST)
        if form.is_valid():
            given = form.cleaned_data
            way = answering.Way(given["application"], given["sender_id"])
            try:
                _sent, waits = answering.answer(
                    conversation,
                    way=way,
                    text=given["text"],
                    again=given["again"],
                    shown=_shown(request),
                    by=signed_in(request),
                )
            except ValidationError as problem:
                add_problems(form, problem)
            else:
                if waits:
                    messages.warning(request, _("Nothing has left yet. %(why)s") % {"why": masks.in_text(waits)})
                return _back(pk, taken="answer")
        return self._thread(request, conversation, answer=form)

    def note_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        require(request, MAY_SEE, MAY_ANSWER)
        conversation = _posted(request, pk)
        form = NoteForm(request.POST)
        if not form.is_valid():
            return self._thread(request, conversation, note=form)
        conversations.note(pk, form.cleaned_data["note"], by=signed_in(request))
        return _back(pk, taken="note")

    def assign_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        require(request, MAY_SEE, MAY_ASSIGN)
        _posted(request, pk)
        form = AssignForm(request.POST)
        if not form.is_valid():
            messages.error(request, _("Choose somebody who may answer conversations."))
            return _back(pk)
        try:
            conversations.assign(pk, to=form.cleaned_data["to"], by=signed_in(request))
        except NotNow as problem:
            say_why(request, problem)
        return _back(pk)

    def do_view(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        require(request, MAY_SEE, MAY_ANSWER)
        _posted(request, pk)
        by = signed_in(request)
        match verb:
            case "take":
                try:
                    conversations.take(pk, by=by)
                except NotNow as problem:
                    say_why(request, problem)
            case "reopen":
                conversations.reopen(pk, by=by)
            case "done":
                try:
                    conversations.finish(pk, by=by, shown=_shown(request))
                except NotNow as problem:
                    messages.warning(request, masks.in_text(problem))
                    return _back(pk)
            case "unread":
                conversations.mark_unread(pk)
            case "seen":
                return _seen(request, pk)
            case _:
                raise Http404
        if verb in ("done", "unread"):
            return HttpResponseRedirect(reverse("admin:messaging_conversation_changelist"))
        return _back(pk)


def _name_of(conversation: Conversation, contact: Contact | None) -> str:
    return contact.shown_name if contact and contact.name else str(masked(conversation.number))


def _found(object_id: str) -> Conversation:
    pk = whole_number(object_id)
    found = Conversation.objects.select_related("assigned_to").filter(pk=pk).first() if pk is not None else None
    if found is None:
        raise Http404
    return found


def _posted(request: HttpRequest, pk: int) -> Conversation:
    if request.method != "POST":
        raise Http404
    return _found(str(pk))


def _seen(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark as read what the page showed; conversations.js posts this once the newest reply is in view."""
    if (shown := _shown(request)) is not None:
        unread, last_at = shown
        conversations.seen(pk, unread=unread, last_at=last_at)
    return HttpResponse(status=204)


def _shown(request: HttpRequest) -> tuple[int, dt.datetime] | None:
    """(unread, moment of the last reply), as the page showed them; None if the request does not say."""
    unread, last_at = whole_number(request.POST.get("unread", "")), dates.read(request.POST.get("last_at", ""))
    return (unread, last_at) if unread is not None and last_at is not None else None


def _back(pk: int, *, taken: str = "") -> HttpResponse:
    """`taken`: what was written and need not be kept by the page any more (conversations.js)."""
    address = page_of(Conversation, pk)
    return HttpResponseRedirect(f"{address}{f'?taken={taken}' if taken else ''}#end")


def _answer_form(conversation: Conversation) -> AnswerForm:
    way = answering.usual_way(conversation)
    return AnswerForm(initial={"application": way.application, "sender_id": way.sender_id} if way else {})


class SavedAnswerForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = SavedAnswer
        fields = ["title", "text"]
        widgets = {"text": TextWidget}

    def clean_text(self) -> str:
        return saved_answers.text_of(self.cleaned_data["text"])


@admin.register(SavedAnswer)
class SavedAnswerAdmin(SharedRowAdmin, ModelAdmin):
    form = SavedAnswerForm
    when_empty = gettext_lazy(
        "Add a text that you send often: it is shown beside the answer box of every conversation."
    )
    list_display = ["title", "text"]
    search_fields = ["title", "text"]
    fields = ["title", "text"]
    list_per_page = 50
