"""The help by keyboard and on a phone: found, searched, and no wider than the screen."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from laaffic_console.dashboard.models import TourTaken
from laaffic_console.gateway.models import Application
from messaging.models import Campaign, CampaignState

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # Sockets of the live server's and Playwright's threads are closed by the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


def fetch_again(page: Page) -> None:
    """Until the front page has been put in place once more: with one campaign more it says something new."""
    page.evaluate(
        "() => { window.fetched = new Promise((done) =>"
        " addEventListener('fresh', ({target}) => target.id === 'front' && done())) }"
    )
    application = Application.objects.create(app_id="Front")
    Campaign.objects.create(name="Spring", application=application, state=CampaignState.RUNNING)
    page.evaluate("window.fetched")


def test_a_word_is_looked_up_and_read_on_a_phone(page: Page) -> None:
    page.goto("/admin/")
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_url("**/admin/help/")

    page.get_by_label("Search the help", exact=True).last.fill("consent")
    page.keyboard.press("Enter")
    page.locator(".c-results a[href$='/contacts/#consent']").first.click()
    page.wait_for_url("**/admin/help/contacts/#consent")
    expect(page.locator("#consent")).to_be_in_viewport()

    page.set_viewport_size({"width": 390, "height": 844})
    for address in ("/admin/help/launching/", "/admin/help/laaffic-api/", "/admin/help/?q=consent"):
        page.goto(address)
        expect(page.locator(".c-help-contents details")).not_to_have_attribute("open", "")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
        found = Axe().run(page).response["violations"]
        assert [(fault["id"], fault["nodes"][0]["html"]) for fault in found] == []
    page.set_viewport_size({"width": 1360, "height": 900})


def test_a_word_says_what_it_means_by_keyboard_and_mouse(page: Page) -> None:
    page.goto("/admin/")
    word = page.locator(".c-figure .c-means").first
    box = page.locator("#meaning")
    assert word.evaluate("word => getComputedStyle(word).textAlign") == "start", "or its second line is centred"

    word.focus()
    expect(box).to_contain_text("The gateway took them")
    found = Axe().run(page).response["violations"]
    assert [(fault["id"], fault["nodes"][0]["html"]) for fault in found] == []
    page.keyboard.press("Tab")
    expect(box.get_by_role("link")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(word).to_be_focused()
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(word).to_be_focused()
    fetch_again(page)
    expect(word).to_be_focused()
    expect(box).to_be_hidden()

    page.mouse.move(0, 0)
    word.hover()
    expect(box).to_be_visible()
    box.get_by_role("link").click()
    page.wait_for_url("**/admin/help/states/#figures")
    expect(page.locator("#figures")).to_be_in_viewport()


def test_the_tour_is_taken_by_keyboard_and_ended(page: Page) -> None:
    page.goto("/admin/tour/")
    tour = page.locator("#tour")
    expect(tour.get_by_role("button", name="Next")).to_be_focused()
    found = Axe().run(page).response["violations"]
    assert [(fault["id"], fault["nodes"][0]["html"]) for fault in found] == []
    for standing in ("1 / 6", "2 / 6", "3 / 6", "4 / 6", "5 / 6", "6 / 6"):
        expect(tour).to_contain_text(standing)
        expect(page.locator(".c-toured")).to_have_count(1)
        expect(tour).to_be_in_viewport(ratio=1)
        if standing != "6 / 6":
            page.keyboard.press("Enter")
    with page.expect_response("**/admin/tour/"):  # else it is noted after it is taken back below
        page.keyboard.press("Enter")
    expect(tour).to_have_count(0)

    page.set_viewport_size({"width": 390, "height": 844})
    TourTaken.objects.all().delete()
    page.goto("/admin/")
    expect(tour).to_be_in_viewport(ratio=1)
    with page.expect_response("**/admin/tour/"):
        page.keyboard.press("Escape")
    expect(tour).to_have_count(0)
    assert TourTaken.objects.count() == 1
    page.set_viewport_size({"width": 1360, "height": 900})
