"""A backup is whole or refused, and what may have left since it was made is not sent again."""

import contextlib
import datetime as dt
import errno
import fcntl
import json
import os
import signal
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import DatabaseError, OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone
from environ import Env

from laaffic_console.api.models import ApiToken
from laaffic_console.audit.models import AuditEntry
from laaffic_console.audit.services import chain
from laaffic_console.backups.services import alone, archives, backing_up, databases, ids, restoring
from laaffic_console.events.models import Webhook
from laaffic_console.events.services import webhooks
from laaffic_console.gateway.models import Application, EntryState, LedgerEntry, WorkerHeartbeat
from laaffic_console.gateway.services.ledger import known_by
from laaffic_console.kit.audit import acts
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import (
    Batch,
    Campaign,
    CampaignState,
    Consent,
    ConsentEvent,
    ConsentState,
    Contact,
    ContactGroup,
    EmailCampaign,
    EmailCampaignState,
    Erasure,
    Message,
    MessageState,
    Reply,
    SuppressionEntry,
)
from messaging.people.person_timeline import Behind
from messaging.registered import person_entries
from messaging.services import steps
from messaging.services.audience import audience
from messaging.services.batches import claiming
from messaging.services.campaigns import campaigns, drafts, resolving, starting
from messaging.services.contacts import consents, people, suppression
from messaging.services.email import starting as email_starting
from messaging.services.figures import proving
from messaging.services.reports import record_matching, report_pulls
from tests.kit.test_database_troubles import PostgresqlError, caused
from tests.messaging.conftest import LoseAnswers, add_contacts
from voice.models import GroupTask, TaskState
from voice.services.group_calls import waiting as group_waiting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    (tmp_path / "media" / "imports").mkdir(parents=True)
    (tmp_path / "media" / "imports" / "people.csv").write_text("number\n919876500000\n")
    monkeypatch.setattr(restoring, "VAR_DIR", tmp_path)
    monkeypatch.setattr(alone, "VAR_DIR", tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "console.backup"


def launched(application: Application, group: ContactGroup, **fields: object) -> Campaign:
    made = drafts.create(name="A", application=application, sender_id="S", text="Hello", groups=[group], **fields)
    return starting.launch(made.pk)


def test_sessions_are_over_and_it_says_what_counts_again(
    file: Path, client: Client, admin_user: User, capsys: pytest.CaptureFixture[str]
) -> None:
    """A session that was ended since and a token that was revoked since would come back unseen."""
    client.force_login(admin_user)
    ApiToken.objects.create(name="shop", user=admin_user, digest="a")
    ApiToken.objects.create(name="old", user=admin_user, digest="b", revoked_at=timezone.now())
    client.get("/admin/")
    assert UserSession.objects.exists()
    call_command("backup", file)
    ApiToken.objects.update(revoked_at=timezone.now())

    call_command("restore", file, "--yes")

    assert client.get("/admin/").status_code == 302
    assert not UserSession.objects.exists()
    said = capsys.readouterr().out.partition("Restored.")[2]
    assert "As they were at the backup: 1 person and 1 API token; close" in said
    assert "0 " not in said


def test_who_did_what_tells_of_the_backup_and_of_the_restore(file: Path) -> None:
    """The chain is the backup's again: who looks there sees who put it back, and how old it is."""
    with acts.acting(lambda: acts.Actor(None, "shell user ann", is_shell=True)):
        call_command("backup", str(file))
        made = list(AuditEntry.objects.values_list("kind", "object_label"))
        call_command("restore", str(file), "--yes")

    restored = AuditEntry.objects.latest("pk")
    assert made == [("exported", file.name)]
    assert (restored.kind, restored.person) == ("restored", "shell user ann")
    assert restored.object_label.startswith("20")
    assert chain.verify().problem == ""


def test_it_says_how_many_drafts_need_a_reason_and_nothing_of_what_there_is_none(
    application: Application, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    GroupTask.objects.create(application=application, name="A")
    call_command("backup", file)
    capsys.readouterr()

    call_command("restore", file, "--yes")

    said = _said(capsys)
    assert "May have been launched since, so a launch asks why: 1 draft." in said
    assert "Nobody was suppressed, withdrew a consent or was erased since the backup." in said
    assert "0 " not in said


class SaidSinceTests:
    """Nobody is sent to again who has said no, or who is not to be known any more."""

    def test_who_was_suppressed_since_stays_suppressed(
        self, application: Application, file: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        suppression.suppress_numbers(["919876500001"], channel="all", reason="manual", note="before")
        call_command("backup", file)
        suppression.suppress_numbers(["919876500002", "919876500003"], channel="sms", reason="manual", note="a letter")
        suppression.suppress_numbers(["919876500001"], channel="sms", reason="opt_out", source="file.csv")
        suppression.allow_again(SuppressionEntry.objects.filter(note="before"), why="asked for it", by=None)
        columns = ("number", "channel", "reason", "source", "note", "created_at")
        there = set(SuppressionEntry.objects.values_list(*columns))

        call_command("restore", file, "--yes")

        found = set(SuppressionEntry.objects.values_list(*columns))
        assert there < found
        assert {number for number, *_others in found - there} == {"919876500001"}  # allowed since: the careful side
        assert "as since the backup: 3 suppressed numbers. Who was allowed again" in _said(capsys)

    def test_a_stop_that_somebody_else_said_too_since_stays_against_a_start(
        self, application: Application, file: Path
    ) -> None:
        now = timezone.now()
        stop = {"content": "STOP", "opt_out": "STOP", "at": now, "received_at": now, "source": Reply.Source.PUSH}
        for n, number in enumerate(("919876500001", "919876500002")):
            Reply.objects.create(key=f"{n}", number=number, **stop)
            suppression.suppress_numbers([number], channel="sms", reason="opt_out", source=suppression.BY_REPLY)
        SuppressionEntry.objects.update(created_at=now - dt.timedelta(days=2))
        call_command("backup", file)
        suppression.suppress_numbers(["919876500001"], channel="sms", reason="opt_out", note="a letter")
        there = list(SuppressionEntry.objects.values())

        call_command("restore", file, "--yes")

        assert list(SuppressionEntry.objects.values()) == there
        assert {entry["source"] for entry in there} == {"console", "reply"}

    def test_who_withdrew_consent_since_has_withdrawn_it_and_nobody_has_given_it(
        self, application: Application, file: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        given, withdrawn = ConsentState.GIVEN, ConsentState.WITHDRAWN
        consents.set_by_hand("919876500001", channel="sms", state=given, why="a form", by=None)
        call_command("backup", file)
        consents.set_by_hand("919876500001", channel="sms", state=withdrawn, why="a letter", by=None)
        consents.set_by_hand("919876500002", channel="sms", state=given, why="a form", by=None)

        call_command("restore", file, "--yes")

        assert dict(Consent.objects.values_list("number", "state")) == {"919876500001": withdrawn}
        assert [one.words for one in ConsentEvent.objects.order_by("pk")] == ["a form", "a letter"]
        assert "as since the backup: 1 withdrawn consent." in _said(capsys)

    def test_who_was_erased_since_is_erased_or_named(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        file: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        add_contacts(group, 1)
        campaign = launched(application, group)
        audience.freeze_chunk(campaign.pk)
        add_contacts(ContactGroup.objects.create(name="others"), 1, first=919876500001)
        call_command("backup", file)
        campaigns.cancel(campaign.pk)
        for number in ("919876500000", "919876500001"):
            people.erase(number, why="a letter", by=None)

        call_command("restore", file, "--yes")

        assert list(Contact.objects.values_list("number", flat=True)) == ["919876500000"]
        assert {one.number: one.is_done for one in Erasure.objects.all()} == {
            "919876500000": False,
            "919876500001": True,
        }
        known = people.of("919876500000").person
        assert [entry.title for entry in person_entries.erasures(known, Behind(), 9)] == ["Erasure asked for"]
        said = _said(capsys)
        assert "Erased again: 1 person. " in said
        assert "Not erased again, since a message or a group call may still reach them: 1 person." in said
        assert "then erase 919876500000." in said

        call_command("backup", file.with_name("later"))
        for backup in (file, file.with_name("later")):  # until somebody has erased them
            call_command("restore", backup, "--yes")
            assert "then erase 919876500000." in _said(capsys)

    def test_who_opted_out_since_is_kept_by_a_restore_that_dies_on_its_way(
        self, application: Application, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """On PostgreSQL the database has been replaced by then, and what was read of the old one is in no table."""
        add_contacts(ContactGroup.objects.create(name="others"), 1, first=919876500001)
        call_command("backup", file)
        suppression.suppress_numbers(["919876500002"], channel="sms", reason="manual", note="a letter")
        people.erase("919876500001", why="a letter", by=None)

        def fails(*whatever: object, **named: object) -> None:
            raise DatabaseError("connection lost")

        with monkeypatch.context() as broken:
            broken.setattr(restoring.restored_campaigns, "settle", fails)
            with pytest.raises(CommandError, match="connection lost"):
                call_command("restore", file, "--yes")
        assert [entry.number for entry in SuppressionEntry.objects.all()] == ["919876500002"]

        call_command("restore", file, "--yes")
        said = _said(capsys)
        assert "as since the backup: 1 suppressed number. " in said
        assert "Erased again: 1 person." in said
        assert "LOST" not in said
        assert [entry.number for entry in SuppressionEntry.objects.all()] == ["919876500002"]
        assert not Contact.objects.exists()

    @pytest.mark.parametrize("why", ["it is empty", "it is of an older version", "a restore died in its middle"])
    def test_where_nothing_can_be_read_it_says_so(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        file: Path,
        capsys: pytest.CaptureFixture[str],
        why: str,
    ) -> None:
        add_contacts(group, 1)
        campaign = launched(application, group)
        tomorrow = timezone.now() + dt.timedelta(days=1)
        held: list[Any] = [campaign]
        for state, scheduled_at in ((EmailCampaignState.SCHEDULED, tomorrow), (EmailCampaignState.SENDING, None)):
            mail = {"state": state, "scheduled_at": scheduled_at}
            held.append(EmailCampaign.objects.create(application=application, name="A", **mail))
        held.append(GroupTask.objects.create(application=application, task_name="A", state=TaskState.LAUNCHED))
        call_command("backup", file)
        if why == "it is empty":
            for model in (Campaign, EmailCampaign, GroupTask):
                model.objects.all().delete()
            Contact.objects.all().delete()
            Application.objects.all().delete()
        elif why == "it is of an older version":
            MigrationRecorder.Migration.objects.filter(app="voice").order_by("-pk")[:1].get().delete()
        else:
            with connection.cursor() as cursor:
                cursor.execute("CREATE TABLE restore_halfway (id integer)")
        suppression.suppress_numbers(["919876500002"], channel="sms", reason="manual")

        call_command("restore", file, "--yes")

        told = _said(capsys)
        assert ("There was no database here." in told) == (why == "it is empty")
        assert ("LOST, as the database that was replaced is of another version" in told) == (why != "it is empty")
        for one in held:
            said = one.events.latest("pk").text
            assert "restored from a backup" in said
            assert "erasures since are lost: enter them first" in said
            one.refresh_from_db()
            assert one.state == EmailCampaignState.UNKNOWN or one.hold_reason in said
        assert not SuppressionEntry.objects.exists()

        call_command("restore", file, "--yes")
        campaign.refresh_from_db()
        assert "are lost" not in campaign.hold_reason

    def test_a_webhook_that_was_deleted_since_is_told_nothing_before_somebody_has_looked(
        self, file: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        webhook, _secret = webhooks.create("https://93.184.215.14/hook", ["message.failed"])
        call_command("backup", file)
        webhooks.delete(webhook)

        call_command("restore", file, "--yes")

        assert Webhook.objects.get().state == Webhook.State.PAUSED
        assert "resumed where they are still meant: 1 webhook." in _said(capsys)


def test_a_terminal_that_is_closed_does_not_end_it(
    application: Application, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("backup", file)
    settled, closed = restoring.restored_campaigns.settle, []

    def closing(*since_until: dt.datetime, **how: bool) -> dict[str, int]:
        os.kill(os.getpid(), signal.SIGHUP)
        return settled(*since_until, **how)

    monkeypatch.setattr(restoring.restored_campaigns, "settle", closing)
    before = signal.signal(signal.SIGHUP, lambda signum, frame: closed.append(signum))
    try:
        call_command("restore", file, "--yes")
        assert signal.getsignal(signal.SIGHUP) != signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    assert closed == []
    assert "Restored." in _said(capsys)


def _said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_an_upload_that_is_deleted_meanwhile_is_left_out(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed, imports = backing_up._media, tmp_path / "media" / "imports"
    (imports / "gone.csv").write_text("number\n")

    def gone_meanwhile() -> Iterator[Path]:
        for path in listed():
            if path.name == "gone.csv":
                path.unlink()
            yield path

    monkeypatch.setattr(backing_up, "_media", gone_meanwhile)
    call_command("backup", file)

    call_command("restore", file, "--yes")
    assert [path.name for path in imports.iterdir()] == ["people.csv"]


def test_an_upload_that_cannot_be_read_is_named(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backing_up, "_media", lambda: iter([tmp_path / "media" / "imports"]))

    with pytest.raises(CommandError, match=r"media/imports cannot be read: Is a directory\. Without it"):
        call_command("backup", file)
    assert not file.exists()


def test_an_upload_in_a_folder_that_cannot_be_entered_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = Path.is_file

    def refused(path: Path) -> bool:
        if path.name == "people.csv":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return looked_at(path)

    monkeypatch.setattr(Path, "is_file", refused)

    with pytest.raises(CommandError, match=r"people\.csv cannot be read: Permission denied\. Without it"):
        call_command("backup", file)


def test_a_folder_of_uploads_that_cannot_be_read_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = os.scandir

    def refused(path: str) -> Any:
        if Path(path).name == "imports":
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr("os.scandir", refused)

    with pytest.raises(CommandError, match=r"media/imports cannot be read: Permission denied"):
        call_command("backup", file)


def test_the_tools_of_postgresql_are_told_how_to_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the address of the database says it: with another certificate they would trust somebody else, or nobody."""
    url = (
        "postgres://me:secret@db/console?sslmode=verify-full&sslrootcert=/etc/ca.pem&sslcert=/etc/c.pem"
        "&sslkey=/etc/k.pem&options=-c%20search_path%3Dconsole&connect_timeout=5&prepare_threshold=0"
    )
    monkeypatch.setattr(databases, "connection", SimpleNamespace(settings_dict=Env.db_url_config(url)))

    told = databases._environment()

    assert {name: value for name, value in told.items() if name not in os.environ or os.environ[name] != value} == {
        "PGHOST": "db",
        "PGUSER": "me",
        "PGPASSWORD": "secret",
        "PGDATABASE": "console",
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": "/etc/ca.pem",
        "PGSSLCERT": "/etc/c.pem",
        "PGSSLKEY": "/etc/k.pem",
        "PGOPTIONS": "-c search_path=console",
        "PGCONNECT_TIMEOUT": "5",
    }


class RestoreTests:
    def test_nobody_gets_a_running_campaign_twice(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        file: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        add_contacts(group, 2500)
        campaign = launched(application, group)
        audience.freeze_chunk(campaign.pk)  # the others are frozen after the backup
        call_command("backup", file)
        run_jobs()
        assert sandbox.stats()["accepted"] == 2500

        call_command("restore", file, "--yes")
        campaign.refresh_from_db()
        assert campaign.state == CampaignState.HELD
        assert "restored from a backup" in campaign.hold_reason
        assert set(Message.objects.values_list("state", flat=True)) == {MessageState.UNKNOWN}
        assert proving.prove(campaign)["disagreements"] == []

        campaigns.resume(campaign.pk)
        run_jobs()
        assert sandbox.stats()["accepted"] == 2500
        assert sandbox.stats()["duplicates"] == {"number and text": 0, "order id": 0}

        report_pulls.reconcile(application, *report_pulls.minutes_with_pending(application))
        run_jobs()
        assert not Message.objects.filter(state=MessageState.UNKNOWN).exists()
        assert proving.prove(campaign)["disagreements"] == []

    @pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite's file holds its statistics")
    def test_postgresql_knows_how_large_its_tables_are(
        self, application: Application, group: ContactGroup, file: Path
    ) -> None:
        add_contacts(group, 500)
        call_command("backup", file)

        call_command("restore", file, "--yes")

        with connection.cursor() as cursor:
            cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'messaging_contact'")
            assert cursor.fetchone() == (500.0,)

    def test_who_opted_out_since_may_have_got_it_too(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, file: Path
    ) -> None:
        """Who was not frozen at the backup: a record of what they got would be taken for another system's."""
        contact = add_contacts(group, 1)[0]
        launched(application, group)
        call_command("backup", file)
        suppression.suppress_numbers([contact.number], channel="sms", reason="opt_out")

        call_command("restore", file, "--yes")

        assert Message.objects.get().state == MessageState.UNKNOWN
        assert SuppressionEntry.objects.get().number == contact.number

    def test_a_batch_under_way_at_the_backup_is_not_sent_again(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        file: Path,
    ) -> None:
        add_contacts(group, 3)
        campaign = launched(application, group)
        audience.freeze_chunk(campaign.pk)
        audience.freeze_chunk(campaign.pk)
        claiming.claim(campaign, "token")
        call_command("backup", file)
        call_command("restore", file, "--yes")

        assert Batch.objects.get().state == Batch.State.UNKNOWN
        assert sorted(LedgerEntry.objects.values_list("state", flat=True)) == [EntryState.NOT_SENT, EntryState.UNKNOWN]
        campaigns.resume(campaign.pk)
        run_jobs()
        assert sandbox.stats()["accepted"] == 0

    def test_what_was_unknown_at_the_backup_may_have_been_sent_again_since(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        lose_answers: LoseAnswers,
        file: Path,
    ) -> None:
        """Its old window does not have what left by a person's word, and "not in the records" would ask for one more"""
        draft = drafts.create(name="A", application=application, sender_id="S", text="Hello", groups=[group])
        campaign = lose_answers(draft, people=3, fault="bad_gateway_before")
        long_ago = timezone.now() - dt.timedelta(hours=5)
        LedgerEntry.objects.update(prepared_at=long_ago, left_at=long_ago)
        Batch.objects.update(next_check_at=None)
        call_command("backup", file)
        assert resolving.send_again(campaign.pk, reason="nobody got it") == 3
        run_jobs()
        assert sandbox.stats()["accepted"] == 3

        before = timezone.now()
        call_command("restore", file, "--yes")

        batch = Batch.objects.select_related("entry").get()
        window = record_matching.window_of_call(batch.entry)
        assert window is not None
        assert window[0] < long_ago
        assert window[1] > before
        assert set(Message.objects.values_list("state", "evidence")) == {(MessageState.UNKNOWN, known_by.RESTORED)}
        Batch.objects.exclude(next_check_at=None).update(next_check_at=timezone.now())
        report_pulls.pull_due()
        assert not Message.objects.filter(state=MessageState.UNKNOWN).exists()
        assert proving.prove(campaign)["disagreements"] == []

    def test_what_had_partly_arrived_keeps_that_and_is_looked_for_until_now(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        lose_answers: LoseAnswers,
        file: Path,
    ) -> None:
        draft = drafts.create(name="A", application=application, sender_id="S", text="Hello", groups=[group])
        lose_answers(draft, people=3, fault="bad_gateway_before")
        long_ago = timezone.now() - dt.timedelta(hours=5)
        LedgerEntry.objects.update(state=EntryState.ACCEPTED, left_at=long_ago, evidence="a report")
        call_command("backup", file)
        before = timezone.now()
        call_command("restore", file, "--yes")

        entry = LedgerEntry.objects.get()
        assert (entry.state, entry.evidence) == (EntryState.ACCEPTED, "a report")
        window = record_matching.window_of_call(entry)
        assert window is not None
        assert window[0] < long_ago
        assert window[1] > before

    def test_what_is_still_to_come_is_held_and_asks(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        file: Path,
    ) -> None:
        add_contacts(group, 3)
        campaign = launched(application, group, scheduled_at=timezone.now() + dt.timedelta(days=1))
        call_command("backup", file)
        call_command("restore", file, "--yes")

        campaign.refresh_from_db()
        assert (campaign.state, campaign.audience) == (CampaignState.HELD, Campaign.Audience.OPEN)
        assert "This may have been sent since: look at Laaffic before you resume it." in campaign.hold_reason

    def test_ids_that_laaffic_may_know_are_not_given_again(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        file: Path,
    ) -> None:
        call_command("backup", file)
        call_command("restore", file, "--yes")
        add_contacts(group, 1)
        campaign = launched(application, group)
        audience.freeze_chunk(campaign.pk)

        assert Message.objects.get().pk > 1_000_000_000

    def test_the_same_backup_restored_again_gives_other_ids(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, file: Path
    ) -> None:
        """A late report of the first would be taken for the second's, who would be reached and never sent to."""
        add_contacts(group, 1)
        call_command("backup", file)
        given = []
        for _time in range(3):
            call_command("restore", file, "--yes")
            audience.freeze_chunk(launched(application, group).pk)
            given.append(Message.objects.get().pk)

        assert sorted(set(given)) == given
        assert given[-1] < 2**53  # what a script in a browser can count

    @pytest.mark.parametrize("is_read", [True, False], ids=["from what is replaced", "where that is gone"])
    def test_no_id_that_a_script_may_know_is_given_again(
        self,
        application: Application,
        group: ContactGroup,
        file: Path,
        monkeypatch: pytest.MonkeyPatch,
        is_read: bool,
    ) -> None:
        """Else a launch that was asked for by the id of a draft that is lost would send another one."""

        def made() -> dict[str, int]:
            rows: list[Any] = [
                drafts.create(name="A", application=application, sender_id="S", text="Hello", groups=[group]),
                EmailCampaign.objects.create(application=application, name="A"),
                GroupTask.objects.create(application=application, name="A"),
                add_contacts(group, 1, first=919876500000 + Contact.objects.count())[0],
                ContactGroup.objects.create(name=f"G{ContactGroup.objects.count()}"),
                LedgerEntry.objects.create(interface="sendSip", about_kind="call", prepared_at=timezone.now()),
            ]
            return {row._meta.label: row.pk for row in rows}

        call_command("backup", file)
        given = [made(), *([made(), made()] if is_read else [])]
        again(file, lambda said: {**said, "at": (timezone.now() - dt.timedelta(hours=1)).isoformat()})
        if not is_read:
            monkeypatch.setattr(ids, "given_by_now", dict)
        call_command("restore", file, "--yes", "--force")

        new = made()
        assert all(new[kind] > given[-1][kind] for kind in new)
        assert is_read or all(new[kind] > 3600 for kind in new)
        assert not is_read or all(new[kind] < 1_000_000 for kind in new), "they read like phone numbers"

    def test_a_request_that_had_not_left_is_unknown(self, file: Path) -> None:
        entry = LedgerEntry.objects.create(
            interface="sendSip", about_kind="call", about_id=1, prepared_at=timezone.now(), state=EntryState.PREPARED
        )
        call_command("backup", file)
        call_command("restore", file, "--yes", "--force")

        entry.refresh_from_db()
        assert entry.state == EntryState.UNKNOWN
        assert entry.left_at is not None
        assert entry.clock_ahead is not None

    @pytest.mark.parametrize("lies", ["here", "on a disk of its own", "behind a link"])
    def test_rows_and_files_are_those_of_the_backup(
        self,
        application: Application,
        file: Path,
        settings: LazySettings,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        lies: str,
    ) -> None:
        root = Path(settings.MEDIA_ROOT)
        is_own = lies == "on a disk of its own"
        if is_own:
            monkeypatch.setattr(Path, "is_mount", lambda path: path == root.resolve())
            for hidden in ("lost+found", ".-old-c0ffee"):
                root.joinpath(hidden).mkdir()
                root.joinpath(hidden, "file").touch()
        if lies == "behind a link":
            root.rename(tmp_path / "elsewhere")
            root.symlink_to(tmp_path / "elsewhere")
        call_command("backup", file)
        Application.objects.update(name="later")
        uploaded = Path(settings.MEDIA_ROOT, "imports", "people.csv")
        uploaded.write_text("changed")
        Path(settings.MEDIA_ROOT, "imports", "later.csv").write_text("later")

        call_command("restore", file, "--yes")

        assert Application.objects.get().name == application.name
        assert uploaded.read_text() == "number\n919876500000\n"
        assert [path.name for path in uploaded.parent.iterdir()] == ["people.csv"]
        assert [path.name for path in root.iterdir() if path.name not in ("lost+found", ".-old-c0ffee")] == ["imports"]
        assert not [name for name in zipfile.ZipFile(file).namelist() if "lost" in name or ".-old" in name]
        assert not is_own or root.joinpath("lost+found", "file").exists()
        assert root.is_symlink() == (lies == "behind a link")
        assert not list(file.parent.glob(".*restored*"))


class RefusedTests:
    @pytest.mark.parametrize("share", [0.0001, 0.3, 0.6, 0.95, 0.9999])
    def test_a_changed_byte(self, application: Application, file: Path, share: float) -> None:
        call_command("backup", file)
        content = bytearray(file.read_bytes())
        content[int(len(content) * share)] ^= 1
        file.write_bytes(content)

        with pytest.raises(CommandError, match=r"is damaged|not a backup"):
            call_command("restore", file, "--yes")
        assert Application.objects.exists()

    def test_one_that_is_cut_off(self, file: Path) -> None:
        call_command("backup", file)
        file.write_bytes(file.read_bytes()[:-1000])

        with pytest.raises(CommandError, match="cut off"):
            call_command("restore", file, "--yes")

    def test_something_else_and_nothing(self, file: Path) -> None:
        file.write_text("hello")
        with pytest.raises(CommandError, match="not a backup of this console"):
            call_command("restore", file)
        with pytest.raises(CommandError, match="There is no file"):
            call_command("restore", file.with_name("none"))

    @pytest.mark.parametrize(
        "problem",
        [
            OSError(errno.ENOSPC, "No space left on device"),
            sqlite3.OperationalError("database or disk is full"),
            caused(OperationalError("could not extend file"), PostgresqlError("53100")),
        ],
    )
    def test_a_full_disk(self, file: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception) -> None:
        def full(*given: Any, **named: Any) -> None:
            raise problem

        call_command("backup", file)
        monkeypatch.setattr(restoring, "restore", full)

        with pytest.raises(CommandError, match=r"no room on the disk: of the database, or of .*then restore .* once"):
            call_command("restore", file, "--yes")

    def test_a_full_disk_says_nothing_of_the_backup(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """While its copy is made ready, as it is migrated."""

        def full(*given: Any) -> None:
            raise OperationalError("database or disk is full")

        monkeypatch.setattr(restoring, "_settle", full)

        with pytest.raises(OperationalError):
            restoring._settled_copy(timezone.now(), restoring._look_back(timezone.now()))

    def test_a_copy_that_finds_no_room_leaves_nothing(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        if connection.vendor != "sqlite":
            pytest.skip("only SQLite is copied beside the backup")

        @contextlib.contextmanager
        def opened(path: Path) -> Iterator[SimpleNamespace]:
            def full(*given: Any) -> None:
                raise sqlite3.OperationalError("database or disk is full")

            if path.name.startswith("."):  # the copy
                path.with_name(f"{path.name}-journal").touch()
            yield SimpleNamespace(backup=full)

        monkeypatch.setattr(databases, "_file", lambda: file.with_name("console.sqlite3"))
        monkeypatch.setattr(databases, "_opened", opened)
        with pytest.raises(CommandError, match="Is there room for it"):
            call_command("backup", file)
        assert not list(file.parent.glob(".*"))

    def test_one_of_a_newer_version(self, file: Path) -> None:
        call_command("backup", file)
        again(file, lambda said: {**said, "migrations": [*said["migrations"], "messaging.9999_later"], "version": "9"})

        with pytest.raises(CommandError, match="Install 9 or newer"):
            call_command("restore", file, "--yes")

    def test_one_of_another_kind_of_database(self, file: Path) -> None:
        call_command("backup", file)
        again(file, lambda said: {**said, "database": "oracle"})

        with pytest.raises(CommandError, match="Name a database of that kind"):
            call_command("restore", file, "--yes")

    def test_a_part_that_leads_out(self, file: Path) -> None:
        with file.open("wb") as into:
            made = archives.Written(into)
            made.add("media/../../evil", [b"x"])
            made.add("database.dump", [b"x"])
            at = timezone.now().isoformat()
            made.close({"version": "0", "at": at, "database": "sqlite", "migrations": ["messaging.0001_initial"]})

        with pytest.raises(CommandError, match=r"it has a part “media/\.\./\.\./evil”"):
            call_command("restore", file, "--yes")

    def test_without_yes_what_is_there_stays(self, application: Application, file: Path) -> None:
        call_command("backup", file)
        Application.objects.update(name="later")

        with pytest.raises(CommandError, match="Add --yes"):
            call_command("restore", file)
        assert Application.objects.get().name == "later"

    def test_a_running_console(self, file: Path) -> None:
        call_command("backup", file)
        now = timezone.now()
        WorkerHeartbeat.objects.create(worker="w1", host="h", pid=1, started_at=now, beat_at=now)

        with pytest.raises(CommandError, match=r"running \(w1\). Stop every worker"):
            call_command("restore", file, "--yes")
        call_command("restore", file, "--yes", "--force")
        assert not WorkerHeartbeat.objects.exists()

    def test_a_second_restore(self, file: Path) -> None:
        call_command("backup", file)
        with (file.parent / alone.LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)

            with pytest.raises(CommandError, match="Another restore or upgrade is running"):
                call_command("restore", file, "--yes")

    def test_a_folder_that_is_missing(self, file: Path) -> None:
        with pytest.raises(CommandError, match="There is no folder"):
            call_command("backup", file.parent / "none" / "file")


def again(file: Path, changed: Callable[[dict[str, object]], dict[str, object]]) -> None:
    """The same backup with another manifest."""
    with zipfile.ZipFile(file) as before:
        parts = {name: before.read(name) for name in before.namelist()}
    manifest = json.loads(parts.pop(archives.MANIFEST))
    with file.open("wb") as into:
        made = archives.Written(into)
        for name, content in parts.items():
            made.add(name, [content])
        about = {key: value for key, value in changed(manifest).items() if not key.startswith("format")}
        about.pop("parts")
        made.close(about)


def test_nobody_resumes_before_a_restore_has_said_what_may_have_left(
    sandbox: RunningSandbox, application: Application, group: ContactGroup
) -> None:
    """As it stands on PostgreSQL when a restore died behind its replacing transaction."""
    add_contacts(group, 2)
    campaign = launched(application, group)
    Campaign.objects.update(state=CampaignState.HELD, hold_reason=steps.UNFINISHED_RESTORE)

    for leads_to_sending in (campaigns.resume, campaigns.pause, starting.take_back):
        with pytest.raises(NotNow, match="Run it again with its file"):
            leads_to_sending(campaign.pk)
    Campaign.objects.update(audience=Campaign.Audience.OPEN)
    with pytest.raises(NotNow, match="Run it again with its file"):
        starting.take_back(campaign.pk)
    assert not starting.may_be_taken_back(Campaign.objects.get())
    assert Campaign.objects.get().state == CampaignState.HELD
    assert steps.UNFINISHED_RESTORE in restoring._HOLD_ALL
    assert campaigns.cancel(campaign.pk).state == CampaignState.CANCELLED


def test_nothing_else_becomes_a_draft_before_a_restore_has_finished(application: Application) -> None:
    email = EmailCampaign.objects.create(
        application=application, state=EmailCampaignState.HELD, hold_reason=steps.UNFINISHED_RESTORE
    )
    task = GroupTask.objects.create(
        application=application, task_name="Calls", state=TaskState.HELD, hold_reason=steps.UNFINISHED_RESTORE
    )

    with pytest.raises(NotNow, match="Run it again with its file"):
        email_starting.edit_again(email.pk)
    with pytest.raises(ValidationError, match="Run it again with its file"):
        group_waiting.take_back(task.pk)
