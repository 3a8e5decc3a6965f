"""What was asked for and has no known outcome is not repeated by accident: emails, tests, SMS campaigns."""

import datetime as dt
import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import AccountHold, Application, LedgerEntry
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.ledger.open_acts import StillOpen
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Batch, BatchState, Campaign, Contact, ContactGroup, EmailCampaign, GroupMembership
from messaging.services.audience import audience, repeats
from messaging.services.campaigns import campaigns, drafts, starting
from messaging.services.email import starting as email_starting
from messaging.services.email import states as email_states
from tests.messaging.conftest import add_contacts, events_saying
from tests.messaging.email.test_email_sending import draft as email_draft
from tests.messaging.pages import hidden

pytestmark = pytest.mark.django_db(transaction=True)

SEND = ["send", "--app", "mailApp", "--from", "test@mailpush.laaffic.cn", "--list", "1001", "--template", "1"]
SEND += ["--subject", "hello world"]


@pytest.fixture(autouse=True)
def _hooks(settings: LazySettings) -> None:
    settings.LAAFFIC_PUSH_TOKENS = ["a-token-that-nobody-guesses"]
    settings.CONSOLE_URL = "http://127.0.0.1:9"


@pytest.fixture
def mail(sandbox: RunningSandbox) -> Application:
    return Application.objects.create(app_id="mailApp", channel="email")


def run(*words: Any) -> tuple[int, dict[str, Any], str]:
    out = io.StringIO()
    try:
        call_command(*map(str, words), "--json", stdout=out)
    except CommandError as problem:
        return problem.returncode, json.loads(out.getvalue() or "{}"), str(problem)
    return 0, json.loads(out.getvalue()), ""


def lose_answer(sandbox: RunningSandbox, entries: int = 1) -> None:
    sandbox.set_faults(next_fault="bad_gateway_after", next_calls=entries)


