"""An import that waits for whoever has no page: read otherwise and started, or refused with what there is instead."""

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from laaffic_console.kit.words.not_now import NotNow
from messaging.models import ContactGroup, ContactImport
from messaging.services.imports import files as import_files
from messaging.services.imports import imports
from messaging.services.imports import waiting as waiting_imports

pytestmark = pytest.mark.django_db

PEOPLE = "phone,name,city\n+91 98765 43210,Ann,Pune\n"
IN_SEVERAL_WAYS = "phone,name\n79123456789,Иван Петров\n".encode("koi8-r")


def waiting(content: bytes = PEOPLE.encode()) -> ContactImport:
    return import_files.receive(SimpleUploadedFile("people.csv", content), group=None, region="", by=None)


def after(job: ContactImport) -> ContactImport:
    return ContactImport.objects.get(pk=job.pk)


@pytest.mark.parametrize("at", ["the upload", "the preview"])
def test_a_group_that_no_list_shows_is_not_filled(admin_client: Client, at: str) -> None:
    hidden = ContactGroup.objects.create(name="Failed in Spring", is_ad_hoc=True)
    sent: dict[str, Any] = {"new_group": hidden.name, "region": ""}
    if at == "the upload":
        page = reverse("admin:messaging_contactimport_add")
        shown = admin_client.post(page, {**sent, "file": SimpleUploadedFile("people.csv", PEOPLE.encode())})
    else:
        job = waiting()
        page = reverse("admin:messaging_contactimport_change", args=[job.pk])
        shown = admin_client.post(page, {**sent, "group": "", "column-0": "number", "_start": "1"})
        assert (after(job).state, after(job).group) == ("preview", None)

    assert "Choose another name" in shown.content.decode()
    assert not ContactImport.objects.filter(group=hidden).exists()


class ReadingTests:
    def test_columns_and_options_are_said_otherwise_and_the_rest_stays(self) -> None:
        job = waiting()

        waiting_imports.read_otherwise(
            job.pk, {"mapping": {"city": "attributes.town"}, "region": "IN", "keep_null_words": True}
        )

        read = after(job)
        assert read.mapping == {**job.mapping, "city": "attributes.town"}
        assert (read.region, read.keep_null_words, read.encoding) == ("IN", True, job.encoding)

    @pytest.mark.parametrize(
        ("asked", "said"),
        [
            ({"encoding": "klingon"}, "no encoding “klingon”. It has: utf-8"),
            ({"sheet": "Second"}, "no sheet “Second”. It has: –"),
            ({"mapping": {"street": "name"}}, "no column “street”. It has: phone, name, city"),
            ({"mapping": {"city": "shoe size"}}, "A column cannot be “shoe size”"),
            ({"mapping": {"city": "attributes.1st place"}}, "A column cannot be “attributes.1st place”"),
            ({"mapping": {"phone": ""}}, "number"),
        ],
    )
    def test_what_the_file_has_not_is_named(self, asked: dict[str, Any], said: str) -> None:
        job = waiting()

        with pytest.raises(ValidationError) as refused:
            waiting_imports.read_otherwise(job.pk, asked)

        assert said in " ".join(refused.value.messages)
        assert after(job).mapping == job.mapping

    def test_one_that_was_started_is_read_as_it_is(self) -> None:
        job = waiting()
        imports.start(job.pk, mapping=job.mapping)

        with pytest.raises(NotNow, match="only before it is started"):
            waiting_imports.read_otherwise(job.pk, {"region": "IN"})


class StartTests:
    def test_it_is_started_once(self) -> None:
        job = waiting()

        waiting_imports.start_as_read(job.pk)
        started = after(job).started_at
        waiting_imports.start_as_read(job.pk)

        assert (after(job).state, after(job).started_at) == (ContactImport.State.QUEUED, started)

    def test_one_that_was_cancelled_is_uploaded_again(self) -> None:
        job = waiting()
        imports.cancel(job.pk)

        with pytest.raises(NotNow, match="Upload it again"):
            waiting_imports.start_as_read(job.pk)

    def test_letters_that_can_be_read_in_several_ways_are_not_guessed(self) -> None:
        job = waiting(IN_SEVERAL_WAYS)
        assert len(job.readings) > 1

        with pytest.raises(NotNow, match="Say its encoding"):
            waiting_imports.start_as_read(job.pk)
        waiting_imports.read_otherwise(job.pk, {"encoding": job.readings[0]["encoding"]})
        waiting_imports.start_as_read(job.pk)

        assert after(job).state == ContactImport.State.QUEUED

    def test_one_without_a_column_of_numbers_is_not_started(self) -> None:
        job = waiting(b"name,city\nAnn,Pune\n")

        with pytest.raises(NotNow):
            waiting_imports.start_as_read(job.pk)

        assert after(job).state == ContactImport.State.PREVIEW


@pytest.mark.parametrize("is_stored", [True, False])
def test_a_file_that_a_row_points_to_is_not_deleted(settings: Any, tmp_path: Path, is_stored: bool) -> None:
    """What fails behind the commit is told as a failure, though the row is there."""
    settings.MEDIA_ROOT = tmp_path
    upload = SimpleUploadedFile("l.csv", b"number\n919876543210\n")
    job = import_files.look_at(upload, region="IN", by=None)
    if is_stored:
        import_files.store(job, group=None)

    import_files.forget_unstored(job)

    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == is_stored
