"""Bindings in a rehearsal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from laaffic_console.rehearsal import plan
from laaffic_console.rehearsal.acts.act_verdict import Taken
from laaffic_console.rehearsal.acts.acts import APP_ID, Acts, Ledger, unlike
from laaffic_console.rehearsal.installations.installation import Installation

POOL = "442000"
FIRST_MIDDLE = 447_946_000_000


class Bindings(Acts):
    """`numbers bind`, and then `numbers unbind` of every second one. The list at the gateway settles lost answers."""

    product = "number"
    phases = 2
    paths = ("/number/pns/bind", "/number/pns/unbind")
    finding_out = (("numbers", "sync", "bindings"),)

    def prepare(self, console: Installation) -> None:
        super().prepare(console)
        console.manage("numbers", "sync")
        middle = ",".join(str(FIRST_MIDDLE + index) for index in range(self.count))
        console.manage("numbers", "pool", "edit", POOL, "--numbers", middle, "--confirm", POOL)

    def key(self, phase: int, number: int) -> str:
        return f"{'bind' if phase == 0 else 'unbind'} {plan.FIRST_NUMBER + 2 * number}"

    def command(self, phase: int, number: int, ledger: Ledger) -> Sequence[str]:
        a, b = plan.FIRST_NUMBER + 2 * number, plan.FIRST_NUMBER + 2 * number + 1
        if phase == 0:
            return ("numbers", "bind", f"+{a}", f"+{b}", "--pool", POOL, "--seconds", "86400", "--app", APP_ID)
        bind_id = ledger.standing.get(str(a))
        return ("numbers", "unbind", bind_id, "--app", APP_ID) if bind_id and number % 2 else []

    def read_acts(self, acts: Iterable[Mapping[str, Any]]) -> Iterable[Taken]:
        bound: dict[str, str] = {}
        for act in acts:
            if act["path"] == "/number/pns/bind":
                bind_id = str(act["answer"]["data"]["bindId"])
                bound[bind_id] = act["given"]["phoneA"]
                yield Taken(f"bind {bound[bind_id]}", bind_id)
            else:
                bind_id = act["given"]["bindId"]
                yield Taken(f"unbind {bound[bind_id]}", bind_id)

    def differences(self, console: Installation, ledger: Ledger, taken: Sequence[Taken]) -> list[str]:
        live = {act.gateway_id: act.key.split()[1] for act in taken if act.key.startswith("bind ")}
        for act in taken:
            if act.key.startswith("unbind "):
                live.pop(act.gateway_id)
        return unlike(ledger.standing, {number: bind_id for bind_id, number in live.items()})
