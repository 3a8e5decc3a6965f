"""Undoing an import: the contacts that it added and with whom nobody has dealt since go, and so do its memberships.
What it has overwritten of others is put back where nobody has changed them since.

First all of them are looked at, so that a person can read how many go and how many stay and why; then, when that person
confirms it, each is looked at again and goes, chunk by chunk. Both are jobs that may be killed at any point.
"""

import datetime as dt
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy

from laaffic_console.gateway.services.work import bell, leases, turns, workers
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.said import gettext as _
from messaging.files.contact_rows import CleanRow
from messaging.models import (
    Campaign,
    CampaignState,
    Contact,
    ContactImport,
    GroupMembership,
    ImportedChange,
    ImportUndo,
)
from messaging.models.kept_while_used import OVER as ENDED
from messaging.models.kept_while_used import using
from messaging.people import contact_traces
from messaging.services.contacts import contact_writes
from messaging.subscribers import spellings

CHUNK = 2000
JOB = "messaging.jobs.undo_contact_import"
OVER = (ContactImport.State.FINISHED, ContactImport.State.FAILED, ContactImport.State.CANCELLED)
AT_THE_START: dict[str, Any] = {"cursor": 0, "member_cursor": 0, "change_cursor": 0, "goes": 0, "memberships": 0}
AT_THE_START |= {"restores": 0, "overtaken": 0, "stays": {}}
CHANGED, MEMBER = "changed", "member"
OWN_REASONS = {
    CHANGED: gettext_lazy("changed since, by hand or by another import"),
    MEMBER: gettext_lazy("in another group too"),
}

State = ImportUndo.State
CONFIRMED = (State.RUNNING, State.DONE)


def can_be_undone(job: ContactImport) -> bool:
    """Whether there is anything that says it came from this import; imports of older versions left no mark."""
    if job.state not in OVER:
        return False
    added = Contact.objects.filter(imported_by=job.pk)
    if added.exists() or ImportedChange.objects.filter(contact_import=job.pk).exists():
        return True
    # No index finds these: the group is read, so only of a file that named people who were all there already.
    return not job.added and not job.updated and _members(job).exists()


def require_trace(job: ContactImport) -> None:
    """NotNow where it is over and nothing of it is left."""
    if job.state in OVER and not can_be_undone(job):
        raise NotNow(_("There is nothing to take back: nothing that came from this import is left."))


def of(job: ContactImport) -> ImportUndo | None:
    return ImportUndo.objects.filter(contact_import=job.pk).select_related("asked_by", "confirmed_by").first()


def look(job_id: int, *, by: User | None) -> None:
    """Begin to count who would go. NotNow while the import runs or a campaign sends to its group, or gathers
    its recipients by a condition.

    What is being counted or was counted stays: to have it counted again, give it up first.
    """
    with transaction.atomic():
        job = ContactImport.objects.get(pk=job_id)
        if job.state not in OVER:
            raise NotNow(_("This import is not over, or it has been undone: there is nothing to take back."))
        _refuse_while_sending(job)
        fresh = {"state": State.LOOKING, "explanation": "", "asked_by": by, "looked_at": None, **AT_THE_START}
        undo = ImportUndo.objects.select_for_update().filter(contact_import=job).first()
        if undo is not None and undo.state != State.FAILED:
            return
        ImportUndo.objects.update_or_create(contact_import=job, defaults=fresh)
        record(Act.CHANGED, job, event=_("who would go is counted, to take it back"))
        bell.ring(JOB, job_id)


def confirm(job_id: int, *, by: User | None) -> bool:
    """Take back what was counted; False when that has begun already, or was not counted to its end."""
    with transaction.atomic():
        job = ContactImport.objects.get(pk=job_id)
        _refuse_while_sending(job)
        ready = ImportUndo.objects.filter(contact_import=job, state=State.READY)
        confirmed = ready.update(state=State.RUNNING, **AT_THE_START, confirmed_by=by, confirmed_at=timezone.now())
        if confirmed:
            record(Act.DELETED, job, event=_("what this import added is taken back"))
            bell.ring(JOB, job_id)
    return bool(confirmed)


def give_up(job_id: int) -> None:
    """Give up an undo that is being counted or waits to be confirmed; a confirmed one goes on."""
    counted = ImportUndo.objects.filter(contact_import=job_id, state__in=[State.LOOKING, State.READY, State.FAILED])
    with transaction.atomic():
        if counted.delete()[0]:
            record(Act.CHANGED, ContactImport.objects.get(pk=job_id), event=_("not taken back"))


