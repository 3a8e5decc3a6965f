"""What happens in the console is told: of messages, replies, people, campaigns, approvals and the balance."""

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from laaffic_console.events.kinds import CHOICES
from laaffic_console.events.models import Event, Webhook
from laaffic_console.events.services import webhooks
from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.account import balance_history
from laaffic_console.gateway.services.client import account
from laaffic_console.laaffic import (
    Balance,
    DeliveryReport,
    DeliveryState,
    EmailSubmission,
    OutcomeUnknown,
    SendResult,
    Source,
    SubmissionState,
)
from laaffic_console.laaffic import Reply as WireReply
from messaging.models import Campaign, ContactGroup, EmailCampaign, HoldKind, Message, SuppressionEntry
from messaging.services import events
from messaging.services.approvals import approvals
from messaging.services.audience import audience
from messaging.services.batches import claiming, failed_requests, settling
from messaging.services.campaigns import campaigns, drafts, resolving, starting, states
from messaging.services.channels.outgoing import Claim
from messaging.services.contacts import suppression
from messaging.services.email import reports as email_reports
from messaging.services.replies import replies
from messaging.services.reports import reports
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _credentials(settings: Any) -> None:
    settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"
    account.laaffic_client.cache_clear()


@pytest.fixture
def application() -> Application:
    return Application.objects.create(app_id="4luaKsL2", channel="sms", sender_id="SHOP")


@pytest.fixture
def group() -> ContactGroup:
    return ContactGroup.objects.create(name="customers")


@pytest.fixture
def listening() -> Webhook:
    return webhooks.create("http://127.0.0.1:9/", [kind for kind, _label in CHOICES])[0]


def told(kind: str = "") -> list[dict[str, Any]]:
    found = Event.objects.filter(kind=kind) if kind else Event.objects.exclude(kind="campaign.state")
    return [{"type": event.kind, **event.facts} for event in found.order_by("pk")]


def claimed(application: Application, group: ContactGroup, people: int = 3) -> tuple[Campaign, Claim]:
    add_contacts(group, people)
    campaign = drafts.create(name="Autumn", application=application, sender_id="", text="Hi", groups=[group])
    starting.launch(campaign.pk)
    while audience.freeze_chunk(campaign.pk):
        pass
    campaign.refresh_from_db()
    claim = claiming.claim(campaign, "token")
    assert isinstance(claim, Claim)
    return campaign, claim


def answered(ids: list[str | None]) -> SendResult:
    return SendResult(msg_ids=ids, unknown_positions=[], success=None, fail=None)


def report(pk: int, state: DeliveryState) -> DeliveryReport:
    number = Message.objects.get(pk=pk).number
    return DeliveryReport(Source.GET_REPORT, f"25{pk:010}", number, f"lc-{pk}", state, "0", "0", NOW)


def test_messages_and_their_campaign(listening: Webhook, application: Application, group: ContactGroup) -> None:
    campaign, claim = claimed(application, group)
    ids: list[Any] = [f"25{pk:010}" for pk in claim.message_ids]
    settling.settle_answer(campaign.pk, claim, answered([*ids[:2], None]))
    good, bad, left_out = claim.message_ids
    for _twice in range(2):
        reports.apply_now([report(good, DeliveryState.DELIVERED), report(bad, DeliveryState.FAILED)])
    said = {(one["type"], one["message_id"], one["state"]) for one in told()}
    assert said == {
        ("message.failed", left_out, "rejected"),
        ("message.delivered", good, "delivered"),
        ("message.failed", bad, "undelivered"),
    }
    assert len(told()) == 3
    assert {one["order_id"] for one in told()} == {f"lc-{pk}" for pk in claim.message_ids}
    campaigns.pause(campaign.pk)
    campaigns.cancel(campaign.pk)
    assert [one["step"] for one in told("campaign.state")] == ["launched", "paused", "cancelled"]


def test_a_hold_says_why_for_people_and_for_scripts(
    listening: Webhook, application: Application, group: ContactGroup
) -> None:
    campaign, _claim = claimed(application, group)

    states.hold(campaign.pk, "Its end has come.", HoldKind.LATEST_END)
    campaigns.cancel(campaign.pk)

    assert [(one["step"], one["reason"], one["hold_kind"]) for one in told("campaign.state")] == [
        ("launched", "", ""),
        ("held", "Its end has come.", "latest_end"),
        ("cancelled", "", ""),
    ]


@pytest.mark.parametrize("first", ["", "0"])
def test_a_failure_is_told_again_when_its_reason_comes_later(
    listening: Webhook, application: Application, group: ContactGroup, first: str
) -> None:
    campaign, claim = claimed(application, group)
    settling.settle_answer(campaign.pk, claim, answered([f"25{pk:010}" for pk in claim.message_ids]))
    bare = report(claim.message_ids[0], DeliveryState.FAILED)._replace(reason=first)

    for said in (bare, bare, bare._replace(reason="absent subscriber"), bare, bare._replace(reason="expired")):
        reports.apply_now([said])

    assert [(one["state"], one["reason"]) for one in told("message.failed")] == [
        ("undelivered", ""),
        ("undelivered", "absent subscriber"),
    ]
    assert Event.objects.filter(kind="message.failed").values("about").distinct().count() == 1


def failed_mail(remark: str) -> EmailSubmission:
    return EmailSubmission("4", "77", "ann@example.com", SubmissionState.FAILED, "fail", remark)


