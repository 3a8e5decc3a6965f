"""The app of signing in."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IdentityConfig(AppConfig):
    name = "laaffic_console.identity"
    label = "identity"
    verbose_name = _("Sign-in")

    def ready(self) -> None:
        from laaffic_console.gateway.services.ledger import restored
        from laaffic_console.identity.services import happenings

        happenings.listen()
        restored.also("laaffic_console.identity.services.restored.end_sessions")
