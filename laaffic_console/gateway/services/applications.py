"""Applications that a person has switched off: nothing leaves by them, also of what was launched before."""

from laaffic_console.gateway.models import Application
from laaffic_console.kit.said import gettext as _


def stop_of(application: Application) -> str:
    """Why nothing leaves by it, as a sentence; "" where it is on."""
    return "" if application.is_active else switched_off()


def switched_off() -> str:
    return _("Its application is switched off, so nothing leaves. Switch it on again, then resume.")
