"""The owner's providers of sign-ins that are set, and what the settings say of each: OpenID Connect and SAML."""

from dataclasses import dataclass

from django.conf import settings

OIDC, SAML = "oidc", "saml"  # as allauth keeps them beside a linked account
# An attribute of the request with a provider's answer, and of a sign-in without a second factor after it: when
# the provider says that it last asked the person, in seconds since 1970. Absent where it says none.
PROVED_THERE = "proved_at_provider"
OLDEST_SIGN_IN = 30 * 24 * 3600  # seconds: whose sign-in at the provider is older signs in there again
DRIFT_SECONDS = 60  # between the provider's clock and ours


@dataclass(frozen=True, slots=True)
class Provider:
    key: str
    name: str
    login: str  # the name of the address that its button leads to
    groups: str  # the claim or attribute that lists a person's groups
    roles: dict[str, str]  # which group gives which role
    matches_email: bool


def all_set() -> list[Provider]:
    """The providers that are set up, in the order of their buttons."""
    return [
        *([of(OIDC)] if settings.OIDC_ISSUER else []),
        *([of(SAML)] if settings.SAML_METADATA else []),
    ]


def of(key: str) -> Provider:
    if key == SAML:
        return Provider(
            *(SAML, settings.SAML_NAME, "saml_login", settings.SAML_GROUPS_ATTRIBUTE),
            *(settings.SAML_ROLES, settings.SAML_MATCH_EMAIL),
        )
    return Provider(
        *(OIDC, settings.OIDC_NAME, "openid_connect_login", settings.OIDC_GROUPS_CLAIM),
        *(settings.OIDC_ROLES, settings.OIDC_MATCH_EMAIL),
    )
