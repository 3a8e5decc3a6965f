"""TTS messages on the one way out, against the sandbox over real HTTP."""

import datetime as dt
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.utils import timezone

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry, OrphanReport
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.inbox import inbox
from laaffic_console.laaffic import LaafficClient, OutcomeUnknown, Source, Spoken, call_records
from laaffic_console.laaffic.pages import Page
from laaffic_console.laaffic.voice import VoiceApi
from laaffic_console.sandbox.options import Options
from laaffic_console.sandbox.testing import RunningSandbox, running_sandbox
from messaging.models import Batch, BatchState, Campaign, CampaignState, ContactGroup, Message, MessageState
from messaging.services.batches import answers
from messaging.services.campaigns import campaigns, drafts, starting
from messaging.services.figures import proving
from messaging.services.reports import record_matching, report_pulls
from messaging.services.reports.readings import Trouble
from messaging.services.reports.record_matching import NOT_IN_RECORDS
from messaging.services.tallies import counting
from tests.messaging.conftest import LoseAnswers, add_contacts, group, lose_answers, point_at, run_jobs
from voice.services.records import call_records as kept_records
from voice.services.records import pushes
from voice.services.spoken.channel import apply_records
from voice.services.spoken.options import TtsOptions, call_lasts

__all__ = ["group", "lose_answers", "run_jobs"]  # fixtures that are shared with messaging

pytestmark = pytest.mark.django_db(transaction=True)

RECIPIENTS = 12


@pytest.fixture
def sandbox(settings: LazySettings) -> Iterator[RunningSandbox]:
    with running_sandbox(Options(ring_seconds=(0.0, 0.01), talk_seconds=(0.0, 0.01))) as running:
        point_at(settings, running)
        yield running
        account.laaffic_client.cache_clear()


@pytest.fixture
def application(db: None) -> Application:
    return Application.objects.create(app_id="voiceApp", channel="voice", connections=4)


def draft(application: Application, group: ContactGroup, **given: Any) -> Campaign:
    options = TtsOptions(Spoken(text="", **given), "861000000")
    return drafts.create(
        name="A",
        application=application,
        sender_id="",
        text="Hello {{name|you}}",
        groups=[group],
        channel="voice",
        channel_options=options.as_json(),
    )


def left_before(ago: dt.timedelta) -> None:
    LedgerEntry.objects.update(left_at=timezone.now() - ago)


def look_again() -> None:
    Batch.objects.exclude(next_check_at=None).update(next_check_at=timezone.now())
    report_pulls.pull_due()


