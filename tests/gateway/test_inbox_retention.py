"""Pushed bodies go after their days, but for what nobody has applied."""

import datetime as dt

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from laaffic_console.gateway.models import OrphanReport, PushedBody, PushKind
from laaffic_console.gateway.services.inbox import draining, inbox_retention

pytestmark = pytest.mark.django_db

DAYS = 30


@pytest.fixture(autouse=True)
def kept_for(settings: LazySettings) -> None:
    settings.LAAFFIC_INBOX_DAYS = DAYS


def pushed(days_ago: float, *, is_applied: bool = True, failed: int = 0) -> PushedBody:
    at = timezone.now() - dt.timedelta(days=days_ago)
    return PushedBody.objects.create(
        kind=PushKind.SMS_REPORT,
        body="[]",
        size=2,
        received_at=at,
        applied_at=at if is_applied else None,
        failed=failed,
    )


def left() -> set[int]:
    return set(PushedBody.objects.values_list("pk", flat=True))


def test_what_was_wholly_applied_goes_after_its_days() -> None:
    pushed(DAYS + 1)
    fresh, waiting, failed = pushed(DAYS - 1), pushed(DAYS + 1, is_applied=False), pushed(DAYS + 1, failed=1)

    assert inbox_retention.sweep() == 1
    assert left() == {fresh.pk, waiting.pk, failed.pk}


def test_its_reports_without_a_message_go_with_it() -> None:
    for days, key in ((DAYS + 1, "old"), (1, "new")):
        body = pushed(days)
        OrphanReport.objects.create(
            kind=body.kind, pushed_body=body, key=key, report={}, first_seen=body.received_at, next_try_at=None
        )

    inbox_retention.sweep()

    assert [orphan.key for orphan in OrphanReport.objects.all()] == ["new"]


def test_a_sweep_takes_some_of_the_oldest_and_the_next_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_retention, "AT_ONCE", 4)
    bodies = [pushed(DAYS + 10 - n) for n in range(7)]

    assert inbox_retention.sweep() == 4
    assert left() == {body.pk for body in bodies[4:]}
    assert inbox_retention.sweep() == 3


def test_large_ones_go_a_few_at_a_time_and_their_texts_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_retention, "TEXT_AT_ONCE", 4)
    for n in range(3):
        pushed(DAYS + 10 - n)

    with CaptureQueriesContext(connection) as captured:
        assert inbox_retention.sweep() == 2
    assert [query["sql"] for query in captured if '."body"' in query["sql"]] == []
    monkeypatch.setattr(inbox_retention, "TEXT_AT_ONCE", 1)
    assert inbox_retention.sweep() == 1


def test_what_is_to_be_applied_again_meanwhile_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    body = pushed(DAYS + 1)
    found = inbox_retention._oldest

    def clicked_meanwhile(before: dt.datetime) -> list[int]:
        some = found(before)
        draining.try_again([body.pk])
        return some

    monkeypatch.setattr(inbox_retention, "_oldest", clicked_meanwhile)

    assert inbox_retention.sweep() == 0
    assert left() == {body.pk}


def test_zero_days_keep_all(settings: LazySettings) -> None:
    settings.LAAFFIC_INBOX_DAYS = 0
    pushed(10_000)

    assert inbox_retention.sweep() == 0
