"""A command that lists nothing says so and what to do next; an empty line would leave open whether it ran."""

from io import StringIO

import pytest
from django.core.management import call_command

LISTS = ["campaign list", "calendar list", "budget list", "voice group list", "numbers pool list", "webhook list"]


@pytest.mark.django_db
@pytest.mark.parametrize("command", [*LISTS, "api_token list"])
def test_it_says_that_there_is_none(command: str) -> None:
    out = StringIO()

    call_command(*command.split(), stdout=out)

    assert out.getvalue().startswith("There is no")
