"""What a message costs: learned from reports, listed, and put together for a forecast."""

import datetime as dt
import io
import re
from copy import copy
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import Workbook
from tablib import Dataset

from laaffic_console.gateway.models import Application, BalanceReading
from messaging.models import Campaign, ListPrice, MessageState, OutcomeTally
from messaging.resources.prices import ListPriceResource, PriceFile
from messaging.services.figures import expected
from messaging.services.forecast import balance_forecast
from messaging.services.reports import prices
from messaging.services.reports.prices import Cost
from messaging.services.tallies import hour_tallies
from tests.plans import plan

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture
def charged(application: Application) -> Any:
    def tally(country: str, messages: int, segments: int, paid: str, **given: Any) -> OutcomeTally:
        campaign = Campaign.objects.create(
            name="c", application=application, text=given.pop("text", "Hi"), launched_at=given.pop("launched_at", NOW),
            channel=given.pop("channel", "sms"), forecast=given.pop("forecast", None),
        )  # fmt: skip
        return OutcomeTally.objects.create(
            campaign=campaign,
            country=country,
            state=given.pop("state", MessageState.DELIVERED),
            currency=given.pop("currency", "USD"),
            messages=messages,
            billed_segments=segments,
            pay_micros=int(Decimal(paid) * 1_000_000),
        )

    return tally


class LearnedTests:
    def test_it_is_the_price_of_a_segment(self, charged: Any) -> None:
        charged("IN", 100, 200, "0.62")
        charged("IN", 100, 100, "0.31", launched_at=NOW - dt.timedelta(days=3))

        assert prices.learned("sms") == {"IN": prices.Price("IN", Decimal("0.003100"), "USD", 200, NOW)}

    def test_without_segments_it_is_that_of_a_message(self, charged: Any) -> None:
        charged("IN", 10, 0, "0.50", channel="mms")

        assert prices.learned("mms")["IN"].each == Decimal("0.05")
        assert prices.learned("sms") == {}

    def test_segments_that_only_some_reports_have_named_are_not_of_all(self, charged: Any) -> None:
        """Half of them named one segment each: a segment is not twice as expensive, nor a message half of one."""
        tally = charged("IN", 100, 50, "1.00")

        assert prices.learned("sms")["IN"].each == Decimal("0.01")
        actual = expected.actuals([tally.campaign_id])[tally.campaign_id, "IN"]
        assert (actual.each, actual.price) == (None, Decimal("0.01"))

    def test_of_a_text_of_several_segments_it_is_that_of_a_segment_all_the_same(self, charged: Any) -> None:
        charged("IN", 10, 0, "0.60", text="Hello" + 50 * " and on")
        charged("FR", 10, 0, "0.50", text="Hello {{name}}" + 50 * " and on", forecast={"each": 2.5, "by_country": {}})
        charged("DE", 10, 0, "0.60", text="Hello {{name}}" + 50 * " and on")

        learned = prices.learned("sms")

        assert {country: price.each for country, price in learned.items()} == dict.fromkeys(learned, Decimal("0.02"))

    def test_what_was_not_charged_is_no_price(self, charged: Any) -> None:
        charged("IN", 10, 0, "0", currency="")

        assert prices.learned("sms") == {}

    def test_of_two_currencies_the_more_frequent_counts(self, charged: Any) -> None:
        charged("IN", 10, 10, "1", currency="EUR")
        charged("IN", 100, 100, "1", currency="USD")

        assert prices.learned("sms")["IN"].currency == "USD"


