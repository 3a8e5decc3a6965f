"""What an application is while it is used, and what is stopped when a person switches it off."""

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.kit.words.said import gettext as _

SURELY_NOT = (EntryState.REFUSED, EntryState.NOT_SENT)
NOT_UNDER_WAY = ("draft", "cancelled", "finished")  # what these had sent is in the ledger


def is_used(application: Application) -> bool:
    """Something may have left by it, or is about to. Its appId and channel say then where evidence of it is looked for:
    of another application's records it would be said that nothing is there.

    What Laaffic has refused does not count: so it answers to an appId that was mistyped, which has to be corrected.
    """
    if application.pk is None:
        return False
    asked = LedgerEntry.objects.filter(application=application).exclude(state__in=SURELY_NOT)
    campaigns = (application.campaigns, application.email_campaigns)
    return asked.exists() or any(some.exclude(state__in=NOT_UNDER_WAY).exists() for some in campaigns)


def stop_of(application: Application) -> str:
    """Why nothing leaves by it, as a sentence; "" where it is on."""
    return "" if application.is_active else switched_off()


def switched_off() -> str:
    return _("Its application is switched off, so nothing leaves. Switch it on again, then resume.")
