"""Who has agreed to get messages: what was said is kept for good, and what was said last holds.

A person has one consent for each channel, however their number is spelled: a row is written for each spelling, so that
anyone who asks about a number looks in one place.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.gateway.models.channels import CAMPAIGN_CHANNELS, Channel
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.sql import row_inserts
from laaffic_console.kit.sql.row_inserts import insert
from laaffic_console.kit.sql.sql_lists import among
from laaffic_console.kit.words.plain_text import is_blank
from messaging.models import Campaign, Consent, ConsentEvent, ConsentState, OptInQuestion
from messaging.services import events
from messaging.subscribers import spellings, subscriber

CHANNELS = CAMPAIGN_CHANNELS
BY_HAND, REPLY = "by hand", "reply"
RANKS = [ConsentState.GIVEN, ConsentState.UNKNOWN, ConsentState.WITHDRAWN]  # of what was said in one second the last
ROWS = row_inserts.ROWS
LATE, MANY = dt.timedelta(hours=1), 5000
COLUMNS = ["number", "channel", "state", "source", "words", "at"]
SAID_COLUMNS = ["subscriber", *COLUMNS[1:], "by_id", "recorded_at"]


@dataclass(frozen=True, slots=True)
class Said:
    """What one person said once, on one channel."""

    number: str
    channel: str
    state: str
    at: dt.datetime
    source: str
    words: str = ""


def is_needed(campaign: Campaign) -> bool:
    """Whether it goes only to those who have agreed."""
    return campaign.kind != Campaign.Kind.TEST and is_needed_for(campaign.purpose)


def is_needed_for(purpose: str) -> bool:
    """Whether what has this purpose goes only to those who have agreed."""
    return purpose == Campaign.Purpose.MARKETING and bool(settings.LAAFFIC_MARKETING_NEEDS_CONSENT)


@dataclass(frozen=True, slots=True)
class Kept:
    new: int  # statements
    holds: list[Said]  # those of them that hold now


def put(found: Iterable[Said], *, by: User | None = None) -> int:
    """Keep what was said, and how much of it is new; the latest holds, and of what was said in one second a withdrawal.

    What the same source said of the same time is known, and changes nothing: a file that is read again neither tells
    the webhooks once more nor gives back what went when a person was erased. Nor are they told of what does not hold.
    """
    return keep(found, by=by).new


def keep(found: Iterable[Said], *, by: User | None = None) -> Kept:
    """`put`, with what has come to hold by it."""
    said = [
        Said(one.number, one.channel, one.state, one.at, one.source[:120], one.words.replace("\0", "")[:300])
        for one in found
    ]
    with transaction.atomic():
        new = _unknown(said)
        if not new:
            return Kept(0, [])
        latest: dict[tuple[str, str], Said] = {}
        for one in sorted(new, key=_rank):
            for number in spellings(subscriber(one.number)):
                latest[number, one.channel] = one
        written = _tell(new, by)
        changed = _write([[*key, *_row(latest[key])] for key in sorted(latest)])
        holds = list(dict.fromkeys(latest[key] for key in sorted(latest) if key in changed))  # once in all spellings
        if written:
            events.consented(holds)
    return Kept(written, holds)


def _rank(one: Said) -> tuple[dt.datetime, int]:
    return one.at, RANKS.index(ConsentState(one.state))


def _row(one: Said) -> list[Any]:
    return [one.state, one.source, one.words, connection.ops.adapt_datetimefield_value(one.at)]


def _unknown(said: Sequence[Said]) -> list[Said]:
    """What of this is not stored yet, each once, in one order for all writers, so that no two deadlock."""
    told = {_key(one): one for one in reversed(said)}
    there = ConsentEvent.objects.filter(subscriber__among=[key[0] for key in told]).order_by()
    known = set(there.values_list("subscriber", "at", "channel", "state", "source")) if told else set()
    return [told[key] for key in sorted(told.keys() - known)]


def _key(one: Said) -> tuple[str, dt.datetime, str, str, str]:
    """A key that is the same only for the same statement; it sorts each person's statements by time."""
    return subscriber(one.number), one.at, one.channel, one.state, one.source


def _tell(said: Iterable[Said], by: User | None) -> int:
    """How many are new."""
    author, now = by and by.pk, connection.ops.adapt_datetimefield_value(timezone.now())
    rows = [[subscriber(one.number), one.channel, *_row(one), author, now] for one in said]
    # This statement counts them, so that of two who read one file only one counts a row.
    return len(insert(ConsentEvent._meta.db_table, SAID_COLUMNS, rows, "ON CONFLICT DO NOTHING", returning="id"))


