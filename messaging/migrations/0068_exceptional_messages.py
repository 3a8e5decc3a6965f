from django.db import migrations, models

from laaffic_console.kit.sql.gentle_migrations import AddIndexGently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("messaging", "0067_email_labels")]

    operations = [
        AddIndexGently(
            "message",
            models.Index(
                fields=["state", "id"],
                name="message_exceptions",
                condition=models.Q(("state__in", (10, 15, 20, 30, 50, 60))),
            ),
        ),
    ]
