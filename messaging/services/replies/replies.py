"""What people answer: kept once, put to the campaign it answers, and obeyed when it is STOP."""

import datetime as dt
import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.gateway.models import Channel
from laaffic_console.gateway.services.database import isolation
from laaffic_console.laaffic import Reply as WireReply
from messaging import msisdn
from messaging.models import Campaign, Contact, Conversation, Message, MessageState, Reply, SuppressionEntry
from messaging.models.messages import has_never_left
from messaging.services import events
from messaging.services.batches import answers
from messaging.services.contacts import suppression
from messaging.services.replies import conversations, departures, opt_ins
from messaging.subscribers import every_spelling, has_spellings, spellings, subscriber
from messaging.text.reply_word_matching import reply_word_in
from messaging.wire import networks

logger = logging.getLogger(__name__)

NUMBERS_AT_ONCE = 500
ANSWERED_WITHIN = dt.timedelta(days=30)
WHOLE_SECOND = dt.timedelta(seconds=1)  # a reply's time has no fractions: what left in that second was before it
ANSWERABLE = (Channel.SMS, Channel.MMS)


def take(found: Sequence[WireReply], *, source: str) -> int:
    """Keep what is new, and put those who ask us to stop on the suppression list in the same transaction; how many.

    What came before changes nothing: a number that was allowed again stays so when its old reply is read once more.
    One and the same reply may come by push and by pull at once; both then do the same.
    """
    now = timezone.now()
    rows = {row.key: row for row in (_row(reply, source, now) for reply in found)}
    with transaction.atomic():
        known = set(Reply.objects.filter(key__in=list(rows)).values_list("key", flat=True))
        fresh = [row for key, row in rows.items() if key not in known]
        if fresh:
            _place(fresh)
            _obey(fresh)
        Reply.objects.bulk_create(fresh, ignore_conflicts=True)
        kept = _kept_here(fresh, now)
        conversations.move_on(kept)
        _tell_of_strangers(kept)
        events.replied(kept)
    return len(fresh)


def _kept_here(fresh: Sequence[Reply], now: dt.datetime) -> list[Reply]:
    """The replies that this call stored, with ids. Those that another process has stored are counted there."""
    ours = Reply.objects.filter(key__in=[row.key for row in fresh], received_at=now)
    kept = dict(ours.values_list("key", "pk")) if fresh else {}
    for row in fresh:
        row.pk = kept.get(row.key)
    return [row for row in fresh if row.pk is not None]


def take_each(found: Sequence[WireReply], *, source: str) -> int:
    """`take` for code that reads a list: one that cannot be kept is logged, shown, and costs the others nothing."""
    new = 0

    def work(piece: Sequence[WireReply]) -> None:
        nonlocal new
        new += take(piece, source=source)

    def give_up(reply: WireReply, problem: Exception) -> None:
        logger.error("a reply from %s cannot be kept: %s", _hidden(reply.number), problem)
        isolation.note(f"reply from {_hidden(reply.number)}", problem)

    isolation.in_pieces(found, work, give_up)
    return new


def _hidden(number: str) -> str:
    return f"…{number[-3:]}"


@dataclass(frozen=True, slots=True)
class _Sent:
    """A message that may be what somebody answers."""

    pk: int
    number: str
    campaign_id: int
    sender_id: str
    left: dt.datetime


def _place(rows: Sequence[Reply]) -> None:
    """Say on each reply whose it is and which campaign it answers; a few queries for all of them.

    It depends on whom we wrote to. Some gateways leave the country code out, and the rest may be a number elsewhere. If
    nothing had left for that number, the reply is from the one subscriber with it behind a country code to whom
    something had. It is stored with the spelling of the message, else of the contact: audiences look for that one.
    """
    strangers = _put_to_campaigns(rows, [[row.number] for row in rows])
    strangers = _put_to_campaigns(strangers, [msisdn.with_any_code(row.number) for row in strangers])
    known = contacts_of([row for row in strangers if has_spellings(row.number)])
    for row in strangers:
        if contact := known.get(row.number):
            row.number = contact.number


def _put_to_campaigns(rows: Sequence[Reply], numbers: Sequence[Sequence[str]]) -> list[Reply]:
    """Attach each reply to the campaign it answers, if only one of its possible numbers allows that; return the others.

    A reply's key stays, whatever its number becomes: read once more, it is known by it.
    """
    if not rows:
        return []
    sent = _sent_to(list(chain.from_iterable(numbers)), since=min(row.at for row in rows) - ANSWERED_WITHIN)
    chosen = [_only_answered(row, those, sent) for row, those in zip(rows, numbers, strict=True)]
    campaigns = Campaign.objects.in_bulk({one.campaign_id for one in chosen if one})
    for row, one in zip(rows, chosen, strict=True):
        if one is None:
            continue
        row.campaign = campaigns.get(one.campaign_id)
        if one.number != row.number:
            row.number, row.country = one.number, _country_of(one.number)
    return [row for row, one in zip(rows, chosen, strict=True) if one is None]


def _only_answered(row: Reply, numbers: Sequence[str], sent: dict[str, list[_Sent]]) -> _Sent | None:
    each = (_answered(row, sent.get(who, ())) for who in {subscriber(number) for number in numbers})
    answered = [one for one in each if one is not None]
    return answered[0] if len(answered) == 1 else None


class NotWhole(Exception):
    """A STOP whose number is not complete, so that nobody knows whose it is."""


