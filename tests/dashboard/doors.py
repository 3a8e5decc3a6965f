"""Every URL that the resolver knows, six kinds of people at each, and what becomes of them.

A table of expected answers (`doors.txt`) has a line for each URL: none can be left out, and a new one fails the test
until somebody has written down who may go in.
"""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core.files.base import ContentFile
from django.db import models, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, get_resolver
from django.utils import timezone

from laaffic_console.dashboard.people import roles
from messaging.models import ConsentImport
from messaging.services.approvals import approval_limits

TABLE = Path(__file__).with_name("doors.txt")
TOKEN = "a-token-that-nobody-guesses"
PEOPLE = ("anonymous", "no role", *roles.ROLES)
# How an answer is written in the table.
SIGN_IN, REFUSED, OPENED, WENT_ON, NO_SUCH, NOT_SO, BAD, BROKEN = "sroghmb!"
# What a path's variables stand for; a URL is asked for once with each.
CHOICES: dict[str, tuple[str, ...]] = {
    "admin/messaging/campaign/<int:pk>/approval/<slug:verb>/": ("ask", "withdraw", "approve", "refuse"),
    "admin/messaging/emailcampaign/<int:pk>/approval/<slug:verb>/": ("ask", "withdraw", "approve", "refuse"),
    "admin/voice/grouptask/<int:pk>/approval/<slug:verb>/": ("ask", "withdraw", "approve", "refuse"),
    "admin/messaging/campaign/<int:pk>/after/<slug:verb>/": ("retry", "not-replied", "reached"),
    "admin/messaging/campaign/<int:pk>/do/<slug:verb>/": ("pause",),
    "admin/voice/grouptask/<int:pk>/do/<slug:verb>/": ("take-back",),
    "admin/messaging/conversation/<int:pk>/do/<slug:verb>/": ("take", "done", "reopen", "unread", "seen"),
    "admin/messaging/emailcampaign/<int:pk>/do/<slug:verb>/": ("cancel",),
    "admin/voice/grouptask/<int:pk>/make/<slug:what>/": ("copy", "again"),
}
VARIABLES = {"kind": "csv", "push_kind": "sms-report", "token": TOKEN, "mark": "c0ffee42", "number": "1"}
VARIABLES |= {"help_page": "launching", "picture": "campaign.png"}


@dataclass(frozen=True)
class Door:
    """One URL pattern and one address that leads there."""

    route: str
    address: str


def doors(made: dict[str, models.Model]) -> list[Door]:
    return [Door(route, f"/{address}") for route in routes() for address in addresses(route, made)]


def routes() -> list[str]:
    return list(dict.fromkeys(_walk(get_resolver().url_patterns, "")))


def _walk(patterns: Any, before: str) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield before + str(pattern.pattern)
        else:
            yield from _walk(pattern.url_patterns, before + str(pattern.pattern))


def addresses(route: str, made: dict[str, models.Model]) -> list[str]:
    if "(?P<app_label>" in route:
        labels = re.search(r"\(\?P<app_label>([^)]*)\)", route)
        return [f"admin/{label}/" for label in (labels[1].split("|") if labels else [])]
    if "(?P<url>" in route:
        return ["admin/nothing/like/this/"]
    return [_address(route, choice, made) for choice in CHOICES.get(route, ("",))]


def _address(route: str, choice: str, made: dict[str, models.Model]) -> str:
    return re.sub(r"<(?:(\w+):)?(\w+)>", lambda found: _value(route, found, choice, made), route)


def _value(route: str, found: re.Match[str], choice: str, made: dict[str, models.Model]) -> str:
    converter, name = found[1], found[2]
    if name in ("verb", "what"):
        return choice
    if name == "content_type_id":
        return "1"
    if name in ("pk", "id", "object_id"):
        label = ".".join(route.split("/")[1:3])
        return str(made[label].pk) if label in made else "1"
    return VARIABLES.get(converter or "", VARIABLES.get(name, "1"))


@cache
def expected() -> dict[str, tuple[str, str]]:
    """{address: (letters of GET, letters of POST)}; `test_doors.py` holds the console to it."""
    rows = [line.rsplit(maxsplit=2) for line in TABLE.read_text().splitlines() if line and line[0] != "#"]
    return {address: (get, post) for address, get, post in rows}


def written_down(address: str, who: str) -> str | None:
    """The letter that the table has for this person's GET; None where it has no such address."""
    letters = expected().get(address)
    return letters[0][PEOPLE.index(who)] if letters else None


# One row of everything that has pages

