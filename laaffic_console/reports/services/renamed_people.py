"""Saved reports follow the people whom they name: a new user name is written into them, and a freed one fills none."""

from typing import Any

from django.contrib.auth.models import User
from django.db.models.signals import post_delete, post_save, pre_save

from laaffic_console.reports import asking
from laaffic_console.reports.models import Report
from laaffic_console.reports.services.saving import LONGEST_QUERY

DELETED = "%s (account deleted)"  # no user name has spaces: a report that says so is refused with a sentence


def listen() -> None:
    pre_save.connect(_look_up, User, dispatch_uid="people that reports name: before")
    post_save.connect(_renamed, User, dispatch_uid="people that reports name: after")
    post_delete.connect(_deleted, User, dispatch_uid="people that reports name: deleted")


def _look_up(instance: Any, update_fields: Any = None, **signal: Any) -> None:
    is_told = update_fields is None or "username" in update_fields
    was = User.objects.filter(pk=instance.pk).values_list("username", flat=True) if instance.pk and is_told else ()
    instance.named_before = next(iter(was), "")


def _renamed(instance: Any, **signal: Any) -> None:
    if instance.named_before not in ("", instance.username):
        _rewrite(instance.named_before, instance.username)


def _deleted(instance: Any, **signal: Any) -> None:
    _rewrite(instance.username, DELETED % instance.username)


def _rewrite(before: str, after: str) -> None:
    for report in Report.objects.filter(query__contains="person=").order_by("pk"):
        asked = asking.read(report.query)
        people = asked.only.get("person", ())
        named = tuple(after if name == before else name for name in people)
        query = asked.query(only={**asked.only, "person": named})
        if named != people and len(query) <= LONGEST_QUERY:
            Report.objects.filter(pk=report.pk, query=report.query).update(query=query)
