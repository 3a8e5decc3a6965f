"""People are found by letters in the middle of their name, however the contact came, as long as they are there."""

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from laaffic_console.gateway.models import Lease
from laaffic_console.gateway.services import leases
from laaffic_console.kit.search_kinds import Query
from messaging import search_indexes
from messaging.models import Contact
from messaging.services.contacts import (
    contact_writes,
    contacts,
    import_files,
    import_undo,
    imports,
    name_index,
    people,
    people_search,
)

pytestmark = pytest.mark.django_db

NAME, NUMBER = "Maria Fernanda López", "919876543210"


def found(typed: str) -> list[str]:
    return [contact.name for contact in people_search.find(Query.read(typed), 8)]


def contact(name: str = NAME, number: str = NUMBER) -> Contact:
    made = Contact.objects.create(number=number, name=name)
    name_index.index_waiting()
    return made


def indexed() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM contact_names")
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize(
    "typed",
    ["Fernanda", "FERNANDA", "nand", "fernanda maria", "lopez", "ÓPE", "o\u0301pe", "mar nan lop", "fer\0nanda"],
)
def test_a_middle_name_is_found_by(typed: str) -> None:
    contact()
    contact("Ann Bo Carlson", "4915112345678")

    assert found(typed) == [NAME]


@pytest.mark.parametrize(
    "typed",
    [
        "an",
        "%",
        "fern%",
        "f_r",
        '"fer"',
        'fer"',
        "fer*",
        "fer OR ann",
        "NOT",
        "-fer",
        "{fer}",
        "words:fer",
        "' OR 1=1 --",
        "😀😀😀",
        "fern" * 40,
        "andfern",
        "anda zzz",
    ],
)
def test_what_no_name_holds_finds_nobody(typed: str) -> None:
    contact()

    assert found(typed) == []


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ('Ann "Fer" Bo', '"fer"'),
        ("Ann 50%_x Bo", "0%_x"),
        ("Анна Ивановна Жук", "ВАНОВ"),
        ("李 王小明 陳", "王小明"),
        ("Ann \\b\\c Bo", "\\b\\c"),
        ("Ann 😀😀😀 Bo", "😀😀😀"),
        ("Ann Straße Bo", "STRASSE"),
        ("Ann d'Arc Bo", "d'arc"),
    ],
)
def test_marks_are_letters_like_any_other(name: str, typed: str) -> None:
    contact(name)

    assert found(typed) == [name]


def test_letters_have_to_stand_in_one_word_as_they_are_typed() -> None:
    contact("Abcd Bcdefg Xyz")

    assert found("abcdefg") == []
    assert found("cdef") == ["Abcd Bcdefg Xyz"]


