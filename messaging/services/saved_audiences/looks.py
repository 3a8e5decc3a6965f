"""What is shown beside an audience that is being written: how many meet it, where they are, and the first people.

A look goes through the contacts for a moment and says what it has found so far; the next one goes on behind it. What is
known so far goes out to the page and comes back with its next question, signed by its sender.
"""

import dataclasses
import datetime as dt
import hashlib
from typing import Any, Self

from django.db import connection
from django.utils import timezone

from laaffic_console.gateway.models import Channel
from messaging.conditions import condition_texts
from messaging.conditions.conditions import Condition
from messaging.models import Contact
from messaging.services.saved_audiences import audience_sql, audiences
from messaging.services.saved_audiences.condition_sql import Rules

SHOWN = 10
LOOK_SECONDS = 0.5
CHANNEL = Channel.SMS  # whose suppression list counts: audiences are for messages to numbers


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """`after`: the last contact that was looked at. `countries`: (country, contacts), the most first."""

    meant: str
    now: str
    after: int = 0
    end: int = 0
    suppressed: int = 0
    countries: tuple[tuple[str, int], ...] = ()
    people: tuple[int, ...] = ()

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Self:
        countries = tuple((country, contacts) for country, contacts in told["countries"])
        return cls(**{**told, "countries": countries, "people": tuple(told["people"])})

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @property
    def contacts(self) -> int:
        return sum(contacts for _country, contacts in self.countries)

    @property
    def is_done(self) -> bool:
        return self.after >= self.end

    @property
    def percent(self) -> int:
        return 100 if self.is_done else min(99, 100 * self.after // max(self.end, 1))

    def first(self) -> list[Contact]:
        return list(Contact.objects.filter(pk__in=self.people).order_by("pk"))


def go_on(condition: Condition, told: Look | None = None, *, seconds: float | None = LOOK_SECONDS) -> Look:
    """From where the last look stopped, if it was at the same condition; else from the start."""
    meant = hashlib.sha256(condition_texts.write(condition).encode()).hexdigest()[:16]
    if told is None or told.meant != meant:
        told = Look(meant, timezone.now().isoformat())
    if told.is_done:  # else up to where it began: with each new contact less of them would be looked at
        told = dataclasses.replace(told, end=audience_sql.last_contact())
    rules = Rules((condition,), dt.datetime.fromisoformat(told.now))
    for begins, upper in audiences.stretches(told.after, told.end, seconds):
        told = _with_stretch(told, rules, begins, upper)
    return told


def _with_stretch(told: Look, rules: Rules, begins: int, upper: int) -> Look:
    found = _by_country(rules, begins, upper)
    countries = dict(told.countries)
    for country, contacts, _suppressed in found:
        countries[country] = countries.get(country, 0) + contacts
    people = told.people
    if found and len(people) < SHOWN:
        people += tuple(audience_sql.meeting(rules, begins, upper, SHOWN - len(people)))
    return dataclasses.replace(
        told,
        after=upper,
        suppressed=told.suppressed + sum(suppressed for _country, _contacts, suppressed in found),
        countries=tuple(sorted(countries.items(), key=lambda entry: (-entry[1], entry[0]))),
        people=people,
    )


def _by_country(rules: Rules, begins: int, upper: int) -> list[tuple[str, int, int]]:
    """(country, contacts, how many of them are suppressed)."""
    who, params = audience_sql.members((), begins, upper, None, rules)
    suppressed, channels = audience_sql.suppressed("c", [CHANNEL])
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT c.country, count(*), sum(CASE WHEN {suppressed} THEN 1 ELSE 0 END) {who} GROUP BY c.country",
            [*channels, *params],
        )
        return [(country, int(contacts), int(stopped)) for country, contacts, stopped in cursor.fetchall()]
