"""Counting whom a draft would reach, a stretch of contacts at a time: a million take seconds, and no page waits for it.

Anyone who looks at the draft counts on for a moment, and a job does the rest; a count that was cut off goes on where it
stood. What it says is how things stood then: the launch itself looks at everybody again.
"""

import datetime as dt
import hashlib
import json
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.utils import timezone

from laaffic_console.gateway.services.work import bell, leases, workers
from messaging import msisdn
from messaging.models import AudienceCount, Campaign, Contact, GroupMembership, Message, PastedNumber, SuppressionEntry
from messaging.models.messages import NEVER_LEFT, has_never_left
from messaging.msisdn import Msisdn
from messaging.services.audience import audience, given_numbers, repeats, rules
from messaging.services.batches.batch_texts import as_values
from messaging.services.channels import channels
from messaging.services.contacts import consents
from messaging.services.gates import frequency
from messaging.services.saved_audiences import audience_sql
from messaging.services.text import merged_texts
from messaging.services.text.merge_values import values_of
from messaging.subscribers import every_spelling, has_spellings, spellings
from messaging.text import merge_fields

JOB = "messaging.jobs.count_audience"
PASTED = 1000  # numbers that are looked at at once
STRETCH = 5000  # contacts: some tens of milliseconds
PAGE_SECONDS = 0.08
SKETCH_SECONDS = 0.03  # most often one stretch: somebody writes, and waits for the next answer
JOB_SECONDS = 20.0
FRESH = dt.timedelta(minutes=10)
QUICK = 20_000  # contacts that are counted again within a request; more of them only by a job
PRESS_SECONDS = 2.0
A_LOOK = dt.timedelta(minutes=1)  # for which a count is shown, where counting takes seconds


def of(campaign: Campaign) -> AudienceCount:
    """The draft's count, begun again where it is not about the draft as it stands, and pushed on a little."""
    count = AudienceCount.objects.filter(campaign=campaign).first()
    if count is None or not _is_about(count, campaign):
        count = _begin(campaign)
    if not count.is_done:
        count = _count(campaign, count, PAGE_SECONDS)
    if not count.is_done:
        bell.ring_once_a_second(JOB)
    return count


def sketched(campaign: Campaign, told: dict[str, Any] | None) -> AudienceCount:
    """The same for a draft that is not stored: who asks keeps what the last answer `told`, and asks until it is done.

    `told` is the count's fields (`as_told`); of another draft, or an old one, it counts for nothing.
    """
    kept = AudienceCount(**_read(told)) if told else None
    count = kept if kept is not None and _is_about(kept, campaign) else AudienceCount(**_fresh(campaign))
    if not count.is_done:
        _Counting(campaign, count).go_on(time.monotonic() + SKETCH_SECONDS)
    return count


def _read(told: dict[str, Any]) -> dict[str, Any]:
    moments = {name: told[name] and dt.datetime.fromisoformat(told[name]) for name in ("started_at", "counted_at")}
    return {**told, **moments}


def as_told(count: AudienceCount) -> dict[str, Any]:
    moments = {name: getattr(count, name) for name in ("started_at", "counted_at")}
    names = ("counted_for", "end", "member_end", *_COUNTED)
    return {name: getattr(count, name) for name in names} | {
        name: moment and moment.isoformat() for name, moment in moments.items()
    }


def renew(campaign: Campaign, *, to_look: bool = False) -> None:
    """Look at everybody again where that is quick: what was counted some minutes ago may not be so any more.

    `to_look`: for a look at a draft, perhaps one of many; it is counted once more when the person acts.
    """
    count = AudienceCount.objects.filter(campaign=campaign).first()
    if count is None or (_is_about(count, campaign) and not _is_to_be_renewed(count, campaign, to_look=to_look)):
        return
    give_up_at = time.monotonic() + PRESS_SECONDS
    count = _begin(campaign)
    while not count.is_done and (left := give_up_at - time.monotonic()) > 0:
        count = _count(campaign, count, left, stretch=QUICK)  # so that a page asks alike for few and for more of them
        if not count.is_done:
            time.sleep(PAGE_SECONDS)  # somebody else counts


