"""Signing in and out, and changed passwords, as Django tells them."""

from typing import Any

from axes.signals import user_locked_out
from django.contrib.auth.models import AbstractUser
from django.contrib.auth.password_validation import NumericPasswordValidator
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest

from laaffic_console.kit.audit.acts import Act, Actor, actor, record


def listen() -> None:
    user_logged_in.connect(_signed_in, dispatch_uid="audit sign-in")
    user_logged_out.connect(_signed_out, dispatch_uid="audit sign-out")
    user_login_failed.connect(_failed, dispatch_uid="audit failed sign-in")
    user_locked_out.connect(_stopped, dispatch_uid="audit stopped sign-in")


def _as(name: str, person_id: int | None = None) -> Actor | None:
    """The person who tries, from where the request comes; None outside of a request."""
    who = actor()
    return Actor(person_id, name, who.address) if who else None


def _signed_in(user: AbstractUser, **signal: Any) -> None:
    if who := _as(user.get_username(), user.pk):
        record(Act.SIGN_IN, by=who)


def _signed_out(user: AbstractUser | None, **signal: Any) -> None:
    if user is not None and (who := _as(user.get_username(), user.pk)):
        record(Act.SIGN_OUT, by=who)


def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **signal: Any) -> None:
    """Record a failed sign-in, but none that is tried while the sign-in is stopped: a stranger could fill the table."""
    who = _as(str(credentials.get("username", "")))
    if who and not getattr(request, "axes_locked_out", False):
        record(Act.SIGN_IN_FAILED, by=who)


def _stopped(request: HttpRequest, username: str | None = None, **signal: Any) -> None:
    """Record each lock once: by the attempt that brought it about, which axes has counted."""
    has_counted = getattr(request, "axes_failures_since_start", None) is not None
    if has_counted and (who := _as(username or "")):
        record(Act.LOCKED_OUT, by=who)


class RecordingPasswordValidator(NumericPasswordValidator):
    """Records new passwords: validators are told of every one, whichever page or command has set it."""

    def password_changed(self, password: str, user: Any = None) -> None:
        if user is not None:
            record(Act.PASSWORD, user)
