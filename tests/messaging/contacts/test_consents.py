"""Consent: what was said last holds, in every spelling; without it nobody gets marketing, however claims go."""

import datetime as dt
import io
import itertools
import json
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from laaffic_console.audit.models import AuditEntry
from laaffic_console.events.kinds import Kind
from laaffic_console.events.models import Event
from laaffic_console.events.services import webhooks
from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from laaffic_console.kit.audit.acts import CONSOLE, Act, acting
from laaffic_console.laaffic import Reply as WireReply
from messaging.files import contact_files
from messaging.files.unreadable import UnreadableFile
from messaging.models import (
    AudienceCount,
    Batch,
    Campaign,
    Consent,
    ConsentEvent,
    ConsentState,
    Contact,
    ContactGroup,
    GroupMembership,
    Message,
    Paste,
    PastedNumber,
)
from messaging.models import MessageState as State
from messaging.services.approvals import shown
from messaging.services.audience import audience, audience_counts
from messaging.services.batches import claiming
from messaging.services.campaigns import drafts, starting
from messaging.services.channels.outgoing import Claim
from messaging.services.contacts import consent_files, consents, lasting_words, pastes, people, suppression
from messaging.services.contacts.consents import Said
from messaging.services.figures import campaign_report, proving
from messaging.services.forecast import forecast
from messaging.services.replies import replies
from tests.messaging.conftest import add_contacts
from tests.messaging.sending.test_message_machine import rolled_back

pytestmark = pytest.mark.django_db

GIVEN, WITHDRAWN, UNKNOWN = ConsentState.GIVEN, ConsentState.WITHDRAWN, ConsentState.UNKNOWN
NOW = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)
NUMBER = "919876543210"
MEXICAN, OTHERWISE = "525512345678", "5215512345678"


@pytest.fixture(autouse=True)
def _consent_is_needed(settings: LazySettings) -> Iterator[None]:
    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "key"  # only that there is one
    settings.LAAFFIC_MARKETING_NEEDS_CONSENT = True
    account.laaffic_client.cache_clear()
    yield
    account.laaffic_client.cache_clear()


def say(number: str, state: str, after: int = 0, channel: str = "sms") -> None:
    consents.put([Said(number, channel, state, NOW + dt.timedelta(minutes=after), "form", "I agree")])


def state_of(number: str, channel: str = "sms") -> str:
    return next(consent.state for consent in consents.of_person(number) if consent.channel == channel)


def marketing(application: Application, **fields: Any) -> Campaign:
    content = {"name": "A", "application": application, "sender_id": "S", "text": "Hello"}
    return drafts.create(**{**content, "purpose": Campaign.Purpose.MARKETING, **fields})


def frozen(campaign: Campaign) -> Campaign:
    starting.launch(campaign.pk, by=None)
    while audience.freeze_chunk(campaign.pk):
        pass
    campaign.refresh_from_db()
    return campaign


def write(content: str, number: str = NUMBER, after: int = 0) -> None:
    replies.take([wired(content, number, after)], source="push")


def wired(content: str, number: str = NUMBER, after: int = 0) -> Any:
    at = NOW + dt.timedelta(minutes=after)
    unsaid = dict.fromkeys(("sender_id", "operator", "currency", "mcc", "mnc"), "")
    none = dict.fromkeys(("price", "pay", "segments"))
    return WireReply(msg_id="", number=number, content=content, at=at, **unsaid, **none)  # type: ignore[arg-type]


