"""What a measurement is held against: its median decides, and the table of `make bench` says which goals are missed."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from laaffic_console.conf import BASE_DIR


@pytest.fixture
def goals(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("goal_table", BASE_DIR / "scripts" / "goal_table.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setenv("BENCH_TABLE", str(tmp_path / "bench.jsonl"))
    monkeypatch.setattr(sys, "argv", ["goal_table.py", str(tmp_path / "bench.jsonl")])
    return module


def test_the_median_decides(goals: ModuleType) -> None:
    assert goals.held("sqlite", "sending", [0.5, 0.91, 1.2], 0.9) == "to reach 0.90: met"
    assert goals.held("sqlite", "sending", [0.5, 0.89, 1.2], 0.9) == "to reach 0.90: NOT MET"
    assert goals.held("sqlite", "memory, MB", [131], 130, at_most=True) == "at most 130: NOT MET"


def test_the_table_has_them_all(goals: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    goals.held("sqlite", "import, rows a second", [44_000, 47_700, 48_000], 45_000)
    goals.held("postgresql", "memory, MB", [131], 130, at_most=True)
    goals.main()

    assert capsys.readouterr().out.splitlines()[2:] == [
        "| import, rows a second | sqlite | 47,700 (44,000–48,000) | ≥ 45,000 | met |",
        "| memory, MB | postgresql | 131 | ≤ 130 | **not met** |",
        "",
        "1 of 2 goals are met.",
    ]
