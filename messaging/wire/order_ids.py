"""The orderId of a message: made from its own key, so that a pushed report leads straight back to its row."""

import functools
import re
from collections.abc import Sequence


def order_id(prefix: str, message_id: int, attempt: int = 1) -> str:
    """`lc-1042`, and `lc-1042-2` for a second sending that a person asked for."""
    return f"{prefix}-{message_id}" if attempt == 1 else f"{prefix}-{message_id}-{attempt}"


def order_ids(prefix: str, message_ids: Sequence[int], attempts: Sequence[int]) -> list[str]:
    """The order ids of a batch's messages, nearly always all of a first attempt."""
    if set(attempts) == {1}:
        return [f"{prefix}-{pk}" for pk in message_ids]
    return [order_id(prefix, pk, attempt) for pk, attempt in zip(message_ids, attempts, strict=True)]


def message_id_of(prefix: str, given: str) -> int | None:
    """The message that an orderId names; None for an orderId that is not ours."""
    named = read(prefix, given)
    return named[0] if named else None


def read(prefix: str, given: str) -> tuple[int, int] | None:
    """(message, which sending of it) that an orderId names; None for one that is not ours."""
    match = _form(prefix).fullmatch(given) if given else None
    return (int(match[1]), int(match[2] or 1)) if match else None


@functools.lru_cache(maxsize=10)
def _form(prefix: str) -> re.Pattern[str]:
    return re.compile(rf"{re.escape(prefix)}-([0-9]{{1,18}})(?:-([0-9]{{1,4}}))?")
