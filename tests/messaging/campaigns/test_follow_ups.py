"""After a campaign: copied, its failed once more, or only who was not in it."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from laaffic_console.kit.audit import acts
from laaffic_console.kit.words.not_now import NotNow
from messaging.models import (
    Audience,
    Batch,
    Campaign,
    CampaignState,
    Contact,
    ContactGroup,
    EarlierAttempt,
    Message,
    MessageState,
    OutcomeTally,
    Reply,
    SuppressionEntry,
)
from messaging.services.audience import audience
from messaging.services.campaigns import campaigns, drafts, follow_ups, starting
from messaging.services.contacts import people
from messaging.services.gates import retries
from messaging.services.saved_audiences import audiences
from messaging.wire.incurable import is_incurable, is_not_in_use
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db

ENDS = [
    MessageState.DELIVERED,
    MessageState.UNDELIVERED,
    MessageState.REJECTED,
    MessageState.EXPIRED,
    MessageState.UNKNOWN,
]


@pytest.fixture
def over(application: Application, group: ContactGroup, settings: object) -> Campaign:
    """A finished campaign to five people, each with another end."""
    settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"  # type: ignore[attr-defined]
    account.laaffic_client.cache_clear()
    add_contacts(group, len(ENDS))
    made = drafts.create(
        name="Autumn", application=application, sender_id="SHOP", text="Hi", groups=[group], rate_per_second=7
    )
    return finished(made)


def finished(campaign: Campaign) -> Campaign:
    starting.launch(campaign.pk)
    while audience.freeze_chunk(campaign.pk):
        pass
    for message in Message.objects.filter(campaign=campaign).order_by("pk"):
        end = ENDS[message.pk % len(ENDS)]
        Message.objects.filter(pk=message.pk).update(state=end)
        batch = Batch.objects.get(pk=message.batch_id)
        setattr(batch, end.key, getattr(batch, end.key) + 1)
        batch.queued -= 1
        batch.save()
    for end in follow_ups.FAILED:
        OutcomeTally.objects.create(campaign=campaign, state=end, messages=1)
    Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.FINISHED)
    campaign.refresh_from_db()
    return campaign


def numbers_of(draft: Campaign) -> set[str]:
    """Whom it would go to: frozen as a launch does."""
    starting.launch(draft.pk)
    while audience.freeze_chunk(draft.pk):
        pass
    return set(Message.objects.filter(campaign=draft).values_list("number", flat=True))


def numbers_in(campaign: Campaign, *states: MessageState) -> set[str]:
    return set(Message.objects.filter(campaign=campaign, state__in=states).values_list("number", flat=True))


class CopyTests:
    def test_keeps_content_audience_and_pace_but_sends_nothing(self, over: Campaign) -> None:
        draft = follow_ups.copy(over.pk)
        assert (draft.state, draft.text, draft.sender_id, draft.rate_per_second) == ("draft", "Hi", "SHOP", 7)
        assert [g.name for g in draft.groups.all()] == ["customers"]
        assert draft.scheduled_at is None
        assert not Message.objects.filter(campaign=draft).exists()

    def test_of_a_retry_leaves_out_who_was_reached_after_all(self, over: Campaign) -> None:
        retry = follow_ups.retry_failed(over.pk)
        campaigns.cancel(retry.pk)
        draft = follow_ups.copy(retry.pk)
        late = Message.objects.filter(campaign=over, state__in=follow_ups.FAILED).order_by("pk")[0]
        Message.objects.filter(pk=late.pk).update(state=MessageState.DELIVERED)

        got = numbers_of(draft)

        assert late.number not in got
        assert got

    def test_of_a_retry_that_was_sent_goes_to_the_same_people(self, over: Campaign) -> None:
        retry = follow_ups.retry_failed(over.pk)
        got = numbers_of(retry)
        Message.objects.filter(campaign=retry).update(state=MessageState.DELIVERED)
        Campaign.objects.filter(pk=retry.pk).update(state=CampaignState.FINISHED, first_sent_at=timezone.now())

        assert numbers_of(follow_ups.copy(retry.pk)) == got != set()

    @pytest.mark.parametrize(
        ("taken", "name"), [([" #2"], ""), (["", " #3"], " #2"), (["", " #2"], " #3"), (["", " of others"], " #2")]
    )
    def test_a_group_of_the_same_beginning_is_no_obstacle(self, over: Campaign, taken: list[str], name: str) -> None:
        for end in taken:
            ContactGroup.objects.create(name=f"Failed in Autumn{end}")

        assert follow_ups.retry_failed(over.pk).groups.get().name == f"Failed in Autumn{name}"

    def test_what_went_to_no_group_has_nobody_new(self, over: Campaign) -> None:
        over.groups.clear()

        with pytest.raises(NotNow, match="was not sent to a group"):
            follow_ups.to_new_contacts(over.pk)

    @pytest.mark.parametrize(
        "make", [follow_ups.copy, follow_ups.retry_failed, follow_ups.to_new_contacts, follow_ups.to_not_replied]
    )
    @pytest.mark.parametrize("limits", [(0, 0), (5, 90), (None, None)])
    def test_whatever_is_made_of_it_keeps_its_limits(
        self, over: Campaign, make: Callable[[int], Campaign], limits: tuple[int | None, int | None]
    ) -> None:
        Campaign.objects.update(error_limit=limits[0], latest_start_minutes=limits[1])

        draft = Campaign.objects.get(pk=make(over.pk).pk)

        assert (draft.error_limit, draft.latest_start_minutes) == limits


class ErasedTests:
    """The numbers of what has left stay as proof; nothing that is made of it writes to them again."""

    @pytest.fixture
    def given(self, application: Application, over: Campaign) -> Campaign:
        """Finished, to numbers that are no contacts; each failed."""
        made = drafts.create(
            name="Given",
            application=application,
            sender_id="SHOP",
            text="Hi",
            numbers=["+91 98765 43210", "919876543211"],
        )
        made = finished(made)
        Message.objects.filter(campaign=made).update(state=MessageState.UNDELIVERED)
        Batch.objects.filter(campaign=made).update(
            undelivered=2, queued=0, delivered=0, rejected=0, expired=0, unknown=0
        )
        return made

    @pytest.mark.parametrize("make", [follow_ups.copy, follow_ups.retry_failed])
    def test_nobody_who_was_erased_since_gets_what_follows(
        self, given: Campaign, admin_user: User, make: Callable[[int], Campaign]
    ) -> None:
        people.erase("919876543210", why="asked for it", by=admin_user)

        draft = make(given.pk)

        assert numbers_of(draft) == {"919876543211"}
        assert "Left out: 1 person who was erased since" in [event.text for event in draft.events.all()]

    def test_a_restore_has_erased_nothing_but_the_number(self, given: Campaign) -> None:
        people.erase("919876543210", why="asked for it", by=None)

        assert numbers_of(follow_ups.copy(given.pk)) == {"919876543211"}

    def test_nobody_is_left_to_retry(self, given: Campaign, admin_user: User) -> None:
        for number in ("919876543210", "919876543211"):
            people.erase(number, why="asked for it", by=admin_user)

        with pytest.raises(NotNow, match="was erased since"):
            follow_ups.retry_failed(given.pk)

        assert not ContactGroup.objects.filter(name__startswith="Failed in Given").exists()

    @pytest.mark.parametrize("make", [follow_ups.copy, follow_ups.retry_failed])
    def test_who_came_back_gets_it(self, given: Campaign, admin_user: User, make: Callable[[int], Campaign]) -> None:
        people.erase("919876543210", why="asked for it", by=admin_user)
        Contact.objects.create(number="919876543210")

        assert numbers_of(make(given.pk)) == {"919876543210", "919876543211"}


class RetryTests:
    def test_a_reason_may_be_given_as_it_is_shown(self, over: Campaign) -> None:
        """Whoever sees masked numbers reads it with dots."""
        reason, shown = "absent: 447700900123", "absent: 4477•••••123"
        for tally in (OutcomeTally, Message):
            tally.objects.filter(campaign=over, state=MessageState.UNDELIVERED).update(reason=reason)  # type: ignore[attr-defined]
        blind = acts.Actor(1, "asha", sees_numbers=False)

        with acts.acting(lambda: blind):
            draft = follow_ups.retry_failed(over.pk, reasons=[shown])

        assert numbers_of(draft) == numbers_in(over, MessageState.UNDELIVERED)
        with pytest.raises(NotNow, match="No message of"):
            follow_ups.retry_failed(over.pk, reasons=[shown])

    @pytest.mark.parametrize("now", [MessageState.DELIVERED, MessageState.ACCEPTED, MessageState.EXPIRED])
    def test_who_got_it_after_the_draft_is_left_out(self, over: Campaign, now: MessageState) -> None:
        failed = sorted(numbers_in(over, MessageState.UNDELIVERED, MessageState.REJECTED))
        draft = follow_ups.retry_failed(over.pk)
        Message.objects.filter(campaign=over, number=failed[0]).update(state=now)

        assert numbers_of(draft) == set(failed[1:])

    def test_who_got_it_after_the_draft_and_is_no_contact_is_left_out(
        self, application: Application, over: Campaign
    ) -> None:
        Message.objects.filter(campaign=over).update(contact=None, state=MessageState.UNDELIVERED)
        draft = follow_ups.retry_failed(over.pk)
        reached = Message.objects.filter(campaign=over).order_by("pk")[0]
        Message.objects.filter(pk=reached.pk).update(state=MessageState.DELIVERED)

        assert numbers_of(draft) == numbers_in(over, MessageState.UNDELIVERED)

    @pytest.mark.parametrize(
        "now", [MessageState.DELIVERED, MessageState.ACCEPTED, MessageState.EXPIRED, MessageState.UNKNOWN]
    )
    def test_who_may_have_got_another_retry_is_left_out(self, over: Campaign, now: MessageState) -> None:
        failed = sorted(numbers_in(over, *follow_ups.FAILED))
        one, two = follow_ups.retry_failed(over.pk), follow_ups.retry_failed(over.pk)
        assert numbers_of(one) == set(failed)
        Message.objects.filter(campaign=one).update(state=MessageState.UNDELIVERED)
        Message.objects.filter(campaign=one, number=failed[0]).update(state=now)

        assert numbers_of(two) == set(failed[1:])

    def test_of_two_retries_on_their_way_the_older_one_sends(self, over: Campaign) -> None:
        one, two = follow_ups.retry_failed(over.pk), follow_ups.retry_failed(over.pk)
        both = numbers_of(two)
        assert numbers_of(one) == both

        assert retries.reached_among(one, sorted(both)) == set()
        assert retries.reached_among(two, sorted(both)) == both

    def test_what_another_retry_never_sent_leaves_nobody_out(self, over: Campaign) -> None:
        one, two = follow_ups.retry_failed(over.pk), follow_ups.retry_failed(over.pk)
        failed = numbers_of(one)
        Message.objects.filter(campaign=one).update(state=MessageState.CANCELLED)

        assert numbers_of(two) == failed

    def test_who_was_reached_by_another_spelling_is_left_out(self, over: Campaign) -> None:
        draft = follow_ups.retry_failed(over.pk)
        reached = Message.objects.filter(campaign=over, state=MessageState.DELIVERED)
        reached.update(number="525512345678")

        assert retries.reached_among(draft, ["5215512345678", "4915112345679"]) == {"5215512345678"}

    def test_another_campaigns_delivery_leaves_nobody_out(self, over: Campaign, group: ContactGroup) -> None:
        draft = follow_ups.retry_failed(over.pk)
        copy = follow_ups.copy(over.pk)
        numbers_of(copy)
        Message.objects.filter(campaign=copy).update(state=MessageState.DELIVERED)

        assert numbers_of(draft) == numbers_in(over, MessageState.UNDELIVERED, MessageState.REJECTED)

    def test_goes_to_who_certainly_got_nothing(self, over: Campaign) -> None:
        expected = numbers_in(over, MessageState.UNDELIVERED, MessageState.REJECTED)
        assert len(expected) == 2
        assert numbers_of(follow_ups.retry_failed(over.pk)) == expected

    def test_includes_numbers_that_are_no_contacts(self, application: Application, over: Campaign) -> None:
        numbers = [str(4915112345670 + n) for n in range(len(ENDS))]
        made = drafts.create(name="Few", application=application, sender_id="", text="Hi", numbers=numbers)
        few = finished(made)
        expected = numbers_in(few, MessageState.UNDELIVERED, MessageState.REJECTED)
        assert len(expected) == 2
        assert set(follow_ups.retry_failed(few.pk).extra_numbers) == expected

    def test_leaves_out_contacts_that_were_deleted(self, over: Campaign) -> None:
        kept, gone = sorted(numbers_in(over, MessageState.UNDELIVERED, MessageState.REJECTED))
        Contact.objects.filter(number=gone).delete()
        assert numbers_of(follow_ups.retry_failed(over.pk)) == {kept}

    def test_has_who_was_deleted_and_is_a_contact_again(self, over: Campaign) -> None:
        kept, gone = sorted(numbers_in(over, MessageState.UNDELIVERED, MessageState.REJECTED))
        Contact.objects.filter(number=gone).delete()
        Contact.objects.create(number=gone)

        assert numbers_of(follow_ups.retry_failed(over.pk)) == {kept, gone}

    def test_waits_for_the_end(self, over: Campaign) -> None:
        Campaign.objects.filter(pk=over.pk).update(state=CampaignState.RUNNING)
        with pytest.raises(NotNow, match="when it is finished"):
            follow_ups.retry_failed(over.pk)

    def test_makes_nothing_when_nothing_failed(self, over: Campaign) -> None:
        Message.objects.filter(campaign=over).update(state=MessageState.DELIVERED)
        OutcomeTally.objects.all().delete()
        with pytest.raises(NotNow, match="No message"):
            follow_ups.retry_failed(over.pk)
        assert not ContactGroup.objects.filter(is_ad_hoc=True).exists()


CURABLE = [
    "",
    "absent subscriber",
    "Handset memory full",
    "SPAM filter",
    "-27 busy",
    "-15 too fast",
    "expired",
    "network error",
]
INCURABLE = [
    *(
        "unknown subscriber",
        "UNKNOWN_SUBSCRIBER",
        "Unknown Subscriber (1)",
        "invalid number",
        "Invalid MSISDN",
        "-9 abnormal",
    ),
    *(
        "number not in use",
        "Number does not exist",
        "BLACKLISTED",
        "black-list",
        "Blocked by user",
        "opted out",
        "DND",
        "空号",
    ),
]


class ReasonTests:
    @pytest.mark.parametrize("reason", CURABLE)
    def test_what_may_pass_is_tried_again(self, reason: str) -> None:
        assert not is_incurable(reason)

    @pytest.mark.parametrize("reason", INCURABLE)
    def test_what_cannot_be_cured_is_not(self, reason: str) -> None:
        assert is_incurable(reason)

    @pytest.fixture
    def failed(self, over: Campaign) -> dict[str, str]:
        """{reason: number} of two that failed, as tallies and messages have them."""
        found = {}
        OutcomeTally.objects.all().delete()
        reasons = ["absent subscriber", "unknown subscriber"]
        for number, reason in zip(sorted(numbers_in(over, *follow_ups.FAILED)), reasons, strict=True):
            message = Message.objects.get(campaign=over, number=number)
            Message.objects.filter(pk=message.pk).update(reason=reason)
            OutcomeTally.objects.create(campaign=over, state=message.state, reason=reason, messages=1)
            found[reason] = number
        return found

    def test_without_a_choice_only_what_can_be_cured(self, over: Campaign, failed: dict[str, str]) -> None:
        assert numbers_of(follow_ups.retry_failed(over.pk)) == {failed["absent subscriber"]}

    def test_a_person_may_choose_otherwise(self, over: Campaign, failed: dict[str, str]) -> None:
        draft = follow_ups.retry_failed(over.pk, reasons=["unknown subscriber"])

        assert numbers_of(draft) == {failed["unknown subscriber"]}

    def test_nothing_is_made_of_no_reason(self, over: Campaign, failed: dict[str, str]) -> None:
        with pytest.raises(NotNow, match="at least one reason"):
            follow_ups.retry_failed(over.pk, reasons=[])

        assert not ContactGroup.objects.filter(is_ad_hoc=True).exists()

    def test_the_page_lists_them_with_counts_and_ticks(
        self, admin_client: Client, over: Campaign, failed: dict[str, str]
    ) -> None:
        address = reverse("admin:messaging_campaign_after", args=[over.pk, "retry"])

        asked = admin_client.get(address)
        ticks = {tick.choice_label: "checked" in str(tick) for tick in asked.context["form"]["reasons"]}
        unticked = [key for key, reason in asked.context["form"].kept.items() if reason == "unknown subscriber"]
        nothing = admin_client.post(address, {"chosen": "1"})
        made = admin_client.post(address, {"chosen": "1", "reasons": unticked})

        assert ticks == {"absent subscriber (1 message)": True, "unknown subscriber (1 message)": False}
        assert "Choose at least one reason." in nothing.content.decode()
        draft = Campaign.objects.latest("pk")
        assert made["Location"] == reverse("admin:messaging_campaign_change", args=[draft.pk])
        assert numbers_of(draft) == {failed["unknown subscriber"]}


class SuppressTests:
    failed = ReasonTests.failed

    @pytest.fixture
    def address(self, over: Campaign) -> str:
        return reverse("admin:messaging_campaign_after", args=[over.pk, "retry"])

    @pytest.mark.parametrize("reason", ["unknown subscriber", "number not in use", "Invalid MSISDN", "空号"])
    def test_a_number_that_nobody_has_is_not_in_use(self, reason: str) -> None:
        assert is_not_in_use(reason)

    @pytest.mark.parametrize(
        "reason", [*CURABLE, "-9 abnormal", "-9 invalid number", "BLACKLISTED", "opted out", "DND", "out of service"]
    )
    def test_whoever_wishes_nothing_or_may_be_there_is_not(self, reason: str) -> None:
        assert not is_not_in_use(reason)

    def test_one_step_suppresses_them_and_makes_the_draft(
        self, admin_client: Client, over: Campaign, failed: dict[str, str], address: str
    ) -> None:
        form = admin_client.get(address).context["form"]
        assert form.fields["suppress"].label == "Put 1 number that is not in use on the suppression list"

        admin_client.post(address, {"chosen": "1", "reasons": form.initial["reasons"], "suppress": "on"})

        entry = SuppressionEntry.objects.get()
        assert (entry.number, entry.channel, entry.reason) == (failed["unknown subscriber"], "sms", "invalid")
        assert entry.source == f"campaign {over.pk}"
        assert numbers_of(Campaign.objects.latest("pk")) == {failed["absent subscriber"]}

    def test_whoever_gets_another_try_is_not_suppressed(
        self, admin_client: Client, failed: dict[str, str], address: str
    ) -> None:
        reasons = list(admin_client.get(address).context["form"].kept)

        admin_client.post(address, {"chosen": "1", "reasons": reasons, "suppress": "on"})

        assert not SuppressionEntry.objects.exists()
        assert numbers_of(Campaign.objects.latest("pk")) == set(failed.values())

    def test_they_can_be_suppressed_without_a_draft(
        self, admin_client: Client, over: Campaign, failed: dict[str, str], address: str
    ) -> None:
        for _again in range(2):
            said = admin_client.post(address, {"chosen": "1", "suppress": "on"}, follow=True).content.decode()

        assert "Suppression list: 0 added, 1 on it already." in said
        assert [entry.number for entry in SuppressionEntry.objects.all()] == [failed["unknown subscriber"]]
        assert Campaign.objects.get() == over

    def test_who_may_not_suppress_is_not_offered_it_and_cannot(
        self, client: Client, failed: dict[str, str], address: str
    ) -> None:
        user = User.objects.create_user("staff", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=["view_campaign", "add_campaign"]))
        client.force_login(user)
        form = client.get(address).context["form"]

        client.post(address, {"chosen": "1", "reasons": form.initial["reasons"], "suppress": "on"})

        assert "suppress" not in form.fields
        assert not SuppressionEntry.objects.exists()

    def test_the_page_asks_the_tallies_and_never_the_messages(
        self, admin_client: Client, failed: dict[str, str], address: str
    ) -> None:
        with CaptureQueriesContext(connection) as asked:
            admin_client.get(address)

        assert not [query for query in asked if 'messaging_message"' in query["sql"]]


class NewContactsTests:
    def test_goes_only_to_who_was_not_in_its_audience(self, over: Campaign, group: ContactGroup) -> None:
        newcomers = add_contacts(group, 3, first=447700900000)
        assert numbers_of(follow_ups.to_new_contacts(over.pk)) == {contact.number for contact in newcomers}

    def test_who_was_deleted_and_is_a_contact_again_is_not_new(self, over: Campaign, group: ContactGroup) -> None:
        number = Message.objects.filter(campaign=over).order_by("pk").values_list("number", flat=True)[0]
        Contact.objects.filter(number=number).delete()
        (newcomer,) = add_contacts(group, 1, first=447700900000)
        add_contacts(group, 1, first=int(number))

        assert numbers_of(follow_ups.to_new_contacts(over.pk)) == {newcomer.number}

    def test_who_got_it_as_a_bare_number_is_not_new(
        self, application: Application, group: ContactGroup, over: Campaign
    ) -> None:
        bare = Message.objects.filter(campaign=over).order_by("pk")[0]
        Message.objects.filter(pk=bare.pk).update(contact=None)
        (newcomer,) = add_contacts(group, 1, first=447700900000)

        assert numbers_of(follow_ups.to_new_contacts(over.pk)) == {newcomer.number}

    def test_counts_whose_message_was_cancelled_as_new(self, over: Campaign) -> None:
        (number,) = numbers_in(over, MessageState.EXPIRED)
        Message.objects.filter(campaign=over, number=number).update(state=MessageState.CANCELLED)
        assert numbers_of(follow_ups.to_new_contacts(over.pk)) == {number}


class NotRepliedTests:
    def test_goes_to_who_may_have_got_it_and_has_not_replied(self, over: Campaign) -> None:
        (replied,) = numbers_in(over, MessageState.DELIVERED)
        draft = follow_ups.to_not_replied(over.pk)
        reply_to(over, replied)  # after the draft was made, and before it is launched

        assert numbers_of(draft) == numbers_in(over, MessageState.EXPIRED, MessageState.UNKNOWN)

    def test_is_named_so_that_a_person_understands_it_and_keeps_the_rest(self, over: Campaign) -> None:
        draft = follow_ups.to_not_replied(over.pk)

        audience = draft.audiences.get()
        assert (draft.name, audience.name) == ("Autumn, not replied", f"Not replied to Autumn ({over.pk})")
        assert audience.condition == f"in campaign {over.pk} and not replied to campaign {over.pk}"
        assert (draft.application, draft.sender_id, draft.text) == (over.application, "SHOP", "Hi")
        assert not draft.groups.exists()

    def test_made_twice_it_has_one_audience(self, over: Campaign) -> None:
        drafts_made = [follow_ups.to_not_replied(over.pk) for _time in range(2)]

        assert drafts_made[0] != drafts_made[1]
        assert Audience.objects.count() == 1

    def test_made_twice_it_leaves_out_one_group_while_the_same_people_failed(self, over: Campaign) -> None:
        first, second = (follow_ups.to_not_replied(over.pk).excluded_groups.get() for _time in range(2))
        assert first == second
        assert [group.name for group in ContactGroup.objects.filter(is_ad_hoc=True)] == ["Not reached by Autumn"]

        Message.objects.filter(campaign=over, state=MessageState.REJECTED).update(state=MessageState.EXPIRED)
        third = follow_ups.to_not_replied(over.pk).excluded_groups.get()

        assert third != first
        assert third.contacts.count() < first.contacts.count()

    @pytest.mark.parametrize("state", [MessageState.CANCELLED, MessageState.SUPPRESSED])
    @pytest.mark.parametrize("others", ["failed", "did not"])
    def test_who_was_never_sent_anything_is_left_out(self, over: Campaign, state: MessageState, others: str) -> None:
        """By the frequency cap, a withdrawn consent or a suppression when its batch was claimed."""
        if others == "did not":
            failed = Message.objects.filter(campaign=over, state__in=follow_ups.FAILED)
            failed.update(state=MessageState.DELIVERED)
            Batch.objects.update(rejected=0, undelivered=0, delivered=3)
        (number,) = numbers_in(over, MessageState.EXPIRED)
        Message.objects.filter(campaign=over, number=number).update(state=state)
        Batch.objects.filter(campaign=over).update(**{"expired": 0, state.key: 1})

        draft = follow_ups.to_not_replied(over.pk)

        may_have_got_it = numbers_in(over, MessageState.DELIVERED, MessageState.UNKNOWN)
        assert numbers_of(draft) == may_have_got_it

    @pytest.mark.parametrize("earlier", [MessageState.UNKNOWN, MessageState.UNDELIVERED])
    def test_who_may_have_got_an_earlier_sending_is_asked(self, over: Campaign, earlier: MessageState) -> None:
        (number,) = numbers_in(over, MessageState.EXPIRED)
        message = Message.objects.get(campaign=over, number=number)
        Message.objects.filter(pk=message.pk).update(state=MessageState.CANCELLED, attempt=2)
        EarlierAttempt.objects.create(message=message, attempt=1, state=earlier)
        Batch.objects.filter(campaign=over).update(expired=0, cancelled=1)

        draft = follow_ups.to_not_replied(over.pk)

        assert (number in numbers_of(draft)) == (earlier == MessageState.UNKNOWN)

    def test_a_group_of_that_name_that_is_somebody_elses_is_left_alone(self, over: Campaign) -> None:
        first = follow_ups.to_not_replied(over.pk).excluded_groups.get()
        ContactGroup.objects.filter(pk=first.pk).update(is_ad_hoc=False)

        assert follow_ups.to_not_replied(over.pk).excluded_groups.get() != first

    def test_an_audience_of_that_name_is_no_obstacle(self, over: Campaign) -> None:
        audiences.create(name=f"Not replied to Autumn ({over.pk})", condition="country = IN")

        assert follow_ups.to_not_replied(over.pk).audiences.get().name == f"Not replied to Autumn ({over.pk}) #2"

    @pytest.mark.parametrize(
        ("state", "left", "said"),
        [
            (CampaignState.FINISHED, MessageState.DELIVERED, ""),
            (CampaignState.RUNNING, MessageState.ACCEPTED, ""),
            (CampaignState.RUNNING, MessageState.QUEUED, "has left"),
            (CampaignState.CANCELLED, MessageState.DELIVERED, "has left"),
            (CampaignState.FINISHED, MessageState.REJECTED, "Nobody got"),
        ],
    )
    def test_only_when_all_of_it_has_left_and_somebody_got_it(
        self, over: Campaign, staff: Callable[..., Client], state: CampaignState, left: MessageState, said: str
    ) -> None:
        Campaign.objects.update(state=state)
        none = dict.fromkeys((one.key for one in ENDS), 0)
        Batch.objects.update(**none)
        Batch.objects.update(**{left.key: F("size")})
        client = staff("view_campaign", "add_campaign", "add_audience")

        page = client.get(reverse("admin:messaging_campaign_change", args=[over.pk])).content.decode()
        answer = client.post(reverse("admin:messaging_campaign_after", args=[over.pk, "not-replied"]), follow=True)

        assert ('id="after-not-replied"' in page) == (said == "")
        assert said in answer.content.decode()
        assert Campaign.objects.count() == (1 if said else 2)

    def test_no_spoken_message_has_replies(self, over: Campaign) -> None:
        Campaign.objects.update(channel="voice")

        with pytest.raises(NotNow, match="Nobody can reply"):
            follow_ups.to_not_replied(over.pk)

    @pytest.mark.parametrize("numbers", [[], ["919800000001"]])
    def test_its_page_says_that_bare_numbers_are_left_out(
        self, over: Campaign, admin_client: Client, numbers: list[str]
    ) -> None:
        Campaign.objects.update(extra_numbers=numbers)

        address = reverse("admin:messaging_campaign_after", args=[over.pk, "not-replied"])
        page = admin_client.post(address, follow=True).content.decode()

        assert "It has the text of “Autumn”" in page
        assert ("belong to no contact are left out" in page) == bool(numbers)

    def test_it_takes_the_right_to_add_audiences(self, over: Campaign, staff: Callable[..., Client]) -> None:
        client = staff("view_campaign", "add_campaign")

        page = client.get(reverse("admin:messaging_campaign_change", args=[over.pk])).content.decode()
        answer = client.post(reverse("admin:messaging_campaign_after", args=[over.pk, "not-replied"]))

        assert 'id="after-not-replied"' not in page
        assert answer.status_code == 403
        assert Campaign.objects.count() == 1


def reply_to(campaign: Campaign, number: str) -> None:
    now = timezone.now()
    Reply.objects.create(key=number, number=number, campaign=campaign, content="Yes", at=now, received_at=now)


class PageTests:
    def test_a_button_makes_the_draft_and_opens_it(self, over: Campaign, staff: Callable[..., Client]) -> None:
        client = staff("view_campaign", "add_campaign", "change_campaign")
        page = client.get(reverse("admin:messaging_campaign_change", args=[over.pk])).content.decode()
        assert 'id="after-retry"' in page
        response = client.post(reverse("admin:messaging_campaign_after", args=[over.pk, "retry"]))
        draft = Campaign.objects.latest("pk")
        assert response["Location"] == reverse("admin:messaging_campaign_change", args=[draft.pk])
        assert draft.created_by is not None

    @pytest.mark.parametrize("verb", ["copy", "retry", "new", "not-replied"])
    def test_who_may_not_add_campaigns_is_refused(
        self, over: Campaign, staff: Callable[..., Client], verb: str
    ) -> None:
        client = staff("view_campaign", "launch_campaign")
        page = client.get(reverse("admin:messaging_campaign_change", args=[over.pk])).content.decode()
        assert 'id="after-' not in page
        assert client.post(reverse("admin:messaging_campaign_after", args=[over.pk, verb])).status_code == 403
        assert Campaign.objects.count() == 1

    def test_opening_the_address_makes_nothing(self, over: Campaign, staff: Callable[..., Client]) -> None:
        client = staff("view_campaign", "add_campaign")
        assert client.get(reverse("admin:messaging_campaign_after", args=[over.pk, "copy"])).status_code == 404
        assert Campaign.objects.count() == 1
