"""What is held is told by its kind: its sentence is for people, and may be worded otherwise."""

import datetime as dt
import importlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.backups.services import restoring
from laaffic_console.gateway.models import AccountHold, Application
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.gateway.services.client import account
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.said import SaidField, gettext, joined
from messaging import past_hold_kinds
from messaging.models import (
    Campaign,
    CampaignState,
    Canary,
    ContactGroup,
    EmailCampaign,
    EmailCampaignState,
    HoldKind,
)
from messaging.services import restored, steps
from messaging.services.campaigns import campaigns, canaries, canary_figures, drafts, starting, states
from messaging.services.email import starting as email_starting
from messaging.services.email import states as email_states
from messaging.services.gates import sending_hours
from messaging.services.launching import checks, lateness
from messaging.services.refusals import EndNotAsked
from tests.messaging.conftest import add_contacts
from tests.messaging.email.test_email_sending import draft as email_draft

ROOT = Path(__file__).parents[3]
PAST = dt.datetime(2026, 11, 26, 12, 0, tzinfo=dt.UTC)
REWORDED = "Said in other words by now."
KINDS = [kind.value for kind in HoldKind]


@pytest.fixture
def keys(settings: LazySettings) -> None:
    settings.LAAFFIC_PUSH_TOKENS = ["a-token-that-nobody-guesses"]
    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "key"  # only that there is one
    account.laaffic_client.cache_clear()


@pytest.fixture
def running(keys: None, application: Application, group: ContactGroup) -> Campaign:
    add_contacts(group, 2)
    campaign = drafts.create(name="A", application=application, sender_id="", text="Hi", groups=[group])
    starting.launch(campaign.pk)
    return Campaign.objects.get()


@pytest.fixture
def mail(keys: None) -> EmailCampaign:
    campaign = email_draft(Application.objects.create(app_id="mailApp", channel="email"))
    email_starting.launch(campaign.pk)
    return EmailCampaign.objects.get()


def reworded(campaign: Campaign | EmailCampaign, **also: object) -> None:
    type(campaign)._default_manager.filter(pk=campaign.pk).update(hold_reason=REWORDED, **also)


@pytest.mark.django_db
class RewordedHoldTests:
    def test_a_latest_end_is_asked_about_and_lifted(self, running: Campaign) -> None:
        Campaign.objects.update(latest_end=PAST)
        states.hold(running.pk, sending_hours.after_its_end(PAST), HoldKind.LATEST_END)
        reworded(running)

        with pytest.raises(EndNotAsked):
            campaigns.resume(running.pk, past_end=False)
        assert campaigns.resume(running.pk, past_end=True).latest_end is None

    def test_so_is_that_of_an_email_campaign(self, mail: EmailCampaign) -> None:
        EmailCampaign.objects.update(latest_end=PAST)
        email_states.hold(EmailCampaign.objects.get(), sending_hours.after_its_end(PAST), HoldKind.LATEST_END)
        reworded(mail)

        with pytest.raises(EndNotAsked):
            email_starting.resume(mail.pk, past_end=False)
        assert email_starting.resume(mail.pk, past_end=True).latest_end is None

    def test_going_on_without_the_few_resumes_it(self, running: Campaign) -> None:
        Canary.objects.create(campaign=running, size=1, hold_reason="Too few.", passed_at=PAST)
        states.hold(running.pk, "Too few.", HoldKind.FEW_FIRST)
        reworded(running)

        assert canaries.go_on(running.pk, reason="they are slow", by=None).state == CampaignState.RUNNING

    def test_another_hold_in_the_same_words_is_not_resumed_with_the_few(self, running: Campaign) -> None:
        Canary.objects.create(campaign=running, size=1, hold_reason="Too few.", passed_at=PAST)
        states.hold(running.pk, "Too few.")

        assert canaries.go_on(running.pk, reason="they are slow", by=None).state == CampaignState.HELD

    def test_a_restore_that_has_not_finished_lets_nothing_go_on(self, running: Campaign, mail: EmailCampaign) -> None:
        unfinished = {"state": "held", "hold_kind": HoldKind.RESTORE_UNFINISHED}
        reworded(running, **unfinished, audience=Campaign.Audience.OPEN)
        reworded(mail, **unfinished)

        for act in (campaigns.resume, campaigns.pause, starting.take_back):
            with pytest.raises(NotNow, match="Run it again with its file"):
                act(running.pk)
        assert not starting.may_be_taken_back(Campaign.objects.get())
        for of_mail in (email_starting.resume, email_starting.edit_again):
            with pytest.raises(NotNow, match="Run it again with its file"):
                of_mail(mail.pk)


