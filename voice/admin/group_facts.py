"""A group-call task in words and widths, for its pages."""

import datetime as dt
import math
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from laaffic_console.kit.words import durations
from laaffic_console.kit.words.figures import money, number
from messaging.admin.shared.clocks import at_its_moment
from voice.models import Announcement, GroupTask, TaskKind
from voice.services.group_calls import requesting as group_requests
from voice.services.group_calls.care import Called
from voice.services.group_calls.starting import Planned


def told(task: GroupTask) -> dict[str, Any]:
    """What a task will do, in words for its pages."""
    occasions = [
        (task.sms_on_answer, _answered_for(task.sms_answer_seconds)),
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
        "most_talk": durations.in_words(task.max_talk * task.number_count),
    }


def playing_seconds(task: GroupTask) -> int | None:
    """How long a file plays with its repetitions; None for a text: its length is not known before it is spoken."""
    if task.source == Announcement.TEXT or task.audio is None or not task.audio.seconds:
        return None
    return math.ceil(task.audio.seconds * task.loop_count) + (task.delay_play or 0)


def bar(task: GroupTask) -> list[dict[str, Any]]:
    """Widths of the calls connected, not connected, and ringing or talking now; the rest was not called yet."""
    ended = (task.connected or 0) + (task.failed or 0)
    counts = [("good", task.connected or 0), ("bad", task.failed or 0), ("moving", max(0, (task.called or 0) - ended))]
    whole = task.total
    return [{"tone": tone, "count": n, "width": round(100 * n / whole, 3)} for tone, n in counts] if whole else []


def _answered_for(seconds: int | None) -> str:
    said = ngettext("answered for %(n)d second", "answered for %(n)d seconds", seconds or 0)
    return said % {"n": seconds or 0}


def button_words(task: GroupTask, phones: int) -> str:
    shown = {"n": number(phones)}
    if task.kind == TaskKind.UPDATE:
        return ngettext("Update the task: %(n)s phone", "Update the task: %(n)s phones", phones) % shown
    does = ngettext("Call %(n)s phone", "Call %(n)s phones", phones) % shown
    return at_its_moment(does, task.send_at)


def start_words(task: GroupTask, start: dt.datetime) -> dict[str, Any]:
    """The start by the clock of the task's windows, and whether it waits for one of them."""
    return {
        "laaffic_clock": date_format(start.astimezone(ZoneInfo(group_requests.zone_name())), "DATETIME_FORMAT"),
        "waits_for_window": bool(task.windows) and not task.send_at and start > timezone.now(),
    }


def cost_words(task: GroupTask, planned: Planned) -> str:
    """The source of the expected cost, or why there is none."""
    if planned.price is None:
        return _("Laaffic names no price before the calls, and no group call of this application has reported one yet.")
    words = {
        "each": money(planned.price.each, planned.price.currency),
        "calls": number(planned.price.calls),
        "n": number(planned.price.tasks),
    }
    said = ngettext(
        "at %(each)s a phone, as the last group call cost (%(calls)s calls)",
        "at %(each)s a phone, as the last %(n)s group calls cost (%(calls)s calls)",
        planned.price.tasks,
    )
    without_sms = _("without the SMS after the call") if task.hang_up_sms else ""
    return "; ".join(filter(None, [said % words, without_sms]))


def left_out(task: GroupTask, called: Called) -> list[tuple[str, str]]:
    """(key, sentence) for each reason why some numbers are not called."""
    capped = _("%(n)s left out: have had as many calls as the cap allows")
    if task.hang_up_sms:
        capped = _("%(n)s left out: have had as many calls or SMS as the caps allow")
    counts = [
        (
            "twice",
            task.left_twice,
            ngettext(
                "%(n)s was given twice and is called once",
                "%(n)s were given twice and are called once",
                task.left_twice,
            ),
        ),
        ("suppressed", task.left_suppressed + called.suppressed, _("%(n)s left out: suppressed")),
        ("no_consent", task.left_no_consent + called.no_consent, _("%(n)s left out: no consent for marketing")),
        ("capped", task.left_capped + called.capped, capped),
        ("invalid", task.left_invalid, _("%(n)s left out: invalid number")),
    ]
    return [(key, words % {"n": number(n)}) for key, n, words in counts if n]