def _refuse_while_sending(job: ContactImport) -> None:
    """A launched campaign was shown how many it reaches: nobody leaves its group or its conditions by this."""
    if why := _why_not_now(job):
        raise NotNow(why)


def _why_not_now(job: ContactImport) -> str:
    # Whom an import added or changed can meet any condition.
    goes_on = [state for state in CampaignState if state not in ENDED]  # by an index, past all that are over
    gathering = Campaign.objects.filter(state__in=goes_on, audience=Campaign.Audience.FREEZING).exclude(rules=[])
    if campaign := gathering.order_by("pk").first():
        said = _(
            "The campaign “%(name)s” sends to an audience by condition and is still gathering its recipients. "
            "Wait until it has all of them, or cancel it."
        )
        return said % {"name": campaign.name}
    if job.group is None:
        return ""
    campaigns: list[Campaign] = list(using([job.group]).exclude(state=CampaignState.DRAFT)[:1])
    if not campaigns:
        return ""
    said = _("The campaign “%(name)s” uses the group “%(group)s”. Wait until it is over, or cancel it.")
    return said % {"name": campaigns[0].name, "group": job.group.name}


def run(job_id: int) -> None:
    """A job's slice, from where the last one stood."""
    with leases.lease(f"undo:{job_id}") as lease:
        if lease is None:
            return
        turn = turns.Turn()
        while _next_chunk(job_id):
            workers.beat()
            if turn.is_over() or not lease.renew():
                bell.ring(JOB, job_id)
                return
            if connection.vendor == "sqlite":
                time.sleep(0.01)  # its lock is unfair: a writer that never rests starves the others


@transaction.atomic
def _next_chunk(job_id: int) -> bool:
    """Look at a chunk, or take it back; False when nothing is left to do."""
    # Its own row alone: deleting the group takes memberships first and then the import's row, the other way round.
    undo = ImportUndo.objects.select_for_update().filter(contact_import=job_id).first()
    if undo is None or undo.state not in (State.LOOKING, State.RUNNING):
        return False
    job = ContactImport.objects.get(pk=job_id)
    acts = undo.state == State.RUNNING
    if acts:
        contact_writes.undo_alone()
        if why := _why_not_now(job):
            undo.state, undo.explanation = State.FAILED, why
            undo.save()
            return False
    steps = (_contacts_chunk, _changes_chunk, _members_chunk)
    goes_on = any(step(undo, job, acts=acts) for step in steps)
    if not goes_on:
        undo.state = State.DONE if acts else State.READY
        undo.looked_at = undo.looked_at if acts else timezone.now()
        undo.finished_at = timezone.now() if acts else None
        if acts:
            ContactImport.objects.filter(pk=job_id).update(state=ContactImport.State.UNDONE)
    undo.save()
    return goes_on


def _contacts_chunk(undo: ImportUndo, job: ContactImport, *, acts: bool) -> bool:
    found = Contact.objects.filter(imported_by=job.pk, pk__gt=undo.cursor).order_by("pk")
    if acts:
        found = found.select_for_update()  # who is being edited is waited for, and stays
    contacts = [Added(*values) for values in found.values_list(*Added._fields)[:CHUNK]]
    if not contacts:
        return False
    staying = why_they_stay(contacts, job)
    goes = [contact.pk for contact in contacts if contact.pk not in staying]
    if acts:
        contact_writes.delete(goes)
    else:
        undo.memberships += _members(job).filter(contact__id__among=staying).count()
    undo.goes += len(goes)
    undo.stays = dict(Counter(undo.stays) + Counter(staying.values()))
    undo.cursor = contacts[-1].pk
    return True


class Added(NamedTuple):
    """The columns of a contact that decide whether it stays: making models would take longer than all the queries."""

    pk: int
    number: str
    email: str
    created_at: dt.datetime
    updated_at: dt.datetime


