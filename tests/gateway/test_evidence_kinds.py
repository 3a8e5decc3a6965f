"""By what an outcome is known: the kind decides, and the words beside it never do."""

import importlib
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.utils import timezone

from laaffic_console.gateway import past_evidence_kinds
from laaffic_console.gateway.models import EntryState, EvidenceKind, LedgerEntry
from laaffic_console.gateway.services.ledger import known_by, ledger, words
from laaffic_console.laaffic import Family, LaafficError, NotSent, OutcomeUnknown, Refused, lookup

ROOT = Path(__file__).resolve().parents[2]
REFUSAL = Refused(interface="bind", entry=lookup(Family.NUMBER, "-10"), reason="no", http_status=200)


def entry_in(state: EntryState, **given: str) -> LedgerEntry:
    return LedgerEntry.objects.create(
        interface="bind", about_kind="binding request", state=state, prepared_at=timezone.now(), **given
    )


def kind_of(entry: LedgerEntry) -> str:
    entry.refresh_from_db()
    return entry.evidence_kind


@pytest.mark.django_db
class KindTests:
    @pytest.mark.parametrize(
        ("error", "kind"),
        [
            (REFUSAL, EvidenceKind.ANSWER),
            (NotSent("no route", interface="bind"), EvidenceKind.NO_ANSWER),
            (OutcomeUnknown("timed out", interface="bind"), EvidenceKind.NO_ANSWER),
        ],
        ids=["refused", "not sent", "lost"],
    )
    def test_an_error_says_whether_it_was_an_answer(self, error: LaafficError, kind: str) -> None:
        entry = entry_in(EntryState.IN_FLIGHT)

        ledger.settle_error(entry.pk, error)

        assert kind_of(entry) == kind

    def test_several_are_answered_at_once(self) -> None:
        entries = [entry_in(EntryState.IN_FLIGHT) for _n in range(2)]

        assert ledger.settle_all_accepted([entry.pk for entry in entries]) == 2

        assert {kind_of(entry) for entry in entries} == {EvidenceKind.ANSWER}

    def test_what_is_kept_back_or_lost_is_known_by_the_console_and_by_no_answer(self) -> None:
        prepared, left = entry_in(EntryState.PREPARED), entry_in(EntryState.IN_FLIGHT)

        ledger.take_back(ledger.only(prepared.pk), "stopped")
        ledger.lose(ledger.only(left.pk), "its process ended")

        assert (kind_of(prepared), kind_of(left)) == (EvidenceKind.CONSOLE, EvidenceKind.NO_ANSWER)

    def test_a_reason_with_the_words_of_another_word_sways_nothing(self, admin_user: User) -> None:
        """As a person writes them: a report that says that it was done, say."""
        done, not_done = entry_in(EntryState.UNKNOWN), entry_in(EntryState.UNKNOWN)
        words.settle(done.pk, was_done=True, why="Bo says that it was not done: refused with -1", by=admin_user)
        words.settle(not_done.pk, was_done=False, why="Bo says that it was done", by=admin_user)

        assert ledger.settle_error(done.pk, REFUSAL)
        assert ledger.settle_accepted(not_done.pk)

    def test_only_what_was_found_out_is_overturned_by_what_shows_later(self) -> None:
        """An answer that reads like a list is an answer."""
        answered, denied = entry_in(EntryState.IN_FLIGHT), entry_in(EntryState.UNKNOWN)
        ledger.settle_answered(answered.pk, EntryState.REFUSED, why="the list of today does not hold it")
        ledger.settle_by_evidence(
            denied.pk, EntryState.REFUSED, evidence=known_by.listing("the answer: it is not there")
        )
        shown = known_by.listing("the list holds it")

        assert not ledger.was_done_after_all(answered.pk, evidence=shown)
        assert ledger.was_done_after_all(denied.pk, evidence=shown)

    def test_long_words_are_cut_and_keep_their_kind(self) -> None:
        entry = entry_in(EntryState.UNKNOWN)

        ledger.settle_by_evidence(entry.pk, EntryState.REFUSED, evidence=known_by.person("x" * 1000))

        assert (kind_of(entry), len(entry.evidence)) == (EvidenceKind.PERSON, 300)


