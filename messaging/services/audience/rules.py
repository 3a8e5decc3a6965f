"""The conditions of a campaign's audiences: the current ones while it is a draft, those of its launch afterwards."""

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from laaffic_console.kit.sql.constant_sql import Given, Select
from messaging.conditions import conditions
from messaging.models import Audience, Campaign
from messaging.services.saved_audiences.condition_sql import Rules


def kept(campaign: Campaign) -> list[dict[str, Any]]:
    """[{audience, name, condition, tree}], by the audiences' ids."""
    if campaign.audience != Campaign.Audience.OPEN:
        return list(campaign.rules)
    if campaign.addressed:
        chosen = list(campaign.to_audiences.order_by("pk"))
    else:
        chosen = _chosen.objects(Audience, campaign=campaign.pk)
    return [
        {"audience": audience.pk, "name": audience.name, "condition": audience.condition, "tree": audience.tree}
        for audience in chosen
    ]


@Select
def _chosen() -> "QuerySet[Audience]":
    return Audience.objects.filter(campaigns=Given("campaign")).order_by("pk")


def of(campaign: Campaign, *, member_end: int | None = None, now: dt.datetime | None = None) -> Rules:
    """`now`: what “30 days ago” counts from; its launch, where it was launched."""
    found = tuple(conditions.from_json(rule["tree"]) for rule in kept(campaign))
    return Rules(found, now or campaign.launched_at or timezone.now(), member_end)
