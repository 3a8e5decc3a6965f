import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """The tables of this app as the migrations up to 0003_plainer_kinds leave them.

    dashboard.0007_squashed makes them in a new database.
    """

    dependencies = [("dashboard", "0007_squashed")]
    operations = []
    tables = [
        migrations.CreateModel(
            name='Postbox',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('mailed_at', models.DateTimeField(null=True)),
                ('next_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('failures', models.PositiveIntegerField(default=0)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Waiting',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('asked', 'An approval is asked for'), ('given', 'Your approval was given'), ('refused', 'Your approval was refused'), ('voided', 'Your approval is void after an edit'), ('withdrawn', 'A request for approval was withdrawn'), ('held', 'Your campaign is held'), ('finished', 'Your campaign has finished'), ('drift', 'Your campaign costs more or less than expected'), ('unknown', 'Messages or requests are unknown for an hour'), ('import', 'Your import is done'), ('balance', 'The balance is low'), ('budget', 'A budget is nearly or all used up'), ('worker', 'A worker is silent'), ('callbacks', 'No callbacks come'), ('webhook', 'A webhook was disabled'), ('more', 'More notices')], max_length=12)),
                ('about', models.CharField(max_length=60)),
                ('said', models.JSONField(default=dict)),
                ('by', models.CharField(blank=True, max_length=150)),
                ('at', models.DateTimeField()),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Watched',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, unique=True)),
                ('since', models.DateTimeField()),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Choice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('asked', 'An approval is asked for'), ('given', 'Your approval was given'), ('refused', 'Your approval was refused'), ('voided', 'Your approval is void after an edit'), ('withdrawn', 'A request for approval was withdrawn'), ('held', 'Your campaign is held'), ('finished', 'Your campaign has finished'), ('drift', 'Your campaign costs more or less than expected'), ('unknown', 'Messages or requests are unknown for an hour'), ('import', 'Your import is done'), ('balance', 'The balance is low'), ('budget', 'A budget is nearly or all used up'), ('worker', 'A worker is silent'), ('callbacks', 'No callbacks come'), ('webhook', 'A webhook was disabled'), ('more', 'More notices')], max_length=12)),
                ('bell', models.BooleanField()),
                ('email', models.BooleanField()),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('user', 'kind'), name='notice_choice_once')],
            },
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('asked', 'An approval is asked for'), ('given', 'Your approval was given'), ('refused', 'Your approval was refused'), ('voided', 'Your approval is void after an edit'), ('withdrawn', 'A request for approval was withdrawn'), ('held', 'Your campaign is held'), ('finished', 'Your campaign has finished'), ('drift', 'Your campaign costs more or less than expected'), ('unknown', 'Messages or requests are unknown for an hour'), ('import', 'Your import is done'), ('balance', 'The balance is low'), ('budget', 'A budget is nearly or all used up'), ('worker', 'A worker is silent'), ('callbacks', 'No callbacks come'), ('webhook', 'A webhook was disabled'), ('more', 'More notices')], max_length=12, verbose_name='notice')),
                ('about', models.CharField(blank=True, max_length=60)),
                ('subject', models.CharField(blank=True, max_length=20)),
                ('said', models.JSONField(default=dict)),
                ('count', models.PositiveIntegerField(default=1)),
                ('first_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='first')),
                ('last_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='last')),
                ('in_bell', models.BooleanField(default=True)),
                ('read_at', models.DateTimeField(null=True, verbose_name='read')),
                ('mail', models.CharField(choices=[('none', 'None'), ('due', 'Waiting'), ('sending', 'Being sent'), ('sent', 'Sent')], default='none', max_length=8)),
                ('mail_at', models.DateTimeField(null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'notice',
                'verbose_name_plural': 'notices',
                'ordering': ['-last_at', '-id'],
                'default_permissions': (),
                'indexes': [models.Index(condition=models.Q(('in_bell', True), ('read_at', None)), fields=['user', '-last_at'], name='notice_unread'), models.Index(fields=['user', '-last_at'], name='notice_of_person'), models.Index(condition=models.Q(('mail__in', ['due', 'sending'])), fields=['user'], name='notice_to_mail'), models.Index(fields=['last_at'], name='notice_age')],
            },
        ),
    ]
