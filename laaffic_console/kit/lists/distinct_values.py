"""What a column holds, each value once, without reading the table: a filter of a long list offers nothing else."""

from typing import Any

from django.db import connection, models

LARGEST_NUMBER = 300  # of values that are read: more than there are countries


def by_index(model: type[models.Model], column: str) -> list[Any]:
    """The column's values in their order, at most `LARGEST_NUMBER`; empty texts are left out.

    One statement that leaps along an index which begins with `column`, from a value to the next one: a step for each
    value, however many rows have it (laws#history-costs-nothing).
    """
    field: Any = model._meta.get_field(column)
    table = connection.ops.quote_name(model._meta.db_table)
    name = connection.ops.quote_name(field.column)
    after = f"(SELECT {name} FROM {table} WHERE {name} > %s ORDER BY {name} LIMIT 1)"  # noqa: S608 - a model's names
    following = after.replace("%s", "found.value")
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE found(value) AS (SELECT {after} UNION ALL "  # noqa: S608 - as above
            f"SELECT {following} FROM found WHERE found.value IS NOT NULL) "
            f"SELECT value FROM found WHERE value IS NOT NULL LIMIT {LARGEST_NUMBER}",
            [""],
        )
        return [value for (value,) in cursor.fetchall()]
