"""Refusals, as application/problem+json (RFC 9457): a title, what to do, and what it is about."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import (
    NON_FIELD_ERRORS,
    ObjectDoesNotExist,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.db import IntegrityError, InterfaceError, OperationalError
from django.db.models import ProtectedError
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response

from laaffic_console.kit.masking.masks import in_text
from laaffic_console.kit.sql import database_troubles, unfinished_restores
from laaffic_console.kit.words.not_now import NotNow, is_about_now

CONTENT_TYPE = "application/problem+json"
logger = logging.getLogger(__name__)

TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Conflict",
    411: "Length required",
    412: "Precondition failed",
    413: "Too large",
    415: "Unsupported media type",
    429: "Too many requests",
    500: "Our fault",
    503: "Not now",
}

# Where rest_framework says only what is wrong, and not what to do.
WHAT_TO_DO = {
    405: "Nothing is done with this method at this address. The header “Allow” names those that it has.",
    406: "Answers are JSON. Send “Accept: application/json”, or leave it out.",
    415: "Send the body as JSON, with “Content-Type: application/json”; a file as multipart/form-data.",
}


class Problem(exceptions.APIException):
    """`more` are further members of the document, such as the errors of each field."""

    def __init__(self, status: int, detail: str, *, retry_after: int | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status_code, self.sentence, self.retry_after, self.more = status, detail, retry_after, more


def at(field: str, said: str, **more: Any) -> Problem:
    """The problem with a field of the request that shows only when its value is looked up or read."""
    return Problem(400, said, errors=[{"field": field, "detail": said}], **more)


@contextmanager
def about(field: str) -> Iterator[None]:
    """Report whatever a service finds wrong at this field, unless the service names a field itself."""
    try:
        yield
    except NotNow:
        raise
    except ValidationError as problem:
        if hasattr(problem, "error_dict"):
            raise
        raise at(field, " ".join(problem.messages)) from problem


def document(status: int, detail: str, **more: Any) -> dict[str, Any]:
    return {"type": "about:blank", "title": TITLES.get(status, "Refused"), "status": status, "detail": detail, **more}


def of(problem: Exception, names: Mapping[str, str] | None = None) -> Problem | None:
    """The Problem to answer; None for an unexpected exception, our fault. `names`: {a service's field: in requests}."""
    if isinstance(problem, Problem):
        return problem
    if isinstance(problem, ValidationError):
        status = 409 if is_about_now(problem) else 400
        return Problem(status, " ".join(problem.messages), **_fields(problem, names or {}))
    if isinstance(problem, exceptions.ValidationError):
        errors = _flat(problem.detail)
        said = "; ".join(f"{name}: {sentence}" if name else sentence for name, sentence in errors)
        return Problem(400, said, errors=[{"field": name, "detail": sentence} for name, sentence in errors])
    if isinstance(problem, ProtectedError):  # its message says what uses it (messaging/models/kept_while_used.py)
        return Problem(409, str(problem.args[0]))
    if isinstance(problem, unfinished_restores.HalfRestored):
        return Problem(503, str(problem), retry_after=60)
    if isinstance(problem, RecursionError):
        return Problem(400, "The body is nested too deeply. Send plain JSON.")
    if isinstance(problem, RequestDataTooBig):
        return Problem(413, "The body is too large. Send at most 10,000 messages in a request.")
    if isinstance(problem, SuspiciousOperation):  # thousands of fields, or a hundred files
        return Problem(400, "The form has too many parts. Send the fields that openapi.json names, each once.")
    if isinstance(problem, ObjectDoesNotExist):  # deleted between two reads
        return Problem(404, "It has just been deleted.")
    if isinstance(problem, Http404):
        return Problem(404, "There is nothing under this address. Look at /api/v1/openapi.json for those that exist.")
    if isinstance(problem, PermissionDenied):
        return Problem(403, "The token's user may not do this. Ask an administrator for the right.")
    if isinstance(problem, exceptions.APIException):
        return Problem(problem.status_code, WHAT_TO_DO.get(problem.status_code) or str(problem.detail))
    return None


def handled(problem: Exception, context: dict[str, Any]) -> Response:
    """The exception handler of rest_framework. A fault of ours is logged with its trace, and answered without it."""
    told = of(problem, getattr(context.get("view"), "names", None))
    if told is None and isinstance(problem, IntegrityError) and database_troubles.is_taken(problem):
        logger.warning("%s was stored by two at the same moment", context["request"].path, exc_info=problem)
        told = Problem(409, "Another request has stored the same just now. Look at what is there before you repeat it.")
    if told is None:
        logger.exception("the API failed at %s", context["request"].path, exc_info=problem)
        # A database error that the request caused (DataError, IntegrityError …) is our fault: we had to refuse it.
        is_busy = isinstance(problem, OperationalError | InterfaceError) or database_troubles.of(problem) is not None
        told = Problem(503 if is_busy else 500, f"It failed here, and was logged. {_next(context)}", retry_after=5)
    headers = {"Retry-After": str(told.retry_after)} if told.retry_after else {}
    if told.status_code == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="api"'
    # What Laaffic says about a request that was made; what is wrong with the request itself is told as it was given.
    sentence, more = told.sentence, told.more
    if told.status_code in (409, 503):
        sentence = in_text(sentence)
        if "errors" in more:
            more = {**more, "errors": [{**one, "detail": in_text(one["detail"])} for one in more["errors"]]}
    body = document(told.status_code, sentence, **more)
    return Response(body, told.status_code, headers=headers, content_type=CONTENT_TYPE)


def _next(context: Mapping[str, Any]) -> str:
    """What to do after a fault of ours: only with a key is it safe to repeat what acts."""
    request = context["request"]
    if "HTTP_IDEMPOTENCY_KEY" in request.META:
        return "Repeat the request with the same Idempotency-Key."
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return "Repeat the request."
    return "Look at what is there before you repeat the request: it had no Idempotency-Key."


@csrf_exempt
def nothing_here(request: HttpRequest) -> JsonResponse:
    """The 404 for every address below /api/ that does not exist."""
    said = "There is nothing under this address. Look at /api/v1/openapi.json for those that exist."
    return JsonResponse(document(404, said), status=404, content_type=CONTENT_TYPE)


def _fields(problem: ValidationError, names: Mapping[str, str]) -> dict[str, Any]:
    if not hasattr(problem, "error_dict"):
        return {}
    known = {NON_FIELD_ERRORS: "", **names}
    said = [(known.get(field, field), messages) for field, messages in problem.message_dict.items()]
    return {"errors": [{"field": field, "detail": text} for field, messages in said for text in messages]}


def _flat(detail: Any, name: str = "") -> list[tuple[str, str]]:
    if isinstance(detail, dict):
        parts = [(f"{name}.{key}".lstrip("."), value) for key, value in detail.items()]
        return [one for key, value in parts for one in _flat(value, key.removesuffix("non_field_errors").rstrip("."))]
    if isinstance(detail, list):
        return [one for value in detail for one in _flat(value, name)]
    return [(name, str(detail))]
