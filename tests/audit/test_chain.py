"""Entries are chained: what is removed, changed or cut off shows, and old ones go by age alone."""

import dataclasses
import datetime as dt
import itertools
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection, models, transaction
from django.utils import timezone

from laaffic_console.audit.models import AppendOnly, AuditEntry, AuditHead
from laaffic_console.audit.services import chain, retention
from laaffic_console.kit.audit.acts import Act, Actor, acting, actor, record

pytestmark = pytest.mark.django_db
ADA = Actor(7, "ada", "203.0.113.7")


def made(count: int, *, days_ago: int = 0) -> list[AuditEntry]:
    for number in range(count):
        record(Act.CHANGED, label=f"thing {number}", by=ADA, changes=[["Name", "a", "b\0"]], share=1.10)
    if days_ago:
        chain.entries().filter(position=None).update(at=timezone.now() - dt.timedelta(days=days_ago))
    chain.seal()
    return list(AuditEntry.objects.order_by("position"))


def verified(*arguments: str) -> str:
    out = StringIO()
    call_command("audit", "verify", *arguments, stdout=out)
    return out.getvalue()


def test_what_nobody_has_touched_verifies() -> None:
    made(3)

    said = verified()

    head = AuditHead.objects.get()
    assert "3 entries are as they were written" in said
    assert f"3:{head.digest}" in said


def test_an_empty_chain_verifies() -> None:
    assert "0 entries" in verified()


def test_entries_are_sealed_in_one_order_whoever_commits_first() -> None:
    made(2)
    made(1)

    assert list(AuditEntry.objects.order_by("id").values_list("position", flat=True)) == [1, 2, 3]
    assert chain.seal() == 0


def test_a_removed_entry_shows() -> None:
    made(4)
    chain.entries().filter(position=2).delete()

    with pytest.raises(CommandError, match=r"Entry 2 was removed\. 1 entries before it"):
        verified()


def test_a_changed_entry_shows_and_is_named() -> None:
    made(3)
    chain.entries().filter(position=2).update(person="ben")

    with pytest.raises(CommandError, match="Entry 2 was changed: Changed: thing 1, by “ben”"):
        verified()


@pytest.mark.parametrize("column", ["at", "kind", "person_id", "address", "object_kind", "object_id", "summary"])
def test_every_column_is_covered(column: str) -> None:
    [entry] = made(1)
    other = {"at": entry.at + dt.timedelta(seconds=1), "person_id": 8, "summary": {"changes": []}}
    chain.entries().update(**{column: other.get(column, "else")})

    assert "Entry 1 was changed" in chain.verify().problem


def test_a_removed_entry_shows_when_the_rest_is_numbered_anew() -> None:
    made(3)
    chain.entries().filter(position=2).delete()
    chain.entries().filter(position=3).update(position=2)

    assert "Entry 2 was changed" in chain.verify().problem


def test_an_entry_that_was_changed_with_its_own_digest_breaks_the_next() -> None:
    first, second, _third = made(3)
    second.person = "ben"
    chain.entries().filter(position=2).update(person="ben", digest=chain.digest_of(second, first.digest))

    assert "Entry 3 was changed" in chain.verify().problem


def test_a_cut_tail_shows() -> None:
    made(3)
    chain.entries().filter(position__gte=3).delete()

    assert chain.verify().problem == "Entry 3 was removed, with those after it."


def test_a_chain_that_was_written_anew_shows_by_what_was_kept_elsewhere() -> None:
    made(3)
    known = str(AuditHead.objects.get())
    AuditHead.objects.all().delete()
    chain.entries().filter(position=2).delete()
    chain.entries().update(position=None, digest="")
    made(1)

    assert "3 entries are as they were written" in verified()
    with pytest.raises(CommandError, match="Entry 3 is not the one that was there before"):
        verified("--known", known)


