"""Each entry's digest covers the entry and the digest before it: one that is changed or removed shows.

Entries are sealed after the commit that wrote them, in a transaction that locks the head and nothing else. So nobody
who holds another lock waits for the head, and two writers cannot fork the chain. Their order is the order of sealing.
"""

import datetime as dt
import hashlib
import json
from dataclasses import dataclass

from django.db import models, transaction
from django.utils.translation import gettext as _

from laaffic_console.audit.models import AuditEntry, AuditHead
from laaffic_console.kit.sql import snapshots

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Verdict:
    checked: int
    position: int  # the newest entry's
    digest: str
    problem: str = ""  # "" where the chain holds
    not_compared: str = ""  # why `known` proves nothing any more


def entries() -> "models.QuerySet[AuditEntry]":
    """All entries, without the model's own manager: that one refuses to change and to delete them."""
    return models.QuerySet(AuditEntry)


def digest_of(entry: AuditEntry, before: str) -> str:
    said = {
        "before": before,
        "position": entry.position,
        "at": entry.at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        "kind": entry.kind,
        "person_id": entry.person_id,
        "person": entry.person,
        "address": entry.address,
        "object_kind": entry.object_kind,
        "object_id": entry.object_id,
        "object_label": entry.object_label,
        "summary": entry.summary,
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def locked_head() -> AuditHead:
    """The chain's head, locked; the first call makes it."""
    heads = AuditHead.objects.select_for_update().filter(pk=1)
    head = heads.first()
    if head is None:
        AuditHead.objects.get_or_create(pk=1)
        head = heads.get()
    return head


def seal() -> int:
    """Chain what is committed and not sealed yet; how many entries. Whatever commits one after that calls this too."""
    sealed = some = _seal_some()
    while some == AT_ONCE:
        some = _seal_some()
        sealed += some
    return sealed


@transaction.atomic
def _seal_some() -> int:
    if not entries().filter(position=None).exists():
        return 0
    head = locked_head()
    fresh = list(entries().filter(position=None).order_by("pk")[:AT_ONCE])
    for entry in fresh:
        head.position += 1
        entry.position = head.position
        entry.digest = head.digest = digest_of(entry, head.digest)
    entries().bulk_update(fresh, ["position", "digest"])
    head.save(update_fields=["position", "digest"])
    return len(fresh)


def verify(known: tuple[int, str] | None = None) -> Verdict:
    """Every entry against the one before it, and the newest against the head; the first break is the problem.

    `known`: position and digest of an entry, from an earlier verdict kept elsewhere. Anyone who can write to the
    database can chain everything again; only that shows it.

    All of it is read at one moment: what somebody does or prunes in the meantime breaks nothing.
    """
    seal()
    return snapshots.at_one_moment(lambda: _verified(known))


def _verified(known: tuple[int, str] | None) -> Verdict:
    head = AuditHead.objects.filter(pk=1).first() or AuditHead()
    position, digest, checked = head.first_position, head.first_digest, 0
    if known is not None and known[0] == position and known[1] != digest:
        return Verdict(0, head.position, head.digest, _not_the_one(position))
    chained = entries().filter(position__gt=position, position__lte=head.position).order_by("position")
    for entry in chained.iterator(chunk_size=2000):
        if entry.position != position + 1:
            problem = _("Entry %(n)s was removed.") % {"n": position + 1}
            return Verdict(checked, head.position, head.digest, problem)
        if digest_of(entry, digest) != entry.digest:
            problem = _("Entry %(n)s was changed: %(entry)s, by “%(person)s”, %(at)s.") % {
                "n": entry.position,
                "entry": entry,
                "person": entry.person,
                "at": entry.at.isoformat(sep=" ", timespec="seconds"),
            }
            return Verdict(checked, head.position, head.digest, problem)
        position, digest, checked = position + 1, entry.digest, checked + 1
        if known is not None and known[0] == position and known[1] != digest:
            return Verdict(checked, head.position, head.digest, _not_the_one(position))
    problem = _problem_at_the_end(head, position, digest, known)
    return Verdict(checked, head.position, head.digest, problem, _not_compared(head, known))


def _not_the_one(position: int) -> str:
    return _("Entry %(n)s is not the one that was there before.") % {"n": position}


def _not_compared(head: AuditHead, known: tuple[int, str] | None) -> str:
    """Somebody who writes into the database may have said that entries were removed by their age."""
    if known is None or known[0] >= head.first_position:
        return ""
    return _(
        "Entry %(n)s is not kept any more: old ones were removed up to entry %(first)s. Nothing proves that those "
        "after it are as they were then."
    ) % {"n": known[0], "first": head.first_position}


def _problem_at_the_end(head: AuditHead, position: int, digest: str, known: tuple[int, str] | None) -> str:
    if position != head.position:
        return _("Entry %(n)s was removed, with those after it.") % {"n": position + 1}
    if digest != head.digest or entries().filter(position__gt=head.position).exists():
        return _("The end of the chain was changed after entry %(n)s.") % {"n": position}
    if known is not None and known[0] > head.position:
        return _("Entry %(n)s was removed, with those after it.") % {"n": head.position + 1}
    return ""
