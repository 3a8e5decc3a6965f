from django.db import migrations, models

from laaffic_console.kit.sql.gentle_migrations import AddIndexGently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("messaging", "0059_approval_limits")]

    operations = [
        AddIndexGently("emailmessage", models.Index(fields=["submission", "id"], name="email_by_submission")),
        AddIndexGently("emailmessage", models.Index(fields=["delivery", "id"], name="email_by_delivery")),
    ]
