"""How pages show what is held: the account, an application, or one campaign alone."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.safestring import SafeString

from laaffic_console.gateway.models import AccountHold
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.kit.registers import front_page
from laaffic_console.kit.words.said import gettext as _


@dataclass(frozen=True, slots=True)
class ShownHold:
    """`heading`: one sentence, what is held. `cards`: what the apps say of what waits for its end."""

    hold: AccountHold
    heading: str
    cards: list[SafeString]


def open_ones(request: HttpRequest | None = None) -> list[ShownHold]:
    """What is held now, the newest first; with the apps' cards for `request`, if one is given."""
    holds = AccountHold.objects.filter(released_at=None).select_related("application")
    return [ShownHold(hold, heading(hold), front_page.in_hold(request, hold) if request else []) for hold in holds]


def heading(hold: AccountHold) -> str:
    if hold.application or account_hold.campaign_of(hold.scope) is not None:
        return _("%(stopped)s is held.") % {"stopped": stops(hold)}
    return _("The account is held.")


def stops(hold: AccountHold) -> str:
    """What it stops: an application, a single campaign, or everything."""
    if hold.application:
        return str(hold.application)
    if (campaign := account_hold.campaign_of(hold.scope)) is not None:
        return _("Campaign %(id)s") % {"id": campaign}
    return _("everything")
