"""A suppression holds for the subscriber: for every spelling of the number, wherever the list is asked."""

import importlib
from collections.abc import Callable

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import (
    Campaign,
    Contact,
    ContactGroup,
    Message,
    MessageState,
    OtherSpelling,
    Reply,
    SuppressionEntry,
    SuppressionRelease,
)
from messaging.services.audience import audience, audience_counts
from messaging.services.campaigns import campaigns, drafts, starting
from messaging.services.contacts import suppression
from messaging.services.replies import replies
from tests.messaging.conftest import add_contacts
from tests.messaging.replies.test_replies import in_vendors_zone, push, pushed
from voice.services.calls import sip_calls as calls
from voice.services.group_calls import callees as group_callees

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/messaging/suppressionentry/"
PAIRS = [
    ("525512345678", "5215512345678"),
    ("5215512345678", "525512345678"),
    ("5491123456789", "541123456789"),
    ("54111523456789", "541123456789"),
    ("5511987654321", "551187654321"),
    ("22507123456", "2250707123456"),
    ("2290197123456", "22997123456"),
    ("84771234567", "841221234567"),
]
OTHERS = ["919876543210", "5511941234567", "390612345678"]


def draft(application: Application, group: ContactGroup, **given: object) -> Campaign:
    return drafts.create(name="Any", application=application, sender_id="SHOP", text="Hi", groups=[group], **given)


def add(group: ContactGroup, *numbers: str) -> None:
    for number in numbers:
        add_contacts(group, 1, first=int(number))


