"""Drafts have one door in: what is typed in a form of any channel is checked and saved by the service."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.audit.models import AuditEntry
from laaffic_console.gateway.models import Application
from laaffic_console.kit.words.not_now import NotNow
from messaging.models import (
    Campaign,
    CampaignState,
    ContactGroup,
    EmailCampaign,
    MessageTemplate,
    MmsAttachment,
    SavedAnswer,
)
from messaging.services import restored
from messaging.services.campaigns import drafts, follow_ups, templates
from messaging.services.email import drafts as email_drafts
from messaging.services.mms import attachments
from messaging.services.mms.mms_channel import MmsOptions
from tests.messaging.mms import attachment_samples as samples

pytestmark = pytest.mark.django_db

MAIL = {
    "from_address": "news@example.com",
    "receiver_id": "1001",
    "template_id": "1",
    "subject": "hello world",
}
SPOKEN = {
    "language": "EN",
    "accent": "91",
    "gender": "2",
    "speaking_rate": "1",
    "loop_count": "1",
    "max_ringing_time": "45",
    "recall_count": "0",
    "recall_interval": "10",
}


@pytest.fixture
def picture(db: None) -> MmsAttachment:
    return attachments.add(samples.picture(), "beach.png")[0]


@pytest.fixture
def typed(
    request: pytest.FixtureRequest, application: Application, group: ContactGroup, picture: MmsAttachment
) -> tuple[str, dict[str, Any]]:
    """(the page's name, what is typed into its form) of a channel."""
    channel: str = request.param
    text = {"name": "Typed", "text": "Hello", "groups": [group.pk]}
    if channel == "sms":
        return "messaging_campaign", {**text, "application": application.pk}
    if channel == "mms":
        own = {"title": "Beach", "mms_type": "1", "attachments": [picture.pk]}
        return "messaging_mmscampaign", {**text, **own, "application": application.pk}
    other = Application.objects.create(app_id="other", channel=channel)
    if channel == "voice":
        return "voice_spokencampaign", {**text, **SPOKEN, "application": other.pk}
    return "messaging_emailcampaign", {**MAIL, "name": "Typed", "unsubscribe": "unknown", "application": other.pk}


def kept(page: str) -> list[Campaign] | list[EmailCampaign]:
    return list((EmailCampaign if "email" in page else Campaign).objects.order_by("pk"))


class OneDoorTests:
    @pytest.mark.parametrize("typed", ["sms", "mms", "voice", "email"], indirect=True)
    def test_what_is_typed_is_kept_with_its_author(
        self, admin_client: Client, typed: tuple[str, dict[str, Any]], group: ContactGroup
    ) -> None:
        page, fields = typed

        made = admin_client.post(reverse(f"admin:{page}_add"), fields)
        (campaign,) = kept(page)
        edited = admin_client.post(reverse(f"admin:{page}_change", args=[campaign.pk]), {**fields, "name": "Other"})

        assert (made.status_code, edited.status_code) == (302, 302)
        campaign.refresh_from_db()
        assert campaign.name == "Other"
        assert [event.text for event in campaign.events.order_by("pk")] == ["Created", "Edited"]
        assert list(campaign.authors.all()) == [campaign.created_by] == [User.objects.get()]
        if isinstance(campaign, Campaign):
            assert list(campaign.groups.all()) == [group]
        told = AuditEntry.objects.exclude(kind="signed in").order_by("pk")
        assert [(entry.kind, entry.person) for entry in told] == [("added", "admin"), ("changed", "admin")]

    @pytest.mark.parametrize("typed", ["sms", "mms", "voice", "email"], indirect=True)
    def test_what_the_service_refuses_is_said_and_not_lost(
        self, admin_client: Client, typed: tuple[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        page, fields = typed
        admin_client.post(reverse(f"admin:{page}_add"), fields)
        (campaign,) = kept(page)

        def refuse(*_args: Any, **_named: Any) -> None:
            raise ValidationError("Nobody may write today.")

        for service in (drafts, email_drafts):
            monkeypatch.setattr(service, "save", refuse)
        addresses = [reverse(f"admin:{page}_add"), reverse(f"admin:{page}_change", args=[campaign.pk])]
        answers = [admin_client.post(address, {**fields, "name": "Typed by hand"}) for address in addresses]

        for answer in answers:
            assert "Nobody may write today." in answer.content.decode()
            assert "Typed by hand" in answer.content.decode()
        assert [row.name for row in kept(page)] == ["Typed"]

    def test_only_a_draft_is_edited(self, application: Application, group: ContactGroup) -> None:
        given = {"application": application, "sender_id": "", "text": "Hello", "groups": [group]}
        campaign = drafts.create(name="A", **given)
        mail_app = Application.objects.create(app_id="mail", channel="email")
        mail = email_drafts.create(name="A", application=mail_app, **MAIL)
        for row in (campaign, mail):
            type(row).objects.filter(pk=row.pk).update(state=CampaignState.SCHEDULED)
            row.name = "B"

        with pytest.raises(NotNow, match="cannot be edited"):
            drafts.save(campaign, groups=[], excluded_groups=[], columns=["name"])
        with pytest.raises(NotNow, match="cannot be edited"):
            email_drafts.save(mail, columns=["name"])

        assert {Campaign.objects.get().name, EmailCampaign.objects.get().name} == {"A"}
        assert campaign.groups.count() == 1

    def test_an_attachment_is_in_use_whoever_made_the_draft(
        self, application: Application, group: ContactGroup, picture: MmsAttachment
    ) -> None:
        options = MmsOptions("Beach", attachments=(picture.pk,)).as_json()
        given = {"sender_id": "", "text": "Hi", "groups": [group], "channel": "mms", "channel_options": options}
        campaign = drafts.create(name="A", application=application, error_limit=7, latest_start_minutes=9, **given)
        picture.refresh_from_db()
        first = picture.used_at
        Campaign.objects.update(state=CampaignState.FINISHED)

        copy = follow_ups.to_new_contacts(campaign.pk)

        picture.refresh_from_db()
        assert first is not None
        assert picture.used_at > first
        assert (copy.error_limit, copy.latest_start_minutes) == (7, 9)


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("sender_id", {"sender_id": "S" * 33}),
        ("extra_numbers", {"extra_numbers": ["919876500000"] * (drafts.MAX_EXTRA_NUMBERS + 1)}),
    ],
)
def test_what_is_too_long_is_said_at_its_field(application: Application, field: str, given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as problem:
        drafts.check_content(Campaign(application=application, text="Hi", **given))

    assert list(problem.value.message_dict) == [field]


def test_an_application_that_was_switched_off_since_launches_nothing(application: Application) -> None:
    application.is_active = False

    with pytest.raises(ValidationError, match="switched off"):
        drafts.check_ready(Campaign(application=application, text="Hi", extra_numbers=["919876500000"]))


def test_after_a_restore_a_draft_says_that_it_may_have_been_launched(application: Application) -> None:
    draft = Campaign.objects.create(name="A", application=application, text="Hi")

    assert restored._tell_drafts(timezone.now()) == 1

    assert draft.events.count() == 1


def test_a_line_of_a_text_ends_with_one_character(
    application: Application, group: ContactGroup, admin_client: Client
) -> None:
    draft = drafts.create(name="A", application=application, sender_id="", text="a\r\nb", groups=[group])
    template = MessageTemplate(name="Greeting", text="a\r\nb")
    templates.save(template)
    admin_client.post(reverse("admin:messaging_savedanswer_add"), {"title": "Hours", "text": "a\r\nb"})

    kept = [draft, template, template.versions.get(), SavedAnswer.objects.get()]
    assert [one.text for one in kept] == ["a\nb"] * 4


def test_an_accent_of_a_text_is_in_one_piece_with_its_letter(application: Application, group: ContactGroup) -> None:
    draft = drafts.create(name="A", application=application, sender_id="", text="Hola Jose\u0301", groups=[group])

    assert draft.text == "Hola José"
