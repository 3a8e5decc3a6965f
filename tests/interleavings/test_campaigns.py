"""Each act on a campaign against each that may come at the same moment: what left is what was shown, nobody gets it
twice, the tallies agree with the rows, and no act is undone by another."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, ProtectedError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.kit.words.not_now import NotNow
from messaging.models import Approval, Batch, Campaign, CampaignState, ContactGroup, Message, MessageState
from messaging.services.approvals import approvals
from messaging.services.audience import audience
from messaging.services.batches import claiming, settling, unanswered
from messaging.services.campaigns import campaigns, follow_ups, starting
from messaging.services.channels.outgoing import Claim
from messaging.services.contacts import contacts, suppression
from tests.interleaving import Act, Ending, Scene, Stage, interleave
from tests.interleavings import rows
from tests.messaging.conftest import events_saying

State = CampaignState


def fresh(campaign: Campaign) -> Campaign:
    return Campaign.objects.get(pk=campaign.pk)


def only(ending: Ending, *allowed: type[Exception]) -> None:
    """The act passed, or said in one of these ways why not."""
    if ending.problem is not None and not isinstance(ending.problem, allowed):
        raise ending.problem


@pytest.fixture
def ada(on: Stage) -> User:
    return User.objects.create_superuser(rows.name()[:30])


@pytest.fixture
def bob(on: Stage) -> User:
    return User.objects.create_superuser(rows.name()[:30])


def form_that_saves(user: User, campaign: Campaign, **changed: Any) -> Act:
    client = Client()
    client.force_login(user)
    address = reverse("admin:messaging_campaign_change", args=[campaign.pk])
    posted = {
        "name": campaign.name,
        "application": campaign.application_id,
        "sender_id": campaign.sender_id,
        "text": campaign.text,
        "groups": [group.pk for group in campaign.groups.all()],
        "excluded_groups": [group.pk for group in campaign.excluded_groups.all()],
        **changed,
    }
    return lambda: client.post(address, posted).status_code


class TestMessageTests:
    def test_two_to_one_number(self, on: Stage, ada: User) -> None:
        def make() -> Scene:
            campaign = rows.draft()

            def send() -> Campaign:
                return starting.launch_test(campaign, "919876543210", by=ada)

            def check(first: Ending, second: Ending) -> None:
                only(first)
                only(second)
                assert first.value == second.value
                assert Campaign.objects.filter(name=first.value.name, created_by=ada).count() == 1

            return Scene(send, send, check)

        interleave(on, make)


class LaunchTests:
    def test_an_edit_by_form(self, on: Stage, ada: User) -> None:
        def make() -> Scene:
            campaign = rows.draft()
            seen = rows.as_shown(campaign)

            def check(launched: Ending, edited: Ending) -> None:
                only(launched, NotNow)
                only(edited)
                now = fresh(campaign)
                assert (now.state == State.RUNNING) == launched.passed
                assert (now.text == campaign.text) == launched.passed
                assert edited.value in (200, 302, 403, 409)

            return Scene(
                lambda: starting.launch(campaign.pk, seen=seen),
                form_that_saves(ada, campaign, text="Something else"),
                check,
            )

        interleave(on, make)

    def test_an_edit_of_its_application(self, on: Stage, ada: User) -> None:
        def make() -> Scene:
            campaign = rows.draft()
            seen = rows.as_shown(campaign)
            other = rows.application()

            def check(launched: Ending, edited: Ending) -> None:
                only(launched, NotNow)
                only(edited)
                assert (fresh(campaign).application_id == campaign.application_id) == launched.passed

            return Scene(
                lambda: starting.launch(campaign.pk, seen=seen),
                form_that_saves(ada, campaign, application=other.pk),
                check,
            )

        interleave(on, make)

    @pytest.mark.parametrize("is_slow", [False, True])
    @pytest.mark.parametrize("is_scheduled", [False, True])
    def test_somebody_joins_a_group(self, on: Stage, is_scheduled: bool, is_slow: bool) -> None:
        """`is_slow`: others join other groups, and are there, before the transaction that has let somebody in ends."""

        def make() -> Scene:
            campaign = rows.draft()
            shown_to = {contact.number for contact in campaign.groups.get().contacts.all()}
            seen = rows.as_shown(campaign)
            newcomers = rows.people(1)
            if is_scheduled:
                starting.launch(campaign.pk, seen=seen, undo_seconds=60)
                Campaign.objects.filter(pk=campaign.pk).update(undo_until=timezone.now())

            def launch() -> None:
                if is_slow:
                    rows.people(1, rows.group_of(0))
                if is_scheduled:
                    starting.start_scheduled(campaign.pk)
                else:
                    starting.launch(campaign.pk, seen=seen)
                if not is_slow:
                    rows.freeze(campaign.pk)

            @transaction.atomic
            def join() -> None:
                contacts.add_to_group(newcomers_of(newcomers), group)
                fresh(campaign)

            def check(launched: Ending, joined: Ending) -> None:
                only(launched, NotNow)
                only(joined)
                rows.freeze(campaign.pk)
                assert rows.numbers_of(campaign) in (set(), shown_to)
                rows.agrees(campaign)

            group = campaign.groups.get()
            return Scene(launch, join, check)

        interleave(on, make)

    def test_a_second_launch(self, on: Stage) -> None:
        def make() -> Scene:
            campaign = rows.draft()
            seen = rows.as_shown(campaign)

            def launch() -> None:
                starting.launch(campaign.pk, seen=seen)
                rows.freeze(campaign.pk)

            def check(one: Ending, other: Ending) -> None:
                only(one)
                only(other)
                rows.freeze(campaign.pk)  # where it is left to the job
                assert fresh(campaign).state in (State.RUNNING, State.SCHEDULED)
                assert len(rows.messages(campaign)) in (0, 2)
                assert events_saying("Launched", campaign.events.all()).count() == 1
                rows.agrees(campaign)

            return Scene(launch, launch, check)

        interleave(on, make)

    @pytest.mark.parametrize("stop", [campaigns.cancel, starting.take_back, campaigns.pause])
    def test_its_time_comes_while_it_is_stopped(self, on: Stage, stop: Any) -> None:
        def make() -> Scene:
            campaign = rows.draft(scheduled_at=timezone.now() + dt.timedelta(hours=1))
            starting.launch(campaign.pk)
            Campaign.objects.filter(pk=campaign.pk).update(scheduled_at=timezone.now() - dt.timedelta(seconds=5))

            def start() -> None:
                starting.start_scheduled(campaign.pk)
                rows.freeze(campaign.pk)

            def check(started: Ending, stopped: Ending) -> None:
                only(started)
                only(stopped, NotNow)
                now = fresh(campaign)
                if stopped.passed:
                    assert now.state not in (State.RUNNING, State.SCHEDULED)
                if now.state == State.CANCELLED:
                    campaigns.cancel_all_waiting(campaign.pk)
                    assert set(rows.states(campaign)) <= {"CANCELLED"}
                rows.agrees(campaign)

            return Scene(start, lambda: stop(campaign.pk), check)

        interleave(on, make)

    def test_a_group_that_is_left_out_is_deleted(self, on: Stage) -> None:
        def make() -> Scene:
            group, left_out = rows.group_of(1), rows.group_of(0)
            vip, *_others = rows.people(1, group)
            vip.groups.add(left_out)
            text = rows.name()
            app = rows.application()

            def launch() -> Campaign:
                campaign = rows.draft(text=text, application=app, groups=[group], excluded_groups=[left_out])
                return starting.launch(campaign.pk, seen=rows.as_shown(campaign))

            def check(launched: Ending, deleted: Ending) -> None:
                only(launched, Exception)
                only(deleted, ProtectedError)
                campaign = Campaign.objects.filter(text=text).first()
                assert deleted.passed or ContactGroup.objects.filter(pk=left_out.pk).exists()
                if campaign is None:
                    return
                rows.freeze(campaign.pk)
                if launched.passed:
                    assert vip.number not in rows.numbers_of(campaign)
                assert list(campaign.excluded_groups.all()) == [left_out]

            return Scene(launch, lambda: contacts.delete_group(left_out), check)

        interleave(on, make)


def newcomers_of(made: list[Any]) -> Any:
    return type(made[0]).objects.filter(pk__in=[contact.pk for contact in made])


class ApprovalTests:
    def test_an_edit(self, on: Stage, ada: User, bob: User, settings: Any) -> None:
        settings.LAAFFIC_APPROVAL_RECIPIENTS = 1

        def make() -> Scene:
            campaign = rows.draft()
            approvals.ask(campaign.pk, by=ada)

            def check(approved: Ending, edited: Ending) -> None:
                only(approved, NotNow)
                only(edited)
                outcome = campaign.approvals.get().outcome
                if fresh(campaign).text != campaign.text:
                    assert outcome == Approval.Outcome.VOID
                    with pytest.raises(NotNow):
                        starting.launch(campaign.pk)
                else:
                    assert outcome == Approval.Outcome.APPROVED

            return Scene(
                lambda: approvals.decide(campaign.pk, by=bob, approve=True),
                form_that_saves(User.objects.create_superuser(rows.name()[:30]), campaign, text="Something else"),
                check,
            )

        interleave(on, make)

    def test_approved_and_refused_at_once(self, on: Stage, ada: User, bob: User, settings: Any) -> None:
        settings.LAAFFIC_APPROVAL_RECIPIENTS = 1

        def make() -> Scene:
            campaign = rows.draft()
            approvals.ask(campaign.pk, by=ada)
            carol = User.objects.create_superuser(rows.name()[:30])

            def check(approved: Ending, refused: Ending) -> None:
                only(approved, NotNow)
                only(refused, NotNow)
                assert approved.passed != refused.passed
                assert (campaign.approvals.get().outcome == Approval.Outcome.APPROVED) == approved.passed

            return Scene(
                lambda: approvals.decide(campaign.pk, by=bob, approve=True),
                lambda: approvals.decide(campaign.pk, by=carol, approve=False, note="no"),
                check,
            )

        interleave(on, make)


class SendingTests:
    """A claim, and its request's departure, as the sender does both."""

    def sends(self, campaign: Campaign, seen: dict[str, Any]) -> Act:
        def send() -> Claim | None:
            claim = claiming.claim(campaign, "token")
            if not isinstance(claim, Claim):
                return None
            running = Exists(Campaign.objects.filter(pk=campaign.pk, state=State.RUNNING))
            seen["stopped before it left"] = seen.get("stopped", False)
            if ledger.depart(claim.entry_id, provided=running, unless_held=True) is None:
                claiming.release(claim, "stopped")
                return None
            return claim

        return send

    @pytest.mark.parametrize("stop", [campaigns.pause, campaigns.cancel])
    def test_after_a_stop_nothing_leaves(self, on: Stage, stop: Any) -> None:
        def make() -> Scene:
            campaign = rows.running()
            seen: dict[str, Any] = {}

            def stopped() -> None:
                stop(campaign.pk)
                seen["stopped"] = True

            def check(sent: Ending, stopping: Ending) -> None:
                only(sent)
                only(stopping)
                if seen.get("stopped before it left"):
                    assert sent.value is None
                if sent.value is None:
                    assert not rows.stuck(campaign)
                else:
                    settling.settle_answer(campaign.pk, sent.value, rows.answer("a", "b"))
                if stop is campaigns.cancel:
                    campaigns.cancel_all_waiting(campaign.pk)  # as the sweeper does
                rows.agrees(campaign)
                if stop is campaigns.cancel:
                    assert set(rows.states(campaign)) == {
                        "QUEUED" if False else ("ACCEPTED" if sent.value else "CANCELLED")
                    }
                assert fresh(campaign).state == (State.PAUSED if stop is campaigns.pause else State.CANCELLED)

            return Scene(self.sends(campaign, seen), stopped, check)

        interleave(on, make)

    def test_it_is_given_back_by_its_sender_and_by_the_sweeper(self, on: Stage) -> None:
        def make() -> Scene:
            campaign = rows.running()
            claim = rows.claimed(campaign)

            def check(released: Ending, recovered: Ending) -> None:
                only(released)
                only(recovered)
                assert rows.states(campaign) == ["QUEUED", "QUEUED"]
                assert not rows.stuck(campaign)
                assert LedgerEntry.objects.get(pk=claim.entry_id).state == EntryState.NOT_SENT
                rows.agrees(campaign)

            return Scene(
                lambda: claiming.release(claim, "stopped"),
                lambda: unanswered.recover_stale(campaign.pk, "another"),
                check,
            )

        interleave(on, make)

    def test_it_goes_on(self, on: Stage) -> None:
        def make() -> Scene:
            campaign = rows.running()
            campaigns.pause(campaign.pk)

            def check(sent: Ending, resumed: Ending) -> None:
                only(sent)
                only(resumed)
                assert fresh(campaign).state == State.RUNNING
                claim = sent.value or claiming.claim(campaign, "token")
                assert isinstance(claim, Claim)
                assert len(claim.numbers) == 2
                rows.agrees(campaign)

            return Scene(self.sends(campaign, {}), lambda: campaigns.resume(campaign.pk), check)

        interleave(on, make)

    def test_two_claims(self, on: Stage) -> None:
        def make() -> Scene:
            campaign = rows.running()

            def claim() -> Any:
                return claiming.claim(campaign, "token")

            def check(one: Ending, other: Ending) -> None:
                only(one)
                only(other)
                taken = [n for ending in (one, other) if isinstance(ending.value, Claim) for n in ending.value.numbers]
                assert len(taken) == len(set(taken)) == 2
                assert LedgerEntry.objects.filter(about_kind="campaign", about_id=campaign.pk).count() == 1
                rows.agrees(campaign)

            return Scene(claim, claim, check)

        interleave(on, make)

    def test_somebody_opts_out(self, on: Stage) -> None:
        def make() -> Scene:
            campaign = rows.running()
            number = min(rows.numbers_of(campaign))
            seen: dict[str, Any] = {}

            def stop() -> None:
                suppression.suppress_numbers([number], channel="sms", reason="opt_out")
                seen["stopped"] = True

            def claim() -> Any:
                seen["before"] = seen.get("stopped", False)
                return claiming.claim(campaign, "token")

            def check(claimed: Ending, stopped: Ending) -> None:
                only(claimed)
                only(stopped)
                assert isinstance(claimed.value, Claim)
                if seen["before"]:
                    assert number not in claimed.value.numbers
                state = Message.objects.get(campaign=campaign, number=number).state
                assert (state == MessageState.SUPPRESSED) == (number not in claimed.value.numbers)
                rows.agrees(campaign)

            return Scene(claim, stop, check)

        interleave(on, make)


