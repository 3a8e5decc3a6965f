"""Any order of answers, callbacks, crashes, restores and words about an email campaign: what arrived stays arrived, and
every request ends.
"""

import contextlib
import datetime as dt
import random
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils import timezone

from laaffic_console.gateway.models import IS_OPEN_ENTRY, AccountHold, Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.ledger import ledger, open_acts, restored
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.laaffic import EmailSubmission, LaafficError, NotSent, OutcomeUnknown, Refused, SubmissionState
from laaffic_console.laaffic.codes import Family, lookup
from messaging.models import EmailCampaign, EmailMessage, EmailTally
from messaging.models import EmailCampaignState as State
from messaging.services import restored as restored_campaigns
from messaging.services.email import campaigns as email_campaigns
from messaging.services.email import counting as email_counting
from messaging.services.email import reports as email_reports
from messaging.services.email import sending as email_sending
from messaging.services.email import starting as email_starting
from messaging.services.email.reports import Told
from tests.messaging.email.test_email_sending import TOKEN, fresh, launched

pytestmark = pytest.mark.django_db

INTERFACE = "email/batchSendEmail"
KEPT: tuple[type[Model], ...] = (LedgerEntry, EmailCampaign, EmailMessage, EmailTally)


@pytest.fixture(autouse=True)
def _hooks(settings: LazySettings) -> None:
    settings.LAAFFIC_PUSH_TOKENS = [TOKEN]
    settings.CONSOLE_URL = "http://127.0.0.1:9"
    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "x"


