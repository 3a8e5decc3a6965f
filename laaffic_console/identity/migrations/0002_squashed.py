import django.db.models.deletion
import laaffic_console.identity.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """The tables of this app as the migrations up to 0001_profiles leave them.

    dashboard.0007_squashed makes them in a new database.
    """

    dependencies = [("dashboard", "0007_squashed")]
    operations = []
    tables = [
        migrations.CreateModel(
            name='Profile',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('time_zone', models.CharField(blank=True, help_text='Like Europe/Berlin. Campaigns can then be planned by your own clock.', max_length=64, validators=[laaffic_console.identity.models.check_zone], verbose_name='my time zone')),
                ('number', models.CharField(blank=True, help_text='With + and the country, like +91 98765 43210. “Test to me” sends to it.', max_length=32, verbose_name='my own number')),
            ],
            options={
                'default_permissions': (),
            },
        ),
    ]
