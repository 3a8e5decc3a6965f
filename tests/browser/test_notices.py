"""The bell: it counts by itself, opens by keyboard, and leads to what it is about; also on a telephone."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from laaffic_console.notices.kinds import Notify
from laaffic_console.notices.models import Notice

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # Sockets of the live server's and Playwright's threads are closed by the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


def told(user: User, name: str, reason: str = "Too many recipients were rejected.") -> Notice:
    said = {"name": name, "reason": reason}
    return Notice.objects.create(user=user, kind=Notify.HELD, about="campaign:1", subject="campaign", said=said)


def test_the_bell_counts_and_closes_by_keyboard(page: Page) -> None:
    ada = User.objects.get(username="ada")
    told(ada, "Autumn sale")
    page.goto("/admin/notices/mine/")
    bell = page.locator("#bell-button")
    expect(bell).to_have_accessible_name("Notices: 1 unread")

    told(ada, "Winter sale")
    expect(bell).to_have_accessible_name("Notices: 2 unread")
    bell.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("“Winter sale” is held")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("“Winter sale” is held")).to_be_hidden()
    expect(bell).to_be_focused()


def test_marking_all_on_a_narrow_screen(page: Page) -> None:
    ada = User.objects.get(username="ada")
    for name in ("Autumn sale", "A campaign with a name that is much longer than a telephone is wide", "Winter"):
        told(ada, name)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/admin/notices/")
    page.locator("#bell-button").click()
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    page.keyboard.press("Escape")

    page.click("#read-all")

    expect(page.locator("#bell-button")).to_have_accessible_name("Notices: 0 unread")
    assert not Notice.objects.filter(read_at=None).exists()
