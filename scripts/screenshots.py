"""The documentation's pictures, the same whenever they are taken: scripts/screenshots.py [--to FOLDER] [--day].

The console is served from its own database, which is filled the same way each time; its clock and the browser's stand
still. So a picture changes only if its page has.
"""

import argparse
import contextlib
import datetime as dt
import io
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import time_machine
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import browsers  # noqa: E402 - beside this file, wherever it is begun

TARGET = ROOT / "docs" / "screenshots"
NOW = dt.datetime(2026, 3, 17, 15, 42, tzinfo=dt.UTC)
USER = "demo"
CONTACTS, RECIPIENTS = 10_000, 10_000
CAMPAIGNS = ["Tables in March", "Parcels, second week", "Spring opening"]  # the last one is under way
PAGES = {
    "front": "/admin/",
    "campaigns": "/admin/messaging/campaign/",
    "campaign": "/admin/messaging/campaign/3/change/",
    "compose": "/admin/messaging/campaign/add/",
    "contacts": "/admin/messaging/contact/",
    "import": "/admin/messaging/contactimport/1/change/",
    "audience": "/admin/messaging/audience/1/change/",
    "review": "/admin/messaging/campaign/4/review/",
    "report": "/admin/reports/report/show/?from=2026-03-01&to=2026-03-17&by=campaign",
}
ALSO = {"-dark": ("campaign", "front"), "-phone": ("campaign", "front")}  # the other views
# So that rounded corners do not depend on the order of drawing tiles or on the processor.
DRAWN_ALIKE = [
    *["--no-sandbox", "--disable-gpu", "--font-render-hinting=none", "--force-color-profile=srgb"],
    *["--disable-skia-runtime-opts", "--disable-partial-raster", "--num-raster-threads=1"],
    *["--disable-lcd-text", "--disable-checker-imaging", "--disable-image-animation-resync"],
]
STEADY = 5  # pictures, of which two in a row must be equal
VIEWS: dict[str, tuple[int, int, Literal["light", "dark"], str]] = {
    "": (1360, 900, "light", "en"),
    "-zh_Hans": (1360, 900, "light", "zh-hans"),
    "-dark": (1360, 900, "dark", "en"),
    "-phone": (390, 844, "light", "en"),
}

OF_THE_DAY = ("", "-zh_Hans")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=TARGET, metavar="FOLDER")
    parser.add_argument("--day", action="store_true", help="only those of an operator's day (scripts/a_day.py)")
    options = parser.parse_args()
    target = options.to
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(surroundings(folder))
        with time_machine.travel(NOW, tick=False):
            fill(Path(folder))
            cookie = session()  # Playwright's thread may not query the database
            with served() as url, sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=browsers.chromium(), args=DRAWN_ALIKE)
                if not options.day:
                    for path in taken(browser, url, cookie, target):
                        print(path)
                for path in of_the_day(browser, url, cookie, target):  # last, as it changes what the others show
                    print(path)
                browser.close()


def surroundings(folder: str) -> dict[str, str]:
    """Set everything that could lead to another console, or to the real gateway; `.env` is not read."""
    return {
        "CONSOLE_ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "laaffic_console.settings",
        "DATABASE_URL": f"sqlite:///{folder}/console.sqlite3",
        "REDIS_URL": "",
        "CONSOLE_VAR_DIR": folder,
        "CONSOLE_URL": "http://127.0.0.1:8000",
        "ALLOWED_HOSTS": "127.0.0.1",
        "LAAFFIC_BASE_URL": "http://127.0.0.1:8090/v3",
        "LAAFFIC_API_KEY": "key",
        "LAAFFIC_API_SECRET": "secret",
        "LAAFFIC_PUSH_TOKENS": "a-token-for-pictures",
        "SECRET_KEY": "for pictures alone",
        "DEBUG": "",
        "TIME_ZONE": "UTC",
    }


def fill(folder: Path) -> None:
    import django

    django.setup()
    import fill as filling
    from django.core.management import call_command

    with contextlib.redirect_stdout(io.StringIO()):
        call_command("migrate", verbosity=0)
        filling.fill(len(CAMPAIGNS) * RECIPIENTS, CONTACTS, RECIPIENTS)
        sample = str(folder / "contacts.csv")
        call_command("sample_contacts", sample, rows=500)
        call_command("contacts", "import", sample, group="Sample contacts", json=True)
    name_things()


