"""A backup takes the place of what is there, and nothing that may have left since is sent again by itself.

On SQLite everything is made ready in a copy, which then replaces the database in one transaction. On PostgreSQL the
replacing is one transaction, in which every campaign is held; what may have left is marked after it.
"""

import contextlib
import datetime as dt
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.db.migrations.exceptions import BadMigrationError, InconsistentMigrationHistory
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.backups.services import alone, archives, backing_up, databases, ids, web_turn
from laaffic_console.backups.services.alone import Refused
from laaffic_console.backups.services.archives import Backup, BadBackup
from laaffic_console.backups.services.manifests import Manifest
from laaffic_console.conf import VAR_DIR
from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.ledger import restored
from laaffic_console.gateway.services.work import workers
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.files import leftovers, private_files
from laaffic_console.kit.sql import database_troubles, unfinished_restores
from laaffic_console.kit.sql.database_troubles import Trouble
from messaging.models import Campaign, Contact, HoldKind
from messaging.services import restored as restored_campaigns
from messaging.services.contacts import lasting_words
from messaging.services.steps import UNFINISHED_RESTORE
from voice.services import restored as restored_tasks

# What a database raises whose tables, rows or migrations are not as this console makes them.
ODD = (
    *(DatabaseError, BadMigrationError, InconsistentMigrationHistory, CommandError),
    *(LookupError, ValueError, TypeError, ArithmeticError),
)
CLOCKS_APART = dt.timedelta(minutes=5)

# A table that is there from the replacing to the end, on PostgreSQL, with the lasting words that are to be written.
_HALFWAY = unfinished_restores.TABLE

# (table, which rows are held, what is written to them): a backup of an older version lacks some of the columns.
_REASON = {"hold_reason": f"'{UNFINISHED_RESTORE}'", "hold_kind": f"'{HoldKind.RESTORE_UNFINISHED.value}'"}
_HELD = (
    (
        *("messaging_campaign", "state IN ('running', 'scheduled', 'paused', 'held')"),
        {**_REASON, "account_hold_id": "NULL"},
    ),
    (
        *("messaging_emailcampaign", "state IN ('scheduled', 'sending', 'held')"),
        {**_REASON, "is_held_by_account": "false"},
    ),
    (
        *("voice_grouptask", "state IN ('launched', 'held') OR (state = 'sending' AND entry_id IS NULL)"),
        {**_REASON, "look_at": "NULL", "undo_until": "NULL", "starts_at": "NULL"},
    ),
)


def _hold(table: str, which: str, written: dict[str, str]) -> str:
    columns = ", ".join(f"('{name}', $value${value}$value$)" for name, value in written.items())
    return f"""
DO $$ DECLARE others text; BEGIN
  SELECT string_agg(format(', %I = %s', given.name, given.value), '') INTO others
    FROM (VALUES {columns}) AS given (name, value) JOIN information_schema.columns c ON c.column_name = given.name
    WHERE c.table_schema = 'public' AND c.table_name = '{table}';
  EXECUTE concat($update$UPDATE public.{table} SET state = 'held'$update$, others, $which$ WHERE {which}$which$);
END $$;
"""  # noqa: S608 - names and sentences of ours


# Run in the transaction that replaces the tables: whatever is killed after it, nothing goes on by itself.
_HOLD_ALL = f"""
{"".join(_hold(table, which, written) for table, which, written in _HELD)}
DELETE FROM public.gateway_workerheartbeat;
DELETE FROM public.django_session;
DROP TABLE IF EXISTS public.{_HALFWAY};
CREATE TABLE public.{_HALFWAY} (words text);
"""  # noqa: S608 - as above


def _keep(words: lasting_words.LastingWords | None) -> str:
    """SQL that keeps `words` in the transaction of the restore: until they are written, they are nowhere else."""
    if words is None:
        return ""
    quote = f"$words{secrets.token_hex(8)}$"
    return f"INSERT INTO public.{_HALFWAY} VALUES ({quote}{words.kept()}{quote});"  # noqa: S608 - quoted


@dataclass(frozen=True, slots=True)
class Restored:
    counts: dict[str, int]
    words: lasting_words.Written | None  # taken over from the database that was replaced; None where it told none
    was_empty: bool  # as on a new machine


def restore(path: Path, *, is_meant: bool, force: bool, tell: Callable[[str], None]) -> Restored:
    """BadBackup, Refused or CannotCopy with a sentence: then the database is as it was."""
    with alone.on_this_machine():
        tell("checking …")
        backup = Backup(path)
        since = _check_fits(backup.manifest)
        if not force:
            _require_stopped()
        if not is_meant and _holds_something():
            raise Refused(
                _("This console's database is not empty, and everything in it would be replaced. Add --yes to do it.")
            )
        _remove_leftovers()
        tell("files …")
        with _fresh_media(backup) as fresh:  # a file that finds no room leaves the database as it is
            tell("database …")
            settled = _replace(backup, since)
            _put_in_place(fresh)
        web_turn.forget_halfway()
    return settled