class SendingTests:
    def test_whoever_is_suppressed_by_another_spelling_is_not_frozen(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add(group, *dict.fromkeys(written for _entry, written in PAIRS), *OTHERS)
        suppression.suppress_numbers([entry for entry, _written in PAIRS], channel="sms", reason="opt_out")
        planned = draft(application, group)
        counted = audience_counts.complete(planned)

        starting.launch(planned.pk)
        run_jobs()

        assert {message["number"] for message in sandbox.messages()} == set(OTHERS)
        planned.refresh_from_db()
        assert (planned.total, planned.dropped_suppressed) == (len(OTHERS), 7)
        assert counted.suppressed == 7

    @pytest.mark.parametrize("channel", ["sms", "all"])
    def test_whoever_opts_out_by_another_spelling_is_not_claimed(
        self, channel: str, sandbox: RunningSandbox, application: Application, group: ContactGroup,
        run_jobs: Callable[[], int],
    ) -> None:  # fmt: skip
        add(group, "525512345678", "919876543210")
        campaign = draft(application, group)
        starting.launch(campaign.pk)
        campaigns.pause(campaign.pk)
        run_jobs()
        SuppressionEntry.objects.create(number="5215512345678", channel=channel)

        campaigns.resume(campaign.pk)
        run_jobs()

        assert {message["number"] for message in sandbox.messages()} == {"919876543210"}
        assert Message.objects.get(number="525512345678").state == MessageState.SUPPRESSED

    def test_numbers_that_are_given_one_by_one_too(
        self, sandbox: RunningSandbox, application: Application, run_jobs: Callable[[], int]
    ) -> None:
        suppression.suppress_numbers(["551187654321"], channel="all", reason="opt_out")
        numbers = ["5511987654321", "525512345678"]
        campaign = drafts.create(name="Few", application=application, sender_id="SHOP", text="Hi", numbers=numbers)

        starting.launch(campaign.pk)
        run_jobs()

        assert [message["number"] for message in sandbox.messages()] == ["525512345678"]

    def test_another_channel_is_not_stopped(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add(group, "525512345678")
        suppression.suppress_numbers(["5215512345678"], channel="voice", reason="opt_out")

        starting.launch(draft(application, group).pk)
        run_jobs()

        assert len(sandbox.messages()) == 1

    def test_one_person_with_two_spellings_gets_one_message(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add(group, "525512345678", "919876543210", "5215512345678", "5511987654321", "551187654321")
        campaign = draft(application, group, numbers=["541123456789", "5491123456789", "551187654321"])

        starting.launch(campaign.pk)
        run_jobs()

        reached = [message["number"] for message in sandbox.messages()]
        assert sorted(reached) == ["525512345678", "541123456789", "5511987654321", "919876543210"]
        campaign.refresh_from_db()
        assert (campaign.total, campaign.dropped_invalid, campaign.state) == (4, 4, "finished")

    @pytest.mark.parametrize("at_once", [1, 2, 1000])
    def test_also_when_the_two_are_frozen_apart(
        self, at_once: int, application: Application, group: ContactGroup, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(audience, "CHUNK", at_once)
        add(group, "551187654321", "54111523456789", "541123456789", "919876543210", "5511987654321")
        campaign = draft(application, group)
        audience.begin(campaign)

        while audience.freeze_chunk(campaign.pk):
            pass

        reached = Message.objects.order_by("pk").values_list("number", flat=True)
        assert list(reached) == ["541123456789", "919876543210", "5511987654321"]
        campaign.refresh_from_db()
        assert (campaign.total, campaign.dropped_invalid) == (3, 2)


class CallTests:
    def test_a_phone_call_is_refused(self) -> None:
        suppression.suppress_numbers(["5215512345678"], channel="voice", reason="opt_out")

        with pytest.raises(ValidationError, match="suppression list"):
            calls._check_wanted("525512345678")

    def test_a_group_call_leaves_them_out(self) -> None:
        suppression.suppress_numbers(["541123456789"], channel="all", reason="opt_out")
        suppression.suppress_numbers(["551187654321"], channel="sms", reason="opt_out")
        numbers = ["5491123456789", "5511987654321", "919876543210"]

        assert group_callees.suppressed(numbers, with_sms=False) == {"5491123456789"}
        assert group_callees.suppressed(numbers, with_sms=True) == {"5491123456789", "5511987654321"}


class ReplyTests:
    def test_a_stop_from_another_spelling_is_put_to_its_message_and_stops_the_next(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 1, first=525512345678, name="Ana")
        first = draft(application, group)
        starting.launch(first.pk)
        run_jobs()

        push(pushed(number="5215512345678", content="Stop", reply_time=in_vendors_zone(timezone.now())))
        second = draft(application, group)
        starting.launch(second.pk)
        run_jobs()

        reply = Reply.objects.get()
        assert reply.campaign == first
        assert replies.contacts_of([reply])[reply.number].name == "Ana"
        assert len(sandbox.messages()) == 1
        second.refresh_from_db()
        assert second.dropped_suppressed == 1

    def test_it_stands_on_the_contacts_page(self, admin_client: Client, group: ContactGroup) -> None:
        (contact,) = add_contacts(group, 1, first=525512345678, name="Ana")
        push(pushed(number="5215512345678", content="Who is this?"), pushed(number="5215512345678", content="STOP"))

        page = admin_client.get(f"/admin/messaging/contact/{contact.pk}/change/")
        listed = admin_client.get("/admin/messaging/reply/?q=525512345678").content.decode()
        exported = admin_client.get("/admin/messaging/reply/export/csv/")

        assert "Who is this?" in page.content.decode()
        assert [entry.number for entry in page.context["entries"]] == ["525512345678"]
        assert "Who is this?" in listed
        assert "Ana" in listed
        assert b"Ana" in b"".join(exported.streaming_content)


class ListTests:
    def test_it_is_there_already_by_another_spelling(self) -> None:
        suppression.suppress_numbers(["525512345678"], channel="sms", reason="opt_out")

        outcome = suppression.suppress_numbers(
            ["5215512345678", "5511987654321", "551187654321"], channel="sms", reason="opt_out"
        )

        assert (outcome.added, outcome.already_there) == (1, 2)
        assert set(SuppressionEntry.objects.values_list("number", flat=True)) == {"525512345678", "5511987654321"}

    def test_pasted_as_a_reply_came_it_is_taken(self) -> None:
        read = suppression.read_pasted("+52 1 55 1234 5678\n22507123456")

        assert (read.good, read.invalid) == (["5215512345678", "22507123456"], [])

    def test_it_is_found_by_every_spelling(self, admin_client: Client) -> None:
        suppression.suppress_numbers(["5215512345678", "919876543210"], channel="sms", reason="opt_out")

        for written in ("525512345678", "5215512345678", "%2B52 55 1234 5678", "521"):
            found = admin_client.get(f"{LIST}?q={written}").context["cl"].result_list
            assert [entry.number for entry in found] == ["5215512345678"], written

    def test_its_page_opens_though_the_spelling_is_not_in_use(self, admin_client: Client, group: ContactGroup) -> None:
        add_contacts(group, 1, first=525512345678, name="Ana")
        entry = SuppressionEntry.objects.create(number="5215512345678")

        answer = admin_client.get(f"{LIST}{entry.pk}/change/")

        assert answer.status_code == 200
        assert (answer.context["country"], answer.context["contact"].name) == ("MX", "Ana")

    def test_allowed_again_is_every_spelling_of_the_channel(self) -> None:
        for number, channel in (("525512345678", "sms"), ("5215512345678", "sms"), ("5215512345678", "voice")):
            SuppressionEntry.objects.create(number=number, channel=channel)

        released = suppression.allow_again(SuppressionEntry.objects.filter(number="525512345678"), why="asked", by=None)

        assert released == (1, 1)
        assert SuppressionEntry.objects.get().channel == "voice"
        assert SuppressionRelease.objects.count() == 2
        assert not suppression.suppressed_among(["525512345678"], channels=["sms", "all"])

    def test_what_was_suppressed_before_is_spelt_by_the_migration(self) -> None:
        SuppressionEntry.objects.create(number="5215512345678", channel="sms")
        SuppressionEntry.objects.create(number="919876543210", channel="sms")
        OtherSpelling.objects.all().delete()
        migration = importlib.import_module("messaging.migrations.0017_other_spellings")

        migration.spell_what_is_suppressed(apps, None)
        migration.spell_what_is_suppressed(apps, None)

        assert OtherSpelling.objects.values_list("number", "suppressed").get() == ("525512345678", "5215512345678")

    def test_contacts_are_kept_as_they_are_written(self, group: ContactGroup) -> None:
        add(group, "5511987654321", "551187654321")

        assert Contact.objects.count() == 2
