"""The kinds of what is held already, by its sentence."""

from typing import Any

from django.db import migrations

from messaging import past_hold_kinds


def fill(apps: Any, _schema_editor: Any) -> None:
    past_hold_kinds.fill(apps.get_model("voice", "GroupTask"))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("voice", "0023_hold_kinds")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
