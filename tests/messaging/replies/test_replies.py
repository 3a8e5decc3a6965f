"""Replies: kept once whichever way they come, put to the campaign they answer, and obeyed when they say STOP."""

import csv
import datetime as dt
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import openpyxl
import pytest
import time_machine
from django.conf import LazySettings, settings
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db.models import F
from django.test import Client
from django.utils import timezone
from django_q.exceptions import TimeoutException
from django_q.models import OrmQ

from laaffic_console.gateway.models import Application, LedgerEntry, PushedBody, Trouble
from laaffic_console.gateway.queue import taken_tasks
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.database import isolation
from laaffic_console.gateway.services.inbox import inbox
from laaffic_console.gateway.services.work import bell, leases, turns
from laaffic_console.gateway.services.work.patience import Patience
from laaffic_console.laaffic import Reply as WireReply
from laaffic_console.laaffic.pages import Page
from laaffic_console.laaffic.replies import RepliesApi
from laaffic_console.sandbox.replies import ReplyInterfaces
from laaffic_console.sandbox.testing import RunningSandbox
from messaging import jobs, msisdn
from messaging.models import Campaign, Contact, ContactGroup, Message, MessageState, Reply, ReplyPull, SuppressionEntry
from messaging.services.audience import audience
from messaging.services.campaigns import campaigns, drafts, starting
from messaging.services.replies import replies, reply_pulls, reply_pushes
from messaging.services.sending import sending
from tests.messaging.conftest import add_contacts, events_saying

pytestmark = pytest.mark.django_db(transaction=True)

NUMBER = "919876500000"
TOKEN = "a-token-of-the-tests"
DAY = dt.timedelta(days=1)


def pushed(number: str = NUMBER, content: str = "Yes please", **given: Any) -> dict[str, Any]:
    """As the vendor prints it, with its misspelt key (laaffic-api#replies)."""
    return {
        "msgid": "r2108021054011000095",
        "mobile": number,
        "reply_time": "2026-11-20 16:00:00",
        "content": content,
        "sendid": "SHOP",
        "mcc": 404,
        "mcn": 10,
        "operator": "Airtel",
        "pricedetail": {"pay": "0.0000", "chargeCnt": 1, "currency": "EUR", "price": "0.0000"},
        **given,
    }


def push(*entries: Any) -> None:
    inbox.store(kind="sms-reply", body=json.dumps(list(entries)), source="127.0.0.1")
    reply_pushes.INBOX.apply_waiting()


def sent(application: Application, group: ContactGroup, run_jobs: Callable[[], int], name: str = "Autumn") -> Campaign:
    campaign = drafts.create(
        name=name, application=application, sender_id="SHOP", text=f"Hello from {name}", groups=[group]
    )
    starting.launch(campaign.pk)
    run_jobs()
    return campaign


class PushTests:
    def test_without_time_and_id_it_is_the_same_within_a_day(self, db: None) -> None:
        """A STOP that is said again after somebody was allowed again counts again."""
        for day, new in ((20, 1), (20, 0), (21, 1)):
            with time_machine.travel(dt.datetime(2026, 11, day, 12, tzinfo=dt.UTC), tick=False):
                before = Reply.objects.count()
                push(pushed(content="STOP", reply_time="", msgid=""))
                assert Reply.objects.count() - before == new
                SuppressionEntry.objects.all().delete()

    def test_one_that_is_read_from_the_list_without_a_time_too(self, db: None) -> None:
        said = WireReply("", NUMBER, "SHOP", "STOP", None, "", "", "", None, None, "", None)
        for day, new in ((20, 1), (20, 0), (21, 1)):
            with time_machine.travel(dt.datetime(2026, 11, day, 12, tzinfo=dt.UTC), tick=False):
                assert replies.take([said], source="recordMo") == new

    def test_it_is_read_in_the_vendors_zone(self, db: None) -> None:
        push(pushed())

        reply = Reply.objects.get()
        assert (reply.number, reply.content, reply.sent_to, reply.operator) == (NUMBER, "Yes please", "SHOP", "Airtel")
        assert reply.at == dt.datetime(2026, 11, 20, 8, tzinfo=dt.UTC)
        assert (reply.source, reply.opt_out) == ("push", "")
        assert not SuppressionEntry.objects.exists()

    def test_the_same_one_again_changes_nothing(self, db: None) -> None:
        push(pushed(), pushed())
        push(pushed())

        assert Reply.objects.count() == 1

    def test_what_is_no_reply_costs_the_others_nothing(self, db: None) -> None:
        push({"content": "from nobody"}, "nonsense", pushed())

        assert Reply.objects.count() == 1
        body = PushedBody.objects.get()
        assert (body.entries, len(body.problems)) == (3, 2)

    def test_over_http_with_its_token(self, settings: LazySettings, client: Client, db: None) -> None:
        settings.LAAFFIC_PUSH_TOKENS = [TOKEN]
        cache.clear()  # a bell is rung once a second

        answer = client.post(f"/hooks/{TOKEN}/sms-reply/", json.dumps(pushed()), content_type="application/json")

        assert answer.json() == {"status": "0", "reason": "success"}
        assert OrmQ.objects.get().task["func"] == "messaging.jobs.apply_sms_replies"
        jobs.apply_sms_replies()
        assert Reply.objects.count() == 1
        assert client.post("/hooks/another-token/sms-reply/", "{}", content_type="application/json").status_code == 404


