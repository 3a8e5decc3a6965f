"""Who is meant, clicked together in a browser, and by keys alone."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from playwright.sync_api import Locator, Page, expect

from laaffic_console.gateway.models import Application
from messaging.models import Audience, Contact, ContactGroup
from messaging.services.saved_audiences import audiences
from messaging.services.saved_audiences import looks as audience_looks
from tests.browser.conftest import PASSWORD
from tests.messaging.conftest import add_contacts

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # Sockets of the live server's and Playwright's threads are closed by the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
ADD = "/admin/messaging/audience/add/"
ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def access() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_access", ROOT / "scripts" / "check_access.py")
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found
    spec.loader.exec_module(found)
    return found


@pytest.fixture
def people(group: ContactGroup) -> None:
    contacts = add_contacts(group, 12)
    Contact.objects.filter(pk__in=[contact.pk for contact in contacts[:4]]).update(attributes={"city": "Pune"})
    Contact.objects.create(number="4915123456789", country="DE")


def row(page: Page, place: int) -> Locator:
    return page.locator("#rows > fieldset").nth(place)


def part(of: Locator, name: str) -> Locator:
    return of.locator(f"[data-part={name}]")


def test_it_is_clicked_together_counted_saved_opened_and_used(
    page: Page, people: None, application: Application
) -> None:
    page.goto(ADD)
    page.fill("#id_name", "Pune")
    part(row(page, 0), "value").fill("India")
    part(row(page, 0), "value").press("Enter")
    expect(page.locator("#contacts")).to_have_text("12")

    page.click("#add-row")
    second = row(page, 1)
    part(second, "field").select_option("attribute")
    part(second, "value").fill("Pune")
    expect(part(second, "problem")).to_have_text("Choose an attribute.")
    part(second, "name").fill("city")
    expect(page.locator("#contacts")).to_have_text("4")
    expect(part(second, "problem")).to_have_text("")
    part(second, "is_not").check()
    expect(page.locator("#contacts")).to_have_text("8")
    expect(page.locator("#people tbody tr")).to_have_count(8)
    page.click("[name=_continue]")
    page.wait_for_url("**/change/")

    expect(part(row(page, 1), "name")).to_have_value("city")
    made = Audience.objects.get()
    assert made.condition == 'country = IN and attribute.city != "Pune"'
    page.goto(f"/admin/messaging/campaign/add/?audiences={made.pk}")
    expect(page.locator("#beside #recipients")).to_have_text("8")


def test_rows_of_somebody_who_was_signed_out_are_kept(page: Page, people: None, troubles: list[str]) -> None:
    page.goto(ADD)
    page.fill("#id_name", "India")
    part(row(page, 0), "value").fill("India")
    part(row(page, 0), "value").press("Enter")
    expect(page.locator("#contacts")).to_have_text("12")
    page.context.clear_cookies()

    page.click("[name=_save]")
    page.fill("#id_username", "ada")
    page.fill("#id_password", PASSWORD)
    page.click("button[type=submit]")
    expect(page.locator("#kept [name=by_clicks]")).to_have_value(re.compile('"IN"'))
    page.click("#send-kept")

    expect(page.locator("#kept")).to_have_count(0)
    assert Audience.objects.get().condition == "country = IN"
    troubles.clear()  # the browser names each answer that was no page


def test_a_count_in_parts_goes_on_by_itself_until_all_are_looked_at(
    page: Page, people: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audiences, "STRETCH", 5)
    monkeypatch.setitem(audience_looks.go_on.__kwdefaults__, "seconds", 0)
    said: list[str] = []
    page.on("response", lambda answer: said.append(answer.url) if answer.url.endswith("/look/") else None)
    page.goto(ADD)
    page.click("#as-text")

    page.fill("#id_condition", "country = IN")

    expect(page.locator("#contacts")).to_have_text("12")
    expect(page.locator("#counting")).to_have_count(0)
    expect(page.locator("#people tbody tr")).to_have_count(10)
    assert len(said) >= 3


def test_by_clicks_and_as_text_are_the_same_and_brackets_stay_text(page: Page, people: None) -> None:
    page.goto(ADD)
    page.click("#as-text")
    text = page.locator("#id_condition")
    expect(text).to_be_focused()
    text.fill('group in ("customers") and last_replied never and added > 36 hours ago')

    page.click("#by-clicks")
    expect(part(row(page, 2), "many")).to_have_value("36")
    page.click("#as-text")
    expect(text).to_have_value('group in ("customers") and last_replied never and added > 36 hours ago')
    text.fill("(country = IN or country = DE) and attribute.city is not set")
    expect(page.locator("#contacts")).to_have_text("9")
    page.click("#by-clicks")

    expect(page.locator("#switch-problem")).to_contain_text("It stays as text")
    expect(text).to_be_visible()


def test_what_a_row_lacks_holds_back_the_saving_and_nothing_is_lost(page: Page, people: None) -> None:
    page.goto(ADD)
    page.fill("#id_name", "Staff")
    part(row(page, 0), "field").select_option("group")

    page.click("[name=_save]")

    expect(part(row(page, 0), "problem")).to_have_text("Choose a group.")
    expect(part(row(page, 0), "field")).to_be_focused()
    part(row(page, 0), "value").fill("Staff")
    page.click("[name=_save]")
    expect(page.locator("#errors")).to_contain_text("no group “Staff”")
    expect(row(page, 0).locator("[data-part=chips]")).to_contain_text("Staff")
    assert not Audience.objects.exists()


def test_keys_alone_do_it(page: Page, people: None) -> None:
    page.goto(ADD)
    page.locator("#id_name").focus()
    page.keyboard.type("Germans")
    tab_to(page, "[data-part=value]")
    page.keyboard.type("DE")
    page.keyboard.press("Enter")
    tab_to(page, "#add-row")
    page.keyboard.press("Enter")
    expect(part(row(page, 1), "field")).to_be_focused()
    page.keyboard.type("Grou")
    expect(part(row(page, 1), "field")).to_have_value("group")
    tab_to(page, "[data-part=remove]")
    page.keyboard.press("Enter")
    expect(page.locator("#rows-said")).to_have_text("Condition removed.")
    expect(part(row(page, 0), "field")).to_be_focused()
    page.keyboard.press("Control+Enter")

    page.wait_for_url("**/messaging/audience/")
    assert Audience.objects.get().condition == "country = DE"


def tab_to(page: Page, selector: str) -> None:
    for _n in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("(to) => document.activeElement.matches(to)", selector):
            return
    raise AssertionError(f"{selector} is not reached by Tab")


def test_it_fits_and_axe_finds_nothing(page: Page, people: None, access: ModuleType) -> None:
    made = audiences.create(
        name="Many",
        condition='country in (IN, DE) and not attribute.city contains "Pune" and group "customers" '
        "and last_delivered never and added > 30 days ago and imported never",
    )
    found = []
    for mode in access.MODES:
        page.goto(f"/admin/messaging/audience/{made.pk}/change/")
        expect(page.locator("#contacts")).to_have_text("8")
        found += access.faults_of(page, mode=access.put_into(page, mode), name="audience")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    assert [f"{fault.mode} {fault.rule} {fault.where} {fault.why}" for fault in found] == []
