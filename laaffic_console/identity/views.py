"""The sign-in page, its second step, and one's own sign-in: allauth's views in the console's frame."""

import time
from functools import wraps
from typing import Any, cast
from urllib.parse import quote

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.internal.stagekit import clear_login
from allauth.account.models import Login
from allauth.account.views import ReauthenticateView
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.base.views import ReauthenticateView as CodeAgainView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, ReauthenticateWebAuthnView, RemoveWebAuthnView
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from allauth.usersessions.models import UserSession
from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_lockout_response
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.contrib.auth.views import INTERNAL_RESET_SESSION_TOKEN, LoginView, PasswordResetConfirmView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST
from django.views.generic import TemplateView, UpdateView
from requests import RequestException

from laaffic_console.identity import admission, factors, invitations, providers, saml, sessions
from laaffic_console.identity.models import Profile, profile_of
from laaffic_console.kit.pages import next_page
from laaffic_console.kit.words.people import signed_in, username

BACK = reverse_lazy("mfa_index")
CODES = reverse_lazy("mfa_view_recovery_codes")


class InFrame:
    """A page in the admin's frame."""

    request: HttpRequest
    title: Any = ""
    sentence: Any = ""
    button: Any = gettext_lazy("Save")
    back: Any = BACK

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        own = {"title": self.title, "sentence": self.sentence, "button": self.button, "back": self.back}
        return {**admin.site.each_context(self.request), **own, **super().get_context_data(**kwargs)}  # type: ignore[misc]


# Signing in


class SignInView(LoginView):
    """The password is the first step; allauth asks for the second where there is one."""

    def form_valid(self, form: Any) -> HttpResponse:
        user = form.get_user()
        given = {"username": user.get_username()}
        answer: HttpResponse = perform_password_login(
            self.request, given, Login(user=user, redirect_url=self.get_success_url())
        )
        return answer


def sign_in(request: HttpRequest, **options: Any) -> HttpResponse:
    """Called by the admin site, whose page it is."""
    said = {**options.pop("extra_context"), "providers": providers.all_set()}
    page: Any = SignInView.as_view(extra_context=said, **options)(request)
    return cast(HttpResponse, page)


def leave(request: HttpRequest) -> HttpResponse:
    """From the second step back to the first."""
    clear_login(request)
    return redirect("admin:login")


class SecondStepView(InFrame, AuthenticateView):
    template_name = "identity/second_step.html"
    title = gettext_lazy("Second factor")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Anyone who has passkeys alone is asked for one first."""
        person = self.stage.login.user
        return {**super().get_context_data(**kwargs), "has_app": factors.has_app(person), "person": person}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer: HttpResponse = _too_many(request, self.stage.login.user) or super().post(request, *args, **kwargs)
        return answer


def _too_many(request: HttpRequest, user: Any) -> HttpResponse | None:
    """A code that comes after too many wrong ones is not even looked at."""
    given = {"username": user.get_username()}
    if AxesProxyHandler.is_allowed(request, given):
        return None
    stopped: HttpResponse = get_lockout_response(request, given)
    return stopped


@require_POST
def provider_login(request: HttpRequest, provider_id: str) -> HttpResponse:
    is_again = request.GET.get("process") == AuthProcess.REDIRECT
    # What the address says, anyone who sits there can change: it is asked here that they prove themselves again. Any
    # max_age has the provider say when it asked (OpenID Connect Core 3.1.2.1), which an older sign-in there gives away.
    asked = request.GET.copy()
    asked["auth_params"] = "prompt=login&max_age=0" if is_again else f"max_age={providers.OLDEST_SIGN_IN}"
    request.GET = asked  # type: ignore[assignment]
    if is_again:
        request.session[admission.ASKED_AT] = time.time()
    answer = _by_provider(request, openid_connect.login, provider_id)
    if answer.status_code != 302 or not answer["Location"].startswith(("https://", "http://")):
        return answer
    return _onward(request, answer["Location"], settings.OIDC_NAME)


def provider_callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    return _by_provider(request, openid_connect.callback, provider_id)


def _by_provider(request: HttpRequest, view: Any, provider_id: str) -> HttpResponse:
    """One that is down, or answers what nobody understands, ends on the sign-in page and nowhere else."""
    if not settings.OIDC_ISSUER:
        raise Http404
    try:
        answer: HttpResponse = view(request, provider_id)
    except (RequestException, ValueError, KeyError, TypeError, AttributeError) as problem:
        admission.log.warning("The provider did not answer as it should: %s", type(problem).__name__)
        return _refused(request, providers.OIDC, "down")
    return answer


def _onward(request: HttpRequest, address: str, name: str) -> HttpResponse:
    """A form's redirect to another host is stopped by our own form-action, so a page leads on."""
    return TemplateResponse(request, "identity/onward.html", {"onward": address, "provider": name})


