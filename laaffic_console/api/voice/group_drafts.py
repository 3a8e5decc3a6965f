"""Drafts and templates of group calls: written, edited, deleted, and made from other tasks."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api import launching
from laaffic_console.api.campaigns.channels.spoken import OTHER_LANGUAGE
from laaffic_console.api.handling import lookups, problems
from laaffic_console.api.handling.changing import locked
from laaffic_console.api.handling.filters import narrowed
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import IF_MATCH, KEY
from laaffic_console.api.handling.views import ApiView, page, row
from laaffic_console.api.models import Scope
from laaffic_console.api.shapes import page_of
from laaffic_console.api.voice import documents, group_shapes
from laaffic_console.api.voice.group_views import ADD, LAUNCH, VIEW, every
from laaffic_console.gateway.models import Channel
from voice.models import Announcement, AudioFile, GroupTask
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import copies as group_copies
from voice.services.group_calls import tasks as group_tasks
from voice.services.group_calls.callees import Audience
from voice.services.spoken.options import GENDERS

WRITE = [VIEW, ADD]
LOOK_AT_GROUPS = "messaging.view_contactgroup"
DELETE = "voice.delete_grouptask"
# Names that requests have for the fields of a task that are kept as given.
OWN = {
    "name": "name",
    "accent": "accent",
    "speed": "speaking_rate",
    "times": "loop_count",
    "silence_before": "delay_play",
    "silence_after": "delay_hangup",
    "longest_seconds": "max_talk",
    "ring_seconds": "max_ringing_time",
    "display_number": "display_number",
    "scheduled_at": "send_at",
    "windows": "windows",
    "not_after": "latest_end",
    "purpose": "purpose",
}
NAMES = {
    **{field: name for name, field in OWN.items()},
    "numbers": "to",
    "sms_application": "sms.application",
    "sms_text": "sms.text",
    "sms_sender_id": "sms.sender_id",
    "sms_on_answer": "sms.on_answer_seconds",
    "sms_answer_seconds": "sms.on_answer_seconds",
    "sms_key": "sms.on_key",
    "agent_group": "transfer.agent_group",
    "agent_key": "transfer.key",
    "callout_rate": "transfer.callout_rate",
    "outbound_control": "transfer.in_proportion",
}


class GroupCallsView(ApiView):
    names = NAMES
    scopes = {"GET": Scope.READ, "POST": Scope.VOICE}
    rights = {"GET": [VIEW], "POST": WRITE}

    @extend_schema(
        operation_id="group_calls_list",
        parameters=[group_shapes.GroupCallQuery],
        responses=page_of(group_shapes.GroupCall),
    )
    def get(self, request: Any) -> Response:
        """The newest first; templates only if you ask for them."""
        query = self.read(group_shapes.GroupCallQuery, request.query_params.dict())
        found = narrowed(every(), query, state="state")
        if query["is_template"] is not None:
            found = found.filter(is_template=query["is_template"])
        return Response(page(found, query, documents.group_call))

    @extend_schema(parameters=[KEY], request=group_shapes.GroupCallRequest, responses={201: group_shapes.GroupCall})
    def post(self, request: Any) -> Response:
        """Make a draft. Nobody is called before a launch. Send a key: repeated without it, it makes another draft."""
        asked = self.read(group_shapes.GroupCallRequest)
        _require_sight_of_groups(request.user, asked)

        def work() -> Answer:
            task = GroupTask(**_fields(asked))
            group_tasks.save(task, audience=_audience(asked, task), by=request.user)
            return Answer(201, {"id": task.pk})

        return _made(self.once(work))


def _require_sight_of_groups(user: Any, asked: dict[str, Any]) -> None:
    """Refuse groups to a user who may not see them, as on the page: such a user gives numbers instead."""
    if asked.get("groups") and not user.has_perm(LOOK_AT_GROUPS):
        raise PermissionDenied


def _made(answer: Answer) -> Response:
    return Response(documents.group_call(row(every(), answer.body["id"])), answer.status)


def _fields(asked: dict[str, Any]) -> dict[str, Any]:
    """The fields of a task that a request names."""
    fields = {OWN[name]: value for name, value in asked.items() if name in OWN}
    if "application" in asked:
        fields["application"] = lookups.application(asked["application"], Channel.VOICE)
    if "calendar" in asked:
        fields["calendar"] = lookups.calendar(asked["calendar"])
    if spoken_in := asked.get(OTHER_LANGUAGE, asked.get("language")):
        fields["language"] = spoken_in
    if "gender" in asked:
        fields["gender"] = GENDERS.get(asked["gender"] or "")
    parts = {"text": _spoken, "audio": _played, "sms": _sms, "transfer": _transfer}
    return fields | {name: value for part, of in parts.items() if part in asked for name, value in of(asked).items()}


def _audience(asked: dict[str, Any], task: GroupTask) -> Audience | None:
    """The numbers and groups that a task is given; None if its numbers stay as they are."""
    if not (asked.get("groups") or "to" in asked):
        return None
    return group_callees.gather(
        groups=lookups.groups(asked.get("groups", [])),
        each=asked.get("to", []),
        skip_invalid=asked.get("skip_invalid", False),
        to_skip=_("Correct them, or send “skip_invalid”: true."),
        with_sms=task.hang_up_sms,
    )


def _spoken(asked: dict[str, Any]) -> dict[str, Any]:
    return {"source": Announcement.TEXT, "text": asked["text"]}


def _played(asked: dict[str, Any]) -> dict[str, Any]:
    kept = AudioFile.objects.filter(name=asked["audio"]).first()
    if kept is None:
        said = _("The library has no file “%(name)s”. Add it first.")
        raise problems.at("audio", said % {"name": asked["audio"]})
    in_request = asked.get("in_request", False)
    return {"source": Announcement.IN_REQUEST if in_request else Announcement.LIBRARY, "audio": kept}


def _sms(asked: dict[str, Any]) -> dict[str, Any]:
    sms = asked["sms"]
    if sms is None:
        return {"hang_up_sms": False}
    seconds, key = sms.get("on_answer_seconds"), sms.get("on_key")
    return {
        "hang_up_sms": True,
        "sms_application": lookups.application(sms["application"], field="sms.application"),
        "sms_text": sms["text"],
        "sms_sender_id": sms["sender_id"],
        "sms_on_answer": seconds is not None,
        **({} if seconds is None else {"sms_answer_seconds": seconds}),
        "sms_on_key": key is not None,
        **({} if key is None else {"sms_key": key}),
        "sms_on_failure": sms["on_failure"],
        "sms_on_ringing": sms["on_ringing"],
    }


def _transfer(asked: dict[str, Any]) -> dict[str, Any]:
    to = asked["transfer"]
    if to is None:
        return {"to_agent": False}
    return {
        "to_agent": True,
        "agent_group": to["agent_group"],
        "agent_on_key": "key" in to,
        "agent_key": to.get("key", 0),
        "callout_rate": to["callout_rate"],
        "outbound_control": to["in_proportion"],
    }


class GroupCallView(ApiView):
    names = NAMES
    scopes = {"GET": Scope.READ, "PATCH": Scope.VOICE, "DELETE": Scope.VOICE}
    rights = {"GET": [VIEW], "PATCH": WRITE, "DELETE": [VIEW, DELETE]}
    has_etag = True

    @extend_schema(responses=group_shapes.GroupCall)
    def get(self, request: Any, pk: int) -> Response:
        """The state of a group call, as Laaffic last reported it."""
        return Response(documents.group_call(row(every(), pk)))

    @extend_schema(parameters=[KEY, IF_MATCH], request=group_shapes.GroupCallChange, responses=group_shapes.GroupCall)
    def patch(self, request: Any, pk: int) -> Response:
        """Edit a draft or a template, if it is still as it was seen. What you leave out stays."""
        asked = self.read(group_shapes.GroupCallChange)
        seen = asked.pop("seen")
        _require_sight_of_groups(request.user, asked)

        def work() -> Answer:
            # A caller who names another file leaves as it was whether the file travels with the task.
            said = {"in_request": row(every(), pk).source == Announcement.IN_REQUEST, **asked}
            about = {"audience_for": lambda task: _audience(asked, task), "seen": seen, "by": request.user}
            group_tasks.edit(pk, _fields(said), **about)
            return Answer(200, {"id": pk})

        return _made(self.once(work))

    @extend_schema(parameters=[KEY, IF_MATCH], request=None, responses={204: None})
    def delete(self, request: Any, pk: int) -> Response:
        """Delete a template, or a draft that nobody tried to launch."""

        def work() -> Answer:
            locked(self, every(), pk, documents.group_call)
            group_tasks.discard(pk)
            return Answer(204, {})

        return Response(status=self.once(work).status)


class MadeFromView(ApiView):
    """A draft made from another task, which a person or a script looks at before it is launched."""

    scopes = {"POST": Scope.VOICE}
    rights = {"POST": [VIEW, ADD, LAUNCH]}

    def made(self, pk: int, make: Any) -> Response:
        def work() -> Answer:
            task = row(every(), pk)
            with launching.refusing():
                return Answer(201, {"id": make(task, by=self.request.user).pk})

        return _made(self.once(work))


class CopyGroupCallView(MadeFromView):
    rights = {"POST": [VIEW, ADD]}

    @extend_schema(parameters=[KEY], request=group_shapes.CopyRequest, responses={201: group_shapes.GroupCall})
    def post(self, request: Any, pk: int) -> Response:
        """Make a new draft like it, to the same numbers or to those not reached; from a template, one without numbers.

        Send a key: repeated without one, it makes another draft.
        """
        unreached = self.read(group_shapes.CopyRequest)["unreached"]
        return self.made(pk, lambda task, by: group_copies.new_from(task, unreached_only=unreached, by=by))


class RepeatGroupCallView(MadeFromView):
    @extend_schema(parameters=[KEY], request=group_shapes.RepeatRequest, responses={201: group_shapes.GroupCall})
    def post(self, request: Any, pk: int) -> Response:
        """Make a draft of Laaffic's own repetition of a finished task, to all or to those not reached.

        If there is an open one already, the answer is that one.
        """
        unreached = self.read(group_shapes.RepeatRequest)["unreached"]
        return self.made(pk, lambda task, by: group_copies.again(task, failed_only=unreached, by=by))


class UpdateGroupCallView(MadeFromView):
    @extend_schema(parameters=[KEY], request=None, responses={201: group_shapes.GroupCall})
    def post(self, request: Any, pk: int) -> Response:
        """Make a draft that replaces a task which waits at Laaffic; an open one, if there is one already."""
        return self.made(pk, group_copies.update_of)


class KeepTemplateView(MadeFromView):
    rights = {"POST": [VIEW, ADD]}

    @extend_schema(parameters=[KEY], request=None, responses={201: group_shapes.GroupCall})
    def post(self, request: Any, pk: int) -> Response:
        """Keep the announcement and its settings as a template, without numbers and time.

        Send a key: repeated without one, it makes another template.
        """
        return self.made(pk, group_copies.template)
