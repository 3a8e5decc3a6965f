"""The client's MMS and replies against a gateway of other hands, over HTTP."""

import datetime as dt
import time
from collections.abc import Callable

import pytest

from laaffic_console.laaffic import DeliveryState, LaafficClient, OutcomeUnknown, Refused, parse_sms_replies
from laaffic_console.laaffic.mms import ATTACHMENT_LASTS, FILE_TYPES, MAX_FILE
from laaffic_console.sandbox.testing import RunningSandbox
from tests.laaffic.against_sandbox import client_of, door
from tests.sandbox.conftest import Receiver, wait_for

APP_ID = "4luaKsL2"
NUMBERS = ["919876500000", "919876500001", "919876500002"]
MORE_THAN_THREE_DAYS = ATTACHMENT_LASTS.total_seconds() + 1

Start = Callable[..., RunningSandbox]


@pytest.fixture
def sandbox(start_sandbox: Start) -> RunningSandbox:
    return start_sandbox(delivery_rate=1.0)


@pytest.fixture
def client(sandbox: RunningSandbox) -> LaafficClient:
    return client_of(sandbox)


def send(client: LaafficClient, *attachment_ids: str, numbers: list[str] = NUMBERS) -> list[str | None]:
    return client.mms.send(
        app_id=APP_ID, numbers=numbers, content="hello", attachment_ids=attachment_ids, title="hi"
    ).msg_ids


