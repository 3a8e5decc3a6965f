"""What is open is found past all that is over; SQLite takes an index of some rows only in its own words."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from laaffic_console.dashboard.health import metrics, support_bundle
from laaffic_console.exporting.models import IS_OPEN_EXPORT, Export
from laaffic_console.exporting.services import making
from laaffic_console.gateway.models import IS_OPEN_ENTRY, Application, LedgerEntry
from laaffic_console.gateway.services.ledger import open_acts
from laaffic_console.notices.models import IS_TO_MAIL, Notice
from laaffic_console.notices.services import mailing as notices_mailing
from laaffic_console.notices.services import watching
from laaffic_console.reports.models import IS_OPEN_SENDING, Sending
from laaffic_console.reports.services import mailing as reports_mailing
from messaging.models import (
    IS_EXCEPTIONAL_MESSAGE,
    IS_OPEN_BATCH,
    IS_OPEN_PROOF,
    Batch,
    BatchState,
    Campaign,
    CampaignState,
    ConsentEvent,
    Message,
    Proof,
)
from messaging.registered import gauges, health_signs
from messaging.services import restored
from messaging.services.batches import claiming, unanswered, unknown, waiting
from messaging.services.campaigns import campaigns, canaries, canary_figures, resolving
from messaging.services.figures import proofs
from messaging.services.gates import frequency
from messaging.services.reports import record_matching
from messaging.services.sending import forgotten
from messaging.services.tallies import counting, hour_tallies
from voice.services.spoken import channel as tts_channel

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL derives which rows an index has"),
]
NOW = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)


@pytest.fixture
def campaign(application: Application) -> Campaign:
    is_going = {"state": CampaignState.RUNNING, "audience": Campaign.Audience.FROZEN, "latest_end": NOW}
    return Campaign.objects.create(name="Autumn", application=application, **is_going)


def plans_of(act: Callable[[], Any], table: str) -> list[str]:
    """How each of its questions about a table was answered."""
    with CaptureQueriesContext(connection) as captured:
        act()
    asked = [one["sql"] for one in captured if one["sql"].startswith("SELECT") and f'FROM "{table}"' in one["sql"]]
    return list(map(plan, asked))


def plan(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return "; ".join(row[-1] for row in cursor.fetchall())


QUESTIONS_OF_BATCHES: dict[str, Callable[[Campaign], Any]] = {
    "claim": lambda one: claiming._next_queued(one, 1, 4),
    "recover": lambda one: unanswered._claimed_by_others.rows(campaign=one.pk, token="t"),
    "is done": lambda one: counting._open.rows(campaign=one.pk),
    "unknown now": lambda _one: hour_tallies.unknown_now(),
    "of a campaign": unknown.of,
    "last lost": unknown.newest,
    "waiting": waiting.of,
    "last due": lambda one: waiting.last_due([one.pk]),
    "asleep": lambda _one: list(waiting.asleep(Campaign.objects.order_by())),
    "sweep": lambda _one: forgotten.sweep(NOW - dt.timedelta(days=1)),
    "cancel": lambda one: campaigns.cancel_waiting(one.pk),
    "latest end": lambda one: campaigns.hold_after_end(one.pk),
    "resolve": lambda one: resolving._unknown_batches(one.pk, None),
    "canary": canary_figures.are_on_their_way,
    "let go": lambda one: canaries._let_some_go(one.pk, 0),
    "hours again": lambda one: waiting._look_at_some(one.pk, 0),
    "sent since": lambda _one: list(Campaign.objects.filter(pk__in=frequency.sending_since("sms", NOW))),
    "records": lambda one: list(record_matching.unknown_batches(one.application)),
    "spoken": lambda one: list(tts_channel._unknown_batches(one.application)),
    "restore": lambda one: restored._batches(one.pk, BatchState.QUEUED),
    "gauges": lambda _one: list(gauges.campaigns_and_messages(NOW)),
    "health": lambda _one: health_signs.oldest_unknown(),
}


BATCHES = re.compile(r"(SCAN|SEARCH) (messaging_batch\b|[UV]\d\b)")
PAST_SETTLED = re.compile(r"batch_open|batch_waits|batch_unsettled|PRIMARY KEY|messaging_activitytally|activity_")


@pytest.mark.parametrize("name", QUESTIONS_OF_BATCHES)
def test_no_settled_batch_is_read_for_an_open_one(campaign: Campaign, name: str) -> None:
    with CaptureQueriesContext(connection) as captured:
        QUESTIONS_OF_BATCHES[name](campaign)

    about_batches = [one["sql"] for one in captured if "batch" in one["sql"] and one["sql"].startswith("SELECT")]
    steps = [step for sql in about_batches for step in plan(sql).split("; ") if BATCHES.match(step)]
    assert steps
    assert [step for step in steps if not PAST_SETTLED.search(step)] == []


def test_no_settled_entry_is_read_for_an_open_one() -> None:
    table = LedgerEntry._meta.db_table
    assert "call_open" in plans_of(lambda: list(watching._unknown(NOW)), table)[0]
    assert "call_open" in plans_of(lambda: list(metrics._requests()), table)[0]
    assert any("call_open" in each for each in plans_of(support_bundle.queue, table))


@pytest.mark.parametrize("anywhere", [False, True])
def test_an_act_looks_for_its_like_past_all_that_is_over(application: Application, anywhere: bool) -> None:
    """In the transaction of a call that is placed, with SQLite's only writer."""
    [asked] = plans_of(lambda: open_acts.like("x", application, anywhere=anywhere), LedgerEntry._meta.db_table)
    assert "call_open" in asked


def test_nothing_that_is_over_is_read_for_what_waits() -> None:
    assert "notice_to_mail" in plans_of(lambda: notices_mailing._due(NOW), Notice._meta.db_table)[0]
    assert "export_open" in plan(str(making.Export.objects.filter(IS_OPEN_EXPORT).query))
    assert "proof_open" in plans_of(lambda: proofs._waiting().exists(), Proof._meta.db_table)[0]
    assert "report_sending_open" in plans_of(reports_mailing.is_waiting, Sending._meta.db_table)[0]


WORDS = {
    IS_OPEN_BATCH: (Batch, "batch_open"),
    IS_EXCEPTIONAL_MESSAGE: (Message, "message_exceptions"),
    IS_OPEN_ENTRY: (LedgerEntry, "call_open"),
    IS_TO_MAIL: (Notice, "notice_to_mail"),
    IS_OPEN_EXPORT: (Export, "export_open"),
    IS_OPEN_PROOF: (Proof, "proof_open"),
    IS_OPEN_SENDING: (Sending, "report_sending_open"),
}


def test_every_index_of_several_states_has_its_words() -> None:
    """A new one needs them: `WordForWord` of its condition, and a line above."""
    of_several = {
        (model, index.name)
        for model in apps.get_models()
        for index in model._meta.indexes
        if index.condition is not None and "__in'" in str(index.condition)
    }
    in_sql_of_its_own = {(ConsentEvent, "consent_not_given")}
    assert of_several == set(WORDS.values()) | in_sql_of_its_own
