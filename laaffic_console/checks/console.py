"""The console itself: where it is reached, its emails, who signs in, and what a real installation needs."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.checks import CheckMessage, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError
from django.http.request import split_domain_port, validate_host
from django.utils.translation import gettext_lazy as _

from laaffic_console import environment
from laaffic_console.checks.saying import LOCAL, TAG, error, example, is_loopback, is_web_address, unsendable, warning

LEAST_OF_A_KEY, LEAST_CHARACTERS = 32, 5  # SECRET_KEY's length, and how many different characters it has


@register(TAG)
def check_console_address(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    if is_web_address(settings.CONSOLE_URL):
        return []
    return [
        error(
            _("%(setting)s is “%(value)s”, which is not a web address.")
            % {"setting": "CONSOLE_URL", "value": settings.CONSOLE_URL},
            hint=_(
                "The address under which people and Laaffic reach this console, such as https://console.example.com"
            ),
            id="laaffic.E142",
        )
    ]


@register(TAG)
def check_email(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = [
        *unsendable("EMAIL_URL", settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD, id="laaffic.E164")
    ]
    if not settings.EMAIL_IS_SET or "@" in settings.DEFAULT_FROM_EMAIL:
        return found
    return [
        *found,
        error(
            _("EMAIL_URL is set and EMAIL_FROM is not an email address: no report can be sent."),
            hint=example("EMAIL_FROM=console@example.com"),
            id="laaffic.E154",
        ),
    ]


@register(TAG)
def check_provider(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = [
        *unsendable("OIDC_CLIENT_ID", settings.OIDC_CLIENT_ID, id="laaffic.E164"),
        *unsendable("OIDC_CLIENT_SECRET", settings.OIDC_CLIENT_SECRET, id="laaffic.E164"),
    ]
    if not settings.OIDC_ISSUER:
        return found
    if not is_web_address(settings.OIDC_ISSUER):
        found.append(
            error(
                _("OIDC_ISSUER is not a web address: nobody can sign in through the provider."),
                hint=example("OIDC_ISSUER=https://id.example.com/realms/staff"),
                id="laaffic.E155",
            )
        )
    elif urlsplit(settings.OIDC_ISSUER).scheme != "https" and not is_loopback(urlsplit(settings.OIDC_ISSUER).hostname):
        found.append(
            error(
                _("OIDC_ISSUER is not https: anybody on the way could sign in as an administrator."),
                hint=_("Use the provider's address with https."),
                id="laaffic.E156",
            )
        )
    if not settings.OIDC_CLIENT_ID or not settings.OIDC_CLIENT_SECRET:
        found.append(
            error(
                _("OIDC_ISSUER is set, and OIDC_CLIENT_ID or OIDC_CLIENT_SECRET is not."),
                hint=_("The provider shows both where this console is registered."),
                id="laaffic.E157",
            )
        )
    if not settings.OIDC_ROLES:
        found.append(
            warning(
                _("OIDC_ROLES is not set: no group gives a role, so nobody can sign in through the provider."),
                hint=example("OIDC_ROLES=console-admins=Administrator, support=Operator"),
                id="laaffic.W158",
            )
        )
    return found


@register(TAG)
def check_saml(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    given = settings.SAML_METADATA
    if not given:
        return []
    found: list[CheckMessage] = []
    address = urlsplit(given)
    if not is_web_address(given) and not Path(given).is_file():
        found.append(
            error(
                _("SAML_METADATA is neither a web address nor a file here: nobody can sign in through the provider."),
                hint=example("SAML_METADATA=https://id.example.com/metadata"),
                id="laaffic.E159",
            )
        )
    elif address.scheme == "http" and not is_loopback(address.hostname):
        found.append(
            error(
                _("SAML_METADATA is not https: anybody on the way could sign in as an administrator."),
                hint=_("Use the provider's address with https."),
                id="laaffic.E160",
            )
        )
    if not settings.SAML_ROLES:
        found.append(
            warning(
                _("SAML_ROLES is not set: no group gives a role, so nobody can sign in through the provider."),
                hint=example("SAML_ROLES=console-admins=Administrator, support=Operator"),
                id="laaffic.W162",
            )
        )
    return found


@register(TAG, Tags.security, deploy=True)
def check_roles(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """A role that there is not: nobody has it, so a duty binds nobody, and a group gives nothing."""
    named = {
        "SECOND_FACTOR_ROLES": settings.SECOND_FACTOR_ROLES,
        "OIDC_ROLES": settings.OIDC_ROLES.values(),
        "SAML_ROLES": settings.SAML_ROLES.values(),
    }
    if not any(named.values()):
        return []
    try:
        known = set(Group.objects.values_list("name", flat=True))
    except (DatabaseError, InterfaceError):
        return []  # health says so
    return [
        error(
            _("%(setting)s names the role “%(role)s”, which there is not.") % {"setting": setting, "role": role},
            hint=_("Write it as the list of roles does, with its capitals: %(roles)s.")
            % {"roles": ", ".join(sorted(known))},
            id="laaffic.E163",
        )
        for setting, roles in named.items()
        for role in sorted(set(roles) - known)
        if known
    ]


@register(TAG, Tags.security, deploy=True)
def check_secret_key(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    if settings.SECRET_KEY_IS_OWN:
        return [
            warning(
                _(
                    "SECRET_KEY is not set, so this machine made one of its own: another machine would not accept its "
                    "sessions and its jobs."
                ),
                hint=_("Put the same SECRET_KEY of 50 random characters into every machine's environment."),
                id="laaffic.W171",
            )
        ]
    if is_guessable(settings.SECRET_KEY):
        return [
            warning(
                _("SECRET_KEY is short or repeats itself: who guesses it signs in as anyone."),
                hint=_("Make one with: %(command)s")
                % {"command": "python3 -c 'import secrets; print(secrets.token_urlsafe(50))'"},
                id="laaffic.W177",
            )
        ]
    return []


@register(TAG, Tags.security, deploy=True)
def check_proxy(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    if not settings.SECURE_PROXY_SSL_HEADER or settings.TRUSTED_PROXIES:
        return []
    if settings.CONSOLE_BIND.startswith("unix:"):  # whose proxy has no address, and is believed
        return []
    return [
        warning(
            _("BEHIND_TLS_PROXY is on and TRUSTED_PROXIES is not set: everybody signs in from one address."),
            hint=_("Set TRUSTED_PROXIES to the proxy's address, such as 127.0.0.1; else one stranger locks out all."),
            id="laaffic.W175",
        )
    ]


@register(TAG, Tags.security, deploy=True)
def check_addresses(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """What is right on a desk and wrong where real messages leave."""
    found: list[CheckMessage] = []
    gateway, console = urlsplit(settings.LAAFFIC_BASE_URL), urlsplit(settings.CONSOLE_URL)
    host = split_domain_port(console.netloc)[0] or console.hostname  # with the brackets of an IPv6 address
    if host and not validate_host(host, settings.ALLOWED_HOSTS):
        found.append(
            warning(
                _("ALLOWED_HOSTS lacks %(host)s, the host of CONSOLE_URL: pages and pushes are answered 400.")
                % {"host": host},
                hint=_("Put the host's name into it, without https:// and port: %(example)s")
                % {"example": f"ALLOWED_HOSTS={host},localhost"},
                id="laaffic.W176",
            )
        )
    if gateway.hostname in LOCAL:
        return found
    if gateway.scheme == "http":  # what is not a web address has an error of its own
        found.append(
            warning(
                _(
                    "LAAFFIC_BASE_URL is not https: numbers, contents and a signature that stays good for half an hour "
                    "cross the network unencrypted."
                ),
                hint=_("Use %(address)s") % {"address": "https://api.laaffic.com/v3"},
                id="laaffic.W172",
            )
        )
    if console.hostname in LOCAL:
        found.append(
            warning(
                _("CONSOLE_URL is an address of this machine only: Laaffic cannot push reports to it."),
                hint=_("Set it to the address under which this console is reached from outside."),
                id="laaffic.W173",
            )
        )
    elif console.scheme == "http":
        found.append(
            warning(
                _("CONSOLE_URL is not https: passwords and callback addresses cross the network unencrypted."),
                hint=_("Put a proxy with a certificate in front, and set CONSOLE_URL and BEHIND_TLS_PROXY."),
                id="laaffic.W174",
            )
        )
    return found


@register(TAG, deploy=True)
def check_web_server(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Check settings that only `laaffic-console web` reads, so that only its start would say what is wrong."""
    try:
        environment.web_server()
    except ImproperlyConfigured as wrong:
        return [error(str(wrong), hint=_("Until then the web process does not start."), id="laaffic.E178")]
    return []


def is_guessable(key: str) -> bool:
    return len(key) < LEAST_OF_A_KEY or len(set(key)) < LEAST_CHARACTERS
