"""Files as spreadsheets, exports and people leave them behind."""

import codecs
import datetime as dt
import tracemalloc
import zipfile
from pathlib import Path

import openpyxl
import pytest

from messaging import contact_files
from messaging.contact_files import ContactFile, UnreadableFile
from messaging.contact_rows import IGNORED, RowCleaner, RowError, attribute_name, escape_formula, guess_mapping

CHINESE = "手机号,姓名,城市\n8613800138000,王芳,上海\n8613900139000,李伟,成都\n"
FRENCH = "Téléphone;Prénom;Nom\n+33612345678;Élise;Müller\n+33612345679;Noël;Gómez\n"


def written(tmp_path: Path, content: bytes, name: str = "contacts.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


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

    @pytest.mark.parametrize("encoding", ["windows-1251", "shift_jis", "koi8-r"])
    def test_what_would_give_wrong_names_is_refused(self, tmp_path: Path, encoding: str) -> None:
        text = {"shift_jis": "phone,name\n819012345678,さくら\n"}.get(encoding, "phone,name\n79161234567,Иван Петров\n")
        path = written(tmp_path, text.encode(encoding))

        with pytest.raises(UnreadableFile, match="save it as “CSV UTF-8”"):
            contact_files.detect(path)

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

    def test_memory_does_not_grow_with_the_file(self, tmp_path: Path) -> None:
        peaks = []
        for count in (60_000, 180_000):
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
            (b"\xd0\xcf\x11\xe0" + bytes(200), "an old Excel file"),
            (b"\x1f\x8b" + bytes(200), "a compressed file"),
            (b"PK\x03\x04" + bytes(200), "no workbook that can be read"),
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

    def test_a_zip_of_something_else(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "contacts.xlsx", "w") as packed:
            packed.writestr("hello.txt", "hello")

        with pytest.raises(UnreadableFile, match="no workbook"):
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
        assert rows[2].cells == ["+91 98765 43212", "True", "x"]

    def test_one_damaged_inside_says_after_which_row(self, tmp_path: Path) -> None:
        whole = workbook(tmp_path / "whole.xlsx", [["phone"], *([919876543210 + n] for n in range(500))])
        with zipfile.ZipFile(whole) as source, zipfile.ZipFile(tmp_path / "broken.xlsx", "w") as target:
            for name in source.namelist():
                content = source.read(name)
                target.writestr(name, content[: len(content) // 2] if "sheet1" in name else content)
        path = tmp_path / "broken.xlsx"

        with pytest.raises(UnreadableFile, match=r"After row \d+ the workbook is damaged"):
            list(ContactFile(path, contact_files.detect(path)))


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
        assert guess_mapping(["Phone", "Prénom", "Nom", "E-Mail", "Größe", "城市", "Country", "2nd", "Mobile"]) == {
            "Phone": "number",
            "Prénom": "first_name",
            "Nom": "last_name",
            "E-Mail": "email",
            "Größe": "attributes.grosse",
            "城市": "attributes.column_6",
            "Country": "attributes.country_2",
            "2nd": "attributes._2nd",
            "Mobile": "attributes.mobile",
        }

    def test_a_lone_nombre_is_the_whole_name(self) -> None:
        assert guess_mapping(["teléfono", "nombre"])["nombre"] == "name"

    @pytest.mark.parametrize("header", ["城市", "Ünïcödé Größe", "9 lives", "a" * 90, "number", "--"])
    def test_an_attribute_can_stand_in_a_merge_field(self, header: str) -> None:
        from messaging import merge_fields

        name = attribute_name(header, 0)

        assert merge_fields.fields(f"{{{{{name}}}}}") == [name]
        assert name not in merge_fields.BUILT_IN


class CleanerTests:
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
            (["919876543210", "A", "nobody"], "email", "nobody", "no email address"),
            (["919876543210", "A" * 121, ""], "name", "A" * 80, "121 characters; at most 120"),
            ([], "phone", "", "There is no number"),
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
