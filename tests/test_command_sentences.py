"""What a command refuses names what it is about as it was typed."""

import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from laaffic_console import verify_dossier
from laaffic_console.__main__ import main
from laaffic_console.gateway.models import Application
from laaffic_console.kit.process.commands import said
from messaging.models import Contact, ContactGroup
from messaging.services.saved_audiences import audiences

pytestmark = pytest.mark.django_db

FOR_ALL = ["--name", "n", "--app", "app1", "--group", "g", "--text", "Hi"]  # the last --app counts
REPORT = ["report", "--from", "2026-03-01", "--to", "2026-03-01"]
OF_EMAIL = ["--app", "e1", "--list", "1", "--template", "2", "--subject", "Hi"]


def test_sentences_stand_behind_their_fields() -> None:
    problem = ValidationError({"name": ["Too long.", "Taken."], "__all__": ["Both."]})

    assert said(problem) == ["name: Too long.", "name: Taken.", "Both."]
    assert said(problem, {"name": "--name"})[0] == "--name: Too long."
    assert said(ValidationError(["One.", "Two."])) == ["One.", "Two."]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["calendar", "create", "", "--hours", "mon 09:00-10:00"], "NAME: This field cannot be blank"),
        (["calendar", "create", "C", "--hours", "mon 9:00-10:00", "--except-date", "no"], "--except-date: “no” is"),
        (["audience", "create", "A", "--where", "foo"], "--where: At character 1"),
        (["register_app", "bad id", "--channel", "sms"], "APPID: An appId holds"),
        (["campaign", "create", *FOR_ALL, "--rate", "0"], "--rate: Ensure this value"),
        (["voice", "say", *FOR_ALL, "--app", "v1", "--times", "0"], "--times: 0 is not"),
        (["email", "send", *OF_EMAIL, "--from", "ada"], "--from: “ada” is not"),
        (["email", "send", *OF_EMAIL, "--from", "a@example.com", "--trigger", "-1"], "--trigger: Ensure"),
        (["api_token", "create", "ci", "--user", "ada", "--rate", "0"], "--rate: "),
        (["api_token", "create", "", "--user", "ada"], "NAME: This field cannot be blank"),
        (["webhook", "create", ""], "URL: "),
        (["webhook", "create", "https://1.1.1.1/", "--events", "no"], "--events: Unknown event"),
        (["budget", "set", "--app", "app1", "--cost", "0", "--currency", "USD"], "--cost: A budget is above 0"),
        (["budget", "set", "--app", "app1", "--messages", "0"], "--messages: A budget is above 0"),
    ],
)
def test_each_command_says_which(given: list[str], words: str) -> None:
    User.objects.create_user("ada")
    for app_id, channel in (("app1", "sms"), ("v1", "voice"), ("e1", "email")):
        Application.objects.create(app_id=app_id, channel=channel)
    ContactGroup.objects.create(name="g")

    with pytest.raises(CommandError, match=f"^{words}"):
        call_command(*given)


@pytest.mark.parametrize(
    "given",
    [
        *(["campaign", "create", *FOR_ALL, name, ""] for name in ("--local-time", "--not-after", "--calendar")),
        *(["campaign", "create", *FOR_ALL, name, " "] for name in ("--canary", "--to", "--group", "--template")),
        ["contacts", "export", "people.csv", "--group", ""],
        ["contacts", "import", "people.csv", "--group", ""],
        ["email", "send", *OF_EMAIL, "--from", "a@example.com", "--at", ""],
        ["voice", "group", "create", *FOR_ALL, "--send-at", ""],
    ],
    ids=lambda given: " ".join(given[:2] + given[-2:-1]),
)
def test_an_empty_value_is_not_taken_for_none(given: list[str]) -> None:
    """A script's unset variable would send now, to everybody, or without quiet hours."""
    with pytest.raises(CommandError, match=f"{given[-2]} is empty. Give a value, or leave it out.$"):
        call_command(*given)


def test_where_empty_says_that_a_person_does_it_it_is_taken() -> None:
    by_hand = [
        part for name in ("--stop-workers", "--stop-web", "--start-web", "--start-workers") for part in (name, "")
    ]

    with pytest.raises(CommandError, match=r"^--address is “nowhere”"):
        call_command("upgrade", "--address", "nowhere", *by_hand)


