"""The lists: who may see them, search by any of four numbers, filters, names in one query, exports."""

import csv
import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import DjangoAssertNumQueries

from laaffic_console.gateway.models import Application
from laaffic_console.kit.audit import acts
from messaging.models import Contact
from phone_numbers.models import Binding, BindingRequest, NumberPool, OwnedNumber, SyncStatus
from phone_numbers.pool_config import PoolConfig
from phone_numbers.services import binding_changes, pool_state

pytestmark = pytest.mark.django_db

BINDINGS = "/admin/numbers/binding/"
POOLS = "/admin/numbers/numberpool/"
OWNED = "/admin/numbers/ownednumber/"


def add_bindings(application: Application, count: int, first: int = 0, **fields: object) -> list[Binding]:
    soon = timezone.now() + dt.timedelta(hours=2)
    return Binding.objects.bulk_create(
        Binding(
            **{
                "application": application,
                "bind_id": str(10**19 + first + n),
                "phone_a": str(919876500000 + first + n),
                "phone_b": str(919876600000 + first + n),
                "pns_number_a": str(911000000 + first + n),
                "pns_number_b": str(912000000 + first + n),
                "expires_at": soon + dt.timedelta(minutes=n),
                **fields,
            }
        )
        for n in range(count)
    )


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_one_that_runs_out_while_it_is_looked_at_takes_the_colour_of_its_state(
    admin_client: Client, application: Application
) -> None:
    """countdown.js shows the second when the time is over."""
    add_bindings(application, 1)

    shown = text_of(admin_client, BINDINGS)

    until, after = shown[shown.index("data-until-over") :].split("data-when-over hidden")[:2]
    after = after[: after.index("</td>")]
    assert "bg-green-100" in until
    assert "bg-green-100" not in after
    assert "bg-orange-100" in after


class PermissionTests:
    ADDRESSES = [BINDINGS, POOLS, OWNED, f"{BINDINGS}bind/", f"{POOLS}add/", f"{BINDINGS}export/csv/"]

    def test_a_stranger_has_to_sign_in(self, client: Client) -> None:
        for address in self.ADDRESSES:
            answer = client.get(address)
            assert (answer.status_code, answer["Location"][:13]) == (302, "/admin/login/")

    def test_staff_without_permission_is_refused(self, staff: Callable[..., Client]) -> None:
        client = staff()

        assert {client.get(address).status_code for address in self.ADDRESSES} == {403}

    def test_a_viewer_asks_for_nothing(self, staff: Callable[..., Client], application: Application) -> None:
        (binding,) = add_bindings(application, 1)
        client = staff("view_binding", "view_numberpool", "view_ownednumber")

        assert client.get(BINDINGS).status_code == client.get(f"{BINDINGS}{binding.pk}/change/").status_code == 200
        assert client.post(f"{BINDINGS}sync/").status_code == 403
        assert client.post(f"{BINDINGS}{binding.pk}/unbind/").status_code == 403
        assert client.get(f"{BINDINGS}bind/").status_code == 403
        assert not OrmQ.objects.exists()

    def test_a_link_changes_nothing(self, admin_client: Client, application: Application) -> None:
        (binding,) = add_bindings(application, 1)

        assert admin_client.get(f"{BINDINGS}sync/").status_code == 404
        assert admin_client.get(f"{BINDINGS}{binding.pk}/unbind/").status_code == 404


