"""What is asked for: one batch, campaign or application that fails never starves the others."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any, cast

import pytest
from django.utils import timezone

from laaffic_console.gateway.models import Application, LedgerEntry, Trouble
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.work import patience
from laaffic_console.laaffic import DeliveryReport, DeliveryState, LaafficClient, OutcomeUnknown, SendResult, Source
from laaffic_console.laaffic.pages import Page
from messaging.models import Batch, BatchState, Campaign, ContactGroup, Message, MessageState
from messaging.services.batches import answers, settling
from messaging.services.replies import reply_pulls
from messaging.services.reports import abnormal_ids, report_pulls, reports
from messaging.services.reports.readings import Trouble as ReadingTrouble
from messaging.services.sending import forgotten
from messaging.wire import gateway_ids
from tests.messaging.conftest import add_contacts
from tests.messaging.reports.test_reports import claimed, message, report
from tests.messaging.sending.test_late_answers import refused

pytestmark = pytest.mark.django_db

LONG = "2108021054011000095" * 3


@pytest.fixture(autouse=True)
def _credentials(settings: Any) -> None:
    settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"
    account.laaffic_client.cache_clear()


def settled(application: Application, group: ContactGroup, ids: list[str]) -> Any:
    add_contacts(group, len(ids))
    campaign, claim = claimed(application, group)
    result = SendResult(msg_ids=list(ids), unknown_positions=[], success=None, fail=None)
    settling.settle_answer(campaign.pk, claim, result)
    return claim


class IdTests:
    def test_a_gateway_id_longer_than_its_column_finds_its_message(
        self, application: Application, group: ContactGroup
    ) -> None:
        claim = settled(application, group, [LONG, LONG + "7"])

        reports.apply_now([report(claim, 1, msg_id=LONG + "7", order_id="")])

        assert [message(claim, n).state for n in (0, 1)] == [MessageState.ACCEPTED, MessageState.DELIVERED]
        assert len({message(claim, n).gateway_id for n in (0, 1)}) == 2

    def test_ids_that_would_spoil_the_question_are_not_asked_for(
        self, application: Application, group: ContactGroup
    ) -> None:
        claim = settled(application, group, ["1,2", LONG, "25000"])
        message(claim)
        asked: list[str] = []

        class Client:
            def get_report(self, *, app_id: str, msg_ids: list[str]) -> Any:
                asked.extend(msg_ids)
                return type("Page", (), {"reports": []})

        report_pulls.ask_by_id(Client(), Batch.objects.get())  # type: ignore[arg-type]

        assert asked == ["25000"]

    @pytest.mark.parametrize("odd", ["A1", "A4", "A5"])
    def test_one_that_laaffic_calls_abnormal_costs_the_others_nothing(
        self, application: Application, group: ContactGroup, monkeypatch: pytest.MonkeyPatch, odd: str
    ) -> None:
        monkeypatch.setattr(report_pulls, "IDS_PER_CALL", 4)
        claim = settled(application, group, [f"A{n}" for n in range(6)])
        message(claim)

        class Client:
            def get_report(self, *, app_id: str, msg_ids: list[str]) -> Any:
                if odd in msg_ids:
                    raise refused("-14")
                told = [
                    report(claim, int(one[1]), msg_id=one, order_id="", source=Source.GET_REPORT) for one in msg_ids
                ]
                return type("Page", (), {"reports": told})

        report_pulls.ask_by_id(Client(), Batch.objects.get())  # type: ignore[arg-type]

        delivered = [n for n in range(6) if message(claim, n).state == MessageState.DELIVERED]
        assert [f"A{n}" for n in range(6) if n not in delivered] == [odd]

    @pytest.mark.parametrize(("hours_after", "is_given_up"), [(-2, False), (1, False), (25, True)])
    def test_where_all_are_abnormal_few_are_asked_for_in_a_minute_and_the_end_comes(
        self,
        application: Application,
        group: ContactGroup,
        monkeypatch: pytest.MonkeyPatch,
        settings: Any,
        hours_after: int,
        is_given_up: bool,
    ) -> None:
        monkeypatch.setattr(abnormal_ids, "REFUSED_A_MINUTE", 10)
        abnormal_ids.refused_lately.clear()
        message(settled(application, group, [f"A{n}" for n in range(40)]))
        claimed_at = timezone.now() - dt.timedelta(hours=settings.REPORT_WINDOW_HOURS + hours_after)
        soon = timezone.now() - dt.timedelta(seconds=1)
        Batch.objects.update(next_check_at=soon, claimed_at=claimed_at)
        asked: list[list[str]] = []

        class Client:
            def get_report(self, *, app_id: str, msg_ids: list[str]) -> Any:
                asked.append(msg_ids)
                raise refused("-14")

        monkeypatch.setattr(report_pulls, "laaffic_client", Client)

        report_pulls.pull_due()

        assert len(asked) == 10
        assert not report_pulls.anything_due()
        assert (Batch.objects.get().next_check_at is None) == is_given_up

    def test_what_has_no_id_is_looked_for_also_where_too_many_ids_are_abnormal(
        self, application: Application, group: ContactGroup, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def too_many(*_given: Any) -> None:
            raise abnormal_ids.TooManyAbnormal("getReport", 0)

        settled(application, group, ["A1"])
        batch = Batch.objects.get()
        batch.state = BatchState.UNKNOWN
        looked: list[int] = []
        monkeypatch.setattr(report_pulls, "ask_by_id", too_many)
        monkeypatch.setattr(report_pulls, "look_in_records", lambda client, batch, asking: looked.append(batch.pk))

        with pytest.raises(abnormal_ids.TooManyAbnormal):
            report_pulls.look_for_reports(cast(Any, None), batch, patience.ENDLESS)
        assert looked == [batch.pk]

    def test_before_each_part_but_the_first_it_is_seen_whether_there_is_time(self) -> None:
        abnormal_ids.refused_lately.clear()
        steps: list[str | int] = []

        class Asking:
            def check(self, interface: str) -> None:
                steps.append(interface)

        def ask(app_id: str, ids: Sequence[str]) -> int:
            steps.append(len(ids))
            if "A7" in ids and len(ids) > 1:
                raise refused("-14")
            return len(ids)

        question = abnormal_ids.Question("getReport", ask, "-14")
        list(abnormal_ids.in_parts(question, "app", [f"A{n}" for n in range(8)], cast(Any, Asking())))

        asked = [step for step in steps if isinstance(step, int)]
        assert steps == [asked[0], *(step for n in asked[1:] for step in ("getReport", n))]

    def test_what_is_short_stays_as_it_is(self) -> None:
        assert gateway_ids.kept("2" * 40) == "2" * 40
        assert len(gateway_ids.kept("2" * 41)) == 40


class StarvingTests:
    def test_a_batch_that_fails_is_asked_for_later_and_the_next_one_now(
        self, application: Application, group: ContactGroup, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settled(application, group, ["1"])
        first = Batch.objects.get()
        second = Batch.objects.create(
            campaign=first.campaign, first_message_id=10**9, last_message_id=10**9, size=1, accepted=1
        )
        Batch.objects.update(next_check_at=timezone.now() - dt.timedelta(seconds=1))
        Batch.objects.filter(pk=first.pk).update(next_check_at=timezone.now() - dt.timedelta(hours=1))
        looked: list[int] = []

        def look(client: Any, batch: Batch, asking: Any) -> None:
            looked.append(batch.pk)
            Batch.objects.filter(pk=batch.pk).update(next_check_at=None)
            if batch.pk == first.pk:
                raise OverflowError("too much")

        monkeypatch.setattr(report_pulls, "check_batch", look)

        rung: list[str] = []
        monkeypatch.setattr(report_pulls.bell, "ring", rung.append)
        with monkeypatch.context() as over:
            over.setattr(report_pulls.turns, "SECONDS", 0)
            report_pulls.pull_due()
        assert (rung, looked) == (["messaging.jobs.pull_reports"], [])

        report_pulls.pull_due()

        assert looked == [first.pk, second.pk]
        assert Trouble.objects.get().problem == "OverflowError: too much"

    def test_a_process_that_is_ended_while_it_asks_leaves_the_batch_to_others(
        self, application: Application, group: ContactGroup, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settled(application, group, ["1"])
        Batch.objects.update(next_check_at=timezone.now() - dt.timedelta(seconds=1))

        def ended(client: Any, batch: Batch, asking: Any) -> None:
            raise SystemExit

        monkeypatch.setattr(report_pulls, "look_for_reports", ended)

        with pytest.raises(SystemExit):
            report_pulls.pull_due()

        assert not report_pulls.anything_due()

    @pytest.mark.parametrize("state", [BatchState.UNKNOWN, BatchState.SETTLED])
    def test_a_list_that_is_silent_is_not_asked_for_each_batch(
        self, application: Application, group: ContactGroup, monkeypatch: pytest.MonkeyPatch, state: BatchState
    ) -> None:
        """Of those whose answers were lost, or whose messages have no id: what each needs is the same list."""
        settled(application, group, ["1"])
        first = Batch.objects.get()
        answers.write_all(Batch.objects.all())
        Message.objects.update(gateway_id=None)
        LedgerEntry.objects.update(left_at=timezone.now() - dt.timedelta(minutes=9))
        for hours in range(3, 9):
            left_at = timezone.now() - dt.timedelta(hours=hours)
            entry = LedgerEntry.objects.create(about_kind="campaign", prepared_at=left_at, left_at=left_at)
            at = 10**9 + hours
            other = Batch.objects.create(
                campaign=first.campaign, first_message_id=at, last_message_id=at, size=1, entry=entry, accepted=1
            )
            Message.objects.create(pk=at, campaign=first.campaign, batch=other, number=f"91980000000{hours}", state=40)
        Batch.objects.update(state=state, next_check_at=timezone.now() - dt.timedelta(seconds=1))
        asked: list[Any] = []

        class Client:
            def sent_record_pages(self, *, start: dt.datetime, end: dt.datetime, **_others: Any) -> Iterator[Any]:
                asked.append((start, end))
                raise OutcomeUnknown("no answer", interface="getSentRcd")
                yield

        monkeypatch.setattr(report_pulls, "laaffic_client", Client)

        report_pulls.pull_due()

        assert not report_pulls.anything_due()
        assert len(asked) <= 9 + 1  # the parts by which a slow one would have answered, and what lies elsewhere once

    def test_a_report_that_cannot_be_applied_costs_the_others_nothing(
        self, application: Application, group: ContactGroup, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        claim = settled(application, group, ["1", "2", "3"])
        real = reports.apply_now

        def apply_now(some: list[DeliveryReport]) -> list[bool]:
            if any(one.msg_id == "2" for one in some):
                raise ValueError("bad")
            return real(some)

        monkeypatch.setattr(reports, "apply_now", apply_now)

        reports.apply_each([report(claim, n, msg_id=str(n + 1)) for n in range(3)])

        states = [message(claim, n).state for n in range(3)]
        assert states == [MessageState.DELIVERED, MessageState.ACCEPTED, MessageState.DELIVERED]

    def test_a_campaign_that_cannot_start_does_not_stop_the_next(
        self, application: Application, group: ContactGroup, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in "ab":
            Campaign.objects.create(
                name=name, application=application, text="x", state="scheduled", scheduled_at=timezone.now()
            )
        started: list[int] = []

        def start(campaign_id: int) -> None:
            started.append(campaign_id)
            if len(started) == 1:
                raise KeyError("gone")

        monkeypatch.setattr(forgotten.starting, "start_scheduled", start)

        forgotten.sweep()

        assert len(started) == 2

    def test_an_application_whose_replies_fail_does_not_stop_the_next(
        self, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = Application.objects.create(app_id="zzz", channel="sms")
        for one in (application, other):
            Campaign.objects.create(name="x", application=one, text="x")
        asked: list[str] = []

        def pull(one: Application, held: Any) -> int:
            asked.append(one.app_id)
            raise ValueError("bad")

        monkeypatch.setattr(reply_pulls, "pull", pull)

        reply_pulls.pull_due()

        assert len(asked) == 2


class CountedOnceTests:
    """A list that breaks off behind its first page is read again in halves: the same rows come twice."""

    ROW = DeliveryReport(
        Source.GET_SENT_RCD, "another's", "14155550123", "theirs", DeliveryState.DELIVERED, "0", "", None
    )

    def test_a_record_that_was_read_twice_is_counted_once(
        self, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[dt.timedelta] = []

        def pages(client: LaafficClient, *, start: dt.datetime, end: dt.datetime, **_more: Any) -> Any:
            asked.append(end - start)
            if len(asked) != 3:
                yield Page([self.ROW], ["bad"], 2, 1, 1)
            if len(asked) == 1:
                raise OutcomeUnknown("no answer within the time limit", interface="getSentRcd")

        monkeypatch.setattr(LaafficClient, "sent_record_pages", pages)
        end = timezone.now()

        sweep = report_pulls._sweep(
            LaafficClient(api_key="k", api_secret="s"),
            application,
            (end - dt.timedelta(hours=2), end),
            ReadingTrouble("getSentRcd"),
        )

        assert (len(asked), sweep.seen, sweep.unreadable) == (3, 1, 1)
