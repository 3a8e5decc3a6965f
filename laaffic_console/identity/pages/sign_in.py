"""The way in: the sign-in page, its second step, the providers, and the link of an invitation."""

import time
from functools import wraps
from typing import Any, cast

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.internal.stagekit import clear_login
from allauth.account.models import Login
from allauth.mfa.base.views import AuthenticateView
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.views import INTERNAL_RESET_SESSION_TOKEN, LoginView, PasswordResetConfirmView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST
from requests import RequestException

from laaffic_console.identity.pages import saml
from laaffic_console.identity.pages.frame import InFrame
from laaffic_console.identity.services import admission, factors, invitations, providers
from laaffic_console.identity.services.wrong_passwords import too_many
from laaffic_console.kit.words.people import username


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
    """Go from the second step back to the first."""
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
        answer: HttpResponse = too_many(request, self.stage.login.user) or super().post(request, *args, **kwargs)
        return answer


@require_POST
def provider_login(request: HttpRequest, provider_id: str) -> HttpResponse:
    is_again = request.GET.get("process") == AuthProcess.REDIRECT
    # Anyone who sits there can change the address, so the proof is asked for here and not by it. Any
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
    """Call the provider's view; if the provider is down or answers nonsense, that ends on the sign-in page."""
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
    """Decorate a view so that an unusable answer ends on the sign-in page with a sentence; the log says why."""

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
        """None for a disabled account: nobody chooses a useless password. Strangers without the secret learn
        nothing."""
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
