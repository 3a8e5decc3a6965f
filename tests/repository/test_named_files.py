"""A file that a comment or a document of ours names is there: readers follow it."""

import ast
import io
import re
import subprocess
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"(?<![\w/.{*])((?:[\w-]+/)*\w+\.py)\b")
FILES = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
SOURCES = [ROOT / file for file in FILES if file.endswith(".py") and (ROOT / file).exists()]
THERE = ["/" + str(path.relative_to(ROOT)) for path in SOURCES]


def told(path: Path) -> str:
    """Its comments and docstrings; "" of a source that names no file at all, which need not be parsed."""
    source = path.read_text()
    if not NAMED.search(source):
        return ""
    comments = [
        one.string for one in tokenize.generate_tokens(io.StringIO(source).readline) if one.type == tokenize.COMMENT
    ]
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = [ast.get_docstring(node) or "" for node in ast.walk(ast.parse(source)) if isinstance(node, documented)]
    return "\n".join([*comments, *docstrings])


@pytest.mark.parametrize("room", ["laaffic_console", "messaging", "voice", "numbers", "tests", "scripts"])
def test_files_that_comments_name_are_there(room: str) -> None:
    paths = [path for path in SOURCES if path.relative_to(ROOT).parts[0] == room]
    assert paths

    gone = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in paths
        for name in NAMED.findall(told(path))
        if not any(one.endswith(f"/{name}") for one in THERE)
    }
    assert not gone
