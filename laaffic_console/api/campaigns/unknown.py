"""Messages whose answer was lost: all that is known of them, and a person's word on what happens to them."""

import datetime as dt
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api.campaigns import documents, shapes
from laaffic_console.api.campaigns.changing import rows
from laaffic_console.api.campaigns.views import VIEW
from laaffic_console.api.handling import problems
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import KEY
from laaffic_console.api.handling.views import ApiView, row
from laaffic_console.api.models import Scope
from messaging.services.campaigns import resolving
from messaging.services.tallies import counting

RESOLVE = "messaging.resolve_campaign"
CLOCKS_DIFFER = dt.timedelta(seconds=5)  # at most, between the web server and the workers
WORDS = {shapes.SEND_AGAIN: resolving.send_again, shapes.WRITE_OFF: resolving.write_off}


class UnknownView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.APPROVE}
    rights = {"GET": [VIEW, RESOLVE], "POST": [VIEW, RESOLVE]}

    @extend_schema(responses=shapes.Unknown)
    def get(self, request: Any, pk: int) -> Response:
        """What is known about each lost answer. The console looks for evidence, and sends nothing again by itself."""
        return Response(documents.unknowns(row(rows(), pk)))

    @extend_schema(parameters=[KEY], request=shapes.SettleRequest, responses=shapes.Settled)
    def post(self, request: Any, pk: int) -> Response:
        """Send lost messages again or write them off, with a reason for each; those lost after “seen” stay."""
        asked = self.read(shapes.SettleRequest)
        if asked["seen"] > timezone.now() + CLOCKS_DIFFER:
            said = _("“seen” lies in the future. Take it from GET: what is lost until then has not been seen.")
            raise problems.at("seen", said)

        def work() -> Answer:
            campaign = row(rows(), pk)
            settle = WORDS[asked["word"]]
            settled = settle(campaign.pk, reason=asked["reason"], seen=asked["seen"], by=request.user)
            campaign.refresh_from_db()
            left = counting.state_counts(campaign)["unknown"]
            return Answer(200, {"id": campaign.pk, "state": campaign.state, "settled": settled, "unknown": left})

        answer = self.once(work, in_one=False)
        return Response(answer.body, answer.status)
