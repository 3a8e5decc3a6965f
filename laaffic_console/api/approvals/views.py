"""A second person's word on a draft: asked for, given and refused by the same services as on its page."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.db.models import Model
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api import launching
from laaffic_console.api.approvals import documents, shapes
from laaffic_console.api.handling.filters import narrowed
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import KEY
from laaffic_console.api.handling.views import ApiView, page, row
from laaffic_console.api.models import Scope
from laaffic_console.api.shapes import page_of
from messaging.models import Approval, Campaign
from messaging.models.about_drafts import DRAFTS
from messaging.services.approvals import approval_rules, approvals
from messaging.services.approvals.approvable import DRAFT


class ApprovalsView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": ["messaging.view_approval"]}

    @extend_schema(operation_id="approvals_list", parameters=[shapes.ApprovalQuery], responses=page_of(shapes.Approval))
    def get(self, request: Any) -> Response:
        """Requests for approval, the newest first; with “waits_for_me” those that the token's user may decide."""
        query = self.read(shapes.ApprovalQuery, request.query_params.dict())
        rows = approvals.waiting_for(request.user) if query["waits_for_me"] else Approval.objects.all()
        rows = approvals.seen_by(request.user, rows).select_related(*DRAFTS, "asked_by", "decided_by")
        rows = narrowed(rows, query, outcome="outcome")
        return Response(page(rows, query, documents.approval))


class OfDraftView(ApiView):
    """Base of the views about one kind of draft; each names the rights of its kind."""

    model: ClassVar[type[Model]]

    def draft(self, pk: int) -> Any:
        return row(self.model._default_manager.all(), pk)

    def latest(self, pk: int) -> Answer:
        """What was said last about the draft; if that is gone, nothing was asked for."""
        if (given := approval_rules.latest(self.draft(pk))) is None:
            raise Http404
        return Answer(200, documents.approval(given))


class StandingView(OfDraftView):
    scopes = {"GET": Scope.READ}

    @extend_schema(responses=shapes.ApprovalStanding)
    def get(self, request: Any, pk: int) -> Response:
        """Whether a draft needs a second person, and what was said about it."""
        draft = self.draft(pk)
        if draft.state == DRAFT and approval_rules.is_on():
            approval_rules.prepare(self.model, pk, within_request=True)
        return Response(documents.standing(draft))


def _taken(find: Callable[[], Approval | None], step: Callable[[], Approval]) -> Answer:
    given: Any = launching.take_step(find, lambda _none: step(), is_done=lambda found: found is not None)
    return Answer(200, documents.approval(given))


class AskView(OfDraftView):
    scopes = {"POST": Scope.CAMPAIGNS}

    @extend_schema(parameters=[KEY], request=shapes.AskRequest, responses=shapes.Approval)
    def post(self, request: Any, pk: int) -> Response:
        """Ask a second person to approve a draft as it stands; an earlier request for it becomes void."""
        asked = self.read(shapes.AskRequest)

        def find() -> Approval | None:
            return approvals.asked_already(self.draft(pk), by=request.user)

        def work() -> Answer:
            return _taken(find, lambda: approvals.ask(pk, by=request.user, note=asked["note"], model=self.model))

        answer = self.once_stepped(work, lambda: self.latest(pk))
        return Response(answer.body, answer.status)


class WithdrawView(OfDraftView):
    scopes = {"POST": Scope.CAMPAIGNS}

    @extend_schema(parameters=[KEY], request=shapes.WithdrawRequest, responses=shapes.Approval)
    def post(self, request: Any, pk: int) -> Response:
        """Take back a request for approval: nobody is asked to approve the draft any more."""
        asked = self.read(shapes.WithdrawRequest)
        seen = documents.read_seen(asked["seen"]) if "seen" in asked else None

        def find() -> Approval | None:
            return approvals.withdrawn_already(self.draft(pk), by=request.user, seen=seen)

        def work() -> Answer:
            return _taken(find, lambda: approvals.withdraw(pk, by=request.user, seen=seen, model=self.model))

        answer = self.once_stepped(work, lambda: self.latest(pk))
        return Response(answer.body, answer.status)


class DecideView(OfDraftView):
    scopes = {"POST": Scope.APPROVE}

    def decide(self, request: Any, pk: int, asked: dict[str, Any], *, approve: bool) -> Response:
        word = {"by": request.user, "approve": approve, "seen": documents.read_seen(asked["seen"])}

        def find() -> Approval | None:
            return approvals.said_already(self.draft(pk), **word)

        def work() -> Answer:
            return _taken(find, lambda: approvals.decide(pk, note=asked["note"], model=self.model, **word))

        answer = self.once_stepped(work, lambda: self.latest(pk))
        return Response(answer.body, answer.status)


class ApproveView(DecideView):
    @extend_schema(parameters=[KEY], request=shapes.ApproveRequest, responses=shapes.Approval)
    def post(self, request: Any, pk: int) -> Response:
        """Approve the draft as it was seen. Nobody approves what they wrote or asked for."""
        return self.decide(request, pk, self.read(shapes.ApproveRequest), approve=True)


class RefuseView(DecideView):
    @extend_schema(parameters=[KEY], request=shapes.RefuseRequest, responses=shapes.Approval)
    def post(self, request: Any, pk: int) -> Response:
        """Refuse the draft as it was seen, with a reason for the person who asked."""
        return self.decide(request, pk, self.read(shapes.RefuseRequest), approve=False)


LOOK, LAUNCH, APPROVE = (f"messaging.{verb}_campaign" for verb in ("view", "launch", "approve"))


class CampaignApprovalView(StandingView):
    model = Campaign
    rights = {"GET": [LOOK]}


class CampaignAskView(AskView):
    model = Campaign
    rights = {"POST": [LOOK, LAUNCH]}


class CampaignWithdrawView(WithdrawView):
    model = Campaign
    rights = {"POST": [LOOK, LAUNCH]}


class CampaignApproveView(ApproveView):
    model = Campaign
    rights = {"POST": [LOOK, APPROVE]}


class CampaignRefuseView(RefuseView):
    model = Campaign
    rights = {"POST": [LOOK, APPROVE]}
