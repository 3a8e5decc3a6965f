"""An email campaign's one request against whoever edits, stops or launches it at the same moment."""

from typing import Any

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Exists
from django.test import Client
from django.urls import reverse

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.kit.words.not_now import NotNow
from messaging.models import EmailCampaign, EmailCampaignState
from messaging.services.email import campaigns as email_campaigns
from messaging.services.email import drafts as email_drafts
from messaging.services.email import sending as email_sending
from messaging.services.email import starting as email_starting
from tests.interleaving import Act, Ending, Scene, Stage, interleave
from tests.interleavings import rows
from tests.interleavings.test_campaigns import only

State = EmailCampaignState


def draft(application: Application | None = None, **fields: Any) -> EmailCampaign:
    given = {
        "name": rows.name(),
        "application": application or rows.application("email"),
        "from_address": "test@mailpush.laaffic.cn",
        "receiver_id": "1001",
        "subject": "hello world",
        "template_id": "1",
    }
    return email_drafts.create(**{**given, **fields})


def fresh(campaign: EmailCampaign) -> EmailCampaign:
    return EmailCampaign.objects.get(pk=campaign.pk)


def sends(campaign: EmailCampaign) -> Act:
    """As the job does: whether its request left."""

    def send() -> bool:
        claimed = email_sending._claim(campaign.pk)
        if claimed is None:
            return False
        unchanged = EmailCampaign.objects.filter(pk=campaign.pk, entry=claimed[1], state=State.SENDING)
        if ledger.depart(claimed[1].pk, provided=Exists(unchanged), unless_held=True) is None:
            email_sending._called_off(campaign.pk, claimed[1])
            return False
        return True

    return send


def test_two_of_them_reach_one_list_and_the_cap_is_one(on: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configured, "LAAFFIC_FREQUENCY_CAP_DAY", 1)

    def make() -> Scene:
        receiver_id = rows.number()
        campaigns = [email_starting.launch(draft(receiver_id=receiver_id, subject=text).pk) for text in ("A", "B")]

        def check(one: Ending, other: Ending) -> None:
            only(one)
            only(other)
            assert sorted([one.value, other.value]) == [False, True]
            assert sorted(fresh(campaign).state for campaign in campaigns) == [State.HELD, State.SENDING]

        return Scene(sends(campaigns[0]), sends(campaigns[1]), check)

    interleave(on, make)


def test_a_launch_and_an_edit(on: Stage) -> None:
    ada = User.objects.create_superuser(rows.name()[:30])

    def make() -> Scene:
        campaign = draft()
        seen = email_drafts.shown_digest(campaign)
        client = Client()
        client.force_login(ada)
        address = reverse("admin:messaging_emailcampaign_change", args=[campaign.pk])
        fields = ("name", "from_address", "receiver_id", "template_id")
        posted = {name: getattr(campaign, name) for name in fields} | {"subject": "Something else"}
        posted["application"] = campaign.application_id

        def check(launched: Ending, edited: Ending) -> None:
            only(launched, NotNow)
            only(edited)
            now = fresh(campaign)
            assert (now.state == State.SENDING) == launched.passed
            assert (now.subject == campaign.subject) == launched.passed

        return Scene(lambda: email_starting.launch(campaign.pk, seen=seen), lambda: client.post(address, posted), check)

    interleave(on, make)


def test_two_launches_of_the_same_mail(on: Stage) -> None:
    def make() -> Scene:
        app = rows.application("email")
        one, other = draft(app), draft(app)

        def check(first: Ending, second: Ending) -> None:
            only(first, ValidationError)
            only(second, ValidationError)
            assert first.passed != second.passed

        return Scene(lambda: email_starting.launch(one.pk), lambda: email_starting.launch(other.pk), check)

    interleave(on, make)


def test_it_is_cancelled_while_its_request_leaves(on: Stage) -> None:
    def make() -> Scene:
        campaign = email_starting.launch(draft().pk)

        def check(sent: Ending, cancelled: Ending) -> None:
            only(sent)
            only(cancelled, NotNow)
            assert not (sent.value and cancelled.passed), "it left, and the page says that it was cancelled"
            assert (fresh(campaign).state == State.CANCELLED) == cancelled.passed
            assert not LedgerEntry.objects.filter(about_id=campaign.pk, about_kind="email campaign", state="prepared")

        return Scene(sends(campaign), lambda: email_campaigns.cancel(campaign.pk), check)

    interleave(on, make)


def test_two_workers_send_it(on: Stage) -> None:
    """Also where the first one's lease has run out."""

    def make() -> Scene:
        campaign = email_starting.launch(draft().pk)

        def check(one: Ending, other: Ending) -> None:
            only(one)
            only(other)
            assert [one.value, other.value].count(True) <= 1

        return Scene(sends(campaign), sends(campaign), check)

    interleave(on, make)
