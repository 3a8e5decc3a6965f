"""`manage.py balance`: what getBalance says, and what to do when it says nothing."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import responses
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from laaffic_console.gateway.models import BalanceReading
from laaffic_console.gateway.services.client import account

pytestmark = pytest.mark.django_db

ADDRESS = "https://gateway.example/v3/getBalance"


@pytest.fixture(autouse=True)
def gateway(settings: LazySettings) -> Iterator[responses.RequestsMock]:
    settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"
    settings.LAAFFIC_BASE_URL = "https://gateway.example/v3"
    account.laaffic_client.cache_clear()
    with responses.RequestsMock() as mocked:
        yield mocked
    account.laaffic_client.cache_clear()


def said() -> Any:
    out = io.StringIO()
    call_command("balance", "--json", stdout=out)
    return json.loads(out.getvalue())


def test_it_says_what_there_is_under_the_label_that_was_set(
    gateway: responses.RequestsMock, settings: LazySettings
) -> None:
    settings.LAAFFIC_BALANCE_CURRENCY = "USD"
    gateway.get(ADDRESS, json={"status": "0", "reason": "success", "balance": "99.99", "gift": "50", "credit": "0"})

    found = said()

    assert (found["balance"], found["currency"]) == ("99.99", "USD")
    assert BalanceReading.objects.get().currency == "USD"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"json": {"status": "-1", "reason": "no"}}, "-1"),
        ({"json": {"code": 404}, "status": 404}, "LAAFFIC_BASE_URL"),
        ({"body": "<html>", "status": 502}, "No usable answer"),
    ],
)
def test_a_trouble_is_a_sentence(gateway: responses.RequestsMock, answer: dict[str, Any], why: str) -> None:
    gateway.get(ADDRESS, **answer)

    with pytest.raises(CommandError, match=why):
        said()
