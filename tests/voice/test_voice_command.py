"""`manage.py voice`: the same services, one JSON document."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from laaffic_console.gateway.models import Application
from laaffic_console.sandbox.testing import RunningSandbox
from tests.messaging import attachment_samples as samples
from voice.models import SipCall

pytestmark = pytest.mark.django_db(transaction=True)


def said(*arguments: str) -> Any:
    out = io.StringIO()
    call_command("voice", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_phones_are_read_and_called(sandbox: RunningSandbox, application: Application) -> None:
    assert said("sync") == {"phones voiceApp": 5, "sip records": 0, "group records": 0, "group tasks": 0}

    assert said("call", "test_001", "+919876500000")["state"] == "accepted"
    assert SipCall.objects.get().callee == "919876500000"


def test_troubles_are_told(sandbox: RunningSandbox, application: Application, tmp_path: Path) -> None:
    said("sync")
    sandbox.sandbox.options.busy_phones = ["test_001"]
    with pytest.raises(CommandError, match="not idle"):
        said("call", "test_001", "+919876500000")
    with pytest.raises(CommandError, match="No SIP phone"):
        said("call", "nobody", "+919876500000")
    with pytest.raises(CommandError, match="cannot be read"):
        said("upload", str(tmp_path / "none.mp3"))


def test_a_file_is_uploaded_once(sandbox: RunningSandbox, tmp_path: Path) -> None:
    file = tmp_path / "hello.mp3"
    file.write_bytes(samples.mpeg())

    first, second = said("upload", str(file)), said("upload", str(file))

    assert (first["new"], second["new"]) == (True, False)
    assert first["file_id"] == second["file_id"] != ""
