"""TTS messages: a text spoken to one number per call (laaffic-api#sendcode), sent the same way as every campaign.

sendCode takes no orderId: ours is sent in `calledInfo`, and records and pushes bring it back.
"""

import datetime as dt
from dataclasses import replace
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import Application, Channel
from laaffic_console.gateway.services.client.account import laaffic_client
from laaffic_console.gateway.services.work import workers
from laaffic_console.gateway.services.work.patience import Patience
from laaffic_console.laaffic import (
    CallRecord,
    InvalidRequest,
    LaafficClient,
    SendResult,
    Source,
    call_record_pages,
    call_record_windows,
    oldest_call_record,
)
from laaffic_console.laaffic.pages import Page
from laaffic_console.laaffic.tts import MAX_TEXT
from messaging.models import IS_OPEN_BATCH, Batch, BatchState, Campaign, Message, MessageState
from messaging.services.batches import answers
from messaging.services.channels.channels import Post, SendingChannel
from messaging.services.channels.outgoing import Claim
from messaging.services.reports import record_matching, report_pulls, reports
from messaging.services.reports.readings import Trouble
from messaging.services.reports.record_matching import Sweep, Window
from messaging.subscribers import subscriber
from voice.services.spoken import recalls
from voice.services.spoken.call_reports import as_delivery_report
from voice.services.spoken.options import TtsOptions, call_lasts

ROWS_AT_ONCE = 500
RECORDS = "the call records"
CALL_LASTS = dt.timedelta(minutes=10)  # how long after its request a call may begin and be recorded, at least

# Parameters of the interface → fields of the form.
FIELD_OF = {
    "text": "text",
    "language": "language",
    "accent": "accent",
    "ssmlGender": "gender",
    "speakingRate": "speaking_rate",
    "loopCount": "loop_count",
    "recallCount": "recall_count",
    "recallInterval": "recall_interval",
    "maxDuration": "max_duration",
    "maxRingingTime": "max_ringing_time",
    "delayPlay": "delay_play",
    "delayHangup": "delay_hangup",
}


class TtsChannel(SendingChannel):
    key = Channel.VOICE.value
    application_channel = Channel.VOICE
    recipients_per_call = 1
    longest_text = MAX_TEXT
    has_replies = False

    def problems(self, campaign: Campaign) -> dict[str, list[str]]:
        """Each value out of range at its own field; errors in the text are reported where texts are checked."""
        options = TtsOptions.of(campaign)
        found: dict[str, list[str]] = {}
        try:
            replace(options.spoken, text="x").fields()
        except InvalidRequest as problem:
            found[FIELD_OF.get(problem.field, "text")] = [problem.message]
        number = options.display_number
        if number and not (number.isascii() and number.isdecimal() and 7 <= len(number) <= 15):
            found["display_number"] = [f"{number!r} is not 7 to 15 digits without + or spaces"]
        return found

    def tries_for(self, campaign: Campaign) -> dt.timedelta:
        return recalls.last(campaign)

    def interface(self, texts: int) -> str:
        return "voice/sendCode"

    def poster(self, campaign: Campaign) -> Post:
        options = TtsOptions.of(campaign)
        app_id = campaign.application.app_id

        def post(client: LaafficClient, claimed: Claim) -> SendResult:
            voice_id = client.voice.speak(
                app_id=app_id,
                callee=claimed.numbers[0],
                spoken=replace(options.spoken, text=claimed.texts[0].text),
                display_number=options.display_number,
                called_info=claimed.order_ids[0],
            )
            return SendResult([voice_id or None], [] if voice_id else [0], 1, 0)

        return post

    def look_for_reports(self, client: LaafficClient, batch: Batch, asking: Patience) -> None:
        """Look for the reports of all due batches at once, as each carries one call.

        If some records cannot be read, LaafficError is raised after the others are applied.
        """
        application = batch.campaign.application
        due = [*_of_channel(application).filter(pk=batch.pk), *_due(application).exclude(pk=batch.pk)[:ROWS_AT_ONCE]]
        taken = [window for each in due if (window := _window(each))]
        if not taken:
            return
        lasting = max(map(call_lasts, {each.campaign for each in due}))
        asked_at = timezone.now()
        until = max(end for _start, end in taken) + max(CALL_LASTS, lasting)
        trouble = Trouble(RECORDS, asking)
        sweep = apply_records(client, application, (min(taken)[0], until), trouble)
        _say_not_found(due, asked_at, sweep)
        if trouble.is_away:
            report_pulls.put_off(due)
        for other in due:
            if other.pk != batch.pk and not trouble.is_away:
                report_pulls.check_again(other)
        trouble.tell()

    def reconcile(self, application: Application, start: dt.datetime, end: dt.datetime) -> int:
        answers.write_all(Batch.objects.filter(campaign__application=application))
        lost = list(_unknown_batches(application).filter(claimed_at__range=(start, end)))
        asked_at = timezone.now()
        trouble = Trouble(RECORDS)
        sweep = apply_records(laaffic_client(), application, (start, end), trouble)
        _say_not_found(lost, asked_at, sweep)
        trouble.tell()
        return sweep.seen


