from django.db import migrations, models

from laaffic_console.kit.sql.gentle_migrations import AddIndexGently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("events", "0002_notices")]

    operations = [
        AddIndexGently(
            "delivery",
            models.Index(
                fields=["webhook", "next_at", "id"], name="delivery_due", condition=models.Q(("state", "waiting"))
            ),
        ),
    ]
