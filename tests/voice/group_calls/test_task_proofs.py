"""Prove and dossier of a group call, by the mechanism of campaigns."""

import csv
import io
import json
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from laaffic_console import verify_dossier
from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from messaging.models import Proof
from tests.voice.group_calls.group_samples import FIRST, written
from tests.voice.group_calls.test_task_recipient_exports import AT
from voice.exports import task_recipient_exports
from voice.models import CallRecord, GroupTask, TaskState
from voice.services.group_calls import figures as group_figures
from voice.services.group_calls import proving as task_proving
from voice.services.group_calls import states as group_state

pytestmark = pytest.mark.django_db


@pytest.fixture
def task() -> GroupTask:
    """Finished, with three numbers and two calls."""
    task = written(Application.objects.create(app_id="voice1", channel="voice"), count=3)
    for place, (outcome, key) in enumerate([("answered", "1"), ("busy", "")]):
        CallRecord.objects.create(
            voice_id=str(place),
            callee=str(FIRST + place),
            outcome=outcome,
            key_pressed=key,
            at=AT,
            first_seen_at=AT,
            task_id="task-7",
            duration=12,
            cost=Decimal("0.010000"),
            currency="USD",
            source="push",
        )
    entry = LedgerEntry.objects.create(
        interface="voice/groupCall",
        application=task.application,
        about_kind=group_state.ABOUT,
        about_id=task.pk,
        prepared_at=AT,
        state=EntryState.ACCEPTED,
    )
    kept = {"key": "task-7", "state": TaskState.FINISHED, "entry": entry, "total": 3, "called": 2, "connected": 1}
    GroupTask.objects.filter(pk=task.pk).update(**kept, failed=1, **group_figures.of("task-7"))
    task.refresh_from_db()
    return task


def may(client: Client, *rights: str) -> Client:
    user = User.objects.create_user("ann", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(user)
    return client


def opened(path: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)


def test_figures_that_agree_are_proved(task: GroupTask) -> None:
    found = task_proving.prove(task)

    assert found["disagreements"] == []
    assert (found["numbers"], found["records"], found["keys"], found["cost"]) == (3, 2, {"1": 1}, {"USD": "0.020000"})


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"recorded": 5}, "records: the task says 5, its call records say 2"),
        ({"talk_seconds": 1}, "seconds: the task says 1, its call records say 24"),
        ({"keys_pressed": {"2": 9}}, "keys: the task says {'2': 9}"),
        ({"cost": Decimal(9)}, "cost in USD: kept 9"),
        ({"currency": "EUR"}, "cost in EUR"),
        ({"number_count": 4}, "numbers: the task says 4, its list has 3"),
        ({"called": 4}, "it called 4 of 3"),
        ({"connected": 7}, "8 calls have ended"),
        ({"entry": None}, "no request of it was accepted"),
    ],
)
def test_each_figure_that_disagrees_is_named(task: GroupTask, changed: dict[str, Any], sentence: str) -> None:
    GroupTask.objects.filter(pk=task.pk).update(**changed)

    assert any(sentence in said for said in task_proving.prove(task)["disagreements"])


def test_a_replaced_task_has_none_of_the_records_of_the_one_that_replaced_it(task: GroupTask, tmp_path: Path) -> None:
    none = {"recorded": 0, "talk_seconds": 0, "keys_pressed": {}, "cost": None, "currency": ""}
    GroupTask.objects.filter(pk=task.pk).update(state=TaskState.REPLACED, called=0, connected=0, failed=0, **none)
    task.refresh_from_db()

    assert task_proving.prove(task)["disagreements"] == []
    assert {row[2] for row in list(task_recipient_exports.rows(task))[1:]} == {task_recipient_exports.NO_RECORD}
    call_command("voice", "group", "dossier", str(task.pk), str(tmp_path / "d.zip"))
    with opened(tmp_path / "d.zip") as made:
        figures = json.loads(made.read("figures.json"))
    assert figures["disagreements"] == []


def test_a_request_that_is_still_on_its_way_is_named(task: GroupTask) -> None:
    LedgerEntry.objects.filter(about_id=task.pk).update(state=EntryState.IN_FLIGHT)

    assert "it is over, and 1 of its requests are still on their way" in task_proving.prove(task)["disagreements"]


def test_the_page_proves_it_and_keeps_the_report(client: Client, task: GroupTask) -> None:
    address = reverse("admin:voice_grouptask_prove", args=[task.pk])

    page = may(client, "view_grouptask").post(address, follow=True).content.decode()

    assert "all figures agree" in page
    assert Proof.objects.get().group_task == task
    assert 'id="make-dossier"' not in page


def test_a_draft_has_nothing_to_prove(admin_client: Client) -> None:
    task = written(Application.objects.create(app_id="voice1", channel="voice"))
    assert admin_client.post(reverse("admin:voice_grouptask_prove", args=[task.pk])).status_code == 404
    assert 'id="prove"' not in admin_client.get(f"/admin/voice/grouptask/{task.pk}/change/").content.decode()

    with pytest.raises(CommandError, match="is a draft"):
        call_command("voice", "group", "dossier", str(task.pk), "a.zip")


def test_the_dossier_holds_all_and_is_genuine(task: GroupTask, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    call_command("voice", "group", "dossier", str(task.pk), str(path))

    assert verify_dossier.check(path).manifest["title"] == f"group call {task.pk} “Spring”"
    with opened(path) as made:
        rows = list(csv.DictReader(io.StringIO(made.read("recipients.csv").decode("utf-8-sig"))))
        figures = json.loads(made.read("figures.json"))
        ledger = made.read("ledger.csv").decode()
    assert [row["state"] for row in rows] == ["answered", "busy", "no record"]
    assert figures["disagreements"] == []
    assert "voice/groupCall" in ledger


def test_a_dossier_names_what_is_not_what_its_rows_say(task: GroupTask, tmp_path: Path) -> None:
    GroupTask.objects.filter(pk=task.pk).update(recorded=3)
    path = tmp_path / "a.zip"
    call_command("voice", "group", "dossier", str(task.pk), str(path))

    with opened(path) as made:
        assert json.loads(made.read("figures.json"))["disagreements"] == [
            "call records: the console says 3, recipients.csv says 2"
        ]


def test_the_shell_ends_with_1_where_a_figure_disagrees(task: GroupTask, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("voice", "group", "prove", str(task.pk), "--json")
    assert json.loads(capsys.readouterr().out)["disagreements"] == []
    GroupTask.objects.filter(pk=task.pk).update(recorded=3)

    with pytest.raises(CommandError, match="1"):
        call_command("voice", "group", "prove", str(task.pk))


def test_a_number_that_is_twice_in_its_list_is_named() -> None:
    found = list(task_proving._numbers(GroupTask(number_count=2), [str(FIRST), str(FIRST)]))

    assert found == ["numbers: 1 are in its list twice"]


@pytest.mark.parametrize(("without", "cost"), [(["0"], {"USD": "0.010000"}), (["0", "1"], {})])
def test_amounts_without_a_currency_are_in_no_sum(task: GroupTask, without: list[str], cost: dict[str, str]) -> None:
    CallRecord.objects.filter(voice_id__in=without).update(currency="", cost=Decimal("0.005"))
    GroupTask.objects.filter(pk=task.pk).update(**group_figures.of(task.key))
    task.refresh_from_db()

    found = task_proving.prove(task)

    assert (found["cost"], found["disagreements"]) == (cost, [])
