"""What happens to second factors and sign-ins, as allauth tells it: counted as wrong passwords are, and recorded."""

from typing import Any

from allauth.account.signals import authentication_step_completed
from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext

from laaffic_console.identity.services import factors, sessions
from laaffic_console.identity.services.providers import PROVED_THERE
from laaffic_console.identity.services.wrong_passwords import count_as_wrong
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.forms import asking_again


def listen() -> None:
    signals.authentication_failed.connect(_wrong_code, dispatch_uid="wrong code")
    signals.authenticator_used.connect(_used, dispatch_uid="recovery code used")
    post_save.connect(_added, Authenticator, dispatch_uid="factor added")
    post_delete.connect(_removed, Authenticator, dispatch_uid="factor removed")
    post_save.connect(sessions.follow, User, dispatch_uid="sessions of an account")
    user_logged_in.connect(_signed_in, dispatch_uid="proved by signing in")
    authentication_step_completed.connect(_proved, dispatch_uid="proved again")


def _wrong_code(request: HttpRequest, user: User, **signal: Any) -> None:
    count_as_wrong(request, user)


def _added(instance: Authenticator, created: bool, **signal: Any) -> None:
    if created:
        record(Act.FACTOR_ADDED, instance.user, factor=instance.type)


def _removed(instance: Authenticator, origin: Any = None, **signal: Any) -> None:
    """Record that a factor was removed, but not with its whole account, whose end is an entry of its own."""
    if not isinstance(origin, User):
        record(Act.FACTOR_REMOVED, instance.user, factor=instance.type)


def _used(request: HttpRequest, user: User, authenticator: Authenticator, **signal: Any) -> None:
    """Say how many recovery codes are left, since each works once."""
    left = factors.recovery_codes_of(user) if authenticator.type == Authenticator.Type.RECOVERY_CODES else None
    if left is None:
        return
    messages.add_message(request, messages.WARNING if left.are_few else messages.INFO, _in_words(left))


def _in_words(left: factors.CodesLeft) -> str:
    said = ngettext(
        "You used a recovery code: %(n)d of %(of)d is left.",
        "You used a recovery code: %(n)d of %(of)d are left.",
        left.n,
    ) % {"n": left.n, "of": left.of}
    advised = gettext("%(said)s Make new ones under your name → My sign-in.") % {"said": said}
    return advised if left.are_few else said


def _signed_in(request: HttpRequest, user: User, **signal: Any) -> None:
    asking_again.note(request, getattr(request, PROVED_THERE, None))
    sessions.note(request, user)


def _proved(request: HttpRequest, user: User, **signal: Any) -> None:
    """Signing in has steps as well; it is noted when the last of them is done."""
    if signal.get("reauthenticated"):
        asking_again.note(request)