@pytest.mark.django_db
class WrittenKindTests:
    def test_each_hold_has_its_kind_and_nothing_else_has_one(self, running: Campaign) -> None:
        for kind in (HoldKind.OTHER, HoldKind.TOO_LATE):
            states.hold(running.pk, "Because.", kind)
            assert Campaign.objects.get().hold_kind == kind
            campaigns.resume(running.pk)
            assert Campaign.objects.get().hold_kind == ""
        campaigns.pause(running.pk)
        assert Campaign.objects.get().hold_kind == ""

    def test_so_has_an_email_campaign(self, mail: EmailCampaign) -> None:
        email_states.hold(mail, "Because.", HoldKind.ACCOUNT)
        kept = EmailCampaign.objects.get()
        assert (kept.hold_kind, kept.is_held_by_account) == ("account", True)
        email_states.hold(kept, "Because.")
        kept = EmailCampaign.objects.get()
        assert (kept.hold_kind, kept.is_held_by_account) == ("other", False)
        email_states.move(kept, EmailCampaignState.CANCELLED, "Cancelled", None)
        assert EmailCampaign.objects.get().hold_kind == ""

    def test_what_the_account_holds_says_so(self, running: Campaign) -> None:
        account_hold.place_because("No key.")
        campaigns.hold_for_account(running.pk)

        assert Campaign.objects.get().hold_kind == "account"

    def test_who_resumes_it_reads_once_that_it_goes_on_by_itself(self, running: Campaign, mail: EmailCampaign) -> None:
        lost = "The last 20 answers of Laaffic were lost. It is asked now and then, and sending goes on by itself."
        account_hold.place_for_lost_answers(lost)
        campaigns.hold_for_account(running.pk)
        email_states.hold(mail, lost, HoldKind.ACCOUNT)

        for resume, pk in ((campaigns.resume, running.pk), (email_starting.resume, mail.pk)):
            with pytest.raises(NotNow) as refused:
                resume(pk)
            assert str(refused.value) == lost

    def test_of_a_refusal_it_is_said_that_it_goes_on_by_itself(self, running: Campaign) -> None:
        account_hold.place_because("No key.")
        campaigns.hold_for_account(running.pk)

        with pytest.raises(NotNow, match=r"^No key\. The campaign goes on by itself as soon as Laaffic accepts\.$"):
            campaigns.resume(running.pk)

    def test_resumed_while_the_account_is_held_what_was_agreed_to_counts(self, running: Campaign) -> None:
        """Its errors are seen and its end is lifted, so it is not held once more when the account goes on."""
        Campaign.objects.update(latest_end=PAST, errors=7, state=CampaignState.RUNNING)
        states.hold(running.pk, sending_hours.after_its_end(PAST), HoldKind.LATEST_END)
        account_hold.place_because("No key.")

        with pytest.raises(EndNotAsked):
            campaigns.resume(running.pk, past_end=False)
        campaigns.resume(running.pk, past_end=True)

        waits = Campaign.objects.get()
        assert (waits.hold_kind, waits.errors, waits.latest_end) == ("account", 0, None)

    def test_the_check_before_a_launch_says_it_once(self, running: Campaign) -> None:
        account_hold.place_for_lost_answers("Answers are lost, and sending goes on by itself.")

        said = [check.sentence for check in checks.account(running.application_id)]

        assert said == ["Answers are lost, and sending goes on by itself. It will be held until then."]

    def test_the_page_of_emails_says_it_once(self, mail: EmailCampaign, admin_client: Client) -> None:
        account_hold.place_for_lost_answers("Answers are lost, and all goes on by itself.")
        email_states.hold(mail, "Answers are lost, and all goes on by itself.", HoldKind.ACCOUNT)

        page = admin_client.get(reverse("admin:messaging_emailcampaign_change", args=[mail.pk])).content.decode()

        assert page.count("goes on by itself") == page.count("Answers are lost")

    @pytest.mark.usefixtures("keys")
    def test_a_campaign_that_is_launched_meanwhile_too(self, application: Application, group: ContactGroup) -> None:
        account_hold.place_because("No key.")
        add_contacts(group, 1)
        made = drafts.create(name="B", application=application, sender_id="", text="Hi", groups=[group])

        starting.launch_new(made, by=None)

        assert Campaign.objects.get().hold_kind == "account"

    def test_what_a_restore_holds_says_so(self, running: Campaign, mail: EmailCampaign) -> None:
        later = timezone.now() + dt.timedelta(days=1)
        EmailCampaign.objects.update(state=EmailCampaignState.SCHEDULED, scheduled_at=later, undo_until=None)

        restored.settle(PAST, timezone.now())

        assert Campaign.objects.get().hold_kind == "restored"
        assert EmailCampaign.objects.get().hold_kind == "restored"

    def test_postgresqls_restore_writes_it_where_the_backup_has_the_column(self) -> None:
        assert restoring._HOLD_ALL.count("('hold_kind', $value$'restore_unfinished'$value$)") == 3


