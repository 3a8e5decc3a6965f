"""In which language a page speaks: what its reader chose; else what their browser asks for; else LANGUAGE_CODE."""

from typing import Any, TypeGuard

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.views.i18n import set_language

from laaffic_console.dashboard.models import ChosenLanguage

IN_SESSION = "language"


def is_offered(code: str | None) -> TypeGuard[str]:
    """Django has texts of a hundred languages; the console's own are there in these. A choice may outlive its offer."""
    return code in dict(settings.LANGUAGES)


class LanguageMiddleware(LocaleMiddleware):
    def process_request(self, request: HttpRequest) -> None:
        chosen = request.session.get(IN_SESSION)
        if is_offered(chosen):
            translation.activate(chosen)
            request.LANGUAGE_CODE = translation.get_language()
        else:
            super().process_request(request)


def choose(request: HttpRequest) -> HttpResponse:
    """Django's own view, which remembers it for this browser; and for this person, wherever they sign in."""
    response = set_language(request)
    code = request.POST.get("language", "")
    if request.method == "POST" and is_offered(code):
        request.session[IN_SESSION] = code
        if request.user.is_authenticated:
            _keep(request.user, code)
    return response


@receiver(user_logged_in, dispatch_uid="language")
def follow(sender: Any, request: HttpRequest, user: User, **signal: Any) -> None:
    """Keep the language chosen on the sign-in page, the newest word; else use what this person chose last time."""
    session = request.session
    if chosen := session.get(IN_SESSION):
        _keep(user, chosen)
    elif kept := ChosenLanguage.objects.filter(user=user).first():
        session[IN_SESSION] = kept.code


def _keep(user: User, code: str) -> None:
    ChosenLanguage.objects.update_or_create(user=user, defaults={"code": code})
