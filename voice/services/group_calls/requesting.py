"""A group-call task as the interface expects it, and all errors in it, each at its own field."""

import datetime as dt
import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from laaffic_console.gateway.models import Application, Channel
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.plain_text import is_blank
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.laaffic import (
    FileInRequest,
    GroupCall,
    HangUpSms,
    InvalidRequest,
    SpokenText,
    ToAgent,
    UploadedFile,
)
from laaffic_console.laaffic.group_calls import MAX_WINDOWS, Window
from messaging.text import merge_fields
from voice.models import Announcement, AudioFile, GroupTask
from voice.models.group_tasks import Between
from voice.services.audio.content import problem_with_size

# Parameters of the interface → fields of a task.
FIELD_OF = {
    "appId": "application",
    "taskName": "name",
    "numberList": "numbers",
    "voiceFileId": "audio",
    "baseFile": "audio",
    "fileName": "audio",
    "text": "text",
    "lan": "language",
    "accent": "accent",
    "ssmlGender": "gender",
    "speakingRate": "speaking_rate",
    "loopCount": "loop_count",
    "maxCalls": "max_talk",
    "maxRingingTime": "max_ringing_time",
    "displayNum": "display_number",
    "allowSendTime": "windows",
    "delayPlay": "delay_play",
    "delayHangup": "delay_hangup",
    "hangUpSms": "sms_on_answer",
    "smsAppId": "sms_application",
    "smsContent": "sms_text",
    "senderId": "sms_sender_id",
    "feedbackValue": "sms_key",
    "successPushTime": "sms_answer_seconds",
    "sipGroupId": "agent_group",
    "toSeatKey": "agent_key",
    "calloutRate": "callout_rate",
    "outboundControl": "outbound_control",
}
CHECKED = (
    *("name", "application", "source", "language", "accent", "gender", "speaking_rate", "loop_count", "max_talk"),
    *("max_ringing_time", "delay_play", "delay_hangup", "display_number", "send_at"),
)
CHECKED_SMS = ("sms_application", "sms_sender_id", "sms_text", "sms_answer_seconds", "sms_key")
CHECKED_AGENT = ("agent_group", "agent_key", "callout_rate")

Complaint = tuple[str, str | NotNow]  # field, sentence


def check(task: GroupTask) -> None:
    """Raise ValidationError with every problem at its field. Parts that are switched off are not checked."""
    found: dict[str, list[str | NotNow]] = defaultdict(list)
    try:
        task.clean_fields(exclude={field.name for field in task._meta.fields} - set(_looked_at(task)))
    except ValidationError as problem:
        for field, wrong in problem.error_dict.items():
            ours = [one for one in wrong if one.code == Between.CODE]
            found[field] += ValidationError(ours or wrong).messages  # Django's message about a range says less
    for rule in (_application, _announcement, _windows, _schedule, _hang_up_sms, _agent):
        for field, sentence in rule(task):
            if field not in found:
                found[field].append(sentence)
    if not found:
        try:
            request(task, ["10000000"], "check").fields()
        except InvalidRequest as broken:
            found[FIELD_OF.get(broken.field, "name")].append(broken.message)
    if found:
        raise ValidationError(dict(found))


def _looked_at(task: GroupTask) -> list[str]:
    looked_at = [*CHECKED]
    if task.source == Announcement.TEXT:
        looked_at.append("text")
    if task.hang_up_sms:
        looked_at += CHECKED_SMS
    if task.to_agent:
        looked_at += CHECKED_AGENT
    return looked_at


def _application(task: GroupTask) -> Iterator[Complaint]:
    if task.application_id is not None and task.application.channel != Channel.VOICE:
        yield "application", _("Choose an application of the channel Voice.")
    elif task.application_id is not None and not task.application.is_active:
        yield "application", NotNow(_("This application is switched off. Choose another."))


def _announcement(task: GroupTask) -> Iterator[Complaint]:
    if task.source == Announcement.TEXT:
        if is_blank(task.text):
            yield "text", _("Write what is spoken, 1 to 1,000 characters.")
        if problem := merge_fields.problem_where_none_are_filled_in(task.text):
            yield "text", problem
        if not task.language:
            yield "language", _("Choose the language of the text.")
    elif task.audio is None:
        yield "audio", _("Choose an audio file.")
    elif task.source == Announcement.LIBRARY and not task.audio.file_id:
        yield "audio", _("Laaffic does not have this file yet. Upload it first, or let it travel with the task.")
    elif task.source == Announcement.IN_REQUEST and not task.audio.has_content:
        yield "audio", _("Only Laaffic has this file: choose that Laaffic's own copy is played.")
    elif task.source == Announcement.IN_REQUEST and (too_large := problem_with_size(task.audio.size)):
        yield "audio", too_large


