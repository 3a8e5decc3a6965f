"""Single acts: what the gateway took against the ledger's rows, act by act, and what a person does next."""

from pathlib import Path
from typing import Any

import pytest

from laaffic_console.rehearsal import plan
from laaffic_console.rehearsal.acts import ACTS, act_ledger
from laaffic_console.rehearsal.acts.act_verdict import Row, Taken, judge
from laaffic_console.rehearsal.acts.acts import Ledger
from laaffic_console.rehearsal.plan import CommandKind
from laaffic_console.rehearsal.verdict import Verdict

ANN = "911"


def row(state: str, evidence: str = "why") -> Row:
    return Row(ANN, state, evidence)


def judged(taken: int, rows: list[Row], asked: int = 1, **given: Any) -> Verdict:
    took = [Taken(ANN, str(number)) for number in range(taken)]
    return judge(**{"asked": {ANN: asked}, "taken": took, "rows": rows, "is_knowable": lambda key: True, **given})


@pytest.mark.parametrize(
    ("taken", "rows", "given"),
    [
        (1, [row("accepted")], {}),
        (1, [row("not_sent"), row("accepted")], {"asked": 2}),
        (0, [row("unknown")], {}),
        (1, [row("unknown")], {"is_knowable": lambda key: False}),
        (2, [row("unknown"), row("accepted")], {"asked": 2, "is_knowable": lambda key: False}),
        (2, [row("lapsed"), row("accepted")], {"is_repeated": lambda key: True}),
    ],
)
def test_they_agree(taken: int, rows: list[Row], given: dict[str, Any]) -> None:
    assert judged(taken, rows, **given).agrees


@pytest.mark.parametrize(
    ("finding", "taken", "rows", "given"),
    [
        ("accepted twice", 2, [row("accepted"), row("accepted")], {}),
        ("lost", 0, [], {}),
        ("lost", 0, [row("not_sent")], {}),
        ("lost", 1, [row("refused")], {}),
        ("lost", 2, [row("accepted")], {"asked": 2}),
        ("lost", 0, [row("lapsed")], {}),
        ("accepted twice", 2, [row("accepted")], {"is_repeated": lambda key: True}),
        ("wrong state", 0, [row("accepted")], {}),
        ("wrong state", 1, [row("accepted")], {"differences": ["911: 1 here, 2 at the gateway"]}),
        ("left claimed", 1, [row("in_flight")], {}),
        ("left claimed", 0, [row("prepared")], {}),
        ("unknown though accepted", 1, [row("unknown")], {}),
        ("unknown without saying that the records lack it", 0, [row("unknown", "")], {}),
    ],
)
def test_a_disagreement_is_found(finding: str, taken: int, rows: list[Row], given: dict[str, Any]) -> None:
    assert judged(taken, rows, **given).findings()[finding]


def test_one_seed_strikes_the_same_commands() -> None:
    struck = plan.command_blows(7, 100)

    assert struck == plan.command_blows(7, 100) != plan.command_blows(8, 100)
    assert {blow.kind for blow in struck if blow} == set(CommandKind)
    assert None in struck


@pytest.mark.parametrize("channel", sorted(ACTS))
def test_each_channel_names_its_acts_apart(tmp_path: Path, channel: str) -> None:
    acts = ACTS[channel](6, tmp_path)
    keys = [acts.key(phase, number) for phase in range(acts.phases) for number in range(6)]

    assert len(set(keys)) == len(keys)
    assert acts.command(0, 1, Ledger({"rows": [], "standing": {}}))


@pytest.mark.parametrize("channel", sorted(ACTS))
@pytest.mark.parametrize("state", ["prepared", "in_flight", "unknown"])
def test_what_may_have_arrived_is_not_asked_for_again(tmp_path: Path, channel: str, state: str) -> None:
    """But an upload, which does no harm."""
    acts = ACTS[channel](2, tmp_path)
    standing = {acts.key(0, 1): {"id": 1, "state": "sending" if state != "unknown" else state, "key": ""}}
    ledger = Ledger({"rows": [{"key": acts.key(0, 1), "state": state, "evidence": ""}], "standing": standing})

    assert not acts.again(0, 1, ledger)


@pytest.mark.django_db
@pytest.mark.parametrize("channel", sorted(ACTS))
def test_the_ledger_tells_of_every_channel(channel: str) -> None:
    assert act_ledger.document(channel) == {"rows": [], "standing": {}}
