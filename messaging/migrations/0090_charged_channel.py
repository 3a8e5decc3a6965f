from django.db import migrations, models

from laaffic_console.kit.sql.gentle_migrations import AddFieldGently, AddIndexGently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("messaging", "0089_earlier_sending_took_out")]
    operations = [
        AddFieldGently("outcometally", "charged_channel", models.CharField(max_length=8, null=True)),
        AddIndexGently(
            "outcometally",
            models.Index(
                fields=["charged_channel", "country", "campaign"],
                name="outcome_charged",
                condition=models.Q(charged_channel__isnull=False),
            ),
        ),
    ]
