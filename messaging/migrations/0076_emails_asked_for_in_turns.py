from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0075_campaigns_by_when_they_finished")]

    operations = [
        migrations.AddField(
            "emailcampaign", "asked_to", models.BigIntegerField(db_default=0, default=0, editable=False)
        ),
    ]
