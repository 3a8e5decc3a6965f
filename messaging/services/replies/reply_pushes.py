"""Applying pushed replies that are in the inbox."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from django.conf import settings

from laaffic_console.gateway.models import PushedBody, PushKind
from laaffic_console.gateway.services.inbox.draining import Inbox
from laaffic_console.laaffic import Reply as WireReply
from laaffic_console.laaffic import parse_sms_replies
from messaging.models import Reply
from messaging.services.replies import replies


def _read(body: PushedBody, raw: object) -> tuple[list[WireReply], list[str]]:
    parsed = parse_sms_replies([raw], ZoneInfo(settings.LAAFFIC_TIME_ZONE))
    # Here, outside the transaction: the first number of a process costs seconds, for the table of all plans is built.
    return [replies.with_canonical_number(reply) for reply in parsed.replies], parsed.problems


def _apply(found: Sequence[WireReply]) -> list[bool]:
    replies.take(found, source=Reply.Source.PUSH)
    return [True] * len(found)


INBOX = Inbox(kind=PushKind.SMS_REPLY, job="messaging.jobs.apply_sms_replies", read=_read, apply=_apply)