def _is_to_be_renewed(count: AudienceCount, campaign: Campaign, *, to_look: bool) -> bool:
    if count.counted_at is None or _found(count) > QUICK:
        return False
    if not to_look or not _looks_at_many(count, campaign):
        return True
    return timezone.now() - count.counted_at >= A_LOOK and _has_moved(count)


def _looks_at_many(count: AudienceCount, campaign: Campaign) -> bool:
    """A condition is held against everybody, also where few meet it: that may take seconds."""
    if not campaign.to_audiences.exists():
        return False
    everybody = Contact.objects.filter(pk__lte=count.end).order_by("pk").values_list("pk", flat=True)
    return bool(everybody[QUICK : QUICK + 1])


def _has_moved(count: AudienceCount) -> bool:
    """Whether somebody came, joined or was suppressed since it began, as the last of each say.

    Who was only edited moves nothing here; that is seen when the count is not fresh any more, or somebody acts.
    """
    members = GroupMembership.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    if audience_sql.last_contact() > count.end or members > count.member_end:
        return True
    newest = SuppressionEntry.objects.order_by("-pk").values_list("created_at", flat=True).first()
    return newest is not None and newest > count.started_at


def _found(count: AudienceCount) -> int:
    left_out = count.suppressed + count.excluded + count.no_consent
    return count.recipients + count.too_long + count.blank + left_out


def complete(campaign: Campaign, *, since: dt.datetime | None = None) -> AudienceCount:
    """All of it, however long that takes: not under a lock. `since`: a count that began earlier is begun again."""
    count = of(campaign)
    if since is not None and count.started_at < since:
        count = _begin(campaign)
    while not count.is_done:
        count = _count(campaign, count, JOB_SECONDS)
        if not count.is_done:
            time.sleep(PAGE_SECONDS)  # somebody else counts
    return count


def names_any(campaign: Campaign, numbers: Sequence[str]) -> bool:
    """Whether any of the numbers, however spelled, is in the draft's audience, pasted to it or given one by one."""
    everybody = set(every_spelling(numbers))
    if not everybody.isdisjoint(given_numbers.valid_numbers(campaign)):
        return True
    if PastedNumber.objects.filter(paste=campaign.paste_id, number__in=everybody).exists():
        return True
    return bool(_Counting(campaign, AudienceCount(**_fresh(campaign))).in_audience(list(numbers)))


def is_current(campaign: Campaign) -> bool:
    return current(campaign) is not None


def current(campaign: Campaign) -> AudienceCount | None:
    """The count that is there, done and about the draft as it stands; nothing is counted, and nothing written."""
    count = AudienceCount.objects.filter(campaign=campaign).first()
    return count if count is not None and count.is_done and _is_about(count, campaign) else None


def count_open() -> None:
    """Finish the counts that have begun, of what is not being frozen yet."""
    give_up_at = time.monotonic() + JOB_SECONDS
    open_ones = AudienceCount.objects.filter(counted_at=None, campaign__audience=Campaign.Audience.OPEN)
    for count in open_ones.select_related("campaign").order_by("started_at"):
        left = give_up_at - time.monotonic()
        if left <= 0 or not _count(count.campaign, count, left).is_done:
            bell.ring(JOB)
            return


def _is_about(count: AudienceCount, campaign: Campaign) -> bool:
    is_fresh = timezone.now() - (count.counted_at or count.started_at) < FRESH
    return is_fresh and count.counted_for == _digest(campaign)


