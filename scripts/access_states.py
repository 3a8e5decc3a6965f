"""States of pages that are made by clicks, for check_access.py: dialogs, menus, errors, waiting and held campaigns.

An act gets the page at its address and leaves it in the state to be checked. It changes little in the console, and acts
that do change something are only used in a demo of the check's own.
"""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Error, Page

ROOT = Path(__file__).resolve().parent.parent
LIST = "/admin/messaging/message/"
CONTACTS = "/admin/messaging/contact/"
CAMPAIGN = "/admin/messaging/campaign/add/"
TOTP_SECONDS, TOTP_DIGITS = 30, 6
BAD_ROWS = b"Phone,Name,City\n+49 1512 3456789,Anna,Berlin\nnobody,Bo,Rome\n12,Cy,Oslo\n+91 98765 43210,Dev,Pune\n,,\n"
# In a demo: a campaign that is held, and a draft that waits for the reader's approval.
BROUGHT_ABOUT = """
from django.contrib.auth.models import User
from laaffic_console.gateway.models import Application
from messaging.models import ContactGroup
from messaging.services.approvals import approval_limits, approvals
from messaging.services.campaigns import drafts, states
eve = User.objects.create_superuser("eve")
application, groups = Application.objects.get(app_id="4luaKsL2"), list(ContactGroup.objects.all()[:1])
made = dict(application=application, sender_id="", text="Hello {{name}}", groups=groups, by=eve)
held = drafts.create(name="Summer tables", **made)
states.hold_locked(held, "The gateway's balance is used up.")
waiting = drafts.create(name="Autumn tables", **made)
limits = approval_limits.row()
limits.recipients = 100
limits.save()
approvals.ask(waiting.pk, by=eve, note="The autumn offer, as it was last year.")
print("HELD", held.pk, "WAITING", waiting.pk)
"""


class State(NamedTuple):
    name: str
    path: str
    act: Callable[[Page], None]
    keeps: bool = False  # it changes something in the console
    language: str = ""


# Things that open


def open_menu(page: Page) -> None:
    if page.locator("[data-open-menu]:visible").count():
        page.locator("[data-open-menu]:visible").first.click()


def open_user_menu(page: Page) -> None:
    open_menu(page)
    page.locator("[data-user-menu]").first.click()


def open_palette(page: Page) -> None:
    page.keyboard.press("/")
    page.wait_for_selector("#search-input-command:visible")
    page.keyboard.type("a")
    page.wait_for_selector("#command-results-list")


def open_keys(page: Page) -> None:
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")


def open_filters(page: Page) -> None:
    page.locator("[data-open-filters]:visible").first.click()


def open_columns(page: Page) -> None:
    page.locator(".c-columns").first.click()
    page.wait_for_selector("dialog[open]")


def open_bell(page: Page) -> None:
    page.locator("#bell-button").click()


def open_meaning(page: Page) -> None:
    page.locator(".c-means:visible").first.click()
    page.wait_for_selector(".c-meaning")


def open_row_ticks(page: Page) -> None:
    page.locator("input.action-select").first.check()


def confirm_deletion(page: Page) -> None:
    open_row_ticks(page)
    page.select_option("select[name=action]", "delete_selected")
    page.locator("#changelist-actions button[type=submit]").click()
    page.wait_for_load_state()


def stay(page: Page) -> None:
    """Leave the page as it was opened."""


def tour_at(stop: int) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        page.wait_for_selector("#tour")
        for _ in range(stop):
            page.click("#tour [data-next]")

    return act


# Messages and errors


def show_all_columns(page: Page) -> None:
    open_columns(page)
    page.click("#list-columns [name=reset]")
    page.wait_for_load_state()


def send_empty(page: Page) -> None:
    """Send the page's form empty, past the checks of the browser."""
    page.evaluate(
        """() => {
          const asks = [...document.querySelectorAll('#content form[method=post], main form[method=post]')];
          const form = asks.find((one) => /_form$/.test(one.id)) ?? asks.find((one) => !/language/.test(one.action));
          form.noValidate = true;
          window.isOld = true;
          form.requestSubmit();
        }"""
    )
    wait_for_the_answer(page)


def wait_for_the_answer(page: Page) -> None:
    """Wait for the next page; some forms show errors without asking the server."""
    with contextlib.suppress(Error):
        page.wait_for_function("window.isOld === undefined", timeout=4000)
    page.wait_for_load_state()


def send_with_an_old_token(page: Page) -> None:
    page.fill("#id_name", "Ann")
    page.evaluate("document.querySelectorAll('[name=csrfmiddlewaretoken]').forEach((one) => { one.value = 'x' })")
    send_empty(page)


