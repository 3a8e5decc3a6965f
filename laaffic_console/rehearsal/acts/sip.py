"""Calls from SIP phones in a rehearsal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from laaffic_console.rehearsal import plan
from laaffic_console.rehearsal.acts.act_verdict import Taken
from laaffic_console.rehearsal.acts.acts import APP_ID, Acts, Ledger, unlike
from laaffic_console.rehearsal.installations.installation import Installation


class SipCalls(Acts):
    """`voice call`, each from a phone of its own, so that none is busy. The records' mark settles lost answers."""

    paths = ("/voice/sendSip",)
    gateway = {
        "ring-seconds": "0.1,1",
        "talk-seconds": "0.1,1",
        "push-loss": 0.3,
        "push-repeat": 0.3,
        "push-mode": "array",
    }
    finding_out = (("voice", "sync"),)

    def options(self, console: Installation) -> dict[str, Any]:
        return {**self.gateway, "sip-phones": self.count, "voice-callback": console.hook("voice-report")}

    def prepare(self, console: Installation) -> None:
        super().prepare(console)
        console.manage("voice", "sync")

    def key(self, phase: int, number: int) -> str:
        return str(plan.FIRST_NUMBER + number)

    def command(self, phase: int, number: int, ledger: Ledger) -> Sequence[str]:
        return ("voice", "call", f"test_{number + 1:03d}", f"+{self.key(phase, number)}", "--app", APP_ID)

    def is_settled(self, ledger: Ledger) -> bool:
        """Always: records tell of calls that were made, and nothing ever tells of one that was not."""
        return True

    def read_acts(self, acts: Iterable[Mapping[str, Any]]) -> Iterable[Taken]:
        for act in acts:
            yield Taken(act["given"]["callee"], act["answer"]["data"])

    def differences(self, console: Installation, ledger: Ledger, taken: Sequence[Taken]) -> list[str]:
        """Every call's record is on its row, also where the answer was lost."""
        theirs = {act.key: act.gateway_id for act in taken}
        return unlike({key: voice_id for key, voice_id in ledger.standing.items() if voice_id}, theirs)
