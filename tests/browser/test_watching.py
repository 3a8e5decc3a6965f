"""Watching a campaign: the page moves by itself, speaks now and then, and stops asking when all is over."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from laaffic_console.gateway.models import Application
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Batch, BatchState, Campaign, CampaignState, ContactGroup
from messaging.services.campaigns import campaigns, drafts, starting
from tests.browser.conftest import run_until_reported
from tests.messaging.conftest import add_contacts

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # Sockets of the live server's and Playwright's threads are closed by the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


# Milliseconds in which a page of the tests asks five times (conftest.HURRY).
FIVE_TIMES = 1000


@pytest.fixture
def campaign(application: Application, group: ContactGroup) -> Campaign:
    add_contacts(group, 20)
    made = drafts.create(name="Autumn", application=application, sender_id="", text="Hello", groups=[group])
    starting.launch(made.pk)
    return made


@pytest.fixture
def paused(campaign: Campaign) -> Campaign:
    """What is said of its age is days: it says the same for as long as a test takes."""
    campaigns.pause(campaign.pk)
    Campaign.objects.filter(pk=campaign.pk).update(launched_at=timezone.now() - dt.timedelta(days=2, hours=1))
    return campaign


def asked(page: Page, campaign: Campaign) -> list[str]:
    """The requests that the page makes by itself from now on."""
    found: list[str] = []
    address = f"/campaign/{campaign.pk}/change/"
    page.on("request", lambda request: found.append(request.url) if address in request.url else None)
    return found


def wait_for_one(page: Page, requests: list[str]) -> None:
    """As long as a busy machine may take."""
    for _turn in range(50):
        if requests:
            return
        page.wait_for_timeout(FIVE_TIMES / 5)
    raise AssertionError("the page asks no more")


def wait_for_polls(page: Page, campaign: Campaign, n: int = 3) -> None:
    """One may have been answered just before; what the next ones say is put in place when the last one comes."""
    for _poll in range(n):
        page.wait_for_event("response", lambda got: f"/campaign/{campaign.pk}/change/" in got.url)


class WatchingTests:
    def test_it_moves_by_itself_and_stops_when_over(
        self, page: Page, sandbox: RunningSandbox, campaign: Campaign, run_jobs: Callable[[], int]
    ) -> None:
        page.goto(f"/admin/messaging/campaign/{campaign.pk}/change/")
        expect(page.locator("#percent")).to_have_text("0%")

        run_jobs()

        expect(page.locator("#percent")).to_have_text("100%")
        expect(page.locator(".c-squares li")).to_have_count(1)
        run_until_reported(run_jobs)
        expect(page.locator("#campaign:not([hx-get])")).to_have_count(1)
        expect(page.locator("[data-live-said]")).to_contain_text("Finished, 100% of 20 recipients")
        expect(page.locator(".c-spread div").first).to_be_visible()
        requests = asked(page, campaign)
        page.wait_for_timeout(FIVE_TIMES)
        assert requests == []

    def test_a_hidden_tab_does_not_ask(self, page: Page, sandbox: RunningSandbox, campaign: Campaign) -> None:
        page.goto(f"/admin/messaging/campaign/{campaign.pk}/change/")
        page.evaluate("Object.defineProperty(document, 'hidden', {configurable: true, get: () => true})")
        requests = asked(page, campaign)

        page.wait_for_timeout(FIVE_TIMES)

        assert requests == []
        page.evaluate("Object.defineProperty(document, 'hidden', {configurable: true, get: () => false})")
        wait_for_one(page, requests)

    def test_a_server_in_trouble_leaves_the_page_and_is_asked_again(
        self, page: Page, sandbox: RunningSandbox, campaign: Campaign, troubles: list[str]
    ) -> None:
        address = f"/admin/messaging/campaign/{campaign.pk}/change/"
        page.goto(address)
        page.route(f"**{address}", lambda route: route.fulfill(status=503, body="<p>down</p>"))

        expect(page.locator("[data-live-status]")).to_contain_text("Connection lost")

        expect(page.locator("#percent")).to_have_text("0%")
        page.unroute(f"**{address}")
        expect(page.locator("[data-live-status]")).to_have_text("")
        troubles.clear()  # the browser names each answer that was no page

    def test_an_expired_session_leaves_the_page(self, page: Page, sandbox: RunningSandbox, campaign: Campaign) -> None:
        page.goto(f"/admin/messaging/campaign/{campaign.pk}/change/")

        cookies = page.context.cookies()
        page.context.clear_cookies()

        expect(page.locator("[data-live-status]")).to_contain_text("You are signed out")
        page.mouse.wheel(0, 400)
        expect(page.locator("[data-live-status]")).to_be_in_viewport(ratio=1)  # wherever the page is scrolled to
        expect(page.locator("#percent")).to_have_text("0%")
        page.context.add_cookies(cookies)  # in another tab
        expect(page.locator("[data-live-status]")).to_have_text("")

    @pytest.mark.parametrize("address", ["/admin/", "/admin/messaging/campaign/"])
    def test_an_expired_session_is_said_on_every_page_that_moves(
        self, page: Page, sandbox: RunningSandbox, campaign: Campaign, address: str
    ) -> None:
        page.goto(address)

        page.context.clear_cookies()

        expect(page.locator("[data-live-status]")).to_contain_text("You are signed out")
        page.mouse.wheel(0, 400)
        expect(page.locator("[data-live-status]")).to_be_in_viewport(ratio=1)

    def test_a_question_that_is_never_answered_is_given_up(
        self, page: Page, sandbox: RunningSandbox, campaign: Campaign, troubles: list[str]
    ) -> None:
        address = f"/admin/messaging/campaign/{campaign.pk}/change/"
        page.goto(address)
        assert page.evaluate("htmx.config.timeout") > 0
        page.evaluate("htmx.config.timeout = 300")
        held: list[Route] = []
        page.route(f"**{address}", lambda route: held.append(route))

        expect(page.locator("[data-live-status]")).to_contain_text("Connection lost")

        page.unroute(f"**{address}")
        page.evaluate("htmx.config.timeout = 15000")
        expect(page.locator("[data-live-status]")).to_have_text("")
        troubles.clear()  # htmx names each question that it gave up

    def test_what_is_gone_is_said_and_asked_no_more(
        self, page: Page, sandbox: RunningSandbox, campaign: Campaign, troubles: list[str]
    ) -> None:
        address = f"/admin/messaging/campaign/{campaign.pk}/change/"
        page.goto(address)
        page.route(f"**{address}", lambda route: route.fulfill(status=403, body="<p>not yours</p>"))

        expect(page.locator("[data-live-status]")).to_contain_text("not there any more")

        requests = asked(page, campaign)
        page.wait_for_timeout(FIVE_TIMES)
        assert requests == []
        troubles.clear()  # the browser names each answer that was no page

    def test_where_the_address_points_is_not_scrolled_to_again(
        self, page: Page, sandbox: RunningSandbox, campaign: Campaign
    ) -> None:
        page.set_viewport_size({"width": 1360, "height": 300})
        page.goto(f"/admin/messaging/campaign/{campaign.pk}/change/#campaign")
        page.locator("#percent").wait_for()
        page.evaluate("window.scrolled = 0; Element.prototype.scrollIntoView = () => { window.scrolled += 1; }; true")
        requests = asked(page, campaign)

        wait_for_one(page, requests)
        page.wait_for_timeout(FIVE_TIMES)

        assert page.evaluate("window.scrolled") == 0

    def test_what_says_the_same_stays(self, page: Page, sandbox: RunningSandbox, paused: Campaign) -> None:
        page.goto(f"/admin/messaging/campaign/{paused.pk}/change/")
        before = page.input_value("#campaign input[name=csrfmiddlewaretoken] >> nth=0")
        page.evaluate("getSelection().selectAllChildren(document.querySelector('#campaign h1'))")

        wait_for_polls(page, paused)

        assert page.evaluate("getSelection().toString()") == "Autumn"
        assert page.input_value("#campaign input[name=csrfmiddlewaretoken] >> nth=0") != before

    def test_a_button_that_is_pressed_stays_until_it_is_let_go(
        self, page: Page, sandbox: RunningSandbox, paused: Campaign
    ) -> None:
        page.goto(f"/admin/messaging/campaign/{paused.pk}/change/")
        page.hover("#do-resume")
        page.mouse.down()
        Campaign.objects.filter(pk=paused.pk).update(name="Winter")
        wait_for_polls(page, paused)
        expect(page.locator("#campaign h1")).to_have_text("Autumn")

        page.mouse.up()

        expect(page.locator("#do-pause")).to_be_visible()
        expect(page.locator("#campaign h1")).to_have_text("Winter")

    def test_a_form_that_is_on_its_way_is_not_sent_again(
        self, page: Page, sandbox: RunningSandbox, paused: Campaign
    ) -> None:
        page.goto(f"/admin/messaging/campaign/{paused.pk}/change/")
        sent: list[str] = []

        def answer(route: Route) -> None:
            sent.append(route.request.url)
            route.fulfill(status=204)  # the page stays, as while an answer is waited for

        page.route("**/after/copy/", answer)
        page.click("#after-copy", no_wait_after=True)
        Campaign.objects.filter(pk=paused.pk).update(name="Winter")
        wait_for_polls(page, paused)

        page.click("#after-copy", no_wait_after=True)
        wait_for_polls(page, paused)

        assert len(sent) == 1
        expect(page.locator("#campaign h1")).to_have_text("Autumn")

    def test_a_lost_answer_is_a_square_of_its_own_and_not_the_end(
        self, page: Page, sandbox: RunningSandbox, campaign: Campaign, run_jobs: Callable[[], int]
    ) -> None:
        run_jobs()
        Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.RUNNING)
        Batch.objects.filter(campaign=campaign).update(state=BatchState.UNKNOWN, accepted=0, delivered=0, unknown=20)

        page.goto(f"/admin/messaging/campaign/{campaign.pk}/change/")

        expect(page.locator(".c-squares li.warn a")).to_have_count(1)
        expect(page.locator("#percent")).to_have_text("0%")
