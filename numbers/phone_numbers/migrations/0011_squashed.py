import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """The tables of this app as the migrations up to 0010_voicemail_file_ids leave them.

    dashboard.0007_squashed makes them in a new database.
    """

    dependencies = [("dashboard", "0007_squashed")]
    operations = []
    tables = [
        migrations.CreateModel(
            name='NumberPool',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('pool_number', models.CharField(max_length=40, verbose_name='pool number')),
                ('drifted_at', models.DateTimeField(null=True, verbose_name='differs since')),
                ('gone_at', models.DateTimeField(null=True, verbose_name='gone since')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='created')),
                ('current', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='numbers.poolversion', verbose_name='version')),
                ('listed_addresses', models.TextField(blank=True, verbose_name='addresses at Laaffic')),
                ('listed_concurrency', models.PositiveIntegerField(null=True, verbose_name='concurrency at Laaffic')),
                ('listed_numbers', models.JSONField(default=list, verbose_name='numbers at Laaffic')),
                ('listed_at', models.DateTimeField(null=True, verbose_name='compared')),
            ],
            options={
                'verbose_name': 'number pool',
                'verbose_name_plural': 'number pools',
                'ordering': ['pool_number', 'id'],
                'permissions': [('apply_numberpool', 'Can apply a number pool at Laaffic'), ('export_numberpool', 'Can export number pools')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('gone_at', None)), fields=('pool_number',), name='pool_number_once')],
            },
        ),
        migrations.CreateModel(
            name='SyncStatus',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, unique=True, verbose_name='list')),
                ('requested_at', models.DateTimeField(null=True, verbose_name='asked for')),
                ('started_at', models.DateTimeField(null=True, verbose_name='started')),
                ('finished_at', models.DateTimeField(null=True, verbose_name='finished')),
                ('succeeded_at', models.DateTimeField(null=True, verbose_name='last succeeded')),
                ('rows', models.PositiveIntegerField(default=0, verbose_name='rows')),
                ('added', models.PositiveIntegerField(default=0, verbose_name='new')),
                ('gone', models.PositiveIntegerField(default=0, verbose_name='gone')),
                ('problem', models.TextField(blank=True, verbose_name='problem')),
            ],
            options={
                'verbose_name': 'synchronisation',
                'verbose_name_plural': 'synchronisations',
            },
        ),
        migrations.CreateModel(
            name='Binding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('bind_id', models.CharField(max_length=40, verbose_name='bindId')),
                ('phone_a', models.CharField(max_length=40, verbose_name='A')),
                ('phone_b', models.CharField(max_length=40, verbose_name='B')),
                ('pns_number_a', models.CharField(max_length=40, verbose_name='A sees')),
                ('pns_number_b', models.CharField(max_length=40, verbose_name='B sees')),
                ('expires_at', models.DateTimeField(null=True, verbose_name='expires')),
                ('pool_number', models.CharField(blank=True, max_length=20, verbose_name='pool')),
                ('first_seen_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='first seen')),
                ('last_seen_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='last seen')),
                ('ended_at', models.DateTimeField(null=True, verbose_name='gone since')),
                ('ending', models.CharField(blank=True, choices=[('unbound', 'Unbound here'), ('expired', 'Expired'), ('vanished', 'Gone at Laaffic')], max_length=8, verbose_name='ended as')),
                ('application', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='gateway.application', verbose_name='application')),
            ],
            options={
                'verbose_name': 'AXB binding',
                'verbose_name_plural': 'AXB bindings',
                'ordering': ['-id'],
                'permissions': [('unbind_binding', 'Can end AXB bindings at Laaffic'), ('export_binding', 'Can export AXB bindings')],
                'indexes': [models.Index(fields=['phone_a'], name='binding_phone_a'), models.Index(fields=['phone_b'], name='binding_phone_b'), models.Index(fields=['pns_number_a'], name='binding_pns_a'), models.Index(fields=['pns_number_b'], name='binding_pns_b'), models.Index(fields=['ended_at', 'expires_at', 'id'], name='binding_expiry')],
                'constraints': [models.UniqueConstraint(fields=('bind_id', 'application'), name='binding_once')],
            },
        ),
        migrations.CreateModel(
            name='BindingRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('verb', models.CharField(choices=[('bind', 'Bind'), ('unbind', 'Unbind')], max_length=6, verbose_name='verb')),
                ('phone_a', models.CharField(max_length=40, verbose_name='A')),
                ('phone_b', models.CharField(max_length=40, verbose_name='B')),
                ('pool_number', models.CharField(blank=True, max_length=20, verbose_name='pool')),
                ('kind', models.PositiveSmallIntegerField(choices=[(1, 'AXB: one middle number'), (2, 'AXXB: a middle number for each side')], default=1, verbose_name='kind')),
                ('seconds', models.PositiveIntegerField(null=True, verbose_name='lasts, in seconds')),
                ('requested_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='asked')),
                ('application', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='gateway.application', verbose_name='application')),
                ('binding', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='requests', to='numbers.binding', verbose_name='binding')),
                ('requested_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='asked by')),
                ('newest_before', models.PositiveBigIntegerField(editable=False, null=True)),
                ('entry', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='gateway.ledgerentry', verbose_name='ledger row')),
            ],
            options={
                'verbose_name': 'binding request',
                'verbose_name_plural': 'binding requests',
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['application', 'requested_at'], name='binding_request_asked')],
            },
        ),
        migrations.CreateModel(
            name='OwnedNumber',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=20, unique=True, verbose_name='number')),
                ('calling_code', models.CharField(blank=True, max_length=8, verbose_name='calling code')),
                ('country', models.CharField(blank=True, max_length=80, verbose_name='country')),
                ('number_type', models.CharField(blank=True, max_length=20, verbose_name='type')),
                ('state', models.SmallIntegerField(choices=[(3, 'In use'), (4, 'Expired'), (5, 'Stopped')], null=True, verbose_name='state')),
                ('due_date', models.DateField(null=True, verbose_name='due')),
                ('auto_renew', models.BooleanField(null=True, verbose_name='renews itself')),
                ('inbound_prefix', models.CharField(blank=True, max_length=32, verbose_name='inbound prefix')),
                ('in_addresses', models.CharField(blank=True, max_length=100, verbose_name='inbound addresses')),
                ('out_addresses', models.CharField(blank=True, max_length=100, verbose_name='outbound addresses')),
                ('app_id', models.CharField(blank=True, max_length=64, verbose_name='appId')),
                ('voicemail', models.BooleanField(null=True, verbose_name='voicemail')),
                ('remark', models.CharField(blank=True, max_length=200, verbose_name='remark')),
                ('last_seen_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='last seen')),
                ('gone_at', models.DateTimeField(null=True, verbose_name='gone since')),
                ('voicemail_file', models.CharField(blank=True, max_length=100, verbose_name='voicemail announcement')),
                ('voicemail_seconds', models.PositiveIntegerField(null=True, verbose_name='voicemail, seconds at most')),
                ('voicemail_file_id', models.CharField(blank=True, db_default='', default='', editable=False, max_length=100)),
            ],
            options={
                'verbose_name': 'owned number',
                'verbose_name_plural': 'owned numbers',
                'ordering': ['due_date', 'number'],
                'indexes': [models.Index(fields=['due_date', 'number'], name='owned_due')],
                'permissions': [('export_ownednumber', 'Can export owned numbers'), ('edit_ownednumber', 'Can edit owned numbers at Laaffic')],
            },
        ),
        migrations.CreateModel(
            name='PoolVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(verbose_name='version')),
                ('origin', models.CharField(choices=[('created', 'Created here'), ('edited', 'Edited here'), ('reapplied', 'Applied again'), ('found', 'Found at Laaffic'), ('adopted', 'Laaffic’s change taken over')], max_length=9, verbose_name='origin')),
                ('again', models.PositiveIntegerField(null=True, verbose_name='again version')),
                ('pool_number', models.CharField(max_length=40, verbose_name='pool number')),
                ('old_pool_number', models.CharField(blank=True, max_length=40, verbose_name='pool number before')),
                ('addresses', models.TextField(verbose_name='addresses')),
                ('max_concurrency', models.PositiveIntegerField(verbose_name='concurrent calls')),
                ('numbers', models.JSONField(default=list, verbose_name='numbers')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='when')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('pool', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='numbers.numberpool', verbose_name='pool')),
                ('entry', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='gateway.ledgerentry', verbose_name='ledger row')),
            ],
            options={
                'verbose_name': 'pool version',
                'verbose_name_plural': 'pool versions',
                'ordering': ['-number'],
                'constraints': [models.UniqueConstraint(fields=('pool', 'number'), name='pool_version_once')],
            },
        ),
    ]