class VersionBeforeTests:
    """It knows no kinds: it writes the sentence alone, and clears that alone."""

    def test_its_hold_is_told_by_the_sentence(self) -> None:
        held = Campaign(state="held", latest_end=PAST, hold_reason=sending_hours.after_its_end(PAST))

        assert sending_hours.is_held_by_end(held)
        assert not sending_hours.is_held_by_end(Campaign(state="held", latest_end=PAST, hold_reason="Rejected."))
        assert steps.is_restore_unfinished(Campaign(state="held", hold_reason=steps.UNFINISHED_RESTORE))

    def test_a_kind_that_it_left_behind_counts_for_nothing(self) -> None:
        paused = Campaign(state="paused", latest_end=PAST, hold_reason="", hold_kind=HoldKind.LATEST_END)

        assert not sending_hours.is_held_by_end(paused)
        assert not steps.is_restore_unfinished(Campaign(hold_kind=HoldKind.RESTORE_UNFINISHED))

    @pytest.mark.django_db
    def test_its_rows_have_no_kind(self, application: Application) -> None:
        row = Campaign.objects.create(name="A", text="Hi", application=application)
        names = [field.column for field in Campaign._meta.concrete_fields if field.name not in ("id", "hold_kind")]
        columns = ", ".join(connection.ops.quote_name(name) for name in names)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO messaging_campaign ({columns}) SELECT {columns} FROM messaging_campaign WHERE id = %s",
                [row.pk],
            )

        assert Campaign.objects.latest("pk").hold_kind == ""


def kept(sentence: str) -> str:
    """As its column has it."""
    return str(SaidField().get_prep_value(sentence))


def _too_late() -> str:
    return lateness.too_late(timezone.now() - dt.timedelta(hours=2), dt.timedelta(hours=1))


SENTENCES: list[tuple[Callable[[], str], str]] = [
    (lambda: sending_hours.after_its_end(PAST), "latest_end"),
    (lambda: joined([sending_hours.after_its_end(PAST)]), "latest_end"),  # of a group call
    (lambda: canary_figures._not_well(canary_figures.Figures(9, 1, 8, 1, 80)), "few_first"),
    (_too_late, "too_late"),
    (lambda: restored.sentence(PAST), "restored"),
    (lambda: restored._to_come(PAST), "restored"),
    (lambda: joined([restored.sentence(PAST), gettext("Suppressed numbers are lost.")]), "restored"),
    (lambda: steps.UNFINISHED_RESTORE, "restore_unfinished"),
    (lambda: gettext("Something else."), "other"),
    (lambda: joined([gettext("Something else."), sending_hours.after_its_end(PAST)]), "other"),
    (lambda: "Kept without its words.", ""),
]


class PastKindTests:
    @pytest.mark.django_db  # by whose clock it is too late
    @pytest.mark.parametrize(("said", "kind"), SENTENCES)
    def test_each_is_told_by_its_words(self, said: Callable[[], str], kind: str) -> None:
        assert past_hold_kinds.kind_of(kept(said())) == kind
        assert kind in ("", *KINDS)

    def test_where_none_of_the_few_left(self) -> None:
        said = gettext("None of the %(n)d that were to go first has left. Go on now sends the rest, or cancel it.")

        assert past_hold_kinds.kind_of(kept(said % {"n": 5})) == "few_first"

    @pytest.mark.django_db
    def test_the_migration_fills_what_is_held(self, application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(past_hold_kinds, "CHUNK", 2)
        stop = AccountHold.objects.create(scope="account", sentence="No key.", placed_at=PAST, probe_wait=1)
        end = sending_hours.after_its_end(PAST)
        rows: list[tuple[dict[str, object], str]] = [
            ({"state": "held", "hold_reason": end}, "latest_end"),
            ({"state": "held", "hold_reason": "No key.", "account_hold": stop}, "account"),
            ({"state": "held", "hold_reason": gettext("Refused.")}, "other"),
            ({"state": "held", "hold_reason": "As a person reads it."}, ""),
            ({"state": "held", "hold_reason": end, "hold_kind": "other"}, "other"),
            ({"state": "running"}, ""),
            ({"state": "held", "hold_reason": steps.UNFINISHED_RESTORE}, "restore_unfinished"),
        ]
        made = [Campaign.objects.create(name="A", text="Hi", application=application, **given) for given, _kind in rows]
        by_account = EmailCampaign.objects.create(
            application=application, state="held", hold_reason="No key.", is_held_by_account=True
        )

        for _time in range(2):
            importlib.import_module("messaging.migrations.0079_past_hold_kinds").fill(apps, None)

        kinds = dict(Campaign.objects.values_list("pk", "hold_kind"))
        assert [kinds[row.pk] for row in made] == [kind for _given, kind in rows]
        by_account.refresh_from_db()
        assert by_account.hold_kind == "account"


BY_SENTENCE = re.compile(
    r"hold_reason\s*(?:==|!=|\bin\b)|(?:==|!=|\bin\b)\s*[\w.()]*hold_reason|hold_reason__|hold_reason\."
)
# The one fallback; a copy of the account's sentence, which is kept like it; what a migration has read a moment before.
MAY_COMPARE = {
    "messaging/models/campaign_bases.py": 1,
    "messaging/services/campaigns/campaigns.py": 1,
}


def test_nothing_else_is_decided_by_a_sentence() -> None:
    sources = [path for room in ("laaffic_console", "messaging", "voice") for path in (ROOT / room).rglob("*.py")]
    found = {str(path.relative_to(ROOT)): len(BY_SENTENCE.findall(path.read_text())) for path in sources}

    assert {name: many for name, many in found.items() if many} == MAY_COMPARE
