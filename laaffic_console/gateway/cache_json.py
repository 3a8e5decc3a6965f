"""The cache in Redis holds JSON: Django's default unpickles it, so anyone who can write to Redis could run code."""

import dataclasses
import json
from typing import Any


class JsonSerializer:
    """For Django's RedisCache. What is not JSON reads as None, the cache's answer for what it does not have."""

    def dumps(self, value: Any) -> bytes | int:
        """An integer as it is, so that Redis can count it; of lazy texts and the like what they say."""
        return value if type(value) is int else json.dumps(value, default=_plain).encode()

    def loads(self, stored: bytes) -> Any:
        try:
            return json.loads(stored)
        except (ValueError, RecursionError):
            return None


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return str(value)