def _say_not_found(batches: list[Batch], asked_at: dt.datetime, sweep: Sweep) -> None:
    for batch in batches:
        record_matching.say_not_found(batch, asked_at, [sweep], call_lasts(batch.campaign))


def _window(batch: Batch) -> Window | None:
    """The time in which Laaffic can have received its call: after a restore that is a long time."""
    left_at = batch.entry.left_at if batch.entry else batch.claimed_at
    ahead = batch.entry.clock_ahead if batch.entry else None
    return record_matching.window_of(left_at, ahead) if left_at else None


def _of_channel(application: Application) -> QuerySet[Batch]:
    sent = Batch.objects.filter(campaign__application=application, campaign__channel=TtsChannel.key)
    return sent.select_related("campaign", "entry")


def _unknown_batches(application: Application) -> QuerySet[Batch]:
    return _of_channel(application).filter(IS_OPEN_BATCH.implied, state=BatchState.UNKNOWN)


def _due(application: Application) -> QuerySet[Batch]:
    return _of_channel(application).filter(report_pulls.is_due()).order_by("next_check_at")


def apply_records(client: LaafficClient, application: Application, period: Window, trouble: Trouble) -> Sweep:
    """Apply the call records of our messages between two moments; parts that could not be read prove nothing."""
    seen = unreadable = 0
    unmarked: set[str] = set()
    now = timezone.now()

    def ask(**given: Any) -> Page[CallRecord]:
        trouble.check()
        return client.voice.group_records(**given)

    def read(window: Window) -> None:
        nonlocal seen, unreadable
        rows = problems = 0
        for page in call_record_pages(ask, start=window[0], end=window[1]):
            found = [as_delivery_report(record, Source.VOICE_RECORD) for record in page.records]
            reports.apply_each(recalls.ended([report for report in found if report], now))
            unmarked.update(record.callee for record in page.records if not record.called_info)
            rows, problems = rows + len(page.records), problems + len(page.problems)
            workers.beat()
        # Counted once the window is read whole: a reading that breaks off is repeated in halves.
        seen, unreadable = seen + rows, unreadable + problems

    unread = trouble.read(call_record_windows(*period, now), read)
    begin = max(period[0], oldest_call_record(now))
    if not unmarked or not _unknown(application).exists():
        return Sweep(begin, period[1], seen, unreadable, unread=unread)  # nothing unknown waits for them
    hidden, partial = record_matching.not_whole(unmarked)
    maybe = _maybe(application, unmarked) | (record_matching.ending_so(application, partial) if partial else set())
    return Sweep(begin, period[1], seen, unreadable + len(hidden), maybe, unread)


def _maybe(application: Application, unmarked: set[str]) -> frozenset[int]:
    """Unknown messages to numbers that have a record without a mark: the record may be theirs."""
    called = set(map(subscriber, unmarked))
    unknown = _unknown(application).values_list("pk", "number")
    return frozenset(pk for pk, number in unknown if subscriber(number) in called)


def _unknown(application: Application) -> QuerySet[Message]:
    batches = _unknown_batches(application)
    return Message.objects.filter(batch__in=batches.values("pk"), state=MessageState.UNKNOWN)
