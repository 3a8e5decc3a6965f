"""The dossier of a campaign: all that the console knows of it, in one signed file that others can check.

Read in the order in which it is written: the recipients by stretches of their key, so a million take no more memory
than a thousand. What a campaign that still goes on says is true as of when it was read, and the dossier says so.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from importlib.metadata import PackageNotFoundError, version
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.utils import timezone

from laaffic_console.exporting import columns
from laaffic_console.exporting.ledger import COLUMNS as LEDGER_COLUMNS
from laaffic_console.gateway.models import LedgerEntry
from laaffic_console.kit import exports as files
from laaffic_console.kit import signed_zip
from laaffic_console.kit.delivery_buckets import BOUNDS
from laaffic_console.kit.signed_zip import SignedZip, as_json
from laaffic_console.kit.stored_words import in_words
from messaging import recipient_exports
from messaging.models import Approval, AudienceCount, Campaign, Message, MessageEvent, MessageState, OutcomeTally
from messaging.services.approvals import shown
from messaging.services.batches import counting
from messaging.services.figures import message_reports, proofs

CONTENT = ["id", "name", "kind", "channel", "state", "sender_id", "text", "channel_options", "extra_numbers"]
CONTENT += ["rate_per_second", "scheduled_at", "latest_start_minutes", "error_limit", "retry_of_id"]
CONTENT += ["created_at", "launched_at", "first_sent_at", "finished_at", "hold_reason", "wait_reason"]
AUDIENCE = ["audience", "member_end", "audience_end", "total"]
AUDIENCE += ["dropped_suppressed", "dropped_excluded", "dropped_invalid"]
COUNTED = ["people", "reached_people", "reached", "recipients", "suppressed", "excluded", "too_long", "invalid"]
COUNTED += ["repeated", "started_at", "counted_at"]
# What decides how a campaign is sent and counted. A list of what is said, so that no secret can come into it.
SETTINGS = ["LAAFFIC_TIME_ZONE", "TIME_ZONE", "LAAFFIC_ORDER_PREFIX", "LAAFFIC_RECIPIENTS_PER_CALL"]
SETTINGS += ["LAAFFIC_TIMEOUTS", "LAAFFIC_CONFIRM_REPORTS", "REPORT_WINDOW_HOURS", "LAAFFIC_CLOCK_SLACK_SECONDS"]
SETTINGS += ["LAAFFIC_ERROR_LIMIT", "LAAFFIC_LOST_ANSWERS", "LAAFFIC_LOST_ANSWERS_CAMPAIGNS"]
SETTINGS += ["LAAFFIC_LATEST_START_MINUTES", "LAAFFIC_UNDO_SECONDS", "LAAFFIC_APPROVAL_RECIPIENTS"]
SETTINGS += ["LAAFFIC_APPROVAL_COST", "OPT_OUT_EVERY_CHANNEL", "OPT_OUT_WORDS"]

Row = Sequence[Any]


def write(campaign: Campaign, user: User | None, into: BinaryIO, recipients: Iterable[Row]) -> None:
    """`recipients`: the rows of `recipient_exports`, header first, as `user` (None: the command line) may see them."""
    as_of, counts = timezone.now(), counting.state_counts(campaign)
    is_over = campaign.state in counting.OVER and not counts["accepted"] and not counts["unknown"]
    recounted = Recounted(recipients)
    with SignedZip(into) as made:
        made.about = {
            "title": f"campaign {campaign.pk} “{campaign.name}”",
            "as_of": timezone.localtime(as_of).isoformat(sep=" ", timespec="seconds"),
            "is_over": is_over,
        }
        made.add("README.txt", [readme(made.about).encode()])
        made.add("campaign.json", [as_json(_content(campaign) | {"as_of": as_of, "is_over": is_over} | _maker(user))])
        made.add("approvals.json", [as_json(_approvals(campaign))])
        made.add("audience.json", [as_json(_audience(campaign))])
        made.add("forecast.json", [as_json(_forecast(campaign))])
        made.add("settings.json", [as_json(_settings())])
        made.add("recipients.csv", files.csv_bytes(recounted))
        made.add("evidence.csv", files.csv_bytes(_evidence(campaign)))
        entries = LedgerEntry.objects.filter(about_kind="campaign", about_id=campaign.pk)
        ledger = columns.rows(entries, LEDGER_COLUMNS | {"digest": "digest"}, told=("reason", "evidence"))
        made.add("ledger.csv", files.csv_bytes(ledger))
        made.add("events.csv", files.csv_bytes(_events(campaign)))
        made.add("figures.json", [as_json(_figures(campaign, recounted, is_over=is_over))])


def _content(campaign: Campaign) -> dict[str, Any]:
    return {
        **{name: getattr(campaign, name) for name in CONTENT},
        "application": {"app_id": campaign.application.app_id, "name": campaign.application.name},
        "created_by": _name(campaign.created_by),
        "authors": [_name(author) for author in campaign.authors.order_by("pk")],
        "launched_by": _name(campaign.launched_by),
    }


def _maker(user: User | None) -> dict[str, Any]:
    sees_names = user is None or user.has_perm("messaging.view_contact")
    return {
        "dossier_made_by": _name(user) or "the command line",
        "names_of_recipients": "as they are now" if sees_names else "left out: who made it may not see contacts",
    }


def _name(user: User | None) -> str:
    return user.get_username() if user else ""


def _approvals(campaign: Campaign) -> dict[str, Any]:
    """Each word that was asked for, with what was shown then, and whether the campaign's own fields are still those."""
    now = shown.parts_of(campaign)
    asked = Approval.objects.filter(campaign=campaign).select_related("asked_by", "decided_by").order_by("pk")
    return {
        "digests_of_the_campaign_now": now,
        "launch_was_decided_upon": campaign.shown,
        "approvals": [
            {
                "outcome": approval.outcome,
                "asked_by": _name(approval.asked_by),
                "asked_at": approval.asked_at,
                "asked_note": approval.asked_note,
                "decided_by": _name(approval.decided_by),
                "decided_at": approval.decided_at,
                "note": approval.note,
                "recipients": approval.recipients,
                "expected_cost": approval.cost,
                "what_was_shown": approval.bound_to,
                "changed_since": shown.changed_parts(approval.bound_to.get("parts", {}), now),
            }
            for approval in asked
        ],
    }