class SettlingTests:
    @pytest.mark.parametrize("ids", [("a", "b"), ("a", None)])
    def test_a_report_comes_with_the_answer(self, on: Stage, ids: tuple[str | None, ...]) -> None:
        def make() -> Scene:
            campaign = rows.running()
            claim = rows.claimed(campaign)
            ledger.depart(claim.entry_id)
            own = rows.answer(*(one and f"{one}{claim.entry_id}" for one in ids))

            def check(settled: Ending, told: Ending) -> None:
                only(settled)
                only(told)
                assert told.value == [True, True]
                assert rows.states(campaign) == ["DELIVERED", "DELIVERED"]
                assert not rows.stuck(campaign)
                assert LedgerEntry.objects.get(pk=claim.entry_id).state == EntryState.ACCEPTED
                rows.agrees(campaign)

            told = [rows.report(pk, to) for pk, to in zip(claim.message_ids, claim.numbers, strict=True)]
            return Scene(
                lambda: settling.settle_answers(campaign.pk, [(claim, own)]), lambda: rows.push(*told[::-1]), check
            )

        interleave(on, make)

    def test_the_next_chunk_is_frozen(self, on: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        """Both reject, and write the campaign and its tallies."""

        def make() -> Scene:
            rows.people(1, attributes={"city": "Pune"})  # so that the field is known
            campaign = rows.draft(text="Hi {{name}} {{city|town}}", groups=[rows.group_of(0)])
            group = campaign.groups.get()
            rows.people(2, group, name="Ann")
            starting.launch(campaign.pk)
            audience.freeze_chunk(campaign.pk)
            claim = rows.claimed(campaign)
            ledger.depart(claim.entry_id)
            rows.people(1, group, name="Bo", attributes={"city": "x" * 1100})
            Campaign.objects.filter(pk=campaign.pk).update(audience_end=10**9, member_end=10**9)

            def check(settled: Ending, frozen: Ending) -> None:
                only(settled)
                only(frozen)
                rows.freeze(campaign.pk)
                assert rows.states(campaign) == ["REJECTED"] * 3
                rows.agrees(campaign)

            return Scene(
                lambda: settling.settle_answer(campaign.pk, claim, rows.answer(None, None)),
                lambda: audience.freeze_chunk(campaign.pk),
                check,
            )

        interleave(on, make)

    def test_it_is_given_up_for_lost_while_its_answer_comes(self, on: Stage) -> None:
        def make() -> Scene:
            campaign = rows.running()
            claim = rows.claimed(campaign)
            ledger.depart(claim.entry_id)
            long_ago = timezone.now() - dt.timedelta(hours=1)
            LedgerEntry.objects.filter(pk=claim.entry_id).update(left_at=long_ago)
            own = rows.answer(f"a{claim.entry_id}", f"b{claim.entry_id}")

            def check(settled: Ending, given_up: Ending) -> None:
                only(settled)
                only(given_up)
                assert rows.states(campaign) == ["ACCEPTED", "ACCEPTED"] or not Batch.objects.filter(
                    campaign=campaign, answer__isnull=True
                )
                rows.agrees(campaign)
                assert rows.states(campaign) == ["ACCEPTED", "ACCEPTED"]

            return Scene(
                lambda: settling.settle_answers(campaign.pk, [(claim, own)]),
                lambda: unanswered.recover_stale(campaign.pk, "another"),
                check,
            )

        interleave(on, make)

    def test_the_failed_are_sent_to_again_while_a_report_is_late(self, on: Stage) -> None:
        def make() -> Scene:
            campaign = rows.running()
            claim = rows.claimed(campaign)
            ledger.depart(claim.entry_id)
            settling.settle_answer(campaign.pk, claim, rows.answer(None, None))
            Campaign.objects.filter(pk=campaign.pk).update(state=State.FINISHED)
            retry = follow_ups.retry_failed(campaign.pk)
            late = claim.numbers[0]
            seen: dict[str, Any] = {}

            def push() -> None:
                rows.push(rows.report(claim.message_ids[0], late))
                seen["told"] = True

            def send_again() -> Any:
                starting.launch(retry.pk)
                rows.freeze(retry.pk)
                seen["before"] = seen.get("told", False)
                return claiming.claim(fresh(retry), "token")

            def check(sent: Ending, told: Ending) -> None:
                only(sent, NotNow)
                only(told)
                if seen.get("before") and isinstance(sent.value, Claim):
                    assert late not in sent.value.numbers
                rows.agrees(campaign)
                rows.agrees(retry)

            return Scene(send_again, push, check)

        interleave(on, make)

    def test_two_retries_of_one_campaign(self, on: Stage) -> None:
        """The older one is frozen and claimed while the younger one's claim has been looked at and not committed."""

        def make() -> Scene:
            campaign = rows.running()
            claim = rows.claimed(campaign)
            ledger.depart(claim.entry_id)
            settling.settle_answer(campaign.pk, claim, rows.answer(None, None))
            Campaign.objects.filter(pk=campaign.pk).update(state=State.FINISHED)
            older, younger = follow_ups.retry_failed(campaign.pk), follow_ups.retry_failed(campaign.pk)
            for retry in (older, younger):
                starting.launch(retry.pk)
            rows.freeze(younger.pk)

            def send_older() -> Any:
                rows.freeze(older.pk)
                return claiming.claim(fresh(older), "token")

            def check(first: Ending, second: Ending) -> None:
                only(first)
                only(second)
                sent = [number for one in (first.value, second.value) for number in getattr(one, "numbers", ())]
                assert sorted(sent) == sorted(claim.numbers)  # each once
                rows.agrees(older)
                rows.agrees(younger)

            return Scene(lambda: claiming.claim(fresh(younger), "token"), send_older, check)

        interleave(on, make)
