"""AXB bindings, number pools and owned numbers, by the same services as on their pages."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api.handling import lookups, problems
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import KEY
from laaffic_console.api.handling.views import ApiView, ListQuery, page, row
from laaffic_console.api.models import Scope
from laaffic_console.api.numbers import documents, shapes
from laaffic_console.api.shapes import page_of
from laaffic_console.gateway.models import Channel
from laaffic_console.kit.masking.masks import SEE
from laaffic_console.laaffic import VoicemailFile
from phone_numbers.models import Binding, BindingRequest, NumberPool, OwnedNumber, PoolVersion
from phone_numbers.pool_config import PoolConfig
from phone_numbers.services import binding_changes, owned_changes, pool_changes

LOOK_AT_BINDINGS, LOOK_AT_POOLS, LOOK_AT_OWNED = (
    "numbers.view_binding",
    "numbers.view_numberpool",
    "numbers.view_ownednumber",
)
LOOK_AT_REQUESTS = "numbers.view_bindingrequest"

# Names in requests, by the services' names.
NAMES = {"pool_number": "pool", "max_concurrency": "concurrency", "phone_a": "a", "phone_b": "b"}


class BindingsView(ApiView):
    names = NAMES
    scopes = {"GET": Scope.READ, "POST": Scope.NUMBERS}
    rights = {"GET": [LOOK_AT_BINDINGS], "POST": [LOOK_AT_BINDINGS, "numbers.add_binding"]}

    @extend_schema(operation_id="bindings_list", parameters=[shapes.BindingQuery], responses=page_of(shapes.Binding))
    def get(self, request: Any) -> Response:
        """The newest first, as Laaffic listed them last."""
        query = self.read(shapes.BindingQuery, request.query_params.dict())
        rows = Binding.objects.select_related("application")
        if "number" in query:
            rows = rows.with_number(lookups.known_number(query["number"]))
        if query["is_live"] is not None:
            rows = rows.filter(ended_at__isnull=query["is_live"])
        return Response(page(rows, query, documents.binding))

    @extend_schema(parameters=[KEY], request=shapes.BindRequest, responses={202: shapes.AskedBinding})
    def post(self, request: Any) -> Response:
        """Let A and B talk through a middle number. If “state” is unknown, the answer was lost: look later."""
        asked = self.read(shapes.BindRequest)

        def work() -> Answer:
            made = binding_changes.bind(
                application=lookups.application(asked["application"], Channel.NUMBER),
                phone_a=asked["a"],
                phone_b=asked["b"],
                pool_number=asked["pool"],
                seconds=asked["seconds"],
                kind=shapes.KINDS[asked["kind"]],
                again=asked["again"],
                by=request.user,
            )
            return Answer(202, {"id": made.pk})

        return _asked(self.once_sent(work, status=202))


def asked_for() -> Any:
    return BindingRequest.objects.select_related("entry", "binding__application")


def _asked(answer: Answer) -> Response:
    return Response(documents.asked_binding(row(asked_for(), answer.body["id"])), answer.status)


class BindingView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": [LOOK_AT_BINDINGS]}
    has_etag = True

    @extend_schema(responses=shapes.Binding)
    def get(self, request: Any, pk: int) -> Response:
        """Who sees which number in a binding, and until when."""
        return Response(documents.binding(row(Binding.objects.select_related("application"), pk)))


class UnbindView(ApiView):
    scopes = {"POST": Scope.NUMBERS}
    rights = {"POST": [LOOK_AT_BINDINGS, "numbers.unbind_binding", SEE]}

    @extend_schema(parameters=[KEY], request=shapes.UnbindRequest, responses={202: shapes.AskedBinding})
    def post(self, request: Any, pk: int) -> Response:
        """End a binding, with “seen” only if it still joins the two numbers that were seen."""
        asked = self.read(shapes.UnbindRequest)
        binding = row(Binding.objects.select_related("application"), pk)

        def work() -> Answer:
            ended = binding_changes.unbind(binding, seen=asked.get("seen"), again=asked["again"], by=request.user)
            return Answer(202, {"id": ended.pk})

        return _asked(self.once_sent(work, status=202))


class BindingRequestView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": [LOOK_AT_BINDINGS, LOOK_AT_REQUESTS]}
    has_etag = True

    @extend_schema(responses=shapes.AskedBinding)
    def get(self, request: Any, pk: int) -> Response:
        """The outcome of a request to bind or unbind, and the binding that it is about."""
        return Response(documents.asked_binding(row(asked_for(), pk)))


def pools() -> Any:
    return NumberPool.objects.select_related("current")


class PoolsView(ApiView):
    names = NAMES
    scopes = {"GET": Scope.READ, "POST": Scope.NUMBERS}
    rights = {
        "GET": [LOOK_AT_POOLS],
        "POST": [LOOK_AT_POOLS, "numbers.add_numberpool", "numbers.apply_numberpool"],
    }

    @extend_schema(operation_id="pools_list", parameters=[ListQuery], responses=page_of(shapes.PoolListed))
    def get(self, request: Any) -> Response:
        """The newest first, each as the console last learned that Laaffic holds it."""
        query = self.read(ListQuery, request.query_params.dict())
        return Response(page(pools(), query, documents.listed_pool))

    @extend_schema(parameters=[KEY], request=shapes.PoolRequest, responses={202: shapes.Pool})
    def post(self, request: Any) -> Response:
        """Create a pool at Laaffic. If its newest version's “state” is unknown, the answer was lost: look later."""
        asked = self.read(shapes.PoolRequest)

        def work() -> Answer:
            config = _config(asked, asked["pool"])
            about = {"typed": config.pool_number, "is_at_laaffic": asked["at_laaffic"]}
            return Answer(202, {"id": pool_changes.create(config, by=request.user, **about).pool_id})

        return _pool(self.once_sent(work, status=202))


