"""Group calls in a rehearsal."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from laaffic_console.rehearsal import plan
from laaffic_console.rehearsal.acts.act_verdict import Taken
from laaffic_console.rehearsal.acts.acts import APP_ID, Acts, Ledger, unlike
from laaffic_console.rehearsal.installations.installation import Installation

NUMBERS = 5  # for each task


class GroupCalls(Acts):
    """`voice group create --launch`, each to numbers of its own. The task's name settles lost answers."""

    paths = ("/voice/group/call/send",)
    gateway = {
        "ring-seconds": "0.1,1",
        "talk-seconds": "0.1,1",
        "push-loss": 0.1,
        "push-repeat": 0.3,
        "push-mode": "array",
    }
    finding_out = (("voice", "sync"),)

    def options(self, console: Installation) -> dict[str, Any]:
        return {**self.gateway, "voice-callback": console.hook("voice-report")}

    def prepare(self, console: Installation) -> None:
        super().prepare(console)
        for number in range(self.count):
            first = plan.FIRST_NUMBER + NUMBERS * number
            listed = "\n".join(f"+{first + index}" for index in range(NUMBERS))
            (self.folder / f"task-{number}.csv").write_text(f"phone\n{listed}\n")

    def key(self, phase: int, number: int) -> str:
        return f"Rehearsal {number:04d}"

    def command(self, phase: int, number: int, ledger: Ledger) -> Sequence[str]:
        made = ["--name", self.key(phase, number), "--app", APP_ID, "--text", "Hello"]
        return ["voice", "group", "create", *made, "--file", str(self.folder / f"task-{number}.csv"), "--launch"]

    def again(self, phase: int, number: int, ledger: Ledger) -> Sequence[str]:
        """A draft that was kept is launched; a task that may have arrived is left alone."""
        task = ledger.standing.get(self.key(phase, number))
        if task is None:
            return self.command(phase, number, ledger)
        return ["voice", "group", "launch", str(task["id"])] if task["state"] == "draft" else []

    def is_settled(self, ledger: Ledger) -> bool:
        """Whether every task is over, or was looked for in vain."""
        tasks = ledger.standing.values()
        return all(
            task["state"] in ("draft", "finished") or (task["state"] == "unknown" and task["looks"]) for task in tasks
        )

    def read_acts(self, acts: Iterable[Mapping[str, Any]]) -> Iterable[Taken]:
        for act in acts:
            yield Taken(act["given"]["taskName"].rpartition(" ")[0], str(act["answer"]["data"]))

    def differences(self, console: Installation, ledger: Ledger, taken: Sequence[Taken]) -> list[str]:
        """Each task has the gateway's key and is over, and nobody was called twice."""
        theirs = {act.key: act.gateway_id for act in taken}
        ours = {name: task["key"] for name, task in ledger.standing.items() if task["key"]}
        open_ones = [
            f"{name}: {task['state']}, and it is over at the gateway"
            for name, task in ledger.standing.items()
            if name in theirs and task["state"] != "finished"
        ]
        called = Counter(call.number for call in console.gateway.log())
        twice = [f"{number}: called {n} times" for number, n in sorted(called.items()) if n > 1]
        return unlike(ours, theirs) + open_ones + twice
