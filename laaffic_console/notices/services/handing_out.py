"""Who is told: rows that wait become notices of people, grouped and bounded, in one transaction for some hundreds.

A second run finds nothing that waits. Rights are those of this moment.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from laaffic_console.gateway.services.work import bell, leases
from laaffic_console.notices import subjects
from laaffic_console.notices.kinds import INFORMS, Notify
from laaffic_console.notices.models import Notice, Waiting
from laaffic_console.notices.services import choices
from laaffic_console.notices.services.taking import JOB
from laaffic_console.notices.subjects import Subject

AT_ONCE = 500
MAIL_JOB = "laaffic_console.notices.jobs.mail"
GROUPED = dt.timedelta(hours=1)  # the same again within this time is counted on its row
APPROVERS = (Notify.ASKED, Notify.WITHDRAWN)
ANSWERS = (Notify.GIVEN, Notify.REFUSED, Notify.VOIDED)
SETTLES = (*ANSWERS, Notify.WITHDRAWN)  # the request for approval: nobody has to look at it any more
OWNERS = (Notify.HELD, Notify.FINISHED, Notify.DRIFT, Notify.IMPORT)


def ring_for_waiting() -> None:
    """For the sweep: ring where a bell was lost."""
    if Waiting.objects.exists():
        bell.ring(JOB)


def hand_out() -> None:
    with leases.lease("notices") as lease:
        while lease is not None and hand_out_some():
            if not lease.renew():
                break


@transaction.atomic
def hand_out_some() -> bool:
    """Hand out some rows; whether there are more. Nobody else locks these rows."""
    rows = list(Waiting.objects.select_for_update().order_by("pk")[:AT_ONCE])
    if rows:
        _Round(rows).write()
        Waiting.objects.filter(pk__in=[row.pk for row in rows]).delete()
        bell.ring_once_a_second(MAIL_JOB)
    return len(rows) == AT_ONCE


def _asks(kind: str, *, by_email: bool) -> bool:
    return by_email or (kind not in INFORMS and kind != Notify.MORE)


class _Round:
    """Hands out some rows to the people whom they concern: everything is asked once for all of them."""

    def __init__(self, rows: Sequence[Waiting]) -> None:
        self.rows, self.now = rows, timezone.now()
        self._may: dict[tuple[str, ...], set[int]] = {}
        self._owners = self._find_owners()
        self._named = self._find_named()
        self._unnoticed = self._find_unnoticed()
        self.fresh: list[Notice] = []
        self.again: dict[int, Notice] = {}

    def write(self) -> None:
        told = [(row, sorted(self._people(row))) for row in self.rows]
        people = sorted({user for _row, users in told for user in users})
        self._wants = choices.of(people)
        self._settle_told()
        self._open = self._find_open(people)
        self._count_made(people)
        for row, users in told:
            if row.kind in SETTLES:
                self._settle_fresh(row.about)
            for user in users:
                self._tell(row, user)
        Notice.objects.bulk_create(self.fresh)
        # In the order of their ids, so that two who write them cannot wait for each other.
        for notice in sorted(self.again.values(), key=lambda one: one.pk):
            notice.save(update_fields=["said", "count", "last_at", "mail", "in_bell"])

    def _settle_told(self) -> None:
        """Requests for approval that were answered or withdrawn count as read, and are not mailed any more."""
        about = {row.about for row in self.rows if row.kind in SETTLES}
        found = [subject for one in about if (subject := subjects.of(subjects.split(one)[0])) is not None]
        asked = {user for subject in found for user in self._who_may(subject.approve)}
        unread = Notice.objects.filter(user__in=asked, kind=Notify.ASKED, about__in=about, read_at=None)
        settled = list(unread.select_for_update().order_by("pk").values_list("pk", flat=True)) if asked else []
        if settled:
            rows = Notice.objects.filter(pk__in=settled)
            rows.update(read_at=self.now)
            rows.filter(mail=Notice.Mail.DUE).update(mail=Notice.Mail.NONE)

    def _settle_fresh(self, about: str) -> None:
        """Like `_settle_told`, for notices that this round itself has told."""
        for key in [key for key in self._open if key[1:] == (Notify.ASKED, about)]:
            notice = self._open.pop(key)
            notice.read_at = self.now
            notice.mail = Notice.Mail.NONE if notice.mail == Notice.Mail.DUE else notice.mail

    def _find_open(self, people: Sequence[int]) -> dict[tuple[int, str, str], Notice]:
        since = self.now - GROUPED
        # Notices that are not under the bell are never read: their hour begins with the first.
        lately = Q(in_bell=True, last_at__gt=since) | Q(in_bell=False, first_at__gt=since)
        # The second bound says nothing more; an index is read by it.
        unread = Notice.objects.filter(lately, user__in=people, read_at=None, last_at__gt=since)
        return {(one.user_id, one.kind, one.about): one for one in unread.select_for_update().order_by("pk")}

    def _count_made(self, people: Sequence[int]) -> None:
        """How many rows each has been told within the hour, and how many of them ask for somebody."""
        made = Notice.objects.filter(user__in=people, first_at__gt=self.now - GROUPED).order_by()
        rows = list(made.values_list("user_id", "kind", "mail"))
        self._made = Counter(user for user, _kind, _mail in rows)
        self._asking = Counter(user for user, kind, mail in rows if _asks(kind, by_email=mail != Notice.Mail.NONE))

    def _is_too_many(self, row: Waiting, user: int, email: bool) -> bool:
        """What only informs leaves the room of what asks for somebody, or is to be mailed, as it is."""
        made = self._asking if _asks(row.kind, by_email=email) else self._made
        return made[user] >= settings.NOTICES_AN_HOUR

    def _tell(self, row: Waiting, user: int) -> None:
        bell_, email = self._wants(user, row.kind)
        if not bell_ and not email:
            return
        key = (user, row.kind, row.about)
        if key not in self._open and self._is_too_many(row, user, email):
            self._tell_more(row, user, bell_, email)
            return
        if (notice := self._open.get(key)) is not None:
            if email and notice.mail in (Notice.Mail.SENT, Notice.Mail.SENDING):
                # People who read only mail learn it so alone: an approval asked for again, a budget used up after 80%.
                # The postbox lets one mail out in ten minutes.
                notice.mail = Notice.Mail.DUE
            notice.said, notice.count = row.said, notice.count + 1
            self._count(notice)
            return
        subject, _key = subjects.split(row.about)
        self._add(key, row, subject, row.said, bell_, email)
        self._made[user] += 1
        self._asking[user] += _asks(row.kind, by_email=email)

    def _tell_more(self, row: Waiting, user: int, bell_: bool, email: bool) -> None:
        """Count what is past the bound: one notice says how many of what there were."""
        key = (user, Notify.MORE.value, "")
        if (notice := self._open.get(key)) is None:
            self._add(key, row, "", {"kinds": {row.kind: 1}}, bell_, email)
            return
        counted = notice.said["kinds"]
        notice.said = {"kinds": {**counted, row.kind: counted.get(row.kind, 0) + 1}}
        notice.count += 1
        notice.in_bell = notice.in_bell or bell_
        # A flood lasts: what is counted here is mailed once an hour, not every ten minutes.
        was_mailed = notice.mail == Notice.Mail.SENT and notice.mail_at and notice.mail_at <= self.now - GROUPED
        if email and (notice.mail == Notice.Mail.NONE or was_mailed):
            notice.mail = Notice.Mail.DUE
        self._count(notice)

    def _add(
        self, key: tuple[int, str, str], row: Waiting, subject: str, said: dict[str, object], bell_: bool, email: bool
    ) -> None:
        notice = Notice(user_id=key[0], kind=key[1], about=key[2], subject=subject, said=said, in_bell=bell_)
        notice.first_at, notice.last_at = self.now, self.now
        notice.mail = Notice.Mail.DUE if email else Notice.Mail.NONE
        self._open[key] = notice
        self.fresh.append(notice)

    def _count(self, notice: Notice) -> None:
        notice.last_at = self.now
        if notice.pk is not None:
            self.again[notice.pk] = notice

    def _people(self, row: Waiting) -> set[int]:
        """The people who have to do with it and may see it; never the person who did it."""
        kind, key = subjects.split(row.about)
        subject = subjects.of(kind)
        if subject is None or (row.kind == Notify.FINISHED and row.about in self._unnoticed):
            return set()
        people = set(self._concerned(row, subject, key)) & self._who_may(subject.view)
        return people - {self._named.get(row.by, 0)}

    def _concerned(self, row: Waiting, subject: Subject, key: str) -> Iterator[int]:
        if row.kind in APPROVERS:
            yield from self._who_may(subject.approve) - set(subject.authors(key))
        elif row.kind in ANSWERS:
            yield self._named.get(row.said.get("asked_by", ""), 0)
        else:
            owners = self._owners.get((subject.kind, key), ())
            owner = next((user for user in owners if user in self._who_may(subject.view)), None)
            if owner is not None:
                yield owner
            is_for_others = row.kind not in OWNERS or (owner is None and row.kind != Notify.FINISHED)
            if subject.act and is_for_others:
                yield from self._who_may(subject.act)

    def _who_may(self, *rights: str) -> set[int]:
        if rights not in self._may:
            self._may[rights] = subjects.who_may(*rights)
        return self._may[rights]

    def _find_owners(self) -> dict[tuple[str, str], Sequence[int]]:
        keys: dict[str, set[str]] = defaultdict(set)
        for row in self.rows:
            kind, key = subjects.split(row.about)
            keys[kind].add(key)
        found: dict[tuple[str, str], Sequence[int]] = {}
        for kind, of_kind in keys.items():
            if subject := subjects.of(kind):
                found |= {(kind, key): users for key, users in subject.owners(of_kind).items()}
        return found

    def _find_unnoticed(self) -> set[str]:
        """What has finished, as its rows name it, of which nobody is told."""
        keys: dict[str, dict[str, str]] = defaultdict(dict)
        for row in self.rows:
            if row.kind == Notify.FINISHED:
                kind, key = subjects.split(row.about)
                keys[kind][key] = row.about
        found = {kind: subject for kind in keys if (subject := subjects.of(kind)) is not None}
        return {keys[kind][key] for kind, subject in found.items() for key in subject.ends_unnoticed(keys[kind])}

    def _find_named(self) -> dict[str, int]:
        names = {name for row in self.rows for name in (row.by, row.said.get("asked_by", "")) if name}
        return dict(User.objects.filter(username__in=names).values_list("username", "pk")) if names else {}
