"""What is kept for people to read is kept with its words: no writer hands on a text of its own language."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLAIN = {"gettext", "ngettext", "pgettext", "npgettext"}
WRITERS = {"record", "record_event", "note", "taken_away"}
# Columns of kit/said.SaidField, and the text of an event that is one.
ROWS = {"update", "create"}  # and a model by its name
COLUMNS = {"hold_reason", "wait_reason", "explanation", "ended_because"}


def sources() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split() if not name.startswith(("tests/", "scripts/"))]


def plainly_worded(source: str) -> Iterator[int]:
    """Lines that keep what Django's own gettext has said, straight or by way of a name or a function beside it."""
    tree = ast.parse(source)
    plain = {
        name.asname or name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for name in node.names
        if name.name in PLAIN
    }
    if not plain:
        return
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    says = {name for name, function in functions.items() if _returns_of(function, plain)}
    for function in functions.values():
        names = {
            target.id
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and _holds(node.value, plain | says, set())
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        yield from _kept_by(function, plain | says, names)


def _returns_of(function: ast.FunctionDef, plain: set[str]) -> bool:
    if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function)):
        return False
    returned = [node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value]
    return any(_holds(value, plain, set()) for value in returned)


def _kept_by(function: ast.FunctionDef, calls: set[str], names: set[str]) -> Iterator[int]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and _last(node.func) in WRITERS:
            given = [*node.args, *(one.value for one in node.keywords)]
        elif isinstance(node, ast.Call) and (_last(node.func) in ROWS or _last(node.func)[:1].isupper()):
            given = [one.value for one in node.keywords if one.arg in COLUMNS]
        elif isinstance(node, ast.Assign) and any(_last(target) in COLUMNS for target in node.targets):
            given = [node.value]
        else:
            continue
        if any(_holds(value, calls, names) for value in given):
            yield node.lineno


def _holds(value: ast.expr, calls: set[str], names: set[str]) -> bool:
    modules = {id(node.value) for node in ast.walk(value) if isinstance(node, ast.Attribute)}  # said.gettext
    return any(
        (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in calls)
        or (isinstance(node, ast.Name) and node.id in names and id(node) not in modules)
        for node in ast.walk(value)
    )


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def test_what_is_kept_is_never_worded_for_its_writer() -> None:
    found = [f"{name}:{line}" for name in sources() for line in plainly_worded((ROOT / name).read_text())]

    assert found == []


@pytest.mark.parametrize(
    "body",
    [
        "record(kind, row, event=_('Paused'))",
        "said = _('Paused: %(why)s') % {'why': why}\n    steps.note(row, said, by)",
        "steps.note(row, words(why), by)",
        "row.hold_reason = _('Paused')",
        "Row.objects.update(hold_reason=_('Paused'))",
    ],
)
@pytest.mark.parametrize(("module", "lines"), [("django.utils.translation", 1), ("laaffic_console.kit.words.said", 0)])
def test_each_way_of_keeping_it_is_seen(body: str, module: str, lines: int) -> None:
    beside = "def words(why):\n    return _('Paused: %(why)s') % {'why': why}\n"
    source = f"from {module} import gettext as _\n{beside}\ndef act(row, why):\n    {body}\n"

    assert len(list(plainly_worded(source))) == lines
