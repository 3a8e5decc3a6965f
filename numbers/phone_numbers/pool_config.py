"""The settings of a pool, and how two settings differ. In lists neither order nor repetition matters."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

MAX_POOL_NUMBER = 20  # characters (laaffic-api#editnumberpool)
MAX_CONCURRENCY = 9999


@dataclass(frozen=True, slots=True)
class PoolConfig:
    pool_number: str
    addresses: tuple[str, ...]
    max_concurrency: int
    numbers: tuple[str, ...]

    @classmethod
    def of(cls, pool_number: str, addresses: str, max_concurrency: int, numbers: Iterable[str]) -> "PoolConfig":
        """The configuration from the form of Laaffic's answers, where commas separate the addresses."""
        parts = (part.strip() for part in addresses.split(","))
        return cls(
            pool_number,
            tuple(dict.fromkeys(part for part in parts if part)),
            max_concurrency,
            tuple(dict.fromkeys(numbers)),
        )

    @property
    def whitelist(self) -> str:
        return ",".join(self.addresses)

    @property
    def fingerprint(self) -> str:
        """A digest that is equal for settings that do not differ, in whatever order."""
        parts = (self.pool_number, ",".join(sorted(self.addresses)), str(self.max_concurrency), *sorted(self.numbers))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]

    def same_as(self, other: "PoolConfig | None") -> bool:
        return other is not None and not difference(other, self)


@dataclass(frozen=True, slots=True)
class PoolDifference:
    """What differs between two settings; false if nothing does."""

    renamed: tuple[str, str] | None
    concurrency: tuple[int | None, int] | None
    added_addresses: tuple[str, ...]
    removed_addresses: tuple[str, ...]
    added_numbers: tuple[str, ...]
    removed_numbers: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(
            self.renamed
            or self.concurrency
            or self.added_addresses
            or self.removed_addresses
            or self.added_numbers
            or self.removed_numbers
        )

    def told(self) -> dict[str, list[Any]]:
        """The parts that differ, by name."""
        parts = {name: getattr(self, name) for name in self.__slots__}
        return {name: list(part) for name, part in parts.items() if part}


def difference(before: PoolConfig | None, after: PoolConfig) -> PoolDifference:
    """What a change would do; without `before`, everything is added."""
    return PoolDifference(
        renamed=(before.pool_number, after.pool_number) if before and before.pool_number != after.pool_number else None,
        concurrency=(before.max_concurrency if before else None, after.max_concurrency)
        if before is None or before.max_concurrency != after.max_concurrency
        else None,
        added_addresses=_missing(after.addresses, before.addresses if before else ()),
        removed_addresses=_missing(before.addresses if before else (), after.addresses),
        added_numbers=_missing(after.numbers, before.numbers if before else ()),
        removed_numbers=_missing(before.numbers if before else (), after.numbers),
    )


def _missing(wanted: tuple[str, ...], there: tuple[str, ...]) -> tuple[str, ...]:
    known = set(there)
    return tuple(value for value in wanted if value not in known)