@pytest.mark.parametrize(
    ("kind", "state", "said"),
    [
        ("late_answer", "accepted", "the answer, after it was sent again"),
        ("answer", "accepted", "the answer: task 7"),
        ("answer", "accepted", "the answer, without a task id"),
        ("answer", "refused", "bind: refused with -10 (no)"),
        ("no_answer", "unknown", "the answer was lost"),
        ("no_answer", "unknown", "its worker died after the request may have left; the answer was lost"),
        ("no_answer", "not_sent", "bind: connection refused"),
        ("console", "not_sent", "its process ended before it left"),
        ("console", "not_sent", "the same as its reason"),
        ("console", "not_sent", "kept back without a reason"),
        ("person", "accepted", "anna says that it rang: I heard it"),
        ("person", "not_sent", "anna says that it did not ring: refused with a laugh"),
        ("person", "not_sent", "anna says that it did not arrive: no; looked for 3 times"),
        ("report", "accepted", "a callback under this campaign's mark; task ['7']"),
        ("report", "accepted", "pushed record of call 12"),
        ("report", "accepted", "a phone rang for call 12"),
        ("request", "refused", "a name is taken once, and request 7 has brought it there"),
        ("request", "accepted", "request 7 has reset it again since"),
        ("request", "lapsed", "uploaded again since"),
        ("list", "accepted", "fileQuery lists hello: 7"),
        ("list", "refused", "the list of 2026-01-01 holds no such binding: nothing was bound"),
        ("list", "refused", "2026-01-01 的列表中没有该绑定：未绑定任何内容"),
        ("time", "lapsed", "by now the upload would have lapsed"),
        ("restore", "unknown", known_by.RESTORED),
    ],
)
def test_an_earlier_version_wrote_the_words_alone(kind: str, state: str, said: str) -> None:
    reason = {"the same as its reason": said, "kept back without a reason": ""}.get(said, "another")

    assert past_evidence_kinds.kind_of(state, reason, said) == kind


@pytest.mark.django_db
def test_past_entries_get_their_kinds_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past_evidence_kinds, "CHUNK", 2)
    plain = entry_in(EntryState.ACCEPTED, evidence="the answer")
    open_one = entry_in(EntryState.PREPARED)
    told = [entry_in(EntryState.ACCEPTED, evidence="a phone rang for call 1") for _n in range(3)]
    known = entry_in(EntryState.ACCEPTED, evidence="the answer: 7", evidence_kind="late_answer")

    for _time in range(2):
        importlib.import_module("laaffic_console.gateway.migrations.0024_past_evidence_kinds").fill(apps, None)

    assert [kind_of(entry) for entry in (plain, open_one, *told, known)] == ["", "", *["report"] * 3, "late_answer"]


BY_WORDS = re.compile(r"\.evidence\s*(?:==|!=|\bin\b)|evidence__|\w\.evidence\.\w|filter\([^)\n]*\bevidence=")
# Which task a callback or an answer named is kept in these words alone.
MAY_COMPARE = {
    "messaging/services/email/reports.py",
    "messaging/services/reports/reports.py",  # whether a message's words have changed, to write them
    "laaffic_console/gateway/past_evidence_kinds.py",  # of an earlier version, for its migration
}


def test_nothing_else_is_decided_by_the_words() -> None:
    rooms = (
        "laaffic_console/gateway",
        "laaffic_console/api",
        "messaging/services",
        "messaging/admin",
        "voice",
        "numbers",
    )
    sources = [path for room in rooms for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts]
    found = {str(path.relative_to(ROOT)) for path in sources if BY_WORDS.search(path.read_text())}

    assert found == MAY_COMPARE
