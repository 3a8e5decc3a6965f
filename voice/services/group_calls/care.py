"""Whom a group call leaves out when it is launched: those suppressed, those who have not agreed or had enough calls.

The draft keeps all its numbers; which of them are called is checked on its page, when it is launched, when a worker
starts it, and, for the cap, again under the channel's lock, in the transaction that records the request.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.db.models import Q, QuerySet

from laaffic_console.gateway.models import Channel, EntryState
from laaffic_console.kit.sql.constant_sql import Given, Select
from laaffic_console.kit.words.figures import number
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import joined, ngettext
from messaging.models import Campaign
from messaging.services.contacts import consents
from messaging.services.gates import frequency
from messaging.services.gates.frequency import Cap
from messaging.subscribers import every_spelling, has_spellings
from voice.models import GroupTask, TaskKind
from voice.models.group_tasks import certainly_called_nobody
from voice.services import called_numbers
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import repetitions

AGAIN = (TaskKind.RESEND, TaskKind.RESEND_FAILED)  # Laaffic's own repetitions, from which nobody can be left out
DID_NOT_LEAVE = (EntryState.REFUSED, EntryState.NOT_SENT)


@dataclass(frozen=True, slots=True)
class Called:
    """The numbers that a launch would call, and how many it would leave out."""

    numbers: list[str]
    suppressed: int = 0
    no_consent: int = 0
    capped: int = 0
    twice: int = 0
    reached: int = 0  # by another repetition of the same task
    under_way: str = ""  # name of such a repetition, if it is not known yet whom it reaches
    never_known: str = ""  # name of such a repetition, if nobody will know whom it has reached
    erased: int = 0  # since the launch of the task that Laaffic is to repeat


def called_now(task: GroupTask) -> Called:
    kept = group_callees.callable_now(task)
    agreed = _agreed(task, kept.numbers)
    numbers = _without_full(task, agreed)
    no_consent, capped = len(kept.numbers) - len(agreed), len(agreed) - len(numbers)
    called = Called(numbers, kept.suppressed, no_consent, capped, kept.twice)
    if task.kind in AGAIN and task.parent is not None:
        called = replace(called, erased=len(group_callees.erased_since_launch(task.parent, group_callees.of(task))))
    return _after_others(task, called) if task.kind == TaskKind.RESEND_FAILED and task.parent is not None else called


def _after_others(task: GroupTask, called: Called) -> Called:
    """Count those whom other repetitions have reached: Laaffic repeats what failed in the task itself."""
    others = [one for one in repetitions.of(task.parent) if one.pk != task.pk] if task.parent else []
    waits_for = repetitions.under_way(others)
    reached = len(called.numbers) - len(repetitions.unreached(others, called.numbers))
    unknown = repetitions.never_known(others)
    return replace(
        called,
        reached=reached,
        under_way=waits_for.name if waits_for else "",
        never_known=unknown.name if unknown else "",
    )


def under_lock(task: GroupTask, called: Called) -> Called:
    """Leave out those who have had enough since the last check; nobody else counts them until the transaction ends.

    ValidationError if nobody is left, or if it is a repetition, which would call them anyway.
    """
    caps = _caps(task)
    if not caps:
        return called
    for channel in caps:
        frequency.count_alone(channel)
    numbers = _without_full(task, called.numbers)
    counted = replace(called, numbers=numbers, capped=called.capped + len(called.numbers) - len(numbers))
    require_somebody(task, counted)
    return counted


def require_somebody(task: GroupTask, called: Called) -> None:
    if task.kind in AGAIN and (sentence := repeats(task.kind, called)):
        raise NotNow({"numbers": sentence})
    if not called.numbers:
        raise NotNow({"numbers": nobody(called)})


def nobody(called: Called) -> str:
    if called.no_consent or called.capped:
        return _("Nobody is left to call: all are suppressed, have not agreed to marketing, or have had enough calls.")
    if not called.suppressed:
        return _("Nobody is left to call: its numbers were erased. Choose others.")
    return _("Nobody is left to call: all numbers are on the suppression list.")


def repeats(kind: str, called: Called) -> str:
    """Why a repetition cannot leave; "" if it calls nobody that it must not call."""
    if called.never_known:
        said = _(
            "They were called again already, by “%(task)s”, and nobody knows whom that reached: Laaffic has never "
            "listed it, so it has no call records. Write a new task to those who you know were not reached."
        )
        return said % {"task": called.never_known}
    if called.under_way:
        said = _(
            "They are called again already, by “%(task)s”, and whom that reaches is not known yet. Wait until it is "
            "over and its call records have come, or until a day after its end."
        )
        return said % {"task": called.under_way}
    if not (why := _must_not_be_called(called)):
        return ""
    if kind == TaskKind.RESEND_FAILED:
        return joined([why, _("Press “New task of those not reached” on the first task instead: it leaves them out.")])
    return joined([why, _("Make a new task from it instead: it leaves them out.")])


def _must_not_be_called(called: Called) -> str:
    if called.suppressed:
        return ngettext(
            "%(n)s of its numbers was suppressed since. Laaffic's own repetition would call it too.",
            "%(n)s of its numbers were suppressed since. Laaffic's own repetition would call them too.",
            called.suppressed,
        ) % {"n": number(called.suppressed)}
    if called.erased:
        return ngettext(
            "%(n)s of its people was erased since. Laaffic's own repetition would call them too.",
            "%(n)s of its people were erased since. Laaffic's own repetition would call them too.",
            called.erased,
        ) % {"n": number(called.erased)}
    if called.reached:
        return ngettext(
            "%(n)s of its numbers was reached by another repetition since. Laaffic's own would call it once more.",
            "%(n)s of its numbers were reached by another repetition since. Laaffic's own would call them once more.",
            called.reached,
        ) % {"n": number(called.reached)}
    if others := called.no_consent + called.capped:
        return ngettext(
            "%(n)s of its numbers has not agreed to marketing, or has had enough calls. Laaffic's own repetition "
            "would call it too.",
            "%(n)s of its numbers have not agreed to marketing, or have had enough calls. Laaffic's own repetition "
            "would call them too.",
            others,
        ) % {"n": number(others)}
    return ""


def _agreed(task: GroupTask, numbers: list[str]) -> list[str]:
    """Numbers whose people have agreed; with an SMS after the call, to both, as Laaffic would send it to all."""
    if not consents.is_needed_for(task.purpose):
        return numbers
    given = consents.given_among(numbers, Channel.VOICE)
    if task.hang_up_sms:
        given &= consents.given_among(numbers, Channel.SMS)
    return [number for number in numbers if number in given]


def _caps(task: GroupTask) -> dict[str, Cap]:
    """Caps by channel, in the order in which their locks are always taken; with an SMS after the call, its cap too."""
    of = {Channel.SMS.value: task.sms_application_id if task.hang_up_sms else None}
    of[Channel.VOICE.value] = task.application_id
    caps = {channel: frequency.cap_for(pk, task.purpose) for channel, pk in of.items() if pk is not None}
    return {channel: cap for channel, cap in caps.items() if cap}


def _without_full(task: GroupTask, numbers: list[str]) -> list[str]:
    for channel, cap in _caps(task).items():
        if not numbers:
            break
        sending = frequency.sending_since(channel, frequency.start_of(cap))
        source = had_sms if channel == Channel.SMS else had
        if full := frequency.full_on(cap, numbers, sending, partial(source, but=_takes_the_place_of(task))):
            numbers = [number for number in numbers if number not in full]
    return numbers


def _takes_the_place_of(task: GroupTask) -> int:
    return task.parent_id or 0 if task.kind == TaskKind.UPDATE else 0


def had(
    numbers: Sequence[str], since: dt.datetime, day: dt.datetime, *, but: int = 0
) -> Iterator[tuple[str, int, int]]:
    """(number, calls since `day`, calls since `since`), once for each group call that had, or may have had, the number.

    Numbers count while Laaffic has the task and for as long after its end: nobody knows when it calls which of them.
    """
    return _had(_since(since).exclude(pk=but), numbers, day)


def had_sms(
    numbers: Sequence[str], since: dt.datetime, day: dt.datetime, *, but: int = 0
) -> Iterator[tuple[str, int, int]]:
    """Like `had`, for the SMS after calls: whether a number gets one depends on its call, so each may have had it."""
    return _had(_since(since).filter(hang_up_sms=True).exclude(pk=but), numbers, day)


def _had(tasks: "QuerySet[GroupTask]", numbers: Sequence[str], day: dt.datetime) -> Iterator[tuple[str, int, int]]:
    wanted = {*numbers, *every_spelling([number for number in numbers if has_spellings(number)])}
    over_at = dict(tasks.values_list("pk", "finished_at"))
    for called, task_id in called_numbers.among([*wanted], over_at):
        over = over_at[task_id]
        yield called, int(over is None or over >= day), 1


def has_left_since(moment: dt.datetime) -> bool:
    """Whether another group call has recorded its request since then: its numbers count."""
    return bool(_left_since.rows(since=moment))


def has_sms_since(moment: dt.datetime) -> bool:
    return any(has_sms for (has_sms,) in _left_since.rows(since=moment))


@Select
def _left_since() -> "QuerySet[GroupTask, Any]":
    """Whether each group call requested since then sends an SMS. Its numbers are stored with the request."""
    left = GroupTask.objects.filter(is_counted=True, entry__prepared_at__gte=Given("since")).order_by()
    return left.values_list("hang_up_sms")


def _since(moment: dt.datetime) -> "QuerySet[GroupTask]":
    """The tasks that count and that may have called somebody since then."""
    left = GroupTask.objects.filter(is_counted=True, entry__isnull=False).exclude(certainly_called_nobody())
    left = left.exclude(entry__state__in=DID_NOT_LEAVE).exclude(purpose=Campaign.Purpose.TRANSACTIONAL)
    return left.filter(Q(finished_at=None) | Q(finished_at__gte=moment)).order_by()
