"""Resuming several campaigns at once: each as its own button does it, and one that is refused stops no other.

They may be of any kind: the caller gives the service that resumes one of them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from laaffic_console.kit.words.said import gettext as _
from messaging.models import Campaign, CampaignState, EmailCampaign
from messaging.services.refusals import EndNotAsked

AnyCampaign = Campaign | EmailCampaign
Resume = Callable[..., Any]  # campaigns.resume, or another of the same arguments; gives the campaign as it is now


@dataclass(slots=True)
class Resumed:
    went_on: list[AnyCampaign] = field(default_factory=list)
    stayed: list[tuple[AnyCampaign, str]] = field(default_factory=list)  # each with one sentence why


def resume(chosen: Iterable[AnyCampaign], resume_one: Resume, *, by: User | None) -> Resumed:
    """Nobody is asked about a latest end or a new cost, so what needs a person's agreement stays as it is."""
    found = Resumed()
    for campaign in chosen:
        if why := _resume(resume_one, campaign.pk, by):
            found.stayed.append((campaign, why))
        else:
            found.went_on.append(campaign)
    return found


def _resume(resume_one: Resume, campaign_id: int, by: User | None) -> str:
    """Why it did not go on; "" where it did. It may be held at once for something else, such as the account."""
    try:
        campaign = resume_one(campaign_id, by=by, past_end=False)
    except EndNotAsked:
        return _("Its latest end has come. On its page you can resume the rest anyway.")
    except ValidationError as problem:
        return " ".join(problem.messages)
    return str(campaign.hold_reason) if campaign.state == CampaignState.HELD else ""
