"""A campaign's dossier: whole, signed, and any changed byte of it is noticed, without the console's settings."""

import csv
import errno
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import Client

from laaffic_console import conf, verify_dossier
from laaffic_console.exporting.models import Export
from laaffic_console.exporting.services import keeping, making
from laaffic_console.gateway.models import Application
from laaffic_console.kit.files import sealed_stream, signed_zip
from laaffic_console.verify_dossier import NotGenuine
from messaging.exports import campaign_dossiers
from messaging.models import Campaign, CampaignState, EmailCampaign, EmailMessage
from tests.messaging.campaigns.test_recipient_exports import AT, add_campaign
from tests.messaging.campaigns.test_recipient_exports import campaign as campaign  # noqa: PLC0414 a fixture

pytestmark = pytest.mark.django_db

FILES = ["README.txt", "approvals.json", "audience.json", "campaign.json", "events.csv", "evidence.csv"]
FILES += ["figures.json", "forecast.json", "ledger.csv", "manifest.json", "recipients.csv", "settings.json"]


def made(campaign: Campaign, folder: Path) -> Path:
    path = folder / "dossier.zip"
    call_command("campaign", "dossier", str(campaign.pk), str(path), stdout=io.StringIO())
    return path


@pytest.fixture
def small(application: Application, tmp_path: Path) -> Path:
    """Of a campaign that has reached nobody: what is in it matters less than that no byte of it can change."""
    return made(add_campaign(application), tmp_path)


def why_not(path: Path, key: str = "") -> str:
    with pytest.raises(NotGenuine) as refused:
        verify_dossier.check(path, key)
    return str(refused.value)


