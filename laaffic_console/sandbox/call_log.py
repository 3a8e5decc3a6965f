"""Every call of this gateway, whatever asked for it, and the pushes about them."""

import itertools
import random
import time
from typing import Any

from laaffic_console.sandbox.calls import Call, as_push, as_ringing
from laaffic_console.sandbox.courier import Courier
from laaffic_console.sandbox.options import Faults, Options

RINGS_AFTER = 0.05  # seconds


class CallLog:
    def __init__(self, options: Options, faults: Faults, courier: Courier) -> None:
        self.options = options
        self.faults = faults
        self.courier = courier
        self.random = random.Random(options.seed)  # noqa: S311 - repeatable on purpose
        self.forget()

    def forget(self) -> None:
        self.calls: dict[str, Call] = {}
        self._numbers = itertools.count(2_000_000)

    def next_id(self, now: float) -> str:
        stamp = time.strftime("%y%m%d%H%M%S", time.gmtime(now + 8 * 3600))
        return f"1{stamp}{next(self._numbers)}"

    def add(self, call: Call) -> None:
        self.calls[call.voice_id] = call
        if self.options.ringing_callback and call.account and call.callee not in self.faults.leave_out:
            due = call.started_at + RINGS_AFTER - self.options.clock_offset
            self.courier.post_at(due, "ringing", self.options.ringing_callback, [as_ringing(call)])
        if not self.options.voice_callback or call.callee in self.faults.leave_out:
            return
        if self.options.push_loss and self.random.random() < self.options.push_loss:
            return
        due = call.ended_at - self.options.clock_offset + self.options.push_delay
        for copy in range(2 if self.random.random() < self.options.push_repeat else 1):
            late = self.random.uniform(0, 2.0) if self.options.push_shuffle else 0.0
            due += late + copy * self.random.random()
            self.courier.post_at(due, "calls", self.options.voice_callback, lambda: self._told(call))

    def _told(self, call: Call) -> Any:
        """The body of the push; None where the call was taken back before it was made."""
        if call.voice_id not in self.calls:
            return None
        body = as_push(call, self.options)
        if self.options.push_mode == "single":
            return body
        return [body] if self.options.push_mode == "array" else {"array": [body]}

    def drop(self, voice_ids: set[str]) -> None:
        """Drop calls that will not be made after all."""
        for voice_id in voice_ids:
            self.calls.pop(voice_id, None)

    def ended(self, now: float, *types: int) -> list[Call]:
        return [call for call in self.calls.values() if call.ended_at <= now and call.type in types]
