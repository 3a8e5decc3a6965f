"""What the queue calls: each looks at our own tables for work, so a second call changes nothing."""

from phone_numbers.services import lost_calls, scheduling


def sync(name: str) -> None:
    scheduling.run(name)


def sweep() -> None:
    lost_calls.recover()
    scheduling.ring_due()
