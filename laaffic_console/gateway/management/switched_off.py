"""Why an application that is registered does not do: nobody uses it, or it is one of another product."""

from django.conf import settings
from django.core.management.base import CommandError

from laaffic_console.gateway.models import Application
from laaffic_console.kit.pages import own_page


def where_to_switch_on(application: Application) -> str:
    page = own_page(application)
    return f"{application.app_id} is switched off. Switch it on where it says Active: {settings.CONSOLE_URL}{page}"


def of_another_product(application: Application) -> str:
    return (
        f"{application.app_id} is registered for {application.get_channel_display()}. "
        "An appId belongs to one product: look it up at Laaffic under App Management."
    )


def why(channel: str, app_id: str | None = None) -> CommandError | None:
    """Why there is no application to act with, where registering one helps nothing; `app_id`: the one asked for."""
    if app_id and (other := Application.objects.filter(app_id=app_id).exclude(channel=channel).first()):
        return CommandError(of_another_product(other))
    off = Application.objects.filter(channel=channel, is_active=False).order_by("pk")
    found = (off.filter(app_id=app_id) if app_id else off).first()
    return CommandError(where_to_switch_on(found)) if found else None
