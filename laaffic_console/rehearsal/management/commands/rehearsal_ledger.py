import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db.models import Count

from laaffic_console.gateway.models import GatewayCall, WorkerHeartbeat
from messaging.models import Batch, Campaign, Message
from messaging.services.batches import answers


class Command(BaseCommand):
    help = "One JSON line about a campaign's calls, then one for each of its messages: what a rehearsal compares."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = Campaign.objects.get(pk=options["id"])
        answers.write_all(Batch.objects.filter(campaign=campaign))
        calls = GatewayCall.objects.filter(about_kind="campaign", about_id=campaign.pk).order_by()
        restarts = sum(WorkerHeartbeat.objects.values_list("restarts", flat=True))
        by_state = dict(calls.values_list("state").annotate(n=Count("pk")))
        self.stdout.write(json.dumps({"calls": by_state, "restarts": restarts}))
        messages = Message.objects.filter(campaign=campaign).order_by("pk").select_related("batch")
        for message in messages.iterator(chunk_size=2000):
            said = [message.number, answers.standing(message).key, message.gateway_id or "", message.evidence]
            self.stdout.write(json.dumps(said))
