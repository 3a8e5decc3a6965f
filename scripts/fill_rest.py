"""Rows for the tables that scripts/fill.py leaves empty, so that every list of the console has something to show.

One row of each model is made as the test of all addresses makes it (tests/dashboard/doors.py), and copied in the
database: unique values count up, and moments go back by a second per row. Tables that grow with sending get a share of
the messages; tables that people fill by hand get the same number of rows in any console.
"""

import importlib
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import fill  # noqa: E402

FEWEST = 150  # rows of a list: more than a page
BY_HAND = 30
# Rows per thousand messages.
GROWING = {
    "audit.auditentry": 10,
    "axes.accessattempt": 1,
    "axes.accesslog": 1,
    "django_q.task": 1,
    "events.event": 10,
    "events.delivery": 10,
    "exporting.export": 1,
    "gateway.balancereading": 10,
    "gateway.ledgerentry": 20,
    "gateway.orphanreport": 1,
    "gateway.pushedbody": 10,
    "messaging.approval": 0.1,
    "messaging.badrow": 1,
    "messaging.campaignevent": 1,
    "messaging.consent": 20,
    "messaging.consentevent": 20,
    "messaging.contactimport": 0.1,
    "messaging.conversation": 10,
    "messaging.emailcampaign": 0.1,
    "messaging.emailmessage": 50,
    "messaging.messageevent": 20,
    "messaging.reply": 20,
    "messaging.suppressionentry": 20,
    "notices.notice": 5,
    "numbers.binding": 10,
    "numbers.bindingrequest": 5,
    "reports.sending": 0.1,
    "voice.callrecord": 50,
    "voice.grouptask": 0.1,
    "voice.sipcall": 10,
}
# The state of such a row when it is some days old.
STANDS: dict[str, dict[str, Any]] = {
    "events.delivery": {"state": "delivered"},
    "exporting.export": {"state": "finished"},
    "gateway.ledgerentry": {"state": "accepted"},
    "messaging.approval": {"outcome": "approved"},
    "messaging.contactimport": {"state": "finished"},
    "messaging.conversation": {"state": "done"},
    "messaging.emailcampaign": {"state": "finished"},
    "messaging.emailmessage": {"submission": 10},
    "numbers.binding": {"ending": "expired"},
    "voice.grouptask": {"state": "finished"},
}
ENDED = ("applied_at", "ended_at", "finished_at", "settled_at", "left_at", "read_at")  # set if they may be empty
NUMBERS = ("number", "subscriber", "phone_a", "phone_b", "phone_x", "callee", "caller", "account")
OF_MANY = {"messaging.message", "messaging.contact"}  # rows that belong to one of these are spread over them
OWN = ("address", "digest", "email_id", "key", "object_id", "object_label")  # values that no, or few, rows share
ONCE = {"messaging.contact", "messaging.message", "messaging.campaign", "messaging.contactgroup", "gateway.application"}


def fill_rest(messages: int) -> dict[str, Any]:
    """The row whose page is requested, by label; tables that cannot be filled are printed."""
    from django.apps import apps
    from django.contrib import admin

    made = world()
    wanted = {model._meta.label_lower: model for model in admin.site._registry if not model._meta.proxy}
    wanted |= {label: apps.get_model(label) for label in GROWING}
    for label in sorted(wanted, key=lambda label: (label != "gateway.ledgerentry", label)):
        try:
            row = one(wanted[label], made)
            if label not in ONCE:
                share = GROWING.get(label)
                copy(wanted[label], row, BY_HAND if share is None else max(FEWEST, int(messages * share / 1000)))
        except Exception as problem:  # a new model may need more than is known here; the others are filled
            print(f"  {label} is not filled: {str(problem).splitlines()[0]}", flush=True)
    fill.run("UPDATE audit_audithead SET position = (SELECT MAX(position) FROM audit_auditentry)")
    fill.run("ANALYZE")
    return made


