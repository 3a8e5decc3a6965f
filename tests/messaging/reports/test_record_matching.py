"""Unknown messages settled by the vendor's records alone: by number, within the call's own window."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.laaffic import (
    SIGNS_AGAIN_WITHIN,
    DeliveryReport,
    DeliveryState,
    IncompleteList,
    LaafficClient,
    LaafficError,
    NotSent,
    OutcomeUnknown,
    Page,
    Refused,
    SendResult,
)
from laaffic_console.laaffic.codes import Family, lookup
from laaffic_console.laaffic.reports import Source
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Batch, BatchState, Campaign, CampaignState, ContactGroup, Message, MessageState
from messaging.services.campaigns import campaigns, drafts, starting
from messaging.services.figures import proving
from messaging.services.reports import readings, record_matching, report_pulls, reports
from messaging.services.tallies import counting
from tests.messaging.conftest import LoseAnswers, add_contacts

pytestmark = pytest.mark.django_db(transaction=True)


def drafted(application: Application, group: ContactGroup, text: str = "Hello") -> Campaign:
    return drafts.create(name="A", application=application, sender_id="S", text=text, groups=[group])


def launched(application: Application, group: ContactGroup, text: str = "Hello") -> Campaign:
    return starting.launch(drafted(application, group, text).pk)


def look_again() -> None:
    """What the job does when a batch's time has come."""
    Batch.objects.exclude(next_check_at=None).update(next_check_at=timezone.now())
    report_pulls.pull_due()


def unknown_batches(application: Application, n: int) -> list[Batch]:
    """Of one message each, whose answers were lost an hour ago."""
    campaign = Campaign.objects.create(name="A", application=application)
    left_at = NOW - dt.timedelta(hours=1)
    for number in range(n):
        entry = LedgerEntry.objects.create(
            interface="sendSms", about_kind="campaign", about_id=campaign.pk, prepared_at=left_at, left_at=left_at
        )
        batch = Batch.objects.create(
            campaign=campaign, first_message_id=0, last_message_id=0, size=1, unknown=1, state=BatchState.UNKNOWN,
            entry=entry, claimed_at=left_at,
        )  # fmt: skip
        of_it = {"campaign": campaign, "batch": batch, "state": MessageState.UNKNOWN}
        message = Message.objects.create(number=f"49{number}", **of_it)
        Batch.objects.filter(pk=batch.pk).update(first_message_id=message.pk, last_message_id=message.pk)
    return list(record_matching.unknown_batches(application))


