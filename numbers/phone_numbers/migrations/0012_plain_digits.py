"""Numbers of the copied lists as digits, as lists are read from now on: Laaffic may have written them with a +."""

from collections.abc import Iterator
from typing import Any

from django.db import migrations
from django.db.models import Q

from laaffic_console.laaffic.reports import digits

CHUNK = 500
FOUR = ("phone_a", "phone_b", "pns_number_a", "pns_number_b")
SPELT = r"^00|[^0-9]"


def rewrite(apps: Any, _schema_editor: Any) -> None:
    bindings = apps.get_model("numbers", "Binding").objects
    for rows in _slices(bindings, *FOUR):
        for row in rows:
            for column in FOUR:
                setattr(row, column, digits(getattr(row, column)))
        bindings.bulk_update(rows, FOUR)
    owned = apps.get_model("numbers", "OwnedNumber").objects
    for rows in _slices(owned, "number"):
        for row in rows:
            number = digits(row.number)
            if not owned.filter(number=number).exists():  # else the list has given it in both ways
                owned.filter(pk=row.pk).update(number=number)
    for model, column in (("NumberPool", "listed_numbers"), ("PoolVersion", "numbers")):
        lists = apps.get_model("numbers", model).objects
        for pk, listed in lists.order_by("pk").values_list("pk", column).iterator(chunk_size=10):
            if (plain := [digits(number) for number in listed]) != listed:
                lists.filter(pk=pk).update(**{column: plain})


def _slices(rows: Any, *columns: str) -> Iterator[list[Any]]:
    """The rows with a number that is not all digits, some at a time."""
    spelt, last = Q(), 0
    for column in columns:
        spelt |= Q(**{f"{column}__regex": SPELT})
    while found := list(rows.filter(spelt, pk__gt=last).order_by("pk")[:CHUNK]):
        yield found
        last = found[-1].pk


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("numbers", "0011_squashed")]

    operations = [migrations.RunPython(rewrite, migrations.RunPython.noop)]
