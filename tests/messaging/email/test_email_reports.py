"""Submitted and delivered are two things; in whatever order they are told, the end is the same."""

import datetime as dt
import itertools
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry, OrphanReport, PushedBody, PushKind
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.inbox import inbox
from laaffic_console.gateway.services.work import leases, patience
from laaffic_console.laaffic import (
    DeliveryState,
    EmailDelivery,
    EmailSubmission,
    NotSent,
    Refused,
    SubmissionState,
    codes,
)
from laaffic_console.laaffic.email import EmailApi, EmailDeliveries
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Delivery, EmailCampaign, EmailCampaignState, EmailMessage, EmailTally, Submission
from messaging.services.email import callbacks as email_callbacks
from messaging.services.email import campaigns as email_campaigns
from messaging.services.email import counting as email_counting
from messaging.services.email import deliveries as email_deliveries
from messaging.services.email import reports as email_reports
from messaging.services.email.reports import Told
from messaging.services.reports.abnormal_ids import REFUSED_A_MINUTE, refused_lately

pytestmark = pytest.mark.django_db

State = EmailCampaignState


@pytest.fixture
def campaign(db: None) -> EmailCampaign:
    """One that Laaffic has."""
    cache.clear()
    application = Application.objects.create(app_id="fKFtblIy", channel="email")
    entry = LedgerEntry.objects.create(
        interface="email/batchSendEmail",
        application=application,
        about_kind="email campaign",
        state=EntryState.ACCEPTED,
        prepared_at=timezone.now(),
    )
    return EmailCampaign.objects.create(
        name="Spring",
        application=application,
        from_address="test@mailpush.laaffic.cn",
        receiver_id="1000",
        subject="hello",
        template_id="1",
        state=State.RUNNING,
        entry=entry,
        task_id="t1",
        sent_at=timezone.now(),
    )


def entry(**fields: str) -> dict[str, str]:
    given = {"taskId": "t1", "emailId": "e1", "toAddress": "ann@example.com", "emailState": "success", "remark": "ok"}
    return {**given, **fields}


def push(*entries: dict[str, Any], mark: str = "") -> None:
    inbox.store(kind=PushKind.EMAIL_REPORT, body=json.dumps(list(entries)), source=None, mark=mark)
    email_callbacks.INBOX.apply_waiting()


def delivery(email_id: str, state: DeliveryState) -> EmailDelivery:
    return EmailDelivery(email_id, "", state, "", timezone.now())


def fresh(campaign: EmailCampaign) -> EmailCampaign:
    return EmailCampaign.objects.get(pk=campaign.pk)


def agrees(campaign: EmailCampaign) -> bool:
    return email_counting.prove(fresh(campaign))["disagreements"] == []


def called_abnormal(monkeypatch: pytest.MonkeyPatch, is_abnormal: Callable[[str], bool]) -> list[list[str]]:
    """What is asked for, by a Laaffic that calls some ids abnormal and says of the others that they were delivered."""
    asked: list[list[str]] = []
    refused_lately.clear()

    def deliveries(family: EmailApi, *, app_id: str, email_ids: Sequence[str]) -> EmailDeliveries:
        asked.append(list(email_ids))
        if any(map(is_abnormal, email_ids)):
            raise Refused(
                interface="email/getSendEmailRcd",
                entry=codes.lookup(codes.Family.EMAIL, "-5"),
                reason="Field is empty or the query id is abnormal",
                http_status=200,
            )
        told = [EmailDelivery(email_id, "", DeliveryState.DELIVERED, "0", None) for email_id in email_ids]
        return EmailDeliveries(told, [], len(told), 0, 0, 0)

    monkeypatch.setattr(EmailApi, "deliveries", deliveries)
    return asked


def sent_and_told(at: dt.datetime) -> None:
    """The campaign was sent then, and each mail's callback came then."""
    EmailCampaign.objects.update(sent_at=at)
    EmailMessage.objects.update(told_at=at)


