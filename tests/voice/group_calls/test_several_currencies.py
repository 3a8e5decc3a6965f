"""A group call that is billed in two currencies: none of it is missing from pages, files, reports and budgets."""

import datetime as dt
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.kit.pages import own_page
from laaffic_console.laaffic import CallRecord as WireRecord
from laaffic_console.laaffic import Source, parse_voice_reports
from laaffic_console.reports import reporting
from messaging.models import BudgetCounter
from messaging.services.budgets import budgets
from tests.voice.group_calls.group_samples import written
from voice.exports import group_exports
from voice.models import CallRecord, GroupTask, TaskState
from voice.services.group_calls import costs as group_costs
from voice.services.group_calls import figures as group_figures
from voice.services.group_calls import proving
from voice.services.group_calls import tasks as group_tasks
from voice.services.records import call_records

pytestmark = pytest.mark.django_db


def billed(place: int, cost: str, currency: str) -> WireRecord:
    told = {"voiceId": f"v{place}", "type": 1, "callee": f"91987650000{place}", "taskId": "task-7", "cost": cost}
    return parse_voice_reports(told | {"currency": currency, "callStatus": 50}).calls[0]


@pytest.fixture
def task() -> GroupTask:
    application = Application.objects.create(app_id="voice1", channel="voice")
    for currency in ("USD", "EUR"):
        budgets.put(application, per="day", limit=Decimal(5), currency=currency)
    task = group_tasks.launch(written(application, count=3).pk)
    call_records.take(
        [billed(1, "0.50", "USD"), billed(2, "0.40", "EUR"), billed(3, "0.30", "EUR")], Source.VOICE_RECORD
    )
    over = {
        "key": "task-7",
        "state": TaskState.FINISHED,
        "total": 3,
        "called": 3,
        "connected": 3,
        "launched_at": timezone.now(),
    }
    GroupTask.objects.filter(pk=task.pk).update(**over, **group_figures.of("task-7"))
    return GroupTask.objects.get(pk=task.pk)


def used() -> dict[str, int]:
    return dict(BudgetCounter.objects.values_list("budget__currency", "used"))


def test_both_are_shown_and_added_up(task: GroupTask, admin_client: Client) -> None:
    assert (task.cost, task.currency) == (Decimal("0.7"), "EUR")
    shown = " ".join(admin_client.get(own_page(task)).content.decode().split())
    assert "and 0.50 USD more" in shown
    both = [("EUR", Decimal("0.7")), ("USD", Decimal("0.5"))]
    assert group_figures.totals(GroupTask.objects.all())["costs"] == both
    _header, row, _sums = group_exports.rows(GroupTask.objects.all())
    assert row[-2:] == ["0.700000 EUR; 0.500000 USD", ""]
    assert [said for said in proving.prove(task)["disagreements"] if "cost" in said] == []
    today = timezone.localdate()
    totals = reporting.run(reporting.period(today - dt.timedelta(days=1), today), ()).totals.figures
    assert reporting.COLUMNS["cost"].of(totals) == dict(both)


def test_amounts_without_a_currency_hide_no_named_one() -> None:
    call_records.take([billed(1, "0.50", "USD"), billed(2, "0.20", "USD")], Source.VOICE_RECORD)
    CallRecord.objects.filter(voice_id="v1").update(currency="")

    told = group_figures.of("task-7")

    assert (told["cost"], told["currency"]) == (Decimal("0.2"), "USD")


def test_each_budget_is_charged_its_own(task: GroupTask) -> None:
    group_costs.charge(task)
    assert used() == {"EUR": 700_000, "USD": 500_000}


def test_what_was_expected_in_another_currency_is_given_back(task: GroupTask) -> None:
    """Laaffic bills the next calls in EUR alone, though the last ones had cost USD."""
    GroupTask.objects.filter(pk=task.pk).update(currency="USD", cost=Decimal("0.6"), recorded=3)
    following = group_tasks.launch(written(task.application, count=3, text="Next").pk)
    assert used() == {"EUR": 0, "USD": 600_000}

    over = {"state": TaskState.FINISHED, "key": "next", "called": 3, "recorded": 3, "currency": "EUR"}
    GroupTask.objects.filter(pk=following.pk).update(**over, cost=Decimal("0.3"))
    for _again in range(2):
        group_costs.charge(GroupTask.objects.get(pk=following.pk))

    assert used() == {"EUR": 300_000, "USD": 0}


def test_an_amount_without_a_currency_leaves_what_was_expected(task: GroupTask) -> None:
    GroupTask.objects.filter(pk=task.pk).update(currency="USD", cost=Decimal("0.6"), recorded=3)
    following = group_tasks.launch(written(task.application, count=3, text="Next").pk)

    over = {"state": TaskState.FINISHED, "key": "next", "called": 3, "recorded": 3, "currency": ""}
    GroupTask.objects.filter(pk=following.pk).update(**over, cost=Decimal("0.3"))
    group_costs.charge(GroupTask.objects.get(pk=following.pk))

    assert used() == {"EUR": 0, "USD": 600_000}
