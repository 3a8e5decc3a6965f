"""What scripts do with email and MMS."""

import datetime as dt
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.utils import timezone

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Campaign, ContactGroup, EmailCampaign, EmailTally, MmsAttachment
from messaging.services.mms import attachments
from tests.messaging.conftest import APP_ID, add_contacts
from tests.messaging.mms import attachment_samples as samples
from tests.test_odd_arguments import LATIN

pytestmark = pytest.mark.django_db(transaction=True)

SEND = ["--app", "fKFtblIy", "--from", "test@mailpush.laaffic.cn", "--list", "1001", "--template", "1"]


def lost(sandbox: RunningSandbox, fault: str, calls: int, *words: Any) -> tuple[dict[str, Any], str]:
    """The document and the sentence of a command whose answer was lost."""
    sandbox.set_faults(next_fault=fault, next_calls=calls)
    out = io.StringIO()
    with pytest.raises(CommandError) as problem:
        call_command(*map(str, words), "--json", stdout=out)
    assert problem.value.returncode == 3
    document: dict[str, Any] = json.loads(out.getvalue())
    return document, str(problem.value)


def run(*words: Any) -> dict[str, Any]:
    out = io.StringIO()
    call_command(*map(str, words), "--json", stdout=out)
    document: dict[str, Any] = json.loads(out.getvalue())
    return document


@pytest.fixture(autouse=True)
def _hooks(settings: LazySettings) -> None:
    settings.LAAFFIC_PUSH_TOKENS = ["a-token-that-nobody-guesses"]
    settings.CONSOLE_URL = "http://127.0.0.1:9"