def _write(rows: Sequence[Sequence[Any]]) -> set[tuple[str, str]]:
    """Write consents ordered by number, so that no two writers deadlock; older ones than the stored change nothing.

    {(number, channel)} of those that have changed.
    """
    table = Consent._meta.db_table
    new = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[2:])
    given, unknown, withdrawn = (f"'{state.value}'" for state in RANKS)
    is_stronger = (
        f"excluded.state = {withdrawn} AND {table}.state <> {withdrawn} "
        f"OR excluded.state = {unknown} AND {table}.state = {given}"
    )
    is_later = f"excluded.at > {table}.at OR (excluded.at = {table}.at AND ({is_stronger}))"
    conflict = f"ON CONFLICT (number, channel) DO UPDATE SET {new} WHERE {is_later}"
    return set(insert(table, COLUMNS, rows, conflict, returning="number, channel"))


def given_among(numbers: Iterable[str], channel: str) -> set[str]:
    """The numbers whose consent for the channel is given now."""
    wanted = list(numbers)
    if not wanted:
        return set()
    is_one, listed = among(wanted)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT number FROM messaging_consent WHERE number {is_one} AND channel = %s AND state = %s",  # noqa: S608 - no value in it
            [listed, channel, ConsentState.GIVEN.value],
        )
        return {number for (number,) in cursor.fetchall()}


def withdrawn_since(channel: str, since: dt.datetime) -> frozenset[str] | None:
    """Every spelling of those who have said or done anything but giving consent since; None: too many to name.

    `since` may be by the clock of another machine: what was recorded up to an hour before it is told as well, so
    what was recorded by then and committed later is not missed.
    """
    since_then = connection.ops.adapt_datetimefield_value(since - LATE)
    with connection.cursor() as cursor:
        cursor.execute(
            # The states are in it as in the condition of its index.
            "SELECT subscriber FROM messaging_consentevent WHERE channel = %s AND recorded_at >= %s "
            "AND state IN ('withdrawn', 'unknown') LIMIT %s",
            [channel, since_then, MANY + 1],
        )
        found = {number for (number,) in cursor.fetchall()}
    return None if len(found) > MANY else frozenset(chain.from_iterable(map(spellings, found)))


def without(campaign: Campaign, numbers: Iterable[str]) -> set[str]:
    """The numbers to leave out of the campaign because they have not consented; none if it needs no consent."""
    if not is_needed(campaign):
        return set()
    wanted = set(numbers)
    return wanted - given_among(wanted, campaign.channel)


def of_person(number: str) -> list[Consent]:
    """One for each channel; what nobody has said anything about is unknown, and not saved."""
    known = {consent.channel: consent for consent in Consent.objects.filter(number=number)}
    return [
        known.get(channel, Consent(number=number, channel=channel, state=ConsentState.UNKNOWN)) for channel in CHANNELS
    ]


def last_said(number: str) -> int:
    """The newest of what is kept of a person; 0 where nothing is."""
    said = ConsentEvent.objects.filter(subscriber=subscriber(number)).order_by("-pk")
    return said.values_list("pk", flat=True).first() or 0


@transaction.atomic
def set_by_hand(number: str, *, channel: str, state: str, why: str, by: User | None) -> None:
    """Note a consent that was given or withdrawn by letter or telephone; ValidationError without a reason."""
    if is_blank(why):
        raise ValidationError({"why": _("Say how you know, for example “signed the form in the shop on 3 May”.")})
    if state not in ConsentState.values or channel not in [one.value for one in CHANNELS]:
        raise ValidationError(_("Choose a channel, and whether consent is given."))
    before = Consent.objects.filter(number=number, channel=channel).values_list("state", flat=True).first()
    put([Said(number, channel, state, _now_or_later(number, channel), BY_HAND, why.strip())], by=by)
    change = [Channel(channel).label, ConsentState(before or ConsentState.UNKNOWN).label, ConsentState(state).label]
    record(Act.CHANGED, Consent, label=number, changes=[change], why=why.strip()[:200])


def _now_or_later(number: str, channel: str) -> dt.datetime:
    """Behind all that is known: a reply's own time can lie ahead, and would outdo what a person says after it."""
    known = Consent.objects.filter(number=number, channel=channel).order_by("-at")
    latest, now = known.values_list("at", flat=True).first(), timezone.now()
    return now if latest is None else max(now, latest + dt.timedelta(microseconds=1))


def erase(number: str) -> None:
    """The words go, and what was given; that somebody has withdrawn stays, so that no old list brings them back.

    Nobody is erased while a message to them waits (people.erase), so no claim misses what goes here.
    """
    OptInQuestion.objects.filter(subscriber=subscriber(number)).delete()
    said = ConsentEvent.objects.filter(subscriber=subscriber(number))
    withdrawn = said.filter(state=ConsentState.WITHDRAWN).values_list("channel", flat=True)
    of_the_person = Consent.objects.filter(number__in=spellings(number))
    of_the_person.exclude(channel__in=set(withdrawn)).exclude(state=ConsentState.WITHDRAWN).delete()
    # After a withdrawal and a new consent the moment stays without the consent: what a list says of earlier is past.
    of_the_person.filter(state=ConsentState.GIVEN).update(state=ConsentState.UNKNOWN)
    of_the_person.update(words="", source="")
    said.update(words="")
