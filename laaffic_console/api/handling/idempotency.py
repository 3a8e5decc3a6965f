"""Requests that may be repeated blindly: the same Idempotency-Key and body give the same answer for seven days.

The rows that a request makes and its answer are committed together, on the disk, so a process that dies leaves both or
neither. The key's row says which request works on it and until when: a caller that repeats it before then is told to
wait, and takes over after that.
"""

import datetime as dt
import functools
import hashlib
import json
import logging
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection, connections
from django.db.models import ProtectedError, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.api.handling.problems import Problem, of
from laaffic_console.api.models import RepeatableRequest
from laaffic_console.gateway.services.database.durability import durable, durable_transaction, relaxing
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.kit.sql import prepared
from laaffic_console.kit.sql.constant_sql import Given, Select, Update

logger = logging.getLogger(__name__)

KEPT = dt.timedelta(days=7)
LONGEST_KEY = 255
RUNS = dt.timedelta(seconds=settings.API_LOST_AFTER_SECONDS)  # a request that has not been answered by then has died
FORGOTTEN_AT_ONCE = 1000


# Tells a function what the work is about, in the transaction that records or makes that.
Noting = Callable[[Callable[[int | None], None]], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is kept; parts that are read from our own tables are added by the view. `made` is not kept: it is what the
    first request has in its hands, and a repeated one has to read. `is_repeated`: it was given before."""

    status: int
    body: dict[str, Any]
    made: Any = None
    is_repeated: bool = False


def digest_of(method: str, path: str, body: bytes) -> str:
    return hashlib.sha256(b"\n".join([method.encode(), path.encode(), body])).hexdigest()


def checked(key: str | None) -> str | None:
    """The key, None if none was given; Problem for a key that cannot be kept."""
    if key is None:
        return None
    if not key.strip():
        raise Problem(400, _("The Idempotency-Key is empty. Send a new one for each message, such as a UUID."))
    if len(key) > LONGEST_KEY:
        said = _("The Idempotency-Key has %(n)d characters; at most %(most)d are possible. Send a shorter one.")
        raise Problem(400, said % {"n": len(key), "most": LONGEST_KEY})
    if not key.isascii() or not key.isprintable():
        raise Problem(400, _("An Idempotency-Key has letters, digits and marks of ASCII only, such as a UUID."))
    return key


def once(
    family: int,
    key: str,
    digest: str,
    work: Callable[[], Answer],
    *,
    in_one: bool = True,
    before: Callable[[], None] | None = None,
) -> Answer:
    """Do the work, or give the answer that it was given before.

    `in_one`: the rows that it makes and its answer are committed together. Work that changes nothing the second time,
    and may take long, does without. `before`: a part that takes long and stores no row, done before the transaction.
    """
    row, holder = _claim(family, key, digest)
    if not holder:
        return _kept(row)
    try:
        if not in_one:
            with durable():
                return _keep(row.pk, holder, work())
        if before is not None:
            before()

        def answered() -> Answer:
            with durable_transaction():
                if not _mine.rows(pk=row.pk, holder=holder):
                    raise _runs()
                return _keep(row.pk, holder, work())

        return _as_the_second(answered)
    except BaseException:
        # Nothing was stored, so the request may be tried again at once. A killed process leaves its row until RUNS.
        _give_back(row.pk, holder)
        raise


@Select
def _mine() -> "QuerySet[RepeatableRequest, Any]":
    mine = RepeatableRequest.objects.select_for_update().filter(pk=Given("pk"), holder=Given("holder"))
    return mine.order_by().values_list("pk")


def once_sent(family: int, key: str, digest: str, work: Callable[[], Answer], *, status: int) -> Answer:
    """Do work that sends a request to Laaffic, which leaves between two commits of its own.

    The transaction that prepares the request notes on the key's row what it is about. If the process dies after that,
    a repeated request sends nothing again: its answer names what the first was about, and its state what happened.
    """

    def noting(note: Callable[[int | None], None]) -> AbstractContextManager[None]:
        return ledger.noting(lambda entry: note(entry.about_id))

    return _once_noted(family, key, digest, work, noting, lambda about: Answer(status, {"id": about}))


def once_made(
    family: int, key: str, digest: str, work: Callable[[], Answer], noting: Noting, made: Callable[[int], Answer]
) -> Answer:
    """Do work of several transactions, of which one makes the row that the answer is about, and notes it by `noting`.

    `made`: the answer about a row that an earlier request made before its process died.
    """

    def durably() -> Answer:
        with durable():
            return work()

    return _once_noted(family, key, digest, durably, noting, made)


def _once_noted(
    family: int, key: str, digest: str, work: Callable[[], Answer], noting: Noting, told: Callable[[int], Answer]
) -> Answer:
    row, holder = _claim(family, key, digest)
    if not holder:
        return _kept(row)
    if row.about is not None:
        try:
            return _keep(row.pk, holder, told(row.about))
        except BaseException:  # such as of what was deleted since
            _give_back(row.pk, holder, even_sent=True)
            raise

    def note(about: int | None) -> None:
        mine = RepeatableRequest.objects.filter(pk=row.pk, holder=holder)
        if not mine.update(about=about, held_until=timezone.now() + RUNS):
            raise _runs()

    try:
        with noting(note):
            return _keep(row.pk, holder, work())
    except BaseException as problem:
        was_refused = isinstance(problem, Exception) and of(problem) is not None
        _give_back(row.pk, holder, even_sent=was_refused)
        raise


def _give_back(pk: int, holder: str, *, even_sent: bool = False) -> None:
    """Free the key. An answered row has no holder and stays, as does one that may have sent, unless refused."""
    mine = RepeatableRequest.objects.filter(pk=pk, holder=holder)
    (mine if even_sent else mine.filter(about=None)).delete()


def unkeyed(work: Callable[[], Answer], *, in_one: bool, before: Callable[[], None] | None) -> Answer:
    """The answer to a request without a key: repeated, its work is done again."""
    if before is not None:
        before()
    if not in_one:
        with durable():
            return work()

    def answered() -> Answer:
        with durable_transaction():
            return work()

    return _as_the_second(answered)


def _as_the_second(transaction: Callable[[], Answer]) -> Answer:
    """Run the transaction; once more if another request has just stored what this one found free, or deleted what it
    found. Nothing of the first try is stored, and the second one finds what a later request would find."""
    try:
        return transaction()
    except ProtectedError:  # an IntegrityError by class only: the row is in use, and would be the second time
        raise
    except IntegrityError:
        logger.info("a request met another one, and is tried again", exc_info=True)
        return transaction()


def _claim(family: int, key: str, digest: str) -> tuple[RepeatableRequest, str]:
    """The key's row, and who holds it: "" if it has been answered."""
    now, holder = timezone.now(), uuid.uuid4().hex
    row = RepeatableRequest(family=family, key=key, digest=digest, holder=holder, held_until=now + RUNS, created_at=now)
    if _is_first(row):
        return row, holder
    found = RepeatableRequest.objects.filter(family=family, key=key).order_by().first()
    if found is None:  # its holder has just freed it
        return _claim(family, key, digest)
    row = found
    if not row.holder and row.created_at < now - KEPT:
        row.delete()
        return _claim(family, key, digest)
    if row.digest != digest:
        raise Problem(
            409,
            _("This Idempotency-Key was used for another request. Send a new key with a new request."),
        )
    if not row.holder:
        return row, ""
    died = RepeatableRequest.objects.filter(pk=row.pk, holder=row.holder, held_until__lt=now)
    if not died.update(holder=holder, held_until=now + RUNS, created_at=now):
        raise _runs()
    row.refresh_from_db()
    return row, holder


def _is_first(row: RepeatableRequest) -> bool:
    """Whether the key was free and is this row's now: one statement, in a transaction of its own.

    It need not wait for the disk: a power cut that takes it has taken the work too, which is committed later.
    """
    fields, insert = _insert()
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    with prepared.cursor(connections[DEFAULT_DB_ALIAS]) as cursor:
        cursor.execute(f"{insert}{relaxing()}", values)
        made = cursor.fetchone()
    if made is not None:
        row.pk = made[0]
    return made is not None


@functools.cache
def _insert() -> tuple[list[Any], str]:
    """The fields that are written, and the INSERT statement; `relaxing` adds its own clause behind that."""
    fields = [field for field in RepeatableRequest._meta.concrete_fields if not field.primary_key]
    columns, marks = ", ".join(f'"{field.column}"' for field in fields), ", ".join(["%s"] * len(fields))
    return fields, (
        f"INSERT INTO api_repeatablerequest ({columns}) VALUES ({marks}) "  # noqa: S608 - our own columns
        "ON CONFLICT (family, key) DO NOTHING RETURNING id"
    )


def _runs() -> Problem:
    return Problem(409, _("The first request with this Idempotency-Key still runs. Repeat it soon."), retry_after=2)


def _kept(row: RepeatableRequest) -> Answer:
    if row.status is None:
        raise Problem(
            409,
            _(
                "The console was restored from a backup that was made while the first request with this "
                "Idempotency-Key was running, and its outcome is unknown. Look for what it made; if it is not there, "
                "send it again with a new key."
            ),
        )
    return Answer(row.status, json.loads(row.answer), is_repeated=True)


def _keep(pk: int, holder: str, answer: Answer) -> Answer:
    _answered(pk=pk, holder=holder, status=answer.status, answer=json.dumps(answer.body))
    return answer


@Update
def _answered() -> tuple[QuerySet[RepeatableRequest], dict[str, Any]]:
    mine = RepeatableRequest.objects.filter(pk=Given("pk"), holder=Given("holder"))
    return mine, {"holder": "", "held_until": None, "status": Given("status"), "answer": Given("answer")}


def lose_running() -> int:
    """Mark requests that ran at the backup as of unknown outcome, after a restore: they may be done since. How many.

    Requests that asked something of Laaffic (`about`) are left: the ledger knows what happened to them.
    """
    ran = RepeatableRequest.objects.filter(about=None).exclude(holder="")
    return ran.update(holder="", held_until=None, status=None, answer="")


def forget_old() -> int:
    """Delete old keys; how many."""
    old = RepeatableRequest.objects.filter(created_at__lt=timezone.now() - KEPT)
    pks = list(old.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])
    return RepeatableRequest.objects.filter(pk__in=pks).delete()[0]
