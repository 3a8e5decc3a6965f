"""Log lines that programs read."""

import json
import logging
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.test import Client

from laaffic_console import environment
from laaffic_console.kit.masking.log_masks import MaskPushTokens
from laaffic_console.kit.process.json_logs import HEADER, JsonFormatter, RequestIdMiddleware


def written(message: str, *given: object, **extra: object) -> dict[str, object]:
    record = logging.LogRecord("messaging", logging.ERROR, "a.py", 1, message, given, extra.pop("exc_info", None))
    record.__dict__.update(extra)
    MaskPushTokens().filter(record)
    said: dict[str, object] = json.loads(JsonFormatter().format(record))
    return said


def test_a_line_is_an_object_with_the_ledgers_id_and_without_tokens() -> None:
    said = written("%s failed\nhere", "/hooks/secret/sms-report/", ledger=7)

    assert said["message"] == "/hooks/…/sms-report/ failed\nhere"
    assert (said["level"], said["logger"], said["ledger"]) == ("ERROR", "messaging", 7)
    assert "request" not in said


def test_an_exception_stays_on_its_line() -> None:
    try:
        raise ValueError("why")
    except ValueError:
        said = written("failed", exc_info=sys.exc_info())

    assert "ValueError: why" in str(said["exception"])


def test_the_answer_names_the_request_of_its_lines() -> None:
    lines: list[dict[str, object]] = []

    def answer(request: HttpRequest) -> HttpResponse:
        lines.append(written("inside"))
        return HttpResponse()

    told = RequestIdMiddleware(answer)(HttpRequest())[HEADER]

    assert lines[0]["request"] == told
    assert "request" not in written("after")


def test_each_answer_has_its_own(client: Client) -> None:
    first, second = (client.get("/healthz", headers={HEADER: "mine"})[HEADER] for _n in range(2))

    assert len({first, second, "mine"}) == 3


def test_another_format_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_FORMAT", "xml")

    with pytest.raises(ImproperlyConfigured, match="one of line, json"):
        environment.one_of("LOG_FORMAT", ("line", "json"))