def test_from_a_shell_it_is_said_without_a_trace(monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    monkeypatch.setattr(sys, "argv", ["manage.py", "contacts", "export", "people.csv", "--group", ""])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    said = capfd.readouterr().err
    assert "error: --group is empty. Give a value, or leave it out." in said
    assert "Traceback" not in said


def test_an_unset_fingerprint_is_not_taken_for_none(capfd: Any) -> None:
    """From the shell too, where the command needs no settings."""
    with pytest.raises(SystemExit):
        verify_dossier.main(["d.zip", "--key", " "])

    assert "--key: it is empty" in capfd.readouterr().err


@pytest.mark.parametrize("most", [2**63, 10**22])
@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["campaign", "pause"], "no campaign"),
        (["campaign", "cancel"], "no campaign"),
        (["email", "launch"], "no email campaign"),
        (["email", "cancel"], "no email campaign"),
        (["email", "resume"], "no email campaign"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_an_id_beyond_every_row_is_nobodys(given: list[str], words: str, most: int) -> None:
    with pytest.raises(CommandError, match=f"{words} {most}"):
        call_command(*given, str(most))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["voice", "upload", "{endless}"], "at most 5 MB"),
        (["mms", "upload", "{endless}"], "at most 50 KB"),
        (["numbers", "pool", "create", "p1", "--concurrency", "1", "--file", "{endless}"], "larger than 1 MB"),
        (
            ["voice", "group", "create", *FOR_ALL[:4], "--app", "v1", "--text", "Hi", "--file", "{endless}"],
            "than 20 MB",
        ),
    ],
    ids=lambda given: " ".join(given[:3]) if isinstance(given, list) else "",
)
def test_a_file_that_never_ends_is_read_no_further_than_its_limit(given: list[str], words: str) -> None:
    Application.objects.create(app_id="v1", channel="voice")
    with pytest.raises(CommandError, match=words):
        call_command(*(one.format(endless="/dev/zero") for one in given))


def test_a_pipe_is_not_said_to_be_missing() -> None:
    with pytest.raises(CommandError, match=r"/dev/zero: It is a device or a pipe. Save it as a file, and name that."):
        call_command("contacts", "import", "/dev/zero")


def test_an_amount_that_is_too_fine_is_said_once() -> None:
    Application.objects.create(app_id="app1", channel="sms")

    with pytest.raises(CommandError) as refused:
        call_command("budget", "set", "--app", "app1", "--cost", "0.00000001", "--currency", "USD")

    assert "six decimals" in str(refused.value)
    assert "above 0" not in str(refused.value)


def test_a_number_out_of_its_range_is_refused_once() -> None:
    Application.objects.create(app_id="app1", channel="voice")
    ContactGroup.objects.create(name="g").contacts.add(Contact.objects.create(number="+491701234567", country="DE"))

    with pytest.raises(CommandError) as refused:
        call_command("voice", "group", "create", *FOR_ALL, "--loops", "-1")

    assert str(refused.value) == "--loops: From 1 to 9."


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["contacts", "export", "{folder}"], "{folder} is a folder. Name a file in it."),
        (["contacts", "export", "{folder}/x.pdf"], "{folder}/x.pdf must end in .csv or .xlsx."),
        ([*REPORT, "{folder}"], "{folder} is a folder. Name a file in it."),
        ([*REPORT, "{folder}/none/x.csv"], "There is no folder {folder}/none. Make it, or name another."),
        ([*REPORT, "{folder}/x.txt"], "{folder}/x.txt must end in .csv or .xlsx."),
        (["contacts", "import", "{folder}/people.csv", "--sheet", "May"], "{folder}/people.csv: A text file has no"),
        (["consent", "import", "{folder}/people.csv"], "{folder}/people.csv: The file has no column “consent”"),
        (["calendar", "create", "C", "--hours", "mon 09:00-10:00", "--country", "ZZ"], "“ZZ” is not a country"),
        (["audience", "create", " Old ", "--where", "country = IN"], "There is an audience “Old” already: manage.py"),
        (["email", "send", *OF_EMAIL, "--from", "a@example.com", "--app", "app1"], "app1 is registered for SMS."),
        (["email", "lookup", "app1"], "app1 is registered for SMS."),
        (["voice", "phone", "add", "--app", "app1"], "app1 is registered for SMS."),
        (["numbers", "bind", "1", "2", "--pool", "p", "--app", "app1"], "app1 is registered for SMS."),
        (["mms", "keep-id", "99", "57_1.txt"], "There is no attachment 99."),
    ],
)
def test_what_does_not_do_is_said_with_its_name_and_a_way_on(given: list[str], words: str, tmp_path: Path) -> None:
    Application.objects.create(app_id="app1", channel="sms")
    audiences.create(name="Old", condition="country = IN")
    (tmp_path / "people.csv").write_text("number,name\n919876500000,Asha\n")

    with pytest.raises(CommandError) as refused:
        call_command(*(one.format(folder=tmp_path) for one in given))

    assert str(refused.value).startswith(words.format(folder=tmp_path))