class RememberedTests:
    """A price stays known, whatever has been sent since."""

    @pytest.mark.parametrize("is_folded", [False, True])
    def test_single_messages_do_not_make_it_forgotten(
        self, application: Application, charged: Any, is_folded: bool
    ) -> None:
        charged("IN", 50_000, 50_000, "500", launched_at=NOW - dt.timedelta(days=400))
        if is_folded:
            hour_tallies.fold()
        quick = Campaign(name="q", kind=Campaign.Kind.QUICK, application=application, text="Hi", channel="sms")
        Campaign.objects.bulk_create([copy(quick) for _n in range(250)])

        assert prices.known("sms")["IN"].each == Decimal("0.01")

    def test_each_country_and_channel_has_its_own_last_ones(
        self, charged: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(prices, "LAST_CHARGED", 2)
        monkeypatch.setattr(prices, "COUNTRIES_AT_ONCE", 1)
        charged("GB", 100, 100, "9")
        charged("IN", 100, 100, "7", channel="mms")
        charged("", 100, 100, "3")
        for paid in ("8", "2", "4"):
            charged("IN", 100, 100, paid)
        hour_tallies.fold()

        learned = {channel: prices.learned(channel) for channel in ("sms", "mms", "voice")}

        assert {(channel, country): price.each for channel, of in learned.items() for country, price in of.items()} == {
            ("sms", ""): Decimal("0.03"),
            ("sms", "GB"): Decimal("0.09"),
            ("sms", "IN"): Decimal("0.03"),  # of the last two
            ("mms", "IN"): Decimal("0.07"),
        }

    def test_what_has_come_since_the_last_fold_counts_too(self, charged: Any) -> None:
        charged("IN", 100, 100, "1")
        hour_tallies.fold()
        charged("IN", 100, 100, "3")

        assert (prices.learned("sms")["IN"].each, prices.learned("sms")["IN"].sample) == (Decimal("0.02"), 200)

    def test_what_was_charged_before_an_upgrade_counts(self, charged: Any) -> None:
        charged("IN", 100, 100, "1")
        charged("GB", 100, 0, "0", currency="")
        OutcomeTally.objects.update(folded_messages=F("messages"), folded_micros=F("pay_micros"))
        assert prices.learned("sms") == {}

        import_module("messaging.migrations.0091_past_charged_channels").fill(apps, None)

        assert set(prices.learned("sms")) == {"IN"}

    def test_no_history_is_read_for_them(self, charged: Any) -> None:
        """An index with ranges leads to them, and to each country in one step."""
        for country in ("IN", "GB"):
            charged(country, 100, 100, "1")
        hour_tallies.fold()
        with CaptureQueriesContext(connection) as captured:
            prices.learned("sms")

        plans = [plan(one["sql"]) for one in captured if "outcometally" in one["sql"]]

        assert len(plans) == 3
        assert "outcome_unfolded" in plans[0]
        assert all("outcome_charged" in said for said in plans[1:])
        assert not any("SCAN messaging_outcometally" in said or "Seq Scan on messaging_o" in said for said in plans[1:])


class KnownTests:
    def test_few_reports_yield_to_the_list_and_many_do_not(self, charged: Any) -> None:
        charged("IN", prices.ENOUGH, 20, "0.2")
        charged("GB", prices.ENOUGH - 1, 19, "0.19")
        charged("DE", 1, 1, "0.07")
        for country in ("IN", "GB", "FR"):
            ListPrice.objects.create(country=country, price=Decimal("0.05"), currency="USD")

        known = prices.known("sms")

        assert {country: (price.each, price.is_learned) for country, price in known.items()} == {
            "IN": (Decimal("0.01"), True),
            "GB": (Decimal("0.05"), False),
            "FR": (Decimal("0.05"), False),
            "DE": (Decimal("0.07"), True),
        }

    def test_a_cost_is_by_currency_and_says_what_it_lacks(self) -> None:
        known = {
            "IN": prices.Price("IN", Decimal("0.003"), "USD", 50, NOW),
            "GB": prices.Price("GB", Decimal("0.04"), "EUR", 50, NOW),
        }

        cost = prices.cost_of({"IN": 1000, "GB": 10, "": 5}, 2.0, known)

        assert cost.by_currency == {"EUR": Decimal("0.80"), "USD": Decimal("6.000")}
        assert (cost.without_price, cost.countries_without_price) == (5, [""])


class ListTests:
    def read(self, text: str) -> Any:
        return ListPriceResource().import_data(Dataset().load(text, format="csv"), dry_run=False)

    def test_a_file_makes_and_changes_prices(self) -> None:
        ListPrice.objects.create(country="IN", price=Decimal("0.01"), currency="USD")

        result = self.read('Country,Price,Currency\nin,"0,0031",usd\nGB,0.04,EUR\n')

        assert not result.has_errors()
        assert not result.has_validation_errors()
        assert list(ListPrice.objects.values_list("channel", "country", "price", "currency")) == [
            ("sms", "GB", Decimal("0.04"), "EUR"),
            ("sms", "IN", Decimal("0.0031"), "USD"),
        ]

    @pytest.mark.parametrize("written", ["1,250", " 125,000 "])
    def test_a_price_with_two_readings_is_refused_with_both(self, written: str) -> None:
        result = self.read(f'country,price,currency\nID,"{written}",IDR\n')

        whole, parted = written.strip().replace(",", ""), written.strip().replace(",", ".")
        said = str(result.invalid_rows[0].error_dict["price"][0])
        assert f"may be {whole} or {parted}" in said
        assert not ListPrice.objects.exists()

    @pytest.mark.parametrize(
        ("written", "price"),
        [
            *(("0,003", "0.003"), ("1.250,50", "1250.5"), ("1,250.50", "1250.5"), ("1,25", "1.25")),
            *(("1.250", "1.25"), ("12,3456", "12.3456"), ("1250", "1250")),
        ],
    )
    def test_any_other_has_one(self, written: str, price: str) -> None:
        result = self.read(f'country,price,currency\nID,"{written}",IDR\n')

        assert not result.has_errors()
        assert ListPrice.objects.get().price == Decimal(price)

    @pytest.mark.parametrize(
        "row", ["India,0.1,USD", "ın,0.1,USD", "UK,0.1,USD", "IN,-1,USD", "IN,cheap,USD", "IN,0.1,dollars", "IN,0.1,"]
    )
    def test_a_bad_row_is_named_and_nothing_is_taken(self, row: str) -> None:
        result = self.read(f"country,price,currency\nGB,0.04,EUR\n{row}\n")

        assert result.has_errors() or result.has_validation_errors()
        assert not ListPrice.objects.exclude(country="GB").exists()

    def test_a_column_that_lacks_is_named(self) -> None:
        result = self.read("country,amount\nIN,1\n")

        assert "price, currency" in str(result.base_errors[0].error)


class PageTests:
    ADDRESS = "admin:messaging_listprice_changelist"

    def test_it_compares_with_what_was_charged(self, admin_client: Client, charged: Any) -> None:
        charged("IN", 100, 100, "0.50")
        ListPrice.objects.create(country="IN", price=Decimal("0.004"), currency="USD")

        said = admin_client.get(reverse(self.ADDRESS)).content.decode()

        assert "+25.0%" in said
        assert "learned for 1 country" in said

    def test_a_country_that_no_number_has_is_refused(self, admin_client: Client) -> None:
        given = {"channel": "sms", "country": "UK", "price": "0.04", "currency": "EUR"}
        page = admin_client.post(reverse("admin:messaging_listprice_add"), given)

        assert "“UK” is not a country" in page.content.decode()
        assert not ListPrice.objects.exists()

    def test_a_file_is_shown_before_it_is_taken(self, admin_client: Client) -> None:
        file = SimpleUploadedFile("prices.csv", b"country,price,currency\nIN,0.0031,USD\n", "text/csv")

        shown = admin_client.post(
            reverse("admin:messaging_listprice_import"), {"import_file": file, "format": "0", "resource": ""}
        )

        assert shown.status_code == 200
        assert "0.0031" in shown.content.decode()
        assert not ListPrice.objects.exists()

    def test_prices_on_several_sheets_are_not_left_out_silently(self, admin_client: Client) -> None:
        workbook = Workbook()
        workbook.active.append(["country", "price", "currency"])
        workbook.active.append(["IN", "0.0031", "USD"])
        second = workbook.create_sheet("Europe")
        second.append(["country", "price", "currency"])
        second.append(["DE", "0.07", "EUR"])
        content = io.BytesIO()
        workbook.save(content)
        file = SimpleUploadedFile("prices.xlsx", content.getvalue())

        shown = admin_client.post(
            reverse("admin:messaging_listprice_import"), {"import_file": file, "format": "0", "resource": ""}
        ).content.decode()

        assert "rows on several sheets: Sheet, Europe. Keep all rows on one" in shown

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"country,price,currency\nDE,0.07,EUR\nIN,abc,USD\n", "Row 3 · price: “abc” is not a price."),
            (b"country,price,currency\nDE,NaN,EUR\n", "Row 2 · price: “NaN” is not a price."),
            (b"land,preis\nIN,0.1\n", "The file has no column called country, price, currency."),
        ],
    )
    def test_what_is_wrong_in_a_file_is_said_in_a_sentence(
        self, admin_client: Client, content: bytes, says: str
    ) -> None:
        file = SimpleUploadedFile("prices.csv", content, "text/csv")

        shown = admin_client.post(
            reverse("admin:messaging_listprice_import"), {"import_file": file, "format": "0", "resource": ""}
        ).content.decode()

        part = re.sub("<[^>]+>", "", shown[shown.index('id="import-errors"') :])
        assert says in " ".join(part.split())
        assert not any(word in part for word in ("Traceback", "ConversionSyntax", "['", "'country'"))

    def test_an_unchanged_price_looks_unchanged(self, admin_client: Client) -> None:
        ListPrice.objects.create(country="DE", price=Decimal("0.07"), currency="EUR")
        file = SimpleUploadedFile("prices.csv", b"country,price,currency\nDE,0.07,EUR\nFR,0.05,EUR\n")

        shown = admin_client.post(
            reverse("admin:messaging_listprice_import"), {"import_file": file, "format": "0", "resource": ""}
        ).content.decode()

        rows = shown[shown.index('id="preview"') :].partition("</table>")[0].split("<tr>")[2:]
        assert [" ".join(re.sub("<[^>]+>", " ", row).split()) for row in rows] == [
            "as before sms DE 0.07 EUR",
            "new sms FR 0.05 EUR",
        ]

    @pytest.mark.parametrize(
        "content",
        [
            b"\xef\xbb\xbfcountry;price;currency\r\nDE;0,07;EUR\r\n",
            "country\tprice\tcurrency\nDE\t0,07\tEUR\n".encode("utf-16"),
            b"sep=;\ncountry;price\n\nDE;0,07",
        ],
    )
    def test_a_spreadsheets_own_csv_is_read(self, content: bytes) -> None:
        prices = PriceFile().create_dataset(content)

        assert prices.dict[0].items() >= {"country": "DE", "price": "0,07"}.items()

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"\x89PNG\r\n\x1a\n\0\0", "picture"),
            (b"PK\x03\x04 no workbook", "XLSX"),
            (b"country,price,currency\n", "no prices below it"),
            (b"country,price\nDE,0.07\nFR,0,05\n", "Row 3: This row has more cells than the header"),
        ],
    )
    def test_why_a_file_cannot_be_read_is_said_in_a_sentence(
        self, admin_client: Client, content: bytes, says: str
    ) -> None:
        file = SimpleUploadedFile("prices.csv", content, "text/csv")

        shown = admin_client.post(
            reverse("admin:messaging_listprice_import"), {"import_file": file, "format": "0", "resource": ""}
        ).content.decode()

        assert says in shown
        assert "encountered while" not in shown
        assert "channel, country, price, currency" in shown

    def test_its_queries_do_not_grow(self, admin_client: Client, charged: Any) -> None:
        def queries() -> int:
            with CaptureQueriesContext(connection) as counted:
                admin_client.get(reverse(self.ADDRESS))
            return len(counted)

        ListPrice.objects.create(country="IN", price=1, currency="USD")
        charged("IN", 100, 100, "0.50")
        few = queries()
        for country in ("GB", "DE", "FR"):
            charged(country, 100, 100, "0.50")
            ListPrice.objects.create(country=country, price=1, currency="USD")

        assert queries() <= few


