"""The documented example of LAAFFIC_PATHS leads to the addresses that the vendor documents."""

import re
from collections.abc import Callable
from pathlib import Path

import environ
import pytest

from laaffic_console.laaffic import Family
from laaffic_console.laaffic.transport import DEFAULT_BASE_URL, Transport

SETTINGS = Path(__file__).parents[2] / "docs" / "settings.md"


def row() -> str:
    return next(line for line in SETTINGS.read_text().splitlines() if line.startswith("| `LAAFFIC_PATHS`"))


def example() -> tuple[str, dict[str, str]]:
    base = re.search(r"`(https://[^`]+)`", row())
    paths = re.search(r"`((?:\w+=[^`,]+,?)+)`", row())
    assert base
    assert paths
    return base.group(1), environ.Env.parse_value(paths.group(1), dict)


@pytest.fixture
def address() -> Callable[[Family, str], str]:
    base, paths = example()
    return Transport(api_key="k", api_secret="s", base_url=base, paths=paths)._url


@pytest.mark.parametrize(
    ("family", "path", "documented"),
    [
        (Family.SMS, "/sendSms", "https://api.itniotech.com/sms/sendSms"),
        (Family.SMS, "/mmsUpload", "https://api.itniotech.com/sms/mmsUpload"),
        (Family.ACCOUNT, "/getBalance", "https://api.itniotech.com/sms/getBalance"),
        (Family.VOICE, "/voice/sendCode", "https://api.itniotech.com/voice/sendCode"),
        (Family.VOICE, "/voice/group/call/send", "https://api.itniotech.com/voice/group/call/send"),
        (Family.EMAIL, "/email/sendEmail", "https://api.itniotech.com/email/sendEmail"),
        (Family.NUMBER, "/number/pns/bind", "https://api.itniotech.com/number/pns/bind"),
    ],
)
def test_the_example_leads_to_what_the_sibling_brand_documents(
    address: Callable[[Family, str], str], family: Family, path: str, documented: str
) -> None:
    assert address(family, path) == documented


def test_the_families_that_are_named_are_the_ones_there_are() -> None:
    assert set(example()[1]) <= {family.value for family in Family}
    assert " ".join(family.value for family in (Family.SMS, Family.VOICE, Family.EMAIL, Family.NUMBER)) in row()


def test_without_it_every_family_lies_below_the_base_address() -> None:
    plain = Transport(api_key="k", api_secret="s")

    assert plain._url(Family.VOICE, "/voice/sendCode") == f"{DEFAULT_BASE_URL}/voice/sendCode"


def test_a_whole_address_takes_the_place_of_the_base() -> None:
    moved = Transport(api_key="k", api_secret="s", paths={"voice": "https://api.laaffic.com/"})

    assert moved._url(Family.VOICE, "/voice/sendCode") == "https://api.laaffic.com/voice/sendCode"
