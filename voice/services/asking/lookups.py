"""Asking Laaffic about one call or one task while a person waits for the answer."""

from django.utils.translation import gettext as _

from laaffic_console.gateway.services.client.account import NotConfigured, laaffic_client
from laaffic_console.laaffic import CallKind, InvalidRequest, LaafficError, Source
from laaffic_console.laaffic import CallRecord as WireRecord
from voice.models import CallRecord, GroupTask, SipCall
from voice.models.group_tasks import NOT_LEFT
from voice.services import syncing
from voice.services.asking import group_calls as group_sync
from voice.services.asking import records_pulls
from voice.services.records import call_records

SIP_KINDS = (CallKind.SIP, CallKind.SIP_DIRECT)


class AskFailed(Exception):
    """Laaffic has said nothing; the sentence says why and what to do."""


def about_id(voice_id: str, *, is_sip: bool) -> WireRecord:
    """One call's record by its id, kept like every record."""
    try:
        voice = laaffic_client().voice
        found = (voice.sip_record if is_sip else voice.group_record)(voice_id)
    except InvalidRequest as problem:
        raise AskFailed(_("“%(id)s” is not an id of a call at Laaffic.") % {"id": voice_id[:64]}) from problem
    except (LaafficError, NotConfigured) as problem:
        raise AskFailed(syncing.said(problem)) from problem
    if found is None:
        raise AskFailed(
            _("Laaffic has no record of this call, or none yet: a call is recorded when it has ended. Ask again later.")
        )
    call_records.take([found], Source.VOICE_RECORD, kind=CallKind.SIP if is_sip else None)
    return found


def about_call(asked: SipCall) -> WireRecord:
    """The record of a call; if its answer was lost, it has no id to ask for, and the list is read for its mark."""
    if asked.voice_id:
        return about_id(asked.voice_id, is_sip=True)
    syncing.COPIES.request(records_pulls.SIP)
    raise AskFailed(_("Laaffic gave no id for this call. The whole list of calls is read instead; look again soon."))


def about_record(record: CallRecord) -> WireRecord:
    """The record again; if its kind is unknown, it is looked for in both lists."""
    if record.kind is not None:
        return about_id(record.voice_id, is_sip=record.kind in SIP_KINDS)
    try:
        return about_id(record.voice_id, is_sip=False)
    except AskFailed:
        return about_id(record.voice_id, is_sip=True)


def about_task(task: GroupTask) -> GroupTask:
    if task.state in NOT_LEFT or not task.task_name:
        raise AskFailed(_("Laaffic does not have this task: it was not launched yet."))
    try:
        group_sync.look(task)
    except (LaafficError, NotConfigured) as problem:
        raise AskFailed(syncing.said(problem)) from problem
    now = GroupTask.objects.get(pk=task.pk)
    if now.looks:
        raise AskFailed(_("Laaffic's list does not have this task at the moment. What was known of it stays."))
    return now
