"""The examples of docs/api.md do what they say."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
from typing import Any

import pytest

from laaffic_console.conf import BASE_DIR
from laaffic_console.gateway.models import Application
from messaging.models import Message
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db(transaction=True)

EXAMPLES = (BASE_DIR / "docs" / "api.md").read_text().partition("## Examples")[2]


def example(beginning: str) -> str:
    """The indented block that begins so."""
    block: list[str] = []
    for line in EXAMPLES[EXAMPLES.index(f"\n    {beginning}") + 1 :].splitlines():
        if line and not line.startswith("    "):
            break
        block.append(line)
    return textwrap.dedent("\n".join(block))


def run(live_server: Any, api: Api, *command: str) -> str:
    environment = {"PATH": os.environ["PATH"], "CONSOLE": live_server.url, "TOKEN": api.secret}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl(live_server: Any, api: Api, application: Application) -> None:
    answers = [json.loads(run(live_server, api, "bash", "-c", example("curl"))) for _time in range(2)]

    assert answers[0] == answers[1]
    assert [message["id"] for message in answers[0]["messages"]] == [Message.objects.get().pk]


def test_python(live_server: Any, api: Api, application: Application) -> None:
    said = run(live_server, api, sys.executable, "-c", example("import os"))

    assert json.loads(said) == list(Message.objects.order_by("pk").values_list("pk", flat=True))
