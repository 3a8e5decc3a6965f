"""Hearing of a row in the transaction that makes it: what is noted of it is kept with it, or neither is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Generic, TypeVar

Made = TypeVar("Made")


class Noting(Generic[Made]):
    """`with noting(note): …` around what is to be heard of, `noting.tell(row)` where it is made."""

    def __init__(self, name: str) -> None:
        self._note: ContextVar[Callable[[Made], None] | None] = ContextVar(name, default=None)

    @contextmanager
    def __call__(self, note: Callable[[Made], None]) -> Iterator[None]:
        token = self._note.set(note)
        try:
            yield
        finally:
            self._note.reset(token)

    def tell(self, made: Made) -> None:
        if (note := self._note.get()) is not None:
            note(made)
