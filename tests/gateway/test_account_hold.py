"""The account's hold: one refusal stops everything, a probe that Laaffic accepts lets it go on."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ

from laaffic_console.gateway import jobs as gateway_jobs
from laaffic_console.gateway.models import AccountHold, Application, LedgerEntry
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.gateway.services.work import leases, turns
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.laaffic import Balance, Family, LaafficClient, OutcomeUnknown, Refused, lookup
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.jobs import follow_account
from messaging.models import Campaign, CampaignState, ContactGroup
from messaging.services.audience import audience
from messaging.services.batches import claiming
from messaging.services.campaigns import campaigns, drafts, starting, states
from messaging.services.sending import sending
from messaging.services.tallies import counting
from tests.messaging.conftest import add_contacts, group, point_at, run_jobs

__all__ = ["group", "run_jobs"]

pytestmark = pytest.mark.django_db(transaction=True)

CREDENTIAL_CODES = ["-1", "-2", "-13", "-29", "-30", "-31"]


def refused(code: str, family: Family = Family.SMS) -> Refused:
    return Refused(interface="sendSms", entry=lookup(family, code), reason="", http_status=200)


def a_call(application: Application) -> LedgerEntry:
    return ledger.prepare(interface="sendSms", application=application, about_kind="x", about_id=None, summary={})


def due_now() -> None:
    AccountHold.objects.update(next_probe_at=timezone.now() - dt.timedelta(seconds=1))


@pytest.fixture
def other(db: None) -> Application:
    return Application.objects.create(app_id="other", channel="sms")


class PlaceTests:
    @pytest.mark.parametrize("code", ["-10", *CREDENTIAL_CODES])
    def test_it_stops_every_application_with_one_sentence(
        self, application: Application, other: Application, code: str
    ) -> None:
        account_hold.place(refused(code), entry_id=a_call(application).pk)

        hold = AccountHold.objects.get()
        assert (hold.code, hold.entry.application) == (code, application)
        assert hold.sentence.startswith(f"Laaffic refused with {code}: ")
        assert account_hold.is_held(application.pk)
        assert account_hold.stop_for(other.pk) == hold

    def test_a_key_without_permission_stops_one_application(self, application: Application, other: Application) -> None:
        account_hold.place(refused("-32"), entry_id=a_call(application).pk)

        assert account_hold.is_held(application.pk)
        assert not account_hold.is_held(other.pk)

    def test_a_second_refusal_changes_nothing(self, application: Application) -> None:
        account_hold.place(refused("-10"), entry_id=a_call(application).pk)
        account_hold.place(refused("-1"), entry_id=a_call(application).pk)

        assert AccountHold.objects.get().code == "-10"

    def test_it_rings_for_those_who_follow_once(self, application: Application) -> None:
        account_hold.place(refused("-10"))
        account_hold.place(refused("-10"))

        assert [task.task["func"] for task in OrmQ.objects.all()] == ["messaging.jobs.follow_account"]


class DepartTests:
    def test_nothing_leaves_while_it_holds(self, application: Application, other: Application) -> None:
        mine, others = a_call(application), a_call(other)
        account_hold.place(refused("-32"), entry_id=mine.pk)

        assert ledger.depart(mine.pk, unless_held=True) is None
        assert ledger.depart(others.pk, unless_held=True) is not None

    def test_what_is_about_no_application_is_stopped_by_the_account_alone(self, application: Application) -> None:
        account_hold.place(refused("-32"), entry_id=a_call(application).pk)
        entry = ledger.prepare(interface="x", application=None, about_kind="x", about_id=None, summary={})
        assert ledger.depart(entry.pk, unless_held=True) is not None
        account_hold.place(refused("-1"))
        entry = ledger.prepare(interface="x", application=None, about_kind="x", about_id=None, summary={})

        assert ledger.depart(entry.pk, unless_held=True) is None

    def test_it_is_looked_at_in_the_statement_that_lets_it_leave(
        self, application: Application, django_assert_num_queries: Any
    ) -> None:
        entry = a_call(application)
        pragmas = 2 if connection.vendor == "sqlite" else 0

        with django_assert_num_queries(1 + pragmas):
            ledger.depart(entry.pk, unless_held=True)

    def test_once_it_has_ended_calls_leave(self, application: Application) -> None:
        entry = a_call(application)
        account_hold.place(refused("-1"))
        account_hold.release(AccountHold.objects.get().pk, because="a test")

        assert ledger.depart(entry.pk, unless_held=True) is not None


class ProbeTests:
    def test_credentials_that_are_accepted_end_it(self, sandbox: RunningSandbox) -> None:
        account_hold.place(refused("-1"))
        due_now()

        account_hold.probe()

        hold = AccountHold.objects.get()
        assert hold.released_at is not None
        assert hold.released_because == "Laaffic accepts the credentials."

    def test_a_refusal_ends_what_only_waits_for_an_answer(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        account_hold.place(refused("-1"))
        AccountHold.objects.update(code=account_hold.LOST)
        due_now()
        sandbox.set_faults(status="-1", status_calls=1)

        account_hold.probe()

        assert AccountHold.objects.get().released_because == "Laaffic answers again."

    def test_a_refusal_of_another_kind_leaves_its_sentence(self, sandbox: RunningSandbox) -> None:
        account_hold.place(refused("-1"))
        before = AccountHold.objects.get()
        due_now()
        sandbox.set_faults(status="-3", status_calls=1)

        account_hold.probe()

        hold = AccountHold.objects.get()
        assert (hold.released_at, hold.sentence, hold.code) == (None, before.sentence, "-1")
        assert hold.next_probe_at > timezone.now()

    def test_before_its_time_nobody_is_asked(self, sandbox: RunningSandbox) -> None:
        account_hold.place(refused("-1"))

        account_hold.probe()

        assert not account_hold.probe_due()
        assert sandbox.stats()["calls"].get("/getBalance", 0) == 0

    def test_credentials_that_are_still_wrong_keep_it_and_wait_longer(
        self, sandbox: RunningSandbox, settings: Any
    ) -> None:
        settings.LAAFFIC_API_SECRET = "wrong"
        account.laaffic_client.cache_clear()
        account_hold.place(refused("-1"))
        due_now()

        account_hold.probe()

        hold = AccountHold.objects.get()
        assert (hold.released_at, hold.probe_wait) == (None, 2 * account_hold.FIRST_PROBE)
        assert "-1" in hold.last_answer
        assert not account_hold.probe_due()

    def test_another_refusal_changes_the_sentence(self, sandbox: RunningSandbox) -> None:
        sandbox.set_faults(status="-30", status_calls=1)
        account_hold.place(refused("-10"))
        due_now()

        account_hold.probe()

        hold = AccountHold.objects.get()
        assert hold.code == "-30"
        assert "API key disabled" in hold.sentence

    @pytest.mark.parametrize(("funds", "ends"), [(0.0, False), (-3.0, False), (0.5, True)])
    def test_a_lack_of_money_ends_with_funds(self, sandbox: RunningSandbox, funds: float, ends: bool) -> None:
        sandbox.sandbox.options.balance = funds
        account_hold.place(refused("-10"))
        due_now()

        account_hold.probe()

        assert (AccountHold.objects.get().released_at is not None) == ends

    def test_funds_that_were_too_little_once_must_grow(self, sandbox: RunningSandbox) -> None:
        sandbox.sandbox.options.balance = 0.01
        account_hold.place(refused("-10"))
        account_hold.probe(at_once=True)
        account_hold.place(refused("-10"))

        account_hold.probe(at_once=True)
        assert AccountHold.objects.filter(released_at=None).exists()

        sandbox.sandbox.options.balance = 5.0
        account_hold.probe(at_once=True)
        assert not AccountHold.objects.filter(released_at=None).exists()

    def test_a_smaller_top_up_than_the_last_one_ends_it_too(self, sandbox: RunningSandbox) -> None:
        account_hold.place(refused("-10"))
        sandbox.sandbox.options.balance = 100.0
        account_hold.probe(at_once=True)
        account_hold.place(refused("-10"))  # when all of it is spent
        for balance, is_held in ((0.01, True), (0.01, True), (50.0, False)):
            sandbox.sandbox.options.balance = balance
            account_hold.probe(at_once=True)

            assert AccountHold.objects.filter(released_at=None).exists() == is_held, balance

    def test_what_was_too_little_is_read_before_anybody_tops_it_up(self, sandbox: RunningSandbox) -> None:
        account_hold.place(refused("-10"))
        sandbox.sandbox.options.balance = 100.0
        account_hold.probe(at_once=True)
        sandbox.sandbox.options.balance = 0.01
        account_hold.place(refused("-10"))  # when all of it is spent

        account_hold.probe()
        assert AccountHold.objects.get(released_at=None).funds == Decimal("0.01")
        sandbox.sandbox.options.balance = 80.0
        account_hold.probe(at_once=True)

        assert not AccountHold.objects.filter(released_at=None).exists()

    def test_what_is_refused_again_waits_longer(self, sandbox: RunningSandbox) -> None:
        account_hold.place(refused("-1"))
        account_hold.probe(at_once=True)

        account_hold.place(refused("-1"))

        assert AccountHold.objects.get(released_at=None).probe_wait == 2 * account_hold.FIRST_PROBE

    def test_a_permission_is_probed_with_the_application(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        account_hold.place(refused("-32"), entry_id=a_call(application).pk)
        sandbox.set_faults(status="-32", status_calls=1)
        account_hold.probe(at_once=True)
        assert account_hold.is_held(application.pk)

        account_hold.probe(at_once=True)

        assert not account_hold.is_held(application.pk)

    @pytest.mark.parametrize(
        ("channel", "code", "family", "read"),
        [
            ("voice", "-32", Family.VOICE, "sipQuery"),
            ("number", "-32", Family.NUMBER, "queryBindPage"),
        ],
    )
    def test_each_product_has_a_harmless_read_of_its_own(
        self, sandbox: RunningSandbox, channel: str, code: str, family: Family, read: str
    ) -> None:
        application = Application.objects.create(app_id=f"{channel}1", channel=channel)
        account_hold.place(refused(code, family), entry_id=a_call(application).pk)
        assert AccountHold.objects.get().next_probe_at is not None
        due_now()

        account_hold.probe()

        assert AccountHold.objects.get().released_at is not None
        assert read in str(sandbox.stats())

    def test_where_no_read_can_tell_a_person_ends_it(self, sandbox: RunningSandbox) -> None:
        """An account that is not verified for email may list its addresses."""
        email = Application.objects.create(app_id="e1", channel="email")
        account_hold.place(refused("-24", Family.EMAIL), entry_id=a_call(email).pk)

        account_hold.probe(at_once=True)

        hold = AccountHold.objects.get()
        assert (hold.released_at, hold.next_probe_at) == (None, None)

    def test_answers_that_came_again_are_seen_where_the_balance_cannot_be_read(
        self, sandbox: RunningSandbox, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def not_served(client: LaafficClient) -> Balance:
            raise OutcomeUnknown("the answer is not the gateway's", interface="getBalance", http_status=404)

        monkeypatch.setattr(LaafficClient, "get_balance", not_served)
        account_hold.place_for_lost_answers("Answers are lost.")

        account_hold.probe(at_once=True)

        assert AccountHold.objects.get().released_at is not None

    @pytest.mark.parametrize("status", [None, 502])
    def test_no_answer_at_all_ends_nothing(
        self, sandbox: RunningSandbox, application: Application, monkeypatch: pytest.MonkeyPatch, status: int | None
    ) -> None:
        def away(client: LaafficClient) -> Balance:
            raise OutcomeUnknown("no answer", interface="getBalance", http_status=status)

        monkeypatch.setattr(LaafficClient, "get_balance", away)
        account_hold.place_for_lost_answers("Answers are lost.")

        account_hold.probe(at_once=True)

        assert AccountHold.objects.get().released_at is None

    def test_a_person_ends_it_once(self, application: Application) -> None:
        account_hold.place(refused("-32"), entry_id=a_call(application).pk)
        hold = AccountHold.objects.get()

        assert account_hold.release(hold.pk, because="a person looked")
        assert not account_hold.release(hold.pk, because="twice")

    def test_missing_credentials_are_a_hold_of_our_own(self, settings: Any) -> None:
        settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = ""
        account.laaffic_client.cache_clear()
        account_hold.place_because("LAAFFIC_API_KEY and LAAFFIC_API_SECRET are not set.")

        account_hold.probe(at_once=True)

        assert AccountHold.objects.get(released_at=None).code == ""

    def test_an_unreachable_gateway_tells_nothing(self, sandbox: RunningSandbox, settings: Any) -> None:
        settings.LAAFFIC_BASE_URL = "http://127.0.0.1:9/v3"
        account.laaffic_client.cache_clear()
        account_hold.place(refused("-1"))

        account_hold.probe(at_once=True)

        hold = AccountHold.objects.get()
        assert hold.released_at is None
        assert "refused" in hold.last_answer


class CampaignTests:
    def launched(self, application: Application, group: ContactGroup, **fields: Any) -> Campaign:
        campaign = drafts.create(
            name="Autumn", application=application, sender_id="S", text="Hello", groups=[group], **fields
        )
        return starting.launch(campaign.pk)

    def states(self) -> list[tuple[str, str]]:
        return list(Campaign.objects.order_by("pk").values_list("state", "hold_reason"))

    def test_every_campaign_is_held_and_all_go_on_when_there_is_money(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 3)
        sandbox.set_faults(status="-10", status_calls=1, paths=["/sendSms"])
        self.launched(application, group)
        self.launched(application, group)
        self.launched(application, group, scheduled_at=timezone.now() + dt.timedelta(days=1))

        run_jobs()

        sentence = AccountHold.objects.get().sentence
        assert self.states() == [(CampaignState.HELD, sentence)] * 3
        assert sandbox.stats()["accepted"] == 0
        assert LedgerEntry.objects.count() == 1  # the second did not even ask

        due_now()
        gateway_jobs.sweep()
        run_jobs()

        assert [state for state, _ in self.states()] == [
            CampaignState.FINISHED,
            CampaignState.FINISHED,
            CampaignState.SCHEDULED,
        ]
        assert sandbox.stats()["accepted"] == 6

    def test_money_runs_out_in_the_middle_and_nobody_gets_it_twice(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        application.rate_per_second = 50  # so many a call
        application.save()
        add_contacts(group, 120)
        options = sandbox.sandbox.options
        options.balance = 1_000_000.0
        before = sandbox.sandbox.store.balance()
        campaign = self.launched(application, group)
        while audience.freeze_chunk(campaign.pk):
            pass
        with monkeypatch.context() as patched:
            patched.setattr(turns.Turn, "is_over", lambda _turn: LedgerEntry.objects.exists())
            sending.send(campaign.pk)
        spent = before - sandbox.sandbox.store.balance()
        options.balance = float(spent) + 0.000001  # more than nothing, and too little for the next call

        sending.send(campaign.pk, slice_seconds=3)
        account_hold.probe(at_once=True)
        run_jobs()
        account_hold.probe(at_once=True)
        run_jobs()

        campaign.refresh_from_db()
        assert campaign.state == CampaignState.HELD
        assert 0 < sandbox.stats()["accepted"] < 120

        options.balance = 1_000_000.0
        account_hold.probe(at_once=True)
        run_jobs()

        campaign.refresh_from_db()
        stats = sandbox.stats()
        assert campaign.state == CampaignState.FINISHED
        assert (stats["accepted"], stats["duplicates"]) == (120, {"number and text": 0, "order id": 0})

    def test_only_what_it_held_goes_on(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 2)
        paused, by_errors, held = (self.launched(application, group) for _ in range(3))
        campaigns.pause(paused.pk)
        states.hold(by_errors.pk, "Too many errors.")
        account_hold.place(refused("-1"))
        follow_account()
        campaigns.pause(held.pk)
        campaigns.resume(paused.pk)
        assert [state for state, _ in self.states()] == ["held", "held", "paused"]

        account_hold.release(AccountHold.objects.get().pk, because="a test")
        follow_account()
        run_jobs()

        assert [state for state, _ in self.states()] == ["finished", "held", "paused"]

    def test_what_is_launched_meanwhile_says_at_once_why_it_waits(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 2)
        account_hold.place(refused("-10"))

        campaign = self.launched(application, group)

        assert (campaign.state, campaign.hold_reason) == (CampaignState.HELD, AccountHold.objects.get().sentence)
        account_hold.probe(at_once=True)
        run_jobs()
        assert self.states() == [(CampaignState.FINISHED, "")]

    def test_resuming_while_it_holds_says_why_not(self, application: Application, group: ContactGroup) -> None:
        add_contacts(group, 2)
        campaign = Campaign.objects.create(name="A", application=application, text="Hi", state=CampaignState.RUNNING)
        account_hold.place(refused("-13"))
        follow_account()

        with pytest.raises(NotNow, match="refused with -13: user locked"):
            campaigns.resume(campaign.pk)

    def test_a_new_reason_is_shown(self, application: Application) -> None:
        campaign = Campaign.objects.create(name="A", application=application, text="Hi", state=CampaignState.RUNNING)
        account_hold.place(refused("-10"))
        follow_account()
        AccountHold.objects.update(sentence="Something else.")

        follow_account()
        events = campaign.events.count()
        follow_account()

        assert self.states() == [(CampaignState.HELD, "Something else.")]
        assert campaign.events.count() == events

    @pytest.mark.parametrize("scope", ["account", "campaign"])
    def test_a_look_costs_the_same_however_many_it_holds(self, application: Application, scope: str) -> None:
        """Each request of the API is a campaign, and the look comes with every sweep."""

        def asked(campaigns_held: int) -> int:
            for n in range(campaigns_held):
                one = Campaign.objects.create(name=f"{n}", application=application, state=CampaignState.RUNNING)
                if scope == "campaign":
                    account_hold.place_for_lost_answers("Five were lost.", campaign_id=one.pk)
            follow_account()
            with CaptureQueriesContext(connection) as looked:
                follow_account()
            return len(looked)

        if scope == "account":
            account_hold.place(refused("-10"))

        few = asked(2)

        assert asked(20) == few
        assert {state for state, _ in self.states()} == {CampaignState.HELD}

    def test_whose_turn_is_over_rings_for_the_rest(
        self, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for n in range(3):
            Campaign.objects.create(name=f"{n}", application=application, state=CampaignState.RUNNING)
        account_hold.place(refused("-10"))
        OrmQ.objects.all().delete()
        over = iter([False, True, True, True])
        monkeypatch.setattr(campaigns.turns.Turn, "is_over", lambda turn: next(over))

        campaigns.follow_account()

        assert sorted(state for state, _ in self.states()) == ["held", "running", "running"]
        rung = [task.task["func"] for task in OrmQ.objects.all()]
        assert rung.count("messaging.jobs.follow_account") == 1
        assert "messaging.jobs.send_campaign" not in rung

    def test_who_took_long_to_begin_holds_some_all_the_same(
        self, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Behind a lock, and with a long list: a turn that ended there would be spent on beginning, again and again."""
        for n in range(3):
            Campaign.objects.create(name=f"{n}", application=application, state=CampaignState.RUNNING)
        account_hold.place(refused("-10"))
        now = [1000.0]
        monkeypatch.setattr(campaigns.turns.time, "monotonic", lambda: now[0])
        monkeypatch.setattr(campaigns.turns.taken_tasks, "is_task_waiting", lambda: True)
        take, to_hold = leases.take, campaigns._to_hold

        def slowly(doing: Callable[..., Any]) -> Callable[..., Any]:
            def done(*given: Any) -> Any:
                now[0] += 0.5
                return doing(*given)

            return done

        monkeypatch.setattr(leases, "take", slowly(take))
        monkeypatch.setattr(campaigns, "_to_hold", slowly(to_hold))

        campaigns.follow_account()

        assert {state for state, _ in self.states()} == {CampaignState.HELD}

    def test_two_never_follow_at_once(self, application: Application) -> None:
        """Each of very many turns rings for the rest: the sweeps meanwhile begin no second chain."""
        one = Campaign.objects.create(name="one", application=application, state=CampaignState.RUNNING)
        account_hold.place(refused("-10"))
        OrmQ.objects.all().delete()

        with leases.lease("follow account"):
            follow_account()
            is_left_alone = Campaign.objects.get(pk=one.pk).state == CampaignState.RUNNING
        rung = OrmQ.objects.count()
        follow_account()

        assert (is_left_alone, rung) == (True, 0)
        assert self.states()[0][0] == CampaignState.HELD

    def test_a_claim_stops_while_it_holds(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup
    ) -> None:
        add_contacts(group, 2)
        campaign = self.launched(application, group)
        account_hold.place(refused("-10"))

        assert isinstance(claiming.claim_some(campaign, "token", 1), claiming.Stopped)

    def test_a_batch_that_was_claimed_before_does_not_leave(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        add_contacts(group, 2)
        campaign = self.launched(application, group)
        claim_some = claiming.claim_some

        def and_then_hold(*args: Any) -> Any:
            claimed = claim_some(*args)
            if isinstance(claimed, list):
                account_hold.place(refused("-10"))
            return claimed

        monkeypatch.setattr(claiming, "claim_some", and_then_hold)
        sending.send(campaign.pk, slice_seconds=2)

        assert sandbox.stats()["accepted"] == 0
        assert counting.state_counts(campaign)["queued"] == 2

    def test_without_credentials_all_wait_for_them(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        settings: Any,
    ) -> None:
        add_contacts(group, 2)
        campaign = self.launched(application, group)
        settings.LAAFFIC_API_KEY = ""
        account.laaffic_client.cache_clear()

        sending.send(campaign.pk)

        assert self.states() == [(CampaignState.HELD, AccountHold.objects.get().sentence)]
        point_at(settings, sandbox)
        due_now()
        gateway_jobs.sweep()
        run_jobs()
        assert self.states()[0][0] == CampaignState.FINISHED