def test_what_a_person_has_kept_wrongly_is_said() -> None:
    with pytest.raises(CommandError, match="--known takes what verify has printed"):
        verified("--known", "3:abc")
    with pytest.raises(CommandError, match="--known takes what verify has printed"):
        verified("--known", f"{'9' * 5000}:{'a' * 64}")


def test_scripts_get_a_document() -> None:
    made(1)

    said = json.loads(verified("--json"))

    assert (said["checked"], said["position"], said["problem"]) == (1, 1, "")


def test_nobody_changes_or_deletes_an_entry() -> None:
    [entry] = made(1)

    for forbidden in (entry.save, entry.delete, AuditEntry.objects.all().delete):
        with pytest.raises(AppendOnly):
            forbidden()
    with pytest.raises(AppendOnly):
        AuditEntry.objects.update(person="ben")


class PruningTests:
    def test_what_is_older_goes_and_the_rest_verifies(self) -> None:
        made(3, days_ago=40)
        made(2)

        out = StringIO()
        call_command("audit", "prune", "--days", "30", stdout=out)

        assert out.getvalue() == "3 entries removed.\n"
        assert chain.verify().problem == ""
        assert list(AuditEntry.objects.order_by("id").values_list("kind", flat=True)) == [
            "changed",
            "changed",
            "pruned",
        ]
        assert AuditEntry.objects.get(kind="pruned").summary == {"entries": 3, "older_than_days": 30}

    def test_what_is_broken_off_has_told_what_it_removed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made(3, days_ago=40)
        monkeypatch.setattr(retention, "AT_ONCE", 2)
        piece = retention._prune_some

        def first_then_broken_off(days: int) -> int:
            if AuditEntry.objects.filter(kind="pruned").exists():
                raise KeyboardInterrupt
            return piece(days)

        monkeypatch.setattr(retention, "_prune_some", first_then_broken_off)
        with pytest.raises(KeyboardInterrupt):
            retention.prune(30)

        assert AuditEntry.objects.get(kind="pruned").summary == {"entries": 2, "older_than_days": 30}
        assert chain.verify().problem == ""

    def test_a_sweep_removes_some(self, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.LAAFFIC_AUDIT_DAYS = 30
        made(3, days_ago=40)
        monkeypatch.setattr(retention, "AT_ONCE", 1)
        monkeypatch.setattr(retention, "PIECES", 2)

        assert [retention.prune_if_due() for _sweep in range(3)] == [2, 1, 0]

    def test_an_old_entry_behind_a_younger_one_stays(self) -> None:
        made(1)
        made(1, days_ago=40)

        assert retention.prune(30) == 0

    def test_a_removed_entry_shows_after_pruning(self) -> None:
        made(2, days_ago=40)
        made(3)
        retention.prune(30)
        chain.entries().filter(position=3).delete()

        assert chain.verify().problem == "Entry 3 was removed."

    def test_the_sweep_removes_a_day_at_a_time(self, settings: LazySettings) -> None:
        settings.LAAFFIC_AUDIT_DAYS = 30
        made(1, days_ago=30)
        assert retention.prune_if_due() == 0

        made(1)
        chain.entries().filter(position=1).update(at=timezone.now() - dt.timedelta(days=32))
        assert retention.prune_if_due() == 1
        assert AuditEntry.objects.get(kind="pruned").person == "console"

    def test_without_an_age_everything_stays(self, settings: LazySettings) -> None:
        settings.LAAFFIC_AUDIT_DAYS = 0
        made(1, days_ago=4000)

        assert retention.prune_if_due() == 0
        with pytest.raises(CommandError, match="LAAFFIC_AUDIT_DAYS is 0"):
            call_command("audit", "prune")


def test_what_is_taken_back_was_not_done() -> None:
    with transaction.atomic():
        record(Act.CHANGED, by=ADA)
        transaction.set_rollback(True)

    assert not AuditEntry.objects.exists()


def test_a_text_that_no_database_takes_is_kept_without_what_it_cannot_hold() -> None:
    record(Act.CHANGED, label="a\0b\ud800" + "c" * 300, by=ADA)

    assert AuditEntry.objects.get().object_label == "ab?" + "c" * 197


def test_what_a_worker_does_by_itself_is_nobodys_act() -> None:
    assert actor() is None
    record(Act.STEPPED)

    assert not AuditEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_scripts_do_is_sealed_with_the_next_act_of_a_person_or_before_it_is_verified() -> None:
    script = dataclasses.replace(ADA, is_script=True)
    with acting(lambda: script):
        record(Act.CHANGED)
        record(Act.CHANGED)
    assert not AuditEntry.objects.exclude(position=None).exists()

    with acting(lambda: ADA):
        record(Act.CHANGED)
    assert sorted(AuditEntry.objects.values_list("position", flat=True)) == [1, 2, 3]

    with acting(lambda: script):
        record(Act.CHANGED)
    assert chain.verify().position == 4


@pytest.mark.django_db(transaction=True)
def test_an_entry_is_sealed_as_soon_as_it_is_committed() -> None:
    with acting(lambda: ADA), transaction.atomic():
        record(Act.CHANGED)
        assert AuditEntry.objects.get().position is None

    assert AuditEntry.objects.get().position == 1


def test_more_than_are_sealed_at_once_are_all_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "AT_ONCE", 2)
    made(5)

    assert chain.entries().filter(position=None).count() == 0
    assert chain.verify().problem == ""