class EmailTests:
    def test_a_repeat_after_a_lost_answer(
        self, sandbox: RunningSandbox, mail: Application, run_jobs: Callable[[], int]
    ) -> None:
        lose_answer(sandbox)
        run("email", *SEND)
        run_jobs()
        assert EmailCampaign.objects.get().state == "unknown"

        code, _document, said = run("email", *SEND)
        assert code == 1
        assert f"ledger row {LedgerEntry.objects.get().pk}" in said
        assert EmailCampaign.objects.count() == 1
        assert run("email", *SEND[:-1], "another subject")[0] == 0

        assert run("email", *SEND, "--again", "their console has none")[0] == 0
        kept = EmailCampaign.objects.latest("pk").events.values_list("text", flat=True)
        assert "Launched all the same: their console has none" in kept

    def test_a_repeat_before_the_request_has_left(self, mail: Application) -> None:
        run("email", *SEND)

        code, _document, said = run("email", *SEND)

        assert code == 1
        assert f"email campaign {EmailCampaign.objects.get().pk}" in said

    @pytest.fixture
    def held(self, sandbox: RunningSandbox, mail: Application, run_jobs: Callable[[], int]) -> EmailCampaign:
        """Refused, while the answer to its twin was lost."""
        run("email", *SEND)
        held = EmailCampaign.objects.get()
        email_states.hold(held, "It was refused.")
        lose_answer(sandbox)
        run("email", *SEND)
        run_jobs()
        assert EmailCampaign.objects.latest("pk").state == "unknown"
        return held

    def test_another_try_while_a_twins_answer_is_unknown(
        self, held: EmailCampaign, run_jobs: Callable[[], int]
    ) -> None:
        code, _document, said = run("email", "resume", held.pk)
        run_jobs()
        assert code == 1
        assert f"ledger row {LedgerEntry.objects.get().pk}" in said
        assert EmailCampaign.objects.get(pk=held.pk).state == "held"

        assert run("email", "resume", held.pk, "--again", "none arrived")[0] == 0
        run_jobs()
        assert LedgerEntry.objects.count() == 2
        assert events_saying("Launched all the same: none arrived", held.events)

    def test_the_page_of_another_try_asks_why(self, held: EmailCampaign, admin_client: Client) -> None:
        own = reverse("admin:messaging_emailcampaign_change", args=[held.pk])
        resume = reverse("admin:messaging_emailcampaign_do", args=[held.pk, "resume"])
        assert 'id="again"' in admin_client.get(own).content.decode()

        assert "not known yet" in admin_client.post(resume, follow=True).content.decode()
        assert EmailCampaign.objects.get(pk=held.pk).state == "held"

        admin_client.post(resume, {"again": "none arrived"})
        assert EmailCampaign.objects.get(pk=held.pk).state == "sending"

    def test_another_try_of_what_was_sent_again_asks_nothing_of_its_own(
        self, sandbox: RunningSandbox, mail: Application, run_jobs: Callable[[], int]
    ) -> None:
        lose_answer(sandbox)
        run("email", *SEND)
        run_jobs()
        campaign = EmailCampaign.objects.get()
        run("email", "resolve", campaign.pk, "--send-again", "--reason", "they have none")
        email_states.hold(EmailCampaign.objects.get(), "The repeat was refused.")

        assert run("email", "resume", campaign.pk)[0] == 0

    @pytest.mark.parametrize(
        "waits",
        [
            {"state": "held", "is_held_by_account": True},
            {"state": "sending", "waits_for_hours": True, "launched_at": timezone.now() - dt.timedelta(days=2)},
        ],
        ids=["the account holds it", "its hours are far away"],
    )
    def test_a_repeat_of_what_goes_on_by_itself(self, mail: Application, waits: dict[str, Any]) -> None:
        run("email", *SEND)
        EmailCampaign.objects.update(**waits)

        code, _document, said = run("email", *SEND)

        assert code == 1
        assert f"email campaign {EmailCampaign.objects.get().pk}" in said
        assert "leaves by itself" in said

    def test_what_is_launched_again_is_as_old_as_that_launch(self, mail: Application) -> None:
        run("email", *SEND)
        EmailCampaign.objects.update(waits_for_hours=True, launched_at=timezone.now() - dt.timedelta(days=2))

        email_starting.take_back(EmailCampaign.objects.get().pk)
        assert EmailCampaign.objects.get().launched_at is None
        email_starting.launch(EmailCampaign.objects.get().pk)
        email_states.hold(EmailCampaign.objects.get(), "It was refused.")
        email_starting.edit_again(EmailCampaign.objects.get().pk)

        assert EmailCampaign.objects.get().launched_at is None

    def test_what_was_written_off_may_have_arrived(
        self, sandbox: RunningSandbox, mail: Application, run_jobs: Callable[[], int]
    ) -> None:
        lose_answer(sandbox)
        run("email", *SEND)
        run_jobs()
        run("email", "resolve", EmailCampaign.objects.get().pk, "--write-off", "--reason", "too late")

        assert run("email", *SEND)[0] == 1

    def test_the_review_asks_why(
        self, sandbox: RunningSandbox, mail: Application, admin_client: Client, run_jobs: Callable[[], int]
    ) -> None:
        lose_answer(sandbox)
        run("email", *SEND)
        run_jobs()
        twin = email_draft(mail)
        review = reverse("admin:messaging_emailcampaign_review", args=[twin.pk])
        ticks = re.findall(r'name="seen" value="([^"]+)"', admin_client.get(review).content.decode())
        sent = {**hidden(admin_client, review), "seen": ticks}

        asked = admin_client.post(review, sent).content.decode()
        assert "not known yet" in asked
        assert 'id="again"' in asked
        assert EmailCampaign.objects.get(pk=twin.pk).state == "draft"

        admin_client.post(review, sent | {"again": "they have none"})
        assert EmailCampaign.objects.get(pk=twin.pk).state == "sending"

    def test_a_test_mail(self, sandbox: RunningSandbox, mail: Application, admin_client: Client) -> None:
        campaign = email_draft(mail)
        lose_answer(sandbox)
        code, _document, said = run("email", "test", campaign.pk, "ann@example.com")
        assert code == 3
        assert "Look into the mailbox" in said

        assert run("email", "test", campaign.pk, "Ann@example.com")[0] == 1
        test = reverse("admin:messaging_emailcampaign_test", args=[campaign.pk])
        asked = admin_client.post(test, {"address": "ann@example.com"}).content.decode()
        assert "not known yet" in asked
        assert 'id="id_again"' in asked
        review = reverse("admin:messaging_emailcampaign_review", args=[campaign.pk])
        assert f'action="{review}"' in asked  # Launch does not post to where the test does
        assert LedgerEntry.objects.count() == 1

        assert run("email", "test", campaign.pk, "bob@example.com")[0] == 0
        assert run("email", "test", campaign.pk, "ann@example.com", "--again", "the mailbox is empty")[0] == 0


