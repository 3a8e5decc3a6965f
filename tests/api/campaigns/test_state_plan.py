"""Campaigns in one state are paged by an index, however many the console has made for single messages."""

import pytest
from django.db import connection

from messaging.models import Campaign
from tests.plans import plan


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL plans by how many rows there are")
def test_a_page_of_one_state_sorts_nothing() -> None:
    found = Campaign.objects.filter(state="finished", pk__lt=1_000_000).order_by("-pk")[:100]

    said = plan(found)

    assert "campaign_state_id" in said
    assert "TEMP B-TREE" not in said
