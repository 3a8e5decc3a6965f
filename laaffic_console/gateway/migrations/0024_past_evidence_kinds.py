"""By what the outcome of past requests is known, by their words."""

from typing import Any

from django.db import migrations

from laaffic_console.gateway import past_evidence_kinds


def fill(apps: Any, _schema_editor: Any) -> None:
    past_evidence_kinds.fill(apps.get_model("gateway", "LedgerEntry"))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("gateway", "0023_evidence_kinds")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
