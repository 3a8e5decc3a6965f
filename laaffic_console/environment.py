"""What the environment gives (conf.py puts `.env` into it), each setting read as what it is to be; "" is not given.

What makes no sense is refused in one sentence: the setting, what was given, and what may be. A secret is not quoted.

django-environ reads the file and the databases' addresses. Its casts are not used: they take `perhaps` for off, know no
bounds, end in a ValueError without the setting's name, and take a value that begins with `$` for another one's name.
"""

import io
import math
import os
import re
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ImproperlyConfigured

ON = ("on", "true", "yes", "y", "1", "ok")
MOST_PORT = 65535
OFF = ("off", "false", "no", "n", "0")
# The library takes quotes for a part of the value where anything, also a blank, is behind the closing one.
_LINE = re.compile(r"""(export )?[A-Za-z_0-9]+=([^'"].*|'(?!.*'\s).*'|"(?!.*"\s).*")?|\s*(#.*)?""")
_BLANKS_BEHIND_QUOTES = re.compile(r"""(=(['"]).*\2)\s+""")


def file_named(setting: str, usual: Path) -> Path:
    """The usual one need not be there; one that somebody has named and that is not would be passed over in silence."""
    given = text(setting)
    if given and not os.path.lexists(given):
        raise refused(setting, given, "a file that is there")
    return Path(given) if given else usual


def read_file(file: Path) -> None:
    """Put what `.env` says beside what the environment says, which counts for more.

    A file that cannot be read, or a line that is none, would leave a setting at its default without a word: both are
    refused. A line is named by its number, for it may hold a secret.
    """
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return
    except OSError as problem:
        raise ImproperlyConfigured(f"{file} cannot be read: {problem.strerror}.") from None
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"{file} is not UTF-8. Save it as UTF-8.") from None
    lines = [_without_blanks_behind_quotes(line) for line in text.splitlines()]
    for n, line in enumerate(lines, start=1):
        if not _LINE.fullmatch(line):
            raise ImproperlyConfigured(
                f"Line {n} of {file} cannot be read. Write NAME=value, without spaces before the name and around the "
                "=. A value in quotes ends with its closing quote, and nothing may follow it."
            )
    environ.Env.read_env(io.StringIO("\n".join(lines)))


def _without_blanks_behind_quotes(line: str) -> str:
    found = _BLANKS_BEHIND_QUOTES.search(line)
    return line[: found.end(1)] if found and found.end() == len(line) else line


def text(setting: str, usual: str = "") -> str:
    """The value without the blanks or the line break around it that a copy or a file of a secret brings along."""
    return exact(setting).strip() or usual


def exact(setting: str) -> str:
    """The value with all spaces around it."""
    return os.environ.get(setting, "")


def whole(setting: str, usual: int, *, least: int = 0, most: int) -> int:
    given = text(setting, str(usual))
    try:
        found = int(given)
    except ValueError:
        found = least - 1
    if not least <= found <= most:
        raise refused(setting, given, f"a whole number{_bounds(least, most)}")
    return found


def number(setting: str, usual: float, *, least: float = 0, most: float) -> float:
    given = text(setting, str(usual))
    try:
        found = float(given)
    except ValueError:
        found = math.nan  # within no bounds
    if not least <= found <= most:
        raise refused(setting, given, f"a number{_bounds(least, most)}")
    return found


def switch(setting: str) -> bool:
    """Whether the setting is on; off where it is not given."""
    given = text(setting, "off")
    word = given.lower()
    if word not in (*ON, *OFF):
        raise refused(setting, given, "on or off")
    return word in ON


def one_of(setting: str, choices: tuple[str, ...]) -> str:
    """The first where it is not given."""
    given = text(setting, choices[0])
    if given not in choices:
        raise refused(setting, given, f"one of {', '.join(choices)}")
    return given


def listed(setting: str, *usual: str) -> list[str]:
    """The parts of a value with commas between them; `usual` where there are none."""
    return [part.strip() for part in text(setting).split(",") if part.strip()] or list(usual)


def address(
    setting: str, usual: str = "", *, is_secret: bool = False, example: str = "https://console.example.com"
) -> str:
    """An address that can be taken apart; whether it is of the right kind, the system checks say."""
    given = text(setting, usual)
    if not _is_readable(given):
        raise refused(setting, "" if is_secret else given, f"an address such as {example}")
    return given


def listening(setting: str, usual: str) -> str:
    """Where a server listens, as gunicorn writes it; whether this machine has the address, gunicorn finds out."""
    given = text(setting, usual)
    host, joint, port = given.rpartition(":")
    is_port = joint and "/" not in host and port.isascii() and port.isdigit() and int(port[:6]) <= MOST_PORT
    if not (is_port or re.fullmatch(r"unix:.+|fd://\d+", given)):
        raise refused(setting, given, "host:port or unix:/path, such as 127.0.0.1:8000")
    return given


def laaffic_timeouts() -> tuple[float, float]:
    """Seconds to connect to Laaffic, and until it answers."""
    return number("LAAFFIC_CONNECT_TIMEOUT", 10.0, most=600), number("LAAFFIC_READ_TIMEOUT", 30.0, most=600)


def patience_of_a_request() -> int:
    """Seconds that a process is given to end: one request to Laaffic, and a moment to keep its answer.

    At most 95, by the check laaffic.E108: what stops it (systemd, compose) must wait longer.
    """
    return math.ceil(sum(laaffic_timeouts())) + 5


def web_server() -> tuple[str, int, int]:
    """Where the web server listens, its number of processes, and the threads of each."""
    return (
        listening("CONSOLE_BIND", "127.0.0.1:8000"),
        whole("WEB_CONCURRENCY", 2, least=1, most=1000),
        whole("CONSOLE_THREADS", 16, least=1, most=1000),
    )


def origins(setting: str) -> list[str]:
    given = listed(setting)
    for origin in given:
        if not _is_readable(origin) or "://" not in origin:
            raise refused(setting, origin, "addresses, comma between: https://console.example.com")
    return given


def pairs(setting: str, example: str, *, may_be_empty: bool = False) -> dict[str, str]:
    """{left: right} of `left=right` with commas between; `may_be_empty`: the right side."""
    found = [part.rpartition("=") for part in listed(setting)]
    if not all(left.strip() and (right.strip() or may_be_empty) for left, _joint, right in found):
        raise ImproperlyConfigured(f"{setting} is “{text(setting)}”, not written as in this example: {example}.")
    return {left.strip(): right.strip() for left, _joint, right in found}


def time_zone(setting: str, usual: str) -> str:
    given = text(setting, usual)
    try:
        ZoneInfo(given)
    except (KeyError, ValueError, OSError):
        raise refused(setting, given, "a time zone such as Europe/Berlin") from None
    return given


def refused(setting: str, given: str, what: str) -> ImproperlyConfigured:
    """The error for a value; `given`: "" for a secret."""
    return ImproperlyConfigured(f"{setting} is {f'“{given}”' if given else 'not what it should be'}. Give {what}.")


def _bounds(least: float, most: float) -> str:
    return f" from {least:.10g} to {most:.10g}"


def _is_readable(given: str) -> bool:
    try:
        return urlsplit(given).port != 0
    except ValueError:
        return False
