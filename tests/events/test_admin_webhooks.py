"""The pages: a secret is shown once, and what has failed is delivered once more."""

import re
from contextlib import nullcontext
from unittest import mock

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from standardwebhooks.webhooks import Webhook as Signer

from laaffic_console.events import host_names
from laaffic_console.events.models import Delivery, Event, Webhook
from laaffic_console.events.services import delivering, webhooks
from tests.events.receivers import Receiver

pytestmark = pytest.mark.django_db


def test_made_tested_and_delivered_once_more(admin_client: Client, receiver: Receiver) -> None:
    make = reverse("admin:events_webhook_make")
    refused = admin_client.post(make, {"url": "https://10.0.0.1/", "kinds": ["message.delivered"]})
    assert "WEBHOOKS_MAY_REACH" in refused.content.decode()
    shown = admin_client.post(make, {"url": receiver.url, "kinds": ["message.delivered"]}).content.decode()
    [secret] = re.findall(r"whsec_[A-Za-z0-9+/=]+", shown)
    webhook = Webhook.objects.get()
    page = admin_client.get(reverse("admin:events_webhook_change", args=[webhook.pk])).content.decode()
    assert "(&#x27;" not in page  # a state is a word, not what the list makes a badge of
    assert "whsec_" not in page

    admin_client.post(reverse("admin:events_webhook_test_it", args=[webhook.pk]))
    delivering.deliver()
    delivery = Delivery.objects.get()
    log = admin_client.get(reverse("admin:events_delivery_changelist")).content.decode()
    assert delivery.event.webhook_id in log
    admin_client.post(reverse("admin:events_delivery_redeliver", args=[delivery.pk]))
    delivering.deliver()
    assert receiver.ids == [delivery.event.webhook_id] * 2
    for headers, body in receiver.got:
        Signer(secret).verify(body, headers)


def test_the_usual_address_of_a_new_one_leads_to_the_page_that_makes_it(admin_client: Client, client: Client) -> None:
    assert admin_client.get("/admin/events/webhook/add/")["Location"] == "/admin/events/webhook/make/"

    client.force_login(User.objects.create_user("lou", is_staff=True))
    assert client.get("/admin/events/webhook/add/").status_code == 403


def test_who_sees_masks_has_nothing_sent_to_an_address_of_theirs(client: Client) -> None:
    user = User.objects.create_user("lou", is_staff=True)
    rights = ["view_webhook", "add_webhook", "change_webhook", "view_delivery"]
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(user)
    webhook, _secret = webhooks.create("https://example.com/hook", ["message.delivered"])
    data, now = '{"from": "447700900123"}', timezone.now()
    event = Event.objects.create(kind="reply.received", about="number:447700900123", data=data, at=now)
    delivery = Delivery.objects.create(webhook=webhook, event=event, next_at=now)
    make, kinds = reverse("admin:events_webhook_make"), reverse("admin:events_webhook_kinds", args=[webhook.pk])
    page = reverse("admin:events_webhook_change", args=[webhook.pk])
    log = reverse("admin:events_delivery_change", args=[delivery.pk])

    assert client.post(make, {"url": "https://example.com/", "kinds": ["reply.received"]}).status_code == 403
    assert client.post(kinds, {"kinds": ["reply.received"]}).status_code == 403
    assert kinds not in client.get(page).content.decode()
    assert make not in client.get(reverse("admin:events_webhook_changelist")).content.decode()
    shown = client.get(log).content.decode()
    assert "447700900123" not in shown
    assert "4477•••••123" in shown

    user.user_permissions.add(Permission.objects.get(codename="see_numbers"))
    assert client.post(kinds, {"kinds": ["reply.received"]}).status_code == 302
    assert kinds in client.get(page).content.decode()
    assert make in client.get(reverse("admin:events_webhook_changelist")).content.decode()
    assert "447700900123" in client.get(log).content.decode()


def test_what_waits_is_told_why_and_when(admin_client: Client) -> None:
    webhook, _secret = webhooks.create("https://example.com/hook", ["message.delivered"])
    now = timezone.now()
    first, second = (
        Delivery.objects.create(
            webhook=webhook,
            event=Event.objects.create(kind="message.delivered", about="message:1", data="{}", at=now),
            order_key="message:1",
            next_at=now,
            problem="status" if n == 0 else "",
            detail="503",
            ms=None if n else 1234,
        )
        for n in range(2)
    )
    log = " ".join(admin_client.get(reverse("admin:events_delivery_changelist")).content.decode().split())
    page = admin_client.get(reverse("admin:events_delivery_change", args=[second.pk])).content.decode()

    assert "It answered 503" in log
    assert "1,234 ms" in log
    assert log.count("after the one before it") == page.count("after the one before it") == 1
    assert "+00:00" not in page
    assert 'hx-get=""' in page

    Delivery.objects.filter(pk=first.pk).update(state=Delivery.State.DELIVERED)
    Webhook.objects.update(state=Webhook.State.PAUSED)
    page = admin_client.get(reverse("admin:events_delivery_change", args=[second.pk])).content.decode()
    assert "when the webhook is resumed" in page
    assert 'hx-get=""' not in page


def test_a_webhook_that_is_resumed_has_no_old_problem(admin_client: Client) -> None:
    webhook, _secret = webhooks.create("https://example.com/hook", ["message.delivered"])
    webhooks.disable(webhook.pk, "gone")

    said = admin_client.post(reverse("admin:events_webhook_resume_it", args=[webhook.pk]), follow=True)

    assert "It is active again" in said.content.decode()
    assert "it no longer wants events" not in said.content.decode()


@pytest.mark.parametrize(("scheme", "is_taken"), [("https", True), ("http", False)])
def test_without_tls_a_name_that_nobody_knows_is_refused(
    monkeypatch: pytest.MonkeyPatch, scheme: str, is_taken: bool
) -> None:
    monkeypatch.setattr(host_names, "addresses_of", mock.Mock(side_effect=OSError("nobody knows")))
    with nullcontext() if is_taken else pytest.raises(ValidationError, match="Give an https address"):
        webhooks.check_address(f"{scheme}://example.com/x")