def _windows(task: GroupTask) -> Iterator[Complaint]:
    if len(task.windows) > MAX_WINDOWS:
        shown = {"n": len(task.windows), "most": MAX_WINDOWS}
        yield "windows", _("%(n)d windows; at most %(most)d are allowed.") % shown
        return
    for number, window in enumerate(task.windows, start=1):
        try:
            start, end = window_of(window)
        except ValueError:
            yield "windows", _("Window %(n)d is not a pair of times such as 09:00 and 12:00.") % {"n": number}
            return
        if start >= end:
            shown_times = {"n": number, "start": f"{start:%H:%M}", "end": f"{end:%H:%M}"}
            yield (
                "windows",
                _(
                    "Window %(n)d ends before it starts (%(start)s to %(end)s). For a night, give two windows: until "
                    "23:59 and from 00:00."
                )
                % shown_times,
            )
            return
    yield from _overlapping(sorted(window_of(window) for window in task.windows))


def _overlapping(windows: Sequence[Window]) -> Iterator[Complaint]:
    """Complain about the first two windows that overlap, sorted by start; one may begin when the last ends."""
    for (start, end), (then, until) in itertools.pairwise(windows):
        if then < end:
            shown = {"one": f"{start:%H:%M}–{end:%H:%M}", "other": f"{then:%H:%M}–{until:%H:%M}"}
            yield "windows", _("%(one)s and %(other)s overlap. Make one window of them.") % shown
            return


def window_of(window: Sequence[str]) -> Window:
    """The window; ValueError unless it is a pair of times in whole minutes without a zone, as in the interface."""
    start, end = window
    return _time_of_day(start), _time_of_day(end)


def _time_of_day(text: str) -> dt.time:
    if not re.fullmatch("[0-9]{2}:[0-9]{2}", text):
        raise ValueError(text)
    return dt.time.fromisoformat(text)


def _schedule(task: GroupTask) -> Iterator[Complaint]:
    if task.send_at is not None and not task.is_template and task.send_at < timezone.now():
        yield "send_at", _("This moment has passed. Choose a later one, or leave it empty to start at once.")


def _hang_up_sms(task: GroupTask) -> Iterator[Complaint]:
    if not task.hang_up_sms:
        return
    if task.sms_application is None:
        yield "sms_application", _("Choose the application that sends the SMS.")
    elif task.sms_application.channel != Channel.SMS:
        yield "sms_application", _("Choose an application of the channel SMS.")
    elif not task.sms_application.is_active:
        yield "sms_application", NotNow(_("This application is switched off. Choose another."))
    if is_blank(task.sms_text):
        yield "sms_text", _("Write the SMS, 1 to 1,000 characters.")
    if problem := merge_fields.problem_where_none_are_filled_in(task.sms_text):
        yield "sms_text", problem
    if not any((task.sms_on_answer, task.sms_on_key, task.sms_on_failure, task.sms_on_ringing)):
        yield "sms_on_answer", _("Say when the SMS is sent: choose at least one occasion.")


def _agent(task: GroupTask) -> Iterator[Complaint]:
    if task.to_agent and task.agent_group is None:
        yield "agent_group", _("Give the number of the agent group at Laaffic, or switch the transfer off.")


def request(task: GroupTask, numbers: Sequence[str], task_name: str) -> GroupCall:
    """The request for a checked task: an announcement from a file has its file, an SMS its application."""
    return GroupCall(
        app_id=task.application.app_id,
        task_name=task_name,
        announcement=_announced(task, task.audio),
        numbers=numbers,
        max_talk=task.max_talk,
        loop_count=task.loop_count,
        max_ringing_time=task.max_ringing_time,
        display_number=task.display_number,
        send_at=task.send_at,
        windows=[window_of(window) for window in task.windows],
        hang_up_sms=_sms(task, task.sms_application) if task.hang_up_sms and task.sms_application else None,
        to_agent=_transfer(task, task.agent_group) if task.to_agent and task.agent_group else None,
        delay_play=task.delay_play,
        delay_hangup=task.delay_hangup,
    )


def _announced(task: GroupTask, audio: AudioFile | None) -> UploadedFile | FileInRequest | SpokenText:
    if audio is not None and task.source == Announcement.LIBRARY:
        return UploadedFile(audio.file_id)
    if audio is not None and task.source == Announcement.IN_REQUEST:
        return FileInRequest(audio.name, bytes(audio.content), at_most=settings.AUDIO_MAX_BYTES)
    return SpokenText(
        text=task.text,
        language=task.language,
        accent=task.accent,
        gender=task.gender,
        speaking_rate=task.speaking_rate,
    )


def _sms(task: GroupTask, application: Application) -> HangUpSms:
    return HangUpSms(
        app_id=application.app_id,
        content=task.sms_text,
        sender_id=task.sms_sender_id or application.sender_id,
        on_key=task.sms_key if task.sms_on_key else None,
        on_answer_after=task.sms_answer_seconds if task.sms_on_answer else None,
        on_failure=task.sms_on_failure,
        on_ringing=task.sms_on_ringing,
    )


def _transfer(task: GroupTask, group: int) -> ToAgent:
    return ToAgent(
        group_id=group,
        key=task.agent_key if task.agent_on_key else None,
        outbound_control=int(task.outbound_control),
        callout_rate=task.callout_rate,
    )


def zone_name() -> str:
    """The time zone in which Laaffic reads windows, which carry none (laaffic-api#ambiguities 27)."""
    return str(settings.LAAFFIC_TIME_ZONE)
