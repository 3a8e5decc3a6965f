"""How an entry's outcome is known, from the mere words that an earlier version wrote: for its migration.

The words are those of that version, however they read now. What was simply answered, as nearly every entry was, is left
without a kind: nothing is decided by it, and there may be a million. So is what that version still writes beside the
migration: an entry without a kind is taken for one that no person and no list has settled.
"""

import re
from typing import Any

CHUNK = 1_000
THE_ANSWER = "the answer"

# The first that is found in the words tells.
KINDS = {
    "late_answer": r"^the answer, after it was sent again$",
    "restore": r"^the ledger was restored from a backup",
    "no_answer": r"^the answer was lost$|^its process ended before an answer|^its worker died after",
    "person": r" says that it (was done|was not done|rang|did not ring|is over|did not arrive): |^given up by a ",
    "answer": r"^the answer(: |, without |$)|: refused with ",
    "report": r"^a callback under this campaign's mark|^a phone rang for call | of call \S+$",
    "request": r"^request \d+ |^a name is taken once|^the name was taken when|^uploaded again since$",
    "list": r"^fileQuery lists |^group/call/query lists |^the list of ",
    "console": r"^its process ended before it left|^its worker died before|^cancelled before the request left$",
}
FOUND = {kind: re.compile(pattern) for kind, pattern in KINDS.items()}


def fill(model: Any) -> None:
    """Fill in the kinds in slices, a statement for each kind. Rows that got a kind in the meantime keep it."""
    worded = model.objects.filter(evidence_kind="").exclude(evidence__in=["", THE_ANSWER])
    told = worded.order_by("pk").values_list("pk", "state", "reason", "evidence")
    last = 0
    while rows := list(told.filter(pk__gt=last)[:CHUNK]):
        last = rows[-1][0]
        found: dict[str, list[int]] = {}
        for pk, state, reason, evidence in rows:
            found.setdefault(kind_of(state, reason, evidence), []).append(pk)
        for kind, pks in found.items():
            worded.filter(pk__in=pks).update(evidence_kind=kind)


def kind_of(state: str, reason: str, evidence: str) -> str:
    """The kind that the words tell. Lists were told of in each reader's language, so unknown words count as a list."""
    for kind, pattern in FOUND.items():
        if pattern.search(evidence):
            return kind
    if state in ("accepted", "refused"):
        return "list"
    if state == "lapsed":
        return "time"
    # A failed request has its reason beside longer words; a batch that was kept back has none.
    return "console" if state == "not_sent" and reason in ("", evidence) else "no_answer"
