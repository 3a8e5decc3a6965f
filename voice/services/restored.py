"""After a restore: a launch that waited in the backup, was held or had just begun may have been made since, so none
starts automatically, and anyone who tries one again is warned."""

import datetime as dt

from django.db import transaction
from django.db.models import Q

from laaffic_console.gateway.services.ledger import restored
from laaffic_console.kit.words.said import gettext as _
from messaging.models import HoldKind
from messaging.services.launching import restored_drafts
from voice.models import GroupTask, TaskState
from voice.services.group_calls import launching as group_launching
from voice.services.group_calls import states as group_state

# If PostgreSQL's tables were replaced, they are held already (backups).
WAITING = Q(state__in=[TaskState.LAUNCHED, TaskState.HELD])
UNRECORDED = Q(state=TaskState.SENDING, entry=None)  # held by a process that had not recorded its request yet
MAY_HAVE_ARRIVED = Q(state__in=[TaskState.SENDING, TaskState.UNKNOWN], entry__state__in=group_state.UNSETTLED)


def hold_launched(since: dt.datetime, *, has_forgotten: bool = False) -> int:
    """Hold launches that may have been made since the backup; how many. Repeated, it changes nothing."""
    said = _(
        "The console was restored from a backup of %(when)s. This may have been launched since: look at Laaffic before "
        "you try it again."
    ) % {"when": since}
    said = restored.with_forgotten(said, has_forgotten)
    launched = GroupTask.objects.filter(WAITING | UNRECORDED)
    waiting = list(launched.order_by("pk").values_list("pk", flat=True))
    for task_id in waiting:
        with transaction.atomic():
            if task := launched.select_for_update().filter(pk=task_id).first():
                group_launching.hold_waiting(task, said, task.state, kind=HoldKind.RESTORED)
    return len(waiting)


def look_anew(since: dt.datetime, until: dt.datetime) -> None:
    """Look for unknown launches again: one may have been launched again since, so earlier lists prove nothing."""
    for task in GroupTask.objects.filter(MAY_HAVE_ARRIVED).order_by("pk"):
        with transaction.atomic():
            locked = GroupTask.objects.select_for_update().get(pk=task.pk)
            if locked.entry is not None:
                restored.widen(locked.entry, until)
            if locked.state == TaskState.UNKNOWN:
                GroupTask.objects.filter(pk=task.pk).update(looks=0, look_at=until)
                group_launching.note(locked, _may_have_been_launched(since), None)


def tell_drafts(since: dt.datetime) -> int:
    """Mark drafts, as they may have been launched since: the person who launches one is asked why. How many."""
    said = _may_have_been_launched(since)
    drafts = GroupTask.objects.filter(state=TaskState.DRAFT, is_template=False)
    for draft in drafts:
        group_launching.note(draft, said, None)
    restored_drafts.mark(drafts, said)
    return len(drafts)


def _may_have_been_launched(since: dt.datetime) -> str:
    said = _("Restored from a backup of %(when)s: it may have been launched since. Look at Laaffic before you do.")
    return said % {"when": since}
