"""The health page: every sign by which an operator can tell whether sending, reports and money work."""

import datetime as dt
import functools
import time
from typing import Any

from django.conf import settings
from django.core import checks
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy

from laaffic_console.dashboard.health import health
from laaffic_console.gateway import shown_holds
from laaffic_console.gateway.models import (
    EntryState,
    LedgerEntry,
    PushedBody,
    PushKind,
    Trouble,
    WorkerHeartbeat,
)
from laaffic_console.gateway.services.account import balance_history
from laaffic_console.gateway.services.client import clock
from laaffic_console.gateway.services.inbox import inbox
from laaffic_console.gateway.services.work import workers
from laaffic_console.kit.lists.paginator import said_to
from laaffic_console.kit.masking.masks import in_text
from laaffic_console.kit.registers.health_signs import Sign, age, signs
from laaffic_console.kit.sql.constant_sql import Select
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import ngettext
from laaffic_console.kit.words.stored_words import in_words
from laaffic_console.reports.models import Report

SHOWN_WORKERS = 30
SHOWN_TROUBLES = 10
SHOWN_OF_PERSONS = 5  # which stay until a person ends them, and may be many; the list has them all
COUNTED = 10_000  # beyond this a queue is "many": counting more would make the page slow
CHECKS_KEPT = 60.0  # seconds


def context() -> dict[str, Any]:
    return {
        "signs": [
            *(*basics(), *emails_sign(), *signs(), unknown_calls(), inbox_waiting()),
            *(*not_applied(), *troubles()),
        ],
        "holds": shown_holds.open_ones(),
        "workers": [worker_row(worker) for worker in WorkerHeartbeat.objects.order_by("-started_at")[:SHOWN_WORKERS]],
        "callbacks": callbacks(),
        "checks": system_checks(),
    }


def basics() -> list[Sign]:
    database, *others = [Sign(part.label, tone(part.is_well), part.shown) for part in health.parts()]
    return [database, pending_migrations(), *others, clock_sign(), balance_sign()]


def tone(is_well: bool) -> str:
    return "good" if is_well else "bad"


def pending_migrations() -> Sign:
    pending = _migrations(_minute()) - MigrationRecorder(connection).applied_migrations().keys()
    if not pending:
        return Sign(_("Tables"), "good", _("up to date"))
    said = ngettext(
        "%(n)d change waits: run manage.py migrate and restart console and workers",
        "%(n)d changes wait: run manage.py migrate and restart console and workers",
        len(pending),
    )
    return Sign(_("Tables"), "bad", said % {"n": len(pending)})


@functools.lru_cache(maxsize=1)
def _migrations(minute: int) -> frozenset[tuple[str, str]]:
    """The migrations on the disk, where a new version may have been laid beneath this process."""
    return frozenset(MigrationLoader(None).graph.nodes)


