"""Every row of the vendor's code tables, with what it calls for."""

import pytest

from laaffic_console.laaffic import (
    Family,
    LaafficClient,
    OutcomeUnknown,
    Refused,
    Remedy,
    lookup,
)
from laaffic_console.laaffic.codes import COMMON, EMAIL
from tests.laaffic.conftest import ScriptedGateway, answer

REMEDIES = {
    Remedy.HOLD_ACCOUNT: "-1 -2 -10 -13 -29 -30 -31 -32",
    Remedy.FIX_CONTENT: "-3 -4 -5 -6",
    Remedy.SPLIT: "-7 -9",
    Remedy.RETRY: "-15 -27 -28 -41 -68",
    Remedy.RESIGN: "-16",
    Remedy.UNCERTAIN: "-12 -18",
    Remedy.FATAL: "-8 -11 -14 -17 -19 -20 -21 -22 -23 -24 -25 -26 -34 -35 -37 -42 -54 -74 -77",
}
COMMON_ROWS = [(code, remedy) for remedy, codes in REMEDIES.items() for code in codes.split()]

EMAIL_ROWS = [
    ("-1", Remedy.HOLD_ACCOUNT),
    ("-2", Remedy.FATAL),
    ("-3", Remedy.FATAL),
    ("-4", Remedy.HOLD_ACCOUNT),
    ("-5", Remedy.FATAL),
    ("-6", Remedy.RESIGN),
    ("-7", Remedy.FATAL),
    ("-8", Remedy.HOLD_ACCOUNT),
    ("-9", Remedy.FATAL),
    ("-10", Remedy.FATAL),
    ("-11", Remedy.FATAL),
    ("-12", Remedy.FATAL),
    ("-13", Remedy.FATAL),
    ("-16", Remedy.FATAL),
    ("-23", Remedy.UNCERTAIN),
    ("-24", Remedy.HOLD_ACCOUNT),
    ("-28", Remedy.FATAL),
]


class LookupTests:
    @pytest.mark.parametrize("family", [Family.SMS, Family.VOICE, Family.NUMBER, Family.ACCOUNT])
    @pytest.mark.parametrize(("code", "remedy"), COMMON_ROWS)
    def test_a_common_code_calls_for(self, family: Family, code: str, remedy: Remedy) -> None:
        entry = lookup(family, code)

        assert (entry.code, entry.remedy) == (code, remedy)
        assert entry.meaning
        assert entry.advice.endswith(".")

    @pytest.mark.parametrize(("code", "remedy"), EMAIL_ROWS)
    def test_an_email_code_calls_for(self, code: str, remedy: Remedy) -> None:
        entry = lookup(Family.EMAIL, code)

        assert (entry.code, entry.remedy) == (code, remedy)
        assert entry.meaning
        assert entry.advice.endswith(".")

    def test_no_row_is_left_without_a_test(self) -> None:
        assert COMMON.keys() == {code for code, _ in COMMON_ROWS}
        assert EMAIL.keys() == {code for code, _ in EMAIL_ROWS}

    @pytest.mark.parametrize("family", Family)
    @pytest.mark.parametrize("code", ["1", "-33", "-999", "999", "", "success"])
    def test_a_code_nobody_lists_is_fatal_and_kept(self, family: Family, code: str) -> None:
        entry = lookup(family, code)

        assert (entry.code, entry.remedy) == (code, Remedy.FATAL)

    @pytest.mark.parametrize(
        ("code", "of_sms", "of_email"),
        [
            ("-2", Remedy.HOLD_ACCOUNT, Remedy.FATAL),
            ("-6", Remedy.FIX_CONTENT, Remedy.RESIGN),
            ("-10", Remedy.HOLD_ACCOUNT, Remedy.FATAL),
            ("-12", Remedy.UNCERTAIN, Remedy.FATAL),
            ("-16", Remedy.RESIGN, Remedy.FATAL),
        ],
    )
    def test_a_number_means_another_thing_in_email(self, code: str, of_sms: Remedy, of_email: Remedy) -> None:
        assert lookup(Family.SMS, code).remedy is of_sms
        assert lookup(Family.EMAIL, code).remedy is of_email


class AnsweredCodeTests:
    @pytest.mark.parametrize(("code", "remedy"), COMMON_ROWS)
    def test_a_send_answered_with_it(
        self, gateway: ScriptedGateway, client: LaafficClient, code: str, remedy: Remedy
    ) -> None:
        gateway.will(answer({"status": code, "reason": "the reason given"}))

        with pytest.raises((Refused, OutcomeUnknown)) as caught:
            client.send_sms(app_id="4luaKsL2", numbers=["91856321412"], content="hello", order_ids=["1"])

        assert caught.value.code == code
        assert caught.value.interface == "sendSms"
        assert "the reason given" in str(caught.value)
        assert isinstance(caught.value, OutcomeUnknown) == (remedy is Remedy.UNCERTAIN)
        if isinstance(caught.value, Refused):
            assert caught.value.calls_for is remedy
            assert (caught.value.reason, caught.value.advice) == ("the reason given", COMMON[code].advice)
        assert len(gateway.received) == 1

    def test_a_code_that_comes_as_a_number_is_the_same(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(answer({"status": -10, "reason": "Insufficient balance"}))

        with pytest.raises(Refused) as caught:
            client.get_balance()

        assert (caught.value.code, caught.value.calls_for) == ("-10", Remedy.HOLD_ACCOUNT)

    def test_a_long_reason_is_cut(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(answer({"status": "-22", "reason": "x" * 5000}))

        with pytest.raises(Refused) as caught:
            client.get_balance()

        assert len(caught.value.reason) == 200
