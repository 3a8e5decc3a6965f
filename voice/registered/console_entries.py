"""Entries of voice on the front page and in the menu."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.registers import front_page, menu
from laaffic_console.kit.registers.front_page import Card, Place
from laaffic_console.kit.registers.menu import Group, Line
from voice.models import GroupTask, TaskState
from voice.models.group_tasks import OPEN

SHOWN = 8


def register_all() -> None:
    front_page.register(
        Card(Place.NOTICES, 50, "voice/front/asking.html", f"{__name__}.asking", "voice.view_grouptask"),
        Card(Place.UNDER_WAY, 30, "voice/front/under_way.html", f"{__name__}.under_way", "voice.view_grouptask"),
    )
    menu.register(
        Group.VOICE,
        Line(_("Spoken messages"), "record_voice_over", "voice_spokencampaign_changelist", "messaging.view_campaign"),
        Line(_("Group calls"), "voice_chat", "voice_grouptask_changelist", "voice.view_grouptask"),
        Line(_("Calls"), "call", "voice_sipcall_changelist", "voice.view_sipcall"),
        Line(_("Call records"), "call_log", "voice_callrecord_changelist", "voice.view_callrecord"),
        Line(_("Audio files"), "library_music", "voice_audiofile_changelist", "voice.view_audiofile"),
        Line(_("SIP phones"), "deskphone", "voice_sipphone_changelist", "voice.view_sipphone"),
    )


def asking(request: HttpRequest) -> dict[str, Any] | None:
    """The launches that wait for a person's decision; None if there are none."""
    tasks = list(GroupTask.objects.filter(is_template=False, state=TaskState.UNKNOWN)[:SHOWN])
    return {"asking_tasks": tasks} if tasks else None


def under_way(request: HttpRequest) -> dict[str, Any] | None:
    tasks = list(GroupTask.objects.filter(is_template=False, state__in=OPEN)[:SHOWN])
    return {"group_calls": tasks} if tasks else None