def _check_fits(manifest: Manifest) -> dt.datetime:
    """When the backup was made; BadBackup where this console cannot take it."""
    if _has_more_migrations(manifest.migrations) or _is_newer(manifest.version):
        raise BadBackup(archives.newer(manifest.version))
    if manifest.database != connection.vendor:
        kinds = {
            "its": databases.KINDS.get(manifest.database, "?"),
            "ours": databases.KINDS.get(connection.vendor, "?"),
        }
        raise BadBackup(
            _(
                "The backup is of %(its)s, and this console uses %(ours)s. Name a database of that kind in "
                "DATABASE_URL, then restore it."
            )
            % kinds
        )
    if databases.PARTS[connection.vendor] not in manifest.parts:
        raise _not_ours(_("it has no such part"))
    if manifest.at > timezone.now() + CLOCKS_APART:
        raise BadBackup(_from_the_future(manifest.at))
    return manifest.at


def _has_more_migrations(made_by: Iterable[str]) -> bool:
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    ours = {config.label for config in apps.get_app_configs()}
    return any(name not in known and name.partition(".")[0] in ours for name in made_by)


def _from_the_future(at: dt.datetime) -> str:
    """Why such a backup is refused. What may have left since would be looked for in no time, and be sent again."""
    said = _(
        "The backup was made on %(at)s, which is still to come by this machine's clock. Set the clock right first."
    )
    return said % {"at": at.isoformat(" ", "minutes")}


def _not_ours(why: object) -> BadBackup:
    said = _("The backup's database is not one of this console (%(why)s). Nothing was restored; use another copy.")
    return BadBackup(said % {"why": str(why).strip().partition("\n")[0][:200]})


def _is_newer(version: str) -> bool:
    return _numbers(version) > _numbers(backing_up.version())


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdecimal()]


def _require_stopped() -> None:
    try:
        alive = list(workers.living().values_list("worker", flat=True))
    except DatabaseError:  # no tables yet
        return
    if alive:
        said = _(
            "The console is running (%(workers)s). Stop every worker and web process and try again, or add --force."
        )
        raise Refused(said % {"workers": ", ".join(alive)})


def _holds_something() -> bool:
    try:
        return any(model._default_manager.exists() for model in (User, Application, Contact, Campaign))
    except DatabaseError:
        return False


@dataclass(frozen=True, slots=True)
class _Lost:
    """What the database that is replaced has had since the backup."""

    ids: dict[str, int]
    is_whole: bool  # it goes on from what it had given
    words: lasting_words.LastingWords | None
    was_empty: bool


def _look_back(since: dt.datetime) -> _Lost:
    """One of another version, or damaged, or with nothing in it, tells no words that could be relied on. One that is a
    backup's already, as a restore before this one died, has what that one had read.
    """
    words: lasting_words.LastingWords | None = None
    was_empty = died = False
    with contextlib.suppress(*ODD):
        tables = connection.introspection.table_names()
        died = _HALFWAY in tables
        was_empty = not tables or (not died and not _holds_something())
        words = kept = _kept() if died else None
        if not was_empty and (kept or not died) and not database_troubles.has_migrations_to_run():
            found = lasting_words.read(since)
            words = found + kept if kept else found
    return _Lost(ids.given_by_now(), words is not None and not died, words, was_empty)


def _kept() -> lasting_words.LastingWords | None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT words FROM {_HALFWAY}")  # noqa: S608 - a name of ours
        row = cursor.fetchone()
    return lasting_words.read_kept(row[0]) if row else None


def _replace(backup: Backup, since: dt.datetime) -> Restored:
    copy = Path(VAR_DIR) / leftovers.name_beside("restored", "")
    lost = _look_back(since)
    try:
        backup.take(databases.PARTS[connection.vendor], copy)
        if connection.vendor == databases.POSTGRESQL:
            _check_dump(copy, backup.manifest)
            databases.replace_postgresql(copy, then=_HOLD_ALL + _keep(lost.words))
            return _settle(since, lost)
        with databases.looking_at(copy):
            settled = _settled_copy(since, lost)
        databases.replace_sqlite(copy)
        return settled
    finally:
        for ending in ("", "-wal", "-shm"):
            copy.with_name(copy.name + ending).unlink(missing_ok=True)


