from django.db import migrations, models

from laaffic_console.kit.sql.gentle_migrations import AddIndexGently, RemoveIndexGently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("gateway", "0018_whole_lists_by_moment")]

    operations = [
        AddIndexGently(
            "pushedbody",
            models.Index(
                fields=["kind", "id", "size"], name="push_next", condition=models.Q(("applied_at", None))
            ),
        ),
        RemoveIndexGently("pushedbody", "push_waiting"),
    ]
