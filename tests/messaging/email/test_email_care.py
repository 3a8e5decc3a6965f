"""An email campaign leaves whole or is held: nobody on its list gets more than the cap, or marketing without consent.

Laaffic keeps the lists. The console counts its own requests to a list, and the mails that callbacks told of.
"""

import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.management.sending_arguments import moment_of
from messaging.models import (
    Calendar,
    Campaign,
    EmailCampaign,
    EmailCampaignState,
    EmailMessage,
    FrequencyCap,
    Submission,
)
from messaging.services.email import care as email_care
from messaging.services.email import drafts as email_drafts
from messaging.services.email import sending as email_sending
from messaging.services.email import starting as email_starting
from messaging.services.email import states as email_states
from messaging.services.email.approval import EmailDrafts
from tests.messaging.email.test_admin_email import ADD, GOOD, TOKEN, draft, mail_app, own_page  # noqa: F401 - fixtures
from tests.messaging.sending.test_message_machine import rolled_back

pytestmark = pytest.mark.django_db(transaction=True)
State = EmailCampaignState
MARKETING, TRANSACTIONAL = Campaign.Purpose.MARKETING, Campaign.Purpose.TRANSACTIONAL


@pytest.fixture(autouse=True)
def _hooks(settings: LazySettings) -> None:
    settings.LAAFFIC_PUSH_TOKENS = [TOKEN]
    settings.CONSOLE_URL = "http://127.0.0.1:9"
    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "key"  # only that there is one


@pytest.fixture
def _cap_of_one(settings: LazySettings) -> None:
    settings.LAAFFIC_FREQUENCY_CAP_DAY = 1


@pytest.fixture
def _consent_is_needed(settings: LazySettings) -> None:
    settings.LAAFFIC_MARKETING_NEEDS_CONSENT = True


def written(app: Application, receiver_id: str = "1001", **fields: Any) -> EmailCampaign:
    content = {name: value for name, value in GOOD.items() if name != "unsubscribe"}
    return email_drafts.create(application=app, **{**content, "receiver_id": receiver_id, **fields})


def sent(
    app: Application, receiver_id: str = "1001", *, ago: dt.timedelta = dt.timedelta(), **fields: Any
) -> EmailCampaign:
    """One that Laaffic has taken so long ago."""
    campaign = written(app, receiver_id, **fields)
    moment = timezone.now() - ago
    asked = {"interface": email_states.INTERFACE, "about_kind": email_states.ABOUT, "about_id": campaign.pk}
    entry = ledger.prepare(application=app, summary={}, **asked)
    LedgerEntry.objects.filter(pk=entry.pk).update(prepared_at=moment, left_at=moment, state=EntryState.ACCEPTED)
    EmailCampaign.objects.filter(pk=campaign.pk).update(state=State.RUNNING, entry=entry)
    return campaign


def told(campaign: EmailCampaign, *addresses: str, submission: Submission = Submission.SUBMITTED) -> None:
    EmailMessage.objects.bulk_create(
        EmailMessage(
            campaign=campaign,
            key=f"@{address}",
            address=address,
            submission=submission,
            told_at=timezone.now(),
        )
        for address in addresses
    )


