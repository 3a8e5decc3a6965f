"""For every hand and eye: axe finds nothing, and everything can be done with keys alone."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import models
from django.test import Client
from playwright.sync_api import BrowserContext, Page, Request, expect
from pytest_django.live_server_helper import LiveServer

from laaffic_console.gateway.models import Application
from messaging.models import Campaign, Contact
from tests.browser.conftest import session_of
from tests.dashboard import doors
from tests.messaging.campaigns.test_comparing import sent

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # Sockets of the live server's and Playwright's threads are closed by the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

ROOT = Path(__file__).resolve().parent.parent.parent
# A sample: `make access` looks at every page, in every mode.
LISTS = ["messaging.campaign", "messaging.contact", "messaging.conversation", "numbers.numberpool"]
PAGES = ["/admin/", "/account/", "/admin/messaging/campaign/add/", "/admin/messaging/listprice/"]
STATES = ["menu", "palette", "filters", "columns"]


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
def filled(application: Application) -> dict[str, models.Model]:
    sent(application, 90, 10)
    return doors.one_of_each()


def page_of(row: models.Model) -> str:
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/"


def test_axe_finds_nothing_on_the_main_pages(
    page: Page, filled: dict[str, models.Model], access: ModuleType, troubles: list[str]
) -> None:
    lists = [f"/admin/{label.replace('.', '/')}/" for label in LISTS]
    rows = [page_of(filled[label]) for label in LISTS]

    found = []
    for n, path in enumerate([*PAGES, *lists, *rows]):
        page.goto(path)
        mode = access.MODES[n % len(access.MODES)]  # the whole matrix: make access
        found += access.faults_of(page, mode=access.put_into(page, mode), name=path)
    troubles.clear()  # a file of doors.py that is none

    said = [f"{fault.page} {fault.mode} {fault.rule} {fault.where} {fault.why}" for fault in found]
    assert said == [], "\n".join(said)


def test_axe_finds_nothing_in_menus_and_dialogs(
    page: Page, application: Application, group: object, access: ModuleType, troubles: list[str]
) -> None:
    Contact.objects.create(number="919876543210", name="Table")
    found = []
    for n, state in enumerate(one for one in access.access_states.STATES if one.name in STATES):
        found += access.look_at_state(page, [access.MODES[-1 if n % 2 else 0]], state)

    troubles.clear()  # a page that is not there
    assert [(fault.page, fault.rule, fault.where, fault.says) for fault in found] == []


def test_the_first_key_leads_past_the_menu(page: Page) -> None:
    page.goto("/admin/messaging/contact/")
    page.keyboard.press("Tab")

    expect(page.locator(".c-skip")).to_be_focused()
    expect(page.locator(".c-skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()


def test_keys_are_shown_and_closed_again(page: Page) -> None:
    page.goto("/admin/")
    page.keyboard.press("?")

    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    expect(page.get_by_role("dialog").get_by_role("link", name="Campaigns", exact=False).first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


@pytest.mark.parametrize(
    ("letter", "path"),
    [("c", "messaging/campaign"), ("m", "messaging/message"), ("p", "messaging/contact"), ("h", "health")],
)
def test_g_and_a_letter_lead_to_a_page(page: Page, letter: str, path: str) -> None:
    page.goto("/admin/")
    page.keyboard.press("g")
    page.keyboard.press(letter)

    page.wait_for_url(f"**/admin/{path}/")


def test_rows_are_gone_through_and_opened_with_keys(page: Page) -> None:
    for n in range(3):
        Contact.objects.create(number=f"91987654321{n}", name=f"Contact {n}")
    page.goto("/admin/messaging/contact/")
    links = page.locator("#result_list tbody th a")
    for key, row in [("j", 0), ("j", 1), ("j", 2), ("j", 2), ("k", 1)]:
        page.keyboard.press(key)
        expect(links.nth(row)).to_be_focused()
    opens = links.nth(1).get_attribute("href")
    page.keyboard.press("Enter")

    page.wait_for_url(f"**{(opens or '').split('?')[0]}**")


def test_no_key_leads_anywhere_while_somebody_types(page: Page) -> None:
    page.goto("/admin/messaging/contact/add/")
    page.locator("#id_name").focus()
    page.keyboard.type("g?cjk")

    expect(page.locator("#id_name")).to_have_value("g?cjk")
    expect(page.locator("#keys")).to_be_hidden()
    assert page.url.endswith("/admin/messaging/contact/add/")


def test_no_key_acts(page: Page, application: Application) -> None:
    """Every letter and digit on the page of a draft, after g too: what is kept stays as it was."""
    campaign = Campaign.objects.create(name="Draft", application=application, text="Hello")
    before = Campaign.objects.values().get()
    sent_away: list[str] = []
    told = "/campaign/estimate/"  # what the draft would do: it stores nothing

    def note(request: Request) -> None:
        if request.method != "GET" and not request.url.endswith(told):
            sent_away.append(request.url)

    page.on("request", note)
    for first in ("", "g"):
        for key in "abdknoqtuyz0123456789!;,.":
            page.goto(f"/admin/messaging/campaign/{campaign.pk}/change/") if first or key == "a" else None
            page.evaluate("document.activeElement.blur()")
            for pressed in filter(None, (first, key)):
                page.keyboard.press(pressed)
        break  # letters after g only lead: the test above

    assert sent_away == []
    assert Campaign.objects.values().get() == before


@pytest.mark.parametrize("role", ["Viewer", "Operator", "Approver"])
def test_keys_lead_each_role_only_where_it_may_go(
    window: BrowserContext, live_server: LiveServer, page: Page, role: str
) -> None:
    user = User.objects.create_user(role.lower(), is_staff=True)
    user.groups.add(Group.objects.get(name__iexact=role))
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session_of(user), "url": live_server.url}]
    )
    page.goto("/admin/")
    links = page.locator("#keys a[data-key]").evaluate_all("(all) => all.map((link) => link.pathname)")
    client = Client()
    client.force_login(user)

    assert "/admin/messaging/campaign/" in links
    assert {path: client.get(path).status_code for path in links if client.get(path).status_code != 200} == {}


def test_the_menus_of_the_mouse_are_worked_with_keys(page: Page) -> None:
    page.goto("/admin/messaging/message/")
    filters = page.get_by_role("button", name="Filters")
    filters.focus()
    page.keyboard.press("Enter")
    expect(filters).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(filters).to_have_attribute("aria-expanded", "false")

    name = page.locator("[data-user-menu]")
    name.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Log out")).to_be_hidden()


def test_tab_goes_through_a_form_and_out_of_it(page: Page) -> None:
    """No trap: Tab comes past every field and back to the skip link."""
    page.goto("/admin/messaging/contact/add/")
    passed: list[str] = []
    for _ in range(150):
        page.keyboard.press("Tab")
        passed.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
        if len(passed) > 1 and passed[-1] == passed[0]:
            break

    assert passed[-1] == passed[0]
    assert {"c-skip", "id_number", "id_name"} <= set(passed)