class WhatHoldsTests:
    def test_the_latest_holds_and_all_is_kept(self) -> None:
        say(NUMBER, GIVEN, after=2)
        say(NUMBER, WITHDRAWN, after=1)  # learnt later, said earlier

        assert state_of(NUMBER) == GIVEN
        assert ConsentEvent.objects.count() == 2

    def test_said_in_one_second_a_withdrawal_holds(self) -> None:
        for order in ([GIVEN, WITHDRAWN], [WITHDRAWN, GIVEN]):
            Consent.objects.all().delete()
            ConsentEvent.objects.all().delete()
            for state in order:
                say(NUMBER, state)

            assert state_of(NUMBER) == WITHDRAWN

    @pytest.mark.parametrize("order", [*itertools.permutations([GIVEN, WITHDRAWN, UNKNOWN])], ids=str)
    @pytest.mark.parametrize("at_once", [True, False])
    def test_said_in_one_second_a_withdrawal_holds_over_all_others(self, order: list[str], at_once: bool) -> None:
        if at_once:
            consents.put([Said(NUMBER, "sms", state, NOW, "form") for state in order])
        else:
            for state in order:
                say(NUMBER, state)

        assert state_of(NUMBER) == WITHDRAWN

    def test_the_webhooks_are_told_of_what_holds_alone(self) -> None:
        webhooks.create("https://hooks.invalid/", [Kind.CONTACT_OPTED_IN, Kind.CONTACT_OPTED_OUT])
        say(MEXICAN, WITHDRAWN)
        say(OTHERWISE, GIVEN, after=-1)  # an old list

        assert [(event.kind, event.facts["what"]) for event in Event.objects.all()] == [
            (Kind.CONTACT_OPTED_OUT, "consent_withdrawn")  # once, however many spellings there are
        ]

    def test_a_restore_counts_the_consents_that_are_withdrawn_by_it(self) -> None:
        say(NUMBER, WITHDRAWN, channel="voice")
        said = [
            Said(NUMBER, "voice", WITHDRAWN, NOW - dt.timedelta(days=1), "form"),  # withdrawn by then anyway
            Said(NUMBER, "sms", WITHDRAWN, NOW, "form"),
            Said(NUMBER, "mms", UNKNOWN, NOW, "form"),
        ]

        assert lasting_words.write(lasting_words.LastingWords([], said, [])).withdrawn == 1

    def test_every_spelling_is_one_person(self) -> None:
        say(OTHERWISE, GIVEN)
        say(MEXICAN, WITHDRAWN, after=1)

        assert [state_of(MEXICAN), state_of(OTHERWISE)] == [WITHDRAWN, WITHDRAWN]

    def test_the_same_file_twice_says_nothing_new(self) -> None:
        say(NUMBER, GIVEN)
        say(NUMBER, GIVEN)

        assert ConsentEvent.objects.count() == 1

    def test_by_hand_needs_a_reason(self) -> None:
        with pytest.raises(ValidationError, match="Say how you know"):
            consents.set_by_hand(NUMBER, channel="sms", state=GIVEN, why=" ", by=None)

        with pytest.raises(ValidationError, match="Choose a channel"):
            consents.set_by_hand(NUMBER, channel="fax", state=GIVEN, why="a fax", by=None)
        consents.set_by_hand(NUMBER, channel="sms", state=GIVEN, why="signed in the shop", by=None)

        assert state_of(NUMBER) == GIVEN

    def test_by_hand_holds_after_a_reply_whose_time_lies_ahead(self) -> None:
        ahead = timezone.now() + dt.timedelta(minutes=4)
        consents.put([Said(OTHERWISE, "sms", GIVEN, ahead, "reply", "START")])

        consents.set_by_hand(MEXICAN, channel="sms", state=WITHDRAWN, why="on the telephone", by=None)

        assert state_of(MEXICAN) == state_of(OTHERWISE) == WITHDRAWN

    def test_erasing_empties_it_and_pastes(self) -> None:
        say(NUMBER, GIVEN)
        say(NUMBER, WITHDRAWN, channel="voice")
        paste = pastes.from_lines([f"+{NUMBER}", f"+{NUMBER}", "+919876543211"])

        people.erase(NUMBER, why="asked for it", by=None)

        assert (state_of(NUMBER), state_of(NUMBER, "voice")) == (UNKNOWN, WITHDRAWN)
        assert set(ConsentEvent.objects.values_list("words", flat=True)) == {""}
        assert list(PastedNumber.objects.values_list("number", flat=True)) == ["919876543211"]
        assert Paste.objects.get(pk=paste.pk).merged == []

    @pytest.mark.parametrize("last", [GIVEN, UNKNOWN])
    def test_no_old_list_brings_back_who_withdrew_and_was_erased(self, last: str) -> None:
        say(OTHERWISE, WITHDRAWN)
        say(OTHERWISE, last, after=2)
        people.erase(OTHERWISE, why="asked for it", by=None)
        assert state_of(OTHERWISE) == state_of(MEXICAN) == UNKNOWN
        assert set(Consent.objects.values_list("words", "source")) == {("", "")}

        for after in (-1, 1):
            say(OTHERWISE, GIVEN, after=after)
        assert state_of(OTHERWISE) == state_of(MEXICAN) == UNKNOWN

        say(OTHERWISE, GIVEN, after=3)
        assert state_of(OTHERWISE) == state_of(MEXICAN) == GIVEN


