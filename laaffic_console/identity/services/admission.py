"""Signing in through a provider, by OpenID Connect or SAML: who gets in, as whom, and with which roles.

A person's groups at the provider become roles at each sign-in, and what no group gives any more is taken away. Nobody
gets in without a role, nobody becomes a superuser, and an account that is here already is taken over only where the
settings say so and the provider has verified the address.
"""

import logging
from typing import Any, NoReturn

from allauth.account.internal.flows.login import record_authentication
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base.constants import AuthProcess
from django.contrib import messages
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from laaffic_console.identity.services import providers
from laaffic_console.identity.services.providers import Provider
from laaffic_console.kit.audit.acts import Act, Actor, record
from laaffic_console.kit.requests.client_address import client_address
from laaffic_console.kit.sql import database_troubles
from laaffic_console.kit.words import said
from laaffic_console.kit.words.people import ADMINISTRATOR

log = logging.getLogger(__name__)
ASKED_AT = "provider_asked_at"  # in the session: when it was sent there to prove itself again
WHY_NOT = {
    "down": _("%(provider)s cannot be reached. Sign in with your password, or try again later."),
    "failed": _("The sign-in at %(provider)s did not work. Try again."),
    "no_role": _("None of your groups at %(provider)s has a role here. Ask an administrator."),
    "taken": _("An account with your name or address is here already and not linked to %(provider)s. "
               "Ask an administrator."),
    "superuser": _("This account signs in with its password: it is not an administrator at %(provider)s."),
    "closed": _("This account is disabled. Ask an administrator."),
    "other_person": _("You are signed in at %(provider)s as somebody else. Sign out there, then try again."),
    "not_again": _("%(provider)s did not ask who you are, or does not say when it did. Sign out and in again, or use "
                   "another way to prove it."),
    "untrusted": _("The answer of %(provider)s was not accepted: it is not signed as expected, too old, or meant for "
                   "somebody else. Try again; if that does not help, ask an administrator."),
    "no_id": _("%(provider)s sent no permanent id for you. Ask an administrator."),
}  # fmt: skip


class Refusal(ImmediateHttpResponse):
    """Back on the sign-in page, with a sentence."""

    def __init__(self, request: HttpRequest, provider: Provider, why: str, name: str = "") -> None:
        messages.error(request, WHY_NOT[why] % {"provider": provider.name})
        if name:
            record(Act.SIGN_IN_FAILED, by=Actor(None, name[:150], client_address(request)), why=why)
        super().__init__(HttpResponseRedirect(reverse("admin:login")))


class ProviderAdapter(DefaultSocialAccountAdapter):
    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        provider = providers.of(sociallogin.account.provider)
        process = sociallogin.state.get("process")
        if process == AuthProcess.REDIRECT:
            return _prove_again(request, sociallogin, provider)
        if process != AuthProcess.LOGIN:
            raise Refusal(request, provider, "failed")
        roles = roles_of(sociallogin, provider)
        person = None if sociallogin.is_existing else _matched(sociallogin, provider)
        if sociallogin.is_existing:
            _follow(request, sociallogin.user, roles, provider)
        user = person or sociallogin.user
        if why := _why_not(user, roles, is_here=person is not None or sociallogin.is_existing):
            raise Refusal(request, provider, why, user.get_username())
        if person is not None:  # who is refused stays who they were, with a password and the roles that they had
            sociallogin.connect(request, person)
            event = said.gettext("linked to %(provider)s") % {"provider": provider.name}
            record(Act.CHANGED, person, by=_self(request, person), event=event)
            _follow(request, person, roles, provider)
        if (at := _proved_there(sociallogin)) is not None:
            setattr(request, providers.PROVED_THERE, at)
        return None

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Always: anyone who has come this far has a role."""
        return True

    def is_email_verified(self, provider: Any, email: str) -> bool:
        """Whether an address counts as the person's. SAML has no word for it: the settings say so."""
        if provider.sub_id == providers.SAML:
            return providers.of(providers.SAML).matches_email
        return bool(super().is_email_verified(provider, email))

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        name = data.get("username") or data.get("email") or sociallogin.account.uid
        user: User = super().populate_user(request, sociallogin, {**data, "username": str(name)[:150]})
        return user

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        sociallogin.user.is_staff = True
        provider = providers.of(sociallogin.account.provider)
        try:
            with transaction.atomic():
                user: User = super().save_user(request, sociallogin, form)
        except IntegrityError as taken:  # the name has been given to somebody since we looked
            if not database_troubles.is_taken(taken):
                raise
            raise Refusal(request, provider, "taken", sociallogin.user.get_username()) from taken
        record(Act.ADDED, user, by=_self(request, user))
        _follow(request, user, roles_of(sociallogin, provider), provider)
        return user

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> NoReturn:
        log.warning("Sign-in by the provider failed: %s", type(exception).__name__ if exception else error)
        raise Refusal(request, providers.of(provider.sub_id), "failed")


