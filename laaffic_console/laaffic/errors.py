"""What can come of a call: three branches and no more.

LaafficError             message, interface, code; prints its evidence, never a secret
├─ NotSent               the request never reached the gateway: safe to send again
├─ Refused               the gateway said no: code, reason, and what it calls for
└─ OutcomeUnknown        it may have been accepted: timeout, reset, 5xx, not JSON, half an answer, −12 and −18 on a send

InvalidRequest stands apart: a limit was broken before any call was made.
"""

from laaffic_console.laaffic.codes import CodeEntry, Remedy


class LaafficError(Exception):
    def __init__(self, message: str, *, interface: str, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.interface = interface
        self.code = code

    def __str__(self) -> str:
        return self._what()

    def _what(self) -> str:
        return f"{self.interface}: {self.message}" if self.interface else self.message


class NotSent(LaafficError):
    """Refused connection, DNS or TLS failure: nothing was written to the gateway."""


class Refused(LaafficError):
    """The gateway answered with a code other than 0, or a proxy turned the request away: nothing was accepted."""

    def __init__(
        self, *, interface: str, entry: CodeEntry, reason: str, http_status: int, retry_after: float = 0.0
    ) -> None:
        super().__init__(reason or entry.meaning, interface=interface, code=entry.code)
        self.retry_after = retry_after  # seconds that it asked us to wait; 0 where it did not
        self.entry = entry
        self.reason = reason
        self.http_status = http_status
        self.file_ids: tuple[str, ...] = ()  # files at Laaffic that the request named, where it did

    @property
    def calls_for(self) -> Remedy:
        return self.entry.remedy

    @property
    def says_duplicate(self) -> bool:
        """The gateway has the same already. Where an earlier answer was lost, that request arrived."""
        return self.entry.says_duplicate

    @property
    def is_foreign(self) -> bool:
        """Whether not Laaffic said it, but something on the way."""
        return self.entry.is_foreign

    @property
    def meaning(self) -> str:
        return self.entry.meaning

    @property
    def advice(self) -> str:
        return self.entry.advice

    def __str__(self) -> str:
        return f"{self.interface}: refused with {self.code} ({self.meaning}); it said: {self.reason or 'nothing'}"


class OutcomeUnknown(LaafficError):
    """The request may have been accepted. A read may be asked again; a send never is by itself (laws#unknown-stays)."""

    def __init__(
        self, message: str, *, interface: str, code: str = "", http_status: int | None = None, excerpt: str = ""
    ) -> None:
        super().__init__(message, interface=interface, code=code)
        self.http_status = http_status
        self.excerpt = excerpt[:200]

    def __str__(self) -> str:
        seen = [f"HTTP {self.http_status}"] if self.http_status else []
        seen += [f"it began: {self.excerpt!r}"] if self.excerpt else []
        return self._what() + (f" ({'; '.join(seen)})" if seen else "")


class InvalidRequest(ValueError):
    """A limit of the interface was broken; nothing was sent."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message
