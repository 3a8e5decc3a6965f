"""Gateway against ledger: each way in which they can disagree is found, and nothing else is."""

from dataclasses import replace
from typing import Any

import pytest

from laaffic_console.rehearsal import report
from laaffic_console.rehearsal.verdict import NOT_IN_RECORDS, Accepted, Entry, Verdict, judge

ANN, BOB, EVE = "911", "912", "913"


def entry(number: str, state: str, gateway_id: str = "", evidence: str = "") -> Entry:
    return Entry(number, state, gateway_id, evidence)


DELIVERED = entry(ANN, "delivered", "21")
TOOK = Accepted("21", ANN, "delivered")
WRITTEN_OFF = entry(ANN, "expired", evidence="written off: they asked")


def judged(accepted: list[Accepted], after: list[Entry], before: list[Entry] | None = None, **given: Any) -> Verdict:
    return judge(
        **{
            "recipients": [ANN],
            "abnormal": [],
            "accepted": accepted,
            "reconciled": after if before is None else before,
            "ended": after,
            **given,
        }
    )


class AgreementTests:
    @pytest.mark.parametrize(
        ("accepted", "after"),
        [
            ([TOOK], [DELIVERED]),
            ([Accepted("21", ANN, "failed")], [entry(ANN, "undelivered", "21")]),
            ([], [WRITTEN_OFF]),
        ],
        ids=["delivered", "failed", "never seen and written off"],
    )
    def test_they_agree(self, accepted: list[Accepted], after: list[Entry]) -> None:
        assert judged(accepted, after).agrees

    @pytest.mark.parametrize("state", ["rejected", "expired"])
    def test_an_abnormal_number_is_rejected_or_its_answer_was_lost(self, state: str) -> None:
        ended = entry(ANN, state, evidence="written off: lost" if state == "expired" else "")

        assert judged([], [ended], abnormal=[ANN]).agrees

    def test_who_said_stop_was_left_out_or_had_it_before(self) -> None:
        assert judged([], [entry(ANN, "suppressed")], opted_out=[ANN]).agrees
        assert judged([TOOK], [DELIVERED], opted_out=[ANN]).agrees

    def test_who_did_not_is_not_left_out(self) -> None:
        assert judged([], [entry(ANN, "suppressed")]).wrong

    def test_a_stop_that_is_not_obeyed_is_found(self) -> None:
        assert judged([TOOK], [DELIVERED], opted_out=[ANN], after_opt_out=[ANN]).after_opt_out == [ANN]
        assert not judged([TOOK], [DELIVERED], opted_out=[ANN], disobeyed=True).agrees
        assert judged([TOOK], [entry(ANN, "suppressed")], opted_out=[ANN]).wrong

    def test_who_was_written_off_is_counted(self) -> None:
        unknown = entry(ANN, "unknown", evidence=f"{NOT_IN_RECORDS} (asked today)")

        verdict = judged([], [WRITTEN_OFF], [unknown])

        assert verdict.agrees
        assert verdict.written_off == 1


class DisagreementTests:
    @pytest.mark.parametrize(
        ("finding", "accepted", "after"),
        [
            ("accepted twice", [TOOK, Accepted("22", ANN, "delivered")], [DELIVERED]),
            ("lost", [], []),
            ("lost", [], [entry(ANN, "queued")]),
            ("lost", [], [entry(ANN, "accepted", "21")]),
            ("lost", [], [entry(ANN, "unknown", evidence=NOT_IN_RECORDS)]),
            ("wrong state", [], [DELIVERED]),
            ("wrong state", [], [entry(ANN, "rejected")]),
            ("wrong state", [], [entry(ANN, "expired", evidence="no final report within 72 hours")]),
            ("wrong state", [TOOK], [entry(ANN, "undelivered", "21")]),
            ("wrong state", [TOOK], [entry(ANN, "accepted", "21")]),
            ("wrong state", [TOOK], [WRITTEN_OFF]),
            ("wrong state", [TOOK], [entry(ANN, "queued")]),
            ("wrong state", [TOOK], [entry(ANN, "delivered", "22")]),
            ("wrong state", [TOOK, Accepted("22", EVE, "delivered")], [DELIVERED]),
            ("wrong state", [TOOK], [DELIVERED, entry(BOB, "delivered", "23")]),
            ("left claimed", [TOOK], [entry(ANN, "claimed")]),
        ],
    )
    def test_it_is_found(self, finding: str, accepted: list[Accepted], after: list[Entry]) -> None:
        verdict = judged(accepted, after)

        assert not verdict.agrees
        assert verdict.findings()[finding]

    def test_unknown_though_the_gateway_has_it(self) -> None:
        verdict = judged([TOOK], [DELIVERED], [entry(ANN, "unknown", evidence=NOT_IN_RECORDS)])

        assert verdict.findings()["unknown though accepted"] == [f"{ANN}: {NOT_IN_RECORDS}"]

    def test_it_says_how_long_after_the_request_the_gateway_took_it(self) -> None:
        lost = replace(entry(ANN, "unknown", evidence=NOT_IN_RECORDS), left=1000.0)

        verdict = judged([replace(TOOK, at=1009.25)], [WRITTEN_OFF], [lost])

        assert verdict.unknown_though_accepted == [f"{ANN}: {NOT_IN_RECORDS} (taken 9.2 s after it left)"]

    def test_unknown_without_a_word_about_the_records(self) -> None:
        verdict = judged([], [WRITTEN_OFF], [entry(ANN, "unknown", evidence="timeout")])

        assert verdict.findings()["unknown without saying that the records lack it"] == [f"{ANN}: timeout"]


def documented(verdict: Verdict, **given: Any) -> dict[str, Any]:
    return report.document(
        **{
            "command": "manage.py rehearse --seed 1",
            "setting": {"recipients": 2000, "seed": "1"},
            "strikes": {"whole web process": 2},
            "calls": {"accepted": 40, "unknown": 2},
            "counts": {"delivered": 1990, "expired": 10, "queued": 0},
            "settled_by": {"push": 30},
            "verdict": verdict,
            "proved": [],
            "failures": [],
            "seconds": {"all": 30.5},
            **given,
        }
    )


class ReportTests:
    def test_agreement_is_said_in_one_sentence(self) -> None:
        found = documented(Verdict())

        assert found["agrees"]
        for shown in (report.as_text(found), report.as_markdown(found)):
            assert "nothing twice, nothing lost" in shown
            assert "1,990" in shown
            assert "queued" not in shown
        assert "manage.py rehearse --seed 1" in report.as_markdown(found)

    @pytest.mark.parametrize(
        ("verdict", "given", "said"),
        [
            (Verdict(duplicates=["911: accepted 2 times"]), {}, "accepted twice: 911: accepted 2 times"),
            (Verdict(), {"proved": ["total: 3 and 4"]}, "campaign prove: total: 3 and 4"),
            (Verdict(), {"failures": ["the campaign was held"]}, "the campaign was held"),
        ],
    )
    def test_each_disagreement_is_named(self, verdict: Verdict, given: dict[str, Any], said: str) -> None:
        found = documented(verdict, **given)

        assert not found["agrees"]
        assert said in report.as_text(found)
        assert said in report.as_markdown(found)
