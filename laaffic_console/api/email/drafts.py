"""A draft of an email campaign: looked at, edited, deleted, and tested on one address."""

import json
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api import launching
from laaffic_console.api.email import documents, shapes
from laaffic_console.api.email.views import LAUNCH, VIEW, State, drafts
from laaffic_console.api.handling import lookups
from laaffic_console.api.handling.changing import locked
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import IF_MATCH, KEY
from laaffic_console.api.handling.problems import Problem
from laaffic_console.api.handling.views import ApiView, row
from laaffic_console.api.models import Scope
from laaffic_console.gateway.models import Channel, EntryState
from messaging.models import EmailCampaign
from messaging.services.email import drafts as email_drafts
from messaging.services.email import trial_emails
from messaging.services.email.trial_emails import TestFailed, TestUnknown

CHANGE, DELETE = "messaging.change_emailcampaign", "messaging.delete_emailcampaign"


class EmailCampaignView(ApiView):
    names = {"latest_end": "not_after"}
    scopes = {"GET": Scope.READ, "PATCH": Scope.CAMPAIGNS, "DELETE": Scope.CAMPAIGNS}
    rights = {"GET": [VIEW], "PATCH": [VIEW, CHANGE], "DELETE": [VIEW, DELETE]}
    has_etag = True

    @extend_schema(responses=shapes.EmailCampaign)
    def get(self, request: Any, pk: int) -> Response:
        """The state of an email campaign."""
        return Response(documents.campaign(row(drafts(), pk)))

    @extend_schema(parameters=[KEY, IF_MATCH], request=shapes.EmailCampaignChange, responses=shapes.EmailCampaign)
    def patch(self, request: Any, pk: int) -> Response:
        """Edit a draft, if it is still as it was seen. What you leave out stays."""
        asked = self.read(shapes.EmailCampaignChange)
        seen = asked.pop("seen")

        def work() -> Answer:
            row(drafts(), pk)
            email_drafts.edit(pk, _changes(asked), seen=seen, by=request.user)
            return Answer(200, {"id": pk})

        answer = self.once(work)
        return Response(documents.campaign(row(drafts(), pk)), answer.status)

    @extend_schema(parameters=[KEY, IF_MATCH], request=None, responses={204: None})
    def delete(self, request: Any, pk: int) -> Response:
        """Delete a draft of which nothing was ever sent."""

        def work() -> Answer:
            locked(self, drafts(), pk, documents.campaign)
            email_drafts.discard(pk)
            return Answer(204, {})

        return Response(status=self.once(work).status)


def _changes(asked: dict[str, Any]) -> dict[str, Any]:
    """The requested changes, under the names of the draft's fields."""
    changes = {**asked}
    if "application" in asked:
        changes["application"] = lookups.application(asked["application"], Channel.EMAIL)
    if "calendar" in asked:
        changes["calendar"] = lookups.calendar(asked["calendar"])
    if "not_after" in asked:
        changes["latest_end"] = changes.pop("not_after")
    return changes


class EmailTestView(ApiView):
    names = {"template_data": "values"}
    scopes = {"POST": Scope.CAMPAIGNS}
    rights = {"POST": [VIEW, LAUNCH]}

    @extend_schema(parameters=[KEY], request=shapes.EmailTestRequest, responses={202: shapes.EmailTestAnswer})
    def post(self, request: Any, pk: int) -> Response:
        """Send one mail with the draft's template, sender and subject. If “state” is unknown, the answer was lost."""
        asked = self.read(shapes.EmailTestRequest)
        campaign = row(drafts(), pk)
        answer = self.once_sent(lambda: _test(campaign, asked, request.user), status=202)
        state = answer.body.get("state") or _last_test(pk)
        return Response({"id": pk, "state": state, **self.unkeyed_note()}, answer.status)


def _test(campaign: EmailCampaign, asked: dict[str, Any], by: Any) -> Answer:
    if campaign.state != State.DRAFT:
        said = _("“%(name)s” is %(state)s: only a draft is sent as a test.")
        raise Problem(409, said % {"name": campaign.name, "state": campaign.get_state_display().lower()})
    values = json.dumps(asked["values"]) if asked["values"] else ""
    with launching.refusing():
        email_drafts.check_content(campaign)
    try:
        trial_emails.send_test(campaign, asked["address"], values, again=asked["again"], by=by)
    except TestUnknown:
        return Answer(202, {"id": campaign.pk, "state": EntryState.UNKNOWN})
    except TestFailed as problem:
        raise Problem(409, str(problem)) from problem
    return Answer(202, {"id": campaign.pk, "state": EntryState.ACCEPTED})


def _last_test(pk: int) -> str | None:
    """State of the last test, for a request whose process died: that test is its own, or a later one's."""
    return trial_emails.requests(pk).values_list("state", flat=True).first()
