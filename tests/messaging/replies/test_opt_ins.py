"""START and STOP: what a reply says about consent, in many languages, and whether it is asked back."""

import datetime as dt
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from django.conf import LazySettings
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.gateway.services.client import account
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.reply_words import OPT_IN_CONFIRM_WORDS, OPT_IN_WORDS, OPT_OUT_WORDS
from messaging.models import (
    Approval,
    Batch,
    BatchState,
    Campaign,
    Conversation,
    Message,
    MessageState,
    OptInQuestion,
    Reply,
    SuppressionEntry,
    SuppressionRelease,
)
from messaging.services import restored
from messaging.services.audience import audience
from messaging.services.campaigns import asking_back, starting
from messaging.services.contacts import suppression
from messaging.services.refusals import NotApproved
from messaging.services.replies import opt_in_questions, replies, reply_pulls
from messaging.text.reply_word_matching import fold
from tests.messaging.contacts.test_consents import (
    GIVEN,
    MEXICAN,
    NOW,
    NUMBER,
    OTHERWISE,
    UNKNOWN,
    WITHDRAWN,
    say,
    state_of,
    wired,
    write,
)

pytestmark = pytest.mark.django_db


class ReplyTests:
    @pytest.mark.parametrize(
        ("stop", "start"), [("STOP", "Start"), ("退订", "订阅"), ("BAJA", "ALTA"), ("СТОП", "старт")]
    )
    def test_stop_withdraws_and_start_gives_it_back(self, stop: str, start: str) -> None:
        write(stop)
        assert (state_of(NUMBER), state_of(NUMBER, "mms"), state_of(NUMBER, "voice")) == (WITHDRAWN, WITHDRAWN, UNKNOWN)

        write(start, after=1)

        assert (state_of(NUMBER), state_of(NUMBER, "mms"), state_of(NUMBER, "voice")) == (GIVEN, GIVEN, UNKNOWN)
        assert not SuppressionEntry.objects.exists()
        assert SuppressionRelease.objects.get().why == f"replied “{start.upper()}”"

    def test_start_in_another_spelling(self) -> None:
        write("STOP", MEXICAN)

        write("START", OTHERWISE, after=1)

        assert not SuppressionEntry.objects.exists()

    @pytest.mark.parametrize(
        ("reason", "source"), [("manual", "console"), ("opt_out", "import"), ("complaint", "console")]
    )
    @pytest.mark.parametrize("stop_comes", ["first", "then"])
    @pytest.mark.parametrize("spelt", [MEXICAN, OTHERWISE])
    def test_what_others_have_suppressed_stays(self, reason: str, source: str, stop_comes: str, spelt: str) -> None:
        if stop_comes == "first":
            write("STOP", MEXICAN)
        suppression.suppress_numbers([spelt], channel="sms", reason=reason, source=source)
        if stop_comes == "then":
            write("STOP", MEXICAN)

        write("START", MEXICAN, after=1)

        assert SuppressionEntry.objects.get().reason == reason

    @pytest.mark.parametrize("after", [0, -5])
    def test_a_start_that_was_written_before_the_stop_changes_nothing(self, after: int) -> None:
        write("STOP")

        write("START", after=after)

        assert (state_of(NUMBER), SuppressionEntry.objects.count()) == (WITHDRAWN, 1)

    @pytest.mark.parametrize(("stop", "start"), [(MEXICAN, MEXICAN), (MEXICAN, OTHERWISE)])
    def test_a_stop_that_is_learned_of_after_a_later_start_is_undone_by_it(self, stop: str, start: str) -> None:
        write("START", start, after=5)

        write("STOP", stop)

        assert (state_of(stop), SuppressionEntry.objects.count()) == (GIVEN, 0)
        assert SuppressionRelease.objects.get().why == "replied “START”"

    def test_the_start_must_be_the_last_word_and_its_time_known(self) -> None:
        write("START", after=5)
        write("STOP", after=5)
        assert SuppressionEntry.objects.count() == 1

        write("START", MEXICAN, after=5)
        write("STOP", MEXICAN, after=6)
        write("STOP", MEXICAN, after=4)
        assert SuppressionEntry.objects.count() == 2

        write("START", "919876543211", after=5)
        Reply.objects.filter(number="919876543211").update(at=F("received_at"))
        write("STOP", "919876543211")
        assert SuppressionEntry.objects.count() == 3

    @pytest.mark.parametrize("reason", ["manual", "opt_out"])
    def test_what_others_have_suppressed_stays_also_where_the_stop_is_learned_of_late(self, reason: str) -> None:
        write("START", after=5)
        suppression.suppress_numbers([NUMBER], channel="sms", reason=reason, source="console")

        write("STOP")

        assert SuppressionEntry.objects.get().reason == reason

    def test_one_stop_for_every_channel_is_undone_on_every_channel(self, settings: LazySettings) -> None:
        settings.OPT_OUT_EVERY_CHANNEL = True
        write("STOP")
        assert state_of(NUMBER, "voice") == WITHDRAWN

        write("START", after=1)

        assert not SuppressionEntry.objects.exists()
        assert (state_of(NUMBER), state_of(NUMBER, "voice")) == (GIVEN, WITHDRAWN)

    def test_no_word_means_both(self) -> None:
        stops = {fold(word) for words in OPT_OUT_WORDS.values() for word in words}

        for others in (OPT_IN_WORDS, OPT_IN_CONFIRM_WORDS):
            assert not stops & {fold(word) for words in others.values() for word in words}
            assert others.keys() == OPT_OUT_WORDS.keys()


