"""The page of reports: its address is the report, each figure leads on, and what makes no sense is said."""

import datetime as dt
import json
from collections import Counter
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from laaffic_console.exporting.models import Export
from laaffic_console.reports import asking, reporting
from messaging.models import Campaign, MessageState, SentTally
from tests.reports.conftest import Sent, tally

pytestmark = [pytest.mark.django_db, pytest.mark.pages]
PAGE = "/admin/reports/report/show/"
TODAY = dt.date(2026, 3, 31)


def figures(query: str, today: dt.date | None = None) -> dict[tuple[str, ...], int | None]:
    """{keys: sent}"""
    report = asking.read(query).run(today)
    return {
        tuple(reporting.key_of(name, value) for name, value in zip(report.by, row.values, strict=True)): (
            row.figures.counts.get("sent")
        )
        for row in report.rows
    }


@pytest.mark.parametrize(
    ("word", "first", "last"),
    [
        ("this_month", dt.date(2026, 3, 1), TODAY),
        ("last_month", dt.date(2026, 2, 1), dt.date(2026, 2, 28)),
        ("7_days", dt.date(2026, 3, 25), TODAY),
        ("30_days", dt.date(2026, 3, 2), TODAY),
        ("custom&from=2020-02-29&to=2020-03-01", dt.date(2020, 2, 29), dt.date(2020, 3, 1)),
    ],
)
def test_a_word_is_another_period_whenever_it_is_asked(word: str, first: dt.date, last: dt.date) -> None:
    assert asking.read(f"period={word}").days(TODAY) == reporting.Period(first, last)


def test_limits_count_nothing_else(sent: Sent) -> None:
    spring = f"campaign:{sent.spring.pk}"

    assert figures("by=country") == {("IN",): 118, ("DE",): 5}
    assert figures(f"by=country&campaign={spring}") == {("IN",): 98, ("DE",): 5}
    assert figures(f"by=&country=IN&campaign={spring}") == {(): 98}
    assert figures("by=channel&country=IN&country=DE") == {("sms",): 123}
    assert figures("by=country&sender=-") == {}
    assert figures("by=channel&channel=SMS&country=in&country=de") == {("sms",): 123}


def test_times_are_read_for_who_asks_for_them(sent: Sent) -> None:
    def median(query: str) -> Any:
        return reporting.COLUMNS["median_seconds"].of(asking.read(query).run().totals.figures)

    assert (median("columns=median_seconds"), median("columns=sent")) == (5, None)
    assert median(f"columns=p95_seconds&country=IN&campaign=campaign:{sent.spring.pk}") == 5
    assert median("columns=median_seconds&country=DE") is None


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("period=custom&from=03/04/2027&to=2027-01-01", "Write the date as year-month-day"),
        ("period=custom&from=2027-02-01&to=2027-01-01", "Swap the two days"),
        ("period=custom&from=2000-02-01&to=2027-01-01", "at most ten years"),
        ("period=yesterweek", "Choose one of"),
        ("by=colour", "colour"),
        ("by=country&by=campaign&by=sender&by=person", "at most three"),
        ("by=day&compare=on", "cannot be compared"),
    ],
)
def test_what_makes_no_sense_is_said_on_the_page(admin_client: Client, query: str, says: str) -> None:
    with pytest.raises(ValidationError):
        asking.read(query).run(TODAY)

    response = admin_client.get(f"{PAGE}?{query}")

    assert response.status_code == 200
    assert any(says in problem for problem in response.context_data["problems"])  # type: ignore[attr-defined]
    exported = admin_client.get(f"/admin/reports/report/export/csv/?{query}", follow=True)
    assert says in exported.content.decode()


def test_an_address_says_all_that_was_asked() -> None:
    query = (
        "period=custom&from=2026-01-01&to=2026-01-31&by=country&by=sender&columns=sent&compare=on&country=IN&country=-"
    )
    asked = asking.read(f"{query}&sort=-sent")

    assert asking.read(asked.query()) == asked
    assert asked.only == {"country": ("IN", "")}
    assert asking.read(asked.query(by=())).by == ()


def test_it_is_sorted_by_what_one_asks(admin_client: Client, sent: Sent) -> None:
    def order(sort: str) -> list[Any]:
        response = admin_client.get(PAGE, {"by": "campaign", "country": "IN", "sort": sort})
        return [line.values[0].text for line in response.context_data["lines"]]  # type: ignore[attr-defined]

    assert order("delivered_percent") == ["Autumn", "Spring"]
    assert order("-cost:INR") == ["Spring", "Autumn"]
    assert order("no such thing") == ["Autumn", "Spring"]


def test_amounts_of_several_currencies_are_not_added_up_to_sort_by() -> None:
    def row(name: str, **cost: int) -> reporting.Row:
        return reporting.Row(((name, name),), reporting.Figures(cost=Counter(cost)))

    rows = [row("A", EUR=1_000_000, INR=90_000_000), row("B", EUR=2_000_000), row("C", INR=5_000_000)]
    period = reporting.period(TODAY, TODAY)

    def order(sort: str) -> list[str]:
        report = reporting.Report(period, ("sender",), ("cost",), list(rows), rows[0])
        return [str(one.values[0][0]) for one in asking.ordered(report, sort).rows]

    assert order("-cost") == order("-cost:EUR") == ["B", "A", "C"]
    assert order("-cost:INR") == ["A", "C", "B"]


