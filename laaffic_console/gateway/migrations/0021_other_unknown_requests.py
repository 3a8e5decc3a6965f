from django.db import migrations, models

from laaffic_console.kit.sql.gentle_migrations import AddIndexGently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("gateway", "0020_whole_app_ids")]

    operations = [
        AddIndexGently(
            "ledgerentry",
            models.Index(
                fields=["prepared_at"],
                name="call_other_unknown",
                condition=models.Q(("state", "unknown"), models.Q(("about_kind", "campaign"), _negated=True)),
            ),
        ),
    ]
