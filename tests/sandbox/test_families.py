"""Email, MMS, numbers and replies as a stranger would call them: what is accepted, what is refused with which code."""

import base64
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import APP_ID, Caller, Receiver, signed, wait_for

NUMBERS = ["919876500000", "919876500001"]
DAY = "2024-06-03T00:00:00+08:00"


def without(body: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (body | changed).items() if value is not None}


class NumberTests:
    BIND = {
        "appId": APP_ID,
        "phoneA": "915027021995",
        "phoneB": "915027021996",
        "poolNumber": "918885",
        "expireS": 600,
        "bizType": 1,
    }
    POOL = {
        "poolNumber": "918885",
        "customerWhitelist": "192.168.10.17,192.168.10.18",
        "maxConcurrency": 99,
        "numberList": ["9178605501", "9178605502"],
    }

    @pytest.mark.parametrize(
        ("changed", "status"),
        [
            ({}, "0"),
            ({"expireS": "259200"}, "0"),
            ({"bizType": 2}, "0"),
            ({"phoneA": ""}, "-22"),
            ({"phoneA": "1" * 21}, "-22"),
            ({"phoneB": "123"}, "-22"),
            ({"phoneB": "+915027021996"}, "-22"),
            ({"phoneB": "441632960001"}, "-22"),
            ({"expireS": 0}, "-22"),
            ({"expireS": 259_201}, "-22"),
            ({"expireS": "9" * 5000}, "-22"),
            ({"expireS": None}, "-22"),
            ({"bizType": 3}, "-22"),
            ({"poolNumber": "nobody"}, "-24"),
            ({"appId": ""}, "-22"),
        ],
    )
    def test_bind(self, caller: Caller, changed: dict[str, Any], status: str) -> None:
        answered = caller.post("/number/pns/bind", without(self.BIND, changed))

        assert answered["status"] == status
        if status == "0":
            assert answered["data"]["bindId"] == 1234

    def test_a_and_b_are_bound_once_in_either_role(self, caller: Caller) -> None:
        caller.post("/number/pns/bind", self.BIND)

        turned = {"phoneA": self.BIND["phoneB"], "phoneB": "915027021997"}

        assert caller.post("/number/pns/bind", self.BIND | turned)["status"] == "-35"

    def test_a_pool_has_only_so_many_middle_numbers(self, caller: Caller) -> None:
        pairs = [{"phoneA": f"91502702{n}000", "phoneB": f"91502702{n}001"} for n in range(3)]

        statuses = [caller.post("/number/pns/bind", self.BIND | pair)["status"] for pair in pairs]

        assert statuses == ["0", "0", "-41"]

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"current": 1, "size": 100, "params": {}}, "0"),
            ({"current": "1", "size": "10", "params": {"appId": APP_ID}}, "0"),
            ({"current": 1, "size": 101, "params": {}}, "-22"),
            ({"current": 0, "size": 10, "params": {}}, "-22"),
            ({"current": 1, "size": 10}, "-22"),
            ({"current": 1, "size": 10, "params": []}, "-22"),
            ({"current": True, "size": 10, "params": {}}, "-22"),
        ],
    )
    def test_query_bindings(self, caller: Caller, body: dict[str, Any], status: str) -> None:
        assert caller.post("/number/pns/queryBindPage", body)["status"] == status

    def test_bindings_are_paged(self, start: Callable[..., Caller]) -> None:
        caller = start(bindings=25)

        data = caller.post("/number/pns/queryBindPage", {"current": 3, "size": 10, "params": {}})["data"]

        assert (data["total"], data["pages"], data["current"], data["size"]) == (25, 3, 3, 10)
        assert [record["bindId"] for record in data["records"]] == list(range(1254, 1259))
        assert all(isinstance(record["expireTime"], str) for record in data["records"])

    def test_a_binding_is_seen_by_its_application_alone(self, caller: Caller) -> None:
        caller.post("/number/pns/bind", self.BIND)

        seen = [
            caller.post("/number/pns/queryBindPage", {"current": 1, "size": 10, "params": params})["data"]["total"]
            for params in ({"appId": APP_ID}, {"appId": "another1"}, {})
        ]

        assert seen == [1, 0, 1]

    @pytest.mark.parametrize(
        ("changed", "status"),
        [
            ({}, "0"),
            ({"maxConcurrency": "99"}, "0"),
            ({"maxConcurrency": 0}, "0"),
            ({"numberList": None}, "0"),
            ({"oldPoolNumber": "918885", "poolNumber": "1"}, "0"),
            ({"oldPoolNumber": "918885", "poolNumber": "442000"}, "-20"),
            ({"oldPoolNumber": "nobody"}, "-24"),
            ({"poolNumber": "nobody"}, "-24"),
            ({"poolNumber": "9" * 21}, "-22"),
            ({"maxConcurrency": -1}, "-22"),
            ({"maxConcurrency": 10_000}, "-22"),
            ({"maxConcurrency": 1.5}, "-22"),
            ({"customerWhitelist": ""}, "-22"),
            ({"customerWhitelist": "1" * 201}, "-22"),
            ({"customerWhitelist": "10.0.0.1, 10.0.0.2"}, "-22"),
            ({"numberList": "9178605501"}, "-22"),
            ({"numberList": [9178605501]}, "-22"),
            ({"numberList": ["123456"]}, "-22"),
        ],
    )
    def test_edit_pool(self, caller: Caller, changed: dict[str, Any], status: str) -> None:
        assert caller.post("/number/editNumberPool", without(self.POOL, changed))["status"] == status

    def test_a_strict_gateway_wants_the_old_number(self, start: Callable[..., Caller]) -> None:
        caller = start(strict_pools=True)

        assert caller.post("/number/editNumberPool", self.POOL)["status"] == "-22"
        assert caller.post("/number/editNumberPool", self.POOL | {"oldPoolNumber": "918885"})["status"] == "0"

    def test_a_pool_is_created_once(self, caller: Caller) -> None:
        body = self.POOL | {"poolNumber": "777"}

        assert [caller.post("/number/createNumberPool", body)["status"] for _ in range(2)] == ["0", "-20"]
        records = caller.post("/number/queryNumberPool", {"current": 1, "size": 10, "params": {}})["data"]["records"]
        assert body in records

    def test_the_reasons_are_this_familys(self, caller: Caller) -> None:
        answered = caller.post("/number/pns/unbind", {"appId": APP_ID, "bindId": "1"})

        assert answered == {"status": "-24", "reason": "Data does not exist"}