class EmailTests:
    @pytest.fixture(autouse=True)
    def _application(self, sandbox: RunningSandbox) -> None:
        Application.objects.create(app_id="fKFtblIy", channel="email")

    def test_an_application_that_is_switched_off_is_named(self) -> None:
        Application.objects.update(is_active=False)
        for words in (["send", *SEND, "--subject", "hello"], ["lookup", "fKFtblIy"]):
            with pytest.raises(CommandError, match=r"fKFtblIy is switched off\. Switch it on"):
                run("email", *words)

    def test_send_and_report(self, run_jobs: Callable[[], int]) -> None:
        sent = run("email", "send", *SEND, "--subject", "hello world", "--ad-flag", "2")
        assert sent["state"] == "sending"
        run_jobs()

        report = run("email", "report", sent["id"])
        assert (report["state"], report["counts"]["total"]) == ("running", 0)
        assert report["task_id"]
        assert run("email", "prove", sent["id"])["disagreements"] == []

    def test_a_moment_long_past_is_not_taken_for_at_once(self) -> None:
        with pytest.raises(CommandError, match=r"This moment has passed\. [^\n]*\nIt is kept as draft"):
            run("email", "send", *SEND, "--subject", "hello", "--at", "2020-01-01T09:00")
        assert (EmailCampaign.objects.get().state, LedgerEntry.objects.count()) == ("draft", 0)

        now = timezone.now() - dt.timedelta(minutes=2)
        sent = run("email", "send", *SEND, "--subject", "hello", "--at", now.isoformat())
        assert sent["state"] == "sending"

    def test_bad_input_says_what_to_do(self) -> None:
        with pytest.raises(CommandError, match=r"subject: The subject has 101 characters"):
            run("email", "send", *SEND, "--subject", "x" * 101)
        with pytest.raises(CommandError, match="register_app nobody --channel email"):
            run("email", "lookup", "nobody")
        with pytest.raises(CommandError, match="There is no email campaign 7"):
            run("email", "report", 7)
        with pytest.raises(CommandError, match="is a draft: it cannot be resumed"):
            call_command("email", "resume", str(self.draft().pk))
        assert LedgerEntry.objects.count() == 0

    def draft(self) -> EmailCampaign:
        return EmailCampaign.objects.create(name="A", application=Application.objects.get())

    def test_a_test_mail_is_sent_with_the_campaigns_template(self, sandbox: RunningSandbox) -> None:
        campaign = self.draft()
        with pytest.raises(CommandError):
            call_command("email", "test", str(campaign.pk), "no address")
        EmailCampaign.objects.update(
            from_address="news@mail.example.com", template_id="1", subject="Hi", receiver_id="1000"
        )

        document, said = lost(sandbox, "reset_after", 1, "email", "test", campaign.pk, "bob@example.com")
        assert document == {"said": said}
        found = run("email", "test", campaign.pk, "ann@example.com", "--data", '{"code": "1"}')

        assert "ann@example.com" in found["said"]
        assert sandbox.stats()["calls"]["/email/sendEmail"] == 2

    @pytest.mark.parametrize("data", ['{"code": "\\ud800"}', '{"\\udc00": "1"}', "[" * 100_000, '{"code": '])
    def test_variables_that_cannot_be_sent_leave_no_request(self, data: str) -> None:
        campaign = self.draft()
        EmailCampaign.objects.update(
            from_address="news@mail.example.com", template_id="1", subject="Hi", receiver_id="1000"
        )

        with pytest.raises(CommandError, match="as JSON") as problem:
            run("email", "test", campaign.pk, "ann@example.com", "--data", data)

        assert problem.value.returncode == 1
        assert not LedgerEntry.objects.exists()

    def test_look_up(self) -> None:
        found = run("email", "lookup", "fKFtblIy")

        assert sorted(found["list"]) == ["1000", "1001", "1002"]
        assert found["sender"] == ["news@mail.example.com", "test@mailpush.laaffic.cn"]
        assert found["problems"] == []

    def test_prove_exits_with_1_where_a_figure_disagrees(self) -> None:
        campaign = self.draft()
        EmailTally.objects.create(campaign=campaign, submission=20, delivery=40, messages=3)

        with pytest.raises(CommandError) as ended:
            run("email", "prove", campaign.pk)

        assert ended.value.returncode == 1

    def test_what_could_not_be_asked_for_ends_with_1(self, sandbox: RunningSandbox) -> None:
        sandbox.set_faults(status="-23", status_calls=1)

        with pytest.raises(CommandError) as ended:
            run("email", "lookup", "fKFtblIy")

        assert ended.value.returncode == 1
        assert "system error" in str(ended.value)


