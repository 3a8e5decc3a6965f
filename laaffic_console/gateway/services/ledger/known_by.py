"""How an entry's outcome is known: by a kind, by which the code decides, and by words, which people read."""

from typing import NamedTuple

from laaffic_console.gateway.models import EvidenceKind

THE_ANSWER = "the answer"
RESTORED = "the ledger was restored from a backup: it may have left since"


class Evidence(NamedTuple):
    kind: EvidenceKind
    words: str  # in English, or as kit/words/said.py keeps a sentence

    def columns(self) -> dict[str, str]:
        """What an entry keeps of it."""
        return {"evidence": self.words[:300], "evidence_kind": self.kind.value}


def answer(said: str = "") -> Evidence:
    """Known by the gateway's answer; `said`: its id, or the gateway's words."""
    return Evidence(EvidenceKind.ANSWER, f"{THE_ANSWER}: {said}" if said else THE_ANSWER)


def answer_without(what: str) -> Evidence:
    """An answer that lacks `what`, such as "a task id", by which later evidence would name this request."""
    return Evidence(EvidenceKind.ANSWER, f"{THE_ANSWER}, without {what}")


def late_answer() -> Evidence:
    """Known by a late answer to a request whose messages a person has had sent again."""
    return Evidence(EvidenceKind.LATE_ANSWER, f"{THE_ANSWER}, after it was sent again")


def no_answer(why: str) -> Evidence:
    return Evidence(EvidenceKind.NO_ANSWER, why)


def report(said: str) -> Evidence:
    """A report, callback or record of what was asked for."""
    return Evidence(EvidenceKind.REPORT, said)


def listing(said: str) -> Evidence:
    """Known by one of Laaffic's lists, which shows what was asked for, or does not."""
    return Evidence(EvidenceKind.LIST, said)


def request(said: str) -> Evidence:
    """What happened to another request."""
    return Evidence(EvidenceKind.REQUEST, said)


def person(said: str) -> Evidence:
    return Evidence(EvidenceKind.PERSON, said)


def console(why: str) -> Evidence:
    """The console itself has kept it back."""
    return Evidence(EvidenceKind.CONSOLE, why)


def time(said: str) -> Evidence:
    """Known by the time: nothing came while it would have come."""
    return Evidence(EvidenceKind.TIME, said)


def restore() -> Evidence:
    return Evidence(EvidenceKind.RESTORE, RESTORED)
