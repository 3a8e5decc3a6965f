"""Pages are loaded by whoever wants one, and by nobody else."""

import subprocess
import sys
from collections.abc import Callable

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from unfold.settings import get_config

from laaffic_console.conf import BASE_DIR
from laaffic_console.kit.registers import menu

LOADED_WHEN_WANTED = """
import sys, threading
import django
django.setup()
# 16 MB of each process, for what a console on SQLite may never do.
assert not {"redis", "psycopg", "import_export.resources"} & set(sys.modules)
from django.contrib import admin
from django.core.management import CommandError, call_command
from messaging.models import Campaign

try:
    call_command("rehearse", "--outage", "redis", "5")
except CommandError:
    pass
assert "messaging.admin" not in sys.modules and "laaffic_console.urls" not in sys.modules

found = []
threads = [threading.Thread(target=lambda: found.append(admin.site.get_model_admin(Campaign))) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert len(found) == 4 and len(set(map(id, found))) == 1, found
assert "voice.admin" in sys.modules and len(admin.site._registry) > 30
"""


def test_a_command_loads_none_and_the_first_to_want_one_loads_all() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED_WHEN_WANTED],
        cwd=BASE_DIR,
        env={"DJANGO_SETTINGS_MODULE": "laaffic_console.settings", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-2000:]


def test_a_breadcrumb_opens_the_lists_of_its_part(admin_client: Client) -> None:
    page = admin_client.get("/admin/messaging/").content.decode()

    assert "<title> Messaging |" in " ".join(page.split())
    assert '<a class="c-link" href="/admin/messaging/contact/">Contacts</a>' in page
    assert "administration" not in page


def test_a_list_has_the_name_by_which_the_menu_leads_to_it(admin_client: Client) -> None:
    """In its title and in the breadcrumbs, also of a page below it."""
    lines = [line for group in menu.Group for line in menu.lines(group) if str(line["link"]).startswith("/admin/")]
    assert len(lines) > 30

    for line in lines:
        page = " ".join(admin_client.get(str(line["link"])).content.decode().split())
        assert f"<title> {escape(line['title'])} |" in page, line["link"]

    below = " ".join(admin_client.get("/admin/voice/grouptask/add/").content.decode().split())
    assert 'href="/admin/voice/grouptask/"' in below
    assert "> Group calls </a>" in below


def test_only_a_narrowed_list_offers_all_of_it(admin_client: Client) -> None:
    whole = admin_client.get("/admin/messaging/contactimport/").content.decode()
    narrowed = admin_client.get("/admin/messaging/contactimport/?state__exact=finished").content.decode()

    assert "show all" not in whole
    assert "show all" in narrowed


def test_a_page_names_every_colour_and_rights_are_asked_anew(
    admin_client: Client, staff: Callable[..., Client]
) -> None:
    """Settings are merged and lines of the menu drawn once for all pages; whose page it is is not."""
    told = {
        f"--color-{name}-{weight}: {value};"
        for name, weights in get_config()["COLORS"].items()
        for weight, value in weights.items()
    }

    for_all = admin_client.get(reverse("admin:index"))
    for_one = staff("view_export").get(reverse("admin:index"))

    assert len(told) > 20
    assert {line for line in told if line not in for_all.content.decode()} == set()
    assert lines_of(for_one) < lines_of(for_all)
    assert lines_of(admin_client.get(reverse("admin:index"))) == lines_of(for_all)


def lines_of(page: HttpResponse) -> set[str]:
    """The addresses in the menu of whose page it is."""
    groups = page.context["sidebar_navigation"]  # type: ignore[attr-defined]
    return {str(line["link"]) for group in groups for line in group["items"] if line["has_permission"]}
