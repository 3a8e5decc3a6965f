"""allauth as this console needs it: no sign-up, our client addresses, our words, encrypted secrets."""

import base64
import hashlib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.utils import user_username
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.totp.internal.auth import generate_totp_secret
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.forms import asking_again
from laaffic_console.kit.requests.client_address import client_address

# Those of allauth's messages that are shown. The page of new recovery codes says itself to keep them.
SAID = {
    "mfa/messages/totp_activated.txt": _("The authenticator app is set up."),
    "mfa/messages/totp_deactivated.txt": _("The authenticator app is removed."),
    "mfa/messages/webauthn_added.txt": _("The passkey is set up."),
    "mfa/messages/webauthn_removed.txt": _("The passkey is removed."),
}
# What the ways to prove once more who is there are called, by allauth's names for them.
AGAIN = {
    "reauthenticate": _("Use your password"),
    "mfa_reauthenticate": _("Use a code of the authenticator app, or a recovery code"),
    "mfa_reauthenticate:webauthn": _("Use a passkey"),
}
NO_ADDRESS = "0.0.0.0"  # noqa: S104 - stands for a request that does not name one


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "incorrect_password": _("The password is wrong. Check capital and small letters."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request) or NO_ADDRESS

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return reverse("admin:index")

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        messages.error(request, gettext("This account is disabled. Ask an administrator."))
        return HttpResponseRedirect(reverse("admin:login"))

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """A sign-in a moment ago proves as much as a password that is typed again."""
        return not asking_again.is_fresh(context.request)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """The methods, described in the words of the other pages."""
        methods = super().get_reauthentication_methods(user)
        return [one | {"description": str(AGAIN.get(one["id"], one["description"]))} for one in methods]

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *rest: Any, **said: Any
    ) -> None:
        text = said.get("message") or SAID.get(message_template or "")
        if text:
            messages.add_message(request, level, text)


class FactorAdapter(DefaultMFAAdapter):
    """Secrets lie encrypted in the database: a copy of it alone makes no codes."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _(
            "That code is not right, or was used already. Type the one that the app shows now. "
            "If that is refused too, let the phone set its clock by itself."
        ),
    }

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The secret; one that another SECRET_KEY encrypted becomes a new one, which fits no code until it is reset."""
        try:
            return _cipher().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            return str(generate_totp_secret())

    def get_totp_issuer(self) -> str:
        return f"{settings.UNFOLD['SITE_TITLE']} {context.request.get_host()}"

    def _get_user_identifier(self, user: Any) -> str:
        return str(user_username(user))

    def generate_authenticator_name(self, user: Any, type: Any) -> str:  # noqa: A002 - allauth's own name
        return gettext("Passkey")


def _cipher() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(key)) for key in keys])


def _derived(key: str | bytes) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(b"second factors:" + force_bytes(key)).digest())
