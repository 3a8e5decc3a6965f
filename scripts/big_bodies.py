"""How long bodies of up to 5 MiB take to be applied, and the longest write transaction in the meantime.

.venv/bin/python scripts/big_bodies.py [share]      share of the full size, 1 by default
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "laaffic_console.settings")

import django

django.setup()

from django.db import connection, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from laaffic_console.gateway.models import Application, LedgerEntry, PushedBody, PushKind  # noqa: E402
from laaffic_console.gateway.services.inbox import draining, inbox  # noqa: E402
from messaging.models import EmailCampaign  # noqa: E402
from messaging.services.email import callbacks as email_callbacks  # noqa: E402
from messaging.services.replies import reply_pushes  # noqa: E402
from messaging.services.reports import report_pushes  # noqa: E402


def reports(n: int) -> list[dict[str, Any]]:
    return [{"msgid": f"{n}", "mobile": f"9198{n:08}", "status": 0} for n in range(n)]


def replies(n: int) -> list[dict[str, Any]]:
    texts = ("STOP", "ok", "yes", "no")
    return [{"mobile": f"9198{n:08}", "content": texts[n % 4], "reply_time": "2026-01-02 10:00:00"} for n in range(n)]


def mails(n: int) -> list[dict[str, Any]]:
    return [{"emailId": f"e{n}", "toAddress": f"p{n}@example.com", "emailState": "success"} for n in range(n)]


def email_campaign() -> EmailCampaign:
    application = Application.objects.create(app_id="bigmail", channel="email")
    call = LedgerEntry.objects.create(
        interface="x",
        application=application,
        about_kind="email campaign",
        state="accepted",
        prepared_at=timezone.now(),
    )
    return EmailCampaign.objects.create(
        name="x", application=application, state="running", entry=call, sent_at=timezone.now()
    )


@contextmanager
def timed_transactions() -> Iterator[list[float]]:
    taken: list[float] = []
    enter, leave = transaction.Atomic.__enter__, transaction.Atomic.__exit__

    def begin(self: Any) -> None:
        if not connection.in_atomic_block:
            self.began = time.monotonic()
        enter(self)

    def end(self: Any, *problem: Any) -> None:
        leave(self, *problem)
        if not connection.in_atomic_block:
            taken.append(time.monotonic() - self.began)

    with (
        mock.patch.object(transaction.Atomic, "__enter__", begin),
        mock.patch.object(transaction.Atomic, "__exit__", end),
    ):
        yield taken


def measure(what: str, kind: str, entries: list[dict[str, Any]], drained: draining.Inbox[Any], mark: str = "") -> None:
    body = json.dumps(entries, separators=(",", ":"))
    inbox.store(kind=PushKind(kind), body=body, source=None, mark=mark)
    began = time.monotonic()
    longest_round = 0.0
    with timed_transactions() as taken:
        while PushedBody.objects.filter(kind=kind, applied_at=None).exists():
            at = time.monotonic()
            drained.apply_some()
            longest_round = max(longest_round, time.monotonic() - at)
    took = time.monotonic() - began
    done = PushedBody.objects.latest("id")
    print(
        f"{connection.vendor} {what}: {len(entries):,} entries, {len(body) / 2**20:.1f} MiB, {took:.1f} s, "
        f"longest transaction {max(taken):.2f} s of {len(taken)}, longest round {longest_round:.1f} s, "
        f"{done.failed} failed"
    )


def main() -> None:
    share = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    measure("reports nobody knows", "sms-report", reports(int(100_000 * share)), report_pushes.INBOX)
    measure("replies, a quarter STOP", "sms-reply", replies(int(60_000 * share)), reply_pushes.INBOX)
    campaign = email_campaign()
    measure("mails", "email-report", mails(int(60_000 * share)), email_callbacks.INBOX, campaign.mark)


if __name__ == "__main__":
    main()
