"""A second person's word, asked for and given by scripts: the same for every kind of draft."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from laaffic_console.api.documents import moment
from laaffic_console.api.idempotency import Answer
from laaffic_console.api.message_views import KEY
from laaffic_console.api.models import Scope
from laaffic_console.api.problems import Problem
from laaffic_console.api.views import ApiView, row
from messaging.models import Approval
from messaging.services.approvals import approvable, approval_rules, approvals

Outcome = Approval.Outcome


class AskRequest(serializers.Serializer):
    note = serializers.CharField(max_length=200, required=False, allow_blank=True, default="", help_text="to approvers")


class ApproveRequest(serializers.Serializer):
    seen = serializers.CharField(max_length=100, help_text="of GET …/approval: nothing else is approved")
    note = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class RefuseRequest(serializers.Serializer):
    seen = serializers.CharField(max_length=100, help_text="of GET …/approval: nothing else is refused")
    note = serializers.CharField(max_length=300, help_text="why: the person who asked will read it")


class ApprovalState(serializers.Serializer):
    id = serializers.IntegerField(help_text="of the draft")
    needed = serializers.CharField(allow_blank=True, help_text="why a second person is needed; empty: one is enough")
    missing = serializers.CharField(allow_blank=True, help_text="what stands against the launch")
    outcome = serializers.ChoiceField(choices=Outcome.choices, allow_null=True, help_text="of what was asked last")
    recipients = serializers.IntegerField(allow_null=True)
    cost = serializers.CharField(allow_blank=True)
    asked_by = serializers.CharField(allow_null=True)
    asked_at = serializers.DateTimeField(allow_null=True)
    asked_note = serializers.CharField(allow_blank=True)
    decided_by = serializers.CharField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    note = serializers.CharField(allow_blank=True, help_text="what was said with the decision")
    seen = serializers.CharField(allow_null=True, help_text="send it with a decision: nothing else is decided")


def document(draft: Any) -> dict[str, Any]:
    standing = approval_rules.standing(draft) if draft.state == approvable.DRAFT else None
    asked = standing.approval if standing else approval_rules.latest(draft)
    return {
        "id": draft.pk,
        "needed": standing.needed if standing else "",
        "missing": standing.missing if standing else "",
        **_of_approval(asked),
    }


def _of_approval(asked: Approval | None) -> dict[str, Any]:
    if asked is None:
        nothing = dict.fromkeys(("outcome", "recipients", "asked_by", "asked_at", "decided_by", "decided_at", "seen"))
        return {**nothing, "cost": "", "asked_note": "", "note": ""}
    return {
        **{name: getattr(asked, name) for name in ("outcome", "recipients", "cost", "asked_note", "note")},
        "asked_by": asked.asked_by.get_username() if asked.asked_by else None,
        "asked_at": moment(asked.asked_at),
        "decided_by": asked.decided_by.get_username() if asked.decided_by else None,
        "decided_at": moment(asked.decided_at),
        "seen": ".".join(approvals.identity(asked)),
    }


class OfDraftView(ApiView):
    rows: ClassVar[Any]  # the drafts of its kind

    def draft(self, pk: int) -> Any:
        return row(type(self).rows(), pk)

    def done(self, pk: int, work: Callable[[Any], None]) -> Response:
        def once() -> Answer:
            work(self.draft(pk))
            return Answer(200, {"id": pk})

        answer = self.once(once, in_one=False)
        return Response(document(self.draft(pk)), answer.status)


class ApprovalView(OfDraftView):
    @extend_schema(responses=ApprovalState)
    def get(self, request: Any, pk: int) -> Response:
        """Whether a second person has to approve the draft, what was asked for last, and what was decided."""
        return Response(document(self.draft(pk)))


class AskView(OfDraftView):
    @extend_schema(parameters=[KEY], request=AskRequest, responses=ApprovalState)
    def post(self, request: Any, pk: int) -> Response:
        """Ask a second person to approve the draft as it stands. What this user has asked for already still counts."""
        note = self.read(AskRequest)["note"]

        def ask(draft: Any) -> None:
            if not approvals.is_asked_by(draft, request.user):
                approvals.ask(draft.pk, by=request.user, note=note, model=type(draft))

        return self.done(pk, ask)


class DecideView(OfDraftView):
    outcome: ClassVar[str]

    def decide(self, request: Any, pk: int, asked: dict[str, Any]) -> Response:
        seen, approve = _read(asked["seen"]), self.outcome == Outcome.APPROVED

        def decide(draft: Any) -> None:
            if not _is_decided(draft, self.outcome, seen, request.user):
                note = asked["note"]
                approvals.decide(draft.pk, by=request.user, approve=approve, note=note, seen=seen, model=type(draft))

        return self.done(pk, decide)


class ApproveView(DecideView):
    outcome = Outcome.APPROVED

    @extend_schema(parameters=[KEY], request=ApproveRequest, responses=ApprovalState)
    def post(self, request: Any, pk: int) -> Response:
        """Approve what was seen. Nobody approves what they wrote or asked for themselves."""
        return self.decide(request, pk, self.read(ApproveRequest))


class RefuseView(DecideView):
    outcome = Outcome.REFUSED

    @extend_schema(parameters=[KEY], request=RefuseRequest, responses=ApprovalState)
    def post(self, request: Any, pk: int) -> Response:
        """Refuse what was seen, and say why."""
        return self.decide(request, pk, self.read(RefuseRequest))


def _read(seen: str) -> tuple[str, str]:
    approval, dot, digest = seen.partition(".")
    if not dot:
        raise Problem(400, _("“seen” does not belong to this draft. Take it from GET …/approval."))
    return approval, digest


def _is_decided(draft: Any, outcome: str, seen: tuple[str, str], by: Any) -> bool:
    last = approval_rules.latest(draft)
    is_own = last is not None and (last.outcome, last.decided_by_id) == (outcome, by.pk)
    return is_own and last is not None and approvals.identity(last) == seen


def views_of(
    model: type[models.Model], rows: Callable[[], models.QuerySet[Any]], scope: Scope
) -> dict[str, type[ApiView]]:
    """The addresses of one kind of draft, behind its own, with the rights of its pages."""
    label, name = model._meta.app_label, model._meta.model_name
    view, launch, approve = (f"{label}.{verb}_{name}" for verb in ("view", "launch", "approve"))

    def made(base: type[OfDraftView], method: str, right: str) -> type[ApiView]:
        own = {
            "rows": staticmethod(rows),
            "scopes": {method: Scope.READ if method == "GET" else scope},
            "rights": {method: list(dict.fromkeys([view, right]))},
            "__doc__": base.__doc__,
            "__module__": __name__,
        }
        return type(f"{model.__name__}{base.__name__}", (base,), own)

    return {
        "/<int:pk>/approval": made(ApprovalView, "GET", view),
        "/<int:pk>/approval/ask": made(AskView, "POST", launch),
        "/<int:pk>/approval/approve": made(ApproveView, "POST", approve),
        "/<int:pk>/approval/refuse": made(RefuseView, "POST", approve),
    }
