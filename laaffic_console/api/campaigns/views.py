"""Campaigns: made, checked, launched, paused and resumed by the same services as on their pages."""

from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from laaffic_console.api import documents, launching, shapes
from laaffic_console.api.campaigns import changing
from laaffic_console.api.campaigns import documents as own_documents
from laaffic_console.api.campaigns import shapes as own_shapes
from laaffic_console.api.campaigns.channels import mms, spoken
from laaffic_console.api.handling import lookups
from laaffic_console.api.handling.filters import narrowed
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import IF_MATCH, KEY
from laaffic_console.api.handling.problems import Problem, at
from laaffic_console.api.handling.views import ApiView, ListQuery, page, row
from laaffic_console.api.messages import sending
from laaffic_console.api.messages.message_views import STATES, recipients
from laaffic_console.api.models import Scope
from laaffic_console.gateway.models import Channel
from laaffic_console.kit.masking.masks import in_text
from laaffic_console.kit.words.plain_text import capitals
from messaging.models import Campaign, CampaignState, Message
from messaging.services.approvals import shown
from messaging.services.approvals.shown import Agreed
from messaging.services.audience import audience_counts
from messaging.services.campaigns import campaigns, drafts, launch_checks, starting
from messaging.services.figures import campaign_report
from messaging.services.forecast import forecast
from messaging.services.launching import seals
from messaging.services.launching.checks import NotSeen

VIEW, ADD, LAUNCH = "messaging.view_campaign", "messaging.add_campaign", "messaging.launch_campaign"
CHANGE, DELETE = "messaging.change_campaign", "messaging.delete_campaign"
LOOK_AT_ATTACHMENTS = "messaging.view_mmsattachment"

# Names of a draft's fields in requests.
NAMES = {"latest_end": "not_after", "extra_numbers": "to", "paste": "to"}


class CampaignQuery(ListQuery):
    state = serializers.ChoiceField(choices=CampaignState.choices, required=False)


class RecipientQuery(ListQuery):
    state = serializers.ChoiceField(choices=list(STATES), required=False)


class CampaignsView(ApiView):
    names = NAMES
    scopes = {"GET": Scope.READ, "POST": Scope.CAMPAIGNS}
    rights = {"GET": [VIEW], "POST": [VIEW, ADD]}

    @extend_schema(operation_id="campaigns_list", parameters=[CampaignQuery], responses=shapes.page_of(shapes.Campaign))
    def get(self, request: Any) -> Response:
        """The newest first."""
        query = self.read(CampaignQuery, request.query_params.dict())
        rows = Campaign.objects.select_related("application", "calendar")
        rows = narrowed(rows, query, state="state")
        return Response(page(rows, query, documents.campaign))

    @extend_schema(parameters=[KEY], request=shapes.CampaignRequest, responses={201: own_shapes.WholeCampaign})
    def post(self, request: Any) -> Response:
        """Make a draft. Nothing is sent before the launch. Send a key: repeated without one, it makes another draft."""
        asked = self.read(shapes.CampaignRequest)
        answer = self.once(lambda: _create(asked, request.user))
        return Response(answer.body, answer.status)


def _create(asked: dict[str, Any], by: Any) -> Answer:
    return drafted(asked, by, sender_id=asked["sender_id"])


def drafted(asked: dict[str, Any], by: Any, *, channel: str = Channel.SMS, **own: Any) -> Answer:
    """A new draft of any kind of campaign, from the fields that all kinds have and the `own` fields of its kind."""
    numbers = sending.require_numbers(asked.get("to", []))
    draft = drafts.create(
        name=asked["name"],
        application=lookups.application(asked["application"], channel),
        text=asked["text"],
        groups=lookups.groups(asked["groups"]),
        excluded_groups=lookups.groups(asked["excluded_groups"], "excluded_groups"),
        audiences=lookups.audiences(asked["audiences"]),
        rate_per_second=asked.get("rate_per_second"),
        scheduled_at=asked.get("scheduled_at"),
        local_time=asked["local_time"],
        canary=asked["canary"],
        canary_wait=asked.get("canary_wait"),
        canary_least=asked.get("canary_least"),
        canary_reports=asked.get("canary_reports"),
        latest_start_minutes=asked.get("latest_start_minutes"),
        error_limit=asked.get("error_limit"),
        **lookups.care(asked),
        channel=channel,
        by=by,
        **own,
        **(sending.to_numbers(numbers, by) if numbers else {}),
    )
    return Answer(201, own_documents.whole(draft))


