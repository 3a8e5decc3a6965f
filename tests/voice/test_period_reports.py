"""Group calls and calls from phones in reports by period."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.laaffic import CallKind
from laaffic_console.reports import reporting
from voice.exports import group_exports
from voice.models import CallRecord, GroupTask, TaskState
from voice.services.group_calls import costs as group_costs
from voice.services.group_calls import figures as group_figures
from voice.services.records.period_report_source import CallReports

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
DAY = dt.date(2026, 3, 1)


def call(n: int, at: dt.datetime, outcome: str, **fields: object) -> CallRecord:
    given = {"kind": CallKind.SIP, "callee": "919876500001", "source": "push", "first_seen_at": at} | fields
    return CallRecord.objects.create(voice_id=str(n), at=at, outcome=outcome, **given)


def test_a_group_call_is_of_the_day_of_its_launch() -> None:
    application = Application.objects.create(app_id="v", channel="voice", name="Calls")
    given = {"application": application, "launched_at": NOON, "called": 40, "connected": 30, "failed": 10}
    task = GroupTask.objects.create(
        name="Reminder", state=TaskState.FINISHED, cost=Decimal("1.5"), currency="USD", **given
    )
    GroupTask.objects.create(name="A draft", state=TaskState.DRAFT, **given)

    [row] = reporting.run(reporting.period(DAY, DAY), ["day", "campaign"]).rows

    assert row.values == (("2026-03-01",), ("Reminder", "group call", task.pk))
    said = {name: column.of(row.figures) for name, column in reporting.COLUMNS.items()}
    assert (said["sent"], said["delivered"], said["failed"], said["delivered_percent"]) == (40, 30, 10, 75.0)
    assert said["reasons"] == {"": 10}  # or the reasons of a report would not add up to what failed
    assert said["cost_per_delivered"] == {"USD": Decimal("0.05")}
    assert (said["segments"], said["awaited"], said["replies"]) == (None, None, None)


def test_calls_from_phones_are_of_the_console_s_day() -> None:
    with timezone.override("Asia/Kolkata"):
        call(1, NOON, "answered", cost=Decimal("0.02"), currency="EUR")
        call(2, NOON, "busy")
        call(5, NOON, "failed", termination_reason="no route to 919876500001")
        call(3, NOON + dt.timedelta(hours=7), "answered")  # half past midnight there
        call(4, NOON, "answered", kind=CallKind.TTS)  # a message of a campaign

        report = reporting.run(reporting.period(DAY, DAY), ["channel"])

    [row] = report.rows
    assert row.values == (("voice",),)
    assert (row.figures.counts["sent"], row.figures.counts["delivered"]) == (3, 1)
    assert dict(row.figures.reasons) == {"busy": 1, "no route to 9198•••••001": 1}
    assert row.figures.counts["price_not_told"] == 2
    assert dict(row.figures.cost) == {"EUR": 20_000}


def test_a_group_call_without_figures_says_what_is_missing() -> None:
    application = Application.objects.create(app_id="v", channel="voice", name="Calls")
    given = {"application": application, "launched_at": NOON}
    GroupTask.objects.create(name="Lost", state=TaskState.UNKNOWN, number_count=7, **given)
    GroupTask.objects.create(name="Not counted", state=TaskState.CALLING, **given)
    GroupTask.objects.create(name="Not priced", state=TaskState.FINISHED, called=5, connected=2, failed=3, **given)

    rows = {row.values[0][0]: row.figures for row in reporting.run(reporting.period(DAY, DAY), ["campaign"]).rows}

    assert (rows["Lost"].counts["unknown"], rows["Lost"].counts["sent"]) == (7, 0)
    assert (rows["Not priced"].counts["sent"], rows["Not priced"].counts["price_not_told"]) == (5, 5)
    assert not any(rows["Not counted"].counts.values()) if "Not counted" in rows else True


def test_an_amount_without_a_currency_is_in_no_sum() -> None:
    """Laaffic's list names a group call's cost without a currency, while its records are missing."""
    application = Application.objects.create(app_id="v", channel="voice", name="Calls")
    told = {"state": TaskState.FINISHED, "called": 5, "recorded": 5, "connected": 2, "cost": Decimal("0.35")}
    told |= {"application": application, "launched_at": timezone.now()}
    GroupTask.objects.create(name="No currency", **told)
    call(1, timezone.now(), "answered", cost=Decimal("0.02"))
    today = timezone.localdate()

    total = reporting.run(reporting.period(today - dt.timedelta(days=1), today), ()).totals.figures

    assert (dict(total.cost), dict(total.delivered_in)) == ({}, {})
    assert total.counts["price_not_told"] == 6
    assert group_figures.totals(GroupTask.objects.all())["costs"] == []
    assert group_costs.learned(GroupTask(application=application)) is None
    _header, row, sums = group_exports.rows(GroupTask.objects.all())
    assert (row[-2:], sums[-2:]) == ([Decimal("0.35"), ""], ["", ""])


@pytest.mark.parametrize(("name", "offered"), [("campaign", "Reminder"), ("sender", "861000"), ("country", None)])
def test_what_group_calls_offer_to_choose_from(name: str, offered: str | None) -> None:
    application = Application.objects.create(app_id="v", channel="voice")
    GroupTask.objects.create(name="Reminder", application=application, launched_at=NOON, display_number="861000")
    GroupTask.objects.create(name="A draft", application=application, display_number="862000")

    assert [words for _value, words in CallReports().choices(name, 10)] == [offered] * (offered is not None)
