"""Group calls: one announcement to many numbers, which Laaffic calls by itself."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api import launching
from laaffic_console.api.documents import moment
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import KEY
from laaffic_console.api.handling.problems import Problem
from laaffic_console.api.handling.views import ApiView, row
from laaffic_console.api.models import Scope
from laaffic_console.api.shapes import LaunchRequest
from laaffic_console.api.voice import group_shapes
from voice.models import GroupTask, TaskState
from voice.models.group_tasks import OVER
from voice.services.group_calls import launching as group_launching
from voice.services.group_calls import starting as group_start
from voice.services.group_calls import tasks as group_tasks
from voice.services.group_calls.tasks import CancelUnknown

VIEW, ADD, LAUNCH = "voice.view_grouptask", "voice.add_grouptask", "voice.launch_grouptask"


def every() -> Any:
    """All tasks, templates too."""
    related = GroupTask.objects.select_related("application", "entry", "calendar", "audio", "sms_application")
    return related.defer("audio__content")


def rows() -> Any:
    return every().filter(is_template=False)


class GroupCallCheckView(ApiView):
    """What the page before the launch shows."""

    scopes = {"GET": Scope.READ}
    rights = {"GET": [VIEW]}

    @extend_schema(responses=group_shapes.GroupCallCheckAnswer)
    def get(self, request: Any, pk: int) -> Response:
        """Whose phones would ring and when, what it costs, and what the launch checks find."""
        task = full(pk)
        launching.require_draft(task, TaskState.DRAFT)
        planned = group_start.planned(task)
        return Response(
            {
                "id": pk,
                "recipients": len(planned.numbers),
                "suppressed": planned.called.suppressed,
                "no_consent": planned.called.no_consent,
                "capped": planned.called.capped,
                "starts_at": moment(planned.start),
                "cost": {currency: str(total) for currency, total in planned.cost.by_currency.items()},
                **launching.shown(task, group_tasks.shown_digest(task, planned.numbers), planned.checks),
            }
        )


def full(pk: int) -> GroupTask:
    return row(GroupTask.objects.filter(is_template=False).select_related(*group_launching.RELATED), pk)


class GroupCallLaunchView(ApiView):
    scopes = {"POST": Scope.VOICE}
    rights = {"POST": [VIEW, LAUNCH]}

    @extend_schema(parameters=[KEY], request=LaunchRequest, responses=group_shapes.GroupCallStanding)
    def post(self, request: Any, pk: int) -> Response:
        """Hand a draft to Laaffic; with “shown” only if it still does what “check” has shown."""
        asked = self.read(LaunchRequest)
        answer = self.once_stepped(lambda: _launch(pk, asked, request.user), lambda: standing(full(pk)))
        return Response(answer.body, answer.status)


def _launch(pk: int, asked: dict[str, Any], by: Any) -> Answer:
    """Launch the task; one that was launched is left as it is, as its name at Laaffic is used once."""

    def step(task: GroupTask) -> GroupTask:
        seen = None
        with launching.refusing():
            if "shown" in asked:
                seen, sentences = launching.read(task, asked)
                planned = group_start.planned(task)
                if seen != group_tasks.shown_digest(task, planned.numbers):
                    group_tasks.not_as_shown()
                launching.require_seen(planned.checks, asked, sentences)
            told = {"again": launching.again(asked), "undo_seconds": asked["undo_seconds"]}
            return group_tasks.launch(pk, by=by, seen=seen, **told)

    launched = launching.take_step(lambda: full(pk), step, is_done=lambda task: task.state != TaskState.DRAFT)
    if launched.state == TaskState.DRAFT:
        raise Problem(409, str(group_tasks.advice(launched)))
    return standing(launched)


def standing(task: GroupTask) -> Answer:
    return Answer(200, {"id": task.pk, "state": task.state})


class GroupCallCancelView(ApiView):
    scopes = {"POST": Scope.VOICE}
    rights = {"POST": [VIEW, LAUNCH]}

    @extend_schema(parameters=[KEY], request=None, responses=group_shapes.GroupCallStanding)
    def post(self, request: Any, pk: int) -> Response:
        """Take back a launch that has not left, or have Laaffic stop it: calls that ring go on. What is over stays."""
        answer = self.once(lambda: _cancel(pk, request.user), in_one=False)
        return Response(answer.body, answer.status)


def _cancel(pk: int, by: Any) -> Answer:
    def step(task: GroupTask) -> GroupTask:
        return group_tasks.stop(task.pk, by=by)

    try:
        return standing(launching.take_step(lambda: full(pk), step, is_done=lambda task: task.state in OVER))
    except CancelUnknown as problem:
        raise Problem(503, " ".join(problem.messages), retry_after=30) from problem
