"""A person's word on a request whose answer was lost."""

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.dashboard.health import health_page
from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.gateway.services.ledger import known_by, ledger, words
from laaffic_console.laaffic import Family, LaafficError, NotSent, OutcomeUnknown, Refused, lookup

pytestmark = pytest.mark.django_db


def refusal(code: str) -> Refused:
    return Refused(interface="bind", entry=lookup(Family.NUMBER, code), reason="no", http_status=200)


@pytest.fixture
def lost() -> LedgerEntry:
    return LedgerEntry.objects.create(
        interface="bind", about_kind="binding request", state=EntryState.UNKNOWN, prepared_at=timezone.now()
    )


def say(client: Client, entry: LedgerEntry, **given: str) -> int:
    return client.post(reverse("admin:gateway_ledgerentry_say", args=[entry.pk]), given).status_code


@pytest.mark.parametrize(
    ("word", "state", "said"),
    [("done", EntryState.ACCEPTED, "that it was done"), ("not_done", EntryState.NOT_SENT, "that it was not done")],
)
def test_it_ends_the_unknown_and_healths_warning(
    admin_client: Client, lost: LedgerEntry, word: str, state: EntryState, said: str
) -> None:
    page = admin_client.get(reverse("admin:gateway_ledgerentry_change", args=[lost.pk])).content.decode()
    assert "Say what happened to it" in page
    assert health_page.unknown_calls().tone == "warn"

    say(admin_client, lost, word=word, why="it is in their console")

    lost.refresh_from_db()
    assert (lost.state, lost.evidence) == (state, f"admin says {said}: it is in their console")
    assert health_page.unknown_calls().tone == "good"
    assert say(admin_client, lost, word=word, why="once more") == 403


def test_what_is_known_by_now_needs_no_word(admin_user: User, lost: LedgerEntry) -> None:
    LedgerEntry.objects.update(state=EntryState.ACCEPTED, evidence="the answer")

    with pytest.raises(ValidationError, match="is known by now"):
        words.settle(lost.pk, was_done=False, why="I saw it", by=admin_user)

    lost.refresh_from_db()
    assert (lost.state, lost.evidence) == (EntryState.ACCEPTED, "the answer")


def test_it_needs_a_reason(admin_client: Client, lost: LedgerEntry) -> None:
    answer = admin_client.post(reverse("admin:gateway_ledgerentry_say", args=[lost.pk]), {"word": "done", "why": " "})

    assert "Say how you know it" in answer.content.decode()
    lost.refresh_from_db()
    assert lost.state == EntryState.UNKNOWN


def test_it_needs_its_permission(client: Client, lost: LedgerEntry) -> None:
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_ledgerentry"))
    client.force_login(user)
    assert say(client, lost, word="done", why="I saw it") == 403

    user.user_permissions.add(Permission.objects.get(codename="settle_ledgerentry"))
    assert say(client, lost, word="done", why="I saw it") == 302


def test_what_has_a_page_of_its_own_is_settled_there(admin_client: Client, lost: LedgerEntry) -> None:
    LedgerEntry.objects.update(interface="voice/sendSip", about_kind="SIP call")

    assert say(admin_client, lost, word="done", why="I saw it") == 403


def test_an_answer_that_comes_after_all_knows_better(lost: LedgerEntry) -> None:
    assert ledger.lapse(lost.pk, evidence=known_by.time("a test"))
    assert not ledger.lapse(lost.pk, evidence=known_by.time("a test"))

    assert ledger.settle_accepted(lost.pk)


def test_an_answer_that_comes_late_knows_better(admin_user: User, lost: LedgerEntry) -> None:
    words.settle(lost.pk, was_done=False, why="their list has none", by=admin_user)

    assert ledger.settle_accepted(lost.pk, evidence=known_by.answer("7"))

    lost.refresh_from_db()
    assert (lost.state, lost.evidence) == (EntryState.ACCEPTED, "the answer: 7")


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (NotSent("it stood still", interface="bind"), EntryState.NOT_SENT),
        (refusal("-10"), EntryState.REFUSED),
        (OutcomeUnknown("timed out", interface="bind"), EntryState.ACCEPTED),
    ],
    ids=["not sent", "refused", "lost"],
)
def test_a_certain_no_that_comes_late_knows_better(
    admin_user: User, lost: LedgerEntry, error: LaafficError, state: EntryState
) -> None:
    words.settle(lost.pk, was_done=True, why="it is in their list", by=admin_user)

    assert ledger.settle_error(lost.pk, error) == (state != EntryState.ACCEPTED)

    lost.refresh_from_db()
    assert (lost.state, "their list" in lost.evidence) == (state, state == EntryState.ACCEPTED)


def test_an_answer_that_leaves_it_out_knows_better(admin_user: User, lost: LedgerEntry) -> None:
    words.settle(lost.pk, was_done=True, why="it is in the mailbox", by=admin_user)

    assert not ledger.settle_answered(lost.pk, EntryState.UNKNOWN)
    assert ledger.settle_answered(lost.pk, EntryState.REFUSED, why="no such address")

    lost.refresh_from_db()
    assert (lost.state, lost.evidence) == (EntryState.REFUSED, "the answer: no such address")


def test_what_is_proved_beside_a_word_no_late_answer_overturns(admin_user: User, lost: LedgerEntry) -> None:
    words.settle(lost.pk, was_done=True, why="I saw it", by=admin_user)
    assert ledger.prove_done(lost.pk, evidence=known_by.listing("a list has it"))
    assert not ledger.prove_done(lost.pk, evidence=known_by.listing("another list"))

    assert not ledger.settle_error(lost.pk, refusal("-10"))


def test_what_did_not_leave_stays_so(lost: LedgerEntry) -> None:
    LedgerEntry.objects.update(state=EntryState.NOT_SENT, **known_by.console("its process ended").columns())

    assert not ledger.settle_accepted(lost.pk)

    lost.refresh_from_db()
    assert lost.state == EntryState.NOT_SENT


@pytest.mark.parametrize(("ahead", "shown"), [(0.25, "0.25 s"), (-3.0, "-3 s"), (None, "–")])
def test_how_far_a_clock_was_ahead_is_in_seconds(
    admin_client: Client, lost: LedgerEntry, ahead: float | None, shown: str
) -> None:
    LedgerEntry.objects.filter(pk=lost.pk).update(clock_ahead=ahead)
    page = admin_client.get(reverse("admin:gateway_ledgerentry_change", args=[lost.pk])).content.decode()

    behind = page[page.index("Clock ahead") :]
    assert shown in behind[: behind.index("Settled")]
