from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from laaffic_console.dashboard.look import is_sandbox

register = template.Library()


@register.simple_tag
def sandbox_banner() -> SafeString | str:
    """Striped, on every page, when the gateway is the sandbox (DESIGN §8)."""
    if not is_sandbox():
        return ""
    return format_html('<div class="c-banner" role="note">{}</div>', _("Sandbox: what is sent here reaches no phone"))
