"""A campaign under fire, and what gateway and ledger say afterwards."""

import json
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from laaffic_console.rehearsal import few_first, opt_outs, plan, report, upgrade_in_the_middle, verdict
from laaffic_console.rehearsal.carriers import CARRIERS
from laaffic_console.rehearsal.installations.installation import STALE, Installation
from laaffic_console.rehearsal.plan import Blow, Kind
from laaffic_console.rehearsal.verdict import Accepted, Entry
from laaffic_console.rehearsal.wanted import Wanted

APP_ID = "rehears1"
TEXT = "Rehearsal: nothing of this reaches a phone."
STILL_FOR = 150.0  # seconds without any change after which a campaign counts as stuck
HELD_FOR = 400.0  # and one that is held: Laaffic is asked every five minutes at least whether it may go on
RECONCILE_FOR = 120.0
WRITTEN_OFF = "rehearsed: not in the vendor's records"


class Rehearsal:
    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.carrier = CARRIERS.get(wanted.channel, CARRIERS["sms"])
        self.numbers = plan.numbers(wanted.recipients)
        self.abnormal = plan.abnormal(wanted.seed, self.numbers) if self.carrier.has_abnormal else []
        self.opted_out = opt_outs.chosen(wanted.seed, self.numbers, wanted.opt_outs)
        self.blows = self._planned()
        self.per_call = 1 if self.carrier.one_a_call else plan.recipients_per_call(wanted.recipients, len(self.blows))
        restarts = any(blow.kind is Kind.RESTART for blow in self.blows)
        self.console = Installation(wanted, per_call=self.per_call, restarts_database=restarts)
        self.upgrade = upgrade_in_the_middle.of(self.console, wanted.upgrade_from)
        self.failures: list[str] = []
        self.campaign = ""
        self.messages = wanted.recipients
        self.have_opted_out = False

    def run(self) -> dict[str, Any]:
        """The report's document (report.document)."""
        console = self.console
        try:
            self._prepare()
            console.timed("under fire", self._under_fire)
            console.timed("until everything had left", self._let_it_send)
            console.timed("reconciliation", self._reconcile)
            return self._compare()
        finally:
            self._end()
            console.end()

    def _end(self) -> None:
        """A hook that ends what runs beside the installation."""

    def _planned(self) -> list[Blow]:
        return plan.blows(self.wanted.seed, self.wanted.kills, self.wanted.disturbances)

    def _prepare(self) -> None:
        """The installation, its contacts, and a campaign that runs."""
        self._install()
        self._begin()
        self.console.seconds["preparation"] = self.console.elapsed()

    def _install(self) -> None:
        console = self.console
        console.tell("preparing the database and what runs")
        told = {**self.carrier.gateway, self.carrier.callback: console.hook(self.carrier.hook)}
        refused = [word for number in self.abnormal for word in ("--abnormal", number)]
        console.start_gateway(told, *refused, "--push-shuffle")
        if self.upgrade:
            self.upgrade.begin()
        console.manage("migrate", "--verbosity", "0")
        console.start_console()
        console.manage("register_app", APP_ID, "--channel", self.carrier.product, "--sender-id", "DRILL")

    def _begin(self) -> None:
        console = self.console
        people = self.wanted.folder / "people.csv"
        people.write_text("\n".join(["phone", *(f"+{number}" for number in self.numbers)]))
        console.manage("contacts", "import", str(people), "--group", "rehearsal", "--json")
        console.wait_until_ready()
        if self.carrier.needs is not None:
            console.until_it_succeeds(*self.carrier.needs(self.wanted.folder))
        self.campaign = self._launch()

    def _launch(self, text: str = TEXT) -> str:
        """A campaign that runs, to everybody; its id."""
        console = self.console
        created = self.carrier.create(self.wanted.folder)
        made = ["--name", "Rehearsal", "--app", APP_ID, "--text", text, "--group", "rehearsal"]
        if self.upgrade:
            made += ["--rate", str(max(1, self.wanted.recipients // upgrade_in_the_middle.LASTS))]
        elif self.wanted.disturbances is not None:
            made += ["--rate", str(plan.rate(self.wanted.recipients, len(self.blows)))]
        made += few_first.arguments(self.wanted.canary)
        campaign = str(console.json(*created, *made)["id"])
        console.json("campaign", "launch", campaign)
        return campaign

    def _under_fire(self) -> None:
        """Strike all blows and outages, each when its moment has come."""
        waiting = sorted(self.wanted.outages, key=lambda outage: outage.at_share)
        total = self.wanted.recipients
        for number, blow in enumerate(self.blows, 1):
            share = self._wait_for(blow)
            while waiting and waiting[0].at_share <= share:
                self.console.go_without(waiting.pop(0))
            said = self._strike(blow)
            self.console.tell(f"{number} of {len(self.blows)} at {share * total:,.0f} accepted: {blow.kind} ({said})")
        self._wait_for_the_middle()
        self._let_them_opt_out(1.0)
        for outage in waiting:
            self.console.go_without(outage)

    def _strike(self, blow: Blow) -> str:
        return self.console.strike(blow)

    def _noticed(self, share: float) -> None:
        """Called when this share has been accepted."""
        self._let_them_opt_out(share)
        if self.upgrade and not self.upgrade.was_played and share >= upgrade_in_the_middle.AT_SHARE:
            self.upgrade.play(self.console.gateway.accepted_so_far(), self.wanted.recipients)

    def _wait_for_the_middle(self) -> None:
        if self.upgrade and not self.upgrade.was_played:
            self._wait_for(Blow(Kind.CUT, upgrade_in_the_middle.AT_SHARE, 0.0, 0.0))
        if self.upgrade and not self.upgrade.was_played:
            self.failures.append("the campaign did not come to its middle, and nothing was upgraded")

    def _let_them_opt_out(self, share: float) -> None:
        if self.opted_out and not self.have_opted_out and share >= opt_outs.AT_SHARE:
            self.console.tell(f"{len(self.opted_out):,} recipients say STOP at {share:.0%}")
            opt_outs.push(self.console.hook("sms-reply"), self.opted_out, self.console.processes.look_after)
            self.have_opted_out = True

    def _wait_for(self, blow: Blow) -> float:
        """Wait until the blow's share is reached, its seconds have passed, or nothing moves; the share by then."""
        accepted, moved_at, began = 0, time.monotonic(), time.monotonic()
        while True:
            self.console.processes.look_after()
            now, before, accepted = time.monotonic(), accepted, self.console.gateway.accepted_so_far()
            if accepted != before:
                moved_at = now
            share = accepted / self.wanted.recipients
            self._noticed(share)
            if blow.at_share is None and now - began >= blow.after_seconds:
                return share
            if blow.at_share is not None and (share >= blow.at_share or now - moved_at > 3 * STALE):
                return share
            time.sleep(0.05)

    def _let_it_send(self) -> None:
        """Wait until nothing is queued or claimed, or nothing has changed for long.

        A campaign that the brake on lost answers holds goes on by itself; one that is held for good stands still.
        """
        counts: dict[str, int] = {}
        state = ""
        changed_at = time.monotonic()
        while time.monotonic() - changed_at < (HELD_FOR if state == "held" else STILL_FOR):
            self.console.processes.look_after()
            before, (counts, state) = counts, self._standing()
            if counts["queued"] + counts["claimed"] == 0 and sum(counts.values()) >= self.messages:
                return
            if counts != before:
                changed_at = time.monotonic()
            time.sleep(2)  # asking starts a process, which takes its time from the others
        stuck = {state: n for state, n in counts.items() if n}
        since = time.monotonic() - changed_at
        self.failures.append(f"the campaign is {state} and does not go on: no change for {since:.0f} s, {stuck}")
        # Should it go on after all, gateway and ledger would be read at two moments.
        self.console.manage("campaign", "pause", self.campaign, may_fail=True)

    def _standing(self) -> tuple[dict[str, int], str]:
        """How many messages are in each state, and the campaign's own."""
        said = self.console.json("campaign", "report", self.campaign)
        return said["counts"], said["state"]

    def _reconcile(self) -> None:
        """Passes of `reconcile` until nothing more can be found out."""
        give_up_at = time.monotonic() + RECONCILE_FOR + self.wanted.recipients / 1000
        while time.monotonic() < give_up_at:
            self.console.processes.look_after()
            self.console.until_it_succeeds("reconcile")
            counts, _state = self._standing()
            if counts["accepted"]:
                continue
            if not counts["unknown"] or self._says_all(self.ledger()[1]):
                return
            time.sleep(0.5)

    def _says_all(self, entries: Sequence[Entry]) -> bool:
        unknown = [entry for entry in entries if entry.state == "unknown"]
        return all(verdict.NOT_IN_RECORDS in entry.evidence for entry in unknown)

    def _compare(self) -> dict[str, Any]:
        _, reconciled = self.ledger()
        self._write_off(reconciled)
        said, ended = self.ledger()
        accepted = list(self.console.gateway.log())
        judged = verdict.judge(
            recipients=self.numbers,
            abnormal=self.abnormal,
            accepted=accepted,
            reconciled=reconciled,
            ended=ended,
            opted_out=self.opted_out,
            after_opt_out=said["after opt-out"],
            disobeyed=said["opt-outs on the list"] != len(self.opted_out),
        )
        proved = self._prove()
        counts, state = self._standing()
        if state != "finished":
            self.failures.append(f"the campaign is {state} and not finished")
        self.console.seconds["all"] = self.console.elapsed()
        return report.document(
            command=self.wanted.command,
            setting={**self._setting(said["restarts"]), **few_first.setting(said["few first"])},
            strikes=dict(sorted(self.console.struck.items())),
            calls=said["calls"],
            counts=counts,
            settled_by=settled_by(ended),
            verdict=judged,
            proved=proved,
            failures=[*self.failures, *(self.upgrade.failures if self.upgrade else [])],
            seconds=self.console.seconds,
            more=self._more_findings(said, ended, accepted),
            **self._said_of_requests(),
        )

    def _write_off(self, reconciled: Sequence[Entry]) -> None:
        for campaign in sorted({entry.campaign for entry in reconciled if entry.state == "unknown"}):
            self.console.json("campaign", "resolve", str(campaign), "--write-off", "--reason", WRITTEN_OFF)

    def _prove(self) -> list[str]:
        proved: list[str] = self.console.json("campaign", "prove", self.campaign, may_fail=True)["disagreements"]
        return proved

    def _more_findings(
        self, said: dict[str, Any], ended: Sequence[Entry], accepted: Sequence[Accepted]
    ) -> dict[str, list[str]]:
        """A hook for what is wrong with what else was asked for: {finding: each}."""
        return few_first.findings(said["few first"], accepted) if self.wanted.canary else {}

    def _said_of_requests(self) -> dict[str, Any]:
        """A hook for what else the report has, where clients asked for the messages."""
        return {}

    def _setting(self, restarts: int) -> dict[str, Any]:
        return {
            **self.console.setting(),
            **(self.upgrade.setting() if self.upgrade else {}),
            "of them abnormal (−9)": len(self.abnormal),
            "of them opted out on the way": len(self.opted_out),
            "recipients a call, at most": self.per_call,
            "clusters restarted by their workers": restarts,
        }

    def ledger(self) -> tuple[dict[str, Any], list[Entry]]:
        return self._read_ledger()

    def _read_ledger(self) -> tuple[dict[str, Any], list[Entry]]:
        campaign = [self.campaign] if self.campaign else []
        first, *rows = self.console.manage("rehearsal_ledger", *campaign).splitlines()
        return json.loads(first), [Entry(*json.loads(row)) for row in rows]


def settled_by(entries: Sequence[Entry]) -> dict[str, int]:
    """How many unknown requests were ended by which evidence, as their rows name it without the ids."""
    said = Counter(
        entry.evidence.partition(": ")[0].removeprefix("settled by ")
        for entry in entries
        if entry.evidence.startswith(("settled by", "written off"))
    )
    return dict(sorted(said.items()))
