"""START: a person who writes it agrees again, and what their own STOP has done is undone."""

import datetime as dt
from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db.models import F
from django.utils.translation import gettext as _

from laaffic_console.gateway.models import Channel
from messaging import msisdn
from messaging.models import ConsentState, Reply
from messaging.models.contacts import SAME_SENDER
from messaging.services.contacts import consents, suppression
from messaging.services.contacts.consents import Said
from messaging.services.replies import opt_in_questions
from messaging.subscribers import every_spelling, subscriber
from messaging.text.reply_word_matching import reply_word_in


def channel_of(row: Reply) -> str:
    """The channel of the campaign that it answers; a reply to no campaign is an SMS."""
    return row.campaign.channel if row.campaign else Channel.SMS.value


def channels_of(channel: str) -> list[str]:
    """SMS and MMS come from one sender, so one STOP or START is meant for both."""
    return [channel, *filter(None, [SAME_SENDER.get(channel)])]


def later_starts(stops: Sequence[Reply]) -> list[Reply]:
    """The kept STARTs of these people that were said after each of their new STOPs, which we have learned of late.

    In doubt there is none: a START whose time could not be read has the time at which it came here.
    """
    last: dict[str, dt.datetime] = {}
    for row in stops:
        who = subscriber(row.number)
        last[who] = max(row.at, last.get(who, row.at))
    if not last:
        return []
    since = Reply.objects.filter(number__in=every_spelling([row.number for row in stops]), at__gt=min(last.values()))
    kept = since.filter(opt_out="").exclude(at=F("received_at")).select_related("campaign").order_by("at", "pk")
    return [row for row in kept if row.at > last[subscriber(row.number)] and _asked(row) is not None]


def withdraw(stops: Sequence[Reply], *, revoked: Sequence[Reply] = ()) -> None:
    """What a STOP says about consent; with OPT_OUT_EVERY_CHANNEL it is about every channel.

    `revoked`: the STARTs after such a STOP; the question that one of them has asked for stays open.
    """
    every = [channel.value for channel in consents.CHANNELS]
    asked = {subscriber(row.number) for row in revoked}
    opt_in_questions.close([row.number for row in stops if subscriber(row.number) not in asked])
    consents.put(
        said
        for row in stops
        for said in _said(
            row,
            ConsentState.WITHDRAWN,
            every if settings.OPT_OUT_EVERY_CHANNEL else channels_of(channel_of(row)),
        )
    )


def _ask_first(row: Reply, channels: Sequence[str]) -> None:
    """Until they confirm it nothing is known of what they want; consent that is given stays.

    What is unknown already stays so from its own moment on: a yes to the first question may be read after this START.
    """
    saved = [consent for consent in consents.of_person(row.number) if consent.pk is not None]
    states = {consent.channel: consent.state for consent in saved}
    if any(states.get(channel) != ConsentState.GIVEN for channel in channels):
        opt_in_questions.want(row, channel_of(row))
    settled = (ConsentState.GIVEN, ConsentState.UNKNOWN)
    consents.put(_said(row, ConsentState.UNKNOWN, [one for one in channels if states.get(one) not in settled]))


def confirm(rows: Sequence[Reply]) -> None:
    """A yes to the question that START has asked for."""
    for row, question in opt_in_questions.confirmed(rows):
        consents.put(_said(row, ConsentState.GIVEN, channels_of(question.channel)))


def obey(rows: Sequence[Reply], *, again: Sequence[Reply] = ()) -> None:
    """Obey the new replies that say START, unless their writer has said STOP since.

    `again`: kept STARTs that release an older STOP too, and have said all else already.
    """
    starts = [*rows, *again]
    found = {row.key: said for row in starts if (said := _asked(row)) is not None}
    asked = [row for row in starts if row.key in found]
    if not asked:
        return
    held = suppression.hold_stops([row.number for row in asked])  # first: a STOP that adds to them waits, or is seen
    last_stops = _last_stops(asked, rows)
    known = {row.key for row in again}
    for row in asked:
        last = last_stops.get(subscriber(row.number))
        if last is not None and last.at >= row.at:
            continue
        channels = channels_of(channel_of(row))
        suppression.release_stops(
            [row.number],
            held=held,
            channels=[*channels, *_others()],
            why=_("replied “%(word)s”") % {"word": found[row.key]},
        )
        if row.key in known:
            if settings.LAAFFIC_DOUBLE_OPT_IN:  # as if the STOP had been learned of before it
                consents.put(_said(row, ConsentState.UNKNOWN, _withdrawn(row.number, channels)))
            continue
        if settings.LAAFFIC_DOUBLE_OPT_IN:
            _ask_first(row, channels)
        else:
            consents.put(_said(row, ConsentState.GIVEN, channels))


def _withdrawn(number: str, channels: Sequence[str]) -> list[str]:
    states = {consent.channel: consent.state for consent in consents.of_person(number)}
    return [channel for channel in channels if states.get(channel) == ConsentState.WITHDRAWN]


def _asked(row: Reply) -> str | None:
    """The word, as the settings have it."""
    if row.opt_out or len(row.number) > msisdn.MAX_DIGITS:
        return None
    found = reply_word_in(row.content, settings.OPT_IN_WORDS)
    return found.word if found else None


def _others() -> list[str]:
    """The further channels that a START releases: all, if a STOP on one channel counts for every channel."""
    return [channel.value for channel in consents.CHANNELS] if settings.OPT_OUT_EVERY_CHANNEL else []


def _last_stops(asked: Sequence[Reply], rows: Sequence[Reply]) -> dict[str, Reply]:
    """{subscriber: their latest STOP}, of those that are kept and of those that come along."""
    kept = Reply.objects.filter(number__in=every_spelling([row.number for row in asked])).exclude(opt_out="")
    last: dict[str, Reply] = {}
    for row in [*kept.only("number", "at", "opt_out"), *(row for row in rows if row.opt_out)]:
        who = subscriber(row.number)
        if who not in last or row.at > last[who].at:
            last[who] = row
    return last


def _said(row: Reply, state: ConsentState, channels: Iterable[str]) -> list[Said]:
    return [Said(row.number, channel, state, row.at, consents.REPLY, row.content) for channel in channels]