def _digest(campaign: Campaign) -> str:
    """Of what decides who is reached, as far as it can be known without looking at everybody."""
    decides = [
        "who is sent what in how many segments",  # counts of earlier versions say less
        campaign.text if merge_fields.fields(channels.texts_of(campaign)) else "",  # else it says the same to all
        campaign.channel,
        sorted(campaign.to_groups.values_list("pk", flat=True)),
        sorted(campaign.not_to_groups.values_list("pk", flat=True)),
        [[rule["audience"], rule["tree"]] for rule in rules.kept(campaign)],
        campaign.extra_numbers,
        campaign.paste_id,
        consents.is_needed(campaign),
        frequency.cap_of(campaign),
        list(repeats.campaigns_like(campaign).values_list("pk", flat=True)),
    ]
    return hashlib.sha256(json.dumps(decides).encode()).hexdigest()


def _begin(campaign: Campaign) -> AudienceCount:
    count, _made = AudienceCount.objects.update_or_create(campaign=campaign, defaults=_fresh(campaign))
    return count


def _fresh(campaign: Campaign) -> dict[str, Any]:
    member_end = audience.last_membership()  # first: who joins from here on is neither counted nor frozen
    end = audience_sql.last_of(list(campaign.to_groups.values_list("pk", flat=True)))
    if campaign.to_audiences.exists():
        end = max(end, audience.last_contact())
    return {
        "counted_for": _digest(campaign),
        "cursor": 0,
        "paste_cursor": 0,
        "merged": 0,
        "member_end": member_end,
        "people": "",
        "reached_people": "",
        "end": end,
        "reached": [],
        "segments": [],
        "suppressed": 0,
        "excluded": 0,
        "no_consent": 0,
        "capped": 0,
        "too_long": 0,
        "blank": 0,
        "invalid": 0,
        "repeated": 0,
        "started_at": timezone.now(),
        "counted_at": None,
    }


def _count(campaign: Campaign, count: AudienceCount, seconds: float, *, stretch: int | None = None) -> AudienceCount:
    """Count on for so long, so many contacts at a time, if nobody else does."""
    with leases.lease(f"count:{campaign.pk}") as lease:
        count.refresh_from_db()
        if lease is None or count.is_done:
            return count
        give_up_at = time.monotonic() + seconds
        _Counting(campaign, count, stretch).go_on(give_up_at)
        # Only the count that was begun: one that was begun again in the meantime is another's.
        begun = AudienceCount.objects.filter(pk=count.pk, counted_for=count.counted_for, started_at=count.started_at)
        begun.update(**{name: getattr(count, name) for name in _COUNTED})
    return count


_COUNTED = (
    "cursor",
    "paste_cursor",
    "merged",
    "people",
    "reached_people",
    "reached",
    "segments",
    "suppressed",
    "excluded",
    "no_consent",
    "capped",
    "too_long",
    "blank",
    "invalid",
    "repeated",
    "counted_at",
)