class CampaignView(ApiView):
    names = {**NAMES, **mms.FIELDS, **spoken.FIELDS}
    scopes = {"GET": Scope.READ, "PATCH": Scope.CAMPAIGNS, "DELETE": Scope.CAMPAIGNS}
    rights = {"GET": [VIEW], "PATCH": [VIEW, CHANGE], "DELETE": [VIEW, DELETE]}
    has_etag = True

    @extend_schema(responses=own_shapes.WholeCampaign)
    def get(self, request: Any, pk: int) -> Response:
        """The state of a campaign; for a draft, also all its fields."""
        return Response(own_documents.whole(row(changing.rows(), pk)))

    @extend_schema(parameters=[KEY, IF_MATCH], request=own_shapes.CampaignChange, responses=own_shapes.WholeCampaign)
    def patch(self, request: Any, pk: int) -> Response:
        """Edit a draft, if it is still as it was seen. What you leave out stays; an approval of it may become void."""
        asked = self.read(own_shapes.CampaignChange)
        if "attachments" in asked and not request.user.has_perm(LOOK_AT_ATTACHMENTS):
            raise PermissionDenied
        answer = self.once(lambda: changing.edited(pk, asked, request.user))
        return Response(answer.body, answer.status)

    @extend_schema(parameters=[KEY, IF_MATCH], request=None, responses={204: None})
    def delete(self, request: Any, pk: int) -> Response:
        """Delete a draft. A campaign that was launched stays."""
        return Response(status=self.once(lambda: changing.deleted(self, pk)).status)


class CheckView(ApiView):
    """What the page before the launch shows."""

    scopes = {"GET": Scope.READ}
    rights = {"GET": [VIEW]}

    @extend_schema(responses=shapes.CheckAnswer)
    def get(self, request: Any, pk: int) -> Response:
        """Who would get a draft, what it costs, and what the launch checks find."""
        campaign = row(Campaign.objects.all(), pk)
        launching.require_draft(campaign, CampaignState.DRAFT)
        if problems := drafts.problems_of(campaign):
            raise Problem(409, " ".join(problems))
        audience_counts.renew(campaign, to_look=True)
        planned = forecast.of(campaign)
        checks = launch_checks.of(campaign, planned)
        sentences = {check.key: check.sentence for check in checks if not check.moves}
        return Response(
            {
                "id": campaign.pk,
                "is_counted": planned.counted.is_done,
                "recipients": planned.recipients,
                "suppressed": planned.counted.suppressed,
                "excluded": planned.counted.excluded,
                "invalid": planned.counted.invalid,
                "segments": planned.segments_total,
                "starts_at": documents.moment(launch_checks.starts_at(campaign, planned)),
                "cost": {currency: str(total) for currency, total in planned.cost.by_currency.items()},
                "checks": [
                    {"key": one.key, "level": one.level.value, "sentence": in_text(one.sentence)} for one in checks
                ],
                "shown": seals.token(campaign, shown.as_json(shown.of(campaign, planned)), sentences),
            }
        )


class LaunchView(ApiView):
    scopes = {"POST": Scope.CAMPAIGNS}
    rights = {"POST": [VIEW, LAUNCH]}

    @extend_schema(parameters=[KEY], request=shapes.LaunchRequest, responses=shapes.Standing)
    def post(self, request: Any, pk: int) -> Response:
        """Launch a draft, now or at its time; with “shown” only if it still does what “check” has shown."""
        asked = self.read(shapes.LaunchRequest)

        def work() -> Answer:
            return _launch(row(Campaign.objects.all(), pk), asked, request.user)

        with launching.refusing():
            answer = self.once_stepped(work, lambda: stands(pk))
        return Response(answer.body, answer.status)


