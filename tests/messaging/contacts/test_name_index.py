"""People are found by letters in the middle of their name, and by digits in the middle of their number, however the
contact came, as long as they are there."""

import itertools
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from laaffic_console.gateway.models import Lease
from laaffic_console.gateway.services.work import leases
from laaffic_console.kit.registers.search_kinds import Query
from messaging import search_indexes
from messaging.models import Contact
from messaging.services.contacts import contact_writes, contacts, name_index, people, people_search
from messaging.services.imports import files as import_files
from messaging.services.imports import imports
from messaging.services.imports import undo as import_undo

pytestmark = pytest.mark.django_db

NAME, NUMBER = "Maria Fernanda López", "919876543210"


def found(typed: str) -> list[str]:
    return [contact.name for contact in people_search.find(Query.read(typed), 8)]


def contact(name: str = NAME, number: str = NUMBER) -> Contact:
    made = Contact.objects.create(number=number, name=name)
    name_index.index_waiting()
    return made


def indexed(table: str = "contact_names") -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


def with_inside(digits: str) -> list[str]:
    return [contact.number for contact in people_search.find(Query(digits, digits), 8, anywhere=True)]


def column_reads(digits: str) -> int:
    """How often a search for them went through the numbers of all contacts."""
    with CaptureQueriesContext(connection) as captured:
        with_inside(digits)
    return sum("SELECT number FROM messaging_contact WHERE number LIKE" in query["sql"] for query in captured)


def drop_index(*tables: str) -> None:
    """As on a database that had none, or that of names alone."""
    with connection.cursor() as cursor:
        on = " ON messaging_contact" if connection.vendor == "postgresql" else ""
        for trigger in ("named", "renamed", "gone", "renumbered", "number_gone"):
            cursor.execute(f"DROP TRIGGER IF EXISTS contact_{trigger}{on}")
        for table in tables:
            cursor.execute(f"DROP TABLE {table}")


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

    def test_who_has_no_name_has_none_in_the_index(self) -> None:
        one = contact("")
        assert (indexed(), indexed("contact_numbers"), name_index.is_waiting()) == (0, 1, False)

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

        assert (indexed(), indexed("contact_numbers")) == (0, 0)
        name_index.index_waiting()
        assert (indexed(), indexed("contact_numbers"), name_index.is_waiting()) == (0, 0, False)

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


