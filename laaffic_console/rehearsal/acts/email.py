"""Email campaigns in a rehearsal."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from laaffic_console.rehearsal.acts.act_verdict import Taken
from laaffic_console.rehearsal.acts.acts import APP_ID, Acts, Ledger, unlike
from laaffic_console.rehearsal.installations.installation import CommandFailed, Installation

ADDRESSES = 10  # on the list
OVER = ("finished", "cancelled")


class EmailCampaigns(Acts):
    """`email send`, whose requests workers send. Callbacks under the campaign's own mark settle lost answers."""

    product = "email"
    paths = ("/email/batchSendEmail",)
    gateway = {"email-list-size": ADDRESSES, "delivery-delay": "0.2,3", "push-repeat": 0.3, "push-retries": 30}
    finding_out = (("reconcile",),)

    def prepare(self, console: Installation) -> None:
        super().prepare(console)
        console.manage("email", "lookup", APP_ID)

    def key(self, phase: int, number: int) -> str:
        return f"Rehearsal {number:04d}"

    def command(self, phase: int, number: int, ledger: Ledger) -> Sequence[str]:
        told = ["--from", "test@mailpush.laaffic.cn", "--list", "1000", "--template", "1"]
        return ["email", "send", "--app", APP_ID, *told, "--subject", self.key(phase, number)]

    def again(self, phase: int, number: int, ledger: Ledger) -> Sequence[str]:
        campaign = ledger.standing.get(self.key(phase, number))
        if campaign is None:
            return self.command(phase, number, ledger)
        verbs = {"draft": "launch", "held": "resume"}
        verb = verbs.get(campaign["state"])
        return ["email", verb, str(campaign["id"])] if verb else []

    def is_settled(self, ledger: Ledger) -> bool:
        states = {campaign["state"] for campaign in ledger.standing.values()}
        return states <= {"draft", "held", "unknown", *OVER}

    def give_up(self, console: Installation, ledger: Ledger) -> None:
        """Write off the campaigns of which no callback has told by now: they never arrived."""
        for campaign in ledger.standing.values():
            if campaign["state"] == "unknown":
                why = "rehearsed: no callback came"
                try:
                    console.json("email", "resolve", str(campaign["id"]), "--write-off", "--reason", why)
                except CommandFailed as problem:
                    console.tell(f"{campaign['id']} is not written off: {problem}")

    def read_acts(self, acts: Iterable[Mapping[str, Any]]) -> Iterable[Taken]:
        for act in acts:
            yield Taken(act["given"]["subject"], act["answer"]["taskId"])

    def differences(self, console: Installation, ledger: Ledger, taken: Sequence[Taken]) -> list[str]:
        """Each mail of each campaign is here as it is at the gateway, once."""
        names = {act.gateway_id: act.key for act in taken}
        theirs: dict[str, Counter[str]] = {act.key: Counter() for act in taken}
        for mail in console.gateway.mails():
            word = "not submitted" if not mail["submitted"] else mail["state"]
            theirs[names[mail["task"]]][word] += 1
        ours = {name: Counter(c["mails"]) for name, c in ledger.standing.items() if c["mails"]}
        unended = [
            f"{name}: {campaign['state']} and not over"
            for name, campaign in ledger.standing.items()
            if campaign["state"] not in OVER
        ]
        return unlike(ours, theirs) + unended
