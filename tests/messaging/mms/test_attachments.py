"""The MMS library: kept once, uploaded through the ledger, again before its id lapses, served as nothing that runs."""

import base64
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.ledger import single_requests
from laaffic_console.gateway.services.work import leases
from laaffic_console.laaffic import LaafficError, NotSent, OutcomeUnknown
from messaging.models import MmsAttachment
from messaging.services.mms import attachments
from messaging.services.mms.attachments import ABOUT, BeingUploaded, UploadFailed
from tests.messaging.mms import attachment_samples as samples

pytestmark = pytest.mark.django_db

UPLOAD = "https://gateway.example/v3/mmsUpload"
ADD = "admin:messaging_mmsattachment_add"


@pytest.fixture(autouse=True)
def _account(settings: LazySettings) -> Iterator[None]:
    settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"
    settings.LAAFFIC_BASE_URL = "https://gateway.example/v3"
    account.laaffic_client.cache_clear()
    yield
    account.laaffic_client.cache_clear()


@pytest.fixture
def gateway() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def takes(gateway: responses.RequestsMock, *ids: str) -> None:
    for gateway_id in ids:
        gateway.post(UPLOAD, json={"status": "0", "reason": "success", "data": gateway_id})


@pytest.fixture
def picture() -> MmsAttachment:
    return attachments.add(samples.picture(), "beach.png")[0]


def entries() -> list[str]:
    return list(LedgerEntry.objects.filter(about_kind=ABOUT).order_by("pk").values_list("state", flat=True))


class KeepingTests:
    def test_the_same_content_is_kept_once_whatever_it_is_called(self, picture: MmsAttachment) -> None:
        again, is_new = attachments.add(samples.picture(), "other.png")

        assert (again.pk, again.name, is_new) == (picture.pk, "beach.png", False)

    def test_a_path_is_no_name(self) -> None:
        assert attachments.add(samples.CARD, "..\\..\\etc/passwd/ann.vcf")[0].name == "ann.vcf"

    def test_what_comes_back_is_offered_again(self, picture: MmsAttachment) -> None:
        MmsAttachment.objects.update(is_archived=True)

        attachments.add(samples.picture(), "beach.png")

        assert not MmsAttachment.objects.get().is_archived


