"""A form of a page that adds something, sent again: what the first one made, and nothing twice."""

import datetime as dt
import re
import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.api.models import ApiToken
from laaffic_console.dashboard import jobs, sent_once
from laaffic_console.dashboard.models import SentForm
from laaffic_console.events.models import Webhook
from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from laaffic_console.identity.models import Profile
from laaffic_console.kit.forms import asking_again
from laaffic_console.reports.models import Report
from messaging.models import Campaign, CampaignState, ContactGroup, ContactImport, EmailCampaign, SuppressionEntry
from messaging.services.campaigns import drafts

pytestmark = pytest.mark.django_db
GROUPS = "/admin/messaging/contactgroup/add/"


@pytest.fixture
def browser(db: None) -> Client:
    """One that sends the token of its page, as browsers do."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sent_once, "PAUSE", 0)


def token_of(client: Client, address: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', client.get(address).content.decode())
    assert found
    return found[1]


def sent(client: Client, address: str, **given: Any) -> Any:
    return client.post(address, {"csrfmiddlewaretoken": token_of(client, address), **given})


def test_three_times_makes_one_and_leads_to_it(browser: Client) -> None:
    form = {"csrfmiddlewaretoken": token_of(browser, GROUPS), "name": "Gold", "description": ""}

    answers = [browser.post(GROUPS, form) for _ in range(3)]

    group = ContactGroup.objects.get()
    assert [answer.status_code for answer in answers] == [302] * 3
    assert {answer["Location"] for answer in answers[1:]} == {
        reverse("admin:messaging_contactgroup_change", args=[group.pk])
    }
    assert "Nothing was made twice" in browser.get(answers[1]["Location"]).content.decode()


@pytest.mark.parametrize("channel", ["sms", "email"])
def test_a_campaign_is_drafted_once(browser: Client, channel: str) -> None:
    application = Application.objects.create(app_id="a", channel=channel, name="Shop")
    model: Any = Campaign if channel == "sms" else EmailCampaign
    address = reverse(f"admin:messaging_{model._meta.model_name}_add")
    form = {
        "csrfmiddlewaretoken": token_of(browser, address),
        "name": "Sale",
        "application": application.pk,
        "text": "Hello",
        "subject": "Hello",
        "from_address": "a@example.com",
        "receiver_id": "1",
        "template_id": "2",
        "language": "en",
        "unsubscribe": "0",
        "ad_flag": "0",
    }

    answers = [browser.post(address, form) for _ in range(3)]

    assert model.objects.count() == 1, answers[0].content.decode()[-3000:]
    assert {answer.status_code for answer in answers} == {302}


def test_a_test_is_sent_once(browser: Client, settings: Any) -> None:
    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "key"
    account.laaffic_client.cache_clear()
    application = Application.objects.create(app_id="4luaKsL2", channel="sms", sender_id="SHOP")
    draft = drafts.create(name="A", application=application, sender_id="", text="Hi", numbers=["919876500000"])
    review = reverse("admin:messaging_campaign_review", args=[draft.pk])
    form = {"csrfmiddlewaretoken": token_of(browser, review), "number": "919876500001"}

    for _click in range(2):
        browser.post(reverse("admin:messaging_campaign_test", args=[draft.pk]), form)

    assert Campaign.objects.filter(kind=Campaign.Kind.TEST).count() == 1


def test_a_test_from_the_form_is_sent_once(browser: Client, settings: Any) -> None:
    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "key"
    account.laaffic_client.cache_clear()
    Profile.objects.create(user=User.objects.get(), number="919876500001")
    application = Application.objects.create(app_id="4luaKsL2", channel="sms", sender_id="SHOP")
    draft = drafts.create(name="A", application=application, sender_id="", text="Hi", numbers=["919876500000"])
    address = reverse("admin:messaging_campaign_change", args=[draft.pk])
    page = browser.get(address).content.decode()
    form = dict(re.findall(r'name="([\w-]+)"[^>]* value="([^"]*)"', page)) | {"name": "A", "text": "Hi", "_test": "1"}
    form = {name: value for name, value in form.items() if name not in ("_continue", "_addanother", "_save", "action")}

    answers = [browser.post(address, form) for _click in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302], answers[0].content.decode()[-2000:]
    assert Campaign.objects.filter(kind=Campaign.Kind.TEST).count() == 1


def test_a_campaign_is_copied_once(browser: Client) -> None:
    application = Application.objects.create(app_id="4luaKsL2", channel="sms", sender_id="SHOP")
    campaign = drafts.create(name="A", application=application, sender_id="", text="Hi", numbers=["919876500000"])
    Campaign.objects.update(state=CampaignState.FINISHED)
    token = token_of(browser, reverse("admin:messaging_campaign_change", args=[campaign.pk]))
    address = reverse("admin:messaging_campaign_after", args=[campaign.pk, "copy"])

    answers = [browser.post(address, {"csrfmiddlewaretoken": token}) for _click in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert Campaign.objects.count() == 2


def test_a_corrected_file_is_another_one(browser: Client) -> None:
    address = reverse("admin:messaging_contactimport_add")
    token = token_of(browser, address)

    answers = [
        browser.post(address, {"csrfmiddlewaretoken": token, "file": SimpleUploadedFile("people.csv", content)})
        for content in (b"Phone\n919876500001\n", b"Phone\n919876500002\n", b"Phone\n919876500002\n")
    ]

    assert [answer.status_code for answer in answers] == [302] * 3
    assert ContactImport.objects.count() == 2
    assert answers[1]["Location"] == answers[2]["Location"] != answers[0]["Location"]


def test_a_page_that_was_changed_is_a_form_of_its_own(browser: Client) -> None:
    token = token_of(browser, GROUPS)

    for name in ("Gold", "Silver"):
        browser.post(GROUPS, {"csrfmiddlewaretoken": token, "name": name, "description": ""})

    assert sorted(ContactGroup.objects.values_list("name", flat=True)) == ["Gold", "Silver"]


def test_a_page_opened_anew_makes_another(browser: Client) -> None:
    application = Application.objects.create(app_id="a", channel="sms", name="Shop")
    address = reverse("admin:messaging_campaign_add")

    for _ in range(2):
        sent(browser, address, name="Sale", application=application.pk, text="Hello")

    assert Campaign.objects.count() == 2


def test_one_that_was_refused_can_be_sent_again(browser: Client) -> None:
    form = {"csrfmiddlewaretoken": token_of(browser, GROUPS), "name": "Gold", "description": ""}
    there = ContactGroup.objects.create(name="Gold")
    assert browser.post(GROUPS, form).status_code == 200
    there.delete()

    assert browser.post(GROUPS, form).status_code == 302
    assert ContactGroup.objects.count() == 1


def test_one_that_is_at_work_is_not_joined(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    form = {"csrfmiddlewaretoken": token_of(browser, GROUPS), "name": "Gold", "description": ""}
    keys: list[str] = []
    monkeypatch.setattr(sent_once, "_remember", lambda key, request, response: keys.append(key))
    browser.post(GROUPS, form)

    again = browser.post(GROUPS, form)
    assert again["Location"] == reverse("admin:messaging_contactgroup_changelist")
    assert ContactGroup.objects.count() == 1

    SentForm.objects.update(sent_at=timezone.now() - sent_once.DIED - dt.timedelta(seconds=1))
    ContactGroup.objects.all().delete()
    browser.post(GROUPS, form)
    assert ContactGroup.objects.count() == 1


def test_nobody_who_is_not_signed_in_leaves_a_row(browser: Client) -> None:
    form = {"csrfmiddlewaretoken": token_of(browser, GROUPS), "name": "Gold"}
    browser.logout()
    Client().post(GROUPS, form)

    assert not SentForm.objects.exists()


def test_old_ones_are_forgotten(browser: Client) -> None:
    sent(browser, GROUPS, name="Gold", description="")
    jobs.sweep()
    assert SentForm.objects.count() == 1

    SentForm.objects.update(sent_at=timezone.now() - sent_once.KEPT - dt.timedelta(seconds=1))
    jobs.sweep()
    assert not SentForm.objects.exists()


def test_suppressed_numbers_are_entered_once(browser: Client) -> None:
    address = reverse("admin:messaging_suppressionentry_add")
    form = {"csrfmiddlewaretoken": token_of(browser, address), "numbers": "919876543210", "channel": "all"}
    form |= {"reason": "manual", "note": "x", "region": ""}

    for _ in range(2):
        browser.post(address, form)

    assert SuppressionEntry.objects.count() <= 1


def test_a_form_that_asked_who_is_there_first_has_made_nothing_yet(browser: Client) -> None:
    address = reverse("admin:api_apitoken_make")
    form = {"csrfmiddlewaretoken": token_of(browser, address), "name": "shop", "user": User.objects.get().pk}
    form |= {"scopes": ["read"], "days": 30, "addresses": "", "per_minute": 9}
    session = browser.session
    proved = session.pop(asking_again.PROVED, time.time())
    session.save()
    assert browser.post(address, form)["Location"].startswith(reverse("account_reauthenticate"))

    session[asking_again.PROVED] = proved
    session.save()

    assert browser.post(address, form).status_code == 200
    assert ApiToken.objects.count() == 1


def test_a_page_with_a_secret_reloaded_makes_no_second_one(browser: Client) -> None:
    root = User.objects.get()
    address = reverse("admin:api_apitoken_make")
    form = {"csrfmiddlewaretoken": token_of(browser, address), "name": "shop", "user": root.pk, "scopes": ["read"]}
    form |= {"days": 30, "addresses": "", "per_minute": 9}
    hook = reverse("admin:events_webhook_make")
    kinds = {"csrfmiddlewaretoken": token_of(browser, hook), "url": "https://8.8.8.8/", "kinds": ["reply.received"]}

    answers = [browser.post(address, form) for _ in range(2)] + [browser.post(hook, kinds) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 302, 200, 302]
    token, webhook = ApiToken.objects.get(), Webhook.objects.get()
    assert answers[1]["Location"] == reverse("admin:api_apitoken_change", args=[token.pk])
    assert answers[3]["Location"] == reverse("admin:events_webhook_change", args=[webhook.pk])
    rotate = reverse("admin:api_apitoken_rotate", args=[token.pk])
    page = {"csrfmiddlewaretoken": token_of(browser, answers[1]["Location"])}
    assert [browser.post(rotate, page).status_code for _ in range(2)] == [200, 302]
    assert ApiToken.objects.count() == 2
    report = Report.objects.create(owner=root, name="India", query="period=this_month&by=country")
    link = reverse("admin:reports_report_link", args=[report.pk])
    page = {"csrfmiddlewaretoken": token_of(browser, reverse("admin:reports_report_change", args=[report.pk]))}
    assert [browser.post(link, {**page, "days": "30"}).status_code for _ in range(2)] == [200, 302]
