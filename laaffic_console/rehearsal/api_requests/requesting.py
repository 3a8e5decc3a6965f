"""Messages that clients ask for by the REST API, under fire: campaigns as in rehearsing, one for each request."""

import time
from collections import Counter
from typing import Any

from laaffic_console.rehearsal import plan
from laaffic_console.rehearsal.api_requests import request_verdict
from laaffic_console.rehearsal.api_requests.clients import Clients
from laaffic_console.rehearsal.plan import Blow, Kind
from laaffic_console.rehearsal.rehearsing import APP_ID, TEXT, Rehearsal
from laaffic_console.rehearsal.wanted import Wanted

USER = "rehearsal"
AHEAD = 0.25  # a share of the recipients: how far clients may be ahead of the gateway while blows are to come
IN_FLIGHT = (Kind.WEB, Kind.WEB_CHILD, Kind.WEB_STILL)
WAIT_FOR_ONE = 5.0
LONGEST_UNDER_WAY = 0.06  # seconds that an answer takes, about
STATES = ("queued", "claimed", "accepted", "unknown")


class RequestsRehearsal(Rehearsal):
    clients: Clients

    def __init__(self, wanted: Wanted) -> None:
        super().__init__(wanted)
        self.requests = plan.requests(wanted.seed, self.numbers)
        self.accepted = 0.0
        self.blows_are_to_come = bool(self.blows)
        self.begun_at = 0.0
        self.lasts = plan.SECONDS_A_STRIKE * len(self.blows)
        self.before: list[float] = []
        asked = 0
        for request in self.requests:
            self.before.append(asked / wanted.recipients)
            asked += len(request.numbers)

    def _planned(self) -> list[Blow]:
        return plan.blows(self.wanted.seed, self.wanted.kills, self.wanted.disturbances, of_api=True)

    def _begin(self) -> None:
        console = self.console
        console.manage("createsuperuser", "--noinput", "--username", USER, "--email", "rehearsal@example.com")
        secret = console.json("api_token", "create", "rehearsal", "--user", USER, "--scope", "send")["token"]
        console.wait_until_ready()
        told = {"application": APP_ID, "sender_id": "DRILL", "text": TEXT}
        self.clients = Clients(("127.0.0.1", console.web_port), told, secret, self.wanted.seed)
        self.begun_at = time.monotonic()
        self.clients.begin(self.requests, self._may_begin)

    def _strike(self, blow: Blow) -> str:
        """Strike the web process while a client waits for its answer."""
        if blow.kind in IN_FLIGHT:
            give_up_at = time.monotonic() + WAIT_FOR_ONE
            while not self.clients.under_way and time.monotonic() < give_up_at:
                time.sleep(0.002)
            time.sleep(blow.length(0, LONGEST_UNDER_WAY))
        return super()._strike(blow)

    def _may_begin(self, place: int) -> bool:
        """Whether this request may be asked for: they are spread so that clients ask until the last blow has fallen."""
        share = self.before[place]
        if not self.blows_are_to_come:
            return True
        return time.monotonic() - self.begun_at >= share * self.lasts and share <= self.accepted + AHEAD

    def _noticed(self, share: float) -> None:
        self.accepted = share

    def _under_fire(self) -> None:
        super()._under_fire()
        self.blows_are_to_come = False
        self._until_answered()
        self.console.tell("every request once more")
        self.clients.ask_again(self.requests)
        self._until_answered()

    def _until_answered(self) -> None:
        while not self.clients.done:
            self.console.processes.look_after()
            time.sleep(0.1)

    def _standing(self) -> tuple[dict[str, int], str]:
        said, entries = self.ledger()
        counts = Counter(dict.fromkeys(STATES, 0))
        counts.update(entry.state for entry in entries)
        states = sorted({*said["campaigns"].values()})
        return dict(counts), " and ".join(states)

    def _prove(self) -> list[str]:
        return self.console.manage("rehearsal_proofs").splitlines()

    def _said_of_requests(self) -> dict[str, Any]:
        said, entries = self.ledger()
        campaigns = [int(pk) for pk in said["campaigns"]]
        told = self.clients
        counted = {"requests, each under a key of its own": len(self.requests), **dict(sorted(told.counted.items()))}
        judged = request_verdict.findings(self.requests, told.answers, entries, campaigns, told.problems)
        return {"requests": counted, "of_requests": judged}

    def _end(self) -> None:
        if hasattr(self, "clients"):
            self.clients.end()
