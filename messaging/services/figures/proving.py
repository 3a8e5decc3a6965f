"""Deriving a campaign's figures again from its messages and requests, and naming each that disagrees."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import Count, Max, Min, Q, Sum

from laaffic_console.gateway.models import EntryState, EvidenceKind, LedgerEntry
from laaffic_console.kit.sql import snapshots
from messaging.models import Batch, BatchState, Campaign, CampaignState, Message, MessageState, OutcomeTally
from messaging.services.batches import answers, earlier_attempts
from messaging.services.reports.reported_rows import FINAL_STATES
from messaging.services.tallies import counting, gate_tallies, sent_tallies

TRIES = 20  # while it sends; the next answer comes within a second
LIVE = (EntryState.PREPARED, EntryState.IN_FLIGHT, EntryState.ACCEPTED)
SHOWN = 100


def prove(campaign: Campaign, look: Callable[[], None] = lambda: None) -> dict[str, Any]:
    """{"id", "messages", "calls", "counts", "segments", "cost", "price_not_told", "disagreements": [sentence]}.

    No sentence means that all agrees. All figures are of one moment, even while it runs. `look` is called every second.
    """
    for _ in range(TRIES):
        look()
        answers.write_all(Batch.objects.filter(campaign=campaign))
        if found := snapshots.at_one_moment(lambda: _found_unless_answered(campaign.pk), look):
            return found
    return snapshots.at_one_moment(lambda: _found(campaign.pk), look)


def _found_unless_answered(campaign_id: int) -> dict[str, Any] | None:
    """None where an answer has come that is not on its messages' rows yet: they would say less than the figures."""
    answered = Batch.objects.filter(campaign=campaign_id, answer__isnull=False).exists()
    return None if answered else _found(campaign_id)


def _found(campaign_id: int) -> dict[str, Any]:
    campaign = Campaign.objects.get(pk=campaign_id)
    messages = Message.objects.filter(campaign=campaign)
    recounted, costs, without_price = (
        _recounted(campaign),
        _recounted_costs(campaign),
        _recounted_without_price(campaign),
    )
    segments = _recounted_segments(campaign)
    disagreements: list[str] = []
    for found in (
        _totals(campaign, recounted),
        _prices(campaign, costs, without_price),
        _stopped(campaign, recounted),
        _batches(campaign),
        _segments(campaign, segments),
        _outcomes(campaign),
        sent_tallies.disagreements(sent_tallies.of_campaign(campaign.pk)),
        _calls(campaign),
        _explanations(messages),
        _ids(messages),
        _end(campaign, recounted),
    ):
        disagreements += found
    return {
        "id": campaign.pk,
        "messages": sum(recounted.values()),
        "calls": LedgerEntry.objects.filter(about_kind="campaign", about_id=campaign.pk).count(),
        "counts": recounted,
        "segments": sum(segments.values()),
        "cost": {currency: str(total) for currency, total in costs.items()},
        "price_not_told": without_price,
        "disagreements": disagreements,
    }


def _recounted(campaign: Campaign) -> dict[str, int]:
    counts = dict.fromkeys((state.key for state in MessageState), 0)
    rows = Message.objects.filter(campaign=campaign).order_by().values_list("state").annotate(n=Count("pk"))
    for state, n in rows:
        counts[MessageState(state).key] = n
    in_hand = Q(campaign=campaign, state=MessageState.QUEUED, batch__state=BatchState.CLAIMED)
    claimed = Message.objects.filter(in_hand).count()
    counts["claimed"], counts["queued"] = claimed, counts["queued"] - claimed
    return counts


def _recounted_segments(campaign: Campaign) -> dict[int, int]:
    """{batch id: segments} of the messages that the gateway accepted."""
    rows = Message.objects.filter(campaign=campaign, state__in=counting.SENT).order_by().values_list("batch_id")
    return dict(rows.annotate(total=Sum("segments")))


