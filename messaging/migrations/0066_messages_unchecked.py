import django.db.models.deletion
from django.db import migrations, models

from laaffic_console.kit.sql.gentle_migrations import LetGoOfForeignKey

UNCHECKED = {
    "campaign": models.ForeignKey(
        "messaging.campaign",
        django.db.models.deletion.CASCADE,
        related_name="messages",
        db_index=False,
        db_constraint=False,
    ),
    "batch": models.ForeignKey(
        "messaging.batch", django.db.models.deletion.PROTECT, related_name="+", db_index=False, db_constraint=False
    ),
}


class Migration(migrations.Migration):
    """To check both for each message took PostgreSQL longer than to insert it (docs/decisions/0015)."""

    dependencies = [("messaging", "0065_of_one_draft")]

    operations = [LetGoOfForeignKey("message", name, field) for name, field in UNCHECKED.items()]
