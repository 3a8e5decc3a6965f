"""What is refused on the way to Laaffic, or about one number, costs nobody their message."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.laaffic import Refused
from laaffic_console.laaffic.codes import foreign
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Batch, Campaign, CampaignState, ContactGroup
from messaging.services.batches import failed_requests
from messaging.services.campaigns import campaigns, drafts, starting
from messaging.services.tallies import counting
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db(transaction=True)


def launched(application: Application, group: ContactGroup) -> Campaign:
    campaign = drafts.create(name="A", application=application, sender_id="S", text="Hello", groups=[group])
    return starting.launch(campaign.pk)


def nobody_lost(campaign: Campaign) -> bool:
    counts = counting.state_counts(campaign)
    return counts["rejected"] == counts["unknown"] == 0


class ProxyTests:
    def test_too_many_requests_wait_and_go_on(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 8)
        sandbox.set_faults(http_status=429, http_calls=1)
        campaign = launched(application, group)

        run_jobs()

        campaign.refresh_from_db()
        assert nobody_lost(campaign)
        assert campaign.state == CampaignState.FINISHED
        assert sandbox.stats()["accepted"] == 8

    @pytest.mark.parametrize("http_status", [401, 403, 404, 405, 407, 410, 415])
    def test_an_address_that_is_not_laaffics_holds_with_a_sentence_and_rejects_nobody(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        http_status: int,
    ) -> None:
        add_contacts(group, 8)
        sandbox.set_faults(http_status=http_status, http_calls=1)
        campaign = launched(application, group)

        run_jobs()

        campaign.refresh_from_db()
        assert (campaign.state, counting.state_counts(campaign)["queued"]) == (CampaignState.HELD, 8)
        assert f"HTTP {http_status}" in campaign.hold_reason
        assert "LAAFFIC_BASE_URL" in campaign.hold_reason
        campaigns.resume(campaign.pk)
        run_jobs()
        assert counting.state_counts(campaign)["queued"] == 0
        assert nobody_lost(campaign)

    def test_what_is_too_large_for_a_proxy_goes_in_smaller_parts(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 8)
        sandbox.set_faults(http_status=413, http_calls=1)
        campaign = launched(application, group)

        run_jobs()

        assert nobody_lost(campaign)
        assert sandbox.stats()["accepted"] == 8
        assert LedgerEntry.objects.filter(state=EntryState.ACCEPTED).count() == 2

    def test_a_proxy_for_which_nothing_is_small_enough_holds_and_rejects_nobody(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        Application.objects.update(connections=1)
        add_contacts(group, 4)
        sandbox.set_faults(http_status=413, http_calls=100)
        campaign = launched(application, group)

        run_jobs()

        campaign.refresh_from_db()
        assert (campaign.state, counting.state_counts(campaign)["queued"]) == (CampaignState.HELD, 4)
        assert "HTTP 413" in campaign.hold_reason
        sandbox.set_faults(http_calls=0)
        campaigns.resume(campaign.pk)
        run_jobs()
        assert counting.state_counts(campaign)["queued"] == 0
        assert nobody_lost(campaign)

    @pytest.mark.parametrize("http_status", [408, 502, 503, 504])
    def test_what_may_have_arrived_is_unknown(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        http_status: int,
    ) -> None:
        add_contacts(group, 8)
        sandbox.set_faults(http_status=http_status, http_calls=1)
        campaign = launched(application, group)

        run_jobs()

        assert counting.state_counts(campaign)["unknown"] == 8


class OneNumberTests:
    def test_a_phone_at_its_limit_waits_alone(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(failed_requests, "FIRST_WAIT", 0.01)
        Application.objects.update(connections=1)
        add_contacts(group, 4)
        sandbox.set_faults(status="-28", status_calls=3, paths=["/sendSms"])  # of four, of two, and of one
        campaign = launched(application, group)
        paused: list[str] = []
        monkeypatch.setattr(
            "messaging.services.sending.sending.Sender._say_waiting", lambda self, why: paused.append(why)
        )

        run_jobs()

        assert nobody_lost(campaign)
        assert sandbox.stats()["accepted"] == 4
        assert not any(paused)  # the others did not wait for it
        assert LedgerEntry.objects.filter(state=EntryState.REFUSED).count() == 3


def test_it_waits_as_long_as_it_was_asked_to(application: Application) -> None:
    entry = foreign(429)
    assert entry is not None
    refusal = Refused(interface="sendSms", entry=entry, reason="", http_status=429, retry_after=120.0)

    wait = failed_requests._requeue(Batch(pk=0), refusal, wait_because="x").wait_until

    assert wait is not None
    assert 110 < (wait - timezone.now()).total_seconds() <= 120
