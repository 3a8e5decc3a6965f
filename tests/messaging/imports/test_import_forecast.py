"""What an import would do is counted from the whole file, before it is started and without waiting for it."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from laaffic_console.gateway.services.work import leases
from messaging.models import Contact, ContactImport, ImportForecast, SuppressionEntry
from messaging.services.contacts import people, reading
from messaging.services.imports import files as import_files
from messaging.services.imports import forecast as import_forecast
from messaging.services.imports import imports

pytestmark = pytest.mark.django_db

LIST = b"""phone,home,name
+919876543210,,Ann
+919876543211,,Bo
919876543210,,Ann again
12,+919876543219,Cy
123,,Di
,,Nobody
+919876543212,,Ed
"""


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    monkeypatch.setattr(import_forecast, "CHUNK", 2)
    entries: list[Any] = []
    monkeypatch.setattr(import_forecast.bell, "ring", lambda *bell: entries.append(bell))
    return entries


def received(content: bytes = LIST) -> ContactImport:
    return import_files.receive(SimpleUploadedFile("l.csv", content), group=None, region="", by=None)


def figures() -> tuple[int, ...]:
    found = ImportForecast.objects.get()
    return found.rows, found.new, found.known, found.twice, found.invalid, found.suppressed


class CountingTests:
    def test_the_whole_file_is_counted_as_the_import_will(self, rung: list[Any]) -> None:
        Contact.objects.create(number="919876543211")
        SuppressionEntry.objects.create(number="919876543212", channel="mms")
        job = received()
        assert rung == [(import_forecast.JOB, job.pk)]

        import_forecast.run(job.pk)

        assert ImportForecast.objects.get().state == "done"
        assert figures() == (7, 2, 1, 1, 3, 1)
        assert not import_forecast.seen_path(job.pk).exists()
        assert not Contact.objects.filter(number="919876543210").exists()
        imports.start(job.pk, mapping=job.mapping)
        imports.run(job.pk)
        job.refresh_from_db()
        assert (job.rows, job.added, job.invalid) == (7, 2, 3)

    def test_who_was_erased_before_is_told_before_the_import_brings_them_back(self, admin_client: Client) -> None:
        for number in ("919876543211", "919876543212"):
            Contact.objects.create(number=number)
            people.erase(number, why="asked for it", by=None)
        Contact.objects.create(number="919876543211")  # who came back by now
        job = received()

        import_forecast.run(job.pk)

        assert ImportForecast.objects.get().erased_before == 1
        page = admin_client.get(reverse("admin:messaging_contactimport_change", args=[job.pk])).content.decode()
        assert "New contacts of people who were erased before" in page
        imports.start(job.pk, mapping=job.mapping)
        imports.run(job.pk)
        job.refresh_from_db()
        assert job.erased_before == 1

    def test_reasons_that_differ_in_figures_are_one(self) -> None:
        job = received(b"phone\n+10000000001\n+10000000002\n12\n")
        import_forecast.run(job.pk)

        known, other = import_forecast.shown_reasons(ImportForecast.objects.get())

        assert known[0] == "phone"
        assert known[1].startswith("+… is in no known range")
        assert known[2:] == [2, 2]
        assert other[1:] == ["… digits; a number has 7 to 15 with its country code.", 1, 4], "limits are no figures"
        likes = [like for _column, like, *_counts in import_forecast.shown_examples(ImportForecast.objects.get())]
        assert likes[0].startswith("+10000000001 is in no known range")
        assert likes[1] == "2 digits; a number has 7 to 15 with its country code."

    def test_a_worker_that_is_at_it_is_not_rung_for_and_a_begun_import_is_forgotten(self, rung: list[Any]) -> None:
        job = received()
        rung.clear()

        with leases.lease(f"forecast:{job.pk}"):
            import_forecast.sweep()
        assert rung == []
        import_forecast.sweep()
        assert rung == [(import_forecast.JOB, job.pk)]
        ContactImport.objects.update(state="finished")
        import_forecast.sweep()

        assert not ImportForecast.objects.exists()

    def test_what_was_counted_and_is_no_longer_there_is_looked_at_again(self, rung: list[Any]) -> None:
        job = received()

        path = import_forecast.seen_path(job.pk)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\0" * 16)

        with pytest.raises(FileNotFoundError, match="Look again"):
            import_forecast._Seen(job.pk, 3)

    def test_slices_and_a_kill_count_nothing_twice(self, monkeypatch: pytest.MonkeyPatch, rung: list[Any]) -> None:
        job = received(LIST + b"+919876543210,,Ann\n")
        write, left = import_forecast._write, [2]

        def write_or_die(forecast: ImportForecast) -> bool:
            left[0] -= 1
            if left[0] < 0:
                raise MemoryError
            return write(forecast)

        with monkeypatch.context() as patched:
            patched.setattr(import_forecast, "_write", write_or_die)
            with pytest.raises(MemoryError):
                import_forecast.run(job.pk)
        assert figures()[0] == 4
        rung.clear()
        import_forecast.sweep()
        assert rung == [(import_forecast.JOB, job.pk)]

        with monkeypatch.context() as patched:
            patched.setattr(import_forecast, "SLICE_SECONDS", -1.0)
            import_forecast.run(job.pk)
        assert figures()[0] == 6
        import_forecast.run(job.pk)

        assert figures() == (8, 3, 0, 2, 3, 0)

    def test_a_file_that_breaks_off_says_so(self) -> None:
        job = received()
        path = reading.path_of(job)
        path.write_bytes(path.read_bytes() + b"\xff\n")

        import_forecast.run(job.pk)

        found = ImportForecast.objects.get()
        assert found.state == "failed"
        assert "is not utf-8 any more" in found.explanation


class SupersededTests:
    def test_other_columns_are_counted_anew_and_the_same_go_on(self, rung: list[Any]) -> None:
        job = received()
        stale = ImportForecast.objects.get()
        import_forecast.want(job, dict(job.mapping))
        assert ImportForecast.objects.get() == stale

        import_forecast.want(job, {"phone": "", "home": "number", "name": "name"})
        import_forecast.run(job.pk)

        assert not import_forecast._write(stale)
        assert figures() == (7, 1, 0, 0, 6, 0)
        assert len(rung) == 2

    def test_an_import_that_begins_ends_it(self) -> None:
        job = received()
        imports.start(job.pk, mapping=job.mapping)

        import_forecast.run(job.pk)

        assert not ImportForecast.objects.exists()

    def test_the_page_shows_it_growing_and_looks_again(self, admin_client: Client, rung: list[Any]) -> None:
        job = received()
        address = reverse("admin:messaging_contactimport_change", args=[job.pk])
        first = admin_client.get(address).content.decode()
        assert 'hx-select="#forecast"' in first
        assert "You can import without waiting" in first
        import_forecast.run(job.pk)

        shown = admin_client.get(address).content.decode()
        assert "All 7 rows are counted" in shown
        assert 'hx-select="#forecast"' not in shown
        assert str(import_forecast.shown_examples(ImportForecast.objects.get())[0][1]) in shown
        assert "…" not in shown.partition('id="forecast"')[2].partition("</section>")[0]
        rung.clear()
        columns = {"column-0": "", "column-1": "number", "column-2": "name", "_look": "1"}
        admin_client.post(address, columns)

        assert rung == [(import_forecast.JOB, job.pk)]
        assert ImportForecast.objects.get().mapping["home"] == "number"
        admin_client.post(address, {**columns, "column-1": ""})
        assert not ImportForecast.objects.exists()


def test_a_file_whose_columns_are_not_known_shows_its_cells_and_cannot_be_imported(
    admin_client: Client, client: Client
) -> None:
    job = received(b"a,who\n9876543210,Ann\n")
    address = reverse("admin:messaging_contactimport_change", args=[job.pk])

    unknown = admin_client.get(address).content.decode()
    known = admin_client.post(address, {"column-0": "number", "column-1": "name", "_look": "1"}).content.decode()
    viewer = User.objects.create_user("asha", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__in=["view_contact", "view_contactimport"]))
    client.force_login(viewer)
    masked = client.get(address).content.decode()

    assert '<td data-label="who">Ann</td>' in unknown
    assert 'disabled aria-describedby="problem"' in unknown
    assert 'disabled aria-describedby="problem"' not in known
    assert "9876543210" not in masked, "cells as they came are for who sees numbers"


@pytest.mark.parametrize(
    ("state", "added", "offers"), [("cancelled", 0, False), ("cancelled", 3, True), ("undone", 3, False)]
)
def test_a_campaign_is_offered_where_somebody_was_taken(
    admin_client: Client, state: str, added: int, offers: bool
) -> None:
    job = received()
    ContactImport.objects.update(state=state, added=added)

    shown = admin_client.get(reverse("admin:messaging_contactimport_change", args=[job.pk])).content.decode()

    assert shown.count("Write a campaign") == offers
    assert ('class="c-button main" href="/admin/messaging/contactimport/add/' in shown) is not offers
