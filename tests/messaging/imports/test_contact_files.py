"""Files as spreadsheets, exports and people leave them behind."""

import codecs
import csv
import datetime as dt
import io
import tracemalloc
import zipfile
from pathlib import Path

import openpyxl
import pytest
from openpyxl.chart import BarChart, Reference

from laaffic_console.kit.files import exports
from laaffic_console.kit.files.exports import escape_formula, unescaped
from laaffic_console.kit.words.plain_text import one_line
from messaging.files import contact_files
from messaging.files.contact_files import ContactFile
from messaging.files.contact_headers import IGNORED, attribute_header, attribute_name, guess_mapping
from messaging.files.contact_rows import RowCleaner, RowError, RowOptions
from messaging.files.unreadable import UnreadableFile
from messaging.text import merge_fields

CHINESE = "手机号,姓名,城市\n8613800138000,王芳,上海\n8613900139000,李伟,成都\n"
FRENCH = "Téléphone;Prénom;Nom\n+33612345678;Élise;Müller\n+33612345679;Noël;Gómez\n"


def written(tmp_path: Path, content: bytes, name: str = "contacts.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def ole(*names: str, sector: int = 0) -> bytes:
    """What Office wraps a workbook with a password in: its directory lies in any sector."""
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(30, b"\0") + (9).to_bytes(2, "little")
    head = (head.ljust(48, b"\0") + sector.to_bytes(4, "little")).ljust(512 * (sector + 1), b"\0")
    return head + b"".join(name.encode("utf-16-le").ljust(128, b"\0") for name in names)


def rows_of(path: Path) -> list[list[str]]:
    return [row.cells for row in ContactFile(path, contact_files.detect(path))]


def workbook(path: Path, rows: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


class EncodingTests:
    @pytest.mark.parametrize(
        ("text", "encoding", "mark", "found"),
        [
            (CHINESE, "utf-8", b"", "utf-8"),
            (CHINESE, "utf-8", codecs.BOM_UTF8, "utf-8-sig"),
            (CHINESE, "utf-16-le", codecs.BOM_UTF16_LE, "utf-16"),
            (CHINESE, "utf-16-be", codecs.BOM_UTF16_BE, "utf-16"),
            (FRENCH, "utf-16-le", b"", "utf-16-le"),
            (FRENCH, "utf-16-be", b"", "utf-16-be"),
            (CHINESE, "gb18030", b"", "gb18030"),
            (CHINESE, "gbk", b"", "gb18030"),
            (FRENCH, "utf-8", b"", "utf-8"),
            (FRENCH, "windows-1252", b"", "windows-1252"),
            ("phone,name\n4915112345678,Jürgen Weiß\n", "windows-1252", b"", "windows-1252"),
            ("phone,name\n4915112345678,Ann\n", "ascii", b"", "utf-8"),
        ],
    )
    def test_each_is_found_and_read(self, tmp_path: Path, text: str, encoding: str, mark: bytes, found: str) -> None:
        path = written(tmp_path, mark + text.encode(encoding))

        assert contact_files.detect(path).encoding == found
        first_line = text.splitlines()[1].replace(";", ",")
        assert ",".join(rows_of(path)[0]) == first_line

    @pytest.mark.parametrize(
        ("name", "encoding"),
        [
            *(("Dvořák", "windows-1250"), ("Žižková Šárka", "windows-1250"), ("Müller", "mac-roman")),
            *(("Иван Петров", "windows-1251"), ("Иван Петров", "koi8-r"), ("Иван Петров", "mac-cyrillic")),
            *(("Γιώργος", "windows-1253"), ("Ayşe Yıldız", "windows-1254"), ("דוד כהן", "windows-1255")),
            *(("محمد علي", "windows-1256"), ("Jānis Bērziņš", "windows-1257"), ("สมชาย ใจดี", "cp874")),
            *(("さくら", "shift_jis"), ("김철수", "euc-kr"), ("王小明", "big5"), ("王芳", "gb18030")),
            *(("Łukasz Żółć", "iso-8859-2"), ("Muñoz", "windows-1252"), ("Nguyê\u0303n", "windows-1258")),
        ],
    )
    def test_the_right_words_are_among_the_readings(self, tmp_path: Path, name: str, encoding: str) -> None:
        path = written(tmp_path, f"phone,name\n4915112345678,{name}\n".encode(encoding))

        found = contact_files.detect(path)

        assert [name] in [reading.words for reading in found.readings]
        assert len({tuple(reading.words) for reading in found.readings}) == len(found.readings)
        chosen = contact_files.detect(path, encoding=encoding)
        assert [row.cells[1] for row in ContactFile(path, chosen)] == [name]

    @pytest.mark.parametrize("name", ["Jürgen Weiß", "Élise Noël Gómez", "O’Brien"])
    def test_letters_that_no_other_page_makes_sense_of_need_no_question(self, tmp_path: Path, name: str) -> None:
        path = written(tmp_path, f"phone,name\n4915112345678,{name}\n".encode("windows-1252"))

        assert len(contact_files.detect(path).readings) == 1
        assert rows_of(path)[0][1] == name

    @pytest.mark.parametrize("encoding", ["utf-32", "utf-32-le", "utf-32-be", "iso2022_jp"])
    def test_encodings_that_leave_no_doubt(self, tmp_path: Path, encoding: str) -> None:
        path = written(tmp_path, "phone,name\n819012345678,山田\n".encode(encoding))

        assert rows_of(path) == [["819012345678", "山田"]]

    @pytest.mark.parametrize(
        ("encoding", "reason"),
        [
            ("klingon", "no encoding “klingon”"),
            *((other, "no encoding") for other in ("hex", "idna", "undefined")),
            *((other, "cannot be read as") for other in ("utf-8", "utf-16")),
        ],
    )
    def test_a_wrong_choice_says_so(self, tmp_path: Path, encoding: str, reason: str) -> None:
        path = written(tmp_path, "phone,name\n4915112345678,Müller\n".encode("mac-roman"))

        with pytest.raises(UnreadableFile, match=reason):
            contact_files.detect(path, encoding=encoding)

    def test_bytes_that_break_far_into_a_file_are_found_before_the_import(self, tmp_path: Path) -> None:
        path = written(tmp_path, codecs.BOM_UTF8 + b"phone\n" + b"919876543210\n" * 30_000 + b"\xff\n")

        with pytest.raises(UnreadableFile, match="not UTF-8-SIG to its end"):
            contact_files.detect(path)


class DelimiterTests:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    def test_each_is_found(self, tmp_path: Path, delimiter: str) -> None:
        lines = [["phone", "name", "city"], ["919876543210", "Rao, Asha", "Pune"], ["919876543211", "B", ""]]
        text = "\n".join(delimiter.join(f'"{cell}"' for cell in line) for line in lines)
        path = written(tmp_path, text.encode())

        assert contact_files.detect(path).delimiter == delimiter
        assert rows_of(path) == lines[1:]

    def test_a_lone_column_needs_none(self, tmp_path: Path) -> None:
        path = written(tmp_path, b"phone\r\n919876543210\r\n919876543211\r\n")

        assert rows_of(path) == [["919876543210"], ["919876543211"]]


class RowTests:
    def test_rows_are_numbered_as_a_spreadsheet_does(self, tmp_path: Path) -> None:
        path = written(tmp_path, b'phone,note\n1,"two\nlines"\n\n ,\n2,x\n')

        rows = list(ContactFile(path, contact_files.detect(path)))

        assert [(row.line, row.cells) for row in rows] == [(2, ["1", "two\nlines"]), (5, ["2", "x"])]

    def test_an_open_quotation_mark_swallows_nothing_in_silence(self, tmp_path: Path) -> None:
        path = written(tmp_path, b'phone,name\n1,"Ann\n2,Ben\n3,"Cy"\n4,Di\n')

        rows = list(ContactFile(path, contact_files.detect(path)))

        assert [(bool(row.problem), row.cells) for row in rows] == [(True, []), (False, ["4", "Di"])]

    def test_one_that_is_open_at_the_end_is_told(self, tmp_path: Path) -> None:
        path = written(tmp_path, b'phone,name\n1,Ann\n2,"Ben\n3,Cy\n')

        assert [bool(row.problem) for row in ContactFile(path, contact_files.detect(path))] == [False, True]

    def test_one_in_a_row_of_long_cells_spoils_that_row_alone(self, tmp_path: Path) -> None:
        wide = b",".join([b"x" * 900] * 120)
        path = written(tmp_path, b"phone,name\n1,Ann\n" + wide + b',"Ben" B\n3,Cy\n')

        assert [bool(row.problem) for row in ContactFile(path, contact_files.detect(path))] == [False, True, False]

    @pytest.mark.parametrize("row", [1, 2, 4, 6000])
    def test_one_that_is_never_closed_ends_the_file_at_its_row(self, tmp_path: Path, row: int) -> None:
        rows = [b"phone,name", *[b"1,Ann"] * 30_000]
        rows[row - 1] = b'1,"Ann'
        path = written(tmp_path, b"\n".join(rows))

        with pytest.raises(UnreadableFile, match=rf"Row {row:,} has a cell .* not closed"):
            list(ContactFile(path, contact_files.detect(path)))
        if row < contact_files.LOOKED_AT:
            with pytest.raises(UnreadableFile, match="not closed"):
                contact_files.detect(path)

    @pytest.mark.thorough
    def test_memory_does_not_grow_with_the_file(self, tmp_path: Path) -> None:
        peaks = []
        for count in (60_000, 120_000):
            path = written(tmp_path, b"phone,name\n" + b"919876543210,Ann Lee\n" * count)
            tracemalloc.start()
            assert sum(1 for _ in ContactFile(path, contact_files.detect(path))) == count
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()

        assert peaks[1] < peaks[0] * 1.3


class RefusalTests:
    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "The file is empty"),
            (b" \r\n\r\n", "The file is empty"),
            (codecs.BOM_UTF8, "The file is empty"),
            (b"\x89PNG\r\n\x1a\n" + bytes(200), "This is a picture"),
            (b"%PDF-1.7\n" + b"x" * 200, "This is a PDF"),
            (b"\xd0\xcf\x11\xe0" + b"\xff" * 600, "an old Excel file"),
            (ole("Root Entry", "EncryptedPackage"), "a workbook with a password. Take the password off"),
            (ole("Root Entry", "EncryptedPackage", sector=900), "a workbook with a password. Take the password off"),
            (b"<html><table><tr><td>phone</td></tr>\n<tr><td>1</td></tr></table></html>", "This is a web page"),
            (b"\xef\xbb\xbf\r\n<!DOCTYPE HTML>\n<p>", "This is a web page"),
            ("\ufeff<TABLE border=1>\n<tr>".encode("utf-16"), "This is a web page"),
            (b'<?xml version="1.0"?>\n<Workbook/>\n', "This is an XML document"),
            (b"BEGIN:VCARD\nVERSION:3.0\nTEL:+919876543210\nEND:VCARD\n", "contact cards"),
            (b'[{"phone": "919876543210"}]\n', "This is JSON"),
            (b'{"contacts": [\n{"phone": "919876543210"}]}\n', "This is JSON"),
            (b"\0" * 5000, "nothing but zeros"),
            (b"\xd0\xcf\x11\xe0" + bytes(200), "an old Excel file"),
            (b"\x1f\x8b" + bytes(200), "a compressed file"),
            (b"PK\x03\x04" + bytes(200), "not a workbook that can be read"),
            (b"phone,name\n919876543210,A\0nn\n" * 20, r"a character that no text has \(code 0\)"),
            (bytes(range(1, 255)) * 40, "characters cannot be read"),
            (b"phone,name\n", "no rows below it"),
            (b"phone,name\n,\n\n", "no rows below it"),
            (b"919876543210,Ann\n919876543211,Ben\n", "The first row holds a phone number"),
            (b"+91 98765 43210\n+91 98765 43211\n", "The first row holds a phone number"),
            (",".join(f"c{n}" for n in range(2000)).encode() + b"\n1\n", "2,000 columns; at most 200"),
            (b",,\nx,y,z\n", "The first row is empty"),
        ],
    )
    def test_each_says_what_to_do(self, tmp_path: Path, content: bytes, reason: str) -> None:
        with pytest.raises(UnreadableFile, match=reason) as refused:
            contact_files.detect(written(tmp_path, content))

        assert str(refused.value).endswith((".", "name,city", "number,name"))

    @pytest.mark.parametrize("header", ["[phone],name", "{phone};name", "<phone>,name", "begin,phone"])
    def test_columns_may_be_called_oddly(self, tmp_path: Path, header: str) -> None:
        path = written(tmp_path, f"{header}\n919876543210,a\n".encode())

        assert contact_files.detect(path).headers

    def test_a_zip_of_something_else(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "contacts.xlsx", "w") as packed:
            packed.writestr("hello.txt", "hello")

        with pytest.raises(UnreadableFile, match="not a workbook"):
            contact_files.detect(tmp_path / "contacts.xlsx")

    def test_a_workbook_that_unpacks_without_end(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = workbook(tmp_path / "contacts.xlsx", [["phone"], ["919876543210"]])
        monkeypatch.setattr(contact_files, "MAX_UNPACKED", 1000)

        with pytest.raises(UnreadableFile, match="unpacks to"):
            contact_files.detect(path)


class WorkbookTests:
    def test_numbers_kept_as_numbers_are_their_digits(self, tmp_path: Path) -> None:
        day, moment = dt.datetime(2026, 3, 1), dt.datetime(2026, 3, 1, 9, 30)
        path = workbook(
            tmp_path / "contacts.xlsx",
            [
                ["phone", "since", "spent"],
                [919876543210, day, 12.5],
                [919876543211.0, moment, None],
                [],
                ["+91 98765 43212", True, "x"],
            ],
        )

        rows = list(ContactFile(path, contact_files.detect(path)))

        assert [row.line for row in rows] == [2, 3, 5]
        assert rows[0].cells == ["919876543210", "2026-03-01", "12.5"]
        assert rows[1].cells[:2] == ["919876543211", "2026-03-01 09:30:00"]
        assert rows[2].cells == ["+91 98765 43212", "TRUE", "x"]

    def test_one_damaged_inside_says_after_which_row(self, tmp_path: Path) -> None:
        whole = workbook(tmp_path / "whole.xlsx", [["phone"], *([919876543210 + n] for n in range(500))])
        with zipfile.ZipFile(whole) as source, zipfile.ZipFile(tmp_path / "broken.xlsx", "w") as target:
            for name in source.namelist():
                content = source.read(name)
                target.writestr(name, content[: len(content) // 2] if "sheet1" in name else content)
        path = tmp_path / "broken.xlsx"

        with pytest.raises(UnreadableFile, match=r"After row \d+ the workbook is damaged"):
            list(ContactFile(path, contact_files.detect(path)))

    def test_a_cell_is_what_the_sheet_shows(self, tmp_path: Path) -> None:
        shown = {
            "00042": (42, "00000"), "0.3": (0.1 + 0.2, "General"), "15%": (0.15, "0%"),
            "1,234.50": (1234.5, "#,##0.00"),
            "12.50 €": (12.5, '#,##0.00\\ "€"'), "01/03/2026": (dt.date(2026, 3, 1), "dd/mm/yyyy"),
            "9:05 AM": (dt.time(9, 5), "h:mm AM/PM"), "1.23E+04": (12345.6, "0.00E+00"), "": ("#N/A", "General"),
            "919876543210": (919876543210, "0.00E+00"), "1. März": (dt.date(2026, 3, 1), "[$-407]d. mmmm"),
        }  # fmt: skip
        book = openpyxl.Workbook()
        book.active.append([f"h{n}" for n in range(len(shown) + 1)])
        for column, (value, number_format) in enumerate(shown.values(), start=1):
            cell = book.active.cell(2, column, value)
            cell.number_format = number_format
        book.active.cell(2, len(shown) + 1, "end")
        book.save(tmp_path / "shown.xlsx")

        assert rows_of(tmp_path / "shown.xlsx") == [[*shown, "end"]]


class SheetTests:
    def book(self, path: Path, **states: str) -> Path:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for name, state in states.items():
            sheet = book.create_sheet(name)
            sheet.append(["phone"])
            sheet.append([f"+91 98765 4321{len(book.worksheets)}"])
            sheet.sheet_state = state
        chart = BarChart()
        chart.add_data(Reference(book.worksheets[0], min_col=1, min_row=1, max_row=2))
        book.create_chartsheet("chart", 0).add_chart(chart)
        book.save(path)
        return path

    def test_hidden_ones_are_passed_over_and_the_open_one_comes_first(self, tmp_path: Path) -> None:
        path = self.book(tmp_path / "b.xlsx", secret="hidden", more="veryHidden", first="visible", second="visible")
        book = openpyxl.load_workbook(path)
        book.active = book.sheetnames.index("second")
        book.save(path)

        found = contact_files.detect(path)

        assert (found.sheet, found.sheets) == ("second", ["second", "first"])
        assert rows_of(path) == [["+91 98765 43214"]]

    def test_one_can_be_chosen(self, tmp_path: Path) -> None:
        path = self.book(tmp_path / "b.xlsx", first="visible", second="visible")

        written = contact_files.detect(path, sheet="second")

        assert [row.cells for row in ContactFile(path, written)] == [["+91 98765 43212"]]

    def test_a_hidden_one_cannot_be_chosen(self, tmp_path: Path) -> None:
        path = self.book(tmp_path / "b.xlsx", secret="hidden", first="visible")

        with pytest.raises(UnreadableFile, match=r"no visible sheet “secret”. Choose one of: first\."):
            contact_files.detect(path, sheet="secret")


class MappingTests:
    @pytest.mark.parametrize(
        "header",
        [
            *("phone", "Phone Number", "PHONE_NUMBER", "Mobile", "mobile no.", "MSISDN", "Tel.", "Handynummer"),
            *(
                "Téléphone",
                "teléfono",
                "Numéro de téléphone",
                "手机号",
                "电话",
                "電話番号",
                "전화번호",
                "Телефон",
                "Phone #",
            ),
        ],
    )
    def test_many_spellings_of_the_number(self, header: str) -> None:
        assert guess_mapping([header]) == {header: "number"}

    def test_what_is_no_field_becomes_an_attribute(self) -> None:
        assert guess_mapping(
            ["Phone", "Prénom", "Nom", "E-Mail", "Größe", "城市", "город", "Country", "2nd", "Mobile"]
        ) == {
            "Phone": "other_number",
            "Prénom": "first_name",
            "Nom": "last_name",
            "E-Mail": "email",
            "Größe": "attributes.grosse",
            "城市": "attributes.城市",
            "город": "attributes.column_7",
            "Country": "attributes.country_2",
            "2nd": "attributes._2nd",
            "Mobile": "number",
        }

    def test_a_lone_nombre_is_the_whole_name(self) -> None:
        assert guess_mapping(["teléfono", "nombre"])["nombre"] == "name"

    @pytest.mark.parametrize("header", ["城市", "Ünïcödé Größe", "9 lives", "a" * 90, "number", "--"])
    def test_an_attribute_can_stand_in_a_merge_field(self, header: str) -> None:
        from messaging.text import merge_fields

        name = attribute_name(header, 0)

        assert merge_fields.fields(f"{{{{{name}}}}}") == [name]
        assert name not in merge_fields.BUILT_IN

    @pytest.mark.parametrize(
        ("headers", "wanted"),
        [
            ("Given Name|Family Name|E-mail 1 - Value|Phone 1 - Type|Phone 1 - Value|Phone 2 - Value", "1|2|e||n|o"),
            ("First Name|Last Name|E-mail Address|Home Phone|Mobile Phone|Business Phone|Business Fax", "1|2|e|o|n|o|"),
            ("Email|Phone Number|Mobile Phone Number|First Name", "e|o|n|1"),
            ("id|created_time|full_name|phone_number|email", "||w|n|e"),
            ("FirstName|LastName|Phone|MobilePhone|HomePhone|Email", "1|2|o|n|o|e"),
            ("Email Address|First Name|Last Name|Phone", "e|1|2|n"),
            ("FNAME|LNAME|PHONE", "1|2|n"),
            ("First Name|Email|Default Address Company|Default Address Phone|Phone", "1|e||o|n"),
            ("What's your phone number?|Your name|Email", "n|w|e"),
            ("Billing Phone|Billing Email|Company name", "n|e|"),
            ("\ufeff\u200bPhone\u00a0Number\u200f|Name", "n|w"),
        ],
    )
    def test_usual_exports_map_by_themselves(self, tmp_path: Path, headers: str, wanted: str) -> None:
        fields = {"n": "number", "o": "other_number", "1": "first_name", "2": "last_name", "w": "name", "e": "email"}
        path = written(tmp_path, f"{headers}\nx\n".encode())

        found = [*guess_mapping(contact_files.detect(path).headers).values()]

        assert [field if field in fields.values() else None for field in found] == [
            fields.get(letter) for letter in wanted.split("|")
        ]

    def test_headers_that_stand_there_twice_are_told_apart(self, tmp_path: Path) -> None:
        """Also from one that is called as the second of them would be: otherwise neither could be imported."""
        found = contact_files.detect(written(tmp_path, b"phone,city,city,city 2\n919876543210,Pune,Goa,Delhi\n"))

        assert found.headers == ["phone", "city", "city 3", "city 2"]
        row = cleaner(*found.headers).clean(["919876543210", "Pune", "Goa", "Delhi"])
        assert row.attributes == {"city": "Pune", "city_3": "Goa", "city_2": "Delhi"}

    @pytest.mark.parametrize("first", ["sep=;\r\n", '"sep=;"\n', "\ufeffSEP=;\n"])
    def test_the_line_that_names_the_separator_is_no_header(self, tmp_path: Path, first: str) -> None:
        path = written(tmp_path, f"{first}phone;name\n919876543210;Ann, Bo\n".encode())

        assert contact_files.detect(path).headers == ["phone", "name"]
        assert [(row.line, row.cells) for row in ContactFile(path, contact_files.detect(path))] == [
            (2, ["919876543210", "Ann, Bo"])
        ]

    @pytest.mark.parametrize("name", ["city", "phone", "mobile", "source", "groups", "City", "_2nd", "mail", "a" * 40])
    def test_the_column_of_an_attribute_is_read_as_that_attribute(self, name: str) -> None:
        assert guess_mapping(["number", "name", attribute_header(name)])[attribute_header(name)] == f"attributes.{name}"


class CleanerTests:
    @pytest.mark.parametrize(
        "word", ["NULL", "null", "nan", "NaN", "None", "#N/A", "N/A", "(null)", "undefined", "\\N"]
    )
    def test_words_for_nothing_are_nothing_unless_kept(self, word: str) -> None:
        cells = ["919876543210", word, word]
        headers = ["phone", "name", "city"]

        kept = RowCleaner(headers, guess_mapping(headers), "", RowOptions(keep_null_words=True)).clean(cells)

        row = cleaner(*headers).clean(cells)
        assert (row.name, row.attributes) == ("", {})
        assert (kept.name, kept.attributes) == (word, {"city": word})

    @pytest.mark.parametrize("text", ["+1 (000) 000-0000", "+91 5555 5555", "+1 555 555 5555 "])
    def test_a_number_in_no_known_range_is_taken_only_if_wanted(self, text: str) -> None:
        with pytest.raises(RowError, match="in no known range: it is not known to be in use"):
            cleaner("phone").clean([text])

        row = RowCleaner(["phone"], {"phone": "number"}, "", RowOptions(allow_unknown_ranges=True)).clean([text])
        assert row.validity == "possible"

    @pytest.mark.parametrize(("text", "is_asked"), [("13800138000", True), ("+13800138000", False)])
    def test_a_national_number_that_looks_foreign_asks_for_its_country(self, text: str, is_asked: bool) -> None:
        with pytest.raises(RowError) as refused:
            cleaner("phone").clean([text])

        assert ("choose its country" in str(refused.value)) is is_asked

    def test_an_empty_mobile_falls_back_and_the_other_number_is_kept(self) -> None:
        clean = cleaner("Phone", "Mobile").clean

        assert clean(["+91 98765 43211", ""]).number == "919876543211"
        assert clean(["+91 98765 43211", "NULL"]).number == "919876543211"
        both = clean(["+91 22 2345 6789", "+91 98765 43210"])
        assert (both.number, both.attributes) == ("919876543210", {"phone": "+91 22 2345 6789"})

    @pytest.mark.parametrize(
        ("first", "last", "name", "own"),
        [
            ("Mary Ann", "Lee", "Mary Ann Lee", "Mary Ann"),
            ("Mary Ann", "", "Mary Ann", "Mary Ann"),
            ("Mary", "Lee", "Mary Lee", None),
        ],
    )
    def test_a_first_name_of_two_words_stays_whole(self, first: str, last: str, name: str, own: str | None) -> None:
        row = cleaner("phone", "first_name", "last_name").clean(["919876543210", first, last])

        assert (row.name, row.attributes.get("first_name")) == (name, own)
        said = merge_fields.with_derived({"name": row.name, **row.attributes})["first_name"]
        assert said == first

    @pytest.mark.parametrize("written", ["Jose\u0301", "'-Jose\u0301", "Jose\u0301\n"])
    def test_an_accent_is_kept_in_one_piece_with_its_letter(self, written: str) -> None:
        row = cleaner("phone", "name", "city").clean(["919876543210", written, "Mu\u0308nchen"])

        assert (row.name.removeprefix("-"), row.attributes) == ("José", {"city": "München"})

    @pytest.mark.parametrize("mark", ["\n", "\r\n", " \r ", "\u2028", "\u2029", "\x85", "\v", "\f"])
    def test_a_line_break_in_one_line_is_a_space(self, mark: str) -> None:
        row = cleaner("phone", "name", "city").clean(["919876543210", f"Ann{mark}Lee", f"New{mark}York"])

        assert (row.name, row.attributes) == ("Ann Lee", {"city": "New York"})

    @pytest.mark.parametrize("cell", ['="919876543210"', "p:+919876543210", "919876543210 ::: +1 212 555 0123"])
    def test_numbers_as_programs_dress_them(self, cell: str) -> None:
        assert cleaner("phone").clean([cell]).number == "919876543210"

    @pytest.mark.parametrize(
        ("address", "is_one"),
        [
            *(
                ("a@example.com", True),
                ("a.b+c@mail.example.co.uk", True),
                ("ö@x.de", False),
            ),
            *(
                ("a@b", False),
                ("a..b@example.com", False),
                ("a@-x.com", False),
                ("a@x..com", False),
                ("a,b@x.com", False),
            ),
            *((".a@example.com", False), ("a@example.c", False), ("a@[127.0.0.1]", True), ("a@example.com.", False)),
        ],
    )
    def test_an_email_address_is_one_if_django_says_so(self, address: str, is_one: bool) -> None:
        try:
            found = cleaner("phone", "email").clean(["919876543210", address]).email
        except RowError:
            found = ""

        assert found == (address if is_one else "")

    @pytest.mark.parametrize(
        ("said", "code"),
        [
            *(("Portuguese (Brazil)", "pt-br"), ("Brazilian Portuguese", "pt-br"), ("Deutsch", "de"), ("hi", "hi")),
            *(("pt_BR", "pt_BR"), ("xx", "xx"), ("Klingon as spoken in Boston", "")),
        ],
    )
    def test_a_language_costs_no_row(self, said: str, code: str) -> None:
        rules = cleaner("phone", "language")

        assert rules.clean(["919876543210", said]).language == code
        assert dict(rules.unknown_languages) == ({} if code else {said: 1})

    @pytest.mark.parametrize("text", ["'=x", "''+x", "'x", "=x", "x", "'", "''", '="x"', "'-"])
    def test_escaping_is_undone_exactly(self, text: str) -> None:
        assert cleaner("phone", "name").clean(["919876543210", escape_formula(text)]).name == text

    @pytest.mark.parametrize("text", ["Hi;=x", "a;'=x", 'b;"=x"', "=a;\t'-1", "x;'y", "'a;-b", 'a;"', "'=;=="])
    def test_so_is_escaping_within_a_cell(self, text: str) -> None:
        assert unescaped(escape_formula(text)) == text
        assert cleaner("phone", "name").clean(["919876543210", escape_formula(text)]).name == one_line(text)

    @pytest.mark.parametrize("between", [";", "\t"])
    @pytest.mark.parametrize("said", ["Hi{}=1+1", 'Hi{}"=1+1"', "Hi, you{}@x", "Hi\n+1{}x", "Hi\r\n-1{}x", "Hi{}＝1"])
    def test_whatever_stands_between_cells_none_is_run(self, between: str, said: str) -> None:
        written = b"".join(exports.csv_bytes([["919876543210", said.format(between)]])).decode("utf-8-sig")

        cells = [cell for row in csv.reader(io.StringIO(written, newline=""), delimiter=between) for cell in row]

        assert len(cells) > 1
        assert not [cell for cell in cells if cell.startswith(tuple("=+-@＝"))]

    def test_two_columns_for_one_field_are_refused(self) -> None:
        with pytest.raises(RowError, match="Two columns are both “number”"):
            RowCleaner(["a", "b"], {"a": "number", "b": "number"}, "")

    def test_no_number_column_is_refused(self) -> None:
        with pytest.raises(RowError, match="No column holds the phone number"):
            RowCleaner(["a"], {"a": "name"}, "")

    def test_empty_cells_beyond_the_header_are_nothing(self) -> None:
        assert cleaner("phone", "name").clean(["919876543210", "Ann", "", " "]).name == "Ann"

    @pytest.mark.parametrize(
        ("cells", "column", "value", "reason"),
        [
            (["919876543210", "A", "e@x.de", "surplus"], "", "surplus", "more cells than the header's 3"),
            (["x", "A", ""], "phone", "x", "not a phone number"),
            (["919876543210", "A", "nobody"], "email", "nobody", "not an email address"),
            (["919876543210", "A" * 121, ""], "name", "A" * 80, "121 characters; at most 120"),
            ([], "phone", "", "The number is missing"),
        ],
    )
    def test_a_bad_row_names_column_value_and_reason(
        self, cells: list[str], column: str, value: str, reason: str
    ) -> None:
        with pytest.raises(RowError, match=reason) as bad:
            cleaner("phone", "name", "email").clean(cells)

        assert (bad.value.column, bad.value.value) == (column, value)

    def test_first_and_last_name_are_one(self) -> None:
        row = cleaner("phone", "first name", "last name").clean(["919876543210", " Ann ", "Lee"])

        assert row.name == "Ann Lee"

    @pytest.mark.parametrize("text", ["=1+1", "+x", "-x", "@x", "\tx", "\rx", "＝1"])
    def test_formulas_are_escaped_and_read_back(self, text: str) -> None:
        assert escape_formula(text) == f"'{text}"
        assert cleaner("phone", "name").clean(["919876543210", escape_formula(text)]).name == text

    def test_an_ignored_column_is_not_kept(self) -> None:
        row = RowCleaner(["p", "x"], {"p": "number", "x": IGNORED}, "").clean(["919876543210", "secret"])

        assert row.attributes == {}


def cleaner(*headers: str) -> RowCleaner:
    return RowCleaner(headers, guess_mapping(headers), "")
