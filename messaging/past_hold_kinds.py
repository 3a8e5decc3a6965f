"""For migrations: the kind of a hold from its sentence, which is all that an earlier version stored.

The words must stay those of that version, whatever the sentences are now.
"""

import json
from typing import Any

from django.db.models import Q, TextField
from django.db.models.functions import Cast

CHUNK = 200
MARK = "\x1e"  # words with their values, as kit/words/said.py keeps them

UNFINISHED_RESTORE = "A restore has not finished. Run it again with its file."
RESTORED = "The console was restored from a backup of "
KINDS = {
    "It was not to send after %(when)s (%(zone)s). Resume sends the rest all the same, or cancel it.": "latest_end",
    "None of the %(n)d that were to go first has left. Go on now sends the rest, or cancel it.": "few_first",
    "Of the few first, %(delivered)d of %(reported)d reports say delivered (%(percent)d%%); at least %(least)d%% "
    "are wanted. Go on now sends the rest, Resume looks again.": "few_first",
    "It is %(late)d minutes past its time, and %(limit)d is the limit. Resume to send it now.": "too_late",
}


def fill(model: Any, by_account: Q | None = None) -> None:
    """Fill in `hold_kind`, in slices. Rows held again in the meantime, with another sentence, stay unchanged."""
    held = model.objects.filter(state="held", hold_kind="").exclude(hold_reason="")
    held = held.annotate(kept=Cast("hold_reason", TextField()))  # as the column has it, whatever the field makes of it
    last = 0
    while rows := list(held.filter(pk__gt=last).order_by("pk").values_list("pk", "kept")[:CHUNK]):
        last = rows[-1][0]
        if by_account is not None:
            held.filter(by_account, pk__in=[pk for pk, _kept in rows]).update(hold_kind="account")
        found: dict[str, list[tuple[int, str]]] = {}
        for pk, kept in rows:
            found.setdefault(kind_of(kept), []).append((pk, kept))
        found.pop("", None)
        for kind, of_it in found.items():
            same = held.filter(pk__in=[pk for pk, _kept in of_it], kept__in={kept for _pk, kept in of_it})
            same.update(hold_kind=kind)


def kind_of(kept: str) -> str:
    """The kind of hold that the column's content tells; "" if it has no words, and the sentence must be compared."""
    if kept == UNFINISHED_RESTORE:
        return "restore_unfinished"
    return _of_words(json.loads(kept[1:])) if kept.startswith(MARK) else ""


def _of_words(said: dict[str, Any]) -> str:
    words = str(said.get("says", ""))
    if words.startswith(RESTORED):
        return "restored"
    first = (said.get("with") or {}).get("part0")  # of sentences that follow each other
    if words.startswith("%(part0)s") and isinstance(first, dict):
        return _of_words(first)
    return KINDS.get(words, "other")