class CallbackTests:
    def test_each_mail_has_a_row_that_says_submitted_and_not_delivered(self, campaign: EmailCampaign) -> None:
        push(entry(), entry(emailId="e2", toAddress="Bob@Example.com", emailState="failure", remark="no such address"))

        ann, bob = EmailMessage.objects.order_by("pk")
        assert (ann.submission, ann.delivery) == (Submission.SUBMITTED, Delivery.PENDING)
        assert (bob.submission, bob.delivery, bob.address) == (Submission.FAILED, Delivery.NONE, "bob@example.com")
        counts = email_counting.counts(campaign)
        assert (counts["total"], counts["submitted"], counts["pending"], counts["not_submitted"]) == (2, 1, 1, 1)
        assert counts["delivered"] == 0
        assert email_counting.reasons(campaign) == [("no such address", 1)]
        assert agrees(campaign)

    def test_a_single_object_an_array_and_other_languages(self, campaign: EmailCampaign) -> None:
        body = json.dumps({"array": [entry(emailState="成功"), {"hello": "world"}]})
        inbox.store(kind=PushKind.EMAIL_REPORT, body=body, source=None, mark=campaign.mark)
        push(entry(emailId="e2", toAddress="b@example.com", emailState="enviado"))

        assert list(EmailMessage.objects.order_by("pk").values_list("submission", "raw_state")) == [
            (Submission.SUBMITTED, "成功"),
            (Submission.UNSAID, "enviado"),
        ]
        assert PushedBody.objects.order_by("pk").first().problems == ["a mail without emailId and toAddress"]

    def test_an_unknown_task_is_kept_shown_and_tried_again(self, campaign: EmailCampaign) -> None:
        push(entry(taskId="t2"))
        push(entry(taskId="t2"))
        orphan = OrphanReport.objects.get()
        assert (orphan.kind, orphan.order_id, orphan.gateway_id) == ("email-report", "t2", "e1")
        assert EmailMessage.objects.count() == 0

        EmailCampaign.objects.update(task_id="t2")
        OrphanReport.objects.update(next_try_at=timezone.now())
        email_callbacks.INBOX.apply_waiting()
        assert OrphanReport.objects.get().matched_at
        assert EmailMessage.objects.get().email_id == "e1"
        assert agrees(campaign)

    def test_a_mark_of_nobody_is_unknown_although_drafts_exist(self, campaign: EmailCampaign) -> None:
        EmailCampaign.objects.update(entry=None, state=State.DRAFT, task_id="")

        push(entry(), mark="f" * 32)

        assert OrphanReport.objects.count() == 1
        assert fresh(campaign).state == State.DRAFT

    def test_the_mark_of_a_draft_says_that_it_was_sent_and_the_backup_lacks_it(self, campaign: EmailCampaign) -> None:
        """A mark leaves in a request alone."""
        EmailCampaign.objects.update(entry=None, state=State.DRAFT, task_id="", sent_at=None)
        LedgerEntry.objects.all().delete()

        push(entry(), mark=campaign.mark)
        push(entry(emailId="e2"), mark=campaign.mark)

        now = fresh(campaign)
        assert (now.state, now.task_id, LedgerEntry.objects.get().state) == (State.RUNNING, "t1", EntryState.ACCEPTED)
        assert "restored" in now.events.latest("pk").text
        assert agrees(campaign)

    def test_a_second_task_under_one_mark_is_told_once(self, campaign: EmailCampaign) -> None:
        push(entry(taskId="t2"), entry(taskId="t2", emailId="e2"), mark=campaign.mark)
        push(entry(taskId="t2"), mark=campaign.mark)

        told = [event.text for event in campaign.events.all() if "second task" in event.text]
        assert told == ["Callbacks came for a second task, t2: the emails may have gone out twice"]

    def test_one_without_an_id_that_is_applied_again_is_no_further_mail(self, campaign: EmailCampaign) -> None:
        """Its address is on the list twice."""
        for email_id in ("", "e1", "e2", ""):
            push(entry(emailId=email_id))

        assert set(EmailMessage.objects.values_list("key", flat=True)) == {"e1", "e2"}
        assert email_counting.counts(campaign)["total"] == 2
        assert agrees(campaign)

    def test_a_callback_after_the_end_opens_it_again(self, campaign: EmailCampaign) -> None:
        EmailCampaign.objects.update(state=State.FINISHED)

        push(entry())

        assert fresh(campaign).state == State.RUNNING
        assert agrees(campaign)


def submission(email_id: str, address: str, state: SubmissionState, remark: str) -> Told:
    return Told("", EmailSubmission("t1", email_id, address, state, state.value, remark))


