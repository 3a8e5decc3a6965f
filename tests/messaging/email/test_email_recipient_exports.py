"""The mails of an email campaign as a file, from its own page."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from laaffic_console.exporting.models import Export
from messaging.models import EmailCampaign, EmailMessage
from tests.dashboard import doors

pytestmark = pytest.mark.django_db


def test_its_own_mails_and_nobody_elses(admin_client: Client) -> None:
    ours: Any = doors.one(EmailCampaign, {})
    EmailCampaign.objects.filter(pk=ours.pk).update(state="finished", name="=Spring")
    other = EmailCampaign.objects.create(name="other", application=ours.application)
    for campaign in (ours, other):
        EmailMessage.objects.create(
            campaign=campaign, key="1", address=f"{campaign.pk}@example.org", told_at=timezone.now()
        )
    address = f"/admin/messaging/emailcampaign/{ours.pk}"

    assert f"{address}/recipients/csv/" in admin_client.get(f"{address}/change/").content.decode()
    answer: Any = admin_client.get(f"{address}/recipients/csv/")

    content = b"".join(answer.streaming_content).decode()
    assert f"{ours.pk}@example.org" in content
    assert f"{other.pk}@example.org" not in content
    assert Export.objects.get().title == "Recipients of =Spring"
