import django.db.models.deletion
import messaging.models.emails
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('gateway', '0003_push_marks'),
        ('messaging', '0009_suppression_release'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='EmailCampaign',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120, verbose_name='name')),
                ('from_address', models.CharField(help_text='An address that is configured and verified at Laaffic.', max_length=254, verbose_name='from')),
                ('receiver_id', models.CharField(help_text="The list's id at Laaffic.", max_length=64, verbose_name='recipient list')),
                ('subject', models.CharField(help_text='1 to 100 characters.', max_length=400, verbose_name='subject')),
                ('template_id', models.CharField(help_text='The id of an approved template.', max_length=64, verbose_name='template')),
                ('language', models.CharField(blank=True, help_text="For example en or zh; empty: the template's own.", max_length=16, verbose_name='language')),
                ('ad_flag', models.PositiveSmallIntegerField(blank=True, choices=[(0, 'no mark'), (1, 'before the subject'), (2, 'after the subject')], help_text='Some countries ask for one.', null=True, verbose_name='advertisement mark')),
                ('trigger_id', models.PositiveBigIntegerField(blank=True, help_text='Of an automation at Laaffic; empty for none.', null=True, verbose_name='trigger')),
                ('unsubscribe', models.BooleanField(blank=True, help_text='Laaffic adds it and keeps who unsubscribed.', null=True, verbose_name='link to unsubscribe')),
                ('scheduled_at', models.DateTimeField(blank=True, null=True, verbose_name='send at')),
                ('receiver_name', models.CharField(blank=True, editable=False, max_length=200)),
                ('receiver_count', models.PositiveIntegerField(editable=False, null=True)),
                ('template_name', models.CharField(blank=True, editable=False, max_length=200)),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('scheduled', 'Scheduled'), ('sending', 'Sending'), ('unknown', 'Unknown'), ('running', 'Running'), ('held', 'Held'), ('finished', 'Finished'), ('cancelled', 'Cancelled')], default='draft', editable=False, max_length=10, verbose_name='state')),
                ('hold_reason', models.CharField(blank=True, editable=False, max_length=300, verbose_name='why it is held')),
                ('is_held_by_account', models.BooleanField(default=False, editable=False)),
                ('wait_reason', models.CharField(blank=True, editable=False, max_length=300, verbose_name='why it waits')),
                ('not_before', models.DateTimeField(editable=False, null=True)),
                ('attempt', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('mark', models.CharField(default=messaging.models.emails.new_mark, editable=False, max_length=40, unique=True)),
                ('task_id', models.CharField(blank=True, db_index=True, editable=False, max_length=64, verbose_name='task id')),
                ('last_report_at', models.DateTimeField(editable=False, null=True)),
                ('next_check_at', models.DateTimeField(editable=False, null=True)),
                ('checks', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('launched_at', models.DateTimeField(editable=False, null=True, verbose_name='launched')),
                ('sent_at', models.DateTimeField(editable=False, null=True, verbose_name='sent')),
                ('finished_at', models.DateTimeField(editable=False, null=True, verbose_name='finished')),
                ('application', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='email_campaigns', to='gateway.application', verbose_name='application')),
                ('call', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='gateway.gatewaycall')),
                ('created_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
            ],
            options={
                'verbose_name': 'email campaign',
                'verbose_name_plural': 'email campaigns',
                'ordering': ['-id'],
                'permissions': [('launch_emailcampaign', 'Can launch, resume and cancel email campaigns'), ('resolve_emailcampaign', 'Can send unknown email campaigns again or write them off')],
            },
        ),
        migrations.CreateModel(
            name='EmailCampaignEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(auto_now_add=True, verbose_name='when')),
                ('text', models.CharField(max_length=300, verbose_name='what')),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='messaging.emailcampaign')),
            ],
            options={
                'verbose_name': 'email campaign event',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='EmailLookup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('template', 'Templates'), ('list', 'Recipient lists'), ('sender', 'Sender addresses')], max_length=8, verbose_name='what')),
                ('asked_at', models.DateTimeField(verbose_name='asked')),
                ('answered_at', models.DateTimeField(null=True, verbose_name='answered')),
                ('problem', models.CharField(blank=True, max_length=300, verbose_name='problem')),
                ('application', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='gateway.application', verbose_name='application')),
            ],
            options={
                'verbose_name': 'email look-up',
            },
        ),
        migrations.CreateModel(
            name='EmailChoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('value', models.CharField(max_length=254, verbose_name='id')),
                ('name', models.CharField(blank=True, max_length=200, verbose_name='name')),
                ('detail', models.JSONField(default=dict)),
                ('lookup', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='choices', to='messaging.emaillookup')),
            ],
            options={
                'verbose_name': 'email choice',
                'ordering': ['name', 'value'],
            },
        ),
        migrations.CreateModel(
            name='EmailMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=260)),
                ('email_id', models.CharField(blank=True, max_length=64, verbose_name='email id')),
                ('task_id', models.CharField(blank=True, max_length=64, verbose_name='task id')),
                ('address', models.CharField(blank=True, max_length=254, verbose_name='address')),
                ('submission', models.PositiveSmallIntegerField(choices=[(0, 'Unclear'), (10, 'Not submitted'), (20, 'Submitted')], default=0, verbose_name='submitted')),
                ('raw_state', models.CharField(blank=True, max_length=40, verbose_name='as it was told')),
                ('remark', models.CharField(blank=True, max_length=200, verbose_name='remark')),
                ('told_at', models.DateTimeField(verbose_name='told')),
                ('delivery', models.PositiveSmallIntegerField(choices=[(0, '–'), (10, 'On its way'), (20, 'Never told'), (30, 'Undelivered'), (40, 'Delivered')], default=0, verbose_name='delivered')),
                ('delivered_at', models.DateTimeField(null=True, verbose_name='at')),
                ('campaign', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='mails', to='messaging.emailcampaign', verbose_name='campaign')),
            ],
            options={
                'verbose_name': 'email',
                'verbose_name_plural': 'emails',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='EmailTally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('submission', models.PositiveSmallIntegerField(choices=[(0, 'Unclear'), (10, 'Not submitted'), (20, 'Submitted')])),
                ('delivery', models.PositiveSmallIntegerField(choices=[(0, '–'), (10, 'On its way'), (20, 'Never told'), (30, 'Undelivered'), (40, 'Delivered')])),
                ('reason', models.CharField(blank=True, max_length=120)),
                ('messages', models.IntegerField(default=0)),
                ('campaign', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tallies', to='messaging.emailcampaign')),
            ],
        ),
        migrations.AddIndex(
            model_name='emailcampaign',
            index=models.Index(fields=['state', 'not_before'], name='email_state'),
        ),
        migrations.AddIndex(
            model_name='emailcampaign',
            index=models.Index(condition=models.Q(('next_check_at__isnull', False)), fields=['next_check_at'], name='email_check'),
        ),
        migrations.AddConstraint(
            model_name='emaillookup',
            constraint=models.UniqueConstraint(fields=('application', 'kind'), name='email_lookup_once'),
        ),
        migrations.AddConstraint(
            model_name='emailchoice',
            constraint=models.UniqueConstraint(fields=('lookup', 'value'), name='email_choice_once'),
        ),
        migrations.AddIndex(
            model_name='emailmessage',
            index=models.Index(fields=['campaign', 'submission', 'id'], name='email_submission'),
        ),
        migrations.AddIndex(
            model_name='emailmessage',
            index=models.Index(fields=['campaign', 'delivery', 'id'], name='email_delivery'),
        ),
        migrations.AddIndex(
            model_name='emailmessage',
            index=models.Index(fields=['address'], name='email_address'),
        ),
        migrations.AddIndex(
            model_name='emailmessage',
            index=models.Index(fields=['email_id'], name='email_gateway_id'),
        ),
        migrations.AddConstraint(
            model_name='emailmessage',
            constraint=models.UniqueConstraint(fields=('campaign', 'key'), name='email_once'),
        ),
        migrations.AddConstraint(
            model_name='emailtally',
            constraint=models.UniqueConstraint(fields=('campaign', 'submission', 'delivery', 'reason'), name='email_tally_once'),
        ),
    ]