class DigitsTests:
    INSIDE = NUMBER[3:9]  # of the number, neither its beginning nor its end

    @pytest.mark.parametrize("name", [NAME, ""])
    def test_the_index_answers_for_whom_it_knows(self, name: str) -> None:
        contact(name)
        contact("Ann Bo Carlson", "4915112345678")

        assert [with_inside(NUMBER[at : at + length]) for at in range(1, 4) for length in (4, 6, 8)] == [[NUMBER]] * 9
        assert with_inside("567891") == []  # its trigrams, and not in this order
        assert (column_reads(self.INSIDE), column_reads("777777")) == (0, 0)

    def test_who_has_just_come_or_changed_is_looked_at_beside_it(self) -> None:
        one = contact()
        two = Contact.objects.create(number="919876543333")
        assert sorted(with_inside(self.INSIDE)) == [NUMBER, two.number]

        one.number = "919123456789"
        one.save()
        assert (with_inside(self.INSIDE), with_inside("12345")) == ([two.number], [one.number])
        assert column_reads(self.INSIDE) == 0
        name_index.index_waiting()
        assert (with_inside(self.INSIDE), with_inside("12345")) == ([two.number], [one.number])
        assert indexed("contact_numbers") == 2

    def test_while_many_wait_all_are_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(people_search, "FEW_WAIT", 2)
        for n in range(3):
            Contact.objects.create(number=str(919876543210 + n))

        assert (len(with_inside(self.INSIDE)), column_reads(self.INSIDE)) == (3, 1)
        name_index.index_waiting()
        assert (len(with_inside(self.INSIDE)), column_reads(self.INSIDE)) == (3, 0)

    def test_who_gets_into_the_index_during_a_search_is_in_one_of_both(self) -> None:
        """The worker's turn comes before each statement of a search, once: whoever waited is found every time."""
        with CaptureQueriesContext(connection) as captured:
            with_inside(self.INSIDE)
        assert len(captured) >= 4

        for at in range(len(captured)):
            Contact.objects.all().delete()
            Contact.objects.create(number=NUMBER)
            statements = itertools.count()

            def worker_first(execute: Any, *given: Any, at: int = at, statements: Any = statements) -> Any:
                if next(statements) == at:
                    name_index.index_waiting()
                return execute(*given)

            with connection.execute_wrapper(worker_first):
                assert with_inside(self.INSIDE) == [NUMBER], f"before statement {at}"

    def test_what_has_not_changed_is_not_written_again(self) -> None:
        one = contact()
        with connection.cursor() as cursor:
            cursor.execute("UPDATE contact_names SET words = 'a mark' WHERE rowid = %s", [one.pk])
        one.number = "919123456789"
        one.save()
        with CaptureQueriesContext(connection) as captured:
            name_index.index_waiting()
        assert len([query for query in captured if "INSERT INTO contact_names " in query["sql"]]) == 1

        one.number = NUMBER
        one.save()
        with CaptureQueriesContext(connection) as captured:
            name_index.index_waiting()
        assert not [query for query in captured if "INSERT INTO contact_names " in query["sql"]]

    def test_a_console_that_has_names_alone_keeps_them_while_its_numbers_are_read(self) -> None:
        contact()
        drop_index("contact_numbers")
        assert (with_inside(self.INSIDE), column_reads(self.INSIDE)) == ([NUMBER], 1)

        search_indexes.create()  # an upgrade's migrate
        assert (with_inside(self.INSIDE), indexed(), indexed("contact_numbers")) == ([NUMBER], 1, 0)
        name_index.index_waiting()
        assert (with_inside(self.INSIDE), indexed(), indexed("contact_numbers")) == ([NUMBER], 1, 1)
        assert (found("fernanda"), column_reads(self.INSIDE)) == ([NAME], 0)

    def test_digits_whose_trigrams_all_have_are_found_in_their_order_alone(self) -> None:
        for n in range(200):
            Contact.objects.create(number=f"91939{n:03d}3931")
        Contact.objects.create(number="919800939393")
        name_index.index_waiting()

        assert name_index.numbers_with("939393") == ["919800939393"]
        if connection.vendor == "sqlite":  # answered by the index alone, not by a look at each
            with CaptureQueriesContext(connection) as captured:
                name_index.numbers_with("939393")
            assert "instr" not in captured[-1]["sql"]

    def test_a_number_that_is_left_over_in_the_index_shows_nobody(self) -> None:
        one = contact()
        with connection.cursor() as cursor:
            cursor.execute("UPDATE contact_numbers SET words = '919123456789' WHERE rowid = %s", [one.pk])

        assert with_inside("12345") == []


class UpgradeTests:
    """A worker of the version before runs on through a bare migrate: it takes notes, and writes names alone."""

    @staticmethod
    def of_the_version_before() -> None:
        """The index as that version has it, which knows no numbers and has notes of its own."""
        with connection.cursor() as cursor:
            for table in (search_indexes.NOTES, *([search_indexes.READ] if connection.vendor == "sqlite" else [])):
                cursor.execute(f"ALTER TABLE {table} RENAME TO {table.replace('_2', '_1')}")
        drop_index("contact_numbers")

    def test_what_it_uses_up_is_read_all_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        contact()
        self.of_the_version_before()
        search_indexes.create()  # the bare migrate
        later = Contact.objects.create(number="919876543333", name="Ann Fernanda Bo")
        put = name_index._put
        with monkeypatch.context() as before:
            before.setattr(name_index, "NOTES", "contact_notes_1")
            before.setattr(name_index, "READ", "contact_read_1")
            before.setattr(name_index, "_put", lambda table, *given: put(table, *given) if "names" in table else None)
            name_index.index_waiting()
        assert indexed("contact_numbers") == 0

        name_index.index_waiting()
        assert (indexed(), indexed("contact_numbers")) == (2, 2)
        assert (sorted(with_inside(NUMBER[3:9])), column_reads(NUMBER[3:9])) == ([NUMBER, later.number], 0)

    def test_until_the_migrate_all_are_read(self) -> None:
        contact()
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE {search_indexes.NOTES}")

        assert (with_inside(NUMBER[3:9]), column_reads(NUMBER[3:9])) == ([NUMBER], 1)
        assert not name_index.is_waiting()
        name_index.index_waiting()


class WithoutTests:
    def test_without_the_index_the_other_ways_still_find(self) -> None:
        contact()
        drop_index("contact_names")

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
