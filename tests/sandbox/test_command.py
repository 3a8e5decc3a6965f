"""What `manage.py sandbox` makes of its options."""

import pytest
from django.core.management import CommandError, CommandParser

from laaffic_console.sandbox.management.commands.sandbox import (
    Command,
    faults_of,
    listening,
    options_of,
    said_at_start,
)
from laaffic_console.sandbox.options import Faults, Options


def parsed(*arguments: str) -> dict[str, object]:
    parser = CommandParser(called_from_command_line=False)
    Command().add_arguments(parser)
    return vars(parser.parse_args(arguments))


def test_a_port_that_there_is_not() -> None:
    with pytest.raises(CommandError, match=r"--port is 65536\. Give a whole number from 0"):
        listening("127.0.0.1", 65536)


def test_it_says_how_a_console_uses_it() -> None:
    said = said_at_start("http://127.0.0.1:8090", Options())

    assert said.startswith("sandbox at http://127.0.0.1:8090/\n")
    for line in ("LAAFFIC_BASE_URL=http://127.0.0.1:8090/v3", "LAAFFIC_API_KEY=sandbox-key", "SANDBOX_CALLBACK"):
        assert line in said
    assert "knows every appId. In the console: register_app sandbox1 --channel" in said
    assert "SANDBOX_CALLBACK=http://127.0.0.1:8000/hooks/TOKEN/sms-report/" in said


def test_it_names_the_applications_that_it_was_given() -> None:
    said = said_at_start("http://127.0.0.1:8090", Options(applications={"fKFtblIy": "email", "x2": "sms"}))

    assert "knows fKFtblIy (email), x2 (sms). In the console: register_app fKFtblIy --channel" in said


def test_a_key_of_ones_own_is_not_shown_and_callbacks_are_not_asked_for_twice() -> None:
    options = Options(api_key="mine", api_secret="nobodys-business", callback="http://127.0.0.1:8000/hooks/t/")

    said = said_at_start("http://127.0.0.1:8090", options)

    assert not any(word in said for word in ("mine", "nobodys-business", "SANDBOX_CALLBACK"))


def test_without_options_it_is_the_usual_gateway() -> None:
    given = parsed("--api-key", "sandbox-key", "--api-secret", "sandbox-secret")

    assert options_of(given) == Options()
    assert faults_of(given) == Faults()


@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        (["--email-list-size", "5000"], "email_list_size", 5000),
        (["--email-words", "zh"], "email_words", "zh"),
        (["--email-duplicate-window", "0"], "email_duplicate_window", 0.0),
        (["--bindings", "250"], "bindings", 250),
        (["--expire-time", "epoch"], "expire_time", "epoch"),
        (["--strict-pools"], "strict_pools", True),
        (["--owned-numbers", "0"], "owned_numbers", 0),
        (["--strict-mms-size"], "strict_mms_size", True),
        (["--clock-shift", "-3600"], "clock_shift", -3600.0),
        (["--record-time", "delivered"], "record_time", "delivered"),
        (["--only-documented"], "only_documented", True),
        (["--record-prices"], "record_prices", True),
        (["--records-of-pending"], "records_of_pending", True),
        (["--reply-rate", "0.25"], "reply_rate", 0.25),
        (["--reply-callback", "http://127.0.0.1/x"], "reply_callback", "http://127.0.0.1/x"),
        (["--reply-words", "STOP, ARRET ,"], "reply_words", ["STOP", "ARRET"]),
        (["--reply-delay", "2"], "reply_delay", 2.0),
        (["--misspelt-mnc"], "misspelt_mnc", True),
        (["--push-repeat", "1"], "push_repeat", 1.0),
        (["--app", "fKFtblIy:email"], "applications", {"fKFtblIy": "email"}),
    ],
)
def test_an_option_arrives(arguments: list[str], name: str, value: object) -> None:
    assert getattr(options_of(parsed(*arguments)), name) == value


def test_faults_name_their_paths() -> None:
    assert faults_of(parsed("--hang", "0.5", "--fault-path", "/email", "--leave-out", "me@example.com")) == Faults(
        hang=0.5, paths=["/email"], leave_out=["me@example.com"]
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--reply-rate", "5"], "5 is not between 0 and 1"),
        (["--hang", "nan"], "nan is not between 0 and 1"),
        (["--bindings", "-1"], "-1 is not between 0 and 1,000,000"),
        (["--push-batch", "0"], "at least 1"),
        (["--email-list-size", "many"], "invalid natural value: 'many'"),
        (["--reply-delay", "-1"], "-1 is less than 0 or too much"),
        (["--expire-time", "never"], "invalid choice: 'never'"),
    ],
)
def test_what_is_wrong_is_said(arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        parsed(*arguments)


def test_an_application_has_a_product() -> None:
    with pytest.raises(CommandError, match="--app is APPID:PRODUCT"):
        options_of(parsed("--app", "fKFtblIy"))
