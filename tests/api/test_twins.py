"""Everything that an operator or an approver can do on a page, a script can do: twins.txt says by which request.

A new act in doors.txt fails this until somebody has given it its twin, or has written down why only a page has it.
"""

from pathlib import Path

import pytest
from django.test import Client

from laaffic_console.kit.words.people import APPROVER, OPERATOR, VIEWER
from tests.dashboard import doors

TABLE = Path(__file__).with_name("twins.txt")
ACTED = {doors.OPENED, doors.WENT_ON}
LETTER = {role: doors.PEOPLE.index(role) for role in (VIEWER, OPERATOR, APPROVER)}


def acts() -> list[str]:
    """Pages that do something for an operator or an approver which they do not do for a viewer."""
    rows = [line.split() for line in doors.TABLE.read_text().splitlines() if line.startswith("/admin/")]
    posts = {row[0]: {role: row[2][at] for role, at in LETTER.items()} for row in rows if len(row) == 3}
    return [
        page for page, does in posts.items() if {does[OPERATOR], does[APPROVER]} & ACTED and does[VIEWER] not in ACTED
    ]


def twins() -> dict[str, tuple[str, str]]:
    """{page: (method, address)}, or (“page”, why)."""
    lines = [line.split(maxsplit=2) for line in TABLE.read_text().splitlines() if line.startswith("/")]
    return {page: (method, rest) for page, method, rest in lines}


def test_every_act_of_a_page_has_its_twin() -> None:
    assert len(acts()) > 140
    assert list(twins()) == acts()


@pytest.mark.django_db
def test_every_twin_is_in_the_openapi_file(client: Client) -> None:
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    operations = {(method.upper(), path.removeprefix("/api/v1/")) for path, one in paths.items() for method in one}
    named = {twin for twin in twins().values() if twin[0] != "page"}

    assert named - operations == set()
    assert sum(method == "page" for method, _why in twins().values()) < 10
