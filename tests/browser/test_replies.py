"""Somebody answers STOP while a campaign runs, seen in a browser."""

import time
from collections.abc import Callable, Iterator

import pytest
from django.conf import LazySettings
from django_q.models import OrmQ
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from laaffic_console.gateway.models import Application, PushedBody
from laaffic_console.gateway.services.client import account
from laaffic_console.sandbox.options import Options
from laaffic_console.sandbox.testing import RunningSandbox, running_sandbox
from messaging.models import Campaign, ContactGroup, Message, MessageState
from messaging.services.campaigns import campaigns, drafts, starting
from tests.browser.conftest import TOKEN
from tests.messaging.conftest import add_contacts, point_at

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # Sockets of the live server's and Playwright's threads are closed by the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def sandbox(settings: LazySettings, live_server: LiveServer) -> Iterator[RunningSandbox]:
    settings.LAAFFIC_PUSH_TOKENS = [TOKEN]
    hook = f"{live_server.url}/hooks/{TOKEN}/sms-reply/"
    with running_sandbox(Options(reply_callback=hook, delivery_delay=(0.0, 0.0), queue_time=0.0)) as running:
        point_at(settings, running)
        yield running
        account.laaffic_client.cache_clear()


def wait_for_push() -> None:
    """Until the reply is stored and the job that reads it is queued: the bell rings after the commit."""
    give_up = time.monotonic() + 60
    while not (PushedBody.objects.filter(kind="sms-reply").exists() and OrmQ.objects.exists()):
        assert time.monotonic() < give_up, "the reply was not pushed"
        time.sleep(0.05)


class StopTests:
    def test_stop_halts_what_has_not_left(
        self,
        page: Page,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
    ) -> None:
        *_others, last = add_contacts(group, 25, name="Asha Rao")
        campaign = drafts.create(name="Autumn", application=application, sender_id="SHOP", text="Hello", groups=[group])
        starting.launch(campaign.pk)
        campaigns.pause(campaign.pk)
        run_jobs()
        page.goto(f"/admin/messaging/campaign/{campaign.pk}/change/")
        expect(page.locator("#replies")).to_contain_text("No replies yet")

        sandbox._ask("POST", "/sandbox/replies", {"number": last.number, "content": "Stop.", "sender_id": "SHOP"})
        wait_for_push()
        run_jobs()
        page.goto("/admin/messaging/reply/")
        expect(page.locator("#result_list")).to_contain_text("Asha Rao")
        expect(page.locator("#result_list")).to_contain_text("Suppressed: SMS")
        page.goto(f"/admin/messaging/campaign/{campaign.pk}/change/")
        page.click("#do-resume")
        run_jobs()

        expect(page.locator("[data-count=suppressed]")).to_have_text("1")
        assert Message.objects.get(campaign=campaign, number=last.number).state == MessageState.SUPPRESSED
        assert sandbox.stats()["accepted"] == 24
        assert Campaign.objects.get(pk=campaign.pk).total == 25
