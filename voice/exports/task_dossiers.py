"""The dossier of a group call: its numbers with the records of their calls, its requests, and its figures."""

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, BinaryIO

from django.contrib.auth.models import User

from messaging.exports import dossiers
from messaging.exports.dossiers import Row
from voice.exports.task_recipient_exports import NO_RECORD
from voice.models import GroupTask
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import proving as task_proving
from voice.services.group_calls import states as group_state

CONTENT = ["id", "name", "task_name", "key", "kind", "parent_id", "state", "source", "text", "language", "accent"]
CONTENT += ["gender", "speaking_rate", "loop_count", "max_talk", "max_ringing_time", "delay_play", "delay_hangup"]
CONTENT += ["display_number", "send_at", "windows", "hang_up_sms", "sms_application_id", "sms_sender_id", "sms_text"]
CONTENT += ["sms_on_answer", "sms_answer_seconds", "sms_on_key", "sms_key", "sms_on_failure", "sms_on_ringing"]
CONTENT += ["to_agent", "agent_group", "agent_on_key", "agent_key", "outbound_control", "callout_rate"]
CONTENT += ["purpose", "calendar_id", "latest_end"]
CONTENT += ["created_at", "launched_at", "finished_at", "ended_because"]
AUDIENCE = ["number_count", "numbers_from", *group_callees.LEFT_OUT]
AT_LAAFFIC = ["vendor_status", "total", "called", "connected", "failed", "sms_sent", "looked_at"]
OF_RECORDS = ["recorded", "talk_seconds", "keys_pressed", "cost", "currency", "counted_at"]
AUDIO = ["name", "audio_type", "size", "digest", "seconds", "file_id"]


def write(task: GroupTask, user: User | None, into: BinaryIO, recipients: Iterable[Row]) -> None:
    """Write the dossier. `recipients`: rows of `task_recipient_exports`, header first; no `user`: the command line."""
    is_over = task_proving.is_over(task)
    recounted = Recounted(recipients)
    parts = [
        dossiers.content(task, CONTENT, user),
        dossiers.approvals(task),
        dossiers.document("audience.json", "how many were called, and who was left out", lambda: _of(task, AUDIENCE)),
        dossiers.document("announcement.json", "the audio file, with the SHA-256 of its sound", lambda: _audio(task)),
        dossiers.settings_part(),
        dossiers.table("recipients.csv", "each number with the records of its calls", lambda: recounted),
        dossiers.ledger(task, group_state.ABOUT),
        dossiers.events(task),
        dossiers.document(
            "figures.json",
            "the console's and Laaffic's figures, counted again from recipients.csv, proofs",
            lambda: _figures(task, recounted, is_over=is_over),
        ),
    ]
    dossiers.write(into, f"group call {task.pk} “{task.name}”", parts, is_over=is_over)


def _of(task: GroupTask, names: list[str]) -> dict[str, Any]:
    return {name: getattr(task, name) for name in names}


def _audio(task: GroupTask) -> dict[str, Any] | None:
    return {name: getattr(task.audio, name) for name in AUDIO} if task.audio else None


def _figures(task: GroupTask, recounted: "Recounted", *, is_over: bool) -> dict[str, Any]:
    return {
        "kept_by_the_console": _of(task, OF_RECORDS),
        "told_by_laaffic": _of(task, AT_LAAFFIC),
        "counted_again_from_recipients_csv": recounted.counted(),
        "disagreements": list(recounted.disagreements(task)) if is_over else "not compared: it was not over",
        "proofs": dossiers.proofs_of(task),
    }


class Recounted:
    """Counts numbers and calls while they pass into the file."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = rows
        self._states: Counter[str] = Counter()
        self._costs: dict[str, Decimal] = {}
        self._seconds = 0

    def __iter__(self) -> Iterator[Row]:
        rows = iter(self.rows)
        header = next(rows)
        yield header
        state, seconds, cost, currency = (header.index(name) for name in ("state", "seconds", "cost", "currency"))
        for row in rows:
            self._states[row[state]] += 1
            if row[state] != NO_RECORD:
                self._seconds += row[seconds] or 0
                if row[cost] is not None:
                    self._costs[row[currency]] = self._costs.get(row[currency], Decimal(0)) + row[cost]
            yield row

    def counted(self) -> dict[str, Any]:
        return {
            "rows": dict(sorted(self._states.items())),
            "seconds": self._seconds,
            "cost": {currency: str(total) for currency, total in sorted(self._costs.items()) if currency},
        }

    def disagreements(self, task: GroupTask) -> Iterator[str]:
        records = sum(n for state, n in self._states.items() if state != NO_RECORD)
        for name, said, found in (
            ("call records", task.recorded, records),
            ("seconds talked", task.talk_seconds, self._seconds),
            ("cost", task.cost or 0, self._costs.get(task.currency, 0)),
        ):
            if said != found:
                yield f"{name}: the console says {said}, recipients.csv says {found}"
