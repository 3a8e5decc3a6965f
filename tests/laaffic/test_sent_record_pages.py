"""getSentRcd is read whole, whatever the gateway's pages are like, or it is said that it was not."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from laaffic_console.laaffic import DeliveryReport, IncompleteList, LaafficClient, OutcomeUnknown
from laaffic_console.sandbox.testing import RunningSandbox
from tests.laaffic.against_sandbox import client_of
from tests.laaffic.conftest import ScriptedGateway, answer

APP_ID = "4luaKsL2"
START = dt.datetime(2021, 2, 12, tzinfo=dt.UTC)

Rows = list[dict[str, Any]]


def rows(*ids: int) -> Rows:
    return [{"msgId": f"m{n}", "number": "915", "status": "0"} for n in ids]


def seed(records: Rows, total: object) -> Any:
    return answer({"status": "0", "data": {"total": total, "records": records}})


def vendor(records: Rows) -> Any:
    return answer({"status": "0", "success": str(len(records)), "fail": "0", "array": records})


def read(client: LaafficClient) -> list[str]:
    return [record.msg_id for record in records(client, START, START + dt.timedelta(days=1))]


def records(client: LaafficClient, start: dt.datetime, end: dt.datetime) -> Iterator[DeliveryReport]:
    for page in client.sent_record_pages(app_id=APP_ID, start=start, end=end):
        yield from page.records


def asked(gateway: ScriptedGateway) -> list[str]:
    return [request.target.rpartition("startIndex=")[2] for request in gateway.received]


class WholeTests:
    @pytest.mark.parametrize("total", [5, "5", " 5 "])
    def test_small_pages_are_read_up_to_the_total(
        self, gateway: ScriptedGateway, client: LaafficClient, total: object
    ) -> None:
        gateway.will(seed(rows(1, 2), total), seed(rows(3, 4), total), seed(rows(5), total))

        assert read(client) == ["m1", "m2", "m3", "m4", "m5"]
        assert asked(gateway) == ["0", "2", "4"]

    def test_without_a_total_they_are_read_up_to_an_empty_one(
        self, gateway: ScriptedGateway, client: LaafficClient
    ) -> None:
        gateway.will(vendor(rows(1, 2)), vendor(rows(3)), vendor(rows(4, 5)), vendor([]))

        assert read(client) == ["m1", "m2", "m3", "m4", "m5"]
        assert asked(gateway) == ["0", "2", "3", "5"]

    @pytest.mark.parametrize("total", [0, "0", 1, None, "", "many"])
    def test_a_total_that_cannot_be_one_ends_nothing(
        self, gateway: ScriptedGateway, client: LaafficClient, total: object
    ) -> None:
        gateway.will(seed(rows(1, 2), total), seed(rows(3, 4), total), seed([], total))

        assert read(client) == ["m1", "m2", "m3", "m4"]

    def test_a_list_that_grows_at_its_end_is_followed(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(seed(rows(1, 2), 3), seed(rows(3, 4), 5), seed(rows(5), 5))

        assert read(client) == ["m1", "m2", "m3", "m4", "m5"]

    @pytest.mark.parametrize(
        "body", [{"array": []}, {"data": {"total": "0"}}, {"data": []}, {"success": "0", "fail": "0"}, {"total": 0}]
    )
    def test_nothing_sent_is_a_whole_answer(
        self, gateway: ScriptedGateway, client: LaafficClient, body: dict[str, Any]
    ) -> None:
        gateway.will(answer({"status": "0", **body}))

        assert read(client) == []

    def test_the_sandbox_pages_as_it_is_told(self, start_sandbox: Callable[..., RunningSandbox]) -> None:
        sandbox = start_sandbox(record_page=2)
        client = client_of(sandbox)
        numbers = [f"91985632141{n}" for n in range(5)]
        client.send_sms(app_id=APP_ID, numbers=numbers, content="x", order_ids=list("abcde"))
        now = dt.datetime.now(dt.UTC)

        found = list(records(client, now - dt.timedelta(hours=1), now + dt.timedelta(minutes=1)))

        assert {record.number for record in found} == set(numbers)
        assert sandbox.stats()["calls"]["/getSentRcd"] == 4

    def test_two_rows_of_one_id_are_two(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        twice = [*rows(1), {**rows(1)[0], "number": "916"}]
        gateway.will(seed(twice, 2))

        assert read(client) == ["m1", "m1"]


class GrowingTests:
    def test_rows_that_are_pushed_on_by_new_ones_are_no_circle(
        self, gateway: ScriptedGateway, client: LaafficClient
    ) -> None:
        gateway.will(vendor(rows(3, 2, 1)), vendor(rows(2, 1)), vendor(rows(1)), vendor([]))

        assert read(client) == ["m3", "m2", "m1", "m2", "m1", "m1"]

    def test_a_circle_of_them_ends(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(*(vendor(rows(*some)) for some in ((1, 2, 3), (1,), (2,), (3,), (1, 2))))

        with pytest.raises(IncompleteList, match="page 4 holds only rows that came before"):
            read(client)


class NotWholeTests:
    @pytest.mark.parametrize(
        "pages",
        [
            [seed(rows(1, 2), 5), seed(rows(3), 5), seed([], 5)],
            [seed(rows(1, 2), 5), seed(rows(3), 5), seed([], 3)],
            [seed(rows(1, 2), 4), seed(rows(2, 3), 4), seed([], 4)],
            [seed(rows(3, 2), 3), seed(rows(2, 1), 4), seed([], 4)],
            [seed(rows(1, 2), 4), seed(rows(1, 2), 4)],
            [vendor(rows(1, 2)), vendor(rows(1, 2))],
            [vendor(rows(1, 2)), vendor(rows(3, 4)), vendor(rows(2, 1))],
        ],
        ids=["ended early", "shrank", "came twice", "grew in front", "repeated", "repeated without total", "in turns"],
    )
    def test_what_may_be_missing_is_said_after_what_came(
        self, gateway: ScriptedGateway, client: LaafficClient, pages: list[Any]
    ) -> None:
        gateway.will(*pages)
        found = records(client, START, START + dt.timedelta(days=1))

        assert next(found).msg_id in ("m1", "m3")
        with pytest.raises(IncompleteList):
            list(found)

    @pytest.mark.parametrize("body", [{}, {"data": None}, {"data": {}}, {"array": None}, {"data": {"total": 3}}])
    def test_an_answer_without_records_is_not_an_empty_one(
        self, gateway: ScriptedGateway, client: LaafficClient, body: dict[str, Any]
    ) -> None:
        gateway.will(answer({"status": "0", **body}))

        with pytest.raises(OutcomeUnknown, match="holds no records"):
            read(client)