class MmsTests:
    UPLOAD = {"fileType": "txt", "fileData": "MTIzNDU2"}

    def send(self, caller: Caller, **changed: Any) -> dict[str, Any]:
        attachment_id = caller.post("/mmsUpload", self.UPLOAD)["data"]
        body = {
            "appId": APP_ID,
            "numbers": ",".join(NUMBERS),
            "content": "hello",
            "mmsType": "1",
            "mmsFiles": attachment_id,
            "mmsTitle": "hi",
        }
        return caller.post("/mmsSend", without(body, changed))

    @pytest.mark.parametrize(
        ("changed", "status"),
        [
            ({}, "0"),
            ({"fileData": "MTizNDU2"}, "0"),  # the vendor's misprint
            ({"fileData": base64.b64encode(b"x" * 51_200).decode()}, "0"),
            ({"fileData": base64.b64encode(b"x" * 51_201).decode()}, "-21"),
            ({"fileData": "not Base64!"}, "-21"),
            ({"fileData": "ü"}, "-21"),
            ({"fileData": ""}, "-22"),
            ({"fileType": "exe"}, "-22"),
            ({"fileType": None}, "-22"),
        ],
    )
    def test_upload(self, caller: Caller, changed: dict[str, Any], status: str) -> None:
        assert caller.post("/mmsUpload", without(self.UPLOAD, changed))["status"] == status

    @pytest.mark.parametrize(
        ("changed", "status"),
        [
            ({}, "0"),
            ({"mmsType": None, "mmsTitle": None}, "0"),
            ({"mmsType": "2"}, "0"),
            ({"mmsType": "2", "content": "x" * 161}, "-5"),
            ({"mmsType": "3"}, "-22"),
            ({"mmsTitle": "x" * 81}, "-22"),
            ({"mmsFiles": ""}, "-22"),
            ({"mmsFiles": "a,b,c,d"}, "-22"),
            ({"mmsFiles": "57_9_1.txt"}, "-24"),
            ({"content": ""}, "-4"),
            ({"content": "x" * 1025}, "-5"),
            ({"numbers": ""}, "-8"),
            ({"numbers": ",".join(["919876500000"] * 1001)}, "-7"),
            ({"numbers": "12"}, "-9"),
            ({"appId": ""}, "-22"),
        ],
    )
    def test_send(self, caller: Caller, changed: dict[str, Any], status: str) -> None:
        assert self.send(caller, **changed)["status"] == status

    def test_the_answer_has_no_order_id(self, caller: Caller) -> None:
        answered = self.send(caller)

        assert [set(entry) for entry in answered["array"]] == [{"msgId", "number"}] * 2
        assert answered["success"] == "2"

    def test_it_is_paid_for(self, start: Callable[..., Caller]) -> None:
        assert self.send(start(balance=0.0))["status"] == "-10"

    def test_delivery_is_pushed_like_that_of_an_sms(self, start: Callable[..., Caller], receiver: Receiver) -> None:
        caller = start(callback=receiver.url, delivery_delay=(0.0, 0.0))

        msg_ids = {entry["msgId"] for entry in self.send(caller)["array"]}

        wait_for(lambda: len(receiver.bodies) == 2)
        assert {report["msgid"] for report in receiver.reports()} == msg_ids

    def test_an_application_of_either_product_may(self, start: Callable[..., Caller]) -> None:
        for product, status in (("sms", "0"), ("mms", "0"), ("voice", "-32")):
            assert self.send(start(applications={APP_ID: product}))["status"] == status


