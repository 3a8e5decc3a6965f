"""Email campaigns, by the same services as on their pages."""

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api import launching
from laaffic_console.api.documents import moment
from laaffic_console.api.email import documents, shapes
from laaffic_console.api.handling import lookups
from laaffic_console.api.handling.filters import narrowed
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import KEY
from laaffic_console.api.handling.views import ApiView, page, row
from laaffic_console.api.models import Scope
from laaffic_console.api.shapes import LaunchRequest, page_of
from laaffic_console.gateway.models import Channel
from laaffic_console.kit.lists.spans import within_span
from messaging.models import EmailCampaign, EmailChoice, EmailMessage
from messaging.services.email import campaigns as email_campaigns
from messaging.services.email import counting as email_counting
from messaging.services.email import drafts as email_drafts
from messaging.services.email import hours as email_hours
from messaging.services.email import launch_checks as email_checks
from messaging.services.email import starting as email_starting

VIEW, ADD, LAUNCH = "messaging.view_emailcampaign", "messaging.add_emailcampaign", "messaging.launch_emailcampaign"
State = EmailCampaign.State


def drafts() -> Any:
    return EmailCampaign.objects.select_related("application", "calendar")


class EmailCampaignsView(ApiView):
    names = {"latest_end": "not_after"}
    scopes = {"GET": Scope.READ, "POST": Scope.CAMPAIGNS}
    rights = {"GET": [VIEW], "POST": [VIEW, ADD]}

    @extend_schema(
        operation_id="email_campaigns_list",
        parameters=[shapes.EmailCampaignQuery],
        responses=page_of(shapes.EmailCampaign),
    )
    def get(self, request: Any) -> Response:
        """The newest first."""
        query = self.read(shapes.EmailCampaignQuery, request.query_params.dict())
        rows = narrowed(drafts(), query, state="state")
        return Response(page(rows, query, documents.campaign))

    @extend_schema(parameters=[KEY], request=shapes.EmailCampaignRequest, responses={201: shapes.EmailCampaign})
    def post(self, request: Any) -> Response:
        """Make a draft. Nothing is sent before the launch. Send a key: repeated without one, it makes another draft."""
        asked = self.read(shapes.EmailCampaignRequest)

        def work() -> Answer:
            own = {name: value for name, value in asked.items() if name not in lookups.CARE}
            fields = {**own, "name": asked.get("name", asked["subject"][:100]), **lookups.care(asked)}
            fields["application"] = lookups.application(asked["application"], Channel.EMAIL)
            made = email_drafts.create(by=request.user, **fields)
            return Answer(201, documents.campaign(row(drafts(), made.pk)))  # as GET reads it, for the same “seen”

        answer = self.once(work)
        return Response(answer.body, answer.status)


class EmailCheckView(ApiView):
    """What the page before the launch shows."""

    scopes = {"GET": Scope.READ}
    rights = {"GET": [VIEW]}

    @extend_schema(responses=shapes.EmailCheckAnswer)
    def get(self, request: Any, pk: int) -> Response:
        """How many are on the campaign's list, and what the launch checks find."""
        campaign = row(drafts(), pk)
        launching.require_draft(campaign, State.DRAFT)
        with launching.refusing():
            email_drafts.check_content(campaign)
        planned = email_checks.planned(campaign)
        starts_at = moment(email_hours.opens_at(campaign, max(campaign.scheduled_at or timezone.now(), timezone.now())))
        said = launching.shown(campaign, email_drafts.shown_digest(campaign), planned.checks)
        return Response({"id": pk, "recipients": planned.recipients, "starts_at": starts_at, **said})


class EmailLaunchView(ApiView):
    scopes = {"POST": Scope.CAMPAIGNS}
    rights = {"POST": [VIEW, LAUNCH]}

    @extend_schema(parameters=[KEY], request=LaunchRequest, responses=shapes.EmailStanding)
    def post(self, request: Any, pk: int) -> Response:
        """Launch a draft, now or at its time; with “shown” only if it still does what “check” has shown."""
        asked = self.read(LaunchRequest)
        with launching.refusing():
            answer = self.once_stepped(lambda: _launch(row(drafts(), pk), asked, request.user), lambda: stands(pk))
        return Response(answer.body, answer.status)


