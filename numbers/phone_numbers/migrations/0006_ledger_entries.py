"""What was asked of Laaffic is an entry of the ledger: a call is what rings a phone."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("gateway", "0013_ledger_entries"),
        ("numbers", "0005_edit_owned"),
    ]

    operations = [
        migrations.RenameField("BindingRequest", "call", "entry"),
        migrations.RenameField("PoolVersion", "call", "entry"),
    ]
