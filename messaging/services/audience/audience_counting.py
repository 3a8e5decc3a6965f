"""One go at counting whom a draft would reach, a stretch of contacts after the other (`audience_counts` keeps it)."""

import hashlib
import time
from collections import Counter
from typing import Any

from django.db import connection
from django.utils import timezone

from laaffic_console.gateway.services.work import workers
from messaging import msisdn
from messaging.models import AudienceCount, Campaign, Contact, GroupMembership, Message, PastedNumber
from messaging.msisdn import Msisdn
from messaging.services.audience import audience, given_numbers, left_out, repeats, rules
from messaging.services.batches.batch_texts import as_values
from messaging.services.channels import channels
from messaging.services.contacts import consents
from messaging.services.gates import frequency
from messaging.services.saved_audiences import audience_sql
from messaging.services.text import merged_texts
from messaging.services.text.merge_values import values_of
from messaging.subscribers import every_spelling, has_spellings, spellings
from messaging.text import merge_fields

PASTED = 1000  # numbers that are looked at at once
STRETCH = 5000  # contacts: some tens of milliseconds


class Counting:
    """One go at a count."""

    def __init__(self, campaign: Campaign, count: AudienceCount, stretch: int | None = None) -> None:
        self.campaign, self.count = campaign, count
        self.stretch = stretch or STRETCH
        self.groups = list(campaign.to_groups.order_by("pk").values_list("pk", flat=True))
        self.excluded = given_numbers.groups_left_out(campaign)
        self.like = repeats.campaigns_like(campaign)
        self.repeats_since = count.started_at - repeats.WITHIN
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
        """Count the numbers that have reached the cap now; at the launch they may be others."""
        if self.cap and numbers:
            self.count.capped += len(frequency.full_among(self.campaign, self.cap, numbers))

    def _rows(self, after: int, upper: int) -> list[tuple[Any, ...]]:
        who, params = audience_sql.members(self.groups, after, upper, self.count.member_end, self.rules)
        not_excluded, excluded = audience_sql.not_excluded(self.excluded, after, upper)
        not_suppressed, suppressed_on = audience_sql.not_suppressed("c", channels.of(self.campaign).suppressed_on)
        agreed, agreed_on = left_out.has_agreed(self.campaign)
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
        """{number: [contact id, merge values]} of the numbers that are contacts; {} if the text has no merge fields."""
        fields = merge_fields.fields(channels.texts_of(self.campaign))
        known = Contact.objects.filter(number__in=numbers) if fields else Contact.objects.none()
        return {contact.number: [contact.pk, sorted(values_of(contact).items())] for contact in known}

    def _had_it(self, number: str) -> tuple[str, list[Any]]:
        if not self.like:
            return "FALSE", []
        marks = ", ".join(["%s"] * len(self.like))
        since = connection.ops.adapt_datetimefield_value(self.repeats_since)
        counts, params = repeats.counts_since_sql(since)
        return (
            f"EXISTS (SELECT 1 FROM messaging_message r WHERE r.number = {number} AND r.campaign_id IN ({marks}) "
            f"AND {counts})",
            [*self.like, *params],
        )

    def _had_among(self, numbers: list[str]) -> set[str]:
        """Those of the numbers to which the same text was sent, or waits to be sent, in any spelling."""
        if not self.like or not numbers:
            return set()
        had = Message.objects.filter(campaign__in=self.like, number__among=every_spelling(numbers)).order_by()
        counted = had.filter(repeats.counts_since(self.repeats_since))
        return given_numbers.known_as(numbers, counted.values_list("number", flat=True))

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
        """The numbers whose contact is in the audience anyway, in any spelling; excluded groups are not considered."""
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
        valid = sum(map(msisdn.is_valid, self.campaign.extra_numbers))
        self.count.invalid += len(self.campaign.extra_numbers) - valid
        self.count.merged += valid - len(wanted)

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
