"""Record, then send, then settle."""

import json
from typing import Any

import pytest
from django.core import serializers
from django.db.models import Model

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry, OrphanReport, PushedBody
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.laaffic import LaafficError, NotSent, OutcomeUnknown, Refused, lookup
from laaffic_console.laaffic.codes import Family
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Batch, Campaign, CampaignEvent, ContactGroup, Message
from messaging.services.campaigns import drafts, starting
from messaging.services.sending import sending
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db

LOST = OutcomeUnknown("timed out", interface="sendSms", http_status=502, excerpt="<html>")
UNREACHED = NotSent("connection refused", interface="sendSms")


def refused(code: str = "-10") -> Refused:
    entry = lookup(Family.SMS, code)
    return Refused(interface="sendSms", entry=entry, reason="no money", http_status=200)


def prepared(**fields: Any) -> LedgerEntry:
    given = {"interface": "sendSms", "application": None, "about_kind": "campaign", "about_id": 7, "summary": {}}
    return ledger.prepare(**(given | fields))


def test_an_error_of_a_new_kind_is_not_taken_for_one_that_is_known() -> None:
    with pytest.raises(TypeError, match="no branch"):
        ledger.state_of(LaafficError("?", interface="sendSms"))


class DepartTests:
    def test_a_prepared_call_has_not_left(self) -> None:
        entry = prepared(summary={"recipients": 3}, attempt=2, worker="w1")

        entry.refresh_from_db()
        assert (entry.state, entry.left_at, entry.settled_at) == (EntryState.PREPARED, None, None)
        assert (entry.summary, entry.attempt, entry.worker) == ({"recipients": 3}, 2, "w1")

    def test_departing_is_written_down(self) -> None:
        entry = prepared()

        left_at = ledger.depart(entry.pk)

        entry.refresh_from_db()
        assert left_at is not None
        assert (entry.state, entry.left_at) == (EntryState.IN_FLIGHT, left_at)

    def test_it_departs_once(self) -> None:
        entry = prepared()
        ledger.depart(entry.pk)

        assert ledger.depart(entry.pk) is None

    @pytest.mark.parametrize("state", [state for state in EntryState if state != EntryState.PREPARED])
    def test_a_call_that_was_taken_away_does_not_depart(self, state: EntryState) -> None:
        entry = prepared()
        LedgerEntry.objects.update(state=state)

        assert ledger.depart(entry.pk) is None

        entry.refresh_from_db()
        assert (entry.state, entry.left_at) == (state, None)


class SettleTests:
    def test_an_accepted_call_says_what_told_so(self) -> None:
        entry = prepared()
        ledger.depart(entry.pk)

        assert ledger.settle_accepted(entry.pk)

        entry.refresh_from_db()
        assert (entry.state, entry.code, entry.http_status) == (EntryState.ACCEPTED, "0", 200)
        assert entry.evidence == "the answer"
        assert entry.settled_at is not None

    @pytest.mark.parametrize(
        ("error", "state"),
        [(UNREACHED, EntryState.NOT_SENT), (refused(), EntryState.REFUSED), (LOST, EntryState.UNKNOWN)],
    )
    def test_each_branch_has_its_state(self, error: Any, state: EntryState) -> None:
        entry = prepared()
        ledger.depart(entry.pk)

        assert ledger.settle_error(entry.pk, error)

        entry.refresh_from_db()
        assert entry.state == state
        assert entry.reason == error.message
        assert entry.evidence == str(error)
        assert entry.code == error.code

    def test_a_late_answer_settles_what_was_unknown(self) -> None:
        entry = prepared()
        ledger.depart(entry.pk)
        ledger.settle_error(entry.pk, LOST)

        assert ledger.settle_accepted(entry.pk)

        entry.refresh_from_db()
        assert entry.state == EntryState.ACCEPTED

    @pytest.mark.parametrize("error", [UNREACHED, refused(), LOST])
    def test_accepted_is_never_overwritten(self, error: Any) -> None:
        entry = prepared()
        ledger.depart(entry.pk)
        ledger.settle_accepted(entry.pk)

        assert not ledger.settle_error(entry.pk, error)

        entry.refresh_from_db()
        assert (entry.state, entry.reason) == (EntryState.ACCEPTED, "success")

    @pytest.mark.parametrize("error", [UNREACHED, refused()])
    def test_what_was_surely_not_sent_stays_so(self, error: Any) -> None:
        entry = prepared()
        ledger.settle_error(entry.pk, error)

        assert not ledger.settle_accepted(entry.pk)

    def test_long_texts_are_cut_to_their_columns(self) -> None:
        entry = prepared()

        ledger.settle_error(entry.pk, OutcomeUnknown("x" * 900, interface="sendSms", code="9" * 40))

        entry.refresh_from_db()
        assert (len(entry.reason), len(entry.evidence), len(entry.code)) == (300, 300, 16)


class DigestTests:
    def test_the_same_request_has_the_same_digest(self) -> None:
        assert ledger.digest_of("SHOP", "Hello", "919876543210") == ledger.digest_of("SHOP", "Hello", "919876543210")

    def test_where_a_part_ends_matters(self) -> None:
        assert ledger.digest_of("ab", "c") != ledger.digest_of("a", "bc")

    def test_it_gives_nothing_away(self) -> None:
        digest = ledger.digest_of("919876543210")

        assert "919876543210" not in digest
        assert len(digest) == 64


@pytest.mark.django_db(transaction=True)
class SecretTests:
    @pytest.mark.parametrize("fault", ["", "html", "reset_after"])
    def test_no_row_holds_the_key_or_the_secret(
        self, sandbox: RunningSandbox, application: Application, settings: Any, fault: str
    ) -> None:
        group = ContactGroup.objects.create(name="customers")
        add_contacts(group, 2)
        sandbox.set_faults(next_fault=fault, next_calls=1)
        campaign = drafts.create(name="A", application=application, sender_id="", text="Hi", groups=[group])
        starting.launch(campaign.pk)
        from messaging.services.audience import audience

        audience.freeze(campaign.pk)
        sending.send(campaign.pk)
        assert account.laaffic_client().get_balance()

        kept: list[type[Model]] = [LedgerEntry, Campaign, CampaignEvent, Batch, Message, PushedBody, OrphanReport]
        rows = "".join(serializers.serialize("json", model._default_manager.all()) for model in kept)
        assert LedgerEntry.objects.exists()
        assert json.dumps(settings.LAAFFIC_API_KEY) not in rows
        assert settings.LAAFFIC_API_KEY not in rows
        assert settings.LAAFFIC_API_SECRET not in rows
