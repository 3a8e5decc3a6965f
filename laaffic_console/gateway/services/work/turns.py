"""A job's turn at a process of the worker: some twenty seconds, and much less while another job waits for one.

A campaign with a rate is sent for hours; a person who resumes another one waits for no more than a moment of that.
A job that ends its turn early rings for the rest, behind those that have waited.
"""

import time

from laaffic_console.gateway.queue import taken_tasks

SECONDS = 20.0
LEAST = 0.4  # so that the work of a turn outweighs its beginning and its end
OUTWEIGHS = 4  # times what it took to begin


class Turn:
    def __init__(self, seconds: float | None = None, *, least: float = 0.0) -> None:
        """`least`: seconds that it may work although another job waits, where they are more than LEAST."""
        self.began = time.monotonic()
        self.ends = self.began + (SECONDS if seconds is None else seconds)
        self.least = max(LEAST, least)
        self._has_begun = False

    def has_begun(self) -> None:
        """For a job that has to find a place first, far into a file or behind a lock: a turn that ended there would be
        spent on looking, so its seconds count from here. Said again, in a loop, it changes nothing.
        """
        if self._has_begun:
            return
        self._has_begun = True
        found_in = time.monotonic() - self.began
        self.ends += found_in
        self.least = max(self.least, OUTWEIGHS * found_in)

    def is_over(self) -> bool:
        """Whether the turn is over; called often, so it asks no database."""
        now = time.monotonic()
        return now >= self.ends or (now >= self.began + self.least and taken_tasks.is_task_waiting())
