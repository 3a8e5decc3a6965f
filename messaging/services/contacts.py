"""What is done to many contacts at once: set by set, never one by one, whatever their number."""

from collections.abc import Iterable, Iterator

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from messaging import msisdn
from messaging.models import Contact, ContactGroup, GroupMembership, SuppressionEntry

CHUNK = 1000


def add_to_group(contacts: QuerySet[Contact], group: ContactGroup) -> int:
    """How many were looked at; who is in the group already stays in it once."""
    total = 0
    for ids in _id_chunks(contacts):
        GroupMembership.objects.bulk_create(
            (GroupMembership(contact_id=pk, group=group) for pk in ids), ignore_conflicts=True
        )
        total += len(ids)
    return total


def remove_from_group(contacts: QuerySet[Contact], group: ContactGroup) -> int:
    removed = 0
    for ids in _id_chunks(contacts):
        removed += GroupMembership.objects.filter(group=group, contact_id__in=ids).delete()[0]
    return removed


def suppress(contacts: QuerySet[Contact], *, channel: str, reason: str, note: str = "", by: User | None = None) -> int:
    total = 0
    for ids in _id_chunks(contacts):
        numbers = Contact.objects.filter(pk__in=ids).values_list("number", flat=True)
        total += suppress_numbers(numbers, channel=channel, reason=reason, note=note, by=by)
    return total


def suppress_numbers(
    numbers: Iterable[str], *, channel: str, reason: str, note: str = "", by: User | None = None
) -> int:
    """Put MSISDNs on the list; one that is there keeps its older reason."""
    made = [
        SuppressionEntry(number=number, channel=channel, reason=reason, note=note, created_by=by, source="console")
        for number in numbers
    ]
    SuppressionEntry.objects.bulk_create(made, ignore_conflicts=True, batch_size=CHUNK)
    return len(made)


def read_numbers(text: str, region: str = "") -> tuple[list[str], list[str]]:
    """(numbers, what could not be read) from pasted lines; each number once."""
    good: dict[str, None] = {}
    bad = []
    for line in text.replace(",", "\n").replace(";", "\n").splitlines():
        if not line.strip():
            continue
        try:
            good[msisdn.parse(line, region or None).number] = None
        except msisdn.InvalidNumber as problem:
            bad.append(f"{line.strip()[:40]}: {problem}")
    return list(good), bad


def quick_group(contacts: QuerySet[Contact], name: str) -> ContactGroup:
    """A group for one message to chosen contacts: an audience is always groups."""
    with transaction.atomic():
        group = ContactGroup.objects.create(name=_distinct(name), is_ad_hoc=True, description=_("Made for one message"))
    add_to_group(contacts, group)
    return group


def _distinct(name: str) -> str:
    taken = ContactGroup.objects.filter(name__startswith=name[:110]).count()
    return f"{name[:110]} #{taken + 1}" if taken else name[:110]


def _id_chunks(contacts: QuerySet[Contact]) -> Iterator[list[int]]:
    """The ids, a thousand at a time by rising id: what changes in between is neither missed nor taken twice."""
    last = 0
    ordered = contacts.order_by("pk").values_list("pk", flat=True)
    while ids := list(ordered.filter(pk__gt=last)[:CHUNK]):
        yield ids
        last = ids[-1]
