"""What an application is while it is used, and what is stopped when a person switches it off."""

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.kit.said import gettext as _


def is_used(application: Application) -> bool:
    """Something may have left by it. Its appId and channel say then where evidence of it is looked for: of another
    application's records it would be said that nothing is there."""
    if application.pk is None:
        return False
    asked = LedgerEntry.objects.filter(application=application).exists()
    return asked or application.campaigns.exclude(state="draft").exists()


def stop_of(application: Application) -> str:
    """Why nothing leaves by it, as a sentence; "" where it is on."""
    return "" if application.is_active else switched_off()


def switched_off() -> str:
    return _("Its application is switched off, so nothing leaves. Switch it on again, then resume.")