class LostAnswerTests:
    def test_accepted_and_the_answer_lost_is_settled_by_number(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        lose_answers: LoseAnswers,
    ) -> None:
        campaign = lose_answers(drafted(application, group), people=30)
        assert counting.state_counts(campaign)["unknown"] == 30

        look_again()

        counts = counting.state_counts(campaign)
        assert counts["unknown"] == 0
        assert counts["delivered"] + counts["undelivered"] == 30
        evidence = set(Message.objects.values_list("evidence", flat=True))
        assert all(said.startswith("settled by getSentRcd by number and time: ") for said in evidence)
        assert sandbox.stats()["accepted"] == 30
        campaign.refresh_from_db()
        assert proving.prove(campaign)["disagreements"] == []
        run_jobs()
        assert campaigns.finish_if_done(campaign.pk)

    @pytest.mark.parametrize("ahead", [3600, -3600])  # seconds
    def test_it_is_looked_for_when_it_left_whatever_the_clock_said(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
        ahead: int,
    ) -> None:
        add_contacts(group, 30)
        sandbox.set_faults(next_fault="reset_after", next_calls=1)
        campaign = launched(application, group)
        now = timezone.now
        with monkeypatch.context() as patch:
            patch.setattr(timezone, "now", lambda: now() + dt.timedelta(seconds=ahead))
            run_jobs()
        entry = LedgerEntry.objects.get(state="unknown")
        assert entry.clock_ahead == pytest.approx(ahead, abs=1)

        start, end = record_matching.window_of(entry.left_at, entry.clock_ahead)
        assert start < timezone.now() < end
        look_again()

        assert counting.state_counts(campaign)["unknown"] == 0

    def test_what_the_gateway_never_saw_stays_unknown_and_says_so(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, lose_answers: LoseAnswers
    ) -> None:
        campaign = lose_answers(drafted(application, group), people=5, fault="bad_gateway_before")
        left_long_ago(minutes=10)

        look_again()

        assert counting.state_counts(campaign)["unknown"] == 5
        assert all(
            record_matching.NOT_IN_RECORDS in said for said in Message.objects.values_list("evidence", flat=True)
        )
        assert sandbox.stats()["accepted"] == 0

    @pytest.mark.parametrize(
        ("hours", "said"),
        [(1, record_matching.NOT_YET_IN_RECORDS), (71, record_matching.NOT_YET_IN_RECORDS), (73, "")],
        ids=["an hour", "nearly the whole window", "past the window"],
    )
    def test_a_phone_that_is_off_is_not_called_missing_while_reports_may_come(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        lose_answers: LoseAnswers,
        hours: int,
        said: str,
    ) -> None:
        lose_answers(drafted(application, group), people=1, fault="bad_gateway_before")
        left_long_ago(minutes=60 * hours)

        look_again()

        expected = said or f"{record_matching.NOT_IN_RECORDS} (asked"
        assert Message.objects.get().evidence.startswith(expected)

    def test_the_last_question_is_one_that_was_put_after_the_window(
        self, application: Application, group: ContactGroup, lose_answers: LoseAnswers, sandbox: RunningSandbox
    ) -> None:
        lose_answers(drafted(application, group), people=1, fault="bad_gateway_before")
        left_long_ago(minutes=60 * 73)
        batch = Batch.objects.get()

        report_pulls.check_again(batch, timezone.now() - dt.timedelta(hours=2))

        assert Batch.objects.get().next_check_at > timezone.now()

    def test_before_the_window_has_passed_nothing_is_said(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, lose_answers: LoseAnswers
    ) -> None:
        lose_answers(drafted(application, group), people=5, fault="bad_gateway_before")

        look_again()

        assert not Message.objects.filter(evidence__contains=record_matching.NOT_IN_RECORDS).exists()
        assert Batch.objects.get().next_check_at > timezone.now()  # it is asked again

    def test_two_that_could_claim_one_record_both_stay_unknown(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        lose_answers: LoseAnswers,
    ) -> None:
        lose_answers(drafted(application, group, "one"), people=3)
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        launched(application, group, "two")
        run_jobs()

        look_again()

        assert Message.objects.filter(state=MessageState.UNKNOWN).count() == 6

    @pytest.mark.parametrize("delivered_after", [30, 3600 * 60], ids=["half a minute", "nearly three days"])
    def test_records_that_tell_the_delivery_are_not_called_missing(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        lose_answers: LoseAnswers,
        delivered_after: int,
    ) -> None:
        """Long after the request, it may be the message's own record or another's: a person looks at it."""
        sandbox.sandbox.options.record_time = "delivered"
        lose_answers(drafted(application, group), people=3)
        left_long_ago(minutes=60 * 73)
        sandbox.sandbox.options.delivery_delay = (delivered_after, delivered_after)
        for submission in {id(m.submission): m.submission for m in sandbox.sandbox.store.messages}.values():
            submission.accepted_at -= 3600 * 73

        look_again()

        said = set(Message.objects.values_list("state", "evidence"))
        if delivered_after < 60:
            assert {state for state, _ in said} <= {MessageState.DELIVERED, MessageState.UNDELIVERED}
        else:
            assert {state for state, _ in said} == {MessageState.UNKNOWN}
            assert all(evidence.startswith(record_matching.MAYBE_IN_RECORDS) for _, evidence in said)

    def test_it_is_not_called_missing_by_records_that_were_not_read_until_now(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, lose_answers: LoseAnswers
    ) -> None:
        lose_answers(drafted(application, group), people=1, fault="bad_gateway_before")
        left_long_ago(minutes=60 * 10)
        now = timezone.now()

        report_pulls.reconcile(application, now - dt.timedelta(hours=11), now - dt.timedelta(hours=5))
        assert record_matching.NOT_IN_RECORDS not in Message.objects.get().evidence

        report_pulls.reconcile(application, now - dt.timedelta(hours=11), now)
        assert record_matching.NOT_IN_RECORDS in Message.objects.get().evidence

    def test_small_pages_of_records_are_all_read(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, lose_answers: LoseAnswers
    ) -> None:
        sandbox.sandbox.options.record_page = 2
        lose_answers(drafted(application, group), people=9)

        look_again()

        assert set(Message.objects.values_list("state", flat=True)) <= {
            MessageState.DELIVERED,
            MessageState.UNDELIVERED,
        }

    @pytest.mark.parametrize("broken", [IncompleteList("only 2 of 9 rows came", interface="getSentRcd"), None])
    def test_what_was_not_read_whole_says_nothing_about_what_is_missing(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        lose_answers: LoseAnswers,
        monkeypatch: pytest.MonkeyPatch,
        broken: Exception | None,
    ) -> None:
        def pages(*args: object, **kwargs: object) -> Iterator[Page[DeliveryReport]]:
            yield Page([], [] if broken else ["without msgId or status"], None, None, 0)
            if broken:
                raise broken

        lose_answers(drafted(application, group), people=5, fault="bad_gateway_before")
        left_long_ago(minutes=10)
        monkeypatch.setattr(LaafficClient, "sent_record_pages", pages)

        look_again()

        assert not Message.objects.filter(evidence__contains=record_matching.NOT_IN_RECORDS).exists()
        assert Batch.objects.get().next_check_at > timezone.now()

    @pytest.mark.parametrize(("longest", "asked"), [(dt.timedelta(hours=6), 7), (dt.timedelta(0), 9)])
    def test_a_window_that_has_no_answer_is_asked_for_in_halves(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
        longest: dt.timedelta,
        asked: int,
    ) -> None:
        """A whole day of records takes some gateways longer than an answer may; one that hangs is asked a few times."""
        windows = []
        really = LaafficClient.sent_record_pages

        def pages(client: LaafficClient, **given: Any) -> Iterator[Page[DeliveryReport]]:
            windows.append((given["start"], given["end"]))
            if given["end"] - given["start"] > longest:
                raise OutcomeUnknown("no answer within the time limit", interface="getSentRcd")
            yield from really(client, **given)

        add_contacts(group, 5)
        launched(application, group)
        run_jobs()
        monkeypatch.setattr(LaafficClient, "sent_record_pages", pages)
        start, end = timezone.now() - dt.timedelta(hours=23), timezone.now() + dt.timedelta(hours=1)

        if longest:
            assert report_pulls.reconcile(application, start, end) == 5
            whole = [window for window in windows if window[1] - window[0] <= longest]
            assert [stop for _begin, stop in whole[:-1]] == [begin for begin, _stop in whole[1:]]
            assert Message.objects.filter(state=MessageState.ACCEPTED).count() == 0
        else:
            with pytest.raises(OutcomeUnknown):
                report_pulls.reconcile(application, start, end)
        assert len(windows) == asked

    def test_one_broken_window_hides_nothing_of_the_others(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        earlier, later = two_lost(sandbox, application, group, run_jobs, hours_between=5)
        asked = only_broken_before(monkeypatch, later.left_at - dt.timedelta(hours=1))

        look_again()

        assert Message.objects.get(batch__entry=later).state in (MessageState.DELIVERED, MessageState.UNDELIVERED)
        unread = Message.objects.get(batch__entry=earlier)
        assert unread.state == MessageState.UNKNOWN
        assert record_matching.NOT_IN_RECORDS not in unread.evidence
        assert len(asked) == 2
        assert Batch.objects.get(entry=earlier).next_check_at > timezone.now()

    def test_a_broken_day_hides_nothing_of_the_others(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        earlier, later = two_lost(sandbox, application, group, run_jobs, hours_between=30)
        only_broken_before(monkeypatch, later.left_at - dt.timedelta(hours=10))

        with pytest.raises(IncompleteList):
            report_pulls.reconcile(application, earlier.left_at - dt.timedelta(hours=1), timezone.now())

        assert Message.objects.get(batch__entry=later).state in (MessageState.DELIVERED, MessageState.UNDELIVERED)
        unread = Message.objects.get(batch__entry=earlier)
        assert unread.state == MessageState.UNKNOWN
        assert record_matching.NOT_IN_RECORDS not in unread.evidence

    @pytest.mark.parametrize(
        ("trouble", "requests"),
        [
            (NotSent("the connection was refused", interface="getSentRcd"), 1),
            (Refused(interface="getSentRcd", entry=lookup(Family.SMS, "-15"), reason="", http_status=200), 1),
            (OutcomeUnknown("no answer within the time limit", interface="getSentRcd"), 2),
            (IncompleteList("only 1 of 2 rows came", interface="getSentRcd"), 4),
        ],
        ids=["not reached", "asked too often", "silent", "each broken"],
    )
    def test_a_gateway_that_is_away_is_not_asked_for_every_window(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
        trouble: LaafficError,
        requests: int,
    ) -> None:
        lost(sandbox, application, group, run_jobs, times=4)
        for hours, entry in enumerate(LedgerEntry.objects.order_by("pk")):
            LedgerEntry.objects.filter(pk=entry.pk).update(left_at=NOW - dt.timedelta(hours=1 + hours))
        asked: set[object] = set()

        def pages(*args: object, **given: object) -> Iterator[Page[DeliveryReport]]:
            asked.add(given["start"])
            raise trouble

        monkeypatch.setattr(LaafficClient, "sent_record_pages", pages)
        monkeypatch.setattr(readings, "HALVINGS", 0)
        batch: Any = record_matching.unknown_batches(application).select_related("campaign__application").first()

        with pytest.raises(type(trouble)):
            report_pulls.look_in_records(LaafficClient(api_key="k", api_secret="s"), batch)

        assert len(asked) == requests
        own = record_matching.window_of_call(batch.entry)
        assert own is not None
        assert own[0] in asked

    def test_a_record_that_may_be_anothers_is_not_called_missing(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, lose_answers: LoseAnswers
    ) -> None:
        lose_answers(drafted(application, group), people=2, fault="bad_gateway_before")
        left_long_ago(minutes=10)
        first, second = Message.objects.order_by("pk")
        long = dt.timedelta(days=1)
        sweep = record_matching.Sweep(NOW - long, NOW + long, seen=1, undecided=frozenset({first.pk, -1}))

        record_matching.say_not_found(Batch.objects.get(), timezone.now(), [sweep])

        first.refresh_from_db()
        second.refresh_from_db()
        assert first.evidence.startswith(record_matching.MAYBE_IN_RECORDS)
        assert second.evidence.startswith(record_matching.NOT_IN_RECORDS)

    @pytest.mark.parametrize("n", [5, 50])
    def test_where_nothing_was_read_nobody_is_asked_or_locked(self, application: Application, n: int) -> None:
        batches = unknown_batches(application, n)
        asked_at = timezone.now()
        window = record_matching.window_of(NOW - dt.timedelta(hours=1))
        unread = record_matching.Sweep(*window, seen=0, unread=[window])

        with CaptureQueriesContext(connection) as asked:
            for batch in batches:
                record_matching.say_not_found(batch, asked_at, [unread])

        assert len(asked) == 0

    def test_who_was_sent_again_meanwhile_is_not_called_missing(self, application: Application) -> None:
        """Under the lock it is looked at as it is now."""
        (batch,) = unknown_batches(application, 1)
        message = Message.objects.get()
        whole = record_matching.Sweep(
            *record_matching.window_of(NOW - dt.timedelta(hours=1))[:1], timezone.now(), seen=1
        )
        Batch.objects.update(state=BatchState.CLAIMED)

        said = [record_matching.say_not_found(batch, timezone.now(), [whole])]
        Batch.objects.update(state=BatchState.UNKNOWN)
        said += [record_matching.say_not_found(batch, timezone.now(), [whole])]

        message.refresh_from_db()
        assert said == [0, 1]
        assert message.evidence.startswith(record_matching.NOT_IN_RECORDS)

    def test_a_reading_that_began_after_a_call_left_or_ended_before_says_nothing_about_it(self) -> None:
        window = record_matching.window_of(NOW)
        whole = record_matching.Sweep(*window, seen=1)

        assert whole.covers(window)
        assert not replace(whole, start=NOW).covers(window)
        assert not replace(whole, end=NOW).covers(window)
        assert not replace(whole, unreadable=1).covers(window)

    def test_past_the_window_it_waits_for_a_person(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, lose_answers: LoseAnswers
    ) -> None:
        campaign = lose_answers(drafted(application, group), people=2, fault="bad_gateway_before")
        left_long_ago(minutes=60 * 24 * 4)

        look_again()

        assert Batch.objects.get().next_check_at is None
        assert Message.objects.filter(state=MessageState.UNKNOWN).count() == 2
        assert not campaigns.finish_if_done(campaign.pk)
        assert Batch.objects.get().state == BatchState.UNKNOWN
        assert Campaign.objects.get().state == CampaignState.RUNNING


class WithoutIdTests:
    """Accepted, and the answer told no id that could be asked for (laaffic-api#sendsms)."""

    @pytest.fixture
    def ids_told(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """How many of the ids each answer tells."""
        told = [0]
        really = LaafficClient.send_sms

        def send(client: LaafficClient, **given: Any) -> SendResult:
            result = really(client, **given)
            ids = [msg_id if n < told[0] else None for n, msg_id in enumerate(result.msg_ids)]
            return SendResult(ids, [n for n, msg_id in enumerate(ids) if msg_id is None], len(ids), 0)

        monkeypatch.setattr(LaafficClient, "send_sms", send)
        return told

    def test_who_may_have_another_record_after_what_is_read_gets_none(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A look for an accepted message reads its own window, and a lost one that left a minute later has more."""
        lost(sandbox, application, group, run_jobs, times=2)
        first, second = Message.objects.order_by("pk")
        Message.objects.filter(pk=first.pk).update(state=MessageState.ACCEPTED)
        Batch.objects.filter(pk=first.batch_id).update(state=BatchState.SETTLED, accepted=1, unknown=0)
        windows = []
        for message, minutes in ((first, 61), (second, 60)):
            left_at = NOW - dt.timedelta(minutes=minutes)
            LedgerEntry.objects.filter(pk=message.batch.entry_id).update(left_at=left_at)
            windows.append(record_matching.window_of(left_at))
        found = [record(str(n), second.number, window[1]) for n, window in enumerate(windows, start=501)]

        def pages(client: LaafficClient, **given: Any) -> Iterator[Page[DeliveryReport]]:
            read = [each for each in found if each.at and given["start"] <= each.at <= given["end"]]
            yield Page(read, [], None, None, len(read))

        monkeypatch.setattr(LaafficClient, "sent_record_pages", pages)
        for batch_id in (first.batch_id, second.batch_id):
            batch = Batch.objects.select_related("campaign__application", "entry").get(pk=batch_id)
            report_pulls.look_in_records(LaafficClient(api_key="k", api_secret="s"), batch)

            second.refresh_from_db()
            assert (second.state, second.gateway_id) == (MessageState.UNKNOWN, None)

        found.pop()  # what is read whole, and holds one
        report_pulls.look_in_records(LaafficClient(api_key="k", api_secret="s"), batch)
        second.refresh_from_db()
        assert (second.state, second.gateway_id) == (MessageState.DELIVERED, "501")

    @pytest.mark.parametrize("told", [0, 1])
    def test_its_records_say_what_became_of_it(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        ids_told: list[int],
        told: int,
    ) -> None:
        ids_told[0] = told
        add_contacts(group, 3)
        campaign = launched(application, group)
        run_jobs()
        assert Message.objects.filter(gateway_id=None).count() == 3 - told

        look_again()

        counts = counting.state_counts(campaign)
        assert counts["delivered"] + counts["undelivered"] == 3
        assert not Message.objects.filter(gateway_id=None).exists()
        campaign.refresh_from_db()
        assert proving.prove(campaign)["disagreements"] == []

    def test_one_reading_answers_for_all_that_are_due(
        self,
        sandbox: RunningSandbox,
        application: Application,
        run_jobs: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
        ids_told: list[int],
    ) -> None:
        for n in range(3):
            each = ContactGroup.objects.create(name=f"group {n}")
            add_contacts(each, 1, first=919876500000 + n)
            launched(application, each, f"text {n}")
        run_jobs()
        asked: list[object] = []

        def pages(*_given: object, **given: object) -> Iterator[Page[DeliveryReport]]:
            asked.append(given["start"])
            return iter([])

        monkeypatch.setattr(LaafficClient, "sent_record_pages", pages)

        look_again()

        assert len(asked) == 1
        assert not Batch.objects.filter(next_check_at__lte=timezone.now()).exists()


class OtherSystemTests:
    """Somebody else sends with the same application; ours were lost before they arrived."""

    @pytest.fixture
    def lost(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, lose_answers: LoseAnswers
    ) -> Message:
        lose_answers(drafted(application, group), people=1, fault="bad_gateway_before")
        return Message.objects.get()

    @pytest.mark.parametrize(
        "other",
        [
            {"order_id": "shop-17"},
            {"order_id": "lcx-17", "number": ""},
            {"number": "919812345678"},
            {"number": "4915123456789"},
        ],
        ids=["another's order id", "another's order id alone", "to a stranger", "to a stranger abroad"],
    )
    def test_its_records_settle_nothing_of_ours(
        self, application: Application, lost: Message, other: dict[str, str]
    ) -> None:
        anonymous = record("77", lost.number, timezone.now())
        others = anonymous._replace(**{"msg_id": "78", **other})

        maybe = swept(application, [anonymous, others])

        lost.refresh_from_db()
        assert (lost.state, lost.gateway_id, maybe) == (MessageState.UNKNOWN, None, {lost.pk})

    def test_one_that_is_alone_in_its_minutes_settles_nothing_after_another_was_seen(
        self, application: Application, lost: Message
    ) -> None:
        swept(application, [record("78", "919812345678", timezone.now())])

        maybe = swept(application, [record("77", lost.number, timezone.now())])

        lost.refresh_from_db()
        assert (lost.state, maybe) == (MessageState.UNKNOWN, {lost.pk})

    def test_its_order_id_alone_in_its_minutes_settles_nothing(self, application: Application, lost: Message) -> None:
        swept(application, [record("77", lost.number, timezone.now())._replace(order_id="shop-17")])

        lost.refresh_from_db()
        assert lost.state == MessageState.UNKNOWN

    def test_ours_is_settled_by_its_order_id_all_the_same(self, application: Application, lost: Message) -> None:
        ours = record("77", lost.number, timezone.now())._replace(order_id=f"lc-{lost.pk}")

        swept(application, [record("78", "919812345678", timezone.now()), ours])

        lost.refresh_from_db()
        assert (lost.state, lost.gateway_id) == (MessageState.DELIVERED, "77")

    def test_a_record_in_another_spelling_is_the_messages(self, application: Application, lost: Message) -> None:
        Message.objects.filter(pk=lost.pk).update(number="525512345678")

        maybe = swept(application, [record("77", "5215512345678", timezone.now())])

        lost.refresh_from_db()
        assert (lost.state, lost.gateway_id, maybe) == (MessageState.DELIVERED, "77", frozenset())
        assert lost.evidence == "settled by getSentRcd by number and time: 77"
        assert Application.objects.get(pk=application.pk).others_seen_at is None

    @pytest.mark.parametrize("number", ["", "9876500000", "0", "12"])
    def test_a_number_that_is_not_whole_is_no_sign_of_another(
        self, application: Application, lost: Message, number: str
    ) -> None:
        swept(application, [record("78", number, timezone.now()), record("77", lost.number, timezone.now())])

        lost.refresh_from_db()
        assert lost.state == MessageState.DELIVERED

    @pytest.mark.parametrize(
        ("written", "says"),
        [
            ("{national}", record_matching.MAYBE_IN_RECORDS),
            ("0{national}", record_matching.MAYBE_IN_RECORDS),
            ("91****{last}", None),
            ("", None),
            ("{last}", record_matching.NOT_IN_RECORDS),
            ("9876512345", record_matching.NOT_IN_RECORDS),
        ],
        ids=["national", "with its zero", "masked", "none", "too short to be one", "somebody else's"],
    )
    def test_who_may_have_a_record_in_another_writing_is_not_called_missing(
        self, application: Application, lost: Message, monkeypatch: pytest.MonkeyPatch, written: str, says: str | None
    ) -> None:
        left_long_ago(minutes=10)
        number = written.format(national=lost.number[2:], last=lost.number[-4:])
        page = Page([record("78", number, timezone.now() - dt.timedelta(minutes=10))], [], 1, None, 0)
        monkeypatch.setattr(LaafficClient, "sent_record_pages", lambda *_given, **_more: iter([page]))
        before = lost.evidence

        report_pulls.reconcile(application, timezone.now() - dt.timedelta(hours=1), timezone.now())

        lost.refresh_from_db()
        assert lost.state == MessageState.UNKNOWN
        assert lost.evidence == before if says is None else lost.evidence.startswith(says)


def lost(
    sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int], times: int
) -> None:
    """So many requests of a message each, accepted by the gateway, whose answers were lost."""
    for n in range(times):
        each = ContactGroup.objects.create(name=f"{group} {n}")
        add_contacts(each, 1, first=919876500000 + n)
        sandbox.set_faults(next_fault="reset_after", next_calls=1)
        launched(application, each, f"text {n}")
        run_jobs()


def two_lost(
    sandbox: RunningSandbox,
    application: Application,
    group: ContactGroup,
    run_jobs: Callable[[], int],
    hours_between: int,
) -> list[LedgerEntry]:
    lost(sandbox, application, group, run_jobs, times=2)
    first = LedgerEntry.objects.order_by("pk")[0]
    LedgerEntry.objects.filter(pk=first.pk).update(left_at=first.left_at - dt.timedelta(hours=hours_between))
    return list(LedgerEntry.objects.order_by("pk"))


def only_broken_before(monkeypatch: pytest.MonkeyPatch, moment: dt.datetime) -> list[object]:
    """Windows that begin before this moment break off; the beginnings of those that were asked for."""
    asked: list[object] = []
    really = LaafficClient.sent_record_pages

    def pages(client: LaafficClient, **given: Any) -> Iterator[Page[DeliveryReport]]:
        asked.append(given["start"])
        if given["start"] < moment:
            raise IncompleteList("only 1 of 2 rows came", interface="getSentRcd")
        yield from really(client, **given)

    monkeypatch.setattr(LaafficClient, "sent_record_pages", pages)
    return asked


def swept(application: Application, records: list[DeliveryReport]) -> frozenset[int]:
    """As one reading of the vendor's records takes them; who may have one of them."""
    strays = record_matching.Strays(application)
    known = reports.apply_each(records)
    strays.add([record for record, is_known in zip(records, known, strict=True) if not is_known])
    strays.settle((NOW - dt.timedelta(days=90), NOW + dt.timedelta(days=1)))
    return strays.undecided


def left_long_ago(*, minutes: int) -> None:
    then = timezone.now() - dt.timedelta(minutes=minutes)
    LedgerEntry.objects.update(left_at=then)
    Batch.objects.update(claimed_at=then)


NOW = timezone.now()
USUAL, OLD = "525512345678", "5215512345678"


def record(msg_id: str = "1", number: str = "911", at: dt.datetime = NOW) -> DeliveryReport:
    return DeliveryReport(
        source=Source.GET_SENT_RCD,
        msg_id=msg_id,
        number=number,
        order_id="",
        state=DeliveryState.DELIVERED,
        raw_status="0",
        reason="",
        at=at,
    )


def claimant(**changes: Any) -> Any:
    given: dict[str, Any] = {"pk": 7, "number": "911", "attempt": 1, "state": 20, "batch_id": 1, "left_at": NOW}
    return record_matching._Claimant(**{**given, **changes})


class PairTests:
    def test_one_record_and_one_message(self) -> None:
        assert [(r.msg_id, c.pk) for r, c in record_matching.pairs([record()], [claimant()])] == [("1", 7)]

    @pytest.mark.parametrize(
        ("records", "claimants"),
        [
            ([record(), record("2")], [claimant()]),
            ([record(number=OLD), record("2", USUAL)], [claimant(number=USUAL)]),
            ([record(number=OLD)], [claimant(number=USUAL), claimant(pk=8, number=OLD)]),
            ([record()], [claimant(), claimant(pk=8)]),
            ([record(number="912")], [claimant()]),
            ([record(at=NOW + dt.timedelta(hours=1))], [claimant()]),
            ([record(at=NOW - dt.timedelta(hours=1))], [claimant()]),
            ([record()], [claimant(state=MessageState.QUEUED)]),
            ([record()], [claimant(), claimant(pk=8, state=MessageState.QUEUED)]),
            ([record()], [claimant(), claimant(pk=8, left_at=NOW - dt.timedelta(hours=9))]),
            ([record()], [claimant(), claimant(pk=8, left_at=NOW - dt.timedelta(hours=9), state=MessageState.QUEUED)]),
        ],
        ids=[
            "two records",
            "two records in two spellings",
            "two messages in two spellings",
            "two messages",
            "another number",
            "long after",
            "long before",
            "its answer is awaited",
            "another's answer is awaited",
            "an earlier one may have been delivered late",
            "an earlier one whose answer is awaited",
        ],
    )
    def test_no_pair(self, records: list[DeliveryReport], claimants: list[Any]) -> None:
        assert record_matching.pairs(records, claimants) == []

    def test_an_earlier_one_that_has_its_own_claims_no_later_record(self) -> None:
        then = NOW - dt.timedelta(hours=9)
        records, claimants = [record(), record("2", at=then)], [claimant(), claimant(pk=8, left_at=then)]

        assert [(r.msg_id, c.pk) for r, c in record_matching.pairs(records, claimants)] == [("2", 8), ("1", 7)]

    def test_one_from_long_ago_claims_nothing_any_more(self) -> None:
        long_ago = claimant(pk=8, left_at=NOW - record_matching.REPORTS_COME_FOR - dt.timedelta(hours=1))

        assert [c.pk for _r, c in record_matching.pairs([record()], [claimant(), long_ago])] == [7]

    @pytest.mark.parametrize(
        ("records", "claimants", "maybe"),
        [
            ([record(), record("2")], [claimant()], {7}),
            ([record()], [claimant(), claimant(pk=8)], {7, 8}),
            ([record(number=OLD)], [claimant(number=USUAL), claimant(pk=8, number=OLD)], {7, 8}),
            ([record()._replace(at=None)], [claimant()], {7}),
            ([record()], [claimant()], set()),
            ([record(number="912")], [claimant()], set()),
            ([record(at=NOW + dt.timedelta(hours=1))], [claimant()], {7}),
            ([record(at=NOW + dt.timedelta(days=9))], [claimant()], {7}),
            ([record(at=NOW - dt.timedelta(hours=1))], [claimant()], set()),
        ],
        ids=[
            "two records",
            "two messages",
            "in two spellings",
            "without a time",
            "settled",
            "another number",
            "long after",
            "days after",
            "before it left",
        ],
    )
    def test_who_may_have_a_record_that_settled_nobody(
        self, records: list[DeliveryReport], claimants: list[Any], maybe: set[int]
    ) -> None:
        matched = record_matching.pairs(records, claimants)

        assert record_matching.undecided(records, claimants, matched) == maybe

    def test_windows_that_touch_become_one(self) -> None:
        batches = [
            Batch(pk=n, entry=LedgerEntry(left_at=NOW + dt.timedelta(seconds=second)))
            for n, second in enumerate([0, 30, 7200])
        ]

        first, second = record_matching.windows_of(batches)

        assert first[0] == NOW - record_matching.CLOCKS_DIFFER_BY
        assert first[1] > NOW + dt.timedelta(seconds=30)
        assert second[0] == NOW + dt.timedelta(seconds=7200) - record_matching.CLOCKS_DIFFER_BY


def test_a_request_that_is_signed_again_leaves_within_its_window() -> None:
    connect, read = settings.LAAFFIC_TIMEOUTS
    left_at = NOW
    first_refused = left_at + ledger.LEAVES_WITHIN + dt.timedelta(seconds=SIGNS_AGAIN_WITHIN)

    _start, end = record_matching.window_of(left_at)

    assert end - record_matching.CLOCKS_DIFFER_BY >= first_refused + dt.timedelta(seconds=connect + read)