def _recounted_costs(campaign: Campaign) -> dict[str, Any]:
    finals = Message.objects.filter(campaign=campaign, state__in=FINAL_STATES).exclude(currency="").order_by()
    rows = finals.values_list("currency").annotate(total=Sum("pay_micros"))
    totals = Counter({currency: total for currency, total in rows if total is not None})
    for _country, currency, _segments, micros in earlier_attempts.costs_of(campaign.pk):
        if currency:
            totals[currency] += micros
    return {currency: counting.amount(total) for currency, total in sorted(totals.items())}


def _recounted_without_price(campaign: Campaign) -> int:
    return Message.objects.filter(campaign=campaign, state__in=counting.TAKEN, currency="").count()


def _totals(campaign: Campaign, recounted: dict[str, int]) -> Iterator[str]:
    kept = counting.state_counts(campaign)
    for state, n in recounted.items():
        if kept[state] != n:
            yield f"{state}: the campaign says {kept[state]}, its messages say {n}"
    if campaign.total != sum(recounted.values()):
        yield f"total: the campaign says {campaign.total}, there are {sum(recounted.values())} messages"


def _prices(campaign: Campaign, derived: dict[str, Any], missing: int) -> Iterator[str]:
    said = counting.costs(campaign)
    for currency in sorted(set(said) | set(derived)):
        if said.get(currency, 0) != derived.get(currency, 0):
            yield f"cost in {currency}: kept {said.get(currency, 0)}, derived {derived.get(currency, 0)}"
    if (told := counting.price_not_told(campaign)) != missing:
        yield f"price not reported: kept {told}, derived {missing}"


def _stopped(campaign: Campaign, recounted: dict[str, int]) -> Iterator[str]:
    """Check that all messages stopped by gates are cancelled; a person may have cancelled more."""
    tallied = sum(gate_tallies.of(campaign).values())
    if tallied > recounted["cancelled"]:
        yield f"gates have stopped {tallied} messages, {recounted['cancelled']} are cancelled"


def _batches(campaign: Campaign) -> Iterator[str]:
    """Each batch's tallies against its own messages, which lie where it says."""
    derived: dict[int, dict[str, int]] = defaultdict(dict)
    rows = Message.objects.filter(campaign=campaign).order_by().values_list("batch_id", "state")
    for batch_id, state, n in rows.annotate(n=Count("pk")):
        derived[batch_id][MessageState(state).key] = n
    spans = Message.objects.filter(campaign=campaign).order_by().values_list("batch_id")
    bounds = {batch_id: (first, last) for batch_id, first, last in spans.annotate(Min("pk"), Max("pk"))}
    for batch in Batch.objects.filter(campaign=campaign).iterator():
        for state in counting.STORED_STATES:
            kept, found = getattr(batch, state.key), derived[batch.pk].get(state.key, 0)
            if kept != found:
                yield f"batch {batch.pk}: {state.key} is {kept} in its tally, {found} among its messages"
        first, last = bounds.get(batch.pk, (batch.first_message_id, batch.last_message_id))
        if first < batch.first_message_id or last > batch.last_message_id:
            yield f"batch {batch.pk}: a message lies outside its bounds"
        derived.pop(batch.pk, None)
    for batch_id, states in derived.items():  # no constraint holds it (docs/decisions/0015)
        yield f"batch {batch_id}: {sum(states.values())} messages are in it, and it is not a batch of this campaign"


def _segments(campaign: Campaign, derived: dict[int, int]) -> Iterator[str]:
    for pk, kept in Batch.objects.filter(campaign=campaign).order_by("pk").values_list("pk", "segments"):
        if kept != (found := derived.get(pk, 0)):
            yield f"batch {pk}: segments is {kept} in its tally, {found} among its messages"


