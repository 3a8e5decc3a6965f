"""All that is known about a person by their number, and erasing it."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api import timelines
from laaffic_console.api.contacts import shapes
from laaffic_console.api.handling import lookups
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import KEY
from laaffic_console.api.handling.views import ApiView
from laaffic_console.api.models import Scope
from laaffic_console.api.shapes import page_of
from laaffic_console.api.timelines import TimelineEntry
from laaffic_console.kit.masking.masks import SEE
from messaging.people import person_timeline
from messaging.services.contacts import people

LOOK = ["messaging.view_contact", SEE]


class PersonHistoryView(ApiView):
    """Each kind of entry is shown only as far as the token's user may see it."""

    scopes = {"GET": Scope.READ}
    rights = {"GET": LOOK}

    @extend_schema(
        operation_id="persons_history_list", parameters=[shapes.PersonQuery], responses=page_of(TimelineEntry)
    )
    def get(self, request: Any) -> Response:
        """Everything that a person was sent, said and was called for, the newest first."""
        query = self.read(shapes.PersonQuery, request.query_params.dict())
        known = people.of(lookups.known_number(query["number"]))
        return Response(timelines.page(known.person, person_timeline.sources_for(request.user), query))


class ErasePersonView(ApiView):
    scopes = {"POST": Scope.SETTINGS}
    rights = {"POST": [*LOOK, "messaging.erase_person"]}

    @extend_schema(parameters=[KEY], request=shapes.ErasePersonRequest, responses=shapes.ErasedPerson)
    def post(self, request: Any) -> Response:
        """Erase a person: delete the contact and empty the texts that mention them. There is no way back."""
        asked = self.read(shapes.ErasePersonRequest)
        number = lookups.known_number(asked["number"])

        def work() -> Answer:
            done = people.erase(number, why=asked["why"], by=request.user)
            told = {name: getattr(done, name) for name in ("contacts", "messages", "replies")}
            return Answer(200, {"id": done.pk, **told})  # without the number, as this answer is kept

        answer = self.once(work)
        return Response(answer.body, answer.status)
