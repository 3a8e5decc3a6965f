"""The command `rehearsal_ledger`, which a rehearsal asks in its own installation."""

import datetime as dt
import json
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Count, Exists, OuterRef, QuerySet

from laaffic_console.gateway.models import LedgerEntry, WorkerHeartbeat
from laaffic_console.kit.process.commands import ConsoleCommand
from messaging.models import Batch, Campaign, Canary, Message, MessageState, SuppressionEntry
from messaging.services.batches import answers

STORED_WITHIN = dt.timedelta(seconds=2)  # an entry is dated before the transaction that stores many of them ends


class Command(ConsoleCommand):
    help = (
        "One JSON line about the calls of a campaign, or of all, then one for each message: what a rehearsal compares."
    )
    runs_half_restored = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", type=int, nargs="?")

    def handle(self, *args: Any, **options: Any) -> None:
        campaigns = Campaign.objects.all()
        if options["id"] is not None:
            campaigns = campaigns.filter(pk=options["id"])
        states = dict(campaigns.values_list("pk", "state"))
        answers.write_all(Batch.objects.filter(campaign__in=campaigns))
        calls = LedgerEntry.objects.filter(about_kind="campaign", about_id__in=campaigns.values("pk")).order_by()
        restarts = sum(WorkerHeartbeat.objects.values_list("restarts", flat=True))
        by_state = dict(calls.values_list("state").annotate(n=Count("pk")))
        opt_outs = SuppressionEntry.objects.filter(reason=SuppressionEntry.Reason.OPT_OUT)
        too_late = opt_outs.filter(
            number=OuterRef("number"), created_at__lt=OuterRef("batch__claimed_at") - STORED_WITHIN
        )
        left = Message.objects.filter(campaign__in=campaigns, batch__entry__left_at__isnull=False)
        left = left.exclude(state=MessageState.SUPPRESSED).filter(Exists(too_late))
        about = {
            "campaigns": states,
            "calls": by_state,
            "restarts": restarts,
            "opt-outs on the list": opt_outs.values("number").distinct().count(),
            "after opt-out": list(left.values_list("number", flat=True)),
            "few first": few_first(campaigns),
        }
        self.stdout.write(json.dumps(about))
        messages = Message.objects.filter(campaign__in=campaigns).order_by("pk").select_related("batch__entry")
        for message in messages.iterator(chunk_size=2000):
            said: list[Any] = [
                message.number,
                answers.standing(message).key,
                message.gateway_id or "",
                message.evidence,
            ]
            entry = message.batch.entry if message.batch else None
            left_at = entry.left_at.timestamp() if entry and entry.left_at else 0.0
            said += [message.campaign_id, message.pk, left_at]
            self.stdout.write(json.dumps(said))


def few_first(campaigns: QuerySet[Campaign]) -> dict[str, Any] | None:
    """Whom the campaign with a canary chose, and on what it let the rest go; None where no campaign has one."""
    canary = Canary.objects.filter(campaign__in=campaigns).first()
    if canary is None:
        return None
    chosen = Message.objects.filter(pk__in=canary.chosen.values("message_id"))
    return {
        "chosen": list(chosen.order_by("pk").values_list("number", flat=True)),
        "size": canary.size,
        "passed at": canary.passed_at and canary.passed_at.timestamp(),
        "figures": canary.figures,
    }
