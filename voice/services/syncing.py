"""One copying of one of Laaffic's voice lists at a time, and a row that says when and how it went."""

import datetime as dt
from collections.abc import Callable

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.gateway.models import Application, Channel
from laaffic_console.gateway.services import bell, code_words, due, isolation, leases
from laaffic_console.gateway.services.account import NotConfigured
from laaffic_console.laaffic import LaafficError
from voice.models import VoiceSync

JOB = "voice.jobs.sync"
LEASE_SECONDS = 120  # longer than one page with all its tries takes
ASKED_FOR = dt.timedelta(minutes=2)  # a request that no worker has taken by then is rung for again


class SyncFailed(Exception):
    """Why our copy could not be made, in a sentence that says what to do."""


def applications() -> list[Application]:
    """Nothing is copied where nobody uses voice."""
    return list(Application.objects.filter(channel=Channel.VOICE, is_active=True).order_by("pk"))


def request(*names: str) -> None:
    """Have these lists copied as soon as a worker is free."""
    for name in names:
        VoiceSync.objects.update_or_create(name=name, defaults={"requested_at": timezone.now()})
        bell.ring(JOB, name)


def is_asked_for(name: str) -> bool:
    return VoiceSync.objects.filter(name=name, requested_at__isnull=False).exists()


def is_due(name: str, *, forgotten: dt.datetime | None = None) -> bool:
    """Never copied, asked for, or copied longer ago than VOICE_SYNC_MINUTES."""
    status = VoiceSync.objects.filter(name=name).first()
    if status is None:
        return True
    if status.requested_at is not None:
        return forgotten is None or status.requested_at < forgotten or due.is_ahead(status.requested_at)
    old = timezone.now() - dt.timedelta(minutes=settings.VOICE_SYNC_MINUTES)
    return status.started_at is None or status.started_at < old or due.is_ahead(status.started_at)


def ring_due(names: list[str]) -> None:
    for name in names:
        if is_due(name, forgotten=timezone.now() - ASKED_FOR):
            bell.ring(JOB, name)


def run(name: str, read: Callable[[leases.HeldLease, VoiceSync], int]) -> int:
    """Do it now: `read` copies and tells how many rows there were. SyncFailed when it cannot be done."""
    with leases.lease(f"voice sync {name}"[:80], LEASE_SECONDS) as held:
        if held is None:
            raise SyncFailed(_("It is being synchronised at this moment. Look again in a minute."))
        now = timezone.now()
        status, _made = VoiceSync.objects.update_or_create(
            name=name, defaults={"started_at": now, "finished_at": None, "requested_at": None}
        )
        try:
            rows = read(held, status)
        except (LaafficError, NotConfigured, SyncFailed) as problem:
            _finish(name, problem=said(problem))
            raise SyncFailed(said(problem)) from problem
        except Exception as problem:
            if not isolation.is_passing(problem):
                _finish(name, problem=isolation.in_words(problem))
            raise
        _finish(name, rows=rows, problem="", succeeded_at=timezone.now())
        return rows


def go_on(held: leases.HeldLease) -> None:
    """Called between pages: a slow list may take longer than a lease."""
    if not held.renew():
        raise SyncFailed(_("Another worker has taken this synchronisation over."))


def said(problem: LaafficError | NotConfigured | SyncFailed) -> str:
    return code_words.not_read(problem) if isinstance(problem, LaafficError) else str(problem)


def _finish(name: str, **outcome: object) -> None:
    outcome["problem"] = str(outcome["problem"])[:300]
    VoiceSync.objects.filter(name=name).update(finished_at=timezone.now(), **outcome)
