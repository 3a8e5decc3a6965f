"""What the query of a list asks for is all that is shown."""

import pytest

from laaffic_console.api.handling.filters import narrowed
from laaffic_console.api.handling.problems import Problem
from messaging.models import Contact

pytestmark = pytest.mark.django_db


@pytest.fixture
def contacts() -> None:
    for number, country in (("919876543210", "IN"), ("8801712345678", "BD"), ("919876543211", "IN")):
        Contact.objects.create(number=number, country=country)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, 3),
        ({"limit": 1}, 3),  # not a column's
        ({"country": "IN"}, 2),
        ({"number": "+91 98765 43210"}, 1),
        ({"country": "BD", "number": "919876543210"}, 0),
    ],
)
def test_it_shows_what_is_asked_for(contacts: None, query: dict[str, str], found: int) -> None:
    assert narrowed(Contact.objects.all(), query, number="number", country="country").count() == found


def test_a_number_is_found_however_it_is_spelled() -> None:
    Contact.objects.create(number="5215512345678", country="MX")

    assert narrowed(Contact.objects.all(), {"number": "+52 55 1234 5678"}, number="number").count() == 1


def test_what_is_no_number_is_said() -> None:
    with pytest.raises(Problem):
        narrowed(Contact.objects.all(), {"number": "12"}, number="number")
