"""What a worker holds between claim and settlement: a batch, and what its request will say."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OutgoingText:
    """One content and who gets it, by position in the batch."""

    text: str
    segments: int
    positions: list[int]
    title: str = ""  # of an MMS


@dataclass(frozen=True, slots=True)
class Claim:
    """A batch in the hands of this worker, with what its request will say."""

    batch_id: int
    entry_id: int
    attempt: int
    message_ids: list[int]
    numbers: list[str]
    attempts: list[int]
    texts: list[OutgoingText]
    order_ids: list[str]
