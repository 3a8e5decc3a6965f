"""What somebody limits a report by, as it is typed: into the keys that `reporting.key_of` gives."""

from collections.abc import Callable, Iterable, Mapping

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from laaffic_console.gateway.models import Application, Channel
from laaffic_console.gateway.models.channels import CAMPAIGN_CHANNELS
from laaffic_console.kit.words import countries
from laaffic_console.reports import asking, links

NONE = "-"  # what has none
KINDS = {"": "campaign", "email": "email campaign", "group": "group call"}  # what a campaign's key begins with
CHANNELS = [channel.value for channel in (*CAMPAIGN_CHANNELS, Channel.EMAIL)]


def keys_of(name: str, typed: Iterable[str]) -> list[str]:
    """The keys of what was typed: “-” is what has none, and a campaign has its kind before it.

    ValidationError for what can be no such thing, or nobody knows: an empty report would say that nothing was sent.
    """
    read = READ.get(name, str)
    return ["" if one.strip() == NONE else read(one.strip()) for one in typed]


def require_known(only: Mapping[str, Iterable[str]]) -> None:
    """ValidationError for a filter of a report that nobody knows, as `keys_of`."""
    for name, keys in only.items():
        keys_of(name, (key or NONE for key in keys))


def _channel(typed: str) -> str:
    if typed.lower() not in CHANNELS:
        said = _("“%(typed)s” is not a channel of a report. Choose from: %(known)s.")
        raise ValidationError(said % {"typed": typed, "known": ", ".join(CHANNELS)})
    return typed.lower()


def _campaign(typed: str) -> str:
    kind, _colon, pk = typed.rpartition(":")
    known = KINDS.get(kind, kind)
    if not (pk.isascii() and pk.isdecimal()) or known not in KINDS.values():
        said = _("%(typed)s is not a campaign's id. Write it as 12, email:12 or group:12.")
        raise ValidationError(said % {"typed": typed})
    key = f"{known}:{pk.lstrip('0') or '0'}"
    if not links.is_there(key):
        said = _("The console does not know the campaign “%(typed)s”. Write its id as 12, email:12 or group:12.")
        raise ValidationError(said % {"typed": typed})
    return key


def _application(typed: str) -> str:
    if not Application.objects.filter(app_id=typed).exists():
        said = _("The console does not know the appId “%(id)s”. Look it up under Applications.")
        raise ValidationError(said % {"id": typed})
    return typed


READ: dict[str, Callable[[str], str]] = {
    "channel": _channel,
    "country": countries.read,
    "campaign": _campaign,
    "application": _application,
    "person": asking.known_person,
}
