"""The headers of a list are drawn once. unfold redraws them for each row, to name the row's cells on a phone, and
the box in them by a template: that was a sixth to a quarter of a page of fifty rows.
"""

from collections.abc import Callable, Iterable
from typing import Any

from unfold.templatetags import unfold_list

Headers = list[dict[str, Any]]

_KEPT_AS = "_drawn_headers"


def draw_once() -> None:
    """unfold offers no hook for it: the function that its rows call is wrapped."""
    if not hasattr(unfold_list.result_headers, "__wrapped__"):
        unfold_list.result_headers = _once(unfold_list.result_headers)


def _once(draw: Callable[[Any], Iterable[dict[str, Any]]]) -> Callable[[Any], Headers]:
    def result_headers(changelist: Any) -> Headers:
        kept: Headers | None = changelist.__dict__.get(_KEPT_AS)
        if kept is None:
            kept = changelist.__dict__[_KEPT_AS] = list(draw(changelist))
        return kept

    result_headers.__wrapped__ = draw  # type: ignore[attr-defined]
    return result_headers
