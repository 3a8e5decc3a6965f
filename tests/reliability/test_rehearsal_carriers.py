"""What a rehearsal of spoken messages holds against the ledger: the gateway's calls, in the words of messages."""

import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command

from laaffic_console.gateway.models import Application
from laaffic_console.laaffic import LaafficClient, Spoken
from laaffic_console.rehearsal.carriers import CARRIERS
from laaffic_console.rehearsal.installations.gateway_controls import GatewayControls, accepted_call
from laaffic_console.rehearsal.verdict import Accepted, Entry, judge
from laaffic_console.sandbox.management.commands import sandbox as sandbox_command
from laaffic_console.sandbox.options import Options
from laaffic_console.sandbox.testing import running_sandbox
from messaging.models import Campaign, ContactGroup
from voice.services.spoken.options import call_lasts

NUMBERS = [str(919_876_500_000 + index) for index in range(8)]


def call(**other: Any) -> dict[str, Any]:
    return {"voiceId": "21", "callee": "911", "callStatus": 50, "ended": True, **other}


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ({}, "delivered"),
        ({"callStatus": 40}, "delivered"),
        ({"callStatus": 20}, "failed"),
        ({"callStatus": 60}, "failed"),
        ({"ended": False}, "ringing"),
    ],
)
def test_a_call_is_told_as_a_message(given: dict[str, Any], state: str) -> None:
    assert accepted_call(call(**given)) == Accepted("21", "911", state)


def test_a_call_that_still_rings_agrees_with_no_end() -> None:
    told = accepted_call(call(ended=False))
    ended = [Entry("911", "delivered", "21", "")]

    verdict = judge(recipients=["911"], abnormal=[], accepted=[told], reconciled=ended, ended=ended)

    assert verdict.wrong


def test_whom_the_gateway_calls_twice_is_found() -> None:
    with running_sandbox(Options(ring_seconds=(0.0, 0.0), talk_seconds=(0.0, 0.0))) as running:
        controls = GatewayControls(urlsplit(running.url).port or 0)
        options = running.sandbox.options
        client = LaafficClient(api_key=options.api_key, api_secret=options.api_secret, base_url=f"{running.url}/v3")
        for number in [*NUMBERS, NUMBERS[3]]:
            client.voice.speak(app_id="voiceApp", callee=number, spoken=Spoken(text="Hello"))

        so_far, log = controls.accepted_so_far(), list(controls.log())

    ended = [Entry(taken.number, {"failed": "undelivered"}.get(taken.state, taken.state), "", "") for taken in log]
    verdict = judge(recipients=NUMBERS, abnormal=[], accepted=log, reconciled=ended, ended=ended)
    assert so_far == len(log) == 9
    assert verdict.duplicates == [f"{NUMBERS[3]}: accepted 2 times"]


@pytest.mark.parametrize("name", sorted(CARRIERS))
def test_its_gateway_understands_what_it_is_told(name: str) -> None:
    carrier = CARRIERS[name]
    told = {**carrier.gateway, carrier.callback: "http://127.0.0.1:1/hooks/x/"}
    words = [word for option, value in told.items() for word in (f"--{option}", str(value))]
    parser = sandbox_command.Command().create_parser("manage.py", "sandbox")

    options = sandbox_command.options_of(vars(parser.parse_args(words)))

    assert "http://127.0.0.1:1/hooks/x/" in (options.callback, options.voice_callback)
    assert (options.push_loss, options.push_mode) == (0.1, "array")


@pytest.mark.django_db
def test_the_calls_of_its_draft_are_over_soon(tmp_path: Path) -> None:
    Application.objects.create(app_id="rehears1", channel="voice")
    group = ContactGroup.objects.create(name="rehearsal")
    said = io.StringIO()

    words = ["--name", "Rehearsal", "--app", "rehears1", "--text", "Hello", "--group", "rehearsal", "--json"]
    call_command(*CARRIERS["tts"].create(tmp_path), *words, stdout=said)

    draft = Campaign.objects.get(pk=json.loads(said.getvalue())["id"])
    assert (draft.channel, list(draft.groups.all())) == ("voice", [group])
    assert call_lasts(draft).total_seconds() == 21


def test_another_channel_is_refused() -> None:
    with pytest.raises(CommandError, match="invalid choice: 'fax'"):
        call_command("rehearse", "--channel", "fax")


def test_a_disturbance_that_is_not_there_is_said_with_those_that_are() -> None:
    with pytest.raises(CommandError, match=r"“flood” is neither a number nor one of cut, down, .*clock"):
        call_command("rehearse", "--disturbances", "flood")