class EmailTests:
    BATCH = {
        "appId": APP_ID,
        "fromEmailAddress": "test@mailpush.laaffic.cn",
        "receiverId": "1001",
        "subject": "hello world",
        "templateID": "1",
        "url": "https://IP:port/task/email/notice",
    }

    @pytest.mark.parametrize(
        ("changed", "status"),
        [
            ({}, "0"),
            ({"fromEmailAddress": None, "romEmailAddress": "test@mailpush.laaffic.cn"}, "0"),  # as one sample has it
            ({"subject": None}, "0"),
            ({"adFlag": 2, "language": "en", "triggerID": 10, "isUnsubscribe": 1}, "0"),
            ({"adFlag": 3}, "-5"),
            ({"subject": "x" * 101}, "-5"),
            ({"url": ""}, "-5"),
            ({"appId": ""}, "-5"),
            ({"fromEmailAddress": ""}, "-9"),
            ({"fromEmailAddress": "nobody@example.com"}, "-10"),
            ({"templateID": "99"}, "-11"),
            ({"templateID": "3"}, "-12"),
            ({"receiverId": ""}, "-13"),
            ({"receiverId": "99"}, "-16"),
        ],
    )
    @pytest.mark.parametrize("method", ["POST", "GET"])
    def test_batch(self, caller: Caller, method: str, changed: dict[str, Any], status: str) -> None:
        body = without(self.BATCH, changed)

        path = "/email/batchSendEmail"
        answered = caller.post(path, body) if method == "POST" else caller.get(path, **body)

        assert answered["status"] == status
        assert ("taskId" in answered) == (status == "0")

    def test_the_same_again_is_a_duplicate_and_another_is_not(self, caller: Caller) -> None:
        bodies = [self.BATCH, self.BATCH, self.BATCH | {"subject": "another"}]

        assert [caller.post("/email/batchSendEmail", body)["status"] for body in bodies] == ["0", "-2", "0"]

    def test_an_old_timestamp_is_minus_six(self, caller: Caller) -> None:
        answered = caller.raw("POST", "/email/batchSendEmail", json=self.BATCH, headers=signed(at=0)).json()

        assert answered == {"status": "-6", "reason": "Timestamp expires"}

    def test_a_status_that_is_forced_has_this_familys_reason(self, caller: Caller) -> None:
        caller.running.set_faults(status="-2", status_calls=1)

        assert caller.post("/email/batchSendEmail", self.BATCH) == {"status": "-2", "reason": "Repeat request"}

    @pytest.mark.parametrize(
        ("ids", "status"), [("", "-5"), (",".join(["1"] * 201), "-28"), ("1,2", "0"), ("1,e2", "-5")]
    )
    def test_records(self, caller: Caller, ids: str, status: str) -> None:
        answered = caller.get("/email/getSendEmailRcd", appId=APP_ID, emailId=ids)

        assert answered["status"] == status
        if status == "0":
            assert (answered["nofound"], answered["array"]) == ("2", [])

    def test_records_are_of_one_application(self, caller: Caller) -> None:
        mail = {**self.BATCH, "toAddress": "me@example.com"}
        email_id = caller.post("/email/sendEmail", mail)["array"][0]["emailId"]

        found = [caller.get("/email/getSendEmailRcd", appId=app, emailId=email_id)["nofound"] for app in (APP_ID, "x")]

        assert found == ["0", "1"]

    @pytest.mark.parametrize(
        ("changed", "status"),
        [
            ({}, "0"),
            ({"templateData": '{"code":"1234"}'}, "0"),
            ({"templateData": {"code": "1234"}}, "-5"),
            ({"templateData": "[]"}, "-5"),
            ({"toAddress": ""}, "-13"),
            ({"toAddress": ",".join(["a@example.com"] * 51)}, "-5"),
        ],
    )
    def test_single_mails(self, caller: Caller, changed: dict[str, Any], status: str) -> None:
        mail = {**self.BATCH, "toAddress": "me@example.com"}

        assert caller.post("/email/sendEmail", mail | changed)["status"] == status

    def test_what_is_no_address_was_not_submitted(self, caller: Caller) -> None:
        answered = caller.post("/email/sendEmail", {**self.BATCH, "toAddress": "me@example.com,nobody"})

        assert (answered["success"], answered["fail"]) == ("1", "1")
        assert [entry["emailState"] for entry in answered["array"]] == ["success", "failure"]