def claims_of(sociallogin: SocialLogin) -> dict[str, Any]:
    """The ID token's claims and those of userinfo, which win where both have one. SAML has only its attributes."""
    data: dict[str, Any] = sociallogin.account.extra_data
    if sociallogin.account.provider == providers.SAML:
        return data
    return {**(data.get("id_token") or {}), **(data.get("userinfo") or {})}


def roles_of(sociallogin: SocialLogin, provider: Provider) -> set[str]:
    """A claim may be a list or one name."""
    given = claims_of(sociallogin).get(provider.groups) or []
    groups = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    return {provider.roles[group] for group in groups if isinstance(group, str) and group in provider.roles}


def _matched(sociallogin: SocialLogin, provider: Provider) -> User | None:
    """The one account with an address that the provider has verified, unless it is somebody's at the provider yet."""
    verified = [address.email for address in sociallogin.email_addresses if address.verified]
    if not provider.matches_email or not verified:
        return None
    found = list(User.objects.filter(email__iexact=verified[0], socialaccount=None)[:2])
    return found[0] if len(found) == 1 else None


def _why_not(user: User, roles: set[str], *, is_here: bool) -> str:
    if not roles:
        return "no_role"
    if not is_here:
        return "taken" if _is_taken(user) else ""
    if user.is_superuser and ADMINISTRATOR not in roles:
        return "superuser"
    return "" if user.is_active and user.is_staff else "closed"


def _is_taken(user: User) -> bool:
    same = Q(username__iexact=user.username)
    if user.email:
        same |= Q(email__iexact=user.email) | Q(username__iexact=user.email)
    return User.objects.filter(same).exists()


def _follow(request: HttpRequest, user: User, roles: set[str], provider: Provider) -> None:
    """Set the roles that the settings name, which come from the provider alone; other roles are left as they are."""
    before = set(user.groups.values_list("name", flat=True))
    wanted = (before - set(provider.roles.values())) | roles
    groups = Group.objects.filter(name__in=wanted)
    after = set(groups.values_list("name", flat=True))
    if after != before:
        user.groups.set(groups)
        changes = [["groups", ", ".join(sorted(before)), ", ".join(sorted(after))]]
        record(Act.CHANGED, user, by=_self(request, user), changes=changes)


def _self(request: HttpRequest, user: User) -> Actor:
    return Actor(user.pk, user.get_username(), client_address(request))


def _prove_again(request: HttpRequest, sociallogin: SocialLogin, provider: Provider) -> None:
    """Note that a signed-in person has been at the provider again; another person there proves nothing."""
    if not request.user.is_authenticated or sociallogin.user != request.user:
        raise Refusal(request, provider, "other_person")
    if sociallogin.account.provider == providers.OIDC and not _is_proved_now(request, sociallogin):
        raise Refusal(request, provider, "not_again")
    record_authentication(request, sociallogin.user, "socialaccount", reauthenticated=True)


def _is_proved_now(request: HttpRequest, sociallogin: SocialLogin) -> bool:
    """A provider may answer from an older sign-in, which proves nothing of now. SAML's answer was looked at before."""
    asked_at = request.session.pop(ASKED_AT, None)
    proved_at = _proved_there(sociallogin)
    if asked_at is None or proved_at is None:
        return False
    return bool(proved_at >= asked_at - providers.DRIFT_SECONDS)


def _proved_there(sociallogin: SocialLogin) -> float | None:
    """When the provider asked the person for proof; None where an OpenID provider does not say."""
    if sociallogin.account.provider == providers.SAML:
        return float(sociallogin.state["proved_at"])
    at = (sociallogin.account.extra_data.get("id_token") or {}).get("auth_time")
    return None if isinstance(at, bool) or not isinstance(at, int | float) else at
