"""A draft that a restore has brought back may have been launched since the backup: its first launch needs a reason."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import ValidationError
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


def test_taken_back_in_the_undo_window_it_has_been_asked(sandbox: RunningSandbox, draft: Campaign) -> None:
    starting.launch(draft.pk, again="it is not at Laaffic", undo_seconds=60)

    starting.take_back(draft.pk)

    assert starting.launch(draft.pk, again="").state == CampaignState.RUNNING


def test_what_a_restore_held_asks_also_as_a_draft(sandbox: RunningSandbox, draft: Campaign) -> None:
    held = {"state": CampaignState.HELD, "hold_reason": "It may have been sent since.", "hold_kind": HoldKind.RESTORED}
    Campaign.objects.filter(pk=draft.pk).update(**held)

    starting.take_back(draft.pk)

    with pytest.raises(StillOpen, match="It may have been sent since"):
        starting.launch(draft.pk, again="")


def test_a_group_call_whose_launch_is_refused_asks_again(sandbox: RunningSandbox, settings: LazySettings) -> None:
    """And nothing says that it was launched."""
    task = written(Application.objects.create(app_id="voiceApp", channel="voice"), 3)
    restored_tasks.tell_drafts(timezone.now())
    settings.LAAFFIC_APPROVAL_RECIPIENTS = 1
    with pytest.raises(ValidationError, match="approve"):
        group_tasks.launch(task.pk, again="it is not at Laaffic")

    settings.LAAFFIC_APPROVAL_RECIPIENTS = 0
    assert not task.events.filter(text__contains="it is not at Laaffic").exists()
    with pytest.raises(StillOpen):
        group_tasks.launch(task.pk, again="")


@pytest.mark.parametrize("any_draft", ["email", "group call"], indirect=True)
def test_the_pages_of_the_others_list_it(any_draft: tuple[Any, Callable[..., Any]], admin_client: Client) -> None:
    draft, _launch = any_draft
    review = reverse(f"admin:{draft._meta.label_lower.replace('.', '_')}_review", args=[draft.pk])

    assert 'name="reason:restored"' in admin_client.get(review).content.decode()


def test_its_page_asks_for_it_too(draft: Campaign, admin_client: Client) -> None:
    checks = {check.key: check for check in launch_checks.of(draft, forecast.of(draft))}
    assert checks["restored"].level == Level.REASON

    own = admin_client.get(reverse("admin:messaging_campaign_change", args=[draft.pk])).content.decode()
    page = admin_client.get(reverse("admin:messaging_campaign_review", args=[draft.pk])).content.decode()

    assert "may have been launched since" in own

    assert "may have been launched since" in page
    assert 'name="reason:restored"' in page


def test_a_draft_of_later_needs_none(sandbox: RunningSandbox, draft: Campaign) -> None:
    other = drafts.create(
        name="New", application=draft.application, sender_id="SHOP", text="Hi", numbers=["919876543210"]
    )

    assert starting.launch(other.pk, again="").state == CampaignState.RUNNING
