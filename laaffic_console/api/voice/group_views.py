"""Group calls: one announcement to many numbers, which Laaffic calls by itself."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api import launching
from laaffic_console.api import lookups as named
from laaffic_console.api.documents import moment
from laaffic_console.api.filters import narrowed
from laaffic_console.api.idempotency import Answer
from laaffic_console.api.message_views import KEY
from laaffic_console.api.models import Scope
from laaffic_console.api.problems import Problem
from laaffic_console.api.shapes import LaunchRequest, page_of
from laaffic_console.api.views import ApiView, page, row
from laaffic_console.api.voice import documents, shapes
from laaffic_console.gateway.models import Channel
from laaffic_console.kit.plain_text import capitals
from voice.models import Announcement, AudioFile, GroupTask, TaskState
from voice.models.group_tasks import OVER
from voice.services.group_calls import launching as group_launching
from voice.services.group_calls import numbers as group_numbers
from voice.services.group_calls import starting as group_start
from voice.services.group_calls import tasks as group_tasks
from voice.services.group_calls import waiting as group_waiting
from voice.services.group_calls.launching import NotApproved, OverBudget
from voice.services.group_calls.tasks import CancelUnknown, NotAsShown

VIEW, ADD, LAUNCH = "voice.view_grouptask", "voice.add_grouptask", "voice.launch_grouptask"


def _rows() -> Any:
    return GroupTask.objects.filter(is_template=False).select_related("application", "entry", "calendar")


class GroupCallsView(ApiView):
    names = {"numbers": "to", "send_at": "scheduled_at", "max_talk": "longest_seconds", "latest_end": "not_after"}
    scopes = {"GET": Scope.READ, "POST": Scope.VOICE}
    rights = {"GET": [VIEW], "POST": [VIEW, ADD, "messaging.view_contactgroup"]}

    @extend_schema(
        operation_id="group_calls_list", parameters=[shapes.GroupCallQuery], responses=page_of(shapes.GroupCall)
    )
    def get(self, request: Any) -> Response:
        """The newest first."""
        query = self.read(shapes.GroupCallQuery, request.query_params.dict())
        rows = narrowed(_rows(), query, state="state")
        return Response(page(rows, query, documents.group_call))

    @extend_schema(parameters=[KEY], request=shapes.GroupCallRequest, responses={201: shapes.GroupCall})
    def post(self, request: Any) -> Response:
        """A draft. Nobody is called before it is launched."""
        asked = self.read(shapes.GroupCallRequest)
        answer = self.once(lambda: _create(asked, request.user))
        return Response(documents.group_call(row(_rows(), answer.body["id"])), answer.status)


def _create(asked: dict[str, Any], by: Any) -> Answer:
    task = GroupTask(
        name=asked["name"],
        application=named.application(asked["application"], Channel.VOICE),
        **_played(asked),
        language=capitals(asked["language"]),
        speaking_rate=asked["speed"],
        loop_count=asked["times"],
        max_talk=asked["longest_seconds"],
        max_ringing_time=asked["ring_seconds"],
        display_number=asked["display_number"],
        send_at=asked.get("scheduled_at"),
        windows=asked.get("windows", []),
        **named.care(asked),
        **_sms(asked.get("sms")),
        **_transfer(asked.get("transfer")),
    )
    audience = group_numbers.gather(
        groups=named.groups(asked["groups"]),
        pasted="\n".join(asked.get("to", [])),
        skip_invalid=asked["skip_invalid"],
        with_sms=task.hang_up_sms,
    )
    group_tasks.save(task, audience=audience, by=by)
    return Answer(201, {"id": task.pk})


def _played(asked: dict[str, Any]) -> dict[str, Any]:
    if "text" in asked:
        return {"source": Announcement.TEXT, "text": asked["text"]}
    kept = AudioFile.objects.filter(name=asked["audio"]).first()
    if kept is None:
        raise Problem(400, _("The library has no file “%(name)s”. Add it first.") % {"name": asked["audio"]})
    return {"source": Announcement.IN_REQUEST if asked["in_request"] else Announcement.LIBRARY, "audio": kept}


def _sms(asked: dict[str, Any] | None) -> dict[str, Any]:
    if asked is None:
        return {}
    seconds, key = asked.get("on_answer_seconds"), asked.get("on_key")
    return {
        "hang_up_sms": True,
        "sms_application": named.application(asked["application"]),
        "sms_text": asked["text"],
        "sms_sender_id": asked["sender_id"],
        "sms_on_answer": seconds is not None,
        **({} if seconds is None else {"sms_answer_seconds": seconds}),
        "sms_on_key": key is not None,
        **({} if key is None else {"sms_key": key}),
        "sms_on_failure": asked["on_failure"],
        "sms_on_ringing": asked["on_ringing"],
    }


def _transfer(asked: dict[str, Any] | None) -> dict[str, Any]:
    if asked is None:
        return {}
    told = {"agent_on_key": "key" in asked, "agent_key": asked.get("key", 0), "callout_rate": asked["callout_rate"]}
    return {"to_agent": True, "agent_group": asked["agent_group"], **told}


class GroupCallView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": [VIEW]}
    has_etag = True

    @extend_schema(responses=shapes.GroupCall)
    def get(self, request: Any, pk: int) -> Response:
        """How it stands, as Laaffic told last."""
        return Response(documents.group_call(row(_rows(), pk)))


class GroupCallCheckView(ApiView):
    """The page before the launch."""

    scopes = {"GET": Scope.READ}
    rights = {"GET": [VIEW]}

    @extend_schema(responses=shapes.GroupCallCheckAnswer)
    def get(self, request: Any, pk: int) -> Response:
        """Whose phones would ring and when, what it costs, and what stands against its launch."""
        task = _full(pk)
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


def _full(pk: int) -> GroupTask:
    return row(GroupTask.objects.filter(is_template=False).select_related(*group_launching.RELATED), pk)


class GroupCallLaunchView(ApiView):
    scopes = {"POST": Scope.VOICE}
    rights = {"POST": [VIEW, LAUNCH]}

    @extend_schema(parameters=[KEY], request=LaunchRequest, responses=shapes.GroupCallStanding)
    def post(self, request: Any, pk: int) -> Response:
        """Hand a draft to Laaffic; with “shown” only if it still does what “check” has shown."""
        asked = self.read(LaunchRequest)
        _full(pk)
        answer = self.once(lambda: _launch(pk, asked, request.user), in_one=False)
        return Response(answer.body, answer.status)


def _launch(pk: int, asked: dict[str, Any], by: Any) -> Answer:
    """One that was launched is left as it is: its name at Laaffic is used once."""
    task, seen = _full(pk), None
    if task.state != TaskState.DRAFT:
        return _standing(task)
    try:
        if "shown" in asked:
            seen, sentences = launching.read(task, asked)
            planned = group_start.planned(task)
            if seen != group_tasks.shown_digest(task, planned.numbers):
                group_tasks.not_as_shown()
            launching.require_seen(planned.checks, asked, sentences)
        launched = group_tasks.launch(pk, by=by, seen=seen, again=asked["again"])
    except (NotAsShown, NotApproved, OverBudget) as problem:
        raise Problem(409, " ".join(problem.messages)) from problem
    if launched.state == TaskState.DRAFT:
        raise Problem(409, str(group_tasks.advice(launched)))
    return _standing(launched)


def _standing(task: GroupTask) -> Answer:
    return Answer(200, {"id": task.pk, "state": task.state})


class GroupCallCancelView(ApiView):
    scopes = {"POST": Scope.VOICE}
    rights = {"POST": [VIEW, LAUNCH]}

    @extend_schema(parameters=[KEY], request=None, responses=shapes.GroupCallStanding)
    def post(self, request: Any, pk: int) -> Response:
        """Take back what has not left, or have Laaffic stop it: calls that ring go on. What is over stays so."""
        _full(pk)
        answer = self.once(lambda: _cancel(pk, request.user), in_one=False)
        return Response(answer.body, answer.status)


def _cancel(pk: int, by: Any) -> Answer:
    task = _full(pk)
    if task.state in OVER:
        return _standing(task)
    try:
        if task.state in (TaskState.LAUNCHED, TaskState.HELD):
            return _standing(group_waiting.take_back(pk, by=by))
        return _standing(group_tasks.cancel(pk, by=by))
    except CancelUnknown as problem:
        raise Problem(503, " ".join(problem.messages), retry_after=30) from problem
    except ValidationError as problem:
        raise Problem(409, " ".join(problem.messages)) from problem
