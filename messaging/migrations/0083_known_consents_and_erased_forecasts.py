from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0082_erased_before")]

    operations = [
        migrations.AddField(
            "consentimport",
            "known",
            models.PositiveIntegerField(db_default=0, default=0, verbose_name="known already"),
        ),
        migrations.AddField(
            "importforecast",
            "erased_before",
            models.PositiveIntegerField(db_default=0, default=0),
        ),
    ]
