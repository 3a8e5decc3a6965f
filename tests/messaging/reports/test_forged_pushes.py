"""Whoever knows the token can push: a push must agree with the number, and an amount with what is known."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import Application, EvidenceKind, LedgerEntry, OrphanReport
from laaffic_console.gateway.services.client import account
from laaffic_console.laaffic import DeliveryState, Source
from messaging.models import (
    Batch,
    Campaign,
    ContactGroup,
    EarlierAttempt,
    ListPrice,
    Message,
    MessageEvent,
    MessageState,
)
from messaging.services.batches import answers, settling, unanswered
from messaging.services.channels.outgoing import Claim
from messaging.services.reports import (
    amount_words,
    doubtful_amounts,
    report_pulls,
    report_pushes,
    report_targets,
    reports,
)
from messaging.services.tallies import counting
from tests.messaging.conftest import add_contacts
from tests.messaging.reports.test_reports import (
    answered,
    assert_figures_are_a_recount,
    claimed,
    message,
    push,
    report,
    store,
)

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


class WordTests:
    """An approver says whether an amount that cannot be right is counted."""

    def decided(self, client: Client, claim: Claim, **given: Any) -> str:
        known = message(claim)
        doubts = amount_words.open_for(known)
        form = {"event": doubts[0].event_id if doubts else 0, "why": "by Laaffic's invoice"} | given
        page = client.post(reverse("admin:messaging_message_amount", args=[known.pk]), form, follow=True)
        return str(page.content.decode())

    def doubted(self, claim: Claim, *pays: str) -> None:
        for pay in pays:
            store(push(claim, **priced(pay)))
        report_pushes.INBOX.apply_some()

    def test_it_is_taken_with_a_reason(self, sent: tuple[Campaign, Claim], admin_client: Client) -> None:
        campaign, claim = sent
        self.doubted(claim, "12.5")
        assert "Say how you know it" in self.decided(admin_client, claim, word="take", why=" ")
        assert counting.costs(campaign) == {}

        page = self.decided(admin_client, claim, word="take")

        assert counting.costs(campaign) == {"USD": Decimal("12.5")}
        assert "admin takes 12.5 USD: by Laaffic&#x27;s invoice" in page
        assert "Doubtful amount" not in page
        assert_figures_are_a_recount(campaign)
        assert "Look at it again" in self.decided(admin_client, claim, word="take")

    def test_it_is_left_out_and_the_other_stays_open(self, sent: tuple[Campaign, Claim], admin_client: Client) -> None:
        campaign, claim = sent
        self.doubted(claim, "-3", "50")

        assert "only be left out" in self.decided(admin_client, claim, word="take")
        self.decided(admin_client, claim, word="leave")

        assert [str(doubt) for doubt in amount_words.open_for(message(claim))] == ["50 USD"]
        self.doubted(claim, "-3")
        self.decided(admin_client, claim, word="leave")
        assert amount_words.open_for(message(claim)) == []
        assert counting.costs(campaign) == {}

    def test_laaffics_own_word_still_counts_after_that(
        self, sent: tuple[Campaign, Claim], admin_client: Client
    ) -> None:
        campaign, claim = sent
        self.doubted(claim, "50")
        self.decided(admin_client, claim, word="leave")

        reports.apply_now([report(claim, source=Source.GET_REPORT, pay=Decimal("0.01"), currency="USD")])

        assert counting.costs(campaign) == {"USD": Decimal("0.01")}

    def test_an_amount_that_a_person_took_stays(self, sent: tuple[Campaign, Claim], admin_client: Client) -> None:
        campaign, claim = sent
        self.doubted(claim, "12.5")
        self.decided(admin_client, claim, word="take")

        reports.apply_now([report(claim, source=Source.GET_REPORT, pay=Decimal("0.01"), currency="USD")])

        assert counting.costs(campaign) == {"USD": Decimal("12.5")}

    def test_a_doubtful_amount_of_a_better_report_is_asked_for(self, sent: tuple[Campaign, Claim]) -> None:
        campaign, claim = sent
        reports.apply_now([report(claim, state=DeliveryState.FAILED, pay=Decimal("0.01"), currency="USD")])
        self.doubted(claim, "50")
        batch = Batch.objects.get()
        assert doubtful_amounts.to_ask_for(batch) == [message(claim).gateway_id]

        reports.apply_now([report(claim, source=Source.GET_REPORT, pay=Decimal("0.02"), currency="USD")])

        assert doubtful_amounts.to_ask_for(batch) == []
        assert counting.costs(campaign) == {"USD": Decimal("0.02")}

    def test_who_may(self, sent: tuple[Campaign, Claim], client: Client) -> None:
        _campaign, claim = sent
        self.doubted(claim, "50")
        user = User.objects.create_user("eve", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename="view_message"))
        client.force_login(user)
        page = client.get(reverse("admin:messaging_message_change", args=[message(claim).pk])).content.decode()
        assert "Doubtful amount" in page
        assert "Take this amount" not in page
        address = reverse("admin:messaging_message_amount", args=[message(claim).pk])
        assert client.post(address, {"word": "take", "why": "x"}).status_code == 403


def test_a_push_without_a_number_is_not_said_to_be_about_another(sent: tuple[Campaign, Claim]) -> None:
    _campaign, claim = sent

    told = [
        report_targets.contradiction(report(claim, number=number)) for number in ("", "919812345678", claim.numbers[0])
    ]

    assert told == [
        "It names the order id of a message and no number, so it moves nothing.",
        "It names the order id of a message to another number, so it moves nothing. Was it forged?",
        "",
    ]


class OtherConsoleTests:
    """Another console on the same account has the same order prefix and keys, and the number happens to be the same."""

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            ({"appId": "other123", "msgid": "7"}, "It names a message of another application"),
            ({"appId": "other123", "msgid": ""}, "It names a message of another application"),
            ({"appId": "other123"}, "It names a message of another application"),
            ({"appId": "other123", "orderId": ""}, "It names a message of another application"),
            ({"appId": "4luaKsL2", "msgid": "7"}, "It names the order id of a message that has another id"),
            ({"msgid": "7"}, "It names the order id of a message that has another id"),
        ],
        ids=["application", "no id", "application alone", "by the id alone", "id", "no application"],
    )
    def test_it_moves_nothing_and_is_kept_with_why(
        self, sent: tuple[Campaign, Claim], given: dict[str, str], says: str
    ) -> None:
        campaign, claim = sent

        answers.write_one(claim.batch_id)
        store([push(claim, 0, **given), push(claim, 1, appId="4luaKsL2")])
        report_pushes.INBOX.apply_some()

        assert [message(claim, n).state for n in range(2)] == [MessageState.ACCEPTED, MessageState.DELIVERED]
        assert OrphanReport.objects.get().problem.startswith(says)
        assert not MessageEvent.objects.exists()
        assert_figures_are_a_recount(campaign)

    @pytest.mark.parametrize("given", [{}, {"appId": ""}, {"appId": "4luaKsL2"}, {"appId": "4LUAKSL2"}, {"msgid": ""}])
    def test_ours_moves_its_message(self, sent: tuple[Campaign, Claim], given: dict[str, str]) -> None:
        _campaign, claim = sent

        store(push(claim, **given))
        report_pushes.INBOX.apply_some()

        assert message(claim).state == MessageState.DELIVERED

    def test_an_order_id_says_more_than_number_and_time(self, sent: tuple[Campaign, Claim]) -> None:
        _campaign, claim = sent
        LedgerEntry.objects.update(evidence_kind=EvidenceKind.LIST)

        store(push(claim, msgid="7"))
        report_pushes.INBOX.apply_some()

        assert message(claim).state == MessageState.DELIVERED

    def test_an_id_that_a_push_taught_shuts_no_other_out(self, application: Application, group: ContactGroup) -> None:
        """The first may have been forged, or another console's; the answer that would say so was lost."""
        add_contacts(group, 1)
        campaign, claim = claimed(application, group)
        unanswered.mark_unknown(Batch.objects.get(pk=claim.batch_id), "lost")

        store(push(claim, 0, "1", msgid="7"))
        report_pushes.INBOX.apply_some()
        was = message(claim).state
        store(push(claim, msgid="8"))
        report_pushes.INBOX.apply_some()

        assert (was, message(claim).state) == (MessageState.UNDELIVERED, MessageState.DELIVERED)
        assert not OrphanReport.objects.exists()
        assert_figures_are_a_recount(campaign)

    def test_a_call_has_an_id_for_each_of_its_tries(self, sent: tuple[Campaign, Claim]) -> None:
        _campaign, claim = sent

        reports.apply_now([report(claim, msg_id="7", source=Source.VOICE_PUSH)])

        assert message(claim).state == MessageState.DELIVERED

    @pytest.mark.parametrize(
        ("given", "is_kept"),
        [({"appId": "other123"}, False), ({"msgid": "7"}, False), ({"appId": "4luaKsL2"}, True), ({}, True)],
        ids=["application", "id", "ours", "no application"],
    )
    def test_an_earlier_sending_is_not_anothers_either(
        self, sent: tuple[Campaign, Claim], given: dict[str, str], is_kept: bool
    ) -> None:
        _campaign, claim = sent
        known = message(claim)
        Message.objects.filter(pk=known.pk).update(attempt=2, gateway_id="8")
        EarlierAttempt.objects.create(message=known, attempt=1, gateway_id=known.gateway_id, state=known.state)
        LedgerEntry.objects.update(evidence_kind=EvidenceKind.LATE_ANSWER)

        store(push(claim, 0, "1", **given))
        report_pushes.INBOX.apply_some()

        assert (EarlierAttempt.objects.get().state == MessageState.UNDELIVERED) is is_kept
        assert MessageEvent.objects.exists() is is_kept

    def test_reports_that_name_their_application_cost_one_statement_more(self, sent: tuple[Campaign, Claim]) -> None:
        _campaign, claim = sent
        with CaptureQueriesContext(connection) as plain:
            reports.apply_now([report(claim, 0)])

        with CaptureQueriesContext(connection) as named:
            reports.apply_now([report(claim, 1, app_id="4luaKsL2")])

        assert len(named) == len(plain) + 1


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

    @pytest.mark.parametrize(
        ("state", "reason"), [(DeliveryState.FAILED, "absent subscriber"), (DeliveryState.DELIVERED, "")]
    )
    def test_what_getreport_confirms_has_the_pushs_reason(
        self, sent: tuple[Campaign, Claim], settings: Any, state: DeliveryState, reason: str
    ) -> None:
        settings.LAAFFIC_CONFIRM_REPORTS = True
        campaign, claim = sent
        store(push(claim, status="1"))
        report_pushes.INBOX.apply_some()
        assert message(claim).state == MessageState.ACCEPTED
        assert_figures_are_a_recount(campaign)

        reports.apply_now([report(claim, state=state, source=Source.GET_REPORT, reason="")])

        assert (message(claim).state, message(claim).reason) == (reports.STATE_OF[state], reason)
        assert_figures_are_a_recount(campaign)