class ReplyTests:
    @pytest.mark.parametrize(
        ("params", "status"),
        [
            ({"strTime": DAY, "endTime": "2024-07-03T00:00:00+08:00"}, "0"),
            ({"strTime": DAY, "endTime": "2024-07-03T00:00:01+08:00"}, "-25"),
            ({"strTime": "2024-02-01T00:00:00+08:00", "endTime": "2024-03-01T00:00:01+08:00"}, "-25"),
            ({"strTime": "2022-06-30T23:59:59+08:00", "endTime": "2022-07-02T00:00:00+08:00"}, "-25"),
            ({"strTime": "9999-12-01T00:00:00+08:00", "endTime": "9999-12-31T00:00:00+08:00"}, "-25"),
            ({"strTime": DAY, "endTime": "2024-06-02T00:00:00+08:00"}, "-25"),
            ({"strTime": DAY.replace("+", " "), "endTime": "2024-06-04T00:00:00+08:00"}, "0"),
            ({"strTime": "2024-06-03 00:00:00", "endTime": DAY}, "-11"),
            ({"strTime": DAY}, "-11"),
            ([], "-22"),
        ],
    )
    def test_record_mo(self, caller: Caller, params: Any, status: str) -> None:
        body = {"appId": APP_ID, "current": 1, "size": 10, "params": params}

        assert caller.post("/recordMo", body)["status"] == status

    def test_a_reply_of_an_application_is_its_own(self, start: Callable[..., Caller]) -> None:
        caller = start(reply_rate=1.0, reply_delay=0.0, delivery_delay=(0.0, 0.0), delivery_rate=1.0)
        caller.send(NUMBERS[0])
        now = time.time()
        params = {
            "strTime": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(now - 60)),
            "endTime": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(now + 60)),
        }

        totals = [
            caller.post("/recordMo", {"appId": app, "current": 1, "size": 10, "params": params})["data"]["total"]
            for app in (APP_ID, "another1")
        ]

        assert totals == [1, 0]

    def test_a_failed_message_is_not_answered(self, start: Callable[..., Caller], receiver: Receiver) -> None:
        caller = start(reply_rate=1.0, reply_delay=0.0, delivery_delay=(0.0, 0.0), delivery_rate=0.0)

        caller.send(*NUMBERS)

        assert caller.door("GET", "/received").json()["tables"]["Replies"] == []


