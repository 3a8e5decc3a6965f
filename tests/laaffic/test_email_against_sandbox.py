"""The client's email against a gateway of other hands: over HTTP, with its callbacks."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from laaffic_console.laaffic import (
    DeliveryState,
    EmailBatch,
    LaafficClient,
    NotSent,
    OutcomeUnknown,
    Refused,
    SubmissionState,
    parse_email_callbacks,
)
from laaffic_console.sandbox.testing import RunningSandbox
from tests.laaffic.against_sandbox import client_of
from tests.sandbox.conftest import Receiver, wait_for

APP_ID = "fKFtblIy"

Start = Callable[..., RunningSandbox]


@pytest.fixture
def sandbox(start_sandbox: Start) -> RunningSandbox:
    return start_sandbox()


@pytest.fixture
def client(sandbox: RunningSandbox) -> LaafficClient:
    return client_of(sandbox)


@pytest.fixture
def batch(receiver: Receiver) -> EmailBatch:
    return EmailBatch(
        app_id=APP_ID,
        from_address="test@mailpush.laaffic.cn",
        receiver_id="1000",
        subject="hello world",
        template_id="1",
        url=receiver.url,
    )


class BatchTests:
    @pytest.mark.parametrize("by", ["batch_send", "batch_send_get"])
    def test_everybody_of_the_list_is_told_of(
        self, client: LaafficClient, batch: EmailBatch, receiver: Receiver, by: str
    ) -> None:
        task_id = getattr(client.email, by)(batch).task_id

        bodies = wait_for(lambda: len(receiver.bodies) == 20 and receiver.bodies)

        told = [mail for body in bodies for mail in parse_email_callbacks(body).submissions]
        assert {mail.task_id for mail in told} == {task_id}
        assert len({mail.email_id for mail in told}) == len({mail.to_address for mail in told}) == 20
        assert SubmissionState.UNKNOWN not in {mail.state for mail in told}

    @pytest.mark.parametrize("words", ["en", "zh"])
    def test_submitted_is_not_delivered(
        self, start_sandbox: Start, batch: EmailBatch, receiver: Receiver, words: str
    ) -> None:
        client = client_of(start_sandbox(email_list_size=200, email_words=words))
        client.email.batch_send(batch)
        bodies = wait_for(lambda: len(receiver.bodies) == 200 and receiver.bodies, 20)
        told = {mail.email_id: mail for body in bodies for mail in parse_email_callbacks(body).submissions}

        found = client.email.deliveries(app_id=APP_ID, email_ids=list(told))

        states = [(told[mail.email_id].state, mail.state) for mail in found.deliveries]
        assert len(states) == 200
        assert (SubmissionState.SUBMITTED, DeliveryState.DELIVERED) in states
        assert (SubmissionState.SUBMITTED, DeliveryState.FAILED) in states
        assert (SubmissionState.FAILED, DeliveryState.FAILED) in states
        assert (SubmissionState.FAILED, DeliveryState.DELIVERED) not in states
        assert (found.success or 0) + (found.fail or 0) == 200

    def test_mails_are_first_in_the_queue_then_on_their_way(
        self, start_sandbox: Start, batch: EmailBatch, receiver: Receiver
    ) -> None:
        sandbox = start_sandbox(queue_time=600.0, delivery_delay=(3000.0, 3000.0), delivery_rate=1.0)
        client = client_of(sandbox)
        client.email.batch_send(batch)
        bodies = wait_for(lambda: len(receiver.bodies) == 20 and receiver.bodies)
        ids = [body["emailId"] for body in bodies]

        early = client.email.deliveries(app_id=APP_ID, email_ids=ids)
        sandbox.sandbox.options.queue_time = 0.0
        later = client.email.deliveries(app_id=APP_ID, email_ids=ids)

        assert (early.deliveries, early.not_found) == ([], 20)
        assert {mail.state for mail in later.deliveries if mail.state is not DeliveryState.FAILED} == {
            DeliveryState.PENDING
        }

    def test_callbacks_come_twice_and_out_of_order(
        self, start_sandbox: Start, batch: EmailBatch, receiver: Receiver
    ) -> None:
        client = client_of(start_sandbox(push_repeat=1.0, push_shuffle=True))

        client.email.batch_send(batch)

        bodies = wait_for(lambda: len(receiver.bodies) == 40 and receiver.bodies)
        ids = [body["emailId"] for body in bodies]
        assert len(set(ids)) == 20
        assert list(dict.fromkeys(ids)) != sorted(set(ids))

    def test_a_callback_nobody_takes_is_tried_again(
        self, client: LaafficClient, batch: EmailBatch, receiver: Receiver
    ) -> None:
        receiver.statuses = [500, 503]

        client.email.batch_send(replace(batch, receiver_id="1001"))

        bodies = wait_for(lambda: len(receiver.bodies) == 5 and receiver.bodies)
        assert len({body["emailId"] for body in bodies}) == 3

    def test_an_address_may_never_be_told_of(
        self, sandbox: RunningSandbox, client: LaafficClient, batch: EmailBatch, receiver: Receiver
    ) -> None:
        sandbox.set_faults(leave_out=["person1@list1001.example"])

        client.email.batch_send(replace(batch, receiver_id="1001"))

        wait_for(lambda: len(receiver.bodies) == 2)
        time.sleep(0.2)
        assert {body["toAddress"] for body in receiver.bodies} == {
            "person2@list1001.example",
            "person3@list1001.example",
        }

    def test_the_documented_sample_is_accepted(self, client: LaafficClient) -> None:
        sample = EmailBatch(
            app_id=APP_ID,
            from_address="test@mailpush.laaffic.cn",
            receiver_id="1000",
            subject="hello world",
            template_id="1",
            url="https://IP:port/task/email/notice",
        )

        assert client.email.batch_send(sample).task_id

    def test_without_a_task_in_the_answer(self, start_sandbox: Start, batch: EmailBatch) -> None:
        assert client_of(start_sandbox(dialect="seed")).email.batch_send(batch).task_id == ""


class OutcomeTests:
    def test_a_repeat_after_a_lost_answer_says_that_the_first_arrived(
        self, sandbox: RunningSandbox, client: LaafficClient, batch: EmailBatch, receiver: Receiver
    ) -> None:
        sandbox.set_faults(next_fault="reset_after", next_calls=1)
        with pytest.raises(OutcomeUnknown):
            client.email.batch_send(batch)

        with pytest.raises(Refused) as refused:
            client.email.batch_send(batch)

        assert refused.value.says_duplicate
        wait_for(lambda: len(receiver.bodies) == 20)
        time.sleep(0.2)
        assert len(receiver.bodies) == 20

    def test_after_the_window_it_is_another_batch(
        self, start_sandbox: Start, batch: EmailBatch, receiver: Receiver
    ) -> None:
        client = client_of(start_sandbox(email_duplicate_window=0.0))

        assert client.email.batch_send(batch).task_id != client.email.batch_send(batch).task_id

    @pytest.mark.parametrize(
        ("changed", "code", "meaning"),
        [
            ({"from_address": "nobody@example.com"}, "-10", "sender address not configured"),
            ({"template_id": "99"}, "-11", "template does not exist"),
            ({"template_id": "3"}, "-12", "template not approved"),
            ({"receiver_id": "99"}, "-16", "recipient list error"),
        ],
    )
    def test_refusals_are_read_by_the_familys_own_table(
        self, client: LaafficClient, batch: EmailBatch, changed: dict[str, str], code: str, meaning: str
    ) -> None:
        with pytest.raises(Refused, match=meaning) as refused:
            client.email.batch_send(replace(batch, **changed))

        assert refused.value.code == code
        assert not refused.value.says_duplicate

    def test_a_clock_that_is_off_is_corrected_by_minus_six(self, start_sandbox: Start, batch: EmailBatch) -> None:
        client = client_of(start_sandbox(clock_offset=7200.0))

        assert client.email.batch_send(batch).task_id
        assert client.clock_skew == pytest.approx(7200, abs=5)

    def test_a_gateway_that_is_down_was_not_sent_to(
        self, sandbox: RunningSandbox, client: LaafficClient, batch: EmailBatch
    ) -> None:
        sandbox.go_down(30.0)
        time.sleep(0.1)

        with pytest.raises(NotSent):
            client.email.batch_send(batch)


class SingleMailTests:
    def test_each_address_has_an_outcome_and_a_delivery(self, start_sandbox: Start) -> None:
        client = client_of(start_sandbox(delivery_rate=1.0))
        result = client.email.send(
            app_id=APP_ID,
            from_address="test@mailpush.laaffic.cn",
            to_addresses=["me@example.com", "you@example.com"],
            subject="Test",
            template_id="1",
            template_data={"code": "1234", "name": "Zoë"},
        )

        assert (result.success, result.fail) == (2, 0)
        assert {mail.state for mail in result.emails} == {SubmissionState.SUBMITTED}
        found = client.email.deliveries(app_id=APP_ID, email_ids=[mail.email_id for mail in result.emails])
        assert {mail.state for mail in found.deliveries} == {DeliveryState.DELIVERED}

    def test_an_address_that_is_left_out_is_counted(self, sandbox: RunningSandbox, client: LaafficClient) -> None:
        sandbox.set_faults(leave_out=["me@example.com"])

        result = client.email.send(
            app_id=APP_ID,
            from_address="test@mailpush.laaffic.cn",
            to_addresses=["me@example.com"],
            subject="Test",
            template_id="1",
        )

        assert (result.emails, result.success, result.fail) == ([], 0, 1)


class ChoicesTests:
    def test_what_there_is_to_choose_from(self, client: LaafficClient) -> None:
        lists = client.email.recipient_lists(app_id=APP_ID)
        templates = client.email.templates(app_id=APP_ID)

        assert [(found.receiver_id, found.count) for found in lists] == [("1000", 20), ("1001", 3), ("1002", 0)]
        assert ("1", "Welcome", "en") in {(found.template_id, found.name, found.language) for found in templates}
        assert "test@mailpush.laaffic.cn" in client.email.sender_addresses(app_id=APP_ID)

    def test_they_are_found_by_a_part_of_their_name(self, client: LaafficClient) -> None:
        assert [found.name for found in client.email.recipient_lists(app_id=APP_ID, name="sta")] == ["Staff"]
        assert [found.template_id for found in client.email.templates(app_id=APP_ID, language="es")] == ["4"]
        assert [found.template_id for found in client.email.templates(app_id=APP_ID, status=0)] == ["3"]

    def test_another_products_application_is_refused(self, start_sandbox: Start) -> None:
        client = client_of(start_sandbox(applications={APP_ID: "sms"}))

        with pytest.raises(Refused) as refused:
            client.email.sender_addresses(app_id=APP_ID)
        assert refused.value.code == "-3"
