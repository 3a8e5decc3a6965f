"""Asking in parts, so that one id that Laaffic calls abnormal does not cost the other ids their answers.

If very many ids are abnormal, each of them costs a request. So one application may have only so many refusals in a
minute; the rest is asked for later, behind those that were asked for.
"""

import logging
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from laaffic_console.gateway.services.work.patience import NotAsked, Patience
from laaffic_console.laaffic import Refused

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

REFUSED_A_MINUTE = 60  # of one application, before what is refused is no longer asked in parts
ENOUGH_A_MINUTE = 2 * REFUSED_A_MINUTE  # before it isn't asked anything more by id


@dataclass(frozen=True, slots=True)
class Question(Generic[Answer]):
    """An interface that is asked by ids of an application, and its code for an abnormal one."""

    interface: str
    ask: Callable[[str, Sequence[str]], Answer]
    abnormal: str


class TooManyAbnormal(NotAsked):
    """The rest of these ids was not asked for, as very many are abnormal; `asked`: how many were, from the first."""

    def __init__(self, interface: str, asked: int) -> None:
        super().__init__("the rest is asked for later: Laaffic calls too many of the ids abnormal", interface=interface)
        self.asked = asked


class _RefusedLately:
    """How often each application's questions were refused in the last minute, as far as this process asked them: the
    job that asks has a lease, so another process asks only when it is over."""

    def __init__(self) -> None:
        self.moments: dict[str, deque[float]] = defaultdict(deque)

    def add(self, app_id: str) -> None:
        self.moments[app_id].append(time.monotonic())

    def count(self, app_id: str) -> int:
        moments, minute_ago = self.moments[app_id], time.monotonic() - 60
        while moments and moments[0] <= minute_ago:
            moments.popleft()
        return len(moments)

    def clear(self) -> None:
        self.moments.clear()


refused_lately = _RefusedLately()


def in_parts(question: Question[Answer], app_id: str, ids: Sequence[str], asking: Patience) -> Iterator[Answer]:
    """The answers for these ids, in their order; an id that is called abnormal when asked for alone is left out.

    A part that is refused is asked again by half, one that is answered is followed by one of twice its size: so one
    abnormal id among 200 costs 16 requests, and among nothing but abnormal ones each costs one. NotAsked before a part
    for which no time is left, TooManyAbnormal before one that would make too many.
    """
    begin, size, limit = 0, len(ids), ENOUGH_A_MINUTE
    while begin < len(ids):
        if refused_lately.count(app_id) >= limit:
            raise TooManyAbnormal(question.interface, begin)
        if begin or size < len(ids):
            asking.check(question.interface)
        part = ids[begin : begin + size]
        try:
            answer = question.ask(app_id, part)
        except Refused as refusal:
            if refusal.code != question.abnormal:
                raise
            refused_lately.add(app_id)
            limit = REFUSED_A_MINUTE
            if len(part) == 1:
                logger.warning("%s for %s: %s", refusal.interface, part[0], refusal)
                begin += 1
            size = max(1, len(part) // 2)
        else:
            yield answer
            begin, size = begin + len(part), 2 * size
