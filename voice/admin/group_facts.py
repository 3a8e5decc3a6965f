"""A group-call task in words and widths, for its pages."""

import datetime as dt
import math
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from laaffic_console.kit.figures import number
from messaging.services.campaigns.launch_checks import Check
from voice.models import Announcement, GroupTask, TaskKind
from voice.services import group_requests


def told(task: GroupTask) -> dict[str, Any]:
    """What a task will do, for people."""
    occasions = [
        (task.sms_on_answer, _("answered for %(n)d seconds") % {"n": task.sms_answer_seconds}),
        (task.sms_on_key, _("key %(n)d pressed") % {"n": task.sms_key}),
        (task.sms_on_failure, _("the call failed")),
        (task.sms_on_ringing, _("it rang")),
    ]
    plays = playing_seconds(task)
    return {
        "is_text": task.source == Announcement.TEXT,
        "occasions": [words for is_chosen, words in occasions if is_chosen],
        "zone": group_requests.zone_name(),
        "plays": plays,
        "is_cut_short": plays is not None and plays > task.max_talk,
        "most_hours": round(task.max_talk * task.number_count / 3600, 1),
    }


def playing_seconds(task: GroupTask) -> int | None:
    """How long a file is played for, with its repetitions; of a text nobody knows before it is spoken."""
    if task.source == Announcement.TEXT or task.audio is None or not task.audio.seconds:
        return None
    return math.ceil(task.audio.seconds * task.loop_count) + (task.delay_play or 0)


def bar(task: GroupTask) -> list[dict[str, Any]]:
    """Connected, not connected, and ringing or talking now; the rest of the bar is who was not called yet."""
    ended = (task.connected or 0) + (task.failed or 0)
    counts = [("good", task.connected or 0), ("bad", task.failed or 0), ("moving", max(0, (task.called or 0) - ended))]
    whole = task.total
    return [{"tone": tone, "count": n, "width": round(100 * n / whole, 3)} for tone, n in counts] if whole else []


def button_words(task: GroupTask, phones: int) -> str:
    shown = {"n": number(phones)}
    if task.kind == TaskKind.UPDATE:
        return _("Update the task: %(n)s phones") % shown
    return ngettext("Call %(n)s phone", "Call %(n)s phones", phones) % shown


def start_words(task: GroupTask, start: dt.datetime) -> dict[str, Any]:
    """When it starts, by the console's clock and by the one that its windows mean."""
    return {
        "starts_at": start,
        "server_clock": timezone.localtime(start),
        "laaffic_clock": date_format(start.astimezone(ZoneInfo(group_requests.zone_name())), "DATETIME_FORMAT"),
        "waits_for_window": bool(task.windows) and not task.send_at and start > timezone.now(),
    }


def check_words(check: Check, ticked: bool) -> dict[str, Any]:
    return {"key": check.key, "level": check.level.value, "sentence": check.sentence, "ticked": ticked}
