"""Binding, unbinding and changing pools in the admin: asked, confirmed, and nothing typed is lost."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.sandbox.testing import RunningSandbox
from phone_numbers.models import Binding, BindingRequest, NumberPool
from phone_numbers.services import binding_changes, pool_changes, pool_sync
from tests.numbers.conftest import Door

pytestmark = pytest.mark.django_db(transaction=True)

BIND = "/admin/numbers/binding/bind/"
POOLS = "/admin/numbers/numberpool/"


@pytest.fixture
def pool(sandbox: RunningSandbox, application: Application) -> NumberPool:
    pool_sync.sync()
    return NumberPool.objects.get(pool_number="918885")


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def terms(application: Application, **given: Any) -> dict[str, Any]:
    return {
        "application": application.pk,
        "phone_a": "+91 98765 43210",
        "phone_b": "+91 98765 43211",
        "pool_number": "918885",
        "kind": "1",
        "amount": "2",
        "unit": "3600",
        **given,
    }


class BindTests:
    def test_it_binds_and_shows_the_middle_number(
        self, admin_client: Client, sandbox: RunningSandbox, application: Application
    ) -> None:
        shown = text_of(admin_client.post(BIND, terms(application), follow=True))

        assert "A sees 9178605501" in shown
        assert BindingRequest.objects.get().seconds == 7200
        assert BindingRequest.objects.get().requested_by.username == "admin"

    @pytest.mark.parametrize(
        ("given", "why"),
        [
            ({"phone_a": "nobody"}, "is not a phone number"),
            ({"amount": "4", "unit": "86400"}, "from 1 second to 3 days"),
            ({"amount": "0"}, "greater than or equal to 1"),
            ({"amount": "9" * 30}, "3 days"),
            ({"phone_b": "+44 7400 123456"}, "only numbers of one country"),
        ],
    )
    def test_a_mistake_is_at_its_field_and_nothing_typed_is_lost(
        self,
        admin_client: Client,
        sandbox: RunningSandbox,
        application: Application,
        given: dict[str, Any],
        why: str,
    ) -> None:
        shown = text_of(admin_client.post(BIND, terms(application, **given)))

        assert why in shown
        assert 'value="918885"' in shown
        assert not LedgerEntry.objects.exists()

    def test_a_lost_answer_is_said_and_shown(
        self, admin_client: Client, sandbox: RunningSandbox, application: Application
    ) -> None:
        sandbox.set_faults(next_fault="reset_after", next_calls=1)

        shown = text_of(admin_client.post(BIND, terms(application), follow=True))

        assert "s answer was lost" in shown
        assert "The answer to 1 request was lost" in shown
        listed = text_of(admin_client.get("/admin/numbers/bindingrequest/?entry__state__exact=unknown"))
        assert "919876543210" in listed

    def test_one_that_is_gone(
        self, admin_client: Client, sandbox: RunningSandbox, application: Application, door: Door
    ) -> None:
        admin_client.post(BIND, terms(application))
        made = Binding.objects.get()
        door("bindings/vanish", bind_ids=[made.bind_id])

        seen = {"seen_pair": binding_changes.pair_as_shown(made)}

        shown = text_of(admin_client.post(f"/admin/numbers/binding/{made.pk}/unbind/", seen, follow=True))

        assert f"Laaffic has no binding {made.bind_id} any more" in shown
        assert "Gone at Laaffic" in shown
        assert "Unbind</button>" not in shown

    def test_one_that_has_ended_is_bound_again_from_its_page(
        self, admin_client: Client, sandbox: RunningSandbox, application: Application
    ) -> None:
        admin_client.post(BIND, terms(application))
        binding = Binding.objects.get()
        own, again = f"/admin/numbers/binding/{binding.pk}/change/", f"{BIND}?again={binding.pk}"
        assert "cannot extend" in text_of(admin_client.get(own))
        assert "+919876543210" not in text_of(admin_client.get(again))

        Binding.objects.update(ended_at=timezone.now(), ending=Binding.Ending.EXPIRED)

        assert again in text_of(admin_client.get(own))
        form = admin_client.get(again).context["form"]
        assert [form[name].value() for name in ("application", "phone_a", "phone_b", "pool_number", "kind")] == [
            *(application.pk, "+919876543210", "+919876543211", "918885", 1)
        ]

    def test_unbind(self, admin_client: Client, sandbox: RunningSandbox, application: Application) -> None:
        admin_client.post(BIND, terms(application))
        made = Binding.objects.get()

        seen = {"seen_pair": binding_changes.pair_as_shown(made)}

        shown = text_of(admin_client.post(f"/admin/numbers/binding/{made.pk}/unbind/", seen, follow=True))

        assert "Unbound" in shown
        assert Binding.objects.get().ending == "unbound"


def hidden(shown: str) -> dict[str, str]:
    """What the page with the difference hands on."""
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', shown)
    return {name: value for name, value in fields if name != "csrfmiddlewaretoken"}


class EditTests:
    @pytest.fixture
    def edit(self, admin_client: Client, pool: NumberPool) -> Callable[..., str]:
        seen = str(pool.current_id)

        def post(**given: Any) -> str:
            fields = {
                "pool_number": "918885",
                "whitelist": "192.168.10.17, 192.168.10.18",
                "max_concurrency": "99",
                "numbers": "9178605501\n9178605502",
                "seen_version": seen,
                **given,
            }
            return text_of(admin_client.post(f"{POOLS}{pool.pk}/edit/", fields, follow=True))

        return post

    def test_the_difference_comes_first_and_then_the_typed_number(
        self, edit: Callable[..., str], pool: NumberPool, sandbox: RunningSandbox
    ) -> None:
        shown = edit(numbers="9178605502\n9178605503\n+91 786 0550 3", max_concurrency="50")
        assert "1 number added" in shown
        assert "1 number removed" in shown
        assert "1 duplicate was left out: 9178605503" in shown
        assert not LedgerEntry.objects.exists()

        wrong = edit(**hidden(shown), step="apply", typed="918884")
        assert "Type 918885" in wrong
        assert "1 number added" in wrong
        assert not LedgerEntry.objects.exists()

        done = edit(**hidden(wrong), step="apply", typed="918885")
        assert "Laaffic has accepted version 2" in done
        pool.refresh_from_db()
        assert pool.listed.numbers == ("9178605502", "9178605503")

    def test_numbers_of_a_file_join_those_that_are_typed(self, edit: Callable[..., str], pool: NumberPool) -> None:
        shown = edit(file=SimpleUploadedFile("more.csv", b"number\n9178605509\n9178605501\n"))

        assert hidden(shown)["numbers"].split() == ["9178605501", "9178605502", "9178605509"]
        assert "1 duplicate was left out: 9178605501" in shown

    def test_going_back_keeps_what_was_typed(self, edit: Callable[..., str]) -> None:
        shown = edit(**hidden(edit(max_concurrency="50")), step="back")

        assert 'value="50"' in shown
        assert "9178605502</textarea>" in shown

    @pytest.mark.parametrize("comes", ["before the look", "after it"])
    def test_what_another_has_changed_meanwhile_is_not_undone(
        self, edit: Callable[..., str], pool: NumberPool, comes: str
    ) -> None:
        """Who has changed the addresses only does not take away a number that somebody has just added."""
        mine, theirs = {"whitelist": "192.168.10.99"}, ("9178605501", "9178605502", "9178605511")

        def another() -> None:
            config = replace(pool.listed, numbers=theirs)
            pool_changes.apply(pool, config, typed="918885", by=User.objects.create_user("bo"))

        if comes == "before the look":
            another()
        shown = edit(**mine)
        if comes == "after it":
            another()
            shown = edit(**hidden(shown), step="apply", typed="918885")

        assert "bo has changed this pool in the meantime (version 2)" in shown
        assert "9178605511" not in shown[shown.index('id="difference"') : shown.index('id="id_typed"')]
        assert "192.168.10.99" in shown
        pool.refresh_from_db()
        assert pool.current.number == 2

        assert "accepted version 3" in edit(**hidden(shown), step="apply", typed="918885")
        pool.refresh_from_db()
        assert (pool.listed.addresses, pool.listed.numbers) == (("192.168.10.99",), theirs)

    @pytest.mark.parametrize("answered", ["before the look", "after a try"])
    def test_a_change_whose_answer_was_awaited_is_not_undone(
        self, admin_client: Client, pool: NumberPool, sandbox: RunningSandbox, answered: str
    ) -> None:
        """Its version was there when the form was filled, and was not ours yet."""
        theirs = ("9178605501", "9178605502", "9178605511")
        sandbox.set_faults(next_fault="reset_after", next_calls=1)
        pool_changes.apply(
            pool, replace(pool.listed, numbers=theirs), typed="918885", by=User.objects.create_user("bo")
        )
        edit = f"{POOLS}{pool.pk}/edit/"
        form = admin_client.get(edit).context["form"]
        mine = {name: form[name].value() for name in ("pool_number", "max_concurrency", "numbers", "seen_version")}
        mine["whitelist"] = "192.168.10.99"
        if answered == "before the look":
            pool_sync.sync()
            shown = text_of(admin_client.post(edit, mine))
        else:
            shown = text_of(admin_client.post(edit, mine))
            again = text_of(admin_client.post(edit, {**hidden(shown), "step": "apply", "typed": "918885"}))
            assert "is not known yet" in again
            pool_sync.sync()
            shown = text_of(admin_client.post(edit, {**hidden(again), "step": "apply", "typed": "918885"}))

        assert "bo has changed this pool in the meantime (version 2)" in shown
        assert hidden(shown)["numbers"].split() == [*theirs]
        admin_client.post(edit, {**hidden(shown), "step": "apply", "typed": "918885"})
        pool.refresh_from_db()
        assert (pool.listed.addresses, pool.listed.numbers) == (("192.168.10.99",), theirs)

    def test_what_changes_at_the_moment_of_the_click_is_taken_over_too(
        self, edit: Callable[..., str], pool: NumberPool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        theirs, apply = ("9178605501", "9178605502", "9178605511"), pool_changes.apply
        shown = edit(whitelist="192.168.10.99")

        def another_first(*given: Any, **more: Any) -> Any:
            monkeypatch.setattr(pool_changes, "apply", apply)
            config = replace(pool.listed, numbers=theirs)
            apply(pool, config, typed="918885", by=User.objects.create_user("bo"))
            return apply(*given, **more)

        monkeypatch.setattr(pool_changes, "apply", another_first)

        again = edit(**hidden(shown), step="apply", typed="918885")

        assert "bo has changed this pool in the meantime (version 2)" in again
        assert hidden(again)["numbers"].split() == [*theirs]
        assert "accepted version 3" in edit(**hidden(again), step="apply", typed="918885")
        pool.refresh_from_db()
        assert (pool.listed.addresses, pool.listed.numbers) == (("192.168.10.99",), theirs)

    def test_a_version_of_the_same_number_that_came_after_a_restore_is_not_taken_for_the_one_that_was_seen(
        self, edit: Callable[..., str], pool: NumberPool
    ) -> None:
        """Who had seen the version that the backup lacks is told, and looks again."""
        lost = str(pool.current_id + 1000)
        pool_changes.apply(
            pool, replace(pool.listed, max_concurrency=50), typed="918885", by=User.objects.create_user("bo")
        )

        shown = edit(whitelist="192.168.10.99", seen_version=lost)
        again = edit(**hidden(shown), step="apply", typed="wrong")

        assert "bo has changed this pool in the meantime (version 2)" in again
        assert "accepted version 3" in edit(**hidden(again), step="apply", typed="918885")

    @pytest.mark.parametrize(
        ("given", "why"),
        [
            ({"whitelist": "10.0.0.300"}, "“10.0.0.300” is not an address"),
            ({"whitelist": ",".join(["1" * 12] * 17)}, "is not an address"),
            ({"max_concurrency": "-1"}, "0 to 9,999"),
            ({"max_concurrency": "many"}, "Enter a whole number"),
            ({"max_concurrency": ""}, "0 to 9,999"),
            ({"numbers": "12"}, "has 2 digits"),
            ({"pool_number": "442000"}, "There is a pool 442000 already"),
            ({"file": SimpleUploadedFile("x.csv", b"PK\x03\x04")}, "This is a workbook"),
            ({"file": SimpleUploadedFile("x.csv", b"")}, "The file is empty"),
            ({}, "nothing to change"),
        ],
    )
    def test_a_mistake_is_said_and_nothing_is_sent(
        self, edit: Callable[..., str], given: dict[str, Any], why: str
    ) -> None:
        shown = edit(**given)

        assert why in shown
        assert "See the difference" in shown
        assert not LedgerEntry.objects.exists()

    def test_hidden_fields_that_were_tampered_with_are_read_again(self, edit: Callable[..., str]) -> None:
        shown = edit(step="apply", typed="918885", whitelist="10.0.0.300")

        assert "is not an address" in shown
        assert not LedgerEntry.objects.exists()

    def test_what_is_typed_is_escaped(self, edit: Callable[..., str]) -> None:
        assert "<script>alert" not in edit(numbers="<script>alert(1)</script>", whitelist="<script>alert(1)</script>")

    def test_an_earlier_version_goes_through_the_same_door(
        self, admin_client: Client, edit: Callable[..., str], pool: NumberPool, door: Door
    ) -> None:
        door("pools/drift", pool_number="918885", max_concurrency=7)
        pool_sync.sync()
        shown = text_of(admin_client.get(f"{POOLS}{pool.pk}/change/"))
        assert "Laaffic holds something else since" in shown
        apply = f"{POOLS}{pool.pk}/versions/1/apply/"
        assert "<del>7</del>" in text_of(admin_client.get(apply))

        seen = hidden(text_of(admin_client.get(apply)))
        assert "Type 918885" in text_of(admin_client.post(apply, {**seen, "typed": ""}))
        done = text_of(admin_client.post(apply, {**seen, "typed": "918885"}, follow=True))

        assert "Laaffic has accepted version 2" in done
        assert "In step" in done

    def test_an_unknown_outcome_blocks_until_it_is_settled(
        self, admin_client: Client, edit: Callable[..., str], pool: NumberPool, sandbox: RunningSandbox
    ) -> None:
        sandbox.set_faults(next_fault="reset_after", next_calls=1)
        edit(**hidden(edit(max_concurrency="50")), step="apply", typed="918885")
        assert LedgerEntry.objects.get().state == EntryState.UNKNOWN

        shown = text_of(admin_client.get(f"{POOLS}{pool.pk}/change/"))

        assert "What happened to version 2 is not known" in shown
        assert 'id="edit"' not in shown
        assert "Outcome unknown" in text_of(admin_client.get(POOLS))

    def test_creating_a_pool(self, admin_client: Client, pool: NumberPool, sandbox: RunningSandbox) -> None:
        fields = {"pool_number": "918000", "whitelist": "10.0.0.1", "max_concurrency": "5", "numbers": "9178600001"}
        shown = text_of(admin_client.post(f"{POOLS}add/", fields))
        assert "This pool will be created" in shown

        done = admin_client.post(f"{POOLS}add/", {**hidden(shown), "step": "apply", "typed": "918000"}, follow=True)

        assert "Laaffic has accepted version 1" in text_of(done)

    def test_replacing_a_pool_that_laaffic_does_not_list(self, admin_client: Client, sandbox: RunningSandbox) -> None:
        fields = {"pool_number": "918885", "whitelist": "10.0.0.1", "max_concurrency": "5", "numbers": "9178600001"}
        assert 'name="at_laaffic"' in text_of(admin_client.get(f"{POOLS}add/"))
        shown = text_of(admin_client.post(f"{POOLS}add/", {**fields, "at_laaffic": "on"}))
        assert "This will change at Laaffic" in shown

        admin_client.post(f"{POOLS}add/", {**hidden(shown), "step": "apply", "typed": "918885"})

        assert LedgerEntry.objects.get().interface == "editNumberPool"

    def test_a_number_that_is_taken_leads_to_its_pool(self, admin_client: Client, pool: NumberPool) -> None:
        shown = text_of(admin_client.post(f"{POOLS}add/", {"pool_number": " 918885 ", "max_concurrency": "5"}))

        assert "There is a pool 918885 already. Edit that one." in shown
        assert f'id="taken" href="{POOLS}{pool.pk}/edit/"' in shown

    def test_laaffics_is_taken_over(self, admin_client: Client, pool: NumberPool, door: Door) -> None:
        door("pools/drift", pool_number="918885", max_concurrency=7)
        pool_sync.sync()

        seen = hidden(text_of(admin_client.get(f"{POOLS}{pool.pk}/change/")))
        shown = text_of(
            admin_client.post(f"{POOLS}{pool.pk}/adopt/", {"seen_listed": seen["seen_listed"]}, follow=True)
        )

        assert "Taken over" in shown
        assert not LedgerEntry.objects.exists()


class ComparedMeanwhileTests:
    """A synchronisation between the page and the click: nobody deletes a number that they were not shown."""

    @pytest.fixture
    def drift(self, door: Door, pool: NumberPool) -> Callable[..., None]:
        def happen(**given: Any) -> None:
            door("pools/drift", pool_number="918885", **given)
            pool_sync.sync()

        return happen

    @pytest.mark.parametrize("page", ["edit", "versions/1/apply", "adopt"])
    def test_what_is_shown_is_shown_again(
        self, admin_client: Client, pool: NumberPool, drift: Callable[..., None], page: str
    ) -> None:
        drift(max_concurrency=7)
        at = f"{POOLS}{pool.pk}/{page}/"
        fields = {"pool_number": "918885", "whitelist": "192.168.10.17", "max_concurrency": "99"}
        fields["seen_version"] = str(pool.current_id)
        looked = admin_client.post(at, fields) if page == "edit" else admin_client.get(at)
        if page == "adopt":
            looked = admin_client.get(f"{POOLS}{pool.pk}/change/")
        sent = {**hidden(text_of(looked)), "typed": "918885", "step": "apply"}
        drift(numbers=["9178605501", "9178605502", "9178605599"])

        again = text_of(admin_client.post(at, sent, follow=True))

        assert "differs from what was shown" in again
        assert "9178605599" in again
        assert not LedgerEntry.objects.exists()
        sent |= {name: value for name, value in hidden(again).items() if name.startswith("seen_")}
        admin_client.post(at, sent)
        pool.refresh_from_db()
        assert (pool.current.number, pool.drifted_at) == (2, None)

    def test_without_the_mark_of_a_page_nothing_is_sent(self, admin_client: Client, pool: NumberPool) -> None:
        fields = {"pool_number": "918885", "whitelist": "10.0.0.1", "max_concurrency": "5"}

        again = text_of(admin_client.post(f"{POOLS}{pool.pk}/edit/", {**fields, "typed": "918885", "step": "apply"}))

        assert "differs from what was shown" in again
        assert not LedgerEntry.objects.exists()

    def test_a_binding_that_joins_others_now_is_not_unbound(
        self, admin_client: Client, sandbox: RunningSandbox, application: Application
    ) -> None:
        admin_client.post(BIND, terms(application))
        made = Binding.objects.get()
        sent = hidden(text_of(admin_client.get(f"/admin/numbers/binding/{made.pk}/change/")))
        Binding.objects.update(phone_b="919876543219")

        shown = text_of(admin_client.post(f"/admin/numbers/binding/{made.pk}/unbind/", sent, follow=True))

        assert "joins 919876543210 – 919876543219 now" in shown
        assert Binding.objects.get().is_live


class PermissionTests:
    def test_changing_is_not_applying(self, staff: Callable[..., Client], pool: NumberPool) -> None:
        client = staff("view_numberpool", "change_numberpool", "add_numberpool")

        assert client.get(f"{POOLS}{pool.pk}/change/").status_code == 200
        assert 'id="edit"' not in text_of(client.get(f"{POOLS}{pool.pk}/change/"))
        for address in (f"{POOLS}{pool.pk}/edit/", f"{POOLS}{pool.pk}/versions/1/apply/", f"{POOLS}add/"):
            assert client.get(address).status_code == 403
            assert client.post(address, {"typed": "918885", "step": "apply"}).status_code == 403

    def test_viewing_is_not_taking_over(self, staff: Callable[..., Client], pool: NumberPool) -> None:
        assert staff("view_numberpool").post(f"{POOLS}{pool.pk}/adopt/").status_code == 403

    def test_without_a_token_of_this_site_nothing_is_done(self, pool: NumberPool, admin_user: User) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(admin_user)

        assert client.post(f"{POOLS}{pool.pk}/edit/", {"step": "apply", "typed": "918885"}).status_code == 403
        assert client.post(BIND, {}).status_code == 403
