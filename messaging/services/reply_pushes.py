"""From the inbox to the replies: stored pushes are read and taken in bulk."""

import json
import time
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from laaffic_console.gateway.models import PushKind
from laaffic_console.gateway.services import bell, inbox, leases, workers
from laaffic_console.laaffic import parse_sms_replies
from messaging.models import Reply
from messaging.services import replies

JOB = "messaging.jobs.apply_sms_replies"
SLICE_SECONDS = 20.0
BODIES_AT_ONCE = 100


def apply_waiting() -> None:
    with leases.lease("inbox:sms-reply") as held:
        if held is None:
            return
        give_up_at = time.monotonic() + SLICE_SECONDS
        while held.renew() and apply_some():
            workers.beat()
            if time.monotonic() > give_up_at:
                bell.ring(JOB)
                return


@transaction.atomic
def apply_some() -> int:
    """One transaction's worth of stored bodies; how many there were."""
    bodies = inbox.take_waiting(PushKind.SMS_REPLY, BODIES_AT_ONCE)
    zone = ZoneInfo(settings.LAAFFIC_TIME_ZONE)
    found, entries, problems = [], {}, {}
    for body in bodies:
        parsed = parse_sms_replies(json.loads(body.body), zone)
        entries[body.pk] = len(parsed.replies) + len(parsed.problems)
        problems[body.pk] = [problem[:300] for problem in parsed.problems]
        found += parsed.replies
    replies.take(found, source=Reply.Source.PUSH)
    inbox.mark_applied(bodies, entries=entries, problems=problems)
    return len(bodies)
