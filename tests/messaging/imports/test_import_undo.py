"""An import is taken back: what it added goes, unless somebody has dealt with it since."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.services.work import leases
from messaging.files.contact_rows import CleanRow
from messaging.models import (
    Campaign,
    Contact,
    ContactGroup,
    ContactImport,
    GroupMembership,
    ImportedChange,
    ImportUndo,
    Reply,
)
from messaging.people import contact_traces
from messaging.services.contacts import contact_writes
from messaging.services.imports import files as import_files
from messaging.services.imports import imports
from messaging.services.imports import undo as import_undo
from tests.dashboard import doors

pytestmark = pytest.mark.django_db

FIRST = 919876543210


def imported(rows: list[str], group: str = "spring") -> ContactImport:
    content = "\n".join(["phone,name,email", *rows]).encode()
    job = import_files.receive(SimpleUploadedFile("l.csv", content), group=None, new_group=group, region="", by=None)
    imports.start(job.pk, mapping=job.mapping)
    imports.run(job.pk)
    job.refresh_from_db()
    assert job.state == "finished"
    return job


def number(n: int) -> str:
    return str(FIRST + n)


def people(*ns: int) -> list[str]:
    return [f"{number(n)},Ann {n},a{n}@example.com" for n in ns]


def undone(job: ContactImport) -> ImportUndo:
    import_undo.look(job.pk, by=None)
    import_undo.run(job.pk)
    before = set(Contact.objects.values_list("pk", flat=True))
    looked = ImportUndo.objects.get()
    assert looked.state == "ready"
    assert import_undo.confirm(job.pk, by=None)
    import_undo.run(job.pk)
    undo = ImportUndo.objects.get()
    assert undo.state == "done"
    assert (undo.goes, undo.memberships, undo.stays) == (looked.goes, looked.memberships, looked.stays)
    assert (undo.restores, undo.overtaken) == (looked.restores, looked.overtaken)
    assert len(before) - Contact.objects.count() == undo.goes
    job.refresh_from_db()
    assert job.state == "undone"
    return undo


def added(job: ContactImport) -> list[import_undo.Added]:
    return [
        import_undo.Added(*row)
        for row in Contact.objects.filter(imported_by=job).values_list(*import_undo.Added._fields)
    ]


def there() -> set[str]:
    return set(Contact.objects.values_list("number", flat=True))


class WhoStaysTests:
    def test_what_it_added_goes_and_what_was_there_stays(self) -> None:
        imported(people(0), group="winter")
        job = imported([f"{number(0)},Anna,", *people(1, 2)])
        assert (job.added, job.updated) == (2, 1)

        undo = undone(job)

        assert there() == {number(0)}
        assert Contact.objects.get().name == "Ann 0"
        assert (undo.goes, undo.memberships, undo.stays) == (2, 1, {})
        assert [m.group.name for m in GroupMembership.objects.all()] == ["winter"]

    def test_what_it_overwrote_is_put_back(self) -> None:
        imported([f"{number(0)},Ann,ann@example.com", f"{number(1)},Bo,bo@example.com"], group="winter")
        Contact.objects.filter(number=number(0)).update(attributes={"first_name": "An", "city": "Pune"})
        job = imported([f"{number(0)},Zoe,z@example.com", f"{number(1)},Bo,"])
        assert Contact.objects.get(number=number(0)).attributes == {"city": "Pune"}

        undo = undone(job)

        ann = Contact.objects.get(number=number(0))
        assert (ann.name, ann.email) == ("Ann", "ann@example.com")
        assert ann.attributes == {"first_name": "An", "city": "Pune"}
        assert (undo.restores, undo.overtaken) == (1, 0)
        assert ann.imported_by_id != job.pk

    @pytest.mark.parametrize("who", ["a person", "another import"])
    def test_what_somebody_changed_since_stays(self, who: str) -> None:
        imported(people(0), group="winter")
        job = imported([f"{number(0)},Zoe,"])
        if who == "a person":
            contact = Contact.objects.get()
            contact.language = "de"
            contact.save()
        else:
            imported([f"{number(0)},Yan,"], group="summer")

        undo = undone(job)

        assert Contact.objects.get().name == ("Zoe" if who == "a person" else "Yan")
        assert (undo.restores, undo.overtaken) == (0, 1)

    @pytest.mark.parametrize("between", [False, True])
    def test_of_two_chunks_with_the_same_number(self, between: bool) -> None:
        """What somebody wrote between the two is not taken back."""
        imported(people(0), group="winter")
        job = imported([f"{number(0)},Zoe,"])
        if between:
            contact = Contact.objects.get()
            contact.language = "de"
            contact.save()
        row = CleanRow.of(contact_writes._stored([number(0)])[0][number(0)])._replace(name="Yan")
        contact_writes.write([row.ready()], source="l.csv", group_id=None, import_id=job.pk)

        undo = undone(job)

        assert Contact.objects.get().name == ("Yan" if between else "Ann 0")
        assert (undo.restores, undo.overtaken) == ((0, 1) if between else (1, 0))

    @pytest.mark.parametrize("again", [False, True])
    def test_whom_somebody_changed_while_the_import_still_ran_stays(
        self, monkeypatch: pytest.MonkeyPatch, *, again: bool
    ) -> None:
        """Between two of its chunks, with the number in one of them or in both."""
        monkeypatch.setattr(imports, "CHUNKS", dict.fromkeys(imports.CHUNKS, 1))
        import_chunk = imports._import_chunk

        def edited_after_the_first(job: ContactImport, chunk: Any) -> bool:
            goes_on = import_chunk(job, chunk)
            if chunk.first_line == 2:
                contact = Contact.objects.get(number=number(0))
                contact.language = "de"
                contact.save()
            return goes_on

        monkeypatch.setattr(imports, "_import_chunk", edited_after_the_first)
        job = imported([*people(0, 1), *([f"{number(0)},Zoe,"] if again else [])])

        undo = undone(job)

        assert there() == {number(0)}
        assert undo.stays == {import_undo.CHANGED: 1}

    def test_whom_the_import_itself_changed_again_goes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(imports, "CHUNKS", dict.fromkeys(imports.CHUNKS, 1))
        job = imported([*people(0, 1), f"{number(0)},Zoe,"])

        undone(job)

        assert there() == set()

    def test_what_an_older_version_noted_stays_as_it_is(self) -> None:
        imported(people(0), group="winter")
        job = imported([f"{number(0)},Zoe,"])
        ImportedChange.objects.update(before={}, written_at=None)

        undo = undone(job)

        assert Contact.objects.get().name == "Zoe"
        assert (undo.restores, undo.overtaken) == (0, 0)

    def test_old_values_go_with_their_contact(self) -> None:
        imported(people(0), group="winter")
        imported([f"{number(0)},Zoe,"])

        Contact.objects.get().delete()

        assert not ImportedChange.objects.exists()

    def test_a_membership_that_was_there_stays(self) -> None:
        imported(people(0))
        undone(imported(people(0, 1)))

        assert GroupMembership.objects.get().contact.number == number(0)

    @pytest.mark.parametrize("reason", ["reply", "member", "changed"])
    def test_with_whom_somebody_has_dealt_stays(self, reason: str) -> None:
        job = imported(people(0, 1))
        contact = Contact.objects.get(number=number(0))
        if reason == "reply":
            now = timezone.now()
            Reply.objects.create(number=contact.number, content="Yes", at=now, received_at=now, key="k")
        elif reason == "member":
            GroupMembership.objects.create(contact=contact, group=ContactGroup.objects.create(name="other"))
        else:
            contact.name = "By hand"
            contact.save()

        undo = undone(job)

        assert there() == {number(0)}
        assert (undo.goes, undo.stays) == (1, {reason: 1})
        assert not GroupMembership.objects.filter(group__name="spring").exists()

    def test_one_subscriber_in_two_spellings_stays_twice(self) -> None:
        job = imported(people(0))
        first = Contact.objects.get()
        for spelling in ("5215512345678", "525512345678"):
            Contact.objects.create(number=spelling, imported_by=job)
        first.delete()
        now = timezone.now()
        Reply.objects.create(number="5215512345678", content="Yes", at=now, received_at=now, key="k")

        undo = undone(job)

        assert (undo.goes, undo.stays) == (0, {"reply": 2})
        assert Contact.objects.count() == 2

    def test_every_app_that_keeps_something_of_people_is_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert {trace.name for trace in contact_traces.traces()} == {"binding", "call", "email", "message", "reply"}
        job = imported(people(*range(5)))
        asked = list(contact_traces.traces())
        for trace in asked:
            assert not list(trace.found([number(0), "a0@example.com"]))
        found = {"binding": number(0), "call": number(1), "email": "a2@example.com", "message": number(3)}
        for name, value in found.items():
            old = contact_traces._traces[name]
            fresh = contact_traces.Trace(name, old.label, lambda given, v=value: {v} & set(given), old.by_email)
            monkeypatch.setitem(contact_traces._traces, name, fresh)

        undo = undone(job)

        assert undo.stays == dict.fromkeys(found, 1)
        assert there() == {number(n) for n in range(4)}

    def test_whom_a_later_import_changed_stays(self) -> None:
        job = imported(people(0, 1, 2))
        imported([f"{number(1)},Changed,"], group="")

        undo = undone(job)

        assert there() == {number(1)}
        assert undo.stays == {"changed": 1}


class JobTests:
    def test_a_killed_one_goes_on_where_it_stood(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(import_undo, "CHUNK", 2)
        job = imported(people(*range(7)))
        import_undo.look(job.pk, by=None)
        import_undo.run(job.pk)
        import_undo.confirm(job.pk, by=None)
        assert import_undo._next_chunk(job.pk)
        assert ImportUndo.objects.get().goes == 2

        rung: list[Any] = []
        monkeypatch.setattr(import_undo.bell, "ring", lambda *bell: rung.append(bell))
        import_undo.sweep()
        import_undo.run(job.pk)

        assert rung == [(import_undo.JOB, job.pk)]
        assert (ImportUndo.objects.get().goes, Contact.objects.count()) == (7, 0)

    def test_not_while_a_campaign_uses_its_group(self) -> None:
        job = imported(people(0, 1))
        campaign = doors.one(Campaign, {})
        assert isinstance(campaign, Campaign)
        campaign.groups.add(job.group)
        import_undo.look(job.pk, by=None)
        import_undo.run(job.pk)
        Campaign.objects.update(state="running")

        with pytest.raises(ValidationError, match="Wait until it is over, or cancel it"):
            import_undo.confirm(job.pk, by=None)
        ImportUndo.objects.update(state="running")
        import_undo.run(job.pk)

        undo = ImportUndo.objects.get()
        assert (undo.state, Contact.objects.count()) == ("failed", 2)
        assert "Wait until it is over" in undo.explanation

    def test_not_while_a_campaign_gathers_whom_a_condition_means(self) -> None:
        job = imported(people(0, 1), group="")
        campaign = doors.one(Campaign, {})
        assert isinstance(campaign, Campaign)
        rule = {"audience": 1, "name": "A", "condition": "country = IN", "tree": {}}
        import_undo.look(job.pk, by=None)
        import_undo.run(job.pk)
        Campaign.objects.update(name="Diwali", state="running", audience="freezing", rules=[rule])

        with pytest.raises(ValidationError, match=r"“Diwali” sends to an audience by condition .* or cancel it"):
            import_undo.confirm(job.pk, by=None)
        ImportUndo.objects.update(state="running")
        import_undo.run(job.pk)

        assert (ImportUndo.objects.get().state, Contact.objects.count()) == ("failed", 2)
        Campaign.objects.update(audience="frozen")
        import_undo.look(job.pk, by=None)

    def test_it_rings_for_the_rest_when_its_turn_is_over(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(import_undo, "CHUNK", 2)
        monkeypatch.setattr(import_undo.turns, "SECONDS", 0)
        job = imported(people(*range(5)))
        import_undo.look(job.pk, by=None)
        rung: list[Any] = []
        monkeypatch.setattr(import_undo.bell, "ring", lambda *bell: rung.append(bell))

        import_undo.run(job.pk)

        assert rung == [(import_undo.JOB, job.pk)]
        assert (ImportUndo.objects.get().state, ImportUndo.objects.get().goes) == ("looking", 2)

    def test_a_worker_that_is_at_it_is_not_rung_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        job = imported(people(0))
        import_undo.look(job.pk, by=None)
        rung: list[Any] = []
        monkeypatch.setattr(import_undo.bell, "ring", lambda *bell: rung.append(bell))

        with leases.lease(f"undo:{job.pk}"):
            import_undo.sweep()

        assert rung == []

    def test_it_is_not_looked_at_anew_while_it_runs(self) -> None:
        job = imported(people(0))
        import_undo.look(job.pk, by=None)
        import_undo.run(job.pk)
        assert import_undo.confirm(job.pk, by=None)

        import_undo.look(job.pk, by=None)

        assert ImportUndo.objects.get().state == "running"

    def test_what_nobody_asked_for_takes_nothing_back(self) -> None:
        job = imported(people(0))

        import_undo.run(job.pk)

        assert there() == {number(0)}

    def test_without_its_group_people_still_go(self) -> None:
        job = imported(people(0, 1))
        assert job.group is not None
        job.group.delete()
        job.refresh_from_db()

        undo = undone(job)

        assert (undo.goes, undo.memberships, there()) == (2, 0, set())

    def test_it_runs_once(self) -> None:
        job = imported(people(0))
        undone(job)

        assert not import_undo.can_be_undone(job)
        assert not import_undo.confirm(job.pk, by=None)
        with pytest.raises(ValidationError, match="nothing to take back"):
            import_undo.look(job.pk, by=None)

    def test_a_chunk_asks_as_much_for_many_as_for_few(self) -> None:
        def asked(rows: list[str]) -> int:
            job = imported(rows)
            with CaptureQueriesContext(
                connection,
            ) as queries:
                import_undo.why_they_stay(added(job), job)
            return len(queries)

        assert asked(people(0)) == asked(people(*range(1, 40))) <= 9


class PageTests:
    def test_from_the_import_to_the_end(self, admin_client: Client) -> None:
        job = imported(people(0, 1))
        change = reverse("admin:messaging_contactimport_change", args=[job.pk])
        address = reverse("admin:messaging_contactimport_undo", args=[job.pk])
        assert address in admin_client.get(change).content.decode()
        assert "Count who would go" in admin_client.get(address).content.decode()

        admin_client.post(address, {"_look": "1"})
        import_undo.run(job.pk)
        shown = admin_client.get(address).content.decode()
        assert "Undo: delete 2 contacts" in shown
        assert Contact.objects.count() == 2
        admin_client.post(address, {"_confirm": "1"})
        import_undo.run(job.pk)

        assert "Undone by admin" in admin_client.get(address).content.decode()
        page = admin_client.get(change).content.decode()
        assert "Undone by admin" in page
        assert "Undo …" not in page

    @pytest.mark.parametrize("group", ["spring", ""])
    def test_only_an_import_into_a_group_takes_anybody_out_of_it(self, admin_client: Client, group: str) -> None:
        job = imported(people(0), group)
        address = reverse("admin:messaging_contactimport_undo", args=[job.pk])
        admin_client.post(address, {"_look": "1"})
        import_undo.run(job.pk)

        page = admin_client.get(address).content.decode()

        assert ("Others taken out of the group" in page) is bool(group)

    def test_leaving_everything(self, admin_client: Client) -> None:
        job = imported(people(0))
        address = reverse("admin:messaging_contactimport_undo", args=[job.pk])
        admin_client.post(address, {"_look": "1"})
        import_undo.run(job.pk)

        admin_client.post(address, {"_keep": "1"})

        assert not ImportUndo.objects.exists()
        assert Contact.objects.count() == 1

    def test_who_may_not(self, client: Client) -> None:
        job = imported(people(0))
        person = User.objects.create_user("p", is_staff=True)
        wanted = ("view_contactimport", "view_contact", "add_contactimport")
        person.user_permissions.set(Permission.objects.filter(codename__in=wanted))
        client.force_login(person)

        assert client.post(reverse("admin:messaging_contactimport_undo", args=[job.pk])).status_code == 403
        assert (
            "undo-import"
            not in client.get(reverse("admin:messaging_contactimport_change", args=[job.pk])).content.decode()
        )


class SeeTheContactsTests:
    def test_those_that_it_added_and_those_that_it_updated(self, admin_client: Client) -> None:
        imported(people(0, 1))
        job = imported([f"{number(1)},Bo,", f"{number(0)},Ann 0,", *people(2, 2)], group="")
        assert (job.added, job.updated, job.unchanged) == (1, 1, 2)
        assert ImportedChange.objects.count() == 1
        page = admin_client.get(reverse("admin:messaging_contactimport_change", args=[job.pk])).content.decode()

        def seen(value: str) -> list[str]:
            found = admin_client.get(reverse("admin:messaging_contact_changelist"), {"import": value})
            return [contact.number for contact in found.context["cl"].result_list]

        assert f"?import=added-{job.pk}" in page
        assert f"?import=updated-{job.pk}" in page
        assert seen(f"added-{job.pk}") == [number(2)]
        assert seen(f"updated-{job.pk}") == [number(1)]
        for nonsense in ("added-x", "nonsense"):  # the list says so
            answer = admin_client.get(reverse("admin:messaging_contact_changelist"), {"import": nonsense})
            assert answer["Location"] == reverse("admin:messaging_contact_changelist")
