"""A filter or a search of a long list is answered by an index in the list's order (laws#history-costs-nothing)."""

import datetime as dt
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.kit.lists import list_order
from messaging.models import (
    Batch,
    BatchState,
    Campaign,
    EmailCampaign,
    EmailMessage,
    Message,
    MessageEvent,
    MessageState,
    Reply,
)
from messaging.services.batches import answers
from messaging.services.email import care as email_care
from messaging.services.figures import timeline
from voice.models import CallRecord, SipCall

pytestmark = pytest.mark.django_db
NOW = timezone.now()
MANY = 2000  # rows of which a planner thinks twice


@pytest.fixture
def application(db: None) -> Application:
    return Application.objects.create(app_id="a", channel="sms", name="Shop")


@pytest.fixture
def campaign(application: Application) -> Campaign:
    return Campaign.objects.create(name="Autumn", application=application)


def listed(client: Client, model: Any, **query: str) -> Any:
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return client.get(address, query).context["cl"]


def plan_of(model: Any, **query: str) -> str:
    """Of the first page, with the list's filters and its order."""
    request = RequestFactory().get("/", query)
    request.user = User.objects.get(username="admin")
    found = admin.site._registry[model].get_changelist_instance(request).get_queryset(request)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {model._meta.db_table}")
    plan: str = found.select_related(None)[:50].explain()
    return plan


def records() -> None:
    CallRecord.objects.bulk_create(
        CallRecord(
            voice_id=str(n), callee="919876543210", outcome="answered", kind=1, first_seen_at=NOW,
            at=NOW - dt.timedelta(seconds=n),
        )
        for n in range(MANY)
    )  # fmt: skip
    oldest = CallRecord.objects.order_by("at").first()
    CallRecord.objects.filter(pk=oldest and oldest.pk).update(
        outcome="failed", kind=2, key_pressed="5", recording_id="r"
    )


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({"outcome": "failed"}, "record_by_outcome"),
        ({"kind": "2"}, "record_by_kind"),
        ({"key": "5"}, "record_by_key"),
        ({"key": "any"}, "record_with_key"),
        ({"recorded": "yes"}, "record_with_audio"),
    ],
)
def test_rare_calls_are_found_and_ordered_by_an_index(admin_client: Client, query: dict[str, str], index: str) -> None:
    records()

    plan = plan_of(CallRecord, **query)

    assert index in plan or (query == {"key": "5"} and "record_with_key" in plan)  # of one row either is best
    assert len(listed(admin_client, CallRecord, **query).result_list) == 1


@pytest.mark.parametrize(("query", "index"), [("submission", "email_by_submission"), ("delivery", "email_by_delivery")])
def test_rare_mails_are_found_by_an_index(
    admin_client: Client, application: Application, query: str, index: str
) -> None:
    campaign = EmailCampaign.objects.create(name="Autumn", application=application)
    EmailMessage.objects.bulk_create(
        EmailMessage(campaign=campaign, key=str(n), told_at=NOW, submission=20, delivery=40) for n in range(MANY)
    )
    EmailMessage.objects.filter(key="0").update(submission=10, delivery=30)

    assert index in plan_of(EmailMessage, **{f"{query}__exact": {"submission": "10", "delivery": "30"}[query]})


def replies(application: Application) -> None:
    for n, number in enumerate(["4915", "4917", "4916"]):
        Reply.objects.create(key=str(n), number=number, at=NOW, received_at=NOW)


def sip_calls(application: Application) -> None:
    for n, number in enumerate(["4915", "4917", "4916"]):
        SipCall.objects.create(application=application, callee=number, called_info=str(n))


