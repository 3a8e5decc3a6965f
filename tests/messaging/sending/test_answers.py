"""A batch's answer is one row at first; whoever looks at its messages meanwhile must not notice."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.work import leases
from laaffic_console.laaffic import DeliveryReport, DeliveryState, Source
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.jobs import sweep
from messaging.models import BatchAnswer, Campaign, CampaignState, ContactGroup, Message, MessageState
from messaging.services.batches import answers
from messaging.services.campaigns import drafts, starting
from messaging.services.figures import proving
from messaging.services.reports import reports
from messaging.services.sending import sending
from messaging.services.tallies import counting
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def answered(sandbox: RunningSandbox, application: Application, group: ContactGroup) -> Campaign:
    """A campaign to 1,500 whose answers are in, and on no message's row yet."""
    add_contacts(group, 1500)
    campaign = drafts.create(name="A", application=application, sender_id="S", text="x" * 161, groups=[group])
    starting.launch(campaign.pk)
    sending.send(campaign.pk)
    campaign.refresh_from_db()
    return campaign


def pushed(message: Message, gateway_id: str, order_id: str = "") -> DeliveryReport:
    return DeliveryReport(
        source=Source.PUSH,
        msg_id=gateway_id,
        number=message.number,
        order_id=order_id,
        state=DeliveryState.DELIVERED,
        raw_status="0",
        reason="0",
        at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    )


def told(sandbox: RunningSandbox) -> dict[str, str]:
    return {entry["number"]: entry["msg_id"] for entry in sandbox.log()}


class AnswerTests:
    def test_the_campaign_is_over_before_its_rows_say_so(self, answered: Campaign) -> None:
        assert answered.state == CampaignState.FINISHED
        assert counting.state_counts(answered)["accepted"] == 1500
        assert counting.segments_sent(answered) == 3000
        assert BatchAnswer.objects.count() == 2
        assert set(Message.objects.values_list("state", flat=True)) == {MessageState.QUEUED}

    def test_the_rows_follow(self, answered: Campaign, sandbox: RunningSandbox, run_jobs: Callable[[], int]) -> None:
        run_jobs()

        assert not BatchAnswer.objects.exists()
        assert dict(Message.objects.values_list("number", "gateway_id")) == told(sandbox)
        assert set(Message.objects.values_list("state", "segments")) == {(MessageState.ACCEPTED, 2)}
        assert proving.prove(answered)["disagreements"] == []

    def test_a_lost_bell_is_rung_again(self, answered: Campaign, run_jobs: Callable[[], int]) -> None:
        from django_q.models import OrmQ

        OrmQ.objects.all().delete()

        sweep()
        run_jobs()

        assert not BatchAnswer.objects.exists()

    @pytest.mark.parametrize(("renews", "seconds", "left"), [(True, 0, 2), (False, 20, 2)], ids=["over", "lost"])
    def test_whoever_cannot_write_all_of_them_rings_for_the_rest(
        self, answered: Campaign, monkeypatch: pytest.MonkeyPatch, renews: bool, seconds: int, left: int
    ) -> None:
        monkeypatch.setattr(answers.turns, "SECONDS", seconds)
        monkeypatch.setattr(leases.HeldLease, "renew", lambda _lease: renews)
        rung: list[str] = []
        monkeypatch.setattr(answers.bell, "ring", rung.append)

        answers.write_waiting()

        assert rung == [answers.JOB]
        assert BatchAnswer.objects.count() == left

    @pytest.mark.parametrize("by_order_id", [True, False])
    def test_a_report_finds_its_message_meanwhile(
        self, answered: Campaign, sandbox: RunningSandbox, by_order_id: bool
    ) -> None:
        message = Message.objects.order_by("pk")[1200]
        gateway_id = told(sandbox)[message.number]

        report = pushed(message, gateway_id, f"lc-{message.pk}" if by_order_id else "")
        assert reports.apply_now([report]) == [True]

        message.refresh_from_db()
        assert (message.state, message.gateway_id, message.segments) == (MessageState.DELIVERED, gateway_id, 2)
        assert message.settled_at is not None
        answers.write_waiting()
        message.refresh_from_db()
        assert message.state == MessageState.DELIVERED
        counts = counting.state_counts(answered)
        assert (counts["accepted"], counts["delivered"]) == (1499, 1)
        assert proving.prove(answered)["disagreements"] == []

    def test_an_id_of_another_answer_is_nobodys(self, answered: Campaign) -> None:
        message = Message.objects.order_by("pk")[3]

        assert reports.apply_now([pushed(message, "2601010000000000001")]) == [False]

    def test_the_list_shows_them_as_accepted(self, answered: Campaign, client: Client) -> None:
        client.force_login(User.objects.create_superuser("ann"))

        address = reverse("admin:messaging_message_changelist")
        accepted, queued = (client.get(f"{address}?in={word}") for word in ("accepted", "queued"))

        assert accepted.context["cl"].result_count == 1500
        assert queued.context["cl"].result_count == 0
        assert b"Accepted" in accepted.content

    def test_a_messages_page_knows_its_id(self, answered: Campaign, sandbox: RunningSandbox, client: Client) -> None:
        client.force_login(User.objects.create_superuser("ann"))
        message = Message.objects.order_by("pk")[0]

        shown = client.get(reverse("admin:messaging_message_change", args=[message.pk])).content.decode()

        assert told(sandbox)[message.number] in shown
