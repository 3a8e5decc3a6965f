"""Jobs for calls and their records; each finds its work in our own tables."""

from voice.services.asking import scheduling
from voice.services.group_calls import waiting as group_waiting
from voice.services.records import pushes


def apply_voice_reports() -> bool:
    return pushes.INBOX.apply_waiting()


def apply_ringing() -> bool:
    return pushes.RINGING.apply_waiting()


def start_launched(task_id: int) -> None:
    group_waiting.start_launched(task_id)


def sync(name: str) -> None:
    scheduling.run(name)


def sweep() -> None:
    scheduling.sweep()