@pytest.mark.usefixtures("_cap_of_one")
class CapTests:
    def test_a_list_that_was_mailed_is_not_mailed_again(
        self,
        mail_app: Application,  # noqa: F811
        draft: EmailCampaign,  # noqa: F811
        admin_client: Client,
    ) -> None:
        sent(mail_app)

        with pytest.raises(NotNow, match="mailed once within 24 hours, and the frequency cap is 1"):
            email_starting.launch(draft.pk)

        assert "the frequency cap is 1" in admin_client.get(own_page(draft, "review")).content.decode()
        assert email_care.had_enough(written(mail_app, "1002")) == ""

    def test_what_was_launched_before_is_held_when_it_would_leave(
        self,
        sandbox: RunningSandbox,
        mail_app: Application,  # noqa: F811
        draft: EmailCampaign,  # noqa: F811
        run_jobs: Callable[[], int],
        admin_client: Client,
    ) -> None:
        email_starting.launch(draft.pk)
        sent(mail_app, subject="Another")
        run_jobs()

        draft.refresh_from_db()
        assert (draft.state, draft.entry) == (State.HELD, None)
        assert "the frequency cap is 1" in draft.hold_reason
        assert "the frequency cap is 1" in admin_client.get(own_page(draft, "change")).content.decode()
        with pytest.raises(NotNow, match="frequency cap"):
            email_starting.resume(draft.pk)
        LedgerEntry.objects.update(left_at=timezone.now() - dt.timedelta(hours=25))
        email_starting.resume(draft.pk)
        run_jobs()
        draft.refresh_from_db()
        assert draft.state == State.RUNNING

    def test_somebody_on_two_lists_is_one_person(self, mail_app: Application, draft: EmailCampaign) -> None:  # noqa: F811
        told(sent(mail_app, ago=dt.timedelta(days=9)), "ann@example.com", "bob@example.com")
        other = sent(mail_app, "1002")
        assert email_care.had_enough(draft) == ""

        told(other, "ann@example.com", "cy@example.com")

        assert "1 person who is known to be on its list had 1 emails" in email_care.had_enough(draft)

    def test_a_mail_that_was_not_submitted_does_not_count(
        self,
        mail_app: Application,  # noqa: F811
        draft: EmailCampaign,  # noqa: F811
    ) -> None:
        told(sent(mail_app, ago=dt.timedelta(days=9)), "ann@example.com")
        told(sent(mail_app, "1002"), "ann@example.com", submission=Submission.FAILED)

        assert email_care.had_enough(draft) == ""

    def test_the_week_counts_longer(
        self,
        mail_app: Application,  # noqa: F811
        draft: EmailCampaign,  # noqa: F811
        settings: LazySettings,
    ) -> None:
        settings.LAAFFIC_FREQUENCY_CAP_WEEK = 2
        for days in (2, 3):
            sent(mail_app, ago=dt.timedelta(days=days))

        assert "within 168 hours" in email_care.had_enough(draft)
        assert email_care.had_enough(draft, timezone.now() + dt.timedelta(days=6)) == ""

    def test_transactional_ones_are_neither_stopped_nor_counted(self, mail_app: Application) -> None:  # noqa: F811
        sent(mail_app, purpose=TRANSACTIONAL)
        assert email_care.had_enough(written(mail_app)) == ""
        sent(mail_app)
        assert email_care.had_enough(written(mail_app, purpose=TRANSACTIONAL)) == ""

    def test_what_did_not_leave_does_not_count_and_an_application_may_differ(
        self,
        mail_app: Application,  # noqa: F811
        draft: EmailCampaign,  # noqa: F811
    ) -> None:
        sent(mail_app)
        LedgerEntry.objects.update(state=EntryState.REFUSED)
        assert email_care.had_enough(draft) == ""

        LedgerEntry.objects.update(state=EntryState.UNKNOWN)
        assert email_care.had_enough(draft)
        FrequencyCap.objects.create(application=mail_app, per_day=2)
        assert email_care.had_enough(draft) == ""


@pytest.mark.usefixtures("_consent_is_needed")
class ConsentTests:
    def test_marketing_needs_a_word_about_its_list(
        self,
        mail_app: Application,  # noqa: F811
        admin_client: Client,
    ) -> None:
        campaign = written(mail_app, purpose=MARKETING)
        with pytest.raises(NotNow, match="does not say how the consent"):
            email_starting.launch(campaign.pk)
        assert "does not say how the consent" in admin_client.get(own_page(campaign, "review")).content.decode()

        campaign.consent_known_by = "signed in the shop"
        email_drafts.save(campaign, columns=["consent_known_by"])
        shown = admin_client.get(own_page(campaign, "review")).content.decode()

        assert email_starting.launch(campaign.pk).state == State.SENDING
        assert "signed in the shop" in shown
        assert "Marketing" in shown

    def test_it_is_looked_at_again_when_it_would_leave(
        self,
        mail_app: Application,  # noqa: F811
        settings: LazySettings,
    ) -> None:
        settings.LAAFFIC_MARKETING_NEEDS_CONSENT = False
        campaign = email_starting.launch(written(mail_app, purpose=MARKETING).pk)
        settings.LAAFFIC_MARKETING_NEEDS_CONSENT = True

        assert email_sending._claim(campaign.pk) is None

        campaign.refresh_from_db()
        assert (campaign.state, LedgerEntry.objects.count()) == (State.HELD, 0)

    @pytest.mark.parametrize("purpose", ["", TRANSACTIONAL])
    def test_other_purposes_need_none(self, mail_app: Application, purpose: str) -> None:  # noqa: F811
        assert email_care.no_consent(written(mail_app, purpose=purpose)) == ""


PEOPLE = {"1001": {"ann", "bob"}, "1002": {"bob", "cy"}}
ACTS = ["launch", "launch", "claim", "tell", "tell", "refuse"]
STEP = st.tuples(st.sampled_from(sorted(PEOPLE)), st.sampled_from(ACTS))


