"""Number pools in a rehearsal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from laaffic_console.rehearsal.acts.act_verdict import Taken
from laaffic_console.rehearsal.acts.acts import Acts, Ledger, unlike
from laaffic_console.rehearsal.installations.installation import Installation

CONCURRENCY = (10, 20)  # as it is created, and as it is edited


class Pools(Acts):
    """`numbers pool create`, and then `numbers pool edit` of each. The list at the gateway settles lost answers."""

    product = "number"
    phases = 2
    paths = ("/number/createNumberPool", "/number/editNumberPool")
    finding_out = (("numbers", "sync", "pools"),)

    def key(self, phase: int, number: int) -> str:
        return f"{self._pool(number)} {CONCURRENCY[phase]}"

    def _pool(self, number: int) -> str:
        return str(770_000 + number)

    def command(self, phase: int, number: int, ledger: Ledger) -> Sequence[str]:
        pool = self._pool(number)
        told = ["--concurrency", str(CONCURRENCY[phase]), "--confirm", pool]
        if phase == 0:
            made = ["--whitelist", "192.0.2.7", "--numbers", f"44794600{number:04d}"]
            return ["numbers", "pool", "create", pool, *made, *told]
        return ["numbers", "pool", "edit", pool, *told] if pool in ledger.standing else []

    def read_acts(self, acts: Iterable[Mapping[str, Any]]) -> Iterable[Taken]:
        for act in acts:
            given = act["given"]
            yield Taken(f"{given['poolNumber']} {given['maxConcurrency']}", given["poolNumber"])

    def differences(self, console: Installation, ledger: Ledger, taken: Sequence[Taken]) -> list[str]:
        theirs = {act.gateway_id: int(act.key.split()[1]) for act in taken}
        ours = {pool: held for pool, held in ledger.standing.items() if pool.startswith("77")}
        return unlike(ours, theirs)