REPORTS: list[Any] = [
    submission("e1", "ann@example.com", SubmissionState.SUBMITTED, "ok"),
    submission("e1", "ann@example.com", SubmissionState.SUBMITTED, "fine"),
    submission("e1", "ann@example.com", SubmissionState.FAILED, "later it says otherwise"),
    submission("", "ann@example.com", SubmissionState.FAILED, "without an id"),
    submission("e2", "bob@example.com", SubmissionState.FAILED, "no such address"),
    submission("e3", "", SubmissionState.UNKNOWN, ""),
    submission("e4", "cat@example.com", SubmissionState.UNKNOWN, "odd"),
    submission("e4", "cat@example.com", SubmissionState.FAILED, "no such address"),
    delivery("e1", DeliveryState.FAILED),
    delivery("e1", DeliveryState.DELIVERED),
    delivery("e3", DeliveryState.PENDING),
]


def settle(campaign: EmailCampaign, report: Any) -> None:
    if isinstance(report, Told):
        assert email_reports.apply([report]) == [True]
    else:
        email_reports.apply_deliveries(campaign.pk, [report])


def ends(campaign: EmailCampaign) -> list[tuple[Any, ...]]:
    columns = ("key", "email_id", "address", "submission", "raw_state", "remark", "delivery")
    return list(EmailMessage.objects.filter(campaign=campaign).order_by("key").values_list(*columns))


@pytest.mark.thorough
class OrderTests:
    def test_callbacks_in_every_order_end_the_same(self, campaign: EmailCampaign) -> None:
        seen = set()
        for order in itertools.permutations(REPORTS[:4]):
            for report in order:
                settle(campaign, report)
            assert agrees(campaign)
            seen.add(str(ends(campaign)))
            EmailMessage.objects.all().delete()
            EmailTally.objects.all().delete()

        assert seen == {"[('e1', 'e1', 'ann@example.com', 20, 'submitted', 'ok', 10)]"}

    @pytest.mark.parametrize("is_late", [False, True])
    def test_unclear_and_not_submitted_end_the_same_in_every_order(
        self, campaign: EmailCampaign, is_late: bool
    ) -> None:
        """Also where nobody waited for its delivery any more when the second word came."""
        seen = set()
        for order in itertools.permutations(REPORTS[6:8]):
            for report in order:
                settle(campaign, report)
                if is_late:
                    email_reports.expire(campaign.pk, 0, told_before=timezone.now())
            assert agrees(campaign)
            seen.add(str(ends(campaign)))
            EmailMessage.objects.all().delete()
            EmailTally.objects.all().delete()

        assert seen == {"[('e4', 'e4', 'cat@example.com', 10, 'failed', 'no such address', 0)]"}

    @settings(max_examples=15, deadline=None)
    @given(st.lists(st.sampled_from(range(len(REPORTS))), max_size=12))
    def test_repeats_late_ones_and_contradictions_end_where_they_should(self, order: list[int]) -> None:
        for model in (EmailCampaign, LedgerEntry, Application):
            model.objects.all().delete()
        campaign = _running()
        # Whatever came before, then everything once; a delivery can only be asked for after its callback.
        for index in [*order, *range(len(REPORTS))]:
            settle(campaign, REPORTS[index])

        assert [(row[0], row[3], row[6]) for row in ends(campaign)] == [
            ("e1", Submission.SUBMITTED, Delivery.DELIVERED),
            ("e2", Submission.FAILED, Delivery.NONE),
            ("e3", Submission.UNSAID, Delivery.PENDING),
            ("e4", Submission.FAILED, Delivery.NONE),
        ]
        assert agrees(campaign)


def _running() -> EmailCampaign:
    application = Application.objects.create(app_id="fKFtblIy", channel="email")
    entry = LedgerEntry.objects.create(
        interface="x", application=application, about_kind="x", state=EntryState.ACCEPTED, prepared_at=timezone.now()
    )
    return EmailCampaign.objects.create(application=application, state=State.RUNNING, entry=entry, task_id="t1")


def mail_id(n: int) -> str:
    return str(2401010000000000000 + n)


