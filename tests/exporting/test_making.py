"""Exports by a worker: once, whole or not at all, whatever is killed, cancelled, full or taken away."""

import datetime as dt
import html
import os
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import ZipFile

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User
from django.db import DatabaseError, connection
from django.db.models import F
from django.test import Client
from django.utils import timezone, translation
from django_q.models import OrmQ

from laaffic_console.exporting import kinds
from laaffic_console.exporting.kinds import Kind, NotExportable, Row
from laaffic_console.exporting.meanings import OF_EXPORTS
from laaffic_console.exporting.models import Export
from laaffic_console.exporting.services import keeping, making
from laaffic_console.gateway.services.work import leases, long_jobs, workers
from laaffic_console.kit.words import said
from messaging.models import Contact

pytestmark = pytest.mark.django_db

State = Export.State
RIGHTS = ("messaging.view_contact", "messaging.export_contact")


class Source:
    """A kind whose rows are the test's; `between` is called after each row."""

    def __init__(self) -> None:
        self.rows = 3
        self.between: Callable[[int], object] = lambda row: None

    def read(self) -> Iterator[Row]:
        yield ["number", "text"]
        for number in range(self.rows):
            yield [f"91{number}", "=1+1"]
            self.between(number)


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch, settings: LazySettings, tmp_path: Path) -> Source:
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(making, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(making, "ROWS_A_LOOK", 1)
    made = Source()
    kind = Kind(
        name="sample",
        rights=RIGHTS,
        title=lambda parameters: "Sample",
        rows=lambda parameters, user: made.read(),
        count=lambda parameters, user, most: min(made.rows, most),
    )
    monkeypatch.setitem(kinds._kinds, "sample", kind)
    return made


def person(name: str, *rights: str) -> User:
    user = User.objects.create_user(name, is_staff=True)
    names = [right.partition(".")[2] for right in rights]
    user.user_permissions.add(*Permission.objects.filter(codename__in=names))
    return user


@pytest.fixture
def asker() -> User:
    return person("asker", *RIGHTS, "messaging.see_numbers")


def asked(by: User, file_format: str = "csv", **parameters: Any) -> Export:
    return making.ask(kinds.named("sample"), parameters, file_format, by=by)


def files() -> list[str]:
    return sorted(os.listdir(making.folder())) if making.folder().is_dir() else []


def fresh(export: Export) -> Export:
    export.refresh_from_db()
    return export


class TitleTests:
    def test_it_is_read_in_the_readers_language(self, source: Source, asker: User) -> None:
        plural = Contact._meta.verbose_name_plural
        kinds._kinds["sample"] = replace(kinds.named("sample"), title=lambda _: said.lasting(plural))
        with translation.override("zh-hans"):
            export = asked(asker)
            assert str(export) == "联系人"

        with translation.override("en"):
            assert str(fresh(export)) == "Contacts"

    @pytest.mark.parametrize("name", ["Spring", "“" * 120, '"' * 120])
    def test_a_long_name_stays_within_its_column(self, source: Source, asker: User, name: str) -> None:
        titled = said.gettext("Recipients of %(name)s") % {"name": name}
        kinds._kinds["sample"] = replace(kinds.named("sample"), title=lambda _: titled)

        assert str(fresh(asked(asker))) == f"Recipients of {name}"
        with connection.cursor() as cursor:
            cursor.execute("SELECT max(length(title)) FROM exporting_export")
            assert cursor.fetchone()[0] <= 200


class MakingTests:
    @pytest.mark.parametrize("rows", [0, 3])
    def test_a_file_is_made_and_nothing_else_is_left(self, source: Source, asker: User, rows: int) -> None:
        source.rows = rows
        export = asked(asker)

        making.make_next()

        assert (fresh(export).state, export.rows) == (State.FINISHED, rows)
        assert files() == [export.file_name]
        content = keeping.path_of(export).read_text("utf-8-sig")
        assert content.splitlines() == ["number,text", *(f"91{n},'=1+1" for n in range(rows))]
        assert export.size == keeping.path_of(export).stat().st_size
        assert keeping.path_of(export).stat().st_mode & 0o077 == 0 or os.name != "posix"

    def test_who_sees_no_whole_numbers_gets_none(self, source: Source) -> None:
        source.rows = 1
        export = asked(person("masked", *RIGHTS))

        making.make_next()

        assert "•" in keeping.path_of(fresh(export)).read_text("utf-8-sig").splitlines()[1].partition(",")[0]

    def test_asked_twice_it_is_the_same_one_while_it_is_made(self, source: Source, asker: User) -> None:
        first = asked(asker, group=1)

        assert asked(asker, group=1) == first
        assert asked(asker, group=2) != first
        assert asked(asker, "xlsx", group=1) != first
        making.cancel(first.pk)
        assert asked(asker, group=1) != first

    def test_one_is_made_at_a_time_and_the_next_after_it(self, source: Source, asker: User) -> None:
        first, second = asked(asker, n=1), asked(asker, n=2)
        source.between = lambda row: making.make_next()  # another worker, meanwhile

        making.make_next()

        assert (fresh(first).state, fresh(second).state) == (State.FINISHED, State.QUEUED)
        assert first.tries == 1
        source.between = lambda row: None
        making.make_next()
        assert fresh(second).state == State.FINISHED

    def test_cancelled_in_the_middle_it_leaves_no_file(self, source: Source, asker: User) -> None:
        export = asked(asker)
        source.between = lambda row: making.cancel(export.pk)

        making.make_next()

        assert fresh(export).state == State.CANCELLED
        assert files() == []
        assert not making.cancel(export.pk)

    def test_cancelled_at_the_last_row_it_leaves_no_file(
        self, source: Source, asker: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(making, "LOOK_SECONDS", 100.0)
        export = asked(asker)
        source.between = lambda row: making.cancel(export.pk)

        making.make_next()

        assert fresh(export).state == State.CANCELLED
        assert files() == []

    def test_a_killed_workers_successor_begins_anew(
        self, source: Source, asker: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        export = asked(asker)
        Export.objects.filter(pk=export.pk).update(state=State.RUNNING, rows=2, tries=1)
        making.folder().mkdir()
        (making.folder() / f".{export.pk}-0123-ab.part").write_text("half a fi")
        (making.folder() / f".{export.pk}1-0123-ab.part").write_text("another export's")

        with django_capture_on_commit_callbacks() as bells:
            long_jobs.ring_for_waiting()
        assert len(bells) == 1
        making.make_next()

        assert (fresh(export).state, export.rows, export.tries) == (State.FINISHED, 3, 2)
        assert files() == sorted([f".{export.pk}1-0123-ab.part", export.file_name])

    def test_while_it_is_made_the_sweep_rings_for_nobody(
        self, source: Source, asker: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        asked(asker)

        with leases.lease(long_jobs.LEASE), django_capture_on_commit_callbacks() as bells:
            long_jobs.ring_for_waiting()

        assert bells == []

    def test_its_task_may_take_longer_than_others(
        self, source: Source, asker: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            asked(asker)

        assert OrmQ.objects.get().task["timeout"] == making.TASK_SECONDS

    def test_what_kills_each_worker_is_given_up(self, source: Source, asker: User) -> None:
        export = asked(asker)
        Export.objects.update(tries=making.TRIES, state=State.RUNNING)

        making.make_next()

        assert fresh(export).state == State.FAILED
        assert "worker died" in export.problem

    def test_who_lost_the_lease_writes_no_file(self, source: Source, asker: User) -> None:
        export = asked(asker)
        source.between = lambda row: leases.free(long_jobs.LEASE)

        making.make_next()

        assert fresh(export).state == State.RUNNING
        assert files() == []

    @pytest.mark.parametrize("has_begun", [True, False])
    @pytest.mark.parametrize("problem", [None, KeyError("x"), NotExportable("gone")])
    def test_who_lost_the_lease_ends_no_successors_export(
        self,
        source: Source,
        asker: User,
        monkeypatch: pytest.MonkeyPatch,
        problem: Exception | None,
        has_begun: bool,
    ) -> None:
        monkeypatch.setattr(making, "LOOK_SECONDS", 100.0)
        export = asked(asker)

        def taken_over(row: int) -> None:
            if row == 0:
                leases.free(long_jobs.LEASE)
                assert leases.take(long_jobs.LEASE)
                making._delete_files_of(export.pk)
                if has_begun:
                    Export.objects.filter(pk=export.pk).update(tries=F("tries") + 1)
                if problem is not None:
                    raise problem

        source.between = taken_over
        making.make_next()

        assert (fresh(export).state, export.problem) == (State.RUNNING, "")
        assert files() == []

    def test_who_is_stopped_late_gives_no_successors_export_back(
        self, source: Source, asker: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        export = asked(asker)

        def taken_over(row: int) -> None:
            Export.objects.filter(pk=export.pk).update(tries=2)
            monkeypatch.setattr(workers, "is_stopping", lambda: True)

        source.between = taken_over
        making.make_next()

        assert (fresh(export).state, export.tries) == (State.RUNNING, 2)

    def test_what_finishes_meanwhile_keeps_its_file(
        self, source: Source, asker: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        export, seen = asked(asker), Export.objects.get()
        making.make_next()
        monkeypatch.setattr(making, "_waiting", lambda: seen)  # as another worker saw it a moment before
        monkeypatch.setattr(workers, "is_stopping", lambda: True)

        making.make_next()

        assert (fresh(export).state, files()) == (State.FINISHED, [export.file_name])

    def test_cancelled_while_another_part_is_written_it_stops(self, source: Source, asker: User) -> None:
        export, written = asked(asker, "zip"), list[int]()

        def write(parameters: Any, user: Any, file: BinaryIO, rows: Any) -> None:
            with ZipFile(file, "w") as made:
                for number in range(5):
                    made.writestr(str(number), "a part beside the rows")
                    written.append(number)
                    making.cancel(export.pk)

        kinds._kinds["sample"] = replace(kinds.named("sample"), write=write)
        making.make_next()

        assert (fresh(export).state, written, files()) == (State.CANCELLED, [0], [])

    def test_the_lease_is_renewed_while_no_row_comes(
        self, source: Source, asker: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        export, is_renewed, has_beaten = asked(asker), threading.Event(), threading.Event()
        monkeypatch.setattr(making, "LOOK_SECONDS", 100.0)
        monkeypatch.setattr(workers, "BEAT_EVERY", 0.01)
        monkeypatch.setattr(workers, "beat", has_beaten.set)
        monkeypatch.setattr(leases.HeldLease, "renew", lambda held: is_renewed.set() or True)
        seen: list[bool] = []
        source.between = lambda row: seen.append(is_renewed.wait(5) and has_beaten.wait(5))

        making.make_next()

        assert fresh(export).state == State.FINISHED
        assert seen == [True] * 3

    def test_a_worker_that_is_stopped_gives_it_back(
        self, source: Source, asker: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        export = asked(asker)
        monkeypatch.setattr(workers, "is_stopping", lambda: True)

        making.make_next()

        assert (fresh(export).state, export.tries) == (State.QUEUED, 0)
        assert files() == []

    def test_a_full_disk_is_said_and_leaves_no_file(self, source: Source, asker: User) -> None:
        export = asked(asker)

        def full(row: int) -> None:
            raise OSError(28, "No space left on device")

        source.between = full
        making.make_next()

        assert fresh(export).state == State.FAILED
        assert "Make room" in export.problem
        assert files() == []

    @pytest.mark.parametrize(
        ("problem", "said"), [(NotExportable("There is no campaign 7."), "no campaign 7"), (KeyError("x"), "KeyError")]
    )
    def test_what_fails_says_why(self, source: Source, asker: User, problem: Exception, said: str) -> None:
        export = asked(asker)

        def fail(row: int) -> None:
            raise problem

        source.between = fail
        making.make_next()

        assert fresh(export).state == State.FAILED
        assert said in export.problem

    def test_a_database_that_is_away_for_a_moment_fails_nothing(self, source: Source, asker: User) -> None:
        export = asked(asker)

        def lost(row: int) -> None:
            raise DatabaseError("away")

        source.between = lost
        with pytest.raises(DatabaseError):
            making.make_next()
        assert fresh(export).state == State.RUNNING
        source.between = lambda row: None
        making.make_next()

        assert fresh(export).state == State.FINISHED

    def test_a_right_that_was_taken_away_makes_no_file(self, source: Source, asker: User) -> None:
        export = asked(asker)
        asker.user_permissions.clear()

        making.make_next()

        assert fresh(export).state == State.FAILED
        assert files() == []


class KeepingTests:
    def test_files_are_deleted_in_time_and_the_rows_stay(self, source: Source, asker: User) -> None:
        export, later = asked(asker, n=1), asked(asker, n=2)
        making.make_next()
        making.make_next()
        Export.objects.filter(pk=export.pk).update(expires_at=timezone.now() - dt.timedelta(seconds=1))

        keeping.sweep()

        assert (fresh(export).state, export.file_name, export.rows) == (State.EXPIRED, "", 3)
        assert files() == [fresh(later).file_name]

    def test_what_no_row_points_to_is_deleted_when_it_is_old(self, source: Source, asker: User) -> None:
        export = asked(asker)
        making.make_next()
        new, old = making.folder() / ".9-aa.part", making.folder() / ".8-aa.part"
        new.write_text("being written")
        old.write_text("left behind")
        for path in (old, keeping.path_of(fresh(export))):
            os.utime(path, (0, 0))

        keeping.sweep()

        assert files() == [".9-aa.part", export.file_name]

    def test_one_that_was_broken_off_by_a_killed_process_ends(self, source: Source) -> None:
        making.direct(kinds.named("sample"), {}, "csv", by=None)
        Export.objects.update(asked_at=timezone.now() - dt.timedelta(days=1))

        keeping.sweep()

        assert Export.objects.get().state == State.CANCELLED

    def test_one_sent_at_once_says_how_far_it_came(self, source: Source) -> None:
        rows = making.direct(kinds.named("sample"), {}, "csv", by=None)
        for _ in range(3):
            next(rows)
        rows.close()  # type: ignore[attr-defined]

        export = Export.objects.get()
        assert (export.state, export.rows) == (State.CANCELLED, 1)


class DownloadTests:
    @pytest.fixture
    def export(self, source: Source, asker: User) -> Export:
        made = asked(asker)
        making.make_next()
        return fresh(made)

    def address(self, export: Export, user: User) -> str:
        return f"/admin/exporting/export/{export.pk}/file/{keeping.token_for(user, export)}/"

    def test_whoever_asked_takes_it_and_that_is_kept(self, client: Client, asker: User, export: Export) -> None:
        client.force_login(asker)

        answer: Any = client.get(self.address(export, asker))

        assert b"".join(answer.streaming_content).startswith(b"\xef\xbb\xbfnumber,text")
        assert 'filename="Sample-' in answer["Content-Disposition"]
        assert "no-store" in answer["Cache-Control"]
        assert [download.by_name for download in export.downloads.all()] == ["asker"]

    @pytest.mark.parametrize("title", ["📈", "€/$"])
    def test_a_file_of_any_name_has_one(self, export: Export, title: str) -> None:
        export.title = title

        assert keeping.name_for_people(export).startswith("export-20")

    def test_a_link_that_was_passed_on_opens_nothing(self, client: Client, asker: User, export: Export) -> None:
        other = person("other", *RIGHTS)
        client.force_login(other)

        assert client.get(self.address(export, asker)).status_code == 403
        assert client.get(f"/admin/exporting/export/{export.pk}/change/").status_code in (302, 403)
        assert not export.downloads.exists()

    def test_without_the_right_it_is_refused_to_whoever_asked(
        self, client: Client, asker: User, export: Export
    ) -> None:
        asker.user_permissions.remove(Permission.objects.get(codename="export_contact"))
        client.force_login(asker)

        assert client.get(self.address(export, asker)).status_code == 403
        assert (
            "You may not export these rows"
            in client.get(f"/admin/exporting/export/{export.pk}/change/").content.decode()
        )

    def test_whole_numbers_are_refused_to_who_no_longer_sees_them(
        self, client: Client, asker: User, export: Export
    ) -> None:
        asker.user_permissions.remove(Permission.objects.get(codename="see_numbers"))
        client.force_login(asker)

        assert client.get(self.address(export, asker)).status_code == 403
        page = client.get(f"/admin/exporting/export/{export.pk}/change/").content.decode()
        assert "This file has whole numbers, which you may not see." in page

    @pytest.mark.parametrize(
        ("parameters", "says"),
        [
            ({"query": "q=Ann%20B&state=x"}, "Filters: q=Ann B&amp;state=x"),
            ({"ids": list(range(1200))}, "Chosen rows: 1,200"),
            ({"campaign": 7}, "Campaign: 7"),
        ],
    )
    def test_its_page_says_of_what_it_is(
        self, client: Client, asker: User, export: Export, parameters: dict[str, Any], says: str
    ) -> None:
        Export.objects.update(parameters=parameters, is_direct=True)
        client.force_login(asker)

        page = client.get(f"/admin/exporting/export/{export.pk}/change/").content.decode()

        assert says in re.sub(r"</dt>\s*<dd[^>]*>", ": ", page)
        assert "Downloads" not in page, "what was sent at once is not there to be taken again"

    def test_masked_numbers_are_taken_by_who_sees_them_masked(self, client: Client, source: Source) -> None:
        blind = person("blind", *RIGHTS)
        made = asked(blind)
        making.make_next()
        client.force_login(blind)

        answer: Any = client.get(self.address(fresh(made), blind))

        assert answer.status_code == 200
        assert "•".encode() in b"".join(answer.streaming_content)

    def test_names_are_refused_to_who_no_longer_sees_contacts(
        self, client: Client, asker: User, source: Source
    ) -> None:
        kinds._kinds["sample"] = replace(kinds.named("sample"), rights=("messaging.export_contact",))
        export = asked(asker)
        making.make_next()
        assert keeping.may_take(asker, fresh(export))

        asker.user_permissions.remove(Permission.objects.get(codename="view_contact"))
        asker = User.objects.get(pk=asker.pk)

        assert not keeping.may_take(asker, export)
        client.force_login(asker)
        assert client.get(self.address(export, asker)).status_code == 403
        page = client.get(f"/admin/exporting/export/{export.pk}/change/").content.decode()
        assert "This file was made with people's names, which you may not see." in html.unescape(page)

    def test_a_file_without_names_is_taken_by_who_sees_no_contacts(
        self, client: Client, asker: User, source: Source
    ) -> None:
        kinds._kinds["sample"] = replace(kinds.named("sample"), rights=("messaging.export_contact",))
        asker.user_permissions.remove(Permission.objects.get(codename="view_contact"))
        export = asked(asker)
        making.make_next()
        client.force_login(asker)

        answer: Any = client.get(self.address(fresh(export), asker))

        assert answer.status_code == 200
        answer.close()

    def test_who_audits_takes_it_by_their_own_link_only_with_the_rows_right(
        self, client: Client, asker: User, export: Export
    ) -> None:
        auditor = person("auditor", keeping.AUDIT, "exporting.view_export", "messaging.see_numbers")
        client.force_login(auditor)

        assert client.get(self.address(export, auditor)).status_code == 403
        auditor.user_permissions.add(*Permission.objects.filter(codename__in=["view_contact", "export_contact"]))
        assert client.get(self.address(export, asker)).status_code == 302  # somebody else's link
        answer: Any = client.get(self.address(export, auditor))
        assert answer.status_code == 200
        answer.close()

    def test_a_link_that_expired_leads_to_the_page(
        self, client: Client, asker: User, export: Export, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client.force_login(asker)
        address = self.address(export, asker)
        monkeypatch.setattr(keeping, "LINK_MINUTES", -1)

        answer = client.get(address, follow=True)

        assert "This link is no longer valid" in answer.content.decode()
        assert not export.downloads.exists()

    def test_a_file_that_is_gone_is_said(self, client: Client, asker: User, export: Export) -> None:
        client.force_login(asker)
        address = self.address(export, asker)
        Export.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))

        answer = client.get(address, follow=True)

        assert "The file has been deleted" in answer.content.decode()

    def test_one_whose_file_was_deleted_from_the_disk_is_not_called_finished(
        self, client: Client, asker: User, export: Export
    ) -> None:
        asker.user_permissions.add(Permission.objects.get(codename="view_export"))
        client.force_login(asker)
        shown = [f"/admin/exporting/export/{export.pk}/change/", "/admin/exporting/export/"]
        meaning = str(OF_EXPORTS[Export.State.EXPIRED])
        assert not any(meaning in client.get(address).content.decode() for address in shown)

        keeping.path_of(export).unlink()

        assert all(meaning in client.get(address).content.decode() for address in shown)

    @pytest.mark.parametrize("state", ["failed", "cancelled", "expired"])
    def test_what_has_no_file_leads_to_its_list_as_it_was_filtered(
        self, client: Client, asker: User, export: Export, state: str
    ) -> None:
        Export.objects.update(state=state, kind="messaging.contact", parameters={"query": "country=IN&q=Ann"})
        client.force_login(asker)

        page = client.get(f"/admin/exporting/export/{export.pk}/change/").content.decode()

        assert 'href="/admin/messaging/contact/?country=IN&amp;q=Ann" id="list"' in page
        # Red is what failed; a file that was deleted after its days has no share that is done either.
        assert f'class="c-state{"" if state == "expired" else f" {state}"}" id="export-state"' in page
        assert ('class="c-bar' in page) is (state != "expired")

    def test_the_list_shows_ones_own_and_to_auditors_everybodys(
        self, client: Client, asker: User, export: Export
    ) -> None:
        right = Permission.objects.get(codename="view_export")
        other, auditor = person("other"), person("auditor", keeping.AUDIT)
        for user in (other, auditor, asker):
            user.user_permissions.add(right)
        found = {}
        for user in (other, auditor, asker):
            client.force_login(user)
            found[user.username] = "Sample" in client.get("/admin/exporting/export/").content.decode()

        assert found == {"other": False, "auditor": True, "asker": True}

    def test_cancel_takes_a_post_of_whoever_asked(self, client: Client, source: Source, asker: User) -> None:
        export = asked(asker)
        address = f"/admin/exporting/export/{export.pk}/cancel/"
        client.force_login(person("other", *RIGHTS))
        assert client.post(address).status_code == 403
        client.force_login(asker)
        assert client.get(address).status_code == 404

        client.post(address)

        assert fresh(export).state == State.CANCELLED
