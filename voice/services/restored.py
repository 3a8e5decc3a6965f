"""After a restore: a launch that waited in the backup may have been made since, so none starts by itself."""

import datetime as dt

from django.db import transaction

from laaffic_console.kit.said import gettext as _
from voice.models import GroupTask, TaskState
from voice.services import group_launching


def hold_launched(since: dt.datetime) -> int:
    """How many are held. Repeated, it changes nothing."""
    said = _(
        "The console was restored from a backup of %(when)s. This may have been launched since: look at Laaffic before "
        "you try it again."
    ) % {"when": since}
    waiting = list(GroupTask.objects.filter(state=TaskState.LAUNCHED).order_by("pk").values_list("pk", flat=True))
    for task_id in waiting:
        with transaction.atomic():
            task = GroupTask.objects.select_for_update().get(pk=task_id)
            if task.state == TaskState.LAUNCHED:
                group_launching.hold_waiting(task, said)
    return len(waiting)