def name_things() -> None:
    """Give names that people would use to rows that filling numbers; add a live worker, and some money."""
    from django.contrib.auth.models import User

    from laaffic_console.dashboard.models import FirstStepsPutAway, TourTaken
    from laaffic_console.gateway.models import Application, BalanceReading, WorkerHeartbeat
    from messaging.models import Campaign, ContactGroup
    from messaging.services.audience import audience_counts
    from messaging.services.campaigns import drafts
    from messaging.services.saved_audiences import audiences

    user = User.objects.create_superuser(USER)
    FirstStepsPutAway.objects.create(user=user)
    TourTaken.objects.create(user=user)
    for campaign, name in zip(Campaign.objects.order_by("pk"), CAMPAIGNS, strict=True):
        Campaign.objects.filter(pk=campaign.pk).update(name=name)
    Application.objects.update(name="Demo SMS", app_id="4luaKsL2")
    audiences.create(name="Parcels arrived", condition="country in (IN, BR) and last_delivered > 30 days ago")
    draft = drafts.create(
        name="Friday tables",
        application=Application.objects.get(),
        sender_id="LAAFFIC",
        text="Hello {{name|there}}, your table is ready on Friday. Reply STOP to opt out.",
        groups=[ContactGroup.objects.get(name="Sample contacts")],
    )
    audience_counts.complete(draft)
    BalanceReading.objects.create(at=NOW - dt.timedelta(minutes=2), balance="8412.50")
    WorkerHeartbeat.objects.create(worker="console:1", host="console", pid=1, started_at=NOW, beat_at=NOW)


def session() -> tuple[str, str]:
    """The cookie of a signed-in user."""
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    client.force_login(User.objects.get(username=USER))
    return settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value


@contextlib.contextmanager
def served() -> Iterator[str]:
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application

    class Quiet(WSGIRequestHandler):
        def log_message(self, *said: object) -> None:
            """Log nothing."""

    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
    server.set_app(get_wsgi_application())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def opened(browser: Browser, url: str, cookie: tuple[str, str], view: str) -> BrowserContext:
    width, height, scheme, language = VIEWS[view]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        base_url=url,
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="UTC",
    )
    for name, value in (cookie, ("django_language", language)):
        context.add_cookies([{"name": name, "value": value, "url": url}])
    context.clock.set_fixed_time(NOW)
    return context


def taken(browser: Browser, url: str, cookie: tuple[str, str], target: Path) -> Iterator[Path]:
    for suffix in VIEWS:
        context = opened(browser, url, cookie, suffix)
        for name, address in PAGES.items():
            if name in ALSO.get(suffix, PAGES):
                yield picture(context, address, target / f"{name}{suffix}.png")
        context.close()


def of_the_day(browser: Browser, url: str, cookie: tuple[str, str], target: Path) -> Iterator[Path]:
    import a_day

    for suffix in OF_THE_DAY:
        context = opened(browser, url, cookie, suffix)
        page = context.new_page()
        with tempfile.TemporaryDirectory() as folder:
            for name in a_day.Day(page, VIEWS[suffix][3], Path(folder), NOW).pictures():
                path = target / f"day-{name}{suffix}.png"
                path.write_bytes(steady(page))
                yield path
        context.close()


def picture(context: BrowserContext, address: str, path: Path) -> Path:
    page = context.new_page()
    answer = page.goto(address)
    if answer is None or not answer.ok:
        sys.exit(f"{address} answers {answer and answer.status}: no picture of it was taken")
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    path.write_bytes(steady(page))
    page.close()
    return path


def steady(page: Page) -> bytes:
    """A picture of the page once it is steady: fonts, charts and refetched parts come after its load."""
    seen = b""
    for _turn in range(STEADY):
        taken_now = page.screenshot(animations="disabled", caret="hide")
        if taken_now == seen:
            return seen
        seen = taken_now
        page.wait_for_timeout(300)
    sys.exit(f"{page.url} does not come to rest: no picture of it was taken")


if __name__ == "__main__":
    main()
