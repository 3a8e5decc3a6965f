

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('voice', '0025_past_hold_kinds'),
    ]

    operations = [
        migrations.AlterField(
            model_name='grouptask',
            name='kind',
            field=models.CharField(choices=[('send', 'new'), ('update', 'update'), ('resend', 'again to all'), ('resend_failed', 'again to those not reached')], default='send', max_length=14, verbose_name='kind'),
        ),
        migrations.AlterField(
            model_name='ringing',
            name='unanswered',
            field=models.CharField(blank=True, max_length=300, verbose_name='not answered by'),
        ),
    ]
