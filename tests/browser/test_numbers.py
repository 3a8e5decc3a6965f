"""Bindings and pools as an operator meets them, in a browser."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from laaffic_console.gateway.models import Application
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Contact
from phone_numbers.models import Binding, NumberPool
from phone_numbers.services import binding_changes, pool_sync

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # Sockets of the live server's and Playwright's threads are closed by the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def application(db: None) -> Application:
    return Application.objects.create(app_id="NumApp1", channel="number", name="Masking")


class BindingTests:
    def test_250_bindings_are_synchronised_and_counted_down(
        self, page: Page, sandbox: RunningSandbox, application: Application, run_jobs: Callable[[], int]
    ) -> None:
        sandbox._ask("POST", "/sandbox/bindings/add", {"count": 250, "expires_in": 3600})
        page.goto("/admin/numbers/binding/")
        expect(page.locator("#sync-state")).to_contain_text("Never read")
        page.click("#sync")
        expect(page.locator("#sync-state")).to_contain_text("Asked for")

        run_jobs()

        expect(page.locator("#sync-state")).to_contain_text("250 at Laaffic")
        assert Binding.objects.live().count() == 250
        chosen = Binding.objects.order_by("pk")[7]
        Contact.objects.create(number=chosen.phone_b, name="Asha Rao", country="IN")
        page.goto(f"/admin/numbers/binding/?q={chosen.pns_number_a}")
        row = page.locator("#result_list tbody tr, #result_list tbody")
        expect(row.first).to_contain_text(chosen.bind_id)
        expect(row.first).to_contain_text("Asha Rao")
        clock = page.locator("[data-left]").first
        expect(clock).to_have_text(re.compile(r"^00:5\d:\d\d$"))
        before = clock.text_content()
        expect(clock).not_to_have_text(before or "")

        sandbox._ask("POST", "/sandbox/bindings/vanish", {"bind_ids": [chosen.bind_id]})
        page.goto("/admin/numbers/binding/")
        page.click("#sync")
        expect(page.locator("#sync-state")).to_contain_text("Asked for")
        run_jobs()
        expect(page.locator("#sync-state")).to_contain_text("1 gone")
        page.goto("/admin/numbers/binding/?state=ended")
        expect(page.locator("#result_list")).to_contain_text("Gone at Laaffic")

    def test_bind_and_unbind(self, page: Page, sandbox: RunningSandbox, application: Application) -> None:
        page.goto("/admin/numbers/binding/bind/")
        page.fill("#id_phone_a", "+91 98765 43210")
        page.fill("#id_phone_b", "+91 98765 43210")
        page.fill("#id_pool_number", "918885")
        page.click("#bind")
        expect(page.locator("[role=alert]")).to_contain_text("the same number")
        expect(page.locator("#id_phone_a")).to_have_value("+91 98765 43210")
        page.fill("#id_phone_b", "+91 98765 43211")

        page.dblclick("#bind")

        expect(page.locator("#binding-state")).to_have_text("Live")
        expect(page.locator("body")).to_contain_text("sees 9178605501")
        assert sandbox.stats()["calls"]["/number/pns/bind"] == 1
        page.on("dialog", lambda dialog: dialog.accept())
        page.click("#unbind")
        expect(page.locator("#binding-state")).to_contain_text("Unbound here")

    def test_one_that_runs_out_while_it_is_looked_at(
        self, page_with_a_clock: Page, sandbox: RunningSandbox, application: Application
    ) -> None:
        """Its page and its row in the list say so, by the server's clock; and the two can be bound again from there."""
        page = page_with_a_clock
        bound = binding_changes.bind(
            phone_a="+919876543210",
            phone_b="+919876543211",
            pool_number="918885",
            seconds=3600,
            application=application,
        ).binding
        assert bound is not None
        page.clock.install(time=timezone.now() + dt.timedelta(hours=5))  # a browser whose clock is wrong
        for address in (f"/admin/numbers/binding/{bound.pk}/change/", "/admin/numbers/binding/"):
            page.goto(address)
            around = page.locator("#result_list tbody tr" if address.endswith("binding/") else ".c-card").first
            expect(around.locator("[data-left]")).to_have_text(re.compile(r"^(00:5\d:\d\d|01:00:00)$"))
            expect(around.get_by_text("Live", exact=True)).to_be_visible()
            expect(around.get_by_text("Has run out")).to_be_hidden()
            page.clock.fast_forward("01:00:05")
            expect(around.locator("[data-left]")).to_have_text("has run out")
            expect(around.get_by_text("Has run out", exact=True)).to_be_visible()
            expect(around.get_by_text("Live", exact=True)).to_be_hidden()

        Binding.objects.update(expires_at=timezone.now())
        page.goto(f"/admin/numbers/binding/{bound.pk}/change/")
        expect(page.locator("#binding-state")).to_have_text("Has run out")
        page.click("#bind-again")
        expect(page.locator("#id_phone_a")).to_have_value("+919876543210")


