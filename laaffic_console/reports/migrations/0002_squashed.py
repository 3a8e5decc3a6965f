import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """The tables of this app as the migrations up to 0001_reports leave them.

    dashboard.0007_squashed makes them in a new database.
    """

    dependencies = [("dashboard", "0007_squashed")]
    operations = []
    tables = [
        migrations.CreateModel(
            name='Report',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('is_shared', models.BooleanField(default=False, help_text='Everybody who may see reports sees it. Only you change it.', verbose_name='shared')),
                ('query', models.CharField(max_length=4000, verbose_name='what it asks')),
                ('made_at', models.DateTimeField(auto_now_add=True, verbose_name='made')),
                ('schedule', models.CharField(choices=[('none', 'Not sent'), ('weekly', 'Every week'), ('monthly', 'Every month')], default='none', max_length=10, verbose_name='sent by email')),
                ('weekday', models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')], default=0, help_text='For a report that is sent every week.', verbose_name='on')),
                ('month_day', models.PositiveSmallIntegerField(default=1, help_text='1 to 28, for a report that is sent every month.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(28)], verbose_name='on day')),
                ('hour', models.PositiveSmallIntegerField(default=7, help_text="0 to 23, by the console's clock.", validators=[django.core.validators.MaxValueValidator(23)], verbose_name='at hour')),
                ('format', models.CharField(choices=[('csv', 'CSV'), ('xlsx', 'XLSX')], default='xlsx', max_length=4, verbose_name='attached as')),
                ('addresses', models.TextField(blank=True, help_text='One a line, for people without an account here.', verbose_name='other addresses')),
                ('next_at', models.DateTimeField(editable=False, null=True, verbose_name='sent next')),
                ('owner', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='owner')),
                ('users', models.ManyToManyField(blank=True, help_text='At the address in their account; they must be allowed to see reports.', related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='people')),
            ],
            options={
                'verbose_name': 'report',
                'verbose_name_plural': 'saved reports',
                'ordering': ['name', 'pk'],
                'permissions': [('export_report', 'Can export reports'), ('link_report', 'Can make links by which a spreadsheet reads a report'), ('address_report', 'Can have reports sent to any email address')],
                'indexes': [models.Index(condition=models.Q(('next_at__isnull', False)), fields=['next_at'], name='report_due'), models.Index(fields=['is_shared', 'name'], name='report_shared')],
                'constraints': [models.UniqueConstraint(fields=('owner', 'name'), name='report_name_once')],
            },
        ),
        migrations.CreateModel(
            name='ReportLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64)),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('expires_at', models.DateTimeField(verbose_name='valid until')),
                ('last_used_at', models.DateTimeField(null=True, verbose_name='last read')),
                ('uses', models.PositiveBigIntegerField(default=0, verbose_name='times read')),
                ('report', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='link', to='reports.report')),
            ],
            options={
                'verbose_name': 'link to a report',
                'verbose_name_plural': 'links to reports',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Sending',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('due_at', models.DateTimeField(verbose_name='due')),
                ('is_by_hand', models.BooleanField(default=False)),
                ('state', models.CharField(choices=[('queued', 'Queued'), ('sending', 'Being sent'), ('sent', 'Sent'), ('partly', 'Sent to some'), ('failed', 'Failed'), ('broken_off', 'Broken off')], default='queued', max_length=10, verbose_name='state')),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('began_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('recipients', models.PositiveSmallIntegerField(default=0, verbose_name='sent to')),
                ('problem', models.CharField(blank=True, max_length=1000, verbose_name='problem')),
                ('report', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sendings', to='reports.report')),
            ],
            options={
                'verbose_name': 'sending of a report',
                'verbose_name_plural': 'sendings of reports',
                'ordering': ['-id'],
                'default_permissions': (),
                'indexes': [models.Index(condition=models.Q(('state__in', ['queued', 'sending'])), fields=['id'], name='report_sending_open')],
                'constraints': [models.UniqueConstraint(fields=('report', 'due_at'), name='report_sending_once')],
            },
        ),
    ]
