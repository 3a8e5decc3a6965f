"""What is done to an email campaign after its launch: taken back, edited again, let go, settled by a person's word."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api import launching
from laaffic_console.api.email import documents, shapes
from laaffic_console.api.email.drafts import CHANGE
from laaffic_console.api.email.views import LAUNCH, VIEW, EmailStepView, State, drafts, standing, stands
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import KEY
from laaffic_console.api.handling.views import ApiView, row
from laaffic_console.api.models import Scope
from laaffic_console.api.shapes import WhyRequest
from messaging.models import EmailCampaign
from messaging.services.email import campaigns as email_campaigns
from messaging.services.email import starting as email_starting

APPROVE, RESOLVE = "messaging.approve_emailcampaign", "messaging.resolve_emailcampaign"
WORDS = {
    "send_again": (email_campaigns.send_again, State.SENDING),
    "write_off": (email_campaigns.write_off, State.CANCELLED),
}


class TakeBackEmailView(EmailStepView):
    step, leads_to = staticmethod(email_starting.take_back), (State.DRAFT,)

    @extend_schema(parameters=[KEY], request=None, responses=shapes.EmailStanding)
    def post(self, request: Any, pk: int) -> Response:
        """Make a launch a draft again: it is held, or waits for its time, its hours or the end of its undo window."""
        return self.take_step(request, pk)


class EditEmailView(EmailStepView):
    rights = {"POST": [VIEW, LAUNCH, CHANGE]}
    step, leads_to = staticmethod(email_starting.edit_again), (State.DRAFT,)

    @extend_schema(parameters=[KEY], request=None, responses=shapes.EmailStanding)
    def post(self, request: Any, pk: int) -> Response:
        """Make a launch a draft again that is held or waits for its time, so that it can be edited."""
        return self.take_step(request, pk)


class EmailOutsideHoursView(EmailStepView):
    scopes = {"POST": Scope.APPROVE}
    rights = {"POST": [VIEW, APPROVE]}
    step = staticmethod(email_starting.send_outside_hours)

    @extend_schema(parameters=[KEY], request=WhyRequest, responses=shapes.EmailStanding)
    def post(self, request: Any, pk: int) -> Response:
        """Let a campaign leave outside its calendar's hours: once, for this campaign, and with a reason."""
        return self.take_step(request, pk, **self.read(WhyRequest))

    def is_done(self, campaign: EmailCampaign) -> bool:
        return campaign.outside_hours


class LostEmailView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.APPROVE}
    rights = {"GET": [VIEW], "POST": [VIEW, RESOLVE]}

    @extend_schema(responses=shapes.LostEmail)
    def get(self, request: Any, pk: int) -> Response:
        """The campaign's requests to Laaffic with the evidence for each, and whether its mails may have left."""
        return Response(documents.lost(row(drafts(), pk)))

    @extend_schema(parameters=[KEY], request=shapes.EmailWordRequest, responses=shapes.EmailStanding)
    def post(self, request: Any, pk: int) -> Response:
        """Settle a request whose answer was lost: it is sent again, or no longer waited for."""
        asked = self.read(shapes.EmailWordRequest)
        answer = self.once_stepped(lambda: _settled(pk, asked, request.user), lambda: stands(pk))
        return Response(answer.body, answer.status)


def _settled(pk: int, asked: dict[str, Any], by: Any) -> Answer:
    settle, leads_to = WORDS[asked["word"]]

    def step(campaign: EmailCampaign) -> Any:
        return settle(campaign.pk, reason=asked["reason"], seen=asked["seen"], by=by)

    def is_done(campaign: EmailCampaign) -> bool:
        return (campaign.state, campaign.entry_id or 0) == (leads_to, asked["seen"])

    return standing(launching.take_step(lambda: row(drafts(), pk), step, is_done=is_done))
