"""Who may ask: the signature, the clock, the key and the application, in the vendor's order."""

import hashlib
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from tests.sandbox.conftest import APP_ID, KEY, SECRET, Caller, message, signed


def balance(caller: Caller, headers: dict[str, str]) -> dict[str, Any]:
    return dict(caller.raw("GET", "/getBalance", headers=headers).json())


class SignatureTests:
    def test_the_vendors_sample_is_accepted(self, start: Callable[..., Caller]) -> None:
        caller = start(api_key="bDqJFiq9", api_secret="7bz1lzh9", clock_offset=1630468800 - time.time())
        headers = {
            "Content-Type": "application/json;charset=UTF-8",
            "Api-Key": "bDqJFiq9",
            "Timestamp": "1630468800",
            "Sign": "05d7a50893e22a5c4bb3216ae3396c7c",
        }

        assert balance(caller, headers)["status"] == "0"

    def test_its_case_does_not_matter(self, caller: Caller) -> None:
        headers = signed()

        assert balance(caller, headers | {"Sign": headers["Sign"].upper()})["status"] == "0"

    @pytest.mark.parametrize(
        "headers",
        [
            pytest.param(lambda: signed(Api_Key=None), id="no key"),
            pytest.param(lambda: signed(Timestamp=None), id="no timestamp"),
            pytest.param(lambda: signed(Sign=None), id="no sign"),
            pytest.param(lambda: signed(Sign="0" * 32), id="another sign"),
            pytest.param(lambda: signed(secret="another"), id="another secret"),
            pytest.param(lambda: signed(key="another"), id="another key"),
            pytest.param(lambda: signed(Timestamp=str(int(time.time()) - 1)), id="another timestamp than was signed"),
            pytest.param(dict, id="nothing at all"),
        ],
    )
    def test_what_is_wrong_is_minus_one(self, caller: Caller, headers: Callable[[], dict[str, str]]) -> None:
        answer = caller.raw("POST", "/sendSms", headers=headers(), json=message("91856321412"))

        assert answer.status_code == 200
        assert answer.json() == {"status": "-1", "reason": "Authentication error"}
        assert caller.running.log() == []

    def test_it_covers_neither_path_nor_body(self, caller: Caller) -> None:
        headers = signed()

        for content in ("one", "two"):
            sent = caller.raw("POST", "/sendSms", headers=headers, json=message("91856321412", content=content))
            assert sent.json()["status"] == "0"
        assert balance(caller, headers)["status"] == "0"


class ClockTests:
    @pytest.mark.parametrize(("off", "status"), [(-1790, "0"), (1790, "0"), (-1810, "-16"), (1810, "-16")])
    def test_half_an_hour_is_tolerated(self, caller: Caller, off: int, status: str) -> None:
        assert balance(caller, signed(at=time.time() + off))["status"] == status

    @pytest.mark.parametrize("off", [-7200.0, 7200.0])
    def test_its_own_clock_counts_and_the_date_says_which(self, start: Callable[..., Caller], off: float) -> None:
        caller = start(clock_offset=off)

        answer = caller.raw("GET", "/getBalance")

        assert answer.json()["status"] == "-16"
        assert parsedate_to_datetime(answer.headers["Date"]).timestamp() == pytest.approx(time.time() + off, abs=3)
        assert balance(caller, signed(at=time.time() + off))["status"] == "0"

    def test_the_tolerance_is_an_option(self, start: Callable[..., Caller]) -> None:
        caller = start(tolerance=10)

        assert balance(caller, signed(at=time.time() - 20))["status"] == "-16"

    @pytest.mark.parametrize("stamp", ["soon", "1e9", "-1", "²", "1630468800000"])
    def test_what_is_no_time_is_expired(self, caller: Caller, stamp: str) -> None:
        headers = {name: value.encode("utf-8") for name, value in signed(stamp=stamp).items()}

        assert caller.raw("GET", "/getBalance", headers=headers).json()["status"] == "-16"


class OrderOfChecksTests:
    """Each call is wrong in all the ways from one on; the first of them is named."""

    LONG_AGO = 1630468800

    @pytest.mark.parametrize(
        ("headers", "body", "status"),
        [
            (signed(key="another", secret="x", at=LONG_AGO), message(content=""), "-1"),
            (signed(secret="another", at=LONG_AGO), message(content=""), "-1"),
            (signed(at=LONG_AGO), message(appId="voiceApp", content=""), "-16"),
        ],
    )
    def test_the_signature_then_the_clock(
        self, start: Callable[..., Caller], headers: dict[str, str], body: dict[str, Any], status: str
    ) -> None:
        caller = start(applications={APP_ID: "sms", "voiceApp": "voice"})

        assert caller.raw("POST", "/sendSms", headers=headers, json=body).json()["status"] == status

    @pytest.mark.parametrize(
        ("changed", "status"),
        [
            ({"appId": "voiceApp", "content": "", "numbers": ""}, "-32"),
            ({"appId": "nobodys", "content": "", "numbers": ""}, "-32"),
            ({"appId": "", "content": "", "numbers": ""}, "-22"),
            ({"content": "", "numbers": "1"}, "-4"),
            ({"content": "x" * 1025, "numbers": ""}, "-5"),
            ({"numbers": "", "senderId": "x" * 33}, "-8"),
        ],
    )
    def test_the_application_then_the_parameters(
        self, start: Callable[..., Caller], changed: dict[str, str], status: str
    ) -> None:
        caller = start(applications={APP_ID: "sms", "voiceApp": "voice"})

        assert caller.send("91856321412", **changed)["status"] == status

    @pytest.mark.parametrize("path", ["/getReport", "/getSentRcd"])
    def test_an_application_of_another_product_may_not_ask_either(
        self, start: Callable[..., Caller], path: str
    ) -> None:
        caller = start(applications={APP_ID: "sms", "voiceApp": "voice"})

        assert caller.get(path, appId="voiceApp", msgIds="1")["status"] == "-32"

    def test_without_a_list_every_application_is_known(self, caller: Caller) -> None:
        assert caller.send("91856321412", appId="anything")["status"] == "0"


class ShapeTests:
    @pytest.mark.parametrize("prefix", ["/v3", ""])
    def test_it_answers_with_and_without_the_prefix(self, caller: Caller, prefix: str) -> None:
        answer = caller.session.get(f"{caller.running.url}{prefix}/getBalance", headers=signed(), timeout=5)

        assert answer.json() == {
            "status": "0",
            "reason": "success",
            "balance": "99999.990000",
            "gift": "50.00000",
            "credit": "0",
        }

    def test_status_may_be_a_number(self, start: Callable[..., Caller]) -> None:
        caller = start(numeric_status=True)

        assert balance(caller, signed())["status"] == 0
        assert balance(caller, signed(secret="another"))["status"] == -1

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"appId=1"])
    def test_what_is_no_object_is_a_parameter_exception(self, caller: Caller, body: bytes) -> None:
        assert caller.raw("POST", "/sendSms", data=body).json()["status"] == "-22"

    def test_the_secret_is_in_no_answer(self, caller: Caller) -> None:
        answers = [caller.raw("GET", "/getBalance").text, caller.door("GET", "/stats").text]

        sign = hashlib.md5(f"{KEY}{SECRET}".encode()).hexdigest()
        assert not any(private in answer for answer in answers for private in (SECRET, sign))