def test_so_is_an_emails(listening: Webhook, application: Application) -> None:
    campaign = EmailCampaign.objects.create(name="News", application=application)
    for remark in ("", "", "no such mailbox", "no such mailbox"):
        mails = email_reports._Mails(campaign.pk, [failed := failed_mail(remark)])
        mails.fold(failed)
        mails.write()

    assert [one["reason"] for one in told("message.failed")] == ["", "no such mailbox"]


def test_what_was_unknown_is_told_when_it_is_settled(
    listening: Webhook, application: Application, group: ContactGroup
) -> None:
    campaign, claim = claimed(application, group)
    failed_requests.settle_error(campaign.pk, claim, OutcomeUnknown("lost", interface="sms"))
    assert not told()
    reports.apply_now([report(claim.message_ids[0], DeliveryState.DELIVERED)])
    assert [(one["type"], one.get("settled_to")) for one in told()] == [
        ("message.unknown_settled", "delivered"),
        ("message.delivered", None),
    ]
    resolving.write_off(campaign.pk, reason="nobody knows")
    assert [one["settled_to"] for one in told("message.unknown_settled")] == ["delivered", "expired", "expired"]
    assert len(told("message.expired")) == 2


def test_replies_and_who_opts_out(listening: Webhook) -> None:
    wire = WireReply("1", "919876500000", "SHOP", "STOP", NOW, "", "", "", None, None, "", None)
    replies.take([wire], source="push")
    replies.take([wire], source="pull")
    [reply] = told("reply.received")
    assert (reply["number"], reply["text"], reply["opt_out"]) == ("919876500000", "STOP", True)
    outs = {(one["what"], one["channel"]) for one in told("contact.opted_out")}
    assert {what for what, _channel in outs} == {"suppressed", "consent_withdrawn"}
    suppression.allow_again(SuppressionEntry.objects.all(), why="asked", by=None)
    assert [one["what"] for one in told("contact.opted_in")] == ["allowed_again"]


def test_approvals(listening: Webhook, application: Application, group: ContactGroup) -> None:
    add_contacts(group, 2)
    anna, bert = (User.objects.create_superuser(name) for name in ("anna", "bert"))
    campaign = drafts.create(name="Big", application=application, sender_id="", text="Hi", groups=[group], by=anna)
    approvals.ask(campaign.pk, by=anna)
    approvals.decide(campaign.pk, by=bert, approve=False, note="too many")
    assert [(one["type"], one["decided_by"], one["note"]) for one in told()] == [
        ("approval.asked", "", ""),
        ("approval.refused", "bert", "too many"),
    ]


def test_a_low_balance_is_told_once(listening: Webhook, settings: Any) -> None:
    settings.LAAFFIC_BALANCE_ALERT = Decimal(10)
    for amount in ("12", "9", "8", "11", "7"):
        balance_history.record(Balance(Decimal(amount), Decimal(0), Decimal(0), "USD"))
    assert [one["balance"] for one in told("balance.low")] == ["9", "7"]


def test_reports_ask_one_question_more_however_many_they_are(application: Application, group: ContactGroup) -> None:
    campaign, claim = claimed(application, group, 40)
    settling.settle_answer(campaign.pk, claim, answered([f"25{pk:010}" for pk in claim.message_ids]))
    with CaptureQueriesContext(
        connection,
    ) as asked:
        reports.apply_now([report(pk, DeliveryState.DELIVERED) for pk in claim.message_ids])
    about = [query["sql"] for query in asked if "events_" in query["sql"]]
    assert len(about) == 1
    assert "events_webhook" in about[0]
    assert not Event.objects.exclude(kind="campaign.state").exists()  # which people are told of


def test_commands(capsys: Any) -> None:
    def command(*args: str) -> Any:
        call_command("webhook", *args, "--json")
        return json.loads(capsys.readouterr().out)

    made = command("create", "http://127.0.0.1:9/", "--events", "message.delivered, reply.received")
    assert made["secret"].startswith("whsec_")
    pk = str(made["id"])
    [row] = command("list")["webhooks"]
    assert (row["events"], row["state"]) == (["message.delivered", "reply.received"], "active")
    assert command("test", pk)["webhook_id"].startswith("evt_")
    assert command("rotate", pk)["secret"] != made["secret"]
    assert command("pause", pk)["state"] == "paused"
    assert command("resume", pk)["state"] == "active"
    assert command("delete", pk) == {"id": made["id"], "state": "deleted"}
    for url, kinds in (
        ("http://10.0.0.1/", "reply.received"),
        ("http://127.0.0.1:9/", "no"),
        ("http://127.0.0.1:9/", ""),
    ):
        with pytest.raises(CommandError):
            call_command("webhook", "create", url, "--events", kinds)


@pytest.mark.parametrize("given", [["balance.low,campaign.state"], ["balance.low", "campaign.state"]])
def test_several_events_are_given_with_commas_or_blanks(given: list[str]) -> None:
    call_command("webhook", "create", "http://127.0.0.1:9/", "--events", *given)

    assert set(Webhook.objects.get().kinds) == {"balance.low", "campaign.state"}


def test_what_has_not_moved_is_not_told(listening: Webhook, application: Application, group: ContactGroup) -> None:
    campaign, _claim = claimed(application, group)
    state = {message.pk: message.state for message in campaign.messages.all()}

    events.messages_moved(state)
    events.consented([])

    assert told() == []
