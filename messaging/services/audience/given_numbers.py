"""Freezing the numbers of a campaign that are in no group: given one by one, or pasted."""

import contextlib
from collections.abc import Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from django.db.models import F, QuerySet

from laaffic_console.kit.sql.constant_sql import Given, Insert, Select
from messaging import msisdn
from messaging.models import Campaign, Contact, GroupMembership, Message, PastedNumber
from messaging.msisdn import Msisdn
from messaging.services.audience import new_batches
from messaging.services.channels import channels
from messaging.services.contacts import consents, pastes, suppression
from messaging.services.gates import frequency, retries
from messaging.services.text.merge_values import values_of
from messaging.subscribers import every_spelling, spellings, subscriber
from messaging.text import merge_fields


def freeze_pasted(campaign: Campaign, at_most: int) -> bool:
    """The next of those that were pasted, a batch; False when none is left. Under the campaign's lock."""
    if campaign.paste_id is None:
        return False
    rows = PastedNumber.objects.filter(paste=campaign.paste_id, pk__gt=campaign.paste_cursor).order_by("pk")
    piece = list(rows.values_list("pk", "number")[:at_most])
    if not piece:
        return False
    wanted = {number: msisdn.parse(number) for _pk, number in piece}
    reached = retries.reached_among(campaign, list(wanted))
    sifted = _sift(campaign, wanted, groups_left_out(campaign), frequency.cap_of(campaign), reached=reached)
    _insert(campaign, sifted.kept, wanted, at_most)
    Campaign.objects.filter(pk=campaign.pk).update(
        paste_cursor=piece[-1][0],
        dropped_invalid=F("dropped_invalid") + len(sifted.there),
        **{name: F(name) + n for name, n in sifted.counts().items()},
    )
    campaign.paste_cursor, campaign.total = piece[-1][0], campaign.total + len(sifted.kept)
    return True


def add_extra_numbers(
    campaign: Campaign, at_most: int, cap: frequency.Cap, but_not: Sequence[int] = ()
) -> tuple[dict[str, int], list[Message]]:
    """Numbers that were given one by one, less those that are invalid, suppressed, in the audience already, or in one
    of these groups, which are left out (their ids).

    What the campaign has to count for them, by column, the caller adds with the end of the freezing: so what was no
    number among those that were pasted, or there twice, counts once too. With it the messages that were made.
    """
    unusable = campaign.paste.invalid + campaign.paste.duplicates if campaign.paste else 0
    if not campaign.extra_numbers:
        return {**NOTHING.counts(), "dropped_invalid": unusable}, []
    wanted = valid_numbers(campaign)
    sifted = _sift(campaign, wanted, but_not, cap)
    made = _insert(campaign, sifted.kept, wanted, at_most)
    counts = sifted.counts()
    return {**counts, "dropped_invalid": len(campaign.extra_numbers) - sum(counts.values()) + unusable}, made


class Sifted(NamedTuple):
    """Given numbers by what is done with them; each is in one of these."""

    there: Collection[str]  # in the audience already
    suppressed: Collection[str]
    excluded: Collection[str]
    no_consent: Collection[str]
    capped: Collection[str]
    kept: list[str]

    def counts(self) -> dict[str, int]:
        """What the campaign counts for them, by column; for `there` its callers have different words."""
        return {
            "total": len(self.kept),
            "dropped_suppressed": len(self.suppressed),
            "dropped_excluded": len(self.excluded),
            "dropped_consent": len(self.no_consent),
            "dropped_capped": len(self.capped),
        }


NOTHING = Sifted((), (), (), (), (), [])
COUNTS = (*NOTHING.counts(), "dropped_invalid")


def _sift(
    campaign: Campaign,
    wanted: dict[str, Msisdn],
    but_not: Sequence[int],
    cap: frequency.Cap,
    reached: AbstractSet[str] = frozenset(),
) -> Sifted:
    """Which of them get the message; `reached` are left out as if they were in the audience."""
    there = _in_audience(campaign, list(wanted)) | reached
    suppressed = suppressed_among(campaign, wanted) - there
    excluded = excluded_among(but_not, list(wanted)) - there - suppressed
    no_consent = consents.without(campaign, wanted) - there - suppressed - excluded
    left_out = there | suppressed | excluded | no_consent
    rest = [number for number in wanted if number not in left_out]
    # The claim checks the cap again.
    capped = set(frequency.full_among(campaign, cap, rest)) if cap and rest else set[str]()
    kept = [number for number in rest if number not in capped]
    return Sifted(there, suppressed, excluded, no_consent, capped, kept)