def asked_for(monkeypatch: pytest.MonkeyPatch, *, fails_on: str = "") -> list[list[str]]:
    """The first and the last of each request, from now on."""
    asked: list[list[str]] = []
    really = EmailApi.deliveries

    def deliveries(family: EmailApi, *, app_id: str, email_ids: Sequence[str]) -> Any:
        asked.append([email_ids[0], email_ids[-1]])
        if fails_on in email_ids:
            raise NotSent("refused", interface="email/getSendEmailRcd")
        return really(family, app_id=app_id, email_ids=email_ids)

    monkeypatch.setattr(EmailApi, "deliveries", deliveries)
    return asked


class DeliveryTests:
    def due(self) -> None:
        EmailCampaign.objects.update(next_check_at=timezone.now())

    def test_the_record_says_delivered_and_the_end_is_computed(
        self, sandbox: RunningSandbox, campaign: EmailCampaign
    ) -> None:
        EmailCampaign.objects.update(receiver_count=2)
        emails = next(f for f in sandbox.sandbox.families if hasattr(f, "mails"))
        mails = emails._submit({}, "fKFtblIy", "t1", ["ann@example.com", "bob@example.com"], 0.0)
        mails[0].delivered, mails[1].delivered = True, False
        push(*(emails._told(mail) for mail in mails))
        assert fresh(campaign).next_check_at
        assert email_campaigns.waits_for(fresh(campaign)) == "It is not known yet whether 2 emails were delivered."

        self.due()
        email_deliveries.pull_due()

        counts = email_counting.counts(campaign)
        assert (counts["submitted"], counts["delivered"], counts["undelivered"]) == (2, 1, 1)
        assert (fresh(campaign).state, fresh(campaign).next_check_at) == (State.FINISHED, None)
        assert agrees(campaign)

    def test_450_mails_are_asked_for_in_three_calls(self, sandbox: RunningSandbox, campaign: EmailCampaign) -> None:
        push(*(entry(emailId=mail_id(n), toAddress=f"p{n}@example.com") for n in range(450)))
        self.due()
        email_deliveries.pull_due()

        assert sandbox.stats()["calls"]["/email/getSendEmailRcd"] == 3
        assert fresh(campaign).checks == 1
        wait = fresh(campaign).next_check_at - timezone.now()
        assert dt.timedelta(seconds=20) < wait < dt.timedelta(seconds=31)

    def test_a_turn_that_is_over_rings_for_the_rest(
        self, sandbox: RunningSandbox, campaign: EmailCampaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        push(entry())
        self.due()
        monkeypatch.setattr(email_deliveries.turns, "SECONDS", 0)
        rung: list[str] = []
        monkeypatch.setattr(email_deliveries.bell, "ring", rung.append)

        email_deliveries.pull_due()

        assert rung == [email_deliveries.JOB]
        assert "/email/getSendEmailRcd" not in sandbox.stats()["calls"]

    def test_who_has_lost_the_lease_stops_after_a_call(self, sandbox: RunningSandbox, campaign: EmailCampaign) -> None:
        push(*(entry(emailId=mail_id(n), toAddress=f"p{n}@example.com") for n in range(450)))
        lost = patience.Patience(leases.HeldLease("pull:email", "not ours", 20))

        email_deliveries.check(account.laaffic_client(), campaign, lost)

        assert sandbox.stats()["calls"]["/email/getSendEmailRcd"] == 1

    def test_it_goes_on_behind_what_was_asked_for_and_others_have_their_turn(
        self, sandbox: RunningSandbox, campaign: EmailCampaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(email_deliveries, "CALLS", 2)
        push(*(entry(emailId=mail_id(n), toAddress=f"p{n}@example.com") for n in range(900)))
        other = EmailCampaign.objects.create(
            application=campaign.application, state=State.RUNNING, entry=campaign.entry, task_id="t2"
        )
        EmailMessage.objects.create(
            campaign=other, key="o", email_id="77", delivery=Delivery.PENDING, told_at=timezone.now()
        )
        self.due()
        asked = asked_for(monkeypatch)

        email_deliveries.pull_due()

        assert asked == [
            [mail_id(0), mail_id(199)],
            [mail_id(200), mail_id(399)],
            ["77", "77"],
            [mail_id(400), mail_id(599)],
            [mail_id(600), mail_id(799)],
            [mail_id(800), mail_id(899)],
        ]
        assert (fresh(campaign).asked_to, fresh(campaign).checks) == (0, 1)

    def test_who_was_killed_is_followed_by_who_goes_on(
        self, sandbox: RunningSandbox, campaign: EmailCampaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        push(*(entry(emailId=mail_id(n), toAddress=f"p{n}@example.com") for n in range(450)))
        lost = patience.Patience(leases.HeldLease("pull:email", "not ours", 20))
        email_deliveries.check(account.laaffic_client(), campaign, lost)
        self.due()
        asked = asked_for(monkeypatch)

        email_deliveries.pull_due()

        assert asked == [[mail_id(200), mail_id(399)], [mail_id(400), mail_id(449)]]

    def test_a_request_that_fails_each_time_keeps_nobody_from_being_asked(
        self, sandbox: RunningSandbox, campaign: EmailCampaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        push(*(entry(emailId=mail_id(n), toAddress=f"p{n}@example.com") for n in range(450)))
        asked = asked_for(monkeypatch, fails_on=mail_id(0))

        for _n in range(2):
            self.due()
            email_deliveries.pull_due()

        assert asked == [[mail_id(0), mail_id(199)], [mail_id(200), mail_id(399)], [mail_id(400), mail_id(449)]]

    def test_one_that_laaffic_calls_abnormal_costs_the_others_nothing(
        self, sandbox: RunningSandbox, campaign: EmailCampaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        push(*(entry(emailId=mail_id(n), toAddress=f"p{n}@example.com") for n in range(199)))
        push(entry(emailId="bad", toAddress="bad@example.com"))

        asked = called_abnormal(monkeypatch, lambda email_id: email_id == "bad")
        self.due()
        email_deliveries.pull_due()

        pending = EmailMessage.objects.filter(delivery=Delivery.PENDING)
        assert list(pending.values_list("email_id", flat=True)) == ["bad"]
        assert EmailMessage.objects.filter(delivery=Delivery.DELIVERED).count() == 199
        assert len(asked) <= 17

    @pytest.mark.parametrize("is_past_window", [False, True])
    def test_where_nearly_all_are_abnormal_few_are_asked_for_in_a_minute_and_all_in_the_end(
        self,
        sandbox: RunningSandbox,
        campaign: EmailCampaign,
        monkeypatch: pytest.MonkeyPatch,
        settings: Any,
        is_past_window: bool,
    ) -> None:
        push(*(entry(emailId=mail_id(n), toAddress=f"p{n}@example.com") for n in range(450)))
        if is_past_window:
            window = dt.timedelta(hours=settings.REPORT_WINDOW_HOURS)
            sent_and_told(at=timezone.now() - window - dt.timedelta(hours=1))
        known = {mail_id(150), mail_id(449)}
        asked = called_abnormal(monkeypatch, lambda email_id: email_id not in known)
        rounds = 0
        while EmailMessage.objects.filter(email_id__in=known).exclude(delivery=Delivery.DELIVERED).exists():
            rounds += 1
            assert rounds < 15
            before = len(asked)
            self.due()
            email_deliveries.pull_due()
            assert len(asked) - before <= REFUSED_A_MINUTE + 10
            email_deliveries.pull_due()
            assert len(asked) - before <= REFUSED_A_MINUTE + 10  # it waits
            refused_lately.clear()  # a minute later

        assert {email_id for ids in asked for email_id in ids} == {mail_id(n) for n in range(450)}

    @pytest.mark.parametrize(("hours", "is_over"), [(23, False), (25, True)])
    def test_where_only_abnormal_ones_are_left_it_is_over_a_day_after_the_window(
        self,
        sandbox: RunningSandbox,
        campaign: EmailCampaign,
        monkeypatch: pytest.MonkeyPatch,
        settings: Any,
        hours: int,
        is_over: bool,
    ) -> None:
        push(*(entry(emailId=mail_id(n), toAddress=f"p{n}@example.com") for n in range(450)))
        window = dt.timedelta(hours=settings.REPORT_WINDOW_HOURS)
        sent_and_told(at=timezone.now() - window - dt.timedelta(hours=hours))
        asked = called_abnormal(monkeypatch, lambda email_id: True)
        self.due()

        email_deliveries.pull_due()

        assert 0 < len(asked) <= REFUSED_A_MINUTE + 10
        assert EmailMessage.objects.filter(delivery=Delivery.PENDING).exists() is not is_over
        assert (fresh(campaign).state == State.FINISHED, fresh(campaign).next_check_at is None) == (is_over, is_over)
        assert agrees(campaign)

    def test_too_many_abnormal_ids_of_one_campaign_leave_the_others_of_its_application_their_answers(
        self, sandbox: RunningSandbox, campaign: EmailCampaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = EmailCampaign.objects.get(pk=campaign.pk)
        other.pk, other.mark, other.task_id, other.entry = None, "a" * 32, "t2", None
        other.save()
        push(*(entry(emailId=mail_id(n), toAddress=f"p{n}@example.com") for n in range(200)))
        push(entry(emailId="known", toAddress="q@example.com", taskId="t2"))
        called_abnormal(monkeypatch, lambda email_id: email_id != "known")

        self.due()
        email_deliveries.pull_due()

        assert EmailMessage.objects.get(email_id="known").delivery == Delivery.DELIVERED

    @pytest.mark.parametrize("is_run_late", [True, False])
    def test_who_was_asked_for_within_the_window_has_a_last_question_behind_it(
        self,
        sandbox: RunningSandbox,
        campaign: EmailCampaign,
        monkeypatch: pytest.MonkeyPatch,
        settings: Any,
        is_run_late: bool,
    ) -> None:
        """A page failed within it; the next page comes past it, and would end those that were not asked for again."""
        push(*(entry(emailId=mail_id(n), toAddress=f"p{n}@example.com") for n in range(450)))
        window = dt.timedelta(hours=settings.REPORT_WINDOW_HOURS)
        now = timezone.now()
        sent_and_told(at=now - window + dt.timedelta(seconds=3600 if is_run_late else 20))
        asked = asked_for(monkeypatch, fails_on=mail_id(0))
        self.due()
        email_deliveries.pull_due()
        asked.clear()

        sent_and_told(at=now - window - dt.timedelta(seconds=60))
        EmailCampaign.objects.update(next_check_at=now - dt.timedelta(seconds=90))
        if not is_run_late:
            self.due()
        email_deliveries.pull_due()

        assert asked == [[mail_id(0), mail_id(199)]]

    def test_a_turn_that_is_over_expires_the_rest_in_the_next(
        self, sandbox: RunningSandbox, campaign: EmailCampaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        push(*(entry(emailId=mail_id(n), toAddress=f"p{n}@example.com") for n in range(3)))
        sent_and_told(at=timezone.now() - dt.timedelta(days=30))
        turn = email_deliveries.turns.Turn(0)

        assert not email_deliveries._expired(fresh(campaign), turn)
        assert email_deliveries._expired(fresh(campaign), turn)

    @pytest.mark.parametrize("mails", [3, 450])
    def test_past_the_window_it_ends_though_no_question_is_answered(
        self, sandbox: RunningSandbox, campaign: EmailCampaign, monkeypatch: pytest.MonkeyPatch, mails: int
    ) -> None:
        """Its application was closed, or one id of a page is bad: nothing else would ever end it."""
        push(*(entry(emailId=mail_id(n), toAddress=f"p{n}@example.com") for n in range(mails)))
        sent_and_told(at=timezone.now() - dt.timedelta(days=30))

        def refuse(*_args: Any, **_kwargs: Any) -> Any:
            raise NotSent("connection refused", interface="email/getSendEmailRcd")

        monkeypatch.setattr(EmailApi, "deliveries", refuse)
        for _page in range(1 + mails // 200):
            assert fresh(campaign).next_check_at < timezone.now() + dt.timedelta(minutes=11)
            self.due()
            email_deliveries.pull_due()

        assert set(EmailMessage.objects.values_list("delivery", flat=True)) == {Delivery.EXPIRED}
        assert fresh(campaign).state == State.FINISHED
        assert agrees(campaign)

    def test_past_the_window_each_mail_is_asked_for_once_however_short_the_turns(
        self, sandbox: RunningSandbox, campaign: EmailCampaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        push(*(entry(emailId=mail_id(n), toAddress=f"p{n}@example.com") for n in range(900)))
        sent_and_told(at=timezone.now() - dt.timedelta(days=30))
        monkeypatch.setattr(email_deliveries.turns.Turn, "is_over", lambda _turn: len(asked) % 2 == 0 and bool(asked))
        asked = asked_for(monkeypatch)

        for _n in range(12):
            EmailCampaign.objects.exclude(next_check_at=None).update(next_check_at=timezone.now())
            email_deliveries.pull_due()
            asked.append([])  # another turn

        pages = [page for page in asked if page]
        assert [page[0] for page in pages] == [mail_id(0), mail_id(200), mail_id(400), mail_id(600), mail_id(800)]
        assert fresh(campaign).state == State.FINISHED

    def test_no_answer_means_later_and_nothing_else(self, sandbox: RunningSandbox, campaign: EmailCampaign) -> None:
        push(entry())
        sandbox.set_faults(status="-23", status_calls=1)
        self.due()
        email_deliveries.pull_due()

        assert email_counting.counts(campaign)["pending"] == 1
        assert fresh(campaign).next_check_at > timezone.now()

    def test_past_the_window_it_is_never_told_and_a_late_record_still_counts(
        self, sandbox: RunningSandbox, campaign: EmailCampaign
    ) -> None:
        push(entry())
        sent_and_told(at=timezone.now() - dt.timedelta(days=30))
        self.due()
        email_deliveries.pull_due()
        assert EmailMessage.objects.get().delivery == Delivery.EXPIRED
        assert fresh(campaign).state == State.FINISHED

        email_reports.apply_deliveries(campaign.pk, [delivery("e1", DeliveryState.DELIVERED)])
        assert EmailMessage.objects.get().delivery == Delivery.DELIVERED
        assert agrees(campaign)

    def test_each_mail_has_its_own_window(self, sandbox: RunningSandbox, campaign: EmailCampaign) -> None:
        """An automation at Laaffic sends on for weeks."""
        push(entry())
        sent_and_told(at=timezone.now() - dt.timedelta(days=30))
        push(entry(emailId=mail_id(2), toAddress="late@example.com"))
        self.due()

        email_deliveries.pull_due()

        mails = EmailMessage.objects.order_by("pk").values_list("delivery", flat=True)
        assert list(mails) == [Delivery.EXPIRED, Delivery.PENDING]
        assert fresh(campaign).state == State.RUNNING
        sent_and_told(at=timezone.now() - dt.timedelta(days=30))
        self.due()
        email_deliveries.pull_due()
        assert list(mails.all()) == [Delivery.EXPIRED, Delivery.EXPIRED]
        assert fresh(campaign).state == State.FINISHED

    def test_without_the_lists_size_an_hour_of_silence_ends_it(self, campaign: EmailCampaign) -> None:
        push(entry(emailState="failure"))
        assert not email_campaigns.finish_if_done(campaign.pk)
        assert "how many are on the list is not known" in email_campaigns.waits_for(fresh(campaign))

        EmailCampaign.objects.update(last_report_at=timezone.now() - dt.timedelta(minutes=61))
        assert email_campaigns.finish_if_done(campaign.pk)

    def test_a_list_that_was_empty_is_said_to_be(self, campaign: EmailCampaign) -> None:
        EmailCampaign.objects.update(receiver_count=0)
        assert email_campaigns.waits_for(fresh(campaign)).startswith("The list was empty as of the last look-up.")

        push(entry(emailState="failure"))
        assert "how many are on the list is not known" in email_campaigns.waits_for(fresh(campaign))
        EmailCampaign.objects.update(last_report_at=timezone.now() - dt.timedelta(minutes=61))
        assert email_campaigns.finish_if_done(campaign.pk)

    def test_a_list_of_four_waits_for_the_fourth(self, campaign: EmailCampaign) -> None:
        EmailCampaign.objects.update(receiver_count=4)
        push(entry(emailState="failure"))

        assert email_campaigns.waits_for(fresh(campaign)) == "Laaffic has reported 1 of the 4 addresses on the list."
        assert email_counting.progress(fresh(campaign))["percent"] == 25


class ProofTests:
    def test_prove_names_a_figure_that_disagrees(self, campaign: EmailCampaign) -> None:
        push(entry())
        EmailTally.objects.update(messages=7)

        assert "pending: the campaign says 7, its mails say 1" in email_counting.prove(campaign)["disagreements"]
