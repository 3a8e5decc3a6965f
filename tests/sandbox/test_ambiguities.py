"""What the vendor's pages leave open (laaffic-api#ambiguities) can be had either way."""

import base64
import datetime as dt
from collections.abc import Callable

import pytest

from laaffic_console.laaffic import LaafficClient, OutcomeUnknown, Refused, SpokenText
from laaffic_console.laaffic.group_calls import GroupCall
from laaffic_console.sandbox.testing import RunningSandbox
from tests.laaffic.against_sandbox import client_of
from tests.sandbox.conftest import APP_ID, Caller, message

NUMBER = "91856321412"
TASK = GroupCall(
    app_id="voiceApp",
    task_name="spring",
    announcement=SpokenText(text="hi", language="EN"),
    numbers=[NUMBER],
    max_talk=30,
)


class RefusalTests:
    def test_an_unknown_application_is_one_as_one_document_has_it(self, start: Callable[..., Caller]) -> None:
        caller = start(seed_errors=True, applications={"another": "sms"})

        assert caller.post("/sendSms", message(NUMBER)) == {"status": "1", "reason": "Invalid appId"}

    @pytest.mark.parametrize(
        ("task_envelope", "names"), [(True, {"code", "msg", "data"}), (False, {"status", "reason"})]
    )
    def test_a_task_refuses_in_its_own_envelope(
        self, start: Callable[..., Caller], task_envelope: bool, names: set[str]
    ) -> None:
        caller = start(task_envelope=task_envelope)

        assert set(caller.post("/voice/group/call/cancel", {"taskIdList": [9]})) == names
        with pytest.raises(Refused):
            client_of(caller.running).group_calls.cancel(["9"])

    def test_refusals_may_come_under_an_http_error(self, start: Callable[..., Caller]) -> None:
        caller = start(refusal_http_status=400)

        assert caller.raw("POST", "/sendSms", json=message(NUMBER)).status_code == 200
        refused = caller.raw("POST", "/sendSms", json=message(NUMBER, content=""))
        assert (refused.status_code, refused.json()["status"]) == (400, "-4")


class DedupeTests:
    @pytest.mark.parametrize(("dedupe", "accepted"), [(True, 3), (False, 5)])
    def test_an_order_that_came_before(self, start: Callable[..., Caller], dedupe: bool, accepted: int) -> None:
        caller = start(dedupe=dedupe)
        body = message("91856321412,91856321413", orderId="a,b")
        first = caller.post("/sendSms", body)["msgIds"]

        again = caller.post("/sendSms", message("1985632141,91856321412,91856321413", orderId="c,a,b"))["msgIds"]

        assert len(caller.running.log()) == accepted
        assert (again[1:] == first) is dedupe


class LimitTests:
    def test_the_largest_audio_file_is_a_setting(self, start: Callable[..., Caller]) -> None:
        caller = start(audio_bytes=100)
        file = base64.b64encode(b"RIFF" + b"\0" * 100).decode()

        assert caller.post("/voice/fileUpload", {"fileName": "a1.wav", "file": file})["status"] == "-21"

    @pytest.mark.parametrize("fault", ["busy", "failure_before", "failure_after"])
    def test_email_faults_are_the_email_familys(self, start: Callable[..., Caller], fault: str) -> None:
        caller = start()
        caller.running.set_faults(next_fault=fault, next_calls=1)

        with pytest.raises(OutcomeUnknown, match="system error"):
            client_of(caller.running).email.send(
                app_id=APP_ID, from_address="a@b.com", to_addresses=["c@d.com"], subject="s", template_id="1"
            )


class ProxyTests:
    def test_a_proxy_answers_in_the_gateways_place(self, caller: Caller) -> None:
        caller.running.set_faults(http_status=429, http_calls=1, retry_after="7")

        turned_away = caller.raw("POST", "/sendSms", json=message(NUMBER))

        assert (turned_away.status_code, turned_away.headers["Retry-After"]) == (429, "7")
        assert caller.running.log() == []


def test_a_group_call_may_name_its_numbers_as_the_newer_pages_do(running: RunningSandbox) -> None:
    client = LaafficClient(
        api_key="sandbox-key", api_secret="sandbox-secret", base_url=running.base_url, number_info_list=True
    )

    fields = client.group_calls._fields(TASK)

    assert (fields["numberInfoList"], "numberList" in fields) == ([{"calleeNumber": NUMBER}], False)
    assert client.group_calls.send(TASK)


@pytest.fixture
def running(caller: Caller) -> RunningSandbox:
    return caller.running


def test_a_proxy_may_answer_a_question_too(caller: Caller) -> None:
    caller.door("POST", "/faults", json={"http_status": 429, "http_calls": 1, "paths": ["/getBalance"]})

    assert caller.send("919876543210")["status"] == "0"
    assert caller.raw("GET", "/getBalance").status_code == 429
    assert caller.raw("GET", "/getBalance").status_code == 200


def test_a_group_call_is_answered_with_a_number_where_statuses_are_numbers(start: Callable[..., Caller]) -> None:
    caller = start(numeric_status=True)
    fields = client_of(caller.running).group_calls._fields(TASK)

    assert caller.post("/voice/group/call/send", fields)["status"] == 0


def test_a_gateway_may_have_the_documented_interfaces_alone(start: Callable[..., Caller]) -> None:
    caller = start(only_documented=True)

    assert caller.send("919876543210")["status"] == "0"
    found = [caller.raw("GET", path).status_code for path in ("/getSentRcd", "/getBalance", "/nothing")]
    posted = [caller.raw("POST", path, json={}).status_code for path in ("/sendSms/batch", "/voice/sipQuery")]
    assert (found, posted) == ([200, 404, 404], [404, 200])


def test_reports_may_name_the_price_and_records_what_is_on_its_way(start: Callable[..., Caller]) -> None:
    caller = start(record_prices=True, records_of_pending=True, queue_time=0.0, delivery_delay=(3600.0, 3600.0))
    (accepted,) = caller.send("919876543210")["array"]
    now = dt.datetime.now(dt.UTC)
    window = {
        "startTime": (now - dt.timedelta(hours=1)).isoformat(),
        "endTime": (now + dt.timedelta(hours=1)).isoformat(),
    }

    (told,) = caller.get("/getReport", appId=APP_ID, msgIds=accepted["msgId"])["array"]
    (listed,) = caller.get("/getSentRcd", appId=APP_ID, **window)["array"]

    assert told == listed
    assert (told["status"], set(told["pricedetail"])) == ("-1", {"pay", "currency", "chargeCnt", "price"})
