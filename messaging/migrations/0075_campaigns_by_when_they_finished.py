from django.db import migrations, models

from laaffic_console.kit.sql.gentle_migrations import AddIndexGently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("messaging", "0074_shares_in_the_order_of_looking")]

    operations = [
        AddIndexGently(
            "campaign", models.Index(fields=["channel", "state", "finished_at"], name="campaign_finished")
        ),
    ]
