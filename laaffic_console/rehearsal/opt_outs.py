"""A share of a rehearsal's recipients says STOP in the middle of it, by pushes that are repeated until taken."""

import datetime as dt
import json
import random
import time
import urllib.request
from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

AT_SHARE = 0.1  # the share of recipients accepted by then: the inbox may be read late while processes die
A_PUSH = 2000
PATIENCE = 120.0
ZONE = ZoneInfo("Asia/Shanghai")  # the zone of the gateway's times that name none


def chosen(seed: int, numbers: Sequence[str], share: float) -> list[str]:
    return random.Random(f"opt-outs {seed}").sample(numbers, round(share * len(numbers)))  # noqa: S311 - repeatable


def push(address: str, numbers: Sequence[str], look_after: Callable[[], object]) -> None:
    """Push opt-outs to the console's inbox until it takes them; the web process may be dying just now."""
    at = f"{dt.datetime.now(ZONE):%Y-%m-%d %H:%M:%S}"
    for start in range(0, len(numbers), A_PUSH):
        some = numbers[start : start + A_PUSH]
        said = [{"msgid": f"r{n}", "mobile": n, "content": "STOP", "sendid": "DRILL", "reply_time": at} for n in some]
        _until_taken(address, json.dumps(said).encode(), look_after)


def _until_taken(address: str, body: bytes, look_after: Callable[[], object]) -> None:
    give_up_at = time.monotonic() + PATIENCE
    request = urllib.request.Request(  # noqa: S310 - our own
        address, data=body, headers={"Content-Type": "application/json"}
    )
    while True:
        look_after()
        try:
            urllib.request.urlopen(request, timeout=30).close()  # noqa: S310
        except OSError:
            if time.monotonic() > give_up_at:
                raise TimeoutError(f"no push of opt-outs was taken for {PATIENCE:.0f} s") from None
            time.sleep(0.5)
        else:
            return
