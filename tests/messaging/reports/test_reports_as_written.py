"""Reports as gateways write them: known words are known, what is unreadable changes nothing and is said."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from laaffic_console.gateway.models import Application, OrphanReport
from laaffic_console.gateway.services.client import account
from laaffic_console.laaffic import DeliveryState, Source
from laaffic_console.laaffic.delivery_states import delivery_state
from laaffic_console.laaffic.reports import currency, digits, from_push, money
from messaging.models import ContactGroup, MessageEvent, MessageState
from messaging.services.batches import settling
from messaging.services.channels.outgoing import Claim
from messaging.services.reports import report_pushes, reports
from tests.messaging.conftest import add_contacts
from tests.messaging.reports.test_reports import answered, claimed, message, push, report, store

pytestmark = pytest.mark.django_db


@pytest.fixture
def claim(application: Application, group: ContactGroup, settings: Any) -> Claim:
    settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"
    account.laaffic_client.cache_clear()
    add_contacts(group, 1)
    campaign, claim = claimed(application, group)
    settling.settle_answer(campaign.pk, claim, answered(claim))
    return claim


class StatusTests:
    @pytest.mark.parametrize("word", ["", None, "maybe", "NaN", "0x0", True, [], {}, "0,0", "unknown", "٠"])
    def test_what_is_not_known_leaves_the_state_and_is_said(self, claim: Claim, word: Any) -> None:
        body = store(push(claim, status=word))

        report_pushes.INBOX.apply_some()

        body.refresh_from_db()
        assert message(claim).state == MessageState.ACCEPTED
        assert "says nothing that is known" in body.problems[0]

    @pytest.mark.parametrize("word", ["DELIVRD", "delivered", " 0 ", "0.0", 0.0, "00", "SUCCESS"])
    def test_delivered_in_every_word(self, word: Any) -> None:
        assert from_push({"msgid": "1", "status": word}).state is DeliveryState.DELIVERED

    @pytest.mark.parametrize("word", ["UNDELIV", "EXPIRED", "REJECTD", "failed", "1", "-1", 7, "1.0"])
    def test_failed_in_every_word(self, word: Any) -> None:
        assert from_push({"msgid": "1", "status": word}).state is DeliveryState.FAILED

    @pytest.mark.parametrize("word", ["ACCEPTD", "ENROUTE"])
    def test_on_its_way_is_no_end(self, word: str) -> None:
        assert delivery_state(Source.PUSH, word) is DeliveryState.PENDING


class NumberTests:
    @pytest.mark.parametrize("write", ["+{}", "00{}", "+{0:.2}  {0:2.2}", "{} "])
    def test_marks_and_prefixes_are_no_other_number(self, claim: Claim, write: str) -> None:
        number = claim.numbers[0]
        written = write.format(number) if "{0" not in write else f"+{number[:2]} ({number[2:5]}) {number[5:]}"

        store(push(claim, mobile=written))
        report_pushes.INBOX.apply_some()

        assert message(claim).state == MessageState.DELIVERED

    @pytest.mark.parametrize("cut", ["{}", "0{}"])
    def test_without_its_country_code_it_matches_beside_the_exact_id(self, claim: Claim, cut: str) -> None:
        store(push(claim, mobile=cut.format(claim.numbers[0][2:]), orderId=""))

        message(claim)
        report_pushes.INBOX.apply_some()

        assert message(claim).state == MessageState.DELIVERED

    @pytest.mark.parametrize("forged", [{"msgid": "77"}, {"msgid": "77", "mobile": ""}, {"msgid": ""}])
    def test_an_order_id_alone_moves_nothing(self, claim: Claim, forged: dict[str, str]) -> None:
        store(push(claim, **({"mobile": "4915112345678"} | forged)))

        report_pushes.INBOX.apply_some()

        assert message(claim).state == MessageState.ACCEPTED
        said = "no number" if forged.get("mobile") == "" else "another number"
        assert said in OrphanReport.objects.get().problem

    @pytest.mark.parametrize(
        ("written", "kept"),
        [("+86 138-1234 5678", "8613812345678"), ("0086138", "86138"), ("SHOP", "SHOP"), (None, "")],
    )
    def test_digits(self, written: object, kept: str) -> None:
        assert digits(written) == kept


class MoneyTests:
    @pytest.mark.parametrize(
        ("written", "amount"),
        [
            ("0,0080", "0.0080"),
            ("USD 0.0080", "0.0080"),
            ("0.0080usd", "0.0080"),
            ("1,234.50", "1234.50"),
            ("12,5", "12.5"),
            (0.008, "0.008"),
            ("-0.5", "-0.5"),
        ],
    )
    def test_amounts_as_they_are_written(self, written: object, amount: str) -> None:
        assert money(written) == Decimal(amount)

    @pytest.mark.parametrize("written", ["1,234", "much", "1e40", "NaN", "", "0.0.1", True])
    def test_what_is_none_or_may_be_two(self, written: object) -> None:
        assert money(written) is None

    def test_one_currency_has_one_spelling(self) -> None:
        assert [currency("usd"), currency("", "0.008 usd"), currency(None, "0.008")] == ["USD", "USD", ""]

    def test_an_amount_that_cannot_be_read_is_said(self, claim: Claim) -> None:
        body = store(push(claim, pricedetail={"pay": "1,234", "currency": "USD"}))

        report_pushes.INBOX.apply_some()

        body.refresh_from_db()
        assert body.problems == ["the amount '1,234' cannot be read"]
        assert message(claim).state == MessageState.DELIVERED


class TimeTests:
    @pytest.mark.parametrize(
        "written",
        [
            1_767_268_800,
            "1767268800000",
            1_767_268_800_000_000,
            "2026-01-01T20:00:00+08:00",
            "2026-01-01 20:00:00",
            "20260101200000",
            "1767268800.0",
        ],
    )
    def test_every_way_of_writing_a_moment(self, written: object) -> None:
        at = from_push({"msgid": "1", "status": 0, "timestamp": written}).at

        assert at == dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)

    @pytest.mark.parametrize("written", [99_999_999_999, "9999-12-31", "0001-01-01", 0, -5, "soon", "NaN", 1e308, True])
    def test_a_time_that_cannot_be_is_none(self, written: object) -> None:
        assert from_push({"msgid": "1", "status": 0, "timestamp": written}).at is None


class RepeatTests:
    def test_the_same_contradiction_thirty_times_is_one_event(self, claim: Claim) -> None:
        reports.apply_now([report(claim)])

        for _time in range(3):
            reports.apply_now([report(claim, state=DeliveryState.FAILED)] * 10)

        assert MessageEvent.objects.count() == 1
