"""The command `rehearsal_proofs`, which a rehearsal asks in its own installation."""

from typing import Any

from laaffic_console.kit.process.commands import ConsoleCommand
from messaging.models import Campaign
from messaging.services.figures import proving


class Command(ConsoleCommand):
    help = "`campaign prove` for every campaign: a line for each disagreement."
    runs_half_restored = True

    def handle(self, *args: Any, **options: Any) -> None:
        for campaign in Campaign.objects.order_by("pk"):
            for sentence in proving.prove(campaign)["disagreements"]:
                self.stdout.write(f"campaign {campaign.pk}: {sentence}")
