"""A group call and a budget: it fits whole or is held, and what did not leave is given back."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.laaffic import GroupTask as WireTask
from laaffic_console.laaffic import TaskStatus
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Budget, BudgetCounter, BudgetShare, Calendar
from messaging.services.budgets import budgets, shares, whole_requests
from messaging.services.reports.prices import Cost
from tests.voice.group_calls.group_samples import at_sandbox, listed, seen_through, written
from tests.voice.group_calls.test_group_admin import own
from tests.voice.group_calls.test_group_before_launch import finished
from voice.models import GroupTask, TaskState
from voice.services.asking import group_calls as group_sync
from voice.services.group_calls import answers as group_answers
from voice.services.group_calls import copies as group_copies
from voice.services.group_calls import costs as group_costs
from voice.services.group_calls import launching as group_launching
from voice.services.group_calls import starting as group_starting
from voice.services.group_calls import states as group_state
from voice.services.group_calls import tasks as group_tasks
from voice.services.group_calls import waiting as group_waiting

pytestmark = pytest.mark.django_db(transaction=True)


def budget_of(application: Application, limit: int, currency: str = "") -> Budget:
    return budgets.put(application, per="day", limit=Decimal(limit), currency=currency)


def used() -> int:
    return sum(BudgetCounter.objects.values_list("used", flat=True))


def test_what_fits_leaves_and_counts_once(sandbox: RunningSandbox, application: Application) -> None:
    budget_of(application, 10)

    group_tasks.launch(written(application, count=7).pk)
    shares.sweep()
    shares.sweep()

    assert (used(), len(at_sandbox(sandbox))) == (7, 1)


def test_what_does_not_fit_stays_whole(sandbox: RunningSandbox, application: Application, admin_client: Client) -> None:
    budget_of(application, 10)
    group_tasks.launch(written(application, count=7).pk)
    second = written(application, name="Second", count=4)

    shown = admin_client.get(own(second, "review")).content.decode()
    with pytest.raises(ValidationError, match="3 messages are left"):
        group_tasks.launch(second.pk)

    second.refresh_from_db()
    assert "it will be held, whole" in shown
    assert (second.state, used(), len(at_sandbox(sandbox))) == (TaskState.DRAFT, 7, 1)
    assert LedgerEntry.objects.count() == 1


def test_started_by_a_worker_it_is_held_and_goes_on_when_lifted(
    sandbox: RunningSandbox, application: Application
) -> None:
    budget = budget_of(application, 3)
    task = group_tasks.launch(written(application, count=4).pk, undo_seconds=1)
    GroupTask.objects.update(starts_at=task.created_at)

    group_waiting.start(task.pk)
    assert GroupTask.objects.get().state == TaskState.HELD
    with pytest.raises(NotNow, match="3 messages, is too small for it"):
        group_waiting.resume(task.pk)
    budgets.lift(budget.pk, reason="agreed")
    group_waiting.resume(task.pk)

    assert (len(at_sandbox(sandbox)), used()) == (1, 4)


@pytest.mark.parametrize(("opens_in_days", "limit", "goes_on"), [(2, 3, True), (2, 2, False), (0, 3, False)])
def test_its_hours_say_which_days_budget_it_is_judged_by(
    sandbox: RunningSandbox, application: Application, opens_in_days: int, limit: int, goes_on: bool
) -> None:
    opens = timezone.localdate() + dt.timedelta(opens_in_days)
    day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[opens.weekday()]
    calendar = Calendar.objects.create(name="Calls", hours=f"{day} 09:00-17:00")
    task = written(application, count=3)
    GroupTask.objects.update(state=TaskState.HELD, calendar=calendar if opens_in_days else None)
    BudgetCounter.objects.create(budget=budget_of(application, limit), starts_on=budgets.today(), used=limit)

    if goes_on:
        assert group_waiting.resume(task.pk).state == TaskState.LAUNCHED
        assert "messages are left" not in checked(task)
        return
    with pytest.raises(NotNow, match=r"used up|too small"):
        group_waiting.resume(task.pk)


def checked(task: GroupTask) -> str:
    found = group_starting.planned(group_launching.fresh(task.pk)).checks
    return " ".join(check.sentence for check in found if check.key.startswith("budget"))


def test_a_refusal_gives_back_and_a_lost_answer_does_not(sandbox: RunningSandbox, application: Application) -> None:
    budget_of(application, 10)
    sandbox.set_faults(status="-26", status_calls=1)
    group_tasks.launch(written(application, count=4).pk)
    shares.sweep()
    after_refusal = used()
    sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
    group_tasks.launch(written(application, name="Lost", count=4).pk)
    shares.sweep()

    assert (after_refusal, used()) == (0, 4)


def test_what_a_refused_one_had_taken_is_given_back_before_somebody_is_told_no(
    sandbox: RunningSandbox, application: Application
) -> None:
    budget_of(application, 10)
    sandbox.set_faults(status="-26", status_calls=1)
    group_tasks.launch(written(application, count=8).pk)

    group_tasks.launch(written(application, name="Second", count=8).pk)

    assert (used(), len(at_sandbox(sandbox))) == (8, 1)


def test_money_counts_as_the_last_calls_cost(sandbox: RunningSandbox, application: Application) -> None:
    finished(application)  # 0.02 USD a phone
    budget_of(application, 1, "USD")

    group_tasks.launch(written(application, count=40).pk)
    with pytest.raises(ValidationError, match=r"0\.20"):
        group_tasks.launch(written(application, name="Second", count=20).pk)

    assert used() == 800_000


def test_what_was_launched_in_the_period_before_it_was_set_counts(
    sandbox: RunningSandbox, application: Application
) -> None:
    group_tasks.launch(written(application, count=3).pk)
    sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
    group_tasks.launch(written(application, name="Lost", count=4).pk)
    sandbox.set_faults(status="-26", status_calls=1)
    group_tasks.launch(written(application, name="Refused", count=6).pk)
    old = group_tasks.launch(written(application, name="Old", count=5).pk)
    LedgerEntry.objects.filter(about_id=old.pk).update(prepared_at=timezone.now() - dt.timedelta(days=2))

    budget_of(application, 10)
    assert used() == 7
    with pytest.raises(ValidationError, match="3 messages are left"):
        group_tasks.launch(written(application, name="More", text="More", count=4).pk)

    LedgerEntry.objects.filter(state=EntryState.UNKNOWN).update(state=EntryState.NOT_SENT)
    shares.sweep()
    assert used() == 3


def test_of_money_what_it_has_cost_counts_else_what_is_expected(
    sandbox: RunningSandbox, application: Application
) -> None:
    finished(application)  # 0.02 USD a phone
    waiting = group_tasks.launch(written(application, count=40).pk)
    over = group_tasks.launch(written(application, name="Over", count=10).pk)
    GroupTask.objects.filter(pk=over.pk).update(
        state=TaskState.FINISHED, called=10, recorded=10, cost=Decimal("0.300000"), currency="USD"
    )

    budget_of(application, 2, "USD")
    first = used()
    over_too = GroupTask(application=application, entry=waiting.entry, state="finished", called=1, recorded=1)
    over_too.cost, over_too.currency = Decimal(1), "USD"
    group_costs.charge(over_too)

    assert (first, used()) == (300_000 + 836_360, 300_000 + 1_000_000)  # 0.46 USD for 22 phones, by both


def with_sms(application: Application, by: Application, count: int, **given: object) -> GroupTask:
    sms = {"hang_up_sms": True, "sms_text": "Bye", "sms_on_answer": True, "sms_application": by}
    return written(application, count=count, **sms, **given)


def test_the_sms_after_the_calls_count_where_they_leave(
    sandbox: RunningSandbox, application: Application, sms_application: Application, admin_client: Client
) -> None:
    budget_of(sms_application, 5)
    first = group_tasks.launch(with_sms(application, sms_application, 3).pk)
    assert used() == 3
    second = with_sms(application, sms_application, 4, name="Second", text="Second")

    assert "it will be held, whole" in admin_client.get(own(second, "review")).content.decode()
    with pytest.raises(ValidationError, match="2 messages are left"):
        group_tasks.launch(second.pk)

    over = {"state": TaskState.FINISHED, "called": 3, "recorded": 3, "sms_sent": 1, "currency": "USD", "cost": 1}
    GroupTask.objects.filter(pk=first.pk).update(**over)
    group_costs.charge(GroupTask.objects.get(pk=first.pk))
    shares.sweep()
    assert used() == 1
    group_tasks.launch(second.pk)
    assert used() == 5


def test_sms_after_earlier_calls_count_in_a_new_budget(
    sandbox: RunningSandbox, application: Application, sms_application: Application
) -> None:
    group_tasks.launch(with_sms(application, sms_application, 3).pk)
    over = group_tasks.launch(with_sms(application, sms_application, 4, text="Over").pk)
    GroupTask.objects.filter(pk=over.pk).update(state=TaskState.FINISHED, called=4, recorded=4, sms_sent=2)

    budget_of(sms_application, 10)

    assert used() == 5


def in_an_hour() -> dt.datetime:
    return timezone.now() + dt.timedelta(hours=1)


def waits(task: GroupTask) -> GroupTask:
    launched = group_tasks.launch(task.pk)
    group_sync.sync()
    launched.refresh_from_db()
    assert launched.state == TaskState.WAITING
    return launched


def used_by() -> dict[tuple[str, str], int]:
    counters = BudgetCounter.objects.values_list("budget__application__app_id", "budget__currency", "used")
    return {(app_id, currency): n for app_id, currency, n in counters}


def every_budget(application: Application, sms_application: Application) -> None:
    budget_of(application, 10)
    budget_of(application, 5, "USD")
    budget_of(sms_application, 10)


def test_what_is_cancelled_before_it_called_anybody_is_given_back(
    sandbox: RunningSandbox, application: Application, sms_application: Application
) -> None:
    finished(application)  # 0.02 USD a phone
    every_budget(application, sms_application)
    task = waits(with_sms(application, sms_application, 6, send_at=in_an_hour()))
    taken = used_by()

    group_tasks.cancel(task.pk)
    assert seen_through(task).state == TaskState.CANCELLED
    given_back = used_by()
    Budget.objects.all().delete()
    every_budget(application, sms_application)

    assert taken == {("voiceApp", ""): 6, ("voiceApp", "USD"): 120_000, ("smsApp", ""): 6}
    assert set(given_back.values()) == {0}
    assert set(used_by().values()) <= {0}


@pytest.mark.parametrize(
    ("told", "counted"),
    [
        ({"state": TaskState.CANCELLED, "called": 2, "recorded": 2}, 2),
        ({"state": TaskState.CANCELLED, "called": 2, "recorded": 1}, 6),  # a record is awaited
        ({"state": TaskState.CANCELLED, "called": 0, "recorded": 1}, 6),  # they contradict each other
        ({"state": TaskState.CANCELLED, "called": None}, 6),
        ({"state": TaskState.FAILED, "called": None}, 0),
        ({"state": TaskState.UNKNOWN, "called": 0}, 6),
        ({"state": TaskState.FINISHED, "called": 0}, 6),
    ],
)
def test_only_what_certainly_called_nobody_is_given_back(
    sandbox: RunningSandbox, application: Application, told: dict[str, object], counted: int
) -> None:
    budget_of(application, 10)
    task = group_tasks.launch(written(application, count=6).pk)
    GroupTask.objects.filter(pk=task.pk).update(**told)

    group_costs.charge(GroupTask.objects.get(pk=task.pk))
    charged = used()
    Budget.objects.all().delete()
    budget_of(application, 10)

    assert (charged, used()) == (counted, counted)


def test_records_that_come_after_a_charge_of_nothing_are_charged(
    sandbox: RunningSandbox, application: Application
) -> None:
    budget_of(application, 10)
    budget_of(application, 5, "USD")
    task = group_tasks.launch(written(application, count=6).pk)
    charged = []
    for recorded, cost in ((0, None), (3, Decimal("0.3")), (4, Decimal("0.4"))):
        told = {"state": TaskState.FAILED, "called": None, "recorded": recorded, "cost": cost, "currency": "USD"}
        GroupTask.objects.filter(pk=task.pk).update(**told)
        group_costs.charge(GroupTask.objects.get(pk=task.pk))
        shares.sweep()
        charged.append([*used_by().values()])

    assert charged == [[0, 0], [3, 300_000], [4, 400_000]]


def test_a_change_is_charged_no_more_than_it_took_where_its_task_left_before_the_budget_was_set(
    sandbox: RunningSandbox, application: Application
) -> None:
    task = waits(written(application, count=6, send_at=in_an_hour()))
    budget_of(application, 20)
    BudgetShare.objects.all().delete()
    BudgetCounter.objects.update(used=0)
    change = waits(changed(task, 8))
    assert used() == 2

    GroupTask.objects.filter(pk=change.pk).update(state=TaskState.CANCELLED, called=7, recorded=7)
    group_costs.charge(GroupTask.objects.get(pk=change.pk))
    at_most = used()
    GroupTask.objects.filter(pk=change.pk).update(called=1, recorded=1)
    group_costs.charge(GroupTask.objects.get(pk=change.pk))

    assert (at_most, used()) == (2, 1)


def changed(task: GroupTask, count: int, **given: object) -> GroupTask:
    """A change of it, not launched yet, that calls the first so many numbers."""
    draft = group_copies.update_of(GroupTask.objects.get(pk=task.pk))
    for name, value in given.items():
        setattr(draft, name, value)
    return group_tasks.save(draft, audience=listed(count))


@pytest.mark.parametrize(("count", "counted"), [(4, 4), (6, 6), (9, 9), (10, 10), (11, 6)])
def test_a_change_counts_in_the_place_of_what_it_changes(
    sandbox: RunningSandbox, application: Application, admin_client: Client, count: int, counted: int
) -> None:
    budget_of(application, 10)
    task = waits(written(application, count=6, send_at=in_an_hour()))
    change = changed(task, count)

    shown = admin_client.get(own(change, "review")).content.decode()
    if count > 10:
        with pytest.raises(NotNow, match="4 messages are left"):
            group_tasks.launch(change.pk)
    else:
        group_tasks.launch(change.pk)
    group_sync.sync()
    shares.sweep()

    task.refresh_from_db()
    assert ("it will be held, whole" in shown) == (count > 10)
    assert (used(), task.state) == (counted, TaskState.WAITING if count > 10 else TaskState.REPLACED)
    Budget.objects.all().delete()
    budget_of(application, 10)
    assert used() == counted


def test_who_opted_out_can_be_left_out_of_a_task_that_has_used_the_budget_up(
    sandbox: RunningSandbox, application: Application, sms_application: Application
) -> None:
    finished(application)  # 0.02 USD a phone
    budget_of(application, 6)
    budget_of(application, 1, "USD")
    budget_of(sms_application, 6)
    task = waits(with_sms(application, sms_application, 6, send_at=in_an_hour()))
    finished(application, cost=Decimal(90))  # and a call has become dearer since
    BudgetCounter.objects.filter(budget__currency="USD").update(used=1_000_000)

    first = waits(changed(task, 5))
    assert used_by() == {("voiceApp", ""): 5, ("voiceApp", "USD"): 980_000, ("smsApp", ""): 5}
    waits(changed(first, 4, hang_up_sms=False))

    assert used_by() == {("voiceApp", ""): 4, ("voiceApp", "USD"): 960_000, ("smsApp", ""): 0}


@pytest.mark.parametrize(("count", "while_unknown"), [(4, 6), (9, 9)])
def test_a_change_gives_nothing_back_before_it_is_certain(
    sandbox: RunningSandbox, application: Application, count: int, while_unknown: int
) -> None:
    budget_of(application, 10)
    task = waits(written(application, count=6, send_at=in_an_hour()))
    sandbox.set_faults(status="-26", status_calls=1)
    change = changed(task, count)
    assert group_tasks.launch(change.pk).state == TaskState.DRAFT
    shares.sweep()
    refused = used()

    sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
    assert group_tasks.launch(change.pk).state == TaskState.UNKNOWN
    shares.sweep()
    unknown = used()
    Budget.objects.all().delete()
    budget_of(application, 10)
    counted_again = used()

    assert (refused, unknown, counted_again) == (6, while_unknown, while_unknown)
    LedgerEntry.objects.filter(state=EntryState.UNKNOWN).update(state=EntryState.NOT_SENT)
    shares.sweep()
    assert used() == 6


@pytest.mark.parametrize("count", [4, 9])
def test_a_change_that_turns_out_to_have_arrived_counts_alone(
    sandbox: RunningSandbox, application: Application, count: int
) -> None:
    budget_of(application, 10)
    task = waits(written(application, count=6, send_at=in_an_hour()))
    sandbox.set_faults(next_fault="bad_gateway_after", next_calls=1)
    change = group_tasks.launch(changed(task, count).pk)

    group_sync.sync()
    shares.sweep()

    change.refresh_from_db()
    assert (change.state, used()) == (TaskState.WAITING, count)


def test_of_two_changes_at_once_each_counts_as_if_the_other_had_arrived_first(
    sandbox: RunningSandbox, application: Application
) -> None:
    budget_of(application, 20)
    task = waits(written(application, count=6, send_at=in_an_hour()))
    sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
    lost = group_tasks.launch(changed(task, 3).pk)

    group_tasks.launch(changed(task, 5).pk)

    assert (lost.state, used()) == (TaskState.UNKNOWN, 7)  # 5, and 2 that were given back if the other arrived


def test_while_one_change_is_on_its_way_another_is_refused(
    sandbox: RunningSandbox, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget_of(application, 20)
    task = waits(written(application, count=6, send_at=in_an_hour()))
    first, second = changed(task, 9), None
    answer = group_answers.leave

    def meanwhile(*launched: Any) -> None:
        nonlocal second
        monkeypatch.setattr(group_answers, "leave", answer)
        second = changed(task, 3)
        with pytest.raises(NotNow, match="Another change of it, “Spring”, is on its way to Laaffic"):
            group_tasks.launch(second.pk)
        answer(*launched)

    monkeypatch.setattr(group_answers, "leave", meanwhile)
    group_tasks.launch(first.pk)

    assert second is not None
    states = GroupTask.objects.filter(pk__in=[first.pk, second.pk]).order_by("pk").values_list("state", flat=True)
    assert (used(), list(states)[1]) == (9, TaskState.DRAFT)


def test_a_change_is_refused_whose_task_began_after_it_was_checked(
    sandbox: RunningSandbox, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = waits(written(application, count=6, send_at=in_an_hour()))
    change = changed(task, 3)
    ready = group_launching.ready

    def late(launched: GroupTask) -> Any:
        called = ready(launched)
        GroupTask.objects.filter(pk=task.pk).update(state=TaskState.CALLING)
        return called

    monkeypatch.setattr(group_launching, "ready", late)
    with pytest.raises(NotNow, match="has begun or ended in the meantime"):
        group_tasks.launch(change.pk)

    change.refresh_from_db()
    assert (change.state, change.entry) == (TaskState.DRAFT, None)


@pytest.mark.parametrize("is_said_over", [False, True])
def test_of_two_changes_that_arrived_the_one_that_laaffic_lists_counts_alone(
    sandbox: RunningSandbox, application: Application, django_user_model: Any, is_said_over: bool
) -> None:
    budget_of(application, 20)
    task = waits(written(application, count=6, send_at=in_an_hour()))
    sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
    lost = group_tasks.launch(changed(task, 9).pk)
    other = group_tasks.launch(changed(task, 3).pk)
    assert (lost.state, used()) == (TaskState.UNKNOWN, 6)
    if is_said_over:
        GroupTask.objects.filter(pk=other.pk).update(looks=1)
        group_tasks.say_over(other.pk, why="seen", by=django_user_model.objects.create_user("boss"))
    name = {"name": lost.task_name, "raw_status": "0", "status": TaskStatus.WAITING, "key": other.key, "total": 9}
    nothing = dict.fromkeys(("called", "succeeded", "failed", "sms_sent", "cost", "created_at", "send_at"))

    group_state.take(lost.pk, WireTask(**name, **nothing), began=timezone.now())  # it came late

    other.refresh_from_db()
    lost.refresh_from_db()
    shares.sweep()
    assert (other.state, lost.state, used()) == (TaskState.REPLACED, TaskState.WAITING, 9)


def test_what_a_changed_task_cost_is_charged_once_in_the_period_of_its_first_launch(
    sandbox: RunningSandbox, application: Application
) -> None:
    finished(application)  # 0.02 USD a phone
    budget_of(application, 5, "USD")
    task = waits(written(application, count=6, send_at=in_an_hour()))
    BudgetCounter.objects.update(starts_on=budgets.today() - dt.timedelta(days=1))
    change = waits(changed(task, 8))
    days = BudgetCounter.objects.order_by("starts_on").values_list("used", flat=True)
    assert list(days.all()) == [120_000, 40_000]

    for cost, charged in (("0.10", [100_000, 0]), ("0.10", [100_000, 0]), ("0.30", [100_000, 200_000])):
        over = {"state": TaskState.FINISHED, "called": 8, "recorded": 8, "cost": Decimal(cost), "currency": "USD"}
        GroupTask.objects.filter(pk=change.pk).update(**over)
        group_costs.charge(GroupTask.objects.get(pk=change.pk))
        shares.sweep()
        assert list(days.all()) == charged


def test_what_the_calls_cost_is_not_charged_for_their_sms(
    sandbox: RunningSandbox, application: Application, sms_application: Application
) -> None:
    budget_of(sms_application, 5, "USD")
    task = group_tasks.launch(with_sms(application, sms_application, 3).pk)
    over = {"state": TaskState.FINISHED, "called": 3, "recorded": 3, "sms_sent": 1, "currency": "USD", "cost": 1}
    GroupTask.objects.filter(pk=task.pk).update(**over)

    group_costs.charge(GroupTask.objects.get(pk=task.pk))

    assert used() == 0


ENDS = [EntryState.ACCEPTED, EntryState.REFUSED, EntryState.NOT_SENT, EntryState.UNKNOWN]


@transaction.atomic
def asks(application: Application, recipients: int, end: EntryState) -> int | None:
    """How many may have left of a request that ends so; None where it does not fit."""
    taken = whole_requests.Taken(application, recipients, Cost([], {}, recipients))
    if taken.stop():
        return None
    entry = ledger.prepare(interface="x", application=application, about_kind="x", about_id=1, summary={})
    taken.count(entry)
    LedgerEntry.objects.filter(pk=entry.pk).update(state=end)
    return recipients if end in (EntryState.ACCEPTED, EntryState.UNKNOWN) else 0


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.lists(st.tuples(st.integers(1, 9), st.sampled_from(ENDS), st.booleans()), max_size=8))
def test_no_order_of_requests_exceeds_a_budget(
    application: Application, asked: list[tuple[int, EntryState, bool]]
) -> None:
    BudgetShare.objects.all().delete()
    Budget.objects.all().delete()
    budget_of(application, 20)
    may_have_left = 0

    for recipients, end, is_swept in asked:
        has_left = asks(application, recipients, end)
        if has_left is None:
            assert may_have_left + recipients > 20
        may_have_left += has_left or 0
        if is_swept:
            shares.sweep()
        assert may_have_left <= 20
        assert used() >= may_have_left
    shares.sweep()

    assert used() == may_have_left
