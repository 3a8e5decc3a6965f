"""Whether the parts work together: database, queue, worker, callbacks."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_q.brokers import get_broker

from laaffic_console.gateway.models import PushedBody
from laaffic_console.gateway.services import workers

LABELS = {"database": gettext_lazy("Database"), "queue": gettext_lazy("Queue"), "worker": gettext_lazy("Workers")}


@dataclass(frozen=True, slots=True)
class Part:
    name: str  # as scripts know it
    is_well: bool
    says: str

    @property
    def label(self) -> Any:
        return LABELS[self.name]


def parts() -> list[Part]:
    return [database(), queue(), worker()]


def database() -> Part:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as problem:
        return Part("database", False, type(problem).__name__)
    return Part("database", True, connection.vendor)


def queue() -> Part:
    try:
        waiting = get_broker().queue_size()
    except Exception as problem:  # the broker's client decides what it raises
        return Part("queue", False, type(problem).__name__)
    return Part("queue", True, _("%(n)d waiting") % {"n": waiting})


def worker() -> Part:
    try:
        alive = workers.alive()
    except DatabaseError as problem:
        return Part("worker", False, type(problem).__name__)
    return Part(
        "worker", alive > 0, _("%(n)d alive") % {"n": alive} if alive else _("none: start one with manage.py worker")
    )


def last_push_at() -> dt.datetime | None:
    """When the gateway last pushed something; None when it never did."""
    return PushedBody.objects.order_by("-id").values_list("received_at", flat=True).first()
