"""An XLSX workbook written as it is read: no temporary file, no row kept, the first bytes at once.

openpyxl and XlsxWriter hand out a workbook when its last row is in it; a browser that asked for a million rows would
wait for minutes before the first byte. Texts are inline strings; only the few number formats are gathered for the end.
"""

import datetime as dt
import functools
import itertools
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from django.utils.translation import gettext as _

MAX_TEXT = 32_767  # UTF-16 units in a cell, Excel's own limit: what is longer, it would cut without a word
DAY_0 = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's days have no zone
FIRST_DAY = dt.datetime(1900, 3, 1)  # noqa: DTZ001 - before it spreadsheets disagree about a leap day
DAY = dt.timedelta(days=1)
DATE = "yyyy\\-mm\\-dd"
ROWS_A_SHEET = 1_048_576  # Excel's own limit
WRITE_BYTES = 128 * 1024

_impossible = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # what XML cannot say
_to_escape = re.compile("[&<>\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_no_name = re.compile(r"[\[\]:*?/\\]|^'|'$")  # what the name of a sheet must not have
EMPTY = "<c/>"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_QUOTES = {'"': "&quot;"}
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def workbook(
    rows: Iterable[Sequence[Any]],
    title: str,
    rows_a_sheet: int = ROWS_A_SHEET,
    *,
    cells: "Cells | None" = None,
    write: Callable[[Any], str] | None = None,
) -> Iterator[bytes]:
    """The file's bytes. The first row is the header, repeated on every sheet that the rows need; None is empty.

    `write` may write a value as a cell otherwise than `cells` does, with its help.
    """
    out, styles = _Pieces(), cells or Cells()
    as_cell = write or styles.write
    remaining = iter(rows)
    header = next(remaining, [])
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:  # type: ignore[call-overload]
        sheets, more = 0, True
        while more:
            sheets += 1
            more = False
            with packed.open(f"xl/worksheets/sheet{sheets}.xml", "w", force_zip64=True) as sheet:
                written, text = 1, [f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>', _row(header, as_cell)]
                size = 0
                for row in remaining:
                    text.append(_row(row, as_cell))
                    size += len(text[-1])
                    written += 1
                    if size > WRITE_BYTES:
                        sheet.write("".join(text).encode())
                        text, size = [], 0
                        yield from out.taken()
                    if written == rows_a_sheet:
                        more = True
                        break
                sheet.write("".join([*text, "</sheetData></worksheet>"]).encode())
            yield from out.taken()
            if more and (following := next(remaining, None)) is not None:
                remaining = itertools.chain([following], remaining)
            else:
                more = False
        for name, content in _frame(title, sheets, styles).items():
            packed.writestr(name, _HEAD + content)
    yield from out.taken()


class Cells:
    """Values as cells, and the number formats that they use by their place in the workbook's list; 0 is general."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def write(self, value: Any) -> str:
        return _cell(value, self)

    def of(self, number_format: str) -> int:
        return self.places.setdefault(number_format, len(self.places) + 1)

    def as_xml(self) -> str:
        formats = "".join(
            f'<numFmt numFmtId="{163 + place}" formatCode="{escape(code, _QUOTES)}"/>'
            for code, place in self.places.items()
        )
        cells = "".join(
            f'<xf numFmtId="{163 + place}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
            for place in self.places.values()
        )
        return (
            f'<styleSheet xmlns="{_MAIN}">'
            + (f'<numFmts count="{len(self.places)}">{formats}</numFmts>' if formats else "")
            + '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
            '<fills count="2"><fill><patternFill patternType="none"/></fill>'
            '<fill><patternFill patternType="gray125"/></fill></fills>'
            '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
            '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
            f'<cellXfs count="{len(self.places) + 1}"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
            f'{cells}</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
            "</styleSheet>"
        )


def _row(values: Sequence[Any], as_cell: Callable[[Any], str]) -> str:
    return f"<row>{''.join(map(as_cell, values))}</row>"


def _cell(value: Any, styles: Cells) -> str:
    if value is None or value == "":
        return EMPTY
    if isinstance(value, dt.date):
        return _moment(value, styles)
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return f"<c><v>{value:f}</v></c>" if isinstance(value, Decimal) else f"<c><v>{value}</v></c>"
    return text(str(value))


def _moment(value: dt.date, styles: Cells) -> str:
    """A day of the spreadsheet's; the offset, which it cannot hold, is in the cell's format."""
    if not isinstance(value, dt.datetime):
        return _days(dt.datetime(value.year, value.month, value.day), DATE, styles)  # noqa: DTZ001
    return _days(value.replace(tzinfo=None, microsecond=0), _moment_format(value.utcoffset()), styles)


@functools.lru_cache(maxsize=100)
def _moment_format(offset: dt.timedelta | None) -> str:
    said = "" if offset is None else dt.datetime.min.replace(tzinfo=dt.timezone(offset)).isoformat()[19:]
    return f"{DATE} hh:mm:ss" + (f'"{said}"' if said else "")


def _days(moment: dt.datetime, number_format: str, styles: Cells) -> str:
    if moment < FIRST_DAY:
        return text(moment.isoformat(sep=" "))
    return f'<c s="{styles.of(number_format)}"><v>{(moment - DAY_0) / DAY:.9f}</v></c>'


def plain_text(value: str) -> str:
    """A cell of letters and digits alone, in which nothing can be wrong; "" for any other text. Most cells are such."""
    if not value.isalnum() or 2 * len(value) > MAX_TEXT:
        return ""
    return f'<c t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'


def text(value: str) -> str:
    """A text as a cell, word for word; it is not guarded against being run."""
    if not value:
        return EMPTY
    if _to_escape.search(value):
        value = _impossible.sub("", value)
    if 2 * len(value) > MAX_TEXT:
        value = _within_a_cell(value)
    if _to_escape.search(value):
        value = escape(value)
    return f'<c t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'


def _within_a_cell(text: str) -> str:
    """The text, cut to what a cell holds, with a remark that says so; a pair of units is not parted."""
    units = text.encode("utf-16-le")
    if len(units) <= 2 * MAX_TEXT:
        return text
    said = " " + _("… (longer than a cell holds: the CSV file has all of it)")
    return units[: 2 * (MAX_TEXT - len(said))].decode("utf-16-le", "ignore") + said


def _frame(title: str, sheets: int, styles: Cells) -> dict[str, str]:
    """The parts of the file that make these sheets a workbook."""
    numbers = range(1, sheets + 1)
    title = _no_name.sub(" ", _impossible.sub("", title)).encode("utf-16-le")[:56].decode("utf-16-le", "ignore")
    title = _no_name.sub(" ", title)
    names = [escape(title[:28] if n == 1 else f"{title[:24]} {n}", _QUOTES) for n in numbers]
    return {
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        + "".join(f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>' for n, name in zip(numbers, names, strict=True))
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_RELATIONS}">'
        + "".join(
            f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
        )
        + f'<Relationship Id="rId{sheets + 1}" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": styles.as_xml(),
        "_rels/.rels": f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "[Content_Types].xml": f'<Types xmlns="{_TYPES}">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_KIND}.styles+xml"/>'
        + "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_KIND}.worksheet+xml"/>' for n in numbers
        )
        + "</Types>",
    }


class _Pieces:
    """A file that cannot be wound back, for a zip that is sent as it is written."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def taken(self) -> Iterator[bytes]:
        if self.pieces:
            yield b"".join(self.pieces)
            self.pieces.clear()
