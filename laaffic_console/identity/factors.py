"""Second factors: who has one, who must have one, and taking them away from anyone who has lost them."""

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from laaffic_console.identity import sessions
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.words.people import ADMINISTRATOR

# What a sign-in asks for; recovery codes stand in for these and are none by themselves.
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def has_one(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user, type__in=FACTORS).exists())


def needs_one(user: User) -> bool:
    """By a role; superusers count as administrators."""
    wanted = settings.SECOND_FACTOR_ROLES
    if not wanted:
        return False
    return (user.is_superuser and ADMINISTRATOR in wanted) or user.groups.filter(name__in=wanted).exists()


def is_missing(user: User) -> bool:
    return bool(settings.SECOND_FACTOR_ROLES) and not has_one(user) and needs_one(user)


def reset(user: User) -> int:
    """How many were taken away: anyone who has lost a telephone sets up another. Their sessions end."""
    with transaction.atomic():
        taken = int(Authenticator.objects.filter(user=user).delete()[0])
        sessions.end_all_of(user)
        record(Act.FACTORS_RESET, user)
    return taken