def valid_numbers(campaign: Campaign) -> dict[str, Msisdn]:
    """The valid ones of the numbers given one by one, each subscriber once."""
    return _valid(campaign.extra_numbers)


def _valid(given: Iterable[str]) -> dict[str, Msisdn]:
    wanted: dict[str, Msisdn] = {}
    for text in given:
        with contextlib.suppress(msisdn.InvalidNumber):
            number = msisdn.parse(text)
            wanted.setdefault(subscriber(number.number), number)
    return {number.number: number for number in wanted.values()}


def sample(campaign: Campaign, at_most: int) -> list[Contact]:
    """The first that were given or pasted, with what their contact has to say; the others are nobody's yet."""
    numbers = list(_valid(campaign.extra_numbers[:at_most]))
    if campaign.paste_id is not None:
        pasted = PastedNumber.objects.filter(paste=campaign.paste_id).order_by("pk")
        numbers += pasted.values_list("number", flat=True)[: at_most - len(numbers)]
    known = {contact.number: contact for contact in _contacts.objects(Contact, numbers=numbers)} if numbers else {}
    return [known.get(number) or Contact(number=number) for number in numbers]


class LeftOut(NamedTuple):
    invalid: list[pastes.Problem]  # the first of them
    repeated: list[str]  # all that were given one by one, and were there already


def left_out(campaign: Campaign) -> LeftOut:
    """Which of the given numbers are invalid or repeated. What was pasted twice is merged, and counted there."""
    invalid: list[pastes.Problem] = list(campaign.paste.problems) if campaign.paste else []
    repeated, seen = [], set[str]()
    for text in campaign.extra_numbers:
        try:
            usual = subscriber(msisdn.parse(text).number)
        except msisdn.InvalidNumber as problem:
            invalid.append([0, text, str(problem)])
            continue
        if usual in seen:
            repeated.append(text)
        seen.add(usual)
    return LeftOut(invalid, repeated)


def suppressed_among(campaign: Campaign, numbers: Iterable[str]) -> set[str]:
    return suppression.suppressed_among(list(numbers), channels=channels.of(campaign).suppressed_on)


def groups_left_out(campaign: Campaign) -> list[int]:
    return list(campaign.not_to_groups.order_by("pk").values_list("pk", flat=True))


def excluded_among(groups: Sequence[int], numbers: Sequence[str]) -> set[str]:
    """Those of the numbers whose contact, in any spelling, is in one of these groups, which are left out."""
    if not groups or not numbers:
        return set()
    contacts = Contact.objects.filter(number__among=every_spelling(numbers)).order_by()
    known = dict(contacts.values_list("pk", "number"))
    members = GroupMembership.objects.filter(group__in=groups, contact__id__among=list(known))
    return known_as(numbers, [known[pk] for pk in members.values_list("contact_id", flat=True)])


def _in_audience(campaign: Campaign, numbers: Sequence[str]) -> set[str]:
    if not campaign.total:
        return set()
    found = Message.objects.filter(campaign=campaign, number__in=every_spelling(numbers))
    return known_as(numbers, found.values_list("number", flat=True))


def known_as(numbers: Iterable[str], found: Iterable[str]) -> set[str]:
    """The numbers of which any spelling is in `found`."""
    there = set(found)
    return {number for number in numbers if not there.isdisjoint(spellings(number))}


def _insert(campaign: Campaign, numbers: list[str], wanted: dict[str, Msisdn], at_most: int) -> list[Message]:
    """A batch for each `at_most` of them; all messages, in the order of their ids."""
    fields = merge_fields.fields(channels.texts_of(campaign))
    known = _contacts.objects(Contact, numbers=numbers) if numbers else []
    contacts = {contact.number: contact for contact in known}
    every: list[Message] = []
    for start in range(0, len(numbers), at_most):
        piece = numbers[start : start + at_most]
        batch = new_batches.begin(campaign)
        made = [
            Message(
                campaign=campaign,
                batch=batch,
                contact=contacts.get(number),
                number=number,
                country=wanted[number].country,
                merge_values=values_of(contacts.get(number) or Contact(number=number)) if fields else None,
                segments=channels.segments_when_frozen(campaign),
            )
            for number in piece
        ]
        if len(made) <= FEW:
            _make_messages(made)
        else:
            Message.objects.bulk_create(made)
        ids = [message.pk for message in made]
        new_batches.keep(campaign, batch, len(ids), min(ids), max(ids))
        every += made
    return every


@Select
def _contacts() -> "QuerySet[Contact]":
    return Contact.objects.filter(number__among=Given("numbers")).order_by()


_make_messages = Insert(Message, keys=True)
FEW = 10  # on SQLite there is a text for each length
