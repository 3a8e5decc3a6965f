from django.db import migrations, models

from laaffic_console.kit.sql.gentle_migrations import AddIndexGently, RemoveIndexGently

HAS_KEY = models.Q(("key_pressed", ""), _negated=True)
HAS_AUDIO = models.Q(("recording_id", ""), _negated=True)
NEW = [
    models.Index(fields=["outcome", "-at", "-id"], name="record_by_outcome"),
    models.Index(fields=["kind", "-at", "-id"], name="record_by_kind"),
    models.Index(fields=["key_pressed", "-at", "-id"], name="record_by_key", condition=HAS_KEY),
    models.Index(fields=["-at", "-id"], name="record_with_key", condition=HAS_KEY),
    models.Index(fields=["-at", "-id"], name="record_with_audio", condition=HAS_AUDIO),
]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("voice", "0018_past_called_numbers")]

    operations = [
        *(AddIndexGently("callrecord", index) for index in NEW),
        *(
            RemoveIndexGently("callrecord", name)
            for name in ("record_outcome", "record_kind", "record_key", "record_recorded")
        ),
    ]