class PermissionTests:
    @pytest.mark.parametrize(
        ("method", "path", "body", "says"),
        [
            ("POST", "/clock", {"seconds": "tomorrow"}, "seconds is a number from"),
            ("POST", "/clock", {"seconds": 1e300}, "seconds is a number from"),
            ("POST", "/clock", {"seconds": True}, "seconds is a number from"),
            ("POST", "/down", {"seconds": "a while"}, "seconds is a number from 0 to 3600"),
            ("POST", "/down", {"seconds": -1}, "seconds is a number from 0 to 3600"),
            ("POST", "/down", [], "the body is not an object"),
            ("POST", "/bindings/add", {"count": 0}, "count is a number from 1 to 10000"),
            ("POST", "/bindings/add", {"count": 1.5}, "count is a whole number"),
            ("POST", "/bindings/add", {"count": None}, "count is a number"),
            ("POST", "/bindings/add", {"app_id": 7}, "app_id is a text"),
            ("POST", "/bindings/add", {"expires_in": 259_201}, "expires_in is a number from 1 to 259200"),
            ("POST", "/bindings/vanish", {"bind_ids": "1234"}, "bind_ids is a list of texts"),
            ("POST", "/bindings/vanish", {"bind_ids": ["99"]}, "no binding 99"),
            ("POST", "/pools/drift", {"pool_number": "nobody"}, "no pool nobody; there are: 918885, 442000"),
            ("POST", "/pools/drift", {"pool_number": []}, "no pool"),
            ("POST", "/pools/drift", {"max_concurrency": "many"}, "max_concurrency is a number"),
            ("POST", "/pools/drift", {"numbers": [1]}, "numbers is a list of texts"),
            ("POST", "/pools/drift", {"whitelist": 5}, "whitelist is a text"),
            ("POST", "/replies", {"number": "+91"}, "number is digits"),
            ("POST", "/replies", {"number": 91}, "number is digits"),
            ("POST", "/replies", {"number": "91", "content": {}}, "content and sender_id are texts"),
            ("POST", "/replies", {}, "number is digits"),
            ("GET", "/attachments", {}, "no such attachment"),
            ("POST", "/faults", {"html": 2}, "html is a probability"),
            ("POST", "/faults", {"latency_ms": -1}, "latency_ms must be 0 or more"),
            ("POST", "/faults", {"paths": [1]}, "paths must be a list of texts"),
        ],
    )
    def test_what_is_wrong_is_a_bad_request(
        self, caller: Caller, method: str, path: str, body: object, says: str
    ) -> None:
        answer = caller.door(method, path, json=body)

        assert answer.status_code == 400
        assert says in answer.json()["error"]

    @pytest.mark.parametrize("path", ["/clock", "/down", "/bindings/add", "/pools/drift", "/replies", "/reset"])
    @pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b"\xff", b'{"seconds": NaN}'])
    def test_what_is_no_json_never_fails(self, caller: Caller, path: str, body: bytes) -> None:
        if body.startswith(b'{"seconds"') and path not in ("/clock", "/down"):
            return
        assert caller.door("POST", path, data=body).status_code == 400

    def test_a_bad_drift_changes_nothing(self, caller: Caller) -> None:
        before = caller.door("GET", "/received").json()["tables"]["Number pools"]

        caller.door("POST", "/pools/drift", json={"whitelist": "10.0.0.1", "max_concurrency": -5})

        assert caller.door("GET", "/received").json()["tables"]["Number pools"] == before

    def test_a_drift_may_be_told_how(self, caller: Caller) -> None:
        told = {"pool_number": "918885", "numbers": ["9178605599"], "whitelist": "10.0.0.1", "max_concurrency": 3}

        drifted = caller.door("POST", "/pools/drift", json=told).json()

        assert drifted == {
            "poolNumber": "918885",
            "customerWhitelist": "10.0.0.1",
            "maxConcurrency": 3,
            "numberList": ["9178605599"],
        }

    def test_the_page_is_told_what_every_family_received(
        self, start: Callable[..., Caller], receiver: Receiver
    ) -> None:
        caller = start(bindings=2, email_callback_delay=0.0)
        caller.post("/email/batchSendEmail", EmailTests.BATCH | {"url": receiver.url})
        caller.post("/mmsUpload", MmsTests.UPLOAD)
        caller.door("POST", "/replies", json={"number": NUMBERS[0], "content": "STOP"})
        wait_for(lambda: len(receiver.bodies) == 3)

        told = wait_for(
            lambda: (
                (shown := caller.door("GET", "/received").json())["callbacks"].get("email", {}).get("acknowledged") == 3
                and shown
            )
        )

        tables = told["tables"]
        assert [mail["to"] for mail in tables["Emails"]][-1] == "person1@list1001.example"
        assert (len(tables["Bindings"]), len(tables["Number pools"])) == (2, 2)
        assert tables["MMS attachments"][0]["state"] == "kept"
        assert tables["Replies"] == [{"from": f"+{NUMBERS[0]}", "to": "", "says": "STOP"}]

    def test_a_reset_forgets_what_every_family_received(self, start: Callable[..., Caller]) -> None:
        caller = start(bindings=2)
        caller.post("/mmsUpload", MmsTests.UPLOAD)
        caller.door("POST", "/bindings/add", json={"count": 5})
        caller.door("POST", "/pools/drift", json={})

        caller.running.reset()

        tables = caller.door("GET", "/received").json()["tables"]
        assert tables["MMS attachments"] == []
        assert len(tables["Bindings"]) == 2
        assert tables["Number pools"][0]["calls at once"] == 99

    def test_only_a_picture_is_shown(self, caller: Caller) -> None:
        shown = {}
        for file_type in ("png", "svg", "txt"):
            attachment_id = caller.post("/mmsUpload", {"fileType": file_type, "fileData": "MTIzNDU2"})["data"]
            shown[file_type] = caller.door("GET", "/attachments", params={"id": attachment_id}).json()["image"]

        assert shown == {"png": "data:image/png;base64,MTIzNDU2", "svg": "", "txt": ""}


