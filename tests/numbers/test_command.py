"""`manage.py numbers`: the same services from the shell, one JSON document and nothing else."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.sandbox.testing import RunningSandbox
from phone_numbers.models import Binding, NumberPool
from phone_numbers.services import pool_changes
from tests.numbers.conftest import Door

pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("numbers", *arguments, "--json", stdout=out)
    document: dict[str, Any] = json.loads(out.getvalue())
    return document


class SyncTests:
    def test_everything(self, sandbox: RunningSandbox, application: Application, door: Door) -> None:
        door("bindings/add", count=3)

        lists = {row["list"]: row["rows"] for row in run("sync")["lists"]}

        assert lists == {"bindings NumApp1": 3, "pools": 2, "owned": 12}

    def test_one_that_fails_does_not_keep_the_others_back(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        sandbox.set_faults(status="-2", status_calls=1)
        out = io.StringIO()

        with pytest.raises(CommandError, match=r"bindings NumApp1: .*IP whitelist"):
            call_command("numbers", "sync", "--json", stdout=out)

        assert [("problem" in row) for row in json.loads(out.getvalue())["lists"]] == [True, False, False]

    def test_a_list_that_is_not_there(self, sandbox: RunningSandbox, db: None) -> None:
        with pytest.raises(CommandError, match="Unknown list phones"):
            run("sync", "phones")

    def test_bindings_need_an_application(self, sandbox: RunningSandbox, db: None) -> None:
        with pytest.raises(CommandError, match="register_app APPID --channel number"):
            run("sync", "bindings")


class SwitchedOffTests:
    @pytest.mark.parametrize(
        "given",
        [
            ["sync", "bindings"],
            ["bind", "+919876543210", "+919876543211", "--pool", "918885"],
            ["bind", "+919876543210", "+919876543211", "--pool", "918885", "--app", "NumApp1"],
        ],
    )
    def test_it_is_said_where_to_switch_it_on(self, application: Application, given: list[str]) -> None:
        Application.objects.update(is_active=False)

        with pytest.raises(CommandError, match=r"NumApp1 is switched off.*/gateway/application/\d+/change/"):
            run(*given)


class BindTests:
    def test_bind_and_unbind(self, sandbox: RunningSandbox, application: Application) -> None:
        made = run("bind", "+919876543210", "+919876543211", "--pool", "918885", "--seconds", "60")

        assert (made["state"], made["a_sees"]) == ("accepted", "9178605501")
        assert run("unbind", made["bind_id"])["state"] == "accepted"
        with pytest.raises(CommandError, match="gone already"):
            run("unbind", made["bind_id"])

    def test_one_that_joins_two_others_by_now_is_not_ended_unseen(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        made = run("bind", "+919876543210", "+919876543211", "--pool", "918885")
        Binding.objects.update(phone_b="919876543299")

        with pytest.raises(CommandError, match="not the two that were shown"):
            run("unbind", made["bind_id"], "--seen", made["seen"])

        Binding.objects.update(phone_b="919876543211")
        assert run("unbind", made["bind_id"], "--seen", made["seen"])["state"] == "accepted"

    def test_what_an_application_has_bound_is_ended_after_it_is_switched_off(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        made = run("bind", "+919876543210", "+919876543211", "--pool", "918885")
        Application.objects.update(is_active=False)

        assert run("unbind", made["bind_id"], "--app", "NumApp1")["state"] == "accepted"

    def test_mistakes_name_their_field(self, sandbox: RunningSandbox, application: Application) -> None:
        with pytest.raises(CommandError, match="b: A and B are the same"):
            run("bind", "+919876543210", "919876543210", "--pool", "918885")
        with pytest.raises(CommandError, match="There is no binding 77"):
            run("unbind", "77")

    def test_one_bind_id_of_two_applications_is_not_guessed(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        made = run("bind", "+919876543210", "+919876543211", "--pool", "918885")
        other = Application.objects.create(app_id="NumApp2", channel="number")
        twin = Binding.objects.create(bind_id=made["bind_id"], application=other)

        with pytest.raises(CommandError, match=r"several applications.*NumApp1, NumApp2"):
            run("unbind", made["bind_id"])

        assert LedgerEntry.objects.filter(interface__icontains="unbind").count() == 0
        Binding.objects.filter(pk=twin.pk).update(ended_at=timezone.now())
        assert run("unbind", made["bind_id"])["state"] == "accepted"
        assert not Binding.objects.get(application=application).is_live


class PoolTests:
    def test_the_difference_is_shown_and_nothing_sent_without_the_number(
        self, sandbox: RunningSandbox, application: Application, tmp_path: Path
    ) -> None:
        run("sync", "pools")
        file = tmp_path / "numbers.csv"
        file.write_text("number\n9178605502\n9178605503\n9178605503\n")

        shown = run("pool", "edit", "918885", "--file", str(file), "--concurrency", "50")

        assert shown == {
            "applied": False,
            "difference": {
                "concurrency": [99, 50],
                "added_numbers": ["9178605503"],
                "removed_numbers": ["9178605501"],
            },
            "seen": NumberPool.objects.get(pool_number="918885").listed.fingerprint,
        }
        assert not LedgerEntry.objects.exists()

        sent = run("pool", "edit", "918885", "--file", str(file), "--concurrency", "50", "--confirm", "918885")
        assert (sent["version"], sent["state"]) == (2, "accepted")
        assert NumberPool.objects.get(pool_number="918885").listed.whitelist == "192.168.10.17,192.168.10.18"

    def test_drift_and_back(self, sandbox: RunningSandbox, application: Application, door: Door) -> None:
        run("sync", "pools")
        door("pools/drift", pool_number="918885", max_concurrency=7)
        run("sync", "pools")
        shown = run("pool", "show", "918885")
        assert (shown["drifted"], shown["difference"]) == (True, {"concurrency": [99, 7]})

        assert run("pool", "apply", "918885", "--confirm", "918885")["origin"] == "reapplied"

        listed = {row["pool"]: row["drifted"] for row in run("pool", "list")["pools"]}
        assert listed == {"918885": False, "442000": False}

    @pytest.mark.parametrize("verb", [["edit", "--concurrency", "5"], ["apply"], ["adopt"]])
    def test_what_was_compared_meanwhile_is_not_replaced_unseen(
        self, sandbox: RunningSandbox, application: Application, door: Door, verb: list[str]
    ) -> None:
        run("sync", "pools")
        door("pools/drift", pool_number="918885", max_concurrency=7)
        run("sync", "pools")
        seen = run("pool", "show", "918885")["seen"]
        door("pools/drift", pool_number="918885", numbers=["9178605599"])
        run("sync", "pools")

        with pytest.raises(CommandError, match="differs from what was shown"):
            run("pool", verb[0], "918885", *verb[1:], "--confirm", "918885", "--seen", seen)
        assert not LedgerEntry.objects.exists()

    def test_an_edit_does_not_bring_back_what_was_ours_before(
        self, sandbox: RunningSandbox, application: Application, door: Door, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It takes what it does not name from ours, which another replaces by Laaffic's at this moment."""
        run("sync", "pools")
        door("pools/drift", pool_number="918885", max_concurrency=7)
        run("sync", "pools")
        read = pool_changes.read

        def adopted_meanwhile(**given: Any) -> pool_changes.Proposal:
            pool_changes.adopt(NumberPool.objects.get(pool_number="918885"))
            return read(**given)

        monkeypatch.setattr(pool_changes, "read", adopted_meanwhile)

        with pytest.raises(CommandError, match="has changed this pool in the meantime"):
            run("pool", "edit", "918885", "--whitelist", "10.0.0.1", "--confirm", "918885")
        assert not LedgerEntry.objects.exists()

    def test_create_rename_and_adopt(self, sandbox: RunningSandbox, application: Application, door: Door) -> None:
        made = ["--whitelist", "10.0.0.1", "--numbers", "9178600001", "--concurrency", "5", "--confirm", "918000"]
        assert run("pool", "create", "918000", *made)["state"] == "accepted"
        assert run("pool", "edit", "918000", "--rename", "918001", "--confirm", "918000")["pool"] == "918001"
        door("pools/drift", pool_number="918001", max_concurrency=6)
        run("sync", "pools")

        assert run("pool", "adopt", "918001")["origin"] == "adopted"

    def test_a_pool_that_laaffic_does_not_list(self, sandbox: RunningSandbox, application: Application) -> None:
        with pytest.raises(CommandError, match="numbers pool create 918885 --at-laaffic"):
            run("pool", "edit", "918885", "--concurrency", "5")
        given = ["--whitelist", "10.0.0.1", "--numbers", "9178600001", "--concurrency", "5", "--confirm", "918885"]

        assert run("pool", "create", "918885", "--at-laaffic", *given)["state"] == "accepted"

        assert LedgerEntry.objects.get().interface == "editNumberPool"

    @pytest.mark.parametrize(
        ("arguments", "why"),
        [
            (["show", "1"], "There is no pool 1 here"),
            (["edit", "918885", "--at-laaffic"], "“pool edit” does not take --at-laaffic"),
            (["show"], "Name the pool"),
            (["edit", "918885", "--whitelist", "10.0.0.300"], "whitelist: “10.0.0.300” is not an address"),
            (["edit", "918885", "--concurrency=-1"], "--concurrency: "),
            (["edit", "918885", "--concurrency", "1", "--confirm", "x"], "Type 918885"),
            (["create", "918000", "--whitelist", "10.0.0.1"], "--concurrency: "),
            (["edit", "918885", "--file", "/nowhere.csv"], "cannot be read"),
            (["apply", "918885", "--version-number", "9"], "no version 9"),
        ],
    )
    def test_mistakes_say_what_to_do(
        self, sandbox: RunningSandbox, application: Application, arguments: list[str], why: str
    ) -> None:
        run("sync", "pools")

        with pytest.raises(CommandError, match=why):
            run("pool", *arguments)
        assert not LedgerEntry.objects.exists()


@pytest.mark.parametrize(
    ("action", "option"),
    [
        ("apply", ["--concurrency", "5"]),
        ("apply", ["--numbers", "1"]),
        ("apply", ["--whitelist", "1.1.1.1"]),
        ("apply", ["--file", "numbers.csv"]),
        ("apply", ["--rename", "918001"]),
        ("adopt", ["--concurrency", "5"]),
        ("adopt", ["--version-number", "1"]),
        ("show", ["--confirm", "918885"]),
        ("create", ["--rename", "918001"]),
        ("edit", ["--version-number", "1"]),
    ],
)
def test_a_pool_is_not_changed_by_what_its_verb_does_not_read(
    sandbox: RunningSandbox, db: None, action: str, option: list[str]
) -> None:
    run("sync", "pools")

    with pytest.raises(CommandError, match=f"“pool {action}” does not take {option[0]}"):
        run("pool", action, "918885", *option)

    assert not LedgerEntry.objects.exists()
