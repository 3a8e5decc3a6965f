"""Whatever its channel, a campaign from the shell says in the same words to whom and when."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from laaffic_console.gateway.models import Application
from messaging.models import Calendar, Campaign, ContactGroup
from tests.messaging.mms import attachment_samples as samples

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["campaign create", "mms create", "voice say"])
def words(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """The command, with what its channel alone needs."""
    picture = tmp_path / "beach.png"
    picture.write_bytes(samples.picture())
    own = {"mms create": ["--title", "The beach", "--file", str(picture)]}
    channel = {"campaign create": "sms", "mms create": "sms", "voice say": "voice"}[request.param]
    Application.objects.create(app_id="shell", channel=channel)
    return [*request.param.split(), "--app", "shell", "--name", "R", "--text", "Hi", *own.get(request.param, [])]


def run(*given: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command(*given, "--json", stdout=out)
    document: dict[str, Any] = json.loads(out.getvalue())
    return document


def test_help_writes_a_share_as_it_is_given(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command(*words[:2], "--help")

    assert "[--canary N|N%]" in capsys.readouterr().out


def test_to_whom_and_when(words: list[str], tmp_path: Path) -> None:
    for name in ("customers", "staff"):
        ContactGroup.objects.create(name=name)
    run("audience", "create", "near", "--where", "country = IN")
    calendar = Calendar.objects.create(name="days", hours="mon-fri 09:00-20:00")
    numbers = tmp_path / "numbers.txt"
    numbers.write_text("919876543210\n919876543211\nnobody\n", "utf-16")

    made = run(
        *(*words, "--group", "customers", "--exclude-group", "staff", "--audience", "near", "--to", str(numbers)),
        *("--calendar", "days", "--not-after", "2030-05-03 18:00", "--local-time", "2030-05-03 09:00"),
        *("--marketing", "--rate", "7", "--canary", "5%", "--canary-wait", "3", "--canary-least", "90"),
    )

    draft = Campaign.objects.get(pk=made["id"])
    assert (made["numbers"], made["duplicates"], made["invalid"]) == (2, 0, 1)
    assert [one["line"] for one in made["errors"]] == [3]
    assert [one.name for one in (*draft.groups.all(), *draft.excluded_groups.all(), *draft.audiences.all())] == [
        *("customers", "staff", "near")
    ]
    assert (draft.calendar, draft.local_time, draft.purpose) == (calendar, "2030-05-03 09:00", "marketing")
    assert draft.latest_end is not None
    assert (draft.rate_per_second, draft.canary, draft.canary_wait, draft.canary_least) == (7, "5%", 3, 90)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "Say to whom: --group NAME, --audience NAME or --to FILE"),
        (["--group", "nobody"], "There is no group “nobody”. Import contacts into it"),
        (["--audience", "nobody"], "There is no audience “nobody”. Save one"),
        (["--to", "/nowhere"], "/nowhere: No such file"),
        (["--to", "/dev/null"], "The file is empty"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_written(words: list[str], given: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run(*words, *given)

    assert not Campaign.objects.exists()


@pytest.mark.parametrize("option", [["--canary-wait", "30"], ["--canary-least", "90"]])
def test_what_belongs_to_a_few_first_is_not_taken_alone(words: list[str], option: list[str]) -> None:
    ContactGroup.objects.create(name="customers")

    with pytest.raises(CommandError, match=f"{option[0]} belongs to --canary"):
        run(*words, "--group", "customers", *option)

    assert not Campaign.objects.exists()