class MmsTests:
    def test_upload_keeps_and_uploads_once(self, sandbox: RunningSandbox, tmp_path: Path) -> None:
        (tmp_path / "beach.png").write_bytes(samples.picture())

        first = run("mms", "upload", tmp_path / "beach.png")["attachments"][0]
        second = run("mms", "upload", tmp_path / "beach.png")["attachments"][0]

        assert first == second
        assert (first["type"], first["gateway_id"][-4:]) == ("png", ".png")
        assert sandbox.stats()["calls"]["/mmsUpload"] == 1

    def test_a_name_in_another_encoding_is_kept_as_far_as_it_can_be_read(
        self, sandbox: RunningSandbox, tmp_path: Path
    ) -> None:
        (tmp_path / f"{LATIN}.png").write_bytes(samples.picture())

        assert run("mms", "upload", tmp_path / f"{LATIN}.png")["attachments"][0]["name"] == "caf.png"

    def test_a_lost_answer_keeps_no_other_file_from_being_uploaded(
        self, sandbox: RunningSandbox, tmp_path: Path
    ) -> None:
        files = [tmp_path / "beach.png", tmp_path / "tune.mp3"]
        files[0].write_bytes(samples.picture())
        files[1].write_bytes(samples.mpeg())

        document, said = lost(sandbox, "bad_gateway_after", attachments.TRIES, "mms", "upload", *files)

        assert "beach.png" in said
        assert [(row["name"], bool(row["gateway_id"])) for row in document["attachments"]] == [
            ("beach.png", False),
            ("tune.mp3", True),
        ]

    @pytest.mark.parametrize(("failure", "code"), [(attachments.UploadUnknown, 3), (attachments.UploadFailed, 1)])
    def test_people_see_what_was_uploaded_beside_what_was_not(
        self,
        sandbox: RunningSandbox,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        failure: type[Exception],
        code: int,
    ) -> None:
        files = [tmp_path / "beach.png", tmp_path / "tune.mp3"]
        files[0].write_bytes(samples.picture())
        files[1].write_bytes(samples.mpeg())
        uploaded, out = attachments.upload, io.StringIO()

        def uploads(pk: int) -> Any:
            if MmsAttachment.objects.get(pk=pk).name == "beach.png":
                raise failure("“beach.png” is not there.")
            return uploaded(pk)

        monkeypatch.setattr(attachments, "upload", uploads)
        with pytest.raises(CommandError, match="is not there") as problem:
            call_command("mms", "upload", *map(str, files), stdout=out)

        assert problem.value.returncode == code
        assert [line.split("\t")[-1] for line in out.getvalue().splitlines()] == ["tune.mp3"]

    def test_a_refusal_beside_a_lost_answer_is_unknown_too(self, sandbox: RunningSandbox, tmp_path: Path) -> None:
        files = [tmp_path / "beach.png", tmp_path / "tune.mp3"]
        files[0].write_bytes(samples.picture())
        files[1].write_bytes(samples.mpeg())
        uploaded, asked = attachments.upload, []

        def uploads(pk: int) -> Any:
            asked.append(pk)
            if len(asked) == 2:
                raise attachments.UploadFailed("“tune.mp3” was refused.")
            return uploaded(pk)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(attachments, "upload", uploads)
            document, said = lost(sandbox, "bad_gateway_after", attachments.TRIES, "mms", "upload", *files)

        assert ("beach.png" in said, "tune.mp3" in said) == (True, True)
        assert [row["name"] for row in document["attachments"]] == ["beach.png", "tune.mp3"]

    def test_create_and_launch(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        tmp_path: Path,
        run_jobs: Callable[[], int],
    ) -> None:
        add_contacts(group, 3)
        (tmp_path / "ann.vcf").write_bytes(samples.CARD)
        given = ["--name", "A", "--app", APP_ID, "--title", "Ann", "--text", "Hi", "--group", "customers"]
        made = run("mms", "create", *given, "--file", tmp_path / "ann.vcf", "--canary", "3", "--canary-least", "60")
        draft = Campaign.objects.get(pk=made["id"])
        assert (draft.canary, draft.canary_wait, draft.canary_least) == ("3", 15, 60)
        run("campaign", "launch", made["id"])
        run_jobs()

        assert run("campaign", "report", made["id"])["counts"]["accepted"] == 3
        assert run("campaign", "prove", made["id"])["disagreements"] == []

    def test_an_application_that_is_switched_off_is_named(
        self, application: Application, group: ContactGroup, tmp_path: Path
    ) -> None:
        Application.objects.filter(pk=application.pk).update(is_active=False)
        (tmp_path / "ann.vcf").write_bytes(samples.CARD)
        given = ["create", "--name", "A", "--app", APP_ID, "--text", "Hi", "--group", "customers"]
        for words in (["mms", *given, "--title", "Ann", "--file", tmp_path / "ann.vcf"], ["campaign", *given]):
            with pytest.raises(CommandError, match=rf"{APP_ID} is switched off\. Switch it on"):
                run(*words)

    def test_bad_input_says_what_to_do(self, application: Application, group: ContactGroup, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_bytes(b"MZ" + bytes(300))
        with pytest.raises(CommandError, match=r"a\.png: By its content the file is a Windows program"):
            run("mms", "upload", tmp_path / "a.png")
        with pytest.raises(CommandError, match="cannot be read"):
            run("mms", "upload", tmp_path / "none.png")
