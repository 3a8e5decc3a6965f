"""What happens to files that were made: who may take them, for how long, and the sweep that deletes them."""

import datetime as dt
from pathlib import Path
from typing import BinaryIO

from django.contrib.auth.models import User
from django.core import signing
from django.db import transaction
from django.utils import timezone

from laaffic_console.exporting import kinds
from laaffic_console.exporting.kinds import NotExportable
from laaffic_console.exporting.models import Export, ExportDownload
from laaffic_console.exporting.services.making import folder
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.files import file_names
from laaffic_console.kit.masking import masks
from laaffic_console.kit.words.said import gettext as _

LINK_MINUTES = 60
SALT = "laaffic_console.exporting"
LEFT_BEHIND = dt.timedelta(hours=2)  # no file that is being written is silent for so long
DELETED_AT_ONCE = 200
AUDIT = "exporting.audit_export"

State = Export.State


def may_look(user: User, export: Export) -> bool:
    return export.asked_by_id == user.pk or user.has_perm(AUDIT)


def may_take(user: User, export: Export) -> bool:
    """Asked again at each download: it is theirs or they see everybody's, and they may export such rows now, and see
    whole numbers and names where the file has some."""
    try:
        rights = kinds.named(export.kind).rights
    except NotExportable:
        return False
    may_see = may_see_its_numbers(user, export) and may_see_its_names(user, export)
    return may_look(user, export) and user.has_perms(rights) and may_see


def may_see_its_numbers(user: User, export: Export) -> bool:
    return not export.has_whole_numbers or user.has_perm(masks.SEE)


def may_see_its_names(user: User, export: Export) -> bool:
    return not export.has_names or kinds.may_see_contacts(user)


def is_there(export: Export, now: dt.datetime | None = None) -> bool:
    lives = export.expires_at is not None and (now or timezone.now()) < export.expires_at
    return export.state == State.FINISHED and lives and path_of(export).is_file()


def open_file(export: Export) -> BinaryIO | None:
    """None where it is not there, or is just being deleted."""
    try:
        return path_of(export).open("rb") if is_there(export) else None
    except FileNotFoundError:
        return None


def is_gone(export: Export) -> bool:
    """Made, and no longer there: its days are over, or somebody deleted it from the disk."""
    return export.state == State.FINISHED and not export.is_direct and not is_there(export)


def state_now(export: Export) -> Export.State:
    """The state that people are shown: EXPIRED for a finished export whose file is gone."""
    return State.EXPIRED if is_gone(export) else State(export.state)


def path_of(export: Export) -> Path:
    """A name of ours and nothing else: what is in the row leads nowhere out of the folder."""
    return folder() / Path(export.file_name or "-").name


def name_for_people(export: Export) -> str:
    """The file's name on somebody's disk, without its ending: what it is, and the day on which it was true."""
    day = timezone.localtime(export.started_at or export.asked_at)
    called = file_names.made_of(str(export), 100, "export")
    return f"{called}-{day:%Y-%m-%d}"


def token_for(user: User, export: Export) -> str:
    """A token for the file's link; it opens this file for this person, within the hour."""
    return signing.dumps([export.pk, export.file_name, user.pk], salt=SALT)


def opens(token: str, user: User, export: Export) -> bool:
    try:
        said = signing.loads(token, salt=SALT, max_age=LINK_MINUTES * 60)
    except signing.BadSignature:
        return False
    return bool(said == [export.pk, export.file_name, user.pk])


def note_download(export: Export, user: User) -> None:
    with transaction.atomic():
        ExportDownload.objects.create(export=export, by=user, by_name=user.get_username())
        record(Act.EXPORTED, export, event=_("downloaded"))


def sweep(now: dt.datetime | None = None) -> None:
    """Delete the files whose time is over, and what no row points to; end what was broken off by a killed process."""
    now = now or timezone.now()
    for export in Export.objects.filter(state=State.FINISHED, expires_at__lt=now)[:DELETED_AT_ONCE]:
        path_of(export).unlink(missing_ok=True)
        Export.objects.filter(pk=export.pk).update(state=State.EXPIRED, file_name="")
    broken_off = Export.objects.filter(is_direct=True, state=State.RUNNING, asked_at__lt=now - LEFT_BEHIND)
    broken_off.update(state=State.CANCELLED, finished_at=now)
    _delete_orphans(now)


def _delete_orphans(now: dt.datetime) -> None:
    if not folder().is_dir():
        return
    old = (now - LEFT_BEHIND).timestamp()
    stale = [path for path in folder().iterdir() if _modified(path) < old]
    known = set(Export.objects.filter(file_name__in=[path.name for path in stale]).values_list("file_name", flat=True))
    for path in stale:
        if path.name not in known:
            path.unlink(missing_ok=True)


def _modified(path: Path) -> float:
    """When the file was last changed; one that another sweep has just deleted counts as new."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
