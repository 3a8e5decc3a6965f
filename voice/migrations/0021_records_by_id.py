from django.db import migrations, models

from laaffic_console.kit.sql.gentle_migrations import AddIndexGently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("voice", "0020_launched")]

    operations = [
        AddIndexGently("callrecord", models.Index(fields=["outcome", "id"], name="record_outcome_id")),
        AddIndexGently("callrecord", models.Index(fields=["kind", "id"], name="record_kind_id")),
    ]
