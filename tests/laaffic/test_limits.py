"""A limit is kept before anything is sent, and the error names it."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from laaffic_console.laaffic import InvalidRequest, LaafficClient, SmsItem, call_record_windows, sent_record_windows
from laaffic_console.laaffic.group_calls import Announcement, FileInRequest, GroupCall, SpokenText
from laaffic_console.sandbox.parameters import months_before
from tests.laaffic.conftest import ScriptedGateway

APP_ID = "4luaKsL2"
START = dt.datetime(2021, 2, 1, tzinfo=dt.UTC)


def numbers(count: int) -> list[str]:
    return [str(919876500000 + index) for index in range(count)]


def orders(count: int) -> list[str]:
    return [f"o{index}" for index in range(count)]


def post(count: int = 1, **given: Any) -> Callable[[LaafficClient], object]:
    fields = {"app_id": APP_ID, "numbers": numbers(count), "content": "hello", "order_ids": orders(count)} | given
    return lambda client: client.send_sms(**fields)


def get(count: int = 1, **given: Any) -> Callable[[LaafficClient], object]:
    fields = {"app_id": APP_ID, "numbers": numbers(count), "content": "hello", "order_ids": orders(count)} | given
    return lambda client: client.send_sms_get(**fields)


def batch(*counts: int, **given: Any) -> Callable[[LaafficClient], object]:
    def item(count: int) -> SmsItem:
        return SmsItem(**{"numbers": numbers(count), "content": "hello", "order_ids": orders(count)} | given)

    return lambda client: client.send_sms_batch(app_id=APP_ID, items=[item(count) for count in counts])


def report(count: int, app_id: str = APP_ID) -> Callable[[LaafficClient], object]:
    return lambda client: client.get_report(app_id=app_id, msg_ids=[f"m{index}" for index in range(count)])


def records(**span: float) -> Callable[[LaafficClient], object]:
    return lambda client: client.get_sent_records(app_id=APP_ID, start=START, end=START + dt.timedelta(**span))


def group_call(announcement: Announcement) -> Callable[[LaafficClient], object]:
    task = GroupCall(app_id=APP_ID, task_name="Autumn", announcement=announcement, numbers=numbers(1), max_talk=40)
    return lambda client: client.group_calls.send(task)


def speak(**given: Any) -> Callable[[LaafficClient], object]:
    return group_call(SpokenText(**{"text": "Good day", "language": "EN"} | given))


def upload(data: bytes, **given: Any) -> Callable[[LaafficClient], object]:
    return lambda client: client.voice.upload_audio(file_name="a.mp3", data=data, **given)


def calls_of(**span: float) -> Callable[[LaafficClient], object]:
    return lambda client: client.voice.sip_records(start=START, end=START + dt.timedelta(**span))


BROKEN = [
    pytest.param(post(1001), "numbers", "1001 numbers; this call carries 1 to 1000", id="1,001 numbers"),
    pytest.param(post(0), "numbers", "0 numbers", id="no number"),
    pytest.param(get(101), "numbers", "101 numbers; this call carries 1 to 100", id="101 numbers by GET"),
    pytest.param(get(0), "numbers", "0 numbers", id="no number by GET"),
    pytest.param(post(content="x" * 1025), "content", "1025 characters; at most 1024", id="1,025 characters"),
    pytest.param(post(content="👋" * 1025), "content", "1025 characters; at most 1024", id="1,025 emoji"),
    pytest.param(get(content="x" * 1025), "content", "1025 characters; at most 1024", id="1,025 characters by GET"),
    pytest.param(post(content=""), "content", "empty", id="no content"),
    pytest.param(post(content=" \n"), "content", "empty", id="a content of spaces"),
    pytest.param(post(sender_id="x" * 33), "senderId", "33 characters; at most 32", id="33 of a sender id"),
    pytest.param(post(2, order_ids=["1"]), "orderId", "1 order ids for 2 numbers", id="an order id too few"),
    pytest.param(post(1, order_ids=["1", "2"]), "orderId", "2 order ids for 1 numbers", id="an order id too many"),
    pytest.param(post(1, order_ids=["1,2"]), "orderId", "comma", id="a comma in an order id"),
    pytest.param(post(numbers=["+919876500000"]), "numbers", "without +", id="a plus"),
    pytest.param(post(numbers=["91 98765 00000"]), "numbers", "spaces", id="spaces"),
    pytest.param(post(numbers=["919876500000,919876500001"]), "numbers", "digits", id="two numbers in one"),
    pytest.param(post(numbers=["٩١٩٨٧٦٥٠٠٠٠٠"]), "numbers", "digits", id="digits of another script"),
    pytest.param(post(numbers=[""]), "numbers", "digits", id="an empty number"),
    pytest.param(post(numbers=["123456"]), "numbers", "7 to 15 digits", id="six digits"),
    pytest.param(post(numbers=["1234567890123456"]), "numbers", "7 to 15 digits", id="sixteen digits"),
    pytest.param(post(app_id=""), "appId", "1 to 64", id="no appId"),
    pytest.param(post(app_id="x" * 65), "appId", "1 to 64", id="65 of an appId"),
    pytest.param(batch(), "numbers", "0 numbers; a call carries 1 to 1000", id="an empty batch"),
    pytest.param(batch(500, 501), "numbers", "1001 numbers; a call carries 1 to 1000", id="1,001 in a batch"),
    pytest.param(batch(1, 0), "numbers", "0 numbers", id="an item without numbers"),
    pytest.param(batch(1, content="x" * 1025), "content", "1025 characters", id="1,025 characters in a batch"),
    pytest.param(batch(1, sender_id="x" * 33), "senderId", "33 characters", id="33 of a sender id in a batch"),
    pytest.param(batch(1, order_ids=[]), "orderId", "0 order ids for 1 numbers", id="no order id in a batch"),
    pytest.param(report(201), "msgIds", "201 ids; a call asks for 1 to 200", id="201 ids"),
    pytest.param(report(0), "msgIds", "0 ids", id="no id"),
    pytest.param(report(1, ""), "appId", "1 to 64", id="no appId for a report"),
    pytest.param(records(days=32), "endTime", "at most 31 days", id="32 days"),
    pytest.param(records(days=31, seconds=1), "endTime", "at most 31 days", id="31 days and a second"),
    pytest.param(records(days=0), "endTime", "ends after it starts", id="no time at all"),
    pytest.param(records(days=-1), "endTime", "ends after it starts", id="backwards"),
    pytest.param(upload(b""), "file", "empty", id="an audio file of nothing"),
    pytest.param(upload(b"12345", at_most=4), "file", "5 bytes; an audio file has at most 4", id="a long audio file"),
    pytest.param(group_call(FileInRequest("a.mp3", b"")), "baseFile", "0 bytes", id="a file of nothing in a task"),
    pytest.param(speak(gender=3), "ssmlGender", "neither 1, male, nor 2, female", id="a third voice"),
    pytest.param(calls_of(days=-1), "endTime", "ends after it starts", id="calls backwards"),
    pytest.param(calls_of(days=4000), "endTime", "lasts at most", id="calls of ten years"),
    pytest.param(lambda client: client.group_calls.cancel(["1 or 1"]), "keyId", "not a key", id="a key of words"),
    pytest.param(
        lambda client: client.group_calls.cancel([str(2**63)]), "keyId", "not a key", id="a key beyond a long"
    ),
]

KEPT = [
    pytest.param(post(1000), id="1,000 numbers"),
    pytest.param(get(100), id="100 numbers by GET"),
    pytest.param(post(content="x" * 1024), id="1,024 characters"),
    pytest.param(post(content="👋" * 1024), id="1,024 emoji"),
    pytest.param(post(content="é" * 1024), id="1,024 characters of two bytes"),
    pytest.param(post(sender_id="x" * 32), id="32 of a sender id"),
    pytest.param(post(numbers=["1234567"]), id="seven digits"),
    pytest.param(post(numbers=["123456789012345"]), id="fifteen digits"),
    pytest.param(batch(400, 600), id="1,000 in a batch"),
    pytest.param(report(200), id="200 ids"),
    pytest.param(lambda client: client.group_calls.cancel([str(2**63 - 1)]), id="a key of 19 digits"),
    pytest.param(records(days=31), id="31 days"),
]


class LimitTests:
    @pytest.mark.parametrize(("call", "field", "says"), BROKEN)
    def test_a_broken_limit_is_named_and_nothing_is_sent(
        self,
        gateway: ScriptedGateway,
        client: LaafficClient,
        call: Callable[[LaafficClient], object],
        field: str,
        says: str,
    ) -> None:
        with pytest.raises(InvalidRequest) as caught:
            call(client)

        assert caught.value.field == field
        assert says in str(caught.value)
        assert str(caught.value).startswith(f"{field}: ")
        assert gateway.connections == 0

    @pytest.mark.parametrize("call", KEPT)
    def test_the_last_value_within_a_limit_is_sent(
        self, gateway: ScriptedGateway, client: LaafficClient, call: Callable[[LaafficClient], object]
    ) -> None:
        call(client)

        assert len(gateway.received) == 1

    def test_a_thousand_numbers_arrive_in_their_order(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        post(1000)(client)

        body = gateway.received[0].json()
        assert body["numbers"].split(",") == numbers(1000)
        assert body["orderId"].split(",") == orders(1000)


class SentRecordWindowTests:
    NOW = dt.datetime(2021, 6, 1, tzinfo=dt.UTC)

    def test_a_short_period_is_one_window(self) -> None:
        start = self.NOW - dt.timedelta(days=31)

        assert sent_record_windows(start, self.NOW, self.NOW) == [(start, self.NOW)]

    def test_a_long_period_is_cut_without_gaps(self) -> None:
        start = self.NOW - dt.timedelta(days=80)

        windows = sent_record_windows(start, self.NOW, self.NOW)

        assert [end - begin for begin, end in windows] == [dt.timedelta(days=days) for days in (31, 31, 18)]
        assert [begin for begin, _ in windows[1:]] == [end for _, end in windows[:-1]]
        assert (windows[0][0], windows[-1][1]) == (start, self.NOW)

    def test_what_is_older_than_ninety_days_is_not_asked(self) -> None:
        windows = sent_record_windows(self.NOW - dt.timedelta(days=400), self.NOW, self.NOW)

        assert self.NOW - dt.timedelta(days=90) < windows[0][0] < self.NOW - dt.timedelta(days=89)

    @pytest.mark.parametrize(("start", "end"), [(0, 0), (1, 2), (-1, -2), (-200, -100)])
    def test_a_period_that_cannot_be_asked_has_no_window(self, start: int, end: int) -> None:
        def days(number: int) -> dt.datetime:
            return self.NOW + dt.timedelta(days=number)

        assert sent_record_windows(days(start), days(end), self.NOW) == []


@pytest.mark.parametrize("now", ["2027-03-01", "2027-04-28", "2027-04-30", "2028-04-29", "2027-08-31", "2027-12-31"])
def test_call_records_are_asked_for_within_two_months_however_short_they_are(now: str) -> None:
    moment = dt.datetime.fromisoformat(f"{now}T12:00:00+08:00")

    ((begin, _end), *_more) = call_record_windows(moment - dt.timedelta(days=400), moment, moment)

    assert begin.timestamp() >= months_before(moment.timestamp(), 2)


@pytest.mark.parametrize(
    ("now", "months", "then"),
    [
        ("2027-04-28T12:00:00+08:00", 2, "2027-02-28T12:00:00+08:00"),
        ("2027-04-30T12:00:00+08:00", 2, "2027-02-28T12:00:00+08:00"),
        ("2027-01-31T00:00:00+08:00", 2, "2026-11-30T00:00:00+08:00"),
        ("2027-12-31T00:00:00+08:00", -1, "2028-01-31T00:00:00+08:00"),
        ("2027-01-30T00:00:00+08:00", -1, "2027-02-28T00:00:00+08:00"),
    ],
)
def test_the_sandbox_counts_months_as_a_calendar_does(now: str, months: int, then: str) -> None:
    counted = months_before(dt.datetime.fromisoformat(now).timestamp(), months)

    assert counted == dt.datetime.fromisoformat(then).timestamp()
