"""openapi.json, and the page that shows it, with all of its files served from here."""

import json
import re
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import resolve
from django.utils.translation import get_language
from django.views.decorators.cache import cache_control
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from rest_framework.renderers import TemplateHTMLRenderer

PROBLEM = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "what is wrong, and what to do"},
    },
    "required": ["type", "title", "status", "detail"],
}
REFUSALS = {
    "400": "something in the request is wrong",
    "401": "no token, or one that is not good",
    "403": "a scope or a right is missing",
    "404": "there is no such thing",
    "409": "its state does not permit it, or the Idempotency-Key is in use",
    "411": "the body came in chunks, without its length",
    "413": "the body is too large",
    "415": "the body is not JSON",
    "429": "too many requests in this minute; see Retry-After",
    "503": "not now; see Retry-After",
}
LEAST_SAID = 30  # characters; a first sentence of fewer does not say enough by itself
OF_BODIES = ("411", "413", "415")
CHANGED_SINCE = "it has changed since the answer whose ETag is in If-Match"
TOO_LONG = "the address has more than 4,094 characters; the server answers so, before the console is asked"

IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "schema": {"type": "string"},
    "description": "ETag of an answer before: while nothing has changed the answer is 304, without a body",
}
ETAG = {"ETag": {"schema": {"type": "string"}, "description": "stands for this answer; send it as If-None-Match"}}


def with_problems(result: dict[str, Any], **_given: Any) -> dict[str, Any]:
    """Add to every operation how it can be refused; each refusal is described once."""
    _only_what_is_asked_is_filled_in(result)
    result["components"].setdefault("schemas", {})["Problem"] = PROBLEM
    result["components"]["responses"] = _shared_answers()
    for path, operations in result["paths"].items():
        view: Any = resolve(path.replace("{id}", "1")).func
        if view.cls.has_etag:
            _with_etag(operations["get"])
        for method, operation in operations.items():
            operation["summary"] = _summary(operation)
            statuses = ["414", *REFUSALS]
            if method not in ("post", "patch", "delete"):
                statuses = [status for status in statuses if status not in OF_BODIES]
            if any(one["name"] == "If-Match" for one in operation.get("parameters", [])):
                statuses.append("412")
            for status in statuses:
                operation["responses"].setdefault(status, _shared(status))
    return result


def _shared_answers() -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    refusals = {**REFUSALS, "412": CHANGED_SINCE}
    return {
        **{_name(status): {"description": said, "content": content} for status, said in refusals.items()},
        _name("414"): {"description": TOO_LONG},
        _name("304"): {"description": "nothing has changed since", "headers": ETAG},
    }


def _name(status: str) -> str:
    return f"Status{status}"


def _shared(status: str) -> dict[str, str]:
    return {"$ref": f"#/components/responses/{_name(status)}"}


def _summary(operation: dict[str, Any]) -> str:
    """The first sentence of an operation's description, with the next if it is short; for a list also what it lists."""
    line = str(operation.get("description", "")).partition("\n")[0]
    first, _stop, rest = line.partition(". ")
    if rest and len(first) < LEAST_SAID:
        first = f"{first}. {rest.partition('. ')[0]}"
    said = first.removesuffix(".")
    if operation["operationId"].endswith("_list"):
        of = operation["operationId"].removesuffix("_list").replace("_", " ")
        return f"List {of}: {said if said[:2].isupper() else said[:1].lower() + said[1:]}"
    return said


def _with_etag(operation: dict[str, Any]) -> None:
    operation.setdefault("parameters", []).append(IF_NONE_MATCH)
    operation["responses"]["200"]["headers"] = ETAG
    operation["responses"]["304"] = _shared("304")


def _only_what_is_asked_is_filled_in(result: dict[str, Any]) -> None:
    """Say only of requests that a text may not be empty (ENFORCE_NON_BLANK_FIELDS) and that there are no other keys;
    for answers neither is promised."""
    bodies = [one.get("requestBody") for operations in result["paths"].values() for one in operations.values()]
    shapes = result["components"].get("schemas", {})
    asked, named = set(), _named(bodies)
    while named:  # also the parts of what is asked
        asked |= named
        named = _named([shapes[name] for name in named]) - asked
    for name, shape in shapes.items():
        if name not in asked:
            for field in shape.get("properties", {}).values():
                field.pop("minLength", None)
        elif "properties" in shape:  # an unknown key is refused (unread_keys.py); answers get more keys in time
            shape["additionalProperties"] = False


def _named(part: Any) -> set[str]:
    return set(re.findall(r"#/components/schemas/(\w+)", json.dumps(part)))


class KeptGenerator(SchemaGenerator):
    """Keeps the document while the process lives: it does not change, and to make it takes as long as ten pages."""

    _kept: ClassVar[dict[str, Any]] = {}

    def get_schema(self, request: Any = None, public: bool = False) -> Any:
        language = get_language() or ""
        if self.api_version is not None or language not in dict(settings.LANGUAGES):  # an address may ask for anything
            return self._made(request, public)
        if language not in self._kept:
            self._kept[language] = self._made(request, public)
        return self._kept[language]

    def _made(self, request: Any, public: bool) -> Any:
        return super().get_schema(request=request, public=public)  # type: ignore[no-untyped-call]


class CompactRenderer(OpenApiJsonRenderer):
    """JSON without indentation, which would double its length: it is read by programs, and the docs page draws it."""

    def get_indent(self, accepted_media_type: str, renderer_context: Any) -> None:
        return None


class PlainJsonRenderer(CompactRenderer):
    media_type = "application/json"


class SchemaView(SpectacularJSONAPIView):
    """Open to everybody: it describes the API, and holds no data of this console."""

    generator_class = KeptGenerator
    renderer_classes = [CompactRenderer, PlainJsonRenderer]
    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []


# Compressed here, unlike pages: it holds no secret that its length could reveal.
schema_view = cache_control(no_cache=True)(gzip_page(conditional_page(SchemaView.as_view())))


class DocsView(SpectacularSwaggerSplitView):
    """Anyone who is signed in may look; what they try there needs a token of its own."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    renderer_classes = [TemplateHTMLRenderer]
    url_name = "api_schema"


def docs(request: HttpRequest) -> HttpResponse:
    found: HttpResponse = DocsView.as_view()(request)
    return found


docs_view = admin.site.admin_view(docs)
