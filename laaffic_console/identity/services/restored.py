"""After a restore: sessions of the backup may have been ended since, and who may sign in is as it was then."""

from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session


def end_sessions() -> dict[str, int]:
    """End all sessions, so that everybody signs in again; how many people are active."""
    UserSession.objects.all().delete()
    Session.objects.all().delete()
    return {"people": User.objects.filter(is_active=True).count()}
