"""openapi.json, and the page that shows it: everything that is drawn there is served from here."""

import json
import re
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import resolve
from django.utils.translation import get_language
from drf_spectacular.generators import SchemaGenerator
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
OF_BODIES = ("411", "413", "415")
CHANGED_SINCE = "it has changed since the answer whose ETag is in If-Match"
TOO_LONG = {
    "description": "the address has more than 4,094 characters; the server answers so, before the console is asked"
}

IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "schema": {"type": "string"},
    "description": "ETag of an answer before: while nothing has changed the answer is 304, without a body",
}
ETAG = {"ETag": {"schema": {"type": "string"}, "description": "stands for this answer; send it as If-None-Match"}}


def with_problems(result: dict[str, Any], **_given: Any) -> dict[str, Any]:
    """Every operation can be refused, and is in the same form."""
    _only_what_is_asked_is_filled_in(result)
    result["components"].setdefault("schemas", {})["Problem"] = PROBLEM
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path, operations in result["paths"].items():
        view: Any = resolve(path.replace("{id}", "1")).func
        if view.cls.has_etag:
            _with_etag(operations["get"])
        for method, operation in operations.items():
            operation["responses"].setdefault("414", TOO_LONG)
            for status, said in REFUSALS.items():
                if method in ("post", "patch", "delete") or status not in OF_BODIES:
                    operation["responses"].setdefault(status, {"description": said, "content": content})
            if any(one["name"] == "If-Match" for one in operation.get("parameters", [])):
                operation["responses"].setdefault("412", {"description": CHANGED_SINCE, "content": content})
    return result


def _with_etag(operation: dict[str, Any]) -> None:
    operation.setdefault("parameters", []).append(IF_NONE_MATCH)
    operation["responses"]["200"]["headers"] = ETAG
    operation["responses"]["304"] = {"description": "nothing has changed since", "headers": ETAG}


def _only_what_is_asked_is_filled_in(result: dict[str, Any]) -> None:
    """A text that may not be empty in a request says so (ENFORCE_NON_BLANK_FIELDS), and that nothing else may be in
    it; of answers neither is promised."""
    bodies = [one.get("requestBody") for operations in result["paths"].values() for one in operations.values()]
    shapes = result["components"].get("schemas", {})
    asked, named = set(), _named(bodies)
    while named:  # also what is a part of what is asked
        asked |= named
        named = _named([shapes[name] for name in named]) - asked
    for name, shape in shapes.items():
        if name not in asked:
            for field in shape.get("properties", {}).values():
                field.pop("minLength", None)
        elif "properties" in shape:  # what is not known is refused (unknown.py); answers get more keys in time
            shape["additionalProperties"] = False


def _named(part: Any) -> set[str]:
    return set(re.findall(r"#/components/schemas/(\w+)", json.dumps(part)))


class KeptGenerator(SchemaGenerator):
    """What can be asked stays the same while a process lives; gathering it takes as long as drawing ten pages."""

    _kept: ClassVar[dict[str, Any]] = {}

    def get_schema(self, request: Any = None, public: bool = False) -> Any:
        language = get_language() or ""
        if self.api_version is not None or language not in dict(settings.LANGUAGES):  # whatever an address asks for
            return self._made(request, public)
        if language not in self._kept:
            self._kept[language] = self._made(request, public)
        return self._kept[language]

    def _made(self, request: Any, public: bool) -> Any:
        return super().get_schema(request=request, public=public)  # type: ignore[no-untyped-call]


class SchemaView(SpectacularJSONAPIView):
    """For everybody: it says what can be asked, and nothing of what is here."""

    generator_class = KeptGenerator
    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []


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
