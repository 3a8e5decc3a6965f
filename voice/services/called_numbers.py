"""The numbers that group calls have, or may have, called lately: written with each request, looked up by the number.

A frequency cap asks about a thousand numbers at each claim. A task's numbers are one text: reading the texts of all
tasks of a week takes longer with each task, while an index takes only as long as there are answers.
"""

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import connection, transaction
from django.utils import timezone

from laaffic_console.kit.sql.sql_lists import PARTED_BY, parameter
from messaging.models import Campaign
from messaging.services.gates import frequency
from voice.models import CalledNumber, GroupTask

SLICE = 5000  # rows removed in one transaction
SLICES = 20  # in one sweep
KEPT = frequency.WEEK + frequency.HOUR  # after it is over; a cap looks back a week


def keep(task: GroupTask, numbers: Sequence[str]) -> None:
    """Write the numbers in the transaction that records the request and saves the task; those of an earlier try go."""
    if task.purpose == Campaign.Purpose.TRANSACTIONAL:
        return
    if task.is_counted:
        CalledNumber.objects.filter(task=task).delete()
    write(task.pk, numbers)
    task.is_counted = True


def write(task_id: int, numbers: Sequence[str]) -> None:
    listed = f"(SELECT unnest(string_to_array(%s, '{PARTED_BY}')) AS value)"
    source = listed if connection.vendor == "postgresql" else "json_each(%s)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO voice_callednumber (task_id, number) SELECT %s, given.value FROM {source} AS given "  # noqa: S608
            "WHERE true ON CONFLICT (number, task_id) DO NOTHING",
            [task_id, parameter(numbers)],
        )


def among(numbers: Sequence[str], tasks: Mapping[int, object]) -> list[tuple[str, int]]:
    """(number, task) for these tasks, by the index of the number: with the tasks it would be searched once for each."""
    if not numbers or not tasks:
        return []
    found = CalledNumber.objects.filter(number__among=list(numbers)).values_list("number", "task_id")
    return [(number, task_id) for number, task_id in found if task_id in tasks]


def forget(now: dt.datetime | None = None) -> None:
    """Delete the numbers of tasks that no cap counts any more, in batches that lock the table only briefly."""
    over = GroupTask.objects.filter(is_counted=True, finished_at__lt=(now or timezone.now()) - KEPT)
    for task_id in over.order_by("finished_at").values_list("pk", flat=True)[:SLICES]:
        for _slice in range(SLICES):
            if not _forget_some(task_id):
                break
        else:
            return  # the next sweep continues


@transaction.atomic
def _forget_some(task_id: int) -> bool:
    """Delete some numbers of a task; whether there may be more."""
    some = CalledNumber.objects.filter(task=task_id).order_by().values("pk")[:SLICE]
    removed, _by_model = CalledNumber.objects.filter(pk__in=list(some.values_list("pk", flat=True))).delete()
    if removed < SLICE:
        GroupTask.objects.filter(pk=task_id).update(is_counted=False)
    return removed == SLICE
