"""One id that Laaffic calls abnormal keeps the others from no answer: what is refused so is asked in halves."""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from laaffic_console.gateway.services.work.patience import Patience
from laaffic_console.laaffic import Refused

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")


def in_halves(
    ask: Callable[[Sequence[str]], Answer], ids: Sequence[str], abnormal: str, asking: Patience
) -> Iterator[Answer]:
    """What is answered for these; one that is refused with the code `abnormal` by itself is left out.

    NotAsked before a half for which no time is left.
    """
    try:
        answer = ask(ids)
    except Refused as refusal:
        if refusal.code != abnormal:
            raise
        if len(ids) == 1:
            logger.warning("%s for %s: %s", refusal.interface, ids[0], refusal)
            return
        middle = len(ids) // 2
        for half in (ids[:middle], ids[middle:]):
            asking.check(refusal.interface)
            yield from in_halves(ask, half, abnormal, asking)
    else:
        yield answer
