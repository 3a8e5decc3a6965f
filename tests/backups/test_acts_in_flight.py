"""Email campaigns and group calls that were on their way at the backup, and a restore that dies in its middle."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from laaffic_console.backups.services import alone, databases, restoring
from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.ledger.known_by import RESTORED
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import ConsentState, EmailCampaign, EmailCampaignState
from messaging.services import steps
from messaging.services.contacts import consents, lasting_words, people, suppression
from messaging.services.email import callbacks as email_callbacks
from messaging.services.email import campaigns as email_campaigns
from messaging.services.email import counting as email_counting
from messaging.services.email import sending as email_sending
from messaging.services.email import starting as email_starting
from tests import past_migrations
from tests.messaging.email.test_email_sending import draft as draft_email
from tests.messaging.email.test_email_sending import emails_of, tell
from tests.messaging.email.test_email_sending import launched as launched_email
from tests.voice.group_calls.group_samples import at_sandbox, written
from voice.models import GroupTask, TaskState
from voice.services.asking import group_calls as group_sync
from voice.services.group_calls import answers as group_answers
from voice.services.group_calls import launching as group_launching
from voice.services.group_calls import states as group_state
from voice.services.group_calls import tasks as group_tasks
from voice.services.group_calls import waiting as group_waiting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MEDIA_ROOT.mkdir()
    settings.LAAFFIC_PUSH_TOKENS = ["a-token-that-nobody-guesses"]
    settings.CONSOLE_URL = "http://127.0.0.1:9"
    monkeypatch.setattr(restoring, "VAR_DIR", tmp_path)
    monkeypatch.setattr(alone, "VAR_DIR", tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "console.backup"


@pytest.fixture
def mail_app(db: None) -> Application:
    return Application.objects.create(app_id="fKFtblIy", channel="email")


@pytest.fixture
def voice_app(db: None) -> Application:
    return Application.objects.create(app_id="voiceApp", channel="voice", connections=4)


def backed_up_before(monkeypatch: pytest.MonkeyPatch, of: Any, name: str, file: Path) -> None:
    """At the very moment before that function does its part."""
    does = getattr(of, name)

    def first(*given: Any, **named: Any) -> Any:
        call_command("backup", file)
        return does(*given, **named)

    monkeypatch.setattr(of, name, first)


def restored(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(restoring, "VAR_DIR", file.parent)
    monkeypatch.setattr(alone, "VAR_DIR", file.parent)
    call_command("restore", file, "--yes")


@pytest.mark.parametrize(
    ("of", "name"), [(email_sending.ledger, "depart"), (email_sending, "batch_of")], ids=["recorded", "under way"]
)
def test_an_email_campaign_under_way_is_unknown_and_not_sent_again(
    of: Any,
    name: str,
    sandbox: RunningSandbox,
    mail_app: Application,
    run_jobs: Callable[[], int],
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    campaign = launched_email(mail_app)
    backed_up_before(monkeypatch, of, name, file)
    run_jobs()
    assert len(emails_of(sandbox).tasks) == 1

    restored(file, monkeypatch)
    campaign.refresh_from_db()
    assert campaign.state == EmailCampaignState.UNKNOWN
    assert LedgerEntry.objects.get().state == EntryState.UNKNOWN
    email_campaigns.sweep()
    run_jobs()
    email_sending.send(campaign.pk)
    assert len(emails_of(sandbox).tasks) == 1


def test_an_email_campaign_that_was_unknown_may_have_been_sent_again_since(
    sandbox: RunningSandbox,
    mail_app: Application,
    run_jobs: Callable[[], int],
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    campaign = launched_email(mail_app)
    sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1, paths=["/email/batchSend"])
    run_jobs()
    assert EmailCampaign.objects.get().state == EmailCampaignState.UNKNOWN
    long_ago = timezone.now() - dt.timedelta(hours=5)
    LedgerEntry.objects.update(prepared_at=long_ago, left_at=long_ago)
    call_command("backup", file)
    email_campaigns.send_again(campaign.pk, reason="nothing of it is there")
    EmailCampaign.objects.update(not_before=None)
    run_jobs()
    assert len(emails_of(sandbox).tasks) == 1

    restored(file, monkeypatch)
    campaign.refresh_from_db()
    assert campaign.state == EmailCampaignState.UNKNOWN
    assert "This may have been sent since" in campaign.events.latest("pk").text
    request = LedgerEntry.objects.get()
    assert (request.state, request.evidence) == (EntryState.UNKNOWN, RESTORED)
    assert request.left_at is not None
    assert request.left_at - long_ago >= dt.timedelta(hours=5)


@pytest.mark.parametrize("was", ["launched", "held", "scheduled"])
def test_an_email_campaign_that_may_have_been_sent_since_is_unknown_until_a_callback_tells(
    was: str,
    sandbox: RunningSandbox,
    mail_app: Application,
    run_jobs: Callable[[], int],
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    campaign = launched_email(mail_app)
    if was == "held":
        EmailCampaign.objects.update(state=EmailCampaignState.HELD, hold_reason="Its template is not approved.")
    if was == "scheduled":
        soon = timezone.now() + dt.timedelta(milliseconds=10)
        EmailCampaign.objects.update(state=EmailCampaignState.SCHEDULED, scheduled_at=soon)
    call_command("backup", file)
    EmailCampaign.objects.update(state=EmailCampaignState.SENDING)
    run_jobs()

    restored(file, monkeypatch)
    campaign.refresh_from_db()
    assert campaign.state == EmailCampaignState.UNKNOWN
    assert "restored from a backup" in campaign.events.latest("pk").text
    request = LedgerEntry.objects.get()
    assert (request.state, campaign.entry_id) == (EntryState.UNKNOWN, request.pk)
    email_campaigns.sweep()
    run_jobs()
    assert len(emails_of(sandbox).tasks) == 1

    tell(campaign)
    email_callbacks.INBOX.apply_waiting()
    campaign.refresh_from_db()
    request.refresh_from_db()
    assert (campaign.state, request.state) == (EmailCampaignState.RUNNING, EntryState.ACCEPTED)
    assert email_counting.prove(campaign)["disagreements"] == []


def test_an_email_campaign_whose_time_is_to_come_is_held_and_a_callback_tells_that_it_came_earlier(
    sandbox: RunningSandbox, mail_app: Application, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody may have had it sent at once."""
    campaign = launched_email(mail_app, scheduled_at=timezone.now() + dt.timedelta(days=1))
    call_command("backup", file)
    restored(file, monkeypatch)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.hold_reason[:12]) == (EmailCampaignState.HELD, "The console ")
    assert not LedgerEntry.objects.exists()

    tell(campaign)
    email_callbacks.INBOX.apply_waiting()
    campaign.refresh_from_db()
    assert (campaign.state, LedgerEntry.objects.get().state) == (EmailCampaignState.RUNNING, EntryState.ACCEPTED)


