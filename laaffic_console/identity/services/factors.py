"""Second factors: who has one, who must have one, and taking them away from anyone who has lost them."""

from dataclasses import dataclass

from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse

from laaffic_console.identity.services import sessions
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.words.people import ADMINISTRATOR, signed_in

# What a sign-in asks for; recovery codes stand in for these and are none by themselves.
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
WANTED = "wanted_page"  # in the session: what was asked for before there was a second factor
FEW = 3  # recovery codes, from which on new ones are advised


def has_one(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user, type__in=FACTORS).exists())


def has_app(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists())


def needs_one(user: User) -> bool:
    """Whether a role of the user needs a second factor; superusers count as administrators."""
    wanted = settings.SECOND_FACTOR_ROLES
    if not wanted:
        return False
    return (user.is_superuser and ADMINISTRATOR in wanted) or user.groups.filter(name__in=wanted).exists()


def is_missing(user: User) -> bool:
    return bool(settings.SECOND_FACTOR_ROLES) and not has_one(user) and needs_one(user)


@dataclass(frozen=True, slots=True)
class CodesLeft:
    """How many of somebody's recovery codes are not used yet."""

    n: int
    of: int

    @property
    def are_few(self) -> bool:
        return self.n <= FEW


def recovery_codes_of(user: User) -> CodesLeft | None:
    """How many codes are left; None for somebody without a second factor."""
    found = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    return CodesLeft(len(found.wrap().get_unused_codes()), app_settings.RECOVERY_CODE_COUNT) if found else None


def wanted_page(request: HttpRequest) -> str:
    """Where people go on to after setting up a factor: what they asked for before, or their own sign-in."""
    page = request.session.get(WANTED, "")
    return str(page) if page and not is_missing(signed_in(request)) else reverse("mfa_index")


def is_last(user: User) -> bool:
    """Whether there is no second one to sign in with when this one is removed."""
    return bool(Authenticator.objects.filter(user=user, type__in=FACTORS).count() == 1)


def reset(user: User) -> int:
    """Remove all factors of somebody who has lost them, and end their sessions; how many factors there were."""
    with transaction.atomic():
        taken = int(Authenticator.objects.filter(user=user).delete()[0])
        sessions.end_all_of(user)
        record(Act.FACTORS_RESET, user)
    return taken
