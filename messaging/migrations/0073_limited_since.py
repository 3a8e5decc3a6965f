from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0072_blank_texts")]

    operations = [migrations.AddField("batch", "limited_since", models.DateTimeField(null=True))]
