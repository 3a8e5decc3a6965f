"""The cache in Redis, which is empty while Redis is away: what it holds only makes things quicker.

Libraries that use it, such as allauth's limits, know no cache that fails; without this nobody could sign in with a
second factor while Redis restarts.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from django.core.cache.backends import redis

from laaffic_console.gateway.redis_outage import AWAY, options, outage

logger = logging.getLogger(__name__)


class RedisCache(redis.RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, {**params, "OPTIONS": {**options(), **params.get("OPTIONS", {})}})

    def add(self, *args: Any, **named: Any) -> bool:
        return bool(_asked(super().add, True, *args, **named))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return _asked(super().get, default, key, default, version=version)

    def set(self, *args: Any, **named: Any) -> None:
        _asked(super().set, None, *args, **named)

    def touch(self, *args: Any, **named: Any) -> bool:
        return bool(_asked(super().touch, False, *args, **named))

    def delete(self, *args: Any, **named: Any) -> bool:
        return bool(_asked(super().delete, False, *args, **named))

    def get_many(self, keys: Any, version: int | None = None) -> dict[Any, Any]:
        return dict(_asked(super().get_many, {}, keys, version=version))

    def has_key(self, *args: Any, **named: Any) -> bool:
        return bool(_asked(super().has_key, False, *args, **named))

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """ValueError where there is no such key."""
        found = _asked(super().incr, None, key, delta, version=version)
        if found is None:
            raise ValueError(f"Key {key!r} not found")
        return int(found)

    def set_many(self, data: Mapping[Any, Any], *args: Any, **named: Any) -> list[Any]:
        """The keys that were not kept."""
        return list(_asked(super().set_many, [*data], data, *args, **named))

    def delete_many(self, *args: Any, **named: Any) -> None:
        _asked(super().delete_many, None, *args, **named)

    def clear(self) -> None:
        _asked(super().clear, None)


def _asked(ask: Callable[..., Any], of_an_empty_cache: Any, *args: Any, **named: Any) -> Any:
    try:
        with outage.watch():
            return ask(*args, **named)
    except AWAY as problem:
        logger.info("the cache is away (%s)", type(problem).__name__)
        return of_an_empty_cache
