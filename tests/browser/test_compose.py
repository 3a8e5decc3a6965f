"""Writing a campaign in a browser: what stands beside the form follows it."""

import pytest
from playwright.sync_api import Page, expect

from laaffic_console.gateway.models import Application
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Campaign, Contact, ContactGroup, MessageTemplate
from messaging.services.campaigns import templates
from tests.messaging.conftest import add_contacts

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # Sockets of the live server's and Playwright's threads are closed by the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


def named(group: ContactGroup, *names: str) -> None:
    add_contacts(group, len(names))
    for contact, name in zip(Contact.objects.order_by("pk"), names, strict=True):
        Contact.objects.filter(pk=contact.pk).update(name=name)


def test_the_phone_and_the_figures_follow_what_is_written(
    page: Page, sandbox: RunningSandbox, application: Application, group: ContactGroup
) -> None:
    named(group, "Ann", "Bo", "Alexandra", "")
    page.goto(f"/admin/messaging/campaign/add/?groups={group.pk}")
    page.fill("#id_text", "Hi {{name|you}}")
    phone = page.locator("#phone-text")
    expect(phone).to_have_text("Hi Ann")

    page.click("#phone-next")
    expect(phone).to_have_text("Hi Bo")
    expect(page.locator("#phone-next")).to_be_focused()
    page.click("#phone-longest")
    expect(phone).to_have_text("Hi Alexandra")
    page.click("#phone-lacking")
    expect(phone).to_have_text("Hi you")
    expect(page.locator("#phone-lacks")).to_contain_text("name")
    page.fill("#id_text", "Bye {{name|you}}")
    expect(phone).to_have_text("Bye you")

    page.click("summary:has(#fold-few)")
    page.fill("#id_canary", "5%")
    expect(page.locator("#fold-few")).to_contain_text("5%")
    page.locator("#id_groups + .select2 .select2-selection__choice__remove").click()
    expect(page.locator("#beside #recipients")).to_have_text("0")
    assert not Campaign.objects.exists()


@pytest.mark.parametrize("opened", [False, True])
def test_a_question_that_failed_is_asked_again_without_typing(
    page: Page, application: Application, group: ContactGroup, troubles: list[str], *, opened: bool
) -> None:
    """The first one too, which the page asks when it is opened."""
    named(group, "Ann", "Bo")
    address = f"/admin/messaging/campaign/add/?groups={group.pk}"
    if opened:
        page.goto(address)
        expect(page.locator("#beside #recipients")).to_have_text("2")
    page.route("**/estimate/", lambda route: route.fulfill(status=503, body="<p>down</p>"))
    if opened:
        page.fill("#id_text", "Hello")
    else:
        page.goto(address)
    expect(page.locator("[data-live-status]")).to_contain_text("Connection lost")

    page.unroute("**/estimate/")

    expect(page.locator("#beside #recipients")).to_have_text("2")
    expect(page.locator("#phone-text")).to_have_text("Hello" if opened else "…")
    expect(page.locator("[data-live-status]")).to_have_text("")
    troubles.clear()  # the browser names each answer that was no page


def test_who_was_signed_out_reads_that_the_column_is_old(
    page: Page, application: Application, group: ContactGroup, troubles: list[str]
) -> None:
    page.goto(f"/admin/messaging/campaign/add/?groups={group.pk}")
    expect(page.locator("#beside #recipients")).to_be_visible()
    page.context.clear_cookies()

    page.fill("#id_text", "Hello")

    expect(page.locator("[data-live-status]")).to_contain_text("what is shown beside the form is out of date")
    troubles.clear()  # the browser names each answer that was no page


def test_a_template_fills_the_text_until_it_is_ones_own(
    page: Page, sandbox: RunningSandbox, application: Application
) -> None:
    versions = []
    for name in ("Spring", "Autumn"):
        templates.save(template := MessageTemplate(name=name, text=f"{name} is here"))
        versions.append(str(templates.latest(template).pk))
    page.goto("/admin/messaging/campaign/add/")
    text = page.locator("#id_text")

    page.select_option("#id_template_version", versions[0])
    expect(text).to_have_value("Spring is here")
    page.select_option("#id_template_version", versions[1])
    expect(text).to_have_value("Autumn is here")
    text.fill("My own words")
    page.select_option("#id_template_version", versions[0])

    expect(text).to_have_value("My own words")


def test_two_keys_lead_to_the_review(
    page: Page, sandbox: RunningSandbox, application: Application, group: ContactGroup
) -> None:
    named(group, "Ann")
    page.goto(f"/admin/messaging/campaign/add/?groups={group.pk}")
    page.fill("#id_name", "Autumn")
    page.fill("#id_text", "Hi {{name}}")

    page.locator("#id_text").press("Control+Enter")

    expect(page.locator("#preview")).to_have_text("Hi Ann")


def test_on_a_phone_the_button_stays_within_reach(
    page: Page, sandbox: RunningSandbox, application: Application
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    try:
        page.goto("/admin/messaging/campaign/add/")
        expect(page.locator("#beside #phone-text")).to_be_attached()

        expect(page.locator("#to-review")).to_be_in_viewport(ratio=1)
        page.locator("#id_name").scroll_into_view_if_needed()
        expect(page.locator("#to-review")).to_be_in_viewport(ratio=1)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    finally:
        page.set_viewport_size({"width": 1360, "height": 900})
