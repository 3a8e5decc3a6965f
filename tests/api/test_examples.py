"""The examples of docs/api.md do what they say."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection

from laaffic_console.conf import BASE_DIR
from laaffic_console.gateway.models import Application
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Contact, ContactImport, Message
from messaging.services.imports import imports
from phone_numbers.models import Binding
from tests.api.conftest import Api
from tests.messaging.conftest import point_at
from voice.models import SipCall
from voice.services.phones import sip_phones as phones

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


def run(live_server: Any, api: Api, *command: str, folder: Path | None = None) -> str:
    environment = {"PATH": os.environ["PATH"], "CONSOLE": live_server.url, "TOKEN": api.secret}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90, check=False, cwd=folder)
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


PEOPLE = "phone,name\n+919876543210,Asha\n12,Nobody\n"
needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")


@pytest.fixture
def people(tmp_path: Path, settings: LazySettings) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    file = tmp_path / "people.csv"
    file.write_text(PEOPLE)
    return file


@needs_curl
def test_an_import_by_curl(live_server: Any, api: Api, people: Path) -> None:
    command = example('curl --fail-with-body --silent "$CONSOLE/api/v1/imports"')
    made = [json.loads(run(live_server, api, "bash", "-c", command, folder=people.parent)) for _time in range(2)]

    assert made[0]["id"] == made[1]["id"] == ContactImport.objects.get().pk
    assert made[0]["group"] == "Friends"


def test_an_import_in_python(live_server: Any, api: Api, people: Path) -> None:
    """A worker's part is done here, once it was started."""

    def work() -> None:
        while not ended.wait(0.1):
            if job := ContactImport.objects.filter(state="queued").first():
                imports.run(job.pk)
                break
        connection.close()

    ended = threading.Event()
    worker = threading.Thread(target=work)
    worker.start()
    try:
        said = run(live_server, api, sys.executable, "-c", example("import os, sys, time"), str(people))
    finally:
        ended.set()
        worker.join()

    assert said.split() == ["finished", "1", "1"]
    assert Contact.objects.get().name == "Asha"


@needs_curl
def test_a_call_and_a_binding_by_curl(
    live_server: Any, api: Api, sandbox: RunningSandbox, settings: LazySettings
) -> None:
    point_at(settings, sandbox)
    phones.sync(Application.objects.create(app_id="voiceApp", channel="voice"))
    Application.objects.create(app_id="NumApp1", channel="number")
    for what in ("calls", "bindings"):
        command = example(f'curl --fail-with-body --silent "$CONSOLE/api/v1/{what}"')
        answers = [json.loads(run(live_server, api, "bash", "-c", command)) for _time in range(2)]
        assert answers[0] == answers[1]
        assert answers[0]["state"] == "accepted"

    assert (SipCall.objects.count(), Binding.objects.count()) == (1, 1)


@needs_curl
def test_a_report_by_curl(live_server: Any, api: Api) -> None:
    command = example('curl --fail-with-body --silent "$CONSOLE/api/v1/report')

    assert json.loads(run(live_server, api, "bash", "-c", command))["by"] == ["channel"]
