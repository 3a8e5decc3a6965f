"""Contacts, groups, the suppression list, replies, the balance and health."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from laaffic_console.api import documents, named, sending, shapes
from laaffic_console.api.idempotency import Answer
from laaffic_console.api.message_views import KEY
from laaffic_console.api.models import Scope
from laaffic_console.api.narrowing import narrowed
from laaffic_console.api.problems import Problem
from laaffic_console.api.views import ApiView, ListQuery, page, row
from laaffic_console.dashboard import health
from laaffic_console.gateway.models import BalanceReading
from laaffic_console.kit.acts import Act, record
from laaffic_console.kit.masks import SEE
from laaffic_console.kit.plain_text import one_line
from messaging import merge_fields
from messaging.contact_files import MAX_COLUMNS
from messaging.contact_rows import CleanRow
from messaging.models import Contact, ContactGroup, GroupMembership, Reply, SuppressionEntry
from messaging.services.contacts import contact_writes, suppression


class ContactQuery(ListQuery):
    number = serializers.CharField(required=False, max_length=60)
    group = serializers.CharField(required=False, max_length=120)


class ContactsView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.CONTACTS}
    rights = {"GET": ["messaging.view_contact"], "POST": ["messaging.add_contact", "messaging.change_contact", SEE]}

    @extend_schema(operation_id="contacts_list", parameters=[ContactQuery], responses=shapes.page_of(shapes.Contact))
    def get(self, request: Any) -> Response:
        """The newest first."""
        query = self.read(ContactQuery, request.query_params.dict())
        if "group" not in query:
            rows = narrowed(Contact.objects.all(), query, number="number")
            return Response(page(rows, query, documents.contact))
        # Read by its memberships, which are kept in the order of the contacts: SQLite would sort all of a group.
        members = GroupMembership.objects.filter(group=named.group(query["group"])).select_related("contact")
        members = narrowed(members, query, number="contact__number")
        return Response(page(members, query, lambda one: documents.contact(one.contact), by="contact_id"))

    @extend_schema(parameters=[KEY], request=shapes.ContactRequest, responses={201: shapes.Contact})
    def post(self, request: Any) -> Response:
        """Add a contact, or what is said of one that is there. What is not said stays."""
        asked = self.read(shapes.ContactRequest)
        answer = self.once(lambda: _write(asked))
        return Response(documents.contact(row(Contact.objects.all(), answer.body["id"])), answer.status)


def _write(asked: dict[str, Any]) -> Answer:
    number, attributes = named.number(asked["number"]), asked.get("attributes", {})
    if bad := [name for name in attributes if not merge_fields.is_name(name)]:
        said = _(
            "“%(name)s” is not a name of an attribute: letters a to z, Chinese characters, digits and _, "
            "at most 40 of them."
        )
        raise Problem(400, said % {"name": bad[0][:60]})
    if own := [name for name in attributes if merge_fields.is_built_in(name)]:
        raise Problem(400, _("“%(name)s” has a key of its own beside “attributes”. Give it there.") % {"name": own[0]})
    if len(attributes) > MAX_COLUMNS:
        raise Problem(400, _("A contact has at most %(n)d attributes. Leave some out.") % {"n": MAX_COLUMNS})
    group = named.group(asked["group"]) if "group" in asked else None
    clean = CleanRow(
        number.number,
        Contact.Validity.VALID if number.is_valid else Contact.Validity.POSSIBLE,
        one_line(asked.get("name", "")),
        one_line(asked.get("email", "")),
        number.country,
        ",".join(number.time_zones),
        one_line(asked.get("language", "")),
        {name: one_line(value) for name, value in attributes.items()},
    )
    with transaction.atomic():
        written = contact_writes.write([clean.ready()], source="API", group_id=group.pk if group else None)
        contact = Contact.objects.get(number=number.number)
        if written.added or written.updated:
            record(Act.ADDED if written.added else Act.CHANGED, contact)
    return Answer(201, {"id": contact.pk})


class ContactView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": ["messaging.view_contact"]}
    has_etag = True

    @extend_schema(responses=shapes.Contact)
    def get(self, request: Any, pk: int) -> Response:
        """What is known of one."""
        return Response(documents.contact(row(Contact.objects.all(), pk)))


class GroupsView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.CONTACTS}
    rights = {"GET": ["messaging.view_contactgroup"], "POST": ["messaging.add_contactgroup"]}

    @extend_schema(parameters=[ListQuery], responses=shapes.page_of(shapes.Group))
    def get(self, request: Any) -> Response:
        """The newest first."""
        query = self.read(ListQuery, request.query_params.dict())
        return Response(page(ContactGroup.objects.filter(is_ad_hoc=False), query, documents.group))

    @extend_schema(parameters=[KEY], request=shapes.GroupRequest, responses={201: shapes.Group})
    def post(self, request: Any) -> Response:
        """An empty group."""
        asked = self.read(shapes.GroupRequest)

        def work() -> Answer:
            group = ContactGroup(name=asked["name"], description=asked["description"])
            group.full_clean()
            group.save()
            record(Act.ADDED, group)
            return Answer(201, documents.group(group))

        answer = self.once(work)
        return Response(answer.body, answer.status)


class SuppressionQuery(ListQuery):
    number = serializers.CharField(required=False, max_length=60)


class SuppressionView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.CONTACTS}
    rights = {"GET": ["messaging.view_suppressionentry"], "POST": ["messaging.add_suppressionentry"]}

    @extend_schema(parameters=[SuppressionQuery], responses=shapes.page_of(shapes.Suppressed))
    def get(self, request: Any) -> Response:
        """Who is never sent to, the newest first."""
        query = self.read(SuppressionQuery, request.query_params.dict())
        rows = SuppressionEntry.objects.all()
        if "number" in query:
            rows = SuppressionEntry.objects.of_subscribers([named.number(query["number"]).number])
        return Response(page(rows, query, documents.suppressed))

    @extend_schema(parameters=[KEY], request=shapes.SuppressRequest, responses=shapes.SuppressAnswer)
    def post(self, request: Any) -> Response:
        """Put numbers on the list: they get nothing more."""
        asked = self.read(shapes.SuppressRequest)
        numbers, invalid = sending.read_numbers(asked["to"])

        def work() -> Answer:
            outcome = suppression.suppress_numbers(
                numbers,
                channel=asked["channel"],
                reason=SuppressionEntry.Reason.MANUAL,
                note=asked["note"],
                by=request.user,
                source="API",
            )
            return Answer(200, {"added": outcome.added, "already_there": outcome.already_there})

        answer = self.once(work)
        return Response({**answer.body, "invalid": invalid}, answer.status)


class RepliesView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": ["messaging.view_reply"]}

    @extend_schema(parameters=[SuppressionQuery], responses=shapes.page_of(shapes.Reply))
    def get(self, request: Any) -> Response:
        """What people answered, the newest first."""
        query = self.read(SuppressionQuery, request.query_params.dict())
        rows = narrowed(Reply.objects.all(), query, number="number")
        return Response(page(rows, query, documents.reply))


class BalanceView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": ["gateway.view_balancereading"]}

    @extend_schema(responses=shapes.Balance)
    def get(self, request: Any) -> Response:
        """As it was last read."""
        last = BalanceReading.objects.order_by("-at").first()
        return Response(
            {
                "at": documents.moment(last.at) if last else None,
                "balance": str(last.balance) if last else None,
                "currency": last.currency if last else "",
            }
        )


class HealthView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": ["gateway.view_workerheartbeat"]}

    @extend_schema(responses=shapes.Health)
    def get(self, request: Any) -> Response:
        """Whether database, queue and workers work together."""
        parts = health.parts()
        well = all(part.is_well for part in parts)
        return Response({"status": "ok" if well else "not ready", "parts": {one.name: one.says for one in parts}})
