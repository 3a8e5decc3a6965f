"""The page before a group call is launched: what it would cost, what is left out, and what wants a tick."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from laaffic_console.gateway.models import Application, BalanceReading
from messaging.models import SuppressionEntry
from tests.messaging.pages import hidden
from tests.voice.group_calls.group_samples import FIRST, written
from tests.voice.group_calls.test_group_admin import own
from voice.models import GroupTask, TaskState
from voice.services.group_calls import costs as group_costs
from voice.services.group_calls import starting as group_start
from voice.services.group_calls import tasks as group_tasks

pytestmark = pytest.mark.django_db


def finished(application: Application, **given: Any) -> GroupTask:
    told = {"cost": Decimal("2.00"), "currency": "USD", "called": 100, "recorded": 100, "launched_at": timezone.now()}
    return GroupTask.objects.create(
        **{"name": "Before", "application": application, "state": TaskState.FINISHED} | told | given
    )


def test_the_last_tasks_say_what_a_phone_costs(application: Application, admin_client: Client) -> None:
    finished(application)
    finished(application, cost=Decimal("4.00"))
    finished(application, cost=Decimal(900), recorded=20)  # not all of its records have come
    finished(Application.objects.create(app_id="other", channel="voice"), cost=Decimal(500))
    task = written(application, count=10)

    planned = group_start.planned(task)
    page = admin_client.get(own(task, "review")).content.decode()

    assert planned.price == group_costs.Learned(Decimal("0.03"), "USD", 2, 200)
    assert planned.cost.by_currency == {"USD": Decimal("0.3")}
    assert 'data-cost="USD"' in page
    assert "as the last 2 group calls cost (200 calls)" in page


def test_the_talk_of_few_calls_is_not_nothing(application: Application, admin_client: Client) -> None:
    page = admin_client.get(own(written(application, count=2), "review")).content.decode()

    assert "0.0" not in page.partition("Talk, at most")[2][:200]
    assert re.search(r"Talk, at most</p>\s*<p class=\"c-number\">\d+ (s|min)</p>", page)


def test_without_any_it_says_that_it_is_not_known(application: Application, admin_client: Client) -> None:
    page = admin_client.get(own(written(application), "review")).content.decode()

    assert "no group call of this application has reported one yet" in page
    assert "not known yet" in page


def test_a_balance_that_does_not_cover_it_wants_a_tick(application: Application, admin_client: Client) -> None:
    finished(application, cost=Decimal(200))
    BalanceReading.objects.create(at=timezone.now(), balance=Decimal(5))
    task = written(application, count=10)

    ticks = {check.key for check in group_start.planned(task).checks if check.level == "tick"}
    page = admin_client.post(own(task, "review"), {"seen": "night", **hidden(admin_client, own(task, "review"))})

    assert "balance" in ticks
    assert "does not cover the expected" in page.content.decode()
    assert GroupTask.objects.get(pk=task.pk).state == TaskState.DRAFT


def test_who_is_left_out_and_why(application: Application, admin_client: Client) -> None:
    task = written(application, count=3)
    GroupTask.objects.filter(pk=task.pk).update(left_twice=1, left_invalid=2)
    SuppressionEntry.objects.create(number=str(FIRST), channel="voice")

    page = admin_client.get(own(task, "review")).content.decode()

    assert "1 was given twice and is called once" in page
    assert "1 left out: suppressed" in page
    assert "2 left out: invalid number" in page
    assert "Call 2 phones" in page


def test_what_has_become_wrong_since_it_was_saved_stops_it(application: Application, admin_client: Client) -> None:
    task = written(application)
    Application.objects.update(is_active=False)

    page = admin_client.get(own(task, "review")).content.decode()

    assert "This application is switched off. Choose another." in page
    assert 'id="launch" class="c-button main" disabled' in page
    with pytest.raises(ValidationError, match="switched off"):
        group_tasks.launch(task.pk)
    task.refresh_from_db()
    assert (task.state, task.entry) == (TaskState.DRAFT, None)


def test_everybody_suppressed_stops_it(application: Application, admin_client: Client) -> None:
    task = written(application, count=1)
    SuppressionEntry.objects.create(number=str(FIRST), channel="voice")

    page = admin_client.get(own(task, "review")).content.decode()

    assert "Nobody is left to call" in page
    assert 'id="launch" class="c-button main" disabled' in page
