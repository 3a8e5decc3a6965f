from django.db import migrations, models

from laaffic_console.kit.sql.gentle_migrations import AddFieldGently, AddIndexGently, RemoveIndexGently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("messaging", "0073_limited_since")]

    operations = [
        AddFieldGently("budgetcounter", "followed_to", models.BigIntegerField(db_default=0, default=0)),
        AddIndexGently(
            "budgetshare",
            models.Index(
                fields=["counter", "id"], name="budget_share_followed", condition=models.Q(("is_open", True))
            ),
        ),
        AddIndexGently(
            "budgetshare",
            models.Index(
                fields=["counter", "measured_at"],
                name="budget_share_measured",
                condition=models.Q(("batch__isnull", False), ("measured_at__isnull", False)),
            ),
        ),
        RemoveIndexGently("budgetshare", "budget_share_open"),
        RemoveIndexGently("budgetshare", "budget_share_oldest"),
    ]