class MarketingTests:
    @pytest.fixture
    def contacts(self, group: ContactGroup) -> list[Contact]:
        made = add_contacts(group, 4)
        say(made[0].number, GIVEN)
        say(made[1].number, WITHDRAWN)
        say(made[2].number, GIVEN, channel="voice")
        return made

    def test_only_who_has_agreed_is_frozen(
        self, application: Application, group: ContactGroup, contacts: list[Contact]
    ) -> None:
        other = Contact.objects.create(number=OTHERWISE, country="MX")
        GroupMembership.objects.create(contact=other, group=group)
        say(MEXICAN, GIVEN)
        suppression.suppress_numbers([contacts[3].number], channel="sms", reason="manual")

        campaign = frozen(marketing(application, groups=[group]))

        reached = set(Message.objects.values_list("number", flat=True))
        assert reached == {contacts[0].number, OTHERWISE}
        assert (campaign.total, campaign.dropped_consent, campaign.dropped_suppressed) == (2, 2, 1)
        assert campaign_report.document(campaign)["left_out"]["no_consent"] == 2

    def test_given_and_pasted_numbers_too(self, application: Application, contacts: list[Contact]) -> None:
        numbers = [contact.number for contact in contacts]

        given = frozen(marketing(application, numbers=numbers))
        pasted = frozen(marketing(application, paste=pastes.from_lines(numbers), name="B"))

        assert [(one.total, one.dropped_consent, one.dropped_invalid) for one in (given, pasted)] == [(1, 3, 0)] * 2

    def test_others_need_none(self, application: Application, group: ContactGroup, contacts: list[Contact]) -> None:
        assert frozen(marketing(application, groups=[group], purpose="")).total == 4
        assert frozen(marketing(application, groups=[group], purpose="transactional", name="B")).total == 4

    def test_nor_does_marketing_where_the_console_does_not_ask(
        self, application: Application, group: ContactGroup, contacts: list[Contact], settings: LazySettings
    ) -> None:
        settings.LAAFFIC_MARKETING_NEEDS_CONSENT = False

        assert frozen(marketing(application, groups=[group])).total == 4

    def test_the_count_before_the_launch_says_the_same(
        self, application: Application, group: ContactGroup, contacts: list[Contact]
    ) -> None:
        draft = marketing(application, groups=[group], numbers=["919876543999"])

        counted = audience_counts.complete(draft)

        assert (counted.recipients, counted.no_consent) == (1, 4)

    def test_who_withdraws_before_the_claim_gets_nothing(
        self, application: Application, group: ContactGroup, contacts: list[Contact]
    ) -> None:
        say(contacts[1].number, GIVEN, after=1)
        campaign = frozen(marketing(application, groups=[group]))
        say(contacts[0].number, WITHDRAWN, after=1)

        claim = claiming.claim(campaign, "token")

        assert isinstance(claim, Claim)
        assert claim.numbers == [contacts[1].number]
        stopped = Message.objects.get(number=contacts[0].number)
        assert (stopped.state, stopped.evidence) == (
            State.CANCELLED,
            "no consent for marketing when its batch was claimed",
        )
        assert campaign_report.document(campaign)["stopped"] == {"consent": 1}
        assert not proving.prove(campaign)["disagreements"]

    def test_fewer_are_fine_at_a_start_only_where_nobody_has_agreed_since(
        self, application: Application, group: ContactGroup, contacts: list[Contact]
    ) -> None:
        say(contacts[1].number, GIVEN, after=1)
        ConsentEvent.objects.update(recorded_at=timezone.now() - dt.timedelta(hours=1))
        draft = marketing(application, groups=[group])
        seen = shown.of(draft, forecast.of(draft))
        Consent.objects.filter(number=contacts[0].number).delete()
        AudienceCount.objects.all().delete()
        now = shown.of(draft, forecast.of(draft))
        assert (seen.recipients, now.recipients) == (2, 1)
        assert not shown.changes(seen, now, fewer_is_fine=True)

        consents.put([Said(NUMBER, "sms", GIVEN, timezone.now(), "form")])

        assert shown.changes(seen, now, fewer_is_fine=True)
        among = partial(audience_counts.names_any, draft)
        assert not shown.changes(seen, now, fewer_is_fine=True, names_any=among)  # a stranger

        consents.put([Said(contacts[1].number, "sms", GIVEN, timezone.now(), "form")])

        assert shown.changes(seen, now, fewer_is_fine=True, names_any=among)

    def test_the_command_takes_one_purpose(self, application: Application, group: ContactGroup) -> None:
        add_contacts(group, 1)
        given = [
            "campaign",
            "create",
            "--name",
            "A",
            "--app",
            application.app_id,
            "--text",
            "Hi",
            "--group",
            group.name,
        ]

        call_command(*given, "--marketing")
        with pytest.raises(CommandError, match="not allowed with"):
            call_command(*given, "--marketing", "--transactional")

        assert Campaign.objects.get().purpose == Campaign.Purpose.MARKETING