def _pool(answer: Answer) -> Response:
    return Response(documents.pool(row(pools(), answer.body["id"])), answer.status)


def _config(asked: dict[str, Any], number: str, pool: NumberPool | None = None) -> PoolConfig:
    """The pool's configuration with the fields that are named; the others stay as in our version."""
    ours = pool.current.config if pool and pool.current else None
    return pool_changes.read(
        pool_number=number,
        whitelist=",".join(asked.get("whitelist", ours.addresses if ours else ())),
        max_concurrency=asked.get("concurrency", ours.max_concurrency if ours else None),
        numbers=",".join(asked.get("numbers", ours.numbers if ours else ())),
        pool=pool,
    ).config


class PoolView(ApiView):
    names = {**NAMES, "pool_number": "rename"}
    scopes = {"GET": Scope.READ, "POST": Scope.NUMBERS}
    rights = {
        "GET": [LOOK_AT_POOLS],
        "POST": [LOOK_AT_POOLS, "numbers.change_numberpool", "numbers.apply_numberpool"],
    }
    has_etag = True

    @extend_schema(responses=shapes.Pool)
    def get(self, request: Any, pk: int) -> Response:
        """What Laaffic holds of a pool, how it differs from ours, and every version."""
        return Response(documents.pool(row(pools(), pk)))

    @extend_schema(
        operation_id="pools_change", parameters=[KEY], request=shapes.PoolChange, responses={202: shapes.Pool}
    )
    def post(self, request: Any, pk: int) -> Response:
        """Change a pool at Laaffic, or apply a version again, if it still holds what was seen."""
        asked = self.read(shapes.PoolChange)
        pool = row(pools(), pk)

        def work() -> Answer:
            # A caller who sends back what was seen has read the pool's number: it need not be typed again here.
            held = pool.listed
            about = {"seen_listed": asked["seen"], "by": request.user}
            if "version" in asked:
                version = _version(pool, asked["version"])
                typed = held.pool_number if held else version.pool_number
                pool_changes.apply_version(version, typed=typed, **about)
            else:
                config = _config(asked, asked.get("rename", pool.pool_number), pool)
                typed = held.pool_number if held else config.pool_number
                ours = pool_changes.version_as_shown(pool)  # the version whose unnamed fields are kept
                pool_changes.apply(pool, config, typed=typed, seen_version=ours, **about)
            return Answer(202, {"id": pool.pk})

        return _pool(self.once_sent(work, status=202))


def _version(pool: NumberPool, number: int) -> PoolVersion:
    found = pool.versions.select_related("pool").filter(number=number).first()
    if found is None:
        said = _("Pool %(pool)s has no version %(n)d. GET lists them.")
        raise problems.at("version", said % {"pool": pool, "n": number})
    return found


class OwnedNumbersView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": [LOOK_AT_OWNED]}

    @extend_schema(operation_id="owned_numbers_list", parameters=[shapes.OwnedQuery], responses=page_of(shapes.Owned))
    def get(self, request: Any) -> Response:
        """Numbers of the account, as Laaffic listed them last."""
        query = self.read(shapes.OwnedQuery, request.query_params.dict())
        rows = OwnedNumber.objects.all()
        if query["is_gone"] is not None:
            rows = rows.filter(gone_at__isnull=not query["is_gone"])
        return Response(page(rows, query, documents.owned))


class OwnedNumberView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.NUMBERS}
    rights = {"GET": [LOOK_AT_OWNED], "POST": [LOOK_AT_OWNED, "numbers.edit_ownednumber"]}
    has_etag = True

    @extend_schema(responses=shapes.OwnedChanged)
    def get(self, request: Any, pk: int) -> Response:
        """The settings of a number, and what happened to the last change."""
        return Response(documents.changed_owned(row(OwnedNumber.objects.all(), pk)))

    @extend_schema(parameters=[KEY], request=shapes.OwnedChange, responses={202: shapes.OwnedChanged})
    def post(self, request: Any, pk: int) -> Response:
        """Change the settings of a number at Laaffic, if they are still as they were seen."""
        asked = self.read(shapes.OwnedChange)
        seen = asked.pop("seen")
        number = row(OwnedNumber.objects.all(), pk)
        if asked.get("app_id", "") not in ("", number.app_id):
            lookups.application(asked["app_id"], Channel.NUMBER, field="app_id")

        answer = self.once_sent(lambda: edited(number, asked, seen, request.user), status=202)
        return Response(documents.changed_owned(row(OwnedNumber.objects.all(), answer.body["id"])), answer.status)


def edited(
    number: OwnedNumber, given: dict[str, Any], seen: str, by: Any, *, file: VoicemailFile | None = None
) -> Answer:
    owned_changes.edit(number, given, file=file, seen=seen, by=by)
    return Answer(202, {"id": number.pk})