def world() -> dict[str, Any]:
    """The rows that scripts/fill.py has made and the others refer to."""
    from django.contrib.auth.models import User

    from laaffic_console.gateway.models import Application
    from messaging.models import Campaign, Contact, ContactGroup, Message

    campaign = Campaign.objects.order_by("-pk")[0]
    message = Message.objects.filter(campaign=campaign).order_by("pk")[0]
    return {
        "auth.user": User.objects.filter(is_superuser=True).first() or User.objects.create_superuser("bench"),
        "gateway.application": Application.objects.get(app_id="filled"),
        "messaging.campaign": campaign,
        "messaging.contact": Contact.objects.get(number=message.number),
        "messaging.contactgroup": ContactGroup.objects.get(name="everyone"),
        "messaging.message": message,
    }


def all_doors() -> Any:
    """The tests' module with all addresses and a row of everything that has pages."""
    return importlib.import_module("tests.dashboard.doors")


def one(model: Any, made: dict[str, Any]) -> Any:
    from django.utils import timezone

    label = model._meta.label_lower
    is_there = label in made
    row: Any = all_doors().one(model, made)
    if is_there:
        return row
    stands = dict(STANDS.get(label, {}))
    stands |= {
        field.name: timezone.now()
        for field in model._meta.concrete_fields
        if field.name in ENDED and field.null and getattr(row, field.name) is None
    }
    if stands:
        model._base_manager.filter(pk=row.pk).update(**stands)
    return row


def copy(model: Any, row: Any, count: int) -> None:
    """Insert `count` more copies of this row, in one statement."""
    from django.db import connection, transaction

    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    if model._meta.pk.remote_field or model._meta.pk.get_internal_type() not in ("AutoField", "BigAutoField"):
        return  # only one row for each row of another table
    differing = must_differ(model)
    if any(field.remote_field and field.related_model._meta.label_lower in ONCE for field in differing):
        return
    columns = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    given = ", ".join(expression(field, field in differing) for field in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({columns}) "
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
            f"SELECT {given} FROM n CROSS JOIN {table} AS o WHERE o.id = {row.pk} ORDER BY i"
        )


def must_differ(model: Any) -> set[Any]:
    """The columns that count up, so that unique ones stay unique."""
    from django.db import models

    found = {field for field in model._meta.concrete_fields if field.unique and not field.primary_key}
    groups = [
        constraint.fields
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint)
        and not (constraint.condition and model._meta.label_lower in STANDS)  # the condition is for open rows
    ]
    kinds = (models.CharField, models.IntegerField, models.DateTimeField, models.DateField, models.ForeignKey)
    for names in groups:
        fields = [model._meta.get_field(name) for name in names]
        if not found.intersection(fields):
            found.add(min(fields, key=lambda field: (field.choices is not None, _place(field, kinds))))
    return found


def _place(field: Any, kinds: tuple[type, ...]) -> int:
    return next((at for at, kind in enumerate(kinds) if isinstance(field, kind)), len(kinds))


def expression(field: Any, differs: bool) -> str:
    from django.db import connection, models

    column = f"o.{connection.ops.quote_name(field.column)}"
    if field.name in NUMBERS and isinstance(field, models.CharField):
        return "CAST(919800000000 + i AS text)"
    if isinstance(field, models.DateTimeField):
        return f"CASE WHEN {column} IS NULL THEN {column} ELSE {_before('i')} END"
    if isinstance(field, models.ForeignKey) and field.related_model._meta.label_lower in OF_MANY:
        differs = True
    if not differs and not (field.name in OWN and isinstance(field, models.CharField)):
        return column
    if isinstance(field, models.ForeignKey):
        if field.null and field.related_model._meta.label_lower not in OF_MANY:
            return "NULL"
        related = field.related_model._meta
        lowest = f"(SELECT MIN({related.pk.column}) FROM {related.db_table})"  # its copies come after it
        return f"{lowest} + i"
    if isinstance(field, models.CharField | models.TextField):
        kept = (field.max_length or 40) - 9
        return f"substr({column}, 1, {max(kept, 0)}) || '-' || i"
    return f"COALESCE({column}, 0) + i" if isinstance(field, models.IntegerField) else column


def _before(seconds: str) -> str:
    from django.db import connection

    if connection.vendor == "postgresql":
        return f"now() - {seconds} * interval '1 second'"
    return f"strftime('%Y-%m-%d %H:%M:%S', 'now', '-' || {seconds} || ' seconds')"
