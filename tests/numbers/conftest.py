"""A sandbox over real HTTP, an application for numbers, and a queue that is run by hand."""

import pytest

from laaffic_console.gateway.models import Application
from tests.messaging.conftest import point_at, run_jobs, sandbox

__all__ = ["point_at", "run_jobs", "sandbox"]


@pytest.fixture
def application(db: None) -> Application:
    return Application.objects.create(app_id="NumApp1", channel="number", name="Masking")
