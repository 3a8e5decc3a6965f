"""A group call leaves when the clocks of all it calls allow it, and not after its latest end."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from laaffic_console.gateway.models import AccountHold, Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.gateway.services.ledger import ledger, lost_requests
from laaffic_console.laaffic import GroupTask as WireTask
from laaffic_console.laaffic import NotSent, OutcomeUnknown, TaskStatus
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.hours import opening_hours
from messaging.models import ApplicationCalendar, Calendar
from messaging.services.batches import waiting as batches_waiting
from messaging.services.gates import sending_hours
from messaging.services.launching.checks import Level
from tests.messaging.pages import hidden
from tests.voice.group_calls.group_samples import at_sandbox, written
from tests.voice.group_calls.test_group_admin import own
from voice.models import GroupTask, TaskState
from voice.services.calls import sip_calls as calls
from voice.services.group_calls import ends as group_ends
from voice.services.group_calls import hours as group_hours
from voice.services.group_calls import starting as group_start
from voice.services.group_calls import states as group_state
from voice.services.group_calls import tasks as group_tasks
from voice.services.group_calls import waiting as group_waiting

pytestmark = pytest.mark.django_db(transaction=True)

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
INDIA = ZoneInfo("Asia/Kolkata")


@pytest.fixture
def closed(application: Application) -> Calendar:
    """Open in India on no day but the one after tomorrow."""
    day = DAYS[(timezone.now().astimezone(INDIA).date() + dt.timedelta(days=2)).weekday()]
    calendar = Calendar.objects.create(name="Calls", hours=f"{day} 09:00-17:00")
    ApplicationCalendar.objects.create(application=application, calendar=calendar)
    return calendar


@pytest.fixture
def waiting(sandbox: RunningSandbox, closed: Calendar, application: Application) -> GroupTask:
    return group_tasks.launch(written(application, count=3).pk)


def now_is_its_moment(task: GroupTask) -> None:
    GroupTask.objects.filter(pk=task.pk).update(starts_at=timezone.now() - dt.timedelta(seconds=1))


@pytest.mark.parametrize(
    ("hours", "places", "opens"),
    [
        (["mon-fri 09:00-20:00"], [("IN", ("Asia/Kolkata",))], "2027-03-01T03:30"),
        (["mon-fri 09:00-20:00"], [("IN", ("Asia/Kolkata",)), ("DE", ("Europe/Berlin",))], "2027-03-01T08:00"),
        (["mon-fri 09:00-20:00", "DE: sat 10:00-12:00"], [("DE", ("Europe/Berlin",))], "2027-03-06T09:00"),
        (["mon 09:00-10:00"], [("IN", ("Asia/Kolkata",)), ("DE", ("Europe/Berlin",))], None),
        (["mon 09:00-20:00", "DE: tue 09:00-20:00"], [("IN", ("Asia/Kolkata",)), ("DE", ("Europe/Berlin",))], None),
    ],
)
def test_one_moment_for_all_of_them(hours: list[str], places: Sequence[sending_hours.Place], opens: str | None) -> None:
    rules = opening_hours.read("\n".join(hours))
    found = sending_hours.common_opening(rules, places, dt.datetime(2027, 3, 1, tzinfo=dt.UTC))

    assert (found and f"{found:%Y-%m-%dT%H:%M}") == opens


def test_two_that_begin_alike_have_their_own_clocks(application: Application) -> None:
    denver, chicago = "16052092345", "16052012345"
    calendar = Calendar.objects.create(name="Day", hours="mon-sun 09:00-20:00")
    task = GroupTask(application=application, calendar=calendar)
    at_nine_in_chicago = dt.datetime(2027, 3, 1, 9, tzinfo=ZoneInfo("America/Chicago"))
    for numbers in ([denver, chicago], [chicago, denver]):
        places = group_hours.places_of(numbers)

        assert sorted(places) == [("US", ("America/Chicago",)), ("US", ("America/Denver",))]
        assert group_hours.leaves_at(task, places, at_nine_in_chicago) == at_nine_in_chicago + dt.timedelta(hours=1)


@pytest.fixture
def texts_on_sundays(sms_application: Application) -> Calendar:
    calendar = Calendar.objects.create(name="Texts", hours="sun 09:00-17:00")
    ApplicationCalendar.objects.create(application=sms_application, calendar=calendar)
    return calendar


@pytest.mark.parametrize(
    ("calls", "with_sms", "leaves"),
    [
        ("", True, "2027-03-07T09:00"),
        ("", False, "2027-03-01T12:00"),
        ("mon-sun 15:00-20:00", True, "2027-03-07T15:00"),
        ("mon-sat 09:00-20:00", True, None),
    ],
)
def test_an_sms_after_the_call_has_hours_too(
    application: Application,
    sms_application: Application,
    texts_on_sundays: Calendar,
    calls: str,
    with_sms: bool,
    leaves: str | None,
) -> None:
    if calls:
        by_phone = Calendar.objects.create(name="Calls", hours=calls)
        ApplicationCalendar.objects.create(application=application, calendar=by_phone)
    task = GroupTask(application=application, hang_up_sms=with_sms, sms_application=sms_application)
    monday = dt.datetime(2027, 3, 1, 12, tzinfo=INDIA)

    found = group_hours.leaves_at(task, group_hours.places_of(["919876543210"]), monday)

    assert (found and f"{found.astimezone(INDIA):%Y-%m-%dT%H:%M}") == leaves


def test_its_own_calendar_is_that_of_its_sms_too(
    application: Application, sms_application: Application, texts_on_sundays: Calendar
) -> None:
    own_one = Calendar.objects.create(name="Own", hours="mon-sun 00:00-24:00")
    task = GroupTask(application=application, calendar=own_one, hang_up_sms=True, sms_application=sms_application)
    monday = dt.datetime(2027, 3, 1, 12, tzinfo=INDIA)

    assert group_hours.leaves_at(task, group_hours.places_of(["919876543210"]), monday) == monday


def test_a_calendar_of_its_sms_that_is_changed_counts_at_once(
    sandbox: RunningSandbox, application: Application, sms_application: Application
) -> None:
    other_day = DAYS[(timezone.now().astimezone(INDIA).date() + dt.timedelta(days=2)).weekday()]
    calendar = Calendar.objects.create(name="Texts", hours=f"{other_day} 09:00-17:00")
    ApplicationCalendar.objects.create(application=sms_application, calendar=calendar)
    sms = {"hang_up_sms": True, "sms_application": sms_application, "sms_text": "Hi", "sms_on_failure": True}
    task = group_tasks.launch(written(application, count=3, **sms).pk)
    group_waiting.start_due()
    assert (GroupTask.objects.get(pk=task.pk).state, at_sandbox(sandbox)) == (TaskState.LAUNCHED, [])

    calendar.hours = "mon-sun 00:00-24:00"
    calendar.save()
    group_waiting.start_due()

    assert len(at_sandbox(sandbox)) == 1


def test_outside_it_waits_and_nothing_leaves(sandbox: RunningSandbox, waiting: GroupTask, admin_client: Client) -> None:
    group_waiting.start_due()
    group_waiting.start_launched(waiting.pk)

    assert waiting.starts_at is not None
    opens = waiting.starts_at.astimezone(INDIA)
    assert (opens.hour, opens.date() - timezone.now().astimezone(INDIA).date()) == (9, dt.timedelta(days=2))
    assert (GroupTask.objects.get().state, at_sandbox(sandbox)) == (TaskState.LAUNCHED, [])
    assert 'id="waits-for-hours"' in admin_client.get(own(waiting)).content.decode()


def test_rung_for_too_early_it_waits_on(sandbox: RunningSandbox, waiting: GroupTask) -> None:
    now_is_its_moment(waiting)

    group_waiting.start(waiting.pk)

    again = GroupTask.objects.get()
    assert (again.state, again.starts_at, at_sandbox(sandbox)) == (TaskState.LAUNCHED, waiting.starts_at, [])
    assert not LedgerEntry.objects.exists()


def test_a_calendar_that_is_changed_counts_at_once(sandbox: RunningSandbox, waiting: GroupTask) -> None:
    calendar = Calendar.objects.get()
    calendar.hours = "mon-sun 00:00-24:00"
    calendar.save()

    group_waiting.start_due()

    assert len(at_sandbox(sandbox)) == 1


def test_one_that_a_machine_with_a_slow_clock_changed_counts_too(sandbox: RunningSandbox, waiting: GroupTask) -> None:
    batches_waiting.follow_calendars()
    calendar = Calendar.objects.get()
    calendar.hours = "mon-sun 00:00-24:00"
    with time_machine.travel(timezone.now() - dt.timedelta(hours=8)):
        calendar.save()

    batches_waiting.follow_calendars()
    group_waiting.start_due()

    assert len(at_sandbox(sandbox)) == 1


def test_a_change_counts_for_what_waits_since_a_moment_ahead(sandbox: RunningSandbox, waiting: GroupTask) -> None:
    GroupTask.objects.update(waits_since=timezone.now() + dt.timedelta(hours=8))
    Calendar.objects.update(hours="mon-sun 00:00-24:00", changed_at=timezone.now())

    group_waiting.start_due()

    assert len(at_sandbox(sandbox)) == 1


def test_an_approver_sends_it_once_outside(sandbox: RunningSandbox, waiting: GroupTask, admin_client: Client) -> None:
    with pytest.raises(ValidationError, match="Say why"):
        group_waiting.start_outside_hours(waiting.pk, reason="", by=None)

    admin_client.post(own(waiting, "outside_hours"), {"reason": "a recall"})

    assert len(at_sandbox(sandbox)) == 1
    assert waiting.events.filter(text__contains="a recall").exists()


def test_what_is_held_is_sent_outside_only_when_it_is_resumed(sandbox: RunningSandbox, waiting: GroupTask) -> None:
    GroupTask.objects.update(state=TaskState.HELD, waits_since=None)

    group_waiting.start_outside_hours(waiting.pk, reason="a recall", by=None)

    waiting.refresh_from_db()
    assert (waiting.state, waiting.outside_hours) == (TaskState.HELD, True)
    assert at_sandbox(sandbox) == []


def test_its_own_calendar_comes_before_its_applications(
    sandbox: RunningSandbox, closed: Calendar, application: Application
) -> None:
    always = Calendar.objects.create(name="Always", hours="mon-sun 00:00-24:00")

    group_tasks.launch(written(application, count=3, calendar=always).pk)

    assert len(at_sandbox(sandbox)) == 1


def test_a_time_of_its_own_outside_is_refused_with_one_that_fits(
    sandbox: RunningSandbox, closed: Calendar, application: Application, admin_client: Client
) -> None:
    task = written(application, count=3, send_at=timezone.now() + dt.timedelta(hours=1))

    with pytest.raises(ValidationError, match="The first moment then that suits"):
        group_tasks.launch(task.pk)

    assert (GroupTask.objects.get().state, at_sandbox(sandbox)) == (TaskState.DRAFT, [])
    assert "The first moment then that suits" in admin_client.get(own(task, "review")).content.decode()


def test_without_allowed_times_it_wants_a_tick(closed: Calendar, application: Application) -> None:
    def keys(task: GroupTask) -> set[str]:
        return {check.key for check in group_start.planned(task).checks}

    assert {"hours", "dials_on"} <= keys(written(application, count=3))
    assert "dials_on" not in keys(written(application, count=3, windows=[["09:00", "17:00"]]))


def cancellings() -> list[str]:
    requests = LedgerEntry.objects.filter(interface=group_state.CANCEL)
    return list(requests.order_by("pk").values_list("state", flat=True))


class LatestEndTests:
    def test_what_has_not_begun_asks_and_goes_on_by_a_persons_word(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        task = group_tasks.launch(written(application, count=3).pk, undo_seconds=5)
        GroupTask.objects.update(latest_end=timezone.now() - dt.timedelta(seconds=1))
        now_is_its_moment(task)

        group_waiting.start(task.pk)
        held = GroupTask.objects.get()
        assert (held.state, at_sandbox(sandbox)) == (TaskState.HELD, [])
        group_waiting.resume(task.pk)

        assert len(at_sandbox(sandbox)) == 1

    def test_resumed_after_another_stop_it_asks_about_its_end(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        task = group_tasks.launch(written(application, count=3).pk, undo_seconds=5)
        end = timezone.now() - dt.timedelta(seconds=1)
        GroupTask.objects.update(state=TaskState.HELD, hold_reason="A budget is used up.", latest_end=end)

        held = group_waiting.resume(task.pk)

        assert (held.state, at_sandbox(sandbox)) == (TaskState.HELD, [])
        assert "It was not to send after" in held.hold_reason

    def test_held_for_something_else_its_page_asks_about_the_end_that_came(
        self, sandbox: RunningSandbox, application: Application, admin_client: Client
    ) -> None:
        task = group_tasks.launch(written(application, count=3).pk, undo_seconds=5)
        end = timezone.now() - dt.timedelta(seconds=1)
        GroupTask.objects.update(state=TaskState.HELD, hold_reason="A budget is used up.", latest_end=end)

        page = admin_client.get(own(task)).content.decode()
        admin_client.post(own(task, "do", "resume"), {"past_end": "yes"})

        assert 'id="end-passed"' in page
        assert 'name="past_end" value="yes"' in page
        assert len(at_sandbox(sandbox)) == 1

    def test_a_page_from_before_lifts_no_end(
        self, sandbox: RunningSandbox, application: Application, admin_client: Client
    ) -> None:
        task = group_tasks.launch(written(application, count=3).pk, undo_seconds=5)
        end = timezone.now() - dt.timedelta(seconds=1)
        said = sending_hours.after_its_end(end)
        GroupTask.objects.update(state=TaskState.HELD, hold_reason=said, latest_end=end)

        admin_client.post(own(task, "do", "resume"))
        held = GroupTask.objects.get()
        assert (held.state, held.latest_end, at_sandbox(sandbox)) == (TaskState.HELD, end, [])

        assert 'name="past_end" value="yes"' in admin_client.get(own(task)).content.decode()
        admin_client.post(own(task, "do", "resume"), {"past_end": "yes"})
        assert len(at_sandbox(sandbox)) == 1

    def test_what_its_hours_put_after_its_end_is_resumed_once(
        self, closed: Calendar, sandbox: RunningSandbox, application: Application
    ) -> None:
        task = group_tasks.launch(written(application, count=3).pk)
        GroupTask.objects.update(latest_end=timezone.now() + dt.timedelta(minutes=1))
        now_is_its_moment(task)
        group_waiting.start(task.pk)
        assert GroupTask.objects.get().state == TaskState.HELD

        assert group_waiting.resume(task.pk).state == TaskState.LAUNCHED

    def calling(self, application: Application) -> GroupTask:
        task = group_tasks.launch(written(application, send_at=timezone.now() + dt.timedelta(hours=3)).pk)
        end = timezone.now() - dt.timedelta(seconds=1)
        GroupTask.objects.update(latest_end=end, state=TaskState.CALLING, key="77")
        return task

    def at_laaffic(self, application: Application) -> GroupTask:
        task = written(application)
        end = timezone.now() - dt.timedelta(seconds=1)
        GroupTask.objects.update(latest_end=end, state=TaskState.CALLING, key="77")
        return task

    def test_what_laaffic_still_calls_is_cancelled_once(
        self, sandbox: RunningSandbox, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        task = self.calling(application)
        monkeypatch.setattr(group_tasks, "ask_to_cancel", lambda task, entry: ledger.depart(entry.pk))

        group_ends.end_due()
        group_ends.end_due()

        assert cancellings() == [EntryState.IN_FLIGHT]
        assert task.events.filter(text__contains="latest end has come").exists()

    def lost(
        self, application: Application, monkeypatch: pytest.MonkeyPatch, seconds_ago: int
    ) -> tuple[GroupTask, WireTask]:
        """Cancelled at its end, without an answer; and how Laaffic lists it while it calls."""
        task = self.at_laaffic(application)

        def ask(task: GroupTask, entry: LedgerEntry) -> None:
            assert ledger.depart(entry.pk)
            ledger.settle_error(entry.pk, OutcomeUnknown("no answer", interface=entry.interface))
            raise ValidationError("Laaffic's answer was lost.")

        monkeypatch.setattr(group_tasks, "ask_to_cancel", ask)
        group_ends.end_due()
        before = timezone.now() - dt.timedelta(seconds=seconds_ago)
        LedgerEntry.objects.filter(interface=group_state.CANCEL).update(prepared_at=before, left_at=before)
        GroupTask.objects.update(end_asked_at=before, latest_end=before)
        unsaid: dict[str, Any] = dict.fromkeys(field.name for field in dataclasses.fields(WireTask))
        said = {"key": task.key, "name": task.task_name, "status": TaskStatus.CALLING, "raw_status": "1"}
        return task, WireTask(**unsaid | said)

    @pytest.mark.parametrize(
        ("seconds_ago", "states"),
        [(20, [EntryState.UNKNOWN]), (90, [EntryState.REFUSED, EntryState.UNKNOWN])],
    )
    def test_what_still_calls_after_a_lost_answer_is_cancelled_again(
        self, application: Application, monkeypatch: pytest.MonkeyPatch, seconds_ago: int, states: list[EntryState]
    ) -> None:
        """As soon as a list shows it a minute after the request; before that it may only not show it yet."""
        task, calling = self.lost(application, monkeypatch, seconds_ago)

        group_state.take(task.pk, calling, began=timezone.now())
        group_ends.end_due()

        assert cancellings() == states

    def test_what_a_list_does_not_tell_of_it_stays(
        self, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        task, calling = self.lost(application, monkeypatch, 90)
        group_state.take(task.pk, dataclasses.replace(calling, called=7), began=timezone.now())

        taken = group_state.take(
            task.pk, dataclasses.replace(calling, status=None, raw_status=""), began=timezone.now()
        )

        assert (taken.state, taken.vendor_status, taken.called) == ("calling", "1", 7)

    def test_what_is_cancelled_after_all_was_cancelled_by_that_request(
        self, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        task, calling = self.lost(application, monkeypatch, 90)
        group_state.take(task.pk, calling, began=timezone.now())
        assert cancellings() == [EntryState.REFUSED]

        cancelled = dataclasses.replace(calling, status=TaskStatus.CANCELLED)
        group_state.take(task.pk, cancelled, began=timezone.now())

        assert cancellings() == [EntryState.ACCEPTED]

    def test_what_is_not_known_to_be_there_is_looked_for_at_its_end(self, application: Application) -> None:
        now = timezone.now()
        task = written(application)
        task.state, task.launched_at = TaskState.UNKNOWN, now - dt.timedelta(hours=3)

        for ahead, looked in ((10, 10), (90, 60), (-10, 60)):
            task.latest_end = now + dt.timedelta(minutes=ahead)
            assert group_state.next_look(task, now) == now + dt.timedelta(minutes=looked)

    def test_a_request_whose_process_died_has_asked_nothing(
        self, sandbox: RunningSandbox, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Killed(BaseException):
            pass

        def die(*_given: object, **_named: object) -> None:
            raise Killed

        task = self.calling(application)
        for where in ("prepare_cancelling", "ask_to_cancel"):
            with monkeypatch.context() as patched:
                patched.setattr(group_tasks, where, die)
                with pytest.raises(Killed):
                    group_ends.end(task.pk)
        group_ends.end_due()
        assert cancellings() == [EntryState.PREPARED]

        long_ago = timezone.now() - 2 * lost_requests.LOST_AFTER
        LedgerEntry.objects.filter(interface=group_state.CANCEL).update(prepared_at=long_ago)
        GroupTask.objects.update(end_asked_at=long_ago)
        calls.recover()
        group_ends.end_due()

        assert len(cancellings()) == 2
        assert cancellings()[0] == EntryState.NOT_SENT
        assert cancellings()[1] != EntryState.NOT_SENT

    def test_what_did_not_leave_is_asked_again_ever_more_seldom(
        self, sandbox: RunningSandbox, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        task = self.calling(application)

        def out_of_reach(task: GroupTask, entry: LedgerEntry) -> None:
            ledger.settle_error(entry.pk, NotSent("refused", interface=entry.interface))
            raise ValidationError("It was not cancelled: refused.")

        with monkeypatch.context() as patched:
            patched.setattr(group_tasks, "ask_to_cancel", out_of_reach)
            group_ends.end_due()
            group_ends.end_due()
            assert cancellings() == [EntryState.NOT_SENT]
            asked = timezone.now() - dt.timedelta(seconds=30)
            GroupTask.objects.update(end_asked_at=asked, latest_end=asked)
            LedgerEntry.objects.filter(interface=group_state.CANCEL).update(prepared_at=asked)
            group_ends.end_due()
        assert cancellings() == [EntryState.NOT_SENT] * 2
        GroupTask.objects.update(end_asked_at=asked)
        group_ends.end_due()

        assert len(cancellings()) == 3
        assert [event.text for event in task.events.filter(text__contains="asked again by itself")] == [
            "Its latest end has come, and it is not cancelled for certain. It was not cancelled: refused. "
            "It is asked again by itself."
        ]

    def test_a_held_account_is_asked_when_the_hold_is_over(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        self.calling(application)
        hold = AccountHold.objects.create(
            scope="account", sentence="No funds.", placed_at=timezone.now(), probe_wait=15
        )
        group_ends.end_due()
        long_ago = timezone.now() - dt.timedelta(hours=1)
        GroupTask.objects.update(end_asked_at=long_ago)
        LedgerEntry.objects.filter(interface=group_state.CANCEL).update(prepared_at=long_ago)
        group_ends.end_due()
        assert cancellings() == [EntryState.NOT_SENT]

        account_hold.release(hold.pk, because="paid")
        group_ends.end_due()

        assert len(cancellings()) == 2

    @pytest.mark.parametrize(
        ("code", "is_asked_again"),
        [("-15", True), ("-10", True), ("-31", True), ("HTTP 429", True), ("HTTP 403", True), ("-54", False)],
    )
    def test_a_refusal_that_passes_has_asked_nothing(
        self, application: Application, monkeypatch: pytest.MonkeyPatch, code: str, is_asked_again: bool
    ) -> None:
        task = self.at_laaffic(application)

        def refused(task: GroupTask, entry: LedgerEntry) -> None:
            LedgerEntry.objects.filter(pk=entry.pk).update(state=EntryState.REFUSED, code=code)
            raise ValidationError("It was not cancelled: refused.")

        monkeypatch.setattr(group_tasks, "ask_to_cancel", refused)
        group_ends.end_due()
        group_ends.end_due()
        assert cancellings() == [EntryState.REFUSED]
        asked = timezone.now() - dt.timedelta(minutes=20)
        GroupTask.objects.update(end_asked_at=asked)
        LedgerEntry.objects.update(prepared_at=asked)

        group_ends.end_due()

        assert cancellings() == [EntryState.REFUSED] * (2 if is_asked_again else 1)
        assert task.events.filter(text__contains="asked again by itself").exists() == is_asked_again

    def test_the_page_stops_what_would_begin_after_it(
        self, closed: Calendar, application: Application, admin_client: Client
    ) -> None:
        task = written(application, count=3, latest_end=timezone.now() + dt.timedelta(hours=1))
        posted: dict[str, Any] = {"seen": ["night", "dials_on"], **hidden(admin_client, own(task, "review"))}

        assert 'id="missing"' in admin_client.post(own(task, "review"), posted).content.decode()
        assert GroupTask.objects.get().state == TaskState.DRAFT


@pytest.mark.parametrize("by", ["its own time", "its allowed times of day"])
def test_what_would_begin_after_its_end_is_not_launched(
    sandbox: RunningSandbox, application: Application, by: str
) -> None:
    there = timezone.now().astimezone(ZoneInfo("Asia/Shanghai"))
    later = there + dt.timedelta(hours=2)
    if by == "its own time":
        when: dict[str, Any] = {"send_at": later}
    else:
        begins = "04:00" if there.hour >= 12 else "20:00"
        when = {"windows": [[begins, begins.replace("00", "30")]]}
    task = written(application, count=3, latest_end=there + dt.timedelta(hours=1), **when)

    found = {check.key: check.level for check in group_start.planned(task).checks}
    with pytest.raises(ValidationError, match="begin after its latest end"):
        group_tasks.launch(task.pk)

    assert found["end"] == Level.STOP
    assert (GroupTask.objects.get().state, at_sandbox(sandbox)) == (TaskState.DRAFT, [])


def test_without_hours_that_fit_it_says_what_to_do(application: Application) -> None:
    assert group_hours.never(GroupTask(application=application, outside_hours=True), []).startswith("No moment suits")
