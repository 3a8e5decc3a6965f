
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('messaging', '0005_limits'),
    ]

    operations = [
        migrations.AddField(
            model_name='campaign',
            name='channel_options',
            field=models.JSONField(blank=True, default=dict, editable=False),
        ),
    ]
