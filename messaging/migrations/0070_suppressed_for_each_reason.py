from django.db import migrations, models

from laaffic_console.kit.sql.gentle_migrations import AddUniqueGently, RemoveUniqueGently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("messaging", "0069_consents_by_id")]

    operations = [
        AddUniqueGently(
            "suppressionentry",
            models.UniqueConstraint(fields=["number", "channel", "reason"], name="suppressed_once_each"),
        ),
        RemoveUniqueGently("suppressionentry", "suppressed_once"),
    ]
