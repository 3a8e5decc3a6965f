"""Prove as a button: at once or by a worker, once however often it is asked for, and its report is kept."""

import datetime as dt
import threading
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.gateway.services.work import leases, long_jobs, workers
from messaging.jobs import make_proofs
from messaging.models import Campaign, CampaignState, EmailCampaign, Proof
from messaging.services.figures import proofs
from tests.messaging.campaigns.test_recipient_exports import add_campaign

pytestmark = pytest.mark.django_db

State = Proof.State


@pytest.fixture
def campaign(application: Application) -> Campaign:
    """Its figures agree: it reached nobody and says so."""
    return add_campaign(application)


@pytest.fixture
def by() -> User:
    return User.objects.create_user("ann", is_staff=True)


@pytest.fixture
def by_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs, "AT_ONCE", -1)


def fresh(proof: Proof) -> Proof:
    proof.refresh_from_db()
    return proof


def address(campaign: Any) -> str:
    return f"/admin/messaging/{campaign._meta.model_name}/{campaign.pk}/prove/"


class PageTests:
    def test_who_sees_the_campaign_proves_it_and_reads_that_it_agrees(
        self, client: Client, campaign: Campaign, by: User
    ) -> None:
        client.force_login(by)
        assert client.post(address(campaign)).status_code == 403
        by.user_permissions.add(Permission.objects.get(codename="view_campaign"))

        page = client.post(address(campaign), follow=True).content.decode()

        assert "all figures agree" in page
        assert "Asked for by ann." in page
        assert 'id="make-dossier"' not in page
        assert Proof.objects.get().figures["messages"] == 0

    def test_each_disagreement_is_shown_and_kept_when_the_next_proof_agrees(
        self, admin_client: Client, campaign: Campaign
    ) -> None:
        Campaign.objects.update(total=3)

        wrong = admin_client.post(address(campaign), follow=True).content.decode()

        assert "1 figure disagrees" in wrong
        assert "total: the campaign says 3, there are 0 messages" in wrong
        assert "prove it again when it has ended" not in wrong
        Campaign.objects.update(total=0)
        right = admin_client.post(address(campaign), follow=True).content.decode()
        assert right.index("all figures agree") < right.index("Earlier proofs") < right.index("1 figure disagrees")

    def test_of_one_that_goes_on_it_says_that_figures_move(self, admin_client: Client, campaign: Campaign) -> None:
        Campaign.objects.update(total=3, state=CampaignState.RUNNING)

        assert "prove it again when it has ended" in admin_client.post(address(campaign), follow=True).content.decode()

    def test_a_large_one_waits_for_a_worker_and_the_page_follows_it(
        self, admin_client: Client, campaign: Campaign, by_worker: None
    ) -> None:
        page = admin_client.post(address(campaign), follow=True).content.decode()

        assert "A worker is proving it" in page
        assert 'hx-select="#campaign"' in page
        make_proofs()
        page = admin_client.get(f"/admin/messaging/campaign/{campaign.pk}/change/").content.decode()
        assert "all figures agree" in page
        assert 'hx-select="#campaign"' not in page

    def test_an_email_campaign_is_proved_in_the_same_way(self, admin_client: Client, application: Application) -> None:
        sent = EmailCampaign.objects.create(name="News", application=application, state=EmailCampaign.State.FINISHED)

        page = admin_client.post(address(sent), follow=True).content.decode()

        assert "the campaign was sent, and no request carried it" in page

    def test_the_key_is_named_once_something_has_left(self, admin_client: Client, campaign: Campaign) -> None:
        page = f"/admin/messaging/campaign/{campaign.pk}/change/"
        assert 'id="fingerprint"' not in admin_client.get(page).content.decode()

        LedgerEntry.objects.create(
            interface="sendSms", about_kind="campaign", about_id=campaign.pk, prepared_at=timezone.now()
        )

        assert 'id="fingerprint"' in admin_client.get(page).content.decode()

    def test_a_draft_has_nothing_to_prove(self, admin_client: Client, campaign: Campaign) -> None:
        Campaign.objects.update(state=CampaignState.DRAFT)

        assert admin_client.post(address(campaign)).status_code == 404
        assert not Proof.objects.exists()


