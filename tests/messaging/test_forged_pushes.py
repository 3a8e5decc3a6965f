"""Whoever knows the token can push: a push must agree with the number, and an amount with what is known."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services import account
from laaffic_console.laaffic import Source
from messaging.models import Batch, Campaign, ContactGroup, ListPrice, MessageEvent, MessageState
from messaging.services.batches import counting, settling
from messaging.services.channels.outgoing import Claim
from messaging.services.reports import report_pulls, report_pushes, reports
from tests.messaging.conftest import add_contacts
from tests.messaging.test_reports import answered, assert_figures_are_a_recount, claimed, message, push, report, store

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(application: Application, group: ContactGroup, settings: Any) -> tuple[Campaign, Claim]:
    settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"
    account.laaffic_client.cache_clear()
    add_contacts(group, 2)
    campaign, claim = claimed(application, group)
    settling.settle_answer(campaign.pk, claim, answered(claim))
    return campaign, claim


def priced(pay: str, currency: str = "USD") -> dict[str, Any]:
    return {"pricedetail": {"pay": pay, "currency": currency, "chargeCnt": 1}}


class AmountTests:
    @pytest.mark.parametrize("pay", ["-0.008", "-999999999", "999999999", "11", "-0,5"])
    def test_what_cannot_be_right_moves_no_total_and_is_shown(self, sent: tuple[Campaign, Claim], pay: str) -> None:
        campaign, claim = sent

        store(push(claim, **priced(pay)))
        report_pushes.INBOX.apply_some()

        assert message(claim).state == MessageState.DELIVERED
        assert counting.costs(campaign) == {}
        assert MessageEvent.objects.get().source == "doubtful amount"
        assert_figures_are_a_recount(campaign)

    @pytest.mark.parametrize(("pay", "is_counted"), [("0.008", True), ("0.15", True), ("0.17", False), ("9", False)])
    def test_what_is_far_from_the_price_list_is_doubtful(
        self, sent: tuple[Campaign, Claim], pay: str, is_counted: bool
    ) -> None:
        campaign, claim = sent
        country = message(claim).country
        ListPrice.objects.create(channel="sms", country=country, price=Decimal("0.008"), currency="USD")

        store(push(claim, **priced(pay)))
        report_pushes.INBOX.apply_some()

        assert bool(counting.costs(campaign)) is is_counted

    def test_a_small_unit_has_large_amounts(self, sent: tuple[Campaign, Claim]) -> None:
        campaign, claim = sent

        store(push(claim, **priced("800", "vnd")))
        report_pushes.INBOX.apply_some()

        assert counting.costs(campaign) == {"VND": Decimal(800)}

    def test_get_report_is_asked_and_its_word_counts(
        self, sent: tuple[Campaign, Claim], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        campaign, claim = sent
        store([push(claim, 0, **priced("999999999")), push(claim, 1)])
        report_pushes.INBOX.apply_some()
        asked: list[str] = []

        class Client:
            def get_report(self, *, app_id: str, msg_ids: list[str]) -> Any:
                asked.extend(msg_ids)
                told = report(claim, source=Source.GET_REPORT, pay=Decimal(12), currency="USD")
                return type("Page", (), {"reports": [told]})

        batch = Batch.objects.get()
        report_pulls.ask_by_id(Client(), batch)  # type: ignore[arg-type]

        assert batch.next_check_at is not None
        assert batch.next_check_at < timezone.now() + dt.timedelta(minutes=1)
        assert asked == [message(claim).gateway_id]
        assert counting.costs(campaign) == {"USD": Decimal(12)}
        assert_figures_are_a_recount(campaign)


class ConfirmedTests:
    def test_a_push_only_asks_where_the_owner_wants_it(self, sent: tuple[Campaign, Claim], settings: Any) -> None:
        settings.LAAFFIC_CONFIRM_REPORTS = True
        _campaign, claim = sent
        Batch.objects.update(next_check_at=timezone.now() + dt.timedelta(hours=1))

        store(push(claim))
        report_pushes.INBOX.apply_some()

        asked_at = Batch.objects.get().next_check_at
        assert message(claim).state == MessageState.ACCEPTED
        assert asked_at is not None
        assert asked_at < timezone.now() + dt.timedelta(minutes=1)
        reports.apply_now([report(claim, source=Source.GET_REPORT)])
        assert message(claim).state == MessageState.DELIVERED
