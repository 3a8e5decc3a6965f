"""The command `contacts`: imports and exports from the shell."""

import io
import json
import sys
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from laaffic_console.kit.files import exports
from laaffic_console.kit.process.commands import INTERRUPTED, ConsoleCommand
from laaffic_console.kit.words.figures import number
from messaging.exports import contact_exports
from messaging.files.contact_rows import RowOptions
from messaging.files.unreadable import UnreadableFile
from messaging.management.named import group_named, group_to_fill, region_named
from messaging.models import Contact, ContactImport
from messaging.services.imports import bad_rows, imports
from messaging.services.imports import files as import_files


class _Forgiving(io.StringIO):
    """Standard error for a progress bar: that nobody reads it any more, or its disk is full, ends no import."""

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError, AttributeError):  # gone, closed, or never there
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.flush()

    def isatty(self) -> bool:
        return sys.stderr is not None and not sys.stderr.closed and sys.stderr.isatty()


class Command(ConsoleCommand):
    help = "Import and export contacts."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        reads = verbs.add_parser("import", help="a CSV or XLSX file, at once, with its progress on standard error")
        reads.add_argument("file", type=Path)
        reads.add_argument("--group", help="put everyone into this group; it is made if there is none")
        reads.add_argument("--region", default="", metavar="CC", help="country of national numbers, such as IN")
        reads.add_argument("--encoding", default="", help="of a text file whose letters can be read in several ways")
        reads.add_argument(
            "--sheet", default="", help="of a workbook; otherwise the one that was open when it was saved"
        )
        reads.add_argument(
            "--foreign-without-plus", action="store_true", help="numbers of other countries are written without +"
        )
        reads.add_argument("--allow-unknown-ranges", action="store_true", help="take numbers in no known range")
        reads.add_argument("--keep-null-words", action="store_true", help="NULL, nan, N/A and the like are text")
        reads.add_argument("--bad-rows", type=Path, metavar="FILE", help="the invalid rows, to correct; .csv or .xlsx")
        reads.add_argument("--json", action="store_true")
        writes = verbs.add_parser("export", help="to a .csv or .xlsx file")
        writes.add_argument("file", type=Path)
        writes.add_argument("--group", help="only this group")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "import":
            self.read(options)
        else:
            self.write(options)

    def read(self, options: dict[str, Any]) -> None:
        path: Path = options["file"]
        region = region_named(options["region"])
        if options["bad_rows"]:
            look_at(options["bad_rows"], path)
        try:
            job = import_files.open_path(
                path,
                group=group_to_fill(options["group"] or ""),
                region=region,
                encoding=options["encoding"],
                sheet=options["sheet"],
                options=RowOptions(**{field.name: options[field.name] for field in fields(RowOptions)}),
            )
        except (OSError, UnreadableFile) as problem:
            why = problem.strerror if isinstance(problem, OSError) else problem
            raise CommandError(f"{path}: {why}") from problem
        except ValidationError as problem:
            raise CommandError(f"--group: {' '.join(problem.messages)}") from problem
        try:
            self.run(job)
        except KeyboardInterrupt as stopped:
            raise CommandError(f"{path}: {job.explanation}", returncode=INTERRUPTED) from stopped
        if job.state != ContactImport.State.FINISHED:
            raise CommandError(f"{path}: {job.explanation or job.get_state_display()}")
        if note := imports.note(job):
            self.stderr.write(note)
        not_given_back = give_back(job, options["bad_rows"]) if options["bad_rows"] and job.invalid else None
        result = imports.result(job)
        self.answer(json.dumps(result) if options["json"] else as_text(result), not_given_back)

    def run(self, job: ContactImport) -> None:
        with tqdm(total=job.size, unit="B", unit_scale=True, file=_Forgiving(), desc=job.file_name) as bar:
            imports.import_at_once(job, progress=lambda done: bar.update(done - bar.n))

    def write(self, options: dict[str, Any]) -> None:
        contacts = Contact.objects.all()
        if options["group"]:
            contacts = contacts.filter(groups=group_named(options["group"]))
        try:
            written = contact_exports.write_file(contacts, options["file"])
        except OSError as problem:
            raise CommandError(exports.why_not_written(problem, options["file"])) from problem
        except ValueError as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(f"{number(written)} contacts written to {options['file']}")


def look_at(path: Path, imported: Path) -> None:
    """Before anything is imported: CommandError for a name that no file of invalid rows can have."""
    try:
        exports.kind_of(path)
    except ValueError as problem:
        raise CommandError(f"--bad-rows: {problem}") from problem
    try:
        is_there = path.parent.is_dir()
        if path.exists() and imported.exists() and path.samefile(imported):
            raise CommandError("--bad-rows: this is the file that is imported. Name another.")
    except OSError as problem:
        raise CommandError(f"--bad-rows: {path.parent} cannot be read: {problem.strerror}.") from problem
    if not is_there:
        raise CommandError(f"--bad-rows: there is no folder {path.parent}. Make it, or name another.")


def give_back(job: ContactImport, path: Path) -> CommandError | None:
    """Write the invalid rows; why they could not be written. The contacts are imported anyway."""
    try:
        exports.write_file(bad_rows.table(job), path, job.file_name)
    except OSError as problem:
        return CommandError(exports.why_not_written(problem, path))
    return None


def as_text(result: dict[str, Any]) -> str:
    lines = [f"{name}: {number(result[name])}" for name in ("rows", "added", "updated", "unchanged", "invalid")]
    return "\n".join([*lines, *("  row {row}, {column} “{value}”: {reason}".format(**one) for one in result["errors"])])
