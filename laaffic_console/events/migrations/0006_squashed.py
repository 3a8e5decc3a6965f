import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """The tables of this app as the migrations up to 0005_plainer_kinds leave them.

    dashboard.0007_squashed makes them in a new database.
    """

    dependencies = [("dashboard", "0007_squashed")]
    operations = []
    tables = [
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('message.delivered', 'A message was delivered'), ('message.failed', 'A message was rejected or not delivered'), ('message.expired', 'No final report of a message came in time'), ('message.unknown_settled', 'An unknown message was settled'), ('reply.received', 'Somebody has replied'), ('contact.opted_out', 'Somebody gets no more messages'), ('contact.opted_in', 'Somebody may get messages again'), ('campaign.state', 'A campaign has moved to another state'), ('import.finished', 'An import of contacts has ended'), ('balance.low', 'The balance has fallen under its limit'), ('approval.asked', 'An approval is asked for'), ('approval.given', 'An approval was given'), ('approval.refused', 'An approval was refused'), ('approval.voided', 'An approval is void: what was approved has changed'), ('approval.withdrawn', 'A request for approval was withdrawn'), ('budget.warned', 'A budget is nearly used up'), ('budget.used_up', 'A budget is used up'), ('campaign.drift', 'A campaign costs more or less than expected'), ('webhook.disabled', 'A webhook was disabled'), ('webhook.test', 'A test')], max_length=40, verbose_name='event')),
                ('about', models.CharField(max_length=60, verbose_name='about')),
                ('order_key', models.CharField(max_length=60)),
                ('data', models.TextField(verbose_name='data')),
                ('at', models.DateTimeField(verbose_name='happened')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='written')),
                ('mark', models.CharField(max_length=12)),
            ],
            options={
                'verbose_name': 'event',
                'verbose_name_plural': 'events',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Webhook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('url', models.CharField(max_length=500, verbose_name='address')),
                ('kinds', models.JSONField(default=list, verbose_name='events')),
                ('state', models.CharField(choices=[('active', 'Active'), ('paused', 'Paused'), ('disabled', 'Disabled')], default='active', max_length=10, verbose_name='state')),
                ('secret', models.TextField(editable=False)),
                ('old_secret', models.TextField(blank=True, editable=False)),
                ('old_secret_until', models.DateTimeField(editable=False, null=True)),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='created')),
                ('last_ok_at', models.DateTimeField(null=True, verbose_name='last took an event')),
                ('failing_since', models.DateTimeField(null=True, verbose_name='failing since')),
                ('failures', models.PositiveIntegerField(default=0)),
                ('rests_until', models.DateTimeField(null=True)),
                ('problem', models.CharField(blank=True, max_length=20)),
                ('detail', models.CharField(blank=True, max_length=200)),
                ('disabled_at', models.DateTimeField(null=True, verbose_name='disabled')),
                ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='created by')),
            ],
            options={
                'verbose_name': 'webhook',
                'verbose_name_plural': 'webhooks',
                'ordering': ['id'],
                'default_permissions': ('add', 'change', 'delete', 'view'),
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('order_key', models.CharField(max_length=60)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('delivered', 'Delivered'), ('failed', 'Failed')], default='waiting', max_length=10, verbose_name='state')),
                ('attempts', models.PositiveIntegerField(default=0, verbose_name='attempts')),
                ('next_at', models.DateTimeField(verbose_name='next try')),
                ('first_tried_at', models.DateTimeField(null=True)),
                ('tried_at', models.DateTimeField(null=True, verbose_name='last tried')),
                ('status', models.PositiveSmallIntegerField(null=True, verbose_name='answer')),
                ('ms', models.PositiveIntegerField(null=True, verbose_name='took')),
                ('problem', models.CharField(blank=True, max_length=20)),
                ('detail', models.CharField(blank=True, max_length=200)),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='events.event')),
                ('webhook', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='events.webhook')),
            ],
            options={
                'verbose_name': 'delivery',
                'verbose_name_plural': 'deliveries',
                'ordering': ['-id'],
                'default_permissions': ('change', 'view'),
                'indexes': [models.Index(condition=models.Q(('state', 'waiting')), fields=['webhook', 'id'], name='delivery_waiting'), models.Index(condition=models.Q(('state', 'waiting')), fields=['webhook', 'order_key', 'id'], name='delivery_in_order'), models.Index(condition=models.Q(('state', 'failed')), fields=['webhook', 'id'], name='delivery_failed'), models.Index(condition=models.Q(('state', 'waiting')), fields=['webhook', 'next_at', 'id'], name='delivery_due')],
            },
        ),
    ]
