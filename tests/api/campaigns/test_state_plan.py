"""Campaigns in one state are paged by an index, however many the console has made for single messages."""

import pytest
from django.db import connection

from tests.plans import plan

PAGE = "SELECT id, name FROM messaging_campaign WHERE state = 'finished' AND id < 1000000 ORDER BY id DESC LIMIT 100"


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL goes back over so few rows by their keys")
def test_a_page_of_one_state_sorts_nothing() -> None:
    said = plan(PAGE)

    assert "campaign_state_id" in said
    assert "TEMP B-TREE" not in said
    assert "Sort" not in said
