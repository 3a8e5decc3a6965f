"""Uploads of audio files and attachments in a rehearsal."""

import base64
import hashlib
import io
import wave
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from laaffic_console.rehearsal.acts.act_verdict import Taken
from laaffic_console.rehearsal.acts.acts import Acts, Ledger
from laaffic_console.rehearsal.carriers import picture
from laaffic_console.rehearsal.installations.installation import Installation
from laaffic_console.sandbox.act_log import shortened


class Uploads(Acts):
    """`voice upload` and `mms upload` in turns.

    An audio file's name is unique at the gateway, so that its list settles lost answers; of attachments there is no
    list, and another try leaves at worst an unused copy.
    """

    paths = ("/voice/fileUpload", "/mmsUpload")
    finding_out = ()

    def __init__(self, count: int, folder: Path) -> None:
        super().__init__(count, folder)
        self.names: dict[str, str] = {}  # names of attachments, by what the gateway's log says of their content
        for number in range(1, count, 2):
            content = picture(number)
            self._file(number).write_bytes(content)
            self.names[shortened(base64.b64encode(content).decode())] = self.key(0, number)
        for number in range(0, count, 2):
            self._file(number).write_bytes(tone(number))

    def _file(self, number: int) -> Path:
        return self.folder / self.key(0, number)

    def key(self, phase: int, number: int) -> str:
        return f"rehearsal-{number:04d}.{'png' if number % 2 else 'wav'}"

    def command(self, phase: int, number: int, ledger: Ledger) -> Sequence[str]:
        return ("mms" if number % 2 else "voice", "upload", str(self._file(number)))

    def again(self, phase: int, number: int, ledger: Ledger) -> Sequence[str]:
        """Until the library has an id: a repetition is what the console itself advises."""
        return [] if self.key(phase, number) in ledger.standing else self.command(phase, number, ledger)

    def is_settled(self, ledger: Ledger) -> bool:
        """Always: what is unknown is uploaded again."""
        return True

    def is_knowable(self, key: str) -> bool:
        return key.endswith(".wav")

    def is_repeated(self, key: str) -> bool:
        """An attachment is: another try leaves at worst an unused copy."""
        return key.endswith(".png")

    def read_acts(self, acts: Iterable[Mapping[str, Any]]) -> Iterable[Taken]:
        for act in acts:
            given = act["given"]
            key = given["fileName"] if "fileName" in given else self.names[given["fileData"]]
            yield Taken(key, act["answer"]["data"])

    def differences(self, console: Installation, ledger: Ledger, taken: Sequence[Taken]) -> list[str]:
        """Each file has an id, and it is one that the gateway gave for this very file."""
        theirs: dict[str, set[str]] = {}
        for act in taken:
            theirs.setdefault(act.key, set()).add(act.gateway_id)
        names = [self.key(0, number) for number in range(self.count)]
        return [
            f"{name}: id {ledger.standing.get(name)} here, {sorted(theirs.get(name, ()))} at the gateway"
            for name in names
            if ledger.standing.get(name) not in theirs.get(name, ())
        ]


def tone(number: int) -> bytes:
    """A tenth of a second of sound; each number is another file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(hashlib.sha256(str(number).encode()).digest() * 50)
    return out.getvalue()