def leaves(
    *,
    after: int = 0,
    at: dt.datetime | None = None,
    number: str = NUMBER,
    state: MessageState = MessageState.ACCEPTED,
    batch: BatchState = BatchState.SETTLED,
) -> None:
    """The newest question to the number has left by a request, so many minutes after `NOW`, with this outcome."""
    campaign = Campaign.objects.filter(extra_numbers=[number]).latest("pk")
    if campaign.state == "draft":
        starting.launch(campaign.pk)
    while audience.freeze_chunk(campaign.pk):
        pass
    left = at or NOW + dt.timedelta(minutes=after)
    entry = LedgerEntry.objects.create(
        interface="sendSms", application=campaign.application, state="accepted", prepared_at=left, left_at=left
    )
    Batch.objects.filter(campaign=campaign).update(state=batch, entry=entry, claimed_at=left)
    Message.objects.filter(campaign=campaign).update(state=state)


class DoubleOptInTests:
    @pytest.fixture(autouse=True)
    def _on(self, settings: LazySettings, application: Application) -> Iterator[None]:
        settings.LAAFFIC_DOUBLE_OPT_IN = True
        settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "key"  # only that there is one
        account.laaffic_client.cache_clear()
        yield
        account.laaffic_client.cache_clear()

    def asked(self) -> int:
        """How many messages ask, once the job has run, twice as jobs may."""
        asking_back.ask_waiting()
        asking_back.ask_waiting()
        return Campaign.objects.exclude(state="draft").count()

    @pytest.mark.parametrize("yes", ["Yes!", "ja", "SI", "是"])
    def test_start_asks_and_a_yes_gives_consent(self, yes: str, application: Application) -> None:
        write("STOP")
        write("START", after=1)
        assert (state_of(NUMBER), SuppressionEntry.objects.count(), self.asked()) == (UNKNOWN, 0, 1)
        question = Campaign.objects.get()
        assert (question.extra_numbers, question.sender_id) == ([NUMBER], "SHOP")
        assert "YES" in question.text

        leaves(after=2)
        write("perhaps", after=3)
        assert state_of(NUMBER) == UNKNOWN
        write(yes, after=4)

        assert (state_of(NUMBER), state_of(NUMBER, "mms")) == (GIVEN, GIVEN)

    def test_nobody_is_asked_twice_within_a_day(self) -> None:
        write("START")
        assert self.asked() == 1

        leaves(at=timezone.now() - dt.timedelta(hours=23))
        write("START", after=1)
        assert self.asked() == 1
        LedgerEntry.objects.update(left_at=timezone.now() - dt.timedelta(days=1, minutes=1))
        write("START", after=2)

        assert self.asked() == 2

    @pytest.mark.parametrize("state", ["draft", "scheduled", "running", "held", "paused"])
    def test_nobody_is_asked_anew_while_the_first_question_may_still_leave(self, state: str) -> None:
        write("START")
        self.asked()
        Campaign.objects.update(state=state)
        if state == "draft":
            Approval.objects.create(campaign=Campaign.objects.get())
        OptInQuestion.objects.update(asked_at=timezone.now() - dt.timedelta(days=9))

        write("START", after=1)
        self.asked()

        assert Campaign.objects.count() == 1

    def test_a_question_that_was_refused_and_stayed_a_draft_keeps_nobody_from_being_asked(self) -> None:
        """As an earlier version left it."""
        write("START")
        self.asked()
        Campaign.objects.update(state="draft")
        OptInQuestion.objects.update(asked_at=timezone.now() - dt.timedelta(days=9), problem="No.")

        write("START", after=1)
        self.asked()

        assert Campaign.objects.count() == 2

    @pytest.mark.parametrize("state", [MessageState.SUPPRESSED, MessageState.CANCELLED, MessageState.REJECTED])
    def test_whom_no_question_has_reached_is_asked_by_the_next_start(self, state: MessageState) -> None:
        write("START")
        self.asked()
        leaves(after=1, state=state)
        Campaign.objects.update(state="finished")

        write("START", after=2)

        assert self.asked() == 2

    @pytest.mark.parametrize("held_for", ["seconds", "eight days"])
    def test_a_yes_counts_once_the_question_has_left(self, held_for: str) -> None:
        account_hold.place_because("No balance.")
        write("START")
        self.asked()
        write("YES", after=5)  # to something else
        assert state_of(NUMBER) == UNKNOWN

        after = 6 if held_for == "seconds" else 8 * 24 * 60
        OptInQuestion.objects.update(asked_at=timezone.now() - dt.timedelta(days=8))
        leaves(after=after)
        write("YES", after=after + 1)

        assert state_of(NUMBER) == GIVEN

    def test_a_yes_that_was_written_before_the_question_left_and_comes_later_is_none(self) -> None:
        write("START")
        self.asked()
        leaves(after=20)

        write("YES", after=10)

        assert state_of(NUMBER) == UNKNOWN

    @pytest.mark.parametrize(("days", "state"), [(6, GIVEN), (8, UNKNOWN)])
    def test_a_yes_counts_for_seven_days_from_the_moment_the_question_left(self, days: int, state: str) -> None:
        write("START")
        self.asked()
        leaves(after=60)

        write("YES", after=60 + days * 24 * 60)

        assert state_of(NUMBER) == state

    @pytest.mark.parametrize(
        ("message", "batch", "state"),
        [
            (MessageState.QUEUED, BatchState.QUEUED, UNKNOWN),
            (MessageState.QUEUED, BatchState.CLAIMED, GIVEN),
            (MessageState.QUEUED, BatchState.SETTLED, GIVEN),  # its answer is not written yet
            (MessageState.UNKNOWN, BatchState.UNKNOWN, GIVEN),
            (MessageState.EXPIRED, BatchState.SETTLED, GIVEN),
            (MessageState.DELIVERED, BatchState.SETTLED, GIVEN),
            (MessageState.UNDELIVERED, BatchState.SETTLED, UNKNOWN),
            (MessageState.REJECTED, BatchState.SETTLED, UNKNOWN),
            (MessageState.SUPPRESSED, BatchState.SETTLED, UNKNOWN),
            (MessageState.CANCELLED, BatchState.SETTLED, UNKNOWN),
        ],
    )
    def test_a_yes_counts_if_the_question_may_have_arrived(
        self, message: MessageState, batch: BatchState, state: str
    ) -> None:
        write("START")
        self.asked()
        leaves(after=1, state=message, batch=batch)

        write("YES", after=2)

        assert state_of(NUMBER) == state

    @pytest.mark.parametrize("why", [NotNow("It is switched off."), NotApproved("A second person has to approve it.")])
    def test_a_question_that_is_refused_is_not_asked(
        self, why: NotNow, monkeypatch: pytest.MonkeyPatch, admin_client: Client
    ) -> None:
        """What only waits for a second person stays as a draft, and is asked when they have launched it."""
        write("START")
        with monkeypatch.context() as refusing:
            refusing.setattr(starting, "launch", Mock(side_effect=why))
            asking_back.ask_waiting()
        page = reverse("admin:messaging_person", args=[NUMBER])
        assert "Not asked back" in admin_client.get(page).content.decode()
        write("YES", after=1)
        assert state_of(NUMBER) == UNKNOWN
        write("START", after=2)
        assert self.asked() == (0 if isinstance(why, NotApproved) else 1)
        assert Campaign.objects.count() == 1

        leaves(after=3)
        write("YES", after=4)

        assert state_of(NUMBER) == GIVEN

    def test_of_two_jobs_the_second_leaves_what_the_first_has_launched(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write("START")
        launch = starting.launch

        def twice(pk: int, **given: Any) -> None:
            launch(pk, **given)
            raise NotNow("It is held, and only a draft can be launched.")

        monkeypatch.setattr(starting, "launch", twice)

        assert self.asked() == 1
        assert (OptInQuestion.objects.get().problem, OptInQuestion.objects.get().campaign) == (
            "",
            Campaign.objects.get(),
        )

    def test_many_yes_are_a_few_statements(self) -> None:
        def statements(people: range) -> int:
            for n in people:
                write("START", str(919876500000 + n))
            self.asked()
            for n in people:
                leaves(after=1, number=str(919876500000 + n))
            at = NOW + dt.timedelta(minutes=2)
            rows = [Reply(number=str(919876500000 + n), content="YES", at=at) for n in people]
            with CaptureQueriesContext(connection) as asked:
                assert len(opt_in_questions.confirmed(rows)) == len(people)
            return len(asked)

        assert statements(range(1)) == statements(range(1, 6)) == 3

    def test_of_two_yes_that_come_together_each_is_looked_at(self) -> None:
        """A list with the newest first has an old one behind the real one."""
        write("START", after=5)
        self.asked()
        leaves(after=6)

        replies.take([wired("YES", after=10), wired("YES", after=1)], source="recordMo")

        assert state_of(NUMBER) == GIVEN

    def test_a_second_start_does_not_outdate_a_yes_to_the_question_that_was_asked(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(opt_in_questions, "ONCE_IN", timezone.now() - NOW + dt.timedelta(days=1))
        write("START")
        self.asked()
        leaves(after=1)
        write("START", after=20)

        write("YES", after=10)

        assert state_of(NUMBER) == GIVEN

    def test_a_stop_between_two_starts_outdates_a_yes_before_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(opt_in_questions, "ONCE_IN", timezone.now() - NOW + dt.timedelta(days=1))
        write("START")
        self.asked()
        leaves(after=1)
        write("STOP", after=15)
        write("START", after=20)

        write("YES", after=10)

        assert state_of(NUMBER) != GIVEN

    def test_in_any_order_of_learning_a_stop_between_two_starts_leaves_nothing_known(self) -> None:
        write("START")
        write("START", after=2)
        write("STOP", after=1)

        assert state_of(NUMBER) == UNKNOWN

    def test_a_yes_that_nobody_has_asked_for_is_none(self) -> None:
        write("YES")
        write("START", after=2)
        write("YES", after=3)  # before the question has left

        assert state_of(NUMBER) == UNKNOWN

    def test_a_yes_to_a_question_that_could_not_be_made_is_none(self) -> None:
        write("START")
        assert self.asked() == 1
        leaves(at=timezone.now() - dt.timedelta(days=2))
        write("START", after=1)
        OptInQuestion.objects.update(is_to_ask=False, problem="no application")

        write("YES", after=2)

        assert state_of(NUMBER) == UNKNOWN

    def test_the_persons_page_says_why_they_were_not_asked_until_something_answers_it(
        self, admin_client: Client
    ) -> None:
        write("START")
        Conversation.objects.all().delete()
        assert self.asked() == 0
        page = reverse("admin:messaging_person", args=[NUMBER])

        said = " ".join(admin_client.get(page).content.decode().split())
        assert "Not asked back" in said
        assert "It is not clear which application should ask them: several are possible." in said

        write("STOP", after=1)
        assert "Not asked back" not in admin_client.get(page).content.decode()

    @pytest.mark.parametrize("wrote", ["before the restore", "and waited at the backup"])
    def test_the_persons_page_does_not_say_that_they_were_not_asked_where_a_restore_leaves_that_open(
        self, admin_client: Client, wrote: str
    ) -> None:
        if wrote == "before the restore":
            restored._read_replies_with_care(timezone.now() + dt.timedelta(hours=1))
            write("START")
        else:
            write("START")
            restored._read_replies_with_care(timezone.now())

        said = admin_client.get(reverse("admin:messaging_person", args=[NUMBER])).content.decode()

        assert "Not known whether they were asked back" in said
        assert "they may have been asked since" in said
        assert "Not asked back" not in said

    def test_right_after_a_restore_an_application_without_a_reading_is_asked(self, application: Application) -> None:
        Campaign.objects.create(name="A", application=application, state="running")
        restored._read_replies_with_care(timezone.now())

        assert application in reply_pulls.due()

    def test_what_is_read_again_after_a_restore_asks_nobody_twice_and_a_yes_counts(self) -> None:
        """No row says that they were asked between the backup and the restore."""
        restored._read_replies_with_care(timezone.now() + dt.timedelta(hours=1))

        write("START")
        assert self.asked() == 0
        write("YES", after=1)

        assert state_of(NUMBER) == GIVEN

    def test_who_waited_to_be_asked_at_the_backup_may_have_been_asked_since(self) -> None:
        write("START")
        restored._read_replies_with_care(timezone.now())

        assert self.asked() == 0
        write("YES", after=1)

        assert state_of(NUMBER) == GIVEN

    def test_who_writes_after_a_restore_is_asked(self) -> None:
        restored._read_replies_with_care(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))

        write("START")

        assert self.asked() == 1

    def test_a_stop_ends_the_question(self) -> None:
        write("START")
        assert self.asked() == 1

        write("STOP", after=1)
        write("YES", after=2)

        assert state_of(NUMBER) == WITHDRAWN

    def test_a_stop_that_was_said_before_the_question_was_wanted_does_not_end_it(self) -> None:
        write("START", after=5)
        assert self.asked() == 1
        leaves(after=5)

        write("STOP")
        assert (self.asked(), SuppressionEntry.objects.count()) == (1, 0)
        write("YES", after=6)

        assert state_of(NUMBER) == GIVEN

    def test_who_is_suppressed_by_hand_is_not_asked(self) -> None:
        write("START")
        suppression.suppress_numbers([NUMBER], channel="all", reason="manual")
        assert self.asked() == 0

        write("START", OTHERWISE, after=1)
        suppression.suppress_numbers([MEXICAN], channel="sms", reason="manual")

        assert self.asked() == 0
        assert not OptInQuestion.objects.filter(is_to_ask=True).exists()

    def test_a_job_that_was_killed_before_the_launch_goes_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write("START")
        with monkeypatch.context() as killed:
            killed.setattr(starting, "launch", Mock(side_effect=SystemExit))
            with pytest.raises(SystemExit):
                asking_back.ask_waiting()

        assert (self.asked(), Campaign.objects.count()) == (1, 1)

    def test_where_several_applications_could_be_meant_nobody_is_asked(self) -> None:
        Application.objects.create(app_id="other", channel="sms")
        write("START")

        with translation.override("zh-hans"):  # the worker's
            assert self.asked() == 0

        assert "several are possible" in OptInQuestion.objects.get().problem

    def test_consent_that_is_given_stays(self) -> None:
        for channel in ("sms", "mms"):
            say(NUMBER, GIVEN, after=-1, channel=channel)
        write("START")

        assert (state_of(NUMBER), self.asked()) == (GIVEN, 0)
