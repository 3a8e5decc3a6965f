from django.db import migrations, models

from laaffic_console.kit.sql.gentle_migrations import AddIndexGently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("messaging", "0060_lists_of_emails")]

    operations = [
        AddIndexGently(
            "batch",
            models.Index(
                fields=["first_message_id", "last_message_id"],
                name="batch_unsettled",
                condition=models.Q(("state", "settled"), _negated=True),
            ),
        ),
    ]
