"""Tokens: made, found by their secret, rotated and revoked."""

import datetime as dt
import hashlib
import ipaddress
import secrets
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from laaffic_console.api.models import ApiToken, Scope
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.requests.client_address import is_among
from laaffic_console.kit.sql.constant_sql import Given, Select
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import with_words

PREFIX = "lct_"  # makes a leaked secret recognisable
OVERLAP = dt.timedelta(hours=24)
SEEN_EVERY = dt.timedelta(minutes=1)


def create(
    name: str,
    *,
    user: User,
    scopes: Sequence[str] = (),
    expires: dt.timedelta | None = None,
    addresses: Sequence[str] = (),
    per_minute: int | None = None,
    first: ApiToken | None = None,
) -> tuple[ApiToken, str]:
    """A new token and its secret, which is shown this once; ValidationError names the field that is wrong."""
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        name=name.strip(),
        user=user,
        digest=digest_of(secret),
        scopes=[scope for scope in Scope.values if scope in scopes] if scopes else list(Scope.values),
        addresses=networks(addresses),
        first=first,
    )
    if per_minute is not None:
        token.per_minute = per_minute
    if expires is not None:
        token.expires_at = timezone.now() + expires
    if unknown := sorted(set(scopes) - set(Scope.values)):
        said = _("Unknown scope: %(unknown)s. Known scopes: %(known)s.")
        raise ValidationError({"scopes": said % {"unknown": ", ".join(unknown), "known": ", ".join(Scope.values)}})
    token.full_clean()
    with transaction.atomic():
        token.save()
        record(Act.ADDED, token, event=_describe(token))
    return token, secret


def _describe(token: ApiToken) -> str:
    scopes = with_words(token.scopes, dict(Scope.choices))
    return _("acts for %(user)s: %(scopes)s") % {"user": token.user.get_username(), "scopes": scopes}


def networks(texts: Sequence[str]) -> list[str]:
    found = []
    for text in texts:
        try:
            found.append(str(ipaddress.ip_network(text.strip(), strict=False)))
        except ValueError as problem:
            said = _("“%(text)s” is not an address. Write one like 203.0.113.7 or 203.0.113.0/24.")
            raise ValidationError({"addresses": said % {"text": text.strip()[:60]}}) from problem
    return found


def digest_of(secret: str) -> str:
    """The digest of a secret; a fast one is enough, as nobody guesses 256 bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def found(secret: str) -> ApiToken | None:
    token: ApiToken | None = _with_digest.first(ApiToken, digest=digest_of(secret))
    return token


@Select
def _with_digest() -> QuerySet[ApiToken]:
    return ApiToken.objects.select_related("user").filter(digest=Given("digest")).order_by()


def read_again(token: ApiToken) -> bool:
    """Refresh what may have ended the token since it was read; False if it is gone."""
    rows = _ends.rows(pk=token.pk)
    for token.revoked_at, token.expires_at, token.user.is_active in rows:
        pass
    return bool(rows)


@Select
def _ends() -> "QuerySet[ApiToken, Any]":
    ends = ApiToken.objects.filter(pk=Given("pk")).order_by()
    return ends.values_list("revoked_at", "expires_at", "user__is_active")


def know_rights(user: Any) -> None:
    """Read all that `has_perm` will be asked about this user during a request, with one statement instead of two with
    joins, and keep it where Django's ModelBackend keeps its own. A superuser has every right: nothing is read."""
    if user.is_active and not user.is_superuser and not hasattr(user, "_perm_cache"):
        user._perm_cache = {f"{app}.{name}" for app, name in _rights.rows(user=user.pk)}


@Select
def _rights() -> "QuerySet[Any, Any]":
    columns = ("permission__content_type__app_label", "permission__codename")
    own = User.user_permissions.through.objects.filter(user=Given("user")).order_by().values_list(*columns)
    by_role = Group.permissions.through.objects.filter(group__user=Given("user")).order_by().values_list(*columns)
    return own.union(by_role, all=True)


def is_allowed_from(token: ApiToken, address: str) -> bool:
    return not token.addresses or is_among(address, token.addresses)


def seen(token: ApiToken) -> None:
    """Note that the token was used, at most once a minute."""
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at < now - SEEN_EVERY:
        long_ago = Q(last_used_at=None) | Q(last_used_at__lt=now - SEEN_EVERY)
        ApiToken.objects.filter(long_ago, pk=token.pk).update(last_used_at=now)


def revoke(token: ApiToken) -> bool:
    """Revoke the token; False if it was revoked before."""
    with transaction.atomic():
        is_new = bool(ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()))
        if is_new:
            record(Act.CHANGED, token, event=_("revoked"))
    return is_new


def rotate(token: ApiToken, *, overlap: dt.timedelta = OVERLAP) -> tuple[ApiToken, str]:
    """Another token with the same rights and lifetime, and its secret; the old secret stays good for `overlap`."""
    over = ValidationError(_("It is revoked or has expired. Make a new token."))
    if not token.is_good:
        raise over
    now = timezone.now()
    # Of the newest token: the ends of the others were brought forward when they were replaced.
    same = Q(pk=token.family) | Q(first=token.family)
    newest = ApiToken.objects.filter(same).order_by("-pk").first() or token
    lasted = newest.expires_at - newest.created_at if newest.expires_at else None
    ends = min(token.expires_at or now + overlap, now + overlap)
    with transaction.atomic():
        # Somebody may revoke it right now: a revoked token must not get a successor.
        if not ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(expires_at=ends):
            raise over
        made, secret = create(
            token.name,
            user=token.user,
            scopes=token.scopes,
            expires=lasted,
            addresses=token.addresses,
            per_minute=token.per_minute,
            first=token.first or token,
        )
        record(Act.CHANGED, token, event=_("replaced by another secret"))
    return made, secret
