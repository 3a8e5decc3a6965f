"""A small workbook that asks for much: a clear fault of the file, at once."""

import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from messaging.files import contact_files
from messaging.files.contact_files import ContactFile, detect
from messaging.files.unreadable import UnreadableFile

HEADER = '<row r="1"><c r="A1" t="inlineStr"><is><t>number</t></is></c></row>'
CELL = '<c t="inlineStr"><is><t>919876500001</t></is></c>'
AT_MOST = 2.0  # seconds, on a machine that does YARDSTICK in a twentieth of that
YARDSTICK = range(1_500_000)
TYPES_END = b"</Types>"
TEXTS_TYPE = (
    b'<Override PartName="/xl/sharedStrings.xml" '
    b'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/>'
)


def yardstick() -> float:
    began = time.process_time()
    sum(n * n % 7 for n in YARDSTICK)
    return time.process_time() - began


def book(path: Path, **parts: str) -> Path:
    """A plain workbook whose parts, by their last name, are replaced."""
    plain = path.with_suffix(".plain")
    made = openpyxl.Workbook()
    made.active.append(["number", "name"])
    made.active.append(["919876500001", "Ann"])
    made.save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            given = parts.get(Path(name).stem) or old.read(name)
            new.writestr(name, given.replace(TYPES_END, TEXTS_TYPE + TYPES_END) if "Types" in name else given)
        new.writestr("xl/sharedStrings.xml", parts.get("sharedStrings", strings("")))
    return path


def sheet(rows: str) -> str:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<worksheet xmlns="{main}"><sheetData>{HEADER}{rows}</sheetData></worksheet>'


def strings(items: str) -> str:
    return f'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{items}</sst>'


HOSTILE: dict[str, Callable[[], dict[str, str]]] = {
    "a row far beyond": lambda: {"sheet1": sheet(f'<row r="30000000">{CELL}</row>')},
    "a row of sixteen digits": lambda: {"sheet1": sheet(f'<row r="1000000000000000">{CELL}</row>')},
    "a row as a float": lambda: {"sheet1": sheet(f'<row r="1e15">{CELL}</row>')},
    "a negative row": lambda: {"sheet1": sheet(f'<row r="-5">{CELL}</row>')},
    "rows backwards": lambda: {"sheet1": sheet(f'<row r="9">{CELL}</row><row r="3">{CELL}</row>')},
    "a jump": lambda: {"sheet1": sheet(f'<row r="1000000">{CELL}</row>')},
    "a column beyond": lambda: {"sheet1": sheet('<row r="2"><c r="ZZZZ2"><v>1</v></c></row>')},
    "a column far beyond": lambda: {"sheet1": sheet('<row r="2"><c r="ZZZZZZZZZ2"><v>1</v></c></row>')},
    "a million empty columns": lambda: {"sheet1": sheet(f'<row r="2">{"<c/>" * 1_000_000}</row>')},
    "a million columns of a header": lambda: {"sheet1": sheet("").replace(HEADER, f"<row>{'<c/>' * 1_000_000}</row>")},
    "columns that hardly pack": lambda: {
        "sheet1": sheet(f"<row>{''.join(f'<c s={chr(34)}{n * 7919 % 99991}{chr(34)}/>' for n in range(120_000))}</row>")
    },
    "deep XML": lambda: {"sheet1": sheet("<a>" * 1_000_000)},
    "deep XML in the workbook": lambda: {"workbook": "<a>" * 100_000 + "</a>" * 100_000},
    "texts that unpack": lambda: {"sharedStrings": strings(f"<si><t>{'x' * 40_000_000}</t></si>")},
    "many texts that unpack": lambda: {"sharedStrings": strings("<si><t>x</t></si>" * 3_000_000)},
    "styles that unpack": lambda: {"styles": "<a/>" * 4_000_000},
}


class HostileTests:
    @pytest.mark.parametrize("what", HOSTILE)
    def test_it_is_a_fault_of_the_file_within_two_seconds(self, what: str, tmp_path: Path) -> None:
        path = book(tmp_path / "list.xlsx", **HOSTILE[what]())
        began = time.process_time()

        with pytest.raises(UnreadableFile) as refused:
            list(ContactFile(path, detect(path)))

        assert time.process_time() - began < max(AT_MOST, 20 * yardstick())
        assert len(str(refused.value)) > 20

    def test_looking_ends_when_its_time_is_over(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(contact_files, "LOOK_SECONDS", -1.0)
        path = book(tmp_path / "list.xlsx")

        with pytest.raises(UnreadableFile, match="takes too long"):
            detect(path)


class HonestTests:
    def test_gaps_and_a_formatted_cell_far_below_are_nothing_bad(self, tmp_path: Path) -> None:
        rows = f'<row r="5">{CELL}</row><row r="7"/><row r="1048576"><c r="A1048576" s="0"/></row>'
        path = book(tmp_path / "list.xlsx", sheet1=sheet(rows))

        found = [(row.line, row.cells) for row in ContactFile(path, detect(path))]

        assert found == [(5, ["919876500001"])]

    def test_a_sheet_without_its_first_row_has_no_header(self, tmp_path: Path) -> None:
        path = book(tmp_path / "list.xlsx", sheet1=sheet(f'<row r="3">{CELL}</row>').replace(HEADER, ""))

        with pytest.raises(UnreadableFile, match="first row is empty"):
            detect(path)
