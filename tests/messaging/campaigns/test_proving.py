"""What a person settles, and what `campaign prove` finds."""

import errno
import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.laaffic import DeliveryReport, parse_sms_reports
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import (
    Batch,
    Campaign,
    CampaignState,
    ContactGroup,
    GateTally,
    Message,
    MessageEvent,
    MessageState,
)
from messaging.services.campaigns import drafts, resolving, starting
from messaging.services.figures import proving
from messaging.services.reports import report_pulls, reports
from messaging.services.tallies import counting, sent_tallies
from messaging.wire.order_ids import order_id
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent(
    sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
) -> Campaign:
    """A campaign to 60 with every report in."""
    add_contacts(group, 60)
    campaign = launched(application, group)
    run_jobs()
    report_pulls.reconcile(application, *report_pulls.minutes_with_pending(application))
    campaign.refresh_from_db()
    return campaign


def parse_one(order_id: str, pk: int) -> DeliveryReport:
    number = Message.objects.get(pk=pk).number
    pushed = {"msgid": str(pk), "status": 0, "reason": "0", "orderId": order_id, "mobile": number}
    return parse_sms_reports(pushed).reports[0]


def launched(application: Application, group: ContactGroup) -> Campaign:
    campaign = drafts.create(name="A", application=application, sender_id="S", text="Hello", groups=[group])
    return starting.launch(campaign.pk)


def a_second_id_spoke() -> None:
    said = "a second gateway id 8 for a message that has 7"
    MessageEvent.objects.create(message=Message.objects.earliest("pk"), at=timezone.now(), source="push", text=said)


def report_now(pk: int) -> None:
    try:
        reports.apply_now([parse_one(order_id(settings.LAAFFIC_ORDER_PREFIX, pk), pk)])
    finally:
        connection.close()


class ProveTests:
    def test_a_campaign_agrees_with_its_rows(self, sent: Campaign) -> None:
        found = proving.prove(sent)

        assert found["disagreements"] == []
        assert found["messages"] == 60
        assert found["counts"] == counting.state_counts(sent)

    @pytest.mark.parametrize(
        ("break_it", "words"),
        [
            (lambda: Message.objects.filter(pk=Message.objects.first().pk).update(state=20), "unknown"),
            (lambda: Batch.objects.update(delivered=1), "in its tally"),
            (lambda: Message.objects.update(gateway_id="7"), "belongs to 60 messages"),
            (lambda: Message.objects.update(report_source=""), "reported by nobody"),
            (lambda: Campaign.objects.update(total=61), "there are 60 messages"),
            (lambda: Batch.objects.update(entry=None), "no request that could have carried them"),
            (lambda: Message.objects.update(pay_micros=7_000_000, currency="EUR"), "cost in EUR"),
            (lambda: Batch.objects.update(first_message_id=F("first_message_id") + 1), "lies outside its bounds"),
            (
                lambda: GateTally.objects.create(campaign=Campaign.objects.get(), gate="cap", stopped=3),
                "0 are cancelled",
            ),
            (a_second_id_spoke, "a second gateway id spoke for it"),
        ],
    )
    def test_each_disagreement_is_named(self, sent: Campaign, break_it: Callable[[], object], words: str) -> None:
        break_it()

        sent.refresh_from_db()
        assert any(words in sentence for sentence in proving.prove(sent)["disagreements"])

    def test_the_command_exits_with_1(self, sent: Campaign, capsys: pytest.CaptureFixture[str]) -> None:
        Batch.objects.update(delivered=1)

        with pytest.raises(CommandError) as ended:
            call_command("campaign", "prove", str(sent.pk), "--json")

        assert ended.value.returncode == 1
        assert json.loads(capsys.readouterr().out)["disagreements"]

    def test_an_answer_that_is_lost_proves_nothing(self, sent: Campaign) -> None:
        Batch.objects.update(delivered=1)

        with pytest.raises(CommandError, match="cannot be written") as ended:
            call_command("campaign", "prove", str(sent.pk), stdout=Full())

        assert "does not bear out" in str(ended.value)
        assert "is done" not in str(ended.value)