def test_figures_lead_to_what_is_behind_them(admin_client: Client, sent: Sent) -> None:
    response = admin_client.get(PAGE, {"by": "campaign", "campaign": f"campaign:{sent.spring.pk}"})
    page = response.content.decode()
    links = {
        cell.text: cell.link
        for cell in response.context_data["lines"][0].cells  # type: ignore[attr-defined]
    }

    assert f"/admin/messaging/campaign/{sent.spring.pk}/change/" in page
    assert links["95"] == f"/admin/messaging/message/?campaign__id__exact={sent.spring.pk}&in=delivered"
    reasons = {
        reason["reason"]: reason["link"]
        for reason in response.context_data["reasons"]  # type: ignore[attr-defined]
    }
    assert reasons["absent subscriber"].endswith("&in=undelivered&reason__exact=absent+subscriber")
    assert "in=rejected" in reasons["-3 content is empty"]
    assert {admin_client.get(link).status_code for link in (links["95"], *reasons.values())} == {200}


def test_the_page_says_which_of_the_failed_are_not_among_the_sent(admin_client: Client, sent: Sent) -> None:
    assert "Failed includes 2 messages that Laaffic rejected" in admin_client.get(PAGE).content.decode()
    for without in ("columns=sent&columns=rejected", f"campaign=campaign:{sent.autumn.pk}"):
        assert "Failed includes" not in admin_client.get(f"{PAGE}?{without}").content.decode()


def test_numbers_in_reasons_are_masked_for_everybody(admin_client: Client, sent: Sent) -> None:
    """A report is mailed, and read by link; no list has the reason that is shown."""
    SentTally.objects.filter(reason="absent subscriber").update(reason="absent: 447700900123")

    response = admin_client.get(PAGE, {"by": "campaign", "campaign": f"campaign:{sent.spring.pk}"})

    [reason] = [one for one in response.context_data["reasons"] if "absent" in one["reason"]]  # type: ignore[attr-defined]
    assert (reason["reason"], reason["link"]) == ("absent: 4477•••••123", "")
    assert "447700900123" not in response.content.decode()


def test_days_and_what_has_no_country_are_said_in_words(admin_client: Client, sent: Sent) -> None:
    tally(sent.spring, dt.datetime(2026, 3, 7, 9, tzinfo=dt.UTC), "", MessageState.DELIVERED, 1)
    period = "period=custom&from=2026-03-07&to=2026-03-08&by="

    def first(by: str) -> list[str]:
        context: Any = admin_client.get(f"{PAGE}?{period}{by}").context_data  # type: ignore[attr-defined]
        return [context["lines"][0].values[0].text, context["first"], context["last"]]

    assert first("day") == ["7 Mar 2026", "7 Mar 2026", "8 Mar 2026"]
    assert first("month")[0] == "Mar 2026"
    assert first("country")[0] == "no country"
    assert "numbers that belong to no country" in admin_client.get(f"{PAGE}?{period}country").content.decode()
    assert "numbers that belong to no country" not in admin_client.get(f"{PAGE}?by=country").content.decode()


def test_each_column_says_what_it_means(admin_client: Client, sent: Sent) -> None:
    said = admin_client.get(PAGE, {"by": "campaign"}).content.decode()

    assert "What “Delivered %” means" in said
    assert 'data-more="/admin/help/reports/#columns"' in said


def test_many_rows_come_a_page_at_a_time_with_as_many_queries(admin_client: Client, sent: Sent) -> None:
    with CaptureQueriesContext(connection) as few:
        admin_client.get(PAGE, {"by": "campaign"})
    hour = reporting.period(TODAY, TODAY).start
    more = Campaign.objects.bulk_create(
        Campaign(name=f"<b>{n}", application=sent.spring.application, channel="sms", text="Hi") for n in range(120)
    )
    for campaign in more:
        tally(campaign, hour, "IN", MessageState.DELIVERED, 1)
    query = {"by": "campaign", "period": "custom", "from": "2026-03-31", "to": "2026-03-31"}

    with CaptureQueriesContext(connection) as many:
        page = admin_client.get(PAGE, query)

    assert len(page.context_data["lines"]) == 100  # type: ignore[attr-defined]
    assert page.context_data["total"].cells[0].text == "120"  # type: ignore[attr-defined]
    assert len(admin_client.get(PAGE, {**query, "page": "2"}).context_data["lines"]) == 20  # type: ignore[attr-defined]
    assert "<b>1" not in page.content.decode()
    assert len(many) <= len(few)


def test_a_file_is_for_who_may_export(client: Client, sent: Sent) -> None:
    looker = User.objects.create_user("looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_report"))
    client.force_login(looker)
    address = "/admin/reports/report/export/csv/?by=country"

    assert "Export CSV" not in client.get(PAGE).content.decode()
    assert client.get(address).status_code == 403
    assert "/admin/messaging/campaign/" not in client.get(PAGE, {"by": "campaign"}).content.decode()
    looker.user_permissions.add(Permission.objects.get(codename="export_report"))

    rows = b"".join(client.get(address).streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert rows[1].startswith("DE,5,5")
    assert rows[-1].startswith("Total,123,105")
    assert Export.objects.get().asked_by_name == "looker"


def test_what_is_too_much_for_the_chart_is_one_bar(sent: Sent, admin_client: Client) -> None:
    hour = timezone.localtime().replace(minute=0, second=0, microsecond=0)
    for n, country in enumerate(("AT", "BE", "BR", "CN", "ES", "FR", "GB", "ID", "JP", "MX", "NG", "US"), 20):
        tally(sent.spring, hour, country, MessageState.DELIVERED, n)

    chart = json.loads(admin_client.get(PAGE, {"by": "country"}).context["chart"])

    assert chart["labels"][-1] == "2 more"
    assert not any("(DE)" in label for label in chart["labels"])
    assert "(IN)" in str(chart["labels"])
    assert chart["datasets"][0]["data"][-1] == 25
