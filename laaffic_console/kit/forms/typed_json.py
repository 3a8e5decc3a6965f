"""JSON that a person has typed."""

import json
from typing import Any


def read(text: str) -> Any:
    """ValueError for what is not JSON, nested deeper than Python follows, or has half a character: that can be written
    as `\\ud800` and neither be sent nor kept."""
    try:
        found = json.loads(text)
        json.dumps(found, ensure_ascii=False).encode()
    except RecursionError as problem:
        raise ValueError("nested too deep") from problem
    return found
