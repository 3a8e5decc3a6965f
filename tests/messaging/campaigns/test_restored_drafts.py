"""A draft that a restore has brought back may have been launched since the backup: its first launch needs a reason."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.ledger.open_acts import StillOpen
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Campaign, CampaignState, ContactGroup, HoldKind
from messaging.services import restored
from messaging.services.campaigns import drafts, launch_checks, starting
from messaging.services.email import drafts as email_drafts
from messaging.services.email import starting as email_starting
from messaging.services.forecast import forecast
from messaging.services.launching.checks import Level
from tests.messaging.conftest import add_contacts
from tests.messaging.email.test_email_approvals import SENT
from tests.voice.group_calls.group_samples import written
from voice.services import restored as restored_tasks
from voice.services.group_calls import tasks as group_tasks

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def draft(application: Application, group: ContactGroup) -> Campaign:
    add_contacts(group, 2)
    made = drafts.create(name="Spring", application=application, sender_id="SHOP", text="Hi", groups=[group])
    restored._tell_drafts(timezone.now())
    made.refresh_from_db()
    return made


@pytest.fixture(params=["campaign", "email", "group call"])
def any_draft(
    request: pytest.FixtureRequest, application: Application, settings: LazySettings
) -> tuple[Any, Callable[..., Any]]:
    """A restored draft of each kind, and how it is launched."""
    settings.LAAFFIC_PUSH_TOKENS, settings.CONSOLE_URL = ["restored-drafts-token"], "http://127.0.0.1:9"
    if request.param == "campaign":
        return request.getfixturevalue("draft"), starting.launch
    channel = "email" if request.param == "email" else "voice"
    own = Application.objects.create(app_id=f"{channel}App", channel=channel)
    if request.param == "email":
        mail = email_drafts.create(name="Spring", application=own, **SENT)
        restored._tell_drafts(timezone.now())
        return mail, email_starting.launch
    task = written(own, 3)
    restored_tasks.tell_drafts(timezone.now())
    return task, group_tasks.launch


def test_its_first_launch_needs_a_reason_which_is_kept(
    sandbox: RunningSandbox, any_draft: tuple[Any, Callable[..., Any]]
) -> None:
    draft, launch = any_draft
    with pytest.raises(StillOpen, match=r"may have been launched since.*Say why it is launched anyway"):
        launch(draft.pk, again="")
    draft.refresh_from_db()
    assert (draft.state, draft.hold_kind) == ("draft", HoldKind.RESTORED)

    launch(draft.pk, again="it is not at Laaffic")

    draft.refresh_from_db()
    assert draft.state != "draft"
    assert (draft.hold_kind, str(draft.hold_reason)) == ("", "")
    assert draft.events.filter(text__contains="it is not at Laaffic").exists()


def test_its_page_asks_for_it_too(draft: Campaign, admin_client: Client) -> None:
    checks = {check.key: check for check in launch_checks.of(draft, forecast.of(draft))}
    assert checks["restored"].level == Level.REASON

    page = admin_client.get(reverse("admin:messaging_campaign_review", args=[draft.pk])).content.decode()

    assert "may have been launched since" in page
    assert 'name="reason:restored"' in page


def test_a_draft_of_later_needs_none(sandbox: RunningSandbox, draft: Campaign) -> None:
    other = drafts.create(
        name="New", application=draft.application, sender_id="SHOP", text="Hi", numbers=["919876543210"]
    )

    assert starting.launch(other.pk, again="").state == CampaignState.RUNNING
