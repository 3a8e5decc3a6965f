"""Who is told of what, grouped and bounded; never whoever did it, never who may not see it."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from laaffic_console.events.models import Event
from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.account import balance_history
from laaffic_console.gateway.services.work import leases
from laaffic_console.kit.words.said import gettext, read
from laaffic_console.laaffic import Balance
from laaffic_console.notices import subjects
from laaffic_console.notices.kinds import Notify
from laaffic_console.notices.models import Choice, Notice, Postbox, Waiting
from laaffic_console.notices.services import choices, handing_out, mailing, reading, retention, taking
from messaging.models import Budget, Campaign, CampaignState, ContactGroup, ContactImport, EmailCampaign
from messaging.services import events
from messaging.services.approvals import approvals
from messaging.services.budgets import budget_gate, budgets
from messaging.services.campaigns import drafts, states
from messaging.services.imports import imports
from tests.messaging.conftest import add_contacts
from tests.notices.conftest import Person
from voice.models import GroupTask

pytestmark = pytest.mark.django_db


def told(user: User) -> list[str]:
    handing_out.hand_out()
    return [notice.words for notice in Notice.objects.filter(user=user).order_by("pk")]


def launched(application: Application, by: User | None, name: str = "Autumn") -> Campaign:
    campaign = Campaign.objects.create(name=name, application=application, text="Hi", created_by=by, launched_by=by)
    Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.RUNNING)
    return campaign


def later(by: dt.timedelta) -> None:
    """As if all that has been told had been told so much earlier."""
    Notice.objects.update(first_at=F("first_at") - by, last_at=F("last_at") - by, mail_at=F("mail_at") - by)
    Postbox.objects.update(next_at=F("next_at") - by)


class ApprovalTests:
    @pytest.fixture
    def draft(self, application: Application, group: ContactGroup, person: Person, settings: Any) -> Campaign:
        settings.LAAFFIC_APPROVAL_RECIPIENTS = 1
        self.ann, self.bob = person("ann", "Operator", "Approver"), person("bob", "Approver")
        self.cem, self.dan = person("cem", "Operator", "Approver"), person("dan", "Operator")
        add_contacts(group, 3)
        return drafts.create(
            name="Autumn", application=application, sender_id="", text="Hi", groups=[group], by=self.cem
        )

    def test_approvers_are_told_but_neither_its_author_nor_who_asks(self, draft: Campaign) -> None:
        approvals.ask(draft.pk, by=self.ann)

        assert told(self.bob) == ["ann asks for approval of “Autumn”"]
        assert not told(self.ann)
        assert not told(self.cem)
        assert not told(self.dan)

    @pytest.mark.parametrize(("approve", "says"), [(True, "bob approved “Autumn”"), (False, "bob refused")])
    def test_the_answer_goes_to_who_asked(self, draft: Campaign, approve: bool, says: str) -> None:
        approvals.ask(draft.pk, by=self.ann)
        handing_out.hand_out()

        approvals.decide(draft.pk, by=self.bob, approve=approve, note="Too many")

        [said] = told(self.ann)
        assert said.startswith(says)
        assert len(told(self.bob)) == 1

    def test_approvers_are_told_that_they_are_asked_no_more(self, draft: Campaign) -> None:
        approvals.ask(draft.pk, by=self.ann)

        approvals.withdraw(draft.pk, by=self.ann)

        assert told(self.bob) == ["ann asks for approval of “Autumn”", "ann no longer asks for approval of “Autumn”"]
        assert not told(self.ann)
        assert not told(self.dan)

    @pytest.mark.parametrize("is_at_once", [False, True])
    def test_a_request_that_is_over_is_read(self, draft: Campaign, person: Person, *, is_at_once: bool) -> None:
        """By every approver, also by those who did not answer it; asked again it is a new one."""
        eve = person("eve", "Approver")
        approvals.ask(draft.pk, by=self.ann)
        if not is_at_once:
            handing_out.hand_out()
        approvals.withdraw(draft.pk, by=self.ann)
        handing_out.hand_out()
        mailing.send_due()
        unread = [notice.kind for who in (self.bob, eve) for notice in reading.unread(who)]
        mailed = len(mail.outbox)
        Notice.objects.update(read_at=timezone.now())

        approvals.ask(draft.pk, by=self.ann)
        handing_out.hand_out()
        asked = reading.count(eve)
        approvals.decide(draft.pk, by=self.bob, approve=True)
        handing_out.hand_out()

        assert (unread, mailed) == (2 * [Notify.WITHDRAWN], 0)
        assert (asked, reading.count(eve), reading.count(self.bob)) == (1, 0, 0)

    def test_who_asks_again_after_a_refusal_is_mailed_again(self, draft: Campaign) -> None:
        approvals.ask(draft.pk, by=self.ann)
        handing_out.hand_out()
        mailing.send_due()
        approvals.decide(draft.pk, by=self.bob, approve=False, note="Too many")

        approvals.ask(draft.pk, by=self.ann)
        handing_out.hand_out()
        mailing.send_due()
        asked = [post for post in mail.outbox if post.to == [self.bob.email]]
        assert len(asked) == 1  # at most one in ten minutes

        Postbox.objects.update(next_at=timezone.now() - dt.timedelta(seconds=1))
        mailing.send_due()
        asked = [post for post in mail.outbox if post.to == [self.bob.email]]
        assert len(asked) == 2

    def test_an_edit_that_voids_it_is_told_to_who_asked(self, draft: Campaign) -> None:
        approvals.ask(draft.pk, by=self.ann)
        draft.text = "Another"
        draft.save()

        approvals.void_if_changed(draft, by=self.cem)

        assert told(self.ann) == ["The approval of “Autumn” is void: it was changed"]

    def test_who_edits_it_themselves_is_not_told(self, draft: Campaign) -> None:
        approvals.ask(draft.pk, by=self.ann)
        draft.text = "Another"
        draft.save()

        approvals.void_if_changed(draft, by=self.ann)

        assert not told(self.ann)


class CampaignTests:
    def test_who_launched_it_is_told_that_it_is_held(self, application: Application, person: Person) -> None:
        ann, bob = person("ann", "Operator"), person("bob", "Operator", "Administrator")
        states.hold(launched(application, ann).pk, "Too many errors.")

        assert told(ann) == ["“Autumn” is held: Too many errors."]
        assert not told(bob)

    @pytest.mark.parametrize("about", ["campaign", "email_campaign", "group_task"])
    @pytest.mark.parametrize("kind", [Notify.HELD, Notify.FINISHED, Notify.DRIFT, Notify.UNKNOWN])
    def test_where_its_launchers_account_is_closed_its_author_is_told_and_else_who_settles_it(
        self, application: Application, person: Person, about: str, kind: Notify
    ) -> None:
        ann, bob, cem = person("ann", "Operator"), person("bob", "Operator"), person("cem", "Approver", "Operator")
        given = {"name": "Autumn", "application": application, "launched_by": ann, "created_by": bob}
        row = {"campaign": Campaign, "email_campaign": EmailCampaign, "group_task": GroupTask}[about]
        key = f"{about}:{row._default_manager.create(**given).pk}"

        def told_of_it() -> set[User]:
            Notice.objects.all().delete()
            taking.tell(kind, key, {"name": "Autumn"})
            handing_out.hand_out()
            return {notice.user for notice in Notice.objects.all()}

        subject = subjects.of(about)
        assert subject is not None
        settle = {one for one in (ann, bob, cem) if one.has_perm(subject.act)}
        others = settle if kind == Notify.UNKNOWN else set()
        assert told_of_it() == {ann} | others
        User.objects.filter(pk=ann.pk).update(is_active=False)
        assert told_of_it() == {bob} | others - {ann}
        bob.groups.clear()
        assert cem in settle
        assert told_of_it() == (set() if kind == Notify.FINISHED else settle - {ann, bob})

    def test_who_may_see_no_campaigns_any_more_is_told_nothing(self, application: Application, person: Person) -> None:
        ann = person("ann")
        states.hold(launched(application, ann).pk, "Too many errors.")

        assert not told(ann)

    def test_what_was_told_is_hidden_from_who_has_lost_the_right(
        self, application: Application, person: Person
    ) -> None:
        ann = person("ann", "Operator")
        states.hold(launched(application, ann).pk, "Too many errors.")
        handing_out.hand_out()
        assert reading.count(User.objects.get(pk=ann.pk)) == 1

        ann.groups.clear()

        assert reading.count(User.objects.get(pk=ann.pk)) == 0

    def test_a_rollback_tells_nobody(self, application: Application, person: Person) -> None:
        campaign = launched(application, person("ann", "Operator"))
        with transaction.atomic():
            states.hold(campaign.pk, "Too many errors.")
            transaction.set_rollback(True)

        assert not Waiting.objects.exists()

    def test_the_same_again_is_counted_on_its_row(self, application: Application, person: Person) -> None:
        ann = person("ann", "Operator")
        campaign = launched(application, ann)
        for _turn in range(3):
            states.hold(campaign.pk, "Too many errors.")
            assert told(ann)
            Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.RUNNING)

        assert told(ann) == ["“Autumn” is held: Too many errors. (3 times)"]

    def test_what_happens_every_forty_minutes_is_mailed_each_time(
        self, application: Application, person: Person
    ) -> None:
        campaign = launched(application, person("ann", "Operator"))
        for _turn in range(3):
            states.hold(campaign.pk, "Too many errors.")
            handing_out.hand_out()
            mailing.send_due()
            Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.RUNNING)
            later(dt.timedelta(minutes=40))

        assert len(mail.outbox) == 3

    def test_the_row_that_counts_the_rest_is_mailed_once_an_hour(
        self, application: Application, person: Person, settings: Any
    ) -> None:
        settings.NOTICES_AN_HOUR = 0
        ann = person("ann", "Operator")
        mails = []
        for n in range(4):
            states.hold(launched(application, ann, f"C{n}").pk, "No funds.")
            handing_out.hand_out()
            mailing.send_due()
            mails.append(len(mail.outbox))
            later(dt.timedelta(minutes=40))

        assert mails == [1, 1, 2, 2]

    def test_what_was_read_is_told_anew(self, application: Application, person: Person) -> None:
        ann = person("ann", "Operator")
        campaign = launched(application, ann)
        states.hold(campaign.pk, "Too many errors.")
        handing_out.hand_out()
        reading.mark(ann, Notice.objects.get().pk)
        Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.RUNNING)

        states.hold(campaign.pk, "Too many errors.")

        assert len(told(ann)) == 2

    def test_many_holds_are_few_rows_and_one_mail(self, application: Application, person: Person) -> None:
        ann = person("ann", "Operator")
        many = [
            Campaign(name=f"C{n}", application=application, text="Hi", launched_by=ann, state=CampaignState.RUNNING)
            for n in range(150)
        ]
        for campaign in Campaign.objects.bulk_create(many):
            states.hold(campaign.pk, "No funds.")

        with CaptureQueriesContext(
            connection,
        ) as asked:
            handing_out.hand_out()
        mailing.send_due()
        mailing.send_due()

        assert Notice.objects.filter(user=ann).count() == 21
        assert told(ann)[-1] == "130 more within this hour: 130 × Your campaign is held"
        assert len(mail.outbox) == 1
        assert len(asked) < 60

    @pytest.mark.parametrize("kind", [Campaign.Kind.QUICK, Campaign.Kind.TEST])
    def test_that_a_single_message_has_finished_is_no_news(
        self, application: Application, person: Person, kind: Campaign.Kind
    ) -> None:
        ann = person("ann", "Operator")
        single, campaign = (launched(application, ann, name) for name in ("API", "Autumn"))
        Campaign.objects.filter(pk=single.pk).update(kind=kind)
        for one in (single, campaign):
            taking.tell(Notify.FINISHED, f"campaign:{one.pk}", {"name": one.name})
        taking.tell(Notify.HELD, f"campaign:{single.pk}", {"name": "API", "reason": "No funds."})

        assert sorted(told(ann)) == ["“API” is held: No funds.", "“Autumn” has finished"]

    @pytest.mark.parametrize("at_once", [True, False])
    def test_what_only_informs_takes_no_room_of_what_asks(
        self, application: Application, person: Person, settings: Any, at_once: bool
    ) -> None:
        settings.NOTICES_AN_HOUR = 2
        ann = person("ann", "Operator")
        for n in range(4):
            taking.tell(Notify.FINISHED, f"campaign:{launched(application, ann, f'F{n}').pk}", {"name": f"F{n}"})
        if not at_once:
            handing_out.hand_out()
        for n in range(3):
            states.hold(launched(application, ann, f"H{n}").pk, "No funds.")

        assert sorted(told(ann)) == [
            "3 more within this hour: 2 × Your campaign has finished; 1 × Your campaign is held",
            *("“F0” has finished", "“F1” has finished", "“H0” is held: No funds.", "“H1” is held: No funds."),
        ]

    def test_what_somebody_has_mailed_is_not_swallowed_by_what_only_rings(
        self, application: Application, person: Person, settings: Any
    ) -> None:
        settings.NOTICES_AN_HOUR = 1
        ann = person("ann", "Operator")
        choices.keep(ann, {Notify.FINISHED: (True, True)})
        for n in range(2):
            asked = {"name": f"G{n}", "by": "bob", "asked_by": "ann"}
            taking.tell(Notify.GIVEN, f"approval:campaign:{launched(application, ann).pk}", asked)
        taking.tell(Notify.FINISHED, f"campaign:{launched(application, ann).pk}", {"name": "Autumn"})

        assert "“Autumn” has finished" in told(ann)


def test_a_second_run_tells_nothing_more(application: Application, person: Person) -> None:
    ann = person("ann", "Operator")
    states.hold(launched(application, ann).pk, "Too many errors.")

    assert told(ann) == told(ann)


@pytest.mark.parametrize(
    ("currency", "said"),
    [
        ("USD", "The balance is 10.00 USD, under its limit of 50.00 USD"),
        ("", "The balance is 10.00, under its limit of 50.00"),
    ],
)
def test_who_owns_the_console_is_told_of_a_low_balance(person: Person, settings: Any, currency: str, said: str) -> None:
    settings.LAAFFIC_BALANCE_ALERT = Decimal(50)
    owner, ann = person("owner", "Administrator"), person("ann", "Operator")

    balance_history.record(Balance(Decimal(10), None, None, currency))

    assert told(owner) == [said]
    assert not told(ann)


def test_a_budget_is_told_at_four_fifths_and_when_it_is_used_up(application: Application, person: Person) -> None:
    approver = person("bob", "Approver")
    budget = budgets.put(application, per=Budget.Per.DAY, limit=Decimal(10))
    gate = budget_gate.BudgetGate(launched(application, None), [budget])
    [counter] = gate.counters()
    counter.used = 8
    gate._warn(counter, budget)
    gate._warn(counter, budget)
    handing_out.hand_out()
    mailing.send_due()
    counter.used = 10
    gate._say_used_up(counter, budget)
    gate._say_used_up(counter, budget)

    said = [read(one) for one in Waiting.objects.order_by("pk").values_list("said__reason", flat=True)]
    assert [("80%" in one, "used up" in one) for one in said] == [(False, True)]
    assert len(told(approver)) == 1  # one budget, one row
    Postbox.objects.update(next_at=timezone.now() - dt.timedelta(seconds=1))
    mailing.send_due()
    assert ["80%" in post.subject for post in mail.outbox] == [True, False]


def test_without_a_bell_an_hour_begins_with_the_first(application: Application, person: Person) -> None:
    ann = person("ann", "Operator")
    Choice.objects.create(user=ann, kind=Notify.HELD, bell=False, email=True)
    campaign = launched(application, ann)
    for _hour in range(3):
        states.hold(campaign.pk, "Too many errors.")
        handing_out.hand_out()
        Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.RUNNING)
        Notice.objects.update(
            first_at=F("first_at") - dt.timedelta(minutes=40), last_at=F("last_at") - dt.timedelta(minutes=40)
        )

    assert list(Notice.objects.order_by("pk").values_list("count", flat=True)) == [2, 1]


def test_an_import_is_told_to_who_began_it(person: Person) -> None:
    ann, bob = person("ann", "Operator"), person("bob", "Operator")
    job = ContactImport.objects.create(
        file_name="list.csv", file="list.csv", created_by=ann, state="running", rows=3, added=2, invalid=1
    )

    imports._end(job, ContactImport.State.CANCELLED, "")

    assert told(ann) == ["The import of list.csv is done: 2 added, 0 updated, 1 invalid"]
    assert not told(bob)


class ChoiceTests:
    def test_who_wants_nothing_gets_no_row(self, application: Application, person: Person) -> None:
        ann = person("ann", "Operator")
        choices.keep(ann, {Notify.HELD: (False, False)})
        states.hold(launched(application, ann).pk, "Too many errors.")

        assert not told(ann)

    def test_email_alone_is_not_under_the_bell(self, application: Application, person: Person) -> None:
        ann = person("ann", "Operator")
        choices.keep(ann, {Notify.HELD: (False, True)})
        states.hold(launched(application, ann).pk, "Too many errors.")
        handing_out.hand_out()

        mailing.send_due()

        assert reading.count(ann) == 0
        assert [post.to for post in mail.outbox] == [["ann@example.com"]]

    def test_what_is_as_the_console_has_it_is_not_kept(self, person: Person) -> None:
        ann = person("ann")
        choices.keep(ann, {kind: (bell, email) for kind, bell, email in choices.table(ann)})

        assert not choices.Choice.objects.exists()


def test_old_notices_are_removed(person: Person, settings: Any) -> None:
    ann = person("ann")
    for days in (59, 61):
        Notice.objects.create(user=ann, kind=Notify.HELD, last_at=timezone.now() - dt.timedelta(days=days))

    assert retention.sweep() == 1
    assert Notice.objects.count() == 1


def test_nothing_of_single_messages_is_wanted() -> None:
    assert not [kind for kind in taking.wanted() if kind.startswith(("message.", "reply.", "contact."))]


def test_why_it_is_held_is_said_in_its_readers_language(application: Application, person: Person) -> None:
    ann = person("ann", "Operator")
    campaign = launched(application, ann)
    campaign.state = CampaignState.HELD
    with translation.override("zh-hans"):
        campaign.hold_reason = gettext("Approval refused: %(why)s") % {"why": "cost"}
        events.campaign_moved(campaign, CampaignState.RUNNING)

    assert told(ann) == [f"“{campaign.name}” is held: Approval refused: cost"]
    with translation.override("zh-hans"):
        [notice] = told(ann)
    assert "cost" in notice
    assert "refused" not in notice
    assert Event.objects.get().facts["reason"] == "Approval refused: cost"  # what scripts get is English


class RoundTests:
    def waiting(self, *abouts: str) -> None:
        for about in abouts:
            Waiting.objects.create(kind=Notify.HELD, about=about, at=timezone.now())

    def test_a_lost_bell_is_rung_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rung: list[str] = []
        monkeypatch.setattr(handing_out.bell, "ring", rung.append)

        handing_out.ring_for_waiting()
        assert rung == []
        self.waiting("campaign:1")
        handing_out.ring_for_waiting()

        assert rung == [handing_out.JOB]

    def test_what_is_about_a_kind_that_is_gone_is_told_to_nobody(self, person: Person) -> None:
        person("ann", "Operator")
        self.waiting("bird:1")

        handing_out.hand_out()

        assert not Waiting.objects.exists()
        assert not Notice.objects.exists()

    @pytest.mark.parametrize(("keeps_it", "left"), [(True, 0), (False, 2)])
    def test_rounds_follow_each_other_while_the_lease_is_kept(
        self, monkeypatch: pytest.MonkeyPatch, keeps_it: bool, left: int
    ) -> None:
        monkeypatch.setattr(handing_out, "AT_ONCE", 1)
        monkeypatch.setattr(leases.HeldLease, "renew", lambda _lease: keeps_it)
        self.waiting("campaign:1", "campaign:2", "campaign:3")

        handing_out.hand_out()

        assert Waiting.objects.count() == left