class CampaignTests:
    @pytest.fixture
    def lost(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
    ) -> Campaign:
        add_contacts(group, 2)
        lose_answer(sandbox)
        first = self.draft(application, group)
        starting.launch(first.pk)
        run_jobs()
        assert LedgerEntry.objects.get().state == "unknown"
        return first

    def draft(self, application: Application, group: ContactGroup, text: str = "Hi") -> Campaign:
        return drafts.create(name="A", application=application, sender_id="", text=text, groups=[group])

    def test_the_shell_needs_a_reason(self, lost: Campaign, application: Application, group: ContactGroup) -> None:
        twin = self.draft(application, group)

        code, _document, said = run("campaign", "launch", twin.pk)
        assert code == 1
        assert f"ledger row {LedgerEntry.objects.get().pk}" in said
        assert run("campaign", "launch", self.draft(application, group, "Other").pk)[0] == 0

        assert run("campaign", "launch", twin.pk, "--again", "none arrived")[0] == 0
        assert "none arrived" in events_saying("all the same", twin.events.all()).get().text

    def test_a_test_message_to_another_spelling(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        draft = self.draft(application, group)
        lose_answer(sandbox)
        starting.launch_test(draft, "+5491123456789", by=None)
        run_jobs()

        for same in ("5491123456789", "+541123456789"):
            with pytest.raises(StillOpen):
                starting.launch_test(draft, same, by=None)
        starting.launch_test(draft, "+541123456780", by=None)

    def test_a_test_message(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        admin_client: Client,
        run_jobs: Callable[[], int],
    ) -> None:
        draft = self.draft(application, group)
        lose_answer(sandbox)
        starting.launch_test(draft, "919876500000", by=None)
        run_jobs()
        with pytest.raises(StillOpen):
            starting.launch_test(draft, "919876500000", by=None)
        assert Campaign.objects.filter(kind="test").count() == 1
        test = reverse("admin:messaging_campaign_test", args=[draft.pk])

        asked = admin_client.post(test, {"number": "919876500000"}, follow=True).content.decode()
        assert "not known yet" in asked
        assert 'name="again"' in asked
        admin_client.post(test, {"number": "919876500000", "again": "nothing came"})
        assert Campaign.objects.filter(kind="test").count() == 2


class WaitingTests:
    """What was launched and has not left: it goes on by itself, so the same again would arrive twice."""

    @pytest.fixture(autouse=True)
    def _credentials(self, settings: LazySettings) -> None:
        settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "key"  # only that there is one
        account.laaffic_client.cache_clear()

    @pytest.fixture
    def write(self, application: Application, group: ContactGroup) -> Callable[..., Campaign]:
        add_contacts(group, 2)

        def make(**given: Any) -> Campaign:
            content = {"name": "A", "application": application, "sender_id": "", "text": "Hi", "groups": [group]}
            return drafts.create(**{**content, **given})

        return make

    @pytest.mark.parametrize("is_frozen", [True, False])
    @pytest.mark.parametrize("waits", ["runs", "is held by the account", "has a time"])
    def test_it_is_found_for_whom_it_needs_a_reason(
        self, write: Callable[..., Campaign], waits: str, is_frozen: bool
    ) -> None:
        if waits == "is held by the account":
            account_hold.place_because("No balance.")
        later = timezone.now() + dt.timedelta(hours=1) if waits == "has a time" else None
        first = write(scheduled_at=later)
        starting.launch(first.pk)
        while is_frozen and audience.freeze_chunk(first.pk):
            pass
        Campaign.objects.update(launched_at=timezone.now() - dt.timedelta(days=2))
        quick = write(kind=Campaign.Kind.QUICK)

        with pytest.raises(StillOpen, match=rf"campaign {first.pk},.*leaves by itself"):
            starting.launch(quick.pk, again="")
        starting.launch(write(text="Other", kind=Campaign.Kind.QUICK).pk, again="")
        starting.launch(quick.pk, again="others are in it")
        assert events_saying("Launched all the same: others are in it", quick.events)

    def test_scripts_launch_several_campaigns_with_the_same_text(self, write: Callable[..., Campaign]) -> None:
        """They mean it, as `campaign launch` is promised to do; the page before a launch asks."""
        for _time in range(2):
            assert run("campaign", "launch", write().pk)[0] == 0

    @pytest.mark.parametrize("state", ["paused", "held", "finished", "cancelled"])
    def test_what_does_not_go_on_by_itself_needs_none(self, write: Callable[..., Campaign], state: str) -> None:
        starting.launch(write().pk)
        Campaign.objects.update(state=state)

        assert repeats.about_to_leave(write()) is None

    def test_what_has_left_and_waits_for_reports_needs_none(self, write: Callable[..., Campaign]) -> None:
        first = write()
        starting.launch(first.pk)
        while audience.freeze_chunk(first.pk):
            pass
        Batch.objects.update(state=BatchState.SETTLED, queued=0, accepted=2)

        assert repeats.about_to_leave(write()) is None

    def test_a_number_is_found_in_a_waiting_group_by_any_spelling(
        self, write: Callable[..., Campaign], group: ContactGroup
    ) -> None:
        GroupMembership.objects.create(contact=Contact.objects.create(number="5491123456789"), group=group)
        first = write()
        starting.launch(first.pk)
        while audience.freeze_chunk(first.pk):
            pass

        assert repeats.about_to_leave(write(groups=[], numbers=["+541123456789"])) == first
        assert repeats.about_to_leave(write(groups=[], numbers=["+541123456780"])) is None

    @pytest.mark.parametrize("waits", ["runs", "is held by the account", "was paused", "was refused and tries again"])
    def test_a_test_that_has_not_left_is_done_once(self, write: Callable[..., Campaign], waits: str) -> None:
        draft = write()
        if waits == "is held by the account":
            account_hold.place_because("No balance.")
        first = starting.launch_test(draft, "+919876500001", by=None)
        if waits == "was paused":
            campaigns.pause(first.pk)
        elif waits == "was refused and tries again":
            requests_of(first, "refused", "not_sent")

        assert starting.launch_test(draft, "+919876500001", by=None).pk == first.pk
        for hold in AccountHold.objects.all():
            account_hold.release(hold.pk, because="Paid.")
        campaigns.follow_account()
        assert Campaign.objects.get(kind="test").state == ("paused" if waits == "was paused" else "running")

    def test_a_test_that_another_person_has_launched_needs_a_reason(
        self, write: Callable[..., Campaign], admin_user: User
    ) -> None:
        draft = write()
        account_hold.place_because("No balance.")
        starting.launch_test(draft, "+919876500001", by=None)

        with pytest.raises(StillOpen, match="leaves by itself"):
            starting.launch_test(draft, "+919876500001", by=admin_user)

    def test_a_test_that_has_left_is_made_again(self, write: Callable[..., Campaign]) -> None:
        draft = write()
        first = starting.launch_test(draft, "+919876500001", by=None)
        while audience.freeze_chunk(first.pk):
            pass
        requests_of(first, "accepted")
        Batch.objects.update(state=BatchState.SETTLED, queued=0, accepted=1)

        assert starting.launch_test(draft, "+919876500001", by=None).pk != first.pk


def requests_of(campaign: Campaign, *states: str) -> None:
    for state in states:
        LedgerEntry.objects.create(
            interface="sendSms",
            application=campaign.application,
            about_kind="campaign",
            about_id=campaign.pk,
            state=state,
            prepared_at=timezone.now(),
        )