class BindingListTests:
    @pytest.mark.parametrize("number", ["919876500007", "919876600007", "911000007", "912000007", "+91 98765 00007"])
    def test_any_of_the_four_numbers_finds_it(
        self, admin_client: Client, application: Application, number: str
    ) -> None:
        add_bindings(application, 20)

        found = text_of(admin_client, f"{BINDINGS}?q={number.replace('+', '%2B')}")

        assert "919876500007" in found
        assert "919876500008" not in found

    def test_the_bind_id_finds_it_digit_by_digit(self, admin_client: Client, application: Application) -> None:
        add_bindings(application, 5)

        assert "919876500003" in text_of(admin_client, f"{BINDINGS}?q={10**19 + 3}")

    def test_what_has_gone_is_kept_and_shown_when_asked_for(
        self, admin_client: Client, application: Application
    ) -> None:
        when = dt.datetime(2026, 11, 20, 8, 30, tzinfo=dt.UTC)
        add_bindings(application, 1)
        add_bindings(application, 1, first=50, ended_at=when, ending=Binding.Ending.VANISHED)

        assert "919876500050" not in text_of(admin_client, BINDINGS)
        gone = text_of(admin_client, f"{BINDINGS}?state=ended")
        assert "919876500050" in gone
        assert "Gone at Laaffic 20 Nov 2026, 08:30" in gone
        assert "919876500000" not in gone
        assert "919876500050" in text_of(admin_client, f"{BINDINGS}?state=all")
        listed = admin_client.get(BINDINGS, {"state": "all"}).context["cl"].result_list
        assert [row.pk for row in listed] == sorted((row.pk for row in listed), reverse=True)

    def test_expires_within(self, admin_client: Client, application: Application) -> None:
        add_bindings(application, 1, expires_at=timezone.now() + dt.timedelta(minutes=10))
        add_bindings(application, 1, first=50, expires_at=timezone.now() + dt.timedelta(minutes=20))

        within = text_of(admin_client, f"{BINDINGS}?within=15")

        assert "919876500000" in within
        assert "919876500050" not in within

    @pytest.mark.parametrize("query", ["?within=x", "?within=" + "9" * 30, "?app=x", "?state=nonsense", "?q=%00"])
    def test_nonsense_in_the_address_is_no_error(
        self, admin_client: Client, application: Application, query: str
    ) -> None:
        answer = admin_client.get(BINDINGS + query, follow=True)  # what is no choice leads back to the list
        assert answer.status_code == 200

    def test_names_stand_beside_the_numbers_for_one_query_a_page(
        self, admin_client: Client, application: Application, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        add_bindings(application, 1200)
        Contact.objects.bulk_create(
            Contact(number=str(919876500000 + n), name=f"Ann <b>{n}</b>", country="IN") for n in range(60)
        )

        with django_assert_max_num_queries(15):
            shown = text_of(admin_client, BINDINGS)

        assert "Ann &lt;b&gt;7&lt;/b&gt;" in shown

    def test_csv_holds_what_the_list_shows_with_whole_ids(self, admin_client: Client, application: Application) -> None:
        add_bindings(application, 700)
        add_bindings(application, 3, first=900, ended_at=timezone.now(), ending="expired")
        Contact.objects.create(number="919876500001", name="=cmd", country="IN")

        answer = admin_client.get(f"{BINDINGS}export/csv/")
        rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))

        assert len(rows) == 700
        assert rows[1]["bind_id"] == str(10**19 + 1)
        assert rows[1]["a_name"] == "'=cmd"

    def test_a_workbook_holds_them_as_text(self, admin_client: Client, application: Application) -> None:
        add_bindings(application, 3)

        answer = admin_client.get(f"{BINDINGS}export/xlsx/?q=919876500002")
        sheet = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active

        assert [sheet.cell(2, 1).value, sheet.max_row] == [str(10**19 + 2), 2]

    def test_synchronise_asks_the_queue(
        self, admin_client: Client, application: Application, django_capture_on_commit_callbacks: Callable[..., Any]
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            answer = admin_client.post(f"{BINDINGS}sync/", follow=True)

        assert "Asked for" in answer.content.decode()
        assert [task.task["args"] for task in OrmQ.objects.all()] == [("bindings NumApp1",)]

    def test_without_an_application_it_says_what_to_do(self, admin_client: Client) -> None:
        assert "Register an application of the channel Numbers first" in text_of(admin_client, BINDINGS)


class PoolListTests:
    def test_a_hundred_pools_cost_a_few_queries(
        self, admin_client: Client, application: Application, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for n in range(100):
            pool = NumberPool.objects.create(pool_number=f"91{n:06d}")
            config = PoolConfig(pool.pool_number, ("10.0.0.1",), 9, ("9178605501",))
            version = pool_state.add_version(pool, config, origin="found")
            pool_state.take(version, listed_at=timezone.now())

        with django_assert_max_num_queries(12):
            assert "In step" in text_of(admin_client, POOLS)

    def test_what_has_no_value_is_at_the_same_end_on_both_databases(self, admin_client: Client) -> None:
        gone = {"gone_at": timezone.now(), "listed_concurrency": None}
        for name, fields in (("1", gone), ("2", {"listed_concurrency": 7}), ("3", {"listed_concurrency": 9})):
            NumberPool.objects.create(pool_number=name, **fields)
        column = admin_client.get(POOLS).context["cl"].all_columns.index("concurrency")

        found = [
            [
                pool.pool_number
                for pool in admin_client.get(POOLS, {"o": order} if order else {}).context["cl"].result_list
            ]
            for order in ("", column, -column)
        ]

        assert found == [["2", "3", "1"], ["1", "2", "3"], ["3", "2", "1"]]


class OwnedListTests:
    def test_a_number_without_a_day_comes_behind_all_that_are_due(self, admin_client: Client) -> None:
        for number, due in (("1", None), ("2", timezone.localdate())):
            OwnedNumber.objects.create(number=number, due_date=due)

        assert [row.number for row in admin_client.get(OWNED).context["cl"].result_list] == ["2", "1"]

    @pytest.fixture
    def owned(self) -> list[OwnedNumber]:
        today = timezone.localdate()
        return OwnedNumber.objects.bulk_create(
            OwnedNumber(number=str(91780000000 + days), state=3, due_date=today + dt.timedelta(days=days))
            for days in range(-10, 1200)
        )

    def test_due_soon(
        self,
        admin_client: Client,
        owned: list[OwnedNumber],
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        with django_assert_max_num_queries(12):
            within = text_of(admin_client, f"{OWNED}?due=7")

        assert "91780000007" in within
        assert "91780000008" not in within
        assert "91779999999" not in within
        assert "91779999999" in text_of(admin_client, f"{OWNED}?due=overdue")

    def test_the_type_is_in_words(self, admin_client: Client) -> None:
        for n, kind in enumerate(("FIXED", "MOBILE", "", "SHORT_CODE")):
            made = OwnedNumber.objects.create(number=f"4420000000{n}", number_type=kind)
        shown = text_of(admin_client, OWNED) + text_of(admin_client, f"{OWNED}{made.pk - 3}/change/")

        assert "FIXED" not in shown
        assert shown.count("Landline") == 2
        assert "Mobile" in shown
        assert "SHORT_CODE" in shown  # what Laaffic names new stays as it is

    def test_it_is_exported(self, admin_client: Client, owned: list[OwnedNumber]) -> None:
        answer = admin_client.get(f"{OWNED}export/csv/?due=overdue")

        assert len(b"".join(answer.streaming_content).splitlines()) == 11

    def test_the_panel_says_how_old_the_copy_is(self, admin_client: Client, application: Application) -> None:
        now = timezone.now()
        SyncStatus.objects.create(name="owned", started_at=now, finished_at=now, problem="Laaffic <refuses>", rows=4)

        shown = text_of(admin_client, OWNED)

        assert "Laaffic &lt;refuses&gt;" in shown

    def test_a_copy_that_nobody_has_renewed_is_out_of_date(
        self, admin_client: Client, application: Application
    ) -> None:
        long_ago = timezone.now() - dt.timedelta(hours=1)
        SyncStatus.objects.create(name="owned", started_at=long_ago, finished_at=long_ago, succeeded_at=long_ago)

        shown = text_of(admin_client, OWNED)

        assert "Out of date" in shown
        assert "In step" not in shown


class MaskedTests:
    def test_only_who_sees_both_numbers_unbinds(self, staff: Callable[..., Client], application: Application) -> None:
        (binding,) = add_bindings(application, 1)
        client = staff("view_binding", "unbind_binding")

        answer = client.post(f"{BINDINGS}{binding.pk}/unbind/", {"seen_pair": "x"}, follow=True)

        assert answer.status_code == 403
        assert binding.phone_a not in answer.content.decode()

    @pytest.mark.parametrize("sees_numbers", [False, True])
    def test_what_is_said_of_a_pair_is_masked(self, application: Application, sees_numbers: bool) -> None:
        (binding,) = add_bindings(application, 1)
        ours = BindingRequest(application=application, phone_a=binding.phone_a, phone_b="919999999999")
        with acts.acting(lambda: acts.Actor(1, "staff", sees_numbers=sees_numbers)):
            with pytest.raises(ValidationError) as problem:
                binding_changes.unbind(binding, seen="x")
            said = [*problem.value.messages, binding_changes._bound_already(ours)]

        assert [binding.phone_b in one for one in said] == [sees_numbers] * 2
        assert ["•" in one for one in said] == [not sees_numbers] * 2

    @pytest.mark.parametrize("sees_contacts", [False, True])
    def test_names_are_for_who_sees_contacts(
        self, staff: Callable[..., Client], application: Application, sees_contacts: bool
    ) -> None:
        (binding,) = add_bindings(application, 1)
        Contact.objects.create(number=binding.phone_a, name="Ravi")
        client = staff("view_binding", *["view_contact"] * sees_contacts)

        for address in (BINDINGS, f"{BINDINGS}{binding.pk}/change/"):
            assert ("Ravi" in text_of(client, address)) is sees_contacts