def _tell_of_strangers(rows: Iterable[Reply]) -> None:
    """Anyone who said STOP may be written to until a person has looked: each is told alone, together with its reply.

    In the transaction that keeps the reply: read once more it is known, and nothing would tell of it.
    """
    for row in rows:
        if row.opt_out and _is_nobodys(row):
            said = (
                f"{row.opt_out} of {row.at:%Y-%m-%d %H:%M} UTC, from a number without country code: no one person whom "
                "we wrote lately has it. Suppress whom you find it to be."
            )
            isolation.note(f"reply from {_hidden(row.number)} ({row.pk})", NotWhole(said), is_persons=True)


def _is_nobodys(row: Reply) -> bool:
    """Nobody whom we wrote has it, and it lacks a country code."""
    return row.campaign_id is None and not _is_whole(row.number) and bool(msisdn.with_any_code(row.number))


def _is_whole(number: str) -> bool:
    try:
        return msisdn.parse(number).is_valid
    except msisdn.InvalidNumber:
        return False


def _sent_to(numbers: Sequence[str], since: dt.datetime) -> dict[str, list[_Sent]]:
    """{subscriber: messages that have left for them}."""
    found: dict[str, list[_Sent]] = defaultdict(list)
    wanted = list(dict.fromkeys(every_spelling(numbers)))
    for start in range(0, len(wanted), NUMBERS_AT_ONCE):
        messages = Message.objects.filter(number__in=wanted[start : start + NUMBERS_AT_ONCE]).order_by()
        if not messages.exists():  # nearly always so where strangers write
            continue
        reached = messages.filter(campaign__channel__in=ANSWERABLE).filter(
            ~(Q(state=MessageState.QUEUED, attempt=1) | has_never_left()) | answers.accepted_but_unwritten()
        )
        columns = reached.annotate(left=departures.LEFT_AT).filter(left__gte=since)
        for row in columns.values_list("pk", "number", "campaign_id", "campaign__sender_id", "left"):
            found[subscriber(row[1])].append(_Sent(*row))
    return found


def _answered(reply: Reply, sent: Sequence[_Sent]) -> _Sent | None:
    recent = [one for one in sent if one.left >= reply.at - ANSWERED_WITHIN]
    before = [one for one in recent if one.left < reply.at + WHOLE_SECOND]
    if before:
        return max(before, key=lambda one: (one.sender_id == reply.sent_to, one.left, one.pk))
    after = [one for one in recent if one.left <= reply.at + departures.CLOCKS_APART]
    return min(after, key=lambda one: (one.sender_id != reply.sent_to, one.left, one.pk), default=None)


def contacts_of(found: Iterable[Reply | Conversation]) -> dict[str, Contact]:
    """{number: contact} by that spelling, else by another of the same subscriber. One query."""
    numbers = {reply.number for reply in found}
    known = {contact.number: contact for contact in Contact.objects.filter(number__in=every_spelling(list(numbers)))}
    matched = {number: next((known[one] for one in spellings(number) if one in known), None) for number in numbers}
    return {number: contact for number, contact in matched.items() if contact is not None}


def _row(reply: WireReply, source: str, now: dt.datetime) -> Reply:
    number = _canonical(reply.number)
    at = reply.at or now
    return Reply(
        key=_key(reply, number, now),
        number=number[:20],
        country=_country_of(number),
        network=networks.number_of(reply.mcc, reply.mnc),
        content=reply.content.replace("\0", ""),
        sent_to=reply.sender_id[:32],
        at=at,
        received_at=now,
        source=source,
        gateway_id=reply.msg_id[:40],
        operator=reply.operator[:60],
    )


def _key(reply: WireReply, number: str, now: dt.datetime) -> str:
    """A key that is the same for the same reply: number, second and words. Without a time its id stands for the second,
    and with neither the day on which it came, so that a STOP repeated later counts again."""
    moment = str(int(reply.at.timestamp())) if reply.at else f"id {reply.msg_id[:20]}"
    if not reply.at and not reply.msg_id:
        moment = f"day {now:%Y%m%d}"
    return f"{number[:20]}|{moment}|{hashlib.sha256(reply.content.encode(errors='replace')).hexdigest()[:24]}"


def with_canonical_number(reply: WireReply) -> WireReply:
    """The reply with its number as it is stored; done beforehand, it costs a transaction no time."""
    return replace(reply, number=_canonical(reply.number))


def _canonical(number: str) -> str:
    """The number as our contacts and messages spell it; one that cannot be read stays unchanged."""
    try:
        return msisdn.parse(number).number
    except msisdn.InvalidNumber:
        return number


def _country_of(number: str) -> str:
    """ISO 3166; "" for a short code, a name or a number of the whole world."""
    try:
        return msisdn.parse(number).country
    except msisdn.InvalidNumber:
        return ""


def _obey(rows: Sequence[Reply]) -> None:
    """STOP counts at once: batches look at the suppression list when they are claimed, also of campaigns that run."""
    asked: dict[tuple[str, str], list[str]] = defaultdict(list)
    stops = []
    for row in rows:
        found = reply_word_in(row.content, settings.OPT_OUT_WORDS)
        if found is None or len(row.number) > msisdn.MAX_DIGITS:
            continue
        row.opt_out = found.word[:40]
        row.suppressed_on = opt_ins.channel_of(row)
        asked[row.suppressed_on, found.word].append(row.number)
        stops.append(row)
    for (channel, word), numbers in asked.items():
        suppression.suppress_numbers(
            dict.fromkeys(numbers),
            channel=channel,
            reason=SuppressionEntry.Reason.OPT_OUT,
            note=_("replied “%(word)s”") % {"word": word},
            source=suppression.BY_REPLY,
        )
    opt_ins.withdraw(stops, revoked=opt_ins.later_starts(stops))
    # Looked for again: a START that was being taken is awaited by withdrawing.
    opt_ins.obey(rows, again=opt_ins.later_starts(stops))
    opt_ins.confirm(rows)
