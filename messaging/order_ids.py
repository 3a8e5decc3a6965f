"""The orderId of a message: made from its own key, so that a pushed report leads straight back to its row."""

import re


def order_id(prefix: str, message_id: int, attempt: int = 1) -> str:
    """`lc-1042`, and `lc-1042-2` for a second sending that a person asked for."""
    return f"{prefix}-{message_id}" if attempt == 1 else f"{prefix}-{message_id}-{attempt}"


def message_id_of(prefix: str, given: str) -> int | None:
    """The message that an orderId names; None for an orderId that is not ours."""
    match = re.fullmatch(rf"{re.escape(prefix)}-([0-9]{{1,18}})(?:-[0-9]{{1,4}})?", given)
    return int(match.group(1)) if match else None
