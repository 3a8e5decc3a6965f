

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('events', '0003_deliveries_by_their_next_try'),
    ]

    operations = [
        migrations.AlterField(
            model_name='event',
            name='kind',
            field=models.CharField(choices=[('message.delivered', 'A message was delivered'), ('message.failed', 'A message was rejected or not delivered'), ('message.expired', 'No final report of a message came in time'), ('message.unknown_settled', 'What became of an unknown message is settled'), ('reply.received', 'Somebody has replied'), ('contact.opted_out', 'Somebody gets no more messages'), ('contact.opted_in', 'Somebody may get messages again'), ('campaign.state', 'A campaign has moved to another state'), ('import.finished', 'An import of contacts has ended'), ('balance.low', 'The balance has fallen under its limit'), ('approval.asked', 'An approval is asked for'), ('approval.given', 'An approval was given'), ('approval.refused', 'An approval was refused'), ('approval.voided', 'An approval is void: what was approved has changed'), ('approval.withdrawn', 'A request for approval was withdrawn'), ('budget.warned', 'Most of a budget has gone'), ('budget.used_up', 'A budget is used up'), ('campaign.drift', 'A campaign costs something else than was expected'), ('webhook.disabled', 'A webhook was disabled'), ('webhook.test', 'A test')], max_length=40, verbose_name='event'),
        ),
    ]
