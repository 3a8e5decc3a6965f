"""Nobody is called beyond the cap, nor for marketing without consent, whatever reaches them in whatever order."""

import datetime as dt
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.client import account
from laaffic_console.laaffic import NotSent, OutcomeUnknown
from messaging.models import BudgetCounter, Calendar, Campaign, ContactGroup, FrequencyCap, Message, MessageState
from messaging.services.audience import audience
from messaging.services.batches import claiming
from messaging.services.budgets import budgets, shares
from messaging.services.campaigns import drafts, starting
from messaging.services.contacts import consents
from messaging.services.contacts.consents import Said
from tests.messaging.conftest import add_contacts
from tests.voice.group_calls.group_samples import FIRST, listed, written
from tests.voice.group_calls.test_group_admin import own
from tests.voice.group_calls.test_group_before_launch import finished
from voice.models import GroupTask, TaskState
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import care as group_care
from voice.services.group_calls import copies as group_copies
from voice.services.group_calls import costs as group_costs
from voice.services.group_calls import tasks as group_tasks
from voice.services.group_calls import waiting as group_waiting
from voice.services.group_calls.approval import GroupTaskDrafts

pytestmark = pytest.mark.django_db(transaction=True)
MARKETING, TRANSACTIONAL = Campaign.Purpose.MARKETING, Campaign.Purpose.TRANSACTIONAL


class Laaffic:
    """Takes group calls; `fails` with the next ones."""

    def __init__(self) -> None:
        self.called: list[list[str]] = []
        self.fails: list[type[NotSent | OutcomeUnknown]] = []
        self.group_calls = self

    def send(self, asked: Any) -> str:
        if self.fails:
            raise self.fails.pop()("no", interface="voice/group/call/send")
        self.called.append(list(asked.numbers))
        return f"key-{len(self.called)}"

    def find(self, *names: Any, **span: Any) -> None:
        return None


