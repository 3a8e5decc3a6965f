import django.core.validators
import django.db.models.deletion
import django.db.models.functions.comparison
import laaffic_console.gateway.models.workers
from django.conf import settings
from django.db import migrations, models


ROLES = ("Viewer", "Operator", "Approver", "Administrator")


def make_roles(apps, schema_editor):
    """Empty: their permissions follow when they exist (laaffic_console/dashboard/people/roles.py)."""
    group = apps.get_model("auth", "Group")
    for name in ROLES:
        group.objects.using(schema_editor.connection.alias).get_or_create(name=name)


class Migration(migrations.Migration):
    """The tables of this app as the migrations up to 0024_past_evidence_kinds leave them.

    dashboard.0007_squashed makes them in a new database.
    """

    dependencies = [("dashboard", "0007_squashed")]
    operations = []
    afterwards = [migrations.RunPython(make_roles)]
    tables = [
        migrations.CreateModel(
            name='Application',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('app_id', models.CharField(help_text='From Laaffic: Account Management, App Management. It is not the API key.', max_length=64, unique=True, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9_-]+\\Z', 'An appId holds letters, digits, - and _ only.')], verbose_name='appId')),
                ('channel', models.CharField(choices=[('sms', 'SMS'), ('voice', 'Voice'), ('email', 'Email'), ('number', 'Numbers')], max_length=8, verbose_name='channel')),
                ('name', models.CharField(blank=True, max_length=80, verbose_name='name')),
                ('sender_id', models.CharField(blank=True, help_text='At most 32 characters.', max_length=32, verbose_name='default sender ID')),
                ('rate_per_second', models.PositiveIntegerField(blank=True, help_text='Recipients a second over all campaigns of this application; empty means no limit.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='rate limit')),
                ('connections', models.PositiveSmallIntegerField(default=4, help_text='Requests that may be under way at the same time for one campaign.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(32)], verbose_name='connections')),
                ('several_texts_per_call', models.BooleanField(default=True, help_text='Personalised campaigns use sendSms/batch. Off: each distinct text costs a request of its own.', verbose_name='several texts in one request')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('others_seen_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='another system seen')),
            ],
            options={
                'verbose_name': 'application',
                'verbose_name_plural': 'applications',
                'ordering': ['channel', 'name', 'app_id'],
            },
        ),
        migrations.CreateModel(
            name='Lease',
            fields=[
                ('name', models.CharField(max_length=80, primary_key=True, serialize=False)),
                ('token', models.CharField(blank=True, max_length=36)),
                ('until', models.DateTimeField()),
                ('seconds', models.FloatField(default=laaffic_console.gateway.models.workers._usual_seconds)),
            ],
        ),
        migrations.CreateModel(
            name='RatePacer',
            fields=[
                ('name', models.CharField(max_length=80, primary_key=True, serialize=False)),
                ('next_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='WorkerHeartbeat',
            fields=[
                ('worker', models.CharField(max_length=80, primary_key=True, serialize=False, verbose_name='worker')),
                ('host', models.CharField(max_length=80, verbose_name='machine')),
                ('pid', models.PositiveIntegerField(verbose_name='process')),
                ('started_at', models.DateTimeField(verbose_name='started')),
                ('beat_at', models.DateTimeField(null=True, verbose_name='last heartbeat')),
                ('restarts', models.PositiveIntegerField(default=0, verbose_name='restarts')),
                ('stopped_at', models.DateTimeField(null=True, verbose_name='stopped')),
                ('clock_skew', models.FloatField(null=True, verbose_name='clock skew')),
            ],
            options={
                'verbose_name': 'worker',
                'verbose_name_plural': 'workers',
                'permissions': [('make_support_bundle', 'Can download the support bundle')],
            },
        ),
        migrations.CreateModel(
            name='PushedBody',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('sms-report', 'SMS report'), ('sms-reply', 'SMS reply'), ('voice-report', 'Voice report'), ('voice-ringing', 'Ringing phone'), ('email-report', 'Email report')], max_length=16, verbose_name='kind')),
                ('body', models.TextField(verbose_name='body')),
                ('received_at', models.DateTimeField(verbose_name='received')),
                ('source', models.GenericIPAddressField(null=True, verbose_name='source address')),
                ('applied_at', models.DateTimeField(null=True, verbose_name='applied')),
                ('entries', models.PositiveIntegerField(null=True, verbose_name='entries')),
                ('problems', models.JSONField(default=list, verbose_name='problems')),
                ('mark', models.CharField(blank=True, max_length=40, verbose_name='mark')),
                ('failed', models.PositiveIntegerField(db_default=0, default=0, verbose_name='entries not applied')),
                ('position', models.PositiveIntegerField(db_default=0, default=0, verbose_name='entries applied')),
                ('size', models.PositiveIntegerField(db_default=0, default=0, verbose_name='characters')),
            ],
            options={
                'verbose_name': 'pushed body',
                'verbose_name_plural': 'inbox',
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['received_at'], name='push_received'), models.Index(fields=['kind', 'received_at'], name='push_latest'), models.Index(condition=models.Q(('failed__gt', 0)), fields=['id'], name='push_failed'), models.Index(condition=models.Q(('applied_at', None)), fields=['kind', 'id', 'size'], name='push_next')],
                'permissions': [('read_pushedbody', 'Can read pushed bodies and reports as they came, with every number and text')],
            },
        ),
        migrations.CreateModel(
            name='OrphanReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('sms-report', 'SMS report'), ('sms-reply', 'SMS reply'), ('voice-report', 'Voice report'), ('voice-ringing', 'Ringing phone'), ('email-report', 'Email report')], max_length=16, verbose_name='kind')),
                ('key', models.CharField(max_length=128, verbose_name='key')),
                ('gateway_id', models.CharField(blank=True, max_length=40, verbose_name='gateway id')),
                ('order_id', models.CharField(blank=True, max_length=64, verbose_name='order id')),
                ('number', models.CharField(blank=True, max_length=20, verbose_name='number')),
                ('report', models.JSONField(verbose_name='report')),
                ('first_seen', models.DateTimeField(verbose_name='first seen')),
                ('tries', models.PositiveSmallIntegerField(default=0, verbose_name='tries')),
                ('next_try_at', models.DateTimeField(null=True, verbose_name='next try')),
                ('matched_at', models.DateTimeField(null=True, verbose_name='matched')),
                ('pushed_body', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='gateway.pushedbody')),
                ('problem', models.CharField(blank=True, db_default='', default='', max_length=300, verbose_name='problem')),
            ],
            options={
                'verbose_name': 'report without a message',
                'verbose_name_plural': 'reports without a message',
                'ordering': ['-id'],
                'indexes': [models.Index(condition=models.Q(('next_try_at__isnull', False)), fields=['kind', 'next_try_at', 'id'], name='orphan_due_of_kind')],
                'constraints': [models.UniqueConstraint(fields=('kind', 'key'), name='orphan_once')],
            },
        ),
        migrations.CreateModel(
            name='AccountHold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scope', models.CharField(max_length=40)),
                ('code', models.CharField(blank=True, max_length=16, verbose_name='code')),
                ('sentence', models.TextField(verbose_name='why')),
                ('placed_at', models.DateTimeField(verbose_name='since')),
                ('probe_wait', models.PositiveIntegerField(verbose_name='seconds between probes')),
                ('next_probe_at', models.DateTimeField(null=True, verbose_name='next probe')),
                ('funds', models.DecimalField(decimal_places=6, max_digits=20, null=True, verbose_name='funds')),
                ('last_answer', models.CharField(blank=True, max_length=300, verbose_name='last probe')),
                ('released_at', models.DateTimeField(null=True, verbose_name='ended')),
                ('released_because', models.CharField(blank=True, max_length=300, verbose_name='ended because')),
                ('application', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='gateway.application', verbose_name='application')),
                ('released_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='ended by')),
                ('entry', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='gateway.ledgerentry', verbose_name='refused request')),
            ],
            options={
                'verbose_name': 'account hold',
                'verbose_name_plural': 'account holds',
                'ordering': ['-id'],
                'permissions': [('release_accounthold', 'Can end a hold of the account')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('released_at__isnull', True)), fields=('scope',), name='account_hold_once')],
            },
        ),
        migrations.CreateModel(
            name='BalanceReading',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_index=True, verbose_name='when')),
                ('balance', models.DecimalField(decimal_places=6, max_digits=20, verbose_name='balance')),
                ('gift', models.DecimalField(decimal_places=6, max_digits=20, null=True, verbose_name='bonus')),
                ('credit', models.DecimalField(decimal_places=6, max_digits=20, null=True, verbose_name='credit line')),
                ('currency', models.CharField(blank=True, max_length=8, verbose_name='currency')),
            ],
            options={
                'verbose_name': 'balance reading',
                'verbose_name_plural': 'balance',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Trouble',
            fields=[
                ('name', models.CharField(max_length=120, primary_key=True, serialize=False, verbose_name='what')),
                ('problem', models.CharField(max_length=300, verbose_name='problem')),
                ('first_at', models.DateTimeField(verbose_name='since')),
                ('last_at', models.DateTimeField(verbose_name='last')),
                ('times', models.PositiveIntegerField(default=1, verbose_name='times')),
            ],
            options={
                'verbose_name': 'trouble',
                'verbose_name_plural': 'troubles',
                'ordering': ['-last_at'],
            },
        ),
        migrations.CreateModel(
            name='LedgerEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('interface', models.CharField(max_length=40, verbose_name='interface')),
                ('about_kind', models.CharField(max_length=20, verbose_name='about')),
                ('about_id', models.BigIntegerField(null=True, verbose_name='about id')),
                ('summary', models.JSONField(default=dict, verbose_name='summary')),
                ('digest', models.CharField(blank=True, max_length=64, verbose_name='digest of the request')),
                ('attempt', models.PositiveSmallIntegerField(default=1, verbose_name='attempt')),
                ('state', models.CharField(choices=[('prepared', 'Prepared'), ('in_flight', 'In flight'), ('accepted', 'Accepted'), ('refused', 'Refused'), ('not_sent', 'Not sent'), ('unknown', 'Unknown'), ('lapsed', 'Never known')], default='prepared', max_length=10, verbose_name='state')),
                ('worker', models.CharField(blank=True, max_length=80, verbose_name='worker')),
                ('prepared_at', models.DateTimeField(verbose_name='prepared')),
                ('left_at', models.DateTimeField(null=True, verbose_name='left')),
                ('settled_at', models.DateTimeField(null=True, verbose_name='settled')),
                ('http_status', models.PositiveSmallIntegerField(null=True, verbose_name='HTTP status')),
                ('code', models.CharField(blank=True, max_length=16, verbose_name='code')),
                ('reason', models.CharField(blank=True, max_length=300, verbose_name='reason')),
                ('evidence', models.CharField(blank=True, max_length=300, verbose_name='evidence')),
                ('application', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='gateway.application', verbose_name='application')),
                ('requested_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='asked by')),
                ('clock_ahead', models.FloatField(null=True, verbose_name='clock ahead')),
                ('evidence_kind', models.CharField(blank=True, choices=[('answer', "Laaffic's answer"), ('late_answer', 'A late answer'), ('no_answer', 'No answer'), ('report', 'A report'), ('list', "Laaffic's list"), ('request', 'Another request'), ('person', 'A person'), ('console', 'This console'), ('time', 'Its time is over'), ('restore', 'A restore')], db_default='', default='', max_length=12, verbose_name='known by')),
            ],
            options={
                'verbose_name': 'ledger entry',
                'verbose_name_plural': 'ledger',
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['about_kind', 'about_id', 'id'], name='call_about'), models.Index(condition=models.Q(('state__in', ['prepared', 'in_flight', 'unknown'])), fields=['state', 'prepared_at'], name='call_open'), models.Index(django.db.models.functions.comparison.Coalesce('left_at', 'prepared_at'), condition=models.Q(('interface', 'email/batchSendEmail')), name='call_whole_list'), models.Index(condition=models.Q(('state', 'unknown'), models.Q(('about_kind', 'campaign'), _negated=True)), fields=['prepared_at'], name='call_other_unknown')],
                'permissions': [('settle_ledgerentry', 'Can say what became of a request whose answer was lost'), ('export_ledgerentry', 'Can export the ledger')],
            },
        ),
    ]