@pytest.mark.parametrize(("make", "model"), [(replies, Reply), (sip_calls, SipCall)])
def test_where_many_begin_so_they_come_as_the_index_has_them(
    admin_client: Client, application: Application, monkeypatch: pytest.MonkeyPatch, make: Any, model: Any
) -> None:
    make(application)
    newest_first = [str(row) for row in listed(admin_client, model, q="4915").result_list]
    few = [row.pk for row in listed(admin_client, model, q="491").result_list]
    monkeypatch.setattr(list_order, "MANY", 2)

    many = [row.pk for row in listed(admin_client, model, q="491").result_list]
    plan = plan_of(model, q="491")

    first, second, third = model.objects.order_by("pk").values_list("pk", flat=True)
    assert len(newest_first) == 1
    assert (few, many) == ([third, second, first], [first, third, second])
    assert "TEMP B-TREE" not in plan


def test_queued_messages_are_looked_for_where_batches_are_open(admin_client: Client, campaign: Campaign) -> None:
    def listed_ids() -> tuple[list[int], str]:
        with CaptureQueriesContext(connection) as captured:
            found = [row.pk for row in listed(admin_client, Message, **{"in": "queued"}).result_list]
        asked = [query["sql"] for query in captured if 'FROM "messaging_message"' in query["sql"]]
        return found, " ".join(sql for sql in asked if "WHERE" in sql)  # without the estimate of all

    def add(state: BatchState, of_messages: MessageState) -> list[int]:
        batch = Batch.objects.create(campaign=campaign, first_message_id=0, last_message_id=0, size=2, state=state)
        pks = [
            Message.objects.create(campaign=campaign, batch=batch, number=f"{batch.pk}{n}", state=of_messages).pk
            for n in range(2)
        ]
        Batch.objects.filter(pk=batch.pk).update(first_message_id=pks[0], last_message_id=pks[1])
        return pks

    add(BatchState.SETTLED, MessageState.DELIVERED)
    assert listed_ids() == ([], "")
    queued = add(BatchState.QUEUED, MessageState.QUEUED)
    add(BatchState.CLAIMED, MessageState.QUEUED)
    add(BatchState.SETTLED, MessageState.DELIVERED)

    found, asked = listed_ids()

    assert found == queued[::-1]
    assert f'"messaging_message"."id" >= {queued[0]}' in asked
    if connection.vendor == "sqlite":
        assert "batch_unsettled" in answers._unsettled().values("first_message_id", "last_message_id").explain()


def campaigns(application: Application, count: int) -> list[Campaign]:
    """One after the other, each to MANY; the first recipient of each got none."""
    made = []
    for name in range(count):
        campaign = Campaign.objects.create(name=str(name), application=application)
        batch = Batch.objects.create(campaign=campaign, first_message_id=0, last_message_id=0, size=MANY)
        Message.objects.bulk_create(
            Message(
                campaign=campaign, batch=batch, number=f"49{name}{n:06}",
                state=MessageState.DELIVERED if n else MessageState.UNDELIVERED,
            )
            for n in range(MANY)
        )  # fmt: skip
        made.append(campaign)
    return made


def test_the_recipients_of_an_old_campaign_are_read_where_they_lie(
    admin_client: Client, application: Application
) -> None:
    """Not from the end of the table through all that came since."""
    old, _newer, newest = campaigns(application, 3)
    query = {"campaign__id__exact": str(old.pk)}
    own = list(Message.objects.filter(campaign=old).order_by("-pk").values_list("pk", flat=True))

    page = listed(admin_client, Message, **query)
    found = [row.pk for row in page.result_list]
    plan = plan_of(Message, **query)

    assert found == own[: len(found)]
    assert len(found) == page.list_per_page
    assert page.clear_all_filters_qs == f"?campaign__id__exact={old.pk}"
    assert "Index Cond: ((id >=" in plan or "INTEGER PRIMARY KEY (rowid>? AND rowid<?)" in plan
    assert listed(admin_client, Message, campaign__id__exact=str(newest.pk + 1)).result_count == 0
    assert [row.number for row in listed(admin_client, Message, **query, **{"in": "undelivered"}).result_list] == [
        "490000000"
    ]


