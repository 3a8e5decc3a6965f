"""The dossier of an SMS, MMS or spoken campaign.

The recipients are read by stretches of their key, so a million take no more memory than a thousand.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, BinaryIO

from django.contrib.auth.models import User

from laaffic_console.kit.delivery_buckets import BOUNDS
from laaffic_console.kit.words.stored_words import in_words, reason_in_words
from messaging.exports import dossiers, recipient_exports
from messaging.exports.dossiers import Row
from messaging.models import AudienceCount, Campaign, Message, MessageEvent, MessageState, OutcomeTally
from messaging.services.approvals import shown
from messaging.services.audience import rules
from messaging.services.figures import campaign_report, period_report_source
from messaging.services.tallies import counting

CONTENT = ["id", "name", "kind", "purpose", "channel", "state", "sender_id", "text", "channel_options", "extra_numbers"]
CONTENT += ["rate_per_second", "scheduled_at", "latest_start_minutes", "error_limit", "retry_of_id"]
CONTENT += ["calendar_id", "local_time", "latest_end", "outside_hours"]
CONTENT += ["canary", "canary_wait", "canary_reports", "canary_least"]
CONTENT += ["created_at", "launched_at", "first_sent_at", "finished_at", "hold_reason", "wait_reason"]
AUDIENCE = ["audience", "member_end", "audience_end", "total"]
AUDIENCE += ["dropped_suppressed", "dropped_excluded", "dropped_capped", "dropped_consent", "dropped_invalid"]
COUNTED = ["people", "reached_people", "reached", "recipients", "suppressed", "excluded", "too_long", "invalid"]
COUNTED += ["blank", "repeated", "started_at", "counted_at"]


def write(campaign: Campaign, user: User | None, into: BinaryIO, recipients: Iterable[Row]) -> None:
    """`recipients`: the rows of `recipient_exports`, header first, as `user` (None: the command line) may see them."""
    counts = counting.state_counts(campaign)
    is_over = campaign.state in counting.OVER and not counts["accepted"] and not counts["unknown"]
    recounted = Recounted(recipients)
    parts = [
        dossiers.content(campaign, CONTENT, user),
        dossiers.approvals(campaign),
        dossiers.document(
            "audience.json",
            "groups, numbers and exclusions; how many were counted, and digests of who",
            lambda: _audience(campaign),
        ),
        dossiers.document(
            "forecast.json", "what was expected before the launch, as it was shown", lambda: _forecast(campaign)
        ),
        dossiers.settings_part(),
        dossiers.table(
            "recipients.csv", "each recipient: state, reason, cost, times, and how each is known", lambda: recounted
        ),
        dossiers.table("evidence.csv", "late and conflicting reports, and persons' words", lambda: _evidence(campaign)),
        dossiers.ledger(campaign, "campaign"),
        dossiers.events(campaign),
        dossiers.document(
            "figures.json",
            "the console's figures, counted again from recipients.csv, outcomes, proofs",
            lambda: _figures(campaign, recounted, is_over=is_over),
        ),
    ]
    dossiers.write(into, f"campaign {campaign.pk} “{campaign.name}”", parts, is_over=is_over)


def _audience(campaign: Campaign) -> dict[str, Any]:
    def named(groups: Any) -> list[dict[str, Any]]:
        return list(groups.order_by("pk").values("id", "name"))

    return {
        "to_groups": named(campaign.groups),
        "but_not_to_groups": named(campaign.excluded_groups),
        "to_audiences": rules.kept(campaign),
        "to_numbers": campaign.extra_numbers,
        "to_pasted_numbers": campaign.paste.numbers if campaign.paste else 0,
        **{name: getattr(campaign, name) for name in AUDIENCE},
        "counted_before_launch": _counted(campaign),
    }


def _counted(campaign: Campaign) -> dict[str, Any] | None:
    """The digests are over id, number and merge values of each member, one after the other."""
    counted = AudienceCount.objects.filter(campaign=campaign).first()
    return {name: getattr(counted, name) for name in COUNTED} if counted else None


def _forecast(campaign: Campaign) -> dict[str, Any]:
    """What was shown before the launch; nothing is forecast again, for that would not be what anybody saw."""
    seen = shown.from_json(campaign.shown)
    kept = {"kept_at_launch": campaign.forecast, "drift_that_was_told": campaign.drift}
    if seen is None:
        nothing = "It was launched where nothing is shown, such as from the shell."
        why = "What was shown cannot be read." if campaign.shown else nothing
        return {"shown_before_launch": None, "why": why, **kept}
    return {
        **kept,
        "shown_before_launch": {
            "recipients": seen.recipients,
            "cost": seen.cost,
            "recipients_without_a_price": seen.unpriced,
            "counted_at": seen.at,
        },
    }


def _evidence(campaign: Campaign) -> Iterator[Row]:
    """What a recipient's own row does not say: late and conflicting reports, a person's word."""
    yield ["number", "at", "source", "what"]
    for batches in recipient_exports.windows(campaign):
        first = min(batch.first_message_id for batch in batches.values())
        last = max(batch.last_message_id for batch in batches.values())
        found = MessageEvent.objects.filter(message_id__gte=first, message_id__lte=last).order_by("message_id", "pk")
        events = list(found.values_list("message_id", "at", "source", "text"))
        # Between its batches may lie those of another campaign that was frozen at the same time.
        own = Message.objects.filter(pk__in={event[0] for event in events}, campaign=campaign)
        numbers = dict(own.values_list("pk", "number"))
        for pk, at, source, text in events:
            if pk in numbers:
                yield [numbers[pk], at, source, in_words(text)]


def _figures(campaign: Campaign, recounted: "Recounted", *, is_over: bool) -> dict[str, Any]:
    outcomes = OutcomeTally.objects.filter(campaign=campaign).exclude(messages=0, pay_micros=0)
    keys = ("country", "state", "reason", "currency")
    told = period_report_source.of_campaigns([campaign.pk])[campaign.pk]
    kept = campaign_report.document(campaign)
    return {
        "kept_by_the_console": kept,
        "counted_again_from_recipients_csv": {"counts": recounted.counts(), "cost": recounted.costs()},
        "disagreements": list(recounted.disagreements(kept)) if is_over else "not compared: it was not over",
        "outcomes": [
            {
                **dict(zip(keys, [country, MessageState(state).key, reason_in_words(reason), currency], strict=True)),
                "messages": n,
                "billed_segments": segments,
                "cost": str(counting.amount(micros)),
            }
            for country, state, reason, currency, n, segments, micros in outcomes.order_by(*keys).values_list(
                *keys, "messages", "billed_segments", "pay_micros"
            )
        ],
        "delivered_within_seconds": {
            str(BOUNDS[bucket]) if bucket < len(BOUNDS) else "longer": n for bucket, n in sorted(told.times.items())
        },
        "replies": told.counts["replies"],
        "opt_outs": told.counts["opt_outs"],
        "proofs": dossiers.proofs_of(campaign),
    }


class Recounted:
    """Recipients on their way into the file, counted: what the file holds is what the figures are compared with."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = rows
        self._states: Counter[str] = Counter()
        self._costs: dict[str, Decimal] = {}

    def __iter__(self) -> Iterator[Row]:
        rows = iter(self.rows)
        header = next(rows)
        yield header
        places = [header.index(name) for name in ("state", "cost", "currency", "earlier_cost", "earlier_currency")]
        state, cost, currency, earlier, earlier_currency = places
        for row in rows:
            self._states[row[state]] += 1
            self._add(row[currency], row[cost])
            self._add(row[earlier_currency], row[earlier])
            yield row

    def _add(self, currency: str, amount: Decimal | str | None) -> None:
        for one, cost in recipient_exports.each_cost(amount, currency):
            self._costs[one] = self._costs.get(one, Decimal(0)) + cost

    def counts(self) -> dict[str, int]:
        return {state.key: self._states[state.key] for state in MessageState}

    def costs(self) -> dict[str, str]:
        return {currency: str(total) for currency, total in sorted(self._costs.items())}

    def disagreements(self, kept: dict[str, Any]) -> Iterator[str]:
        for state, n in self.counts().items():
            if kept["counts"][state] != n:
                yield f"{state}: the console says {kept['counts'][state]}, recipients.csv says {n}"
        for currency in sorted(set(kept["cost"]) | set(self._costs)):
            said, found = Decimal(kept["cost"].get(currency, "0")), self._costs.get(currency, Decimal(0))
            if said != found:
                yield f"cost in {currency}: the console says {said}, recipients.csv says {found}"
