"""What a command prints of its document without --json: lines to read, a name and what it says."""

from collections.abc import Iterator, Mapping
from typing import Any

NONE = "none"


def lines(document: Mapping[str, Any]) -> Iterator[str]:
    for name, value in document.items():
        if isinstance(value, list) and value:
            yield f"{name}: {len(value)}"
            yield from (f"  {line(one)}" for one in value)
        else:
            yield f"{name}: {line(value)}"


def line(value: Any) -> str:
    """The value in one line; of several figures, those that are 0, empty or not known are left out."""
    if isinstance(value, Mapping):
        said = [(name, line(one)) for name, one in value.items() if _says_something(one)]
        between = "; " if any(isinstance(one, Mapping | list) for one in value.values()) else ", "
        return between.join(f"{name} {text}" for name, text in said) or NONE
    if isinstance(value, list):
        return ", ".join(line(one) for one in value) or NONE
    return _word(value)


def _says_something(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_says_something(one) for one in value.values())
    return isinstance(value, bool) or bool(value)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value is None else f"{value}"