class StopTests:
    def test_it_suppresses_with_its_word_and_source(self, db: None) -> None:
        push(pushed(content=" stop! "))

        entry = SuppressionEntry.objects.get()
        assert (entry.number, entry.channel, entry.reason, entry.source) == (NUMBER, "sms", "opt_out", "reply")
        assert "“STOP”" in entry.note
        assert Reply.objects.values_list("opt_out", "suppressed_on").get() == ("STOP", "sms")

    def test_it_holds_back_what_a_running_campaign_has_not_sent(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 40)
        campaign = drafts.create(
            name="Slow", application=application, sender_id="SHOP", text="Hello", groups=[group], rate_per_second=1
        )
        starting.launch(campaign.pk)
        campaigns.pause(campaign.pk)
        run_jobs()
        last = Message.objects.order_by("-pk").values_list("number", flat=True)[0]
        assert Message.objects.get(number=last).state == MessageState.QUEUED

        push(pushed(number=last, content="STOP"))
        Campaign.objects.filter(pk=campaign.pk).update(rate_per_second=None)
        campaigns.resume(campaign.pk)
        run_jobs()

        assert Message.objects.get(number=last).state == MessageState.SUPPRESSED
        assert sandbox.stats()["accepted"] == 39
        assert last not in {message["number"] for message in sandbox.messages()}

    @pytest.mark.parametrize("written", ["9876500000", "09876500000"])
    def test_without_its_country_code_it_is_of_whom_we_wrote(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        written: str,
    ) -> None:
        add_contacts(group, 1)
        campaign = sent(application, group, run_jobs)

        said = pushed(number=written, content="STOP", reply_time=in_vendors_zone(timezone.now()))
        push(said)
        push(said)

        reply = Reply.objects.get()
        assert (reply.number, reply.country, reply.campaign) == (NUMBER, "IN", campaign)
        assert list(SuppressionEntry.objects.values_list("number", flat=True)) == [NUMBER]
        assert not Trouble.objects.exists()

    @pytest.mark.parametrize("others", [[], ["919876500000", "79876500000"]])
    def test_without_its_country_code_and_of_nobody_alone_it_is_told(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        others: list[str],
    ) -> None:
        for number in others:
            add_contacts(group, 1, first=int(number))
        if others:
            sent(application, group, run_jobs)

        push(pushed(number="9876500000", content="STOP", reply_time=in_vendors_zone(timezone.now())))

        assert list(SuppressionEntry.objects.values_list("number", flat=True)) == ["9876500000"]
        told = Trouble.objects.get()
        assert told.name == f"reply from …000 ({Reply.objects.get().pk})"
        assert "STOP of " in told.problem

    def test_each_that_is_nobodys_is_told(self, db: None) -> None:
        push(pushed(number="9876500000", content="STOP"), pushed(number="9876511000", content="STOP"))

        ids = list(Reply.objects.values_list("pk", flat=True))
        assert len(ids) == 2
        assert set(Trouble.objects.values_list("name", flat=True)) == {f"reply from …000 ({pk})" for pk in ids}

    def test_it_is_told_until_a_person_has_ended_it(self, db: None) -> None:
        push(pushed(number="9876500000", content="STOP"))
        isolation.note("campaign 12", ValueError("x"))
        Trouble.objects.update(last_at=F("last_at") - isolation.KEPT - DAY)

        isolation.note("campaign 13", ValueError("x"))

        told = f"reply from …000 ({Reply.objects.get().pk})"
        assert set(Trouble.objects.values_list("name", flat=True)) == {told, "campaign 13"}

    def test_it_is_told_in_the_transaction_that_keeps_it(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        """A process that is killed in between leaves neither, and whoever reads the reply again tells."""
        said = WireReply("", "9876500000", "SHOP", "STOP", timezone.now(), "", "", "", None, None, "", None)
        with monkeypatch.context() as patch:
            patch.setattr(isolation, "note", killed)
            with pytest.raises(KeyboardInterrupt):
                replies.take([said], source="recordMo")
        assert not Reply.objects.exists()

        assert replies.take([said], source="recordMo") == 1
        assert Trouble.objects.get().times == 1

    @pytest.mark.parametrize("written", ["6512345678", "6581234567"])
    def test_of_whom_we_wrote_at_this_number_it_stays(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        written: str,
    ) -> None:
        """Whether its plan has such a number or not, and whoever else has the same behind another country code."""
        for number in (written, f"91{written}"):
            add_contacts(group, 1, first=int(number))
        campaign = sent(application, group, run_jobs)

        push(pushed(number=written, content="STOP", reply_time=in_vendors_zone(timezone.now())))

        assert Reply.objects.values_list("number", "campaign").get() == (written, campaign.pk)
        assert list(SuppressionEntry.objects.values_list("number", flat=True)) == [written]
        assert not Trouble.objects.exists()

    def test_one_that_is_spelled_otherwise_is_kept_under_the_number_that_was_written_to(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        """So an audience of those who have not replied leaves the contact out."""
        add_contacts(group, 1, first=525512345678)
        campaign = sent(application, group, run_jobs)
        answered = pushed(number="5215512345678", reply_time=in_vendors_zone(timezone.now()))

        push(answered)
        push(answered)

        assert Reply.objects.values_list("number", "country", "campaign").get() == ("525512345678", "MX", campaign.pk)

    def test_one_to_no_message_is_kept_under_the_contacts_number(self, group: ContactGroup) -> None:
        add_contacts(group, 1, first=525512345678)

        push(pushed(number="5215512345678"), pushed(number="5215587654321"))

        assert set(Reply.objects.values_list("number", flat=True)) == {"525512345678", "5215587654321"}

    def test_what_remains_may_be_a_number_of_another_country(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        assert msisdn.parse("6581234567").is_valid
        add_contacts(group, 1, first=916581234567)
        campaign = sent(application, group, run_jobs)

        push(pushed(number="6581234567", content="STOP", reply_time=in_vendors_zone(timezone.now())))

        assert Reply.objects.values_list("number", "country", "campaign").get() == ("916581234567", "IN", campaign.pk)
        assert list(SuppressionEntry.objects.values_list("number", flat=True)) == ["916581234567"]
        assert not Trouble.objects.exists()

    def test_an_older_reply_beside_it_changes_nothing(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        now = timezone.now()
        for number, days in ((79876500000, 45), (919876500000, 1)):
            its_own = ContactGroup.objects.create(name=str(number))
            add_contacts(its_own, 1, first=number)
            sent(application, its_own, run_jobs, str(number))
            LedgerEntry.objects.filter(pk=LedgerEntry.objects.latest("pk").pk).update(left_at=now - days * DAY)

        push(
            pushed(number="919999999999", reply_time=in_vendors_zone(now - 20 * DAY)),
            pushed(number="9876500000", content="STOP", reply_time=in_vendors_zone(now)),
        )

        assert Reply.objects.count() == 2
        assert list(SuppressionEntry.objects.values_list("number", flat=True)) == [NUMBER]
        assert not Trouble.objects.exists()

    def test_a_thousand_are_placed_by_a_few_queries(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        django_assert_max_num_queries: Any,
    ) -> None:
        add_contacts(group, 500)
        sent(application, group, run_jobs)
        now = timezone.now()
        rows = [Reply(number=str(first + n), at=now) for first in (919876500000, 919976500000) for n in range(500)]

        with django_assert_max_num_queries(12):
            replies._place(rows)

        assert [row.campaign is not None for row in rows] == [True] * 500 + [False] * 500

    def test_a_whole_number_or_a_short_code_is_not_told(self, db: None) -> None:
        push(pushed(content="STOP"), pushed(number="12345", content="STOP"))

        assert not Trouble.objects.exists()

    def test_to_an_mms_it_is_of_mms(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 1)
        campaign = sent(application, group, run_jobs)
        Campaign.objects.filter(pk=campaign.pk).update(channel="mms")
        Message.objects.update(state=MessageState.DELIVERED)

        push(pushed(content="STOP", reply_time=in_vendors_zone(timezone.now())))

        assert SuppressionEntry.objects.get().channel == "mms"

    def test_an_old_one_read_again_does_not_undo_an_allowance(self, db: None) -> None:
        push(pushed(content="STOP"))
        SuppressionEntry.objects.all().delete()

        push(pushed(content="STOP"))

        assert not SuppressionEntry.objects.exists()


def killed(*_given: object, **_named: object) -> None:
    raise KeyboardInterrupt


def in_vendors_zone(moment: dt.datetime) -> str:
    return moment.astimezone(dt.timezone(dt.timedelta(hours=8))).strftime("%Y-%m-%d %H:%M:%S")


def answered_campaign(number: str, at: dt.datetime, sent_to: str = "") -> Campaign | None:
    row = Reply(number=number, at=at, sent_to=sent_to)
    replies._place([row])
    return row.campaign


class CampaignTests:
    def test_it_answers_the_last_that_reached_the_number(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 1)
        sent(application, group, run_jobs, "First")
        second = sent(application, group, run_jobs, "Second")
        never = drafts.create(name="Draft", application=application, sender_id="SHOP", text="x", groups=[group])
        now = timezone.now()

        assert answered_campaign(NUMBER, now) == second
        assert answered_campaign("919999999999", now) is None
        assert answered_campaign(NUMBER, now + dt.timedelta(days=40)) is None
        assert never.pk > second.pk

    def test_one_of_the_sender_that_was_answered_goes_first(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 1)
        first = sent(application, group, run_jobs, "First")
        sent(application, group, run_jobs, "Second")
        Campaign.objects.filter(pk=first.pk).update(sender_id="BANK")

        assert answered_campaign(NUMBER, timezone.now(), "BANK") == first

    def test_what_left_after_the_reply_was_written_is_not_answered(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 1)
        first = sent(application, group, run_jobs, "First")
        hour, minute = dt.timedelta(hours=1), dt.timedelta(minutes=1)
        now = timezone.now()
        LedgerEntry.objects.update(left_at=now - hour)
        second = sent(application, group, run_jobs, "Second")
        second_call = LedgerEntry.objects.latest("pk")
        LedgerEntry.objects.filter(pk=second_call.pk).update(left_at=now)

        assert answered_campaign(NUMBER, now - minute) == first
        assert answered_campaign(NUMBER, now + minute) == second
        assert answered_campaign(NUMBER, now.replace(microsecond=0)) == second
        assert answered_campaign(NUMBER, now - hour - minute) == first, "a clock that is slow"
        assert answered_campaign(NUMBER, now - 2 * hour) is None

    def test_an_answer_that_is_late_or_not_written_yet_changes_nothing(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 1)
        campaign = sent(application, group, run_jobs)
        left_at = LedgerEntry.objects.get().left_at
        Message.objects.update(settled_at=left_at + dt.timedelta(hours=2))

        assert answered_campaign(NUMBER, left_at + dt.timedelta(minutes=1)) == campaign
        Message.objects.update(settled_at=None, state=MessageState.UNKNOWN)
        assert answered_campaign(NUMBER, left_at + dt.timedelta(minutes=1)) == campaign
        assert answered_campaign(NUMBER, left_at - dt.timedelta(minutes=30)) is None

    def test_a_message_that_was_held_back_is_not_answered(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 1)
        first = sent(application, group, run_jobs, "First")
        second = sent(application, group, run_jobs, "Second")
        Message.objects.filter(campaign=second).update(state=MessageState.SUPPRESSED)

        assert answered_campaign(NUMBER, timezone.now()) == first


def said_by(number: str, content: str = "Yes", at: dt.datetime | None = None) -> WireReply:
    return WireReply("", number, "SHOP", content, at or timezone.now(), "", "", "", None, None, "", None)


class SlowList:
    """A reply every four hours of the last week, one a page, of which each takes 20 seconds. The last says STOP."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, now = 1000.0, timezone.now()
        self.replies = [said_by(f"9198765{n:05}", at=now - dt.timedelta(hours=167 - n)) for n in range(0, 164, 4)]
        self.replies.append(said_by("919876599999", "STOP", now - dt.timedelta(seconds=5)))
        monkeypatch.setattr(RepliesApi, "iter_pages", self.pages)
        monkeypatch.setattr("time.monotonic", lambda: self.now)

    def number_of_the_last(self) -> str:
        return self.replies[-1].number

    def pages(self, *_given: Any, start: dt.datetime, end: dt.datetime, **_more: Any) -> Iterator[Page[Any]]:
        found = [reply for reply in self.replies if reply.at and start <= reply.at < end]
        self.now += 20
        for n, reply in enumerate(found, 1):
            yield Page([reply], [], len(found), None, n)
            self.now += 20 if n < len(found) else 0


class PullTests:
    def answer(self, sandbox: RunningSandbox, content: str, number: str = NUMBER) -> dict[str, Any]:
        """Somebody answered ten seconds ago; the push that would have come."""
        sandbox._ask("POST", "/sandbox/replies", {"number": number, "content": content, "sender_id": "SHOP"})
        (family,) = (family for family in sandbox.sandbox.families if isinstance(family, ReplyInterfaces))
        family.replies[-1].at -= 10
        return family.replies[-1].as_push(True)

    @pytest.fixture
    def used(self, application: Application) -> Application:
        Campaign.objects.create(name="Any", application=application, text="x")
        return application

    def test_what_was_not_pushed_is_asked_for(self, sandbox: RunningSandbox, used: Application) -> None:
        self.answer(sandbox, "STOP")
        self.answer(sandbox, "Thanks", "919876500001")

        assert reply_pulls.pull_due() == 2

        assert SuppressionEntry.objects.get().number == NUMBER
        assert ReplyPull.objects.get().problem == ""
        assert not reply_pulls.anything_due()

    def test_who_has_lost_the_lease_takes_no_page(self, sandbox: RunningSandbox, used: Application) -> None:
        self.answer(sandbox, "Yes")

        assert reply_pulls.pull(used, Patience(leases.HeldLease(reply_pulls.LEASE, "not ours", 20))) == 0

        assert not Reply.objects.exists()
        assert ReplyPull.objects.get().pulled_until is None

    def test_what_takes_too_long_is_said_and_keeps_what_came(
        self, sandbox: RunningSandbox, used: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asking = Patience(seconds=5)

        def slow_pages(*_given: Any, **_more: Any) -> Iterator[Page[Any]]:
            asking.ends = 0.0
            yield Page([said_by(NUMBER)], [], 2, None, 1)

        monkeypatch.setattr(RepliesApi, "iter_pages", slow_pages)
        assert reply_pulls.pull(used, asking, within=5) == 1

        assert ReplyPull.objects.get().problem == "it takes longer than 5 seconds."

    def test_what_a_launch_reads_is_no_try_of_the_job(self, sandbox: RunningSandbox, used: Application) -> None:
        """Launched every few minutes, a console would never read to the end, and to a STOP that is there."""
        launched = dt.timedelta(seconds=5)
        sandbox.set_faults(status="-15", status_calls=1)
        for _refused_and_then_read in range(2):
            reply_pulls.pull(used, Patience(seconds=5), within=5)

            assert reply_pulls.anything_due()
            assert timezone.now() - ReplyPull.objects.get().asked_at < launched
        assert reply_pulls.read_if_due(used) == ""  # a script that launches many times a minute is not kept waiting

        reply_pulls.pull_due()

        assert not reply_pulls.anything_due()

    def test_what_a_launch_reads_never_takes_back_how_far_it_was_read(
        self, sandbox: RunningSandbox, used: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        until = timezone.now() - dt.timedelta(minutes=3)
        read_at = until - dt.timedelta(minutes=30)
        ReplyPull.objects.create(application=used, tried_at=until, pulled_until=until, read_at=read_at)
        asked: list[dt.datetime] = []
        asking = Patience(seconds=5)

        def pages(*_given: Any, start: dt.datetime, end: dt.datetime, **_more: Any) -> Iterator[Page[Any]]:
            asked.append(start)
            if len(asked) == 2:
                asking.ends = 0.0  # the time is over behind the first window
            yield Page([], [], 4000 if len(asked) == 1 else 0, None, 1)

        monkeypatch.setattr(RepliesApi, "iter_pages", pages)
        reply_pulls.pull(used, asking, within=5)

        known = ReplyPull.objects.get()
        assert min(asked) == until - reply_pulls.JUST_BEFORE
        assert (known.pulled_until >= until, known.read_at) == (True, read_at)

    def test_what_ends_its_process_puts_it_off(
        self, sandbox: RunningSandbox, used: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The queue ends a task by a SystemExit, which no `except Exception` sees."""

        def killed(*_given: Any, **_more: Any) -> Iterator[Page[Any]]:
            raise TimeoutException("Task exceeded maximum timeout value")

        monkeypatch.setattr(RepliesApi, "iter_pages", killed)
        with pytest.raises(TimeoutException):
            reply_pulls.pull_due()

        assert ReplyPull.objects.get().problem.startswith("there are more than could be read in time")
        assert not reply_pulls.anything_due()

    def test_more_than_one_job_can_read_are_read_by_the_next_ones(
        self, sandbox: RunningSandbox, used: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Reading it all from the beginning each time would never come to an end, and to no STOP on the last page."""
        listed = SlowList(monkeypatch)

        reply_pulls.pull_due()

        until = ReplyPull.objects.get().pulled_until
        assert until is not None
        assert Trouble.objects.get().name == f"replies of {used.app_id}"
        for _job in range(20):
            ReplyPull.objects.exclude(problem="").update(tried_at=timezone.now() - DAY)
            reply_pulls.pull_due()
        now = ReplyPull.objects.get()
        assert now.pulled_until is not None
        assert (now.problem, timezone.now() - now.pulled_until < DAY) == ("", True)
        assert not Trouble.objects.exists()
        assert SuppressionEntry.objects.get().number == listed.number_of_the_last()

    def test_its_task_may_take_longer_than_it_asks(self) -> None:
        longest = reply_pulls.READING_SECONDS + sum(settings.LAAFFIC_TIMEOUTS)
        assert bell.options_of(reply_pulls.JOB)["timeout"] > longest

    def test_one_that_cannot_be_read_is_told(
        self, sandbox: RunningSandbox, used: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ReplyPull.objects.create(application=used, tried_at=timezone.now() - DAY, pulled_until=timezone.now())
        page: Page[Any] = Page([], ["a reply without number or content"], None, None, 1)
        monkeypatch.setattr(RepliesApi, "iter_pages", lambda *_given, **_more: iter([page]))

        reply_pulls.pull_due()

        pulled = ReplyPull.objects.get()
        assert pulled.problem == "1 reply could not be read (a reply without number or content)."
        assert pulled.pulled_until is not None
        assert Trouble.objects.get().name == f"a row of {used.app_id}"

    def test_what_came_both_ways_is_one(self, sandbox: RunningSandbox, used: Application) -> None:
        push(self.answer(sandbox, "Yes"))

        assert reply_pulls.pull_due() == 0

        assert Reply.objects.count() == 1

    def test_the_next_time_it_asks_from_where_it_was(self, sandbox: RunningSandbox, used: Application) -> None:
        reply_pulls.pull_due()
        until = ReplyPull.objects.get().pulled_until
        long_before = timezone.now() - dt.timedelta(minutes=10)
        ReplyPull.objects.update(tried_at=long_before)
        self.answer(sandbox, "Later")

        assert reply_pulls.pull_due() == 1
        assert ReplyPull.objects.get().pulled_until > until

    def test_what_a_clock_that_was_ahead_noted_as_read_is_asked_for(
        self, sandbox: RunningSandbox, used: Application
    ) -> None:
        later = timezone.now() + dt.timedelta(hours=8)
        ReplyPull.objects.create(application=used, tried_at=later, pulled_until=later)
        self.answer(sandbox, "STOP")

        assert reply_pulls.read_if_due(used) == ""
        assert SuppressionEntry.objects.get().number == NUMBER
        assert ReplyPull.objects.get().pulled_until <= timezone.now()

    def test_what_a_clock_that_was_ahead_noted_is_forgotten_if_asking_fails(
        self, sandbox: RunningSandbox, used: Application
    ) -> None:
        """When its moment had come, it would pass for right."""
        later = timezone.now() + dt.timedelta(hours=8)
        ReplyPull.objects.create(application=used, tried_at=later, pulled_until=later)
        sandbox.set_faults(status="-15", status_calls=1)
        reply_pulls.pull_due()

        assert ReplyPull.objects.get().pulled_until is None

    def test_a_refusal_is_kept_and_tried_again(self, sandbox: RunningSandbox, used: Application) -> None:
        self.answer(sandbox, "Yes")
        sandbox.set_faults(status="-15", status_calls=1)

        assert reply_pulls.pull_due() == 0
        kept = ReplyPull.objects.get()
        assert "-15" in kept.problem
        assert kept.pulled_until is None
        ReplyPull.objects.update(tried_at=timezone.now() - dt.timedelta(minutes=10))
        assert reply_pulls.pull_due() == 1

    def test_the_command_asks_at_once_and_says_what_came(self, sandbox: RunningSandbox, used: Application) -> None:
        reply_pulls.pull_due()
        self.answer(sandbox, "Yes")
        out = io.StringIO()

        call_command("replies", "pull", "--json", stdout=out)

        assert json.loads(out.getvalue()) == {"new": 1, "problems": {}}
        sandbox.set_faults(status="-2", status_calls=1)
        with pytest.raises(CommandError, match=r"4luaKsL2: .*-2"):
            call_command("replies", "pull", stdout=out)

        Application.objects.update(is_active=False)
        out = io.StringIO()
        call_command("replies", "pull", "--json", stdout=out)
        assert json.loads(out.getvalue()) == {"new": 0, "problems": {}}

    def test_the_command_says_when_others_read_them(
        self, sandbox: RunningSandbox, used: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """“new: 0” would say that all is read."""
        monkeypatch.setattr(reply_pulls, "WAIT_SECONDS", 0.0)
        with leases.lease(reply_pulls.LEASE), pytest.raises(CommandError, match="Nothing was asked"):
            call_command("replies", "pull")

    def test_a_stop_that_nobody_has_applied_is_obeyed_before_anything_leaves(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup
    ) -> None:
        add_contacts(group, 3)
        campaign = drafts.create(name="A", application=application, sender_id="S", text="Hello", groups=[group])
        starting.launch(campaign.pk)
        audience.freeze(campaign.pk)
        inbox.store(kind="sms-reply", body=json.dumps(pushed(content="STOP")), source="127.0.0.1")

        sending.send(campaign.pk)

        assert sandbox.stats()["accepted"] == 2
        assert Message.objects.get(number=NUMBER).state == MessageState.SUPPRESSED

    def test_it_is_obeyed_behind_many_others_while_another_job_waits(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add_contacts(group, 3)
        campaign = drafts.create(name="A", application=application, sender_id="S", text="Hello", groups=[group])
        starting.launch(campaign.pk)
        audience.freeze(campaign.pk)
        for n in range(20):
            inbox.store(kind="sms-reply", body=json.dumps(pushed(content="Yes", msgid=f"m{n}")), source="127.0.0.1")
        inbox.store(kind="sms-reply", body=json.dumps(pushed(content="STOP")), source="127.0.0.1")
        monkeypatch.setattr(turns, "LEAST", 0.0)
        monkeypatch.setattr(taken_tasks, "is_task_waiting", lambda: True)

        sending.send(campaign.pk)

        assert SuppressionEntry.objects.filter(number=NUMBER).exists()
        assert not PushedBody.objects.filter(applied_at=None).exists()

    def launched_with_unread(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> Campaign:
        add_contacts(group, 2)
        self.answer(sandbox, "STOP")
        return sent(application, group, run_jobs)

    def test_a_launch_asks_first_and_obeys(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        campaign = self.launched_with_unread(sandbox, application, group, run_jobs)

        campaign.refresh_from_db()
        assert [message["number"] for message in sandbox.messages()] == ["919876500001"]
        assert (campaign.total, campaign.dropped_suppressed) == (1, 1)
        assert not events_saying("Replies could not be read", campaign.events.all()).exists()
        assert Reply.objects.get().campaign is None

    def test_a_launch_that_could_not_ask_goes_on_and_says_so(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        sandbox.set_faults(status="-15", status_calls=1, paths=["/recordMo"])

        campaign = self.launched_with_unread(sandbox, application, group, run_jobs)

        assert len(sandbox.messages()) == 2
        (said,) = events_saying("could not be read before", campaign.events.all()).values_list("text", flat=True)
        assert "-15" in said
        assert said.endswith("A STOP that lies unread at Laaffic is not known yet.")

    @pytest.mark.parametrize("trouble", ["slow", "busy"])
    def test_a_launch_waits_for_a_bounded_time(
        self,
        trouble: str,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
        settings: LazySettings,
    ) -> None:
        monkeypatch.setattr(reply_pulls, "BEFORE_LAUNCH_SECONDS", 0.05)
        if trouble == "busy":
            assert leases.take(reply_pulls.LEASE)
        else:
            settings.LAAFFIC_TIMEOUTS = (20.0, 1.0)
            account.laaffic_client.cache_clear()
            sandbox.set_faults(next_fault="hang", next_calls=1, paths=["/recordMo"])

        campaign = self.launched_with_unread(sandbox, application, group, run_jobs)

        assert len(sandbox.messages()) == 2
        assert events_saying("Replies could not be read before the launch", campaign.events.all()).count() == 1

    def test_an_application_without_campaigns_is_not_asked_about(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        assert not reply_pulls.anything_due()


class PageTests:
    @pytest.fixture
    def answered(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> Campaign:
        add_contacts(group, 1, name="Asha Rao")
        campaign = sent(application, group, run_jobs)
        now = in_vendors_zone(timezone.now())
        push(pushed(content="<b>Who</b> is this?", reply_time=now), pushed(content="STOP", reply_time=now))
        return campaign

    def test_beside_the_campaign_and_the_contact(self, admin_client: Client, answered: Campaign) -> None:
        contact = Contact.objects.get()

        for page in (
            f"/admin/messaging/campaign/{answered.pk}/change/",
            f"/admin/messaging/contact/{contact.pk}/change/",
            f"/admin/messaging/reply/?campaign__id__exact={answered.pk}",
        ):
            shown = admin_client.get(page).content.decode()
            assert "&lt;b&gt;Who&lt;/b&gt; is this?" in shown
            assert "Asha Rao" in shown
        assert "Suppressed: SMS" in shown

    def test_a_filter_shows_who_opted_out(self, admin_client: Client, answered: Campaign) -> None:
        shown = admin_client.get("/admin/messaging/reply/?stop=yes").content.decode()

        assert "STOP" in shown
        assert "is this?" not in shown

    def test_a_thousand_cost_a_few_queries(
        self, admin_client: Client, answered: Campaign, django_assert_max_num_queries: Any
    ) -> None:
        now = timezone.now()
        Reply.objects.bulk_create(
            Reply(key=str(n), number=str(919876500000 + n), content="Hi", at=now, received_at=now, source="push")
            for n in range(1000)
        )

        with django_assert_max_num_queries(12):
            assert admin_client.get("/admin/messaging/reply/").status_code == 200

    def test_what_the_list_shows_is_exported(self, admin_client: Client, answered: Campaign) -> None:
        push(pushed(content="=1+1"))

        answer = admin_client.get("/admin/messaging/reply/export/csv/?stop=no")
        table = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
        book = admin_client.get("/admin/messaging/reply/export/xlsx/?stop=yes")
        sheet = openpyxl.load_workbook(io.BytesIO(b"".join(book.streaming_content))).active

        assert [row["text"] for row in table] == ["'=1+1", "<b>Who</b> is this?"]
        assert table[1]["name"] == "Asha Rao"
        assert (sheet.max_row, sheet.cell(2, 3).value) == (2, "STOP")

    def test_who_may_not_see_replies_sees_none(self, client: Client, answered: Campaign) -> None:
        user = User.objects.create_user("staff", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=["view_contact", "view_campaign"]))
        client.force_login(user)

        assert client.get("/admin/messaging/reply/").status_code == 403
        assert client.get("/admin/messaging/reply/export/csv/").status_code == 403
        for page in (
            f"/admin/messaging/campaign/{answered.pk}/change/",
            f"/admin/messaging/contact/{Contact.objects.get().pk}/change/",
        ):
            assert "is this?" not in client.get(page).content.decode()
