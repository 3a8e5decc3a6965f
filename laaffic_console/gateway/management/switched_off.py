"""Applications that are registered and used by nobody: to register one again does not switch it on."""

from django.conf import settings
from django.core.management.base import CommandError

from laaffic_console.gateway.models import Application
from laaffic_console.kit.pages import own_page


def where_to_switch_on(application: Application) -> str:
    page = own_page(application)
    return f"{application.app_id} is switched off. Switch it on where it says Active: {settings.CONSOLE_URL}{page}"


def why(channel: str, app_id: str | None = None) -> CommandError | None:
    """Why there is no application to act with, where that is the reason; `app_id`: the one that was asked for."""
    off = Application.objects.filter(channel=channel, is_active=False).order_by("pk")
    found = (off.filter(app_id=app_id) if app_id else off).first()
    return CommandError(where_to_switch_on(found)) if found else None
