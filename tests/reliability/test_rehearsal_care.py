"""What a rehearsal finds where more than the few left before the decision, or somebody had more than the cap allows."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from laaffic_console.rehearsal import capping, few_first
from laaffic_console.rehearsal.management.commands import rehearsal_ledger
from laaffic_console.rehearsal.verdict import Accepted, Entry
from messaging.models import Campaign, ContactGroup, Message
from messaging.services.audience import audience
from messaging.services.batches import claiming
from messaging.services.campaigns import canaries, drafts, starting
from messaging.services.channels.outgoing import Claim
from tests.messaging.conftest import add_contacts

ANN, BOB, EVE = "911", "912", "913"
PASSED = 100.0


def said(**other: Any) -> dict[str, Any]:
    figures = {"left": 2, "delivered": 2, "failed": 0, "wanted": 1}
    return {"chosen": [ANN, BOB], "size": 2, "passed at": PASSED, "figures": figures, **other}


def took(*at: float) -> list[Accepted]:
    those = zip((ANN, BOB, EVE), at, strict=True)
    return [Accepted(f"2{n}", number, "delivered", when) for n, (number, when) in enumerate(those)]


def found(told: dict[str, Any] | None, accepted: list[Accepted]) -> list[str]:
    return [each for those in few_first.findings(told, accepted).values() for each in those]


class FewFirstTests:
    def test_the_few_and_then_the_rest_agree(self) -> None:
        assert found(said(), took(90.0, 95.0, 101.0)) == []

    def test_who_left_before_the_decision_is_found(self) -> None:
        assert found(said(), took(90.0, 95.0, 99.0)) == [f"{EVE}: not one of the few"]

    @pytest.mark.parametrize(
        ("told", "finds"),
        [
            (None, "nothing was decided"),
            (said(**{"passed at": None}), "nothing was decided"),
            (said(size=1), "2 were chosen, and 1 were to be"),
            (said(figures={"left": 2, "delivered": 0, "failed": 0, "wanted": 1}), "decided on 0 reports of 2"),
            (said(figures={"left": 2, "delivered": 1, "failed": 0, "wanted": 2}), "decided on 1 reports of 2"),
            (said(figures={"left": 1, "delivered": 1, "failed": 0, "wanted": 1}), "1 of the few had left by the"),
            (said(figures={"left": 2, "delivered": 1, "failed": 1, "wanted": 1}), "the gateway delivered 2 of 2"),
        ],
    )
    def test_what_was_decided_wrongly_is_found(self, told: dict[str, Any] | None, finds: str) -> None:
        [finding] = found(told, took(90.0, 95.0, 101.0))

        assert finds in finding

    @pytest.mark.django_db
    def test_the_ledger_tells_whom_and_on_what(self, settings: LazySettings) -> None:
        settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "key"  # only that there is one
        account.laaffic_client.cache_clear()
        application = Application.objects.create(app_id="smsApp01", channel="sms")
        group = ContactGroup.objects.create(name="customers")
        add_contacts(group, 5)
        draft = drafts.create(
            name="A", application=application, sender_id="", text="Hi", groups=[group], canary="2", canary_wait=0
        )
        starting.launch(draft.pk)
        while audience.freeze_chunk(draft.pk):
            pass
        canaries.follow_one(draft.pk)

        told = rehearsal_ledger.few_first(Campaign.objects.all())

        claim = claiming.claim(Campaign.objects.get(), "token")
        assert isinstance(claim, Claim)
        assert told == {"chosen": claim.numbers, "size": 2, "passed at": None, "figures": {}}
        assert Message.objects.exclude(number__in=claim.numbers).count() == 3


class CapTests:
    def test_who_may_have_had_both_is_found(self) -> None:
        entries = [
            *(Entry(ANN, "delivered", "", "", 1), Entry(ANN, "unknown", "", "", 2)),
            *(Entry(BOB, "delivered", "", "", 1), Entry(BOB, "suppressed", "", "", 2)),
            *(Entry(EVE, "rejected", "", "", 1), Entry(EVE, "undelivered", "", "", 2)),
        ]

        assert capping.beyond(entries) == [f"{ANN}: of campaigns [1, 2]"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--canary", "5%", "--channel", "sip", "--recipients", "4"], "need a campaign"),
        (["--cap", "--channel", "api"], "need a campaign"),
        (["--cap", "--canary", "5%"], "--cap stands alone"),
        (["--canary", "5%", "--disturbances", "cut,clock"], "judged by moments"),
    ],
)
def test_what_cannot_be_judged_is_refused(options: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        call_command("rehearse", *options)
