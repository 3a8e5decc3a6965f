"""Tasks for the tests of group calls, and what the sandbox has of them."""

import time
from typing import Any

from laaffic_console.gateway.models import Application
from laaffic_console.sandbox.group_calls import GroupCallInterfaces
from laaffic_console.sandbox.testing import RunningSandbox
from voice.models import GroupTask
from voice.services.asking import group_calls as group_sync
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import tasks as group_tasks

FIRST = 919876500000


def written(application: Application, count: int = 12, **changed: Any) -> GroupTask:
    given = {"name": "Spring", "application": application, "text": "Hello", "language": "EN"} | changed
    return group_tasks.save(GroupTask(**given), audience=listed(count))


def listed(count: int, first: int = FIRST) -> group_callees.Audience:
    return group_callees.gather(pasted="\n".join(f"+{first + n}" for n in range(count)))


def at_sandbox(sandbox: RunningSandbox) -> list[Any]:
    family = next(family for family in sandbox.sandbox.families if isinstance(family, GroupCallInterfaces))
    return list(family.tasks.values())


def seen_through(task: GroupTask) -> GroupTask:
    for _ in range(100):
        group_sync.sync()
        task.refresh_from_db()
        if task.is_over:
            return task
        time.sleep(0.05)
    raise AssertionError(f"not over: {task.state}")
