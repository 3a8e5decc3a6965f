"""What is said and run while a demo is made: sentences with the seconds since its start, and `manage.py`."""

import subprocess
import sys
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
# Where var/ lies, by the rule of conf.py, which this process must not read: it would take up `.env`.
ROOT = CHECKOUT if (CHECKOUT / "manage.py").is_file() else Path.cwd()
CONSOLE = [sys.executable, "-m", "laaffic_console"]
BEGAN = time.monotonic()


class DemoFailed(Exception):
    """A sentence for anyone who started it."""


def manage(*arguments: str) -> str:
    done = subprocess.run([*CONSOLE, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        # A command that was killed, as when memory is short, has said nothing.
        why = done.stderr.strip()[-500:] or f"it said nothing and ended with code {done.returncode}"
        raise DemoFailed(f"{' '.join(arguments[:2])} failed: {why}")
    return done.stdout


def say(text: str) -> None:
    """Print with the seconds since the start, so that a slow machine can be told from one that hangs."""
    print(f"{time.monotonic() - BEGAN:4.0f} s  {text}", flush=True)