class Full(io.StringIO):
    """As a disk that is full."""

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


class ResolveTests:
    @pytest.fixture
    def lost(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> Campaign:
        """A campaign to 3 whose answer was lost."""
        add_contacts(group, 3)
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        campaign = launched(application, group)
        run_jobs()
        return campaign

    def test_a_word_that_another_has_said_meanwhile_changes_nothing(self, lost: Campaign) -> None:
        batch = Batch.objects.get()
        resolving.write_off(lost.pk, reason="nobody got it")
        before = list(Message.objects.order_by("pk").values())

        assert resolving._queue_again(batch.pk, "too late", None, None) == 0
        assert resolving._expire(batch.pk, "too late", None, None) == 0

        assert list(Message.objects.order_by("pk").values()) == before

    @pytest.mark.parametrize("word", [resolving.send_again, resolving.write_off])
    def test_a_word_without_a_reason_is_none(self, lost: Campaign, word: Callable[..., int]) -> None:
        with pytest.raises(ValidationError, match="Say why"):
            word(lost.pk, reason=" ")

        assert counting.state_counts(lost)["unknown"] == 3

    def test_what_is_reported_meanwhile_is_no_disagreement(
        self, sandbox: RunningSandbox, lost: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The figures are read, then a report is applied by somebody else, then the messages are read."""
        late = lost.messages.order_by("pk")[0]
        kept = sent_tallies.kept

        def and_then_reported(part: sent_tallies.Part) -> dict[int, sent_tallies.Moves]:
            found = kept(part)
            with ThreadPoolExecutor(1) as somebody:
                somebody.submit(report_now, late.pk).result()
            return found

        monkeypatch.setattr(sent_tallies, "kept", and_then_reported)
        looks: list[int] = []

        assert proving.prove(lost, lambda: looks.append(1))["disagreements"] == []
        assert looks
        assert Message.objects.get(pk=late.pk).state == MessageState.DELIVERED
        monkeypatch.undo()
        assert proving.prove(lost)["disagreements"] == []

    def test_send_again_sends_once_more_under_new_order_ids(
        self, lost: Campaign, sandbox: RunningSandbox, run_jobs: Callable[[], int]
    ) -> None:
        assert sandbox.stats()["accepted"] == 0

        call_command("campaign", "resolve", str(lost.pk), "--send-again", "--reason", "not in their records")
        run_jobs()

        lost.refresh_from_db()
        assert {m["order_id"] for m in sandbox.messages()} == {f"lc-{m.pk}-2" for m in Message.objects.all()}
        assert lost.state == CampaignState.FINISHED
        assert "not in their records" in Message.objects.first().events.get().text
        assert proving.prove(lost)["disagreements"] == []

    def test_sent_again_and_then_reported_as_the_first_sending_agrees(
        self, lost: Campaign, run_jobs: Callable[[], int]
    ) -> None:
        call_command("campaign", "resolve", str(lost.pk), "--send-again", "--reason", "they asked")
        first = [parse_one(f"lc-{pk}", pk) for pk in Message.objects.values_list("pk", flat=True)]

        reports.apply_now(first)

        lost.refresh_from_db()
        assert set(Message.objects.values_list("state", flat=True)) == {MessageState.DELIVERED}
        assert proving.prove(lost)["disagreements"] == []

    def test_write_off_ends_the_wait(self, lost: Campaign, sandbox: RunningSandbox) -> None:
        call_command("campaign", "resolve", str(lost.pk), "--write-off", "--reason", "too late")

        lost.refresh_from_db()
        assert set(Message.objects.values_list("state", flat=True)) == {MessageState.EXPIRED}
        assert lost.state == CampaignState.FINISHED
        assert proving.prove(lost)["disagreements"] == []
