"""Reports by period, country, campaign …: they say what the messages say, whatever happened in whichever order."""

import datetime as dt
import errno
import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.kit import delivery_buckets
from laaffic_console.kit.files import exports
from laaffic_console.laaffic import DeliveryReport, DeliveryState, OutcomeUnknown, SendResult
from laaffic_console.laaffic.reports import Source
from laaffic_console.reports import documents as report_documents
from laaffic_console.reports import reporting, sheet
from laaffic_console.reports.reporting import Period, Report
from messaging.models import (
    Batch,
    Campaign,
    Contact,
    ContactGroup,
    EarlierAttempt,
    EmailCampaign,
    EmailTally,
    GroupMembership,
    Message,
    MessageState,
    Reply,
    SentTally,
)
from messaging.services.audience import audience
from messaging.services.batches import answers, claiming, failed_requests, settling
from messaging.services.campaigns import drafts, resolving
from messaging.services.channels.outgoing import Claim
from messaging.services.email.period_report_source import EmailReports
from messaging.services.figures import period_report_source, used_senders
from messaging.services.figures.period_report_source import MessageReports
from messaging.services.reports import report_pulls, reports
from messaging.wire import networks
from tests.messaging.conftest import APP_ID
from tests.messaging.sending.test_message_machine import rolled_back
from tests.plans import plan

pytestmark = pytest.mark.django_db

COUNTRIES = ("IN", "DE", "KE")
CURRENCIES = ("USD", "EUR", "KES")
RECIPIENTS = 6


def year() -> Period:
    today = timezone.localdate()
    return reporting.period(today - dt.timedelta(days=364), today)


class World:
    """Two campaigns of two applications, driven by a list of numbers through the real services."""

    def __init__(self) -> None:
        self.applications = [
            Application.objects.create(app_id=f"{APP_ID}{n}", channel="sms", sender_id="SHOP") for n in range(2)
        ]
        group = ContactGroup.objects.create(name="customers")
        for n in range(RECIPIENTS):
            contact = Contact.objects.create(number=str(919876500000 + n), country=COUNTRIES[n % len(COUNTRIES)])
            GroupMembership.objects.create(contact=contact, group=group)
        self.campaigns = [
            drafts.create(name=f"C{n}", application=application, sender_id=f"S{n}", text="Hi", groups=[group])
            for n, application in enumerate(self.applications)
        ]
        Campaign.objects.filter(pk=self.campaigns[1].pk).update(channel="mms")
        for campaign in self.campaigns:
            audience.begin(campaign)
            Campaign.objects.update(state="running")
            while audience.freeze_chunk(campaign.pk):
                pass
        self.claims: list[tuple[Campaign, Claim]] = []
        self.attempts: dict[int, list[tuple[int, str]]] = defaultdict(list)  # message → (attempt, order id)
        self.ids = itertools.count(1)

    def act(self, what: str, n: int) -> None:
        getattr(self, what)(n)

    def claim(self, n: int) -> None:
        Batch.objects.update(not_before=None)
        campaign = Campaign.objects.get(pk=self.campaigns[n % 2].pk)
        claimed = claiming.claim(campaign, "sender")
        if isinstance(claimed, Claim) and ledger.depart(claimed.entry_id) is not None:
            self.claims.append((campaign, claimed))
            for pk, attempt, order_id in zip(claimed.message_ids, claimed.attempts, claimed.order_ids, strict=True):
                self.attempts[pk].append((attempt, order_id))

    def answer(self, n: int) -> None:
        if self.claims:
            campaign, claimed = self.claims.pop(n % len(self.claims))
            ids: list[str | None] = [
                None if (n + place) % 7 == 0 else f"g{next(self.ids)}" for place in range(len(claimed.message_ids))
            ]
            settling.settle_answers(campaign.pk, [(claimed, SendResult(ids, [], len(ids), 0))])

    def lose(self, n: int) -> None:
        if self.claims:
            campaign, claimed = self.claims[n % len(self.claims)]  # it may still be answered
            failed_requests.settle_error(campaign.pk, claimed, OutcomeUnknown("lost", interface="sendSms"))

    def write(self, n: int) -> None:
        answers.write_all(Batch.objects.all())

    def report(self, n: int) -> None:
        """About the last attempt or one before it, with or without a price and a network, early or twice."""
        sent = sorted(self.attempts)
        if not sent:
            return
        pk = sent[n % len(sent)]
        _attempt, order_id = self.attempts[pk][n % len(self.attempts[pk])]
        message = Message.objects.get(pk=pk)
        state = (DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.PENDING)[n // 7 % 3]
        reports.apply_now(
            [
                DeliveryReport(
                    source=Source.GET_REPORT,
                    msg_id=message.gateway_id or f"r{pk}-{_attempt}",
                    number=message.number,
                    order_id=order_id,
                    state=state,
                    raw_status=state.name,
                    reason=("absent", "spam")[n % 2] if state is DeliveryState.FAILED else "",
                    at=timezone.now() + dt.timedelta(seconds=n % 500),
                    pay=Decimal(n % 97) / 1000 if n % 3 else None,
                    currency=CURRENCIES[n % 3],
                    segments=n % 4 or None,
                    mcc=("404", "262", "")[n // 3 % 3],
                    mnc=("1", "-1", "7")[n // 5 % 3],
                )
            ]
        )

    def send_again(self, n: int) -> None:
        resolving.send_again(self.campaigns[n % 2].pk, reason="nobody has it")

    def write_off(self, n: int) -> None:
        resolving.write_off(self.campaigns[n % 2].pk, reason="too late")

    def expire(self, n: int) -> None:
        for pk in Batch.objects.filter(accepted__gt=0).values_list("pk", flat=True)[:1]:
            report_pulls.expire(pk)


ACTS = ("claim", "answer", "lose", "write", "report", "report", "report", "send_again", "write_off", "expire")
STEPS = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 9999)), min_size=12, max_size=30)


