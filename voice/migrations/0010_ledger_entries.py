"""What was asked of Laaffic is an entry of the ledger: a call is what rings a phone."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("gateway", "0013_ledger_entries"),
        ("voice", "0009_companions"),
    ]

    operations = [
        migrations.RenameField("GroupTask", "call", "entry"),
        migrations.RenameField("SipCall", "call", "entry"),
    ]
