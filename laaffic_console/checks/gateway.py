"""Checks of the settings for requests to Laaffic, and for what it pushes."""

import string
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.checks import CheckMessage, register
from django.utils.translation import gettext_lazy as _

from laaffic_console.checks.saying import TAG, error, example, is_network, is_web_address, unsendable, warning
from laaffic_console.laaffic import Family

SHORTEST_TOKEN = 16

LONGEST_PREFIX = 12

URL_SAFE = set(string.ascii_letters + string.digits + "-_~.")


@register(TAG)
def check_credentials(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    key, secret = settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET
    if key and secret:
        return [
            *unsendable("LAAFFIC_API_KEY", key, id="laaffic.E126"),
            *unsendable("LAAFFIC_API_SECRET", secret, id="laaffic.E126"),
        ]
    return [
        warning(
            _("LAAFFIC_API_KEY and LAAFFIC_API_SECRET are not both set: nothing can be sent."),
            hint=_("Copy them from the developer options at Laaffic into the environment or .env."),
            id="laaffic.W121",
        )
    ]


@register(TAG)
def check_gateway_address(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = [
        *unsendable("LAAFFIC_BASE_URL", settings.LAAFFIC_BASE_URL, id="laaffic.E126"),
        *unsendable("LAAFFIC_PATHS", *settings.LAAFFIC_PATHS.values(), id="laaffic.E126"),
    ]
    if not is_web_address(settings.LAAFFIC_BASE_URL):
        found.append(
            error(
                _("%(setting)s is “%(value)s”, which is not a web address.")
                % {"setting": "LAAFFIC_BASE_URL", "value": settings.LAAFFIC_BASE_URL},
                hint=example("https://api.laaffic.com/v3"),
                id="laaffic.E122",
            )
        )
    if unknown := set(settings.LAAFFIC_PATHS) - {family.value for family in Family}:
        found.append(
            error(
                _("LAAFFIC_PATHS names %(families)s, which is not a family of interfaces.")
                % {"families": ", ".join(sorted(unknown))},
                hint=_("There are: %(families)s.") % {"families": ", ".join(family.value for family in Family)},
                id="laaffic.E123",
            )
        )
    for family, path in settings.LAAFFIC_PATHS.items():
        if path and not path.startswith("/") and not is_web_address(path):
            found.append(
                error(
                    _("LAAFFIC_PATHS has “%(path)s” for %(family)s, which is neither a path nor a web address.")
                    % {"path": path, "family": family},
                    hint=example("sms=/sms,account=/sms"),
                    id="laaffic.E130",
                )
            )
    try:
        ZoneInfo(settings.LAAFFIC_TIME_ZONE)
    except (KeyError, ValueError, OSError):
        found.append(
            error(
                _("LAAFFIC_TIME_ZONE is “%(value)s”, which is not a time zone.")
                % {"value": settings.LAAFFIC_TIME_ZONE},
                hint=_("For example Asia/Shanghai, which is Laaffic's own."),
                id="laaffic.E124",
            )
        )
    if any(seconds <= 0 for seconds in settings.LAAFFIC_TIMEOUTS):
        found.append(
            error(
                _("LAAFFIC_CONNECT_TIMEOUT and LAAFFIC_READ_TIMEOUT must be more than 0 seconds."),
                hint=_("10 and 30 are usual."),
                id="laaffic.E125",
            )
        )
    return found


@register(TAG)
def check_pushes(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """The token in a callback's address is all that keeps strangers out (laaffic-api#pushes)."""
    found: list[CheckMessage] = []
    tokens = settings.LAAFFIC_PUSH_TOKENS
    make_one = _("Make one with: %(command)s") % {
        "command": "python -c 'import secrets; print(secrets.token_urlsafe(24))'"
    }
    if not tokens:
        found.append(
            warning(
                _("LAAFFIC_PUSH_TOKENS is not set: delivery reports and replies are not taken."),
                hint=make_one,
                id="laaffic.W131",
            )
        )
    if any(len(token) < SHORTEST_TOKEN for token in tokens):
        said = _("LAAFFIC_PUSH_TOKENS holds a token shorter than %(n)d characters: it can be guessed.")
        found.append(error(said % {"n": SHORTEST_TOKEN}, hint=make_one, id="laaffic.E132"))
    if any(set(token) - URL_SAFE for token in tokens):
        said = _("LAAFFIC_PUSH_TOKENS holds a token with characters that an address cannot carry.")
        found.append(error(said, hint=make_one, id="laaffic.E133"))
    for name, number in (("LAAFFIC_PUSH_SOURCES", "E134"), ("TRUSTED_PROXIES", "E135")):
        if wrong := [source for source in getattr(settings, name) if not is_network(source)]:
            found.append(
                error(
                    _("%(setting)s holds %(sources)s, which is neither an address nor a network.")
                    % {"setting": name, "sources": ", ".join(wrong)},
                    hint=example("203.0.113.7, 198.51.100.0/28"),
                    id=f"laaffic.{number}",
                )
            )
    if settings.PUSH_MAX_BYTES < 64 * 1024:
        found.append(
            error(
                _("LAAFFIC_PUSH_MAX_BYTES is under 64 KB: reports that come many at a time would be refused."),
                hint=_("The default is 5 MB."),
                id="laaffic.E136",
            )
        )
    return found


@register(TAG)
def check_order_prefix(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """It leads a pushed report back to its message, so it must survive the way there and back."""
    prefix = settings.LAAFFIC_ORDER_PREFIX
    if prefix.isalnum() and prefix.isascii() and len(prefix) <= LONGEST_PREFIX:
        return []
    return [
        error(
            _("LAAFFIC_ORDER_PREFIX is “%(value)s”; it must be 1 to %(n)d letters and digits.")
            % {"value": prefix, "n": LONGEST_PREFIX},
            hint=_("For example shop1; another one for each console that uses the same account."),
            id="laaffic.E141",
        )
    ]


@register(TAG)
def check_balance(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    if settings.LAAFFIC_BALANCE_ALERT >= 0 and settings.LAAFFIC_BALANCE_MINUTES >= 1:
        return []
    return [
        error(
            _("LAAFFIC_BALANCE_ALERT must not be negative, and LAAFFIC_BALANCE_MINUTES at least 1."),
            hint=_("An alert of 0 never warns."),
            id="laaffic.E152",
        )
    ]
