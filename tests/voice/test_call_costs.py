"""Costs of calls that cannot be right: in no total, until Laaffic's records or a person say otherwise."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db.models import Sum
from django.test import Client
from django.urls import reverse

from laaffic_console.laaffic import Source
from laaffic_console.laaffic.call_records import from_row
from voice.models import CallRecord, CallTally
from voice.services.records import call_records, cost_words

pytestmark = pytest.mark.django_db


def kept(cost: str, source: Source = Source.VOICE_PUSH, **changed: Any) -> CallRecord:
    row = {"voiceId": "v1", "type": 1, "callee": "919876500000", "callTime": 1717382525000, "terminationCode": "0"}
    given = {"callStatus": 50, "chargedDuration": 60, "currency": "USD", "cost": cost}
    call_records.take([from_row(row | given | changed)], source)
    return CallRecord.objects.get()


def total() -> int:
    return int(CallTally.objects.aggregate(sum=Sum("cost_micros"))["sum"] or 0)


def decided(client: Client, record: CallRecord, **given: Any) -> str:
    address = reverse("admin:voice_callrecord_decide_cost", args=[record.pk])
    page: Any = client.post(address, {"word": "take", "why": "by the invoice"} | given, follow=True)
    return str(page.content.decode())


@pytest.mark.parametrize(
    ("cost", "changed", "is_counted"),
    [
        ("0.02", {}, True),
        ("10", {}, True),
        ("0", {}, True),
        ("-0.02", {}, False),
        ("10.01", {}, False),
        ("999999999", {}, False),
        ("15", {"chargedDuration": 120}, True),
        ("800", {"currency": "VND"}, True),
        ("20001", {"currency": "VND"}, False),
    ],
)
def test_what_a_push_names(cost: str, changed: dict[str, Any], is_counted: bool) -> None:
    record = kept(cost, **changed)
    assert (record.cost is not None, record.is_doubted) == (is_counted, not is_counted)
    assert total() == (int(Decimal(cost) * 1_000_000) if is_counted else 0)


def test_laaffics_own_record_is_believed_in_any_order() -> None:
    record = kept("50")
    record = kept("12", Source.VOICE_RECORD)
    record = kept("50")

    assert (record.cost, record.is_doubted, total()) == (Decimal(12), False, 12_000_000)
    assert kept("-1", Source.VOICE_RECORD, voiceId="v1").cost == Decimal(12)


def test_it_is_taken_with_a_reason(admin_client: Client) -> None:
    record = kept("12.5")
    assert "doubtful" in admin_client.get(reverse("admin:voice_callrecord_changelist")).content.decode()
    address = reverse("admin:voice_callrecord_decide_cost", args=[record.pk])
    assert "12.5" in admin_client.get(address).content.decode()
    assert "Say how you know it" in decided(admin_client, record, why=" ")
    assert total() == 0

    page = decided(admin_client, record)

    assert "by the invoice" in page
    record.refresh_from_db()
    assert (record.cost, record.currency, total()) == (Decimal("12.5"), "USD", 12_500_000)
    assert "Look at it again" not in decided(admin_client, record)  # the same word once more changes nothing
    assert "Look at it again" in decided(admin_client, record, why="by another invoice")
    assert total() == 12_500_000


def test_it_is_left_out(admin_client: Client) -> None:
    record = kept("-3")
    assert "only be left out" in decided(admin_client, record)
    decided(admin_client, record, word="leave")

    record = kept("-3")
    assert (record.cost, record.is_doubted, total()) == (None, False, 0)
    assert record.cost_word.startswith("admin leaves out")


@pytest.mark.parametrize(("take", "amount"), [(True, ("50", "USD")), (False, (None, ""))])
def test_a_push_after_the_decision_changes_nothing_of_it(take: bool, amount: tuple[str | None, str]) -> None:
    record = kept("50", outRecallCount=0)
    cost_words.decide(record.pk, take=take, why="invoice", by=User.objects.create_user("boss"))

    later = kept("0.02", outRecallCount=1, currency="EUR")

    cost, currency = amount
    assert (later.cost, later.currency) == (None if cost is None else Decimal(cost), currency)


def test_who_may(client: Client) -> None:
    record = kept("50")
    user = User.objects.create_user("eve", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_callrecord", "change_callrecord"]))
    client.force_login(user)
    address = reverse("admin:voice_callrecord_decide_cost", args=[record.pk])
    assert [ask(address).status_code for ask in (client.get, client.post)] == [403, 403]


@pytest.mark.parametrize(("cost", "is_offered"), [("50", True), ("0.02", False)])
def test_only_a_doubtful_cost_is_to_be_decided(admin_client: Client, cost: str, is_offered: bool) -> None:
    record = kept(cost)

    page = admin_client.get(reverse("admin:voice_callrecord_change", args=[record.pk])).content.decode()

    assert (reverse("admin:voice_callrecord_decide_cost", args=[record.pk]) in page) == is_offered
