"""A price list as a file: country, price, currency and, where it is not SMS, channel (django-import-export)."""

import re
import tempfile
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from import_export import resources
from import_export.fields import Field
from import_export.formats.base_formats import Format
from import_export.widgets import DecimalWidget
from tablib import Dataset

from laaffic_console.kit.words.plain_text import capitals
from messaging.files import contact_files
from messaging.files.contact_rows import more_cells
from messaging.files.unreadable import UnreadableFile
from messaging.models import ListPrice

NEEDED = ("country", "price", "currency")
_TWO_READINGS = re.compile(r"[1-9]\d{0,2},\d{3}")


class PriceFile(Format):
    """CSV or XLSX, read as a list of contacts is, whatever program wrote it: nobody has to say which."""

    def __init__(self, encoding: str | None = None) -> None:
        """`encoding`: what the library would take every file for."""

    def get_title(self) -> str:
        return "CSV, XLSX"

    def can_import(self) -> bool:
        return True

    def create_dataset(self, in_stream: bytes) -> Dataset:
        with tempfile.NamedTemporaryFile() as file:
            file.write(in_stream)
            file.flush()
            try:
                contact_files.require_one_sheet(Path(file.name))
                header, *rows = list(contact_files.plain_rows(Path(file.name)))
            except UnreadableFile as problem:
                raise ValidationError(str(problem)) from problem
        if not rows:
            raise ValidationError(_("The file has a header, but no prices below it."))
        width = len(header.cells)
        for row in rows:
            if said := row.problem or (more_cells(width) if any(row.cells[width:]) else ""):
                raise ValidationError(_("Row %(n)s: %(problem)s") % {"n": row.line, "problem": said})
        filled = [(row.cells + [""] * width)[:width] for row in rows]
        return Dataset(*filled, headers=header.cells)


class PriceWidget(DecimalWidget):
    """Without the zeros that the database keeps, beside which an unchanged price looks changed."""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return f"{value.normalize():f}" if isinstance(value, Decimal) else str(super().render(value, obj, **kwargs))


class ListPriceResource(resources.ModelResource):
    price = Field(attribute="price", column_name="price", widget=PriceWidget())

    class Meta:
        model = ListPrice
        import_id_fields = ("channel", "country")
        fields = export_order = ("channel", "country", "price", "currency")
        clean_model_instances = True
        skip_unchanged = True
        report_skipped = True
        use_transactions = True

    def before_import(self, dataset: Dataset, **kwargs: Any) -> None:
        dataset.headers = [str(header or "").strip().lower() for header in dataset.headers or []]
        missing = [name for name in NEEDED if name not in dataset.headers]
        if missing:
            raise ValidationError(
                _("The file has no column called %(missing)s. Its first line names: country, price, currency, channel.")
                % {"missing": ", ".join(missing)}
            )
        if "channel" not in dataset.headers:
            dataset.append_col(lambda row: ListPrice.channel.field.default, header="channel")

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        for name in ("country", "currency"):
            row[name] = capitals(str(row[name] or "").strip())
        row["channel"] = str(row["channel"] or "").strip().lower() or ListPrice.channel.field.default
        row["price"] = _decimal(str(row["price"] or ""))


def _decimal(written: str) -> str:
    """Both "0.0031" and "0,0031"; with both signs in it the last one parts the decimals."""
    cleaned = written.strip().replace(" ", "")
    if _TWO_READINGS.fullmatch(cleaned):
        said = _("“%(price)s” may be %(whole)s or %(parted)s. Write it without a comma.")
        raise ValidationError(
            {"price": said % {"price": cleaned, "whole": cleaned.replace(",", ""), "parted": cleaned.replace(",", ".")}}
        )
    if cleaned.rfind(",") > cleaned.rfind("."):
        figure = cleaned.replace(".", "").replace(",", ".")
    else:
        figure = cleaned.replace(",", "")
    if figure and not _is_figure(figure):
        said = _("“%(price)s” is not a price. Write it like 0.0031.")
        raise ValidationError({"price": said % {"price": written.strip()[:40]}})
    return figure


def _is_figure(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False
