"""Whatever a call holds, every interface answers or refuses, and every door says what is wrong: none fails."""

import datetime as dt
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laaffic_console.sandbox.mms import Attachment, MmsInterfaces
from laaffic_console.sandbox.options import Options
from laaffic_console.sandbox.protocol import Refusal
from laaffic_console.sandbox.server import Sandbox

TEXTS = ["", "1", "-1", "9" * 5000, "١", "\0", "\ud800", "a@example.com", "918885", "442000", "1000", "57_1_1.txt"]
TEXTS += ["test@mailpush.laaffic.cn", "http://x", "2024-06-03T00:00:00+08:00", "9999-12-31T23:59:59-23:59", "1,2,,3"]
LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(TEXTS)
VALUE = st.recursive(LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
DAY, NEXT_DAY = ((NOW - dt.timedelta(days=days)).isoformat() for days in (2, 1))
# Holds what every interface and every door wants; an example spoils some of it.
GOOD: dict[str, Any] = {
    "appId": "4luaKsL2", "numbers": "919876500000", "content": "hello", "senderId": "123", "orderId": "1",
    "array": [{"numbers": "919876500000", "content": "hello"}], "msgIds": "1", "startTime": DAY, "endTime": NEXT_DAY,
    "startIndex": "0", "fromEmailAddress": "test@mailpush.laaffic.cn", "receiverId": "1001", "subject": "hello",
    "templateID": "1", "url": "http://127.0.0.1:9/", "adFlag": 0, "toAddress": "me@example.com", "templateData": "{}",
    "emailId": "1", "templateName": "", "receiversName": "", "fileType": "txt", "fileData": "MTIzNDU2", "mmsType": "1",
    "mmsFiles": "57_1_1.txt", "mmsTitle": "hi", "current": 1, "size": 10,
    "params": {"strTime": DAY, "endTime": NEXT_DAY},
    "phoneA": "915027021995", "phoneB": "915027021996", "poolNumber": "442000", "expireS": 600, "bizType": 1,
    "bindId": "1", "oldPoolNumber": "442000", "customerWhitelist": "10.0.0.1", "maxConcurrency": 9,
    "numberList": ["9178605501"], "count": 1, "expires_in": 600, "bind_ids": [], "pool_number": "442000",
    "max_concurrency": 9, "whitelist": "10.0.0.1", "number": "91", "sender_id": "", "seconds": 1, "limit": 1,
    "offset": 0,
}  # fmt: skip
PARAMS = st.dictionaries(st.sampled_from(["appId", "strTime", "endTime"]), LEAF)
CALL = st.dictionaries(st.sampled_from(list(GOOD)), VALUE | PARAMS, max_size=3).map(lambda spoilt: GOOD | spoilt)


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    started = Sandbox(Options(bindings=3))
    mms = next(family for family in started.families if isinstance(family, MmsInterfaces))
    mms.attachments["57_1_1.txt"] = Attachment("57_1_1.txt", "txt", b"x", time.time())
    return started


def answer_everything(sandbox: Sandbox, given: dict[str, Any]) -> None:
    for family in sandbox.families:
        for route in family.routes():
            try:
                answer = route.answer(given, time.time())
            except Refusal:
                continue
            assert json.loads(json.dumps(answer))["status"] == "0"


@pytest.mark.thorough
class AnyCallTests:
    @pytest.mark.parametrize("name", GOOD)
    def test_one_value_that_is_spoilt(self, sandbox: Sandbox, name: str) -> None:
        for value in [*TEXTS, None, True, -1, 1.5, float("nan"), 10**400, [], [[]], [None], {}, {"appId": []}]:
            answer_everything(sandbox, GOOD | {name: value})

    @settings(max_examples=200, deadline=None, database=None)
    @given(given=CALL)
    def test_every_interface_answers_or_refuses(self, sandbox: Sandbox, given: dict[str, Any]) -> None:
        answer_everything(sandbox, given)

    @settings(max_examples=200, deadline=None, database=None)
    @given(given=CALL)
    def test_every_door_answers_or_says_what_is_wrong(self, sandbox: Sandbox, given: dict[str, Any]) -> None:
        for method, path, door in sandbox._doors():
            asked = {name: str(value) for name, value in given.items()} if method == "GET" else given
            try:
                told = door(asked)
            except ValueError:
                continue
            assert json.dumps(told), path
