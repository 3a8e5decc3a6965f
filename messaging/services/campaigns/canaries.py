"""The few first, from the choice to the decision: chosen once, counted by the batches' tallies, decided by a job.

Each step says in the database that it is done, so a killed job's successor goes on there. Before the decision only
those who were chosen leave, so what the campaign's batches count as left is what happened to them.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from laaffic_console.gateway.services.database import database_clock, isolation
from laaffic_console.gateway.services.work import bell
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.plain_text import is_blank
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import ngettext
from messaging import job_names
from messaging.models import (
    IS_OPEN_BATCH,
    Batch,
    BatchState,
    Campaign,
    CampaignEvent,
    CampaignState,
    Canary,
    CanaryMessage,
    HoldKind,
    Message,
    MessageState,
)
from messaging.services import steps
from messaging.services.batches import carving
from messaging.services.campaigns import campaigns, canary_figures, canary_sizes, states
from messaging.services.campaigns.canary_figures import Figures, figures
from messaging.services.gates import canary as gate
from messaging.services.tallies import counting

AT_ONCE = 200  # batches a transaction


def shown(campaign: Campaign, counts: dict[str, int]) -> dict[str, Any] | None:
    """For the campaign's page: the figures as they stand, or those that were decided on."""
    canary = Canary.objects.filter(pk=campaign.pk).first() if campaign.canary else None
    if canary is None:
        return None
    now = figures(campaign, canary, counts)
    if canary.passed_at is not None and canary.figures:
        kept = canary.figures
        now = Figures(kept["left"], kept["delivered"], kept["failed"], kept["wanted"], campaign.canary_least)
    is_open = canary.drawn_at is not None and canary.passed_at is None
    return {
        "canary": canary,
        "figures": now,
        "countries": sorted(canary.countries.items(), key=lambda entry: (-entry[1], entry[0])),
        "decides_at": canary.sent_at and canary.sent_at + dt.timedelta(minutes=campaign.canary_wait),
        "may_go_on": is_open and campaign.state in (CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.HELD),
    }


def follow() -> None:
    """Whatever is next for each campaign with a canary. Repeated, it changes nothing."""
    open_ones = Canary.objects.filter(let_go_at=None, campaign__audience=Campaign.Audience.FROZEN)
    is_over = Q(campaign__state__in=[CampaignState.CANCELLED, CampaignState.FINISHED])
    isolation.each(open_ones.exclude(is_over).values_list("pk", flat=True), follow_one, "canary of campaign {}".format)


def follow_one(campaign_id: int) -> None:
    campaign = Campaign.objects.get(pk=campaign_id)
    if Canary.objects.filter(pk=campaign_id, drawn_at=None).exists():
        _draw(campaign)
    if Canary.objects.filter(pk=campaign_id, parted_at=None, passed_at=None).exists():
        _part(campaign)
    if campaign.state == CampaignState.RUNNING:
        _decide(campaign)
    if Canary.objects.filter(pk=campaign_id, passed_at__isnull=False, let_go_at=None).exists():
        _let_go(campaign_id)


def _draw(campaign: Campaign) -> None:
    """Choose them, once. The audience is frozen and nobody leaves before: what is read here stays so."""
    waiting = Message.objects.filter(campaign=campaign, state=MessageState.QUEUED).order_by()
    by_country = dict(waiting.values_list("country").annotate(n=Count("pk")))
    total = sum(by_country.values())
    shares = canary_sizes.spread(canary_sizes.size(campaign.canary, total), by_country)
    size = sum(shares.values())
    chosen = list(_first_of(waiting, shares)) if size < total else []
    rejected = counting.state_counts(campaign)["rejected"]
    with transaction.atomic():
        canary = Canary.objects.select_for_update(no_key=True).get(pk=campaign.pk)
        if canary.drawn_at is not None:
            return
        CanaryMessage.objects.bulk_create(
            [CanaryMessage(message_id=pk, canary=canary) for pk in chosen], batch_size=5000
        )
        canary.size, canary.countries, canary.rejected_before = size, shares, rejected
        canary.drawn_at = database_clock.now()
        if size >= total:  # it is the whole campaign: there is nobody who could wait for it
            canary.passed_at = canary.drawn_at
        canary.save()
        said = ngettext(
            "Everybody goes first: it has %(n)d recipient, and the few are not fewer",
            "Everybody goes first: it has %(n)d recipients, and the few are not fewer",
            total,
        ) % {"n": total}
        if size < total:
            said = ngettext(
                "The few first: %(n)d of %(total)d recipients, in %(countries)d country",
                "The few first: %(n)d of %(total)d recipients, in %(countries)d countries",
                len(shares),
            ) % {"n": size, "total": total, "countries": len(shares)}
        CampaignEvent.objects.create(campaign=campaign, text=said)


def _first_of(waiting: "QuerySet[Message]", shares: dict[str, int]) -> Iterable[int]:
    """The first of each country, by the order in which the audience was frozen; in one pass over it."""
    numbered = waiting.annotate(place=Window(RowNumber(), partition_by=F("country"), order_by=F("id").asc()))
    is_chosen = Q()
    for country, n in shares.items():
        is_chosen |= Q(country=country, place__lte=n)
    return numbered.filter(is_chosen).values_list("pk", flat=True).iterator()


def _part(campaign: Campaign) -> None:
    """Give those who were chosen batches of their own, which wait no longer."""
    ours = CanaryMessage.objects.filter(canary=campaign.pk).values("message_id")
    among = Message.objects.filter(pk__in=ours, state=MessageState.QUEUED).order_by()
    batch_ids = sorted(set(among.values_list("batch_id", flat=True)))
    for batch_id in batch_ids:
        _part_batch(batch_id)
    Canary.objects.filter(pk=campaign.pk, parted_at=None).update(parted_at=database_clock.now())
    bell.ring(job_names.SEND_CAMPAIGN, campaign.pk)


