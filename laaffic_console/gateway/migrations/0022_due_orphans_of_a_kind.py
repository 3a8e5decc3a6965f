from django.db import migrations, models

from laaffic_console.kit.sql.gentle_migrations import AddIndexGently, RemoveIndexGently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("gateway", "0021_other_unknown_requests")]

    operations = [
        AddIndexGently(
            "orphanreport",
            models.Index(
                fields=["kind", "next_try_at", "id"],
                name="orphan_due_of_kind",
                condition=models.Q(("next_try_at__isnull", False)),
            ),
        ),
        RemoveIndexGently("orphanreport", "orphan_due"),
    ]