class UploadTests:
    def test_the_file_goes_out_and_its_id_has_three_days(
        self, picture: MmsAttachment, gateway: responses.RequestsMock
    ) -> None:
        takes(gateway, "57_3_1727059993381.png")

        attachments.upload(picture.pk)

        sent = json.loads(gateway.calls[0].request.body)
        assert (sent["fileType"], base64.b64decode(sent["fileData"])) == ("png", samples.picture())
        picture.refresh_from_db()
        entry = LedgerEntry.objects.get()
        assert picture.gateway_id == "57_3_1727059993381.png"
        assert picture.lapses_at == entry.left_at + dt.timedelta(days=3)
        assert (entry.interface, entry.state, entry.about_id) == ("mmsUpload", EntryState.ACCEPTED, picture.pk)
        assert "beach.png" in entry.summary["name"]
        assert base64.b64encode(samples.picture()).decode() not in json.dumps(entry.summary)

    @pytest.mark.parametrize(
        ("answer", "state", "said"),
        [
            ({"json": {"status": "-21", "reason": "too big"}}, EntryState.REFUSED, "refused with -21"),
            ({"status": 502, "body": "<html>"}, EntryState.UNKNOWN, "answer .* was lost"),
            ({"body": requests.ReadTimeout()}, EntryState.UNKNOWN, "Upload it again"),
            ({"json": {"status": "0", "reason": "success"}}, EntryState.ACCEPTED, "without an id"),
        ],
    )
    def test_what_goes_wrong_is_on_the_row_and_in_words(
        self,
        picture: MmsAttachment,
        gateway: responses.RequestsMock,
        answer: dict[str, Any],
        state: str,
        said: str,
    ) -> None:
        gateway.post(UPLOAD, **answer)

        with pytest.raises(UploadFailed, match=said):
            attachments.upload(picture.pk)

        assert entries() == [state] * (attachments.TRIES if state == EntryState.UNKNOWN else 1)
        assert MmsAttachment.objects.get().gateway_id == ""

    def test_an_upload_without_an_id_is_kept_until_somebody_knows_it(
        self, picture: MmsAttachment, gateway: responses.RequestsMock
    ) -> None:
        gateway.post(UPLOAD, json={"status": "0", "reason": "success"})
        with pytest.raises(attachments.UploadedWithoutId, match=f"keep-id {picture.pk} GATEWAY_ID"):
            attachments.upload(picture.pk)

        kept = attachments.keep_id(picture.pk, " 57_3_1.png ")

        assert (kept.gateway_id, kept.is_live) == ("57_3_1.png", True)
        assert attachments.live_ids([picture.pk]) == ["57_3_1.png"]

    @pytest.mark.parametrize("gateway_id", ["", " ", "a,b", "x" * 121, "a\nb"])
    def test_what_cannot_be_an_id_is_not_kept(
        self, picture: MmsAttachment, gateway: responses.RequestsMock, gateway_id: str
    ) -> None:
        gateway.post(UPLOAD, json={"status": "0", "reason": "success"})
        with pytest.raises(attachments.UploadedWithoutId):
            attachments.upload(picture.pk)

        with pytest.raises(ValidationError, match="57_3_1727059993381"):
            attachments.keep_id(picture.pk, gateway_id)

    def test_an_id_without_an_upload_is_nobodys(self, picture: MmsAttachment) -> None:
        with pytest.raises(ValidationError, match="Upload it first"):
            attachments.keep_id(picture.pk, "57_3_1.png")

    def test_the_command_says_so_and_does_not_fail(
        self, picture: MmsAttachment, gateway: responses.RequestsMock, tmp_path: Path, capsys: Any
    ) -> None:
        gateway.post(UPLOAD, json={"status": "0", "reason": "success"})
        (tmp_path / "beach.png").write_bytes(bytes(picture.content))

        call_command("mms", "upload", str(tmp_path / "beach.png"), "--json")
        call_command("mms", "keep-id", str(picture.pk), "57_3_1.png", "--json")

        said = capsys.readouterr()
        first, second = (json.loads(line)["attachments"][0]["gateway_id"] for line in said.out.splitlines())
        assert (first, second) == ("", "57_3_1.png")
        assert "answered without an id" in said.err

    def test_without_credentials_nothing_is_recorded(self, picture: MmsAttachment, settings: LazySettings) -> None:
        settings.LAAFFIC_API_KEY = ""
        account.laaffic_client.cache_clear()

        with pytest.raises(UploadFailed, match="LAAFFIC_API_KEY"):
            attachments.upload(picture.pk)

        assert entries() == []

    def test_a_held_account_uploads_nothing(self, picture: MmsAttachment, gateway: responses.RequestsMock) -> None:
        gateway.post(UPLOAD, json={"status": "-1", "reason": "authentication"})
        with pytest.raises(UploadFailed):
            attachments.upload(picture.pk)

        with pytest.raises(UploadFailed, match="refused with -1"):
            attachments.upload(picture.pk)

        assert len(gateway.calls) == 1
        assert entries() == [EntryState.REFUSED, EntryState.NOT_SENT]

    def test_two_at_once_are_one(self, picture: MmsAttachment, gateway: responses.RequestsMock) -> None:
        assert leases.take(f"mms-upload:{picture.pk}")

        with pytest.raises(UploadFailed, match="right now"):
            attachments.upload(picture.pk)

        assert entries() == []

    def test_a_dead_workers_upload_is_settled(self, picture: MmsAttachment) -> None:
        long_ago = timezone.now() - dt.timedelta(minutes=10)
        for state in (EntryState.PREPARED, EntryState.IN_FLIGHT):
            LedgerEntry.objects.create(
                interface="mmsUpload", about_kind=ABOUT, about_id=picture.pk, state=state, prepared_at=long_ago
            )

        attachments.sweep()

        assert entries() == [EntryState.NOT_SENT, EntryState.UNKNOWN]


