from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0076_emails_asked_for_in_turns")]

    operations = [migrations.AddField("replypull", "restored_at", models.DateTimeField(null=True))]