ACTS = [
    ("/email/batchSendEmail", EmailTests.BATCH),
    ("/email/sendEmail", EmailTests.BATCH | {"toAddress": "me@example.com"}),
    ("/mmsUpload", MmsTests.UPLOAD),
    ("/number/pns/bind", NumberTests.BIND),
    ("/number/editNumberPool", NumberTests.POOL),
    ("/number/createNumberPool", NumberTests.POOL | {"poolNumber": "777"}),
]


class FaultTests:
    @pytest.mark.parametrize(("path", "body"), ACTS)
    def test_every_call_that_acts_is_struck(self, caller: Caller, path: str, body: dict[str, Any]) -> None:
        caller.running.set_faults(next_fault="html", next_calls=1)

        assert caller.raw("POST", path, json=body).headers["Content-Type"].startswith("text/html")
        assert caller.door("GET", "/faults").json()["next_calls"] == 0

    @pytest.mark.parametrize(
        "path", ["/email/getListReceivers", "/recordMo", "/number/queryPage", "/number/queryNumberPool"]
    )
    def test_a_read_is_struck_only_where_it_is_named(self, caller: Caller, path: str) -> None:
        caller.running.set_faults(html=1.0)
        assert caller.raw("POST", path, json={}).headers["Content-Type"].startswith("application/json")

        caller.running.set_faults(paths=[path])

        assert caller.raw("POST", path, json={}).status_code == 200
        assert caller.raw("POST", path, json={}).headers["Content-Type"].startswith("text/html")
        assert caller.send(NUMBERS[0])["status"] == "0"
