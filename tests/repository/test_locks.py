"""Rows are locked as docs/mechanisms/locks.md says."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = ("laaffic_console", "messaging", "voice", "numbers/phone_numbers")
DOCUMENT = (ROOT / "docs/mechanisms/locks.md").read_text()
LOCKING = [
    path
    for app in APPS
    for path in sorted((ROOT / app).rglob("*.py"))
    if "select_for_update(" in path.read_text() or "pg_advisory" in path.read_text()
]

NAMED = {word for quoted in re.findall(r"`([^`]+)`", DOCUMENT) for word in re.split(r"[/.]", quoted)}


def calls_in(statement: ast.stmt) -> set[str]:
    """The methods that a statement calls, without those of the statements in it."""
    inner = [node for node in ast.iter_child_nodes(statement) if not isinstance(node, ast.stmt)]
    found = [node for part in inner for node in ast.walk(part)]
    return {node.attr for node in found if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize("path", LOCKING, ids=lambda path: str(path.relative_to(ROOT)))
class LockTests:
    def test_nothing_is_joined_to_a_locked_row(self, path: Path) -> None:
        statements = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.stmt)]

        both = {"select_for_update", "select_related"}
        assert not [node.lineno for node in statements if both <= calls_in(node)]

    def test_the_page_about_locks_names_it(self, path: Path) -> None:
        assert path.stem in NAMED
