"""What a command names, or one sentence that says how to make it."""

from django.core.management.base import CommandError

from laaffic_console.gateway.models import Application, Channel
from messaging.models import Audience, Calendar, ContactGroup


def application_named(app_id: str, channel: str = Channel.SMS) -> Application:
    """`channel`: the one to register it for, where it is not known."""
    try:
        return Application.objects.get(app_id=app_id)
    except Application.DoesNotExist as problem:
        raise CommandError(
            f"The console does not know the appId {app_id}. "
            f"Register it: manage.py register_app {app_id} --channel {channel}"
        ) from problem


def group_named(name: str) -> ContactGroup:
    try:
        return ContactGroup.objects.get(name=name)
    except ContactGroup.DoesNotExist as problem:
        raise CommandError(
            f"There is no group “{name}”. Import contacts into it: manage.py contacts import FILE --group “{name}”"
        ) from problem


def audience_named(name: str) -> Audience:
    try:
        return Audience.objects.get(name=name)
    except Audience.DoesNotExist as problem:
        raise CommandError(
            f"There is no audience “{name}”. Save one: manage.py audience create “{name}” --where CONDITION"
        ) from problem


def calendar_named(name: str) -> Calendar:
    try:
        return Calendar.objects.get(name=name)
    except Calendar.DoesNotExist as problem:
        raise CommandError(
            f"There is no calendar “{name}”. Make it: manage.py calendar create “{name}” --hours “mon-fri 09:00-20:00”"
        ) from problem
