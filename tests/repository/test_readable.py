"""Templates, styles and scripts can be read by whoever comes next; ruff sees to the Python."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ["laaffic_console", "messaging", "voice", "numbers"]
LONGEST = 120
MADE_BY_A_SCRIPT = {"segment_tables.js"}
INLINE_STYLE = re.compile(r"""\sstyle\s*=\s*["']|<style\b""")


def files(*suffixes: str) -> list[Path]:
    return sorted(
        path
        for folder in FOLDERS
        for suffix in suffixes
        for path in (ROOT / folder).rglob(f"*{suffix}")
        if path.name not in MADE_BY_A_SCRIPT and "migrations" not in path.parts
    )


@pytest.mark.parametrize("suffix", [".html", ".css", ".js"])
def test_no_line_is_longer_than_a_screen(suffix: str) -> None:
    found = files(suffix)
    lines = [(path, n, line) for path in found for n, line in enumerate(path.read_text().splitlines(), 1)]

    assert found
    assert [f"{path.relative_to(ROOT)}:{n}" for path, n, line in lines if len(line) > LONGEST] == []


def test_how_a_page_looks_is_said_in_its_style_sheets_only() -> None:
    """djLint reads the templates; HTML that Python and scripts put together is nobody's but this test's."""
    written = [path for path in files(".html", ".py", ".js") if INLINE_STYLE.search(path.read_text())]

    assert [str(path.relative_to(ROOT)) for path in written] == []