class Play:
    """One campaign; what leaves, what arrives, and what is said of it, in any order."""

    def __init__(self, seed: int, application: Application) -> None:
        self.dice = random.Random(seed)
        self.campaign = launched(application, name="Spring")
        self.in_air: dict[int, str | None] = {}  # entry: the task that it made, None where it did not arrive
        self.tasks: dict[int, str] = {}
        self.told = False
        self.words = 0
        self.backup: tuple[dt.datetime, list[tuple[type[Model], list[Model]]]] | None = None

    def once(self) -> None:
        act = self.dice.choice(self.may_come())
        was = fresh(self.campaign).state
        with contextlib.suppress(NotNow, ValidationError):
            act()
        self.holds()
        if was == State.CANCELLED and not self.told and act != self.is_restored:
            assert fresh(self.campaign).state == State.CANCELLED, "what was given up goes on"

    def may_come(self) -> list[Callable[[], Any]]:
        state = fresh(self.campaign).state
        by_state: dict[str, list[Callable[[], Any]]] = {
            State.SENDING: [self.leaves, self.leaves, self.is_claimed_only, self.cancels],
            State.UNKNOWN: [self.says_again, self.says_again, self.writes_off],
            State.HELD: [self.resumes, self.follows, self.edits, self.cancels],
        }
        acts = [*by_state.get(state, []), self.sweeps]
        acts += [self.is_answered, self.is_answered, self.dies] if self.in_air else []
        acts += [self.calls_back] if self.tasks else []
        return acts + ([self.is_backed_up] if self.backup is None else [self.is_restored])

    def is_backed_up(self) -> None:
        self.backup = timezone.now(), [(kind, list(kind._default_manager.all())) for kind in KEPT]

    def is_restored(self) -> None:
        """Every process is dead, and nobody knows what was done since the backup."""
        assert self.backup is not None
        since, rows = self.backup
        self.in_air.clear()
        self.told = False
        for kind in reversed(KEPT):
            kind._default_manager.all().delete()
        for kind, kept in rows:
            kind._default_manager.bulk_create(kept)
        now = timezone.now()
        restored_campaigns._hold_emails(since, now, has_forgotten=False)
        restored.lose_prepared(since, now)
        self.backup = None

    def is_claimed_only(self) -> None:
        """Its worker dies before the departure."""
        email_sending._claim(self.campaign.pk)

    def leaves(self) -> None:
        EmailCampaign.objects.filter(pk=self.campaign.pk).update(not_before=None)
        claimed = email_sending._claim(self.campaign.pk)
        if claimed is None:
            return
        entry = claimed[1]
        assert ledger.depart(entry.pk)
        arrives = self.dice.random() < 0.6 and not self.tasks
        if not self.words:
            assert not self.tasks, "it goes twice, and nobody said so"
        assert not self.told, "it goes again, and it was known that it had arrived"
        if arrives:
            self.tasks[entry.pk] = f"T{entry.pk}"
        self.in_air[entry.pk] = self.tasks.get(entry.pk)

    def is_answered(self) -> None:
        entry = self.dice.choice([*self.in_air])
        task = self.in_air.pop(entry)
        if self.dice.random() < 0.4:
            error: LaafficError = OutcomeUnknown("lost", interface=INTERFACE)
        elif task:
            email_sending.settle_accepted(self.campaign.pk, entry, task if self.dice.random() < 0.7 else "")
            self.told = True
            return
        else:
            error = self.dice.choice(self.noes())
        email_sending.settle_error(self.campaign.pk, entry, error)

    def noes(self) -> list[LaafficError]:
        """Laaffic may look at the balance before it looks for duplicates."""
        certain = [NotSent("away", interface=INTERFACE), refusal("-10"), refusal("-28")]
        return [refusal("-2"), *certain] if self.tasks else [refusal("-16"), *certain]

    def dies(self) -> None:
        """Nobody waits for the answer any more; another may come for the lease."""
        self.in_air.pop(self.dice.choice([*self.in_air]))
        email_sending._claim(self.campaign.pk)

    def calls_back(self) -> None:
        task = self.dice.choice([*self.tasks.values()])
        submission = EmailSubmission(
            task_id=self.dice.choice([task, task, ""]),
            email_id=self.dice.choice(["e1", "e2"]),
            to_address="a@example.com",
            state=SubmissionState.SUBMITTED,
            raw_state="success",
            remark="",
        )
        email_reports.apply([Told(self.campaign.mark, submission)])
        self.told = True

    def says_again(self) -> None:
        email_campaigns.send_again(self.campaign.pk, reason="play")
        self.words += 1

    def writes_off(self) -> None:
        email_campaigns.write_off(self.campaign.pk, reason="play")

    def cancels(self) -> None:
        email_campaigns.cancel(self.campaign.pk)

    def resumes(self) -> None:
        AccountHold.objects.all().delete()
        email_starting.resume(self.campaign.pk)

    def follows(self) -> None:
        AccountHold.objects.all().delete()
        email_starting.follow_account()

    def edits(self) -> None:
        email_starting.edit_again(self.campaign.pk)
        email_starting.launch(self.campaign.pk, again="play")

    def sweeps(self) -> None:
        email_campaigns.sweep()

    def holds(self) -> None:
        now = fresh(self.campaign)
        if self.told:
            assert now.state in (State.RUNNING, State.FINISHED), now.state
        accepted = LedgerEntry.objects.filter(about_id=now.pk, interface=INTERFACE, state=EntryState.ACCEPTED)
        assert accepted.count() <= len(self.tasks), "more were accepted than arrived"
        assert email_counting.prove(now)["disagreements"] == []

    def end(self) -> None:
        """Every process is dead, and the sweep has been by often and late: no request is open any more."""
        self.in_air.clear()
        AccountHold.objects.all().delete()
        for _ in range(2):
            if fresh(self.campaign).state == State.SENDING:
                break
            long_ago = timezone.now() - 2 * open_acts.WITHIN
            LedgerEntry.objects.update(prepared_at=long_ago)
            LedgerEntry.objects.exclude(left_at=None).update(left_at=long_ago)
            email_campaigns.sweep()
        now = fresh(self.campaign)
        if now.state in (State.RUNNING, State.FINISHED, State.CANCELLED):
            assert not LedgerEntry.objects.filter(IS_OPEN_ENTRY).exists(), "a request that nobody ends"


def refusal(code: str) -> Refused:
    return Refused(interface=INTERFACE, entry=lookup(Family.EMAIL, code), reason="no", http_status=200)


@pytest.fixture
def mail_app() -> Application:
    return Application.objects.create(app_id="mailApp", channel="email")


@pytest.mark.parametrize("seed", [0, 8, 51, 59])
def test_any_order_ends_the_same(seed: int, mail_app: Application) -> None:
    play = Play(seed, mail_app)
    for _ in range(10):
        play.once()
    play.end()