def test_what_seldom_becomes_of_a_message_is_found_by_an_index(admin_client: Client, application: Application) -> None:
    campaigns(application, 2)

    assert "message_exceptions" in plan_of(Message, **{"in": "undelivered"})
    assert [row.number for row in listed(admin_client, Message, **{"in": "undelivered"}).result_list] == [
        "491000000",
        "490000000",
    ]


def test_the_mails_of_an_old_campaign_are_read_where_they_lie(admin_client: Client, application: Application) -> None:
    old, newer = (EmailCampaign.objects.create(name=name, application=application) for name in ("old", "newer"))
    for campaign in (old, newer):
        EmailMessage.objects.bulk_create(
            EmailMessage(campaign=campaign, key=str(n), told_at=NOW, submission=20, delivery=40) for n in range(MANY)
        )
    query = {"campaign__id__exact": str(old.pk)}

    plan = plan_of(EmailMessage, **query)

    assert listed(admin_client, EmailMessage, **query).result_count == MANY
    assert "Index Cond: ((id >=" in plan or "INTEGER PRIMARY KEY (rowid>? AND rowid<?)" in plan


def test_a_message_shows_its_newest_events(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "EVENTS_SHOWN", 2)
    batch = Batch.objects.create(campaign=campaign, first_message_id=0, last_message_id=0, size=1)
    message = Message.objects.create(campaign=campaign, batch=batch, number="4915")
    for n in range(5):
        at = NOW + dt.timedelta(seconds=n)
        MessageEvent.objects.create(message=message, at=at, source="push", text=f"late {n}")

    said = [entry.says for entry in timeline.of(message)]

    assert said[-2:] == ["late 3", "late 4"]
    assert said[-3].startswith("More happened before: the 2 newest")
    assert len(said) == 4


def test_mails_to_whole_lists_are_found_by_their_moment(application: Application) -> None:
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            interface=email_care.INTERFACE if n % 2 else "sendSms", about_kind=email_care.ABOUT, about_id=n,
            application=application, state=EntryState.ACCEPTED, prepared_at=NOW - dt.timedelta(days=30 + n),
        )
        for n in range(MANY)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE gateway_ledgerentry")
    campaign = EmailCampaign.objects.create(name="Autumn", application=application, receiver_id="list")

    assert "call_whole_list" in email_care._sent(campaign, NOW - dt.timedelta(days=7)).explain()


def test_who_is_on_a_list_is_looked_up_by_address(application: Application) -> None:
    """Not in all that was ever mailed to the list, which becomes more and more."""
    before, now = (
        EmailCampaign.objects.create(name=name, application=application, receiver_id=name) for name in ("old", "new")
    )
    EmailMessage.objects.bulk_create(
        EmailMessage(campaign=before, key=str(n), address=f"{n}@example.org", submission=1, told_at=NOW)
        for n in range(MANY)
    )
    EmailMessage.objects.create(campaign=now, key="1", address="1@example.org", submission=1, told_at=NOW)
    LedgerEntry.objects.create(
        interface=email_care.INTERFACE, about_kind=email_care.ABOUT, about_id=now.pk,
        application=application, state=EntryState.ACCEPTED, prepared_at=NOW,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE messaging_emailmessage")
    draft = EmailCampaign.objects.create(name="next", application=application, receiver_id="old")

    with CaptureQueriesContext(connection) as asked:
        found = email_care._people_full(draft, NOW - dt.timedelta(days=1), 1)

    with connection.cursor() as cursor:
        cursor.execute(("EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN ") + asked[-1]["sql"])
        plan = "\n".join(str(row[-1] if connection.vendor == "sqlite" else row[0]) for row in cursor.fetchall())
    assert found == 1
    assert "email_address" in plan
    assert "Seq Scan on messaging_emailmessage" not in plan
    assert "SCAN messaging_emailmessage" not in plan
    assert "SCAN U0" not in plan