def reveal(page: Page) -> None:
    page.locator("main button.main, #content button.main").first.click()
    page.wait_for_load_state()


def type_a_wrong_password(page: Page) -> None:
    page.fill("#id_password", "not this one")
    send_empty(page)


def type_a_wrong_code(page: Page) -> None:
    page.fill("#id_code", "123456")
    send_empty(page)


# States of several clicks


def write_too_much(page: Page) -> None:
    page.fill("#id_text", "Grüße, {{name|you}}: your table is ready. 🎉 " * 45)
    page.wait_for_selector("#phone-text")
    page.wait_for_timeout(1500)  # the cost appears a moment later


def paste_bad_lines(page: Page) -> None:
    page.fill("#id_numbers", "+4915123456789\nnobody\n12345\n+919876543210\n" + "x" * 120)
    page.locator("#id_numbers").blur()
    page.wait_for_timeout(1500)


def fill_a_week(page: Page) -> None:
    monday = page.locator("[data-part] [data-day=mon]").first
    monday.locator("[name='0-mon-from']").first.fill("20:00")
    monday.locator("[name='0-mon-to']").first.fill("09:00")
    monday.locator("[data-add=row]").click()
    page.get_by_role("button", name="Other hours for a country").click()
    page.locator("[name='1-countries']").fill("IN, Atlantis")
    send_empty(page)


def three_conditions(page: Page) -> None:
    for n in range(3):
        if n:
            page.click("#add-row")
        row = page.locator("#rows > fieldset").nth(n)
        row.locator("[data-part=field]").select_option(("country", "attribute", "group")[n])
        row.locator("[data-part=value]:visible").first.fill(("India", "Pune", "Sample contacts")[n])
    page.wait_for_timeout(1500)


def look_at_a_file(page: Page) -> None:
    page.set_input_files("#id_file", {"name": "people.csv", "mimeType": "text/csv", "buffer": BAD_ROWS})
    page.click("text=Look at the file")
    page.wait_for_load_state()


def import_a_file(page: Page) -> None:
    look_at_a_file(page)
    page.click("#start-import")
    page.wait_for_selector("#import-state:has-text('Finished')", timeout=60_000)