ENDED = (MessageState.DELIVERED, MessageState.UNDELIVERED, MessageState.EXPIRED)


def counted(by: Callable[[Message], Any]) -> dict[Any, dict[str, Any]]:
    """The plain way: every message in Python, one by one."""
    found: dict[Any, dict[str, Any]] = defaultdict(lambda: {"counts": Counter(), "cost": Counter(), "times": Counter()})
    answers.write_all(Batch.objects.all())
    for message in Message.objects.select_related("campaign__application"):
        row = found[by(message)]
        state = MessageState(message.state)
        row["counts"][state.key] += 1
        if state in (MessageState.DELIVERED, MessageState.UNDELIVERED, MessageState.EXPIRED, MessageState.REJECTED):
            row["counts"]["segments"] += message.billed_segments or 0
            if message.currency:
                row["cost"][message.currency] += message.pay_micros or 0
        if state in ENDED and not message.currency:
            row["counts"]["price_not_told"] += 1
        bucket = delivery_buckets.bucket_of(message.settled_at, message.reported_at)
        if state == MessageState.DELIVERED and bucket is not None:
            row["times"][bucket] += 1
    return found


def earlier_costs() -> Counter[str]:
    paid = EarlierAttempt.objects.exclude(pay_micros=None)
    found: Counter[str] = Counter()
    for currency, micros in paid.values_list("currency", "pay_micros"):
        found[currency] += micros
    return found


BY: dict[str, Callable[[Message], Any]] = {
    "country": lambda message: message.country,
    "network": lambda message: networks.shown(message.network),
    "channel": lambda message: message.campaign.channel,
    "campaign": lambda message: message.campaign.name,
    "application": lambda message: message.campaign.application.app_id,
    "sender": lambda message: message.campaign.sender_id,
}


@pytest.mark.thorough
class EqualTests:
    @given(steps=STEPS)
    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    def test_every_report_says_what_the_messages_say(self, steps: list[tuple[str, int]]) -> None:
        with rolled_back():
            world = World()
            world.claim(0)
            world.claim(1)
            for what, n in steps:
                world.act(what, n)
            whole = counted(lambda _message: None)[None]

            assert list(reporting.prove(year())) == []
            totals = reporting.run(year(), []).totals.figures
            assert +totals.cost == +(whole["cost"] + earlier_costs())
            for name, of in BY.items():
                derived, report = counted(of), reporting.run(year(), [name])
                kept = {row.values[0][0]: row.figures for row in report.rows}
                for value, row in derived.items():
                    said = kept.get(value, reporting.Figures())
                    for word in ("delivered", "undelivered", "rejected", "expired", "unknown", "price_not_told"):
                        assert said.counts[word] == row["counts"][word], (name, value, word)
                    assert said.counts["awaited"] == row["counts"]["accepted"]
                    assert +said.times == row["times"]
                assert sum((+one.cost for one in kept.values()), Counter()) == +totals.cost

    def test_an_earlier_sending_costs_too(self) -> None:
        world = World()
        world.claim(0)
        world.lose(0)
        world.send_again(0)
        world.report(8 * RECIPIENTS + 1)  # of the first sending: failed, for 0.049 EUR

        totals = reporting.run(year(), ["country"]).totals.figures

        assert EarlierAttempt.objects.exclude(pay_micros=None).count() == 1
        assert totals.cost == earlier_costs() != Counter()
        assert totals.counts["sent"] == 0
        assert list(reporting.prove(year())) == []


