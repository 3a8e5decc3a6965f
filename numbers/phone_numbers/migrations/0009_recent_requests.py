from django.db import migrations, models

from laaffic_console.kit.sql.gentle_migrations import AddIndexGently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("numbers", "0008_said_in_the_readers_language")]

    operations = [
        AddIndexGently(
            "bindingrequest",
            models.Index(fields=["application", "requested_at"], name="binding_request_asked"),
        ),
    ]
