"""A person's page: everything by number, newest first, page by page; and what erasing leaves."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import Application
from messaging.models import (
    Batch,
    BatchState,
    Campaign,
    Contact,
    ContactGroup,
    EmailCampaign,
    EmailMessage,
    Erasure,
    GroupMembership,
    Message,
    MessageState,
    PastedNumber,
    Reply,
    SuppressionEntry,
)
from messaging.people import person_timeline
from messaging.people.person_timeline import Behind
from messaging.registered import person_entries
from messaging.services.contacts import contact_writes, erasures, pastes, people, suppression
from messaging.services.figures import timeline
from phone_numbers.models import Binding
from voice.models import CallRecord, SipCall

pytestmark = pytest.mark.django_db

NUMBER = "919876543210"
NOW = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)
PAGE = f"/admin/messaging/contact/person/{NUMBER}/"
STATES = (("draft", "open"), ("scheduled", "open"), ("running", "freezing"), ("finished", "frozen"))


@pytest.fixture
def person() -> Contact:
    found = Contact.objects.create(number=NUMBER, name="Asha", email="Asha@example.org", attributes={"city": "Pune"})
    group = ContactGroup.objects.create(name="customers")
    GroupMembership.objects.create(contact=found, group=group)
    return found


def message(application: Application, name: str = "Diwali", number: str = NUMBER, **fields: Any) -> Message:
    campaign = Campaign.objects.create(name=name, application=application, text="Hi {{name}}", launched_at=NOW)
    state = fields.pop("batch_state", BatchState.SETTLED)
    batch = Batch.objects.create(campaign=campaign, first_message_id=0, last_message_id=0, size=1, state=state)
    fields = {"state": MessageState.DELIVERED, "settled_at": NOW, "merge_values": {"name": "Asha"}} | fields
    return Message.objects.create(campaign=campaign, batch=batch, number=number, **fields)


def reply(number: str = NUMBER, at: dt.datetime = NOW, text: str = "Yes please", **fields: Any) -> Reply:
    return Reply.objects.create(key=f"{number}{at}{text}", number=number, content=text, at=at, received_at=at, **fields)


def all_of_it(application: Application) -> None:
    message(application)
    reply(at=NOW + dt.timedelta(hours=1))
    suppression.suppress_numbers([NUMBER], channel="sms", reason="opt_out", note="by phone")
    suppression.allow_again(SuppressionEntry.objects.all(), why="changed her mind", by=None)
    suppression.suppress_numbers([NUMBER], channel="email", reason="complaint")
    letter = EmailCampaign.objects.create(name="Letter", application=application, from_address="a", receiver_id="1")
    EmailMessage.objects.create(campaign=letter, key="k", address="asha@example.org", told_at=NOW)
    CallRecord.objects.create(voice_id="v", callee=NUMBER, at=NOW, first_seen_at=NOW, outcome="busy")
    SipCall.objects.create(application=application, account="100", callee=NUMBER, called_info="m")
    Binding.objects.create(application=application, bind_id="b", phone_a=NUMBER, phone_b="2", first_seen_at=NOW)


def sources() -> list[person_timeline.Source]:
    return person_timeline.sources_for(User(is_superuser=True))


class TimelineTests:
    def test_everything_is_there_newest_first(self, person: Contact, application: Application) -> None:
        all_of_it(application)

        shown, following = person_timeline.page(people.of(NUMBER).person, sources())

        names = {"contact", "messages", "replies", "released", "suppressed", "emails", "call-records", "calls"}
        assert {one.source.name for one in shown} == names | {"bindings"}
        assert [one.entry.at for one in shown] == sorted((one.entry.at for one in shown), reverse=True)
        assert following == ""

    @pytest.mark.parametrize("size", [1, 2, 3, 7])
    def test_pages_leave_nothing_out_and_show_nothing_twice(self, application: Application, size: int) -> None:
        """Also where everything happened in the same moment."""
        all_of_it(application)
        for n in range(6):
            reply(text=str(n), at=NOW)
            message(application, f"C{n}")
        known = people.of(NUMBER).person
        whole = [one.cursor for one in person_timeline.page(known, sources(), size=100)[0]]
        paged, cursor = [], ""
        for _page in range(50):
            shown, cursor = person_timeline.page(known, sources(), cursor, size)
            paged += [one.cursor for one in shown]
            if not cursor:
                break

        assert paged == whole
        assert len(whole) == len(set(whole)) > 15

    @pytest.mark.parametrize(
        "cursor", ["x", "~~", "2026-13-40T00:00~replies~1", "2026-05-04T12:00~replies~1", "☃~a~-1"]
    )
    def test_a_cursor_that_nobody_wrote_is_the_beginning(self, cursor: str) -> None:
        reply()

        assert len(person_timeline.page(people.of(NUMBER).person, sources(), cursor)[0]) == 1

    def test_another_spelling_is_the_same_person(self, application: Application) -> None:
        message(application, number="5215512345678")
        reply(number="525512345678")

        shown, _following = person_timeline.page(people.of("525512345678").person, sources())

        assert {one.source.name for one in shown} == {"messages", "replies"}

    def test_it_asks_as_much_for_many_as_for_one(self, person: Contact, application: Application) -> None:
        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                person_timeline.page(people.of(NUMBER).person, sources())
            return len(captured)

        all_of_it(application)
        one = queries()
        for n in range(60):
            reply(text=str(n))
            message(application, f"C{n}")

        assert queries() == one


class PageTests:
    def test_it_says_what_is_known(self, admin_client: Client, person: Contact, application: Application) -> None:
        all_of_it(application)

        page = admin_client.get(PAGE).content.decode()

        for said in ("Asha", "customers", "Pune", "Diwali", "Yes please", "changed her mind", "Email: suppressed."):
            assert said in page

    def test_a_number_that_is_no_contact_has_one(self, admin_client: Client, application: Application) -> None:
        message(application)

        page = admin_client.get(PAGE).content.decode()

        assert "not among the contacts" in page
        assert "Diwali" in page

    def test_older_ones_are_a_page_away(self, admin_client: Client) -> None:
        for n in range(person_timeline.PAGE + 5):
            reply(text=f"text {n}", at=NOW + dt.timedelta(minutes=n))

        first = admin_client.get(PAGE)
        second = admin_client.get(PAGE, {"before": first.context["following"]})

        assert (len(first.context["shown"]), len(second.context["shown"])) == (person_timeline.PAGE, 5)
        assert second.context["following"] == ""

    @pytest.mark.parametrize("key", ["x", "+919876543210", "9" * 16, "９１", "-1"])
    def test_what_is_no_number_has_none(self, admin_client: Client, key: str) -> None:
        assert admin_client.get(f"/admin/messaging/contact/person/{key}/").status_code == 404

    def test_each_source_needs_its_right(self, client: Client, person: Contact, application: Application) -> None:
        all_of_it(application)
        user = User.objects.create_user("bo", is_staff=True)
        client.force_login(user)
        assert client.get(PAGE).status_code == 403
        user.user_permissions.add(Permission.objects.get(codename="view_contact"))
        assert client.get(PAGE).status_code == 403  # its address is the number, which they see masked
        user.user_permissions.add(Permission.objects.get(codename="see_numbers"))

        page = client.get(PAGE)

        assert {one.source.name for one in page.context["shown"]} == {"contact"}
        assert page.context["entries"] is None
        assert client.get(f"{PAGE}export/csv/").status_code == 403
        assert client.post(f"{PAGE}erase/", {"why": "x"}).status_code == 403
        assert Contact.objects.exists()

    @pytest.mark.parametrize("kind", ["csv", "xlsx"])
    def test_it_can_be_taken_away(self, admin_client: Client, person: Contact, kind: str) -> None:
        reply(text="=1+1")

        answer = admin_client.get(f"{PAGE}export/{kind}/")
        content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]

        assert answer.status_code == 200
        if kind == "csv":
            assert "'=1+1" in content.decode()
            assert "Pune" in content.decode()
            assert content.count(b"\n") == 7
        assert admin_client.get(f"{PAGE}export/exe/").status_code == 404

    def test_a_contact_a_message_and_lists_lead_to_it(
        self, admin_client: Client, person: Contact, application: Application
    ) -> None:
        sent = message(application)
        reply()
        CallRecord.objects.create(voice_id="v", callee=NUMBER, at=timezone.now(), first_seen_at=NOW, outcome="busy")

        for name, arguments in [
            ("messaging_contact_change", [person.pk]),
            ("messaging_message_change", [sent.pk]),
            ("messaging_message_changelist", []),
            ("messaging_reply_changelist", []),
            ("voice_callrecord_changelist", []),
        ]:
            assert PAGE in admin_client.get(reverse(f"admin:{name}", args=arguments)).content.decode(), name


class EraseTests:
    def test_who_they_are_goes_and_what_was_sent_stays(
        self, admin_client: Client, person: Contact, application: Application
    ) -> None:
        sent = message(application)
        said = reply(text="I am Asha of Pune", opt_out="STOP")
        other = reply(number="919999999999")
        suppression.suppress_numbers([NUMBER], channel="all", reason="opt_out")

        assert "There is no way back" in admin_client.get(f"{PAGE}erase/").content.decode()
        assert Contact.objects.exists()
        answer = admin_client.post(f"{PAGE}erase/", {"why": "asked for it by letter"}, follow=True)

        for row in (sent, said, other):
            row.refresh_from_db()
        assert not Contact.objects.exists()
        assert not GroupMembership.objects.exists()
        assert (sent.number, sent.state, sent.merge_values) == (NUMBER, MessageState.DELIVERED, {"name": ""})
        assert (said.content, said.opt_out, other.content) == ("", "STOP", "Yes please")
        assert SuppressionEntry.objects.filter(number=NUMBER).exists()
        erasure = Erasure.objects.get()
        assert (erasure.contacts, erasure.messages, erasure.replies, erasure.why) == (1, 1, 1, "asked for it by letter")
        assert erasure.erased_by is not None
        page = answer.content.decode()
        assert "asked for it by letter" in page
        assert "Pune" not in page
        sent_page = admin_client.get(reverse("admin:messaging_message_change", args=[sent.pk]))
        assert sent_page.status_code == 200
        assert "Asha" not in sent_page.content.decode()

    def test_it_stays_done_without_the_account_of_who_did_it(self, admin_user: User) -> None:
        people.erase(NUMBER, why="asked for it", by=admin_user)

        admin_user.delete()

        assert erasures.is_of_erased(NUMBER)
        [entry] = person_entries.erasures(people.of(NUMBER).person, Behind(), 9)
        assert entry.title == "Erased"

    @pytest.mark.parametrize(
        ("state", "batch_state"),
        [
            (MessageState.QUEUED, BatchState.CLAIMED),
            (MessageState.QUEUED, BatchState.QUEUED),
            (MessageState.UNKNOWN, BatchState.UNKNOWN),
        ],
    )
    def test_not_while_a_message_waits(
        self, admin_client: Client, person: Contact, application: Application, state: int, batch_state: str
    ) -> None:
        sent = message(application, state=state, batch_state=batch_state)

        answer = admin_client.post(f"{PAGE}erase/", {"why": "asked"})

        sent.refresh_from_db()
        assert "Cancel or settle it first" in answer.content.decode()
        assert Contact.objects.exists()
        assert sent.merge_values == {"name": "Asha"}

    def test_not_while_one_was_frozen_or_went_into_another_batch_meanwhile(
        self, person: Contact, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """While this waited for the batches, or for a freeze to be committed."""
        monkeypatch.setattr(
            contact_writes,
            "freeze_none",
            lambda: message(application, state=MessageState.QUEUED, batch_state=BatchState.QUEUED),
        )

        with pytest.raises(ValidationError, match="waits"):
            people.erase(NUMBER, why="asked for it", by=None)

        assert Contact.objects.exists()

    def test_what_is_not_launched_yet_does_not_reach_them(self, person: Contact, application: Application) -> None:
        written = f"+{NUMBER[:2]} {NUMBER[2:]}"
        for state, frozen in STATES:
            given = {"state": state, "audience": frozen, "extra_numbers": [written, "919999999999", "no number"]}
            Campaign.objects.create(name=state, application=application, **given)

        people.erase(NUMBER, why="asked for it", by=None)

        left = dict(Campaign.objects.values_list("name", "extra_numbers"))
        others = ["919999999999", "no number"]
        assert left == dict.fromkeys(("draft", "scheduled", "running"), others) | {"finished": [written, *others]}

    @pytest.mark.parametrize("kind", ["quick", "test", "campaign"])
    def test_a_text_that_was_written_to_them_alone_goes(self, application: Application, kind: str) -> None:
        other = "919999999999"
        sent = {}
        for name, state, numbers in [
            ("alone", "finished", [NUMBER]),
            ("cancelled", "cancelled", [NUMBER]),
            ("running", "running", [NUMBER]),
            ("both", "finished", [NUMBER, other]),
            ("another", "finished", [other]),
        ]:
            sent[name] = message(application, name, numbers[0], merge_values=None, segments=2)
            campaign = sent[name].campaign
            for number in numbers[1:]:
                Message.objects.create(campaign=campaign, batch=sent[name].batch, number=number)
            said = {"text": "Dear Asha, it is positive", "channel_options": {"title": "For Asha", "mms_type": "x"}}
            settled = {"state": state, "audience": "frozen", "total": len(numbers), "kind": kind, **said}
            Campaign.objects.filter(pk=campaign.pk).update(**settled)

        people.erase(NUMBER, why="asked for it", by=None)

        left = {one.name: (one.text, one.channel_options["title"]) for one in Campaign.objects.all()}
        assert {name for name, said in left.items() if said == ("", "")} == {"alone", "cancelled"}
        assert {name for name, said in left.items() if "Asha" in said[0]} == {"running", "both", "another"}
        assert timeline.segments_of(Message.objects.get(pk=sent["alone"].pk)) == 2

    def test_a_paste_counts_them_no_more(self) -> None:
        paste, other = pastes.from_lines([NUMBER, "919876500002"]), pastes.from_lines(["919876500002"])

        people.erase(NUMBER, why="asked for it", by=None)

        for one in (paste, other):
            one.refresh_from_db()
            assert one.numbers == PastedNumber.objects.filter(paste=one).count() == 1

    def test_not_without_a_reason(self, person: Contact) -> None:
        with pytest.raises(ValidationError):
            people.erase(NUMBER, why="  ", by=None)