class PoolTests:
    def test_edited_drifted_and_applied_again(
        self, page: Page, sandbox: RunningSandbox, application: Application, run_jobs: Callable[[], int]
    ) -> None:
        pool_sync.sync()
        pool = NumberPool.objects.get(pool_number="918885")
        page.goto(f"/admin/numbers/numberpool/{pool.pk}/change/")
        page.click("#edit")
        page.fill("#id_whitelist", "192.168.10.17, 10.0.0.300")
        page.fill("#id_numbers", "9178605502\n9178605503\n9178605503")
        page.click("#look")
        expect(page.locator("[role=alert]")).to_contain_text("“10.0.0.300” is not an address")
        expect(page.locator("#id_numbers")).to_have_value("9178605502\n9178605503\n9178605503")
        page.fill("#id_whitelist", "192.168.10.17, 10.0.0.30")
        page.click("#look")
        expect(page.locator("#difference")).to_contain_text("1 number added")
        expect(page.locator("#doubles")).to_contain_text("9178605503")
        page.fill("#id_typed", "918884")
        page.click("#apply")
        expect(page.locator("[role=alert]")).to_contain_text("Type 918885")
        page.fill("#id_typed", "918885")
        page.dblclick("#apply")
        expect(page.locator("#pool-state")).to_have_text("In step")
        assert sandbox.stats()["calls"]["/number/editNumberPool"] == 1

        sandbox._ask("POST", "/sandbox/pools/drift", {"pool_number": "918885", "max_concurrency": 7})
        page.click("text=Compare now")
        expect(page.locator("#pool")).to_contain_text("Being compared")
        run_jobs()

        expect(page.locator("#pool-state")).to_have_text("Differs at Laaffic")
        expect(page.locator("#drift")).to_contain_text("99")
        page.click("#reapply")
        page.fill("#id_typed", "918885")
        page.press("#id_typed", "Enter")
        expect(page.locator("#pool-state")).to_have_text("In step")
        pool.refresh_from_db()
        assert (pool.current.number, pool.listed.max_concurrency) == (3, 99)
        run_jobs()
        pool.refresh_from_db()
        assert pool.drifted_at is None


class ConfirmationTests:
    def test_a_part_that_was_fetched_again_still_asks_first(
        self, page: Page, sandbox: RunningSandbox, application: Application, run_jobs: Callable[[], int]
    ) -> None:
        pool_sync.sync()
        pool = NumberPool.objects.get(pool_number="918885")
        sandbox._ask("POST", "/sandbox/pools/drift", {"pool_number": "918885", "max_concurrency": 7})
        page.goto(f"/admin/numbers/numberpool/{pool.pk}/change/")
        page.click("text=Compare now")
        run_jobs()
        expect(page.locator("#pool-state")).to_have_text("Differs at Laaffic")
        asked: list[str] = []
        page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))

        page.click("#adopt")

        assert "Take over what Laaffic holds?" in asked[0]
        assert pool.versions.count() == 1
        page.once("dialog", lambda dialog: dialog.accept())
        page.click("#adopt")
        expect(page.locator("#pool-state")).to_have_text("In step")


class LookTests:
    @pytest.mark.parametrize(
        "address",
        [
            "/admin/numbers/binding/",
            "/admin/numbers/binding/bind/",
            "/admin/numbers/numberpool/",
            "/admin/numbers/numberpool/add/",
            "/admin/numbers/ownednumber/",
        ],
    )
    def test_nothing_is_wider_than_a_phone(
        self, page: Page, sandbox: RunningSandbox, application: Application, address: str
    ) -> None:
        pool_sync.sync()
        page.set_viewport_size({"width": 390, "height": 844})

        page.goto(address)

        assert page.evaluate("document.documentElement.scrollWidth") <= 390
