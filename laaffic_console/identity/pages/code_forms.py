"""The forms that take a code of an authenticator app: each opens once, in whichever process it is typed.

allauth remembers used codes in the cache, and without Redis each process has one of its own. So the time of the newest
code that was taken is also kept with the secret, in one statement that takes no older one.
"""

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, BaseAuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from allauth.mfa.utils import decrypt
from django.db.models import Q


class OpensOnce(BaseAuthenticateForm):
    def clean_code(self) -> str:
        code = str(super().clean_code())
        if self.authenticator.type == Authenticator.Type.TOTP and not take(self.authenticator, code):
            self._emit_authentication_failed(self.authenticator)
            raise get_adapter().validation_error("incorrect_code")
        return code


class CodeForm(OpensOnce, AuthenticateForm):
    """Of a sign-in's second step."""


class CodeAgainForm(OpensOnce, ReauthenticateForm):
    """Where somebody proves again who they are."""


def take(app: Authenticator, code: str) -> bool:
    """Whether the code is newer than all that were taken, which it is then."""
    secret = decrypt(app.data["secret"])
    fitting = [
        counter
        for counter in auth.yield_hotp_counters_from_time()
        if compare_user_code(actual=code, expected=auth.format_hotp_value(auth.hotp_value(secret, counter)))
    ]
    if not fitting:  # its time has passed since it was looked at
        return False
    is_newer = Q(data__taken__isnull=True) | Q(data__taken__lt=fitting[-1])
    data = {**app.data, "taken": fitting[-1]}
    return bool(Authenticator.objects.filter(is_newer, pk=app.pk).update(data=data))