def _check_dump(dump: Path, manifest: Manifest) -> None:
    """Check what can be known of the dump before it takes the place of what is there."""
    applied = databases.migrations_in(dump)
    if not set(manifest.migrations) <= applied:
        raise _not_ours(_("it lacks migrations that it names"))
    if _has_more_migrations(applied):
        raise BadBackup(archives.newer(manifest.version))
    is_of_now = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations} <= applied
    if is_of_now and (missing := _tables_of_ours() - databases.tables_in(dump)):
        raise _not_ours(_("it lacks the table %(table)s") % {"table": min(missing)})


def _settled_copy(since: dt.datetime, lost: _Lost) -> Restored:
    """Settle a copy first: whatever is odd in the backup shows here, where it changes nothing."""
    try:
        if not MigrationRecorder(connection).applied_migrations():
            raise _not_ours(_("it has no migrations"))
        settled = _settle(since, lost)
        there = set(connection.introspection.table_names())
    except ODD as odd:
        if database_troubles.of(odd) == Trouble.FULL:  # says nothing of the backup
            raise
        raise _not_ours(odd) from odd
    if missing := _tables_of_ours() - there:
        raise _not_ours(_("it lacks the table %(table)s") % {"table": min(missing)})
    return settled


def _tables_of_ours() -> set[str]:
    return set(connection.introspection.django_table_names())


def _settle(since: dt.datetime, lost: _Lost) -> Restored:
    if database_troubles.has_migrations_to_run():
        call_command("migrate", verbosity=0, interactive=False)
    until = database_clock.now()
    ids.leave_out(lost.ids, since, until, is_whole=lost.is_whole)  # before anything is written
    written = None
    try:
        settled = _settle_what_may_have_left(since, until, has_forgotten=lost.words is None)
    finally:
        # Not before: who may have got it since is frozen though they opted out. Where that fails they count as well.
        if lost.words:
            written = lasting_words.write(lost.words)
    if written:  # nobody is erased to whom a message waits
        written = lasting_words.erase_again(written)
    # In the restored chain, as the one that it replaces is gone: who looks there sees where it goes on.
    record(Act.RESTORED, label=since.isoformat(sep=" ", timespec="seconds"))
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {_HALFWAY}")
    return Restored(settled, written, lost.was_empty)


def _settle_what_may_have_left(since: dt.datetime, until: dt.datetime, *, has_forgotten: bool) -> dict[str, int]:
    settled = restored_campaigns.settle(since, until, has_forgotten=has_forgotten)
    settled["held"] += restored_tasks.hold_launched(since, has_forgotten=has_forgotten)
    settled["drafts"] += restored_tasks.tell_drafts(since)
    restored_tasks.look_anew(since, until)
    settled["requests"] = restored.lose_prepared(since, until)
    settled |= restored.put_others_right()
    restored.forget_workers()
    return settled


@contextlib.contextmanager
def _fresh_media(backup: Backup) -> Iterator[Path]:
    """The backup's files in a folder of their own, which is gone afterwards if nobody has put it in place."""
    fresh = _beside(_media_root(), "new")
    try:
        private_files.make_folder(fresh)
        for name in backup.names():
            if name.startswith(archives.MEDIA):
                backup.take(name, fresh / name.removeprefix(archives.MEDIA))
        yield fresh
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _put_in_place(fresh: Path) -> None:
    root = _media_root()
    old = _beside(root, "old")
    if fresh.parent == root:
        old.mkdir()
        try:
            _move(root, old)
        except OSError:
            _move(old, root)
            raise
        _move(fresh, root)
    else:
        if root.exists():
            root.rename(old)
        fresh.rename(root)
    shutil.rmtree(old, ignore_errors=True)


def _media_root() -> Path:
    """Where the folder really lies: what a link leads to is replaced, not the link."""
    return Path(settings.MEDIA_ROOT).resolve()


def _beside(root: Path, word: str) -> Path:
    """A new folder's name on the same file system; within it where it is mounted, for a mount cannot be renamed."""
    folder, stem = _place(root, word)
    return folder / leftovers.name_beside(stem, "")


def _place(root: Path, word: str) -> tuple[Path, str]:
    """In which folder it is, and what its name begins with."""
    return (root, f"-{word}") if root.is_mount() else (root.parent, f"{root.name}-{word}")


def _remove_leftovers() -> None:
    """Remove what a killed restore left: copies of its backup, and the files of a database that it had replaced."""
    leftovers.remove(Path(VAR_DIR), of="restored")
    for word in ("new", "old"):
        folder, stem = _place(_media_root(), word)
        leftovers.remove(folder, of=stem)


def _move(source: Path, into: Path) -> None:
    for entry in list(source.iterdir()):
        if archives.is_ours(entry.name):
            entry.rename(into / entry.name)
