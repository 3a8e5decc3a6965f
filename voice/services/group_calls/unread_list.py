"""Laaffic's list of tasks where it cannot be read at all: a person's word is taken then without a look at it.

A list that was read and does not have a task is counted with the task (`looks`). A gateway that does not serve the
list, or fails each time, would otherwise leave a lost launch unknown for good, and a task without a key calling.
"""

import datetime as dt

from django.utils import timezone

from voice.models import GroupTask, TaskState
from voice.models.group_tasks import OPEN
from voice.services import syncing
from voice.services.group_calls import answers as group_answers

LONG_ENOUGH = dt.timedelta(minutes=10)  # after the launch; it is tried every few minutes


def why_unread(task: GroupTask) -> str:
    """Why the list could not be read since the task was launched; "" if it was, or if it is too early to say."""
    launched_at = task.launched_at
    if task.looks or launched_at is None or task.state not in (*OPEN, TaskState.UNKNOWN):
        return ""
    if timezone.now() - launched_at < LONG_ENOUGH:
        return ""
    if task.looked_at is not None and task.looked_at >= launched_at:  # it was read for this one
        return ""
    for copy in syncing.COPIES.named([group_answers.SYNC]):
        was_read = copy.succeeded_at is not None and copy.succeeded_at >= launched_at
        if not was_read and copy.problem and copy.started_at is not None and copy.started_at >= launched_at:
            return str(copy.problem)
    return ""
