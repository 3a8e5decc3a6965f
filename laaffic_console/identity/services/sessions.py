"""Where people are signed in: an entry for each session, with the address and the browser that it began at."""

import re
from collections.abc import Collection
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from laaffic_console.kit.audit.acts import Act, record

FORGOTTEN_AT_ONCE = 500
LISTED = "listed_as"  # in a session: the key under which it was listed

# The first that fits; Edge and Opera name Chrome too, and Chrome names Safari.
BROWSERS = (
    ("Edge", r"Edg\w*/(\d+)"),
    ("Opera", r"OPR/(\d+)"),
    ("Firefox", r"Firefox/(\d+)"),
    ("Chromium", r"Chromium/(\d+)"),
    ("Chrome", r"Chrome/(\d+)"),
    ("Safari", r"Version/(\d+)[^ ]* .*Safari/"),
)
SYSTEMS = (
    *(("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows")),
    *(("macOS", "Mac OS X"), ("Linux", "Linux")),
)


def note(request: HttpRequest, user: User) -> None:
    """List a session when it begins, once; a password that was changed gives the session another key."""
    key = request.session.session_key
    if key and request.session.get(LISTED) != key:
        UserSession.objects.create_from_request(request, user=user)
        request.session[LISTED] = key


def going_on() -> QuerySet[UserSession]:
    alive = Session.objects.filter(expire_date__gt=timezone.now())
    found: QuerySet[UserSession] = UserSession.objects.filter(
        session_key__in=alive.values("session_key"), user__is_active=True
    )
    return found.order_by("-created_at")


def end(session: UserSession) -> None:
    session.end()
    record(Act.SESSIONS_ENDED, session.user, entries=1)


def end_all_of(user: User, but: str | None = None) -> int:
    """End the user's sessions; how many. `but` is the key of the one that goes on."""
    ended = list(UserSession.objects.filter(user=user).exclude(session_key=but))
    for session in ended:
        session.end()
    if ended:
        record(Act.SESSIONS_ENDED, user, entries=len(ended))
    return len(ended)


def follow(instance: User, created: bool, update_fields: Collection[str] | None = None, **signal: Any) -> None:
    """After an account was saved: one that is switched off has no session left, which would go on when it is switched
    on again; and a new password has ended all that began with another.
    """
    if created:
        return
    saved = {"is_active", "is_staff", "password"} if update_fields is None else set(update_fields)
    if saved & {"is_active", "is_staff"} and not (instance.is_active and instance.is_staff):
        end_all_of(instance)
    elif "password" in saved:
        _unlist_outdated(instance)


def _unlist_outdated(user: User) -> None:
    """Django lets no session in whose hash is of another password; here they are taken from the list."""
    good = {user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()}
    listed = UserSession.objects.filter(user=user)
    theirs = Session.objects.filter(pk__in=listed.values("session_key"))
    outdated = [one.pk for one in theirs if one.get_decoded().get(HASH_SESSION_KEY) not in good]
    if outdated:
        listed.filter(session_key__in=outdated).delete()


def forget_ended() -> int:
    """How many entries were of sessions that are over. Django leaves those; some hold what a stranger has posted.

    There may be very many: they are deleted in batches, so that the database is locked only briefly.
    """
    now = timezone.now()
    over = Session.objects.filter(expire_date__lte=now).order_by("expire_date")
    Session.objects.filter(pk__in=list(over.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])).delete()
    alive = Session.objects.filter(expire_date__gt=now)
    return int(UserSession.objects.exclude(session_key__in=alive.values("session_key")).delete()[0])


def browser(user_agent: str) -> str:
    """The browser in a few words, by which people know their own: "Firefox 140, Linux"."""
    found = ((name, re.search(pattern, user_agent)) for name, pattern in BROWSERS)
    name = next((f"{name} {match[1]}" for name, match in found if match), "")
    system = next((system for system, mark in SYSTEMS if mark in user_agent), "")
    return ", ".join(part for part in (name, system) if part) or user_agent[:60]