def _refused(request: HttpRequest, key: str, why: str) -> HttpResponse:
    refused: HttpResponse = admission.Refusal(request, providers.of(key), why).response
    return refused


def by_saml(view: Any) -> Any:
    """What it cannot use ends on the sign-in page, with a sentence; why, the log says."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        if not settings.SAML_METADATA:
            raise Http404
        try:
            answer: HttpResponse = view(request)
        except saml.Unusable as problem:
            admission.log.warning("Sign-in by SAML failed: %s", problem)
            return _refused(request, providers.SAML, problem.why)
        return answer

    return guarded


@require_POST
@by_saml
def saml_login(request: HttpRequest) -> HttpResponse:
    return _onward(request, saml.begin(request), settings.SAML_NAME)


@csrf_exempt  # the provider's page posts it; nothing counts but an answer to a question of this browser's session
@require_POST
@by_saml
def saml_answer(request: HttpRequest) -> HttpResponse:
    """The session's cookie does not come with another site's post, so the answer is put by for the next request."""
    answer = redirect("saml_finish")
    saml.put_by(request, answer)
    return answer


@require_GET
@by_saml
def saml_finish(request: HttpRequest) -> HttpResponse:
    return saml.finish(request)


@require_GET
@by_saml
def saml_metadata(request: HttpRequest) -> HttpResponse:
    return HttpResponse(saml.own_metadata(), content_type="application/samlmetadata+xml")


class InvitationView(InFrame, PasswordResetConfirmView):
    """The link of an invitation: it sets the password once."""

    template_name = "identity/invitation.html"
    token_generator = invitations.links
    title = gettext_lazy("Choose a password")
    success_url = reverse_lazy("admin:login")
    reset_url_token = "choose"  # noqa: S105 - what is in the address in the place of the secret
    is_disabled = False
    user: User | None

    def get_user(self, uidb64: str) -> User | None:
        """Nobody chooses a password that does not open anything. A stranger, without the secret, learns nothing."""
        user: User | None = super().get_user(uidb64)
        self.is_disabled = user is not None and invitations.is_disabled(user) and self._has_link_of(user)
        return None if self.is_disabled else user

    def _has_link_of(self, user: User) -> bool:
        in_address = self.kwargs["token"]
        kept = self.request.session.get(INTERNAL_RESET_SESSION_TOKEN)
        return self.token_generator.check_token(user, kept if in_address == self.reset_url_token else in_address)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Django calls a link that opens nothing a reset that failed."""
        said = super().get_context_data(**kwargs)
        own = {} if self.validlink else {"title": _("This link does not work")}
        return {**said, **own, "is_disabled": self.is_disabled, "person": self.user}

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, self._what_next())
        return super().form_valid(form)

    def _what_next(self) -> str:
        """The link may have been opened where somebody else is signed in, who stays that."""
        if not self.request.user.is_authenticated:
            return _("The password is set: sign in with it.")
        names = {"name": username(self.user), "me": self.request.user.get_username()}
        return _("The password of %(name)s is set. In this browser you are still signed in as %(me)s.") % names


