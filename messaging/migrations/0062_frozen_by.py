from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0061_unsettled_batches")]

    operations = [
        migrations.AddField("campaign", "frozen_by", models.JSONField(default=dict, editable=False)),
    ]