def _launch(campaign: Campaign, asked: dict[str, Any], by: Any) -> Answer:
    if launching.was_launched(campaign):
        return standing(campaign)
    undo = asked["undo_seconds"]
    if "shown" not in asked:
        return standing(starting.launch(campaign.pk, by=by, undo_seconds=undo, again=launching.again(asked)))
    kept, sentences = seals.read(campaign, asked["shown"])
    seen = shown.from_json(kept)
    if seen is None:
        raise at("shown", _("“shown” does not belong to this campaign. Take it from GET …/check."))
    try:
        audience_counts.renew(campaign)
        reasons = launch_checks.require(
            campaign, ticked=set(asked["seen"]), reasons=launching.reasons(asked), sentences=sentences
        )
    except NotSeen as problem:
        raise launching.not_seen(problem) from problem
    return standing(starting.launch(campaign.pk, by=by, undo_seconds=undo, reasons=reasons, seen=seen))


def standing(campaign: Campaign) -> Answer:
    return Answer(200, {"id": campaign.pk, "state": campaign.state})


def stands(pk: int) -> Answer:
    return standing(row(Campaign.objects.all(), pk))


class StepView(ApiView):
    """A step of a running campaign; if it was taken already, nothing happens and the answer is the same."""

    scopes = {"POST": Scope.CAMPAIGNS}
    rights = {"POST": [VIEW, LAUNCH]}
    step: ClassVar[Any]
    leads_to: ClassVar[tuple[str, ...]]

    def take_step(self, request: Any, pk: int, **asked: Any) -> Response:
        def find() -> Campaign:
            return row(Campaign.objects.all(), pk)

        def step(campaign: Campaign) -> Any:
            return self.step(campaign.pk, by=request.user, **asked)

        def work() -> Answer:
            return standing(launching.take_step(find, step, is_done=self.is_done))

        answer = self.once_stepped(work, lambda: stands(pk))
        return Response(answer.body, answer.status)

    def is_done(self, campaign: Campaign) -> bool:
        return campaign.state in self.leads_to


class PauseView(StepView):
    step, leads_to = staticmethod(campaigns.pause), (CampaignState.PAUSED,)

    @extend_schema(parameters=[KEY], request=None, responses=shapes.Standing)
    def post(self, request: Any, pk: int) -> Response:
        """Pause a campaign: nothing more leaves until it is resumed."""
        return self.take_step(request, pk)


class ResumeView(StepView):
    step, leads_to = staticmethod(campaigns.resume), (CampaignState.RUNNING, CampaignState.SCHEDULED)

    @extend_schema(parameters=[KEY], request=own_shapes.ResumeCampaignRequest, responses=shapes.Standing)
    def post(self, request: Any, pk: int) -> Response:
        """Go on with a campaign that is paused or held."""
        asked = self.read(own_shapes.ResumeCampaignRequest)
        cost = {capitals(currency): amount for currency, amount in asked.get("cost", {}).items()}
        agreed = Agreed(cost, asked["unpriced"]) if "cost" in asked or asked["unpriced"] else None
        return self.take_step(request, pk, past_end=asked["past_end"], agreed=agreed)


class CancelView(StepView):
    step, leads_to = staticmethod(campaigns.cancel), (CampaignState.CANCELLED,)

    @extend_schema(parameters=[KEY], request=None, responses=shapes.Standing)
    def post(self, request: Any, pk: int) -> Response:
        """Cancel a campaign: messages that have not left never will."""
        return self.take_step(request, pk)


class ReportView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": [VIEW]}
    has_etag = True

    @extend_schema(responses=shapes.Report)
    def get(self, request: Any, pk: int) -> Response:
        """The campaign's report: the same document as `manage.py campaign report ID --json`."""
        return Response(campaign_report.document(row(Campaign.objects.all(), pk)))


class RecipientsView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": [VIEW, "messaging.view_message"]}

    @extend_schema(
        parameters=[RecipientQuery],
        responses=shapes.page_of(shapes.Message),
    )
    def get(self, request: Any, pk: int) -> Response:
        """Each recipient with what happened to their message, the oldest first."""
        query = self.read(RecipientQuery, request.query_params.dict())
        campaign = row(Campaign.objects.all(), pk)
        rows = recipients(Message.objects.all(), campaign.pk, query.get("state"))
        return Response(page(rows, query, documents.message, rising=True))