# One's own sign-in


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
        return profile_of(signed_in(self.request))

    def get_form(self, form_class: Any = None) -> Any:
        form = super().get_form(form_class)
        for field in form.fields.values():
            field.widget.attrs["autocomplete"] = "off"
        form.fields["number"].widget.attrs["inputmode"] = "tel"
        return form

    def get_success_url(self) -> str:
        messages.success(self.request, _("Saved."))
        return next_page(self.request, str(BACK))


def _asks_code(form: Any, label: str) -> Any:
    """allauth's form, in our words and with a phone's keys for digits."""
    form.fields["code"].label = label
    form.fields["code"].widget.attrs.update(placeholder="", inputmode="numeric")
    return form


class AppView(InFrame, ActivateTOTPView):
    template_name = "identity/app.html"
    title = gettext_lazy("Authenticator app")

    def get_form(self, form_class: Any = None) -> Any:
        return _asks_code(super().get_form(form_class), _("Code that the app shows"))

    def get_success_url(self) -> str:
        return str(CODES) if self.did_generate_recovery_codes else factors.wanted_page(self.request)


class FactorGone(InFrame):
    """What goes with the factor is said before it is removed."""

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
        """Done: on to what was asked for before, and a form that was sent then is shown again (kept_forms)."""
        return redirect(factors.wanted_page(request))


def _file_of(request: HttpRequest, codes: list[str]) -> str:
    """As an address that holds the file itself: the browser asks for nothing, and the server keeps nothing."""
    head = _("Recovery codes of %(name)s for %(console)s. Each signs you in once.")
    said = head % {"name": signed_in(request).get_username(), "console": settings.CONSOLE_URL}
    return "data:text/plain;charset=utf-8," + quote("\r\n".join([said, "", *codes, ""]))


class NewRecoveryCodesView(InFrame, GenerateRecoveryCodesView):
    template_name = "identity/form.html"
    title = gettext_lazy("New recovery codes")
    sentence = gettext_lazy("The codes that you have now stop working.")
    button = gettext_lazy("Make new ones")


# Proving it once more


class AskedAgain(InFrame):
    title = gettext_lazy("Confirm that it is you")
    sentence = gettext_lazy("The next step has far-reaching effects, so the console asks who you are once more.")
    button = gettext_lazy("Go on")
    back = reverse_lazy("admin:index")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "providers": _providers_again(self.request)}


class PasswordAgainView(AskedAgain, ReauthenticateView):
    template_name = "identity/again.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Anyone who has neither password nor factor goes by the provider alone."""
        methods = [] if not request.user.is_authenticated else _methods(request)
        if request.user.is_authenticated and not methods and (again := _providers_again(request)):
            own = {"title": self.title, "sentence": self.sentence, "back": self.back, "providers": again}
            return TemplateResponse(request, "identity/again.html", {**admin.site.each_context(request), **own})
        answer: HttpResponse = super().dispatch(request, *args, **kwargs)
        return answer


class CodeAgainInFrameView(AskedAgain, CodeAgainView):
    template_name = "identity/again.html"

    def get_form(self, form_class: Any = None) -> Any:
        """As the second step of a sign-in calls it."""
        return _asks_code(super().get_form(form_class), _("Code of the authenticator app, or a recovery code"))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer: HttpResponse = _too_many(request, request.user) or super().post(request, *args, **kwargs)
        return answer


class PasskeyAgainView(AskedAgain, ReauthenticateWebAuthnView):
    template_name = "identity/again.html"


def _methods(request: HttpRequest) -> list[Any]:
    from allauth.account.adapter import get_adapter

    return list(get_adapter().get_reauthentication_methods(request.user))


def _providers_again(request: HttpRequest) -> list[dict[str, str]]:
    """The forms that lead to a linked provider and back."""
    linked = set(SocialAccount.objects.filter(user=signed_in(request)).values_list("provider", flat=True))
    said = {"process": AuthProcess.REDIRECT, "next": request.GET.get("next", "")}
    return [
        {"name": one.name, "address": f"{reverse(one.login)}?{urlencode(said)}"}
        for one in providers.all_set()
        if one.key in linked
    ]


# Sessions


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
