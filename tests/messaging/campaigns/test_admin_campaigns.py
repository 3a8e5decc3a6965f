"""Composing, launching and watching campaigns in the admin."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from messaging.models import (
    Batch,
    BatchState,
    Campaign,
    CampaignEvent,
    CampaignState,
    ContactGroup,
    Message,
    MessageState,
)
from messaging.services.audience import audience
from messaging.services.campaigns import campaigns, drafts, starting, states
from messaging.services.tallies import counting
from tests.messaging.conftest import add_contacts
from tests.messaging.pages import hidden

pytestmark = pytest.mark.django_db

LIST = "admin:messaging_campaign_changelist"
ADD = "admin:messaging_campaign_add"


@pytest.fixture(autouse=True)
def _credentials(settings: Any) -> None:
    settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"
    account.laaffic_client.cache_clear()


@pytest.fixture
def draft(application: Application, group: ContactGroup) -> Campaign:
    add_contacts(group, 3, name="Ann Lee")
    return drafts.create(name="Autumn", application=application, sender_id="", text="Hi {{name}}", groups=[group])


def own_page(campaign: Campaign, what: str, *more: str) -> str:
    return reverse(f"admin:messaging_campaign_{what}", args=[campaign.pk, *more])


def frozen(campaign: Campaign) -> Campaign:
    starting.launch(campaign.pk)
    while audience.freeze_chunk(campaign.pk):
        pass
    campaign.refresh_from_db()
    return campaign


class PermissionTests:
    def pages(self, campaign: Campaign) -> list[str]:
        return [
            reverse(LIST),
            reverse(ADD),
            own_page(campaign, "change"),
            own_page(campaign, "review"),
            reverse("admin:messaging_message_changelist"),
        ]

    def test_a_stranger_has_to_sign_in(self, client: Client, draft: Campaign) -> None:
        for address in self.pages(draft):
            answer = client.get(address)
            assert (answer.status_code, answer["Location"][:13]) == (302, "/admin/login/")

    def test_staff_without_permission_is_refused(self, staff: Callable[..., Client], draft: Campaign) -> None:
        client = staff()

        assert [client.get(address).status_code for address in self.pages(draft)] == [403] * 5

    def test_a_viewer_looks_and_does_not_launch(self, staff: Callable[..., Client], draft: Campaign) -> None:
        client = staff("view_campaign")

        review = client.get(own_page(draft, "review"))
        answers = [
            client.post(own_page(draft, "review")),
            client.post(own_page(draft, "test"), {"number": "919876500000"}),
            *(client.post(own_page(draft, "do", verb)) for verb in ("pause", "resume", "cancel")),
            client.get(reverse(ADD)),
        ]

        assert review.status_code == 200
        assert b'id="launch"' not in review.content
        assert [answer.status_code for answer in answers] == [403] * 6
        draft.refresh_from_db()
        assert draft.state == CampaignState.DRAFT
        assert Campaign.objects.count() == 1

    def test_a_viewer_sees_no_buttons_on_one_that_runs(self, staff: Callable[..., Client], draft: Campaign) -> None:
        frozen(draft)

        said = staff("view_campaign").get(own_page(draft, "change"))

        assert said.status_code == 200
        assert b"do-pause" not in said.content

    def test_verbs_want_a_post(self, admin_client: Client, draft: Campaign) -> None:
        frozen(draft)
        state = draft.state
        opened = admin_client.get(own_page(draft, "do", "cancel"))  # as a middle click does: the button is there
        assert (opened.status_code, opened["Location"]) == (302, own_page(draft, "change"))
        draft.refresh_from_db()
        assert draft.state == state
        assert admin_client.get(own_page(draft, "do", "explode")).status_code == 404
        assert admin_client.post(own_page(draft, "do", "explode")).status_code == 404


class ComposeTests:
    def compose(self, client: Client, application: Application, group: ContactGroup, **fields: Any) -> HttpResponse:
        given = {"name": "Autumn", "application": application.pk, "text": "Hello", "groups": [group.pk]}
        return client.post(reverse(ADD), {**given, **fields})

    def errors(self, answer: HttpResponse) -> dict[str, str]:
        assert answer.status_code == 200
        return {field: " ".join(said) for field, said in answer.context["adminform"].form.errors.items()}

    def test_it_goes_on_to_the_review(
        self, admin_client: Client, application: Application, group: ContactGroup
    ) -> None:
        answer = self.compose(admin_client, application, group)

        campaign = Campaign.objects.get()
        assert answer["Location"] == own_page(campaign, "review")
        assert (campaign.sender_id, campaign.created_by.username) == ("SHOP", "admin")
        assert list(campaign.groups.all()) == [group]

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("x" * 1025, "at most 1,024 are possible. Shorten it by one character"),
            ("Hi {{nickname}}", "No contact has a field called {{nickname}}"),
            ("Hi {{name", "{{"),
            ("", "Write a text: it is empty."),
        ],
    )
    def test_errors_stand_at_the_text_and_nothing_is_lost(
        self, admin_client: Client, application: Application, group: ContactGroup, text: str, says: str
    ) -> None:
        answer = self.compose(admin_client, application, group, text=text, sender_id="STORE", rate_per_second="7")

        errors = self.errors(answer)
        form = answer.context["adminform"].form
        assert list(errors) == ["text"]
        assert says.replace(",", "") in errors["text"].replace(",", "")
        assert {name: form[name].value() for name in ("name", "text", "sender_id", "rate_per_second")} == {
            "name": "Autumn",
            "text": text,
            "sender_id": "STORE",
            "rate_per_second": "7",
        }
        assert form["groups"].value() == [str(group.pk)]
        assert not Campaign.objects.exists()

    def test_1024_characters_are_possible(
        self, admin_client: Client, application: Application, group: ContactGroup
    ) -> None:
        assert self.compose(admin_client, application, group, text="x" * 1024).status_code == 302

    def test_a_line_ends_with_one_character(
        self, admin_client: Client, application: Application, group: ContactGroup
    ) -> None:
        self.compose(admin_client, application, group, text="One\r\ntwo")

        assert Campaign.objects.get().text == "One\ntwo"

    def test_an_application_of_another_channel_is_not_offered(
        self, admin_client: Client, application: Application, group: ContactGroup
    ) -> None:
        voice = Application.objects.create(app_id="voice1", channel="voice", name="Calls")
        off = Application.objects.create(app_id="off1", channel="sms", is_active=False)

        form = admin_client.get(reverse(ADD)).context["adminform"].form
        answers = [self.compose(admin_client, app, group) for app in (voice, off)]

        assert list(form.fields["application"].queryset) == [application]
        assert [list(self.errors(answer)) for answer in answers] == [["application"]] * 2
        assert not Campaign.objects.exists()

    def test_a_sender_id_too_long_is_said_at_its_field(
        self, admin_client: Client, application: Application, group: ContactGroup
    ) -> None:
        answer = self.compose(admin_client, application, group, sender_id="x" * 33)

        assert list(self.errors(answer)) == ["sender_id"]

    def test_what_was_launched_is_not_edited_nor_deleted(self, admin_client: Client, draft: Campaign) -> None:
        frozen(draft)

        admin_client.post(own_page(draft, "change"), {"name": "Other", "text": "Other"})
        deleted = admin_client.post(own_page(draft, "delete"), {"post": "yes"})

        draft.refresh_from_db()
        assert (draft.name, draft.text) == ("Autumn", "Hi {{name}}")
        assert deleted.status_code == 403


class LaunchTests:
    def test_the_button_says_what_it_does(self, admin_client: Client, draft: Campaign) -> None:
        said = admin_client.get(own_page(draft, "review"))

        assert "Send 3 messages" in said.content.decode()
        assert said.context["preview"] == "Hi Ann Lee"

    def test_two_posts_launch_once(self, admin_client: Client, draft: Campaign) -> None:
        posted = hidden(admin_client, own_page(draft, "review"))
        answers = [admin_client.post(own_page(draft, "review"), posted) for _ in range(2)]

        draft.refresh_from_db()
        assert [answer["Location"] for answer in answers] == [own_page(draft, "change")] * 2
        assert draft.state == CampaignState.RUNNING
        assert CampaignEvent.objects.filter(campaign=draft).count() == 2  # created, launched

    def test_without_credentials_it_stays_a_draft_and_says_so(
        self, admin_client: Client, draft: Campaign, settings: Any
    ) -> None:
        settings.LAAFFIC_API_KEY = ""
        account.laaffic_client.cache_clear()

        answer = admin_client.post(own_page(draft, "review"), hidden(admin_client, own_page(draft, "review")))

        draft.refresh_from_db()
        assert draft.state == CampaignState.DRAFT
        assert "LAAFFIC_API_KEY and LAAFFIC_API_SECRET are not set" in answer.content.decode()

    def test_a_test_to_no_number_says_what_is_wrong(self, admin_client: Client, draft: Campaign) -> None:
        answer = admin_client.post(own_page(draft, "test"), {"number": "abc"}, follow=True)

        assert [message.level_tag for message in answer.context["messages"]] == ["error"]
        assert Campaign.objects.count() == 1

    def test_a_test_is_a_campaign_of_its_own(self, admin_client: Client, draft: Campaign) -> None:
        admin_client.post(own_page(draft, "test"), {"number": "+91 98765 00000"})

        test = Campaign.objects.exclude(pk=draft.pk).get()
        assert (test.kind, test.state) == ("test", CampaignState.RUNNING)

    @pytest.mark.parametrize(("verb", "state"), [("pause", CampaignState.PAUSED), ("cancel", CampaignState.CANCELLED)])
    def test_the_buttons_do_what_they_say(
        self, admin_client: Client, draft: Campaign, verb: str, state: CampaignState
    ) -> None:
        frozen(draft)

        admin_client.post(own_page(draft, "do", verb))

        draft.refresh_from_db()
        assert draft.state == state
        assert CampaignEvent.objects.first().actor.username == "admin"

    def test_what_the_state_does_not_allow_is_said(self, admin_client: Client, draft: Campaign) -> None:
        answer = admin_client.post(own_page(draft, "do", "pause"), follow=True)

        assert "cannot be paused" in str(next(iter(answer.context["messages"])))


class ProgressTests:
    @pytest.mark.parametrize("state", [CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.HELD])
    def test_it_is_never_100_before_it_is_finished(
        self, admin_client: Client, draft: Campaign, state: CampaignState
    ) -> None:
        frozen(draft)
        Batch.objects.update(queued=0, delivered=3)
        Campaign.objects.update(state=state)

        answer = admin_client.get(own_page(draft, "change"))

        assert answer.context["progress"]["percent"] == 99
        assert '<span id="percent">99%</span>' in answer.content.decode()

    def test_it_is_100_when_it_is_finished(self, admin_client: Client, draft: Campaign) -> None:
        frozen(draft)
        Batch.objects.update(queued=0, delivered=3, state=BatchState.SETTLED)
        assert campaigns.finish_if_done(draft.pk)

        assert admin_client.get(own_page(draft, "change")).context["progress"]["percent"] == 100

    def test_the_reason_of_a_hold_is_shown(self, admin_client: Client, draft: Campaign) -> None:
        frozen(draft)
        states.hold(draft.pk, "Laaffic refused with -10: no balance.")

        assert "Laaffic refused with -10: no balance." in admin_client.get(own_page(draft, "change")).content.decode()

    def test_more_campaigns_cost_no_more_queries(
        self, admin_client: Client, application: Application, group: ContactGroup
    ) -> None:
        def more(count: int) -> int:
            for n in range(count):
                drafts.create(name=f"{n}", application=application, sender_id="", text="Hi", groups=[group])
            with CaptureQueriesContext(connection) as queries:
                assert admin_client.get(reverse(LIST)).status_code == 200
            return len(queries)

        admin_client.get(reverse(LIST))

        assert more(2) == more(28)


class MessageListTests:
    def found(self, client: Client, **query: Any) -> set[str]:
        answer = client.get(reverse("admin:messaging_message_changelist"), query)
        assert answer.status_code == 200
        return {message.number for message in answer.context["cl"].result_list}

    def test_each_state_has_its_rows(self, admin_client: Client, draft: Campaign) -> None:
        frozen(draft)
        numbers = sorted(Message.objects.values_list("number", flat=True))
        Message.objects.filter(number=numbers[0]).update(state=MessageState.DELIVERED)

        assert self.found(admin_client, **{"in": "delivered"}) == {numbers[0]}
        assert self.found(admin_client, **{"in": "queued"}) == set(numbers[1:])
        assert self.found(admin_client, **{"in": "claimed"}) == set()
        Batch.objects.update(state=BatchState.CLAIMED)
        assert self.found(admin_client, **{"in": "queued"}) == set()
        assert self.found(admin_client, **{"in": "claimed"}) == set(numbers[1:])

    def test_the_counts_of_a_campaign_lead_to_its_rows(self, admin_client: Client, draft: Campaign) -> None:
        frozen(draft)
        other = drafts.create(
            name="B", application=draft.application, sender_id="", text="Hi", numbers=["918123456789"]
        )
        frozen(other)

        for state in MessageState:
            found = self.found(admin_client, campaign__id__exact=draft.pk, **{"in": state.key})
            assert len(found) == counting.state_counts(draft)[state.key]

    def test_search_by_number_gateway_id_and_order_id(self, admin_client: Client, draft: Campaign) -> None:
        frozen(draft)
        wanted = Message.objects.order_by("pk")[1]
        Message.objects.filter(pk=wanted.pk).update(gateway_id="2512111030001")

        for term in [wanted.number, f"+{wanted.number}", "2512111030001", f"lc-{wanted.pk}"]:
            assert self.found(admin_client, q=term) == {wanted.number}
        assert self.found(admin_client, q="lc-999999") == set()
        assert self.found(admin_client, q="nobody") == set()

    def test_a_message_shows_its_text_and_ids(self, admin_client: Client, draft: Campaign) -> None:
        frozen(draft)
        message = Message.objects.first()

        said = admin_client.get(reverse("admin:messaging_message_change", args=[message.pk])).content.decode()

        assert "Hi Ann Lee" in said
        assert f"lc-{message.pk}" in said

    def test_nobody_changes_messages(self, admin_client: Client, draft: Campaign) -> None:
        frozen(draft)
        message = Message.objects.first()

        assert admin_client.get(reverse("admin:messaging_message_add")).status_code == 403
        deleted = admin_client.post(reverse("admin:messaging_message_delete", args=[message.pk]), {"post": "yes"})
        assert deleted.status_code == 403
