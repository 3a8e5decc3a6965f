from django.db import migrations, models

from laaffic_console.kit.sql.gentle_migrations import AddIndexGently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("messaging", "0062_frozen_by")]

    operations = [
        AddIndexGently(
            "consentevent",
            models.Index(
                fields=["channel", "recorded_at"],
                name="consent_not_given",
                condition=models.Q(("state__in", ["withdrawn", "unknown"])),
            ),
        ),
    ]