def test_a_head_that_was_changed_shows() -> None:
    made(2)
    AuditHead.objects.update(digest="0" * 64)

    assert chain.verify().problem == "The end of the chain was changed after entry 2."


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", [lambda: made(1), lambda: retention.prune(5)], ids=["an act", "pruning"])
def test_what_happens_while_it_is_verified_is_no_break(
    act: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction.atomic():  # sealed once they are old
        made(3, days_ago=9)
    made(3)
    entries, calls = chain.entries, itertools.count()

    def meanwhile() -> None:
        try:
            act()
        finally:
            connection.close()

    def entries_while_it_happens() -> "models.QuerySet[AuditEntry]":
        if next(calls) == 1:  # the first looks for what is to be sealed; now the head is read
            with ThreadPoolExecutor(1) as other:
                other.submit(meanwhile).result()
        return entries()

    monkeypatch.setattr(chain, "entries", entries_while_it_happens)

    found = chain.verify()

    assert (found.problem, found.checked, found.position) == ("", 6, 6)


def test_a_tail_that_was_cut_with_its_head_shows_by_what_was_kept_elsewhere() -> None:
    made(3)
    kept = AuditHead.objects.get()
    before = chain.entries().get(position=2)
    chain.entries().filter(position=3).delete()
    AuditHead.objects.update(position=2, digest=before.digest)

    assert chain.verify().problem == ""
    assert chain.verify((kept.position, kept.digest)).problem == "Entry 3 was removed, with those after it."


def test_what_is_known_of_an_entry_that_was_pruned_proves_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with transaction.atomic():
        made(3, days_ago=9)
    chain.seal()
    second, third = (chain.entries().get(position=n) for n in (2, 3))
    retention.prune(5)

    assert chain.verify((3, third.digest)).not_compared == ""
    assert chain.verify((3, "f" * 64)).problem == "Entry 3 is not the one that was there before."
    assert chain.verify((2, second.digest)).not_compared.startswith(
        "Entry 2 is not kept any more: old ones were removed"
    )
    with pytest.raises(CommandError, match="Entry 2 is not kept any more") as unproved:
        call_command("audit", "verify", "--known", f"2:{second.digest}")
    assert unproved.value.returncode == 3
    assert "entries are as they were written" in capsys.readouterr().out


def test_while_none_are_old_enough_none_are_removed() -> None:
    made(2)

    assert retention.prune(0) == 0
    assert retention.prune(1) == 0
    assert chain.entries().count() == 2
