"""Entries of voice about a person: calls from SIP phones, group calls to come, and how every call to them ended."""

from collections.abc import Collection, Iterable, Sequence

from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from laaffic_console.kit.pages import own_page
from messaging.people import contact_traces
from messaging.people.person_timeline import Behind, Entry, Person, Source, register, rows_behind
from voice.models import CallRecord, GroupTask, SipCall, TaskState
from voice.models.group_tasks import OPEN
from voice.services.group_calls import callees as group_callees

AHEAD = (TaskState.LAUNCHED, TaskState.HELD, TaskState.SENDING, TaskState.UNKNOWN, *OPEN)  # may still call somebody
TONES = {"answered": "good", "voicemail": "moving", "failed": "bad", "no such number": "bad"}


def register_all() -> None:
    register(Source("call-records", pgettext_lazy("timeline", "Call"), "call_log", "voice.view_callrecord", records))
    register(Source("calls", pgettext_lazy("timeline", "Call"), "call", "voice.view_sipcall", calls))
    label = pgettext_lazy("timeline", "Group call")
    register(Source("group-calls", label, "campaign", "voice.view_grouptask", group_calls))
    contact_traces.register(contact_traces.Trace("call", gettext_lazy("they were called"), _called))


def _called(numbers: Collection[str]) -> Iterable[str]:
    for model in (CallRecord, SipCall):
        yield from model._default_manager.filter(callee__among=numbers).order_by().values_list("callee", flat=True)


def records(person: Person, behind: Behind, limit: int) -> Sequence[Entry]:
    rows = CallRecord.objects.filter(callee__in=person.numbers)
    return [
        Entry(
            row.at_moment,
            row.pk,
            row.get_outcome_display(),
            " · ".join(
                filter(
                    None,
                    [
                        row.get_kind_display() if row.kind else "",
                        "" if row.duration is None else _("%(n)d s") % {"n": row.duration},
                        _("pressed %(key)s") % {"key": row.key_pressed} if row.key_pressed else "",
                    ],
                )
            ),
            own_page(row),
            TONES.get(row.outcome, "warn"),
        )
        for row in rows_behind(rows, "at", behind, limit)
    ]


def calls(person: Person, behind: Behind, limit: int) -> Sequence[Entry]:
    rows = SipCall.objects.filter(callee__in=person.numbers).select_related("entry", "requested_by")
    return [
        Entry(
            row.at_moment,
            row.pk,
            _("Called from %(account)s") % {"account": row.account},
            " · ".join(filter(None, [row.entry.get_state_display() if row.entry else "", str(row.requested_by or "")])),
            own_page(row),
        )
        for row in rows_behind(rows, "created_at", behind, limit)
    ]


def group_calls(person: Person, behind: Behind, limit: int) -> Sequence[Entry]:
    """The person's group calls that wait or run; those that are over appear as call records."""
    ids = group_callees.with_any(person.numbers, AHEAD)
    return [
        Entry(
            row.at_moment,
            row.pk,
            row.get_state_display(),
            row.name,
            own_page(row),
            "moving" if row.state in OPEN else "warn",
        )
        for row in rows_behind(
            GroupTask.objects.filter(pk__in=ids), Coalesce("launched_at", "created_at"), behind, limit
        )
    ]
