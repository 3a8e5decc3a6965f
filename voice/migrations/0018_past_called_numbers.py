"""The numbers of group calls that still count for a frequency cap, a task in a transaction."""

import datetime as dt
from typing import Any

from django.db import migrations, transaction
from django.db.models import Q
from django.utils import timezone

CHUNK = 10_000


def fill(apps: Any, schema_editor: Any) -> None:
    task_model, called_model = apps.get_model("voice", "GroupTask"), apps.get_model("voice", "CalledNumber")
    lists = apps.get_model("voice", "TaskNumbers").objects
    recent = Q(finished_at=None) | Q(finished_at__gte=timezone.now() - dt.timedelta(days=8))
    counting = task_model.objects.filter(recent, entry__isnull=False, is_counted=False)
    for task_id in counting.exclude(purpose="transactional").order_by("pk").values_list("pk", flat=True):
        lines = lists.filter(task=task_id).values_list("lines", flat=True).first() or ""
        numbers = lines.split("\n") if lines else []
        with transaction.atomic():
            for start in range(0, len(numbers), CHUNK):
                rows = [called_model(task_id=task_id, number=number) for number in numbers[start : start + CHUNK]]
                called_model.objects.bulk_create(rows, batch_size=1000, ignore_conflicts=True)
            task_model.objects.filter(pk=task_id).update(is_counted=True)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("voice", "0017_called_numbers")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
