from django.db import migrations, models

from laaffic_console.kit.sql.gentle_migrations import AddIndexGently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("messaging", "0056_care_for_email_campaigns"),
    ]

    operations = [
        AddIndexGently(
            model_name="batch",
            index=models.Index(
                condition=models.Q(("not_before__isnull", False), ("state", "queued")),
                fields=["not_before"],
                name="batch_waits",
            ),
        ),
    ]