class ImportRightsTests:
    """The library's own pages: who may, and what a form that was tampered with does."""

    IMPORT, PROCESS = "admin:messaging_listprice_import", "admin:messaging_listprice_process_import"

    def upload(self, client: Client) -> Any:
        file = SimpleUploadedFile("prices.csv", b"country,price,currency\nIN,0.0031,USD\n", "text/csv")
        return client.post(reverse(self.IMPORT), {"import_file": file, "format": "0", "resource": ""})

    def confirmation(self, client: Client) -> dict[str, str]:
        form = self.upload(client).context["confirm_form"]
        return {name: str(form[name].value() or "") for name in form.fields}

    def test_what_was_shown_is_taken_once(self, admin_client: Client) -> None:
        given = self.confirmation(admin_client)

        admin_client.post(reverse(self.PROCESS), given)
        again = admin_client.post(reverse(self.PROCESS), given, follow=True)

        assert ListPrice.objects.get().country == "IN"
        assert "Choose it again" in again.content.decode()

    @pytest.mark.parametrize("how", ["/", "../../../../../", "..%2f", ""])
    def test_no_file_is_named_by_the_browser(self, admin_client: Client, tmp_path: Path, how: str) -> None:
        victim = tmp_path / "victim.csv"
        victim.write_text("country,price,currency\nIN,9,USD\n")
        given = self.confirmation(admin_client) | {"import_file_name": how + str(victim)}

        answer = admin_client.post(reverse(self.PROCESS), given)

        assert answer.status_code == 302
        assert victim.exists()
        assert not ListPrice.objects.exists()

    @pytest.mark.parametrize("wrong", [{"format": "7"}, {"format": "-1"}, {"format": "x"}, {"import_file_name": "a:b"}])
    def test_nonsense_is_answered_with_a_sentence(self, admin_client: Client, wrong: dict[str, str]) -> None:
        answer = admin_client.post(reverse(self.PROCESS), self.confirmation(admin_client) | wrong, follow=True)

        assert "Choose it again" in answer.content.decode()
        assert not ListPrice.objects.exists()

    def test_another_persons_file_is_not_taken(self, admin_client: Client, client: Client) -> None:
        given = self.confirmation(admin_client)
        client.force_login(User.objects.create_superuser("second"))

        client.post(reverse(self.PROCESS), given)

        assert not ListPrice.objects.exists()

    @pytest.mark.parametrize("rights", [[], ["view"], ["view", "add"], ["view", "change"]])
    def test_who_may_not_change_prices_imports_none(
        self, admin_client: Client, client: Client, rights: list[str]
    ) -> None:
        given = self.confirmation(admin_client)
        user = User.objects.create_user("half", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=[f"{right}_listprice" for right in rights]))
        client.force_login(user)

        answers = [client.get(reverse(self.IMPORT)), self.upload(client), client.post(reverse(self.PROCESS), given)]

        assert [answer.status_code for answer in answers] == [403, 403, 403]
        assert not ListPrice.objects.exists()


def test_prices_in_other_money_than_the_balance_tell_nothing_of_what_is_left() -> None:
    BalanceReading.objects.create(at=timezone.now(), balance=5, currency="EUR")

    assert balance_forecast.of(Cost([], {"USD": Decimal(1)}, 0)) is None
    left = balance_forecast.of(Cost([], {"EUR": Decimal(1)}, 0))
    assert left is not None
    assert left.left == 4
