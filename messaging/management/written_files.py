"""Files that commands write where they are told to."""

from pathlib import Path

from django.core.management.base import CommandError

from laaffic_console.exporting import kinds
from laaffic_console.exporting.kinds import NotExportable
from laaffic_console.exporting.services import making
from laaffic_console.kit.files import exports, signed_zip
from laaffic_console.kit.words.figures import number


def written(kind_name: str, campaign_id: int, path: Path) -> str:
    """Write a file of a campaign's recipients; what to say of it."""
    kind = kinds.named(kind_name)
    try:
        rows = making.write_to(path, kind, {"campaign": campaign_id})
    except OSError as problem:
        raise CommandError(exports.why_not_written(problem, path)) from problem
    except (NotExportable, ValueError) as problem:
        raise CommandError(str(problem)) from problem
    said = f"{number(rows)} recipients written to {path}"
    return said if kind.write is None else f"{said}\nSigned with the key {signed_zip.own_fingerprint()}"
