"""What a command names, or one sentence that says how to make it."""

from typing import TypeVar

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import models

from laaffic_console.gateway.management.switched_off import of_another_product, where_to_switch_on
from laaffic_console.gateway.models import Application, Channel
from laaffic_console.kit.words import countries
from messaging.models import Audience, Calendar, ContactGroup

Row = TypeVar("Row", bound=models.Model)


def application_named(app_id: str, channel: str = Channel.SMS) -> Application:
    """`channel`: the one to register it for, where it is not known."""
    return _found(
        Application,
        f"The console does not know the appId {app_id}. "
        f"Register it: manage.py register_app {app_id} --channel {channel}",
        app_id=app_id,
    )


def application_of(channel: str, app_id: str) -> Application:
    """One that is in use; one of another channel does not do."""
    found = Application.objects.filter(app_id=app_id).first()
    if found is None:
        raise CommandError(
            f"The console knows no application {app_id} for {channel}. "
            f"Register it: manage.py register_app {app_id} --channel {channel}"
        )
    if found.channel != channel:
        raise CommandError(of_another_product(found))
    return in_use(found)


def in_use(application: Application) -> Application:
    if not application.is_active:
        raise CommandError(where_to_switch_on(application))
    return application


def group_named(name: str) -> ContactGroup:
    return _found(
        ContactGroup,
        f"There is no group “{name}”. Import contacts into it: manage.py contacts import FILE --group “{name}”",
        name=name,
        is_ad_hoc=False,
    )


def group_to_fill(name: str) -> str:
    """One that need not be there yet. A longer name would be cut, and not be found under what was typed."""
    most = ContactGroup._meta.get_field("name").max_length or 0
    if len(name.strip()) > most:
        raise CommandError(f"The name of a group has at most {most} characters, and this one {len(name.strip())}.")
    return name


def region_named(code: str) -> str:
    """The country code in capitals; "" if none is given, CommandError if there is no such country."""
    try:
        return countries.read(code) if code else ""
    except ValidationError as problem:
        raise CommandError(problem.message) from problem


def audience_named(name: str) -> Audience:
    return _found(
        Audience,
        f"There is no audience “{name}”. Save one: manage.py audience create “{name}” --where CONDITION",
        name=name,
    )


def calendar_named(name: str) -> Calendar:
    return _found(
        Calendar,
        f"There is no calendar “{name}”. Make it: manage.py calendar create “{name}” --hours “mon-fri 09:00-20:00”",
        name=name,
    )


def _found(model: type[Row], otherwise: str, **by: str | bool) -> Row:
    try:
        return model._default_manager.get(**by)
    except model.DoesNotExist as problem:  # type: ignore[attr-defined]
        raise CommandError(otherwise) from problem
