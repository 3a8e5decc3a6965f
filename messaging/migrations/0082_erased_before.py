from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0081_withdrawn_approvals")]

    operations = [
        migrations.AddField(
            "contactimport",
            "erased_before",
            models.PositiveIntegerField(db_default=0, default=0, verbose_name="erased before"),
        ),
    ]