ONE_OF = {"messaging.approval": "campaign", "messaging.proof": "campaign"}


def one_of_each() -> dict[str, models.Model]:
    made: dict[str, models.Model] = {}
    for model in sorted(admin.site._registry, key=lambda model: model._meta.label_lower):
        made[model._meta.label_lower] = one(model, made)
    ConsentImport.objects.create(pk=made["messaging.consent"].pk, file_name="agreed.csv")  # below its list's address
    return made


def one(model: type[models.Model], made: dict[str, models.Model]) -> models.Model:
    label = model._meta.label_lower
    if label == "messaging.approvallimits":  # the only one, which whoever asks for it makes
        made[label] = approval_limits.row()
    if label in made:
        return made[label]
    required = ONE_OF.get(label)  # by a constraint, of several that may be empty
    concrete = model._meta.concrete_model
    values = {
        field.name: _filled(field, made)
        for field in model._meta.concrete_fields
        if not (
            field.has_default()
            or (field.null and field.name != required)
            or isinstance(field, models.AutoField)
            or getattr(field, "auto_now_add", False)
        )
        and not (field.blank and not isinstance(field, models.ForeignKey))
    }
    if concrete is not None and concrete is not model:
        values |= {"name": label, **OF_PROXIES.get(label, {})}
    made[label] = model._default_manager.create(**values)
    return made[label]


def _filled(field: Any, made: dict[str, models.Model]) -> Any:
    if isinstance(field, models.ForeignKey):
        return one(field.related_model, made)
    if field.choices:
        return field.choices[0][0]
    for kinds, value in FILLED:
        if isinstance(field, kinds):
            return value(field) if callable(value) else value
    raise AssertionError(f"tests/dashboard/doors.py cannot fill {field}")


def _text(field: Any) -> str:
    return "919876543210"[: field.max_length or 12]


FILLED: tuple[tuple[Any, Any], ...] = (
    (models.BooleanField, False),
    (models.DateTimeField, lambda field: timezone.now()),
    (models.DateField, lambda field: timezone.localdate()),
    (models.TimeField, dt.time(9)),
    (models.DurationField, dt.timedelta(0)),
    (models.FileField, lambda field: ContentFile(b"x", name="x.bin")),
    (models.BinaryField, b"x"),
    (models.JSONField, lambda field: {}),
    (models.GenericIPAddressField, "127.0.0.1"),
    (models.UUIDField, "c0ffee42-0000-4000-8000-000000000000"),
    ((models.IntegerField, models.DecimalField, models.FloatField), 1),
    ((models.CharField, models.TextField), _text),
)


# Which rows are a proxy's own.
OF_PROXIES = {"messaging.mmscampaign": {"channel": "mms"}, "voice.spokencampaign": {"channel": "voice"}}


# Who knocks


def client(who: str) -> Client:
    """Signed in as one of PEOPLE."""
    found = Client(raise_request_exception=False)
    if who == "anonymous":
        return found
    user = User.objects.create_user(f"person {who}", is_staff=True, is_superuser=who == "superuser")
    if who in roles.ROLES:
        user.groups.add(Group.objects.get(name=who))
    found.force_login(user)
    return found


def knock(client: Client, door: Door, method: str, body: dict[str, Any] | str) -> HttpResponse:
    """The answer; what it changed is taken back, and who was signed in still is."""
    kept = client.cookies.copy()
    options = {"content_type": "application/json"} if isinstance(body, str) else {}
    if method == "post" and not isinstance(body, str) and all(isinstance(value, str) for value in body.values()):
        body, options = urlencode(body), {"content_type": "application/x-www-form-urlencoded"}
    with transaction.atomic():
        response: HttpResponse = getattr(client, method)(door.address, body, **options)
        if response.streaming:
            b"".join(response.streaming_content)  # type: ignore[attr-defined]
        transaction.set_rollback(True)
    client.cookies = kept
    return response


def letter(response: HttpResponse) -> str:
    status = response.status_code
    if status == 403 and "admin/login.html" in getattr(response, "template_name", ()):
        return SIGN_IN  # with what was typed kept in it
    if status == 302:
        return SIGN_IN if "/admin/login/" in response["Location"] else WENT_ON
    known = {
        401: SIGN_IN,  # of the API: with a token
        200: OPENED,
        204: OPENED,
        301: WENT_ON,
        403: REFUSED,
        404: NO_SUCH,
        405: NOT_SO,
        400: BAD,
        415: BAD,
        503: OPENED,
    }
    return known.get(status, BROKEN)
