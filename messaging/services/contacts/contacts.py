"""Acts on many contacts at once: by statements on whole sets, never one by one, however many there are."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.lists import walks
from laaffic_console.kit.words import said
from messaging.models import Contact, ContactGroup, GroupMembership
from messaging.models.kept_while_used import keep_while_used
from messaging.services.contacts import contact_writes

CHUNK = 1000


def add_to_group(contacts: QuerySet[Contact], group: ContactGroup) -> int:
    """How many were looked at; who is in the group already stays in it once."""
    _record(Act.CHANGED, group, contacts, event=said.gettext("contacts are added to the group"))
    return _put_into(group, contacts)


def _put_into(group: ContactGroup, contacts: QuerySet[Contact]) -> int:
    total = 0
    for ids in id_chunks(contacts):
        GroupMembership.objects.bulk_create(
            (GroupMembership(contact_id=pk, group=group) for pk in ids), ignore_conflicts=True
        )
        total += len(ids)
    return total


def remove_from_group(contacts: QuerySet[Contact], group: ContactGroup) -> int:
    _record(Act.CHANGED, group, contacts, event=said.gettext("contacts are taken out of the group"))
    removed = 0
    for ids in id_chunks(contacts):
        removed += GroupMembership.objects.filter(group=group, contact_id__in=ids).delete()[0]
    return removed


def set_groups(contact: Contact, groups: Iterable[ContactGroup]) -> None:
    """The contact is in these groups and no others; groups made for one message stay as they are."""
    wanted = {group.pk for group in groups}
    members = GroupMembership.objects.filter(contact=contact)
    with transaction.atomic():
        members.filter(group__is_ad_hoc=False).exclude(group__in=wanted).delete()
        GroupMembership.objects.bulk_create(
            (GroupMembership(contact=contact, group_id=pk) for pk in sorted(wanted)), ignore_conflicts=True
        )


def put_into_groups(contact: Contact, groups: Sequence[ContactGroup]) -> None:
    """As `set_groups`, and record the change as the contact's page does."""
    before = set(contact.groups.filter(is_ad_hoc=False).values_list("name", flat=True))
    set_groups(contact, groups)
    after = {group.name for group in groups}
    if before != after:
        change = [said.lasting(gettext_lazy("Groups")), *(_listed(names) for names in (before - after, after - before))]
        record(Act.CHANGED, contact, changes=[change])


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "–"


def delete(contacts: QuerySet[Contact]) -> int:
    """Contacts and their memberships. Messages stay, and so does the suppression list."""
    _record(Act.DELETED, Contact, contacts)
    deleted = 0
    for ids in id_chunks(contacts):
        with transaction.atomic():
            contact_writes.one_at_a_time()  # an import that has them in hand is awaited
            deleted += contact_writes.delete(ids)
    return deleted


@transaction.atomic
def delete_group(group: ContactGroup) -> None:
    """Its contacts stay; a million memberships leave in chunks, and are never loaded.

    ProtectedError, before any of them has left, where a campaign that is not over uses it. In one transaction: the
    group's lock is kept to the end, so that none comes to use it in the meantime and finds it empty.
    """
    keep_while_used(instance=group)
    members = GroupMembership.objects.filter(group=group)
    while ids := list(members.values_list("pk", flat=True)[:CHUNK]):
        GroupMembership.objects.filter(pk__in=ids).delete()
    group.delete()


def quick_group(contacts: QuerySet[Contact], name: str) -> ContactGroup:
    """A group for one message to chosen contacts: an audience is always groups."""
    group = ad_hoc_group(name, _("Made for one message"))
    _put_into(group, contacts)
    return group


def ad_hoc_group(name: str, description: str) -> ContactGroup:
    """An empty group that no list of groups offers."""
    while True:
        group = ContactGroup(name=_free(name[:110]), is_ad_hoc=True, description=description)
        try:
            with transaction.atomic():
                group.save(force_insert=True)
        except IntegrityError:  # somebody took the name at the same moment
            if not ContactGroup.objects.filter(name=group.name).exists():
                raise
        else:
            return group


def _free(name: str) -> str:
    """The name itself, or with the first number behind it that is free."""
    taken = set(ContactGroup.objects.filter(name__startswith=name).values_list("name", flat=True))
    numbered = (f"{name} #{n}" for n in itertools.count(2))
    return next(one for one in itertools.chain([name], numbered) if one not in taken)


def attribute_names(contacts: QuerySet[Contact]) -> list[str]:
    """The names of their attributes, asked of the database: no contact is loaded."""
    try:
        select, params = contacts.order_by().values("attributes").query.sql_with_params()
    except EmptyResultSet:  # a filter that nothing can pass
        return []
    keys = (
        "jsonb_object_keys(c.attributes) AS k(key)"
        if connection.vendor == "postgresql"
        else "json_each(c.attributes) k"
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT k.key FROM ({select}) AS c, {keys}", params)  # noqa: S608 - the ORM's SELECT
        return sorted(name for (name,) in cursor.fetchall())


def _record(act: Act, about: ContactGroup | type[Contact], contacts: QuerySet[Contact], **details: Any) -> None:
    """Before the first chunk, with how many were chosen: what is stopped halfway is told too."""
    if chosen := contacts.order_by().count():
        record(act, about, **details, contacts=chosen)


def id_chunks(contacts: QuerySet[Contact]) -> Iterator[list[int]]:
    """The ids, a thousand at a time by rising id: what changes in between is neither missed nor taken twice."""
    return walks.rising(contacts.values_list("pk", flat=True), CHUNK, int)
