from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("numbers", "0009_recent_requests")]

    operations = [
        migrations.AddField(
            model_name="ownednumber",
            name="voicemail_file_id",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=100),
        ),
    ]