def open_row(name: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        page.locator(f"#result_list a:has-text('{name}')").first.click()
        page.wait_for_load_state()

    return act


def open_review(name: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        open_row(name)(page)
        page.goto(page.url.split("?")[0].replace("/change/", "/review/"))

    return act


STATES = [
    State("menu", "/admin/", open_menu),
    State("user menu", "/admin/", open_user_menu),
    State("palette", LIST, open_palette),
    State("keys", "/admin/", open_keys),
    State("filters", LIST, open_filters),
    State("ticked rows", CONTACTS, open_row_ticks),
    State("deletion asked about", "/admin/messaging/contactgroup/", confirm_deletion),
    State("nothing matches", f"{CONTACTS}?q=nobody-is-called-this", stay),
    State("nothing found", "/admin/search/?q=nobody-is-called-this", stay),
    State("found", "/admin/search/?q=table", stay),
    State("a form with errors", f"{CONTACTS}add/", lambda page: page.locator("[name=_save]").first.click()),
    *(State(f"tour, stop {stop + 1}", "/admin/tour/", tour_at(stop)) for stop in range(6)),
    State("columns", CONTACTS, open_columns),
    State("bell", "/admin/", open_bell),
    State("meaning", "/admin/", open_meaning),
    State("meaning of a header", "/admin/messaging/campaign/", open_meaning),
    State("said", CONTACTS, show_all_columns),
    State("403", "/admin/gateway/ledgerentry/add/", stay),
    State("404", "/admin/nothing/like/this/", stay),
    State("an old token", f"{CONTACTS}add/", send_with_an_old_token),
    State("a number asked for", f"{CONTACTS}1/reveal/", stay),
    State("a number revealed", f"{CONTACTS}1/reveal/", reveal, keeps=True),
    State("nothing yet", "/admin/messaging/mmsattachment/", stay),
    State("asked first", "/account/again/", stay),
    State("asked first, wrong", "/account/again/", type_a_wrong_password),
    State("app", "/account/app/", stay),
    State("app, wrong", "/account/app/", type_a_wrong_code),
    State("passkey", "/account/passkeys/new/", stay),
    State("recovery codes", "/account/recovery-codes/new/", stay),
    State("old invitation", "/account/invitation/x/y/", stay),
    State("contacts in Chinese", "/admin/help/contacts/", stay, language="zh-hans"),
    State("states in Chinese", "/admin/help/states/", stay, language="zh-hans"),
    State("front page in Chinese", "/admin/", stay, language="zh-hans"),
    *(
        State("errors", path, send_empty)
        for path in [
            *(CAMPAIGN, "/admin/messaging/mmscampaign/add/", "/admin/voice/spokencampaign/add/"),
            *("/admin/messaging/emailcampaign/add/", "/admin/voice/grouptask/add/", "/admin/messaging/calendar/add/"),
            *("/admin/messaging/audience/add/", "/admin/messaging/budget/add/", "/admin/messaging/listprice/add/"),
            *("/admin/messaging/suppressionentry/add/", "/admin/messaging/messagetemplate/add/"),
            *("/admin/messaging/contactimport/add/", "/admin/messaging/contactgroup/add/"),
            *("/admin/auth/user/add/", "/admin/auth/user/invite/", "/admin/auth/group/add/"),
            *("/admin/gateway/application/add/", "/admin/events/webhook/make/", "/admin/api/apitoken/make/"),
            *("/admin/numbers/binding/bind/", "/admin/numbers/numberpool/add/", "/admin/reports/report/add/"),
            *("/admin/voice/audiofile/add/", "/admin/voice/sipphone/add/", "/admin/messaging/savedanswer/add/"),
            "/admin/password_change/",
        ]
    ),
    State("too much text", f"{CAMPAIGN}?groups=1", write_too_much),
    State("bad lines pasted", CAMPAIGN, paste_bad_lines),
    State("a week", "/admin/messaging/calendar/add/", fill_a_week),
    State("three conditions", "/admin/messaging/audience/add/", three_conditions),
    State("a file looked at", "/admin/messaging/contactimport/add/", look_at_a_file, keeps=True),
    State("bad rows", "/admin/messaging/contactimport/add/", import_a_file, keeps=True),
    State("held", "/admin/messaging/campaign/?q=Summer", open_row("Summer tables"), keeps=True),
    State("waits for approval", "/admin/messaging/campaign/?q=Autumn", open_review("Autumn tables"), keeps=True),
    State("approvals", "/admin/messaging/approval/", stay, keeps=True),
]


# Other ways to sign in; last, as they change who signs in and how


def second_factor(page: Page, user: str, password: str) -> Iterator[str]:
    """Each state of the second factor by name, from setting it up to signing in with it."""
    page.goto("/account/app/")
    secret = page.inner_text("#secret")
    page.fill("#id_code", code_of(secret))
    page.click("main button[type=submit]:has-text('Set it up')")
    page.wait_for_selector(".c-codes li")
    yield "recovery codes, made"
    page.goto("/account/")
    yield "my sign-in with a factor"
    page.goto("/account/again/code/")
    yield "asked first for a code"
    page.context.clear_cookies()
    page.goto("/admin/login/")
    page.fill("#id_username", user)
    page.fill("#id_password", password)
    page.click("#login-form button[type=submit]")
    page.wait_for_selector("#id_code")
    yield "second step"
    page.fill("#id_code", "123456")
    page.click("#code-form button[type=submit]")
    page.wait_for_load_state()
    yield "second step, wrong"


def code_of(secret: str) -> str:
    """The code that an authenticator app shows now (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // TOTP_SECONDS), hashlib.sha1).digest()
    number = struct.unpack(">I", digest[digest[-1] & 15 :][:4])[0] & 0x7FFFFFFF
    return str(number % 10**TOTP_DIGITS).zfill(TOTP_DIGITS)


def wrong_sign_in(page: Page) -> None:
    page.fill("#id_username", "nobody")
    page.fill("#id_password", "nothing")
    page.click("#login-form button[type=submit]")
    page.wait_for_load_state()


def by_provider(page: Page) -> None:
    """Sign in by a provider that cannot be reached."""
    page.locator("form[action*=provider] button").click()
    page.wait_for_load_state()


STRANGERS = [
    State("sign-in", "/admin/login/", stay),
    State("sign-in in Chinese", "/admin/login/", stay, language="zh-hans"),
    State("wrong sign-in", "/admin/login/", wrong_sign_in),
    State("provider away", "/admin/login/", by_provider, keeps=True),
]


def bring_about(folder: Path) -> None:
    """Make the states that no click makes quickly, in the demo with its data in `folder`."""
    kept = json.loads((folder / "demo.json").read_text())
    settings = {
        "CONSOLE_VAR_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'console.sqlite3'}",
        "LAAFFIC_API_KEY": kept["key"],
        "LAAFFIC_API_SECRET": kept["secret"],
    }
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "shell", "-c", BROUGHT_ABOUT],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    if "WAITING" not in done.stdout:
        raise SystemExit(f"The states could not be brought about: {done.stderr[-800:]}")
