from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("voice", "0010_ledger_entries")]

    operations = [migrations.RenameField("GroupTask", "door", "kind")]
