"""Who asks, by their token, and whether they may: the user's rights and the token's scopes decide together."""

import logging
import time
from typing import Any

from django.core.cache import cache
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import BasePermission

from laaffic_console.api import tokens
from laaffic_console.api.handling.problems import Problem
from laaffic_console.api.models import ApiToken
from laaffic_console.kit.requests.client_address import client_address
from laaffic_console.kit.sql import unfinished_restores

SCHEME = "bearer"
logger = logging.getLogger(__name__)


class TokenAuthentication(BaseAuthentication):
    def authenticate(self, request: Any) -> tuple[Any, ApiToken] | None:
        scheme, _space, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != SCHEME or not secret.strip():
            return None
        unfinished_restores.refuse_now_and_then()
        token = _good(tokens.found(secret.strip()))
        if not tokens.is_allowed_from(token, client_address(request._request)):
            raise Problem(403, _("This token may not be used from this address. Ask an administrator to add it."))
        _require_patience(token)
        tokens.seen(token)
        request._request.api_token = token
        return token.user, token

    def authenticate_header(self, request: Any) -> str:
        return 'Bearer realm="api"'


def _good(token: ApiToken | None) -> ApiToken:
    if token is None:
        raise Problem(401, _("Unknown token. Make one: manage.py api_token create NAME --user USER"))
    if token.revoked_at is not None:
        raise Problem(401, _("This token was revoked. Make a new one: manage.py api_token create NAME --user USER"))
    if not token.is_good:
        raise Problem(401, _("This token has expired. Make a new one: manage.py api_token create NAME --user USER"))
    if not token.user.is_active:
        raise Problem(401, _("The user of this token is switched off. Use another user's token."))
    return token


def require_still_good(token: ApiToken) -> None:
    """Check the token again before something is committed: it may have been revoked while its request ran."""
    _good(token if tokens.read_again(token) else None)


def _require_patience(token: ApiToken) -> None:
    """Refuse a token that asked too often this minute, counted in the cache; without a cache nobody is refused."""
    now = time.time()
    key = f"api:{token.family}:{int(now // 60)}"
    try:
        cache.add(key, 0, timeout=120)
        used = cache.incr(key)
    except ValueError:
        logger.warning("requests of token %s are not counted: there is no cache at present", token.pk)
        return
    if used > token.per_minute:
        said = _("More than %(n)d requests came within a minute. Wait, and send several messages in one request.")
        raise Problem(429, said % {"n": token.per_minute}, retry_after=60 - int(now % 60))


class MayDo(BasePermission):
    """A view names for each method its scope and the rights that the user needs."""

    def has_permission(self, request: Any, view: Any) -> bool:
        token = request.auth
        if not isinstance(token, ApiToken):
            raise Problem(401, _("Send a token: “Authorization: Bearer TOKEN”."))
        method = "GET" if request.method == "HEAD" else request.method  # HEAD does all that GET does
        if method not in view.scopes:
            raise MethodNotAllowed(str(method))  # also when a helper of the view has the method's name
        scope, rights = view.scopes[method], view.rights.get(method, ())
        if scope not in token.scopes:
            said = _("This token lacks the scope “%(scope)s”. Make one that has it.")
            raise Problem(403, said % {"scope": scope})
        tokens.know_rights(request.user)
        if missing := [right for right in rights if not request.user.has_perm(right)]:
            said = _("The token's user lacks the right %(right)s. Ask an administrator for it.")
            raise Problem(403, said % {"right": missing[0]})
        return True


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": SCHEME}
