"""A client of a sandbox, and the sandbox's doors."""

import json
import urllib.request
from typing import Any

from laaffic_console.laaffic import LaafficClient
from laaffic_console.sandbox.testing import RunningSandbox


def client_of(sandbox: RunningSandbox) -> LaafficClient:
    return LaafficClient(
        api_key="sandbox-key", api_secret="sandbox-secret", base_url=sandbox.base_url, timeouts=(20.0, 20.0)
    )


def door(sandbox: RunningSandbox, path: str, **given: Any) -> Any:
    request = urllib.request.Request(f"{sandbox.url}/sandbox{path}", data=json.dumps(given).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())
