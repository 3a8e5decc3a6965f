"""The colours of states in lists: the same word has the same colour, whatever it is the state of.

Grey waits for a person or is of no interest any more, blue moves by itself, amber waits for somebody to look, green and
red are ends. What is drawn by style sheets alone has the same colours there (`.c-state`).
"""

from collections.abc import Iterable

# Unfold's label of each state.
COLOURS = {
    "draft": "default",
    "scheduled": "info",
    "sending": "info",
    "running": "info",
    "unknown": "warning",
    "paused": "warning",
    "held": "warning",
    "finished": "success",
    "failed": "danger",
    "cancelled": "default",
}


def of(states: Iterable[str], **own: str) -> dict[str, str]:
    """{state: colour} of all of these; `own` are those that no other list has. KeyError for one without a colour."""
    known = own | COLOURS
    return {str(state): known[state] for state in states}
