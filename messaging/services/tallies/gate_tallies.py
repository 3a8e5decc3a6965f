"""How many of a campaign's messages each gate has stopped: counted as it happens, so that no page counts messages."""

from collections.abc import Sequence

from django.db.models import F

from messaging.models import Campaign, GateTally
from messaging.services.gates import gates
from messaging.services.gates.gates import Gate


def move(campaign: Campaign, asked: Sequence[Gate]) -> None:
    """Add what the gates stopped, last in the claim's transaction: claims of one campaign wait here for each other."""
    for gate in sorted(asked, key=lambda gate: gate.kind):
        if not gate.stopped:
            continue
        tally = GateTally.objects.filter(campaign=campaign, gate=gate.kind)
        GateTally.objects.bulk_create([GateTally(campaign=campaign, gate=gate.kind)], ignore_conflicts=True)
        tally.update(stopped=F("stopped") + gate.stopped)


def of(campaign: Campaign) -> dict[str, int]:
    """{gate: messages that it has stopped}; one query."""
    return dict(GateTally.objects.filter(campaign=campaign).order_by("gate").values_list("gate", "stopped"))


def in_words(campaign: Campaign) -> list[tuple[str, int]]:
    return [(gates.stopping(gate), n) for gate, n in of(campaign).items()]