def why_they_stay(contacts: Sequence[Added], job: ContactImport) -> dict[int, str]:
    """{contact id: reason} of the contacts that an undo leaves, each with the first reason that is found.

    Some eight searches in indexes, however many contacts there are.
    """
    staying: dict[int, str] = {}
    by_number: dict[str, list[int]] = {}  # two of them can be one subscriber, spelt in two ways
    for contact in contacts:
        for number in spellings(contact.number):
            by_number.setdefault(number, []).append(contact.pk)
    by_email: dict[str, list[int]] = {}
    for contact in contacts:
        if contact.email:
            for email in {contact.email, contact.email.lower()}:
                by_email.setdefault(email, []).append(contact.pk)
    for trace in contact_traces.traces():
        if trace.by_email and not by_email:
            continue
        if trace.by_email:
            touched = {pk for email in trace.found(by_email) for pk in by_email.get(email, ())}
        else:
            touched = {pk for number in trace.found(by_number) for pk in by_number.get(number, ())}
        for pk in touched:
            staying.setdefault(pk, trace.name)
    others = GroupMembership.objects.filter(contact__id__among=[contact.pk for contact in contacts])
    for pk in others.exclude(group_id=job.group_id or 0).values_list("contact_id", flat=True):
        staying.setdefault(pk, MEMBER)
    for pk in _changed(contacts, job):
        staying.setdefault(pk, CHANGED)
    return staying


def _changed(contacts: Sequence[Added], job: ContactImport) -> list[int]:
    """The contacts that somebody else changed last, also if that was while the import still ran."""
    written_again = {contact.pk: contact.updated_at for contact in contacts if contact.updated_at != contact.created_at}
    if not written_again:
        return []
    ours = ImportedChange.objects.filter(contact_import=job, contact__id__among=list(written_again))
    by_us = dict(ours.values_list("contact_id", "written_at"))
    return [pk for pk, moment in written_again.items() if by_us.get(pk) != moment]


def _changes_chunk(undo: ImportUndo, job: ContactImport, *, acts: bool) -> bool:
    """Contacts that were there before: where one was changed since, this import no longer has the last word on it."""
    found = ImportedChange.objects.filter(contact_import=job, contact_id__gt=undo.change_cursor).order_by("contact_id")
    changes = {change.contact_id: change for change in found[:CHUNK]}
    if not changes:
        return False
    contacts = Contact.objects.filter(pk__among=changes).exclude(imported_by=job.pk).order_by("pk")
    if acts:
        contacts = contacts.select_for_update()
    known = [(contact, changes[contact.pk]) for contact in contacts if changes[contact.pk].before]
    untouched = [(contact, change) for contact, change in known if contact.updated_at == change.written_at]
    if acts:
        contact_writes.restore([_as_before(contact, change.before) for contact, change in untouched])
    undo.restores += len(untouched)
    undo.overtaken += len(known) - len(untouched)
    undo.change_cursor = max(changes)
    return True


def _as_before(contact: Contact, before: dict[str, Any]) -> CleanRow:
    now = {name: getattr(contact, name) for name in CleanRow._fields}
    return CleanRow(**{**now, **before})


def _members(job: ContactImport) -> QuerySet[GroupMembership]:
    return GroupMembership.objects.filter(group_id=job.group_id or 0, imported_by=job.pk)


def _members_chunk(undo: ImportUndo, job: ContactImport, *, acts: bool) -> bool:
    """Memberships that the import made of contacts that stay, or were there before; by stretches of the whole group."""
    group = job.group
    if group is None:
        return False
    every = GroupMembership.objects.filter(group=group, contact_id__gt=undo.member_cursor).order_by("contact_id")
    stretch = list(every.values_list("contact_id", flat=True)[: 5 * CHUNK])
    if not stretch:
        return False
    made = _members(job).filter(contact_id__gt=undo.member_cursor, contact_id__lte=stretch[-1])
    if acts:
        undo.memberships += made.delete()[0]
    else:
        mine = Contact.objects.filter(pk=OuterRef("contact_id"), imported_by=job.pk)
        undo.memberships += made.exclude(Exists(mine)).count()
    undo.member_cursor = stretch[-1]
    return True


def reasons(undo: ImportUndo) -> list[tuple[str, int]]:
    """Why those that stay do, for people, the most frequent first."""
    named = [(str(OWN_REASONS.get(name) or contact_traces.label_of(name)), n) for name, n in undo.stays.items()]
    return sorted(named, key=lambda one: -one[1])


def sweep() -> None:
    """Ring for those whose worker died or whose bell was lost."""
    for pk in ImportUndo.objects.filter(state__in=[State.LOOKING, State.RUNNING]).values_list("pk", flat=True):
        if not leases.is_held(f"undo:{pk}"):
            bell.ring(JOB, pk)
