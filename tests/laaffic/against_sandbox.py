"""A client of a sandbox, and the sandbox's doors."""

import json
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar

from laaffic_console.laaffic import LaafficClient
from laaffic_console.laaffic.pages import Page, every_page
from laaffic_console.sandbox.testing import RunningSandbox

T = TypeVar("T")


def client_of(sandbox: RunningSandbox) -> LaafficClient:
    return LaafficClient(
        api_key="sandbox-key", api_secret="sandbox-secret", base_url=sandbox.base_url, timeouts=(20.0, 20.0)
    )


def every(ask: Callable[..., Page[T]], **given: Any) -> list[T]:
    """The rows of all pages."""
    found = every_page(lambda current: ask(**given, current=current), "list", name_of=repr)
    return [row for page in found for row in page.records]


def door(sandbox: RunningSandbox, path: str, **given: Any) -> Any:
    request = urllib.request.Request(f"{sandbox.url}/sandbox{path}", data=json.dumps(given).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())
