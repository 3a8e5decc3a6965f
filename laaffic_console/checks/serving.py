"""Keep the web process from serving with settings that do not work."""

from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from laaffic_console.checks.saying import TAG


def refuse_to_serve() -> None:
    """Refuse to start a web process on errors that stop every command: it runs no checks by itself."""
    errors = [message for message in run_checks(tags=[TAG]) if message.is_serious() and not message.is_silenced()]
    if errors:
        raise ImproperlyConfigured(
            "\n".join([str(_("These settings do not work:")), *(str(message) for message in errors)])
        )
