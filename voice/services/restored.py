"""After a restore: a launch that waited in the backup may have been made since, so none starts by itself."""

import datetime as dt

from django.db import transaction
from django.db.models import Q

from laaffic_console.kit.said import gettext as _
from messaging.services.steps import UNFINISHED_RESTORE
from voice.models import GroupTask, TaskState
from voice.services import group_launching

WAITING = Q(state=TaskState.LAUNCHED)
UNFINISHED = Q(state=TaskState.HELD, hold_reason=UNFINISHED_RESTORE)  # by the SQL that replaced PostgreSQL's tables


def hold_launched(since: dt.datetime) -> int:
    """How many are held. Repeated, it changes nothing."""
    said = _(
        "The console was restored from a backup of %(when)s. This may have been launched since: look at Laaffic before "
        "you try it again."
    ) % {"when": since}
    launched = GroupTask.objects.filter(WAITING | UNFINISHED)
    waiting = list(launched.order_by("pk").values_list("pk", flat=True))
    for task_id in waiting:
        with transaction.atomic():
            if task := launched.select_for_update().filter(pk=task_id).first():
                group_launching.hold_waiting(task, said)
    return len(waiting)
