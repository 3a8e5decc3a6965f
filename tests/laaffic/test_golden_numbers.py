"""Requests and answers about numbers as the documentation prints them, and where its pages differ."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laaffic_console.laaffic import (
    Binding,
    BindingKind,
    Family,
    InvalidRequest,
    LaafficClient,
    NewBinding,
    NumberPool,
    NumberSettings,
    NumberState,
    OutcomeUnknown,
    Refused,
    VoicemailFile,
    lookup,
)
from laaffic_console.laaffic.envelope import Envelope
from laaffic_console.laaffic.numbers import _owned, _pool
from laaffic_console.laaffic.pages import read_page
from laaffic_console.laaffic.reports import count
from tests.laaffic.against_sandbox import every
from tests.laaffic.conftest import ScriptedGateway, answer, raw
from tests.laaffic.test_golden_sms import DOCUMENTED_HEADERS
from tests.laaffic.test_properties import ANY_JSON, LEAF

APP_ID = "4luaKsL2"
SUCCESS = b'{\n  "status": "0",\n  "reason": "success"\n}'

BIND_PAGE_ANSWER = b"""{
  "status": "0",
  "reason": "success",
  "data": {
    "total": 5,
    "size": 20,
    "current": 1,
    "pages": 1,
    "records": [
      {
        "bindId": 1234,
        "phoneA": "915027021995",
        "phoneB": "9150270219956",
        "pnsNumberA": "91502211",
        "pnsNumberB": "915022112",
        "expireTime": "2023-10-22 09:00:00"
      }
    ]
  }
}"""

DOCUMENTED_BINDING = Binding(
    bind_id="1234",
    phone_a="915027021995",
    phone_b="9150270219956",
    pns_number_a="91502211",
    pns_number_b="915022112",
    expires_at=dt.datetime(2023, 10, 22, 1, 0, tzinfo=dt.UTC),
    expire_time="2023-10-22 09:00:00",
)


def page(*records: Any, **more: Any) -> dict[str, Any]:
    data = {"total": len(records), "size": 100, "current": 1, "pages": 1, "records": list(records)} | more
    return {"status": "0", "reason": "success", "data": data}


class QueryBindPageTests:
    def test_the_documented_request_and_answer(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(raw(BIND_PAGE_ANSWER))

        found = client.numbers.query_bindings(app_id=APP_ID, current=1, size=10)

        [request] = gateway.received
        assert (request.method, request.target) == ("POST", "/v3/number/pns/queryBindPage")
        assert request.headers.items() >= DOCUMENTED_HEADERS.items()
        assert request.body == b'{"current":1,"size":10,"params":{"appId":"4luaKsL2"}}'
        assert found.records == [DOCUMENTED_BINDING]
        assert (found.total, found.pages, found.current, found.problems) == (5, 1, 1, [])

    def test_without_an_application_all_are_asked_for(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(answer(page()))

        assert client.numbers.query_bindings().records == []
        assert gateway.received[0].body == b'{"current":1,"size":100,"params":{}}'

    @pytest.mark.parametrize(
        "expire_time", ["2023-10-22 09:00:00", "1697936400", 1697936400, 1697936400000, "2023-10-22T09:00:00+08:00"]
    )
    def test_every_way_of_writing_the_end(
        self, gateway: ScriptedGateway, client: LaafficClient, expire_time: object
    ) -> None:
        gateway.will(answer(page({"bindId": "7", "expireTime": expire_time})))

        [binding] = client.numbers.query_bindings().records

        assert binding.expires_at == DOCUMENTED_BINDING.expires_at
        assert binding.expire_time == str(expire_time)

    def test_a_time_without_zone_is_of_the_vendors_zone(self, gateway: ScriptedGateway) -> None:
        gateway.will(raw(BIND_PAGE_ANSWER))

        [binding] = gateway.client(time_zone="UTC").numbers.query_bindings().records

        assert binding.expires_at == dt.datetime(2023, 10, 22, 9, 0, tzinfo=dt.UTC)

    @pytest.mark.parametrize("expire_time", [None, "", "soon", [], "99999999999999999999"])
    def test_an_end_that_cannot_be_read_is_none(
        self, gateway: ScriptedGateway, client: LaafficClient, expire_time: object
    ) -> None:
        gateway.will(answer(page({"bindId": 7, "expireTime": expire_time})))

        [binding] = client.numbers.query_bindings().records

        assert binding.expires_at is None

    @pytest.mark.parametrize("bind_id", ["12205181141482000029", 12205181141482000029])
    def test_an_id_of_twenty_digits_stays_whole(
        self, gateway: ScriptedGateway, client: LaafficClient, bind_id: object
    ) -> None:
        gateway.will(answer(page({"bindId": bind_id})))

        assert client.numbers.query_bindings().records[0].bind_id == "12205181141482000029"

    def test_a_row_that_is_none_costs_no_other(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(answer(page({"phoneA": "1"}, "row", {" bindId ": 7}, None)))

        found = client.numbers.query_bindings()

        assert [binding.bind_id for binding in found.records] == ["7"]
        assert found.problems == ["a binding without bindId", "not an object: 'row'", "not an object: None"]

    @pytest.mark.parametrize("body", [{}, {"data": None}, {"data": {}}, {"data": {"total": 3, "records": None}}])
    def test_an_answer_without_records_does_not_say_that_there_are_none(
        self, gateway: ScriptedGateway, client: LaafficClient, body: dict[str, Any]
    ) -> None:
        gateway.will(answer({"status": "0", "reason": "success"} | body))

        with pytest.raises(OutcomeUnknown, match="the answer holds no records"):
            client.numbers.query_bindings()

    def test_none_is_said_by_a_total_of_zero(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(answer({"status": "0", "data": {"total": 0, "records": None}}))

        assert client.numbers.query_bindings().records == []

    def test_the_other_envelope_is_read_too(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(answer({"code": 0, "msg": "success", "data": {"records": [{"bindId": 7}], "total": 1}}))

        assert client.numbers.query_bindings().records[0].bind_id == "7"


class PagesTests:
    def rows(self, start: int, count: int) -> list[dict[str, Any]]:
        return [{"bindId": index} for index in range(start, start + count)]

    def ids(self, client: LaafficClient) -> list[str]:
        return [binding.bind_id for binding in every(client.numbers.query_bindings)]

    def test_pages_follow_until_the_total(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(
            answer(page(*self.rows(0, 100), total=150, pages=2)),
            answer(page(*self.rows(100, 50), total=150, pages=2)),
        )

        assert self.ids(client) == [str(index) for index in range(150)]
        assert [request.json()["current"] for request in gateway.received] == [1, 2]

    def test_smaller_pages_than_asked_for_are_walked_all_the_same(
        self, gateway: ScriptedGateway, client: LaafficClient
    ) -> None:
        gateway.will(*(answer(page(*self.rows(start, 2), total=5, size=2)) for start in (0, 2)))
        gateway.will(answer(page(*self.rows(4, 1), total=5, size=2)))

        assert self.ids(client) == ["0", "1", "2", "3", "4"]

    def test_pages_that_end_before_the_total_are_not_all(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(raw(BIND_PAGE_ANSWER), answer(page(total=5)))

        with pytest.raises(OutcomeUnknown, match="only 1 of 5 rows came"):
            self.ids(client)

    def test_a_row_that_went_may_have_let_another_slip_between_two_pages(
        self, gateway: ScriptedGateway, client: LaafficClient
    ) -> None:
        gateway.will(raw(BIND_PAGE_ANSWER), answer(page(total=1)))

        with pytest.raises(OutcomeUnknown, match="only 1 of 5 rows came"):
            self.ids(client)

    @pytest.mark.parametrize("told", [{}, {"pages": 1}, {"total": ""}, {"total": None}, {"total": "0"}, {"total": 0}])
    def test_without_a_total_an_empty_page_is_the_end(
        self, gateway: ScriptedGateway, client: LaafficClient, told: dict[str, Any]
    ) -> None:
        for start in (0, 3, 6):
            gateway.will(answer({"status": "0", "data": {"records": self.rows(start, 3), **told}}))
        gateway.will(answer({"status": "0", "data": {"records": [], **told}}))

        assert len(self.ids(client)) == 9

    def test_a_row_that_comes_twice_stands_for_no_other(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(*(answer(page(*self.rows(start, 2), total=4)) for start in (0, 1)), answer(page(total=4)))

        with pytest.raises(OutcomeUnknown, match="only 3 of 4 rows came"):
            self.ids(client)

    def test_pages_that_take_turns_end(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        turns = [answer({"status": "0", "data": {"records": self.rows(start, 2)}}) for start in (0, 2, 0)]
        gateway.will(*turns)

        with pytest.raises(OutcomeUnknown, match="page 3 holds only rows that came before"):
            self.ids(client)

    def test_a_gateway_that_repeats_a_page_is_not_believed(
        self, gateway: ScriptedGateway, client: LaafficClient
    ) -> None:
        gateway.will(raw(BIND_PAGE_ANSWER), raw(BIND_PAGE_ANSWER))

        with pytest.raises(OutcomeUnknown, match="page 2 is page 1 again"):
            self.ids(client)


class BindTests:
    BODY = (
        b'{"appId":"4luaKsL2","phoneA":"915027021995","phoneB":"915027021996","poolNumber":"918885",'
        b'"expireS":600,"bizType":1}'
    )

    def bind(self, client: LaafficClient, **changed: Any) -> NewBinding:
        asked = {
            "app_id": APP_ID,
            "phone_a": "915027021995",
            "phone_b": "915027021996",
            "pool_number": "918885",
            "expires_in": 600,
        }
        return client.numbers.bind(**(asked | changed))

    @pytest.mark.parametrize("bind_id", [1234, "1234"])
    def test_the_request_and_the_answer(self, gateway: ScriptedGateway, client: LaafficClient, bind_id: object) -> None:
        data = {"pnsNumberA": "91502211", "pnsNumberB": "+91502211", "bindId": bind_id}
        gateway.will(answer({"status": "0", "reason": "success", "data": data}))

        assert self.bind(client) == NewBinding("1234", "91502211", "91502211")
        [request] = gateway.received
        assert (request.method, request.target) == ("POST", "/v3/number/pns/bind")
        assert request.body == self.BODY

    def test_each_with_a_number_of_their_own(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        self.bind(client, kind=BindingKind.AXXB)

        assert gateway.received[0].json()["bizType"] == 2

    @pytest.mark.parametrize("body", [SUCCESS, b'{"status":"0","data":null}', b'{"status":"0","data":[]}'])
    def test_a_success_that_names_nothing_is_a_binding_whose_id_is_not_known(
        self, gateway: ScriptedGateway, client: LaafficClient, body: bytes
    ) -> None:
        gateway.will(raw(body))

        assert self.bind(client) == NewBinding("", "", "")

    @pytest.mark.parametrize(
        ("changed", "says"),
        [
            ({"phone_a": ""}, "phoneA: '' is not 1 to 20 digits"),
            ({"phone_a": "1" * 21}, "phoneA: .* is not 1 to 20 digits"),
            ({"phone_a": "+915027021995"}, "phoneA: .* without \\+ or spaces"),
            ({"phone_b": "123"}, "phoneB: '123' is not 4 to 20 digits"),
            ({"phone_b": "٣٣٣٣٣"}, "phoneB"),
            ({"pool_number": ""}, "poolNumber: 0 characters; it has 1 to 20"),
            ({"pool_number": "9" * 21}, "poolNumber: 21 characters"),
            ({"expires_in": 0}, "expireS: 0 is not between 1 and 259200"),
            ({"expires_in": 259_201}, "expireS"),
            ({"app_id": ""}, "appId"),
        ],
    )
    def test_limits(self, gateway: ScriptedGateway, client: LaafficClient, changed: Any, says: str) -> None:
        with pytest.raises(InvalidRequest, match=says):
            self.bind(client, **changed)
        assert gateway.received == []

    def test_the_edges_are_allowed(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        self.bind(client, phone_a="1", phone_b="1" * 20, pool_number="9" * 20, expires_in=259_200)

        assert gateway.received[0].json()["expireS"] == 259_200

    def test_unbind_sends_the_id_as_text(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(answer({"status": "0", "reason": "success", "data": None}))

        client.numbers.unbind(app_id=APP_ID, bind_id="1234")

        [request] = gateway.received
        assert (request.method, request.target) == ("POST", "/v3/number/pns/unbind")
        assert request.body == b'{"bindId":"1234","appId":"4luaKsL2"}'


class EditNumberPoolTests:
    def edit(self, client: LaafficClient, **changed: Any) -> None:
        asked: dict[str, Any] = {
            "old_pool_number": "918885",
            "pool_number": "918885",
            "whitelist": ["192.168.10.17", "192.168.10.18"],
            "max_concurrency": 99,
            "numbers": ["9178605501", "9178605502"],
        }
        client.numbers.edit_pool(**(asked | changed))

    @pytest.mark.parametrize("body", [SUCCESS, b'{"status":"0","reason":"success","data":null}'])
    def test_the_documented_request_and_either_answer(
        self, gateway: ScriptedGateway, client: LaafficClient, body: bytes
    ) -> None:
        gateway.will(raw(body))

        self.edit(client)

        [request] = gateway.received
        assert (request.method, request.target) == ("POST", "/v3/number/editNumberPool")
        assert request.headers.items() >= DOCUMENTED_HEADERS.items()
        assert request.body == (
            b'{"oldPoolNumber":"918885","poolNumber":"918885","customerWhitelist":"192.168.10.17,192.168.10.18",'
            b'"maxConcurrency":99,"numberList":["9178605501","9178605502"]}'
        )

    def test_a_rename_says_both_numbers(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        self.edit(client, pool_number="918886")

        assert (gateway.received[0].json()["oldPoolNumber"], gateway.received[0].json()["poolNumber"]) == (
            "918885",
            "918886",
        )

    def test_numbers_that_are_not_to_change_are_left_out(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        self.edit(client, numbers=None)

        assert "numberList" not in gateway.received[0].json()

    def test_no_numbers_at_all_is_said(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        self.edit(client, numbers=[])

        assert gateway.received[0].json()["numberList"] == []

    @pytest.mark.parametrize(
        ("changed", "says"),
        [
            ({"whitelist": ["10.0.0.300"]}, "customerWhitelist: '10.0.0.300' is not an IPv4 address"),
            ({"whitelist": ["::1"]}, "customerWhitelist: '::1'"),
            ({"whitelist": ["10.0.0.1,10.0.0.2"]}, "customerWhitelist"),
            ({"whitelist": []}, "customerWhitelist: it names at least one address"),
            ({"whitelist": ["192.168.100.101"] * 12 + ["10.0.0.10"]}, "customerWhitelist: 201 characters"),
            ({"max_concurrency": -1}, "maxConcurrency: -1 is not between 0 and 9999"),
            ({"max_concurrency": 10_000}, "maxConcurrency"),
            ({"numbers": ["91786055"] * 2}, "numberList: 91786055 is there twice"),
            ({"numbers": ["123456"]}, "numberList: '123456' is not 7 to 15 digits"),
            ({"numbers": ["1" * 16]}, "numberList"),
            ({"old_pool_number": ""}, "oldPoolNumber"),
            ({"pool_number": "x" * 21}, "poolNumber"),
        ],
    )
    def test_limits(self, gateway: ScriptedGateway, client: LaafficClient, changed: Any, says: str) -> None:
        with pytest.raises(InvalidRequest, match=says):
            self.edit(client, **changed)
        assert gateway.received == []

    def test_a_whitelist_of_200_characters_is_allowed(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        self.edit(client, whitelist=["192.168.100.101"] * 12 + ["10.0.0.1"])

        assert len(gateway.received[0].json()["customerWhitelist"]) == 200

    def test_creating_is_the_same_without_the_old_number(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        client.numbers.create_pool(
            pool_number="918885", whitelist=["192.168.10.17"], max_concurrency=0, numbers=["9178605501"]
        )

        [request] = gateway.received
        assert (request.method, request.target) == ("POST", "/v3/number/createNumberPool")
        assert request.body == (
            b'{"poolNumber":"918885","customerWhitelist":"192.168.10.17","maxConcurrency":0,'
            b'"numberList":["9178605501"]}'
        )


class QueryNumberPoolTests:
    def test_pools_are_read(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        record = {
            "poolNumber": "918885",
            "customerWhitelist": "192.168.10.17,192.168.10.18",
            "maxConcurrency": "99",
            "numberList": ["+9178605501", 9178605502],
        }
        gateway.will(answer(page(record)))

        [pool] = client.numbers.query_pools(size=10).records

        assert gateway.received[0].target == "/v3/number/queryNumberPool"
        assert gateway.received[0].body == b'{"current":1,"size":10,"params":{}}'
        assert pool == NumberPool("918885", ["192.168.10.17", "192.168.10.18"], 99, ["9178605501", "9178605502"])

    def test_a_pool_may_say_it_otherwise(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        row = {"poolNumber": 918885, "customerWhitelist": None, "numberList": "9178605501,9178605502"}
        gateway.will(answer(page(row | {"maxConcurrency": 99.0})))

        [pool] = client.numbers.query_pools().records

        assert pool == NumberPool("918885", [], 99, ["9178605501", "9178605502"])

    @pytest.mark.parametrize(
        "changed",
        [{"maxConcurrency": value} for value in (None, "", "unlimited", -1, 1.5, [])]
        + [{"customerWhitelist": {}}, {"numberList": {}}],
    )
    def test_a_pool_that_does_not_say_all_is_none(
        self, gateway: ScriptedGateway, client: LaafficClient, changed: dict[str, Any]
    ) -> None:
        row = {"poolNumber": "918885", "customerWhitelist": "", "maxConcurrency": 99, "numberList": []}
        without = {name: value for name, value in row.items() if name not in changed}
        gateway.will(answer(page(row | changed, without, row)))

        read = client.numbers.query_pools()

        assert (len(read.records), len(read.problems)) == (1, 2)


class OwnedNumberTests:
    def test_a_number_is_read(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        record = {
            "number": "9178605501",
            "ccode": "91",
            "country": "India",
            "dueDate": "2024-04-11",
            "state": 3,
            "inboundPrefix": "",
            "type": "MOBILE",
            "autoRenew": 1,
            "outIp": "192.168.10.17",
            "inIp": None,
            "remark": "support",
            "appId": APP_ID,
            "enableVoicemail": False,
            "voicemailFileId": None,
            "voicemailFileName": None,
            "voicemailMaxHangup": 60,
        }
        gateway.will(answer(page(record)))

        [owned] = client.numbers.query_owned_numbers().records

        assert gateway.received[0].target == "/v3/number/queryPage"
        assert (owned.number, owned.calling_code, owned.country, owned.kind) == ("9178605501", "91", "India", "MOBILE")
        assert (owned.due_on, owned.state) == (dt.date(2024, 4, 11), NumberState.IN_USE)
        assert (owned.auto_renew, owned.has_voicemail, owned.voicemail_max_hangup) == (True, False, 60)
        assert (owned.out_ip, owned.in_ip, owned.remark, owned.app_id) == ("192.168.10.17", "", "support", APP_ID)

    @pytest.mark.parametrize("written", ["+9178605501", "00 91 7860-5501", 9178605501])
    def test_a_number_that_is_spelt_otherwise_can_be_edited(
        self, gateway: ScriptedGateway, client: LaafficClient, written: object
    ) -> None:
        gateway.will(answer(page({"number": written})), answer({"status": "0"}))
        [owned] = client.numbers.query_owned_numbers().records

        client.numbers.edit_number(number=owned.number, settings=NumberSettings(remark="support"))

        assert gateway.received[1].json()["number"] == "9178605501"

    @pytest.mark.parametrize(
        ("state", "known"), [("4", NumberState.EXPIRED), (5, NumberState.STOPPED), (9, None), ("", None), (None, None)]
    )
    def test_a_state_nobody_documents_is_kept_as_it_came(
        self, gateway: ScriptedGateway, client: LaafficClient, state: object, known: NumberState | None
    ) -> None:
        gateway.will(answer(page({"number": "1", "state": state, "dueDate": "soon"})))

        [owned] = client.numbers.query_owned_numbers().records

        assert (owned.state, owned.raw_state) == (known, "" if state is None else str(state))
        assert owned.due_on is None


class CodeTests:
    @pytest.mark.parametrize(
        ("code", "meaning"),
        [("-35", "A or B is bound already"), ("-41", "no middle number is free"), ("-24", "no such binding or pool")],
    )
    def test_numbers_have_meanings_of_their_own(self, code: str, meaning: str) -> None:
        assert lookup(Family.NUMBER, code).meaning == meaning
        assert lookup(Family.VOICE, code).meaning != meaning

    def test_what_they_do_not_redefine_is_the_common_one(self) -> None:
        assert lookup(Family.NUMBER, "-16") == lookup(Family.SMS, "-16")

    def test_a_pool_that_exists_is_said_to_be_the_same_again(
        self, gateway: ScriptedGateway, client: LaafficClient
    ) -> None:
        gateway.will(answer({"status": "-20", "reason": "Data existing"}))

        with pytest.raises(Refused) as refused:
            client.numbers.create_pool(pool_number="1", whitelist=["10.0.0.1"], max_concurrency=1, numbers=[])
        assert refused.value.says_duplicate


FIELDS = ["bindId", "phoneA", "pnsNumberA", "expireTime", "poolNumber", "customerWhitelist", "maxConcurrency"]
FIELDS += ["numberList", "number", "dueDate", "state", "autoRenew", "voicemailMaxHangup", "type"]
RECORD = st.dictionaries(st.sampled_from(FIELDS), LEAF | ANY_JSON)


class PropertyTests:
    @settings(max_examples=60, deadline=None, database=None)
    @given(st.lists(RECORD | ANY_JSON, max_size=4))
    def test_every_row_is_a_record_or_a_problem(self, rows: list[Any]) -> None:
        client = LaafficClient(api_key="k", api_secret="s", base_url="http://127.0.0.1:1")
        envelope = Envelope("0", "", {"data": {"records": rows}})

        for read in (client.numbers._binding, _pool, _owned):
            found = read_page(envelope, 1, "x", read)  # type: ignore[arg-type]
            assert found.rows == len(rows)

    @settings(max_examples=60, deadline=None, database=None)
    @given(ANY_JSON)
    def test_no_answer_is_anything_but_a_page_or_unknown(self, data: Any) -> None:
        try:
            found = read_page(Envelope("0", "", {"data": data}), 1, "x", _pool)
        except OutcomeUnknown:
            return
        assert found.records == []


class EditNumberTests:
    """All that is known is sent (laaffic-api#owned-numbers)."""

    def test_what_is_sent(self, gateway: ScriptedGateway) -> None:
        gateway.will(raw(SUCCESS), raw(SUCCESS))
        known = {"out_ip": "10.0.0.1", "in_ip": "", "inbound_prefix": "9", "remark": "Support", "app_id": APP_ID}
        body = {"outIp": "10.0.0.1", "inIp": "", "inboundPrefix": "9", "remark": "Support", "appId": APP_ID}

        gateway.client().numbers.edit_number(number="917860550100", settings=NumberSettings(**known))
        gateway.client().numbers.edit_number(
            number="917860550100",
            settings=NumberSettings(**known, voicemail=True, voicemail_seconds=60),
            voicemail_file=VoicemailFile("hello.wav", b"RIFF"),
        )

        plain, with_file = gateway.received
        assert (plain.method, plain.target) == ("POST", "/v3/number/edit")
        assert plain.json() == {"number": "917860550100", **body}
        assert with_file.json() == {
            "number": "917860550100",
            **body,
            "enableVoicemail": True,
            "voicemailMaxHangup": 60,
            "voicemailFile": "UklGRg==",
            "voicemailFileName": "hello.wav",
        }

    @pytest.mark.parametrize(
        ("field", "given"),
        [
            ("remark", {"remark": "x" * 51}),
            ("outIp", {"out_ip": "x" * 51}),
            ("inboundPrefix", {"inbound_prefix": "x" * 33}),
            ("voicemailMaxHangup", {"voicemail_seconds": 1000}),
        ],
    )
    def test_limits(self, gateway: ScriptedGateway, field: str, given: dict[str, Any]) -> None:
        with pytest.raises(InvalidRequest) as problem:
            gateway.client().numbers.edit_number(number="917860550100", settings=NumberSettings(**given))
        assert problem.value.field == field

    def test_what_the_gateway_holds_goes_back_as_it_is(self, gateway: ScriptedGateway) -> None:
        gateway.will(raw(SUCCESS))
        long = "x" * 60

        gateway.client().numbers.edit_number(number="917860550100", settings=NumberSettings(remark=long), held=[long])

        assert gateway.received[-1].json()["remark"] == long


@pytest.mark.parametrize(
    ("written", "read"),
    [(99, 99), (99.0, 99), ("99.0", 99), ("50,000", 50_000), ("50.000", None), ("1e3", None), ("", None), (None, None)],
)
def test_a_count_is_read_only_where_it_can_be_read_in_one_way(written: object, read: int | None) -> None:
    """A point before three digits is a thousands separator in half of the world."""
    assert count(written) == read
