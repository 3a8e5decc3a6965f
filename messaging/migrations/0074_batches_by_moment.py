from django.db import migrations, models

from laaffic_console.kit.gentle_migrations import AddIndexGently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("messaging", "0073_limited_since")]

    operations = [
        AddIndexGently(
            "batch",
            models.Index(fields=["campaign", "id"], name="batch_claimed", condition=models.Q(state="claimed")),
        ),
        AddIndexGently("batch", models.Index(fields=["campaign", "id"], name="batch_unknown", condition=models.Q(state="unknown"))),
        AddIndexGently(
            "batch",
            models.Index(
                fields=["campaign", "not_before", "id"], name="batch_next", condition=models.Q(state="queued")
            ),
        ),
        AddIndexGently(
            "batch",
            models.Index(
                fields=["checks", "next_check_at"],
                name="batch_misdated",
                condition=models.Q(next_check_at__isnull=False),
            ),
        ),
    ]