class ClockTests:
    def lapsing_in(self, picture: MmsAttachment, hours: float) -> None:
        lapses_at = timezone.now() + dt.timedelta(hours=hours)
        MmsAttachment.objects.filter(pk=picture.pk).update(gateway_id="old", lapses_at=lapses_at)

    def test_a_live_id_is_used_again(self, picture: MmsAttachment, gateway: responses.RequestsMock) -> None:
        self.lapsing_in(picture, 7)

        assert attachments.live_ids([picture.pk]) == ["old"]
        assert entries() == []

    @pytest.mark.parametrize("hours", [5.5, -1])
    def test_what_lapses_within_hours_is_uploaded_again(
        self, picture: MmsAttachment, gateway: responses.RequestsMock, hours: float
    ) -> None:
        self.lapsing_in(picture, hours)
        takes(gateway, "new")

        assert attachments.live_ids([picture.pk]) == ["new"]
        assert entries() == [EntryState.ACCEPTED]

    def test_one_that_was_deleted_holds_its_campaign(self, picture: MmsAttachment) -> None:
        pk = picture.pk
        picture.delete()

        with pytest.raises(UploadFailed, match="not in the library any more"):
            attachments.live_ids([pk])

    def test_it_does_not_wait_for_ever_for_another_worker(
        self, picture: MmsAttachment, gateway: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(attachments, "WAIT_FOR_OTHER", 0.1)

        with leases.lease(f"mms-upload:{picture.pk}"), pytest.raises(BeingUploaded):
            attachments.live_ids([picture.pk])

        assert not gateway.calls

    def test_the_order_is_the_campaigns(self, picture: MmsAttachment, gateway: responses.RequestsMock) -> None:
        card = attachments.add(samples.CARD, "ann.vcf")[0]
        takes(gateway, "card", "picture")

        assert attachments.live_ids([card.pk, picture.pk]) == ["card", "picture"]


def post_files(client: Client, *files: tuple[str, bytes], upload: bool = False) -> Any:
    given = [SimpleUploadedFile(name, data) for name, data in files]
    return client.post(reverse(ADD), {"file": given, **({"upload": "on"} if upload else {})}, follow=True)


class PageTests:
    def test_files_are_added_and_uploaded(self, admin_client: Client, gateway: responses.RequestsMock) -> None:
        takes(gateway, "one", "two")

        answer = post_files(admin_client, ("a.png", samples.picture()), ("ann.vcf", samples.CARD), upload=True)

        assert answer.status_code == 200
        assert sorted(MmsAttachment.objects.values_list("gateway_id", flat=True)) == ["one", "two"]

    def test_the_unfit_one_is_named_and_the_fit_one_kept(self, admin_client: Client) -> None:
        answer = post_files(admin_client, ("a.png", samples.picture()), ("b.png", b"MZ" + bytes(300)))

        assert answer.context["form"].errors["file"] == [
            "b.png: By its content the file is a Windows program, whatever its name says. Attach one of: "
            "png, jpg, jpeg, bmp, gif, webp, psd, svg, tiff, mp3, wav, txt, vcf."
        ]
        assert MmsAttachment.objects.get().name == "a.png"

    def test_51_kb_are_refused_at_the_field_and_40_kb_doubted(self, admin_client: Client) -> None:
        big = post_files(admin_client, ("a.png", samples.noise(51 * 1024)))
        assert "The file has 51.0 KB" in big.context["form"].errors["file"][0]

        doubtful = post_files(admin_client, ("a.png", samples.noise(40 * 1024)))
        assert "over 37.5 KB" in doubtful.content.decode()

    def test_no_file_at_all(self, admin_client: Client) -> None:
        assert "Choose at least one file." in post_files(admin_client).content.decode()

    @pytest.mark.parametrize(
        ("name", "data", "shown"),
        [
            ("x.txt", b"<script>alert(1)</script>", "&lt;script&gt;alert(1)"),
            ("x.vcf", samples.CARD.replace(b"Ann", b"<b>Ann"), "FN:&lt;b&gt;Ann"),
            ("x.svg", samples.DRAWING, "&lt;svg xmlns="),
            ("x.mp3", samples.mpeg(), "<audio controls"),
            ("x.gif", samples.picture("GIF"), "/content/"),
            ("x.tiff", samples.picture("TIFF"), "/thumbnail.png"),
        ],
    )
    def test_each_is_shown_safely(self, admin_client: Client, name: str, data: bytes, shown: str) -> None:
        attachment = attachments.add(data, name)[0]

        page = admin_client.get(reverse("admin:messaging_mmsattachment_change", args=[attachment.pk]))

        assert shown in page.content.decode()
        assert "<script>alert" not in page.content.decode()
        assert reverse("admin:messaging_mmsattachment_changelist") in page.content.decode()
        assert admin_client.get(reverse("admin:messaging_mmsattachment_changelist")).status_code == 200

    @pytest.mark.parametrize(
        ("name", "data", "served", "disposition"),
        [
            ("x.png", samples.picture() + b"<script>alert(1)</script>", "image/png", "inline"),
            ("x.wav", samples.tone(), "audio/wav", "inline"),
            ("x.svg", samples.DRAWING, "application/octet-stream", "attachment"),
            ("x.txt", b"<script>alert(1)</script>", "application/octet-stream", "attachment"),
            ("x.vcf", samples.CARD, "application/octet-stream", "attachment"),
            ("x.psd", samples.photoshop(), "application/octet-stream", "attachment"),
        ],
    )
    def test_bytes_are_never_served_as_what_a_browser_runs(
        self, admin_client: Client, name: str, data: bytes, served: str, disposition: str
    ) -> None:
        attachment = attachments.add(data, name)[0]

        answer = admin_client.get(reverse("admin:messaging_mmsattachment_content", args=[attachment.pk]))

        assert answer.content == data
        assert answer["Content-Type"] == served
        assert answer["Content-Disposition"].startswith(disposition + ";")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"

    def test_a_button_uploads_again(
        self, admin_client: Client, picture: MmsAttachment, gateway: responses.RequestsMock
    ) -> None:
        takes(gateway, "fresh")

        answer = admin_client.post(reverse("admin:messaging_mmsattachment_upload", args=[picture.pk]), follow=True)

        assert "is at Laaffic for three days" in answer.content.decode()
        assert LedgerEntry.objects.get().requested_by == User.objects.get()

    def test_what_a_campaign_uses_is_not_deleted(self, admin_client: Client, picture: MmsAttachment) -> None:
        attachments.mark_used([picture.pk])

        answer = admin_client.post(reverse("admin:messaging_mmsattachment_delete", args=[picture.pk]), {"post": "yes"})

        assert answer.status_code == 403

    def test_what_is_being_uploaded_is_not_deleted(self, admin_client: Client, picture: MmsAttachment) -> None:
        page = reverse("admin:messaging_mmsattachment_delete", args=[picture.pk])
        with leases.lease(f"mms-upload:{picture.pk}"):
            shown = admin_client.post(page, {"post": "yes"}, follow=True).content.decode()
        assert "being uploaded right now" in shown
        assert MmsAttachment.objects.filter(pk=picture.pk).exists()

        admin_client.post(page, {"post": "yes"})
        assert not MmsAttachment.objects.filter(pk=picture.pk).exists()

    def test_it_is_archived_however_often_that_is_said(self, admin_client: Client, picture: MmsAttachment) -> None:
        page = reverse("admin:messaging_mmsattachment_change", args=[picture.pk])
        archive = reverse("admin:messaging_mmsattachment_archive", args=[picture.pk])
        for said, is_archived in (("yes", True), ("no", False)):
            assert f'name="archive" value="{said}"' in admin_client.get(page).content.decode()
            for _twice in range(2):
                admin_client.post(archive, {"archive": said})
            assert MmsAttachment.objects.get().is_archived is is_archived

    @pytest.mark.parametrize("what", ["upload", "archive", "content", "thumbnail", "change"])
    def test_doors_are_closed_without_permission(self, client: Client, picture: MmsAttachment, what: str) -> None:
        client.force_login(User.objects.create_user("staff", is_staff=True))
        page = reverse(f"admin:messaging_mmsattachment_{what}", args=[picture.pk])

        assert client.get(page).status_code in (403, 302)
        assert client.post(page).status_code in (403, 302)
        assert client.get(reverse(ADD)).status_code == 403

    def test_who_may_only_add_does_not_upload(self, client: Client, gateway: responses.RequestsMock) -> None:
        user = User.objects.create_user("staff", is_staff=True)
        names = ["add_mmsattachment", "view_mmsattachment"]
        user.user_permissions.set(Permission.objects.filter(codename__in=names))
        client.force_login(user)

        post_files(client, ("a.png", samples.picture()), upload=True)

        assert MmsAttachment.objects.get().gateway_id == ""
        assert entries() == []


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (single_requests.HeldBack("the account is held", interface="x"), "the account is held"),
        (NotSent("no route", interface="x"), "the gateway cannot be reached (no route)"),
        (OutcomeUnknown("timeout", interface="x"), "was lost"),
    ],
)
def test_an_upload_that_failed_says_what_to_do(error: LaafficError, says: str) -> None:
    assert says in attachments._said(MmsAttachment(name="spring.png"), error)
