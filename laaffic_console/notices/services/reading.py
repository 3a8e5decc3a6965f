"""What somebody may read of their notices, and that they have read it."""

import datetime as dt

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from laaffic_console.notices import subjects
from laaffic_console.notices.models import Notice

MANY = 100  # more are not counted


def of(user: User) -> QuerySet[Notice]:
    """The notices under the person's bell, without those that they have lost the right to see since."""
    seen = ["", *(one.kind for one in subjects.every() if user.has_perm(one.view))]
    return Notice.objects.filter(user=user, in_bell=True, subject__in=seen)


def unread(user: User) -> QuerySet[Notice]:
    return of(user).filter(read_at=None)


def count(user: User) -> int:
    return unread(user).order_by()[:MANY].count()


def mark(user: User, pk: int, until: dt.datetime | None = None, *, opens: bool = False) -> Notice | None:
    """None where it is not theirs to read. What has happened again since `until` stays unread, unless they go on to
    the page of what it is about, which shows how things are now.
    """
    notice = of(user).filter(pk=pk).first() if pk < 2**63 else None
    if notice is not None and notice.read_at is None:
        shows_all = until is None or (opens and notice.address)
        seen = {} if shows_all else {"last_at__lte": until}
        Notice.objects.filter(pk=notice.pk, **seen).update(read_at=timezone.now())
    return notice


def mark_all(user: User, up_to: int, until: dt.datetime) -> int:
    """Mark as read what was on the page; how many. What has come since stays unread, on a new row or on an old one."""
    seen = Notice.objects.filter(pk__lte=min(up_to, 2**63 - 1), last_at__lte=until)
    return seen.filter(user=user, in_bell=True, read_at=None).update(read_at=timezone.now())