def _audience(campaign: Campaign) -> dict[str, Any]:
    def named(groups: Any) -> list[dict[str, Any]]:
        return list(groups.order_by("pk").values("id", "name"))

    return {
        "to_groups": named(campaign.groups),
        "but_not_to_groups": named(campaign.excluded_groups),
        "to_numbers": campaign.extra_numbers,
        **{name: getattr(campaign, name) for name in AUDIENCE},
        "counted_before_launch": _counted(campaign),
    }


def _counted(campaign: Campaign) -> dict[str, Any] | None:
    """The digests are over id, number and merge values of each member, one after the other."""
    counted = AudienceCount.objects.filter(campaign=campaign).first()
    return {name: getattr(counted, name) for name in COUNTED} if counted else None


def _forecast(campaign: Campaign) -> dict[str, Any]:
    """What was shown before the launch; nothing is forecast anew, for that would not be what anybody saw."""
    seen = shown.from_json(campaign.shown)
    if seen is None:
        return {"shown_before_launch": None, "why": "It was launched where nothing is shown, such as from the shell."}
    return {
        "shown_before_launch": {
            "recipients": seen.recipients,
            "cost": seen.cost,
            "recipients_without_a_price": seen.unpriced,
            "counted_at": seen.at,
        }
    }


def _settings() -> dict[str, Any]:
    address = urlsplit(settings.LAAFFIC_BASE_URL)
    try:
        console = version("laaffic-console")
    except PackageNotFoundError:
        console = ""
    return {
        "as_they_are_when_the_dossier_is_made": {name: getattr(settings, name) for name in SETTINGS},
        "gateway": f"{address.scheme}://{address.hostname or ''}{address.path}",
        "console": console,
        "database": connection.vendor,
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


def _events(campaign: Campaign) -> Iterator[Row]:
    """What happened to the campaign, and before it each edit of the draft: there is no other history of versions."""
    yield ["at", "by", "what", "kept by"]
    drafts = [model for model in apps.get_models() if model._meta.concrete_model is Campaign]
    types = ContentType.objects.get_for_models(*drafts, for_concrete_models=False).values()
    edits = LogEntry.objects.filter(content_type__in=[kind.pk for kind in types], object_id=str(campaign.pk))
    for edit in edits.select_related("user").order_by("pk").iterator(chunk_size=2000):
        yield [edit.action_time, _name(edit.user), edit.get_change_message() or str(edit), "forms"]
    happened = campaign.events.order_by("pk").values_list("at", "actor__username", "text")
    for at, by, text in happened.iterator(chunk_size=2000):
        yield [at, by or "", in_words(text), "campaign"]


def _figures(campaign: Campaign, recounted: "Recounted", *, is_over: bool) -> dict[str, Any]:
    outcomes = OutcomeTally.objects.filter(campaign=campaign).exclude(messages=0, pay_micros=0)
    keys = ("country", "state", "reason", "currency")
    told = message_reports.of_campaigns([campaign.pk])[campaign.pk]
    kept = counting.report(campaign)
    return {
        "kept_by_the_console": kept,
        "counted_again_from_recipients_csv": {"counts": recounted.counts(), "cost": recounted.costs()},
        "disagreements": list(recounted.disagreements(kept)) if is_over else "not compared: it was not over",
        "outcomes": [
            {
                **dict(zip(keys, [country, MessageState(state).key, in_words(reason), currency], strict=True)),
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
        "proofs": [
            {"at": proof.finished_at, "by": proof.asked_by_name, "figures": proof.figures, "wrong": proof.disagreements}
            for proof in proofs.finished_of(campaign)
        ],
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
        if currency and amount:
            self._costs[currency] = self._costs.get(currency, Decimal(0)) + Decimal(amount)

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


def readme(about: dict[str, Any]) -> str:
    standing = "It was over." if about["is_over"] else "It was NOT over: some of what is said here has changed since."
    return f"""Dossier of {about["title"]}
as of {about["as_of"]}. {standing}

What is in it
  campaign.json    what was sent, by whom, when; when the dossier was made and by whom
  approvals.json   each approval with what was shown to whoever decided, and whether the campaign is still that
  audience.json    groups, numbers and exclusions; how many were counted, and the digests of who they were
  forecast.json    what was expected before the launch, as it was shown
  figures.json     the console's figures, the same counted again from recipients.csv, proofs, costs by outcome
  recipients.csv   a row for each recipient: state, reason, cost, times, and how each is known
  evidence.csv     late and conflicting reports, and persons' words, by recipient
  ledger.csv       each request to Laaffic about this campaign, with its answer
  events.csv       edits of the draft, and what happened to the campaign
  settings.json    the settings that decide how a campaign is sent; no secret
  manifest.json    SHA-256 and size of each file

How to check it
  manage.py verify_dossier FILE --key FINGERPRINT
or, on any machine with Python and the library cryptography, with laaffic_console/verify_dossier.py alone:
  python verify_dossier.py FILE --key FINGERPRINT
The fingerprint is the one that whoever runs the console gave you beforehand; this one says it is
  {signed_zip.own_fingerprint()}
Every byte of the file is covered. Do not unpack and pack it again: that makes another file, which is not signed.

What it proves
That the file is as this console wrote it, and was not changed since. It does not prove that the console was told the
truth, and whoever holds the console's key can sign anything.
"""
