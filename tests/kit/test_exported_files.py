"""One writer for every list that is taken away: the same in both formats, whole, typed and by the console's clock."""

import csv
import datetime as dt
import io
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.kit.files import exports, xlsx_stream
from messaging.models import Contact, Reply
from phone_numbers.models import Binding, NumberPool, OwnedNumber
from voice.models import CallRecord

AT = dt.datetime(2026, 3, 1, 20, 30, 5, 123456, tzinfo=dt.UTC)
KOLKATA = dt.timedelta(hours=5, minutes=30)


@pytest.fixture(autouse=True)
def in_kolkata() -> Any:
    with timezone.override("Asia/Kolkata"):
        yield


def csv_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def xlsx_of(content: bytes) -> list[list[Any]]:
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    return [[as_csv_says(cell) for cell in row] for row in sheet.iter_rows()]


def as_csv_says(cell: Any) -> str:
    """The cell as a person sees it: the offset stands in its format."""
    if isinstance(cell.value, dt.datetime) and "hh" in cell.number_format:
        return cell.value.isoformat(sep=" ") + cell.number_format.partition('"')[2].rstrip('"')
    return str(cell.value.date() if isinstance(cell.value, dt.datetime) else "" if cell.value is None else cell.value)


def both(rows: list[list[Any]]) -> tuple[list[list[str]], list[list[Any]]]:
    return csv_of(b"".join(exports.csv_bytes(rows))), xlsx_of(b"".join(exports.workbook(rows, "Rows")))


class WriterTests:
    @pytest.mark.parametrize(
        ("value", "written"),
        [
            (Decimal("-0.5"), "-0.5"),
            (-7, "-7"),
            (12.25, "12.25"),
            (True, "yes"),
            ("-0.5", "'-0.5"),
            ("=1+1", "'=1+1"),
            ("＝1", "'＝1"),
            ("919876543210", "919876543210"),
            ("007", "007"),
            (10**19 + 1, str(10**19 + 1)),
            (Decimal("1234567890.12345678"), "1234567890.12345678"),
            (float("nan"), "nan"),
            (AT, "2026-03-02 02:00:05+05:30"),
            (AT.date(), "2026-03-01"),
            (dt.date(1, 1, 1), "0001-01-01"),
            (None, ""),
        ],
    )
    def test_both_formats_say_the_same(self, value: Any, written: str) -> None:
        as_csv, as_xlsx = both([["header"], [value]])

        assert as_csv == [["header"], [written]]
        assert as_xlsx[1][0].removesuffix(" 00:00:00") == written

    def test_figures_and_dates_are_no_text(self) -> None:
        made = b"".join(exports.workbook([["a"] * 4, [Decimal("-0.500000"), 3, AT, "3"]], "Rows"))

        figure, whole, moment, text = next(openpyxl.load_workbook(io.BytesIO(made)).active.iter_rows(min_row=2))

        assert (figure.data_type, figure.value, whole.data_type, text.data_type) == ("n", -0.5, "n", "s")
        assert (moment.is_date, moment.value) == (True, dt.datetime(2026, 3, 2, 2, 0, 5))
        assert "+05:30" in moment.number_format

    @pytest.mark.parametrize("text", ["x" * 40_000, "é " * 20_000, "😀" * 20_000])
    def test_a_cell_that_cannot_hold_it_says_so(self, text: str) -> None:
        as_csv, as_xlsx = both([["header"], [text]])

        assert as_csv[1] == [text]
        assert as_xlsx[1][0].endswith("the CSV file has all of it)")
        assert len(as_xlsx[1][0].encode("utf-16-le")) // 2 <= xlsx_stream.MAX_TEXT

    def test_a_text_that_just_fits_is_whole(self) -> None:
        assert both([["header"], ["x" * xlsx_stream.MAX_TEXT]])[1][1] == ["x" * xlsx_stream.MAX_TEXT]


@pytest.mark.django_db
class ListTests:
    @pytest.fixture
    def filled(self) -> None:
        application = Application.objects.create(app_id="NumApp1", channel="number", name="Masking")
        Contact.objects.create(number="919876543210", name="=Ann")
        Contact.objects.update(created_at=AT)
        Reply.objects.create(number="919876543210", content="-1", at=AT, received_at=AT)
        CallRecord.objects.create(
            voice_id="v1", callee="919876543210", at=AT, cost=Decimal("-0.5"), currency="USD", first_seen_at=AT
        )
        Binding.objects.create(
            application=application, bind_id="1", phone_a="919876543210", phone_b="919876543211", expires_at=AT
        )
        OwnedNumber.objects.create(number="917800000001", state=3, due_date=AT.date())
        numbers = [str(917860000000 + n) for n in range(5000)]
        NumberPool.objects.create(
            pool_number="918885",
            listed_addresses="10.0.0.1",
            listed_concurrency=7,
            listed_numbers=numbers,
            listed_at=AT,
        )

    @pytest.mark.parametrize("model", [Contact, Reply, CallRecord, Binding, OwnedNumber, NumberPool])
    def test_every_list_is_the_same_in_both_formats(
        self, admin_client: Client, filled: None, model: type[Model]
    ) -> None:
        files = {}
        for kind in exports.KINDS:
            start = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            address = f"{start}export/{kind}/"
            answer = admin_client.get(address)
            assert answer["Content-Disposition"].endswith(f'{timezone.localdate():%Y-%m-%d}.{kind}"')
            files[kind] = b"".join(answer.streaming_content)

        as_csv, as_xlsx = csv_of(files["csv"]), xlsx_of(files["xlsx"])

        moments = [cell for row in as_csv for cell in row if cell[:13] == "2026-03-02 02"]
        assert all(cell.endswith("+05:30") for cell in moments)
        assert moments or model is OwnedNumber
        assert [len(row) for row in as_csv] == [len(row) for row in as_xlsx]
        assert [[plain(cell) for cell in row] for row in as_csv] == [[plain(cell) for cell in row] for row in as_xlsx]

    def test_no_number_of_a_pool_is_lost(self, admin_client: Client, filled: None) -> None:
        made = b"".join(admin_client.get("/admin/numbers/numberpool/export/xlsx/").streaming_content)

        rows = xlsx_of(made)

        at = rows[0].index("number")
        assert [row[at] for row in rows[1:]] == NumberPool.objects.get().listed_numbers
        assert {row[0] for row in rows[1:]} == {"918885"}

    def test_a_negative_cost_is_a_figure(self, admin_client: Client, filled: None) -> None:
        made = b"".join(admin_client.get("/admin/voice/callrecord/export/xlsx/").streaming_content)

        header, row = openpyxl.load_workbook(io.BytesIO(made)).active.iter_rows(values_only=True)

        assert dict(zip(header, row, strict=True))["cost"] == -0.5
        assert dict(zip(header, row, strict=True))["number"] == "919876543210"


def plain(cell: str) -> str:
    """A figure without the zeros behind it, which a workbook does not keep."""
    return cell.rstrip("0").rstrip(".") if "." in cell and cell.replace(".", "").lstrip("-").isdecimal() else cell
