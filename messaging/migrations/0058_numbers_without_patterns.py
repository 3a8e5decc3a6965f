"""The second index of contacts' numbers that Django makes on PostgreSQL, for LIKE: beginnings of numbers are looked for
as ranges (search_indexes.numbers_from), so nothing reads it, and every contact that is added has to write it."""

from typing import Any

from django.db import migrations

NAME = "messaging_contact_number_df8de8f3_like"


def drop(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("messaging", "0057_moments_of_batches")]
    operations = [migrations.RunPython(drop, migrations.RunPython.noop)]
