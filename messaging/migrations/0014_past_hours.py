from collections import defaultdict

from django.db import migrations
from django.db.models import F
from django.utils import timezone


def fold_the_past(apps, schema_editor):
    """What was tallied before there were hours belongs to the hour in which its campaign ended."""
    outcomes = apps.get_model("messaging", "OutcomeTally")
    hours = apps.get_model("messaging", "HourTally")
    sums = defaultdict(lambda: [0, 0])
    for tally in outcomes.objects.select_related("campaign").iterator():
        campaign = tally.campaign
        moment = campaign.finished_at or campaign.launched_at or timezone.now()
        hour = moment.replace(minute=0, second=0, microsecond=0)
        where = sums[hour, campaign.application_id, tally.country, tally.state, tally.reason, tally.currency]
        where[0] += tally.messages
        where[1] += tally.pay_micros
    names = ["hour", "application_id", "country", "state", "reason", "currency"]
    hours.objects.bulk_create(
        (
            hours(**dict(zip(names, where, strict=True)), messages=messages, pay_micros=paid)
            for where, (messages, paid) in sums.items()
            if messages or paid
        ),
        batch_size=500,
    )
    outcomes.objects.update(folded_messages=F("messages"), folded_micros=F("pay_micros"))


class Migration(migrations.Migration):

    dependencies = [
        ("messaging", "0013_hours"),
    ]

    operations = [migrations.RunPython(fold_the_past, migrations.RunPython.noop)]