@pytest.fixture
def campaign(application: Application) -> Campaign:
    return Campaign.objects.create(name="Sale", application=application, sender_id="SHOP", text="Hi")


@pytest.fixture
def tally(campaign: Campaign) -> Iterator[Callable[..., SentTally]]:
    def make(at: str, messages: int = 10, **given: Any) -> SentTally:
        fields = {"state": MessageState.DELIVERED, "country": "IN", "campaign": campaign} | given
        return SentTally.objects.create(hour=dt.datetime.fromisoformat(at), messages=messages, **fields)

    return make  # type: ignore[return-value]


def sent(first: str, last: str, *by: str, **given: Any) -> Report:
    return reporting.run(reporting.period(dt.date.fromisoformat(first), dt.date.fromisoformat(last)), by, **given)


class DayTests:
    def test_both_ends_are_in_it(self, tally: Callable[..., SentTally]) -> None:
        for at in ("2026-02-28T23:00+00:00", "2026-03-01T00:00+00:00", "2026-03-02T23:00+00:00", "2026-03-03T00:00Z"):
            tally(at)

        assert sent("2026-03-01", "2026-03-02").totals.figures.counts["sent"] == 20

    def test_a_day_begins_where_the_console_is(self, tally: Callable[..., SentTally]) -> None:
        with timezone.override("Asia/Kolkata"):
            tally("2026-02-28T18:30+00:00")  # midnight
            tally("2026-02-28T17:30+00:00", 3)

            rows = sent("2026-02-28", "2026-03-01", "day").rows

            assert [(row.values[0][0], row.figures.counts["sent"]) for row in rows] == [
                ("2026-02-28", 3),
                ("2026-03-01", 10),
            ]

    @pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
    def test_a_day_has_as_many_hours_as_its_clocks_show(
        self, tally: Callable[..., SentTally], day: str, hours: int
    ) -> None:
        with timezone.override("Europe/Berlin"):
            start = dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC) - dt.timedelta(hours=12)
            for hour in range(60):
                tally((start + dt.timedelta(hours=hour)).isoformat(), 1)

            assert sent(day, day).totals.figures.counts["sent"] == hours
            [row] = sent(day, day, "day").rows
            assert row.figures.counts["sent"] == hours


