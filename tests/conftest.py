"""What every test may use, and which tests need more than Python."""

import gc
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as examples

from laaffic_console.kit.process import garbage

if TYPE_CHECKING:
    from django.test import Client
    from playwright.sync_api import Browser

pytest_plugins = ["tests.pristine_postgresql", "tests.pristine"]
# Hypothesis runs the same examples every time. `make rehearse` plays at random.
examples.register_profile("suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
examples.load_profile("suite")
garbage.look_seldom()

# Of files whose tests draw pages.
PAGES = (
    *("admin", "before_launch", "contact_list", "copied_lists", "pasted_searches", "what_was_shown"),
    *("masks", "who_did_what", "who_sees_people", "test_people", "conversations", "comparing", "proofs", "report_page"),
    *("saved_reports", "test_lists", "wrong_passwords"),
)
FOLDERS_OF_PAGES = ("dashboard", "kit")
NO_PAGES = ("test_document_text", "test_private_files", "test_uploads")  # in these folders
COMPULSORY = os.environ.get("CONSOLE_TESTS_COMPULSORY", "").split()


# The shell draws without a window's own pages, with two thirds of the processor time; and without a process of its own
# that draws, which everything would be handed to first, with a tenth less.
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
CHROMIUM_ARGUMENTS = [
    *["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
    *["--disable-extensions", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
    "--in-process-gpu",
]


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def missing(marker: str) -> str:
    """Why tests with this marker cannot run here; "" when they can."""
    if marker == "browser" and not CHROMIUM:
        return "Debian's Chromium is not installed (apt-get install chromium-headless-shell)"
    if marker == "services" and not (answers(5432) and answers(6379)):
        return "PostgreSQL and Redis do not both answer on 127.0.0.1"
    return ""


def draws_pages(path: Path) -> bool:
    """Whether its tests draw the admin's pages, of which each costs as much as a dozen other tests."""
    is_in_folder = path.parent.name in FOLDERS_OF_PAGES and path.stem not in NO_PAGES
    return is_in_folder or any(word in path.stem for word in PAGES)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # What mostly waits comes first, so that the other process is not left waiting for it at the end.
    items.sort(key=lambda item: not item.get_closest_marker("reliability"))
    for item in items:
        if draws_pages(item.path):
            item.add_marker("pages")
        # They hang on a real browser's and real processes' clocks. What was red once is listed in the summary.
        if item.get_closest_marker("browser") or item.get_closest_marker("reliability"):
            item.add_marker(pytest.mark.flaky(reruns=1))
    for marker in ("browser", "services"):
        why = missing(marker)
        wanted = [item for item in items if item.get_closest_marker(marker)]
        if not why or not wanted:
            continue
        if marker in COMPULSORY:
            raise pytest.UsageError(f"{marker} tests are compulsory here, but {why}")
        for item in wanted:
            item.add_marker(pytest.mark.skip(reason=why))


def pytest_collection_finish() -> None:
    """Modules and tests stay: looking through them for garbage again and again took a seventh of the time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _no_files_beside_the_code(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each test's client would look for all static files; a live server serves them by itself."""
    from django.conf import settings

    settings.WHITENOISE_USE_FINDERS = False
    settings.MEDIA_ROOT = tmp_path_factory.mktemp("media")


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> None:
    """What PBKDF2 makes slow on purpose is slow in each test that signs somebody in."""
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session", autouse=True)
def _patient_pages() -> None:
    """A page counts to the end, however busy the machine; tests of what it does in a moment set that moment."""
    from messaging.services.audience import audience_counts

    audience_counts.PAGE_SECONDS = audience_counts.SKETCH_SECONDS = 5.0
    audience_counts.PRESS_SECONDS = 60.0


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    """One browser for all tests of this process."""
    from playwright.sync_api import sync_playwright

    # Playwright's loop runs in this thread; the ORM is used beside it on purpose.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session", autouse=True)
def _no_undo_window() -> None:
    """A launch starts at once; the tests of the window open it again."""
    from django.conf import settings

    settings.LAAFFIC_UNDO_SECONDS = 0


@pytest.fixture
def staff(client: "Client") -> Callable[..., "Client"]:
    """Signed in with these permissions and no others."""
    from django.contrib.auth.models import Permission, User

    def sign_in(*permissions: str) -> "Client":
        user = User.objects.create_user("staff", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def as_role() -> Callable[[str], "Client"]:
    """A browser of its own for each role's person."""
    from django.contrib.auth.models import Group, User
    from django.test import Client

    def sign_in(role: str) -> Client:
        user, _made = User.objects.get_or_create(username=role.lower(), is_staff=True)
        user.groups.set([Group.objects.get(name=role)])
        client = Client()
        client.force_login(user)
        return client

    return sign_in
