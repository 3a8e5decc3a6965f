import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """The tables of this app as the migrations up to 0003_plainer_kinds leave them.

    dashboard.0007_squashed makes them in a new database.
    """

    dependencies = [("dashboard", "0007_squashed")]
    operations = []
    tables = [
        migrations.CreateModel(
            name='AuditHead',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.BigIntegerField(default=0)),
                ('digest', models.CharField(blank=True, max_length=64)),
                ('first_position', models.BigIntegerField(default=0)),
                ('first_digest', models.CharField(blank=True, max_length=64)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_index=True, default=django.utils.timezone.now, verbose_name='when')),
                ('kind', models.CharField(choices=[('sign_in', 'Signed in'), ('sign_in_failed', 'Sign-in failed'), ('locked_out', 'Sign-in stopped'), ('sign_out', 'Signed out'), ('password', 'Password changed'), ('factor_added', 'Second factor set up'), ('factor_removed', 'Second factor removed'), ('factors_reset', 'Second factors reset'), ('sessions_ended', 'Sessions ended'), ('invited', 'Invited'), ('added', 'Added'), ('changed', 'Changed'), ('deleted', 'Deleted'), ('steered', 'Launched, paused or resumed'), ('approval', 'Approval'), ('settled', 'Settled by hand'), ('requested', 'Asked of Laaffic'), ('imported', 'Imported'), ('exported', 'Exported'), ('revealed', 'Number shown'), ('suppressed', 'Suppressed'), ('allowed', 'Allowed again'), ('hold_ended', 'Hold ended'), ('pruned', 'Old entries removed')], max_length=16, verbose_name='what')),
                ('person_id', models.BigIntegerField(null=True, verbose_name="person's id")),
                ('person', models.CharField(blank=True, max_length=150, verbose_name='who')),
                ('address', models.CharField(blank=True, max_length=45, verbose_name='address')),
                ('object_kind', models.CharField(blank=True, max_length=60, verbose_name='kind of object')),
                ('object_id', models.CharField(blank=True, max_length=40, verbose_name="object's id")),
                ('object_label', models.CharField(blank=True, max_length=200, verbose_name='object')),
                ('summary', models.JSONField(default=dict, verbose_name='details')),
                ('position', models.BigIntegerField(null=True, unique=True, verbose_name='position')),
                ('digest', models.CharField(blank=True, max_length=64, verbose_name='digest')),
            ],
            options={
                'verbose_name': 'audit entry',
                'verbose_name_plural': 'who did what',
                'ordering': ['-id'],
                'default_permissions': ('view',),
                'indexes': [models.Index(fields=['person', 'id'], name='audit_person'), models.Index(fields=['kind', 'id'], name='audit_kind'), models.Index(fields=['object_kind', 'id'], name='audit_object_kind'), models.Index(fields=['object_id', 'object_kind', 'id'], name='audit_object'), models.Index(fields=['object_label', 'id'], name='audit_label'), models.Index(condition=models.Q(('position', None)), fields=['id'], name='audit_unsealed')],
            },
        ),
    ]
