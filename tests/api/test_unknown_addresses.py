"""What is asked below /api/ and does not exist is answered as everything else there is."""

import pytest

from tests.api.conftest import Api

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "path",
    [
        "nothing",
        "contacts/abc",
        "contacts/-1",
        "contacts/1/",
        "contacts/%09%0A%01",
        "campaigns/%0A/report",
        "a//b",
        "%0A",
    ],
)
def test_it_is_a_problem_and_no_page(api: Api, path: str) -> None:
    response = api("GET", path)

    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/problem+json"
    assert "/api/v1/openapi.json" in response.json()["detail"]
