"""Settings of administrators for everybody: frequency caps, the price list, and the limits of approval."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api.handling import lookups
from laaffic_console.api.handling.changing import changed, deleted
from laaffic_console.api.handling.filters import narrowed
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import IF_MATCH, KEY
from laaffic_console.api.handling.views import ApiView, ListQuery, page, row
from laaffic_console.api.models import Scope
from laaffic_console.api.rules import documents, shapes
from laaffic_console.api.shapes import page_of
from laaffic_console.gateway.models import CAMPAIGN_CHANNELS
from laaffic_console.kit.audit.acts import Act, record
from messaging.models import ApprovalLimits, FrequencyCap, ListPrice
from messaging.services.approvals import approval_limits
from messaging.services.reports import prices

LOOK_AT_CAPS, LOOK_AT_PRICES = "messaging.view_frequencycap", "messaging.view_listprice"
LOOK_AT_LIMITS = "messaging.view_approvallimits"


def _caps() -> Any:
    return FrequencyCap.objects.select_related("application")


def _save(cap: FrequencyCap) -> None:
    cap.full_clean()
    cap.save()


class FrequencyCapsView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.SETTINGS}
    rights = {"GET": [LOOK_AT_CAPS], "POST": [LOOK_AT_CAPS, "messaging.add_frequencycap"]}

    @extend_schema(operation_id="frequency_caps_list", parameters=[ListQuery], responses=page_of(shapes.FrequencyCap))
    def get(self, request: Any) -> Response:
        """Applications whose caps differ from the console's own."""
        query = self.read(ListQuery, request.query_params.dict())
        return Response(page(_caps(), query, documents.frequency_cap))

    @extend_schema(parameters=[KEY], request=shapes.FrequencyCapRequest, responses={201: shapes.FrequencyCap})
    def post(self, request: Any) -> Response:
        """Say how many messages an application may add to those that a person has had."""
        asked = self.read(shapes.FrequencyCapRequest)

        def work() -> Answer:
            cap = FrequencyCap(**{**asked, "application": lookups.application(asked["application"])})
            _save(cap)
            record(Act.ADDED, cap)
            return Answer(201, documents.frequency_cap(cap))

        answer = self.once(work)
        return Response(answer.body, answer.status)


class FrequencyCapView(ApiView):
    scopes = {"GET": Scope.READ, "PATCH": Scope.SETTINGS, "DELETE": Scope.SETTINGS}
    rights = {
        "GET": [LOOK_AT_CAPS],
        "PATCH": [LOOK_AT_CAPS, "messaging.change_frequencycap"],
        "DELETE": [LOOK_AT_CAPS, "messaging.delete_frequencycap"],
    }
    has_etag = True

    @extend_schema(responses=shapes.FrequencyCap)
    def get(self, request: Any, pk: int) -> Response:
        """The cap of one application."""
        return Response(documents.frequency_cap(row(_caps(), pk)))

    @extend_schema(parameters=[KEY, IF_MATCH], request=shapes.FrequencyCapChange, responses=shapes.FrequencyCap)
    def patch(self, request: Any, pk: int) -> Response:
        """Change the cap of an application."""
        asked = self.read(shapes.FrequencyCapChange)
        answer = changed(self, _caps(), pk, asked, _save, documents.frequency_cap)
        return Response(documents.frequency_cap(row(_caps(), pk)), answer.status)

    @extend_schema(parameters=[KEY, IF_MATCH], request=None, responses={204: None})
    def delete(self, request: Any, pk: int) -> Response:
        """Delete the cap of an application: the console's own cap holds for it again."""
        return Response(status=deleted(self, _caps(), pk, documents.frequency_cap).status)


class PricesView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.SETTINGS}
    rights = {
        "GET": [LOOK_AT_PRICES],
        "POST": [LOOK_AT_PRICES, "messaging.add_listprice", "messaging.change_listprice"],
    }

    @extend_schema(operation_id="prices_list", parameters=[shapes.PriceQuery], responses=page_of(shapes.ListPrice))
    def get(self, request: Any) -> Response:
        """The price list, beside what the last reports say was charged."""
        query = self.read(shapes.PriceQuery, request.query_params.dict())
        learned = {channel.value: prices.learned(channel) for channel in CAMPAIGN_CHANNELS}
        rows = narrowed(ListPrice.objects.all(), query, channel="channel")
        return Response(page(rows, query, lambda one: documents.price(one, learned[one.channel].get(one.country))))

    @extend_schema(parameters=[KEY], request=shapes.PricesRequest, responses=shapes.PricesKept)
    def post(self, request: Any) -> Response:
        """Put prices on the list, for new countries or in place of the old ones; the others stay."""
        asked = self.read(shapes.PricesRequest)["prices"]
        answer = self.once(lambda: Answer(200, {"prices": len({prices.put(**one).pk for one in asked})}))
        return Response(answer.body, answer.status)


class PriceView(ApiView):
    scopes = {"GET": Scope.READ, "DELETE": Scope.SETTINGS}
    rights = {"GET": [LOOK_AT_PRICES], "DELETE": [LOOK_AT_PRICES, "messaging.delete_listprice"]}
    has_etag = True

    @extend_schema(responses=shapes.ListPrice)
    def get(self, request: Any, pk: int) -> Response:
        """The list price of one country, and what the last reports say was charged."""
        return Response(_priced(row(ListPrice.objects.all(), pk)))

    @extend_schema(parameters=[KEY, IF_MATCH], request=None, responses={204: None})
    def delete(self, request: Any, pk: int) -> Response:
        """Take a price off the list: then what reports say was charged counts."""
        return Response(status=deleted(self, ListPrice.objects.all(), pk, _priced).status)


def _priced(price: ListPrice) -> dict[str, Any]:
    return documents.price(price, prices.learned(price.channel).get(price.country))


class ApprovalLimitsView(ApiView):
    scopes = {"GET": Scope.READ, "PATCH": Scope.SETTINGS}
    rights = {"GET": [LOOK_AT_LIMITS], "PATCH": [LOOK_AT_LIMITS, "messaging.change_approvallimits"]}
    has_etag = True

    @extend_schema(responses=shapes.ApprovalLimits)
    def get(self, request: Any) -> Response:
        """The size from which a launch needs a second person."""
        return Response(documents.approval_limits(approval_limits.row()))

    @extend_schema(parameters=[KEY, IF_MATCH], request=shapes.ApprovalLimitsChange, responses=shapes.ApprovalLimits)
    def patch(self, request: Any) -> Response:
        """Change the limits for every launch from now on. What you leave out stays."""
        asked = self.read(shapes.ApprovalLimitsChange)
        pk = approval_limits.row().pk
        save, shown = approval_limits.save, documents.approval_limits
        answer = changed(self, ApprovalLimits.objects.all(), pk, asked, save, shown)
        return Response(documents.approval_limits(approval_limits.row()), answer.status)
