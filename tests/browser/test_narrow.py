"""On a phone: where one is can be read, and nothing is wider than the screen."""

import os
from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from laaffic_console.gateway.models import Application, LedgerEntry, WorkerHeartbeat
from messaging.models import BadRow, Batch, Campaign, Contact, ContactImport, Message, MessageState, OutcomeTally
from messaging.services.imports import files as import_files
from phone_numbers.models import Binding, BindingRequest
from tests.messaging.campaigns.test_comparing import sent
from tests.messaging.imports.test_imports import uploaded

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # Sockets of the live server's and Playwright's threads are closed by the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("/admin/messaging/suppressionentry/", "Suppression list"),
        ("/admin/gateway/ledgerentry/?state__exact=unknown", "Ledger"),
        ("/admin/voice/callrecord/", "Call records"),
        ("/admin/numbers/numberpool/add/", "New number pool"),
        ("/admin/messaging/contact/add/", "New contact"),
    ],
)
def test_the_title_of_a_page_is_not_cut(page: Page, address: str, named: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address)

    shown = page.locator("#header-inner h1 > .truncate:visible")
    expect(shown).to_have_text(named)
    assert shown.evaluate("(title) => title.scrollWidth <= title.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_callback_address_is_broken_where_the_screen_ends(page: Page, settings: LazySettings) -> None:
    settings.LAAFFIC_PUSH_TOKENS = ["t" * 48]
    application = Application.objects.create(app_id="4luaKsL2", channel="sms")
    page.set_viewport_size({"width": 390, "height": 844})

    page.goto(f"/admin/gateway/application/{application.pk}/change/")

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_rights_of_a_role_stand_in_lines(page: Page) -> None:
    role = Group.objects.create(name="Callers")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/admin/auth/group/{role.pk}/change/")

    frames = page.locator(".c-rights .c-scroll")
    assert frames.count() > 3
    assert frames.evaluate_all("(all) => all.every((one) => one.scrollWidth <= one.clientWidth)")


def test_columns_and_filters_share_a_line(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/admin/messaging/campaign/")

    columns, filters = page.locator(".c-columns").bounding_box(), page.locator(".c-filters").bounding_box()
    assert columns
    assert filters
    assert columns["y"] == filters["y"]
    assert filters["x"] > columns["x"] + columns["width"]


def test_compared_campaigns_scroll_in_their_table_and_its_first_column_stays(
    page: Page, application: Application
) -> None:
    five = [sent(application, 90, 10 + n) for n in range(5)]
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/admin/messaging/campaign/compare/?ids=" + ",".join(str(one.pk) for one in five))

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    label = page.get_by_role("rowheader", name="Recipients")
    before = label.bounding_box()
    page.locator("#compared").evaluate("(table) => { table.parentElement.scrollLeft = 300 }")
    assert label.bounding_box() == before
    expect(page.locator(".c-mark.worst").last).to_be_visible()


def test_figures_and_requests_of_a_campaign_need_no_scrolling_sideways(page: Page, application: Application) -> None:
    campaign = sent(application, 90, 10)
    part = {"recipients": 12_480, "segments": 24_960, "cost": "124.8", "price": "0.005", "currency": "USD"}
    Campaign.objects.filter(pk=campaign.pk).update(forecast={"each": 2.0, "by_country": {"IN": part}})
    paid = {"billed_segments": 180, "pay_micros": 900_000, "currency": "USD"}
    OutcomeTally.objects.create(
        campaign=campaign, country="IN", state=MessageState.DELIVERED, reason="", messages=90, **paid
    )
    LedgerEntry.objects.create(
        interface="sendSms/batch",
        about_kind="campaign",
        about_id=campaign.pk,
        summary={"recipients": 1000},
        state=LedgerEntry.State.ACCEPTED,
        evidence="settled by getSentRcd by number and time: 250000001042",
        prepared_at=timezone.now(),
        left_at=timezone.now(),
    )
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/admin/messaging/campaign/{campaign.pk}/change/")

    frames = page.locator(".c-scroll:has(> .c-stacked)")
    assert frames.count() == 3
    assert [frame.is_visible() for frame in frames.all()] == [False, False, False]
    for heading in page.locator(".c-fold > summary").all():
        heading.click()
    assert [frame.is_visible() for frame in frames.all()] == [True, True, True]
    assert frames.evaluate_all("(all) => all.every((one) => one.scrollWidth <= one.clientWidth)")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    cell = page.locator("#expected td[data-label]").first
    label = cell.evaluate("(cell) => getComputedStyle(cell, '::before').content")
    assert label == '"Messages"'


def a_worker() -> str:
    now = timezone.now()
    name = "console-worker-03.fra.example.com:31337"
    WorkerHeartbeat.objects.create(worker=name, host="fra", pid=1, started_at=now, beat_at=now)
    return "/admin/health/"


def a_learned_price() -> str:
    application = Application.objects.create(app_id="4luaKsL2", channel="sms")
    campaign = Campaign.objects.create(name="c", application=application, text="Hi", launched_at=timezone.now())
    paid = {"billed_segments": 12_480, "pay_micros": 62_400_000, "currency": "USD"}
    OutcomeTally.objects.create(campaign=campaign, country="BA", state=MessageState.DELIVERED, messages=12_480, **paid)
    return "/admin/messaging/listprice/"


def a_binding() -> str:
    application = Application.objects.create(app_id="4luaKsN2", channel="number")
    numbers = {"phone_a": "919812345678", "phone_b": "919812345679"}
    binding = Binding.objects.create(
        application=application, bind_id="1", pns_number_a="9180001", pns_number_b="9180001", **numbers
    )
    BindingRequest.objects.create(verb="bind", application=application, binding=binding, **numbers)
    return f"/admin/numbers/binding/{binding.pk}/change/"


def one_s_sessions() -> str:
    return "/account/"


def an_import() -> str:
    headers = ["phone", "name", "country_of_residence", "city", "tier", "birthday"]
    job = uploaded([headers, ["919876543210", "Ann", "India", "Pune", "gold", "1990-04-03"]])
    return f"/admin/messaging/contactimport/{job.pk}/change/"


@pytest.mark.parametrize("of", [a_worker, a_learned_price, a_binding, one_s_sessions, an_import])
def test_a_table_stands_in_lines(page: Page, of: Callable[[], str]) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(of())
    for folded in page.locator("#content details > summary").all():
        folded.click()

    frames = page.locator("#content .c-scroll:has(> table:visible)")
    expect(frames.locator("td").first).to_be_visible()
    expect(frames.locator("thead:visible")).to_have_count(0)
    assert frames.evaluate_all("(all) => all.every((one) => one.scrollWidth <= one.clientWidth)")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_tables_beside_other_things_stand_in_lines_too(page: Page, application: Application) -> None:
    contact = Contact.objects.create(number="919876543210", name="Asha " * 8)
    campaign = Campaign.objects.create(name="spring " * 6, application=application, text="Hi")
    batch = Batch.objects.create(campaign=campaign, size=1, first_message_id=1, last_message_id=1)
    Message.objects.create(
        campaign=campaign, batch=batch, contact=contact, number=contact.number, reason="too long " * 9
    )
    job = ContactImport.objects.create(file_name="list.csv", state="finished", rows=2, invalid=1, headers=["phone"])
    BadRow.objects.create(contact_import=job, row=2, column="phone", value="12 " * 20, reason="too short " * 6)
    page.set_viewport_size({"width": 390, "height": 844})

    for address in (
        f"/admin/messaging/contact/{contact.pk}/change/",
        f"/admin/messaging/contactimport/{job.pk}/change/",
        reverse("my_notices"),
    ):
        page.goto(address)
        if folder := os.environ.get("PICTURES"):
            page.screenshot(path=f"{folder}/{address.split('/')[3] or 'notices'}.png", full_page=True)
        table = page.locator(".c-table.c-stacked").first
        assert table.locator("thead").evaluate("(head) => getComputedStyle(head).display") == "none", address
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
        frames = page.locator(".c-scroll:has(> .c-stacked)")
        assert frames.evaluate_all("(all) => all.every((one) => one.scrollWidth <= one.clientWidth)"), address


@pytest.mark.parametrize(("width", "shown"), [(1360, "words"), (390, "sign")])
def test_a_list_says_in_words_what_its_button_makes(
    page: Page, application: Application, width: int, shown: str
) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    for model, words in (("campaign", "New campaign"), ("contactimport", "Import contacts")):
        page.goto(f"/admin/messaging/{model}/")
        button = page.get_by_role("link", name=words, exact=True).and_(page.locator(".addlink"))
        expect(button.locator(f".c-add-{shown}")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if folder := os.environ.get("PICTURES"):
            page.screenshot(path=f"{folder}/{model}-{width}.png")


def test_what_a_column_of_a_file_means_is_read_whole(page: Page) -> None:
    name = "customer number of the old system"
    file = SimpleUploadedFile("list.csv", f"phone,{name},a,b,c,d,e,f,g\n919876543210,7,,,,,,,\n".encode())
    job = import_files.receive(file, group=None, region="", by=None)
    page.set_viewport_size({"width": 1360, "height": 844})
    page.goto(f"/admin/messaging/contactimport/{job.pk}/change/")

    written = """(select) => {
      const pen = document.createElement("canvas").getContext("2d");
      pen.font = getComputedStyle(select).font;
      return select.clientWidth - pen.measureText(select.selectedOptions[0].text).width;
    }"""
    assert page.get_by_label(name, exact=True).evaluate(written) > 0
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/columns.png")
