"""The sandbox's controls over HTTP: how far it is, what it accepted, and striking its connections."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

from laaffic_console.rehearsal.verdict import Accepted

PATIENCE = 30.0
VOICEMAIL, ANSWERED = 40, 50  # callStatus (laaffic-api#voice-pushes); a text spoken to a mailbox has been spoken


class GatewayControls:
    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}/sandbox"

    def is_there(self) -> bool:
        try:
            self.accepted_so_far()
        except OSError:
            return False
        return True

    def accepted_so_far(self) -> int:
        said = self._ask("/progress")
        return int(said["accepted"]) + int(said["calls"])

    def cut(self) -> int:
        return int(self._ask("/cut", {})["cut"])

    def go_down(self, seconds: float) -> None:
        self._ask("/down", {"seconds": seconds})

    def faults(self) -> dict[str, Any]:
        return self._ask("/faults")

    def set_faults(self, **faults: Any) -> None:
        self._ask("/faults", faults)

    def acts(self) -> list[dict[str, Any]]:
        """Single acts that were accepted, the oldest first."""
        acts: list[dict[str, Any]] = self._ask("/acts")["acts"]
        return acts

    def mails(self) -> list[dict[str, Any]]:
        mails: list[dict[str, Any]] = self._ask("/mails")["mails"]
        return mails

    def log(self) -> Iterator[Accepted]:
        """Everything that was accepted: messages and then calls, the oldest first."""
        with urllib.request.urlopen(f"{self.address}/log", timeout=PATIENCE) as answer:  # noqa: S310 - our own
            for line in answer:
                said = json.loads(line)
                yield Accepted(said["msg_id"], said["number"], said["state"], said["accepted_at"])
        yield from self.calls()

    def calls(self) -> Iterator[Accepted]:
        for call in self._ask("/calls")["calls"]:
            yield accepted_call(call)

    def stats(self) -> dict[str, Any]:
        return self._ask("/stats")

    def _ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 - our own
            f"{self.address}{path}", data=None if body is None else json.dumps(body).encode()
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            parsed: dict[str, Any] = json.loads(answer.read())
            return parsed


def accepted_call(call: dict[str, Any]) -> Accepted:
    """A call in the words of messages."""
    ended = "delivered" if call["callStatus"] in (VOICEMAIL, ANSWERED) else "failed"
    state = ended if call["ended"] else "ringing"
    return Accepted(call["voiceId"], call["callee"], state, call.get("accepted_at", 0.0))
