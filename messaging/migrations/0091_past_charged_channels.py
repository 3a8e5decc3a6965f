"""The channels of what was charged already, so that its prices stay known."""

from typing import Any

from django.db import migrations
from django.db.models import OuterRef, Subquery

SLICE = 5000


def fill(apps: Any, _schema_editor: Any) -> None:
    """In slices, each committed by itself; a second run finds what the first has left."""
    tallies = apps.get_model("messaging", "OutcomeTally").objects
    channel = apps.get_model("messaging", "Campaign").objects.filter(pk=OuterRef("campaign_id")).values("channel")
    last = 0
    while ids := list(tallies.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:SLICE]):
        of_slice = tallies.filter(pk__gt=last, pk__lte=ids[-1], charged_channel=None).exclude(currency="")
        of_slice.update(charged_channel=Subquery(channel[:1]))
        last = ids[-1]


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("messaging", "0090_charged_channel")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
