"""Single acts under fire: commands of people, killed and stopped, beside everything that strikes the installation."""

import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

from laaffic_console.rehearsal import plan, report
from laaffic_console.rehearsal.acts import ACTS, act_verdict
from laaffic_console.rehearsal.acts.acts import Ledger, read_ledger
from laaffic_console.rehearsal.acts.commands_under_fire import CommandsUnderFire
from laaffic_console.rehearsal.installations.installation import FAULTS, CommandFailed, Installation
from laaffic_console.rehearsal.plan import Blow, CommandBlow, Kind
from laaffic_console.rehearsal.verdict import Verdict
from laaffic_console.rehearsal.wanted import Wanted

LATENCY = {"latency": 200, "latency-jitter": 600}  # so that a kill finds requests under way
# The longest lease of a command or a copying that was killed, and what follows it (gateway.services.lists.list_copies).
SETTLE_FOR = 240.0
LOOK_AGAIN = 5.0  # after what was done again: what a command that was killed holds is free in two minutes
TICK = 0.05


class ActsRehearsal:
    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.acts = ACTS[wanted.channel](wanted.recipients, wanted.folder)
        self.blows = plan.blows(wanted.seed, wanted.kills, wanted.disturbances)
        total = wanted.recipients * self.acts.phases
        self.command_blows = plan.command_blows(wanted.seed, total)
        restarts = any(blow.kind is Kind.RESTART for blow in self.blows)
        self.console = Installation(wanted, per_call=1000, restarts_database=restarts)
        self.commands = CommandsUnderFire(self.console)
        self.asked: Counter[str] = Counter()
        self.failures: list[str] = []
        self.begun = 0
        self.waiting = list(self.blows)
        self.hurried_at = 0.0

    def run(self) -> dict[str, Any]:
        """The report's document (report.document)."""
        console = self.console
        try:
            self._prepare()
            for phase in range(self.acts.phases):
                console.timed(f"under fire, phase {phase + 1}", partial(self._phase, phase))
                console.timed(f"found out and done again, phase {phase + 1}", partial(self._put_right, phase))
            self.acts.give_up(console, self._ledger())
            return self._compare()
        finally:
            self.commands.end()
            console.end()

    def _prepare(self) -> None:
        console = self.console
        console.tell("preparing database, gateway and console")
        calm = dict.fromkeys(FAULTS, 0)
        console.start_gateway({**calm, **self.acts.options(console)}, "--push-shuffle")
        console.manage("migrate", "--verbosity", "0")
        console.start_console()
        console.wait_until_ready()
        self.acts.prepare(console)
        console.seconds["preparation"] = console.elapsed()

    def _weather(self, faults: dict[str, float]) -> None:
        told = {name.replace("-", "_"): value for name, value in faults.items()}
        told["latency_ms"], told["latency_jitter_ms"] = told.pop("latency"), told.pop("latency_jitter")
        self.console.gateway.set_faults(**told)

    def _phase(self, phase: int) -> None:
        """Each act's command in turn, and every blow when its share of them has begun."""
        self._weather({**FAULTS, **LATENCY})
        ledger = self._ledger()
        for number in range(self.acts.count):
            blow = self.command_blows[phase * self.acts.count + number]
            words = self.acts.command(phase, number, ledger)
            if words:
                self._type(phase, number, words, blow)
            self.begun += 1
            self._strike_what_is_due()
        while self.waiting and phase == self.acts.phases - 1:
            self._strike(self.waiting.pop(0))
        self._wait_for_commands()

    def _type(self, phase: int, number: int, words: Sequence[str], blow: CommandBlow | None) -> None:
        while not self.commands.has_room:
            self._tick()
        self.asked[self.acts.key(phase, number)] += 1
        self.commands.begin(words, blow)

    def _wait_for_commands(self) -> None:
        for _ in self.commands.finish():
            self._tick()

    def _tick(self) -> None:
        self.console.processes.look_after()
        self.commands.look_after()
        time.sleep(TICK)

    def _strike_what_is_due(self) -> None:
        share = self.begun / len(self.command_blows)
        while self.waiting and self._is_due(self.waiting[0], share):
            self._strike(self.waiting.pop(0))

    def _is_due(self, blow: Blow, share: float) -> bool:
        if blow.at_share is None:
            return time.monotonic() >= self.hurried_at + blow.after_seconds
        return share >= blow.at_share

    def _strike(self, blow: Blow) -> None:
        said = self.console.strike(blow)
        self.hurried_at = time.monotonic()
        self.console.tell(f"{self.begun} of {len(self.command_blows)} begun: {blow.kind} ({said})")

    def _put_right(self, phase: int) -> None:
        """The weather clears. A person has the console ask, and does again what was not done."""
        self._weather(dict.fromkeys(FAULTS, 0.0))
        give_up_at = time.monotonic() + SETTLE_FOR
        while time.monotonic() < give_up_at:
            ledger = self._settle()
            again = [(n, words) for n in range(self.acts.count) if (words := self.acts.again(phase, n, ledger))]
            if not again:
                return
            self.console.tell(f"{len(again)} acts are done again")
            for number, words in again:
                self._type(phase, number, words, None)
            self._wait_for_commands()
            self.console.sleep(LOOK_AGAIN)
        self._settle()

    def _settle(self) -> Ledger:
        give_up_at = time.monotonic() + SETTLE_FOR
        while True:
            self.console.processes.look_after()
            for command in self.acts.finding_out:
                try:
                    self.console.manage(*command)
                except CommandFailed as problem:
                    self.console.tell(str(problem).splitlines()[0][:200])
            ledger = self._ledger()
            if self._is_settled(ledger) or time.monotonic() > give_up_at:
                return ledger
            self.console.sleep(2)

    def _is_settled(self, ledger: Ledger) -> bool:
        if any(row.state in act_verdict.UNENDED for row in ledger.rows) or not self.acts.is_settled(ledger):
            return False
        # If no list can be read, doing it again finds out.
        return not self.acts.finding_out or not self._judged(ledger, []).unknown_though_accepted

    def _ledger(self) -> Ledger:
        return read_ledger(self.console, self.wanted.channel)

    def _judged(self, ledger: Ledger, differences: Sequence[str]) -> Verdict:
        return act_verdict.judge(
            asked=self.asked,
            taken=self.acts.taken(self.console),
            rows=ledger.rows,
            is_knowable=self.acts.is_knowable,
            is_repeated=self.acts.is_repeated,
            differences=differences,
        )

    def _compare(self) -> dict[str, Any]:
        console, ledger = self.console, self._ledger()
        taken = self.acts.taken(console)
        judged = self._judged(ledger, self.acts.differences(console, ledger, taken))
        states = Counter(row.state for row in ledger.rows)
        console.seconds["all"] = console.elapsed()
        return report.document(
            command=self.wanted.command,
            setting={**console.setting(), "acts taken by the gateway": len(taken)},
            strikes=dict(sorted(console.struck.items())),
            calls=dict(sorted(states.items())),
            counts={f"commands ended {how}": n for how, n in sorted(self.commands.ended.items())},
            settled_by={"evidence other than an answer": sum(is_settled_by_evidence(row) for row in ledger.rows)},
            verdict=judged,
            proved=[],
            failures=[*self.failures, *self.commands.hung],
            seconds=console.seconds,
        )


def is_settled_by_evidence(row: act_verdict.Row) -> bool:
    return row.state == "accepted" and row.evidence_kind not in ("answer", "late_answer")
