from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="contact",
            name="time_zones",
            field=models.CharField(blank=True, max_length=1000, verbose_name="time zones"),
        ),
    ]
