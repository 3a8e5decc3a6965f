"""What a command refuses names the field it is about."""

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from laaffic_console.gateway.models import Application
from laaffic_console.kit.process.commands import said

pytestmark = pytest.mark.django_db


def test_sentences_stand_behind_their_fields() -> None:
    problem = ValidationError({"name": ["Too long.", "Taken."], "__all__": ["Both."]})

    assert said(problem) == ["name: Too long.", "name: Taken.", "Both."]
    assert said(ValidationError(["One.", "Two."])) == ["One.", "Two."]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["calendar", "create", "", "--hours", "mon 09:00-10:00"], "name: This field cannot be blank"),
        (["api_token", "create", "", "--user", "ada"], "name: This field cannot be blank"),
        (["webhook", "create", ""], "url: "),
        (["budget", "set", "--app", "app1", "--cost", "0", "--currency", "USD"], "limit: A budget is above 0"),
    ],
)
def test_each_command_says_which(given: list[str], words: str) -> None:
    User.objects.create_user("ada")
    Application.objects.create(app_id="app1", channel="sms")

    with pytest.raises(CommandError, match=words):
        call_command(*given)


def test_an_amount_that_is_too_fine_is_said_once() -> None:
    Application.objects.create(app_id="app1", channel="sms")

    with pytest.raises(CommandError) as refused:
        call_command("budget", "set", "--app", "app1", "--cost", "0.00000001", "--currency", "USD")

    assert "six decimals" in str(refused.value)
    assert "above 0" not in str(refused.value)
