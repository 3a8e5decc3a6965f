"""Who gets in where: every URL of the console, six kinds of people, GET and POST, against a table.

`doors.txt` has a line per URL: its GET and its POST, a letter for each of anonymous, no role, viewer, operator,
approver and administrator. s: sent to sign in, r: refused (403), o: opened, g: done and led on, h: no such page,
m: another method, b: a bad request, !: broke.
"""

import copy
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.forms import BaseForm
from django.template.response import SimpleTemplateResponse

from laaffic_console.dashboard.site import ConsoleSite
from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client.account import laaffic_client
from tests.dashboard import doors, proxies
from tests.dashboard.doors import Door

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]

BODIES: dict[str, Any] = {
    "admin/messaging/listprice/import/": lambda: {
        "import_file": SimpleUploadedFile("p.csv", b"country,price,currency\nIN,0.5,USD\n", "text/csv"),
        "format": "0",
        "resource": "",
    },
    "admin/messaging/listprice/process_import/": lambda: {
        "import_file_name": "/etc/hostname",
        "original_file_name": "p.csv",
        "format": "0",
    },
    "admin/messaging/contactgroup/add/": lambda: {"name": "new", "description": ""},
    "admin/messaging/listprice/add/": lambda: {"channel": "sms", "country": "FR", "price": "1", "currency": "USD"},
    "admin/messaging/budget/add/": lambda: {
        "application": Application.objects.earliest("pk").pk,
        "per": "month",
        "currency": "EUR",
        "limit": "5",
    },
    "admin/auth/group/add/": lambda: {"name": "Everything"},
}
USUAL = {
    "post": "yes",
    "_confirmed": "1",
    "why": "seen",
    "note": "seen",
    "reason": "seen",
    "word": "write_off",
    "seen": "0",
}


# Written by looking: when a session was seen, and what the review has counted, kept so that it is not counted again
# (under a lease, so that one process counts). And who took which rows away as a file.
OWN = (
    "django_session",
    "usersessions_usersession",
    "messaging_audiencecount",
    "gateway_lease",
    "exporting_export",
    "audit_auditentry",
)


def body_for(door: Door) -> dict[str, Any] | str:
    """Made anew for each request: a file is read once."""
    if door.route.startswith("hooks/"):
        return '[{"msgid": "1", "mobile": "919876543210", "status": "0"}]'
    make = BODIES.get(door.route)
    return make() if make else dict(USUAL)


@pytest.fixture(autouse=True)
def _quiet(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether somebody gets in is decided before a page is drawn; and nothing leaves this machine."""
    settings.LAAFFIC_PUSH_TOKENS = [doors.TOKEN]
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    }
    monkeypatch.setattr(SimpleTemplateResponse, "rendered_content", "")
    # Of 7,000 requests most are refused, and each refusal is written with its traceback, which nobody reads here.
    monkeypatch.setattr(logging.getLogger("django.request"), "disabled", True)
    laaffic_client.cache_clear()  # another test's client would speak where these credentials are missing


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who knocks a thousand times is read once, with all that they may: no knock changes it, each is taken back."""
    known: dict[Any, User] = {}
    read = ModelBackend.get_user

    def get_user(backend: ModelBackend, pk: Any) -> User | None:
        if pk not in known:
            user = read(backend, pk)
            if user is None:
                return None
            user.get_all_permissions()
            known[pk] = user
        return copy.copy(known[pk])  # what a page writes on it is this request's own

    monkeypatch.setattr(ModelBackend, "get_user", get_user)


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked of the gateway: each request is written here and fails."""
    asked: list[str] = []

    def urlopen(pool: Any, method: str, url: str, *rest: Any, **options: Any) -> None:
        asked.append(f"{method} {pool.host}{url}")
        raise ConnectionError("nothing leaves in a test")

    monkeypatch.setattr("urllib3.HTTPConnectionPool.urlopen", urlopen)  # beneath requests too
    return asked


def shown(door: Door, made: dict[str, Any]) -> str:
    """The address as the table has it: with the route's variables, but for the choice."""
    chosen = [choice for choice in doors.CHOICES.get(door.route, ()) if f"/{choice}/" in door.address]
    return door.address if "(?P" in door.route else f"/{door.route}" + (f"[{chosen[0]}]" if chosen else "")


@pytest.mark.parametrize("who", doors.PEOPLE)
def test_everybody_gets_in_exactly_where_the_table_says(
    left: list[str], monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    # The same on every page, and no part of who gets in; test_roles.py follows its links.
    monkeypatch.setattr(ConsoleSite, "get_sidebar_list", lambda site, request: [])
    found, changed = answers(who)

    place = doors.PEOPLE.index(who)
    told = {address: (get[place], post[place]) for address, (get, post) in doors.expected().items()}
    wrong = {
        address: f"{found.get(address)}, not {told.get(address)}"
        for address in {*found, *told}
        if found.get(address) != told.get(address)
    }
    assert wrong == {}
    assert changed == []


def test_looking_changes_nothing_and_asks_nobody(left: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    made, client, with_files = doors.one_of_each(), doors.client("superuser"), set()
    with written() as changed:
        assert client.get("/admin/").status_code == 200
        monkeypatch.setattr(ConsoleSite, "get_sidebar_list", lambda site, request: [])  # the same on every page
        for door in doors.doors(made):
            before = len(changed)
            for query in ({"contact": "1", "q": "a"}, {"no_such": "x"}):
                answer = doors.knock(client, door, "get", query)
                assert doors.letter(answer) != doors.BROKEN, door
                with_files |= {door.address} if takes_file(answer) else set()
            changed[before:] = [f"{door.address}: {sql}" for sql in changed[before:]]

    assert [line[:160] for line in changed] == []
    assert left == []
    assert len(with_files) > 6
    assert {address: proxies.stopped(address) for address in with_files if proxies.stopped(address)} == {}


def takes_file(answer: Any) -> bool:
    """By the forms that its template is given: nothing is drawn here."""
    given = (getattr(answer, "context_data", None) or {}).values()
    forms = [getattr(one, "form", one) for one in given]  # an AdminForm's
    return any(form.is_multipart() for form in forms if isinstance(form, BaseForm))


def test_nothing_breaks() -> None:
    assert [address for address, letters in doors.expected().items() if doors.BROKEN in "".join(letters)] == []


def answers(who: str) -> tuple[dict[str, tuple[str, str]], list[str]]:
    """{address: (letter for GET, letter for POST)}, and what was written although it was refused."""
    made, client = doors.one_of_each(), doors.client(who)
    found: dict[str, tuple[str, str]] = {}
    changed: list[str] = []
    client.get("/admin/jsi18n/")  # lists this sign-in for good; each knock would list it anew, and take that back
    for door in doors.doors(made):
        letters: list[str] = []
        for method, body in (("get", {}), ("post", body_for(door))):
            with written() as statements:
                letters.append(doors.letter(doors.knock(client, door, method, body)))
            if letters[-1] in (doors.REFUSED, doors.SIGN_IN) and statements:
                changed.append(f"{method} {door.address}: {statements[0]}")
        found[shown(door, made)] = (letters[0], letters[1])
    return found, changed


@contextmanager
def written() -> Iterator[list[str]]:
    """The statements that change rows; their texts alone, since putting values into each takes a statement more."""
    found: list[str] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        begins = sql.split(maxsplit=1)[0]
        if begins in ("INSERT", "UPDATE", "DELETE") and not any(table in sql for table in OWN):
            found.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield found
