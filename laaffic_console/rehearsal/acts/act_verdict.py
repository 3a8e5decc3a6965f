"""What the gateway's log says of single acts, held against the ledger's rows, act by act."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from laaffic_console.rehearsal.verdict import Verdict

UNENDED = ("prepared", "in_flight")


@dataclass(frozen=True, slots=True)
class Taken:
    """An act that the gateway took, by the name that it has on both sides."""

    key: str
    gateway_id: str


@dataclass(frozen=True, slots=True)
class Row:
    """An attempt as the ledger has it."""

    key: str
    state: str
    evidence: str
    evidence_kind: str = ""


def judge(
    *,
    asked: Mapping[str, int],
    taken: Sequence[Taken],
    rows: Iterable[Row],
    is_knowable: Callable[[str], bool],
    is_repeated: Callable[[str], bool] = lambda key: False,
    differences: Iterable[str] = (),
) -> Verdict:
    """`asked`: how often a person asked for each act. Nothing may be taken more often, and each has an end.

    `is_repeated`: acts that reach nobody, which the console does again by itself until an answer comes.
    """
    times = Counter(act.key for act in taken)
    attempts: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        attempts[row.key].append(row)
    verdict = Verdict(wrong=list(differences))
    for key in sorted({*asked, *times, *attempts}):
        most = len(attempts[key]) if is_repeated(key) else asked.get(key, 0)
        _judge_one(verdict, key, most, times[key], attempts[key], is_knowable(key))
    return verdict


def _judge_one(verdict: Verdict, key: str, asked: int, taken: int, rows: Sequence[Row], is_knowable: bool) -> None:
    accepted = sum(row.state == "accepted" for row in rows)
    unknown = [row for row in rows if row.state == "unknown"]
    given_up = sum(row.state == "lapsed" for row in rows)  # unknown, and looked for no more
    if taken > asked:
        verdict.duplicates.append(f"{key}: accepted {taken} times, asked for {asked} times")
    if any(row.state in UNENDED for row in rows):
        verdict.left_claimed.append(key)
    if not taken and not accepted and not unknown:
        said = ", ".join(row.state for row in rows) or "no row in the ledger"
        verdict.losses.append(f"{key}: asked for {asked} times, and nothing came of it: {said}")
    if taken > (known := accepted + len(unknown) + given_up):
        verdict.losses.append(f"{key}: accepted {taken} times, and the ledger knows of {known}")
    if accepted > taken:
        verdict.wrong.append(f"{key}: accepted {accepted} times in the ledger, {taken} times at the gateway")
    if unknown and taken > accepted and is_knowable:
        verdict.unknown_though_accepted.append(f"{key}: {unknown[0].evidence}")
    elif unknown:
        verdict.written_off += 1
    verdict.unexplained += [key for row in unknown if not row.evidence]
