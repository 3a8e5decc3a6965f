"""A campaign that is being written and stored nowhere: what it would do, as it stands this moment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from laaffic_console.gateway.models import Application
from messaging.models import Addressed, Audience, Campaign, Contact, ContactGroup
from messaging.services.audience import audience_counts
from messaging.services.figures import used_senders
from messaging.services.forecast import forecast
from messaging.services.forecast.forecast import Forecast
from messaging.services.text.merge_values import values_of
from messaging.text import merge_fields

LONGEST, LACKING = "longest", "lacking"
SAMPLE_SECONDS = 0.05
SENDERS = 20  # offered, those used last


@dataclass(frozen=True, slots=True)
class Read:
    """The text as one contact reads it; `place` among the first contacts, of `of`."""

    text: str
    shown: str  # the same as the viewer may see it
    contact: Contact
    place: int
    of: int
    lacking: Sequence[str]  # fields that the contact has no value for

    @property
    def is_last(self) -> bool:
        return self.place + 1 >= self.of


def of(
    *,
    groups: Sequence[ContactGroup] = (),
    excluded_groups: Sequence[ContactGroup] = (),
    audiences: Sequence[Audience] = (),
    **columns: Any,
) -> Campaign:
    """Never to be saved."""
    campaign = Campaign(**columns)
    campaign.addressed = Addressed(
        groups=ContactGroup.objects.filter(pk__in=[group.pk for group in groups]),
        excluded_groups=ContactGroup.objects.filter(pk__in=[group.pk for group in excluded_groups]),
        audiences=Audience.objects.filter(pk__in=[audience.pk for audience in audiences]),
    )
    return campaign


def people_of(campaign: Campaign) -> list[Contact]:
    """A sample of whom it would reach, looked for no longer than somebody who writes can wait."""
    return forecast.sample(campaign, seconds=SAMPLE_SECONDS)


def planned(
    campaign: Campaign, told: dict[str, Any] | None, people: Sequence[Contact]
) -> tuple[Forecast, dict[str, Any]]:
    """(forecast from those counted so far, what the next call needs in `told` to count on)."""
    counted = audience_counts.sketched(campaign, told)
    return forecast.from_count(campaign, counted, people), audience_counts.as_told(counted)


def read_by(campaign: Campaign, who: str, people: Sequence[Contact]) -> Read | None:
    """`who`: a place like "3", LONGEST or LACKING, among these first contacts; None where there is nobody."""
    if not people:
        return None
    texts = [forecast.as_contact(campaign.text, contact) for contact in people]
    lacking = [_lacking(campaign.text, contact) for contact in people]
    choose: dict[str, Callable[[], int]] = {
        LONGEST: lambda: max(range(len(texts)), key=lambda place: len(texts[place])),
        LACKING: lambda: next((place for place, names in enumerate(lacking) if names), 0),
    }
    place = choose[who]() if who in choose else (int(who) if who.isdecimal() and len(who) < 6 else 0)
    place = min(place, len(people) - 1)
    shown = forecast.as_shown(campaign.text, people[place])
    return Read(texts[place], shown, people[place], place, len(people), lacking[place])


def _lacking(text: str, contact: Contact) -> list[str]:
    values = merge_fields.with_derived(values_of(contact))
    return [name for name in merge_fields.fields(text) if not values.get(name)]


def senders(applications: Sequence[Application]) -> list[str]:
    """Sender IDs that campaigns of these applications went out with, the latest first; and the applications' own."""
    ids = {application.pk for application in applications}
    used = sorted((one for one in used_senders.every() if one.application in ids), key=lambda one: -one.last)
    latest = list(dict.fromkeys(one.sender for one in used))[:SENDERS]
    own = [application.sender_id for application in applications if application.sender_id]
    return list(dict.fromkeys([*latest, *own]))
