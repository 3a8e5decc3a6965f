"""A real Chromium before a live console, whose gateway is a sandbox that pushes back to it."""

import itertools
import time
from collections.abc import Callable, Iterator

import pytest
from django.conf import LazySettings
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect
from pytest_django import DjangoDbBlocker
from pytest_django.live_server_helper import LiveServer

from laaffic_console.dashboard.models import TourTaken
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.inbox import inbox
from laaffic_console.sandbox.options import Options
from laaffic_console.sandbox.testing import RunningSandbox, running_sandbox
from messaging.models import Message, MessageState
from tests.messaging.conftest import application, group, point_at, run_jobs

TOKEN = "browser-tests-push-token"
PASSWORD = "a-password-of-a-test"
# Pages that ask every two seconds ask five times a second here: a test waits for what they show, not for the clock.
HURRY = """
const wait = window.setTimeout;
window.setTimeout = (then, ms, ...given) => wait(then, ms >= 1000 ? ms / 10 : ms, ...given);
"""

WINDOWS = itertools.count(1)

__all__ = ["application", "group", "run_jobs"]


@pytest.fixture
def sandbox(settings: LazySettings, live_server: LiveServer) -> Iterator[RunningSandbox]:
    settings.LAAFFIC_PUSH_TOKENS = [TOKEN]
    callback = f"{live_server.url}/hooks/{TOKEN}/sms-report/"
    options = Options(callback=callback, push_mode="array", delivery_delay=(0.0, 0.2), queue_time=0.0)
    with running_sandbox(options) as running:
        point_at(settings, running)
        yield running
        account.laaffic_client.cache_clear()


@pytest.fixture
def troubles() -> list[str]:
    """What the browser's console complained of; a test ends with none."""
    return []


def new_window(chromium: Browser, live_server: LiveServer) -> BrowserContext:
    context = chromium.new_context(
        viewport={"width": 1360, "height": 900}, base_url=live_server.url, reduced_motion="reduce"
    )
    context.set_default_timeout(60_000)
    expect.set_options(timeout=30_000)
    context.add_init_script(HURRY)
    return context


@pytest.fixture(scope="session")
def window(chromium: Browser, live_server: LiveServer, django_db_blocker: DjangoDbBlocker) -> Iterator[BrowserContext]:
    """One for all tests of this process: styles and scripts are fetched once.

    A page may ask once more while its test ends; that request is answered like any other.
    """
    context = new_window(chromium, live_server)
    with django_db_blocker.unblock():
        yield context
        context.close()


@pytest.fixture(autouse=True)
def own_session(settings: LazySettings) -> None:
    """Each test has a session cookie of its own name.

    The test before may have left a request in the air. Its session is gone when that is answered, and the answer
    takes its cookie away: from the window that both share, where this test is signed in.
    """
    settings.SESSION_COOKIE_NAME = f"session-{next(WINDOWS)}"


@pytest.fixture
def page(
    own_session: None, window: BrowserContext, live_server: LiveServer, troubles: list[str], db: None
) -> Iterator[Page]:
    """Signed in as an administrator, without the sign-in page, which has a test of its own."""
    yield from signed_in(window, live_server, troubles)


@pytest.fixture
def page_with_a_clock(
    own_session: None, chromium: Browser, live_server: LiveServer, troubles: list[str], db: None
) -> Iterator[Page]:
    """A page in a window of its own: the clock that a test sets is its window's, and would stay for the tests after."""
    window = new_window(chromium, live_server)
    yield from signed_in(window, live_server, troubles)
    window.close()


def signed_in(window: BrowserContext, live_server: LiveServer, troubles: list[str]) -> Iterator[Page]:
    user = get_user_model().objects.create_superuser("ada", password=PASSWORD)
    window.clear_cookies()
    window.add_cookies(
        [{"name": django_settings.SESSION_COOKIE_NAME, "value": session_of(user), "url": live_server.url}]
    )
    opened = window.new_page()
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("console", lambda said: troubles.append(said.text) if is_trouble(said) else None)
    yield opened
    opened.close()
    assert troubles == []


def is_trouble(said: ConsoleMessage) -> bool:
    """Leaving a page ends what it asks just then, and htmx says so."""
    return said.type == "error" and said.text not in ("htmx:afterRequest", "htmx:sendAbort")


def session_of(user: User) -> str:
    """The key of a new session in which somebody has signed in, who has taken the tour."""
    TourTaken.objects.get_or_create(user=user)
    client = Client()
    client.force_login(user)
    return client.cookies[django_settings.SESSION_COOKIE_NAME].value


def sign_in(page: Page, password: str, user: str = "ada") -> None:
    TourTaken.objects.get_or_create(user=User.objects.get(username=user))
    page.goto("/admin/")
    page.fill("#id_username", user)
    page.fill("#id_password", password)
    page.click("button[type=submit]")
    page.wait_for_load_state()


def run_until_reported(run_jobs: Callable[[], int]) -> None:
    """Work off the queue, as a worker does, until no message waits for its report."""
    give_up_at = time.monotonic() + 60
    while Message.objects.filter(state__in=[MessageState.QUEUED, MessageState.ACCEPTED]).exists():
        assert time.monotonic() < give_up_at, "not every report came"
        inbox.ring_for_waiting()  # as the sweeper does for the last pushes of a second
        run_jobs()
        time.sleep(0.02)