class _Counting:
    """One go at a count."""

    def __init__(self, campaign: Campaign, count: AudienceCount, stretch: int | None = None) -> None:
        self.campaign, self.count = campaign, count
        self.stretch = stretch or STRETCH
        self.groups = list(campaign.to_groups.order_by("pk").values_list("pk", flat=True))
        self.excluded = given_numbers.groups_left_out(campaign)
        self.like = list(repeats.campaigns_like(campaign).values_list("pk", flat=True))
        self.rules = rules.of(campaign, member_end=count.member_end, now=count.started_at)
        self.values = audience.merge_values_sql(channels.texts_of(campaign))
        self.cap = frequency.cap_of(campaign)
        self.template = merge_fields.parse(campaign.text) if merge_fields.fields(channels.texts_of(campaign)) else None
        self.bound = merged_texts.bound(campaign)
        self.segments = Counter(dict(count.segments))
        self.reached = Counter({(country, zones): n for country, zones, n in count.reached})

    def go_on(self, give_up_at: float) -> None:
        count = self.count
        while time.monotonic() < give_up_at:
            stretch = audience_sql.next_stretch(self.groups, count.cursor, count.end, self.stretch, self.rules)
            if stretch is None:
                if self._count_pasted():
                    continue
                self._count_numbers()
                count.counted_at = timezone.now()
                break
            self._count_stretch(*stretch)
            workers.beat()
            count.cursor = stretch[1]
        count.segments = [[each, n] for each, n in sorted(self.segments.items())]
        count.reached = [[*where, n] for where, n in self.reached.most_common()]

    def _count_stretch(self, after: int, upper: int) -> None:
        reached: list[str] = []
        rows = self._rows(after, upper)
        spelled = [row[1] for row in rows if has_spellings(row[1])]
        excluded_otherwise = given_numbers.excluded_among(self.excluded, spelled)
        had_otherwise = self._had_among(spelled)
        for pk, number, country, zones, values, excluded, suppressed, agreed, had in rows:
            if excluded or number in excluded_otherwise:
                self.count.excluded += 1
                continue
            self._sign(f"{pk}\0{number}\0{values}", is_reached=agreed and not suppressed)
            if suppressed:
                self.count.suppressed += 1
            elif not agreed:
                self.count.no_consent += 1
            else:
                self.count.repeated += had or number in had_otherwise
                reached.append(number)
                self._count_message(country, zones, values)
        self._count_capped(reached)

    def _count_message(self, country: str, zones: str, kept: Any) -> None:
        """One more, to a phone there; `kept` are its merge values. One that cannot be sent costs nothing."""
        text = self.campaign.text
        if self.template is not None:
            text = merge_fields.render(self.template, merge_fields.with_derived(as_values(kept)))
        problem = self.bound.problem_of(text) if self.bound else ""
        if problem == merged_texts.BLANK:
            self.count.blank += 1
        elif problem:
            self.count.too_long += 1
        else:
            self.reached[country, zones] += 1
            if self.template is not None:  # else it says the same to all
                self.segments[channels.of(self.campaign).segments(text)] += 1

    def _count_capped(self, numbers: list[str]) -> None:
        """Who has had enough by now; by the launch somebody else will have."""
        if self.cap and numbers:
            self.count.capped += len(frequency.full_among(self.campaign, self.cap, numbers))

    def _rows(self, after: int, upper: int) -> list[tuple[Any, ...]]:
        who, params = audience_sql.members(self.groups, after, upper, self.count.member_end, self.rules)
        not_excluded, excluded = audience_sql.not_excluded(self.excluded, after, upper)
        not_suppressed, suppressed_on = audience_sql.not_suppressed("c", channels.of(self.campaign).suppressed_on)
        agreed, agreed_on = audience.has_agreed(self.campaign)
        had, had_params = self._had_it("c.number")
        values, value_params = self.values
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT c.id, c.number, c.country, c.time_zones, {values}, "
                f"CASE WHEN {not_excluded} THEN 0 ELSE 1 END, "
                f"CASE WHEN {not_suppressed} THEN 0 ELSE 1 END, CASE WHEN {agreed} THEN 1 ELSE 0 END, "
                f"CASE WHEN {had} THEN 1 ELSE 0 END {who} ORDER BY c.id",
                [*value_params, *excluded, *suppressed_on, *agreed_on, *had_params, *params],
            )
            return list(cursor.fetchall())

    def _sign(self, person: str, *, is_reached: bool) -> None:
        """A chain: each digest is of the one before and of one more person, so a count can go on where it stood."""
        said = person.encode()
        self.count.people = hashlib.sha256(self.count.people.encode() + said).hexdigest()
        if is_reached:
            self.count.reached_people = hashlib.sha256(self.count.reached_people.encode() + said).hexdigest()

    def _values_of(self, numbers: list[str]) -> dict[str, Any]:
        """Of those given one by one: what the text's fields say for them, where it has any."""
        fields = merge_fields.fields(channels.texts_of(self.campaign))
        known = Contact.objects.filter(number__in=numbers) if fields else Contact.objects.none()
        return {contact.number: [contact.pk, sorted(values_of(contact).items())] for contact in known}

    def _had_it(self, number: str) -> tuple[str, list[int]]:
        if not self.like:
            return "FALSE", []
        marks = ", ".join(["%s"] * len(self.like))
        never = ", ".join(str(int(state)) for state in NEVER_LEFT)
        return (
            f"EXISTS (SELECT 1 FROM messaging_message r WHERE r.number = {number} AND r.campaign_id IN ({marks}) "
            f"AND (r.state NOT IN ({never}) OR r.attempt > 1))",
            self.like,
        )

    def _had_among(self, numbers: list[str]) -> set[str]:
        """Those who had the same text, by any spelling of their number."""
        if not self.like or not numbers:
            return set()
        had = Message.objects.filter(campaign__in=self.like, number__among=every_spelling(numbers)).order_by()
        return given_numbers.known_as(numbers, had.exclude(has_never_left()).values_list("number", flat=True))

    def _count_pasted(self) -> bool:
        """The next of the pasted numbers; False when all are counted."""
        rows = PastedNumber.objects.filter(paste=self.campaign.paste_id, pk__gt=self.count.paste_cursor)
        piece = list(rows.order_by("pk").values_list("pk", "number")[:PASTED])
        if not piece:
            if self.campaign.paste:
                self.count.invalid += self.campaign.paste.invalid
                self.count.merged += self.campaign.paste.duplicates
            return False
        self.count.paste_cursor = piece[-1][0]
        wanted = {number: msisdn.parse(number) for _pk, number in piece}
        excluded = given_numbers.excluded_among(self.excluded, list(wanted))
        merged = self.in_audience([number for number in wanted if number not in excluded])
        self.count.merged += len(merged)
        self.count.excluded += len(excluded)
        self._count_given({number: told for number, told in wanted.items() if number not in merged | excluded})
        return True

    def in_audience(self, numbers: list[str]) -> set[str]:
        """Those whose contact is in the audience anyway, however it spells the number. None of them is left out."""
        known = dict(Contact.objects.filter(number__in=every_spelling(numbers)).values_list("pk", "number"))
        mine = GroupMembership.objects.filter(contact__in=known)
        joined = mine.filter(group__in=self.groups, pk__lte=self.count.member_end)
        there = set(joined.values_list("contact_id", flat=True))
        there |= audience_sql.meeting_among(self.rules, [pk for pk in known if pk <= self.count.end])
        there_as = {known[pk] for pk in there}
        return {number for number in numbers if not there_as.isdisjoint(spellings(number))}

    def _count_numbers(self) -> None:
        """What was given one by one. A number that is in a group too is counted twice here, and frozen once."""
        wanted = given_numbers.valid_numbers(self.campaign)
        excluded = given_numbers.excluded_among(self.excluded, list(wanted))
        self.count.excluded += len(excluded)
        self._count_given({number: told for number, told in wanted.items() if number not in excluded})
        self.count.invalid += len(self.campaign.extra_numbers) - len(wanted)

    def _count_given(self, wanted: dict[str, Msisdn]) -> None:
        suppressed = given_numbers.suppressed_among(self.campaign, wanted)
        no_consent = consents.without(self.campaign, wanted) - suppressed
        left_out = suppressed | no_consent
        values = self._values_of(list(wanted))
        for number, told in wanted.items():
            self._sign(f"{number}\0{values.get(number)}", is_reached=number not in left_out)
            if number not in left_out:
                said = dict(values[number][1]) if number in values else values_of(Contact(number=number))
                self._count_message(told.country, ",".join(told.time_zones), said)
        self.count.repeated += len(self._had_among(list(wanted)))
        self.count.suppressed += len(suppressed)
        self.count.no_consent += len(no_consent)
        self._count_capped([number for number in wanted if number not in left_out])
