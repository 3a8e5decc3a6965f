"""What Laaffic lists of a pool is *listed*; *held* is what a campaign or an account is."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("numbers", "0006_ledger_entries")]

    operations = [
        migrations.RenameField("NumberPool", f"held_{name}", f"listed_{name}")
        for name in ("addresses", "concurrency", "numbers", "at")
    ]
