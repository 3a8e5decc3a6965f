"""The migration counts what was sent before there were tallies by the hour as the services do."""

import importlib

import pytest
from django.apps import apps

from messaging.models import DeliveryTimeTally, Message, SentTally
from messaging.services.tallies import sent_tallies
from tests.messaging.reports.test_period_reports import World, year

past = importlib.import_module("messaging.migrations.0026_past_sent_tallies")

pytestmark = pytest.mark.django_db


def test_it_counts_as_the_services_do() -> None:
    world = World()
    for what, n in [
        *[("claim", 0), ("claim", 1), ("lose", 0), ("send_again", 0), ("report", 49), ("claim", 0), ("answer", 1)],
        *[("write", 0), *[("report", n) for n in range(0, 400, 13)]],
    ]:
        world.act(what, n)
    Message.objects.update(network=None)  # nothing kept it before
    SentTally.objects.all().delete()

    past.count_the_past(apps, None)

    assert SentTally.objects.filter(messages__gt=0).exists()
    assert DeliveryTimeTally.objects.exists()
    period = year()
    assert list(sent_tallies.disagreements(sent_tallies.of_period(period.start, period.end))) == []
