"""For administrators: another person's second factors and sessions, and inviting somebody."""

from typing import Any

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminEmailInputWidget

from laaffic_console.identity.services import factors, invitations, sessions
from laaffic_console.kit.masking.refusals_said import say_why
from laaffic_console.kit.pages import add_problems, own_page, page, require
from laaffic_console.kit.words.role_words import OneRoleField

LIST = "admin:auth_user_changelist"


class InvitationForm(forms.Form):
    address = forms.EmailField(
        label=gettext_lazy("Email address"),
        max_length=150,
        widget=UnfoldAdminEmailInputWidget,
        help_text=gettext_lazy("It becomes the user name."),
    )
    role = OneRoleField()


def invite(admin: Any, request: HttpRequest) -> HttpResponse:
    require(request, "auth.add_user", "auth.change_user")
    form = InvitationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = invitations.invite(form.cleaned_data["address"], form.cleaned_data["role"])
        except ValidationError as problem:
            add_problems(form, problem)
        else:
            messages.success(request, _("%(address)s is invited.") % {"address": user.email})
            return HttpResponseRedirect(reverse(LIST))
    elif missing := invitations.problem():
        messages.warning(request, missing)
    title = _("Invite somebody")
    sentence = _("They get a link by mail, with which they choose a password. It works once, within three days.")
    own = {"sentence": sentence, "button": _("Send the invitation"), "back": reverse(LIST)}
    return page(admin, request, "identity/form.html", title, form=form, **own)


def sign_in_of(admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    require(request, "auth.change_user")
    user = get_object_or_404(User, pk=pk)
    if user.is_superuser and not request.user.is_superuser:
        raise PermissionDenied  # anyone who takes a superuser's factor away is halfway into the account
    if request.method == "POST":
        _act(request, user, request.POST.get("act", ""))
        return HttpResponseRedirect(reverse("admin:auth_user_sign_in", args=[pk]))
    own = {
        "person": user,
        "factors": Authenticator.objects.filter(user=user).order_by("created_at"),
        "sessions": [(one, sessions.browser(one.user_agent)) for one in sessions.going_on().filter(user=user)],
        "is_missing": factors.is_missing(user),
        "is_invited": invitations.is_awaited(user),
        "is_disabled": invitations.is_disabled(user),
        "back": own_page(user),
    }
    return page(admin, request, "identity/person.html", _("Sign-in of %(person)s") % {"person": user}, **own)


def _act(request: HttpRequest, user: User, act: str) -> None:
    if act == "reset":
        factors.reset(user)
        messages.success(request, _("Their second factors are gone, and their sessions ended."))
    elif act == "end":
        n = sessions.end_all_of(user, but=request.session.session_key)
        messages.success(request, ngettext("%(n)d session is ended.", "%(n)d sessions are ended.", n) % {"n": n})
    elif act == "invite":
        try:
            invitations.send_again(user)
        except ValidationError as problem:
            say_why(request, problem)
        else:
            messages.success(request, _("%(address)s is invited.") % {"address": user.email})
