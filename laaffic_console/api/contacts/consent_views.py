"""Who may be sent to: the suppression list, and what people agreed to."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from laaffic_console.api.contacts import documents, shapes, uploads
from laaffic_console.api.handling import files, lookups
from laaffic_console.api.handling.filters import narrowed
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import KEY
from laaffic_console.api.handling.views import ApiView, ListQuery, page, row
from laaffic_console.api.messages import sending
from laaffic_console.api.models import Scope
from laaffic_console.api.shapes import page_of
from laaffic_console.kit.masking.masks import SEE
from messaging.models import Consent, ConsentEvent, ConsentImport, SuppressionEntry
from messaging.services.contacts import consent_files, consents, file_numbers, suppression
from messaging.services.imports import consent_imports
from messaging.subscribers import subscriber

LOOK_AT_SUPPRESSION = "messaging.view_suppressionentry"


class SuppressionQuery(ListQuery):
    number = serializers.CharField(required=False, max_length=60)


class SuppressionView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.CONTACTS}
    rights = {"GET": [LOOK_AT_SUPPRESSION], "POST": ["messaging.add_suppressionentry"]}

    @extend_schema(operation_id="suppression_list", parameters=[SuppressionQuery], responses=page_of(shapes.Suppressed))
    def get(self, request: Any) -> Response:
        """Numbers that are never sent to, the newest first."""
        query = self.read(SuppressionQuery, request.query_params.dict())
        rows = SuppressionEntry.objects.all()
        if "number" in query:
            rows = SuppressionEntry.objects.of_subscribers([lookups.known_number(query["number"])])
        return Response(page(rows, query, documents.suppressed))

    @extend_schema(parameters=[KEY], request=shapes.SuppressRequest, responses=shapes.SuppressAnswer)
    def post(self, request: Any) -> Response:
        """Put numbers on the list: they get nothing more."""
        asked = self.read(shapes.SuppressRequest)
        region = lookups.region(asked["region"])
        numbers, invalid = sending.read_numbers(asked["to"], lambda text: file_numbers.number(text, region))

        def work() -> Answer:
            outcome = suppression.suppress_numbers(
                numbers,
                channel=asked["channel"],
                reason=asked["reason"],
                note=asked["note"],
                by=request.user,
                source="API",
            )
            return Answer(200, {"added": outcome.added, "already_there": outcome.already_there})

        answer = self.once(work)
        return Response({**answer.body, "invalid": invalid}, answer.status)


class SuppressedView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": [LOOK_AT_SUPPRESSION]}
    has_etag = True

    @extend_schema(responses=shapes.Suppressed)
    def get(self, request: Any, pk: int) -> Response:
        """One number that is never sent to, and why."""
        return Response(documents.suppressed(row(SuppressionEntry.objects.all(), pk)))


class AllowAgainView(ApiView):
    scopes = {"POST": Scope.CONTACTS}
    rights = {"POST": [LOOK_AT_SUPPRESSION, "messaging.delete_suppressionentry"]}

    @extend_schema(parameters=[KEY], request=shapes.AllowAgainRequest, responses=shapes.AllowedAgain)
    def post(self, request: Any, pk: int) -> Response:
        """Take a number off the list, with your reason: campaigns may send to it again."""
        asked = self.read(shapes.AllowAgainRequest)

        def work() -> Answer:
            entry = SuppressionEntry.objects.filter(pk=row(SuppressionEntry.objects.all(), pk).pk)
            allowed = suppression.allow_again(entry, why=asked["why"], by=request.user)
            return Answer(200, {"allowed": allowed.entries, "still_there": allowed.still})

        answer = self.once(work)
        return Response(answer.body, answer.status)


class ConsentsView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.CONTACTS}
    rights = {
        "GET": ["messaging.view_consent"],
        "POST": ["messaging.view_consent", "messaging.change_consent", "messaging.view_contact", SEE],
    }

    @extend_schema(operation_id="consents_list", parameters=[shapes.ConsentQuery], responses=page_of(shapes.Consent))
    def get(self, request: Any) -> Response:
        """What holds now for each number and channel, the newest first. People who are not listed have said nothing."""
        query = self.read(shapes.ConsentQuery, request.query_params.dict())
        rows = narrowed(Consent.objects.all(), query, number="number", channel="channel", state="state")
        return Response(page(rows, query, documents.consent))

    @extend_schema(parameters=[KEY], request=shapes.ConsentRequest, responses=shapes.Consent)
    def post(self, request: Any) -> Response:
        """Write down what a person told you outside the console; it is kept with who wrote it and why."""
        asked = self.read(shapes.ConsentRequest)
        number = lookups.number(asked.pop("number")).number

        def work() -> Answer:
            consents.set_by_hand(number, **asked, by=request.user)
            return Answer(200, {"id": Consent.objects.get(number=number, channel=asked["channel"]).pk})

        answer = self.once(work)
        return Response(documents.consent(row(Consent.objects.all(), answer.body["id"])), answer.status)


IMPORT_CONSENTS = ["messaging.view_consent", "messaging.change_consent", "messaging.view_contact", SEE]


class ConsentImportsView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.CONTACTS}
    rights = {"GET": IMPORT_CONSENTS, "POST": IMPORT_CONSENTS}
    parser_classes = [MultiPartParser]
    takes_file = True

    @extend_schema(
        operation_id="consents_imports_list", parameters=[ListQuery], responses=page_of(shapes.ConsentImportListed)
    )
    def get(self, request: Any) -> Response:
        """Files of consents, the newest first."""
        query = self.read(ListQuery, request.query_params.dict())
        return Response(page(ConsentImport.objects.all(), query, documents.listed_consent_import))

    @extend_schema(
        parameters=[KEY],
        request={"multipart/form-data": shapes.ConsentImportRequest},
        responses={201: shapes.ConsentImport},
    )
    def post(self, request: Any) -> Response:
        """Upload a file of consents that were given elsewhere; a worker reads it. What each row says holds from its own
        date, so that a later STOP stays, and the same file again changes nothing."""
        files.require_room(request)
        asked = self.read(shapes.ConsentImportRequest)
        file = asked.pop("file")
        options = consent_files.Options(**{**asked, "region": lookups.region(asked["region"])})
        answer = uploads.stored_once(
            self,
            look=lambda: consent_imports.look_at(file, options, by=request.user),
            store=lambda job: Answer(201, {"id": consent_imports.store(job).pk}),
            forget=consent_imports.forget_unstored,
        )
        return Response(documents.consent_import(row(ConsentImport.objects.all(), answer.body["id"])), answer.status)


class ConsentImportView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": IMPORT_CONSENTS}
    has_etag = True

    @extend_schema(responses=shapes.ConsentImport)
    def get(self, request: Any, pk: int) -> Response:
        """How far the file has been read, and the first rows that are invalid."""
        return Response(documents.consent_import(row(ConsentImport.objects.all(), pk)))


class SaidView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": ["messaging.view_consent", "messaging.view_contact", SEE]}

    @extend_schema(operation_id="consents_said_list", parameters=[shapes.SaidQuery], responses=page_of(shapes.Consent))
    def get(self, request: Any) -> Response:
        """All that a person ever said about consent, the newest first."""
        query = self.read(shapes.SaidQuery, request.query_params.dict())
        rows = ConsentEvent.objects.filter(subscriber=subscriber(lookups.known_number(query["number"])))
        return Response(page(rows, query, documents.said))
