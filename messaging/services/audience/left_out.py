"""Who is left out of an audience while it is frozen, and why: they get no message, or theirs is deleted again."""

from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef

from messaging.models import Campaign, Contact, GroupMembership, Message
from messaging.services.audience import given_numbers, rules
from messaging.services.contacts import consents
from messaging.services.gates import frequency
from messaging.services.saved_audiences import audience_sql
from messaging.subscribers import PREFIXES, every_spelling, spellings, subscriber


def drop_excluded(groups: Sequence[int], made: tuple[int, int, int]) -> int:
    """Out goes whom a group that is left out has by another spelling; how many do."""
    if not groups:
        return 0
    spelled = {number: pk for pk, number in _with_other_spellings(made)}
    excluded = given_numbers.excluded_among(groups, list(spelled))
    Message.objects.filter(pk__in=[spelled[number] for number in excluded]).delete()
    return len(excluded)


def drop_twice(campaign: Campaign, made: tuple[int, int, int], upper: int) -> int:
    """Delete messages to people who are in the audience by another spelling too; how many. One person gets one message.

    At least one of two spellings is not the usual one, so only unusual numbers are looked at, which are few.
    """
    unusual = [(pk, number) for pk, number in _with_other_spellings(made) if subscriber(number) != number]
    if not unusual:
        return 0
    others = every_spelling([number for _pk, number in unusual])
    there = set(Message.objects.filter(campaign=campaign, number__in=others).values_list("number", flat=True))
    there |= _ahead(campaign, upper, others)
    twice = {}
    for pk, number in unusual:
        if not there.isdisjoint(spellings(number)[1:]):
            twice[pk] = number
            there.discard(number)
    Message.objects.filter(pk__in=twice).delete()
    return len(twice)


def drop_capped(campaign: Campaign, made: tuple[int, int, int]) -> int:
    """Delete the new messages to people who have reached the cap; how many. The claim checks this again."""
    if not (cap := frequency.cap_of(campaign)):
        return 0
    ours = Message.objects.filter(pk__gte=made[1], pk__lte=made[2], campaign=campaign)
    full = frequency.full_among(campaign, cap, ours.values_list("number", flat=True))
    return ours.filter(number__in=full).delete()[0] if full else 0


def _with_other_spellings(made: tuple[int, int, int]) -> list[tuple[int, str]]:
    """(id, number) of the messages that were made, of those countries that spell numbers in several ways."""
    marks = ", ".join(["%s"] * len(PREFIXES))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.id, m.number FROM messaging_message m WHERE m.id >= %s AND m.id <= %s "
            f"AND (substr(m.number, 1, 2) IN ({marks}) OR substr(m.number, 1, 3) IN ({marks})) ORDER BY m.id",
            [*made[1:], *PREFIXES, *PREFIXES],
        )
        return list(cursor.fetchall())


def _ahead(campaign: Campaign, after: int, numbers: Sequence[str]) -> set[str]:
    """The numbers whose contacts are in the audience, beyond the id `after`: they will be frozen later."""
    members = GroupMembership.objects.filter(contact=OuterRef("pk"))
    waiting = Contact.objects.filter(number__in=numbers, pk__gt=after, pk__lte=campaign.audience_end)
    joined = members.filter(group__in=campaign.groups.all())
    if campaign.member_end is not None:
        joined = joined.filter(pk__lte=campaign.member_end)
    waiting = waiting.exclude(Exists(members.filter(group__in=campaign.excluded_groups.all())))
    found = set(waiting.filter(Exists(joined)).values_list("number", flat=True))
    if meant := rules.of(campaign, member_end=campaign.member_end):
        others = dict(waiting.values_list("pk", "number"))
        found |= {others[pk] for pk in audience_sql.meeting_among(meant, sorted(others))}
    return found


class Dropped(NamedTuple):
    """How many contacts of a chunk get no message, by reason."""

    excluded: int = 0
    suppressed: int = 0
    no_consent: int = 0
    twice: int = 0  # their number is in the campaign already


Condition = tuple[str, Sequence[int | str]]  # with its parameters


def count_dropped(
    made: int, audience: Condition, not_excluded: Condition, not_suppressed: Condition, agreed: Condition
) -> Dropped:
    """Why those of a chunk have no message of whom none was made.

    A statement later than the one that made them: anyone who was suppressed in between is none of these.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT coalesce(sum(CASE WHEN {not_excluded[0]} THEN 0 ELSE 1 END), 0), "
            f"coalesce(sum(CASE WHEN {not_suppressed[0]} THEN 0 WHEN {not_excluded[0]} THEN 1 ELSE 0 END), 0), "
            f"coalesce(sum(CASE WHEN {agreed[0]} THEN 0 WHEN {not_suppressed[0]} AND {not_excluded[0]} THEN 1 "
            f"ELSE 0 END), 0), count(*) {audience[0]}",
            [
                *not_excluded[1],
                *(*not_suppressed[1], *not_excluded[1]),
                *(*agreed[1], *not_suppressed[1], *not_excluded[1]),
                *audience[1],
            ],
        )
        *reasons, everybody = cursor.fetchone()
    left, counts = everybody - made, []
    for found in reasons:
        counts.append(min(found, left))
        left -= counts[-1]
    excluded, suppressed, no_consent = counts
    return Dropped(excluded, suppressed, no_consent, twice=left)


def has_agreed(campaign: Campaign) -> tuple[str, list[str]]:
    """(SQL condition on contacts `c`, its parameters); "TRUE" if the campaign needs nobody's consent."""
    if not consents.is_needed(campaign):
        return "TRUE", []
    return audience_sql.has_consent("c", campaign.channel)