class FigureTests:
    def test_several_currencies_stay_apart(self, tally: Callable[..., SentTally]) -> None:
        tally("2026-03-01T10:00Z", 4, currency="USD", pay_micros=200_000)
        tally("2026-03-01T10:00Z", 1, currency="USD", pay_micros=20_000, state=MessageState.UNDELIVERED)
        tally("2026-03-01T10:00Z", 2, currency="EUR", pay_micros=30_000)

        figures = sent("2026-03-01", "2026-03-01").totals.figures

        assert reporting.COLUMNS["cost"].of(figures) == {"EUR": Decimal("0.03"), "USD": Decimal("0.22")}
        assert reporting.COLUMNS["cost_per_delivered"].of(figures) == {
            "EUR": Decimal("0.015"),
            "USD": Decimal("0.055"),
        }

    def test_the_period_before_is_as_long(self, tally: Callable[..., SentTally]) -> None:
        tally("2026-03-03T10:00Z", 10)
        tally("2026-03-01T10:00Z", 7, country="DE")
        tally("2026-02-28T10:00Z", 100)

        report = sent("2026-03-03", "2026-03-04", "country", compare=True)

        assert report.compared_with == Period(dt.date(2026, 3, 1), dt.date(2026, 3, 2))
        assert {
            row.values[0][0]: (row.figures.counts["sent"], row.before.counts["sent"])
            for row in report.rows
            if row.before
        } == {"IN": (10, 0), "DE": (0, 7)}

    def test_what_a_channel_cannot_tell_is_empty(self, application: Application) -> None:
        email = EmailCampaign.objects.create(
            name="News", application=application, sent_at=dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
        )
        EmailTally.objects.create(campaign=email, submission=20, delivery=40, messages=9)
        EmailTally.objects.create(campaign=email, submission=10, delivery=0, reason="no such box a@b.org", messages=1)

        [row] = sent("2026-03-01", "2026-03-01", "channel", "campaign").rows

        assert row.values == (("email",), ("News", "email campaign", email.pk))
        said = {name: column.of(row.figures) for name, column in reporting.COLUMNS.items()}
        assert (said["sent"], said["delivered_percent"], said["rejected"]) == (9, 100.0, 1)
        assert said["reasons"] == {"no such box a•••@b.org": 1}
        assert (said["segments"], said["replies"], said["median_seconds"], said["cost"]) == (None, None, None, {})

    def test_what_somebody_launched_never_becomes_its_authors(
        self, application: Application, tally: Callable[..., SentTally]
    ) -> None:
        ada, ben = (User.objects.create_user(name) for name in ("ada", "ben"))
        campaign = tally("2026-03-01T10:00Z", 4).campaign
        Campaign.objects.filter(pk=campaign.pk).update(created_by=ada, launched_by=ben)
        email = EmailCampaign.objects.create(
            name="News",
            application=application,
            sent_at=dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC),
            created_by=ada,
            launched_by=ben,
        )
        EmailTally.objects.create(campaign=email, submission=20, delivery=40, messages=9)

        assert [row.values for row in sent("2026-03-01", "2026-03-01", "person").rows] == [(("ben",),)]
        ben.delete()
        assert [row.values for row in sent("2026-03-01", "2026-03-01", "person").rows] == [(("",),)]

    def test_what_has_no_price_is_named_beside_the_cost(self, tally: Callable[..., SentTally]) -> None:
        tally("2026-03-01T10:00Z", 4, currency="USD", pay_micros=200_000, billed_segments=4)
        tally("2026-03-01T10:00Z", 3)
        tally("2026-03-01T10:00Z", 2, state=MessageState.UNDELIVERED)
        tally("2026-03-01T10:00Z", 1, state=MessageState.ACCEPTED)
        for state in (MessageState.REJECTED, MessageState.UNKNOWN):  # nobody says that they were sent
            tally("2026-03-01T10:00Z", 8, state=state)

        report = sent("2026-03-01", "2026-03-01", columns=["sent", "cost", "replies"])

        assert report.columns == ("sent", "cost", "price_not_told", "replies")
        assert list(sheet.lines(report)) == [
            ["Sent", "Cost, USD", "Price not reported", "Replies"],
            [10, Decimal("0.200000"), 5, 0],
        ]
        assert sent("2026-03-01", "2026-03-01", columns=["sent", "replies"]).columns == ("sent", "replies")

    def test_where_every_price_is_known_no_column_says_so(self, tally: Callable[..., SentTally]) -> None:
        tally("2026-03-01T10:00Z", 4, currency="USD", pay_micros=200_000)
        tally("2026-02-28T10:00Z", 3)

        assert sent("2026-03-01", "2026-03-01", columns=["cost"]).columns == ("cost",)
        compared = sent("2026-03-01", "2026-03-01", columns=["cost"], compare=True)
        assert compared.columns == ("cost", "price_not_told")

    def test_replies_are_of_the_day_on_which_they_were_written(self, campaign: Campaign) -> None:
        at = dt.datetime(2026, 3, 1, 22, 30, tzinfo=dt.UTC)
        for n, words in enumerate(["thanks", "STOP"]):
            Reply.objects.create(
                key=str(n),
                number="919876500001",
                country="IN",
                content=words,
                at=at,
                received_at=at,
                source="push",
                campaign=campaign,
                opt_out="STOP" if words == "STOP" else "",
            )

        [row] = sent("2026-03-01", "2026-03-01", "day", "country", "sender").rows

        assert [value[0] for value in row.values] == ["2026-03-01", "IN", "SHOP"]
        assert (row.figures.counts["replies"], row.figures.counts["opt_outs"]) == (2, 1)

    def test_times_are_bounds_of_their_buckets(self) -> None:
        counts = Counter(delivery_buckets.BOUNDS.index(bound) for bound in [5] * 60 + [30] * 34 + [900] * 6)

        assert delivery_buckets.reached(counts, 0.5) == 5
        assert delivery_buckets.reached(counts, 0.95) == 900
        assert delivery_buckets.reached({}, 0.5) is None

    def test_any_report_takes_as_many_queries(self, tally: Callable[..., SentTally]) -> None:
        def asked() -> int:
            with CaptureQueriesContext(connection) as queries:
                sent("2026-03-01", "2026-03-31", "day", "country", "network", "campaign", "person")
            return len(queries)

        tally("2026-03-01T10:00Z")
        few = asked()
        for n in range(40):
            tally(f"2026-03-{n % 30 + 1:02d}T10:00Z", country=COUNTRIES[n % 3], network=404000 + n)

        assert asked() == few <= 8


