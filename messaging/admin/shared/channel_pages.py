"""How a channel's pages differ from those of SMS: where drafts are composed, what is beside the text, the words.

Another app registers its channel's pages from its own admin; messaging need not know it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy, ngettext

from laaffic_console.kit.registers.menu import stand_under
from laaffic_console.kit.words.figures import number
from messaging.models import Campaign


def send_words(recipients: int) -> str:
    """The words of the button that sends so many messages."""
    return ngettext("Send %(n)s message", "Send %(n)s messages", recipients) % {"n": number(recipients)}


_AS_READ = gettext_lazy("As they will read it")
_AS_ONE_READS = gettext_lazy("As %(who)s reads it")
Fold = tuple[str, Any, tuple[str, ...]]  # (key, title, names of fields): what is rarely used


@dataclass(frozen=True, slots=True)
class Beside:
    """What is shown beside the text: a template, and the value of its variable `shown`."""

    template: str
    shown: Any


@dataclass(frozen=True, slots=True)
class ChannelPages:
    form: str = ""  # the page on which its drafts are composed; "" the SMS's own
    model: type[Campaign] = Campaign  # whose list its pages are under, in the menu and in the breadcrumbs
    what: str = "messaging/compose/sms.html"  # what is asked for where the text is written
    folds: tuple[Fold, ...] = ()  # before those of every campaign
    beside: Callable[[Campaign], Beside | None] = lambda campaign: None
    button: Callable[[int], str] = send_words
    has_segments: bool = True
    has_sender: bool = True  # what it sends names the sender ID
    has_replies: bool = True
    preview: Any = _AS_READ
    preview_of: Any = _AS_ONE_READS
    state_words: Mapping[str, Any] = field(default_factory=dict)  # where a state is called something else


_pages: dict[str, ChannelPages] = {}
_OF_SMS = ChannelPages()


def named(channel: str) -> ChannelPages:
    return _pages.get(channel, _OF_SMS)


def register(channel: str, pages: ChannelPages) -> None:
    _pages[channel] = pages


def of(campaign: Campaign) -> ChannelPages:
    return named(campaign.channel)


def admin_of(campaign: Campaign, request: HttpRequest, site: AdminSite) -> "ModelAdmin[Any]":
    """For the views of its pages: a spoken message is among spoken messages, not among SMS campaigns."""
    model = of(campaign).model
    stand_under(request, f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return site.get_model_admin(model)


def name_states(campaign: Campaign, parts: list[dict[str, Any]]) -> None:
    """The parts of a progress bar in the channel's own words."""
    words = of(campaign).state_words
    for part in parts:
        part["label"] = str(words.get(part["state"], part["label"]))
