"""Whether the parts work together: database, queue, worker, callbacks."""

import datetime as dt
from dataclasses import dataclass

from django.db import DatabaseError, connection
from django_q.brokers import get_broker

from laaffic_console.gateway.models import PushedBody
from laaffic_console.gateway.services import workers


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    is_well: bool
    says: str


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
    return Part("queue", True, f"{waiting} waiting")


def worker() -> Part:
    try:
        alive = workers.alive()
    except DatabaseError as problem:
        return Part("worker", False, type(problem).__name__)
    return Part("worker", alive > 0, f"{alive} alive" if alive else "none: start one with manage.py worker")


def last_push_at() -> dt.datetime | None:
    """When the gateway last pushed something; None when it never did."""
    return PushedBody.objects.order_by("-id").values_list("received_at", flat=True).first()
