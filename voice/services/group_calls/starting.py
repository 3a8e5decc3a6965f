"""When a group-call task would start, what the clocks of its callees show then, and what would stop it."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils import timezone

from laaffic_console.kit.words.said import gettext as _
from messaging.services.approvals import approval_rules
from messaging.services.audience import recipient_clocks
from messaging.services.audience.recipient_clocks import Clock
from messaging.services.gates.sending_hours import Place
from messaging.services.launching import checks, restored_drafts
from messaging.services.launching.checks import Check, Level
from messaging.services.reports.prices import Cost
from voice.models import GroupTask
from voice.services.group_calls import care as group_care
from voice.services.group_calls import costs as group_costs
from voice.services.group_calls import hours as group_hours
from voice.services.group_calls import requesting as group_requests
from voice.services.group_calls.care import Called
from voice.services.group_calls.costs import Learned
from voice.services.group_calls.windows import starts_at


def clocks(places: Mapping[Place, int], moment: dt.datetime) -> list[Clock]:
    """The clocks of each country at `moment`; numbers that are in no country are left out."""
    reached = [(country, ",".join(zones), n) for (country, zones), n in places.items() if country]
    return recipient_clocks.of_reached(moment, reached)


@dataclass(frozen=True, slots=True)
class Planned:
    """What a launch would do as things are now."""

    called: Called  # with the counts of those left out
    start: dt.datetime  # when phones ring, unless Laaffic takes longer
    clocks: list[Clock]
    price: Learned | None
    cost: Cost
    checks: list[Check]

    @property
    def numbers(self) -> list[str]:
        return self.called.numbers


def planned(task: GroupTask) -> Planned:
    called = group_care.called_now(task)
    numbers = called.numbers
    places = group_hours.places_of(numbers)
    leaves = group_hours.leaves_at(task, places, timezone.now())
    start = starts_at(task, leaves)
    shown = clocks(places, start)
    price = group_costs.learned(task)
    cost = group_costs.expected(price, len(numbers))
    found = checks.in_order(_looks(task, called, places, shown, price, leaves))
    return Planned(called, start, shown, price, cost, found)


def _looks(
    task: GroupTask,
    called: Called,
    places: Counter[Place],
    shown: Sequence[Clock],
    price: Learned | None,
    leaves: dt.datetime | None,
) -> Iterator[Check]:
    """What a person must have seen before they launch it from the page, in the same words as for a campaign."""
    numbers = called.numbers
    yield from _content(task)
    if not numbers:
        yield Check("nobody", Level.STOP, group_care.nobody(called))
    yield from checks.no_country(group_hours.of_no_country(places))
    if task.kind in group_care.AGAIN and (sentence := group_care.repeats(task.kind, called)):
        yield Check("repeats", Level.STOP, sentence)
    if missing := approval_rules.missing(task, numbers):
        yield Check("approval", Level.STOP, missing)
    yield from restored_drafts.check(task)
    yield from checks.balance(group_costs.expected(price, len(numbers)))
    added = group_costs.calls_added(task, len(numbers))
    yield from checks.budget(task.application, added, group_costs.expected(price, added), is_whole=True, leaves=leaves)
    for part in group_costs.sms_after(task, len(numbers)):
        yield from checks.budget(part.application, part.recipients, part.cost, is_whole=True, leaves=leaves)
    yield from _hours(task, places, leaves) if group_hours.rules_of(task) else checks.night(shown)
    yield from _end(task, leaves)
    yield from checks.account(task.application_id)
    yield from checks.no_worker()


def _hours(task: GroupTask, places: Collection[Place], leaves: dt.datetime | None) -> Iterator[Check]:
    if leaves is None:
        yield Check("hours", Level.STOP, group_hours.never(task, places))
    elif leaves > timezone.now():
        yield Check("hours", Level.NOTE, group_hours.waits(leaves))
    if not task.windows:
        said = _(
            "It begins within its recipients' sending hours; Laaffic goes on dialling when they end. Give it allowed "
            "times of day, or a latest end."
        )
        yield Check("dials_on", Level.TICK, said)


def _end(task: GroupTask, leaves: dt.datetime | None) -> Iterator[Check]:
    if too_late := group_hours.begins_too_late(task, leaves):
        yield Check("end", Level.STOP, too_late)


def _content(task: GroupTask) -> Iterator[Check]:
    try:
        group_requests.check(task)
    except ValidationError as problem:
        for sentence in problem.messages:
            yield Check("content", Level.STOP, sentence)
