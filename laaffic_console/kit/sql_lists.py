"""A list of any length as one parameter of a statement: thousands of marks take long to parse, and are too many."""

import json
from collections.abc import Iterable
from typing import Any

from django.db import connection


def among(values: Iterable[int | str]) -> tuple[str, Any]:
    """What stands after a column in hand-written SQL, and its parameter: `f"number {is_one} AND …"`."""
    listed = list(values)
    if connection.vendor == "postgresql":
        return "= ANY(%s)", listed
    return "IN (SELECT value FROM json_each(%s))", json.dumps(listed)