@transaction.atomic
def _part_batch(batch_id: int) -> None:
    batch = Batch.objects.select_for_update().get(pk=batch_id)
    if batch.state != BatchState.QUEUED or not batch.waits_for.startswith(gate.WHY):
        return  # parted already, or on its way
    ours = CanaryMessage.objects.filter(canary=batch.campaign_id).values("message_id")
    waiting = batch.messages().filter(state=MessageState.QUEUED, pk__in=ours).order_by("pk")
    if ids := list(waiting.values_list("pk", flat=True)):
        part = batch if len(ids) == batch.queued else carving.carve(batch, ids)
        Batch.objects.filter(pk=part.pk).update(not_before=None, waits_for="")


def _decide(campaign: Campaign) -> None:
    """Go on or hold, on no fewer reports than it needs; else wait."""
    with transaction.atomic():
        canary = Canary.objects.select_for_update(no_key=True).get(pk=campaign.pk)
        if canary.parted_at is None or canary.passed_at is not None or canary_figures.are_on_their_way(campaign):
            return
        canary.sent_at = canary.sent_at or database_clock.now()
        _weigh(campaign, canary, figures(campaign, canary, counting.state_counts(campaign)))
        canary.save()
        if canary.hold_reason:  # under its lock: who says Go on now comes before, or finds it held
            states.hold(campaign.pk, canary.hold_reason, HoldKind.FEW_FIRST)


def _weigh(campaign: Campaign, canary: Canary, found: Figures) -> None:
    now = database_clock.now()
    canary.hold_reason = canary_figures.against(campaign, canary, found, now)
    if canary.hold_reason:
        canary.figures = found.as_json() if found.left else canary.figures
    elif canary_figures.is_decided(campaign, canary, found, now):
        canary.figures, canary.passed_at = found.as_json(), now
        said = _("The few first: %(delivered)d of %(reported)d reports say delivered (%(percent)d%%). It goes on.")
        said %= {"delivered": found.delivered, "reported": found.reported, "percent": found.percent}
        CampaignEvent.objects.create(campaign=campaign, text=said)
    elif canary_figures.is_time(campaign, canary, now) and canary.said_late_at is None:
        canary.said_late_at = now
        said = _(
            "The few first: %(reported)d reports of %(left)d have come; it waits for %(wanted)d before it decides."
        )
        said %= {"reported": found.reported, "left": found.left, "wanted": found.wanted}
        CampaignEvent.objects.create(campaign=campaign, text=said)


def has_passed(campaign: Campaign) -> bool:
    """The rest need not wait any more, and is not held for the few either."""
    if campaign.state == CampaignState.HELD:
        return False
    return Canary.objects.filter(pk=campaign.pk, passed_at__isnull=False).exists()


def go_on(campaign_id: int, *, reason: str, by: User | None) -> Campaign:
    """Send to the rest because a person says so, whatever the reports say. A hold for another reason stays."""
    if is_blank(reason):
        raise ValidationError(_("Say why the rest is sent now."))
    campaign = Campaign.objects.get(pk=campaign_id)
    open_states = [CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.HELD]
    steps.require(campaign, open_states, _("sent to the rest"))
    with transaction.atomic():
        canary = Canary.objects.select_for_update(no_key=True).filter(pk=campaign_id).first()
        if canary is None:
            raise NotNow(_("It sends to no few first: nothing of it waits for their reports."))
        if canary.passed_at is None:  # otherwise by somebody who may have died before it was resumed
            _pass(campaign, canary, reason.strip(), by)
    _let_go(campaign_id)
    campaign.refresh_from_db()  # it may have been held for the few while their lock was waited for
    if campaign.state == CampaignState.HELD and campaign.is_held_as(HoldKind.FEW_FIRST, canary.hold_reason):
        return campaigns.resume(campaign_id, by=by)  # its end is another matter, and holds it then
    return campaign


def _pass(campaign: Campaign, canary: Canary, reason: str, by: User | None) -> None:
    if canary.drawn_at is None:
        raise NotNow(_("Its recipients are still being counted: the first few have not been chosen yet."))
    found = figures(campaign, canary, counting.state_counts(campaign))
    canary.passed_at, canary.passed_by, canary.figures = database_clock.now(), by, found.as_json()
    canary.save()
    said = _("The rest is sent on %(reported)d reports, %(delivered)d of them delivered: %(reason)s")
    steps.note(campaign, said % {**found.as_json(), "reported": found.reported, "reason": reason}, by)


def _let_go(campaign_id: int) -> None:
    """Release what waited for the first few. Code that makes messages wait holds its lock, so none is added later."""
    after: int | None = 0
    while after is not None:
        after = _let_some_go(campaign_id, after)
    Canary.objects.filter(pk=campaign_id, let_go_at=None).update(let_go_at=database_clock.now())
    bell.ring(job_names.SEND_CAMPAIGN, campaign_id)


@transaction.atomic
def _let_some_go(campaign_id: int, after: int) -> int | None:
    waits = Batch.objects.filter(
        IS_OPEN_BATCH.implied,
        campaign_id=campaign_id,
        state=BatchState.QUEUED,
        waits_for__startswith=gate.WHY,
        pk__gt=after,
    )
    ids = list(waits.select_for_update().order_by("id").values_list("pk", flat=True)[:AT_ONCE])
    Batch.objects.filter(pk__in=ids).update(not_before=None, waits_for="")
    return ids[-1] if ids else None
