"""Log lines as JSON, one object a line, for anyone who gathers logs; with the id of the request that is answered."""

import datetime as dt
import json
import logging
import uuid
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-ID"

_request_id: ContextVar[str] = ContextVar("request_id", default="")


class RequestIdMiddleware:
    """Makes an id for each request and returns it in the answer: one that a client sends could say anything."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _request_id.set(uuid.uuid4().hex)
        try:
            answer = self.get_response(request)
            answer[HEADER] = _request_id.get()
            return answer
        finally:
            _request_id.reset(token)


class JsonFormatter(logging.Formatter):
    """`extra={"ledger": id}` names an entry of the ledger. What masks have hidden stays hidden: they come first."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, object] = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := _request_id.get():
            said["request"] = request_id
        if (ledger := getattr(record, "ledger", None)) is not None:
            said["ledger"] = ledger
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False)
