"""A list that is read window by window: one that cannot be read costs the others nothing, and a gateway that is away is
not asked for each of them.
"""

from collections.abc import Callable, Iterable

from laaffic_console.laaffic import IncompleteList, LaafficError, NotSent, OutcomeUnknown, Refused, Remedy
from messaging.services.reports.record_matching import Window

SILENT_IN_A_ROW = 2  # windows without any answer: nobody is there, though the connection stands
OF_EVERYTHING = frozenset({Remedy.RETRY, Remedy.RESIGN, Remedy.HOLD_ACCOUNT, Remedy.FIX_ADDRESS})


class Trouble:
    """What went wrong so far in the readings of one list. The caller raises `first` when what was read is applied."""

    def __init__(self) -> None:
        self.first: LaafficError | None = None
        self.is_away = False  # nothing more is to be asked for now
        self._silent = 0

    def read(self, windows: Iterable[Window], read: Callable[[Window], object]) -> list[Window]:
        """Read each; those that were not read whole."""
        unread = []
        for window in windows:
            if self.is_away:
                unread.append(window)
                continue
            try:
                read(window)
            except LaafficError as problem:
                self._note(problem)
                unread.append(window)
            else:
                self._silent = 0
        return unread

    def tell(self) -> None:
        """LaafficError where anything went wrong."""
        if self.first is not None:
            raise self.first

    def _note(self, problem: LaafficError) -> None:
        self.first = self.first or problem
        is_silent = isinstance(problem, OutcomeUnknown) and not isinstance(problem, IncompleteList)
        self._silent = self._silent + 1 if is_silent else 0
        is_refused = isinstance(problem, Refused) and problem.calls_for in OF_EVERYTHING
        self.is_away = isinstance(problem, NotSent) or is_refused or self._silent >= SILENT_IN_A_ROW