@pytest.mark.thorough
@pytest.mark.timeout(400)
@examples(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(steps=st.lists(STEP, min_size=12, max_size=30), cap=st.integers(1, 2))
def test_no_order_mails_anybody_beyond_the_cap_as_far_as_laaffic_has_told(
    mail_app: Application,  # noqa: F811
    settings: LazySettings,
    steps: list[tuple[str, str]],
    cap: int,
) -> None:
    """By list always; by person as soon as callbacks have told of the mails before."""
    settings.LAAFFIC_FREQUENCY_CAP_DAY = cap
    with rolled_back():
        for receiver_id, people in PEOPLE.items():
            told(sent(mail_app, receiver_id, ago=dt.timedelta(days=30)), *people)
        lists, people_told = Counter[str](), Counter[str]()
        for n, (receiver_id, act) in enumerate(steps):
            if act == "launch":
                launch_if_allowed(written(mail_app, receiver_id, subject=f"Mail {n}"))
                continue
            waiting = EmailCampaign.objects.filter(state=State.SENDING, receiver_id=receiver_id, entry=None).first()
            if waiting is None or (claimed := email_sending._claim(waiting.pk)) is None:
                continue
            assert all(people_told[one] < cap for one in PEOPLE[receiver_id])
            if act == "refuse":
                LedgerEntry.objects.filter(pk=claimed[1].pk).update(state=EntryState.REFUSED)
                continue
            lists[receiver_id] += 1
            assert lists[receiver_id] <= cap
            if act == "tell":
                told(waiting, *PEOPLE[receiver_id])
                people_told.update(PEOPLE[receiver_id])


def launch_if_allowed(campaign: EmailCampaign) -> None:
    with contextlib.suppress(NotNow):
        email_starting.launch(campaign.pk, again="tried")


class WordsTests:
    def test_purpose_and_calendar_are_bound_to_an_approval(self, mail_app: Application) -> None:  # noqa: F811
        calendar = Calendar.objects.create(name="Days", hours="mon-sun 09:00-20:00")
        plain = written(mail_app)
        marked = written(mail_app, purpose=MARKETING, consent_known_by="a form", calendar=calendar)

        before, now = EmailDrafts().parts(plain), EmailDrafts().parts(marked)
        assert now.keys() - before.keys() == {"purpose", "calendar"}
        assert email_drafts.shown_digest(plain) != email_drafts.shown_digest(marked)

    def test_its_own_calendar_counts_before_the_applications(
        self,
        mail_app: Application,  # noqa: F811
        admin_client: Client,
    ) -> None:
        day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][(timezone.localdate() + dt.timedelta(days=2)).weekday()]
        calendar = Calendar.objects.create(name="Later", hours=f"{day} 09:00-17:00")

        page = admin_client.get(own_page(written(mail_app, calendar=calendar), "review")).content.decode()

        assert "it waits, and leaves by itself" in page

    def test_the_form_keeps_them(self, mail_app: Application, admin_client: Client) -> None:  # noqa: F811
        given = GOOD | {"application": mail_app.pk, "purpose": "marketing", "consent_known_by": "a form in the shop"}

        admin_client.post(reverse(ADD), given)

        campaign = EmailCampaign.objects.get()
        assert (campaign.purpose, campaign.consent_known_by) == ("marketing", "a form in the shop")

    def test_the_shell_takes_hours_and_purpose(self, mail_app: Application) -> None:  # noqa: F811
        Calendar.objects.create(name="Days", hours="mon-sun 00:00-24:00")
        given = ["--app", mail_app.app_id, "--from", GOOD["from_address"], "--list", "1001", "--template", "1"]
        given += ["--subject", "Hi", "--json"]
        end = f"{timezone.localdate() + dt.timedelta(days=30)} 18:30"
        hours = ["--calendar", "Days", "--not-after", end, "--marketing"]

        call_command("email", "send", *given, *hours, "--consent-known-by", "a form")

        campaign = EmailCampaign.objects.select_related("calendar").get()
        assert (str(campaign.calendar), campaign.purpose, campaign.consent_known_by) == ("Days", "marketing", "a form")
        assert f"{timezone.localtime(campaign.latest_end):%Y-%m-%d %H:%M}" == end
        with pytest.raises(CommandError, match="not a moment such as"):
            call_command("email", "send", *given, "--not-after", "tomorrow")
        for taken in ("2026-5-3 9:00", "2026-05-03T09:00", "2026-05-03T09:00+02:00"):
            assert moment_of(taken, "--at")
        for wrong, words in (
            ("2026-05-03", "is not a moment"),
            ("tomorrow", "--at “tomorrow” is not a moment"),
            ("9999-12-31T23:59", "year 9999"),
        ):
            with pytest.raises(CommandError, match=words):
                call_command("email", "send", *given, "--at", wrong)
