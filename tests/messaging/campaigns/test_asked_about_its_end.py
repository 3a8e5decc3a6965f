"""A latest end is lifted by who was asked about it: not by a page, or a script, from before it had come."""

import datetime as dt
import html
import re
from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from messaging.models import Campaign, CampaignState, ContactGroup, EmailCampaign, EmailCampaignState, HoldKind
from messaging.services.campaigns import campaigns, drafts, starting
from messaging.services.email import starting as email_starting
from messaging.services.email import states as email_states
from messaging.services.gates import sending_hours
from messaging.services.refusals import EndNotAsked
from tests.messaging.conftest import add_contacts
from tests.messaging.email.test_email_sending import draft as email_draft

pytestmark = pytest.mark.django_db(transaction=True)


def end_comes(campaign: Campaign | EmailCampaign) -> None:
    """And holds it."""
    end = timezone.now() - dt.timedelta(seconds=1)
    held = {"state": "held", "latest_end": end, "hold_reason": sending_hours.after_its_end(end)}
    held["hold_kind"] = HoldKind.LATEST_END
    type(campaign)._default_manager.filter(pk=campaign.pk).update(**held)
    campaign.refresh_from_db()


def posts(client: Client, page: str, address: str) -> dict[str, str]:
    """What the page's form that resumes it posts, beside its token."""
    content = client.get(page).content.decode()
    form = re.search(rf'<form method="post" action="{re.escape(address)}".*?</form>', content, re.DOTALL)
    assert form, content
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form[0])
    return {name: value for name, value in found if name != "csrfmiddlewaretoken"}


@pytest.fixture(autouse=True)
def _keys(settings: LazySettings) -> Iterator[None]:
    settings.LAAFFIC_PUSH_TOKENS = ["a-token-that-nobody-guesses"]
    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "key"  # only that there is one
    account.laaffic_client.cache_clear()
    yield
    account.laaffic_client.cache_clear()


@pytest.fixture
def paused(application: Application, group: ContactGroup) -> Campaign:
    add_contacts(group, 2)
    campaign = drafts.create(name="A", application=application, sender_id="", text="Hi", groups=[group])
    starting.launch(campaign.pk)
    return campaigns.pause(campaign.pk)


@pytest.fixture
def mail(db: None) -> EmailCampaign:
    """Held for something else."""
    campaign = email_draft(Application.objects.create(app_id="mailApp", channel="email"))
    email_starting.launch(campaign.pk)
    email_states.hold(EmailCampaign.objects.get(), "A budget is used up.")
    return campaign


def test_a_page_from_before_lifts_no_end(paused: Campaign, admin_client: Client) -> None:
    page = reverse("admin:messaging_campaign_change", args=[paused.pk])
    resume = reverse("admin:messaging_campaign_do", args=[paused.pk, "resume"])
    seen = posts(admin_client, page, resume)
    end_comes(paused)

    said = admin_client.post(resume, seen, follow=True).content.decode()

    assert "has come since you looked" in said
    paused.refresh_from_db()
    assert (paused.state, paused.latest_end is None) == (CampaignState.HELD, False)
    admin_client.post(resume, posts(admin_client, page, resume))
    paused.refresh_from_db()
    assert (paused.state, paused.latest_end) == (CampaignState.RUNNING, None)


def test_a_row_from_before_lifts_no_end(paused: Campaign, admin_client: Client) -> None:
    def act() -> str:
        content = admin_client.get(reverse("admin:messaging_campaign_changelist")).content.decode()
        found = re.search(r'class="c-row-act" href="([^"]+)"', content)
        assert found, content
        return html.unescape(found[1])

    seen = act()
    end_comes(paused)

    admin_client.post(seen)
    assert Campaign.objects.get(pk=paused.pk).state == CampaignState.HELD
    admin_client.post(act())
    assert Campaign.objects.get(pk=paused.pk).state == CampaignState.RUNNING


def test_an_emails_page_from_before_lifts_no_end(mail: EmailCampaign, admin_client: Client) -> None:
    page = reverse("admin:messaging_emailcampaign_change", args=[mail.pk])
    resume = reverse("admin:messaging_emailcampaign_do", args=[mail.pk, "resume"])
    seen = posts(admin_client, page, resume)
    end_comes(mail)

    said = admin_client.post(resume, seen, follow=True).content.decode()

    assert "has come since you looked" in said
    assert EmailCampaign.objects.get().state == EmailCampaignState.HELD
    admin_client.post(resume, posts(admin_client, page, resume))
    mail.refresh_from_db()
    assert (mail.state, mail.latest_end) == (EmailCampaignState.SENDING, None)


def test_without_a_page_it_is_meant_as_it_stands(paused: Campaign) -> None:
    end_comes(paused)
    with pytest.raises(EndNotAsked):
        campaigns.resume(paused.pk, past_end=False)

    assert campaigns.resume(paused.pk).latest_end is None


def test_held_for_anything_else_its_end_stays(paused: Campaign) -> None:
    end = timezone.now() + dt.timedelta(hours=1)
    Campaign.objects.filter(pk=paused.pk).update(latest_end=end)

    assert campaigns.resume(paused.pk, past_end=True).latest_end == end


@pytest.mark.parametrize("state", [CampaignState.PAUSED, CampaignState.HELD])
def test_an_end_that_came_while_it_stood_still_is_asked_about_at_once(
    paused: Campaign, admin_client: Client, state: str
) -> None:
    end = timezone.now() - dt.timedelta(minutes=1)
    Campaign.objects.filter(pk=paused.pk).update(state=state, latest_end=end)
    page = reverse("admin:messaging_campaign_change", args=[paused.pk])
    resume = reverse("admin:messaging_campaign_do", args=[paused.pk, "resume"])
    back = reverse("admin:messaging_campaign_changelist")
    listed = admin_client.get(back).content.decode()

    refused = admin_client.post(f"{resume}?next={back}", follow=True).content.decode()

    assert "past_end" not in listed  # a row says nothing of its end
    assert "has come since you looked" in refused
    assert f'<a class="c-link" href="{page}">' in refused
    assert "Resume sends the rest all the same" in admin_client.get(page).content.decode()
    admin_client.post(resume, posts(admin_client, page, resume))
    paused.refresh_from_db()
    assert (paused.state, paused.latest_end) == (CampaignState.RUNNING, None)


def test_an_email_asks_about_an_end_that_came_while_it_was_held(mail: EmailCampaign, admin_client: Client) -> None:
    EmailCampaign.objects.update(latest_end=timezone.now() - dt.timedelta(minutes=1))
    page = reverse("admin:messaging_emailcampaign_change", args=[mail.pk])
    resume = reverse("admin:messaging_emailcampaign_do", args=[mail.pk, "resume"])

    assert "end-passed" in admin_client.get(page).content.decode()
    admin_client.post(resume, posts(admin_client, page, resume))

    mail.refresh_from_db()
    assert (mail.state, mail.latest_end) == (EmailCampaignState.SENDING, None)
