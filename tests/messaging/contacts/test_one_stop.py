"""One STOP, and the channels on which it holds: the list asked one by one and for a whole audience says the same."""

from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.core.exceptions import ValidationError
from django.db import connection

from laaffic_console.gateway.models import Application
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Contact, ContactGroup, Message, MessageState, SuppressionEntry
from messaging.services.campaigns import campaigns, drafts, starting
from messaging.services.channels import channels
from messaging.services.contacts import suppression
from messaging.services.saved_audiences import audience_sql
from tests.messaging.conftest import add_contacts
from voice.services.calls import sip_calls as calls

pytestmark = pytest.mark.django_db(transaction=True)

SPELT, OTHERWISE, SOMEBODY = "525512345678", "5215512345678", "919876543210"


def stopped_in_an_audience(channel: str) -> set[str]:
    condition, params = audience_sql.suppressed("c", channels.named(channel).suppressed_on)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT c.number FROM messaging_contact c WHERE {condition}", params)
        return {number for (number,) in cursor.fetchall()}


def stopped_one_by_one(channel: str) -> set[str]:
    return suppression.suppressed_among([SPELT, SOMEBODY], channels=channels.named(channel).suppressed_on)


class WhereItHoldsTests:
    @pytest.mark.parametrize("number", [SPELT, OTHERWISE])
    @pytest.mark.parametrize(
        ("entry", "reason", "stops", "with_setting"),
        [
            ("sms", "opt_out", {"sms", "mms"}, {"sms", "mms", "voice"}),
            ("mms", "opt_out", {"sms", "mms"}, {"sms", "mms", "voice"}),
            ("voice", "opt_out", {"voice"}, {"sms", "mms", "voice"}),
            ("email", "opt_out", set(), {"sms", "mms", "voice"}),
            ("all", "opt_out", {"sms", "mms", "voice"}, {"sms", "mms", "voice"}),
            ("mms", "invalid", {"mms"}, {"mms"}),
            ("mms", "manual", {"mms"}, {"mms"}),
            ("sms", "manual", {"sms", "mms"}, {"sms", "mms"}),
            ("voice", "complaint", {"voice"}, {"voice"}),
        ],
    )
    def test_an_entry_stops(
        self,
        settings: LazySettings,
        number: str,
        entry: str,
        reason: str,
        stops: set[str],
        with_setting: set[str],
    ) -> None:
        Contact.objects.create(number=SPELT)
        Contact.objects.create(number=SOMEBODY)
        suppression.suppress_numbers([number], channel=entry, reason=reason)

        for is_on, expected in ((False, stops), (True, with_setting)):
            settings.OPT_OUT_EVERY_CHANNEL = is_on
            of_audience = {channel for channel in ("sms", "mms", "voice") if stopped_in_an_audience(channel) == {SPELT}}
            one_by_one = {channel for channel in ("sms", "mms", "voice") if stopped_one_by_one(channel) == {SPELT}}
            assert (of_audience, one_by_one) == (expected, expected)

    def test_a_stop_to_an_mms_takes_the_number_out_of_an_sms_that_waits(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        first, _second = add_contacts(group, 2)
        campaign = drafts.create(name="A", application=application, sender_id="S", text="Hi", groups=[group])
        starting.launch(campaign.pk)
        campaigns.pause(campaign.pk)
        run_jobs()
        suppression.suppress_numbers([first.number], channel="mms", reason="opt_out")

        campaigns.resume(campaign.pk)
        run_jobs()

        assert first.number not in {message["number"] for message in sandbox.messages()}
        assert Message.objects.get(number=first.number).state == MessageState.SUPPRESSED

    @pytest.mark.parametrize(
        ("there", "reason", "is_on", "stops"),
        [("mms", "invalid", False, {"sms", "mms"}), ("sms", "manual", True, {"sms", "mms", "voice"})],
    )
    def test_a_stop_counts_where_the_number_is_on_the_list_already(
        self, db: None, settings: LazySettings, there: str, reason: str, stops: set[str], *, is_on: bool
    ) -> None:
        settings.OPT_OUT_EVERY_CHANNEL = is_on
        suppression.suppress_numbers([OTHERWISE], channel=there, reason=reason)

        suppression.suppress_numbers([SPELT], channel=there, reason="opt_out", source=suppression.BY_REPLY)

        assert {channel for channel in ("sms", "mms", "voice") if stopped_one_by_one(channel) == {SPELT}} == stops

    def test_a_call_is_not_made_where_one_stop_holds_everywhere(self, db: None, settings: LazySettings) -> None:
        suppression.suppress_numbers([OTHERWISE], channel="sms", reason="opt_out")
        calls._check_wanted(SPELT)
        settings.OPT_OUT_EVERY_CHANNEL = True

        with pytest.raises(ValidationError, match="suppression list"):
            calls._check_wanted(SPELT)


class AllowAgainTests:
    def test_one_word_takes_off_what_would_go_on_stopping(self, db: None) -> None:
        for channel, reason in (("sms", "opt_out"), ("mms", "opt_out"), ("voice", "opt_out")):
            suppression.suppress_numbers([SPELT], channel=channel, reason=reason)

        suppression.allow_again(SuppressionEntry.objects.filter(channel="mms"), why="asked", by=None)

        assert set(SuppressionEntry.objects.values_list("channel", flat=True)) == {"voice"}
        assert not stopped_one_by_one("sms")

    def test_another_reason_stays(self, db: None) -> None:
        suppression.suppress_numbers([SPELT], channel="sms", reason="manual")
        suppression.suppress_numbers([OTHERWISE], channel="mms", reason="opt_out")

        suppression.allow_again(SuppressionEntry.objects.filter(channel="mms"), why="asked", by=None)

        assert SuppressionEntry.objects.values_list("channel", "reason").get() == ("sms", "manual")

    def test_a_stop_outlives_a_number_that_is_in_use_again(self, db: None) -> None:
        for reason in ("invalid", "opt_out"):
            suppression.suppress_numbers([SPELT], channel="sms", reason=reason)
        invalid = SuppressionEntry.objects.filter(reason="invalid")

        assert suppression.allow_again(invalid, why="in use again", by=None) == (1, 1)

        assert stopped_one_by_one("sms") == {SPELT}

    def test_of_every_channel_where_one_stop_holds_everywhere(self, db: None, settings: LazySettings) -> None:
        settings.OPT_OUT_EVERY_CHANNEL = True
        suppression.suppress_numbers([SPELT], channel="sms", reason="opt_out")
        suppression.suppress_numbers([OTHERWISE], channel="voice", reason="opt_out")

        suppression.allow_again(SuppressionEntry.objects.filter(channel="sms"), why="asked", by=None)

        assert not SuppressionEntry.objects.exists()
