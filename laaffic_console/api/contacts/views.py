"""Contacts, their groups and saved audiences, by the same services as on their pages."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from laaffic_console.api.contacts import documents, shapes
from laaffic_console.api.handling import lookups, problems
from laaffic_console.api.handling.changing import changed, deleted, locked
from laaffic_console.api.handling.filters import narrowed
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import IF_MATCH, KEY
from laaffic_console.api.handling.views import ApiView, ListQuery, page, row
from laaffic_console.api.models import Scope
from laaffic_console.api.shapes import page_of
from laaffic_console.kit.audit import row_changes
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.masking.masks import SEE
from laaffic_console.kit.words.plain_text import one_line
from messaging.conditions import conditions
from messaging.files import contact_rows
from messaging.files.contact_files import MAX_COLUMNS
from messaging.files.contact_rows import CleanRow
from messaging.models import Audience, Contact, ContactGroup, GroupMembership
from messaging.services.contacts import contact_writes, contacts, editing, erasures
from messaging.services.saved_audiences import audiences
from messaging.text import merge_fields

LOOK, LOOK_AT_GROUPS = "messaging.view_contact", "messaging.view_contactgroup"
LOOK_AT_AUDIENCES = "messaging.view_audience"
ERASED = "erased_before"


class ContactQuery(ListQuery):
    number = serializers.CharField(required=False, max_length=60)
    group = serializers.CharField(required=False, max_length=120)


class ContactsView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.CONTACTS}
    rights = {"GET": ["messaging.view_contact"], "POST": ["messaging.add_contact", "messaging.change_contact", SEE]}

    @extend_schema(operation_id="contacts_list", parameters=[ContactQuery], responses=page_of(shapes.Contact))
    def get(self, request: Any) -> Response:
        """The newest first."""
        query = self.read(ContactQuery, request.query_params.dict())
        if "group" not in query:
            rows = narrowed(Contact.objects.all(), query, number="number")
            return Response(page(rows, query, documents.contact))
        # Read by memberships, which are kept in the order of the contacts: SQLite would sort the whole group otherwise.
        members = GroupMembership.objects.filter(group=lookups.group(query["group"])).select_related("contact")
        members = narrowed(members, query, number="contact__number")
        return Response(page(members, query, lambda one: documents.contact(one.contact), by="contact_id"))

    @extend_schema(parameters=[KEY], request=shapes.ContactRequest, responses={201: shapes.WrittenContact})
    def post(self, request: Any) -> Response:
        """Add a contact, or change the one that has this number. What you leave out stays, and what you leave empty."""
        asked = self.read(shapes.ContactRequest)
        answer = self.once(lambda: _write(asked))
        written = documents.contact(row(Contact.objects.all(), answer.body["id"]))
        return Response({**written, **_erased_before(answer)}, answer.status)


def _attributes(asked: dict[str, Any]) -> dict[str, str]:
    """The attributes as they are kept; Problem for a name that no attribute can have."""
    attributes: dict[str, str] = asked.get("attributes", {})
    if bad := [name for name in attributes if not merge_fields.is_name(name)]:
        said = _(
            "“%(name)s” is not a name of an attribute: letters a to z, Chinese characters, digits and _, "
            "at most 40 of them."
        )
        raise problems.at("attributes", said % {"name": bad[0][:60]})
    if "country" in attributes:
        raise problems.at("attributes", _("“country” is read from the number: leave it out of “attributes”."))
    if own := [name for name in attributes if merge_fields.is_built_in(name)]:
        said = _("“%(name)s” has a key of its own beside “attributes”. Give it there.")
        raise problems.at("attributes", said % {"name": own[0]})
    if len(attributes) > MAX_COLUMNS:
        said = _("A contact has at most %(n)d attributes. Leave some out.")
        raise problems.at("attributes", said % {"n": MAX_COLUMNS})
    return {name: one_line(value) for name, value in attributes.items()}


def _write(asked: dict[str, Any]) -> Answer:
    number, attributes = lookups.number(asked["number"]), _attributes(asked)
    group = lookups.group(asked["group"]) if "group" in asked else None
    clean = CleanRow(
        number.number,
        Contact.Validity.VALID if number.is_valid else Contact.Validity.POSSIBLE,
        one_line(asked.get("name", "")),
        one_line(asked.get("email", "")),
        number.country,
        ",".join(number.time_zones),
        contact_rows.language(one_line(asked.get("language", ""))),
        attributes,
    )
    with transaction.atomic():
        written = contact_writes.write([clean.ready()], source="API", group_id=group.pk if group else None)
        contact = Contact.objects.get(number=number.number)
        if written.added or written.updated:
            record(Act.ADDED if written.added else Act.CHANGED, contact)
    return Answer(201, {"id": contact.pk, ERASED: bool(written.erased_before)})


def _erased_before(answer: Answer) -> dict[str, bool]:
    """Whether the number came back after its person was erased; an answer that an older console kept does not say."""
    return {ERASED: answer.body.get(ERASED, False)}


class ContactView(ApiView):
    scopes = {"GET": Scope.READ, "PATCH": Scope.CONTACTS, "DELETE": Scope.CONTACTS}
    rights = {
        "GET": [LOOK],
        "PATCH": [LOOK, "messaging.change_contact", SEE],
        "DELETE": [LOOK, "messaging.delete_contact"],
    }
    has_etag = True

    @extend_schema(responses=shapes.WholeContact)
    def get(self, request: Any, pk: int) -> Response:
        """A contact and its groups."""
        return Response(documents.whole_contact(row(Contact.objects.all(), pk)))

    @extend_schema(parameters=[KEY, IF_MATCH], request=shapes.ContactChange, responses=shapes.ChangedContact)
    def patch(self, request: Any, pk: int) -> Response:
        """Change a contact. What you leave out stays."""
        asked = self.read(shapes.ContactChange)
        answer = self.once(lambda: _edit(self, pk, asked))
        written = documents.whole_contact(row(Contact.objects.all(), pk))
        return Response({**written, **_erased_before(answer)}, answer.status)

    @extend_schema(parameters=[KEY, IF_MATCH], request=None, responses={204: None})
    def delete(self, request: Any, pk: int) -> Response:
        """Delete a contact: its messages stay, and a suppressed number stays suppressed."""
        return Response(status=deleted(self, Contact.objects.all(), pk, documents.whole_contact).status)


def _edit(view: ApiView, pk: int, asked: dict[str, Any]) -> Answer:
    contact = locked(view, Contact.objects.all(), pk, documents.whole_contact)
    before = row_changes.kept(contact)
    number = contact.number
    if "number" in asked:
        editing.put_number(contact, lookups.number(asked["number"]))
    for name in {"name", "email", "language"} & set(asked):
        setattr(contact, name, one_line(asked[name]))
    if "language" in asked:
        contact.language = contact_rows.language(contact.language)
    written = _attributes(asked) if "attributes" in asked else contact.attributes
    is_renamed = contact.name != before["name"]
    contact.attributes = written if "attributes" in asked or not is_renamed else editing.of_name(contact.name, written)
    if row_changes.kept(contact) != before:
        editing.save(contact, were=before)
        row_changes.record(contact, before)
    if "groups" in asked:
        contacts.put_into_groups(contact, lookups.groups(asked["groups"]))
    return Answer(200, {"id": pk, ERASED: contact.number != number and erasures.is_of_erased(contact.number)})


class GroupsView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.CONTACTS}
    rights = {"GET": ["messaging.view_contactgroup"], "POST": ["messaging.add_contactgroup"]}

    @extend_schema(operation_id="groups_list", parameters=[ListQuery], responses=page_of(shapes.Group))
    def get(self, request: Any) -> Response:
        """The newest first."""
        query = self.read(ListQuery, request.query_params.dict())
        return Response(page(_groups(), query, documents.group))

    @extend_schema(parameters=[KEY], request=shapes.GroupRequest, responses={201: shapes.Group})
    def post(self, request: Any) -> Response:
        """Make an empty group."""
        asked = self.read(shapes.GroupRequest)

        def work() -> Answer:
            group = ContactGroup(name=asked["name"], description=asked["description"])
            group.full_clean()
            group.save()
            record(Act.ADDED, group)
            return Answer(201, documents.group(group))

        answer = self.once(work)
        return Response(answer.body, answer.status)


class GroupView(ApiView):
    scopes = {"GET": Scope.READ, "PATCH": Scope.CONTACTS, "DELETE": Scope.CONTACTS}
    rights = {
        "GET": [LOOK_AT_GROUPS],
        "PATCH": [LOOK_AT_GROUPS, "messaging.change_contactgroup"],
        "DELETE": [LOOK_AT_GROUPS, "messaging.delete_contactgroup"],
    }
    has_etag = True

    @extend_schema(responses=shapes.Group)
    def get(self, request: Any, pk: int) -> Response:
        """The name of a group and what it is for."""
        return Response(documents.group(row(_groups(), pk)))

    @extend_schema(parameters=[KEY, IF_MATCH], request=shapes.GroupChange, responses=shapes.Group)
    def patch(self, request: Any, pk: int) -> Response:
        """Rename a group, or change what it is for."""
        asked = self.read(shapes.GroupChange)
        answer = changed(self, _groups(), pk, asked, _save_group, documents.group)
        return Response(documents.group(row(_groups(), pk)), answer.status)

    @extend_schema(parameters=[KEY, IF_MATCH], request=None, responses={204: None})
    def delete(self, request: Any, pk: int) -> Response:
        """Delete a group, unless a campaign, an audience or an import uses it: its contacts stay."""
        return Response(status=deleted(self, _groups(), pk, documents.group, contacts.delete_group).status)


def _groups() -> Any:
    return ContactGroup.objects.filter(is_ad_hoc=False)


def _save_group(group: ContactGroup) -> None:
    group.full_clean()
    group.save(update_fields=["name", "description"])


class MembersView(ApiView):
    """Moves contacts only if all of them exist: an unknown id is refused, not skipped."""

    scopes = {"POST": Scope.CONTACTS}
    rights = {"POST": [LOOK, LOOK_AT_GROUPS, "messaging.change_contact", SEE]}

    def move(self, pk: int, act: Any) -> Response:
        ids = set(self.read(shapes.GroupMembersRequest)["contacts"])

        def work() -> Answer:
            group, chosen = row(_groups(), pk), Contact.objects.filter(pk__among=ids)
            for missing in sorted(ids - set(chosen.values_list("pk", flat=True)))[:1]:
                row(Contact.objects.all(), missing)
            return Answer(200, {"contacts": act(chosen, group)})

        answer = self.once(work)
        return Response(answer.body, answer.status)


class AddMembersView(MembersView):
    @extend_schema(parameters=[KEY], request=shapes.GroupMembersRequest, responses=shapes.GroupMembers)
    def post(self, request: Any, pk: int) -> Response:
        """Put contacts into a group; those who are in it already stay."""
        return self.move(pk, contacts.add_to_group)


class RemoveMembersView(MembersView):
    @extend_schema(parameters=[KEY], request=shapes.GroupMembersRequest, responses=shapes.GroupMembers)
    def post(self, request: Any, pk: int) -> Response:
        """Take contacts out of a group; they stay contacts."""
        return self.move(pk, contacts.remove_from_group)


class AudiencesView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.CONTACTS}
    rights = {"GET": ["messaging.view_audience"], "POST": ["messaging.view_audience", "messaging.add_audience"]}

    @extend_schema(operation_id="audiences_list", parameters=[ListQuery], responses=page_of(shapes.Audience))
    def get(self, request: Any) -> Response:
        """The newest first."""
        query = self.read(ListQuery, request.query_params.dict())
        return Response(page(Audience.objects.all(), query, documents.audience))

    @extend_schema(parameters=[KEY], request=shapes.AudienceRequest, responses={201: shapes.Audience})
    def post(self, request: Any) -> Response:
        """Save a condition under a name: everybody who meets it when a campaign is launched is in the audience."""
        asked = self.read(shapes.AudienceRequest)
        answer = self.once(lambda: Answer(201, documents.audience(audiences.create(**asked, by=request.user))))
        return Response(answer.body, answer.status)


class AudienceView(ApiView):
    scopes = {"GET": Scope.READ, "PATCH": Scope.CONTACTS, "DELETE": Scope.CONTACTS}
    rights = {
        "GET": [LOOK_AT_AUDIENCES],
        "PATCH": [LOOK_AT_AUDIENCES, "messaging.change_audience"],
        "DELETE": [LOOK_AT_AUDIENCES, "messaging.delete_audience"],
    }
    has_etag = True

    @extend_schema(responses=shapes.Audience)
    def get(self, request: Any, pk: int) -> Response:
        """The name of an audience and its condition."""
        return Response(documents.audience(row(Audience.objects.all(), pk)))

    @extend_schema(parameters=[KEY, IF_MATCH], request=shapes.AudienceChange, responses=shapes.Audience)
    def patch(self, request: Any, pk: int) -> Response:
        """Rename an audience, or change its condition for campaigns that are launched from now on."""
        asked = self.read(shapes.AudienceChange)
        answer = changed(self, Audience.objects.all(), pk, asked, audiences.save, documents.audience)
        return Response(documents.audience(row(Audience.objects.all(), pk)), answer.status)

    @extend_schema(parameters=[KEY, IF_MATCH], request=None, responses={204: None})
    def delete(self, request: Any, pk: int) -> Response:
        """Delete an audience, unless a campaign that is not over sends to it."""
        return Response(status=deleted(self, Audience.objects.all(), pk, documents.audience).status)


class AudienceCountView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": ["messaging.view_audience", "messaging.view_contact"]}

    @extend_schema(parameters=[shapes.AudienceCountQuery], responses=shapes.AudienceCount)
    def get(self, request: Any, pk: int) -> Response:
        """How many contacts meet the condition now. For very many it counts a part: go on with “after”, and add up."""
        query = self.read(shapes.AudienceCountQuery, request.query_params.dict())
        meant = audiences.rules([conditions.from_json(row(Audience.objects.all(), pk).tree)])
        counted = audiences.count(meant, after=query["after"])
        found = {"contacts": counted.contacts, "is_counted": counted.is_done, "after": counted.after}
        return Response({"id": pk, **found})