class FollowingTests:
    def test_a_name_that_was_changed_is_found_by_the_new_one_alone(self) -> None:
        one = contact()
        one.name = "Ann Bo Carlson"
        one.save()

        assert found("fernanda") == []
        assert name_index.is_waiting()
        name_index.index_waiting()
        assert (found("fernanda"), found("arlso")) == ([], ["Ann Bo Carlson"])
        assert not name_index.is_waiting()

    def test_what_changes_no_name_is_not_read_again(self) -> None:
        one = contact()
        one.language = "de"
        one.save()

        assert not name_index.is_waiting()

    def test_who_has_no_name_is_not_waited_for(self) -> None:
        one = contact("")
        assert (indexed(), name_index.is_waiting()) == (0, False)

        Contact.objects.filter(pk=one.pk).update(name=NAME)
        name_index.index_waiting()
        Contact.objects.filter(pk=one.pk).update(name="")
        name_index.index_waiting()
        assert indexed() == 0

    @pytest.mark.parametrize("how", ["erased", "deleted", "deleted from the list", "never indexed"])
    def test_who_goes_leaves_at_once(self, how: str) -> None:
        one = contact() if how != "never indexed" else Contact.objects.create(number=NUMBER, name=NAME)
        if how == "erased":
            people.erase(NUMBER, why="asked for it", by=User.objects.create_user("ada"))
        elif how == "deleted from the list":
            contacts.delete(Contact.objects.all())
        else:
            one.delete()

        assert indexed() == 0
        name_index.index_waiting()
        assert (indexed(), name_index.is_waiting()) == (0, False)

    def test_an_import_waits_to_be_indexed_and_is_found_meanwhile_as_before(self) -> None:
        content = f"phone,name\n{NUMBER},{NAME}\n4915112345678,\n".encode()
        job = import_files.receive(SimpleUploadedFile("l.csv", content), group=None, new_group="g", region="", by=None)
        imports.start(job.pk, mapping=job.mapping)
        imports.run(job.pk)

        assert (found("maria"), found("fernanda"), indexed()) == ([NAME], [], 0)
        name_index.index_waiting()
        assert (found("maria"), found("fernanda"), indexed()) == ([NAME], [NAME], 1)

        import_undo.look(job.pk, by=None)
        import_undo.run(job.pk)
        import_undo.confirm(job.pk, by=None)
        import_undo.run(job.pk)
        assert indexed() == 0

    def test_an_import_overwrites_names_that_still_wait(self) -> None:
        for name in (NAME, "Ann Bo Carlson", "Ann Cla Dorn"):
            content = f"phone,name\n{NUMBER},{name}\n".encode()
            job = import_files.receive(
                SimpleUploadedFile("l.csv", content), group=None, new_group="", region="", by=None
            )
            imports.start(job.pk, mapping=job.mapping)
            imports.run(job.pk)
            job.refresh_from_db()
            assert (job.state, job.explanation) == ("finished", "")

        name_index.index_waiting()
        assert (found("fernanda"), found("arlso"), found("cla")) == ([], [], ["Ann Cla Dorn"])

    def test_a_slice_goes_on_where_the_last_one_stopped(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(name_index, "CHUNK", 2)
        monkeypatch.setattr(name_index, "ARRAYS", 1)
        monkeypatch.setattr(name_index, "SLICE_CHUNKS", 1)
        for n in range(5):
            Contact.objects.create(number=str(919876543210 + n), name=f"Ann Fernanda {n}")

        name_index.index_waiting()
        assert 0 < indexed() < 5
        for _ in range(5):
            name_index.index_waiting()
        assert indexed() == 5

    def test_one_worker_at_a_time(self) -> None:
        Contact.objects.create(number=NUMBER, name=NAME)
        with leases.lease(name_index.LEASE):
            name_index.index_waiting()
            assert indexed() == 0
        assert Lease.objects.filter(name=name_index.LEASE).exists()

    def test_what_the_index_says_is_only_a_hint(self) -> None:
        """A row that is left over, by whatever accident, shows nobody under a name that is no longer theirs."""
        one = contact()
        with connection.cursor() as cursor:
            cursor.execute("UPDATE contact_names SET words = 'ann wrong bo' WHERE rowid = %s", [one.pk])

        assert found("wrong") == []


class WithoutTests:
    def test_without_the_index_the_other_ways_still_find(self) -> None:
        contact()
        with connection.cursor() as cursor:
            on = " ON messaging_contact" if connection.vendor == "postgresql" else ""
            for trigger in ("contact_named", "contact_renamed", "contact_gone"):
                cursor.execute(f"DROP TRIGGER IF EXISTS {trigger}{on}")
            cursor.execute("DROP TABLE contact_names")

        assert (found("maria"), found("fernanda")) == ([NAME], [])
        name_index.sweep()
        name_index.index_waiting()

        search_indexes.create()  # a migrate, once it can be made: everybody's name is read
        name_index.index_waiting()
        assert found("fernanda") == [NAME]

    def test_a_migrate_again_changes_nothing(self) -> None:
        contact()
        search_indexes.create()

        assert not name_index.is_waiting()
        assert found("fernanda") == [NAME]


class DeletingTests:
    def test_what_hangs_on_contacts_goes_as_their_models_say(self) -> None:
        assert contact_writes.delete([]) == 0
        one = contact()

        assert contact_writes.delete([one.pk, one.pk + 1]) == 1


def test_who_has_lost_the_lease_leaves_the_rest_to_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    Contact.objects.create(number=NUMBER, name=NAME)
    rung: list[str] = []
    monkeypatch.setattr(name_index.bell, "ring", rung.append)
    monkeypatch.setattr(leases.HeldLease, "renew", lambda _lease: False)

    name_index.index_waiting()

    assert rung == []
    assert indexed() == 1