class MakingTests:
    def test_it_holds_all_that_is_known_and_is_genuine(self, campaign: Campaign, tmp_path: Path) -> None:
        message = campaign.messages.order_by("pk")[0]
        message.events.create(at=AT, source="push", text="a late report")
        path = made(campaign, tmp_path)

        found = verify_dossier.check(path, signed_zip.own_fingerprint().upper().replace(" ", ":"))

        assert found.manifest["title"] == f"campaign {campaign.pk} “=Spring/sale”"
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            assert sorted(archive.namelist()) == FILES
            rows = list(csv.DictReader(io.StringIO(archive.read("recipients.csv").decode("utf-8-sig"))))
            evidence = list(csv.reader(io.StringIO(archive.read("evidence.csv").decode("utf-8-sig"))))
            figures = json.loads(archive.read("figures.json"))
        assert [row["state"] for row in rows] == ["delivered", "rejected", "accepted", "claimed", "unknown"]
        assert evidence[1:] == [["919876500001", "2026-03-01 12:00:00+00:00", "push", "a late report"]]
        assert figures["counted_again_from_recipients_csv"]["counts"]["delivered"] == 1
        assert figures["counted_again_from_recipients_csv"]["cost"] == {"USD": "3.0125"}

    def test_figures_that_are_not_what_the_rows_say_are_named(self, campaign: Campaign) -> None:
        rows = [
            ["state", "cost", "currency", "earlier_cost", "earlier_currency"],
            ["delivered", "0.5", "USD", "", ""],
            ["rejected", None, "", "1", "EUR"],
            ["delivered", "1", "USD", "3.5 USD; 0.02 EUR", ""],
        ]
        recounted = campaign_dossiers.Recounted(rows)
        list(recounted)
        kept = {"counts": {**recounted.counts(), "delivered": 3}, "cost": {"USD": "5"}}

        assert list(recounted.disagreements(kept)) == [
            "delivered: the console says 3, recipients.csv says 2",
            "cost in EUR: the console says 0, recipients.csv says 1.02",
        ]

    @pytest.mark.parametrize("state", [CampaignState.RUNNING, CampaignState.FINISHED])
    def test_it_says_whether_it_was_over(self, application: Application, tmp_path: Path, state: str) -> None:
        going = add_campaign(application)
        Campaign.objects.filter(pk=going.pk).update(state=state)

        found = verify_dossier.check(made(going, tmp_path))

        assert found.manifest["is_over"] == (state == CampaignState.FINISHED)
        said = verify_dossier.words(Path("d.zip"), found, is_expected=False)
        assert ("NOT over" in said) == (state == CampaignState.RUNNING)

    def test_an_email_campaign_has_one_too(self, application: Application, tmp_path: Path) -> None:
        sent = EmailCampaign.objects.create(name="News", application=application, state=EmailCampaign.State.RUNNING)
        EmailMessage.objects.create(campaign=sent, key="1", address="ann@example.org", told_at=AT, submission=20)
        path = tmp_path / "email.zip"

        call_command("email", "dossier", str(sent.pk), str(path), stdout=io.StringIO())

        found = verify_dossier.check(path)
        assert (found.manifest["title"], found.manifest["is_over"]) == (f"email campaign {sent.pk} “News”", False)
        with zipfile.ZipFile(path) as archive:
            figures = json.loads(archive.read("figures.json"))
            assert b"ann@example.org" in archive.read("recipients.csv")
            assert b"recipients.csv   each mail" in archive.read("README.txt")
        assert figures["counted_again_from_recipients_csv"] == [{"submitted": "Submitted", "delivered": "", "mails": 1}]
        with pytest.raises(CommandError, match="There is no email campaign"):
            call_command("email", "dossier", "1000000", str(path))

    def test_it_holds_no_secret(self, campaign: Campaign, tmp_path: Path, settings: LazySettings) -> None:
        settings.LAAFFIC_BASE_URL = "https://someone:hush-hush@gateway.example/v3"
        settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "hush-hush"
        settings.LAAFFIC_PUSH_TOKENS = ["hush-hush"]

        with zipfile.ZipFile(made(campaign, tmp_path)) as archive:
            content = b"".join(archive.read(name) for name in archive.namelist())

        assert b"hush-hush" not in content
        assert b"https://gateway.example/v3" in content
        assert settings.DOSSIER_KEY.encode() not in content

    def test_a_worker_makes_it_for_who_may_and_names_are_for_who_sees_contacts(
        self, client: Client, campaign: Campaign, settings: LazySettings, tmp_path: Path
    ) -> None:
        settings.MEDIA_ROOT = tmp_path
        user = User.objects.create_user("ann", is_staff=True)
        rights = ["view_campaign", "view_message", "export_message"]
        user.user_permissions.add(*Permission.objects.filter(codename__in=rights))
        client.force_login(user)
        address = f"/admin/messaging/campaign/{campaign.pk}/dossier/"
        assert client.post(address).status_code == 403
        user.user_permissions.add(Permission.objects.get(codename="view_ledgerentry"))
        assert client.post(address).status_code == 403  # the evidence has whole numbers
        user.user_permissions.add(Permission.objects.get(codename="see_numbers"))
        assert client.get(address).status_code == 404

        page = client.post(address, follow=True)

        export = Export.objects.get()
        assert page.redirect_chain[-1][0] == f"/admin/exporting/export/{export.pk}/change/"
        making.make_next()
        export.refresh_from_db()
        assert (export.state, export.rows, export.problem) == (Export.State.FINISHED, 5, "")
        with zipfile.ZipFile(keeping.path_of(export)) as archive:
            assert b"Pune" not in archive.read("recipients.csv")
            assert b"may not see contacts" in archive.read("campaign.json")
        link = f"/admin/exporting/export/{export.pk}/file/{keeping.token_for(user, export)}/"
        answer = client.get(link)
        assert answer["Content-Type"] == "application/zip"
        answer.close()

    def test_what_cannot_be_made_is_said(self, campaign: Campaign, tmp_path: Path) -> None:
        for number, path, sentence in (
            (10**6, "d.zip", "no campaign 1000000"),
            (campaign.pk, "nowhere/d.zip", "There is no folder"),
            (campaign.pk, "d.csv", "does not end in .zip"),
            (campaign.pk, ".", "is a folder. Name a file in it"),
        ):
            with pytest.raises(CommandError, match=sentence):
                call_command("campaign", "dossier", str(number), str(tmp_path / path))
        if Path("/dev/full").exists():
            (tmp_path / "full.zip").mkdir()
            with pytest.raises(CommandError, match="is a folder"):
                call_command("campaign", "dossier", str(campaign.pk), str(tmp_path / "full.zip"))
        Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.DRAFT)
        with pytest.raises(CommandError, match="is a draft"):
            call_command("campaign", "dossier", str(campaign.pk), str(tmp_path / "d.zip"))
        assert not (tmp_path / "d.zip").exists()

    def test_a_full_disk_leaves_nothing(self, campaign: Campaign, tmp_path: Path, monkeypatch: Any) -> None:
        def full(self: Any, data: bytes) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(sealed_stream.SealedStream, "pass_on", full)

        with pytest.raises(CommandError, match="no room on the disk"):
            made(campaign, tmp_path)
        assert os.listdir(tmp_path) == []


