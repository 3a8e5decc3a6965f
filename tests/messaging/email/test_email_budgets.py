"""An email campaign and a budget: the size of its list fits whole, or it is held."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import BudgetCounter, EmailCampaign, EmailCampaignState
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