@pytest.fixture(autouse=True)
def laaffic(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> Laaffic:
    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "key"  # only that there is one
    account.laaffic_client.cache_clear()
    client = Laaffic()
    for module in ("answers", "states"):
        monkeypatch.setattr(f"voice.services.group_calls.{module}.laaffic_client", lambda: client)
    return client


@pytest.fixture
def _cap_of_one(settings: LazySettings) -> None:
    settings.LAAFFIC_FREQUENCY_CAP_DAY = 1


@pytest.fixture
def _consent_is_needed(settings: LazySettings) -> None:
    settings.LAAFFIC_MARKETING_NEEDS_CONSENT = True


def over(task: GroupTask, ago: dt.timedelta) -> None:
    GroupTask.objects.filter(pk=task.pk).update(state=TaskState.FINISHED, finished_at=timezone.now() - ago)


def agree(*numbers: int, channel: str = "voice", state: str = "given") -> None:
    consents.put([Said(str(number), channel, state, timezone.now(), "form") for number in numbers])


def sms(by: Application) -> dict[str, Any]:
    return {"hang_up_sms": True, "sms_application": by, "sms_text": "Hi", "sms_on_failure": True}


def frozen(by: Application, group: ContactGroup, *, is_new: bool = True, channel: str = "sms") -> Campaign:
    """To the first two."""
    if is_new:
        add_contacts(group, 2, first=FIRST)
    draft = drafts.create(name="Texts", application=by, channel=channel, sender_id="", text="Hello", groups=[group])
    starting.launch(draft.pk, by=None)
    while audience.freeze_chunk(draft.pk):
        pass
    return Campaign.objects.select_related("application").get(pk=draft.pk)


@pytest.mark.usefixtures("_cap_of_one")
class CapTests:
    def test_who_was_called_is_left_out_of_the_next(
        self, application: Application, laaffic: Laaffic, admin_client: Client
    ) -> None:
        group_tasks.launch(written(application, count=3).pk)
        second = written(application, name="Second", count=5)
        before = admin_client.get(own(second, "review")).content.decode()

        group_tasks.launch(second.pk)

        second.refresh_from_db()
        assert "3 left out: have had as many calls as the cap allows" in before
        assert [len(numbers) for numbers in laaffic.called] == [3, 2]
        assert (second.number_count, second.left_capped, second.left_suppressed) == (2, 3, 0)
        assert "Left out: had enough calls" in admin_client.get(own(second)).content.decode()

    def test_what_became_full_before_a_worker_starts_it_counts_too(
        self, application: Application, laaffic: Laaffic
    ) -> None:
        task = group_tasks.launch(written(application, count=4).pk, undo_seconds=1)
        GroupTask.objects.update(starts_at=task.created_at)
        group_tasks.launch(written(application, name="Meanwhile", count=2).pk)

        group_waiting.start(task.pk)

        assert [len(numbers) for numbers in laaffic.called] == [2, 2]
        assert set(laaffic.called[0]).isdisjoint(laaffic.called[1])

    @pytest.mark.parametrize("state", ["cancelled", "failed"])
    @pytest.mark.parametrize(("called", "recorded", "left"), [(0, 0, 3), (1, 0, 0), (0, 1, 0), (None, 0, 0)])
    def test_one_that_ended_before_it_called_anybody_does_not_count(
        self, application: Application, laaffic: Laaffic, state: str, called: int | None, recorded: int, left: int
    ) -> None:
        group_tasks.launch(written(application, count=3).pk)
        GroupTask.objects.update(state=state, called=called, recorded=recorded, finished_at=timezone.now())

        second = written(application, name="Second", count=3)

        assert len(group_care.called_now(second).numbers) == left

    def test_where_all_have_had_enough_nobody_is_called(self, application: Application, laaffic: Laaffic) -> None:
        group_tasks.launch(written(application).pk)

        with pytest.raises(ValidationError, match="or have had enough calls"):
            group_tasks.launch(written(application, name="Second").pk)

        assert len(laaffic.called) == 1

    def test_a_request_that_did_not_leave_does_not_count_and_a_lost_one_does(
        self, application: Application, laaffic: Laaffic
    ) -> None:
        laaffic.fails = [OutcomeUnknown, NotSent]
        group_tasks.launch(written(application, name="Not sent").pk)
        group_tasks.launch(written(application, name="Lost").pk)

        with pytest.raises(ValidationError, match="or have had enough calls"):
            group_tasks.launch(written(application, name="Third").pk)

    @pytest.mark.parametrize(("ago", "day", "week", "called"), [(25, 1, 0, 12), (23, 1, 0, 0), (25, 1, 1, 0)])
    def test_it_counts_until_so_long_after_its_end(
        self, application: Application, settings: LazySettings, ago: int, day: int, week: int, called: int
    ) -> None:
        settings.LAAFFIC_FREQUENCY_CAP_DAY, settings.LAAFFIC_FREQUENCY_CAP_WEEK = day, week
        over(group_tasks.launch(written(application).pk), dt.timedelta(hours=ago))

        assert len(group_care.called_now(written(application, name="Second")).numbers) == called

    def test_a_transactional_one_is_neither_stopped_nor_counted(
        self, application: Application, laaffic: Laaffic
    ) -> None:
        for name, purpose in (("A", TRANSACTIONAL), ("B", ""), ("C", TRANSACTIONAL)):
            group_tasks.launch(written(application, name=name, purpose=purpose).pk)

        assert [len(numbers) for numbers in laaffic.called] == [12, 12, 12]

    def test_an_application_may_differ(self, application: Application, laaffic: Laaffic) -> None:
        FrequencyCap.objects.create(application=application, per_day=2)
        for name in "AB":
            group_tasks.launch(written(application, name=name).pk)

        assert not group_care.called_now(written(application, name="C")).numbers

    def test_another_spelling_is_the_same_person(self, application: Application) -> None:
        usual, other = (group_callees.gather(pasted=f"+{number}") for number in ("525512345678", "5215512345678"))
        group_tasks.launch(group_tasks.save(GroupTask(name="A", application=application, text="Hi"), audience=usual).pk)
        second = group_tasks.save(GroupTask(name="B", application=application, text="Hi"), audience=other)

        assert group_care.called_now(second).capped == 1

    def test_a_spoken_campaign_counts_group_calls_and_they_count_it(
        self, application: Application, group: ContactGroup
    ) -> None:
        add_contacts(group, 4)
        first = list(group.contacts.values_list("number", flat=True))[:1]
        kept = group_callees.gather(pasted=f"+{first[0]}")
        group_tasks.launch(group_tasks.save(GroupTask(name="A", application=application, text="Hi"), audience=kept).pk)
        spoken = drafts.create(
            name="B", application=application, channel="voice", sender_id="", text="Hello", groups=[group]
        )
        starting.launch(spoken.pk, by=None)
        while audience.freeze_chunk(spoken.pk):
            pass

        spoken.refresh_from_db()
        assert (spoken.total, spoken.dropped_capped) == (3, 1)

    def test_who_had_an_sms_gets_no_call_with_one(
        self, application: Application, sms_application: Application, group: ContactGroup, admin_client: Client
    ) -> None:
        texted = frozen(sms_application, group)
        claiming.claim_some(texted, "token", 1)
        plain, with_sms = written(application, count=3), written(application, count=3, name="B", **sms(sms_application))

        assert group_care.called_now(plain).capped == 0
        called = group_care.called_now(with_sms)
        assert (called.numbers, called.capped) == ([str(FIRST + 2)], 2)
        assert "2 left out: have had as many calls or SMS" in admin_client.get(own(with_sms, "review")).content.decode()
        group_tasks.launch(with_sms.pk)
        assert GroupTask.objects.get(pk=with_sms.pk).number_count == 1

    def test_who_became_full_of_sms_meanwhile_is_left_out_under_the_lock(
        self, application: Application, sms_application: Application, group: ContactGroup
    ) -> None:
        task = written(application, count=3, **sms(sms_application))
        called = group_care.called_now(task)
        claiming.claim_some(frozen(sms_application, group), "token", 1)

        with transaction.atomic():
            assert group_care.under_lock(task, called).capped == 2

    def test_an_sms_after_a_call_counts_when_an_audience_is_frozen_and_when_it_is_claimed(
        self, application: Application, sms_application: Application, group: ContactGroup
    ) -> None:
        frozen_before = frozen(sms_application, group)
        group_tasks.launch(written(application, count=1, **sms(sms_application)).pk)
        frozen_after = frozen(sms_application, group, is_new=False)

        claiming.claim_some(frozen_before, "token", 1)

        assert (frozen_after.total, frozen_after.dropped_capped) == (1, 1)
        stopped = Message.objects.filter(campaign=frozen_before, state=MessageState.CANCELLED)
        assert list(stopped.values_list("number", flat=True)) == [str(FIRST)]

    def test_a_call_counts_when_a_spoken_audience_that_was_frozen_before_is_claimed(
        self, application: Application, group: ContactGroup
    ) -> None:
        spoken = frozen(application, group, channel="voice")
        group_tasks.launch(written(application, count=1).pk)

        claiming.claim_some(spoken, "token", 2)

        stopped = Message.objects.filter(campaign=spoken, state=MessageState.CANCELLED)
        assert list(stopped.values_list("number", flat=True)) == [str(FIRST)]

    def test_a_call_without_an_sms_is_none(
        self, application: Application, sms_application: Application, group: ContactGroup
    ) -> None:
        group_tasks.launch(written(application, count=1).pk)

        assert frozen(sms_application, group).dropped_capped == 0

    def test_laaffics_own_repetition_cannot_leave_anybody_out(
        self, application: Application, admin_client: Client
    ) -> None:
        task = group_tasks.launch(written(application).pk)
        over(task, dt.timedelta(0))
        again = group_copies.again(GroupTask.objects.get(pk=task.pk), failed_only=False)

        with pytest.raises(ValidationError, match="Laaffic's own repetition"):
            group_tasks.launch(again.pk)
        assert "have had enough calls" in admin_client.get(own(again, "review")).content.decode()

    def test_an_update_takes_the_place_of_what_it_updates(self, application: Application) -> None:
        task = group_tasks.launch(written(application).pk)
        GroupTask.objects.filter(pk=task.pk).update(state=TaskState.WAITING)
        update = group_copies.update_of(GroupTask.objects.get(pk=task.pk))

        assert len(group_care.called_now(update).numbers) == 12


@pytest.mark.usefixtures("_consent_is_needed")
class ConsentTests:
    def test_marketing_calls_only_who_has_agreed(
        self, application: Application, laaffic: Laaffic, admin_client: Client
    ) -> None:
        agree(FIRST, FIRST + 1)
        task = written(application, count=4, purpose=MARKETING)
        before = admin_client.get(own(task, "review")).content.decode()

        group_tasks.launch(task.pk)

        task.refresh_from_db()
        assert "2 left out: no consent for marketing" in before
        assert "Marketing" in before
        assert laaffic.called == [[str(FIRST), str(FIRST + 1)]]
        assert (task.left_no_consent, task.number_count) == (2, 2)

    def test_who_withdraws_before_a_worker_starts_it_is_not_called(
        self, application: Application, laaffic: Laaffic
    ) -> None:
        agree(FIRST, FIRST + 1)
        task = group_tasks.launch(written(application, count=2, purpose=MARKETING).pk, undo_seconds=1)
        GroupTask.objects.update(starts_at=task.created_at)
        agree(FIRST, state="withdrawn")

        group_waiting.start(task.pk)

        assert laaffic.called == [[str(FIRST + 1)]]

    def test_an_sms_after_the_call_asks_for_both_consents(
        self, application: Application, sms_application: Application
    ) -> None:
        sms = {"hang_up_sms": True, "sms_application": sms_application, "sms_text": "Hi", "sms_on_failure": True}
        agree(FIRST, FIRST + 1)
        agree(FIRST + 1, channel="sms")
        task = written(application, count=3, purpose=MARKETING, **sms)

        assert group_care.called_now(task).numbers == [str(FIRST + 1)]

    @pytest.mark.parametrize("purpose", ["", TRANSACTIONAL])
    def test_other_purposes_ask_for_none(self, application: Application, purpose: str) -> None:
        assert len(group_care.called_now(written(application, purpose=purpose)).numbers) == 12

    def test_nor_does_marketing_where_the_console_does_not(
        self, application: Application, settings: LazySettings
    ) -> None:
        settings.LAAFFIC_MARKETING_NEEDS_CONSENT = False

        assert len(group_care.called_now(written(application, purpose=MARKETING)).numbers) == 12


ACTS = ["launch", "launch", "not sent", "lost", "finish", "undo", "start", "withdraw", "agree"]
STEP = st.tuples(st.integers(0, 4), st.integers(1, 5), st.sampled_from(ACTS), st.booleans())


@pytest.mark.thorough
@pytest.mark.timeout(400)
@examples(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(steps=st.lists(STEP, min_size=4, max_size=14), cap=st.integers(1, 2))
def test_no_order_of_launches_calls_anybody_beyond_the_cap_or_without_consent(
    application: Application,
    laaffic: Laaffic,
    settings: LazySettings,
    steps: list[tuple[int, int, str, bool]],
    cap: int,
) -> None:
    settings.LAAFFIC_FREQUENCY_CAP_DAY, settings.LAAFFIC_MARKETING_NEEDS_CONSENT = cap, True
    GroupTask.objects.all().delete()
    LedgerEntry.objects.all().delete()
    consents.Consent.objects.all().delete()
    seen, agreed = 0, set[str]()
    laaffic.called, laaffic.fails = [], []
    left = Counter[str]()
    for place, count, act, is_marketing in steps:
        number = FIRST + place
        if act in ("agree", "withdraw"):
            agree(number, state="given" if act == "agree" else "withdrawn")
            (agreed.add if act == "agree" else agreed.discard)(str(number))
        elif act == "finish":
            at_laaffic = GroupTask.objects.filter(state=TaskState.SUBMITTING)
            at_laaffic.update(state=TaskState.FINISHED, finished_at=timezone.now())
        elif act == "start":
            GroupTask.objects.filter(state=TaskState.LAUNCHED).update(starts_at=timezone.now())
            group_waiting.start_due()
        else:
            laaffic.fails = {"not sent": [NotSent], "lost": [OutcomeUnknown]}.get(act, [])  # type: ignore[assignment]
            tries(application, listed(count, number), is_marketing, undo=act == "undo")
        for entry in LedgerEntry.objects.filter(pk__gt=seen).order_by("pk"):
            seen = entry.pk
            task = GroupTask.objects.get(pk=entry.about_id)
            if entry.state not in (EntryState.NOT_SENT, EntryState.REFUSED):
                left.update(group_callees.of(task))
            if task.purpose == MARKETING and entry.state == EntryState.ACCEPTED:
                assert set(group_callees.of(task)) <= agreed
        assert max(left.values(), default=0) <= cap
    assert sum(len(numbers) for numbers in laaffic.called) <= left.total()


def tries(application: Application, whom: group_callees.Audience, is_marketing: bool, *, undo: bool) -> None:
    task = GroupTask(name="Any", application=application, text="Hi", purpose=MARKETING if is_marketing else "")
    group_tasks.save(task, audience=whom)
    try:
        group_tasks.launch(task.pk, again="tried", undo_seconds=1 if undo else 0)
    except ValidationError:
        assert GroupTask.objects.get(pk=task.pk).state == TaskState.DRAFT


class WordsTests:
    def test_the_purpose_is_bound_to_an_approval(self, application: Application) -> None:
        plain, marked = written(application), written(application, name="B", purpose=MARKETING)

        parts = GroupTaskDrafts()
        assert "purpose" not in parts.parts(plain)
        assert parts.parts(marked)["purpose"]
        before = group_tasks.shown_digest(plain, [])
        plain.purpose = MARKETING
        assert group_tasks.shown_digest(plain, []) != before

    def test_the_shell_takes_hours_and_purpose(
        self, application: Application, group: ContactGroup, capsys: pytest.CaptureFixture[str]
    ) -> None:
        add_contacts(group, 2)
        Calendar.objects.create(name="Days", hours="mon-sun 09:00-20:00")
        given = ["--name", "A", "--app", "voiceApp", "--text", "Hi", "--group", group.name, "--json"]
        end = f"{timezone.localdate() + dt.timedelta(days=30)} 18:30"
        hours = ["--calendar", "Days", "--not-after", end, "--marketing"]

        call_command("voice", "group", "create", *given, *hours)

        task = GroupTask.objects.select_related("calendar").get()
        assert (str(task.calendar), task.purpose) == ("Days", "marketing")
        assert timezone.localtime(task.latest_end).strftime("%Y-%m-%d %H:%M") == end
        assert '"no_consent": 0' in capsys.readouterr().out
        for wrong, said in (
            (["--calendar", "No"], "no calendar"),
            (["--not-after", "soon"], "not a moment"),
            (["--region", "qq"], "“qq” is not a country"),
        ):
            with pytest.raises(CommandError, match=said):
                call_command("voice", "group", "create", *given, *wrong)


class RealCostTests:
    def told(self, task: GroupTask, cost: str, recorded: int = 40, currency: str = "USD") -> None:
        told = {"called": 40, "recorded": recorded, "cost": Decimal(cost), "currency": currency}
        GroupTask.objects.filter(pk=task.pk).update(state=TaskState.FINISHED, **told)
        group_costs.charge(GroupTask.objects.get(pk=task.pk))

    @pytest.fixture
    def task(self, application: Application) -> GroupTask:
        finished(application)  # 0.02 USD a phone
        budgets.put(application, per="day", limit=Decimal(5), currency="USD")
        budgets.put(application, per="month", limit=Decimal(100), currency="")
        return group_tasks.launch(written(application, count=40).pk)

    def money(self) -> int:
        return BudgetCounter.objects.get(budget__currency="USD").used

    def test_a_counter_is_corrected_once_by_the_difference(self, task: GroupTask) -> None:
        expected = self.money()
        self.told(task, "0.31")
        self.told(task, "0.31")
        shares.sweep()

        assert (expected, self.money()) == (800_000, 310_000)
        assert BudgetCounter.objects.get(budget__currency="").used == 40
        counter = BudgetCounter.objects.get(budget__currency="USD")
        assert shares.derived(counter) == counter.used

    def test_not_before_all_records_have_come_and_a_late_one_counts(self, task: GroupTask) -> None:
        self.told(task, "0.31", recorded=39)
        assert self.money() == 800_000
        self.told(task, "0.31")
        self.told(task, "0.35")

        assert self.money() == 350_000

    def test_billed_in_another_currency_it_takes_nothing_of_this_one(self, task: GroupTask) -> None:
        self.told(task, "9.00", currency="EUR")

        assert self.money() == 0
