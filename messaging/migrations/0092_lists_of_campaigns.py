from django.db import migrations, models

from laaffic_console.kit.sql.gentle_migrations import AddIndexGently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("messaging", "0091_past_charged_channels")]
    operations = [
        AddIndexGently(
            "campaign",
            models.Index(
                fields=["kind", "state", "id"], name="campaign_not_single", condition=models.Q(kind="campaign")
            ),
        ),
        AddIndexGently("campaign", models.Index(fields=["state", "id"], name="campaign_state_id")),
        AddIndexGently(
            "campaign",
            models.Index(fields=["application", "sender_id", "id"], name="campaign_senders"),
        ),
    ]