class AttachmentTests:
    def test_each_upload_has_an_id_of_its_own(self, client: LaafficClient) -> None:
        ids = [client.mms.upload(file_type=file_type, data=b"x" * MAX_FILE) for file_type in FILE_TYPES]

        assert len(set(ids)) == 13
        assert [attachment_id.rpartition(".")[2] for attachment_id in ids] == list(FILE_TYPES)

    def test_they_expire_after_three_days(self, sandbox: RunningSandbox, client: LaafficClient) -> None:
        old = client.mms.upload(file_type="txt", data=b"123456")
        door(sandbox, "/clock", seconds=MORE_THAN_THREE_DAYS - 60)
        assert all(send(client, old))
        door(sandbox, "/clock", seconds=MORE_THAN_THREE_DAYS)

        with pytest.raises(Refused, match="data does not exist") as refused:
            send(client, old)

        assert refused.value.code == "-24"
        assert all(send(client, client.mms.upload(file_type="txt", data=b"123456")))

    def test_the_clock_may_be_shifted_from_the_start(self, start_sandbox: Start) -> None:
        client = client_of(start_sandbox(clock_shift=MORE_THAN_THREE_DAYS))

        assert all(send(client, client.mms.upload(file_type="txt", data=b"123456")))

    def test_without_an_id_in_the_answer(self, start_sandbox: Start) -> None:
        assert client_of(start_sandbox(dialect="seed")).mms.upload(file_type="txt", data=b"123456") == ""

    def test_a_gateway_that_counts_the_base64(self, start_sandbox: Start) -> None:
        client = client_of(start_sandbox(strict_mms_size=True))

        assert client.mms.upload(file_type="png", data=b"x" * (MAX_FILE * 3 // 4))
        with pytest.raises(Refused) as refused:
            client.mms.upload(file_type="png", data=b"x" * (MAX_FILE * 3 // 4 + 1))
        assert refused.value.code == "-21"


class SendTests:
    @pytest.mark.parametrize("dialect", ["both", "vendor", "seed"])
    def test_every_number_gets_an_id_that_reports_know(self, start_sandbox: Start, dialect: str) -> None:
        sandbox = start_sandbox(dialect=dialect, delivery_rate=1.0)
        client = client_of(sandbox)
        attachment_id = client.mms.upload(file_type="txt", data=b"123456")
        if dialect == "seed":
            attachment_id = next(iter(sandbox.sandbox.families[1].attachments))  # type: ignore[attr-defined]

        msg_ids = send(client, attachment_id)

        reports = client.get_report(app_id=APP_ID, msg_ids=[msg_id or "" for msg_id in msg_ids]).reports
        assert [(report.number, report.state) for report in reports] == [
            (number, DeliveryState.DELIVERED) for number in NUMBERS
        ]

    def test_a_number_that_is_left_out_has_none(self, sandbox: RunningSandbox, client: LaafficClient) -> None:
        sandbox.set_faults(leave_out=[NUMBERS[1]])

        msg_ids = send(client, client.mms.upload(file_type="txt", data=b"123456"))

        assert [msg_id is None for msg_id in msg_ids] == [False, True, False]

    def test_the_same_number_twice(self, client: LaafficClient) -> None:
        msg_ids = send(client, client.mms.upload(file_type="txt", data=b"1"), numbers=[NUMBERS[0]] * 2)

        assert len(set(msg_ids)) == 2

    @pytest.mark.parametrize("fault", ["reset_after", "bad_gateway_after", "html", "half_json"])
    def test_a_lost_answer_is_unknown_and_the_messages_went(
        self, sandbox: RunningSandbox, client: LaafficClient, fault: str
    ) -> None:
        attachment_id = client.mms.upload(file_type="txt", data=b"123456")
        sandbox.set_faults(next_fault=fault, next_calls=1)

        with pytest.raises(OutcomeUnknown):
            send(client, attachment_id)

        assert [message["number"] for message in sandbox.log()] == NUMBERS
        assert sandbox.log()[0]["files"] == [attachment_id]

    def test_an_abnormal_number_refuses_the_call(self, sandbox: RunningSandbox, client: LaafficClient) -> None:
        attachment_id = client.mms.upload(file_type="txt", data=b"123456")
        sandbox.set_faults(abnormal=[NUMBERS[0]])

        with pytest.raises(Refused) as refused:
            send(client, attachment_id)

        assert refused.value.code == "-9"
        assert sandbox.log() == []


def sms(client: LaafficClient, *numbers: str) -> None:
    client.send_sms(app_id=APP_ID, numbers=numbers, content="hi", order_ids=list(numbers), sender_id="123")


class ReplyTests:
    def window(self) -> dict[str, dt.datetime]:
        now = dt.datetime.now(dt.UTC)
        return {"start": now - dt.timedelta(days=1), "end": now + dt.timedelta(seconds=1)}

    def test_pushed_and_pulled_are_the_same_replies(self, start_sandbox: Start, receiver: Receiver) -> None:
        sandbox = start_sandbox(
            reply_rate=1.0, reply_delay=0.0, reply_words=["STOP"], reply_callback=receiver.url, delivery_rate=1.0
        )
        client = client_of(sandbox)
        sms(client, *NUMBERS)

        bodies = wait_for(lambda: len(receiver.bodies) == 3 and receiver.bodies)

        pushed = [reply for body in bodies for reply in parse_sms_replies(body).replies]
        [page] = client.replies.iter_pages(app_id=APP_ID, **self.window())
        assert sorted(reply.number for reply in pushed) == sorted(reply.number for reply in page.records) == NUMBERS
        assert {(reply.content, reply.sender_id) for reply in pushed} == {("STOP", "123")}
        assert {reply.at.replace(microsecond=0) for reply in pushed if reply.at} == {reply.at for reply in page.records}
        assert all(abs(reply.at.timestamp() - time.time()) < 10 for reply in pushed if reply.at)

    @pytest.mark.parametrize("mode", ["single", "array", "wrapped"])
    def test_however_it_is_pushed(self, start_sandbox: Start, receiver: Receiver, mode: str) -> None:
        sandbox = start_sandbox(reply_callback=receiver.url, push_mode=mode, misspelt_mnc=True)

        door(sandbox, "/replies", number=NUMBERS[0], content="stop please ✋", sender_id="123")

        [body] = wait_for(lambda: receiver.bodies)
        [reply] = parse_sms_replies(body).replies
        assert (reply.number, reply.content, reply.mnc) == (NUMBERS[0], "stop please ✋", "1")

    def test_only_some_answer_and_always_the_same(self, start_sandbox: Start) -> None:
        many = [str(919876500000 + index) for index in range(300)]
        heard = []
        for _ in range(2):
            client = client_of(start_sandbox(reply_rate=0.3, reply_delay=0.0, delivery_rate=1.0))
            sms(client, *many)
            time.sleep(0.05)
            pages = client.replies.iter_pages(app_id=APP_ID, **self.window())
            heard.append(sorted(reply.number for page in pages for reply in page.records))

        assert heard[0] == heard[1]
        assert 50 < len(heard[0]) < 140

    def test_a_period_without_replies_has_none(self, client: LaafficClient) -> None:
        assert list(client.replies.iter_pages(app_id=APP_ID, **self.window())) == []
