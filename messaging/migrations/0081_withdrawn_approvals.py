

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('messaging', '0080_consent_imports'),
    ]

    operations = [
        migrations.AlterField(
            model_name='approval',
            name='outcome',
            field=models.CharField(choices=[('asked', 'Waiting'), ('approved', 'Approved'), ('refused', 'Refused'), ('void', 'Void'), ('withdrawn', 'Withdrawn')], default='asked', max_length=10, verbose_name='outcome'),
        ),
    ]
