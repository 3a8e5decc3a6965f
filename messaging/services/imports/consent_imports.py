"""Importing a file of consents as a job: a killed worker's successor goes on behind what is committed."""

import datetime as dt
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from laaffic_console.gateway.services.work import bell, leases, turns, workers
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import kept as as_kept
from laaffic_console.kit.words.said import read_all
from messaging.files.unreadable import UnreadableFile
from messaging.models import ConsentImport
from messaging.services.contacts import consent_files
from messaging.services.contacts.consent_files import Options, Outcome
from messaging.services.imports import uploaded

JOB = "messaging.jobs.run_consent_import"
COUNTED = ["line", "rows", "kept", "known", "invalid", "errors"]
FOLDER = "consents"

State = ConsentImport.State
OPEN = (State.QUEUED, State.RUNNING)


def receive(upload: "UploadedFile[Any]", options: Options, *, by: User | None) -> ConsentImport:
    """Keep an uploaded file and let a worker read it; the errors of `look_at`."""
    job = look_at(upload, options, by=by)
    try:
        return store(job)
    except BaseException:
        forget_unstored(job)
        raise


def look_at(upload: "UploadedFile[Any]", options: Options, *, by: User | None) -> ConsentImport:
    """Keep an uploaded file and look at its header. No row points to it yet: `store` it, or `forget_unstored`.

    ValidationError, as {field: why}, says why it is not a list of consents, or what the options lack.
    """
    job = ConsentImport(file_name=uploaded.name_of(upload), options=asdict(options), created_by=by)
    try:
        uploaded.keep(job.file, upload)
    except ValidationError as problem:
        raise ValidationError({"file": problem}) from problem
    try:
        consent_files.opened(Path(job.file.path), options)
    except BaseException as problem:
        forget_unstored(job)
        if isinstance(problem, UnreadableFile):
            raise ValidationError({"file": str(problem)}) from problem
        raise
    return job


@transaction.atomic
def store(job: ConsentImport) -> ConsentImport:
    """Its row, and the bell for a worker."""
    job.save()
    record(Act.IMPORTED, job)
    bell.ring(JOB, job.pk)
    return job


def forget_unstored(job: ConsentImport) -> None:
    """No row will point to the file, whatever went wrong; where that was behind the commit, one does."""
    if job.file and not ConsentImport.objects.filter(file=job.file.name).exists():
        job.file.delete(save=False)


class _OvertakenError(Exception):
    """Somebody else reads the file by now, or has ended it: what this process did of its piece is taken back."""


def run(job_id: int) -> None:
    """A job's turn; the next one goes on behind the last committed row."""
    with leases.lease(f"consents:{job_id}") as lease:
        if lease is None:
            return
        ConsentImport.objects.filter(pk=job_id, state=State.QUEUED).update(state=State.RUNNING)
        job = ConsentImport.objects.select_related("created_by").filter(pk=job_id, state=State.RUNNING).first()
        if job is None:
            return
        turn = turns.Turn()

        def goes_on() -> bool:
            turn.has_begun()
            return not turn.is_over() and lease.renew()

        # It may pass over a million rows before the next one.
        with workers.beating(also=lease.renew), suppress(_OvertakenError):
            _take(job, goes_on)


def _take(job: ConsentImport, goes_on: Callable[[], bool]) -> None:
    outcome = Outcome(job.rows, job.kept, job.known, job.invalid, read_all(job.errors), job.line)

    def kept() -> bool:
        _count(job, outcome)
        return goes_on()

    try:
        file = consent_files.opened(Path(job.file.path), Options(**job.options))
        is_read = consent_files.keep(file, outcome, by=job.created_by, kept=kept)
    except FileNotFoundError:
        _end(job, outcome, State.FAILED, _("The file is not there any more. Upload it again."))
    except OSError as problem:
        _end(job, outcome, State.FAILED, str(problem.strerror))
    except UnreadableFile as problem:
        _end(job, outcome, State.FAILED, consent_files.broken_off(problem, outcome))
    else:
        if is_read:
            _end(job, outcome, State.FINISHED, "")
        else:
            bell.ring(JOB, job.pk)


def _count(job: ConsentImport, outcome: Outcome) -> None:
    """Store the counts, in the transaction that writes what they count."""
    _require_ours(job)
    for name in COUNTED:
        setattr(job, name, getattr(outcome, name))
    job.errors = [{**one, "reason": as_kept(one["reason"])} for one in outcome.errors]
    job.save(update_fields=COUNTED)


def _require_ours(job: ConsentImport) -> None:
    """A lease that ran out while a process slept has a successor."""
    fresh = ConsentImport.objects.select_for_update(of=("self",)).get(pk=job.pk)
    if (fresh.state, fresh.line) != (State.RUNNING, job.line):
        raise _OvertakenError


@transaction.atomic
def _end(job: ConsentImport, outcome: Outcome, state: str, explanation: str) -> None:
    """An uploaded list of people is not kept longer than it is needed."""
    _count(job, outcome)
    ConsentImport.objects.filter(pk=job.pk).update(state=state, explanation=explanation, finished_at=timezone.now())
    transaction.on_commit(lambda: job.file.storage.delete(str(job.file.name)), robust=True)


def sweep(now: dt.datetime | None = None) -> None:
    """Ring for those whose worker died or whose bell was lost, and clear away what nobody needs."""
    for job in ConsentImport.objects.filter(state__in=OPEN):
        if not leases.is_held(f"consents:{job.pk}"):
            bell.ring(JOB, job.pk)
    uploaded.sweep(ConsentImport.objects.filter(state__in=OPEN), FOLDER, now)
