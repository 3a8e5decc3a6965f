"""Whoever comes second to a job finds its lease taken, and leaves all of it to the first."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from laaffic_console.events.services import delivering
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.gateway.services.work import leases
from laaffic_console.notices.services import handing_out
from messaging.models import ContactImport
from messaging.services.audience import audience
from messaging.services.batches import answers
from messaging.services.email import deliveries as email_deliveries
from messaging.services.email import sending as email_sending
from messaging.services.imports import forecast as import_forecast
from messaging.services.imports import imports
from messaging.services.imports import undo as import_undo
from messaging.services.replies import reply_pulls
from messaging.services.reports import report_pulls

pytestmark = pytest.mark.django_db

JOBS: list[tuple[str, Callable[[], object]]] = [
    (delivering.LEASE, delivering.deliver),
    ("probe-account", account_hold.probe),
    ("notices", handing_out.hand_out),
    ("freeze:1", lambda: audience.freeze(1)),
    ("freeze:1", lambda: audience.freeze_some(1, 4)),
    ("answers", answers.write_waiting),
    ("forecast:1", lambda: import_forecast.run(1)),
    ("undo:1", lambda: import_undo.run(1)),
    ("import:1", lambda: imports.import_at_once(ContactImport(pk=1))),
    ("email:1", lambda: email_sending.send(1)),
    ("pull:email", email_deliveries.pull_due),
    ("pull:sms", report_pulls.pull_due),
    (reply_pulls.LEASE, reply_pulls.pull_due),
]

OF_A_LEASE = ("_lease", "SAVEPOINT", "clock_timestamp", "synchronous_commit")


@pytest.mark.parametrize(("name", "job"), JOBS, ids=[f"{name}-{n}" for n, (name, _job) in enumerate(JOBS)])
def test_it_looks_at_nothing_but_the_lease(name: str, job: Callable[[], object]) -> None:
    first = leases.take(name)
    assert first is not None

    with CaptureQueriesContext(connection) as asked:
        done = job()

    assert not done
    asked_of_others = [query["sql"] for query in asked if not any(word in query["sql"] for word in OF_A_LEASE)]
    assert asked_of_others == []
    assert leases.holder(name) == first.token
