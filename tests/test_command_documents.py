"""What commands print with --json has the keys that docs/commands.md names: scripts rely on them."""

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from laaffic_console.conf import BASE_DIR
from laaffic_console.gateway.models import Application
from messaging.management.commands import budget as budget_command
from messaging.management.commands import calendar as calendar_command
from messaging.management.commands import campaign as campaign_command
from messaging.management.commands import consent as consent_command
from messaging.models import Calendar, Campaign, ContactImport, EmailCampaign
from messaging.services.budgets import budgets
from messaging.services.contacts import consent_files
from messaging.services.email import counting as email_counting
from messaging.services.figures import campaign_report, proving
from messaging.services.imports import imports
from phone_numbers.management.commands import numbers
from phone_numbers.models import BindingRequest, NumberPool, OwnedNumber, PoolVersion
from voice.management import group_arguments
from voice.models import GroupTask
from voice.services.group_calls import proving as task_proving

pytestmark = pytest.mark.django_db

TABLE = (BASE_DIR / "docs" / "commands.md").read_text().partition("## Documents")[2]


def named(command: str) -> set[str]:
    """The keys in a command's row; those of nested documents stand in braces and are not among them."""
    [cell] = re.findall(rf"^\| `{re.escape(command)}`[^|]*\| (.+?) \|$", TABLE, re.MULTILINE)
    return set(re.findall(r"`([a-z_]+)`", cell))


@pytest.fixture
def application() -> Application:
    return Application.objects.create(app_id="smsApp01", channel="sms")


def test_what_is_said_of_a_campaign(application: Application) -> None:
    campaign = Campaign.objects.create(name="spring", application=application, text="hi")

    said: Mapping[str, dict[str, Any]] = {
        "campaign launch": campaign_command.standing(campaign),
        "campaign report": campaign_report.document(campaign),
        "campaign list": campaign_command.Command().document("list", {}),
        "campaign prove": proving.prove(campaign),
    }
    assert {command: set(document) for command, document in said.items()} == {
        command: named(command) for command in said
    }


def test_what_is_said_of_a_calendar() -> None:
    calendar = Calendar.objects.create(name="Day", hours="mon-fri 09:00-20:00")

    assert set(calendar_command.as_document(calendar)) == named("calendar create")
    assert set(calendar_command.listed()) == named("calendar list")


def test_what_is_said_of_budgets(application: Application) -> None:
    budgets.put(application, per="day", limit=Decimal(5))

    said = [budget_command.row(standing) for standing in budgets.standings()]

    assert named("budget set") == {"budgets"}
    assert set(re.findall(r"\w+", re.findall(r"`budgets`: `\{(.+?)\}`", TABLE)[0])) == set(said[0])


def test_what_is_said_of_an_email_campaign(application: Application) -> None:
    campaign = EmailCampaign.objects.create(name="spring", application=application)

    assert set(email_counting.report(campaign)) == named("email report")
    assert set(email_counting.prove(campaign)) == named("email prove")


def test_what_is_said_of_an_import() -> None:
    assert set(imports.result(ContactImport.objects.create())) == named("contacts import FILE")


def test_what_is_said_of_calls_and_numbers() -> None:
    assert set(group_arguments.as_json(GroupTask())) == named("voice group create")
    task = GroupTask.objects.create(name="spring", application=Application.objects.create(app_id="v", channel="voice"))
    assert set(task_proving.prove(task)) == named("voice group prove")
    assert set(numbers.of_request(BindingRequest())) == named("numbers bind")
    assert {*numbers.of_owned(OwnedNumber()), "state", "call"} == named("numbers owned")
    assert set(numbers.of_version(PoolVersion())) == named("numbers pool adopt")
    assert {*numbers.of_pool(NumberPool(pool_number="861000")), "versions"} == named("numbers pool show")


def test_what_is_said_of_consent(tmp_path: Path) -> None:
    path = tmp_path / "consents.csv"
    path.write_text("number,consent,date\n919876543210,yes,2026-05-04\n")

    assert set(consent_files.take(path, consent_files.Options()).document()) == named("consent import FILE")
    assert set(consent_command.shown("919876543210")) == named("consent show NUMBER")
