"""A real Chromium before a live console, whose gateway is a sandbox that pushes back to it."""

import os
import shutil
from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.contrib.auth import get_user_model
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from laaffic_console.gateway.services import account
from laaffic_console.sandbox.options import Options
from laaffic_console.sandbox.testing import RunningSandbox, running_sandbox
from tests.messaging.conftest import application, group, point_at, run_jobs

# Playwright's loop runs in this thread; the ORM is used beside it on purpose.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

TOKEN = "browser-tests-push-token"
PASSWORD = "a-password-of-a-test"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]

__all__ = ["application", "group", "run_jobs"]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        yield browser
        browser.close()


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


@pytest.fixture
def page(chromium: Browser, live_server: LiveServer, troubles: list[str], db: None) -> Iterator[Page]:
    """Signed in as an administrator."""
    get_user_model().objects.create_superuser("ada", password=PASSWORD)
    context = chromium.new_context(viewport={"width": 1360, "height": 900}, base_url=live_server.url)
    opened = context.new_page()
    opened.set_default_timeout(10_000)
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    sign_in(opened, PASSWORD)
    yield opened
    context.close()
    assert troubles == []


def sign_in(page: Page, password: str, user: str = "ada") -> None:
    page.goto("/admin/")
    page.fill("#id_username", user)
    page.fill("#id_password", password)
    page.click("button[type=submit]")
    page.wait_for_load_state()
