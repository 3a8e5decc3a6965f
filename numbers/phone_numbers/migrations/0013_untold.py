"""Which texts of an owned number Laaffic has not told; the next reading of the list fills it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("numbers", "0012_plain_digits")]

    operations = [
        migrations.AddField(
            model_name="ownednumber",
            name="untold",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=200),
        ),
    ]
