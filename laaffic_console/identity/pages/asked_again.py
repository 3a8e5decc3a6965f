"""Proving once more who is there (kit/forms/asking_again.py): by password, factor or provider."""

from typing import Any

from allauth.account.views import ReauthenticateView
from allauth.mfa.base.views import ReauthenticateView as CodeAgainView
from allauth.mfa.webauthn.views import ReauthenticateWebAuthnView
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.base.constants import AuthProcess
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse, reverse_lazy
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from laaffic_console.identity.pages.frame import InFrame, asks_code
from laaffic_console.identity.services import providers
from laaffic_console.identity.services.wrong_passwords import too_many
from laaffic_console.kit.words.people import signed_in


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
        """The form, with the field's label of a sign-in's second step."""
        return asks_code(super().get_form(form_class), _("Code of the authenticator app, or a recovery code"))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer: HttpResponse = too_many(request, request.user) or super().post(request, *args, **kwargs)
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
