"""One's own sign-in: profile, second factors, recovery codes and sessions."""

from typing import Any, cast
from urllib.parse import quote

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, RemoveWebAuthnView
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from django.views.generic import TemplateView, UpdateView
from unfold.forms import AdminOwnPasswordChangeForm

from laaffic_console.identity.models import Profile, profile_of
from laaffic_console.identity.pages.frame import BACK, InFrame, asks_code
from laaffic_console.identity.services import factors, providers, sessions
from laaffic_console.identity.services.wrong_passwords import count_as_wrong, too_many
from laaffic_console.kit.audit import row_changes
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.pages import next_page
from laaffic_console.kit.words.people import signed_in

CODES = reverse_lazy("mfa_view_recovery_codes")


@method_decorator(login_required, name="dispatch")
class MySignInView(InFrame, TemplateView):
    template_name = "identity/my_sign_in.html"
    title = gettext_lazy("My sign-in")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = signed_in(self.request)
        mine = Authenticator.objects.filter(user=user).order_by("created_at")
        own = {
            "app": next((one for one in mine if one.type == Authenticator.Type.TOTP), None),
            "codes": factors.recovery_codes_of(user),
            "passkeys": [one for one in mine if one.type == Authenticator.Type.WEBAUTHN],
            "is_missing": factors.is_missing(user),
            "sessions": [(one, sessions.browser(one.user_agent)) for one in sessions.going_on().filter(user=user)],
            "profile": profile_of(user),
            "console_zone": settings.TIME_ZONE,
            "this_session": self.request.session.session_key,
            "linked": [providers.of(one.provider).name for one in SocialAccount.objects.filter(user=user)],
        }
        return super().get_context_data(**kwargs, **own)


@method_decorator(login_required, name="dispatch")
class ProfileView(InFrame, UpdateView):  # type: ignore[type-arg]
    """One's own time zone and number. It is nobody else's, so nobody edits it at the same time."""

    template_name = "identity/form.html"
    title = gettext_lazy("My profile")
    fields = ("time_zone", "number")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The frame would look for the list that an `object` is in."""
        return {**super().get_context_data(**kwargs), "object": None}

    def get_object(self, queryset: Any = None) -> Profile:
        found = profile_of(signed_in(self.request))
        self.before = row_changes.kept(found)
        return found

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        if changes := row_changes.changes(form.instance, self.before):
            record(Act.CHANGED, signed_in(self.request), changes=changes)
        return answer

    def get_form(self, form_class: Any = None) -> Any:
        form = super().get_form(form_class)
        for field in form.fields.values():
            field.widget.attrs["autocomplete"] = "off"
        form.fields["number"].widget.attrs["inputmode"] = "tel"
        return form

    def get_success_url(self) -> str:
        messages.success(self.request, _("Saved."))
        return next_page(self.request, str(BACK))


class NewPasswordView(PasswordChangeView):
    """Asks for the old password, of which few wrong ones are taken, as where somebody proves again who they are."""

    form_class = AdminOwnPasswordChangeForm

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return too_many(request, request.user) or super().post(request, *args, **kwargs)

    def form_invalid(self, form: Any) -> HttpResponse:
        if form.has_error("old_password", "password_incorrect"):
            count_as_wrong(self.request, signed_in(self.request))
        return super().form_invalid(form)


def new_password(request: HttpRequest, **options: Any) -> HttpResponse:
    """Called by the admin site, whose page it is."""
    page: Any = NewPasswordView.as_view(**options)(request)
    return cast(HttpResponse, page)


class AppView(InFrame, ActivateTOTPView):
    template_name = "identity/app.html"
    title = gettext_lazy("Authenticator app")

    def get_form(self, form_class: Any = None) -> Any:
        return asks_code(super().get_form(form_class), _("Code that the app shows"))

    def get_success_url(self) -> str:
        return str(CODES) if self.did_generate_recovery_codes else factors.wanted_page(self.request)


class FactorGone(InFrame):
    """A page that says what goes with the factor before it is removed."""

    template_name = "identity/form.html"
    button = gettext_lazy("Remove it")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = signed_in(self.request)
        is_last = factors.is_last(user)
        own = {"is_last": is_last, "is_compulsory": is_last and factors.needs_one(user)}
        return {**super().get_context_data(**kwargs), **own, "object": None}  # the frame would look for its list


class AppGoneView(FactorGone, DeactivateTOTPView):
    title = gettext_lazy("Remove the authenticator app")
    sentence = gettext_lazy("After that, its codes do not work any more.")


class PasskeyView(InFrame, AddWebAuthnView):
    template_name = "identity/passkey.html"
    title = gettext_lazy("New passkey")

    def get_success_url(self) -> str:
        return str(CODES) if self.did_generate_recovery_codes else factors.wanted_page(self.request)


class PasskeyGoneView(FactorGone, RemoveWebAuthnView):
    title = gettext_lazy("Remove the passkey")
    sentence = gettext_lazy("After that, it does not work any more. Delete it on the device too.")
    success_url = BACK


@method_decorator(never_cache, name="dispatch")
class RecoveryCodesView(InFrame, ViewRecoveryCodesView):
    template_name = "identity/recovery_codes.html"
    title = gettext_lazy("Recovery codes")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Shown once, but to be kept as a file or on paper too."""
        said = super().get_context_data(**kwargs)
        codes = said["unused_codes"] if said["can_view_codes"] else []
        own = {"file": _file_of(self.request, codes) if codes else "", "console": settings.CONSOLE_URL}
        return {**said, **own}

    def post(self, request: HttpRequest) -> HttpResponse:
        """Go on to what was asked for before; a form that was sent then is shown again (kept_forms)."""
        return redirect(factors.wanted_page(request))


def _file_of(request: HttpRequest, codes: list[str]) -> str:
    """The file as an address that holds all of it: the browser asks for nothing, and the server keeps nothing."""
    head = _("Recovery codes of %(name)s for %(console)s. Each signs you in once.")
    said = head % {"name": signed_in(request).get_username(), "console": settings.CONSOLE_URL}
    return "data:text/plain;charset=utf-8," + quote("\r\n".join([said, "", *codes, ""]))


class NewRecoveryCodesView(InFrame, GenerateRecoveryCodesView):
    template_name = "identity/form.html"
    title = gettext_lazy("New recovery codes")
    sentence = gettext_lazy("The codes that you have now stop working.")
    button = gettext_lazy("Make new ones")


@login_required
@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(UserSession, pk=pk, user=signed_in(request))
    if found.session_key != request.session.session_key:
        sessions.end(found)
        messages.success(request, _("That session is ended."))
    return redirect("mfa_index")


@login_required
@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    n = sessions.end_all_of(signed_in(request), but=request.session.session_key)
    messages.success(request, ngettext("%(n)d session is ended.", "%(n)d sessions are ended.", n) % {"n": n})
    return redirect("mfa_index")
