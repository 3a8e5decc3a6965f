"""What a page asks beside “Resume” about a latest end or a new cost. Only an answer to what it showed counts."""

from decimal import Decimal

from django.http import HttpRequest
from django.utils.translation import gettext as _

from messaging.models import Campaign
from messaging.models.campaign_bases import Launched
from messaging.services.approvals import approval_rules
from messaging.services.approvals.shown import Agreed
from messaging.services.campaigns import starting
from messaging.services.gates import sending_hours
from messaging.services.launching import seals

PAST_END = "past_end"
NEW_COST = "new cost"  # the first word of its seal: what a page before a launch has sealed agrees to nothing


def shown(held: Launched) -> str:
    """The name that its button posts where its page asks about its end."""
    return PAST_END if sending_hours.asks_about_its_end(held) else ""


def shown_in_row(held: Launched) -> str:
    """As `shown`, for a row of a list. A row shows only why it is held, so it asks only if it is held by its end."""
    return PAST_END if sending_hours.is_held_by_end(held) else ""


def end_passed(held: Launched) -> str:
    """The sentence in which its page asks about an end that came while it stood still for another reason, else ""."""
    if held.latest_end is None or sending_hours.is_held_by_end(held) or not sending_hours.is_past_its_end(held):
        return ""
    return sending_hours.after_its_end(held.latest_end)


def asked(request: HttpRequest) -> dict[str, bool]:
    """The arguments for a service's `resume`. Pages post them; rows of a list have them in their address."""
    return {"past_end": PAST_END in request.POST or PAST_END in request.GET}


def new_cost(campaign: Campaign) -> dict[str, str]:
    """What its button asks about a new cost, and posts if somebody agrees; {} if the cost does not stop it.

    `missing`: what stops it even if somebody agrees.
    """
    if (planned := starting.if_resumed(campaign)) is None:
        return {}
    if missing := approval_rules.missing(campaign, planned):
        return {"missing": missing}
    if (found := starting.cost_to_agree_to(campaign, planned)) is None:
        return {}
    change, new = found
    amounts = {currency: str(amount) for currency, amount in new.cost.items()}
    said = _("It has changed since it was launched: %(change)s. Resume it at the new cost?") % {"change": change}
    return {"asks": said, "agreed": seals.token(campaign, [NEW_COST, amounts, new.unpriced], {})}


def agreed(request: HttpRequest, campaign: Campaign) -> Agreed | None:
    kept, _sentences = seals.read(campaign, request.POST.get("agreed", ""))
    match kept:
        case [word, dict(amounts), int(unpriced)] if word == NEW_COST:
            return Agreed({currency: Decimal(amount) for currency, amount in amounts.items()}, unpriced)
    return None