def test_a_file_that_cannot_be_written_whole_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "march.csv"
    file.write_text("of last month")

    def full(*given: Any) -> Iterator[bytes]:
        yield b"Country,"
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(exports, "content", full)

    with pytest.raises(CommandError, match=r"There is no room on the disk for .*march\.csv"):
        call_command("report", "--from", "2026-03-01", "--to", "2026-03-01", str(file))

    assert file.read_text() == "of last month"
    assert list(tmp_path.iterdir()) == [file]


class BadInputTests:
    @pytest.mark.parametrize(
        ("given", "words"),
        [
            (["--from", "2026-03-02", "--to", "2026-03-01"], "Swap the two days"),
            (["--from", "2010-03-02", "--to", "2026-03-01"], "at most ten years"),
            (["--from", "2026-02-30", "--to", "2026-03-01"], "2026-02-30 is not a date"),
            (["--from", "yesterday", "--to", "2026-03-01"], "yesterday is not a date"),
            (["--from", "0001-01-01", "--to", "2026-03-01"], "out of range"),
            (["--from", "2026-03-01", "--to", "2026-03-01", "--by", "region"], "cannot be grouped by “region”"),
            (["--from", "2026-03-01", "--to", "2026-03-01", "--columns", "clicks"], "has no column “clicks”"),
            (["--from", "2026-03-01", "--to", "2026-03-01", "--by", "day", "--compare"], "cannot be compared"),
            (["--from", "2026-03-01", "--to", "2026-03-01", "report.pdf"], "report.pdf must end in .csv or .xlsx"),
            (["--from", "2026-03-01", "--to", "2026-03-01", "report.csv", "--json"], "one place"),
            (["--from", "2026-03-01", "--to", "2026-03-01", "no/such/folder/report.csv"], "no folder no/such/folder"),
        ],
    )
    def test_it_says_what_to_do(self, given: list[str], words: str) -> None:
        with pytest.raises(CommandError, match=words):
            call_command("report", *given)

    def test_names_of_nothing_are_refused_before_anything_is_read(self) -> None:
        with pytest.raises(ValidationError):
            sent("2026-03-01", "2026-03-01", "day; DROP TABLE")


