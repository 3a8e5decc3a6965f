from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0071_segments_without_answers")]

    operations = [
        migrations.AddField("audiencecount", "blank", models.PositiveIntegerField(db_default=0, default=0)),
    ]
