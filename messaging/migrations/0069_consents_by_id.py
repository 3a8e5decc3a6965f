from django.db import migrations, models

from laaffic_console.kit.sql.gentle_migrations import AddIndexGently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("messaging", "0068_exceptional_messages")]

    operations = [
        AddIndexGently("consent", models.Index(fields=["state", "id"], name="consent_state")),
        AddIndexGently("consent", models.Index(fields=["channel", "id"], name="consent_channel")),
    ]
