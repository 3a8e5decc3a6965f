"""The list of contacts and a contact's own page, with as many contacts as there may be."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from laaffic_console.gateway.models import Application
from laaffic_console.kit.lists import distinct_values, list_order
from laaffic_console.kit.lists.paginator import estimate
from messaging import search_indexes
from messaging.admin.contacts.contact_filters import CountryFilter
from messaging.models import Campaign, Contact, ContactGroup, GroupMembership, Message, SuppressionEntry
from messaging.services.audience import audience
from messaging.services.campaigns import drafts
from messaging.services.contacts import contacts, suppression
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db

LIST = "/admin/messaging/contact/"


class SearchTests:
    @pytest.mark.parametrize(
        ("term", "found"),
        [
            ("ann", 1),
            ("ANN L", 1),
            ("lee", 1),
            ("ann@EX", 1),
            ("@example", 0),
            ("+91 98765", 1),
            ("50%", 0),
            ("_nn", 0),
        ],
    )
    def test_by_the_beginning(self, admin_client: Client, term: str, found: int) -> None:
        Contact.objects.create(number="919876543210", name="Ann Lee", email="ann@example.org")

        shown = admin_client.get(LIST, {"q": term}).context["cl"].result_list

        assert len(shown) == found

    @pytest.mark.parametrize("digits", ["9", "99", "919", "9199", "0", "1"])
    def test_numbers_by_any_beginning(self, digits: str) -> None:
        numbers = ["1999", "9", "91", "919", "9199", "91990", "91999", "92", "99", "999", "9990"]
        Contact.objects.bulk_create(Contact(number=number) for number in numbers)

        found = Contact.objects.filter(search_indexes.numbers_from(digits))

        assert {contact.number for contact in found} == {n for n in numbers if n.startswith(digits)}

    def test_the_operators_own_order_stays(self, admin_client: Client, group: ContactGroup) -> None:
        add_contacts(group, 3, name="Ann")

        shown = admin_client.get(LIST, {"q": "ann", "o": "-1"}).context["cl"].result_list

        assert [contact.number for contact in shown] == ["919876500002", "919876500001", "919876500000"]

    @pytest.mark.parametrize("condition", [{"name__istartswith": "zzq"}, {"email__istartswith": "zzq@"}])
    def test_an_index_answers(self, group: ContactGroup, condition: dict[str, str]) -> None:
        Contact.objects.bulk_create(
            Contact(number=str(919000000000 + n), name=f"Name {n}", email=f"user{n}@example.org") for n in range(3000)
        )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE messaging_contact")

        plan = Contact.objects.filter(**condition).order_by("-id")[:50].explain()

        assert f"contact_{next(iter(condition)).split('__')[0]}_start" in plan

    def test_the_list_asks_as_much_for_fifty_as_for_one(self, admin_client: Client, group: ContactGroup) -> None:
        def queries(query: str) -> int:
            with CaptureQueriesContext(connection) as captured:
                assert admin_client.get(f"{LIST}{query}").status_code == 200
            return len(captured)

        add_contacts(group, 1, name="Ann")
        one, of_search = queries(""), queries("?q=ann")
        add_contacts(group, 60, first=919876600000, name="Ann")

        assert queries("") == one
        assert queries("?q=ann") <= of_search
        assert queries(f"?group={group.pk}") <= one + 2  # the group, and how many are in it


class OrderTests:
    def order(self, client: Client, column: str) -> list[str]:
        """Numbers as they are shown when somebody asks for this order."""
        changelist = client.get(LIST).context["cl"]
        at = [getattr(one, "__name__", one) for one in changelist.all_columns].index(column)  # masked ones are callable
        return [contact.number for contact in client.get(LIST, {"o": str(at)}).context["cl"].result_list]

    def test_a_long_list_is_sorted_by_what_an_index_keeps(
        self, admin_client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number, name in (("919876543212", "Cy"), ("919876543211", "Ann"), ("919876543210", "Bo")):
            Contact.objects.create(number=number, name=name)
        assert self.order(admin_client, "name") == ["919876543211", "919876543210", "919876543212"]
        newest_first = ["919876543210", "919876543211", "919876543212"]

        monkeypatch.setattr(list_order, "COUNT_LIMIT", 2)

        assert self.order(admin_client, "name") == newest_first
        assert list(admin_client.get(LIST).context["cl"].sortable_by) == ["shown_number", "country"]
        assert self.order(admin_client, "shown_number") == sorted(newest_first)

    def test_a_short_list_is_counted_although_its_ids_lie_far_apart(self, admin_client: Client) -> None:
        """As behind a restore."""
        for pk, number, name in ((1, "919876543211", "Bo"), (90_000_000, "919876543212", "Ann")):
            Contact.objects.create(pk=pk, number=number, name=name)

        assert estimate(Contact) == 2
        assert self.order(admin_client, "name") == ["919876543212", "919876543211"]


class FilterTests:
    @pytest.mark.parametrize(
        ("condition", "index"),
        [({"country": "DE"}, "contact_country"), ({"validity": "possible"}, "contact_possible")],
    )
    def test_what_is_rare_is_found_by_an_index(self, condition: dict[str, str], index: str) -> None:
        Contact.objects.bulk_create(Contact(number=str(919000000000 + n), country="IN") for n in range(3000))
        Contact.objects.create(number="4915123456789", country="DE", validity="possible")
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE messaging_contact")

        assert index in Contact.objects.filter(**condition).order_by("-id")[:50].explain()

    def offered(self, client: Client, **query: str) -> list[str]:
        changelist = client.get(LIST, query).context["cl"]
        (country,) = [one for one in changelist.filter_specs if isinstance(one, CountryFilter)]
        return [code for code, _name in country.lookup_choices]

    def test_only_countries_that_contacts_have_are_offered_by_name(self, admin_client: Client) -> None:
        Contact.objects.bulk_create(
            Contact(number=str(919000000000 + n), country=country)
            for n, country in enumerate(["IN", "IN", "", "DE", "IN", "GB", "DE"])
        )

        assert self.offered(admin_client) == ["DE", "IN", "GB"]  # Germany, India, United Kingdom
        assert self.offered(admin_client, country="FR") == ["FR", "DE", "IN", "GB"]

    def test_they_are_read_by_leaps_along_an_index(self) -> None:
        Contact.objects.bulk_create(Contact(number=str(919000000000 + n), country="IN") for n in range(3000))
        Contact.objects.create(number="4915123456789", country="DE")
        with connection.cursor() as cursor, CaptureQueriesContext(connection) as asked:
            cursor.execute("ANALYZE messaging_contact")
            assert distinct_values.by_index(Contact, "country") == ["DE", "IN"]
            # PostgreSQL shows the second leap only of a plan that it has carried out.
            explain = "EXPLAIN ANALYZE" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
            cursor.execute(f"{explain} {asked[-1]['sql']}")
            plan = "\n".join(str(row) for row in cursor.fetchall())

        assert plan.count("contact_country") == 2, plan
        assert "Seq Scan" not in plan

    def test_more_countries_cost_no_more_queries(self, admin_client: Client) -> None:
        Contact.objects.create(number="919000000000", country="IN")
        admin_client.get(LIST)
        with CaptureQueriesContext(connection) as few:
            admin_client.get(LIST)
        Contact.objects.bulk_create(
            Contact(number=str(4915123456000 + n), country=country)
            for n, country in enumerate(["DE", "FR", "BR", "GB"])
        )

        with CaptureQueriesContext(connection) as many:
            admin_client.get(LIST)
        assert len(many) == len(few)


class DeleteTests:
    def chosen(self, contacts: list[Contact], **more: Any) -> dict[str, Any]:
        return {"action": "delete_chosen", "_selected_action": [contact.pk for contact in contacts], **more}

    def test_it_asks_first_and_then_deletes_all_of_them(
        self, admin_client: Client, group: ContactGroup, application: Application
    ) -> None:
        made = add_contacts(group, 1200)
        campaign = drafts.create(name="A", application=application, sender_id="", text="Hi", groups=[group])
        audience.begin(campaign)
        while audience.freeze_chunk(campaign.pk):
            pass
        suppression.suppress_numbers([made[0].number], channel="sms", reason="opt_out")

        asked = admin_client.post(LIST, self.chosen(made[:1], select_across="1"))
        assert asked.context["how_many"] == 1200
        assert Contact.objects.count() == 1200
        with CaptureQueriesContext(connection) as captured:
            admin_client.post(
                LIST, self.chosen(made[:1], select_across="1", _shown=asked.context["shown"], _confirmed="1")
            )

        assert (Contact.objects.count(), GroupMembership.objects.count()) == (0, 0)
        assert (Message.objects.count(), SuppressionEntry.objects.count()) == (1200, 1)
        assert len(captured) < 60

    def test_the_message_of_a_deleted_contact_can_still_be_seen(
        self, admin_client: Client, group: ContactGroup, application: Application
    ) -> None:
        [contact] = add_contacts(group, 1, name="Ann")
        campaign = drafts.create(name="A", application=application, sender_id="", text="Hi", groups=[group])
        audience.begin(campaign)
        audience.freeze_chunk(campaign.pk)

        admin_client.post(f"{LIST}{contact.pk}/delete/", {"post": "yes"})

        assert not Contact.objects.exists()
        message = Message.objects.get()
        assert admin_client.get(f"/admin/messaging/message/{message.pk}/change/").status_code == 200

    def test_a_group_leaves_its_contacts(self, admin_client: Client, group: ContactGroup) -> None:
        add_contacts(group, 1500)
        address = f"/admin/messaging/contactgroup/{group.pk}/delete/"

        asked = admin_client.get(address).content.decode()
        admin_client.post(address, {"post": "yes"})

        assert "1,500 memberships" in asked
        assert (ContactGroup.objects.count(), Contact.objects.count()) == (0, 1500)

    def test_who_may_not_is_not_offered_it(self, client: Client, group: ContactGroup) -> None:
        [contact] = add_contacts(group, 1)
        user = User.objects.create_user("bo", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=["view_contact", "change_contact"]))
        client.force_login(user)

        client.post(LIST, self.chosen([contact], _confirmed="1"))

        assert Contact.objects.exists()


class PageTests:
    @pytest.fixture
    def save(self, admin_client: Client) -> Callable[..., Any]:
        def post(contact: Contact, **fields: Any) -> Any:
            given = {"number": contact.number, "name": contact.name, "email": "", "language": "", "attributes": ""}
            return admin_client.post(f"{LIST}{contact.pk}/change/", {**given, **fields})

        return post

    def test_everything_that_is_known(
        self, admin_client: Client, group: ContactGroup, application: Application
    ) -> None:
        [contact] = add_contacts(group, 1, name="Ann", attributes={"city": "Pune"})
        campaign = drafts.create(name="Autumn", application=application, sender_id="", text="Hi", groups=[group])
        audience.begin(campaign)
        audience.freeze_chunk(campaign.pk)
        suppression.suppress_numbers([contact.number], channel="sms", reason="opt_out", note="by phone")
        suppression.allow_again(SuppressionEntry.objects.all(), why="changed her mind", by=None)
        suppression.suppress_numbers([contact.number], channel="email", reason="complaint", note="again")

        page = admin_client.get(f"{LIST}{contact.pk}/change/").content.decode()

        for said in ("city: Pune", "customers", "Autumn", "Queued", "Email: suppressed.", "again", "changed her mind"):
            assert said in page

    def test_who_may_not_see_messages_does_not(self, client: Client, group: ContactGroup) -> None:
        [contact] = add_contacts(group, 1)
        user = User.objects.create_user("bo", is_staff=True)
        user.user_permissions.add(Permission.objects.get(codename="view_contact"))
        client.force_login(user)

        page = client.get(f"{LIST}{contact.pk}/change/")

        assert page.context["received"] is None

    def test_attributes_and_groups_are_saved(self, save: Callable[..., Any], group: ContactGroup) -> None:
        [contact] = add_contacts(group, 1, name="Ann", attributes={"city": "Pune", "note": "two\nlines"})
        other = ContactGroup.objects.create(name="other")
        quick = ContactGroup.objects.create(name="quick", is_ad_hoc=True)
        GroupMembership.objects.create(contact=contact, group=quick)

        answer = save(contact, attributes="city: Goa\nnote: two lines\nplan : a: b\n", member_of=[other.pk])

        assert answer.status_code == 302
        contact.refresh_from_db()
        assert contact.attributes == {"city": "Goa", "note": "two\nlines", "plan": "a: b"}
        assert set(contact.groups.all()) == {other, quick}

    @pytest.mark.parametrize("lines", ["city", "1st: x", "name: x", "a: x\na: y", f"a: {'x' * 501}"])
    def test_a_line_that_is_none_is_said_and_kept(
        self, save: Callable[..., Any], group: ContactGroup, lines: str
    ) -> None:
        [contact] = add_contacts(group, 1, name="Ann", attributes={"city": "Pune"})

        answer = save(contact, attributes=lines)

        form = answer.context["adminform"].form
        assert list(form.errors) == ["attributes"]
        assert form["attributes"].value() == lines
        contact.refresh_from_db()
        assert contact.attributes == {"city": "Pune"}

    def test_a_new_one_is_told_by_its_number(self, admin_client: Client, group: ContactGroup) -> None:
        admin_client.post(f"{LIST}add/", {"number": "+1 202-456-1111", "member_of": [group.pk]})

        contact = Contact.objects.get()
        assert (contact.number, contact.country) == ("12024561111", "US")
        assert list(contact.groups.all()) == [group]


def test_set_groups_keeps_a_membership_that_stays(group: ContactGroup) -> None:
    [contact] = add_contacts(group, 1)
    before = GroupMembership.objects.get().pk

    contacts.set_groups(contact, [group])

    assert GroupMembership.objects.get().pk == before
    assert not Campaign.objects.exists()
