"""An XLSX workbook written as it is read: no temporary file, no row kept, the first bytes at once.

openpyxl and XlsxWriter hand out a workbook when its last row is in it; a browser that asked for a million rows would
wait for minutes before the first byte. Cells are inline strings, so nothing is gathered for the end.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from xml.sax.saxutils import escape

ROWS_A_SHEET = 1_048_576  # Excel's own limit
WRITE_BYTES = 128 * 1024

_impossible = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # what XML cannot say
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def workbook(rows: Iterable[Sequence[Any]], title: str, rows_a_sheet: int = ROWS_A_SHEET) -> Iterator[bytes]:
    """The file's bytes. The first row is the header, repeated on every sheet that the rows need; None is empty."""
    out = _Pieces()
    remaining = iter(rows)
    header = next(remaining, [])
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        sheets, more = 0, True
        while more:
            sheets += 1
            more = False
            with packed.open(f"xl/worksheets/sheet{sheets}.xml", "w", force_zip64=True) as sheet:
                written, text = 1, [f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>', _row(header)]
                size = 0
                for row in remaining:
                    text.append(_row(row))
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
                remaining = _put_back(following, remaining)
            else:
                more = False
        for name, content in _frame(title, sheets).items():
            packed.writestr(name, _HEAD + content)
    yield from out.taken()


def _put_back(first: Sequence[Any], rest: Iterator[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    yield first
    yield from rest


def _row(cells: Sequence[Any]) -> str:
    return f"<row>{''.join(map(_cell, cells))}</row>"


def _cell(value: Any) -> str:
    if value is None or value == "":
        return "<c/>"
    text = str(value)
    if not text.isalnum():
        text = escape(_impossible.sub("", text))
    return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _frame(title: str, sheets: int) -> dict[str, str]:
    """What says that these sheets are a workbook."""
    numbers = range(1, sheets + 1)
    names = [escape(title[:28] if n == 1 else f"{title[:24]} {n}", {'"': "&quot;"}) for n in numbers]
    return {
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        + "".join(f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>' for n, name in zip(numbers, names, strict=True))
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_RELATIONS}">'
        + "".join(
            f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
        )
        + "</Relationships>",
        "_rels/.rels": f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "[Content_Types].xml": f'<Types xmlns="{_TYPES}">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
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
