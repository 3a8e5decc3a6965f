"""Two campaigns to the same people at once, on a cap of one message a day: each has it from one of them, once."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from laaffic_console.rehearsal.rehearsing import Rehearsal
from laaffic_console.rehearsal.verdict import Accepted, Entry

OTHER_TEXT = "Rehearsal: this reaches no phone either."  # the same to the same people would be refused
LEFT_OUT = "left out, as the other had been sent"  # when it was frozen: there is no message
NEVER_LEFT = ("rejected", "suppressed", "cancelled")  # what a cap does not count (gates/frequency.py)


class CapRehearsal(Rehearsal):
    def _begin(self) -> None:
        super()._begin()
        self.campaigns = [self.campaign, self._launch(OTHER_TEXT)]
        self.campaign = ""  # the ledger of all
        self.messages = len(self.campaigns) * self.wanted.recipients

    def _standing(self) -> tuple[dict[str, int], str]:
        counts = Counter[str]()
        states = set()
        for campaign in self.campaigns:
            said = self.console.json("campaign", "report", campaign)
            counts.update({**said["counts"], LEFT_OUT: said["left_out"]["capped"]})
            states.add(said["state"])
        return dict(counts), " and ".join(sorted(states))

    def ledger(self) -> tuple[dict[str, Any], list[Entry]]:
        """The entries, those that left last: by number, they take the place of the ones that did not leave."""
        said, entries = self._read_ledger()
        return said, sorted(entries, key=lambda entry: entry.state not in NEVER_LEFT)

    def _prove(self) -> list[str]:
        return self.console.manage("rehearsal_proofs").splitlines()

    def _more_findings(
        self, said: dict[str, Any], ended: Sequence[Entry], accepted: Sequence[Accepted]
    ) -> dict[str, list[str]]:
        more = super()._more_findings(said, ended, accepted)
        return {**more, "had more than the cap allows": beyond(ended)}


def beyond(entries: Sequence[Entry]) -> list[str]:
    """The people who have, or may have, a message of both campaigns."""
    had = defaultdict(set)
    for entry in entries:
        if entry.state not in NEVER_LEFT:
            had[entry.number].add(entry.campaign)
    return [f"{number}: of campaigns {sorted(of)}" for number, of in sorted(had.items()) if len(of) > 1]
