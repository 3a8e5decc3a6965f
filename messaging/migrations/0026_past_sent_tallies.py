import datetime as dt
from collections import Counter

from django.db import migrations
from django.db.models import Count, Sum
from django.utils import timezone

from messaging import msisdn
from laaffic_console.kit.delivery_buckets import bucket_of

UNKNOWN, REJECTED, ACCEPTED, EXPIRED, UNDELIVERED, DELIVERED = 20, 30, 40, 50, 60, 70
ENDS = (REJECTED, EXPIRED, UNDELIVERED, DELIVERED)


def count_the_past(apps, schema_editor):
    """Exactly, from the messages, one campaign at a time: two million take some ten seconds."""
    sent = apps.get_model("messaging", "SentTally")
    times = apps.get_model("messaging", "DeliveryTimeTally")
    attempts = apps.get_model("messaging", "EarlierAttempt")
    times.objects.all().delete()  # by the hour of the report, and in other buckets
    attempts.objects.update(heard_at=None)
    for campaign in apps.get_model("messaging", "Campaign").objects.order_by("pk").iterator():
        launch = campaign.launched_at or campaign.created_at
        counted, took = outcomes(apps, campaign, launch), delivery_times(apps, campaign)
        sent.objects.bulk_create(
            (
                sent(
                    campaign=campaign, hour=hour, country=country, state=state, reason=reason, currency=currency,
                    messages=n, billed_segments=billed, pay_micros=paid,
                )
                for (hour, country, state, reason, currency), (n, billed, paid) in counted.items()
            ),
            batch_size=500,
        )
        times.objects.bulk_create(
            (
                times(campaign=campaign, hour=hour, country=country, bucket=bucket, messages=n)
                for (hour, country, bucket), n in took.items()
            ),
            batch_size=500,
        )


def outcomes(apps, campaign, launch):
    found = {}

    def add(key, *sums):
        found[key] = tuple(a + b for a, b in zip(found.get(key, (0, 0, 0)), sums, strict=True))

    messages = apps.get_model("messaging", "Message").objects.filter(campaign=campaign).order_by()
    rows = messages.filter(state__in=[UNKNOWN, ACCEPTED, *ENDS]).values_list(
        "settled_at", "country", "state", "reason", "currency"
    )
    sums = {"n": Count("pk"), "billed": Sum("billed_segments", default=0), "paid": Sum("pay_micros", default=0)}
    for settled_at, country, state, reason, currency, n, billed, paid in rows.annotate(**sums).iterator():
        if state in ENDS:
            add((hour_of(settled_at or launch), country, state, reason, currency), n, billed, paid)
        else:
            add((hour_of(settled_at or launch), country, state, "", ""), n, 0, 0)
    attempts = apps.get_model("messaging", "EarlierAttempt").objects.filter(message__campaign=campaign)
    for attempt in attempts.exclude(pay_micros=None).select_related("message"):
        key = hour_of(launch), attempt.message.country, EXPIRED, "", attempt.currency
        add(key, 0, attempt.billed_segments or 0, attempt.pay_micros)
    return found


def delivery_times(apps, campaign):
    found = Counter()
    delivered = apps.get_model("messaging", "Message").objects.filter(campaign=campaign, state=DELIVERED).order_by()
    told = delivered.exclude(settled_at=None).exclude(reported_at=None)
    rows = told.values_list("settled_at", "reported_at", "country").annotate(n=Count("pk"))
    for settled_at, reported_at, country, n in rows.iterator():
        found[hour_of(settled_at), country, bucket_of(settled_at, reported_at)] += n
    return found


def hour_of(moment):
    return timezone.localtime(moment).replace(minute=0, second=0, microsecond=0).astimezone(dt.UTC)


def countries_of_replies(apps, schema_editor):
    replies = apps.get_model("messaging", "Reply")
    changed = []
    for reply in replies.objects.only("pk", "number", "country").iterator():
        try:
            reply.country = msisdn.parse(reply.number).country
        except msisdn.InvalidNumber:
            continue
        changed.append(reply)
        if len(changed) == 1000:
            replies.objects.bulk_update(changed, ["country"])
            changed = []
    replies.objects.bulk_update(changed, ["country"])


class Migration(migrations.Migration):

    dependencies = [("messaging", "0025_sent_tallies")]

    operations = [
        migrations.RunPython(count_the_past, migrations.RunPython.noop),
        migrations.RunPython(countries_of_replies, migrations.RunPython.noop),
    ]