def test_try_again_leaves_one_to_its_time_that_is_to_come(
    sandbox: RunningSandbox,
    mail_app: Application,
    run_jobs: Callable[[], int],
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    campaign = launched_email(mail_app, scheduled_at=timezone.now() + dt.timedelta(days=7))
    call_command("backup", file)
    restored(file, monkeypatch)

    assert email_starting.resume(campaign.pk).state == EmailCampaignState.SCHEDULED
    email_campaigns.sweep()
    run_jobs()

    campaign.refresh_from_db()
    assert (campaign.state, campaign.events.first().text) == (
        EmailCampaignState.SCHEDULED,
        "Resumed: it waits for its time",
    )
    assert (emails_of(sandbox).tasks, LedgerEntry.objects.exists()) == ({}, False)


def test_what_never_had_its_approval_is_not_sent_as_unknown(
    sandbox: RunningSandbox,
    mail_app: Application,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: LazySettings,
) -> None:
    campaign = launched_email(mail_app)
    EmailCampaign.objects.update(state=EmailCampaignState.HELD, hold_reason="It waits for approval.")
    call_command("backup", file)
    restored(file, monkeypatch)

    settings.LAAFFIC_APPROVAL_RECIPIENTS = 2
    with pytest.raises(NotNow, match="a second person has to approve it"):
        email_campaigns.send_again(campaign.pk, reason="nothing of it is there")
    settings.LAAFFIC_APPROVAL_RECIPIENTS = 0
    assert email_campaigns.send_again(campaign.pk, reason="nothing of it is there").state == EmailCampaignState.SENDING


def test_drafts_of_every_kind_say_that_they_may_have_been_launched_since(
    mail_app: Application, voice_app: Application, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    email, task = draft_email(mail_app), written(voice_app, count=3)
    call_command("backup", file)
    restored(file, monkeypatch)

    for draft in (email, task):
        assert "may have been launched since" in draft.events.latest("pk").text


@pytest.mark.parametrize("name", ["leave", "_ask"], ids=["recorded", "under way"])
def test_a_group_call_under_way_is_not_called_again(
    name: str,
    sandbox: RunningSandbox,
    voice_app: Application,
    run_jobs: Callable[[], int],
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backed_up_before(monkeypatch, group_answers, name, file)
    task = group_tasks.launch(written(voice_app, count=3).pk)
    assert len(at_sandbox(sandbox)) == 1

    restored(file, monkeypatch)
    run_jobs()
    task.refresh_from_db()
    assert LedgerEntry.objects.exclude(state=EntryState.ACCEPTED).count() <= 1
    assert task.state not in (TaskState.DRAFT, TaskState.HELD, TaskState.LAUNCHED)
    with pytest.raises(ValidationError, match="launched already"):
        group_tasks.launch(task.pk)
    assert len(at_sandbox(sandbox)) == 1


def test_a_group_call_that_was_unknown_is_looked_for_anew_also_where_it_was_launched_again_since(
    sandbox: RunningSandbox, voice_app: Application, admin_user: User, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list that was read before the backup shows nothing of that: nobody may say by it that it is not there."""
    sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
    task = group_tasks.launch(written(voice_app, count=3).pk)
    assert task.state == TaskState.UNKNOWN
    long_ago = timezone.now() - 5 * group_state.CLOCKS_DIFFER_BY
    LedgerEntry.objects.update(prepared_at=long_ago, left_at=long_ago)
    GroupTask.objects.update(launched_at=long_ago, looks=3, look_at=None)
    call_command("backup", file)
    group_tasks.not_there(task.pk, why="the list is empty", by=admin_user)
    group_tasks.launch(task.pk)
    assert len(at_sandbox(sandbox)) == 1

    restored(file, monkeypatch)
    with pytest.raises(ValidationError, match="was not read since"):
        group_tasks.not_there(task.pk, why="the list is empty", by=admin_user)
    task.refresh_from_db()
    assert "may have been launched since" in task.events.latest("pk").text
    group_sync.sync_due()
    task.refresh_from_db()
    assert task.state not in (TaskState.UNKNOWN, TaskState.DRAFT)
    assert LedgerEntry.objects.get().state == EntryState.ACCEPTED


def test_a_group_call_that_was_held_says_that_it_may_have_been_launched_since(
    sandbox: RunningSandbox, voice_app: Application, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = group_tasks.launch(written(voice_app, count=3).pk, undo_seconds=30)
    GroupTask.objects.update(state=TaskState.HELD, starts_at=None, hold_reason="Its budget is used up.")
    call_command("backup", file)
    group_waiting.resume(task.pk)
    assert len(at_sandbox(sandbox)) == 1

    restored(file, monkeypatch)
    task.refresh_from_db()
    assert (task.state, task.hold_reason[:33]) == (TaskState.HELD, "The console was restored from a b")
    assert task.hold_reason in task.events.latest("pk").text


@pytest.mark.parametrize("by", ["a page", "a worker"])
def test_a_group_call_that_had_just_begun_does_not_begin_again_by_itself(
    by: str,
    sandbox: RunningSandbox,
    voice_app: Application,
    run_jobs: Callable[[], int],
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its launch was claimed, and no request of it was written yet."""
    task = written(voice_app, count=3)
    if by == "a worker":
        group_tasks.launch(task.pk, undo_seconds=30)
        GroupTask.objects.update(starts_at=timezone.now(), undo_until=timezone.now())
    backed_up_before(monkeypatch, group_launching, "ready", file)
    if by == "a worker":
        group_waiting.start(task.pk)
    else:
        group_tasks.launch(task.pk)
    assert len(at_sandbox(sandbox)) == 1

    restored(file, monkeypatch)
    GroupTask.objects.update(look_at=timezone.now() - dt.timedelta(hours=1))
    group_sync.recover()
    group_waiting.start_due()
    run_jobs()
    task.refresh_from_db()
    assert (task.state, len(at_sandbox(sandbox))) == (TaskState.HELD, 1)
    assert "restored from a backup" in task.hold_reason


class Killed(BaseException):
    """As SIGKILL: nothing catches it."""


@pytest.fixture
def on_their_way(sandbox: RunningSandbox, mail_app: Application, voice_app: Application) -> tuple[Any, Any]:
    task = group_tasks.launch(written(voice_app, count=3).pk, undo_seconds=30)
    return launched_email(mail_app), task


def test_one_that_dies_before_its_end_lets_nothing_leave(
    on_their_way: tuple[EmailCampaign, GroupTask],
    sandbox: RunningSandbox,
    voice_app: Application,
    run_jobs: Callable[[], int],
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """On SQLite nothing has changed by then. On PostgreSQL the tables have been replaced, everything is held, and who
    opted out since the backup is kept for the next one.
    """
    email, task = on_their_way
    begun = written(voice_app, count=3, name="Begun")
    GroupTask.objects.filter(pk=begun.pk).update(state=TaskState.SENDING, starts_at=timezone.now())
    call_command("backup", file)
    EmailCampaign.objects.update(state=EmailCampaignState.CANCELLED)
    GroupTask.objects.update(state=TaskState.CANCELLED)
    consents.set_by_hand("919876500001", channel="sms", state=ConsentState.WITHDRAWN, why="a 'letter'", by=None)
    suppression.suppress_numbers(["919876500002"], channel="sms", reason="manual", note="a $$letter$$ · “x”")
    people.erase("919876500003", why="a \\letter", by=None)
    said_since = lasting_words.read(timezone.now())

    def dies(*whatever: object) -> None:
        raise Killed

    if connection.vendor == "postgresql":
        monkeypatch.setattr(restoring, "_settle", dies)
    else:
        monkeypatch.setattr(databases, "replace_sqlite", dies)
    with pytest.raises(Killed):
        call_command("restore", file, "--yes")
    email.refresh_from_db()
    task.refresh_from_db()
    begun.refresh_from_db()
    if connection.vendor == "postgresql":
        assert {email.hold_reason, task.hold_reason, begun.hold_reason} == {steps.UNFINISHED_RESTORE}
        with pytest.raises(NotNow, match="Run it again with its file"):
            email_starting.resume(email.pk)
        with pytest.raises(ValidationError, match="Run it again with its file"):
            group_waiting.resume(task.pk)
    else:
        assert (email.state, task.state) == (EmailCampaignState.CANCELLED, TaskState.CANCELLED)
    GroupTask.objects.filter(state=TaskState.LAUNCHED).update(starts_at=timezone.now() - dt.timedelta(seconds=1))
    email_campaigns.sweep()
    group_waiting.start(task.pk)
    run_jobs()
    assert (len(emails_of(sandbox).tasks), len(at_sandbox(sandbox))) == (0, 0)

    restored(file, monkeypatch)
    told = capsys.readouterr().out
    assert "LOST" not in told
    assert "1 suppressed number and 1 withdrawn consent. " in told
    assert "Erased again: 1 person." in told
    again = lasting_words.read(timezone.now())
    assert (again.suppressed, again.said, again.erased) == (said_since.suppressed, said_since.said, said_since.erased)
    email.refresh_from_db()
    task.refresh_from_db()
    assert (email.state, task.state) == (EmailCampaignState.UNKNOWN, TaskState.HELD)
    assert "restored from a backup" in email.events.latest("pk").text
    assert "restored from a backup" in task.hold_reason


@pytest.mark.thorough
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite is migrated before anything is held")
def test_one_of_an_older_version_is_held_and_brought_up_to_date(
    on_their_way: tuple[EmailCampaign, GroupTask], file: Path
) -> None:
    """Its group calls lack the columns that are emptied when they are held."""
    email, task = on_their_way
    try:
        past_migrations.go_back(("voice", "0013_export_sip_calls"))
        with connection.cursor() as cursor:
            there = connection.introspection.get_table_description(cursor, GroupTask._meta.db_table)
        assert not {column.name for column in there} & {"hold_reason", "undo_until", "starts_at"}
        call_command("backup", file)
    finally:
        call_command("migrate", verbosity=0, interactive=False)

    call_command("restore", file, "--yes")

    email.refresh_from_db()
    task.refresh_from_db()
    assert (email.state, task.state) == (EmailCampaignState.UNKNOWN, TaskState.HELD)
    assert "restored from a backup" in task.hold_reason
