"""A log of every single act that was accepted, in order: what was asked for, and what was answered.

Messages to phones have their own log, which holds hundreds of thousands. Long values, such as files, appear here as
their fingerprint.
"""

import hashlib
from typing import Any

LONG = 400
ELSEWHERE = ("/sendSms", "/mmsSend")


class ActLog:
    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.acts: list[dict[str, Any]] = []

    def note(self, path: str, given: dict[str, Any], answer: dict[str, Any]) -> None:
        if not path.startswith(ELSEWHERE):
            told = {name: shortened(value) for name, value in given.items()}
            self.acts.append({"path": path, "given": told, "answer": dict(answer)})


def shortened(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONG:
        return f"sha256:{hashlib.sha256(value.encode()).hexdigest()}"
    return value
