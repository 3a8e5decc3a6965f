"""Rows that requests name, looked up; for a name that no row has, Problem says what to do about it.

`field` is where the request names the row.
"""

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from laaffic_console.api.handling import problems
from laaffic_console.gateway.models import Application, Channel
from laaffic_console.kit.sql.constant_sql import Given, Select
from laaffic_console.kit.words import countries
from messaging import msisdn
from messaging.models import Audience, Calendar, ContactGroup
from messaging.services.contacts import file_numbers


def application(app_id: str, channel: str = Channel.SMS, field: str = "application") -> Application:
    """The application with this appId, of whichever channel: whether that fits is checked later. Problem if unknown."""
    found: Application | None = _application.first(Application, app_id=app_id)
    if found is None:
        said = _(
            "The console does not know the appId %(id)s. Register it: manage.py register_app %(id)s --channel %(c)s"
        )
        raise problems.at(field, said % {"id": app_id, "c": channel})
    return found


@Select
def _application() -> models.QuerySet[Application]:
    return Application.objects.filter(app_id=Given("app_id")).order_by()


def number(text: str) -> msisdn.Msisdn:
    try:
        return msisdn.parse(text)
    except msisdn.InvalidNumber as problem:
        raise problems.at("number", str(problem)) from problem


def known_number(text: str) -> str:
    """A number to look up, also in a spelling that is no longer in use, such as 521…: lists still name it so."""
    try:
        return file_numbers.number(text, "")
    except msisdn.InvalidNumber as problem:
        raise problems.at("number", str(problem)) from problem


def region(text: str) -> str:
    """The country by which national numbers are read; "" if none was given."""
    with problems.about("region"):
        return countries.read(text) if text.strip() else ""


def group(name: str) -> ContactGroup:
    [found] = groups([name], "group")
    return found


def groups(names: Sequence[str], field: str = "groups") -> list[ContactGroup]:
    return _named(ContactGroup.objects.filter(is_ad_hoc=False), names, field)


def audiences(names: Sequence[str]) -> list[Audience]:
    return _named(Audience.objects.all(), names, "audiences")


def calendar(name: str | None) -> Calendar | None:
    return _named(Calendar.objects.all(), [name], "calendar")[0] if name else None


CARE = ("calendar", "not_after", "purpose")  # fields of shapes.CareRequest


def care(asked: dict[str, Any]) -> dict[str, Any]:
    """The fields of shapes.CareRequest, under the names that a draft has for them."""
    return {
        "calendar": calendar(asked.get("calendar")),
        "latest_end": asked.get("not_after"),
        "purpose": asked["purpose"],
    }


def _named(rows: models.QuerySet[Any], names: Sequence[str], field: str) -> list[Any]:
    found = {one.name: one for one in rows.filter(name__in=names)} if names else {}
    if missing := [name for name in names if name not in found]:
        said = _("There is no %(thing)s “%(name)s”. Make it first, or correct the name.")
        raise problems.at(field, said % {"thing": rows.model._meta.verbose_name, "name": missing[0]})
    return [found[name] for name in dict.fromkeys(names)]
