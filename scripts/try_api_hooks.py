"""Loaded by schemathesis for scripts/try_api.py: valid requests get existing things, and each answer is noted."""

import importlib
import json
import os
import struct
import urllib.error
import urllib.request
import zlib
from pathlib import Path
from typing import Any

OF_FOUR = 3


def picture() -> bytes:
    """A PNG of one white pixel."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head, row = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0), zlib.compress(b"\0\xff")
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", row) + part(b"IEND", b"")


def sound() -> bytes:
    """A WAV of one silent second."""
    data = b"\0\0" * 8000
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
    return b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVE" + form + b"data" + struct.pack("<I", len(data)) + data


EITHER = (("text", "template"), ("text", "values"), ("text", "audio"), ("id", "query"), ("to", "groups"))
ALWAYS: dict[str, dict[str, Any]] = {
    "/api/v1/group-calls": {"text": "", "to": []},
    "/api/v1/messages": {"text": ""},
}  # one of the fields that exclude each other
DIGESTED = ("pools", "owned-numbers")  # they need what was seen, as each PATCH does; a launch needs ticks
FILES = {
    "attachments": ("picture.png", picture(), "image/png"),
    "audio-files": ("silence.wav", sound(), "audio/wav"),
    "imports": ("people.csv", b"number,name\n+4915112345678,Anna\nnothing,Bert\n", "text/csv"),
}


def uploaded(url: str, token: str, file: tuple[str, bytes, str]) -> Any:
    """The answer to a file that is posted as multipart/form-data."""
    name, data, kind = file
    head = f'--part\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'
    body = head.encode() + data + b"\r\n--part--\r\n"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "multipart/form-data; boundary=part"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
        return json.load(answer)


def hooked() -> None:
    schemathesis: Any = importlib.import_module("schemathesis")
    folder = Path(os.environ["TRY_API_FOLDER"])
    known = json.loads((folder / "known.json").read_text())
    log = (folder / "calls.jsonl").open("a", buffering=1)

    @schemathesis.hook
    def before_call(_context: Any, case: Any, kwargs: dict[str, Any]) -> None:
        if is_known(case):
            with_known_things(case, kwargs, known)

    @schemathesis.hook
    def after_call(_context: Any, case: Any, response: Any) -> None:
        said = response.text[:600] if response.status_code >= 400 else ""
        one = {"operation": f"{case.method} {case.path}", "status": response.status_code, "said": said}
        log.write(json.dumps({**one, "is_known": is_known(case)}) + "\n")


def is_known(case: Any) -> bool:
    """Whether the request gets known things: three of four valid ones do, the others stay as they were made up."""
    if case.id not in decided:
        meta = getattr(case, "meta", None)
        decided[case.id] = (meta is None or meta.generation.mode.is_positive) and choice(case) % 4 < OF_FOUR
    return decided[case.id]


decided: dict[str, bool] = {}  # before the request was changed


def choice(case: Any) -> int:
    """A number that is the same for the same request."""
    return zlib.crc32(repr((case.path, case.path_parameters, case.query, case.body)).encode())


def with_known_things(case: Any, kwargs: dict[str, Any], known: dict[str, Any]) -> None:
    name, picked = case.path.split("/")[3], choice(case)
    ids = known["ids"].get(case.path.removeprefix("/api/v1/")) or known["ids"].get(name)
    if "{id}" in case.path and ids:
        case.path_parameters = {"id": ids[picked // 4 % len(ids)]}
    said = {**known["values"][""], **known["values"].get(name, {})}
    if case.query:
        case.query = replaced(dict(case.query), said, picked)
    if name in FILES and case.method == "POST" and "{id}" not in case.path:
        kwargs["files"] = {"file": FILES[name]}
    elif isinstance(case.body, dict):
        case.body = replaced({**ALWAYS.get(case.path, {}), **case.body}, said, picked)
        for one, other in EITHER:
            if one in case.body and other in case.body:
                del case.body[other]
        says_what_it_saw = name in DIGESTED or case.method == "PATCH"
        if "seen" in case.body and says_what_it_saw and "{id}" in case.path and ids:
            case.body["seen"] = seen_now(f"{known['url']}/{name}/{case.path_parameters['id']}", known["token"])


def replaced(fields: dict[str, Any], said: dict[str, Any], picked: int) -> dict[str, Any]:
    """The fields with known values in place of made-up ones; None leaves a field out."""
    found = {
        name: said[name][picked // 4 % len(said[name])] if said.get(name) else value for name, value in fields.items()
    }
    return {name: value for name, value in found.items() if value is not None or name not in said}


def seen_now(url: str, token: str) -> str:
    """`seen` as GET shows it; "" if another request has deleted the thing."""
    asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(asked) as answer:
            return str(json.load(answer)["seen"])
    except urllib.error.HTTPError:
        return ""


if "TRY_API_FOLDER" in os.environ:
    hooked()
