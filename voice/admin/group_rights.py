"""What a person may do with a group call as it stands, for the buttons of its page.

The services decide once more when a button is pressed: this only says which buttons there are.
"""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from laaffic_console.exporting import kinds
from voice.models import GroupTask, TaskState
from voice.models.group_tasks import NOT_LEFT, OPEN
from voice.registered import export_kinds

ADD, LAUNCH, ASK = "voice.add_grouptask", "voice.launch_grouptask", "voice.change_grouptask"
PUT_HOURS_ASIDE = ("voice.view_grouptask", "voice.approve_grouptask")


def acts(task: GroupTask, user: AbstractBaseUser | AnonymousUser, *, is_unread: bool) -> dict[str, bool]:
    """{“may_edit”: whether they may, …}. `is_unread`: whether Laaffic's list of tasks cannot be read."""
    may_add, may_launch = user.has_perm(ADD), user.has_perm(LAUNCH)  # type: ignore[union-attr]
    state = TaskState(task.state)
    is_draft, is_held = state == TaskState.DRAFT, state == TaskState.HELD
    waits_here = is_held or state == TaskState.LAUNCHED
    return {
        "may_edit": may_add and is_draft,
        "may_review": is_draft and not task.is_template,
        "may_copy": may_add and (task.is_template or task.is_at_laaffic),
        "may_call_rest": may_add and _may_have_reached(task),
        "may_keep_template": may_add and not task.is_template,
        "may_update": may_add and may_launch and state == TaskState.WAITING,
        "may_repeat": may_add and may_launch and state == TaskState.FINISHED,
        "may_cancel": may_launch and state in OPEN and bool(task.key),
        "may_ask": bool(task.task_name) and state not in NOT_LEFT and user.has_perm(ASK),  # type: ignore[union-attr]
        "may_take_back": may_launch and waits_here and not task.undo_until,
        "may_put_hours_aside": waits_here and bool(task.waits_since) and user.has_perms(PUT_HOURS_ASIDE),  # type: ignore[union-attr]
        "may_resume": may_launch and is_held,
        "may_resolve": may_launch and state == TaskState.UNKNOWN,
        "may_end": may_launch and state in (*OPEN, TaskState.UNKNOWN) and (is_unread or bool(task.looks)),
        "may_export_recipients": user.has_perms(kinds.named(export_kinds.TASK_RECIPIENTS).rights),  # type: ignore[union-attr]
        "may_make_dossier": user.has_perms(kinds.named(export_kinds.TASK_DOSSIER).rights),  # type: ignore[union-attr]
    }


def _may_have_reached(task: GroupTask) -> bool:
    if task.state == TaskState.FAILED:
        return not task.has_called_nobody
    return task.state in (TaskState.FINISHED, TaskState.CANCELLED)
