"""An email campaign and a budget: the size of its list fits whole, or it is held."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.said import read
from laaffic_console.laaffic.email import EmailApi
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import BudgetCounter, EmailCampaign, EmailCampaignState, EmailChoice, EmailLookup, EmailTally
from messaging.services import restored
from messaging.services.budgets import budgets, shares
from messaging.services.email import choices as email_choices
from messaging.services.email import starting as email_starting
from messaging.services.email import states as email_states
from tests.messaging.email.test_admin_email import TOKEN, draft, mail_app  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _hooks(settings: Any) -> None:
    settings.LAAFFIC_PUSH_TOKENS = [TOKEN]
    settings.CONSOLE_URL = "http://127.0.0.1:9"


def test_what_may_have_been_sent_since_a_backup_counts(
    sandbox: RunningSandbox,
    mail_app: Application,  # noqa: F811
    draft: EmailCampaign,  # noqa: F811
) -> None:
    email_choices.refresh_all()
    budgets.put(mail_app, per="day", limit=Decimal(5))
    email_starting.launch(draft.pk)
    now = timezone.now()

    restored.settle(now - dt.timedelta(hours=1), now)

    draft.refresh_from_db()
    assert (draft.state, BudgetCounter.objects.get().used) == (EmailCampaignState.UNKNOWN, 3)
    assert shares.derived(BudgetCounter.objects.get()) == 3


@pytest.mark.parametrize(("limit", "state", "used"), [(3, "running", 3), (2, "held", 0)])
def test_it_fits_whole_or_is_held(
    sandbox: RunningSandbox,
    mail_app: Application,  # noqa: F811
    draft: EmailCampaign,  # noqa: F811
    run_jobs: Callable[[], int],
    limit: int,
    state: str,
    used: int,
) -> None:
    email_choices.refresh_all()  # three addresses are on the list
    budgets.put(mail_app, per="day", limit=Decimal(limit))

    email_starting.launch(draft.pk)
    run_jobs()
    shares.sweep()

    draft.refresh_from_db()
    assert (draft.state, sum(BudgetCounter.objects.values_list("used", flat=True))) == (state, used)
    assert LedgerEntry.objects.filter(interface=email_states.INTERFACE).count() == (used > 0)
    if state == EmailCampaignState.HELD:
        assert "is too small for it" in draft.hold_reason
        with pytest.raises(NotNow, match="Raise the budget, or have an approver lift it"):
            email_starting.resume(draft.pk)


def test_what_left_in_the_period_before_it_was_set_counts(
    sandbox: RunningSandbox,
    mail_app: Application,  # noqa: F811
    draft: EmailCampaign,  # noqa: F811
    run_jobs: Callable[[], int],
) -> None:
    email_choices.refresh_all()
    email_starting.launch(draft.pk)
    run_jobs()

    budgets.put(mail_app, per="day", limit=Decimal(5))
    shares.sweep()

    assert BudgetCounter.objects.get().used == 3
    assert shares.derived(BudgetCounter.objects.get()) == 3


def test_a_list_of_unknown_size_fits_into_no_budget_of_messages(
    sandbox: RunningSandbox,
    mail_app: Application,  # noqa: F811
    draft: EmailCampaign,  # noqa: F811
    run_jobs: Callable[[], int],
) -> None:
    budgets.put(mail_app, per="day", limit=Decimal(1000))
    email_starting.launch(draft.pk)
    run_jobs()

    draft.refresh_from_db()
    assert draft.state == EmailCampaignState.HELD
    assert "How many addresses are on its list is not known" in draft.hold_reason
    assert budgets.has_said(draft.hold_reason)
    with pytest.raises(NotNow, match="Look the list up again"):
        email_starting.resume(draft.pk)
    assert not LedgerEntry.objects.filter(interface=email_states.INTERFACE).exists()
    email_choices.refresh_all()
    email_starting.resume(draft.pk)
    run_jobs()
    draft.refresh_from_db()
    assert (draft.state, BudgetCounter.objects.get().used) == (EmailCampaignState.RUNNING, 3)


def test_what_was_sent_to_a_list_of_unknown_size_counts_as_reported(
    mail_app: Application,  # noqa: F811
    draft: EmailCampaign,  # noqa: F811
) -> None:
    EmailTally.objects.create(campaign=draft, submission=20, delivery=10, messages=7)
    entry = LedgerEntry(interface=email_states.INTERFACE, application=mail_app, about_id=draft.pk)
    entry.prepared_at = timezone.now()
    entry.about_kind, entry.summary = email_states.ABOUT, {}
    entry.save()

    [taken] = email_states.earlier(LedgerEntry.objects.all(), mail_app.pk)

    assert taken.recipients == 7


class LookUpTests:
    """What is not readable stays as it was told before."""

    def told(self, app: Application, rows: list[dict[str, Any]], **beside: Any) -> EmailLookup:
        body = {"status": "0", "reason": "success", **beside, "receiverData": rows}
        envelope = type("Envelope", (), {"body": body})()
        api = EmailApi(type("Transport", (), {"zone": dt.UTC})())  # type: ignore[arg-type]
        api._post = lambda *_given: envelope  # type: ignore[method-assign, assignment]
        client = type("Client", (), {"email": api})()
        return email_choices._look_up(client, app, EmailLookup.Kind.LIST)  # type: ignore[arg-type]

    def counts(self) -> dict[str, int | None]:
        return {choice.value: choice.detail["count"] for choice in EmailChoice.objects.order_by("value")}

    @pytest.mark.parametrize(
        ("count", "kept"), [("50,000", 50_000), ("about 50000", 20), (None, 20), ("5,00", 20), ("1 234 567", 1_234_567)]
    )
    def test_the_size_of_a_list(self, mail_app: Application, count: str | None, kept: int) -> None:  # noqa: F811
        self.told(mail_app, [{"receiverId": "L", "count": 20}, {"receiverId": "M", "count": 3}])

        lookup = self.told(mail_app, [{"receiverId": "L", "count": count}])

        assert (self.counts(), lookup.problem) == ({"L": kept}, "")

    def test_a_list_whose_row_cannot_be_read(self, mail_app: Application) -> None:  # noqa: F811
        self.told(mail_app, [{"receiverId": "L", "count": 20}, {"receiverId": "M", "count": 3}])

        lookup = self.told(mail_app, [{"receiverId": "M", "count": 4}, {"receiverId": ["L"], "count": 21}])

        assert self.counts() == {"L": 20, "M": 4}
        assert str(read(lookup.problem)).startswith("1 row of the answer cannot be read")

    def test_another_list_in_the_answer_is_none_of_lists(self, mail_app: Application) -> None:  # noqa: F811
        self.told(mail_app, [{"receiverId": "L", "count": 20}], warnings=[])

        assert self.counts() == {"L": 20}
