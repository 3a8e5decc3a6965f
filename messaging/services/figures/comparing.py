"""Campaigns beside each other: all figures from tallies, in the same number of queries however large they are."""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.kit.words.figures import share
from laaffic_console.reports.reporting import COLUMNS, Figures
from messaging.models import ActivityTally, Campaign, CampaignState, MessageState
from messaging.services.figures import period_report_source
from messaging.services.tallies import counting

LEAST, MOST = 2, 5
LARGEST_ID = 2**63 - 1
A_MINUTE = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Compared:
    campaign: Campaign
    counts: dict[str, int]
    figures: Figures
    seconds: float | None  # from its first message to its end, or until now; None where one of them is not known

    def figure(self, name: str) -> Any:
        """A column of reports; None where it cannot be told."""
        return COLUMNS[name].of(self.figures)

    @property
    def sent(self) -> int:
        return int(self.figures.counts["sent"])

    @property
    def rate(self) -> float | None:
        """Messages a second; None where nothing was sent, or in no time that could be measured."""
        return self.sent / self.seconds if self.sent and self.seconds else None

    def of_delivered(self, name: str) -> float | None:
        """Per cent of the delivered messages, to a hundredth: few reply, and fewer opt out."""
        delivered = self.figures.counts["delivered"]
        return share(self.figures.counts[name], delivered, 2) if delivered > 0 else None

    def of_tried(self, name: str) -> float | None:
        """Per cent of what was handed to the gateway: accepted, rejected, or lost on the way."""
        tried = sum(self.figures.counts[word] for word in ("sent", "rejected", "unknown"))
        return share(self.figure(name) or 0, tried) if tried > 0 else None

    @property
    def price(self) -> tuple[str, Decimal] | None:
        """(currency, cost of a delivered message) where it was charged in one currency."""
        found = self.figure("cost_per_delivered")
        return next(iter(found.items())) if len(found) == 1 else None


def chosen(given: str) -> list[int]:
    """The campaigns that an address names, "3,1,2", each once; ValidationError says what is wrong with it."""
    parts = [part.strip() for part in given.split(",") if part.strip()]
    for part in parts:
        if not re.fullmatch(r"[0-9]{1,19}", part) or int(part) > LARGEST_ID:
            raise ValidationError(
                _("“%(part)s” is not the number of a campaign. Choose two to five in the list.") % {"part": part[:40]}
            )
    found = list(dict.fromkeys(int(part) for part in parts))
    if len(found) < LEAST:
        raise ValidationError(_("Tick at least two campaigns in the list to compare them."))
    if len(found) > MOST:
        raise ValidationError(_("At most five campaigns stand side by side. Tick fewer in the list."))
    return found


def of(ids: Sequence[int]) -> list[Compared]:
    """These campaigns, compared, in the order of `ids`; ValidationError names those that do not exist."""
    campaigns = Campaign.objects.defer("text", "extra_numbers").in_bulk(ids)
    if missing := [str(pk) for pk in ids if pk not in campaigns]:
        raise ValidationError(
            _("There is no campaign %(ids)s. Choose two to five in the list.") % {"ids": ", ".join(missing)}
        )
    counts, figures, now = counting.counts_of_many(ids), period_report_source.of_campaigns(ids), timezone.now()
    ended = _when_cancelled(campaigns.values())
    return [
        Compared(campaign, counts[pk], figures[pk], _seconds(campaign, ended.get(pk, now)))
        for pk, campaign in ((pk, campaigns[pk]) for pk in ids)
    ]


def _when_cancelled(campaigns: Iterable[Campaign]) -> dict[int, dt.datetime | None]:
    """For cancelled campaigns, when the last of their messages was accepted; None where that is not known any more."""
    cancelled = [campaign.pk for campaign in campaigns if campaign.state == CampaignState.CANCELLED]
    accepted = ActivityTally.objects.filter(campaign__in=cancelled, state=MessageState.ACCEPTED)
    last = dict(accepted.order_by().values_list("campaign").annotate(Max("minute")))
    return {pk: last[pk] + A_MINUTE if pk in last else None for pk in cancelled}


def _seconds(campaign: Campaign, end: dt.datetime | None) -> float | None:
    end = campaign.finished_at or end
    if campaign.first_sent_at is None or end is None:
        return None
    return max(0.0, (end - campaign.first_sent_at).total_seconds())


BEST, WORST = "best", "worst"


def marks(values: Sequence[Any], *, high_is_good: bool) -> list[str]:
    """ "best", "worst" or "" for each; None is neither, and nothing is where all that is known is the same."""
    known = [value for value in values if value is not None]
    if len(set(known)) < 2:
        return [""] * len(values)
    best, worst = (max(known), min(known)) if high_is_good else (min(known), max(known))
    words = {best: BEST, worst: WORST}
    return ["" if value is None else words.get(value, "") for value in values]


def prices(compared: Sequence[Compared]) -> list[Decimal | None]:
    """The costs per delivered message; all None if they are not in one currency and cannot be compared."""
    told = [one.price for one in compared]
    if len({price[0] for price in told if price}) != 1:
        return [None] * len(told)
    return [price[1] if price else None for price in told]
