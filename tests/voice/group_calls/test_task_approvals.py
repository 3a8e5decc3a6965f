"""A second person's word on group calls: the rules of SMS, bound to numbers, announcement and time."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.kit.pages import own_page
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Approval, ContactGroup, SuppressionEntry
from messaging.services.approvals import approvals
from messaging.services.refusals import NotApproved
from tests.messaging.conftest import add_contacts
from tests.messaging.pages import hidden
from tests.voice.group_calls.group_samples import FIRST, at_sandbox, listed, seen_through, written
from voice.models import GroupTask, TaskState
from voice.services.group_calls import approval as task_approval
from voice.services.group_calls import copies as group_copies
from voice.services.group_calls import tasks as group_tasks
from voice.services.group_calls import waiting as group_waiting

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick")]


@pytest.fixture(autouse=True)
def _limits(settings: Any) -> None:
    settings.LAAFFIC_APPROVAL_RECIPIENTS = 2


@pytest.fixture
def draft(application: Application) -> GroupTask:
    return written(application, 3)


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_superuser("ada")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_superuser("bob")


def ask(draft: GroupTask, by: User) -> Approval:
    return approvals.ask(draft.pk, by=by, model=GroupTask)


def decide(draft: GroupTask, by: User, **given: Any) -> Approval:
    return approvals.decide(draft.pk, by=by, model=GroupTask, **{"approve": True, **given})


def approved(draft: GroupTask, ada: User, bob: User) -> None:
    ask(draft, ada)
    decide(draft, bob)


def fresh(draft: GroupTask) -> GroupTask:
    return GroupTask.objects.get(pk=draft.pk)


def test_resumed_past_its_end_the_word_still_counts(
    draft: GroupTask, ada: User, bob: User, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    GroupTask.objects.update(latest_end=timezone.now() + dt.timedelta(minutes=1))
    approved(draft, ada, bob)
    group_tasks.launch(draft.pk, by=ada, undo_seconds=5)
    later = timezone.now() + dt.timedelta(minutes=2)
    monkeypatch.setattr(database_clock, "now", lambda: later)
    group_waiting.start(draft.pk)
    assert "It was not to send after" in fresh(draft).hold_reason

    group_waiting.resume(draft.pk, by=ada)

    assert (fresh(draft).hold_reason, len(at_sandbox(sandbox))) == ("", 1)


def test_a_limit_that_came_since_the_launch_holds_it_and_says_how_it_can_be_approved(
    draft: GroupTask, ada: User, bob: User, settings: Any, sandbox: RunningSandbox
) -> None:
    settings.LAAFFIC_APPROVAL_RECIPIENTS = 0
    group_tasks.launch(draft.pk, by=ada, undo_seconds=5)
    settings.LAAFFIC_APPROVAL_RECIPIENTS = 2
    GroupTask.objects.update(starts_at=timezone.now() - dt.timedelta(seconds=1))

    group_waiting.start(draft.pk)

    said = "a second person has to approve it. Make it a draft again: then it can be approved."
    assert said in fresh(draft).hold_reason
    with pytest.raises(ValidationError, match="Make it a draft again"):
        group_waiting.resume(draft.pk, by=ada)
    assert (fresh(draft).state, at_sandbox(sandbox)) == (TaskState.HELD, [])
    group_waiting.take_back(draft.pk, by=ada)
    approved(draft, ada, bob)


class NeedTests:
    def test_a_launch_without_it_is_refused_and_nothing_leaves(
        self, draft: GroupTask, ada: User, sandbox: RunningSandbox
    ) -> None:
        with pytest.raises(ValidationError, match="more than 2 recipients: a second person"):
            group_tasks.launch(draft.pk, by=ada)

        assert fresh(draft).state == TaskState.DRAFT
        assert not at_sandbox(sandbox)
        assert not LedgerEntry.objects.filter(interface__contains="send").exists()

    @pytest.mark.parametrize("limit", [0, 3])
    def test_a_smaller_one_needs_none(self, draft: GroupTask, settings: Any, limit: int) -> None:
        settings.LAAFFIC_APPROVAL_RECIPIENTS = limit

        assert group_tasks.launch(draft.pk).is_at_laaffic

    @pytest.mark.parametrize(("most", "is_needed"), [(0, True), (3, False)])
    def test_where_only_a_cost_is_set_each_needs_it(
        self, draft: GroupTask, settings: Any, most: int, is_needed: bool
    ) -> None:
        settings.LAAFFIC_APPROVAL_RECIPIENTS, settings.LAAFFIC_APPROVAL_COST = most, Decimal(1)

        if is_needed:
            with pytest.raises(NotApproved, match="What it costs is not known"):
                group_tasks.launch(draft.pk)
        else:
            assert group_tasks.launch(draft.pk).is_at_laaffic

    def test_the_shell_obeys_and_keeps_the_draft(
        self, application: Application, group: ContactGroup, ada: User, bob: User
    ) -> None:
        add_contacts(group, 3)
        with pytest.raises(CommandError, match=r"a second person(.|\n)*kept as draft \d+: .*group launch"):
            call_command(
                *("voice", "group", "create", "--name=Spring", f"--app={application.app_id}"),
                *("--text=Hello", f"--group={group.name}", "--launch"),
            )
        draft = GroupTask.objects.get()
        with pytest.raises(CommandError, match="a second person has to approve it"):
            call_command("voice", "group", "launch", str(draft.pk))
        approved(draft, ada, bob)
        call_command("voice", "group", "launch", str(draft.pk))

        assert fresh(draft).is_at_laaffic

    def test_a_repetition_and_an_update_need_their_own(self, draft: GroupTask, ada: User, bob: User) -> None:
        approved(draft, ada, bob)
        done = seen_through(group_tasks.launch(draft.pk))

        repeated = group_copies.again(done, failed_only=False, by=ada)
        with pytest.raises(NotApproved):
            group_tasks.launch(repeated.pk)
        with pytest.raises(CommandError, match="a second person"):
            call_command("voice", "group", "again", str(done.pk))


class WordTests:
    def test_with_it_the_launch_goes_on_and_the_events_say_so(self, draft: GroupTask, ada: User, bob: User) -> None:
        approved(draft, ada, bob)

        assert group_tasks.launch(draft.pk, by=ada).is_at_laaffic
        assert [(event.text, str(event.actor)) for event in draft.events.order_by("pk")] == [
            ("Approval asked for: 3 recipients", "ada"),
            ("Approved", "bob"),
        ]

    def test_neither_who_asked_nor_who_wrote_approves(self, application: Application, ada: User, bob: User) -> None:
        carol = User.objects.create_superuser("carol")
        draft = written(application, 3)
        group_tasks.save(draft, by=carol)  # who only presses the button has edited nothing
        draft.name = "Renamed"
        group_tasks.save(draft, by=bob)
        ask(draft, ada)

        for person, says in ((ada, "You asked for this"), (bob, "You wrote this")):
            with pytest.raises(NotNow, match=says):
                decide(draft, person)
        assert not approvals.waiting_for(bob).exists()
        assert approvals.waiting_for(carol).get().draft == draft

    def test_a_refusal_stops_it_and_says_why(self, draft: GroupTask, ada: User, bob: User) -> None:
        ask(draft, ada)
        decide(draft, bob, approve=False, note="Too late")

        with pytest.raises(NotApproved, match="bob refused it: Too late"):
            group_tasks.launch(draft.pk)

    def test_a_launch_that_was_refused_keeps_it(
        self, application: Application, ada: User, bob: User, sandbox: RunningSandbox
    ) -> None:
        draft = written(application, 4)
        approved(draft, ada, bob)
        SuppressionEntry.objects.create(number=str(FIRST), channel="voice")
        sandbox.set_faults(status="-26", status_calls=1)
        assert group_tasks.launch(draft.pk).state == TaskState.DRAFT
        draft.refresh_from_db()

        assert (draft.number_count, draft.entry.state) == (3, "refused")
        assert group_tasks.launch(draft.pk).is_at_laaffic


EDITS: dict[str, dict[str, Any]] = {
    "what is played": {"text": "Other"},
    "how they are called": {"max_talk": 90},
    "the display number": {"display_number": "12345678"},
    "the schedule": {"windows": [["09:00", "12:00"]]},
    "the schedule ": {"send_at": timezone.now() + dt.timedelta(days=1)},
    "the transfer to an agent": {"to_agent": True, "agent_group": 1000019},
}


class VoidTests:
    @pytest.mark.parametrize("part", EDITS)
    def test_an_edit_voids_it_and_says_what(self, draft: GroupTask, ada: User, bob: User, part: str) -> None:
        approved(draft, ada, bob)
        for name, value in EDITS[part].items():
            setattr(draft, name, value)
        GroupTask.objects.filter(pk=draft.pk).update(**EDITS[part])

        with pytest.raises(NotApproved, match=f"changed since approval was asked for: {part.strip()}"):
            group_tasks.launch(draft.pk)
        group_tasks.save(draft, by=ada)
        assert Approval.objects.get().outcome == "void"
        assert draft.events.first().text == f"Approval void, changed: {part.strip()}"

    @pytest.mark.parametrize(("count", "first"), [(4, FIRST), (3, FIRST + 1)])
    def test_other_numbers_void_it(self, draft: GroupTask, ada: User, bob: User, count: int, first: int) -> None:
        approved(draft, ada, bob)
        group_tasks.save(draft, audience=listed(count, first), by=ada)

        assert Approval.objects.get().outcome == "void"
        with pytest.raises(NotApproved):
            group_tasks.launch(draft.pk)

    def test_numbers_that_were_changed_past_the_form_are_seen_at_the_launch(
        self, draft: GroupTask, ada: User, bob: User
    ) -> None:
        approved(draft, ada, bob)
        draft.kept_numbers.lines += f"\n{FIRST + 9}"
        draft.kept_numbers.save()

        with pytest.raises(NotApproved, match="the numbers it calls: 3 before, 4 now"):
            group_tasks.launch(draft.pk)

    def test_that_some_opted_out_since_voids_nothing(self, application: Application, ada: User, bob: User) -> None:
        draft = written(application, 5)
        approved(draft, ada, bob)
        SuppressionEntry.objects.create(number=str(FIRST), channel="voice")

        assert group_tasks.launch(draft.pk).is_at_laaffic

    def test_every_field_that_is_sent_is_bound(self) -> None:
        bound = {field for _name, fields in task_approval.PARTS.values() for field in fields}
        sent = (*group_tasks.PARAMETERS, "send_at", "kind", "parent")

        assert {GroupTask._meta.get_field(name).attname for name in sent} <= bound

    def test_the_sender_that_an_application_lends_its_sms_is_bound(
        self, application: Application, sms_application: Application
    ) -> None:
        given = {"hang_up_sms": True, "sms_application": sms_application, "sms_text": "Hi", "sms_on_answer": True}
        draft = written(application, 3, **given)
        before = task_approval.GroupTaskDrafts().parts(draft)
        sms_application.sender_id = "OTHER"

        assert task_approval.GroupTaskDrafts().parts(draft)["SMS"] != before["SMS"]


class PageTests:
    def address(self, draft: GroupTask, verb: str) -> str:
        return reverse("admin:voice_grouptask_approval", args=[draft.pk, verb])

    def test_an_operator_asks_and_an_approver_decides(self, draft: GroupTask, as_role: Callable[[str], Client]) -> None:
        operator, approver = as_role("Operator"), as_role("Approver")
        review, own = (reverse(f"admin:voice_grouptask_{what}", args=[draft.pk]) for what in ("review", "change"))

        refused = [operator.post(self.address(draft, verb)).status_code for verb in ("approve", "refuse")]
        ticks = {"seen": "night"}
        operator.post(review, {**hidden(operator, review), **ticks})
        before = fresh(draft).state
        operator.post(self.address(draft, "ask"), {"note": "for the weekend"})
        given = hidden(approver, review)
        seen = [client.get(page).content.decode() for page in (review, own) for client in (operator, approver)]
        front = [client.get("/admin/").content.decode() for client in (operator, approver)]
        approver.post(self.address(draft, "approve"), given)
        operator.post(review, {**hidden(operator, review), **ticks})

        assert (refused, before) == ([403, 403], TaskState.DRAFT)
        assert ['id="approve"' in page for page in seen] == [False, True] * 2
        assert all("for the weekend" in page for page in seen)
        assert ["wants to call 3 numbers" in page for page in front] == [False, True]
        assert fresh(draft).is_at_laaffic

    def test_a_page_that_is_stale_decides_nothing(
        self, draft: GroupTask, as_role: Callable[[str], Client], ada: User
    ) -> None:
        approver = as_role("Approver")
        ask(draft, ada)
        given = hidden(approver, reverse("admin:voice_grouptask_review", args=[draft.pk]))
        GroupTask.objects.update(text="Other")
        ask(draft, ada)

        for posted in (given, {}):
            answer = approver.post(self.address(draft, "approve"), posted, follow=True)
            assert "requested again" in answer.content.decode()
        assert draft.approvals.first().outcome == "asked"

    def test_a_word_on_what_was_launched_meanwhile_leads_to_its_page(
        self, draft: GroupTask, as_role: Callable[[str], Client], ada: User, bob: User
    ) -> None:
        approver = as_role("Approver")
        approved(draft, ada, bob)
        group_tasks.launch(draft.pk)

        review = reverse("admin:voice_grouptask_review", args=[draft.pk])
        for address in (reverse("admin:messaging_approval_change", args=[draft.approvals.get().pk]), review):
            assert approver.get(address, follow=True).status_code == 200
        assert approver.post(review, follow=True).redirect_chain == [(own_page(draft), 302)]
        assert approver.post(self.address(draft, "approve"), follow=True).status_code == 200
