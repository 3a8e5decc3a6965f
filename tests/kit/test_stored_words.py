"""Facts kept in English are read in the reader's language; what others wrote is not."""

from collections.abc import Iterator

import pytest
from django.utils import translation

from laaffic_console.kit.words.stored_words import in_words, reason_in_words


@pytest.fixture(autouse=True)
def reader() -> Iterator[None]:
    with translation.override("zh-hans"):
        yield


@pytest.mark.parametrize(
    "reason",
    ["Failed", "Rejected", "Expired", "push", "amount", "written off: Spam", "the answer: Delivered", "campaign", "ID"],
)
def test_a_carriers_reason_is_shown_as_it_came(reason: str) -> None:
    assert reason_in_words(reason) == reason


@pytest.mark.parametrize(
    "reason",
    [
        "not accepted by the provider",
        "longer than 1,600 characters with its fields filled in",
        "cannot be sent: the text is empty",
        "-10 insufficient balance",
        "busy",
    ],
)
def test_our_own_reasons_are_translated(reason: str) -> None:
    assert reason_in_words(reason) != reason


def test_what_others_said_within_our_sentence_stays_as_it_is() -> None:
    assert in_words("written off: Failed").endswith("Failed")
    assert in_words("reported UNDELIV Rejected after its end").count("Rejected") == 1
    assert in_words("shell user ada") != "shell user ada"


def test_no_reason_is_none() -> None:
    assert (reason_in_words(""), reason_in_words(None)) == ("", "")
