import datetime as dt

from django.db import migrations
from django.utils import timezone

from messaging.subscribers import subscriber

CHUNK = 2000
OPEN_FOR = dt.timedelta(days=14)
NEWEST = ["number", "sent_to", "state", "last_at", "last_said"]


def from_replies(apps, schema_editor):
    """One for each subscriber who has written, read by somebody: what is older than two weeks is done.

    In chunks by rising id, each one statement; a million replies take about a minute.
    """
    conversations = apps.get_model("messaging", "Conversation")
    replies = apps.get_model("messaging", "Reply").objects.order_by("pk").only(
        "pk", "number", "sent_to", "at", "content"
    )
    since = timezone.now() - OPEN_FOR
    last = 0
    while chunk := list(replies.filter(pk__gt=last)[:CHUNK]):
        last = chunk[-1].pk
        newest = {}
        for reply in chunk:
            key = subscriber(reply.number)
            if key not in newest or reply.at >= newest[key].at:
                newest[key] = reply
        known = dict(conversations.objects.filter(subscriber__in=newest).values_list("subscriber", "last_at"))
        conversations.objects.bulk_create(
            [
                conversations(
                    subscriber=key,
                    number=reply.number,
                    sent_to=reply.sent_to,
                    state="open" if reply.at >= since else "done",
                    last_at=reply.at,
                    last_said=" ".join(reply.content.split())[:160],
                )
                for key, reply in newest.items()
                if key not in known or reply.at >= known[key]
            ],
            update_conflicts=True,
            unique_fields=["subscriber"],
            update_fields=NEWEST,
        )


class Migration(migrations.Migration):
    dependencies = [("messaging", "0032_conversations")]

    operations = [migrations.RunPython(from_replies, migrations.RunPython.noop, elidable=True)]
