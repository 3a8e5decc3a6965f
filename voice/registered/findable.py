"""Rows of voice that the search on every page finds."""

from django.db.models import Q
from django.utils.translation import gettext_lazy

from laaffic_console.kit.masking.masks import masked
from laaffic_console.kit.registers.search_kinds import Kind, Query, beginning_with, listed, named, register, rows_of
from laaffic_console.kit.words import dates
from messaging.subscribers import spellings
from voice.models import AudioFile, CallRecord, GroupTask, SipCall, SipPhone
from voice.models.spoken import SpokenCampaign

MAX_DIGITS = 15  # of a number; Laaffic's voice ids have more


def register_all() -> None:
    register(
        Kind(
            "spoken-messages",
            gettext_lazy("Spoken messages"),
            "record_voice_over",
            "messaging.view_campaign",
            rows_of(
                SpokenCampaign.objects.filter(channel="voice"),
                named("name"),
                "voice_spokencampaign_change",
                subtitle=lambda row: row.get_state_display(),
            ),
            listed("voice_spokencampaign_changelist"),
            place=12,
        )
    )
    register(
        Kind(
            "group-calls",
            gettext_lazy("Group calls"),
            "voice_chat",
            "voice.view_grouptask",
            rows_of(
                GroupTask.objects.all(),
                lambda query: named("name", "task_name")(query) | Q(key=query.text),
                "voice_grouptask_change",
                subtitle=lambda row: row.get_state_display(),
            ),
            place=13,
        )
    )
    register(
        Kind(
            "calls",
            gettext_lazy("Calls"),
            "call",
            "voice.view_sipcall",
            rows_of(
                SipCall.objects.all(),
                lambda query: _called(query, "voice_id"),
                "voice_sipcall_change",
                title=lambda row: str(masked(row.callee)),
                subtitle=lambda row: f"{row.account} · {dates.moment(row.created_at)}",
            ),
            place=23,
        )
    )
    register(
        Kind(
            "call-records",
            gettext_lazy("Call records"),
            "call_log",
            "voice.view_callrecord",
            rows_of(
                CallRecord.objects.all(),
                lambda query: _called(query, "voice_id"),
                "voice_callrecord_change",
                title=lambda row: str(masked(row.callee)),
                subtitle=lambda row: f"{row.get_outcome_display()} · {dates.moment(row.at)}",
            ),
            listed("voice_callrecord_changelist"),
            place=24,
        )
    )
    register(
        Kind(
            "audio-files",
            gettext_lazy("Audio files"),
            "library_music",
            "voice.view_audiofile",
            rows_of(
                AudioFile.objects.defer("content"),
                lambda query: named("name")(query) | Q(file_id=query.text),
                "voice_audiofile_change",
                subtitle=lambda row: row.file_id,
            ),
            place=30,
        )
    )
    register(
        Kind(
            "sip-phones",
            gettext_lazy("SIP phones"),
            "deskphone",
            "voice.view_sipphone",
            rows_of(SipPhone.objects.all(), named("account", "name"), "voice_sipphone_change"),
            listed("voice_sipphone_changelist"),
            place=35,
        )
    )


def _called(query: Query, id_column: str) -> Q | None:
    """Rows by the beginning of a number, for a whole number in any of its spellings, or by a whole id."""
    by_id = Q(**{id_column: query.text})
    if not query.may_be_a_number or len(query.digits) > MAX_DIGITS:
        return by_id
    return by_id | beginning_with("callee", query.digits) | Q(callee__in=spellings(query.digits)[1:])
