"""What a message costs the database: it may become less, and not more by accident."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.database import durability
from messaging.models import Campaign
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db(transaction=True)

AT_MOST = 27  # with the begin and commit of each transaction, and the bells
BEYOND = 20  # SQLite takes messages by the fifty


def statements_of(
    api: Api, application: Application, key: str, recipients: int, text: str = "Your code is 123456"
) -> list[str]:
    to = [f"+91987654{number:04}" for number in range(recipients)]
    body = {"application": application.app_id, "text": text, "to": to}
    with CaptureQueriesContext(connection) as statements:
        assert api("POST", "messages", body, Idempotency_Key=key).status_code == 202
    return [one["sql"] for one in statements]


def asked(api: Api, application: Application, key: str, recipients: int) -> int:
    """How many statements it took."""
    return len(statements_of(api, application, key, recipients))


@pytest.fixture
def used(api: Api, application: Application) -> Application:
    """What is looked up for the first time only is there."""
    for key in ("the first one", "the one before which replies are asked for"):
        asked(api, application, key, 1)
    return application


def test_a_message_takes_a_bounded_number_of_statements(api: Api, used: Application) -> None:
    assert asked(api, used, "second", 1) <= AT_MOST


@pytest.mark.parametrize(
    ("begins", "times"),
    [
        ('UPDATE "messaging_campaign"', 1),
        ('INSERT INTO "messaging_campaignevent"', 1),
        ('SELECT "messaging_frequencycap"', 1),
        ('SELECT "messaging_audience"', 0),
        ('SELECT "messaging_contactgroup"', 0),
        ('SELECT "messaging_message"', 0),
    ],
)
def test_what_is_known_is_neither_asked_nor_written_again(api: Api, used: Application, begins: str, times: int) -> None:
    statements = statements_of(api, used, "second", 1)

    assert sum(one.startswith(begins) for one in statements) == times


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite waits for the disk where it is told to")
@pytest.mark.usefixtures("waits_for_the_disk")
def test_the_disk_is_waited_for_once(api: Api, used: Application) -> None:
    """Neither for the key, which without its work means nothing, nor for the bell."""
    statements = statements_of(api, used, "second", 1)

    begin, commit = statements.index("BEGIN"), statements.index("COMMIT")
    relaxed = [at for at, one in enumerate(statements) if "synchronous_commit" in one]
    assert len(relaxed) == 2
    assert relaxed[0] < begin < commit < relaxed[1]
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("on",)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite waits for the disk where it is told to")
@pytest.mark.usefixtures("waits_for_the_disk")
def test_a_key_and_a_bell_of_a_longer_transaction_wait_with_it() -> None:
    assert durability.relaxing()
    with transaction.atomic():
        assert durability.relaxing() == ""


def test_a_thousand_take_hardly_more_than_one(api: Api, used: Application) -> None:
    assert asked(api, used, "second", 1000) <= AT_MOST + BEYOND


def test_a_repeated_one_is_only_read(api: Api, used: Application) -> None:
    asked(api, used, "second", 1)

    assert asked(api, used, "second", 1) <= 6


def test_its_bells_open_no_other_connection(api: Api, used: Application) -> None:
    """Opening SQLite's file once more took longer than all that is asked there."""
    before = connection.connection
    asked(api, used, "second", 1)

    assert connection.connection is before


def test_only_the_sender_is_rung(api: Api, used: Application) -> None:
    """Its messages were frozen with it: a job that looks for more would cost a worker as much as the request."""
    OrmQ.objects.all().delete()
    asked(api, used, "second", 2)

    assert [job.func() for job in OrmQ.objects.all()] == ["messaging.jobs.send_campaign"]
    assert Campaign.objects.latest("pk").audience == Campaign.Audience.FROZEN