def _outcomes(campaign: Campaign) -> Iterator[str]:
    keys = ("country", "state", "reason", "currency")
    sums = {"m": Count("pk"), "s": Sum("billed_segments"), "p": Sum("pay_micros")}
    finals = Message.objects.filter(campaign=campaign, state__in=FINAL_STATES).order_by()
    derived = {tuple(row[:4]): tuple(n or 0 for n in row[4:]) for row in finals.values_list(*keys).annotate(**sums)}
    for country, currency, segments, micros in earlier_attempts.costs_of(campaign.pk):
        key = earlier_attempts.key_of(country, currency)
        n, billed, paid = derived.get(key, (0, 0, 0))
        derived[key] = (n, billed + segments, paid + micros)
    tallies = OutcomeTally.objects.filter(campaign=campaign)
    kept = {
        tuple(row[:4]): tuple(row[4:])
        for row in tallies.values_list(*keys, "messages", "billed_segments", "pay_micros")
        if any(row[4:])
    }
    for key in sorted(set(derived) | set(kept), key=str):
        if derived.get(key, (0, 0, 0)) != kept.get(key, (0, 0, 0)):
            yield f"outcome {key}: tallied {kept.get(key, (0, 0, 0))}, derived {derived.get(key, (0, 0, 0))}"


def _calls(campaign: Campaign) -> Iterator[str]:
    """Each live request is the request of exactly one batch, and each settled batch has an answer to show."""
    campaign_entries = LedgerEntry.objects.filter(about_kind="campaign", about_id=campaign.pk)
    entries = campaign_entries.filter(state__in=LIVE)
    carriers: dict[int, int] = defaultdict(int)
    batches = Batch.objects.filter(campaign=campaign).exclude(entry=None)
    for entry_id in batches.values_list("entry_id", flat=True):
        carriers[entry_id] += 1
    for entry_id in entries.exclude(evidence_kind=EvidenceKind.LATE_ANSWER).values_list("pk", flat=True):
        if carriers[entry_id] != 1:
            yield f"request {entry_id} is live and carries {carriers[entry_id]} batches instead of one"
    sent = Q(accepted__gt=0) | Q(delivered__gt=0) | Q(undelivered__gt=0)
    answered = (EntryState.ACCEPTED, EntryState.UNKNOWN, EntryState.IN_FLIGHT)
    carried = (MessageState.ACCEPTED, MessageState.DELIVERED, MessageState.UNDELIVERED)
    for batch in Batch.objects.filter(sent, campaign=campaign).exclude(entry__state__in=answered)[:SHOWN]:
        # A person had its unknown messages sent again: those that were reported since arrived with the request before.
        given_up = campaign_entries.filter(state=EntryState.UNKNOWN, summary__batch=batch.pk)
        if batch.messages().filter(state__in=carried, attempt=1).exists() and not given_up.exists():
            yield f"batch {batch.pk} has accepted messages and no request that could have carried them"


def _explanations(messages: Any) -> Iterator[str]:
    """Every change of state says where it came from."""
    unexplained = {
        "unknown without evidence": Q(state=MessageState.UNKNOWN, evidence=""),
        "rejected without a reason": Q(state=MessageState.REJECTED, reason=""),
        "expired without evidence": Q(state=MessageState.EXPIRED, evidence=""),
        "reported by nobody": Q(state__in=[MessageState.DELIVERED, MessageState.UNDELIVERED], report_source=""),
    }
    for what, condition in unexplained.items():
        for pk in messages.filter(condition).values_list("pk", flat=True)[:SHOWN]:
            yield f"message {pk}: {what}"


def _ids(messages: Any) -> Iterator[str]:
    """Each accepted id belongs to one message."""
    shared = (
        messages.exclude(gateway_id=None).order_by().values_list("gateway_id").annotate(n=Count("pk")).filter(n__gt=1)
    )
    for gateway_id, n in shared[:SHOWN]:
        yield f"gateway id {gateway_id} belongs to {n} messages"
    strange = messages.filter(events__text__startswith="a second gateway id").values_list("pk", flat=True).distinct()
    for pk in strange[:SHOWN]:
        yield f"message {pk}: a second gateway id spoke for it"


def _end(campaign: Campaign, recounted: dict[str, int]) -> Iterator[str]:
    open_ones = recounted["queued"] + recounted["claimed"] + recounted["unknown"]
    if campaign.state == CampaignState.FINISHED and open_ones:
        yield f"the campaign is finished, and {open_ones} messages are not"
