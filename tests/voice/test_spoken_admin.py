"""Composing spoken messages: every parameter at its own field, on the campaigns' own pages."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from messaging.models import Campaign, Contact, ContactGroup, SuppressionEntry
from messaging.services.figures import insights
from tests.messaging.conftest import add_contacts, group
from tests.messaging.pages import hidden
from voice.models import SpokenCampaign
from voice.services.spoken.options import TtsOptions

__all__ = ["group"]

pytestmark = pytest.mark.django_db

ADD = "admin:voice_spokencampaign_add"
WRITER = ["view_campaign", "add_campaign", "change_campaign", "view_contact", "view_contactgroup"]


@pytest.fixture(autouse=True)
def _credentials(settings: LazySettings) -> None:
    settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"
    account.laaffic_client.cache_clear()


@pytest.fixture
def application(db: None) -> Application:
    return Application.objects.create(app_id="voiceApp", channel="voice")


def filled(application: Application, group: ContactGroup, **other: Any) -> dict[str, Any]:
    return {
        "name": "Reminder",
        "application": application.pk,
        "groups": [group.pk],
        "text": "Hello {{name|you}}",
        "language": "EN",
        "accent": "91",
        "gender": "2",
        "speaking_rate": "0.9",
        "loop_count": "2",
        "max_ringing_time": "45",
        "recall_count": "1",
        "recall_interval": "10",
        "max_duration": "60",
        "delay_play": "1",
        "delay_hangup": "2",
        "display_number": "+86 10 0000 000",
        **other,
    }


class ComposeTests:
    def test_every_parameter_is_kept(
        self, staff: Callable[..., Client], application: Application, group: ContactGroup
    ) -> None:
        response = staff(*WRITER).post(reverse(ADD), filled(application, group))
        campaign = Campaign.objects.get()
        assert response["Location"] == reverse("admin:messaging_campaign_review", args=[campaign.pk])
        options = TtsOptions.of(campaign)
        assert campaign.channel == "voice"
        assert options.display_number == "86100000000"
        assert options.spoken.fields() == {
            "language": "EN",
            "accent": "91",
            "ssmlGender": 2,
            "speakingRate": 0.9,
            "text": "Hello {{name|you}}",
            "loopCount": 2,
            "recallCount": 1,
            "recallInterval": 10,
            "maxDuration": 60,
            "maxRingingTime": 45,
            "delayPlay": 1,
            "delayHangup": 2,
        }

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("speaking_rate", "0.1"),
            ("speaking_rate", "4.1"),
            ("loop_count", "10"),
            ("loop_count", "0"),
            ("max_ringing_time", "10"),
            ("max_ringing_time", "121"),
            ("recall_count", "10"),
            ("recall_interval", "1000"),
            ("max_duration", "121"),
            ("delay_play", "1000"),
            ("delay_hangup", "-1"),
            ("display_number", "123456"),
            ("display_number", "1234567890123456"),
            ("accent", "44444"),
            ("text", ""),
            ("text", "x" * 1001),
            ("text", "Hello {{nobody_has_this}}"),
            ("name", ""),
        ],
    )
    def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
        self, staff: Callable[..., Client], application: Application, group: ContactGroup, field: str, value: str
    ) -> None:
        response = staff(*WRITER).post(reverse(ADD), filled(application, group, **{field: value}))
        form = response.context["adminform"].form
        assert list(form.errors) == [field]
        assert str(form[field].value()) == value
        assert form["accent"].value() == (value if field == "accent" else "91")
        assert not Campaign.objects.exists()

    def test_a_language_has_its_own_accents_and_voices(
        self, staff: Callable[..., Client], application: Application, group: ContactGroup
    ) -> None:
        client = staff(*WRITER)
        czech = filled(application, group, language="CS", accent="91", gender="1")
        errors = client.post(reverse(ADD), czech).context["adminform"].form.errors
        assert "Czech is spoken with: Czechia." in str(errors["accent"])
        assert "Czech has a female voice only." in str(errors["gender"])

    def test_a_language_that_is_in_no_list_can_be_given(
        self, staff: Callable[..., Client], application: Application, group: ContactGroup
    ) -> None:
        client = staff(*WRITER)
        unsaid = client.post(reverse(ADD), filled(application, group, language="other"))
        assert list(unsaid.context["adminform"].form.errors) == ["language_code"]
        client.post(
            reverse(ADD), filled(application, group, language="other", language_code="sw", accent="", gender="")
        )
        draft = Campaign.objects.get()
        assert TtsOptions.of(draft).spoken.language == "SW"
        form = client.get(reverse("admin:voice_spokencampaign_change", args=[draft.pk])).context["adminform"].form
        assert (form["language"].value(), form["language_code"].value()) == ("other", "SW")

    def test_the_draft_comes_back_as_it_was_written(
        self, staff: Callable[..., Client], application: Application, group: ContactGroup
    ) -> None:
        client = staff(*WRITER)
        client.post(reverse(ADD), filled(application, group))
        draft = Campaign.objects.get()
        page = client.get(reverse("admin:messaging_campaign_change", args=[draft.pk]), follow=True)
        form = page.context["adminform"].form
        kept = {name: str(form[name].value()) for name in ("accent", "gender", "speaking_rate", "recall_interval")}
        assert kept == {"accent": "91", "gender": "2", "speaking_rate": "0.9", "recall_interval": "10"}

    def test_beside_it_stands_how_long_it_takes_and_what_is_wrong(
        self, staff: Callable[..., Client], application: Application, group: ContactGroup
    ) -> None:
        add_contacts(group, 3, name="Ann")
        estimate = reverse("admin:voice_spokencampaign_estimate")
        client = staff(*WRITER)

        well = client.post(estimate, filled(application, group, loop_count="3"))
        wrong = client.post(estimate, filled(application, group, language="CS", accent="91", delay_play="1000"))

        assert (well.context["shown_text"], well.context["forecast"].recipients) == ("Hello Ann", 3)
        assert well.context["phone_title"].endswith(" hears it")
        assert well.context["beside"].shown.length == "about 2 seconds"
        assert "GSM-7" not in well.content.decode()
        assert "Czech is spoken with: Czechia." in wrong.context["problems"][0]
        assert "Ensure this value is less than or equal to 999." in wrong.context["problems"][1]

    @pytest.mark.parametrize("permissions", [[], ["view_campaign"]])
    def test_who_may_not_write_campaigns_may_not_write_these(
        self, staff: Callable[..., Client], permissions: list[str]
    ) -> None:
        client = staff(*permissions)
        assert client.get(reverse(ADD)).status_code == 403
        assert client.post(reverse("admin:voice_spokencampaign_length"), {"text": "Hi"}).status_code == 403


class ReviewTests:
    def test_it_says_how_many_are_called_and_how_it_sounds(
        self, staff: Callable[..., Client], application: Application, group: ContactGroup
    ) -> None:
        add_contacts(group, 12, name="Ann")
        SuppressionEntry.objects.create(number=Contact.objects.first().number, channel="voice", reason="opt_out")
        client = staff(*WRITER, "launch_campaign")
        page = client.post(reverse(ADD), filled(application, group), follow=True).content.decode()
        assert "Call 11 numbers" in page
        assert "Hello Ann" in page
        assert "English · India" in page
        assert "GSM-7" not in page

    def test_the_page_of_a_launched_one_speaks_of_calls(
        self,
        staff: Callable[..., Client],
        application: Application,
        group: ContactGroup,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        add_contacts(group, 2)
        client = staff(*WRITER, "launch_campaign")
        client.post(reverse(ADD), filled(application, group))
        campaign = Campaign.objects.get()
        review = reverse("admin:messaging_campaign_review", args=[campaign.pk])
        client.post(review, hidden(client, review))
        monkeypatch.setattr(insights, "countries", lambda _campaign: [("IN", {"delivered": 2})])
        page = client.get(reverse("admin:messaging_campaign_change", args=[campaign.pk]))
        labels = {part["state"]: part["label"] for part in page.context["progress"]["parts"]}
        assert (labels["delivered"], labels["undelivered"]) == ("Answered", "Not answered")
        shown = page.content.decode()
        assert 'id="spoken"' in shown
        assert [f'<th class="n">{word}</th>' in shown for word in ("Answered", "Not answered", "Delivered")] == [
            *(True, True, False)
        ]

    def test_its_pages_stand_among_spoken_messages(
        self, staff: Callable[..., Client], application: Application, group: ContactGroup
    ) -> None:
        add_contacts(group, 2)
        client = staff(*WRITER, "launch_campaign")
        client.post(reverse(ADD), filled(application, group))
        campaign = Campaign.objects.get()
        review = reverse("admin:messaging_campaign_review", args=[campaign.pk])

        def place() -> tuple[Any, list[str]]:
            answer = client.get(review, follow=True)  # launched, the review leads to its page
            menu = [item for group in answer.context["sidebar_navigation"] for item in group["items"]]
            return answer.context["opts"].model, [str(item["title"]) for item in menu if item["active"]]

        before = place()
        client.post(review, hidden(client, review))
        assert before == place() == (SpokenCampaign, ["Spoken messages"])


class LengthTests:
    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"text": "x" * 150}, "about 10 seconds"),
            ({"text": "x" * 150, "speaking_rate": "2", "loop_count": "3"}, "about 15 seconds"),
            ({"text": "x" * 150, "speaking_rate": "quick", "loop_count": "-4"}, "about 10 seconds"),
            ({"text": "{{half"}, ""),
            ({}, ""),
        ],
    )
    def test_about(self, staff: Callable[..., Client], given: dict[str, str], said: str) -> None:
        response = staff("add_campaign").post(reverse("admin:voice_spokencampaign_length"), given)
        assert response.json() == {"said": said}


class ContactActionTests:
    def test_chosen_contacts_get_a_draft_and_its_review(
        self, staff: Callable[..., Client], application: Application, group: ContactGroup
    ) -> None:
        chosen = add_contacts(group, 3)[:2]
        client = staff(*WRITER)
        contacts = reverse("admin:messaging_contact_changelist")
        asked = {"action": "say", "_selected_action": [contact.pk for contact in chosen], "index": "0"}
        assert b'name="speaking_rate"' in client.post(contacts, asked).content

        given = filled(application, group) | asked | {"_confirmed": "1"}
        response = client.post(contacts, given)

        draft = Campaign.objects.get()
        assert response["Location"] == reverse("admin:messaging_campaign_review", args=[draft.pk])
        assert (draft.channel, draft.kind, draft.state) == ("voice", "quick", "draft")
        assert set(Contact.objects.filter(groups__in=draft.groups.all())) == set(chosen)

    def test_wrong_input_comes_back(
        self, staff: Callable[..., Client], application: Application, group: ContactGroup
    ) -> None:
        chosen = add_contacts(group, 1)
        asked = {"action": "say", "_selected_action": [chosen[0].pk], "_confirmed": "1", "index": "0"}
        given = filled(application, group, max_ringing_time="10") | asked
        page = staff(*WRITER).post(reverse("admin:messaging_contact_changelist"), given)
        assert b"greater than or equal to 20" in page.content
        assert not Campaign.objects.exists()

    def test_who_may_not_write_campaigns_is_not_offered_it(
        self, staff: Callable[..., Client], group: ContactGroup
    ) -> None:
        add_contacts(group, 1)
        page = staff("view_contact", "change_contact").get(reverse("admin:messaging_contact_changelist"))
        assert b'value="say"' not in page.content