class WorkerTests:
    def test_one_waits_while_another_long_job_is_made(self, campaign: Campaign, by: User, by_worker: None) -> None:
        proof = proofs.ask(campaign, by=by)

        with leases.lease(long_jobs.LEASE):
            make_proofs()
        assert fresh(proof).state == State.WAITING
        make_proofs()

        assert fresh(proof).state == State.FINISHED

    def test_asked_twice_it_is_the_same_one(self, campaign: Campaign, by: User, by_worker: None) -> None:
        first = proofs.ask(campaign, by=by)

        assert proofs.ask(campaign, by=by) == first
        make_proofs()
        assert fresh(first).state == State.FINISHED
        assert proofs.ask(campaign, by=by) != first

    def test_what_a_dead_worker_left_is_begun_anew_and_at_last_given_up(
        self, campaign: Campaign, by: User, by_worker: None, django_capture_on_commit_callbacks: Any
    ) -> None:
        proof = proofs.ask(campaign, by=by)
        seen = Proof.objects.filter(pk=proof.pk)
        seen.update(state=State.RUNNING, seen_at=timezone.now(), tries=1)
        make_proofs()
        assert fresh(proof).state == State.RUNNING  # its worker is at it

        seen.update(seen_at=timezone.now() - dt.timedelta(minutes=11))
        with django_capture_on_commit_callbacks(execute=True):
            long_jobs.ring_for_waiting()
        assert "messaging.jobs.make_proofs" in [task.func() for task in OrmQ.objects.all()]
        make_proofs()
        assert (fresh(proof).state, proof.tries) == (State.FINISHED, 2)

        seen.update(state=State.WAITING, tries=proofs.TRIES, finished_at=None)
        make_proofs()
        assert fresh(proof).state == State.FAILED

    @pytest.mark.django_db(transaction=True)
    def test_its_worker_shows_signs_of_life_while_a_query_takes_long(
        self, campaign: Campaign, by: User, by_worker: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        proofs.ask(campaign, by=by)
        beaten = threading.Event()
        monkeypatch.setattr(workers, "BEAT_EVERY", 0.001)
        monkeypatch.setattr(workers, "beat", beaten.set)
        monkeypatch.setattr(proofs, "_make", lambda proof: beaten.wait(60))

        make_proofs()

        assert beaten.is_set()
        assert workers.BEATS not in [thread.name for thread in threading.enumerate()]

    def test_a_worker_that_is_stopped_gives_it_back(
        self, campaign: Campaign, by: User, by_worker: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        proof = proofs.ask(campaign, by=by)
        monkeypatch.setattr(workers, "is_stopping", lambda: True)

        make_proofs()

        assert (fresh(proof).state, proof.tries) == (State.WAITING, 0)

    def test_a_database_that_is_away_fails_nothing_and_our_own_failure_is_said(
        self, admin_client: Client, campaign: Campaign, by: User, by_worker: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        proof = proofs.ask(campaign, by=by)

        def fail_with(problem: Exception) -> None:
            def fail(subject: Any, look: Any) -> None:
                raise problem

            kind = proofs._proved["campaign"]
            failing = proofs.Proved(kind.field, kind.model, fail, kind.size, kind.is_over)  # type: ignore[arg-type]
            monkeypatch.setitem(proofs._proved, "campaign", failing)

        fail_with(DatabaseError("gone"))
        with pytest.raises(DatabaseError):
            make_proofs()
        assert fresh(proof).state == State.WAITING
        fail_with(KeyError("ours"))
        make_proofs()
        assert fresh(proof).state == State.FAILED
        page = admin_client.get(f"/admin/messaging/campaign/{campaign.pk}/change/").content.decode()
        assert "could not be made" in page

    def test_the_last_ten_are_kept_of_each(self, campaign: Campaign, application: Application, by: User) -> None:
        other = add_campaign(application)
        kept = proofs.ask(other, by=by)

        made = [proofs.ask(campaign, by=by).pk for _time in range(proofs.KEPT + 2)]

        assert list(proofs.of(campaign).values_list("pk", flat=True)) == made[:1:-1]
        assert list(proofs.of(other)) == [kept]
