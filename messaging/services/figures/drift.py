"""The drift alarm: reports that bill other segments, or another price, than the launch expected.

Once for each country and each of the two. Looked for once a minute, in the tallies of campaigns whose reports may still
come; none of their messages is read but a sample, where texts differ from person to person and only a sample told how
long they would be.
"""

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from laaffic_console.gateway.models import Channel
from laaffic_console.gateway.models.channels import CAMPAIGN_CHANNELS
from laaffic_console.gateway.services.database import isolation
from laaffic_console.gateway.services.work import leases
from laaffic_console.kit.words.said import gettext as _
from messaging.models import Campaign, CampaignState, Message, MessageState
from messaging.services import events, steps
from messaging.services.figures import expected
from messaging.services.figures.expected import ENOUGH, Actual, Drift

SAMPLE = 1000
EVERY = 60.0  # seconds
AT_ONCE = 500  # campaigns in a question: SQLite takes no more than some thousand values
UNDER_WAY = (CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.HELD)


def sweep() -> None:
    """The lease is not given back: of all workers one looks in a minute."""
    if settings.LAAFFIC_DRIFT_PERCENT > 0 and leases.take("drift", EVERY):
        look()


def look() -> None:
    # All is read before anything is written: SQLite lets nobody write who still reads what others have changed since.
    drifted = [one for pks in _watched() for one in _drifted(pks)]
    isolation.each(drifted, lambda one: _tell(*one), _name)


def _watched() -> Iterator[list[int]]:
    """Campaigns whose reports may still come, in pieces; those of which too few are charged to tell are not read."""
    late = timezone.now() - dt.timedelta(hours=settings.REPORT_WINDOW_HOURS)
    finished = Campaign.objects.filter(channel__in=CAMPAIGN_CHANNELS, state=CampaignState.FINISHED)
    watched = (Campaign.objects.filter(state__in=UNDER_WAY), finished.filter(finished_at__gte=late))
    for campaigns in watched:
        found = campaigns.filter(forecast__isnull=False, total__gte=ENOUGH).order_by().values_list("pk", flat=True)
        pks = found.iterator(chunk_size=AT_ONCE)
        while piece := list(itertools.islice(pks, AT_ONCE)):
            yield piece


def _drifted(pks: Sequence[int]) -> list[tuple[int, str, Actual, Drift]]:
    campaigns = Campaign.objects.only("forecast", "drift").in_bulk(pks)
    came = expected.actuals(campaigns)
    return [
        (pk, country, actual, drift)
        for (pk, country), actual in sorted(came.items())
        if actual.charged >= ENOUGH
        for drift in expected.drifts(expected.of(campaigns[pk].forecast, country), actual)
        if _is_new(campaigns[pk], country, drift, actual)
    ]


def _name(one: tuple[int, str, Actual, Drift]) -> str:
    return f"drift of campaign {one[0]}"


def _key(country: str, drift: Drift) -> str:
    return f"{country}:{drift.what}"


def _is_new(campaign: Campaign, country: str, drift: Drift, actual: Actual) -> bool:
    """Whether the drift was not told yet. One that was not confirmed counts again with twice as many messages."""
    known = (campaign.drift or {}).get(_key(country, drift))
    return known is None or (not known["told"] and actual.charged >= 2 * known["messages"])


def _tell(pk: int, country: str, actual: Actual, drift: Drift) -> None:
    is_told = drift.what != "segments" or _is_confirmed(pk, country)
    with transaction.atomic():
        campaign = steps.locked(Campaign, pk)
        if not _is_new(campaign, country, drift, actual):
            return
        noted = {"told": is_told, "messages": actual.charged, "expected": drift.expected, "actual": drift.actual}
        campaign.drift = {**(campaign.drift or {}), _key(country, drift): noted}
        campaign.save(update_fields=["drift"])
        if is_told:
            said = in_words(drift, campaign.channel)
            where = _("%(country)s: %(said)s") % {"country": country or "–", "said": said}
            steps.note(campaign, where, None)
            events.campaign_drifted(campaign, country, drift.what, drift.expected, drift.actual, actual, said)


def in_words(drift: Drift, channel: str) -> str:
    words = {"expected": drift.expected, "actual": drift.actual}
    if drift.what == "segments":
        return _("%(actual)s segments a message are billed, %(expected)s were expected") % words
    if channel != Channel.SMS:
        return _("a message costs %(actual)s, %(expected)s were expected") % words
    return _("a segment costs %(actual)s, %(expected)s were expected") % words


def _is_confirmed(pk: int, country: str) -> bool:
    """Whether the drift is real. If the expected segments were from a sample, the texts' own counts decide."""
    kept = Campaign.objects.values_list("forecast", flat=True).get(pk=pk)
    if not (kept and kept["is_sampled"]):
        return True
    billed = Message.objects.filter(
        campaign=pk, state=MessageState.DELIVERED, country=country, billed_segments__isnull=False
    )
    some = Message.objects.filter(pk__in=list(billed.order_by("pk").values_list("pk", flat=True)[:SAMPLE]))
    sums = some.aggregate(own=Sum("segments"), billed=Sum("billed_segments"))
    own, said = sums["own"] or 0, sums["billed"] or 0
    return bool(abs(said - own) * 100 > settings.LAAFFIC_DRIFT_PERCENT * own)