class FileTests:
    def read(self, tmp_path: Path, text: str, *given: str) -> dict[str, Any]:
        path = tmp_path / "consents.csv"
        path.write_text(text, encoding="utf-8")
        out = io.StringIO()
        call_command("consent", "import", str(path), *given, "--json", stdout=out)
        found: dict[str, Any] = json.loads(out.getvalue())
        return found

    def test_each_row_holds_from_its_own_date(self, tmp_path: Path) -> None:
        write("STOP", NUMBER)  # on 4 May 2026
        rows = (
            f"number,consent,date,source,words\n+{NUMBER},yes,2026-05-03,form,I agree\n"
            f"+{MEXICAN},given,2026-05-05 10:30,,\n"
        )

        for _time in range(2):
            assert self.read(tmp_path, rows)["kept"] == 2

        assert (state_of(NUMBER), state_of(OTHERWISE)) == (WITHDRAWN, GIVEN)
        assert ConsentEvent.objects.filter(state=GIVEN).count() == 2

    @pytest.mark.parametrize("header", ["phone", "Mobile No.", "手机号", "Telefon"])
    def test_the_number_is_found_under_the_names_an_import_knows(self, tmp_path: Path, header: str) -> None:
        rows = f"name,{header},consent,date\nAnna,+{NUMBER},yes,2026-05-03\nBo,12,yes,2026-05-03\n"

        found = self.read(tmp_path, rows)

        assert (found["kept"], [one["column"] for one in found["errors"]]) == (1, ["number"])
        assert state_of(NUMBER) == GIVEN

    def test_invalid_rows_are_told_and_cost_the_others_nothing(self, tmp_path: Path) -> None:
        rows = f"Number;Consent;Channel\n12;yes;\n+{NUMBER};perhaps;\n+{NUMBER};yes;fax\n;;\n+{NUMBER};yes;voice\n"

        found = self.read(tmp_path, rows, "--date", "2026-05-01")

        assert (found["rows"], found["kept"], found["known"], found["invalid"]) == (4, 1, 0, 3)
        assert [(one["row"], one["column"]) for one in found["errors"]] == [
            (2, "number"),
            (3, "consent"),
            (4, "channel"),
        ]
        assert (state_of(NUMBER), state_of(NUMBER, "voice")) == (UNKNOWN, GIVEN)

    @pytest.mark.parametrize(
        ("date", "said"), [("4.5.2026", "not a date"), ("2026-02-30", "not a date"), ("2999-01-01", "still to come")]
    )
    def test_a_row_without_a_usable_date_of_its_own_says_nothing(self, tmp_path: Path, date: str, said: str) -> None:
        rows = f"number,consent,date\n+{NUMBER},yes,{date}\n+{MEXICAN},yes,2026-05-05\n"

        found = self.read(tmp_path, rows, "--date", "2026-05-01")

        assert (found["kept"], [(one["row"], one["column"]) for one in found["errors"]]) == (1, [(2, "date")])
        assert said in found["errors"][0]["reason"]
        assert (state_of(NUMBER), state_of(OTHERWISE)) == (UNKNOWN, GIVEN)

    @pytest.mark.parametrize(
        ("row", "column", "said"),
        [
            (f'"no" x,2026-05-01,{NUMBER}', "", "quotation mark"),
            (f"no,2026-05-01,{NUMBER},{'x' * 200_000}", "", "more than 100,000 characters"),
            ("no,2026-05-01", "number", ""),
            (f"no,0001-01-01,{NUMBER}", "date", "out of range"),
        ],
        ids=["quotation mark", "endless cell", "ends too early", "year 1"],
    )
    def test_a_row_that_cannot_be_read_is_told_like_others(
        self, tmp_path: Path, row: str, column: str, said: str
    ) -> None:
        found = self.read(tmp_path, f"\u200bconsent,date,number,words\n{row}\nno,2026-05-01,{NUMBER}\n")

        assert (found["rows"], found["kept"], found["invalid"]) == (2, 1, 1)
        assert (found["errors"][0]["row"], found["errors"][0]["column"]) == (2, column)
        assert said in found["errors"][0]["reason"]

    def test_letters_that_may_be_others_are_not_guessed(self, tmp_path: Path) -> None:
        path = tmp_path / "consents.csv"
        path.write_bytes(f"number,consent,date,words\n{NUMBER},yes,2026-05-01,Dvořák\n".encode("cp1250"))

        with pytest.raises(CommandError, match=r"--encoding: .*windows-1252: Dvoøák; windows-1250: Dvořák"):
            call_command("consent", "import", str(path))
        assert not ConsentEvent.objects.exists()
        call_command("consent", "import", str(path), "--encoding", "windows-1250")

        assert ConsentEvent.objects.get().words == "Dvořák"

    def test_one_that_breaks_off_says_what_is_kept(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        plain_rows = contact_files.plain_rows_as_meant

        def breaks(*given: Any) -> Iterator[Any]:
            yield from plain_rows(*given)
            raise UnreadableFile("The workbook is damaged.")

        monkeypatch.setattr(contact_files, "plain_rows_as_meant", breaks)
        monkeypatch.setattr(consent_files, "AT_ONCE", 2)
        rows = "".join(f"{int(NUMBER) + n},yes,2026-05-01\n" for n in range(5))

        said = "The workbook is damaged. What was read before is kept: 4 consents"
        with acting(lambda: CONSOLE), pytest.raises(CommandError, match=said):
            self.read(tmp_path, f"number,consent,date\n{rows}")

        assert Consent.objects.count() == 4
        assert AuditEntry.objects.get(kind=Act.IMPORTED).details["rows"] == 4

    @pytest.mark.parametrize(
        ("text", "given", "said"),
        [
            ("number,consent,consent\n1,yes,no\n", [], "several columns “consent”"),
            ("number,phone 2,consent,date\n1,2,no,2026-05-01\n", [], "another column of numbers, “phone 2”"),
            ("number,date\n1,2026-05-01\n", [], "no column “consent”"),
            ("phone,mobile,consent,date\n1,2,no,2026-05-01\n", [], "another column of numbers, “mobile”"),
            ("name,consent,date\n1,no,2026-05-01\n", [], "no column “number”"),
            ("number,consent\n", [], "no rows below it"),
            ("number,consent\n1,yes\n", [], "Say when it was said"),
            ("number,consent\n1,yes\n", ["--date", "soon"], "not a date"),
            ("number,consent\n1,yes\n", ["--date", "2999-01-01"], "still to come"),
            ("", [], "empty"),
        ],
    )
    def test_what_is_wrong_with_the_file_is_said(self, tmp_path: Path, text: str, given: list[str], said: str) -> None:
        with pytest.raises(CommandError, match=said):
            self.read(tmp_path, text, *given)


STEP = st.tuples(st.integers(0, 4), st.sampled_from(["give", "withdraw", "forget", "stop", "start", "claim"]))


@pytest.mark.thorough
@pytest.mark.timeout(400)
@examples(
    max_examples=int(os.environ.get("MACHINE_EXAMPLES", "12")),
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(first=st.lists(st.booleans(), min_size=5, max_size=5), steps=st.lists(STEP, min_size=5, max_size=25))
def test_nobody_without_consent_gets_marketing(
    application: Application,
    group: ContactGroup,
    settings: LazySettings,
    first: list[bool],
    steps: list[tuple[int, str]],
) -> None:
    settings.LAAFFIC_RECIPIENTS_PER_CALL = 2
    with rolled_back():
        numbers = [contact.number for contact in add_contacts(group, 5)]
        agreed = {number for number, has in zip(numbers, first, strict=True) if has}
        for number in agreed:
            say(number, GIVEN, after=-1)
        campaign = frozen(marketing(application, groups=[group]))
        assert set(Message.objects.values_list("number", flat=True)) == agreed
        for minute, (place, act) in enumerate([*steps, *[(0, "claim")] * 3]):
            number = numbers[place]
            if act == "claim":
                Batch.objects.update(not_before=None)
                claim = claiming.claim(campaign, "token")
                assert not isinstance(claim, Claim) or set(claim.numbers) <= agreed
                continue
            if act in ("stop", "start"):
                write(act, number, after=minute)
            else:
                say(number, {"give": GIVEN, "withdraw": WITHDRAWN, "forget": UNKNOWN}[act], after=minute)
            (agreed.add if act in ("give", "start") else agreed.discard)(number)
            assert consents.given_among(numbers, "sms") == agreed
        campaign.refresh_from_db()
        assert not proving.prove(campaign)["disagreements"]


@pytest.mark.parametrize("given", ["", "nobody", "+", "٩١٩٨", "91 98x"])
def test_what_is_no_number_has_said_nothing(given: str) -> None:
    with pytest.raises(CommandError, match="is not a phone number"):
        call_command("consent", "show", given)


@pytest.mark.parametrize("given", ["+91 98765-43210", "00919876543210", "919876543210", "+919876543210.0"])
def test_a_number_is_found_however_it_is_written(given: str) -> None:
    said = io.StringIO()

    call_command("consent", "show", given, "--json", stdout=said)

    assert json.loads(said.getvalue())["number"] == "919876543210"
