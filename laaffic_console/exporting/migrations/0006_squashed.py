import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """The tables of this app as the migrations up to 0005_names leave them.

    dashboard.0007_squashed makes them in a new database.
    """

    dependencies = [("dashboard", "0007_squashed")]
    operations = []
    tables = [
        migrations.CreateModel(
            name='Export',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=40, verbose_name='kind')),
                ('parameters', models.JSONField(default=dict, verbose_name='of what')),
                ('title', models.CharField(max_length=200, verbose_name='export')),
                ('format', models.CharField(choices=[('csv', 'CSV'), ('xlsx', 'XLSX'), ('zip', 'ZIP')], max_length=4, verbose_name='format')),
                ('key', models.CharField(editable=False, max_length=64)),
                ('is_direct', models.BooleanField(default=False, verbose_name='sent at once')),
                ('asked_by_name', models.CharField(blank=True, max_length=150, verbose_name='by')),
                ('asked_at', models.DateTimeField(auto_now_add=True, verbose_name='asked for')),
                ('state', models.CharField(choices=[('queued', 'Queued'), ('running', 'Running'), ('finished', 'Finished'), ('failed', 'Failed'), ('cancelled', 'Cancelled'), ('expired', 'File deleted')], default='queued', max_length=10, verbose_name='state')),
                ('rows', models.PositiveBigIntegerField(default=0, verbose_name='rows')),
                ('rows_expected', models.PositiveBigIntegerField(null=True)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('problem', models.TextField(blank=True, verbose_name='problem')),
                ('started_at', models.DateTimeField(null=True, verbose_name='started')),
                ('finished_at', models.DateTimeField(null=True, verbose_name='finished')),
                ('file_name', models.CharField(blank=True, max_length=100, verbose_name='file')),
                ('size', models.PositiveBigIntegerField(default=0, verbose_name='size in bytes')),
                ('expires_at', models.DateTimeField(null=True, verbose_name='kept until')),
                ('asked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('has_whole_numbers', models.BooleanField(db_default=True, default=True, editable=False)),
                ('has_names', models.BooleanField(db_default=True, default=True, editable=False)),
            ],
            options={
                'verbose_name': 'export',
                'verbose_name_plural': 'exports',
                'ordering': ['-id'],
                'permissions': [('audit_export', "Can see, cancel and download everybody's exports")],
                'indexes': [models.Index(fields=['asked_by', '-id'], name='export_own'), models.Index(condition=models.Q(('state__in', ['queued', 'running'])), fields=['id'], name='export_open'), models.Index(condition=models.Q(('state', 'finished')), fields=['expires_at'], name='export_kept')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_direct', False), ('state__in', ['queued', 'running'])), fields=('key',), name='export_open_once')],
            },
        ),
        migrations.CreateModel(
            name='ExportDownload',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('by_name', models.CharField(blank=True, max_length=150, verbose_name='by')),
                ('at', models.DateTimeField(auto_now_add=True, verbose_name='when')),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('export', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='downloads', to='exporting.export')),
            ],
            options={
                'verbose_name': 'download of an export',
                'verbose_name_plural': 'downloads of exports',
                'ordering': ['-id'],
            },
        ),
    ]
