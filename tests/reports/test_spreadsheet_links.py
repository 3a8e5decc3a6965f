"""A report by an address with a token: for who has it, as long as it lasts, and in no log."""

import datetime as dt
import logging
import re

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from laaffic_console.audit.models import AuditEntry
from laaffic_console.conf import BASE_DIR
from laaffic_console.kit.audit.acts import Act
from laaffic_console.kit.masking.log_masks import MaskPushTokens
from laaffic_console.reports import reading
from laaffic_console.reports.models import Report, ReportLink
from laaffic_console.reports.services import spreadsheets
from tests.reports.conftest import Sent

pytestmark = [pytest.mark.django_db, pytest.mark.pages]


@pytest.fixture
def report() -> Report:
    cache.clear()
    owner = User.objects.create_user("grace", is_staff=True)
    owner.groups.add(Group.objects.get(name="Operator"))
    return Report.objects.create(owner=owner, name="India", query="period=this_month&by=country")


def make(client: Client, report: Report) -> str:
    """The token, read off the page that shows it."""
    client.force_login(report.owner)
    page = client.post(f"/admin/reports/report/{report.pk}/link/", {"days": "30"})
    assert "no-store" in page["Cache-Control"]
    found = re.search(r"token=([\w-]{43})", page.content.decode())
    assert found is not None
    return found[1]


def read(report: Report, token: str) -> HttpResponse:
    return Client().get(f"/reports/{report.pk}.csv", {"token": token})  # type: ignore[return-value]


def test_a_spreadsheet_reads_it_without_a_session(client: Client, report: Report, sent: Sent) -> None:
    token = make(client, report)

    answer = read(report, token)

    lines = answer.content.decode().splitlines()
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert (answer["Cache-Control"], answer["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert (lines[1][:5], lines[-1][:9]) == ("DE,5,", "Total,123")
    assert not answer.cookies
    link = ReportLink.objects.get()
    assert (link.uses, link.last_used_at is not None) == (1, True)
    assert token not in f"{link.digest} {client.get(f'/admin/reports/report/{report.pk}/change/').content.decode()}"


def test_what_opens_nothing_says_so_plainly(client: Client, report: Report) -> None:
    old = make(client, report)
    token = make(client, report)

    for wrong in (old, "", "x" * 5000, token[:-1]):
        answer = read(report, wrong)
        assert (answer.status_code, answer["Content-Type"]) == (404, "text/plain; charset=utf-8")
    for nobodys in (999, 2**63, "9" * 26):
        assert Client().get(f"/reports/{nobodys}.csv", {"token": token}).content == read(report, old).content
    assert Client().post(f"/reports/{report.pk}.csv?token={token}").status_code == 405
    assert read(report, token).status_code == 200

    ReportLink.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert (read(report, token).status_code, b"expired" in read(report, token).content) == (403, True)
    ReportLink.objects.update(expires_at=timezone.now() + dt.timedelta(days=1))
    report.owner.groups.clear()
    assert (read(report, token).status_code, b"may no longer share" in read(report, token).content) == (403, True)


def test_a_link_that_was_taken_away_opens_nothing(client: Client, report: Report) -> None:
    token = make(client, report)

    client.post(f"/admin/reports/report/{report.pk}/unlink/")

    assert read(report, token).status_code == 404
    acts = AuditEntry.objects.order_by("pk").values_list("kind", "object_id")
    assert list(acts) == [(Act.EXPORTED, str(report.pk)), (Act.CHANGED, str(report.pk))]
    assert token not in str(AuditEntry.objects.values())


def test_who_reads_too_often_waits(client: Client, report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "A_MINUTE", 2)

    answers = [read(report, "wrong") for _n in range(3)]

    assert [answer.status_code for answer in answers] == [404, 404, 429]
    assert answers[-1]["Retry-After"] == "60"


def test_no_log_holds_the_token() -> None:
    line = '"GET /reports/7.csv?a=1&token=%s HTTP/1.1" 200'
    record = logging.LogRecord("django.server", logging.INFO, "", 0, line, ("secret-of-43-signs",), None)

    MaskPushTokens().filter(record)

    assert record.getMessage() == '"GET /reports/7.csv?a=1&token=… HTTP/1.1" 200'
    assert "$report?***" in (BASE_DIR / "deploy" / "nginx.conf").read_text()


def test_a_link_is_its_owners_and_lasts_as_long_as_is_offered(report: Report) -> None:
    other = User.objects.create_user("otto", is_staff=True)
    other.groups.add(Group.objects.get(name="Operator"))

    with pytest.raises(PermissionDenied):
        spreadsheets.make(report, other, 30)
    with pytest.raises(ValidationError, match="30, 90 or 365 days"):
        spreadsheets.make(report, report.owner, 31)

    assert not ReportLink.objects.exists()