class VerifyingTests:
    def test_a_changed_byte_is_noticed_wherever_it_is(self, small: Path, tmp_path: Path) -> None:
        content = bytearray(small.read_bytes())
        with zipfile.ZipFile(small) as archive:
            tables = archive.start_dir
        size = len(content)
        # Each byte of the ZIP's tables and of the comment, in which every place means something else, and a sample.
        places = {0, size - 1, *range(0, tables, tables // 60), *range(tables, size, 9), *range(size - 240, size)}
        changed = tmp_path / "changed.zip"

        unnoticed = []
        for at in sorted(places):
            for flip in (0x01, 0x20) if at >= size - 240 and at % 4 == 0 else (0x20,):
                content[at] ^= flip
                changed.write_bytes(content)
                content[at] ^= flip
                if not verify_dossier.run(changed, "", str).endswith("."):
                    unnoticed.append(at)

        assert len(places) > 350
        assert unnoticed == []

    def test_what_was_cut_off_or_added_is_noticed(self, small: Path, tmp_path: Path) -> None:
        content = small.read_bytes()
        changed = tmp_path / "changed.zip"
        others = [content[:end] for end in (1, 3, 4, 1000, len(content) // 2, len(content) - 200, len(content) - 1)]
        others += [content[1:], b"PK" + content, content + b"\n", content + bytes(70_000), content + content]

        for other in others:
            changed.write_bytes(other)

            why_not(changed)

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (b"", "The file is empty"),
            (b"number,name\n", "not a dossier of this console"),
            (b"PK\x03\x04 some other ZIP", "carries no whole signature"),
        ],
    )
    def test_another_file_is_named_as_such(self, tmp_path: Path, content: bytes, sentence: str) -> None:
        path = tmp_path / "other.zip"
        path.write_bytes(content)

        assert sentence in why_not(path)

    def test_one_of_a_newer_version_asks_for_a_newer_console(self, small: Path) -> None:
        newer = small.read_bytes().replace(b"laaffic-console dossier 1\n", b"laaffic-console dossier 12\n")
        small.write_bytes(newer)

        assert "version 12" in why_not(small)

    def test_one_that_was_packed_again_is_not_genuine(self, small: Path, tmp_path: Path) -> None:
        again = tmp_path / "again.zip"
        with zipfile.ZipFile(small) as old, zipfile.ZipFile(again, "w") as new:
            for name in old.namelist():
                new.writestr(name, old.read(name))
            new.comment = old.comment

        assert "changed after it was signed" in why_not(again)

    def test_one_signed_with_anothers_key_is_refused_only_when_it_is_asked_for(
        self, small: Path, application: Application, tmp_path: Path, settings: LazySettings
    ) -> None:
        own = signed_zip.own_fingerprint()
        settings.DOSSIER_KEY = "ab" * 32
        forged = made(add_campaign(application), tmp_path)

        assert verify_dossier.check(forged).fingerprint != own
        assert "another key" in why_not(forged, own)
        assert "64 hexadecimal digits" in why_not(forged, own[:-1])

    def test_a_signed_list_that_is_wrong_is_noticed(self, tmp_path: Path, monkeypatch: Any) -> None:
        add = signed_zip.SignedZip.add

        def forgetful(self: signed_zip.SignedZip, name: str, pieces: Any) -> None:
            add(self, name, pieces)
            self._files["a.txt"] = {"sha256": "0" * 64, "bytes": 1}

        monkeypatch.setattr(signed_zip.SignedZip, "add", forgetful)
        path = tmp_path / "bad.zip"
        with path.open("wb") as file, signed_zip.SignedZip(file) as writing:
            writing.add("a.txt", [b"a"])

        assert "made badly" in why_not(path)

    def test_it_needs_nothing_of_the_console(self, small: Path, tmp_path: Path) -> None:
        alone = tmp_path / "alone"
        alone.mkdir()
        script = alone / "verify.py"
        script.write_text(Path(verify_dossier.__file__).read_text())
        var = tmp_path / "var"
        nowhere = {"DATABASE_URL": "nonsense://nowhere", "CONSOLE_VAR_DIR": str(var), "PATH": ""}

        for command in ([str(script)], ["manage.py", "verify_dossier"]):
            where = alone if len(command) == 1 else Path.cwd()
            ended = subprocess.run(
                [sys.executable, *command, str(small)],
                env=nowhere,
                cwd=where,
                capture_output=True,
                text=True,
                check=False,
            )
            assert (ended.returncode, ended.stderr) == (0, "")
            assert "is genuine" in ended.stdout
            assert signed_zip.own_fingerprint() in ended.stdout
            assert not var.exists()

    def test_it_ends_with_1_and_a_sentence(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        for path, sentence in ((tmp_path / "none.zip", "There is no file"), (tmp_path, "is a folder")):
            assert verify_dossier.main([str(path)]) == 1

            told = capsys.readouterr()
            assert (told.out, told.err.count("\n")) == ("", 1)
            assert sentence in told.err
            with pytest.raises(CommandError, match=sentence):
                call_command("verify_dossier", str(path))


class KeyTests:
    def test_it_is_made_once_and_is_nobody_elses(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(conf, "VAR_DIR", tmp_path)
        monkeypatch.delenv("DOSSIER_KEY", raising=False)

        key = conf.dossier_key()

        assert re.fullmatch("[0-9a-f]{64}", key)
        assert conf.dossier_key() == key
        assert os.name != "posix" or (tmp_path / "dossier_key").stat().st_mode & 0o077 == 0

    def test_one_that_is_none_is_refused_at_the_start(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOSSIER_KEY", "abc")

        with pytest.raises(conf.ImproperlyConfigured, match="64 hexadecimal digits"):
            conf.dossier_key()


class FullDisk(io.StringIO):
    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


class SayingTests:
    """From the shell, where what is said may find no reader."""

    def test_a_genuine_one_whose_verdict_cannot_be_written(
        self, small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("sys.stdout", FullDisk())

        assert verify_dossier.main([str(small)]) == 1
        said = f"{small.name} is genuine, but that cannot be written: No space left on device.\n"
        assert capsys.readouterr().err == said

    @pytest.mark.parametrize("stderr", [None, FullDisk()])
    def test_standard_error_says_nothing_of_a_genuine_one(
        self, small: Path, monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO | None
    ) -> None:
        monkeypatch.setattr("sys.stderr", stderr)

        assert verify_dossier.main([str(small)]) == 0
        assert verify_dossier.main([str(small), "--key", "0" * 64]) == 1
