"""The ledger's rows are entries: a call is what rings a phone. Who could settle them still can."""

from typing import Any

from django.conf import settings
from django.db import migrations

CODENAMES = ("add", "change", "delete", "view", "export", "settle")


def rename_rights(apps: Any, schema_editor: Any, old: str, new: str) -> None:
    rights = apps.get_model("auth", "Permission").objects.using(schema_editor.connection.alias)
    of_the_ledger = rights.filter(content_type__app_label="gateway")
    for verb in CODENAMES:
        of_the_ledger.filter(codename=f"{verb}_{old}").update(codename=f"{verb}_{new}")


def forwards(apps: Any, schema_editor: Any) -> None:
    rename_rights(apps, schema_editor, "gatewaycall", "ledgerentry")


def backwards(apps: Any, schema_editor: Any) -> None:
    rename_rights(apps, schema_editor, "ledgerentry", "gatewaycall")


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("gateway", "0012_clock_ahead"),
        ("messaging", "0023_approvals_of_every_channel"),
        ("numbers", "0005_edit_owned"),
        ("voice", "0009_companions"),
    ]

    operations = [
        migrations.RenameModel("GatewayCall", "LedgerEntry"),
        migrations.RenameField("AccountHold", "call", "entry"),
        migrations.AlterModelOptions(
            name="ledgerentry",
            options={
                "ordering": ["-id"],
                "permissions": [("settle_ledgerentry", "Can say what became of a request whose answer was lost")],
                "verbose_name": "ledger entry",
                "verbose_name_plural": "ledger",
            },
        ),
        migrations.RunPython(forwards, backwards),
    ]
