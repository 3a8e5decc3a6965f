"""What is done to a launched group call: taken back, tried again, let go, asked about, settled by a person's word."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api import launching
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import KEY
from laaffic_console.api.handling.problems import Problem
from laaffic_console.api.handling.views import ApiView, ListQuery, by_position, row
from laaffic_console.api.models import Scope
from laaffic_console.api.shapes import WhyRequest, page_of
from laaffic_console.api.voice import documents, group_shapes
from laaffic_console.api.voice.group_views import LAUNCH, VIEW, rows, standing
from laaffic_console.kit.files.exporting import rights as export_rights
from voice.models import CallRecord, GroupTask, TaskState
from voice.services.asking import lookups
from voice.services.asking.lookups import AskFailed
from voice.services.group_calls import tasks as group_tasks
from voice.services.group_calls import waiting as group_waiting

APPROVE, ASK = "voice.approve_grouptask", "voice.change_grouptask"
WORDS = {
    "not_there": (group_tasks.not_there, TaskState.DRAFT),
    "over": (group_tasks.say_over, TaskState.FINISHED),
}


class GroupCallStepView(ApiView):
    scopes = {"POST": Scope.VOICE}
    rights = {"POST": [VIEW, LAUNCH]}

    def take_step(
        self, pk: int, step: Callable[[GroupTask], GroupTask], *, is_done: Callable[[GroupTask], bool]
    ) -> Response:
        def work() -> Answer:
            return standing(launching.take_step(lambda: row(rows(), pk), step, is_done=is_done))

        answer = self.once_stepped(work, lambda: standing(row(rows(), pk)))
        return Response(answer.body, answer.status)


class TakeBackGroupCallView(GroupCallStepView):
    @extend_schema(parameters=[KEY], request=None, responses=group_shapes.GroupCallStanding)
    def post(self, request: Any, pk: int) -> Response:
        """Make a launch a draft again while nothing of it has left."""

        def step(task: GroupTask) -> GroupTask:
            return group_waiting.take_back(task.pk, by=request.user)

        return self.take_step(pk, step, is_done=lambda task: task.state == TaskState.DRAFT)


class ResumeGroupCallView(GroupCallStepView):
    @extend_schema(
        parameters=[KEY], request=group_shapes.ResumeGroupCallRequest, responses=group_shapes.GroupCallStanding
    )
    def post(self, request: Any, pk: int) -> Response:
        """Try a held launch again."""
        asked = self.read(group_shapes.ResumeGroupCallRequest)

        def step(task: GroupTask) -> GroupTask:
            return group_waiting.resume(task.pk, by=request.user, **asked)

        return self.take_step(pk, step, is_done=lambda task: task.state not in (TaskState.HELD, TaskState.DRAFT))


class GroupCallOutsideHoursView(GroupCallStepView):
    scopes = {"POST": Scope.APPROVE}
    rights = {"POST": [VIEW, APPROVE]}

    @extend_schema(parameters=[KEY], request=WhyRequest, responses=group_shapes.GroupCallStanding)
    def post(self, request: Any, pk: int) -> Response:
        """Let a group call leave outside people's hours: once, for this task, and with a reason."""
        reason = self.read(WhyRequest)["reason"]

        def step(task: GroupTask) -> GroupTask:
            return group_waiting.start_outside_hours(task.pk, reason=reason, by=request.user)

        return self.take_step(pk, step, is_done=lambda task: task.outside_hours)


class AskGroupCallView(ApiView):
    scopes = {"POST": Scope.VOICE}
    rights = {"POST": [VIEW, ASK]}

    @extend_schema(parameters=[KEY], request=None, responses=group_shapes.GroupCall)
    def post(self, request: Any, pk: int) -> Response:
        """Ask Laaffic for the group call's state now, and keep the answer."""

        def work() -> Answer:
            try:
                lookups.about_task(row(rows(), pk))
            except AskFailed as problem:
                raise Problem(409, str(problem)) from problem
            return Answer(200, {"id": pk})

        answer = self.once(work, in_one=False)
        return Response(documents.group_call(row(rows(), pk)), answer.status)


class LostGroupCallView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.VOICE}
    rights = {"GET": [VIEW], "POST": [VIEW, LAUNCH]}

    @extend_schema(responses=group_shapes.LostGroupCall)
    def get(self, request: Any, pk: int) -> Response:
        """The group call's requests to Laaffic with the evidence for each, and how often its name was looked for."""
        return Response(documents.lost_group_call(row(rows(), pk)))

    @extend_schema(
        parameters=[KEY], request=group_shapes.GroupCallWordRequest, responses=group_shapes.GroupCallStanding
    )
    def post(self, request: Any, pk: int) -> Response:
        """Say what you know about a launch whose answer was lost, or about a task that Laaffic no longer lists."""
        asked = self.read(group_shapes.GroupCallWordRequest)
        answer = self.once(lambda: _settled(pk, asked, request.user))
        return Response(answer.body, answer.status)


def _settled(pk: int, asked: dict[str, Any], by: Any) -> Answer:
    settle, leads_to = WORDS[asked["word"]]

    def find() -> GroupTask:
        return row(rows(), pk)

    def step(task: GroupTask) -> GroupTask:
        settle(task.pk, why=asked["reason"], by=by, seen=asked["seen"])
        return find()

    def is_done(task: GroupTask) -> bool:
        return (task.state, task.entry_id or 0) == (leads_to, asked["seen"])

    return standing(launching.take_step(find, step, is_done=is_done))


class CalleesView(ApiView):
    """Shows all the numbers, as the export does, and takes the same rights."""

    scopes = {"GET": Scope.READ}
    rights = {"GET": [VIEW, *export_rights(GroupTask), *export_rights(CallRecord)]}

    @extend_schema(parameters=[ListQuery], responses=page_of(group_shapes.Callee))
    def get(self, request: Any, pk: int) -> Response:
        """Each number of a group call with what happened to the calls to it, in the task's order."""
        query = self.read(ListQuery, request.query_params.dict())
        task = row(rows(), pk)
        return Response(by_position(query, task.number_count, lambda start, end: documents.callees(task, start, end)))
