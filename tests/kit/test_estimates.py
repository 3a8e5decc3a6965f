"""About how many rows a large table has, behind what restores leave between its row numbers."""

import pytest
from django.db import connection
from django.utils import timezone

from laaffic_console.dashboard.health import support_bundle
from laaffic_console.gateway.models import PushedBody
from laaffic_console.kit.lists import paginator

RESTORED = 1_796_097_878_000_000  # microseconds since 1970
DAY = 86_400_000_000

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL keeps an estimate of its own"),
]


@pytest.mark.parametrize("begins", [[1], [1, RESTORED], [1, 5_000, RESTORED, RESTORED + DAY, RESTORED + 9 * DAY]])
def test_no_gap_counts(monkeypatch: pytest.MonkeyPatch, begins: list[int]) -> None:
    monkeypatch.setattr(paginator, "COUNT_LIMIT", 10)
    monkeypatch.setattr(support_bundle, "COUNT_LIMIT", 10)
    for begin in begins:
        told = {"kind": "sms-report", "body": "[]", "received_at": timezone.now()}
        PushedBody.objects.bulk_create(PushedBody(pk=begin + n, **told) for n in range(20))

    assert paginator.estimate(PushedBody) == 20 * len(begins)
    assert support_bundle.tables()["gateway_pushedbody"] == 20 * len(begins)