def _minute() -> int:
    return int(time.monotonic() // CHECKS_KEPT)


def clock_sign() -> Sign:
    """The worst clock of all living workers, and this process's own where it has asked the gateway."""
    known = [(worker.host, worker.clock_skew) for worker in workers.living().exclude(clock_skew=None)]
    here = clock.observed_here()
    if here is not None:
        known.append((_("this machine"), here))
    if not known:
        return Sign(_("Clock"), "", _("not compared with Laaffic's yet"))
    host, skew = max(known, key=lambda seen: abs(seen[1] or 0.0))
    if not clock.is_off(skew):
        return Sign(_("Clock"), "good", _("agrees with Laaffic's"))
    return Sign(_("Clock"), "warn", skew_sentence(host, skew or 0.0))


def skew_sentence(host: str, skew: float) -> str:
    said = (
        _("%(host)s is %(n)d s behind Laaffic: switch on time synchronisation (NTP) there")
        if skew > 0
        else _("%(host)s is %(n)d s ahead of Laaffic: switch on time synchronisation (NTP) there")
    )
    return said % {"host": host, "n": round(abs(skew))}


def balance_sign() -> Sign:
    reading = balance_history.latest()
    link = reverse("admin:gateway_balancereading_changelist")
    if reading is None:
        return Sign(_("Balance"), "", _("not asked for yet"), link)
    said = _("%(amount)s, %(age)s ago") % {"amount": reading, "age": age(reading.at)}
    is_well = not balance_history.is_low(reading) and not balance_history.is_old(reading)
    return Sign(_("Balance"), "good" if is_well else "warn", said, link)


def emails_sign() -> list[Sign]:
    """Reports that somebody wants by email, on a console that cannot send any."""
    if settings.EMAIL_IS_SET or not Report.objects.filter(next_at__isnull=False).exists():
        return []
    said = _("reports are to be sent, and there is no mail server: set EMAIL_URL and EMAIL_FROM")
    return [Sign(_("Emails"), "warn", said, reverse("admin:reports_report_changelist"))]


def unknown_calls() -> Sign:
    """Other calls that act and whose answer was lost: uploads, emails, bindings, pools."""
    oldest = _oldest_unknown.first(LedgerEntry)
    if oldest is None:
        return Sign(_("Other unknown calls"), "good", _("none"))
    said = _("%(call)s, since %(age)s") % {"call": oldest, "age": age(oldest.left_at or oldest.prepared_at)}
    link = reverse("admin:gateway_ledgerentry_changelist") + "?state__exact=unknown"
    return Sign(_("Other unknown calls"), "warn", said, link)


@Select
def _oldest_unknown() -> "QuerySet[LedgerEntry]":
    """The oldest unknown request but those of campaigns, by an index of its own: a large campaign may have very many
    unknown messages, and any other index would go through them all."""
    unknown = LedgerEntry.objects.filter(state=EntryState.UNKNOWN.value).exclude(about_kind="campaign")
    return unknown.order_by("prepared_at")[:1]


def inbox_waiting() -> Sign:
    count, oldest = inbox.waiting(COUNTED + 1)
    if not count:
        return Sign(_("Pushes to apply"), "good", _("none waits"))
    shown = said_to(count, COUNTED)
    is_slow = oldest is not None and timezone.now() - oldest > dt.timedelta(minutes=5)
    said = _("%(n)s wait, the oldest for %(age)s") % {"n": shown, "age": age(oldest)}
    return Sign(
        _("Pushes to apply"), "warn" if is_slow else "good", said, reverse("admin:gateway_pushedbody_changelist")
    )


def not_applied() -> list[Sign]:
    """Pushes of which something could not be applied: they hold up nobody, and somebody has to look."""
    failed = PushedBody.objects.filter(failed__gt=0)
    count = len(failed.order_by().values_list("pk", flat=True)[: COUNTED + 1])
    if not count:
        return []
    shown = said_to(count, COUNTED)
    said = _("%(n)s could not be applied: open them, fix the cause, then try again") % {"n": shown}
    return [
        Sign(_("Pushes with problems"), "warn", said, reverse("admin:gateway_pushedbody_changelist") + "?failed=yes")
    ]


def troubles() -> list[Sign]:
    """What failed in a sweep or a reading and was left behind."""
    return [
        Sign(
            in_words(trouble.name),
            "warn",
            ngettext(
                "%(problem)s (once, %(age)s ago)", "%(problem)s (%(times)d times, last %(age)s ago)", trouble.times
            )
            % {"problem": in_text(trouble.problem), "times": trouble.times, "age": age(trouble.last_at)},
            reverse("admin:gateway_trouble_changelist"),
        )
        for is_persons, most in ((True, SHOWN_OF_PERSONS), (False, SHOWN_TROUBLES))
        for trouble in Trouble.objects.filter(is_persons=is_persons).order_by("-last_at")[:most]
    ]


def callbacks() -> list[tuple[str, dt.datetime | None]]:
    """When each kind of push came last; one look into an index each."""
    return [
        (
            str(PushKind(kind).label),
            PushedBody.objects.filter(kind=kind).order_by("-received_at").values_list("received_at", flat=True).first(),
        )
        for kind in PushKind.values
    ]


def worker_row(worker: WorkerHeartbeat) -> dict[str, Any]:
    now = timezone.now()
    silent = (now - worker.beat_at).total_seconds() if worker.beat_at else None
    if worker.stopped_at:
        state, word = "off", _("stopped")
    elif silent is not None and silent <= workers.STALE_AFTER.total_seconds():
        state, word = "good", _("alive")
    else:
        state, word = "bad", _("silent")
    return {"worker": worker, "tone": state, "word": word, "skew": off_by(worker.clock_skew)}


def off_by(skew: float | None) -> str:
    """ "95 s ahead"; nothing for a clock that is right."""
    if skew is None or not clock.is_off(skew):
        return ""
    said = _("%(n)d s behind") if skew > 0 else _("%(n)d s ahead")
    return said % {"n": round(abs(skew))}


# What Django says of a console that is served without TLS, in words that can be translated.
DJANGOS = {
    "security.W004": gettext_lazy(
        "Browsers may still use plain HTTP. Once everything is served over HTTPS, set SECURE_HSTS_SECONDS."
    ),
    "security.W008": gettext_lazy(
        "Plain HTTP is answered. Let the proxy lead it to HTTPS, or set SECURE_SSL_REDIRECT=true."
    ),
    "security.W012": gettext_lazy(
        "The cookie of a session also travels over plain HTTP. Give CONSOLE_URL its https:// address."
    ),
    "security.W016": gettext_lazy(
        "The cookie against forged forms also travels over plain HTTP. Give CONSOLE_URL its https:// address."
    ),
}


def system_checks() -> list[dict[str, Any]]:
    """What `manage.py check --deploy` would say, ours and Django's, the worst first; looked at once a minute."""
    found = _checked(_minute(), get_language())
    shown = sorted((message for message in found if not message.is_silenced()), key=lambda message: -message.level)
    return [
        {
            "id": message.id,
            "says": DJANGOS.get(message.id or "", message.msg),
            "hint": message.hint,
            "tone": "bad" if message.level >= checks.ERROR else "warn" if message.level >= checks.WARNING else "",
        }
        for message in shown
    ]


@functools.lru_cache(maxsize=2)
def _checked(minute: int, language: str | None) -> list[checks.CheckMessage]:
    return checks.run_checks(include_deployment_checks=True)
