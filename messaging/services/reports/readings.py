"""Reading a list window by window: a window that cannot be read does not stop the others, and a gateway that is away is
not asked for each of them.

A gateway that has not listed all of a window within its time, or whose proxy gave up, may list half of it.
"""

import datetime as dt
from collections.abc import Callable, Iterable

from laaffic_console.gateway.services.work import patience
from laaffic_console.gateway.services.work.patience import ENDLESS, NotAsked, Patience
from laaffic_console.laaffic import IncompleteList, LaafficError, NotSent, OutcomeUnknown, Refused, Remedy
from messaging.services.reports.record_matching import Window

HALVINGS = 4  # one within the other
SHORTEST_READING = dt.timedelta(minutes=1)  # what is no longer is not halved
SILENT_IN_A_ROW = 2  # windows without any answer: nobody is there, though the connection stands
OF_EVERYTHING = frozenset({Remedy.RETRY, Remedy.RESIGN, Remedy.HOLD_ACCOUNT, Remedy.FIX_ADDRESS})


class Trouble:
    """What went wrong so far in the readings of one list. The caller raises `first` when what was read is applied."""

    def __init__(self, interface: str, patience: Patience = ENDLESS) -> None:
        self.interface = interface
        self.patience = patience
        self.first: LaafficError | None = None
        self.is_away = False  # nothing more is to be asked for now
        self._answers = 0
        self._silent = 0  # windows without any answer, in a row
        self._may_be_slow = True  # rather than away: it has answered since a part went without

    def read(self, windows: Iterable[Window], read: Callable[[Window], object]) -> list[Window]:
        """Read each; the parts of them that were not read whole, in order."""
        unread = []
        for window in windows:
            answers = self._answers
            unread += self._read(window, read, HALVINGS)
            self._silent = self._silent + 1 if self._answers == answers else 0
            self.is_away = self.is_away or self._silent >= SILENT_IN_A_ROW
        return unread

    def may_ask(self) -> bool:
        """Whether to go on asking. Windows that are not asked for count as unread, like those without an answer."""
        if not self.is_away and self.patience.is_over():
            self.is_away = True
            self.first = self.first or patience.too_long(self.interface)
        return not self.is_away

    def check(self) -> None:
        """Before each request: IncompleteList where it is not to leave any more."""
        self.patience.check(self.interface)

    def tell(self) -> None:
        """LaafficError where anything went wrong."""
        if self.first is not None:
            raise self.first

    def _read(self, window: Window, read: Callable[[Window], object], halvings: int) -> list[Window]:
        """The windows that stay unread. One without an answer is halved; after a part without an answer the next are
        asked for whole until one has an answer: a gateway that never answers is asked nine times for a day.
        """
        if not self.may_ask():
            return [window]
        try:
            read(window)
        except LaafficError as problem:
            is_silent = isinstance(problem, OutcomeUnknown) and not isinstance(problem, IncompleteList)
            start, end = window
            if is_silent and self._may_be_slow and halvings and end - start > SHORTEST_READING:
                middle = start + (end - start) / 2
                before = self._read((start, middle), read, halvings - 1)
                return before + self._read((middle, end), read, halvings - 1)
            self._note(problem, is_silent=is_silent)
            return [window]
        self._heard()
        return []

    def _note(self, problem: LaafficError, *, is_silent: bool) -> None:
        self.first = self.first or problem
        if is_silent:
            self._may_be_slow = False
        else:
            self._heard()
        is_refused = isinstance(problem, Refused) and problem.calls_for in OF_EVERYTHING
        self.is_away = isinstance(problem, NotSent | NotAsked) or is_refused

    def _heard(self) -> None:
        self._answers += 1
        self._may_be_slow = True
