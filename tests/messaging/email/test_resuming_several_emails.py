"""Several email campaigns resumed from their list: as written ones, by the service of email."""

from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import EmailCampaign
from messaging.models import EmailCampaignState as State
from tests.messaging.email.test_email_sending import TOKEN, fresh, launched

pytestmark = pytest.mark.django_db(transaction=True)

LIST = reverse("admin:messaging_emailcampaign_changelist")


@pytest.fixture
def held(db: None, settings: LazySettings) -> list[EmailCampaign]:
    settings.LAAFFIC_PUSH_TOKENS, settings.CONSOLE_URL = [TOKEN], "http://127.0.0.1:9"
    application = Application.objects.create(app_id="mailApp", channel="email")
    campaigns = [launched(application, receiver_id=str(1000 + n), name=f"Mails {n}") for n in range(2)]
    EmailCampaign.objects.update(state=State.HELD, hold_reason="Too early.")
    return campaigns


def resumed(client: Client, chosen: list[EmailCampaign]) -> str:
    asked = {"action": "resume_chosen", "_selected_action": [one.pk for one in chosen], "_confirmed": "1"}
    return " ".join(client.post(LIST, asked, follow=True).content.decode().split())


def test_what_is_held_goes_on_and_the_rest_says_why(
    sandbox: RunningSandbox, admin_client: Client, held: list[EmailCampaign], run_jobs: Callable[[], int]
) -> None:
    over, other = held
    EmailCampaign.objects.filter(pk=over.pk).update(state=State.FINISHED)

    page = resumed(admin_client, held)

    assert "1 campaign goes on." in page
    assert f"{over.name}</a>:" in page
    assert fresh(other).state == State.SENDING
    assert fresh(over).state == State.FINISHED


def test_what_the_account_stops_says_so(
    sandbox: RunningSandbox, admin_client: Client, held: list[EmailCampaign]
) -> None:
    account_hold.place_because("No balance.")

    page = resumed(admin_client, held)

    assert page.count("No balance.") >= 2
    assert not EmailCampaign.objects.exclude(state=State.HELD).exists()


def test_it_takes_the_right_to_launch(sandbox: RunningSandbox, client: Client, held: list[EmailCampaign]) -> None:
    user = User.objects.create_user("looks", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_emailcampaign"))
    client.force_login(user)

    assert "resume_chosen" not in client.get(LIST).content.decode()
    resumed(client, held)

    assert not EmailCampaign.objects.exclude(state=State.HELD).exists()