class CommandTests:
    def test_the_document(self, tally: Callable[..., SentTally], capsys: pytest.CaptureFixture[str]) -> None:
        tally("2026-03-01T10:00Z", 4, currency="USD", pay_micros=200_000, network=404001)

        call_command("report", "--from", "2026-03-01", "--to", "2026-03-31", "--by", "country,network", "--json")

        found = json.loads(capsys.readouterr().out)
        assert (found["from"], found["to"], found["by"]) == ("2026-03-01", "2026-03-31", ["country", "network"])
        [row] = found["rows"]
        assert (row["country"], row["network"], row["sent"], row["cost"]) == ("IN", "404-01", 4, {"USD": "0.200000"})
        assert found["totals"]["delivered_percent"] == 100.0

    @pytest.mark.parametrize(
        ("limits", "sent"),
        [
            ([], 9),
            (["--country", "IN"], 4),
            (["--country", "IN", "--country", "BD"], 9),
            (["--country", "BD", "--channel", "sms"], 5),
            (["--channel", "voice"], 0),
            (["--sender", "nobody"], 0),
            (["--by-person", "-"], 9),
            (["--country", "in"], 4),
            (["--channel", "SMS"], 9),
            (["--campaign", "-"], 0),
        ],
    )
    def test_it_is_limited_as_the_page_is(
        self, tally: Callable[..., SentTally], capsys: pytest.CaptureFixture[str], limits: list[str], sent: int
    ) -> None:
        tally("2026-03-01T10:00Z", 4)
        tally("2026-03-01T11:00Z", 5, country="BD")

        call_command("report", "--from", "2026-03-01", "--to", "2026-03-01", "--by", "channel", "--json", *limits)

        assert (json.loads(capsys.readouterr().out)["totals"]["sent"] or 0) == sent

    def test_one_campaign_and_one_application(
        self, tally: Callable[..., SentTally], capsys: pytest.CaptureFixture[str]
    ) -> None:
        campaign = tally("2026-03-01T10:00Z", 4).campaign
        limits = ["--campaign", f"00{campaign.pk}", "--application", campaign.application.app_id]

        call_command("report", "--from", "2026-03-01", "--to", "2026-03-01", "--json", *limits)

        assert json.loads(capsys.readouterr().out)["totals"]["sent"] == 4

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            (["--campaign", "spring"], "email:12"),
            (["--campaign", "foo:12"], "email:12"),
            (["--campaign", "99"], "does not know the campaign “99”"),
            (["--campaign", "email:007"], "does not know the campaign “email:007”"),
            (["--campaign", "group:1"], "does not know the campaign “group:1”"),
            (["prove", "--country", "IN"], "leave out --country"),
            (["prove", "--by", "country"], "leave out --by"),
            (["prove", "--columns", "sent"], "leave out --columns"),
            (["prove", "--compare"], "leave out --compare"),
            (["--country", "India"], "“India” is not a country"),
            (["--country", "ZZ"], "“ZZ” is not a country"),
            (["--channel", "fax"], "Choose from: sms, mms, voice, email"),
            (["--application", "nosuch"], "does not know the appId “nosuch”"),
            (["--by-person", "nosuch"], "does not know the user name “nosuch”"),
        ],
    )
    def test_limits_that_make_no_sense_are_refused(self, given: list[str], words: str) -> None:
        with pytest.raises(CommandError, match=words):
            call_command("report", "--from", "2026-03-01", "--to", "2026-03-01", *given)

    def test_a_file(self, tally: Callable[..., SentTally], tmp_path: Path) -> None:
        tally("2026-03-01T10:00Z", 4, currency="USD", pay_micros=200_000)
        path = tmp_path / "report.csv"

        call_command(
            "report",
            "--from",
            "2026-03-01",
            "--to",
            "2026-03-01",
            "--by",
            "country",
            "--columns",
            "sent,cost",
            str(path),
        )

        assert path.read_text("utf-8-sig").splitlines() == [
            'Country,Sent,"Cost, USD"',
            "IN,4,0.200000",
            "Total,4,0.200000",
        ]

    def test_nothing_at_all(self, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("report", "--from", "2026-03-01", "--to", "2026-03-01", "--by", "country")

        assert capsys.readouterr().out == "Nothing was sent from 2026-03-01 to 2026-03-01.\n"

    def test_a_figure_that_disagrees_is_named(
        self, tally: Callable[..., SentTally], capsys: pytest.CaptureFixture[str]
    ) -> None:
        tally("2026-03-01T10:00Z", 4, currency="USD", network=404001)

        with pytest.raises(CommandError) as ended:
            call_command("report", "prove", "--from", "2026-03-01", "--to", "2026-03-01")

        assert ended.value.returncode == 1
        said = capsys.readouterr().out
        assert "2026-03-01 10:00 IN 404-01 delivered USD: tallied (4, 0, 0), derived (0, 0, 0)" in said

        call_command("report", "prove", "--from", "2026-03-02", "--to", "2026-03-02")

    def test_a_proof_and_a_table_name_what_has_no_price(self, capsys: pytest.CaptureFixture[str]) -> None:
        days = ["--from", str(year().first), "--to", str(year().last)]
        world = World()
        world.claim(0)
        world.answer(0)
        world.write(0)
        world.report(0)

        call_command("report", "prove", *days)
        call_command("report", "prove", *days, "--json")
        call_command("report", *days)

        _agrees, missing, document, *table = capsys.readouterr().out.splitlines()
        n = Message.objects.filter(state__in=ENDED).count()
        assert missing == f"Price not reported for {n} of what was sent: no cost has them."
        assert json.loads(document)["price_not_told"] == n > 0
        assert "Price not reported" in table[1]


def test_reasons_stand_in_one_cell() -> None:
    assert sheet._cells_of("reasons", {"busy": 2, "": 1}, ["EUR"]) == ["busy: 2; no reason given: 1"]


def test_a_row_of_a_document_names_what_it_is_of() -> None:
    row = reporting.Row((("Spring", "campaign", 7), ("Shop", "4luaKsL2"), ("IN",)), reporting.Figures())

    assert report_documents.labelled(["campaign", "application", "country"], row) == {
        "campaign": "Spring",
        "campaign_kind": "campaign",
        "campaign_id": 7,
        "application": "Shop",
        "app_id": "4luaKsL2",
        "country": "IN",
    }


@pytest.mark.parametrize(("name", "offered"), [("campaign", ["Autumn"]), ("sender", ["SHOP"]), ("country", [])])
def test_what_messages_offer_to_choose_from(application: Application, name: str, offered: list[str]) -> None:
    Campaign.objects.create(name="Autumn", application=application, sender_id="SHOP", launched_at=timezone.now())

    assert [words for _value, words in MessageReports().choices(name, 10)] == offered


@pytest.mark.parametrize(("name", "offered"), [("campaign", ["Mail"]), ("sender", ["a@example.com"]), ("country", [])])
def test_what_mails_offer_to_choose_from(application: Application, name: str, offered: list[str]) -> None:
    EmailCampaign.objects.create(
        name="Mail", application=application, from_address="a@example.com", sent_at=timezone.now()
    )

    assert [words for _value, words in EmailReports().choices(name, 10)] == offered


class ManyCampaignsTests:
    """A report costs what its period has, however many campaigns there have been."""

    @pytest.fixture
    def campaigns(self, application: Application) -> list[Campaign]:
        rows = [Campaign(name=f"C{n}", application=application, sender_id=f"S{n}", text="Hi") for n in range(6)]
        return Campaign.objects.bulk_create(rows)

    @pytest.mark.parametrize("at_once", [1, 2000])
    def test_only_campaigns_of_the_period_are_read(
        self, campaigns: list[Campaign], monkeypatch: pytest.MonkeyPatch, at_once: int
    ) -> None:
        monkeypatch.setattr(period_report_source, "AT_ONCE", at_once)
        hour = timezone.now().replace(minute=0, second=0, microsecond=0)
        for campaign, age in zip(campaigns, (0, 0, 0, 500, 500, 500), strict=True):
            at = hour - dt.timedelta(days=age)
            state = MessageState.DELIVERED
            SentTally.objects.create(campaign=campaign, hour=at, country="IN", state=state, messages=1)
        read: list[set[int]] = []
        look_up = period_report_source.Campaigns.look_up

        def watched(self: Any, ids: Any) -> None:
            look_up(self, ids)
            read.append({pk for pk in self if pk is not None})

        monkeypatch.setattr(period_report_source.Campaigns, "look_up", watched)

        rows = reporting.run(year(), ("sender",), columns=("sent",)).rows

        assert sorted(str(row.values[0][0]) for row in rows) == ["S0", "S1", "S2"]
        assert set().union(*read) == {campaign.pk for campaign in campaigns[:3]}

    def test_senders_are_offered_without_reading_the_campaigns(self, campaigns: list[Campaign]) -> None:
        other = Application.objects.create(app_id="other", channel="sms")
        Campaign.objects.create(name="c", application=other, sender_id="S3", text="Hi")
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE messaging_campaign")  # or it goes by what other tests left
        with CaptureQueriesContext(connection) as captured:
            offered = list(MessageReports().choices("sender", 4))

        assert [sender for sender, _label in offered] == ["S0", "S1", "S2", "S3"]
        [said] = [plan(one["sql"]) for one in captured]
        assert "campaign_senders" in said
        assert "SCAN messaging_campaign" not in said
        assert "Seq Scan on messaging_campaign" not in said
        assert {one.sender for one in used_senders.every() if one.application == other.pk} == {"S3"}