class TtsCampaignTests:
    def test_everybody_is_called_once_and_the_records_tell_the_ends(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, RECIPIENTS, name="Ann")
        campaign = draft(application, group, language="EN", accent="91", loop_count=2)
        starting.launch(campaign.pk)
        run_jobs()
        assert counting.state_counts(campaign)["accepted"] == RECIPIENTS

        look_again()

        campaign.refresh_from_db()
        counts = counting.state_counts(campaign)
        calls = ended_calls(sandbox)
        heard = sum(call["callStatus"] in (40, 50) for call in calls)
        assert campaign.state == CampaignState.FINISHED
        assert len(calls) == RECIPIENTS == len({call["callee"] for call in calls})
        assert (counts["delivered"], counts["undelivered"]) == (heard, RECIPIENTS - heard)
        assert proving.prove(campaign)["disagreements"] == []
        assert counting.costs(campaign)["USD"] > 0

    def test_a_number_that_cannot_be_called_is_rejected_alone(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        contacts = add_contacts(group, RECIPIENTS)
        sandbox.set_faults(abnormal=[contacts[0].number, contacts[5].number])
        campaign = draft(application, group)

        starting.launch(campaign.pk)
        run_jobs()

        counts = counting.state_counts(campaign)
        assert (counts["rejected"], counts["queued"], len(ended_calls(sandbox))) == (2, 0, RECIPIENTS - 2)
        assert set(Message.objects.filter(state=MessageState.REJECTED).values_list("number", flat=True)) == {
            contacts[0].number,
            contacts[5].number,
        }
        assert Campaign.objects.get().state != CampaignState.HELD

    def test_what_is_said_of_every_number_is_not_about_the_numbers(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("messaging.services.batches.error_limit.ALL_ALIKE", 3)
        add_contacts(group, RECIPIENTS)
        sandbox.set_faults(status="-22", status_calls=1000)
        campaign = draft(application, group)

        starting.launch(campaign.pk)
        run_jobs()

        campaign.refresh_from_db()
        assert campaign.state == CampaignState.HELD
        assert "-22" in campaign.hold_reason
        assert counting.state_counts(campaign)["queued"] >= RECIPIENTS // 3

    @pytest.mark.parametrize("fault", ["reset_after", "bad_gateway_after", "half_json", "html"])
    def test_an_answer_that_was_lost_is_settled_by_our_mark_and_nobody_is_called_twice(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        lose_answers: LoseAnswers,
        fault: str,
        settings: LazySettings,
    ) -> None:
        settings.LAAFFIC_LOST_ANSWERS = 0  # six in a row would hold the campaign
        campaign = lose_answers(draft(application, group), people=RECIPIENTS, fault=fault, calls=RECIPIENTS // 2)
        assert counting.state_counts(campaign)["unknown"] == RECIPIENTS // 2
        assert LedgerEntry.objects.filter(state=EntryState.UNKNOWN).count() == RECIPIENTS // 2

        look_again()
        run_jobs()

        counts = counting.state_counts(campaign)
        assert counts["unknown"] == 0
        assert counts["delivered"] + counts["undelivered"] == RECIPIENTS
        assert len(ended_calls(sandbox)) == RECIPIENTS
        assert Message.objects.filter(evidence__startswith="settled by voice record: ").count() == RECIPIENTS // 2
        campaign.refresh_from_db()
        assert proving.prove(campaign)["disagreements"] == []

    def test_what_never_arrived_stays_unknown(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, lose_answers: LoseAnswers
    ) -> None:
        campaign = lose_answers(draft(application, group), people=3, fault="bad_gateway_before", calls=3)

        look_again()

        assert set(Message.objects.values_list("state", flat=True)) == {MessageState.UNKNOWN}
        assert ended_calls(sandbox) == []
        assert not campaigns.finish_if_done(campaign.pk)

    def test_it_is_said_not_to_be_in_the_records_when_its_call_must_have_ended(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, lose_answers: LoseAnswers
    ) -> None:
        lose_answers(
            draft(application, group, max_ringing_time=20, max_duration=10), people=1, fault="bad_gateway_before"
        )
        grace = record_matching.window_of(timezone.now())[1] - timezone.now()

        left_before(grace + dt.timedelta(seconds=25))
        look_again()
        assert NOT_IN_RECORDS not in Message.objects.get().evidence

        left_before(grace + dt.timedelta(seconds=35))
        look_again()
        assert NOT_IN_RECORDS in Message.objects.get().evidence
        assert Message.objects.get().state == MessageState.UNKNOWN

    @pytest.mark.parametrize(
        ("written", "says"),
        [
            ("{whole}", record_matching.MAYBE_IN_RECORDS),
            ("0{national}", record_matching.MAYBE_IN_RECORDS),
            ("91****{last}", ""),
            ("", ""),
            ("919812345678", NOT_IN_RECORDS),
        ],
        ids=["whole", "national", "masked", "none", "somebody else's"],
    )
    def test_a_record_without_our_mark_may_be_theirs_however_the_number_is_written(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        lose_answers: LoseAnswers,
        monkeypatch: pytest.MonkeyPatch,
        written: str,
        says: str,
    ) -> None:
        lose_answers(
            draft(application, group, max_ringing_time=20, max_duration=10), people=1, fault="bad_gateway_before"
        )
        left_before(dt.timedelta(minutes=10))
        number = Message.objects.get().number
        callee = written.format(whole=number, national=number[2:], last=number[-4:])
        page = Page([call_records.from_row({"voiceId": "elsewhere", "callee": callee})], [], 1, None, 0)
        monkeypatch.setattr(VoiceApi, "group_records", lambda *_given, **_more: page)

        look_again()

        message = Message.objects.get()
        assert message.state == MessageState.UNKNOWN
        assert says in message.evidence
        assert says or "records" not in message.evidence

    @pytest.mark.parametrize("is_lost", [False, True])
    def test_whose_a_record_without_our_mark_is_matters_only_while_an_answer_is_missing(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        lose_answers: LoseAnswers,
        monkeypatch: pytest.MonkeyPatch,
        is_lost: bool,
    ) -> None:
        lose_answers(draft(application, group), people=1, fault="bad_gateway_before", calls=int(is_lost))
        page = Page([call_records.from_row({"voiceId": "elsewhere", "callee": "919812345678"})], [], 1, None, 0)
        monkeypatch.setattr(VoiceApi, "group_records", lambda *_given, **_more: page)
        asked: list[set[str]] = []

        def not_whole(numbers: set[str]) -> tuple[set[str], set[str]]:
            asked.append(numbers)
            return set(), set()

        monkeypatch.setattr(record_matching, "not_whole", not_whole)

        look_again()

        assert asked == [{"919812345678"}] * is_lost

    @pytest.mark.parametrize("lost", [False, True], ids=["answered", "answer lost"])
    @pytest.mark.parametrize("is_copied", [False, True], ids=["asked for", "copied"])
    def test_while_laaffic_may_ring_again_nobody_was_missed(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        lose_answers: LoseAnswers,
        monkeypatch: pytest.MonkeyPatch,
        is_copied: bool,
        lost: bool,
    ) -> None:
        campaign = lose_answers(
            draft(application, group, recall_count=1, recall_interval=5),
            people=1,
            fault="bad_gateway_after",
            calls=int(lost),
        )
        message = Message.objects.get()
        mark = {"calledInfo": f"lc-{message.pk}", "callee": message.number}
        first = {**mark, "voiceId": "1", "terminationCode": "486", "cost": "0", "callTime": "1767225600000"}
        second = {**mark, "voiceId": "2", "terminationCode": "0", "cost": "0.05", "callTime": "1767225900000"}

        def read(*rows: dict[str, str]) -> int:
            records = [call_records.from_row(row) for row in rows]
            page = Page(records, [], len(records), None, 0)
            monkeypatch.setattr(VoiceApi, "group_records", lambda *_given, **_more: page)
            if is_copied:
                kept_records.take_each(records, Source.VOICE_RECORD)
            else:
                look_again()
            message.refresh_from_db()
            return message.state

        assert read(first) == MessageState.ACCEPTED
        if lost:  # its own record proves that the request arrived
            assert message.evidence.startswith("settled by voice record")
        assert read(first, second) == MessageState.DELIVERED
        assert message.pay_micros == 50_000

        Message.objects.update(state=MessageState.ACCEPTED, pay_micros=None, gateway_id=None)
        Batch.objects.update(state=BatchState.SETTLED, accepted=1, delivered=0, next_check_at=timezone.now())
        left_before(call_lasts(campaign))
        assert read(first) == MessageState.UNDELIVERED

    @pytest.mark.parametrize("way", ["pushed", "asked for", "copied"])
    def test_a_call_whose_record_lacks_our_mark_is_found_by_its_own_id(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
        way: str,
    ) -> None:
        add_contacts(group, 2)
        campaign = draft(application, group)
        starting.launch(campaign.pk)
        run_jobs()
        answers.write_all(Batch.objects.all())
        rows: list[dict[str, Any]] = [
            {"voiceId": one.gateway_id, "callee": one.number, "terminationCode": code, "callTime": "1767225600000"}
            for one, code in zip(Message.objects.order_by("pk"), ["0", "486"], strict=True)
        ]
        records = [call_records.from_row(row) for row in [*rows, {"voiceId": "elsewhere", "callee": "14155550123"}]]

        if way == "pushed":
            for row in rows:
                inbox.store(kind="voice-report", body=json.dumps(row | {"type": 2}), source=None)
            pushes.INBOX.apply_some()
        elif way == "copied":
            kept_records.take_each(records, Source.VOICE_RECORD)
        else:
            page = Page(records, [], len(records), None, 0)
            monkeypatch.setattr(VoiceApi, "group_records", lambda *_given, **_more: page)
            look_again()

        states = list(Message.objects.order_by("pk").values_list("state", flat=True))
        assert states == [MessageState.DELIVERED, MessageState.UNDELIVERED]
        assert proving.prove(campaign)["disagreements"] == []

    def test_without_a_mark_too_nobody_was_missed_while_laaffic_may_ring_again(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 2)
        campaign = draft(application, group, recall_count=1, recall_interval=5)
        starting.launch(campaign.pk)
        run_jobs()
        answers.write_all(Batch.objects.all())
        ids = Message.objects.values_list("gateway_id", flat=True)
        records = [call_records.from_row({"voiceId": voice_id, "terminationCode": "486"}) for voice_id in ids]

        kept_records.take_each(records, Source.VOICE_RECORD)
        assert set(Message.objects.values_list("state", flat=True)) == {MessageState.ACCEPTED}

        left_before(call_lasts(campaign))
        kept_records.take_each(records, Source.VOICE_RECORD)
        assert set(Message.objects.values_list("state", flat=True)) == {MessageState.UNDELIVERED}

    @pytest.mark.parametrize(("kind", "kept"), [(1, 0), (2, 1), (3, 0), (None, 0)])
    def test_only_a_spoken_message_waits_for_its_id(
        self, sandbox: RunningSandbox, application: Application, kind: int | None, kept: int
    ) -> None:
        """A push can come before the answer; a call of any other kind is no message's."""
        inbox.store(kind="voice-report", body=json.dumps({"voiceId": "7", "callee": "911", "type": kind}), source=None)

        pushes.INBOX.apply_some()

        assert OrphanReport.objects.count() == kept

    def test_one_that_names_another_number_is_kept_with_what_is_odd_about_it(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 1)
        starting.launch(draft(application, group).pk)
        run_jobs()
        forged = {"voiceId": "7", "callee": "919812345678", "type": 2, "calledInfo": f"lc-{Message.objects.get().pk}"}
        inbox.store(kind="voice-report", body=json.dumps(forged), source=None)

        pushes.INBOX.apply_some()

        assert "to another number" in OrphanReport.objects.get().problem

    def test_recalls_that_outlast_the_window_of_reports_are_waited_for(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        add_contacts(group, 1)
        campaign = draft(application, group, recall_count=9, recall_interval=999)
        starting.launch(campaign.pk)
        run_jobs()
        message = Message.objects.get()
        row = {"calledInfo": f"lc-{message.pk}", "callee": message.number, "voiceId": "1", "terminationCode": "486"}
        page = Page([call_records.from_row(row)], [], 1, None, 0)
        monkeypatch.setattr(VoiceApi, "group_records", lambda *_given, **_more: page)

        def read(ago: dt.timedelta) -> int:
            left_before(ago)
            Batch.objects.update(claimed_at=timezone.now() - ago)
            look_again()
            message.refresh_from_db()
            return message.state

        assert read(dt.timedelta(hours=80)) == MessageState.ACCEPTED
        assert Batch.objects.get().next_check_at is not None
        assert read(call_lasts(campaign)) == MessageState.UNDELIVERED

    def test_a_record_without_our_mark_may_be_theirs_in_another_spelling(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        add_contacts(group, 1, first=525512345678)
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        starting.launch(draft(application, group, max_ringing_time=20, max_duration=10).pk)
        run_jobs()
        left_before(dt.timedelta(minutes=10))
        page = Page([call_records.from_row({"voiceId": "elsewhere", "callee": "5215512345678"})], [], 1, None, 0)
        monkeypatch.setattr(VoiceApi, "group_records", lambda *_given, **_more: page)

        look_again()

        assert record_matching.MAYBE_IN_RECORDS in Message.objects.get().evidence

    def test_after_a_restore_they_are_read_from_when_it_may_have_left_first(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, lose_answers: LoseAnswers
    ) -> None:
        lose_answers(
            draft(application, group, max_ringing_time=20, max_duration=10), people=1, fault="bad_gateway_before"
        )
        left_before(dt.timedelta(minutes=10))
        LedgerEntry.objects.update(clock_ahead=dt.timedelta(days=3).total_seconds())

        look_again()

        assert NOT_IN_RECORDS in Message.objects.get().evidence

    def test_reconcile_asks_the_records_at_once(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, lose_answers: LoseAnswers
    ) -> None:
        campaign = lose_answers(draft(application, group), people=6, calls=2)
        assert counting.state_counts(campaign)["unknown"] == 2

        said = io.StringIO()
        call_command("reconcile", stdout=said)

        counts = counting.state_counts(campaign)
        assert "6 records read" in said.getvalue()
        assert counts["delivered"] + counts["undelivered"] == 6

    def test_a_gateway_that_tells_no_id_is_believed_all_the_same(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
    ) -> None:
        sandbox.sandbox.options.dialect = "seed"
        add_contacts(group, 4)
        campaign = draft(application, group)
        starting.launch(campaign.pk)
        run_jobs()
        assert counting.state_counts(campaign)["accepted"] == 4

        look_again()

        assert counting.state_counts(campaign)["accepted"] == 0
        assert not Message.objects.filter(gateway_id=None).exists()


class CallLastsTests:
    @pytest.mark.parametrize(
        ("given", "seconds"),
        [
            ({"text": "Hello"}, 60 + 120),
            ({"text": "Hello " * 150, "max_duration": 30}, 60 + 30),
            ({"text": "Hello " * 150, "loop_count": 9}, 60 + 1079),  # twice the minute that it takes, nine times
            ({"text": "Hello {{name}}"}, 60 + 436),  # a name may have any length
            ({"max_ringing_time": 20, "max_duration": 5, "delay_play": 2, "delay_hangup": 3}, 30),
            ({"max_ringing_time": 20, "max_duration": 5, "recall_count": 2, "recall_interval": 10}, 25 + 2 * 625),
        ],
    )
    def test_it_counts_ringing_talk_delays_and_repetitions(
        self, application: Application, group: ContactGroup, given: dict[str, Any], seconds: int
    ) -> None:
        text = given.pop("text", "Hello {{name|you}}")
        campaign = draft(application, group, **given)
        campaign.text = text
        assert call_lasts(campaign) == dt.timedelta(seconds=seconds)


class OptionTests:
    @pytest.mark.parametrize(
        ("field", "given"),
        [
            ("speaking_rate", {"speaking_rate": 0.1}),
            ("max_ringing_time", {"max_ringing_time": 10}),
            ("max_duration", {"max_duration": 121}),
            ("recall_interval", {"recall_count": 1, "recall_interval": 0}),
            ("gender", {"gender": 3}),
        ],
    )
    def test_a_broken_range_is_said_at_its_field(
        self, application: Application, group: ContactGroup, field: str, given: dict[str, Any]
    ) -> None:
        with pytest.raises(ValidationError) as problem:
            draft(application, group, **given)

        assert list(problem.value.error_dict) == [field]

    def test_options_come_back_as_they_were(self, application: Application, group: ContactGroup) -> None:
        campaign = draft(application, group, language="HI", gender=2, speaking_rate=1.5)

        options = TtsOptions.of(Campaign.objects.get(pk=campaign.pk))

        assert (options.spoken.language, options.spoken.gender, options.spoken.speaking_rate) == ("HI", 2, 1.5)
        assert (options.spoken.text, options.display_number) == ("Hello {{name|you}}", "861000000")


def ended_calls(sandbox: RunningSandbox) -> list[dict[str, Any]]:
    return [call for call in sandbox._ask("GET", "/sandbox/calls")["calls"] if call["ended"]]


def test_a_record_that_was_read_twice_is_counted_once(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list that breaks off behind its first page is read again in halves."""
    asked: list[dt.datetime] = []

    def records(
        voice: VoiceApi, *, start: dt.datetime, end: dt.datetime, current: int
    ) -> Page[call_records.CallRecord]:
        asked.append(start)
        if len(asked) == 2:
            raise OutcomeUnknown("no answer within the time limit", interface="voice/groupRecords")
        row = call_records.from_row({"voiceId": "another's", "callee": "14155550123"})
        rows = [row] if len(asked) in (1, 3) else []
        return Page(rows, [], 2 if len(asked) == 1 else len(rows), 1, current)

    monkeypatch.setattr(VoiceApi, "group_records", records)
    end = timezone.now()
    client = LaafficClient(api_key="k", api_secret="s")

    sweep = apply_records(client, application, (end - dt.timedelta(hours=2), end), Trouble("the call records"))

    assert sweep.seen == 1
    assert len(asked) == 4
