"""What is done to a campaign that was launched, and what comes after it."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api import shapes
from laaffic_console.api.campaigns import documents
from laaffic_console.api.campaigns import shapes as own_shapes
from laaffic_console.api.campaigns.changing import rows
from laaffic_console.api.campaigns.views import ADD, LAUNCH, VIEW, StepView, standing
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import KEY
from laaffic_console.api.handling.views import ApiView, row
from laaffic_console.api.models import Scope
from messaging.models import Campaign, CampaignState
from messaging.services.campaigns import calendars, campaigns, canaries, drafts, follow_ups, starting

APPROVE = "messaging.approve_campaign"


class TakeBackView(StepView):
    step, leads_to = staticmethod(starting.take_back), (CampaignState.DRAFT,)

    @extend_schema(parameters=[KEY], request=None, responses=shapes.Standing)
    def post(self, request: Any, pk: int) -> Response:
        """Make a launch a draft again while nothing of it has begun: within its “undo_seconds”, or before its time."""
        return self.take_step(request, pk)


class GoOnView(StepView):
    step, leads_to = staticmethod(canaries.go_on), ()

    @extend_schema(parameters=[KEY], request=own_shapes.GoOnRequest, responses=shapes.Standing)
    def post(self, request: Any, pk: int) -> Response:
        """Send the rest without waiting for the reports of the few that were sent first."""
        return self.take_step(request, pk, **self.read(own_shapes.GoOnRequest))

    def is_done(self, campaign: Campaign) -> bool:
        return canaries.has_passed(campaign)


class OutsideHoursView(StepView):
    scopes = {"POST": Scope.APPROVE}
    rights = {"POST": [VIEW, APPROVE]}
    step, leads_to = staticmethod(calendars.send_outside_hours), ()

    @extend_schema(parameters=[KEY], request=own_shapes.OutsideHoursRequest, responses=shapes.Standing)
    def post(self, request: Any, pk: int) -> Response:
        """Let the campaign send now, once, whatever its hours say. It takes an approver's right."""
        return self.take_step(request, pk, **self.read(own_shapes.OutsideHoursRequest))

    def is_done(self, campaign: Campaign) -> bool:
        return campaign.outside_hours


class PaceView(ApiView):
    scopes = {"POST": Scope.CAMPAIGNS}
    rights = {"POST": [VIEW, LAUNCH]}

    @extend_schema(parameters=[KEY], request=own_shapes.PaceRequest, responses=own_shapes.Pace)
    def post(self, request: Any, pk: int) -> Response:
        """Set another rate, also while the campaign runs: it holds from the next batch on."""
        rate = self.read(own_shapes.PaceRequest)["rate_per_second"]

        def work() -> Answer:
            campaign = campaigns.change_pace(row(rows(), pk).pk, rate_per_second=rate, by=request.user)
            return Answer(200, {**standing(campaign).body, "rate_per_second": campaign.rate_per_second})

        answer = self.once(work)
        return Response(answer.body, answer.status)


class TestMessageView(ApiView):
    scopes = {"POST": Scope.CAMPAIGNS}
    rights = {"POST": [VIEW, LAUNCH, "messaging.view_contact"]}

    @extend_schema(parameters=[KEY], request=own_shapes.TestMessageRequest, responses={202: own_shapes.TestSent})
    def post(self, request: Any, pk: int) -> Response:
        """Send the text to one number, as a campaign of its own: the answer names that one.

        Repeated before it has left, the answer is the same; after that it is sent again, unless you send a key.
        """
        asked = self.read(own_shapes.TestMessageRequest)

        def work() -> Answer:
            draft = row(rows(), pk)
            test = starting.launch_test(draft, asked["number"], again=asked["again"], by=request.user)
            return Answer(202, standing(test).body)

        answer = self.once(work)
        return Response({**answer.body, **self.unkeyed_note()}, answer.status)


class FollowUpView(ApiView):
    """A draft that comes after a campaign; nothing of it is sent before it is launched."""

    scopes = {"POST": Scope.CAMPAIGNS}
    rights = {"POST": [VIEW, ADD]}

    def drafted(self, request: Any, pk: int, make: Callable[..., Campaign], **asked: Any) -> Response:
        """Make the draft outside one transaction: recipients are copied in parts, and senders can write in between."""

        def work() -> Answer:
            return told(make(row(rows(), pk).pk, by=request.user, **asked))

        def told(draft: Campaign) -> Answer:
            return Answer(201, documents.whole(draft))

        answer = self.once_made(
            work,
            lambda note: drafts.noting(lambda draft: note(draft.pk)),
            lambda made: told(row(rows(), made)),
        )
        return Response(answer.body, answer.status)


class CopyView(FollowUpView):
    @extend_schema(parameters=[KEY], request=None, responses={201: own_shapes.WholeCampaign})
    def post(self, request: Any, pk: int) -> Response:
        """Make a draft with the same text, audience and pace, but without its time.

        Send a key: repeated without one, it makes another draft.
        """
        return self.drafted(request, pk, follow_ups.copy)


class NewContactsView(FollowUpView):
    @extend_schema(parameters=[KEY], request=None, responses={201: own_shapes.WholeCampaign})
    def post(self, request: Any, pk: int) -> Response:
        """Make a draft to the same groups and audiences, without those who were in the campaign, which is over.

        Send a key: repeated without one, it makes another draft.
        """
        return self.drafted(request, pk, follow_ups.to_new_contacts)


class NotRepliedView(FollowUpView):
    rights = {"POST": [VIEW, ADD, "messaging.add_audience"]}

    @extend_schema(parameters=[KEY], request=None, responses={201: own_shapes.WholeCampaign})
    def post(self, request: Any, pk: int) -> Response:
        """Make a draft to contacts who may have got a campaign and have not replied to it when the draft is launched.

        All of the campaign must have left. Send a key: repeated without one, it makes another draft.
        """
        return self.drafted(request, pk, follow_ups.to_not_replied)


class RetryView(FollowUpView):
    scopes = {"GET": Scope.READ, "POST": Scope.CAMPAIGNS}
    rights = {"GET": [VIEW, ADD], "POST": [VIEW, ADD]}

    @extend_schema(responses=own_shapes.Failed)
    def get(self, request: Any, pk: int) -> Response:
        """Why messages failed, the most frequent reason first."""
        return Response(documents.failed(row(rows(), pk)))

    @extend_schema(parameters=[KEY], request=own_shapes.RetryRequest, responses={201: own_shapes.WholeCampaign})
    def post(self, request: Any, pk: int) -> Response:
        """Make a draft to those whom a campaign that is over certainly did not reach.

        Send a key: repeated without one, it makes another draft.
        """
        return self.drafted(request, pk, follow_ups.retry_failed, **self.read(own_shapes.RetryRequest))


class SuppressNotInUseView(ApiView):
    scopes = {"POST": Scope.CONTACTS}
    rights = {"POST": [VIEW, ADD, "messaging.add_suppressionentry"]}

    @extend_schema(
        parameters=[KEY], request=own_shapes.SuppressNotInUseRequest, responses=own_shapes.SuppressedNotInUse
    )
    def post(self, request: Any, pk: int) -> Response:
        """Put the numbers that are not in use on the suppression list of the campaign's channel, once it is over."""
        asked = self.read(own_shapes.SuppressNotInUseRequest)

        def work() -> Answer:
            found = follow_ups.suppress_not_in_use(row(rows(), pk).pk, but=asked["but"], by=request.user)
            return Answer(200, {"added": found.added, "already_there": found.already_there})

        answer = self.once(work, in_one=False)
        return Response(answer.body, answer.status)
