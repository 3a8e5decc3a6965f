"""What was asked for and has no known outcome is not repeated by accident: calls and group-call tasks."""

import datetime as dt
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.ledger import open_acts
from laaffic_console.kit.words import dates
from laaffic_console.sandbox.testing import RunningSandbox
from tests.messaging.mms import attachment_samples as samples
from tests.messaging.pages import hidden
from tests.test_odd_arguments import Gone
from tests.voice.group_calls.group_samples import written
from tests.voice.test_calls import rung
from voice.models import GroupTask, SipCall, SipPhone, TaskState
from voice.services.calls import sip_calls as calls
from voice.services.group_calls import launching as group_launching
from voice.services.group_calls import states as group_state
from voice.services.group_calls import tasks as group_tasks
from voice.services.group_calls import waiting as group_waiting

pytestmark = pytest.mark.django_db(transaction=True)

CALL = ("call", "test_001", "+919876500000")
CREATE = ("group", "create", "--name", "Spring", "--app", "voiceApp", "--text", "Hello", "--launch")


def run(*arguments: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, the document, and what standard error says."""
    out = io.StringIO()
    try:
        call_command("voice", *arguments, "--json", stdout=out)
    except CommandError as problem:
        return problem.returncode, json.loads(out.getvalue() or "{}"), str(problem)
    return 0, json.loads(out.getvalue()), ""


def lose_answer(sandbox: RunningSandbox, fault: str = "bad_gateway_after") -> None:
    sandbox.set_faults(next_fault=fault, next_calls=1)


@pytest.fixture
def numbers(tmp_path: Path) -> str:
    file = tmp_path / "list.csv"
    file.write_text("phone\n+919876500000\n+919876500001\n")
    return str(file)


class CallTests:
    def test_a_repeat_is_refused_until_a_reason_is_given(self, sandbox: RunningSandbox, phone: SipPhone) -> None:
        lose_answer(sandbox)
        code, document, said = run(*CALL)
        assert (code, document["state"]) == (3, "unknown")
        assert "the record of the call will show it" in said

        code, document, said = run(*CALL)
        opened = LedgerEntry.objects.get()
        assert (code, document) == (1, {})
        assert f"ledger row {opened.pk}, {dates.exact(opened.prepared_at)}" in said
        assert "--again REASON" in said
        assert (SipCall.objects.count(), rung(sandbox)) == (1, 1)

        code, document, _said = run(*CALL, "--again", "nobody answered the phone")
        assert (code, document["state"], rung(sandbox)) == (0, "accepted", 2)
        kept = LedgerEntry.objects.latest("pk").summary
        assert (kept["all the same"], kept["open row"]) == ("nobody answered the phone", opened.pk)

    def test_nobody_knows_though_the_answer_cannot_be_written(self, sandbox: RunningSandbox, phone: SipPhone) -> None:
        lose_answer(sandbox)

        with pytest.raises(CommandError) as problem:
            call_command("voice", *CALL, "--json", stdout=Gone())

        assert problem.value.returncode == 3
        assert "The answer cannot be written: No space left on device." in str(problem.value)
        assert "the record of the call will show it" in str(problem.value)

    def test_another_number_and_another_day_are_no_repeat(self, sandbox: RunningSandbox, phone: SipPhone) -> None:
        lose_answer(sandbox)
        run(*CALL)

        assert run("call", "test_001", "+919876500001")[0] == 0
        LedgerEntry.objects.update(prepared_at=timezone.now() - open_acts.WITHIN)
        assert run(*CALL)[0] == 0

    def test_another_spelling_of_the_number_rings_the_same_phone(
        self, sandbox: RunningSandbox, phone: SipPhone
    ) -> None:
        lose_answer(sandbox)
        run("call", "test_001", "+5491123456789")

        assert run("call", "test_001", "+541123456789")[0] == 1
        assert rung(sandbox) == 1

    def test_another_applications_phone_rings_the_same_person(self, sandbox: RunningSandbox, phone: SipPhone) -> None:
        lose_answer(sandbox)
        run(*CALL)
        other = Application.objects.create(app_id="voiceApp2", channel="voice")
        elsewhere = SipPhone.objects.create(application=other, account="test_002", last_seen_at=timezone.now())

        with pytest.raises(open_acts.StillOpen):
            calls.place(phone=elsewhere, callee="+919876500000")
        assert rung(sandbox) == 1

    def test_a_known_outcome_leaves_the_way_free(self, sandbox: RunningSandbox, phone: SipPhone) -> None:
        assert [run(*CALL)[0], run(*CALL)[0]] == [0, 0]

    def test_the_page_asks_why(self, sandbox: RunningSandbox, phone: SipPhone, admin_client: Client) -> None:
        lose_answer(sandbox)
        add, form = reverse("admin:voice_sipcall_add"), {"phone": phone.pk, "callee": "919876500000"}
        assert 'name="again"' not in admin_client.get(add).content.decode()
        admin_client.post(add, form)

        asked = admin_client.post(add, form).content.decode()
        assert "not known yet" in asked
        assert 'name="again"' in asked
        assert (SipCall.objects.count(), rung(sandbox)) == (1, 1)

        admin_client.post(add, form | {"again": "they wait for it"})
        assert rung(sandbox) == 2

    def test_a_call_that_is_tried_again_asks_for_it_too(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_client: Client
    ) -> None:
        sandbox.sandbox.options.busy_phones = ["test_001"]
        busy = calls.place(phone=phone, callee="+919876500000")
        sandbox.sandbox.options.busy_phones = []
        lose_answer(sandbox)
        calls.place(phone=phone, callee="+919876500000")
        page, again = (reverse(f"admin:voice_sipcall_{what}", args=[busy.pk]) for what in ("change", "again"))

        assert 'name="again"' in admin_client.get(page).content.decode()
        assert "not known yet" in admin_client.post(again, follow=True).content.decode()
        assert rung(sandbox) == 1
        admin_client.post(again, {"again": "it was busy"})
        assert rung(sandbox) == 2

    def test_the_reason_is_typed_outside_the_part_that_is_fetched_anew(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_client: Client
    ) -> None:
        lose_answer(sandbox)
        made = calls.place(phone=phone, callee="+919876500000")
        page = admin_client.get(reverse("admin:voice_sipcall_change", args=[made.pk])).content.decode()

        part = page[page.index('id="call-page"') :]
        depth = end = 0
        for end in range(len(part)):
            depth += part.startswith("<div", end) - part.startswith("</div>", end)
            if depth < 0:
                break
        assert 'name="why"' not in part[:end]
        assert 'name="why"' in part[end:]


class GroupTests:
    def test_a_repeat_is_refused_until_a_reason_is_given(
        self, sandbox: RunningSandbox, application: Application, numbers: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(group_state, "find", lambda task: None)  # the list lags behind
        lose_answer(sandbox)
        code, document, said = run(*CREATE, "--file", numbers)
        assert (code, document["state"]) == (3, "unknown")
        assert f"voice group show {document['id']}" in said
        code, document, _said = run("group", "show", str(document["id"]))
        assert (code, document["state"]) == (0, "unknown")

        code, _document, said = run(*CREATE, "--file", numbers)
        assert code == 1
        assert f"ledger row {LedgerEntry.objects.get().pk}" in said
        assert GroupTask.objects.count() == 1

        code, document, _said = run(*CREATE, "--file", numbers, "--again", "it is not in their console")
        assert (code, document["state"]) == (0, "submitting")
        assert LedgerEntry.objects.latest("pk").summary["all the same"] == "it is not in their console"

    def test_other_numbers_are_no_repeat(
        self, sandbox: RunningSandbox, application: Application, numbers: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(group_state, "find", lambda task: None)
        lose_answer(sandbox)
        run(*CREATE, "--file", numbers)
        Path(numbers).write_text("phone\n+919876500002\n")

        assert run(*CREATE, "--file", numbers)[0] == 0

    def test_the_page_asks_why(
        self,
        sandbox: RunningSandbox,
        application: Application,
        admin_client: Client,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(group_state, "find", lambda task: None)
        lose_answer(sandbox)
        group_tasks.launch(written(application).pk)
        twin = written(application)
        review = reverse("admin:voice_grouptask_review", args=[twin.pk])
        ticks = re.findall(r'name="seen" value="([^"]+)"', admin_client.get(review).content.decode())
        sent = {**hidden(admin_client, review), "seen": ticks}

        asked = admin_client.post(review, sent)
        assert "not known yet" in asked.content.decode()
        assert 'name="again"' in asked.content.decode()
        assert GroupTask.objects.get(pk=twin.pk).state == TaskState.DRAFT

        admin_client.post(review, sent | {"again": "it is not there"})
        assert GroupTask.objects.get(pk=twin.pk).state == TaskState.SUBMITTING

    def test_the_page_asks_why_while_the_same_waits(
        self, sandbox: RunningSandbox, application: Application, admin_client: Client, settings: LazySettings
    ) -> None:
        settings.LAAFFIC_UNDO_SECONDS = 30
        first = group_tasks.launch(written(application).pk, undo_seconds=30)
        other = group_tasks.launch(written(application, count=11).pk, undo_seconds=30)
        twin = written(application)
        review = reverse("admin:voice_grouptask_review", args=[twin.pk])
        ticks = re.findall(r'name="seen" value="([^"]+)"', admin_client.get(review).content.decode())
        sent = {**hidden(admin_client, review), "seen": ticks}

        asked = admin_client.post(review, sent).content.decode()
        assert f"group call {first.pk}" in asked
        assert 'name="again"' in asked
        assert GroupTask.objects.get(pk=twin.pk).state == TaskState.DRAFT

        admin_client.post(review, sent | {"again": "they are to be called twice"})
        twin.refresh_from_db()
        assert (twin.state, twin.again_reason) == (TaskState.LAUNCHED, "they are to be called twice")
        assert "Launched all the same: they are to be called twice" in [event.text for event in twin.events.all()]

        GroupTask.objects.update(starts_at=timezone.now())
        for task in (first, twin, other):
            group_waiting.start(task.pk)
        assert set(GroupTask.objects.values_list("state", flat=True)) == {TaskState.SUBMITTING}

    def test_what_leaves_at_once_is_asked_too_while_the_same_waits(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        group_tasks.launch(written(application).pk, undo_seconds=30)
        twin = written(application)

        with pytest.raises(open_acts.StillOpen):
            group_tasks.launch(twin.pk)
        assert group_tasks.launch(twin.pk, again="now").state == TaskState.SUBMITTING

        assert LedgerEntry.objects.get().summary["all the same"] == "now"

    @pytest.fixture
    def held(self, sandbox: RunningSandbox, application: Application, monkeypatch: pytest.MonkeyPatch) -> GroupTask:
        """Launched though the answer to one like it was lost, and held; then the answer to a third was lost."""
        monkeypatch.setattr(group_state, "find", lambda task: None)
        lose_answer(sandbox)
        group_tasks.launch(written(application).pk)
        held = group_tasks.launch(written(application).pk, again="the first is not there", undo_seconds=30)
        group_launching.hold_waiting(held, "Its application was switched off.")
        lose_answer(sandbox)
        group_tasks.launch(written(application).pk, again="the first is not there")
        return group_launching.fresh(held.pk)

    def test_another_try_asks_about_what_was_launched_since(self, held: GroupTask) -> None:
        with pytest.raises(open_acts.StillOpen) as problem:
            group_waiting.resume(held.pk)
        assert f"ledger row {LedgerEntry.objects.latest('pk').pk}" in str(problem.value)
        assert group_launching.fresh(held.pk).state == TaskState.HELD

        assert group_waiting.resume(held.pk, again="neither is there").state == TaskState.SUBMITTING
        assert LedgerEntry.objects.latest("pk").summary["all the same"] == "neither is there"

    def test_the_page_of_another_try_asks_why(self, held: GroupTask, admin_client: Client) -> None:
        resume = reverse("admin:voice_grouptask_do", args=[held.pk, "resume"])

        asked = admin_client.post(resume, follow=True).content.decode()
        assert "not known yet" in asked
        assert 'name="again"' in asked

        admin_client.post(resume, {"again": "neither is there"})
        assert group_launching.fresh(held.pk).state == TaskState.SUBMITTING

    def test_a_cancelling_whose_answer_was_lost_is_unknown(
        self, sandbox: RunningSandbox, application: Application, numbers: str
    ) -> None:
        later = (timezone.now() + dt.timedelta(hours=2)).isoformat()
        task = run(*CREATE, "--file", numbers, "--send-at", later)[1]
        lose_answer(sandbox)

        code, document, said = run("group", "cancel", str(task["id"]))

        assert (code, document["id"], document["key"]) == (3, task["id"], task["key"])
        assert "will soon show" in said


def test_an_upload_whose_answer_was_lost_and_is_not_listed_yet(
    sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Following the advice asks for the id; it never says that the file is somebody else's."""
    from voice.services.audio import uploads

    seen = uploads._look_up
    monkeypatch.setattr(uploads, "_look_up", lambda file: None)
    file = tmp_path / "lost.wav"
    file.write_bytes(samples.tone())
    lose_answer(sandbox)
    code, document, _said = run("upload", str(file))
    assert (code, document["name"], document["new"], document["file_id"]) == (3, "lost.wav", True, "")

    code, _document, said = run("upload", str(file))
    assert code == 1
    assert "earlier upload of yours" in said
    assert "another name" not in said
    assert dict(LedgerEntry.objects.values_list("attempt", "state")) == {1: EntryState.ACCEPTED, 2: EntryState.REFUSED}

    monkeypatch.setattr(uploads, "_look_up", seen)
    assert run("upload", str(file))[1]["file_id"]
    assert sandbox.stats()["calls"]["/voice/fileUpload"] == 2
