"""What was asked of Laaffic is an entry of the ledger: a call is what rings a phone."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("gateway", "0013_ledger_entries"),
        ("messaging", "0023_approvals_of_every_channel"),
    ]

    operations = [
        migrations.RenameField("Batch", "call", "entry"),
        migrations.RenameField("EmailCampaign", "call", "entry"),
    ]
