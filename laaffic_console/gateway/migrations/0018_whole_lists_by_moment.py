from django.db import migrations, models
from django.db.models.functions import Coalesce

from laaffic_console.kit.sql.gentle_migrations import AddIndexGently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("gateway", "0017_said_in_the_readers_language")]

    operations = [
        AddIndexGently(
            "ledgerentry",
            models.Index(
                Coalesce("left_at", "prepared_at"),
                name="call_whole_list",
                condition=models.Q(("interface", "email/batchSendEmail")),
            ),
        ),
    ]