def _launch(campaign: EmailCampaign, asked: dict[str, Any], by: Any) -> Answer:
    seen = None
    if launching.was_launched(campaign):
        return standing(campaign)
    if "shown" in asked:
        seen, sentences = launching.read(campaign, asked)
        email_drafts.require_as_shown(campaign, seen)
        launching.require_seen(email_checks.planned(campaign).checks, asked, sentences)
    told = {"again": launching.again(asked), "undo_seconds": asked["undo_seconds"]}
    return standing(email_starting.launch(campaign.pk, by=by, seen=seen, **told))


def standing(campaign: EmailCampaign) -> Answer:
    return Answer(200, {"id": campaign.pk, "state": campaign.state})


def stands(pk: int) -> Answer:
    return standing(row(drafts(), pk))


class EmailStepView(ApiView):
    scopes = {"POST": Scope.CAMPAIGNS}
    rights = {"POST": [VIEW, LAUNCH]}
    step: ClassVar[Any]
    leads_to: ClassVar[tuple[str, ...]] = ()

    def take_step(self, request: Any, pk: int, **asked: Any) -> Response:
        def step(campaign: EmailCampaign) -> Any:
            return self.step(campaign.pk, by=request.user, **asked)

        def work() -> Answer:
            return standing(launching.take_step(lambda: row(drafts(), pk), step, is_done=self.is_done))

        answer = self.once_stepped(work, lambda: stands(pk))
        return Response(answer.body, answer.status)

    def is_done(self, campaign: EmailCampaign) -> bool:
        return campaign.state in self.leads_to


class ResumeEmailView(EmailStepView):
    step, leads_to = staticmethod(email_starting.resume), (State.SENDING, State.RUNNING, State.SCHEDULED)

    @extend_schema(parameters=[KEY], request=shapes.ResumeEmailRequest, responses=shapes.EmailStanding)
    def post(self, request: Any, pk: int) -> Response:
        """Go on with a campaign that is held."""
        return self.take_step(request, pk, **self.read(shapes.ResumeEmailRequest))


class CancelEmailView(EmailStepView):
    step, leads_to = staticmethod(email_campaigns.cancel), (State.CANCELLED,)

    @extend_schema(parameters=[KEY], request=None, responses=shapes.EmailStanding)
    def post(self, request: Any, pk: int) -> Response:
        """Cancel a campaign before its request has left: what Laaffic has cannot be taken back."""
        return self.take_step(request, pk)


class EmailReportView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": [VIEW]}
    has_etag = True

    @extend_schema(responses=shapes.EmailReport)
    def get(self, request: Any, pk: int) -> Response:
        """The campaign's report: the same document as `manage.py email report ID --json`."""
        return Response(email_counting.report(row(drafts(), pk)))


class EmailRecipientsView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": [VIEW, "messaging.view_emailmessage"]}

    @extend_schema(parameters=[shapes.EmailRecipientQuery], responses=page_of(shapes.EmailRecipient))
    def get(self, request: Any, pk: int) -> Response:
        """Each mail that Laaffic reported, the oldest first."""
        query = self.read(shapes.EmailRecipientQuery, request.query_params.dict())
        campaign = row(drafts(), pk)
        if not ("submission" in query or "delivery" in query):
            rows = within_span(EmailMessage.objects.all(), "campaign", campaign.pk, by="submission")
            return Response(page(rows, query, documents.recipient, rising=True))
        rows = campaign.mails.all()
        if "submission" in query:
            rows = rows.filter(submission=shapes.SUBMISSIONS[query["submission"]])
        if "delivery" in query:
            rows = rows.filter(delivery=shapes.DELIVERIES[query["delivery"]])
        return Response(page(rows, query, documents.recipient, rising=True))


class EmailChoicesView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": [VIEW]}

    @extend_schema(parameters=[shapes.EmailChoiceQuery], responses=page_of(shapes.EmailChoice))
    def get(self, request: Any) -> Response:
        """Templates, recipient lists and sender addresses, as Laaffic last listed them."""
        query = self.read(shapes.EmailChoiceQuery, request.query_params.dict())
        rows = EmailChoice.objects.select_related("lookup__application")
        rows = narrowed(rows, query, application="lookup__application__app_id", kind="lookup__kind")
        return Response(page(rows, query, documents.choice))
